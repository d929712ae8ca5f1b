"""How is XML read without trusting it?

A big file is cut into records by its own tags, in bytes, before any XML parser
sees it: one broken record costs one record, memory stays flat, and the document
type at the head of the file (where entity bombs live) is never parsed. Each record
is then parsed with entities, external files and the network switched off.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html.entities import html5
from pathlib import Path
from typing import Any

from discovery.extras import needs
from literature.article import Record, Skipped
from literature.readers.opening import BrokenFile, decode, head_of, open_bytes

with needs("literature"):
    from lxml import etree


MAX_RECORD = 32 * 2**20  # bytes; the longest patent is a third of it
_BLOCK = 1 << 18
_HEAD = 1 << 14  # bytes in which a file's document type is looked for
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class BadMarkup(ValueError):
    """This record is no XML that can be trusted. The message says why."""


def records(stream: io.BufferedReader, tags: tuple[str, ...], limit: int = MAX_RECORD) -> Iterator[bytes]:
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


def each_record(
    path: Path,
    tags: tuple[str, ...],
    build: Callable[[Any, int], Record],
    *,
    limit: int = MAX_RECORD,
    named: Callable[[bytes], str] = lambda raw: "",
    mended: Callable[[bytes], bytes] = lambda raw: raw,
) -> Iterator[Record]:
    """Build a record from every outermost `<tag>` of a file; what cannot be built is skipped and listed.

    Parameters
    ----------
    build
        From the root element and its number (1 is the first); its ValueErrors become `Skipped`.
    named
        What the user calls a record, read from its bytes, for messages.
    """
    number = 0
    with open_bytes(path) as stream:
        try:
            head, _ = head_of(path, _HEAD)
            _no_doctype(head.decode("utf-8", errors="replace"))
            declared = _ENCODING.search(head)
            encoding = declared.group(1).decode().casefold() if declared else ""
            for number, raw in enumerate(records(stream, tags, limit), start=1):
                try:
                    yield build(parse(mended(raw), encoding), number)
                except ValueError as error:
                    yield Skipped(f"{path.name}, record {number}{named(raw)}", str(error))
        except BrokenFile as error:
            yield Skipped(f"{path.name}, after record {number}", str(error))
            return
        except BadMarkup as error:  # the document type; a record's own is told above
            yield Skipped(path.name, str(error))
            return
    if not number:
        yield Skipped(path.name, f"holds no <{'>, <'.join(tags)}>")


def _fill(stream: io.BufferedReader, buffer: bytearray) -> bool:
    block = stream.read1(_BLOCK)  # what there is before any damage comes first
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


def parse(raw: bytes, encoding: str = "") -> Any:
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
    return root


def _text(raw: bytes, encoding: str) -> str:
    """Decode, drop the declaration and the document type, and what XML forbids."""
    text = ""
    if encoding and not encoding.startswith("utf"):  # `open_bytes` has made UTF-8 of every UTF
        try:
            text = raw.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            text = ""
    text = text or decode(raw)
    text = re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text, count=1)
    text = _CONTROL.sub(" ", text)
    return _ENTITY.sub(_spelled, _no_doctype(text))


_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9.]{0,31});")
_OWN = frozenset({"lt", "gt", "amp", "quot", "apos"})  # XML's own
_LETTERS = (
    "agr bgr ggr dgr egr zgr eegr thgr igr kgr lgr mgr ngr xgr ogr pgr rgr sgr tgr ugr phgr khgr psgr ohgr"
)
_GREEK = dict(zip(_LETTERS.split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True))  # ISO 8879 names, of patents


def _spelled(entity: re.Match[str]) -> str:
    """A named character; U+FFFD for a name that nobody knows, so that its place stays visible."""
    name = entity.group(1)
    if name in _OWN:
        return entity.group()
    found = html5.get(f"{name};") or _GREEK.get(name) or _GREEK.get(name.casefold(), "").upper()
    return "".join(f"&#{ord(c)};" for c in found or "\ufffd")


_PROLOGUE = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


def _no_doctype(text: str) -> str:
    start = _PROLOGUE.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    if not text.startswith("<!DOCTYPE", start):
        return text
    bracket, end = text.find("[", start), text.find(">", start)
    if 0 <= bracket < end:
        close = text.find("]", bracket)
        inner = text[bracket : close if close >= 0 else len(text)]
        if re.search(r"<!ENTITY\s+%|<!ENTITY\s+\S+\s+(?:SYSTEM|PUBLIC)(?![^>]*NDATA)|<!ENTITY[^>]*&", inner):
            raise BadMarkup("defines entities out of other entities or other files; such files are not read")
        end = text.find(">", close) if close >= 0 else -1
    return text[:start] + text[end + 1 :] if end >= 0 else text[:start]


def words(element: Any) -> str:
    """All text inside an element, in reading order, each run of space made one."""
    return " ".join("".join(element.itertext()).split())


def blocks(
    root: Any,
    section: str,
    *,
    block: frozenset[str],
    spaced: frozenset[str],
    skip: frozenset[str],
    entered: Callable[[Any, str, str], str],
    heading: Callable[[Any], bool],
) -> Iterator[tuple[str, str, str]]:
    """(section, text, heading) of everything inside an element, each text node once, in reading order.

    Parameters
    ----------
    block
        Tags that begin a new passage, and end it.
    spaced
        Tags that only part words: table cells, line breaks.
    skip
        Tags whose inside is left out.
    entered
        The section inside an element, given the element, the section around it and the last heading.
    heading
        Whether an element is a heading: a passage of its own, and named in those after it.
    """
    pieces: list[str] = []
    title, sections = "", [section]
    # Depth first without recursion; the second field tells an element's start from its end.
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, done = stack.pop()
        tag = local(element)
        parts = tag in block
        if done:
            if parts and (text := _flush(pieces)):
                if heading(element):
                    title = text
                    sections[-1] = entered(element, sections[-1], title)
                    yield "heading", text, ""
                else:
                    yield sections[-1], text, title
            sections.pop()
            if parts and heading(element) and sections:
                sections[-1] = entered(element, sections[-1], title)
            pieces.append(" " if tag in spaced else "")
            if element is not root:
                pieces.append(element.tail or "")
            continue
        if tag in skip:
            pieces.append((element.tail or "") if element is not root else "")
            continue
        if parts and (text := _flush(pieces)):
            yield sections[-1], text, title
        if tag in spaced or (tag == "xref" and element.get("ref-type") == "bibr" and _joined(pieces)):
            pieces.append(" ")
        sections.append(entered(element, sections[-1], ""))
        stack.append((element, True))
        pieces.append(element.text or "")
        stack.extend((child, False) for child in reversed(element))
    if text := _flush(pieces):
        yield section, text, title


def _flush(pieces: list[str]) -> str:
    text = " ".join("".join(pieces).split())
    pieces.clear()
    return text


def _joined(pieces: list[str]) -> bool:
    """A raised reference would run into the word before it: "receptors12"."""
    last = next((p for p in reversed(pieces) if p), "")
    return bool(last) and (last[-1].isalnum() or last[-1] in ".,;:)")


def local(element: Any) -> str:
    """The tag without its namespace."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""
