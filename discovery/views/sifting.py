"""Which rows does a reader mean: those that hold this text, this substructure, these numbers, in this order?

Works on a table of any length: numbers lie in arrays, structures in RDKit's substructure
library, and only the rows of one page are drawn.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdSubstructLibrary

from discovery.molecule import quiet_rdkit
from discovery.outcome import UserError
from discovery.results import Run
from discovery.score import Score
from discovery.views.drawing import Mark, UndrawableError, molecule_png
from discovery.views.layout import shared_parts
from discovery.views.reading import alerts_of, label_of
from discovery.views.text import TITLE, inert, number, places

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PAGE = 20  # rows drawn at once: what a screen shows of a grid five wide
RANK, OVERALL = "rank", "overall"  # besides the run's columns


class SiftingError(UserError, ValueError):
    """The question cannot be asked as it is; the message says which part."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of a table. Everything left out asks for everything."""

    text: str = ""  # in the name, the structure, the alerts or the reason; any case
    smarts: str = ""
    between: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    sort: str = ""  # a column; the table's own order when empty
    descending: bool = False
    only: frozenset[str] | None = None  # these rows alone, by name

    @classmethod
    def of(cls, plain: Mapping[str, Any], chosen: frozenset[str] = frozenset()) -> Question:
        """From the plain values a browser sends; what has another shape is refused.

        Raises
        ------
        SiftingError
            A value is of the wrong kind.
        """
        between = plain.get("between", {})
        if not isinstance(between, Mapping):
            raise SiftingError("`between` must map columns to a lowest and a highest value")
        limits: dict[str, tuple[float | None, float | None]] = {}
        for name, ends in between.items():
            if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
                raise SiftingError(f"the limits of {name!r} must be two numbers, either may be absent")
            low, high = (None if end is None else float(end) for end in ends)
            limits[str(name)] = (low, high)
        return cls(
            str(plain.get("text", "")),
            str(plain.get("smarts", "")),
            limits,
            str(plain.get("sort", "")),
            bool(plain.get("descending", False)),
            chosen if plain.get("chosen") else None,
        )


class Sifter:
    """A table, ready to be searched again and again."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ids = tuple(row.id for row in run.rows)
        self.place = {id: place for place, id in enumerate(self.ids)}
        self.labels: dict[str, str] = {}
        self.better: dict[str, str] = {}
        self._values: dict[str, Floats] = {}
        self._decimals: dict[str, int] = {}
        if any(row.rank is not None for row in run.rows):
            self._add(RANK, "Rank", "low", [row.rank for row in run.rows])
            self._add(OVERALL, "Overall", "high", [row.utility for row in run.rows])
        for column in run.columns:
            outcomes = [row.outcomes.get(column.name) for row in run.rows]
            numbers = [outcome.value if isinstance(outcome, Score) else None for outcome in outcomes]
            self._add(column.name, label_of(column), column.better, numbers)
        self._like = shared_parts([row.smiles for row in run.rows])
        self._texts: list[str] = []
        self._library: rdSubstructLibrary.SubstructLibrary | None = None
        self._readable: Ints = np.zeros(0, dtype=np.int64)
        self._with = lru_cache(maxsize=16)(self._holding)
        self._drawn = lru_cache(maxsize=40 * PAGE)(self._card)  # leafing back is free

    def __len__(self) -> int:
        return len(self.ids)

    def _add(self, name: str, label: str, better: str, numbers: Sequence[float | None]) -> None:
        self.labels[name], self.better[name] = label, better
        self._values[name] = np.array([np.nan if n is None else n for n in numbers], dtype=float)
        finite = self._values[name][np.isfinite(self._values[name])]
        self._decimals[name] = places(finite.tolist()) if len(finite) else 2

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Column -> its lowest and highest number; columns without any are left out."""
        found = {}
        for name, values in self._values.items():
            finite = values[np.isfinite(values)]
            if len(finite):
                found[name] = (float(finite.min()), float(finite.max()))
        return found

    def find(self, question: Question) -> Ints:
        """Places of the rows that are meant, in the order asked for; rows without a number sort last.

        Raises
        ------
        SiftingError
            The SMARTS cannot be read, or there is no such column.
        """
        keep: Bools = np.ones(len(self), dtype=bool)
        for name, (low, high) in question.between.items():
            values = self._column(name)
            with np.errstate(invalid="ignore"):
                if low is not None:
                    keep &= values >= low
                if high is not None:
                    keep &= values <= high
        if question.only is not None:
            keep &= np.array([id in question.only for id in self.ids], dtype=bool)
        if question.text.strip():
            wanted = question.text.strip().lower()
            keep &= np.array([wanted in text for text in self._searched()], dtype=bool)
        if question.smarts.strip():
            keep &= self._with(question.smarts.strip())
        places: Ints = np.flatnonzero(keep)
        if question.sort:
            values = self._column(question.sort)[places]
            order = np.argsort(-values if question.descending else values, kind="stable")  # NaN comes last
            places = places[order]
        return places

    def page(self, places: Sequence[int] | Ints, marked: str = "") -> list[dict[str, Any]]:
        """The rows at these places, drawn; atoms that match `marked` (a SMARTS) are coloured."""
        return [self._drawn(int(place), marked.strip()) for place in places]

    def _card(self, place: int, marked: str) -> dict[str, Any]:
        row, pattern = self.run.rows[place], _pattern(marked) if marked else None
        marks: list[Mark] = []
        picture = ""
        if row.smiles:
            if pattern is not None:
                with quiet_rdkit():
                    mol = Chem.MolFromSmiles(row.smiles)
                marks = [Mark(tuple(mol.GetSubstructMatch(pattern)))] if mol is not None else []
            try:
                # a browser takes five times as long over an SVG image: each is a document of its own
                drawn = molecule_png(row.smiles, marks=marks, width=300, height=195, like=self._like)
                picture = "data:image/png;base64," + base64.b64encode(drawn).decode()
            except UndrawableError:
                picture = ""
        values = [
            [
                label,
                ""
                if np.isnan(value := self._values[name][place])
                else number(float(value), self._decimals[name]),
            ]
            for name, label in self.labels.items()
        ]
        return {
            "id": row.id,
            "shown": inert(row.title, limit=TITLE),
            "picture": picture,
            "text": "" if picture else inert(row.text, limit=80),
            "values": values,
            "alerts": "; ".join(inert(alert.name, limit=60) for alert in alerts_of(row)),
            "why": inert(row.missing, limit=160) if row.missing else "",
        }

    def _column(self, name: str) -> Floats:
        if name not in self._values:
            raise SiftingError(f"there is no column {name!r}; there are: {', '.join(self._values)}")
        return self._values[name]

    def _searched(self) -> list[str]:
        if not self._texts:
            self._texts = [
                " ".join(
                    (row.id, row.name, row.smiles, *(a.name for a in alerts_of(row)), str(row.missing or ""))
                ).lower()
                for row in self.run.rows
            ]
        return self._texts

    def _holding(self, smarts: str) -> Bools:
        """[row], whether it holds the substructure; the answers to the latest questions are kept."""
        pattern = _pattern(smarts)
        if self._library is None:
            holder = rdSubstructLibrary.CachedTrustedSmilesMolHolder()
            readable = [place for place, row in enumerate(self.run.rows) if row.smiles]
            for place in readable:
                holder.AddSmiles(self.run.rows[place].smiles)  # our own canonical SMILES
            self._library = rdSubstructLibrary.SubstructLibrary(holder)
            self._readable = np.array(readable, dtype=np.int64)
        found: Bools = np.zeros(len(self), dtype=bool)
        if len(self._readable):
            with quiet_rdkit():
                hits = self._library.GetMatches(pattern, numThreads=0, maxResults=len(self._readable))
            found[self._readable[np.array(list(hits), dtype=np.int64)]] = True
        return found


@lru_cache(maxsize=16)
def _pattern(smarts: str) -> Chem.Mol:
    with quiet_rdkit():
        found = Chem.MolFromSmarts(smarts.strip())
    if found is None or found.GetNumAtoms() == 0:
        raise SiftingError(f"{inert(smarts, limit=60)} is no SMARTS RDKit can read")
    return found
