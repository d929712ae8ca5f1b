"""A finished (or half-finished) campaign, as records that views and reports read.

Nothing is computed here: `ranking.py` ranked it, `ledger.py` kept it. A `Run` is
small enough to hold in memory because only proposed molecules are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from discovery.outcome import Counts, Missing
from discovery.score import Column, Score
from discovery.target import Statement, Target
from discovery.views.text import inert


@dataclass(frozen=True, slots=True)
class Row:
    """One proposed molecule and everything that was learned of it."""

    id: str  # stable row name: "r0-0017", round and place in the proposals
    text: str  # the SMILES as proposed, untouched
    smiles: str  # standardised; empty when it could not be read
    proposer: str
    round: int
    parents: tuple[str, ...]
    edit: str
    outcomes: Mapping[str, Score | Missing]  # column name -> outcome, in the campaign's order
    desirability: Mapping[str, float]  # column name -> 0..1, only columns that count
    utility: float | None  # overall desirability, 0..1; None when unranked
    rank: int | None  # 1 is best; None when unranked
    front: int | None  # Pareto front, 1 is non-dominated; None when unranked
    missing: Missing | None  # why it is unranked; None when ranked
    name: str = ""  # the user's own, where the molecule came with one
    log_prob: float | None = None  # of the proposer for this molecule, where it tells
    weights: str = ""  # sha256 of the weights that proposed it, where there are any

    @property
    def title(self) -> str:
        """What a reader knows it by: the user's own name, or the run's where there is none."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class StageCount:
    """One bar of the funnel."""

    stage: str
    counts: Counts
    seconds: float  # wall time spent, over all processes that took part


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign's results, best molecule first, unranked ones last."""

    name: str
    folder: str
    target: Target
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    funnel: tuple[StageCount, ...]
    statements: tuple[Statement, ...]
    provenance: Mapping[str, Any]  # versions, seeds, weights' sha256, command, devices, licences
    receptor_pdb: str = ""  # what poses were docked into, for 3-D views
    reference_sdf: str = ""  # a known ligand's pose, where there is one
    finished: bool = True
    notes: tuple[str, ...] = field(default=())  # said to the reader as they stand

    def __repr__(self) -> str:
        return (
            f"Run of {len(self.rows)} molecules, {len(self.ranked)} ranked: {inert(self.name)}; "
            "discovery.views.table.Table(run) shows it"
        )

    def named(self, name: str) -> Row:
        """The row of that id, or of that own name.

        Raises
        ------
        KeyError
            There is none, or several molecules came with that name; the message says which.
        """
        found = [row for row in self.rows if row.id == name] or [row for row in self.rows if row.name == name]
        if not found:
            like = self.rows[0].title if self.rows else "r0-0000"
            raise KeyError(f"there is no row {name!r}; its {len(self.rows)} rows are named like {like!r}")
        if len(found) > 1:
            raise KeyError(f"{len(found)} rows are called {name!r}: {', '.join(row.id for row in found)}")
        return found[0]

    @property
    def ranked(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.rank is not None)

    @property
    def unranked(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.rank is None)
