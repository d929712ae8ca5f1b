"""What do the official dictionaries call genes, chemicals and diseases?

Two Parquet files inside the package, made by lexicon_build.py: concepts, and their
names sorted by key. Names are looked up in a hash of the keys; a concept is built
when it is asked for. `sources()` tells versions and licences.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from literature.lexicon import Concept, Entry, Lexicon, Type, contested, curated

# Ranks of a name, the surer the smaller: annotated often, the concept's own, annotated now and then, ...
OFTEN, OFFICIAL, LEARNED, SYNONYM, DESIGNATION = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class Tables:
    """The dictionary as it is stored."""

    concepts: pa.Table  # id, type, name, xrefs (with spaces between), inchikey
    names: pa.Table  # key, rank, concept (a row), risky, plural, capital; sorted by key, then rank

    @classmethod
    def read(cls, folder: Path) -> Tables:
        """The two files of a folder."""
        return cls(
            pq.read_table(folder / "dictionary_concepts.parquet"),
            pq.read_table(folder / "dictionary_names.parquet"),
        )


class Dictionary:
    """A lexicon's layer of official names."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        keys: list[str] = tables.names["key"].to_pylist()
        self._first = dict(
            zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True)
        )  # a key's first row
        self._keys = keys
        first = pc.list_element(pc.split_pattern(tables.names["key"], " ", max_splits=1), 0)
        tokens = pc.add(pc.count_substring(tables.names["key"], " "), 1)
        longest = (
            pa.table({"first": first, "tokens": tokens}).group_by("first").aggregate([("tokens", "max")])
        )
        self._reach: dict[str, int] = dict(
            zip(longest["first"].to_pylist(), longest["tokens_max"].to_pylist(), strict=True)
        )
        self._ids = {id: row for row, id in enumerate(tables.concepts["id"].to_pylist())}
        self._xrefs: dict[str, int] | None = None
        self._built: dict[int, Concept] = {}
        self._joined: dict[str, list[str]] | None = None

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
        return len(self._keys)

    def __contains__(self, word: object, /) -> bool:
        return word in self._first

    def entries(self, word: str, /) -> tuple[Entry, ...]:
        row = self._first.get(word)
        found: list[Entry] = []
        columns = self._tables.names
        while row is not None and row < len(self._keys) and self._keys[row] == word:
            rank = columns["rank"][row].as_py()
            numbered = rank == OFTEN and word[-1].isdigit()  # "p53": short, but nothing else is called so
            needs = rank == DESIGNATION or (columns["risky"][row].as_py() and not numbered)
            concept = self._concept(columns["concept"][row].as_py())
            found.append(
                Entry(
                    concept,
                    word,
                    needs,
                    rank,
                    columns["plural"][row].as_py(),
                    columns["capital"][row].as_py(),
                )
            )
            row += 1
        return _settled(found)

    def reach(self, token: str, /) -> int:
        return self._reach.get(token, 0)

    def concept(self, id: str, /) -> Concept | None:
        row = self._ids.get(id)
        if row is None:
            if self._xrefs is None:
                lists = self._tables.concepts["xrefs"].to_pylist()
                self._xrefs = {x: at for at, text in enumerate(lists) for x in text.split(" ") if x}
            row = self._xrefs.get(id)
        return None if row is None else self._concept(row)

    def _concept(self, row: int) -> Concept:
        found = self._built.get(row)
        if found is None:
            columns = self._tables.concepts
            found = self._built[row] = Concept(
                id=columns["id"][row].as_py(),
                type=cast(Type, columns["type"][row].as_py()),
                name=columns["name"][row].as_py(),
                xrefs=tuple(columns["xrefs"][row].as_py().split()),
                inchikey=columns["inchikey"][row].as_py(),
            )
        return found

    def joined(self, compact: str) -> tuple[str, ...]:
        """Keys that are this text once their spaces are taken out: "nfkb" -> "nf kb"."""
        if self._joined is None:
            self._joined = {}
            for word in self._first:
                self._joined.setdefault(word.replace(" ", ""), []).append(word)
        return tuple(self._joined.get(compact, ()))


def _settled(found: list[Entry]) -> tuple[Entry, ...]:
    """Of several concepts with one name, the best ranked owns it when it is alone with its rank."""
    if len(found) < 2:
        return tuple(found)
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


def sources() -> tuple[str, ...]:
    """What the shipped dictionary was made from, with versions and licences."""
    return official().sources
