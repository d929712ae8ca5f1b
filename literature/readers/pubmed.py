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
from literature.readers.sections import section_of

MAX_RECORD = 8 * 2**20  # bytes; a PubMed record is some 10 kB
TAGS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument")
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
    named = (*root.iterfind("./MedlineCitation/PMID"), *root.iterfind("./BookDocument/PMID"))
    pmid = next(iter(named), None)
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
    for body in (*root.iterfind("./MedlineCitation/Article"), *root.iterfind("./BookDocument")):
        titles = (*body.iterfind("./ArticleTitle"), *body.iterfind("./Book/BookTitle"))
        for title in titles[:1]:
            yield "title", words(title), ""
        for title in body.iterfind("./VernacularTitle"):
            yield "vernacular title", words(title), ""
        for part in body.iterfind("./Abstract/AbstractText"):
            heading = part.get("Label", "")
            section = section_of(part.get("NlmCategory", ""), section_of(heading, "abstract"))
            yield section, words(part), heading
    for part in root.iterfind("./MedlineCitation/OtherAbstract/AbstractText"):
        yield "other abstract", words(part), part.get("Label", "")


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
