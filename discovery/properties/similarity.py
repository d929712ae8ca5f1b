"""How close is this molecule to known ones?

The highest Tanimoto similarity to any reference, on counted circular environments
of radius 2 (ECFP4, unfolded: no two environments share a bit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, each
from discovery.plugins import settle
from discovery.score import Column, Score


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity to the nearest of some reference molecules, 0..1; 1 for one of them.

    `details["nearest"]` is the standardised SMILES of that reference. Set `better`
    to "low" where novelty is wanted.

    Parameters
    ----------
    reference : SMILES, at least one

    Raises
    ------
    ValueError
        There is no reference, or one cannot be read: its place and SMILES are named.

    References
    ----------
    .. [1] D. Rogers, M. Hahn, J. Chem. Inf. Model. 50 (2010) 742-754, doi 10.1021/ci100050t.
    """

    reference: tuple[str, ...]
    better: Literal["low", "high"] = "high"

    def __post_init__(self) -> None:
        settle(self)
        if not self.reference:
            raise ValueError("similarity needs at least one reference SMILES")
        _references(self.reference)

    @property
    def column(self) -> Column:
        count = len(self.reference)
        return Column(
            "similarity",
            unit="1",
            better=self.better,
            title="similarity to references",
            about=f"Tanimoto on counted ECFP4 to the nearest of {count} reference{'s' if count > 1 else ''}",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        known, prints = _references(self.reference)

        def nearest(molecule: Molecule) -> Score:
            values = DataStructs.BulkTanimotoSimilarity(fingerprint(molecule), prints)
            best = int(np.argmax(values))
            return Score(float(values[best]), details={"nearest": known[best].smiles})

        return each("properties", nearest, molecules)


def fingerprint(molecule: Molecule) -> DataStructs.ULongSparseIntVect:
    """Counted ECFP4, unfolded."""
    counts: DataStructs.ULongSparseIntVect = _circular().GetSparseCountFingerprint(molecule.mol())
    return counts


@lru_cache(maxsize=16)
def _references(
    smiles: tuple[str, ...],
) -> tuple[tuple[Molecule, ...], list[DataStructs.ULongSparseIntVect]]:
    known = []
    for place, text in enumerate(smiles, start=1):
        try:
            known.append(Molecule.parse(text))
        except MoleculeError as error:
            raise ValueError(f"reference {place} of {len(smiles)} cannot be used: {error}") from error
    return tuple(known), [fingerprint(molecule) for molecule in known]


@cache
def _circular() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)
