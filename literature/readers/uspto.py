"""United States patents in their six layouts -> articles: title, abstract, description, claims.

Green Book (1976-2001, tagged lines), SGML as published since 2001 (PATDOC), and the
XML of applications (2001-) and grants (2005-). One passage is one paragraph, heading
or claim; a claim's steps stay together. Drawings and front-page data are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from literature.article import Article, Record, Skipped
from literature.readers.markup import blocks, each_record, local, words
from literature.readers.opening import MAX_LINES, BrokenFile, head_of, lines, open_bytes

TAGS = ("us-patent-grant", "us-patent-application", "patent-application-publication", "PATDOC")
_REGION_TAGS = {
    "abstract": ("abstract", "subdoc-abstract", "SDOAB"),
    "description": ("description", "subdoc-description", "SDODE"),
    "claims": ("us-claim-statement", "claims", "subdoc-claims", "SDOCL"),
}
REGIONS = {tag: section for section, tags in _REGION_TAGS.items() for tag in tags}
_BLOCK_TAGS = """
p heading claim paragraph section H PARA CLM row ROW us-claim-statement li dd dt description
abstract claims SDOAB SDODE SDOCL subdoc-abstract subdoc-description subdoc-claims
"""
BLOCKS = frozenset(_BLOCK_TAGS.split())
_STEPS = frozenset({"p", "PARA", "paragraph", "li"})  # a claim's steps are no paragraphs of their own
SPACED = frozenset(
    ["p", "PARA", "paragraph", "li", "br", "claim-text", "entry", "ENTRY", "CLMSTEP", "PTEXT", "number"]
)
_LICENCE = "public domain"  # the text of US patents; 37 CFR 1.71(d) lets an owner keep rights in parts


def read(path: Path) -> Iterator[Record]:
    """The patents of a file, whichever layout it has."""
    head, damage = head_of(path, 64)
    if damage and not head:
        return iter([Skipped(path.name, damage)])
    if head.lstrip().startswith(b"<"):
        return each_record(path, TAGS, lambda root, number: patent(root), mended=_closed)
    return _green_book(path)


_EMPTY = rb"EMI|COLSPEC|CITED-BY-EXAMINER|CITED-BY-OTHER|B597US|B473US"


def _closed(raw: bytes) -> bytes:
    """SGML writes its empty elements without a slash."""
    if not raw.startswith(b"<PATDOC"):
        return raw
    raw = re.sub(rb"</(?:" + _EMPTY + rb")\s*>", b"", raw)
    return re.sub(rb"<((?:" + _EMPTY + rb")\b[^<>]*?)/?>", rb"<\1/>", raw)


def patent(root: Any) -> Article:
    """A patent's root element -> Article.

    Raises
    ------
    ValueError
        If it has no number.
    """
    if local(root) == "PATDOC":
        number, kind, date = (_at(root, f"./SDOBI/B100/{tag}") for tag in ("B110", "B130", "B140"))
        title = _at(root, "./SDOBI/B500/B540")
    elif local(root) == "patent-application-publication":
        top = "./subdoc-bibliographic-information"
        number, kind, date = (
            _at(root, f"{top}/document-id/{tag}") for tag in ("doc-number", "kind-code", "document-date")
        )
        title = _at(root, f"{top}/technical-information/title-of-invention")
    else:
        top = "./*/publication-reference/document-id"
        number, kind, date = (_at(root, f"{top}/{tag}") for tag in ("doc-number", "kind", "date"))
        title = _at(root, "./*/invention-title")
    if not number:
        raise ValueError("has no patent number")
    parts = [("title", title, "")]
    regions = [e for e in root if local(e) in REGIONS]
    for element in sorted(regions, key=lambda e: list(_REGION_TAGS).index(REGIONS[local(e)])):
        parts += _blocks(element, REGIONS[local(element)])
    return _article(number, kind, date, parts)


def _at(root: Any, path: str) -> str:
    element = root.find(path)
    return "" if element is None else words(element)


def _article(number: str, kind: str, date: str, parts: Iterable[tuple[str, str, str]]) -> Article:
    found = re.match(r"([A-Z]*)0*(\d+)", number.replace(" ", ""))
    if not found:
        raise ValueError(f"has no patent number but {number!r}")
    year = int(date[:4]) if re.fullmatch(r"[1-9]\d{3}", date[:4], re.ASCII) else None
    return Article.of(
        f"US{found.group(1)}{found.group(2)}{kind}", parts, year=year, kind="patent", licence=_LICENCE
    )


def _blocks(element: Any, section: str) -> Iterator[tuple[str, str, str]]:
    return blocks(
        element,
        section,
        block=BLOCKS - _STEPS if section == "claims" else BLOCKS,
        spaced=SPACED,
        skip=frozenset(),
        entered=lambda inside, around, title: around,
        heading=lambda inside: local(inside) in ("heading", "H"),
    )


_GREEN_CODES = {
    "abstract": ("ABST",),
    "description": ("GOVT", "PARN", "BSUM", "DRWD", "DETD"),
    "claims": ("CLMS", "DCLM"),
}
_GREEN_SECTIONS = {code: section for section, codes in _GREEN_CODES.items() for code in codes}


def _green_book(path: Path) -> Iterator[Record]:
    number, record, size = 0, list[str](), 0
    with open_bytes(path) as stream:
        try:
            for line in lines(stream):
                if line.rstrip() == "PATN" and record:
                    number += 1
                    yield _green_record(record, f"{path.name}, record {number}")
                    record, size = [], 0
                if record or line.rstrip() == "PATN":
                    record.append(line)
                    size += len(line)
                if size > MAX_LINES:
                    raise BrokenFile(f"a patent is longer than {MAX_LINES:,} characters")
        except BrokenFile as error:
            yield Skipped(f"{path.name}, after record {number}", str(error))
            return
    if record:
        yield _green_record(record, f"{path.name}, record {number + 1}")
    elif not number:
        yield Skipped(path.name, "holds no patent of a layout that is known")


def _green_record(record: list[str], where: str) -> Record:
    front: dict[str, str] = {}
    parts: list[tuple[str, str, str]] = []
    section, heading, code, claim = "", "", "", False
    fields: list[tuple[str, list[str]]] = []
    for line in record:
        if line[:4].strip() and not line.startswith("    "):
            fields.append((line[:4].strip(), [line[5:].strip() if len(line) > 5 else ""]))
        elif fields:
            fields[-1][1].append(line.strip())
    for code, pieces in fields:
        text = " ".join(filter(None, pieces))
        if not text and len(code) == 4:
            section, heading, claim = _GREEN_SECTIONS.get(code, ""), "", False
        elif not section:
            front.setdefault(code, text)
        elif code == "NUM":
            claim = True  # what follows up to the next number is one claim
            parts.append((section, text, ""))
        elif code == "PAC":
            heading = " ".join(text.split())
            parts.append(("heading", heading, ""))
        elif claim:
            _, before, _ = parts[-1]
            both = text if text.startswith(before) else f"{before} {text}"  # "1." and "1. In a ..."
            parts[-1] = (section, " ".join(both.split()), "")
        elif text:
            parts.append((section, " ".join(text.split()), heading))
    number = front.get("WKU", "").replace(" ", "")
    try:
        if len(number) < 8:
            raise ValueError("has no patent number (WKU)")
        title = [("title", " ".join(front.get("TTL", "").split()), "")]
        return _article(number[:8], "", front.get("ISD", ""), [*title, *parts])
    except ValueError as error:
        return Skipped(where, str(error))
