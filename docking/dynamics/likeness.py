"""What do two ligands of one pocket share: which atoms, which frame, how much of each other?

A relative free energy is only as good as what stays the same. The common part is the
largest one in which rings stay whole, laid so that the two poses agree best; the frame
is three atoms of it that are bonded in a row, stiff in both, by which one ligand can be
held to the other without a say in how either bends.

References
----------
.. [1] Liu et al., J. Comput.-Aided Mol. Des. 27, 755 (2013), doi 10.1007/s10822-013-9678-y: LOMAP's
   score, exp(-0.1 of the heavy atoms that are not shared), 0 where the charge changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFMCS

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.terms import Floats

FARTHEST = 2.0  # Å, root mean square between the common atoms of two poses
_FEWEST = 3
_STRAIGHT = 0.9  # of the cosine; a frame must not be a line
_PATIENCE_S = 2


@dataclass(frozen=True, slots=True)
class Common:
    """What two ligands share."""

    pairs: tuple[tuple[int, int], ...]  # heavy atoms: of the first, of the second
    likeness: float  # 0 to 1
    gap: float  # Å, root mean square between them in the poses given


def common(first: Chem.Mol, second: Chem.Mol) -> Common:
    """The common part of two ligands; no pairs and a likeness of 0 where there is none."""
    bare = [Chem.RemoveHs(mol) for mol in (first, second)]
    found = rdFMCS.FindMCS(
        bare, ringMatchesRingOnly=True, completeRingsOnly=True, timeout=_PATIENCE_S, matchValences=False
    )
    if found.numAtoms < _FEWEST:
        return Common((), 0.0, float("inf"))
    pattern = Chem.MolFromSmarts(found.smartsString)
    heavy = [[a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1] for mol in (first, second)]
    places = [
        mol.GetConformer().GetPositions()[atoms] for mol, atoms in zip((first, second), heavy, strict=True)
    ]
    best: tuple[float, tuple[int, ...], tuple[int, ...]] | None = None
    for one in bare[0].GetSubstructMatches(pattern, uniquify=True, maxMatches=16):
        for two in bare[1].GetSubstructMatches(pattern, uniquify=False, maxMatches=256):
            gap = float(np.sqrt(np.square(places[0][list(one)] - places[1][list(two)]).sum(axis=1).mean()))
            if best is None or gap < best[0]:
                best = (gap, one, two)
    if best is None:  # the pattern of a search that ran out of time
        return Common((), 0.0, float("inf"))
    gap, one, two = best
    alone = bare[0].GetNumAtoms() + bare[1].GetNumAtoms() - 2 * len(one)
    same_charge = Chem.GetFormalCharge(first) == Chem.GetFormalCharge(second)
    pairs = tuple((heavy[0][i], heavy[1][j]) for i, j in zip(one, two, strict=True))
    return Common(pairs, float(np.exp(-0.1 * alone)) if same_charge else 0.0, gap)


def frames(
    first: Chem.Mol, second: Chem.Mol, names: tuple[str, str]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Three atoms of each ligand that lie on each other; the middle one is bonded to both others.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: the charges differ, or nothing stiff is shared. UNPREPARED: the
        poses are too far apart.
    """
    one, two = names
    charges = [Chem.GetFormalCharge(mol) for mol in (first, second)]
    if charges[0] != charges[1]:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} carries a charge of {charges[0]:+d} and {two} of {charges[1]:+d}; a relative free energy between them "
            "needs corrections that are not made here: compare ligands of one charge",
        )
    shared = common(first, second)
    if not shared.pairs:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} and {two} share no part with whole rings; compare each with a ligand that lies between them",
        )
    if shared.gap > FARTHEST:
        raise MoleculeError(
            Reason.UNPREPARED,
            f"the common atoms of {one} and {two} lie {shared.gap:.1f} Å apart in their poses, more than {FARTHEST:g}; "
            "dock one on the other's pose (discovery dock --reference)",
        )
    chosen = _stiffest(first, second, shared.pairs)
    if chosen is None:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} and {two} share no three bonded atoms that make a corner; compare each with a ligand between them",
        )
    return chosen


def _stiffest(
    first: Chem.Mol, second: Chem.Mol, pairs: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    to = dict(pairs)
    places = [mol.GetConformer().GetPositions() for mol in (first, second)]
    middle = places[0][list(to)].mean(axis=0)
    best, found = None, None
    for corner in to:
        atom = first.GetAtomWithIdx(corner)
        beside = [a.GetIdx() for a in atom.GetNeighbors() if a.GetIdx() in to]
        for a, b in permutations(beside, 2):
            ours, theirs = (corner, a, b), (to[corner], to[a], to[b])
            if a > b or not all(second.GetBondBetweenAtoms(theirs[0], j) for j in theirs[1:]):
                continue
            if any(
                _cosine(xyz, atoms) > _STRAIGHT for xyz, atoms in zip(places, (ours, theirs), strict=True)
            ):
                continue
            in_ring = sum(first.GetAtomWithIdx(i).IsInRing() for i in ours)
            rank = (-in_ring, float(np.linalg.norm(places[0][corner] - middle)))
            if best is None or rank < best:
                best, found = rank, (ours, theirs)
    return found


def _cosine(xyz: Floats, atoms: tuple[int, int, int]) -> float:
    one, two = xyz[atoms[1]] - xyz[atoms[0]], xyz[atoms[2]] - xyz[atoms[0]]
    return abs(float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two))))
