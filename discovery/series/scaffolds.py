"""Which ring skeletons does the series have, and how active is each?"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from discovery.diversity import scaffold
from discovery.outcome import Missing, each
from discovery.series.measured import STAGE, Measured
from discovery.series.sheet import Cell, Drawing, Figure, Sheet, figure, first


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A Murcko scaffold and its molecules."""

    smiles: str  # empty for molecules without a ring
    members: tuple[int, ...]  # places in the series, best first
    mean: float
    spread: float  # one standard deviation; 0 for a single molecule

    @property
    def best(self) -> int:
        """The place of the best member."""
        return self.members[0]


@dataclass(frozen=True)
class Scaffolds:
    """Scaffolds, most members first; `outcomes[i]` is the scaffold of the i-th row, or why it has none."""

    measured: Measured
    scaffolds: tuple[Scaffold, ...]
    outcomes: tuple[str | Missing, ...]

    def sheet(self, n: int = 20) -> Sheet:
        """The first `n` scaffolds with pictures, and the best molecule of each."""
        entries, title = self.measured.entries, self.measured.column.label
        rows: list[tuple[Cell, ...]] = [
            (
                Drawing(group.smiles) if group.smiles else "no ring",
                Figure(f"{len(group.members):,}"),
                figure(group.mean),
                figure(group.spread if len(group.members) > 1 else None),
                figure(self.measured.value(group.best)),
                entries[group.best].id,
            )
            for group in self.scaffolds[:n]
        ]
        heads = ("scaffold", "molecules", f"mean {title}", "SD", "best", "best molecule")
        return Sheet(f"{first(n, self.scaffolds)} scaffolds", heads, tuple(rows))

    def __repr__(self) -> str:
        return f"Scaffolds: {len(self.scaffolds):,} of {len(self.measured.usable):,} molecules"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()


def scaffolds(measured: Measured) -> Scaffolds:
    """Group a series by Murcko scaffold (see `discovery.diversity.scaffold`)."""
    outcomes = each(
        STAGE,
        lambda place: scaffold(measured.molecule(place)),
        [entry.missing or place for place, entry in enumerate(measured.entries)],
    )
    groups: dict[str, list[int]] = {}
    for place, outcome in enumerate(outcomes):
        if not isinstance(outcome, Missing):
            groups.setdefault(outcome, []).append(place)
    sign = -1.0 if measured.column.better == "high" else 1.0
    found = []
    for smiles, places in groups.items():
        values = [measured.value(place) for place in places]
        found.append(
            Scaffold(
                smiles,
                tuple(sorted(places, key=lambda place: (sign * measured.value(place), place))),
                statistics.fmean(values),
                statistics.stdev(values) if len(values) > 1 else 0.0,
            )
        )
    ordered = sorted(found, key=lambda group: (-len(group.members), sign * group.mean, group.smiles))
    return Scaffolds(measured, tuple(ordered), tuple(outcomes))
