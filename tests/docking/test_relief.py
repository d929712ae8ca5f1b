"""Hydrogens that run into atoms are moved, heavy atoms never."""

from __future__ import annotations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers, rdMolTransforms

from discovery.molecule import Molecule
from docking import ligand
from docking.pose import Pose
from docking.relief import relieved

PENTANE = ligand.prepare(Molecule.parse("CC(C)CC(C)C"))[0]
HEAVY = [atom.GetIdx() for atom in PENTANE.mol().GetAtoms() if atom.GetAtomicNum() > 1]


def energy(pose: Pose) -> float:
    mol = pose.mol()  # must outlive its force field
    return float(rdForceFieldHelpers.UFFGetMoleculeForceField(mol).CalcEnergy())


def crowded() -> Pose:
    """Both middle bonds turned until the two ends' hydrogens overlap."""
    worst, most = PENTANE.coords(), 0.0
    for one in range(0, 360, 30):
        for other in range(0, 360, 30):
            mol = PENTANE.mol()
            rdMolTransforms.SetDihedralDeg(mol.GetConformer(), 0, 1, 3, 4, float(one))
            rdMolTransforms.SetDihedralDeg(mol.GetConformer(), 1, 3, 4, 5, float(other))
            pose = Pose(PENTANE, np.array(mol.GetConformer().GetPositions()), -1.0)
            if energy(pose) > most:
                worst, most = pose.coords, energy(pose)
    return Pose(PENTANE, worst, -1.0)


def test_a_clash_of_hydrogens_is_relieved() -> None:
    """Reference: UFF in RDKit."""
    pose = crowded()
    after = relieved(pose)
    assert energy(after) < 0.5 * energy(pose)
    assert np.abs(after.coords[HEAVY] - pose.coords[HEAVY]).max() < 1e-6
    assert after.score == pose.score
    assert Chem.MolToSmiles(after.mol()) == Chem.MolToSmiles(pose.mol())


def test_a_pose_at_ease_is_left_alone() -> None:
    pose = Pose(PENTANE, PENTANE.coords(), -1.0)
    assert relieved(pose) is pose
