"""What do the official dictionaries call genes, chemicals and diseases?

Two Parquet files inside the package, made by build.py: concepts, and their
names sorted by key. Names are looked up in a hash of the keys; a concept is built
when it is asked for. `sources()` tells versions and licences.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from discovery.outcome import UserError
from literature.lexicon import RISKY, Concept, Entry, Lexicon, LexiconError, Type, contested, curated
from literature.names.families import Families
from literature.names.likeness import meaning
from literature.names.wording import Wording

# Ranks of a name, the surer the smaller: annotated often, the concept's own, annotated now and then, ..., of a
# concept of another vocabulary that is mapped to this one.
OFTEN, OFFICIAL, LEARNED, SYNONYM, DESIGNATION, MAPPED = 0, 1, 2, 3, 4, 5
DICTIONARY = "dictionary"  # the files of human genes, chemicals and diseases


class UnknownSpecies(UserError, ValueError):
    """There are no gene names of a species; the message says of which there are."""


class Species(NamedTuple):
    """How NCBI Gene names a species' file, and its number in the taxonomy."""

    file: str
    taxon: str


SPECIES = {"mouse": Species("Mus_musculus", "10090"), "rat": Species("Rattus_norvegicus", "10116")}


@dataclass(frozen=True)
class Tables:
    """The dictionary as it is stored."""

    concepts: (
        pa.Table
    )  # id, type, name, xrefs (with spaces between), inchikey, told (annotated articles naming it)
    names: pa.Table  # key, rank, concept (a row), risky, plural, capital; sorted by key, then rank

    @classmethod
    def read(cls, folder: Path, name: str = DICTIONARY) -> Tables:
        """The two files of one dictionary in a folder."""
        return cls(
            # read_table would import pandas, which takes longer than the reading.
            pq.ParquetFile(folder / f"{name}_concepts.parquet").read(),
            pq.ParquetFile(folder / f"{name}_names.parquet").read(),
        )

    def write(self, folder: Path, name: str = DICTIONARY, level: int = 19) -> int:
        """Write the two files; their size in bytes.

        Parameters
        ----------
        level
            Of compression, 1 to 22: 19 takes ten times as long as 3 for a sixth less.
        """
        size = 0
        for part, table in (("concepts", self.concepts), ("names", self.names)):
            path = folder / f"{name}_{part}.parquet"
            pq.write_table(
                table,
                path,
                compression="zstd",
                compression_level=level,
                use_dictionary=["type"],
                write_statistics=False,
            )
            size += path.stat().st_size
        return size


class Dictionary:
    """A lexicon's layer of official names."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._xrefs: dict[str, int] | None = None
        self._built: dict[int, Concept] = {}
        self._wordings: dict[Type, Wording] = {}

    # What follows is made when it is first asked for: a process may only want to know which dictionary this is.

    @cached_property
    def _keys(self) -> list[str]:
        keys: list[str] = self._tables.names["key"].to_pylist()
        return keys

    @cached_property
    def _first(self) -> dict[str, int]:
        """A key's first row."""
        keys = self._keys
        return dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))

    @cached_property
    def _marks(self) -> list[NDArray[Any]]:
        """Of each name: rank, concept, risky, plural, capital."""
        columns = ("rank", "concept", "risky", "plural", "capital")
        return [_numbers(self._tables.names[column]) for column in columns]

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        """Of each concept."""
        columns = ("id", "type", "name", "xrefs", "inchikey")
        return {column: self._tables.concepts[column].to_pylist() for column in columns}

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {id: row for row, id in enumerate(self._columns["id"])}

    @cached_property
    def _told(self) -> list[int]:
        told = "told" in self._tables.concepts.column_names
        found: list[int] = (
            self._tables.concepts["told"].to_pylist() if told else [0] * self._tables.concepts.num_rows
        )
        return found

    @cached_property
    def _joined(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """A key without its spaces -> that key; and where several are the same without, all of them."""
        keys = list(self._first)
        compact = "\n".join(keys).replace(" ", "").split("\n")  # keys hold letters, digits and spaces
        first = dict(zip(reversed(compact), reversed(keys), strict=True))
        several: dict[str, list[str]] = {}
        others = [at for at, short in enumerate(compact) if first[short] is not keys[at]]
        for at in others:
            several.setdefault(compact[at], []).append(keys[at])
        return first, several

    @property
    def fingerprint(self) -> str:
        meta = self._tables.concepts.schema.metadata or {}
        return f"{self._tables.names.num_rows} {meta.get(b'sources', b'').decode()}"

    @property
    def sources(self) -> tuple[str, ...]:
        """The files it was made from: name, first digits of the sha256, licence."""
        meta = self._tables.concepts.schema.metadata or {}
        return tuple(json.loads(meta.get(b"sources", b"[]")))

    def __len__(self) -> int:
        return int(self._tables.names.num_rows)

    def __contains__(self, word: object, /) -> bool:
        return word in self._first

    def entries(self, word: str, /) -> tuple[Entry, ...]:
        row = self._first.get(word)
        found: list[Entry] = []
        while row is not None and row < len(self._keys) and self._keys[row] == word:
            rank, owner, risky, plural, capital = (column[row].item() for column in self._marks)
            numbered = rank == OFTEN and word[-1].isdigit()  # "p53": short, but nothing else is called so
            needs = rank == DESIGNATION or ((risky or word.replace(" ", "") in RISKY) and not numbered)
            concept = self._concept(owner)
            found.append(Entry(concept, word, needs, rank, plural, capital, self._told[owner]))
            row += 1
        return _settled(found)

    def reach(self, token: str, /) -> int:
        # Keys are sorted, and nothing in them stands before a space.
        first, after = bisect_left(self._keys, token), bisect_left(self._keys, f"{token}!")
        longest = max((key.count(" ") for key in self._keys[first:after]), default=-1)
        return longest + 1

    def words(self, id: str, /) -> frozenset[str]:
        return self.families.words(id)

    def concept(self, id: str, /) -> Concept | None:
        row = self._ids.get(id)
        if row is None:
            if self._xrefs is None:
                self._xrefs = {
                    x: at for at, text in enumerate(self._columns["xrefs"]) for x in text.split(" ") if x
                }
            row = self._xrefs.get(id)
        return None if row is None else self._concept(row)

    def concepts(self, *types: Type) -> Iterator[Concept]:
        """All concepts of some types."""
        for row, type in enumerate(self._columns["type"]):
            if type in types:
                yield self._concept(row)

    def _concept(self, row: int) -> Concept:
        found = self._built.get(row)
        if found is None:
            columns = self._columns
            found = self._built[row] = Concept(
                id=columns["id"][row],
                type=cast(Type, columns["type"][row]),
                name=columns["name"][row],
                xrefs=tuple(columns["xrefs"][row].split()),
                inchikey=columns["inchikey"][row],
            )
        return found

    @cached_property
    def _diseases(self) -> dict[str, list[str]]:
        """Of what names of diseases mean, the names."""
        diseases = pc.take(pc.equal(self._tables.concepts["type"], "disease"), self._tables.names["concept"])
        found: dict[str, list[str]] = {}
        for word in dict.fromkeys(self._tables.names.filter(diseases)["key"].to_pylist()):
            found.setdefault(meaning(word), []).append(word)
        found.pop("", None)
        return found

    def alike(self, word: str) -> list[str]:
        """Names of diseases that say the same in other words."""
        return self._diseases.get(meaning(word), [])

    @cached_property
    def families(self) -> Families:
        """Tells apart genes that share a name or a family's name."""
        genes = np.array([type == "gene" for type in self._columns["type"]])
        ranks, owners = self._marks[:2]
        return Families(self._ids, self._told, genes, self._keys, ranks, owners)

    def wording(self, type: Type) -> Wording:
        """Finds genes, or diseases, by the words of their names."""
        found = self._wordings.get(type)
        if found is None:
            of_type = np.array([one == type for one in self._columns["type"]])
            names: list[int] = np.flatnonzero(of_type[self._marks[1]]).tolist()
            found = self._wordings[type] = Wording(self.families, type, names)
        return found

    def joined(self, compact: str) -> tuple[str, ...]:
        """Keys that are this text once their spaces are taken out: "nfkb" -> "nf kb"."""
        first, several = self._joined
        return (first[compact], *several.get(compact, ())) if compact in first else ()


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers or truths; pyarrow's own `to_numpy` would import pandas."""
    truths = pa.types.is_boolean(column.type)
    found = np.from_dlpack((pc.cast(column, pa.uint8()) if truths else column).combine_chunks())
    return found.astype(bool) if truths else found


def _settled(found: list[Entry]) -> tuple[Entry, ...]:
    """Of several concepts with one name, the best ranked owns it when it is alone with its rank.

    What a gene knows as itself under another identifier is no rival to it ("PPAR gamma" of MeSH), nor is a
    heading of no type, unless the name is one word of letters, which may be a word of every day ("Rest").
    """
    if len(found) < 2:
        return tuple(found)
    selves = {x for e in found if e.concept.type == "gene" for x in e.concept.xrefs}
    everyday = found[0].name.isalpha()
    rivals = [e for e in found if e.concept.id not in selves and (e.concept.type != "other" or everyday)]
    if 0 < len(rivals) < len(found):
        own = {e.concept.id: e for e in _settled(rivals)}
        return tuple(own.get(e.concept.id) or replace(e, ambiguous=True) for e in found)
    best = [e for e in found if e.rank == min(e.rank for e in found) and e.concept.type != "other"]
    if len(best) == 1:
        return tuple(e if e is best[0] else replace(e, ambiguous=True) for e in found)
    return contested(found)


@cache
def official() -> Dictionary:
    """The dictionary inside the package."""
    return Dictionary(Tables.read(Path(str(files("literature") / "data"))))


@cache
def shipped() -> Lexicon:
    """Official names, and the curated pharmacology above them."""
    return Lexicon([official()]) + curated()


def own_names(path: Path) -> Lexicon:
    """Names of one's own: a file of concepts, or a folder made by `discovery update-names`.

    Raises
    ------
    LexiconError
        As `Lexicon.load`, or if the folder holds none.
    """
    return Lexicon([folder(path)]) if path.is_dir() else Lexicon.load(path)


def folder(path: Path) -> Dictionary:
    """The names of a folder made by `discovery update-names`.

    Raises
    ------
    LexiconError
        If the folder holds none.
    """
    try:
        return Dictionary(Tables.read(path))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise LexiconError(
            f"{path} holds no names; make them with discovery update-names --out {path}"
        ) from error


@cache
def genes_of(species: str) -> Lexicon:
    """The genes of a species, by the names used for that species: "mouse" ships.

    Raises
    ------
    UnknownSpecies
        If the package holds no genes of it.
    """
    data = Path(str(files("literature") / "data"))
    try:
        return Lexicon([Dictionary(Tables.read(data, species))])
    except FileNotFoundError as error:
        held = [name for name in SPECIES if (data / f"{name}_names.parquet").exists()]
        raise UnknownSpecies(
            f"no genes of {species!r} are in the package: it holds human, {', '.join(held)}; "
            "discovery update-names fetches mouse and rat"
        ) from error


def sources() -> tuple[str, ...]:
    """What the shipped dictionary was made from, with versions and licences."""
    return official().sources
