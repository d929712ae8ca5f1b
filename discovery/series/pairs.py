"""What does one change of a group do, over all pairs of molecules that differ by it alone?

mmpdb finds the pairs; the statistics of each transformation are taken here, with
intervals, and with p-values corrected for the many that are looked at.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from discovery.extras import needs
from discovery.molecule import quiet_rdkit
from discovery.outcome import Missing, Reason
from discovery.series.cutting import ROTATABLE, options_for, records
from discovery.series.measured import STAGE, Measured, SeriesError
from discovery.series.sheet import Cell, Drawing, Figure, Sheet, figure, first, signed, span
from discovery.series.student import quantile, two_sided

with needs("lab"):
    from mmpdblib import index_algorithm, index_types


@dataclass(frozen=True, slots=True)
class Pair:
    """Two molecules that differ in one place."""

    before: int  # places in the series
    after: int
    change: float  # after - before, in the column's unit
    constant: str  # what both share, [*:1] where they differ


@dataclass(frozen=True, slots=True)
class Transformation:
    """One change of a group, and every pair that shows it."""

    before: str  # SMILES with [*:1] where it is bound; [*:1][H] is a hydrogen
    after: str
    pairs: tuple[Pair, ...]
    mean: float  # of the changes
    spread: float | None  # one standard deviation; None with a single pair
    interval: tuple[float, float] | None  # 95 %, of the mean; None with a single pair
    p: float | None  # paired t test; None with a single pair or when all changes are equal
    q: float | None  # p, corrected for all transformations tested (Benjamini, Hochberg)


@dataclass(frozen=True)
class MatchedPairs:
    """Transformations, most pairs first; `outcomes[i]` counts the partners of the i-th row."""

    measured: Measured
    transformations: tuple[Transformation, ...]
    outcomes: tuple[int | Missing, ...]

    @property
    def count(self) -> int:
        """Different pairs of molecules."""
        return len(
            {
                (min(pair.before, pair.after), max(pair.before, pair.after))
                for t in self.transformations
                for pair in t.pairs
            }
        )

    def sheet(self, n: int = 20, least: int = 3) -> Sheet:
        """The `n` surest transformations seen in at least so many pairs."""
        shown = _smallest(self.tested(least))
        rows: list[tuple[Cell, ...]] = []
        for found in shown[:n]:
            up = sum(pair.change > 0 for pair in found.pairs)
            down = sum(pair.change < 0 for pair in found.pairs)
            rows.append(
                (
                    Drawing(_open(found.before), 130, 90),
                    Drawing(_open(found.after), 130, 90),
                    Figure(f"{len(found.pairs):,}"),
                    signed(found.mean),
                    span(found.interval),
                    Figure(f"{up} / {down}"),
                    Figure("< 0.001") if found.q is not None and found.q < 0.001 else figure(found.q, 3),
                )
            )
        heads = (
            "from",
            "to",
            "pairs",
            f"mean change of {self.measured.column.label}",
            "95 % interval",
            "up / down",
            "q",
        )
        note = (
            "q is the false discovery rate: the share of such transformations that would look as sure by chance. "
            "Pairs that share a molecule are not independent, so the truth is somewhat less sure than it says. "
            "A change that shows with and without its neighbours, by the same pairs, is listed once."
        )
        return Sheet(
            f"{first(n, shown)} transformations with {least} pairs or more", heads, tuple(rows), note
        )

    def __repr__(self) -> str:
        return f"MatchedPairs: {self.count:,} pairs, {len(self.transformations):,} transformations"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()

    def tested(self, least: int = 3) -> tuple[Transformation, ...]:
        """Transformations with at least so many pairs, surest first."""
        kept = [t for t in self.transformations if len(t.pairs) >= least]
        return tuple(
            sorted(kept, key=lambda t: (1.0 if t.q is None else t.q, -abs(t.mean), t.before, t.after))
        )


def _smallest(found: Sequence[Transformation]) -> list[Transformation]:
    """One of those that the very same pairs show: the one with the fewest atoms, where the first of them stood."""
    groups: dict[frozenset[tuple[int, int]], Transformation] = {}
    for one in found:
        key = frozenset((pair.before, pair.after) for pair in one.pairs)
        kept = groups.setdefault(key, one)
        if len(one.before) + len(one.after) < len(kept.before) + len(kept.after):
            groups[key] = one
    return list(groups.values())


def _open(group: str) -> str:
    """A group with one open bond has no need of a number on it."""
    return group if "[*:2]" in group else group.replace("[*:1]", "*")


def matched_pairs(measured: Measured, *, cuts: int = 1, largest: int = 10) -> MatchedPairs:
    """Every pair of molecules that differ by one group, gathered by what is exchanged.

    Parameters
    ----------
    cuts : 1, 2 or 3 bonds that hold the exchanged part
        1 exchanges substituents. 2 and 3 exchange linkers and cores too, at three and
        five times the cost.
    largest : heavy atoms of the exchanged part

    Raises
    ------
    SeriesError
        `cuts` is not 1, 2 or 3.

    References
    ----------
    .. [1] A. Dalke, J. Hert, C. Kramer, J. Chem. Inf. Model. 58 (2018) 902-910, doi 10.1021/acs.jcim.8b00173.
    .. [2] Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289-300, doi 10.1111/j.2517-6161.1995.tb02031.x.
    """
    if cuts not in ROTATABLE:
        raise SeriesError(f"a part is exchanged at 1, 2 or 3 bonds, not {cuts}")
    options = options_for(cuts)
    outcomes: list[int | Missing] = [entry.missing or 0 for entry in measured.entries]
    with quiet_rdkit():  # mmpdb calls what RDKit has deprecated, for every atom
        cut = _Records(options, _fragments(measured, cuts, outcomes))
        index_options = index_types.IndexOptions(max_variable_heavies=largest)
        index = index_algorithm.load_fragment_index(cut, index_options.get_fragment_filter())
        found = index_algorithm.find_matched_molecular_pairs(
            index,
            cut,
            index_options,
            environment_cache=index_algorithm.EnvironmentCache(),
            reporter="quiet",
        )
        gathered: dict[str, dict[tuple[int, int], str]] = {}
        for pair in found:
            ends = (int(pair.id1), int(pair.id2))
            gathered.setdefault(pair.smirks, {}).setdefault(ends, pair.constant_smiles)
    partners: dict[int, set[int]] = {}
    transformations = []
    for smirks, pairs in gathered.items():
        for before, after in pairs:
            partners.setdefault(before, set()).add(after)
            partners.setdefault(after, set()).add(before)
        left, _, right = smirks.partition(">>")
        transformations.append(
            summarise(
                left,
                right,
                [
                    Pair(before, after, measured.value(after) - measured.value(before), constant)
                    for (before, after), constant in sorted(pairs.items())
                ],
            )
        )
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Missing):
            continue
        with_whom = partners.get(place, set())
        detail = f"{measured.entries[place].id} differs from every other molecule by more than one group"
        outcomes[place] = len(with_whom) or Missing(STAGE, Reason.OUT_OF_DOMAIN, detail)
    ordered = sorted(corrected(transformations), key=lambda t: (-len(t.pairs), t.before, t.after))
    return MatchedPairs(measured, tuple(ordered), tuple(outcomes))


def summarise(before: str, after: str, pairs: Iterable[Pair]) -> Transformation:
    """The statistics of one transformation; `q` is left for `corrected`."""
    pairs = tuple(pairs)
    changes = [pair.change for pair in pairs]
    mean = statistics.fmean(changes)
    if len(changes) < 2:
        return Transformation(before, after, pairs, mean, None, None, None, None)
    spread = statistics.stdev(changes)
    error = spread / math.sqrt(len(changes))
    half = quantile(0.95, len(changes) - 1) * error
    p = two_sided(mean / error, len(changes) - 1) if error > 0 else None
    return Transformation(before, after, pairs, mean, spread, (mean - half, mean + half), p, None)


def corrected(transformations: Iterable[Transformation]) -> list[Transformation]:
    """The same transformations with `q`, the false discovery rate at which each would be called real."""
    made = list(transformations)
    tested = sorted(
        (place for place, found in enumerate(made) if found.p is not None),
        key=lambda place: made[place].p or 0.0,
    )
    lowest = 1.0
    for rank in range(len(tested), 0, -1):
        place = tested[rank - 1]
        lowest = min(lowest, (made[place].p or 0.0) * len(tested) / rank)
        made[place] = dataclasses.replace(made[place], q=lowest)
    return made


class _Records(list[Any]):
    """What mmpdb expects of a reader: an iterable that knows its options."""

    def __init__(self, options: Any, records: Iterable[Any]) -> None:
        super().__init__(records)
        self.options = options


def _fragments(measured: Measured, cuts: int, outcomes: list[int | Missing]) -> Iterable[Any]:
    """One mmpdb record a molecule; what mmpdb refuses is written into the outcomes."""
    asked = [(str(place), measured.molecule(place).smiles) for place in measured.usable]
    for place, record in zip(measured.usable, records(asked, cuts), strict=True):
        if isinstance(record, str):
            reason = Reason.TOO_LARGE if "too many" in record else Reason.UNSUPPORTED
            detail = f"{measured.entries[place].id} is not cut by mmpdb: {record}"
            outcomes[place] = Missing(STAGE, reason, detail)
        else:
            yield record
