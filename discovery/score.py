"""Score and Column; the Scorer promise.

A scorer gives every molecule one number, or says why it has none. How numbers
become a rank is decided elsewhere: see desirability.py and ranking.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, Protocol, runtime_checkable

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason, is_empty


@dataclass(frozen=True, slots=True)
class Column:
    """What a number means: the head of a table's column."""

    name: str  # lower_snake_case, unique in a campaign
    unit: str  # "kcal/mol", "Å", "1"
    better: Literal["low", "high"]
    title: str = ""  # for people; the name when empty
    about: str = ""  # one sentence: what it is and where it comes from

    @property
    def label(self) -> str:
        title = self.title or self.name.replace("_", " ")
        return title if self.unit in ("", "1") else f"{title} / {self.unit}"


class NotFinite(ValueError):
    """A scorer's number is NaN or infinite: that row has no answer, the others do."""


@dataclass(frozen=True, slots=True)
class Score:
    """One number about one molecule.

    `details` holds plain JSON values a view can use: docking leaves its pose under
    "pose" (an SDF block), alerts leave the names and atoms they hit under "alerts".
    """

    value: float
    error: float | None = None  # one standard deviation, in the column's unit
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a pose is pages long

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise NotFinite(
                f"a score must be a finite number, not {self.value}; use Missing to say why there is none"
            )


Outcome = Score | Missing  # of one molecule


@runtime_checkable
class Scorer(Protocol):
    """Gives every molecule one number, or says why it has none.

    One that speaks of few molecules may have `samples`, SMILES of some it can score, so
    that conformance.py can ask about numbers too.
    """

    @property  # read-only, so that a frozen record can keep the promise
    def column(self) -> Column: ...

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given."""
        ...


@runtime_checkable
class Refiner(Protocol):
    """A scorer that starts from what an earlier one found, such as MD from a docked pose.

    `after` names the earlier scorer's column. `found[i]` is what it said of
    `molecules[i]`; never a `Missing`, since a molecule without it is not sent.
    """

    @property
    def column(self) -> Column: ...

    @property
    def after(self) -> str: ...

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given."""
        ...


def outcomes_of(values: Iterable[object], stage: str) -> list[Score | Missing]:
    """Numbers as they stand in a list or in a column of a frame -> one outcome a row.

    A number becomes a Score, an empty cell (None, NaN) a Missing that says which row it was, from 1;
    a Score or a Missing stays.

    Raises
    ------
    TypeError
        A value is none of these.
    """
    found: list[Score | Missing] = []
    for place, value in enumerate(values, start=1):
        if isinstance(value, Score | Missing):
            found.append(value)
        elif is_empty(value):
            found.append(Missing(stage, Reason.EMPTY, f"row {place} has no {stage}"))
        elif isinstance(value, Real):
            found.append(Score(float(value)))
        else:
            raise TypeError(f"{stage}, row {place}: {value!r} is neither a number nor a Score or a Missing")
    return found


def healthy_of(rows: Iterable[Molecule | Missing]) -> list[Molecule]:
    """Those rows that are molecules.

    Raises
    ------
    TypeError
        A row is neither a molecule nor Missing.
    """
    healthy: list[Molecule] = []
    for place, row in enumerate(rows, start=1):
        if isinstance(row, Molecule):
            healthy.append(row)
        elif not isinstance(row, Missing):
            raise TypeError(
                f"row {place} is a {type(row).__name__} and no Molecule; discovery.intake.molecules makes them "
                "of SMILES and of RDKit molecules"
            )
    return healthy


def scored(scorer: Scorer, molecules: Sequence[Molecule | Missing]) -> list[Score | Missing]:
    """One outcome a row: a row without a molecule keeps its own reason.

    Raises
    ------
    TypeError
        A row is neither a molecule nor Missing: `discovery.intake.molecules` makes them of SMILES.
    ValueError
        The scorer's answers are not as many as the molecules.
    """
    healthy = healthy_of(molecules)
    answers = scorer(healthy)
    if len(answers) != len(healthy):
        raise ValueError(
            f"{scorer.column.name} was given {len(healthy)} molecules and answered {len(answers)}"
        )
    found = iter(answers)
    return [row if isinstance(row, Missing) else next(found) for row in molecules]


def refined(
    refiner: Refiner, molecules: Sequence[Molecule | Missing], found: Sequence[Score | Missing]
) -> list[Score | Missing]:
    """One outcome a row, from what an earlier scorer found; a row it found nothing for keeps that reason.

    Raises
    ------
    ValueError
        There are not as many earlier outcomes as molecules.
    """
    if len(molecules) != len(found):
        raise ValueError(f"{len(molecules)} molecules but {len(found)} earlier outcomes")
    both = list(zip(molecules, found, strict=True))
    pairs = [(m, s) for m, s in both if isinstance(m, Molecule) and isinstance(s, Score)]
    answers = iter(refiner.refine([m for m, _ in pairs], [s for _, s in pairs]))
    known = (s if isinstance(m, Molecule) else m for m, s in both)
    return [next(answers) if isinstance(one, Score) else one for one in known]
