"""What do all scorers of a screen say of a molecule, asked in one go?

A scorer of properties takes a fraction of a millisecond: less than handing a molecule
to another process and parsing it there. So a worker reads many rows, or asks one
scorer after the other, and answers once. A row that takes the worker down is asked of
each scorer alone by screening.py, which is how the reason names the right one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from discovery import plugins
from discovery.config import ScorerConfig
from discovery.funnel import within
from discovery.intake import STAGE, structure
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason, each
from discovery.score import Column, NotFinite, Score
from discovery.workers.worker import BrokenPromise, checked

Cell = float | list[str]  # a number, or a Missing's three texts


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads structures as a file has them: what it is given are no molecules yet, but their texts and names."""

    blocks: bool  # mol blocks instead of SMILES

    @property
    def column(self) -> Column:
        return Column("reading", unit="1", better="high")

    def __call__(self, texts: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        def read(text: Molecule) -> Score:
            found = structure(text.smiles, text.name, block=self.blocks)
            return Score(1.0, details={"smiles": found.smiles, "name": found.name})

        return each(STAGE, read, texts)


class Panel:
    """Asks scorers in turn, each of what is still in; `details["cells"]` has their answers, see `cells`."""

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        self._parts = [ScorerConfig.model_validate(part) for part in parts]
        self._scorers = [plugins.build("scorers", part.use, part.settings) for part in self._parts]
        self._columns = [scorer.column for scorer in self._scorers]

    @property
    def column(self) -> Column:
        return Column("panel", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        answers: list[list[Cell]] = [[] for _ in molecules]
        still_in = list(range(len(molecules)))
        for part, scorer, column in zip(self._parts, self._scorers, self._columns, strict=True):
            try:
                outcomes = scorer([molecules[i] for i in still_in])
                checked(outcomes, len(still_in))
            except (MemoryError, NotFinite):  # of one molecule: told by workers/worker.py
                raise
            except BrokenPromise as error:
                raise BrokenPromise(f"{part.use}: {error}") from error
            except Exception as error:
                raise RuntimeError(f"{part.use} raised {type(error).__name__}: {error}") from error
            asked, still_in = still_in, []
            for i, outcome in zip(asked, outcomes, strict=True):
                answers[i].append(_cell(outcome))
                if ended(part, column, outcome, "") is None:
                    still_in.append(i)
        return [Score(float(len(cells)), details={"cells": cells}) for cells in answers]


def _cell(outcome: Score | Missing) -> Cell:
    if isinstance(outcome, Missing):
        return [outcome.stage, outcome.reason.value, outcome.detail]
    return float(outcome.value)


def cells(details: Mapping[str, Any]) -> list[Score | Missing]:
    """What the scorers said, in their order, up to the one that a molecule ended at."""
    return [
        Missing(cell[0], Reason(cell[1]), cell[2]) if isinstance(cell, list) else Score(cell)
        for cell in details["cells"]
    ]


def ended(part: ScorerConfig, column: Column, outcome: Score | Missing, shown: str) -> Missing | None:
    """Why a molecule, called `shown`, goes no further after this answer; None if it does."""
    if isinstance(outcome, Score):
        return within(outcome, column, part.at_least, part.at_most, shown)
    return outcome if part.decides else None
