"""Laws of the walls: silent wherever the ligand lies as given, felt as soon as it lies nearer to an image."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from scipy.spatial.transform import Rotation

from docking.dynamics.free_energy import morph
from docking.dynamics.free_energy.likeness import turned, turns
from docking.dynamics.free_energy.walls import in_site, unturned, ways_out


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=1) == 0
    return mol


def context(force: openmm.Force, atoms: int) -> openmm.Context:
    system = openmm.System()
    for _ in range(atoms):
        system.addParticle(1.0)
    system.addForce(force)
    return openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )


@pytest.mark.parametrize("smiles", ["c1ccccc1", "Cc1ccccc1", "Cc1ccc(C)cc1"])
def test_the_wall_is_felt_just_where_the_pose_is_no_longer_the_nearest(smiles: str) -> None:
    """Reference: `turned`, which measures the distances themselves; over turns of all sizes, shaken and moved."""
    mol = embedded(smiles)
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    ctx = context(unturned(heavy, ways_out(mol, heavy)), mol.GetNumAtoms())
    random = np.random.default_rng(4)
    pose, images = mol.GetConformer().GetPositions(), turns(mol)
    felt = []
    for _ in range(200):
        way = random.normal(size=3)
        turn = Rotation.from_rotvec(random.uniform(0, np.pi) * way / np.linalg.norm(way))
        centre = pose[heavy].mean(axis=0)
        xyz = turn.apply(pose - centre) + centre + random.normal(0, 0.02, pose.shape) + random.normal(size=3)
        ctx.setPositions(xyz / 10.0)
        energy = ctx.getState(getEnergy=True).getPotentialEnergy()._value
        felt.append(energy > 0.0)
        assert felt[-1] == turned(mol, xyz, images)
    assert 20 < sum(felt) < 180


def test_what_lies_on_itself_in_one_way_alone_has_no_wall() -> None:
    mol = embedded("Cc1ccccc1F")
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    assert unturned(heavy, ways_out(mol, heavy)) is None


def test_a_part_of_a_ligand_tells_a_half_turn_as_the_whole_does() -> None:
    """The ring of p-xylene turned about its long axis: the wall of the ring alone stands at a quarter turn, too."""
    mol = embedded("Cc1ccc(C)cc1")
    ring = [a.GetIdx() for a in mol.GetAtoms() if a.GetIsAromatic()]
    ctx = context(unturned(ring, ways_out(mol, ring)), mol.GetNumAtoms())
    pose = mol.GetConformer().GetPositions()
    axis = pose[5] - pose[1]
    axis /= np.linalg.norm(axis)
    for degrees, beyond in ((85.0, False), (95.0, True)):
        turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis)
        ctx.setPositions((turn.apply(pose - pose[1]) + pose[1]) / 10.0)
        assert (ctx.getState(getEnergy=True).getPotentialEnergy()._value > 1e-3) == beyond


def test_each_ligand_of_two_has_its_own_walls_alone() -> None:
    """Toluene lies well where it is turned past benzene's walls, by 45 degrees about its middle."""
    second = embedded("Cc1ccccc1")
    bare = Chem.DeleteSubstructs(Chem.RemoveHs(second), Chem.MolFromSmarts("[CH3]"))
    first = Chem.AddHs(bare, addCoords=True)
    pose = first.GetConformer().GetPositions()
    _, *walls = morph._kept_in((first, second), 0, pose / 10.0, explicit=False)
    middle, normal = pose[:6].mean(axis=0), np.cross(pose[1] - pose[0], pose[2] - pose[0])
    turn = Rotation.from_rotvec(np.deg2rad(45.0) * normal / np.linalg.norm(normal))
    for wall in walls:
        ctx = context(wall, len(pose))
        ctx.setPositions((turn.apply(pose - middle) + middle) / 10.0)
        felt = []
        for made in (0.0, 1.0):
            ctx.setParameter(morph.MADE, made)
            felt.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value > 1e-3)
        assert felt == [wall is walls[0], False]


def test_the_site_is_silent_within_three_angstroms() -> None:
    xyz = np.zeros((2, 3))
    ctx = context(in_site([0], xyz, periodic=False), 2)
    for away, costs in ((0.29, 0.0), (0.4, 0.5 * 25.0 * 418.4 * 0.01)):
        ctx.setPositions(xyz + np.array([away, 0.0, 0.0]))
        assert ctx.getState(getEnergy=True).getPotentialEnergy()._value == pytest.approx(costs, abs=1e-6)
