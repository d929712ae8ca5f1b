"""Which known drugs are nearest to these molecules?

About 130 common drugs come along, written down by hand; give your own list for
anything that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rdkit import DataStructs

from discovery.intake import read
from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.properties.similarity import fingerprint
from discovery.series.measured import Measured, SeriesError
from discovery.series.sheet import Cell, Drawing, Sheet, figure, first

DRUGS = Path(__file__).resolve().parent / "data" / "known_drugs.csv"


@dataclass(frozen=True, slots=True)
class Near:
    """A known drug, and how alike it is."""

    drug: Molecule
    similarity: float  # Tanimoto on counted ECFP4, 0..1


@dataclass(frozen=True)
class Nearest:
    """`outcomes[i]` holds the drugs nearest to the i-th row, nearest first, or says why there are none."""

    measured: Measured
    outcomes: tuple[tuple[Near, ...] | Missing, ...]

    def sheet(self, n: int = 20) -> Sheet:
        """The `n` molecules that are most like a known drug."""
        found = [
            (place, outcome[0])
            for place, outcome in enumerate(self.outcomes)
            if not isinstance(outcome, Missing)
        ]
        found.sort(key=lambda item: (-item[1].similarity, item[0]))
        rows: list[tuple[Cell, ...]] = []
        for place, near in found[:n]:
            entry = self.measured.entries[place]
            assert isinstance(entry.molecule, Molecule), entry.id
            rows.append(
                (
                    Drawing(entry.molecule.smiles),
                    entry.id,
                    Drawing(near.drug.smiles),
                    near.drug.name,
                    figure(near.similarity),
                )
            )
        heads = ("molecule", "name", "nearest drug", "name", "similarity")
        return Sheet(f"{first(n, found)} molecules and their nearest known drug", heads, tuple(rows))

    def __repr__(self) -> str:
        return f"Nearest: known drugs for {len(self.outcomes):,} rows"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()


def nearest_known(measured: Measured, drugs: Sequence[Molecule] = (), *, n: int = 3) -> Nearest:
    """The `n` known drugs most like each molecule, by Tanimoto on counted ECFP4.

    Parameters
    ----------
    drugs : molecules whose names say what they are; `common_drugs()` when left out

    Raises
    ------
    SeriesError
        `n` is below one.
    """
    if n < 1:
        raise SeriesError(f"at least one drug is asked for, not {n}")
    known = tuple(drugs) or common_drugs()
    prints = [fingerprint(drug) for drug in known]
    outcomes: list[tuple[Near, ...] | Missing] = []
    for entry in measured.entries:
        if isinstance(entry.molecule, Missing):
            outcomes.append(entry.molecule)
            continue
        likeness = DataStructs.BulkTanimotoSimilarity(fingerprint(entry.molecule), prints)
        best = sorted(range(len(known)), key=lambda place: (-likeness[place], known[place].name))[:n]
        outcomes.append(tuple(Near(known[place], float(likeness[place])) for place in best))
    return Nearest(measured, tuple(outcomes))


@cache
def common_drugs() -> tuple[Molecule, ...]:
    """The drugs that come along."""
    rows = list(read(DRUGS))
    unread = [row.outcome for row in rows if isinstance(row.outcome, Missing)]
    if unread:
        raise RuntimeError(f"{DRUGS.name} is damaged: {unread[0]}")
    return tuple(row.outcome for row in rows if isinstance(row.outcome, Molecule))
