"""Which articles are on disk, and which of them still count?

Of several records of one article the newest version counts (of equal versions the
one read last, as PubMed's update files mean it); an abstract does not count beside its
full text, which names it. A withdrawn article is gone, a retracted one stays and says
so. Files are streamed: what is kept in memory is what the caller keeps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Generic, TypeVar

from discovery.outcome import UserError
from literature.article import Article, Deleted, Record, Skipped
from literature.readers.formats import UnknownFormat, known, reader_for

T = TypeVar("T")
P = TypeVar("P")

EXAMPLE = "example"  # the texts inside the package, written to illustrate
_ENDINGS = (
    ".jsonl", ".ndjson", ".txt", ".text", ".xml", ".nxml", ".pubtator", ".nbib", ".medline", ".json", ".sgml", ".sgm",
    ".greenbook",
)  # fmt: skip


class CorpusError(UserError, ValueError):
    """The corpus cannot be read; the message names the path and what to do."""


@dataclass(frozen=True)
class Kept(Generic[T]):
    """What became of a corpus."""

    items: tuple[tuple[Article, T], ...]  # in the order of the last record of each article
    articles: int  # that count, also those nothing was kept of
    superseded: int
    deleted: int
    retracted: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Corpus:
    """Files of articles, and identifiers known to be retracted."""

    paths: tuple[Path, ...]
    reader: str = ""  # of all files; told by each file when empty
    retracted: frozenset[str] = field(default=frozenset())
    left: tuple[Path, ...] = ()  # files of the folders that are not read, by their endings

    @classmethod
    def open(
        cls,
        where: str | Path | Sequence[str | Path] = EXAMPLE,
        *,
        reader: str = "",
        retractions: str | Path = "",
    ) -> Corpus:
        """Files and folders (searched for known endings), or "example".

        `retractions` is a text file with one identifier or PMID a line.

        Raises
        ------
        CorpusError
            If a path does not exist, or a folder holds no file that can be read; `UnknownFormat` if there is no
        such reader.
        """
        if reader:
            known(reader)
        found: list[Path] = []
        left: list[Path] = []
        for item in [where] if isinstance(where, str | Path) else where:
            if str(item) == EXAMPLE and not Path(item).exists():
                found.append(Path(str(files("literature") / "data" / "example_corpus.jsonl")))
                continue
            read, others = _files(Path(item))
            found += read
            left += others
        if not found:
            raise CorpusError("no file of articles was named")
        listed = _identifiers(Path(retractions)) if retractions else frozenset()
        return cls(tuple(found), reader, listed, tuple(left))

    def records(self) -> Iterator[Record]:
        """Every record of every file, in order; a file that no reader knows is skipped and listed."""
        for path in self.paths:
            try:
                read = reader_for(path, self.reader)
            except UnknownFormat as error:
                yield Skipped(path.name, str(error).removeprefix(f"{path.name}: "))
                continue
            yield from read(path)

    def keep(self, work: Callable[[Article], T | None]) -> Kept[T]:
        """Do `work` on every article that counts and keep what is not None.

        An article that turns out to be retracted is worked on again with its mark set.
        """
        kept: dict[str, tuple[Article, T]] = {}
        standing = Standing[None](retracted=set(self.retracted))
        skipped: list[Skipped] = []
        for record in self.records():
            if isinstance(record, Skipped):
                skipped.append(record)
            elif isinstance(record, Deleted):
                standing.withdraw(record.ids)
                for id in record.ids:
                    kept.pop(id, None)
            elif standing.add(
                record.id, record.version, None, record.retracted, record.retracts, record.aliases
            ):
                kept.pop(record.id, None)
                known = not standing.retracted.isdisjoint((record.id, *record.aliases))
                result = work(replace(record, retracted=True) if known else record)
                if result is not None:
                    kept[record.id] = record, result
        retracted, twins = standing.settled()
        items: list[tuple[Article, T]] = []
        for id, (article, told) in kept.items():
            if id in twins:
                continue
            result = told
            if id in retracted:
                article = replace(article, retracted=True)
                result = work(article)
            if result is not None:
                items.append((article, result))
        reasons = Counter(reason for _, _, reason in standing.gone)
        return Kept(
            tuple(items),
            len(standing.places) - len(twins),
            reasons["superseded"] + len(twins),
            reasons["deleted"],
            len(retracted),
            tuple(skipped),
        )


@dataclass
class Standing(Generic[P]):
    """Which record of each article counts; records are told in their files' order."""

    retracted: set[str] = field(default_factory=set)  # identifiers or other names
    places: dict[str, tuple[int, P]] = field(
        default_factory=dict
    )  # identifier -> version, its record's place
    names: dict[str, str] = field(
        default_factory=dict
    )  # another name, such as a full text's PMID -> identifier
    gone: list[tuple[P, str, str]] = field(default_factory=list)  # place, identifier, why it does not count

    def withdraw(self, ids: Iterable[str]) -> None:
        """What a publisher deletes."""
        for id in ids:
            if found := self.places.pop(id, None):
                self.gone.append((found[1], id, "deleted"))

    def add(
        self,
        id: str,
        version: int,
        place: P,
        retracted: bool,
        retracts: Iterable[str],
        aliases: Iterable[str],
    ) -> bool:
        """A record; whether it stands, for now."""
        self.retracted.update(retracts, [id] if retracted else [])
        before = self.places.get(id)
        if before and version < before[0]:
            self.gone.append((place, id, "superseded"))
            return False
        if before:
            self.gone.append((before[1], id, "superseded"))
        self.places[id] = version, place
        self.names.update(dict.fromkeys(aliases, id))
        return True

    def settled(self) -> tuple[set[str], set[str]]:
        """Once all is told: the articles that are retracted; and those whose paper stands under another
        identifier, which tells so: an abstract beside its full text."""
        twins: set[str] = set()
        for alias, id in self.names.items():
            if alias != id and alias in self.places and id in self.places and id not in twins:
                twins.add(alias)
        marked = {self.names.get(id, id) for id in self.retracted} | self.retracted
        return {id for id in marked if id in self.places and id not in twins}, twins


def _files(path: Path) -> tuple[list[Path], list[Path]]:
    """Files to read; and those of a folder that are not, hidden ones aside."""
    if path.is_dir():
        there = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        told = {p: p.name.casefold().removesuffix(".gz").endswith(_ENDINGS) for p in there}
        found = [p for p in there if told[p]]
        if not found:
            raise CorpusError(f"{path} holds no file of articles ({', '.join(_ENDINGS)}, each also .gz)")
        return found, [p for p in there if not told[p]]
    if not path.exists():
        raise CorpusError(f"there is no corpus at {path}; name a file, a folder or {EXAMPLE!r}")
    return [path], []


def _identifiers(path: Path) -> frozenset[str]:
    if not path.exists():
        raise CorpusError(f"there is no list of retractions at {path}")
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines())
    return frozenset(_identifier(line) for line in lines if line)


def _identifier(line: str) -> str:
    """As the readers write it: "12", "pmid 12", "PMC34", "doi:10.1/ABC" -> "PMID:12", "PMC:34", "DOI:10.1/abc"."""
    told = re.fullmatch(r"(?i)(pmid|pmc|doi)?[:\s]*(10\.\S+|\d+)", line.removeprefix("https://doi.org/"))
    if not told:
        return line
    kind, value = (told.group(1) or "pmid").upper(), told.group(2)
    return f"DOI:{value.casefold()}" if value.startswith("10.") else f"{kind}:{value}"
