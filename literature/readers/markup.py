"""How is XML read without trusting it?

A big file is cut into records by its own tags, in bytes, before any XML parser
sees it: one broken record costs one record, memory stays flat, and the document
type at the head of the file (where entity bombs live) is never parsed. Each record
is then parsed with entities, external files and the network switched off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

try:
    from lxml import etree
except ImportError as error:
    raise ImportError(
        "reading XML (PubMed, JATS, patents) needs: pip install 'discovery-workbench[literature]'"
    ) from error

from literature.readers.opening import BrokenFile, decode

MAX_RECORD = 32 * 2**20  # bytes; the longest patent is a third of it
MAX_NODES = 2_000_000  # elements of one record
_BLOCK = 1 << 18
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class BadMarkup(ValueError):
    """This record is no XML that can be trusted. The message says why."""


def records(stream: BinaryIO, tags: tuple[str, ...], limit: int = MAX_RECORD) -> Iterator[bytes]:
    """The bytes of each outermost `<tag ...>...</tag>`, in the file's order.

    Raises
    ------
    BrokenFile
        On a damaged stream, a record over `limit` bytes, or a last record without its end.
    """
    names = "|".join(re.escape(tag) for tag in tags)
    opening = re.compile(rf"<({names})(?=[\s>/])".encode())
    keep = max(len(tag) for tag in tags) + 2
    buffer = bytearray()
    while True:
        found = opening.search(buffer)
        if found is None:
            del buffer[: max(0, len(buffer) - keep)]
            if not _fill(stream, buffer):
                return
            continue
        tag = bytes(found.group(1))
        del buffer[: found.start()]
        closing = b"</" + tag
        seen = 0
        while (end := _close(buffer, closing, seen)) < 0:
            seen = max(0, len(buffer) - len(closing) - 64)
            if len(buffer) > limit:
                raise BrokenFile(f"a <{tag.decode()}> record is longer than {limit:,} bytes")
            if not _fill(stream, buffer):
                raise BrokenFile(f"the last <{tag.decode()}> record has no end; the file is cut short")
        yield bytes(buffer[:end])
        del buffer[:end]


def _fill(stream: BinaryIO, buffer: bytearray) -> bool:
    block = stream.read(_BLOCK)
    buffer += block
    return bool(block)


def _close(buffer: bytearray, closing: bytes, start: int) -> int:
    """Where `</tag>` ends, or -1; `</tag` must not go on as a longer name."""
    while (at := buffer.find(closing, start)) >= 0:
        end = buffer.find(b">", at, at + len(closing) + 64)
        if end < 0:
            return -1
        if not buffer[at + len(closing) : end].strip():
            return end + 1
        start = at + 1
    return -1


def parse(raw: bytes, *, encoding: str = "") -> Any:
    """One record's bytes -> its root element.

    Raises
    ------
    BadMarkup
        If it is not well formed, nests or names entities, or is unreasonably large.
    """
    text = _text(raw, encoding)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise BadMarkup(f"is not well-formed XML: {error}") from error
    if root is None:
        raise BadMarkup("is empty")
    for number, element in enumerate(root.iter()):
        if number > MAX_NODES:
            raise BadMarkup(f"has more than {MAX_NODES:,} elements")
        if not isinstance(element.tag, str):  # an entity the file defines itself
            raise BadMarkup(f"names an entity of its own ({str(element)[:40]}); such files are not read")
    return root


def _text(raw: bytes, encoding: str) -> str:
    """Decode, drop the declaration and the document type, and what XML forbids."""
    if not encoding:
        declared = _ENCODING.search(raw[:400])
        encoding = declared.group(1).decode() if declared else ""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    text = ""
    if encoding and encoding.casefold() not in ("utf-8", "utf8"):
        try:
            text = raw.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            text = ""
    text = text or decode(raw)
    text = re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text, count=1)
    text = _CONTROL.sub(" ", text)
    return _no_doctype(text)


def _no_doctype(text: str) -> str:
    start = text.find("<!DOCTYPE", 0, 4096)
    if start < 0:
        return text
    bracket, end = text.find("[", start), text.find(">", start)
    if 0 <= bracket < end:
        close = text.find("]", bracket)
        inner = text[bracket : close if close >= 0 else len(text)]
        if re.search(r"<!ENTITY\s+%|<!ENTITY\s+\S+\s+(?:SYSTEM|PUBLIC)(?![^>]*NDATA)|<!ENTITY[^>]*&", inner):
            raise BadMarkup("defines entities out of other entities or other files; such files are not read")
        end = text.find(">", close) if close >= 0 else -1
    return text[:start] + text[end + 1 :] if end >= 0 else text[:start]


def words(element: Any, *, skip: frozenset[str] = frozenset()) -> str:
    """All text inside an element, in reading order, each run of space made one; `skip` names tags left out."""
    pieces: list[str] = []
    _collect(element, pieces, skip)
    return " ".join("".join(pieces).split())


def _collect(root: Any, pieces: list[str], skip: frozenset[str]) -> None:
    """Depth first without recursion: a hostile file nests deeper than Python's stack."""
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, done = stack.pop()
        if done:
            pieces.append(element.tail or "")
            continue
        if element is not root:
            stack.append((element, True))
        if local(element) in skip:
            continue
        pieces.append(element.text or "")
        stack.extend((child, False) for child in reversed(element))


def local(element: Any) -> str:
    """The tag without its namespace."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""
