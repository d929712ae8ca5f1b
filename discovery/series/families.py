"""Which molecules look alike, and how active is each family?"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from discovery.diversity import clusters
from discovery.outcome import Missing
from discovery.series.measured import Measured
from discovery.series.sheet import Cell, Drawing, Figure, Sheet, figure, first


@dataclass(frozen=True, slots=True)
class Family:
    """A cluster; its centre is the molecule most others resemble."""

    members: tuple[int, ...]  # places in the series, the centre first
    mean: float
    spread: float  # one standard deviation; 0 for a single molecule

    @property
    def centre(self) -> int:
        """The place of the molecule in the middle."""
        return self.members[0]


@dataclass(frozen=True)
class Families:
    """Families, largest first; `outcomes[i]` is the number of the i-th row's family, from 0."""

    measured: Measured
    families: tuple[Family, ...]
    radius: float
    outcomes: tuple[int | Missing, ...]

    def sheet(self, n: int = 20) -> Sheet:
        """The first `n` families: the molecule in the middle, and how active they are."""
        rows: list[tuple[Cell, ...]] = [
            (
                Drawing(self.measured.molecule(family.centre).smiles),
                self.measured.entries[family.centre].id,
                Figure(f"{len(family.members):,}"),
                figure(family.mean),
                figure(family.spread if len(family.members) > 1 else None),
            )
            for family in self.families[:n]
        ]
        heads = ("centre", "name", "molecules", f"mean {self.measured.column.label}", "SD")
        note = f"Every member is within a Tanimoto distance of {self.radius:g} of the centre (ECFP4)."
        return Sheet(f"{first(n, self.families)} families", heads, tuple(rows), note)

    def __repr__(self) -> str:
        return f"Families: {len(self.families):,} of {len(self.measured.usable):,} molecules"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()


def families(measured: Measured, *, radius: float = 0.35) -> Families:
    """Cluster a series by likeness; see `discovery.diversity.clusters` for method and limits.

    Raises
    ------
    ValueError
        The radius is outside 0..1, or there are more than 20,000 molecules.
    """
    places = measured.usable
    found = []
    for cluster in clusters([measured.molecule(place) for place in places], radius):
        members = tuple(places[index] for index in cluster)
        values = [measured.value(place) for place in members]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        found.append(Family(members, statistics.fmean(values), spread))
    number = {place: index for index, family in enumerate(found) for place in family.members}
    outcomes = tuple(entry.missing or number[place] for place, entry in enumerate(measured.entries))
    return Families(measured, tuple(found), radius, outcomes)
