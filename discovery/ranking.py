"""Scores -> one ranked table.

A molecule's utility is the weighted geometric mean of its desirabilities, so one
worthless property cannot be bought back by the others. A missing score never
improves a rank: a molecule that lacks a score which counts is unranked, and one
that was merely not sent to a late stage ranks after all that were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from discovery.desirability import combine
from discovery.outcome import Missing, Reason
from discovery.score import Outcome, Score


class Desire(Protocol):
    """Raw number -> 0..1."""

    def __call__(self, value: float, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Criterion:
    """One column that counts."""

    name: str
    desire: Desire
    weight: float = 1.0
    late: bool = False  # measured only on the best: a molecule not sent there is ranked behind

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise ValueError(
                f"{self.name}: a weight must be above 0, not {self.weight}; leave out a column that shall not count"
            )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one molecule ended."""

    rank: int | None
    front: int | None  # Pareto front among molecules with all the same scores; 1 is non-dominated
    utility: float | None
    desirability: Mapping[str, float]
    missing: Missing | None


def utility(outcomes: Mapping[str, Outcome], criteria: Sequence[Criterion]) -> float | None:
    """Weighted geometric mean of desirabilities; None if any of these scores is missing."""
    scores = [outcomes.get(criterion.name) for criterion in criteria]
    values = [c.desire(s.value) for c, s in zip(criteria, scores, strict=True) if isinstance(s, Score)]
    if not criteria or len(values) < len(criteria):
        return None
    return float(combine(values, [criterion.weight for criterion in criteria]))


def rank(
    rows: Sequence[Mapping[str, Outcome]],
    criteria: Sequence[Criterion],
    refused: Sequence[Missing | None] | None = None,
) -> list[Placed]:
    """Place every row; same order as given.

    Rows that reached a later stage come first, then those that the funnel did not
    send there, in tiers; inside a tier the higher utility wins, and of equals the
    earlier row. `refused[i]` (a filter's verdict, an unreadable structure) keeps row
    i out of the ranking whatever its scores.

    Parameters
    ----------
    rows : [row], column name -> outcome
    criteria : what counts, in the order in which it was measured

    Raises
    ------
    TypeError
        A row holds neither a Score nor a Missing for a column that counts.
    """
    refusals = refused if refused is not None else [None] * len(rows)
    placed = [_tier(row, criteria, refusal) for row, refusal in zip(rows, refusals, strict=True)]
    tiers = [tier for tier, _ in placed]
    desirabilities = [
        {c.name: c.desire(s.value) for c in criteria if isinstance(s := row.get(c.name), Score)}
        for row in rows
    ]
    utilities: list[float | None] = [
        utility(row, _within(criteria, tier)) if tier is not None else None
        for row, tier in zip(rows, tiers, strict=True)
    ]
    order = sorted(
        (i for i, tier in enumerate(tiers) if tier is not None),
        key=lambda i: (-(tiers[i] or 0), -(utilities[i] or 0.0), i),
    )
    ranks: dict[int, int] = {i: place for place, i in enumerate(order, start=1)}

    fronts: dict[int, int] = {}
    offset = 0
    for tier in sorted({t for t in tiers if t is not None}, reverse=True):
        members = [i for i, t in enumerate(tiers) if t == tier]
        names = [c.name for c in _within(criteria, tier)]
        matrix = np.array([[desirabilities[i][name] for name in names] for i in members])
        found = pareto_fronts(matrix)
        fronts.update({i: int(front) + offset for i, front in zip(members, found, strict=True)})
        offset += int(found.max(initial=0))
    return [
        Placed(ranks.get(i), fronts.get(i), utilities[i], desirabilities[i], reason)
        for i, (_, reason) in enumerate(placed)
    ]


def _tier(
    row: Mapping[str, Outcome], criteria: Sequence[Criterion], refusal: Missing | None
) -> tuple[int | None, Missing | None]:
    """How many late stages a row went through; None with the reason if it is unranked."""
    if refusal is not None:
        return None, refusal
    reached = 0
    stopped = False
    for criterion in criteria:
        outcome = row.get(criterion.name)
        if not isinstance(outcome, Score | Missing | None):
            raise TypeError(
                f"{criterion.name} is {outcome!r}, neither a Score nor a Missing; write Score({outcome!r}) for a number"
            )
        if isinstance(outcome, Score):
            if criterion.late and stopped:
                return None, Missing(
                    "ranking", Reason.NOT_REACHED, f"{criterion.name} is there but a stage before it is not"
                )
            reached += criterion.late
        elif criterion.late and (outcome is None or outcome.reason is Reason.NOT_REACHED):
            stopped = True
        else:
            return None, outcome or Missing(
                "ranking", Reason.NOT_REACHED, f"{criterion.name} was never asked for"
            )
    return reached, None


def _within(criteria: Sequence[Criterion], tier: int) -> list[Criterion]:
    early = [c for c in criteria if not c.late]
    return early + [c for c in criteria if c.late][:tier]


def pareto_fronts(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Non-dominated sorting; every column is better when higher.

    Parameters
    ----------
    values : [row, column]

    Returns
    -------
    [row], the front of each row, 1 for rows no other row dominates.

    Raises
    ------
    ValueError
        There is no row or no column axis, or a number is NaN: what is missing dominates nothing.

    References
    ----------
    .. [1] K. Deb et al., IEEE Trans. Evol. Comput. 6 (2002) 182, section III-A: what a front is.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size and values.ndim != 2:
        raise ValueError(f"fronts are of a table [row, column], not of an array of {values.ndim} axes")
    if np.isnan(values).any():
        raise ValueError("NaN is on no front; leave out rows that lack a number, as rank() does")
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    unique, inverse = np.unique(values, axis=0, return_inverse=True)  # equals share a front
    level = np.zeros(len(unique), dtype=np.int64)
    fronts: list[np.ndarray] = []  # of each the rows it has so far, and room for more
    sizes: list[int] = []
    # From the lexicographically largest down a row can only be dominated by one met before, and if one of
    # a front dominates it, so does one of each front before that: the first without is found by halving.
    for i in range(len(unique) - 1, -1, -1):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if (fronts[middle][: sizes[middle]] >= unique[i]).all(axis=1).any():
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append(np.empty((16, unique.shape[1])))
            sizes.append(0)
        elif sizes[low] == len(fronts[low]):
            fronts[low] = np.concatenate([fronts[low], np.empty_like(fronts[low])])
        fronts[low][sizes[low]] = unique[i]
        sizes[low] += 1
        level[i] = low + 1
    return level[np.asarray(inverse).reshape(-1)]
