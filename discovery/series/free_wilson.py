"""What does each group contribute, if contributions simply add up?

One additive model a core: number = base + one term for the group at each position,
every term relative to the most frequent group there. Terms that the molecules at hand
cannot tell apart get a reason instead of a number.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from discovery.outcome import Missing, Reason
from discovery.score import Score
from discovery.series.assembly import assembled
from discovery.series.measured import STAGE, SeriesError
from discovery.series.rgroups import Groups, RGroupTable
from discovery.series.sheet import Cell, Drawing, Figure, Sheet, figure, first, signed, span
from discovery.series.student import quantile

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.95
EMPTY_DIRECTION = 1e-9  # a singular value this small beside the largest carries nothing but rounding


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one group at one position adds, compared with the reference group there."""

    position: str  # "R1"
    group: str  # SMILES with [*:1]
    count: int  # molecules of the model that hold it
    effect: Score | Missing  # error is one standard error; 0 without error for the reference
    interval: tuple[float, float] | None  # 95 %; None where nothing is left over to judge the scatter by
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """A combination of groups that nobody measured."""

    at: Mapping[str, str]
    smiles: str  # empty when the groups do not fit together
    score: Score  # error is the standard error of prediction, scatter included
    interval: tuple[float, float]  # 95 %, for one new measurement
    of: str = (
        ""  # the measured molecule of which one group is exchanged, where the model does not know all of them
    )


@dataclass(frozen=True)
class FreeWilson:
    """The model of one core; `outcomes[i]` is its value for the i-th row, or why it has none."""

    table: RGroupTable
    core: int
    contributions: tuple[Contribution, ...]
    base: float  # the value of the molecule that holds every reference group
    n: int  # molecules
    freedom: int  # molecules less independent terms
    scatter: float | None  # standard deviation of what is left over; None without freedom
    r2: float
    q2: float | None  # the same, each molecule left out in turn; None when some molecule cannot be spared
    outcomes: tuple[Score | Missing, ...]
    ridge: float
    _terms: tuple[tuple[str, str], ...]
    _coefficients: tuple[float, ...]
    _spread: tuple[tuple[float, ...], ...]  # covariance of the coefficients, without the scatter
    _blind: tuple[tuple[float, ...], ...]  # directions the molecules say nothing about

    def sheet(self, n: int = 40) -> Sheet:
        """What each group contributes; `n` groups, position by position, most frequent first."""
        rows: list[tuple[Cell, ...]] = []
        for found in self.contributions[:n]:
            group: Cell = "H" if found.group.startswith("[H]") else Drawing(found.group, 130, 90)
            if found.reference:
                rows.append(
                    (found.position, group, Figure(f"{found.count}"), Figure("0"), Figure("reference"))
                )
            elif isinstance(found.effect, Missing):
                rows.append(
                    (found.position, group, Figure(f"{found.count}"), Figure("–"), found.effect.detail)
                )
            else:
                rows.append(
                    (
                        found.position,
                        group,
                        Figure(f"{found.count}"),
                        signed(found.effect.value),
                        span(found.interval),
                    )
                )
        heads = (
            "position",
            "group",
            "molecules",
            f"adds to {self.table.measured.column.label}",
            "95 % interval",
        )
        q2 = "not known: a molecule has a group of its own" if self.q2 is None else f"{self.q2:.2f}"
        scatter = "not known" if self.scatter is None else f"{self.scatter:.2f}"
        core = self.table.core(self.core)
        held = (
            ""
            if self.n == len(core.members)
            else f" of {len(core.members)}; the others hold a group of their own or no number"
        )
        note = (
            f"{self.n} molecules{held}; {self.freedom} degrees of freedom, base {self.base:.2f}, left-over scatter {scatter}, "
            f"r² {self.r2:.2f}, leave-one-out q² {q2}."
        )
        caption = f"core {self.core + 1}: {first(n, self.contributions)} contributions"
        return Sheet(caption, heads, tuple(rows), note, core.drawn, core.example)

    def suggestion_sheet(self, n: int = 10) -> Sheet:
        """The best combinations nobody made; see `suggest`."""
        rows: list[tuple[Cell, ...]] = [
            (Drawing(made.smiles), figure(made.score.value), span(made.interval), made.of)
            for made in self.suggest(n)
        ]
        heads = (
            "not made yet",
            f"predicted {self.table.measured.column.label}",
            "95 % interval of a new measurement",
            "one group exchanged in",
        )
        note = (
            "The best measured owe something to luck, and so does what is told from one of them."
            if any(row[3] for row in rows)
            else ""
            if rows
            else "Every combination of the groups that the model knows was made."
        )
        return Sheet(f"{len(rows)} suggestions from core {self.core + 1}", heads, tuple(rows), note)

    def __repr__(self) -> str:
        return f"FreeWilson: core {self.core + 1}, {self.n} molecules, {len(self.contributions)} groups"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()

    def predict(self, at: Mapping[str, str]) -> Score | Missing:
        """The number of any combination of groups the model knows; error includes the scatter.

        Raises
        ------
        SeriesError
            A position of the core is not given.
        """
        positions = self.table.cores[self.core].positions
        if set(at) != set(positions):
            raise SeriesError(
                f"the model needs a group at each of {', '.join(positions)}; got {', '.join(at) or 'none'}"
            )
        known = set(self._terms) | {(c.position, c.group) for c in self.contributions if c.reference}
        for position, group in at.items():
            if (position, group) not in known:
                detail = f"the model has not seen {group} at {position}, or only once"
                return Missing(STAGE, Reason.OUT_OF_DOMAIN, detail)
        x = np.array([1.0] + [1.0 if at[position] == group else 0.0 for position, group in self._terms])
        if self._blind and np.abs(np.array(self._blind) @ x).max() > 1e-6:
            detail = "these groups were only ever seen together with others, so their sum is not known"
            return Missing(STAGE, Reason.OUT_OF_DOMAIN, detail)
        value = float(x @ np.array(self._coefficients))
        if self.scatter is None:
            return Score(value)
        return Score(value, self.scatter * math.sqrt(1.0 + float(x @ np.array(self._spread) @ x)))

    def suggest(self, n: int = 10) -> list[Prediction]:
        """The best combinations of groups that no molecule of the table has, best first.

        The groups are known to the model, or all but one or more that a measured molecule holds: of that
        one a known group is exchanged for another, and the difference of the two added to its number.
        Combinations that the model cannot tell, or whose groups do not fit together
        (both ends of a ring), are passed over; of the first kind at most 20,000 are looked at.

        Raises
        ------
        SeriesError
            The model has no molecule to spare, so nothing is known about its scatter.
        """
        if self.scatter is None:
            raise SeriesError(
                "the model has as many terms as molecules; it cannot say how sure a prediction is"
            )
        core = self.table.cores[self.core]
        made = {tuple(sorted(self.table.groups(place).at.items())) for place in core.members}
        whole = [self.table.measured.molecule(place) for place in self.table.measured.usable]
        measured = {
            str(Chem.MolToSmiles(one.look(), isomericSmiles=way)) for one in whole for way in (True, False)
        }
        sign = 1.0 if self.table.measured.column.better == "high" else -1.0
        found: list[Prediction] = []
        for candidates in (self._added(), self._exchanged()):
            wanted = len(found) + n
            for at, score, of in candidates:
                if len(found) >= wanted:
                    break
                key = tuple(sorted(at.items()))
                if key in made:
                    continue
                made.add(key)
                smiles = assembled(core.drawn, list(at.values()))
                if not smiles or smiles in measured:
                    continue
                reach = quantile(CONFIDENCE, self.freedom) * (score.error or 0.0)
                found.append(Prediction(at, smiles, score, (score.value - reach, score.value + reach), of))
        return sorted(found, key=lambda one: -sign * one.score.value)[:n]

    def _added(self) -> Iterator[tuple[Mapping[str, str], Score, str]]:
        """Combinations of known groups, best first."""
        for at in itertools.islice(self._best_first(), 20_000):
            if isinstance(score := self.predict(at), Score):
                yield at, score, ""

    def _exchanged(self) -> Iterator[tuple[Mapping[str, str], Score, str]]:
        """Molecules of this core that the model leaves out, one known group exchanged for another, best first.

        The error holds the scatter twice: of the number at hand and of the one to come.
        """
        measured, core = self.table.measured, self.table.cores[self.core]
        coefficients = [*self._coefficients, 0.0]  # the last is the reference's
        spread = np.pad(np.array(self._spread), (0, 1))
        index = {term: place for place, term in enumerate(self._terms, start=1)}
        known: dict[str, dict[str, int]] = {}
        for c in self.contributions:
            if isinstance(c.effect, Score):
                known.setdefault(c.position, {})[c.group] = index.get((c.position, c.group), -1)
        found = [
            (measured.value(place) + coefficients[new] - coefficients[groups[old]], place, position, group)
            for place in core.members
            if not isinstance(self.outcomes[place], Score) and measured.entries[place].missing is None
            for position, groups in known.items()
            if (old := self.table.groups(place).at[position]) in groups
            for group, new in groups.items()
            if group != old
        ]
        found.sort(key=lambda one: -one[0] if measured.column.better == "high" else one[0])
        for value, place, position, group in found:
            at = self.table.groups(place).at
            new, old_one = known[position][group], known[position][at[position]]
            variance = spread[new, new] - 2 * spread[new, old_one] + spread[old_one, old_one]
            error = (self.scatter or 0.0) * math.sqrt(2.0 + float(variance))
            yield {**at, position: group}, Score(value, error), f"{measured.entries[place].id}, {position}"

    def _best_first(self) -> Iterator[dict[str, str]]:
        """Combinations of groups with known effects, best sum first."""
        sign = 1.0 if self.table.measured.column.better == "high" else -1.0
        options: list[list[tuple[float, str]]] = []
        positions = self.table.cores[self.core].positions
        for position in positions:
            known = [
                (sign * c.effect.value, c.group)
                for c in self.contributions
                if c.position == position and isinstance(c.effect, Score)
            ]
            options.append(sorted(known, key=lambda option: (-option[0], option[1])))
        if not all(options):
            return
        first = (0,) * len(options)
        queue = [(-sum(column[0][0] for column in options), first)]
        seen = {first}
        while queue:
            _, places = heapq.heappop(queue)
            yield {
                position: column[place][1]
                for position, column, place in zip(positions, options, places, strict=True)
            }
            for index, place in enumerate(places):
                if place + 1 == len(options[index]):
                    continue
                after = (*places[:index], place + 1, *places[index + 1 :])
                if after not in seen:
                    seen.add(after)
                    total = sum(column[at][0] for column, at in zip(options, after, strict=True))
                    heapq.heappush(queue, (-total, after))


def free_wilson(table: RGroupTable, core: int = 0, *, ridge: float = 0.0, fewest: int = 2) -> FreeWilson:
    """Fit the additive model of one core.

    Molecules with a group that fewer than `fewest` of them hold are left out, with
    that reason: such a term would fit its molecule and say nothing.

    Parameters
    ----------
    ridge : 0 for ordinary least squares
        A penalty on the squares of all terms but the base; it makes every term
        estimable and shrinks it. Intervals are then those of the shrunken terms.

    Raises
    ------
    SeriesError
        There is no such core; its molecules hold no groups; or none are left.

    References
    ----------
    .. [1] S. M. Free, J. W. Wilson, J. Med. Chem. 7 (1964) 395-399, doi 10.1021/jm00334a001.
    .. [2] A. E. Hoerl, R. W. Kennard, Technometrics 12 (1970) 55-67: variance, equation 4.2.
    """
    if ridge < 0:
        raise SeriesError(f"ridge is a penalty of 0 or more, not {ridge}")
    positions = table.core(core).positions
    measured = table.measured
    if not positions:
        raise SeriesError(f"the molecules with core {table.cores[core].smiles} differ at no position")
    outcomes: list[Score | Missing] = []
    rows: dict[int, Groups] = {}
    for place, (entry, found) in enumerate(zip(measured.entries, table.outcomes, strict=True)):
        if entry.missing is not None:
            outcomes.append(entry.missing)
        elif isinstance(found, Missing):
            outcomes.append(found)
        else:
            outcomes.append(
                Missing(STAGE, Reason.OUT_OF_DOMAIN, f"{entry.id} belongs to core {found.core + 1}")
            )
            if found.core == core:
                rows[place] = found
    counts = _thin_out(measured.entries, rows, outcomes, fewest)
    if len(rows) < 3:
        raise SeriesError(
            f"{len(rows)} molecules with core {table.cores[core].smiles} share their groups with others; "
            "an additive model needs at least 3"
        )
    references = {
        position: min(counts[position], key=lambda group: (-counts[position][group], group))
        for position in positions
    }
    terms = [
        (position, group)
        for position in positions
        for group in sorted(counts[position], key=lambda group: (-counts[position][group], group))
        if group != references[position]
    ]
    column_of = {term: number for number, term in enumerate(terms, start=1)}
    design = np.zeros((len(rows), len(terms) + 1))
    design[:, 0] = 1.0
    for line, groups in enumerate(rows.values()):
        for item in groups.at.items():
            if item in column_of:
                design[line, column_of[item]] = 1.0
    values = np.array([measured.value(place) for place in rows])
    fit = least_squares(design, values, ridge)
    for line, place in enumerate(rows):
        outcomes[place] = Score(float(fit.fitted[line]))
    return FreeWilson(
        table, core, tuple(_contributions(positions, references, counts, terms, fit, ridge)),
        float(fit.coefficients[0]), len(rows), fit.freedom, fit.scatter, fit.r2, fit.q2, tuple(outcomes), ridge,
        tuple(terms), tuple(fit.coefficients.tolist()), tuple(map(tuple, fit.spread.tolist())),
        tuple(map(tuple, fit.blind.tolist())),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """A linear model."""

    coefficients: Floats  # [term]; the shortest of all that fit equally well
    spread: Floats  # [term, term]; times scatter², the covariance of the coefficients
    blind: Floats  # [direction, term]; what the data say nothing about
    fitted: Floats  # [molecule]
    freedom: int
    scatter: float | None
    r2: float
    q2: float | None


def least_squares(design: Floats, values: Floats, ridge: float = 0.0) -> Fit:
    """Least squares with whatever rank the design has; the first column, the base, is never penalised.

    Parameters
    ----------
    design : [molecule, term]
    values : [molecule]

    References
    ----------
    .. [1] G. H. Golub, C. F. Van Loan, Matrix Computations, 5.5: the minimum-norm solution by singular values.
    """
    n, width = design.shape
    if ridge > 0:
        penalty = ridge * np.eye(width)
        penalty[0, 0] = 0.0
        solver = np.asarray(np.linalg.solve(design.T @ design + penalty, design.T), dtype=np.float64)
        blind = np.zeros((0, width))
    else:
        _, sizes, directions = np.linalg.svd(design, full_matrices=True)
        rank = int((sizes > EMPTY_DIRECTION * sizes[0]).sum())
        solver = np.asarray(np.linalg.pinv(design, rcond=EMPTY_DIRECTION), dtype=np.float64)
        blind = directions[rank:]
    coefficients = solver @ values
    hat = design @ solver
    leverage = np.diag(hat)
    fitted = design @ coefficients
    residuals = values - fitted
    # 2 tr(H) - tr(HHᵀ) is the model's size for any linear smoother, and the rank for least squares
    size = 2 * float(leverage.sum()) - float((hat**2).sum())
    freedom = max(round(n - size) if ridge == 0 else math.floor(n - size + 1e-9), 0)
    left = float(residuals @ residuals)
    total = float(((values - values.mean()) ** 2).sum())
    scatter = math.sqrt(left / freedom) if freedom > 0 else None
    q2 = None
    if freedom > 0 and total > 0 and leverage.max() < 1 - 1e-9:
        q2 = 1.0 - float(((residuals / (1.0 - leverage)) ** 2).sum()) / total
    r2 = 1.0 - left / total if total > 0 else 1.0
    return Fit(coefficients, solver @ solver.T, blind, fitted, freedom, scatter, r2, q2)


def _thin_out(
    entries: Sequence[object], rows: dict[int, Groups], outcomes: list[Score | Missing], fewest: int
) -> dict[str, Counter[str]]:
    """Leave out molecules with rare groups, until no group is rare; what is left is counted."""
    while True:
        counts: dict[str, Counter[str]] = {}
        for groups in rows.values():
            for position, group in groups.at.items():
                counts.setdefault(position, Counter())[group] += 1
        rare: dict[int, str] = {}
        for place, groups in rows.items():
            for position, group in groups.at.items():
                if counts[position][group] < fewest:
                    rare[place] = (
                        f"its group {group} at {position} is in fewer than {fewest} molecules of the model"
                    )
                    break
        if not rare:
            return counts
        for place, why in rare.items():
            del rows[place]
            name = getattr(entries[place], "id", place)
            outcomes[place] = Missing(STAGE, Reason.OUT_OF_DOMAIN, f"{name}: {why}")


def _contributions(
    positions: Sequence[str],
    references: Mapping[str, str],
    counts: Mapping[str, Counter[str]],
    terms: Sequence[tuple[str, str]],
    fit: Fit,
    ridge: float,
) -> Iterator[Contribution]:
    half = quantile(CONFIDENCE, fit.freedom) if fit.freedom > 0 else None
    by_term = {term: number for number, term in enumerate(terms, start=1)}
    for position in positions:
        for group in sorted(counts[position], key=lambda group: (-counts[position][group], group)):
            count = counts[position][group]
            if group == references[position]:
                yield Contribution(position, group, count, Score(0.0), None, reference=True)
                continue
            number = by_term[(position, group)]
            if len(fit.blind) and np.abs(fit.blind[:, number]).max() > 1e-6:
                detail = f"{group} at {position} never varies apart from groups elsewhere; its share cannot be told"
                yield Contribution(position, group, count, Missing(STAGE, Reason.OUT_OF_DOMAIN, detail), None)
                continue
            value = float(fit.coefficients[number])
            if fit.scatter is None or half is None:
                yield Contribution(position, group, count, Score(value), None)
                continue
            error = fit.scatter * math.sqrt(float(fit.spread[number, number]))
            yield Contribution(
                position, group, count, Score(value, error), (value - half * error, value + half * error)
            )
