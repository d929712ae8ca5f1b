"""What do two ligands of one pocket share: which atoms, how much of each other?

A relative free energy is only as good as what stays the same. The common part is the
largest one in which rings stay whole, laid so that the two poses agree best.

References
----------
.. [1] Liu et al., J. Comput.-Aided Mol. Des. 27, 755 (2013), doi 10.1007/s10822-013-9678-y: LOMAP's
   score, exp(-0.1 of the heavy atoms that are not shared), 0 where the charge changes.
.. [2] Mobley, Chodera, Dill, J. Chem. Phys. 125, 084902 (2006), doi 10.1063/1.2221683: symmetry numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFMCS

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.terms import Floats

FARTHEST = 2.0  # Å, root mean square between the common atoms of two poses
_FEWEST = 3
_PATIENCE_S = 2
_ALIKE = 0.4  # Å, root mean square: a ring that is bent by heat is still upon itself


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


def shared(first: Chem.Mol, second: Chem.Mol) -> dict[int, int]:
    """The atom of the second for each atom of the first that both have; hydrogens of shared atoms, the nearest ones.

    Hydrogens are paired so that no atom turns inside out, where that can be.
    """
    heavy = dict(common(first, second).pairs)
    ours, theirs = (mol.GetConformer().GetPositions() for mol in (first, second))
    found = dict(heavy)
    for one, two in heavy.items():
        h_one, h_two = (
            [a.GetIdx() for a in mol.GetAtomWithIdx(i).GetNeighbors() if a.GetAtomicNum() == 1]
            for mol, i in ((first, one), (second, two))
        )
        ways = (
            [dict(zip(h_one, way, strict=True)) for way in permutations(h_two, len(h_one))]
            if len(h_one) <= len(h_two)
            else [dict(zip(way, h_two, strict=True)) for way in permutations(h_one, len(h_two))]
        )
        costs = []
        for way in ways:
            arms = [ours[i] - ours[one] - theirs[j] + theirs[two] for i, j in way.items()]
            off = float(np.linalg.norm(np.reshape(arms, (-1, 3)), axis=1).sum())
            costs.append((_inside_out(first, (ours, theirs), heavy | way, one), off))
        found |= ways[min(range(len(ways)), key=costs.__getitem__)]
    return found


def _inside_out(first: Chem.Mol, places: tuple[Floats, Floats], pairs: Mapping[int, int], one: int) -> bool:
    """Whether three atoms around an atom of the first go the other way round in the second."""
    around = [a.GetIdx() for a in first.GetAtomWithIdx(one).GetNeighbors() if a.GetIdx() in pairs][:3]
    if len(around) < 3:
        return False
    ours, theirs = places
    hands = (
        np.linalg.det(ours[around] - ours[one]),
        np.linalg.det(theirs[[pairs[i] for i in around]] - theirs[pairs[one]]),
    )
    return bool(hands[0] * hands[1] < 0.0)


def mirrored(first: Chem.Mol, second: Chem.Mol) -> int | None:
    """An atom of the first at which the two are mirror images, by the atoms around it that both have; None if there is none.

    Such a pair differs by no atom and no term, so that one seems to become the other for nothing.
    """
    pairs = shared(first, second)
    centres: set[int] = set()
    for mol, name in ((first, {i: i for i in pairs}), (second, {j: i for i, j in pairs.items()})):
        solid = Chem.Mol(mol)
        Chem.AssignStereochemistryFrom3D(solid)
        centres |= {
            name[a.GetIdx()] for a in solid.GetAtoms() if a.HasProp("_CIPCode") and a.GetIdx() in name
        }
    places = first.GetConformer().GetPositions(), second.GetConformer().GetPositions()
    return next((i for i in sorted(centres) if _inside_out(first, places, pairs, i)), None)


def turns(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """In which ways a ligand lies upon itself, as it is, by turning: 12 for benzene, 2 for toluene.

    A pose and its image under such a turn bind alike, but a short simulation visits only one
    of them: what it says of two ligands must be corrected by the ratio of their numbers [2]_.
    A ring that turns within its molecule is no turn of the whole: it is as rare in water.

    Returns
    -------
    Of each, the heavy atom that comes to lie where each heavy atom lay; the first is the pose itself.
    """
    bare = Chem.RemoveHs(mol)
    xyz = bare.GetConformer().GetPositions()
    xyz = xyz - xyz.mean(axis=0)
    found = [tuple(range(len(xyz)))]
    for image in bare.GetSubstructMatches(bare, uniquify=False, maxMatches=1000, useChirality=True):
        moved = xyz[list(image)]
        left, _, right = np.linalg.svd(xyz.T @ moved)
        proper = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
        off = float(np.sqrt(np.square(xyz @ (left @ proper @ right) - moved).sum(axis=1).mean()))
        if off < _ALIKE and image not in found:
            found.append(image)
    return tuple(found)


def turned(mol: Chem.Mol, xyz: Floats, images: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a ligand that moved to `xyz` ([atom, 3] Å, hydrogens too) lies nearer to an image of its pose."""
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    pose, now = mol.GetConformer().GetPositions()[heavy], xyz[heavy]
    now = now - (now - pose).mean(axis=0)  # a ligand that moved as a whole has not turned
    return int(np.argmin([np.square(pose[list(image)] - now).sum() for image in images])) > 0


def comparable(first: Chem.Mol, second: Chem.Mol, names: tuple[str, str]) -> None:
    """Whether one ligand may become the other.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: the charges differ, nothing is shared, a ring opens, or an atom is mirrored.
        UNPREPARED: the poses are too far apart.
    """
    one, two = names
    charges = [Chem.GetFormalCharge(mol) for mol in (first, second)]
    if charges[0] != charges[1]:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} carries a charge of {charges[0]:+d} and {two} of {charges[1]:+d}; a relative free energy between them "
            "needs corrections that are not made here: compare ligands of one charge",
        )
    both = common(first, second)
    if not both.pairs:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} and {two} share no part with whole rings; compare each with a ligand that lies between them",
        )
    if both.gap > FARTHEST:
        raise MoleculeError(
            Reason.UNPREPARED,
            f"the common atoms of {one} and {two} lie {both.gap:.1f} Å apart in their poses, more than {FARTHEST:g}; "
            "dock one on the other's pose (discovery dock --reference)",
        )
    to = dict(both.pairs)
    ours = {frozenset((to[a], to[b])) for a, b in _bonds_among(first, set(to))}
    theirs = {frozenset(bond) for bond in _bonds_among(second, set(to.values()))}
    if ours != theirs:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"between {one} and {two} a ring opens or closes; compare each with a ligand that lies between them",
        )
    centre = mirrored(first, second)
    if centre is not None:
        atom = f"{first.GetAtomWithIdx(centre).GetSymbol()}{centre + 1}"
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{one} and {two} are mirror images at {atom} of {one}: one cannot become the other by what grows and shrinks; "
            "compare each with a ligand that lacks that centre",
        )


def _bonds_among(mol: Chem.Mol, atoms: set[int]) -> list[tuple[int, int]]:
    ends = ((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds())
    return [(a, b) for a, b in ends if a in atoms and b in atoms]
