"""JATS full text (PMC, PLOS, eLife; .nxml) -> articles with sections, captions and tables.

Title, abstracts, body, appendices and floats are kept, every text node once and in
reading order. Left out: the reference list, and what is about the journal and the
authors rather than the subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from literature.article import Article, Record
from literature.readers.markup import blocks, each_record, local, words
from literature.readers.opening import stem
from literature.readers.sections import section_of

_BLOCK_TAGS = """
p title label caption tr list-item disp-quote disp-formula def term verse-line statement fn sec
abstract trans-abstract body back ack app fig table-wrap boxed-text floats-group sub-article
article-title table-wrap-foot attrib supplementary-material glossary notes sig-block
"""
BLOCKS = frozenset(_BLOCK_TAGS.split())
SPACED = frozenset({"td", "th", "break", "tab", "label"})
SKIPPED = frozenset({"ref-list", "tex-math", "object-id", "journal-meta", "processing-meta"})
_INSIDE = {
    "caption": "caption",
    "table": "table",
    "table-wrap-foot": "caption",
    "ack": "acknowledgements",
    "app": "appendix",
    "fn": "footnote",
    "abstract": "abstract",
    "trans-abstract": "other abstract",
    "back": "back",
}
_HEADED = frozenset({"sec", "abstract", "trans-abstract", "ack", "app", "back", "notes"})
_HREF = "{http://www.w3.org/1999/xlink}href"


def read(path: Path) -> Iterator[Record]:
    """The articles of a JATS file: one, or the many of a PMC article set."""
    name = stem(path)
    return each_record(path, ("article",), lambda root, n: article(root, name if n == 1 else f"{name}-{n}"))


def article(root: Any, name: str) -> Article:
    """An article element -> Article, named by its PMC identifier, else its DOI, else `name`."""
    for element in root.iter():  # namespaces differ between publishers; the local names do not
        if isinstance(element.tag, str) and element.tag.startswith("{") and "JATS" in element.tag:
            element.tag = local(element)
    meta = root.find("./front/article-meta")
    if meta is None:
        raise ValueError("has no <article-meta>")
    ids = _ids(meta)
    title = next(map(words, meta.iterfind("./title-group/article-title")), "")
    known = [ids[k] for k in ("pmc", "doi", "pmid") if k in ids]
    kind = root.get("article-type", "")
    return Article.of(
        known[0] if known else name,
        _parts(root, meta, title),
        year=_year(meta),
        retracted=kind != "retraction"
        and (bool(re.match(r"\W*retracted\b", title, re.IGNORECASE)) or _withdrawn(meta)),
        licence=_licence(meta),
        genres=["Review"] if kind == "review-article" else [kind] if kind else [],
        retracts=_retracts(meta) if kind == "retraction" else [],
        aliases=known[1:],
    )


def _ids(meta: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in meta.iterfind("./article-id"):
        kind, value = element.get("pub-id-type", ""), words(element)
        if kind in ("pmc", "pmcid") and value:
            found["pmc"] = f"PMC:{value.upper().removeprefix('PMC')}"
        elif kind == "doi" and value:
            found["doi"] = f"DOI:{value.casefold()}"
        elif kind == "pmid" and value:
            found["pmid"] = f"PMID:{value}"
    return found


def _retracts(meta: Any) -> list[str]:
    found: list[str] = []
    for element in meta.iterfind("./related-article"):
        if element.get("related-article-type") not in ("retracted-article", "retraction-of"):
            continue
        value = element.get(_HREF, "").removeprefix("info:doi/").removeprefix("https://doi.org/")
        kind = element.get("ext-link-type", "doi")
        if value.startswith("10."):
            found.append(f"DOI:{value.casefold()}")
        elif kind == "pmid" and value:
            found.append(f"PMID:{value}")
    return found


def _withdrawn(meta: Any) -> bool:
    """PMC points from a retracted article forward to its notice."""
    return any(
        e.get("related-article-type") == "retraction-forward" for e in meta.iterfind("./related-article")
    )


def _year(meta: Any) -> int | None:
    years = [
        int(words(element))
        for date in meta.iterfind("./pub-date")
        if (element := date.find("./year")) is not None
        and re.fullmatch(r"[1-9]\d{3}", words(element), re.ASCII)
    ]
    return min(years, default=None)


def _licence(meta: Any) -> str:
    for element in meta.iterfind("./permissions/license"):
        links = [element.get(_HREF, ""), *(e.get(_HREF, "") for e in element.iter("ext-link"))]
        return next(filter(None, links), "") or words(element)
    return ""


def _parts(root: Any, meta: Any, title: str) -> Iterator[tuple[str, str, str]]:
    yield "title", title, ""
    for element in meta.iterfind("./title-group/*"):
        if local(element) in ("subtitle", "trans-title-group", "alt-title") and words(element):
            yield "subtitle", words(element), ""
    for tag in ("abstract", "trans-abstract"):
        for element in meta.iterfind(f"./{tag}"):
            yield from _blocks(element, _INSIDE[tag])
    for tag, section in (("body", "body"), ("back", "back"), ("floats-group", "body")):
        for element in root.iterfind(f"./{tag}"):
            yield from _blocks(element, section)
    yield from _answers(root)


def _answers(root: Any) -> Iterator[tuple[str, str, str]]:
    """Letters, replies, translations: what is printed inside an article as one of its own."""
    for element in root:
        if local(element) not in ("sub-article", "response"):
            continue
        for front in (*element.iterfind("./front-stub"), *element.iterfind("./front/article-meta")):
            for title in front.iterfind("./title-group/article-title"):
                yield "heading", words(title), ""
            for tag in ("abstract", "trans-abstract"):
                for part in front.iterfind(f"./{tag}"):
                    yield from _blocks(part, "sub-article")
        for tag in ("body", "floats-group", "back"):
            for part in element.iterfind(f"./{tag}"):
                yield from _blocks(part, "sub-article")
        yield from _answers(element)


def _blocks(element: Any, section: str) -> Iterator[tuple[str, str, str]]:
    return blocks(
        element, section, block=BLOCKS, spaced=SPACED, skip=SKIPPED, entered=_entered, heading=_is_heading
    )


def _is_heading(element: Any) -> bool:
    if local(element) != "title":
        return False
    parent = element.getparent()
    return parent is not None and local(parent) in _HEADED


def _entered(element: Any, around: str, title: str) -> str:
    tag = local(element)
    if tag == "sec":
        return section_of(element.get("sec-type", ""), around)
    if tag == "title" and title:
        return section_of(title, around)
    return _INSIDE.get(tag, around)
