"""How hard is this molecule to make?

The synthetic accessibility score of Ertl and Schuffenhauer: 1 is easy, 10 is hard.
Fragments that are common among made molecules speak for a molecule, size and
complexity against it. It knows no reactions and no catalogues.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.score import Column, Score

UNKNOWN = -4.0  # contribution of a fragment the table has not seen
EASIEST, HARDEST = 2.5, -4.0  # raw scores that become 1 and 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SyntheticAccessibility:
    """Estimated difficulty of synthesis, 1 (easy) to 10 (hard).

    Equal to the `sascorer` of RDKit's Contrib, which differs from the paper in the
    macrocycle penalty and adds a correction for symmetry; the fragment table is
    RDKit's, stored as plain numbers.

    References
    ----------
    .. [1] P. Ertl, A. Schuffenhauer, J. Cheminform. 1:8 (2009), doi 10.1186/1758-2946-1-8.
    .. [2] RDKit, Contrib/SA_Score/sascorer.py (BSD-3-Clause).
    """

    @property
    def column(self) -> Column:
        return Column(
            "synthesis",
            unit="1",
            better="low",
            title="synthetic accessibility",
            about="1 is easy to make, 10 is hard (Ertl and Schuffenhauer 2009)",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return each("properties", lambda molecule: Score(accessibility(molecule.look())), molecules)


def accessibility(mol: Chem.Mol) -> float:
    """A sanitised molecule without explicit hydrogens -> 1 (easy) .. 10 (hard)."""
    counts = _environments().GetSparseCountFingerprint(mol).GetNonzeroElements()
    ids = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
    times = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
    familiarity = float(contributions(ids) @ times / times.sum())
    atoms = mol.GetNumAtoms()
    symmetry = 0.5 * math.log(atoms / len(counts)) if atoms > len(counts) else 0.0
    return _to_scale(familiarity - _complexity(mol) + symmetry)


def contributions(ids: NDArray[np.int64]) -> Floats:
    """[fragment] Morgan identifiers -> [fragment] log-scaled frequencies; unseen ones get -4."""
    known, values = _table()
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[place] == ids, values[place], UNKNOWN)


def _complexity(mol: Chem.Mol) -> float:
    """Penalties of ref. 1, the macrocycle's as in ref. 2."""
    atoms = mol.GetNumAtoms()
    centres = len(Chem.FindMolChiralCenters(mol, includeUnassigned=True))  # type: ignore[no-untyped-call]
    spiro = rdMolDescriptors.CalcNumSpiroAtoms(mol)
    bridgeheads = rdMolDescriptors.CalcNumBridgeheadAtoms(mol)
    macrocycle = any(len(ring) > 8 for ring in mol.GetRingInfo().AtomRings())
    return float(
        (atoms**1.005 - atoms)
        + math.log10(centres + 1)
        + math.log10(spiro + 1)
        + math.log10(bridgeheads + 1)
        + (math.log10(2) if macrocycle else 0.0)
    )


def _to_scale(raw: float) -> float:
    score = 11.0 - (raw - HARDEST + 1.0) / (EASIEST - HARDEST) * 9.0
    if score > 8.0:  # the hard end is smoothed
        score = 8.0 + math.log(score - 8.0)
    return min(max(score, 1.0), 10.0)


@cache
def _environments() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)


@cache
def _table() -> tuple[NDArray[np.int64], Floats]:
    """[fragment] sorted identifiers, [fragment] contributions; made by tests/references/make_sa_fragments.py."""
    with (files("discovery.properties") / "data/sa_fragments.npz").open("rb") as file:
        packed = np.load(file, allow_pickle=False)
        steps = np.ascontiguousarray(packed["step_bytes"].T).view("<u4")[:, 0]
        kinds = np.ascontiguousarray(packed["kind_bytes"].T).view("<u2")[:, 0]
        return np.cumsum(steps, dtype=np.int64), packed["contributions"][kinds]
