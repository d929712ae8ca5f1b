"""BioC XML and JSON (PubTator 3, BioC-PMC) -> articles and their annotations.

Offsets of the file are kept where passages fit them as code points; files that count
bytes, or passages that overlap, are laid out anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from literature.article import Article, Passage, Record, Skipped, whole_characters
from literature.readers.markup import each_record, words
from literature.readers.opening import BrokenFile, head_of, read_text

_SECTIONS = {
    "title": "title",
    "front": "title",
    "abstract": "abstract",
    "intro": "introduction",
    "methods": "methods",
    "results": "results",
    "discuss": "discussion",
    "concl": "conclusion",
    "fig": "caption",
    "table": "table",
    "ref": "references",
    "ack_fund": "acknowledgements",
    "appendix": "appendix",
}


COLLECTION_HEAD = '{"source": "discovery", "date": "", "key": "BioC.key", "infons": {}, "documents": ['


class Mark(NamedTuple):
    """An annotation to be written; offsets are code points into the article's text."""

    id: str
    start: int
    end: int
    text: str
    infons: dict[str, str]


class Tie(NamedTuple):
    """A relation to be written, its nodes as (role, id of a mark)."""

    id: str
    infons: dict[str, str]
    nodes: tuple[tuple[str, str], ...]


class _Part(NamedTuple):
    infons: dict[str, str]
    offset: int
    text: str


def read(path: Path) -> Iterator[Record]:
    """The documents of a BioC file, XML or JSON, gzipped or not."""
    head, damage = head_of(path, 256)
    if damage and not head:
        return iter([Skipped(path.name, damage)])
    if head.lstrip().startswith(b"<"):
        return each_record(path, ("document",), lambda root, number: _article(_plain(root)))
    return _read_json(path)


def _plain(root: Any) -> dict[str, Any]:
    """A document, passage or sentence of the XML form as the JSON form has it."""
    return {
        "id": root.findtext("./id"),
        "infons": {e.get("key", ""): words(e) for e in root.iterfind("./infon")},
        "offset": root.findtext("./offset"),
        "text": "".join("".join(e.itertext()) for e in root.iterfind("./text")),
        "passages": [_plain(e) for e in root.iterfind("./passage")],
        "sentences": [_plain(e) for e in root.iterfind("./sentence")],
    }


def _read_json(path: Path) -> Iterator[Record]:
    try:
        text = read_text(path)
    except BrokenFile as error:
        yield Skipped(path.name, str(error))
        return
    number = 0
    for found in _values(text):
        for document in _documents(found):
            number += 1
            where = f"{path.name}, record {number}"
            try:
                yield _article(document)
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                yield Skipped(where, f"is no BioC document: {error}")
    if not number:
        yield Skipped(path.name, "holds no BioC document")


def _values(text: str) -> Iterator[Any]:
    """One JSON value, or one on each line."""
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                if line.strip():
                    yield {"passages": None, "id": ""}  # listed as a record that is no document


def _documents(found: Any) -> Iterator[Any]:
    if isinstance(found, list):
        for one in found:
            yield from _documents(one)
    elif isinstance(found, dict):
        inner = found.get("documents", found.get("PubTator3"))
        if isinstance(inner, list):
            yield from inner
        elif "passages" in found:
            yield found


def _infons(found: Any) -> dict[str, str]:
    return {str(k): whole_characters(str(v)) for k, v in (found.get("infons") or {}).items()}


def _whole(value: Any) -> int:
    text = str(value if value is not None else "").strip()
    return int(text) if text.isdecimal() else -1


def _article(document: Any) -> Article:
    parts: list[_Part] = []
    for passage in document["passages"] or ():
        for told in [passage] if passage.get("text") else passage.get("sentences") or ():
            if text := whole_characters(str(told.get("text") or "")):
                parts.append(_Part(_infons(passage), _whole(told.get("offset")), text))
    infons = _infons(document)
    name = whole_characters(str(document.get("id") or "")).strip()
    if not name:
        raise ValueError("it has no id")
    first = parts[0].infons if parts else {}
    pmid, pmc = first.get("article-id_pmid", ""), first.get("article-id_pmc", "").upper().removeprefix("PMC")
    known = [f"PMC:{pmc}"] * bool(pmc) + [f"PMID:{pmid}"] * bool(pmid)
    if not known:
        bare = name.upper().removeprefix("PMC")
        known = [
            f"PMC:{bare}" if name.upper().startswith("PMC") else f"PMID:{name}" if name.isdecimal() else name
        ]
    year = (infons.get("year") or first.get("year") or "")[:4]
    sections = [_section(part.infons) for part in parts]
    laid = Article.of(
        known[0],
        [(s, p.text) for s, p in zip(sections, parts, strict=True)],
        year=int(year) if re.fullmatch(r"[1-9]\d{3}", year, re.ASCII) else None,
        licence=first.get("license", infons.get("license", "")),
        aliases=known[1:],
    )
    ends = [-1] + [part.offset + len(part.text) for part in parts]
    if all(part.offset > end for part, end in zip(parts, ends, strict=False)):
        passages = [Passage(s, p.text, p.offset) for s, p in zip(sections, parts, strict=True)]
        return replace(laid, passages=tuple(passages))
    return laid


def _section(infons: dict[str, str]) -> str:
    kind = infons.get("section_type", "").casefold()
    form = infons.get("type", infons.get("section", "")).casefold()
    if form.startswith("title_") or form in ("footnote",):
        return "heading" if form.startswith("title_") else form
    if "caption" in form:
        return "caption"
    return _SECTIONS.get(kind) or _SECTIONS.get(form) or kind or form or "body"


def document(article: Article, marks: Iterable[Mark] = (), ties: Iterable[Tie] = ()) -> dict[str, Any]:
    """An article with its annotations and relations as a BioC JSON document."""
    name = article.id.removeprefix("PMID:").replace("PMC:", "PMC", 1)
    waiting = sorted(marks, key=lambda mark: mark.start)
    passages: list[dict[str, Any]] = []
    for passage in article.passages:
        inside = [m for m in waiting if passage.offset <= m.start and m.end <= passage.end]
        infons = {"section_type": passage.section.upper(), "type": passage.section}
        passages.append(
            {
                "infons": infons | ({"heading": passage.heading} if passage.heading else {}),
                "offset": passage.offset,
                "text": passage.text,
                "sentences": [],
                "annotations": [
                    {
                        "id": mark.id,
                        "infons": mark.infons,
                        "text": mark.text,
                        "locations": [{"offset": mark.start, "length": mark.end - mark.start}],
                    }
                    for mark in inside
                ],
                "relations": [],
            }
        )
    infons = {"year": str(article.year)} if article.year is not None else {}
    infons |= {"license": article.licence} if article.licence else {}
    infons |= {"retracted": "true"} if article.retracted else {}
    return {
        "id": name,
        "infons": infons,
        "passages": passages,
        "relations": [
            {
                "id": tie.id,
                "infons": tie.infons,
                "nodes": [{"refid": refid, "role": role} for role, refid in tie.nodes],
            }
            for tie in ties
        ],
    }
