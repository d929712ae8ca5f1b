"""Do a pose's hydrogens run into its own atoms?

Docking sees no hydrogens on carbon and gives those on heteroatoms no energy, so a turned
bond may lay one onto another atom: harmless to the score, absurd to a force field. Such
a pose gets its hydrogens moved; its heavy atoms, which the search placed, stay.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers

from discovery.molecule import quiet_rdkit
from docking.atom_types import Bools, Floats
from docking.ligand import Ligand
from docking.pose import Pose

TOUCHING = 0.6  # of the van der Waals radii's sum; hydrogen bonds are longer
BONDS_APART = 3  # nearer atoms are held by bonds and angles
STEPS = 200


def relieved(pose: Pose) -> Pose:
    """The pose, its hydrogens minimised (UFF, heavy atoms fixed) if one runs into another atom."""
    far, reach = _pairs(pose.ligand)
    gaps = np.linalg.norm(pose.coords[:, None] - pose.coords[None], axis=-1)
    if not (far & (gaps < TOUCHING * reach)).any():
        return pose
    mol = pose.mol()
    with quiet_rdkit():
        if not rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
            return pose
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(mol)
        field.Initialize()
        for atom in mol.GetAtoms():
            if atom.GetAtomicNum() > 1:
                field.AddFixedPoint(atom.GetIdx())
        field.Minimize(maxIts=STEPS)
    return replace(pose, coords=np.array(mol.GetConformer().GetPositions(), dtype=float))


@lru_cache(maxsize=256)
def _pairs(ligand: Ligand) -> tuple[Bools, Floats]:
    """[atom, atom]: is it a hydrogen far along the bonds, and the sum of van der Waals radii, Å."""
    mol = ligand.mol()
    table = Chem.GetPeriodicTable()
    hydrogen = np.array([atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()])
    radii = np.array([table.GetRvdw(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    far = (Chem.GetDistanceMatrix(mol) > BONDS_APART) & (hydrogen[:, None] | hydrogen[None])
    return far, radii[:, None] + radii[None]
