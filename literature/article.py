"""Article, Passage, Citation: what was written, where, and the exact words.

Offsets are code points into `Article.text`, where passages follow each other with
one newline between them (as in PubTator, where title and abstract are one apart).
How an article is read from a file is decided in readers/.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

Kind = Literal["literature", "patent", "illustrative"]

GAP = "\n"  # one code point between passages
_NOTICES = frozenset({"retraction of publication", "retraction notice", "retraction"})

_HALF = re.compile("[\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """U+FFFD for each half of a character, which JSON can spell and no file can hold."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an article with one heading: the title, an abstract's part, a paragraph."""

    section: str  # "title", "abstract", "introduction", "methods", "results", "discussion", ...
    text: str
    offset: int  # code points from the start of the article's text
    heading: str = ""  # as printed: "METHODS AND FINDINGS"

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class Article:
    """One document, in reading order.

    Raises
    ------
    ValueError
        If it has no identifier, its year has not four digits, passages overlap or run backwards, or a
        text holds half a character (a lone surrogate), which no file could.
    """

    id: str  # "PMID:12345", "PMC:99", "US1234567", "EXAMPLE:7"
    passages: tuple[Passage, ...]
    year: int | None = None
    kind: Kind = "literature"
    retracted: bool = False
    licence: str = ""
    version: int = 1
    genres: tuple[str, ...] = ()  # publication types: "Review", "Clinical Trial"
    retracts: tuple[str, ...] = ()  # identifiers of the articles this notice retracts
    aliases: tuple[str, ...] = ()  # other identifiers of the same article: "DOI:10.1/x"

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise ValueError("an article needs an identifier")
        if self.year is not None and not 1000 <= self.year <= 9999:
            raise ValueError(f"{self.id}: the year {str(self.year)[:20]} has not four digits")
        end = -1
        for passage in self.passages:
            if passage.offset <= end:
                raise ValueError(
                    f"{self.id}: the passage {passage.section!r} starts at {passage.offset}, "
                    f"before the one above it ends ({end})"
                )
            end = passage.end
        for words in (self.id, self.licence, *self.genres, *self.aliases, *(p.text for p in self.passages)):
            if words != whole_characters(words):
                raise ValueError(f"{whole_characters(self.id)}: holds half a character (a lone surrogate)")

    @classmethod
    def of(
        cls,
        id: str,
        parts: Iterable[tuple[str, str] | tuple[str, str, str]],
        *,
        year: int | None = None,
        kind: Kind = "literature",
        retracted: bool = False,
        licence: str = "",
        version: int = 1,
        genres: Iterable[str] = (),
        retracts: Iterable[str] = (),
        aliases: Iterable[str] = (),
    ) -> Article:
        """Lay (section, text) or (section, text, heading) one after the other; empty texts are left out."""
        passages: list[Passage] = []
        offset = 0
        for part in parts:
            if not part[1]:
                continue
            passages.append(Passage(part[0], part[1], offset, part[2] if len(part) == 3 else ""))
            offset = passages[-1].end + len(GAP)
        return cls(
            id=id,
            passages=tuple(passages),
            year=year,
            kind=kind,
            retracted=retracted,
            licence=licence,
            version=version,
            genres=tuple(genres),
            retracts=tuple(retracts),
            aliases=tuple(aliases),
        )

    @property
    def notice(self) -> bool:
        """Whether it takes another article back: it repeats that one's claims and makes none."""
        kinds = {genre.casefold() for genre in self.genres}
        return bool(self.retracts) or not kinds.isdisjoint(_NOTICES)

    @property
    def title(self) -> str:
        return next((p.text for p in self.passages if p.section == "title"), "")

    @property
    def text(self) -> str:
        """All passages at their offsets; what lies between them is newlines."""
        pieces: list[str] = []
        end = 0
        for passage in self.passages:
            pieces.append(GAP * (passage.offset - end))
            pieces.append(passage.text)
            end = passage.end
        return "".join(pieces)

    def passage_at(self, start: int, end: int) -> Passage | None:
        """The passage that holds [start, end) whole, or None when none does."""
        at = bisect_right(self.passages, start, key=lambda passage: passage.offset) - 1
        return self.passages[at] if at >= 0 and end <= self.passages[at].end else None


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words of an article, and where they stand.

    Raises
    ------
    ValueError
        If the article does not say `text` at [start, end), or if that stretch is
        empty or crosses from one passage into the next: a citation that does not
        resolve to its verbatim text cannot be built.
    """

    article: Article = field(repr=False)
    start: int  # code points into the article's text
    end: int
    text: str

    def __post_init__(self) -> None:
        passage = self.article.passage_at(self.start, self.end)
        where = f"{self.article.id}[{self.start}:{self.end}]"
        if passage is None or not self.text.strip():
            raise ValueError(f"{where} is not a stretch of words inside one passage")
        there = passage.text[self.start - passage.offset : self.end - passage.offset]
        if there != self.text:
            raise ValueError(f"{where} reads {there[:80]!r}, not {self.text[:80]!r}")

    @classmethod
    def of(cls, article: Article, start: int, end: int) -> Citation:
        """Quote what stands at [start, end)."""
        passage = article.passage_at(start, end)
        quoted = passage.text[start - passage.offset : end - passage.offset] if passage else ""
        return cls(article, start, end, quoted)

    @property
    def section(self) -> str:
        passage = self.article.passage_at(self.start, self.end)
        return passage.section if passage else ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that could not be read, listed instead of lost."""

    where: str  # "pubmed26n0001.xml.gz, record 118 (PMID:1234)"
    detail: str  # what is wrong with it, and what to do


@dataclass(frozen=True, slots=True)
class Deleted:
    """Identifiers whose records the publisher of the file has withdrawn."""

    ids: tuple[str, ...]


Record: TypeAlias = Article | Skipped | Deleted


class Reader(Protocol):
    """Reads one file of one format, record by record, in the file's order.

    A broken record gives `Skipped` and reading goes on; a file that cannot be read
    any further gives `Skipped` and ends. Only a missing file raises.
    """

    def __call__(self, path: Path, /) -> Iterator[Record]: ...
