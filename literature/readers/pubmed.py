"""PubMed XML (baseline, update and efetch files) -> articles, deletions, retractions.

Markup inside titles and abstracts keeps its words in order, labelled parts keep
their labels, and a `DeleteCitation` block says which articles are withdrawn. Which
of several versions counts is decided in literature/corpus.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from literature.article import Article, Deleted, Record
from literature.readers.markup import each_record, local, words

MAX_RECORD = 8 * 2**20  # bytes; a PubMed record is some 10 kB
TAGS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument")
SECTIONS = {
    "background": "introduction",
    "introduction": "introduction",
    "objective": "introduction",
    "objectives": "introduction",
    "aim": "introduction",
    "aims": "introduction",
    "purpose": "introduction",
    "methods": "methods",
    "results": "results",
    "findings": "results",
    "discussion": "discussion",
    "interpretation": "conclusion",
    "conclusion": "conclusion",
    "conclusions": "conclusion",
}
_YEAR = re.compile(r"(?<!\d)(1[6-9]\d\d|20\d\d)(?!\d)")


def read(path: Path) -> Iterator[Record]:
    """Records of a PubMed XML file, gzipped or not."""
    return each_record(path, TAGS, lambda root, number: _record(root), limit=MAX_RECORD, named=_pmid_in)


def _pmid_in(raw: bytes) -> str:
    found = re.search(rb"<PMID[^>]*>\s*(\d{1,9})\s*<", raw[:4000])
    return f" (PMID:{found.group(1).decode()})" if found else ""


def _record(root: Any) -> Record:
    if local(root).startswith("Delete"):
        return Deleted(tuple(f"PMID:{words(e)}" for e in root.iter("PMID") if words(e)))
    return article(root)


def article(root: Any) -> Article:
    """A PubmedArticle element -> Article.

    Raises
    ------
    ValueError
        If it has no PMID of digits.
    """
    pmid = root.find("./MedlineCitation/PMID")
    if pmid is None:
        pmid = root.find("./BookDocument/PMID")
    if pmid is None or not words(pmid).isdecimal():
        raise ValueError("has no PMID, which is a number")
    version = pmid.get("Version", "1")
    genres = [words(e) for e in root.iter("PublicationType")]
    refs = [
        (e.get("RefType", ""), words(n))
        for e in root.iter("CommentsCorrections")
        if (n := e.find("PMID")) is not None
    ]
    kinds = {e.get("RefType", "") for e in root.iter("CommentsCorrections")}
    withdrawn = not kinds.isdisjoint(("RetractionIn", "RetractedandRepublishedIn"))
    return Article.of(
        f"PMID:{words(pmid)}",
        _parts(root),
        year=_year(root),
        retracted=withdrawn or "Retracted Publication" in genres,
        licence=next((words(e) for e in root.iter("CopyrightInformation")), ""),
        version=int(version) if re.fullmatch(r"\d{1,6}", version, re.ASCII) else 1,
        genres=genres,
        retracts=[f"PMID:{ref}" for kind, ref in refs if kind == "RetractionOf" and ref],
    )


def _parts(root: Any) -> Iterator[tuple[str, str, str]]:
    body = root.find("./MedlineCitation/Article")
    if body is None:
        body = root.find("./BookDocument")
    if body is not None:
        title = body.find("./ArticleTitle")
        if title is None:
            title = body.find("./Book/BookTitle")
        if title is not None:
            yield "title", words(title), ""
        vernacular = body.find("./VernacularTitle")
        if vernacular is not None:
            yield "vernacular title", words(vernacular), ""
        for part in body.iterfind("./Abstract/AbstractText"):
            heading = part.get("Label", "")
            yield _section(part.get("NlmCategory", ""), heading), words(part), heading
    for part in root.iterfind("./MedlineCitation/OtherAbstract/AbstractText"):
        heading = part.get("Label", "")
        yield "other abstract", words(part), heading


def _section(category: str, heading: str) -> str:
    for name in (category, heading):
        for word in re.findall(r"[a-z]+", name.casefold())[:3]:  # "MATERIALS AND METHODS"
            if found := SECTIONS.get(word):
                return found
    return "abstract"


def _year(root: Any) -> int | None:
    for path in (
        "./MedlineCitation/Article/Journal/JournalIssue/PubDate",
        "./MedlineCitation/Article/ArticleDate",
        "./BookDocument/Book/PubDate",
        "./MedlineCitation/DateCompleted",
        "./MedlineCitation/DateRevised",
    ):
        element = root.find(path)
        for child in element if element is not None else ():  # Year, or MedlineDate ("1998 Dec-1999 Jan")
            if found := _YEAR.search(words(child)):
                return int(found.group(1))
    return None
