"""Moving atoms by torsions; references: laws of rigid bodies, RDKit's dihedrals, central differences."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from rdkit.Chem import rdMolTransforms
from scipy.spatial.transform import Rotation

from docking.ligands.tree import Tree
from docking.search import motion
from docking.search.motion import Conf
from tests.docking.complexes import embedded, ligand_pdbqt
from tests.docking.test_energy import tree

FLEXIBLE = "OCCc1ccc(cc1)C(=O)NCC(C)CO"


def random_conf(tree_: Tree, torsions: int, poses: int, seed: int) -> Conf:
    rng = np.random.default_rng(seed)
    turn = rng.normal(size=(4, poses))
    return Conf(
        jnp.asarray(rng.normal(size=(3, poses)), jnp.float32),
        jnp.asarray(turn / np.linalg.norm(turn, axis=0), jnp.float32),
        jnp.asarray(rng.uniform(-3, 3, size=(torsions, poses)), jnp.float32),
    )


def placed(tree_: Tree, conf: Conf, atoms: int = 24) -> np.ndarray:
    shape = motion.layout(tree_, atoms, conf.torsion.shape[0])
    coords = motion.place(shape, motion.transforms(shape, conf))
    return np.asarray(coords)[: int(tree_.heavy.sum())]


def test_nothing_moved_is_the_reference() -> None:
    ligand = tree(ligand_pdbqt(FLEXIBLE))
    still = Conf(jnp.zeros((3, 1)), jnp.asarray([[1.0], [0], [0], [0]]), jnp.zeros((8, 1)))
    expected = (ligand.coords - ligand.coords[ligand.axis[0, 0]])[ligand.heavy]
    assert placed(ligand, still)[:, :, 0] == pytest.approx(expected, abs=1e-5)


def test_batched_and_double_precision_placing_agree() -> None:
    ligand = tree(ligand_pdbqt(FLEXIBLE))
    conf = random_conf(ligand, 8, 5, seed=1)
    for pose in range(5):
        single = motion.settled(ligand, *(np.asarray(part, dtype=float)[:, pose] for part in conf))
        assert placed(ligand, conf)[:, :, pose] == pytest.approx(single[ligand.heavy], abs=2e-5)


def test_distances_within_a_node_never_change() -> None:
    ligand = tree(ligand_pdbqt(FLEXIBLE))
    conf = random_conf(ligand, 8, 3, seed=2)
    for pose in range(3):
        moved = motion.settled(ligand, *(np.asarray(part, dtype=float)[:, pose] for part in conf))
        for node in range(len(ligand.parent)):
            mine = (ligand.node == node) | np.isin(np.arange(len(ligand.xs)), ligand.axis[node])
            before = np.linalg.norm(ligand.coords[mine][:, None] - ligand.coords[mine][None], axis=-1)
            after = np.linalg.norm(moved[mine][:, None] - moved[mine][None], axis=-1)
            assert after == pytest.approx(before, abs=1e-9)


def test_a_torsion_turns_by_its_angle() -> None:
    """Reference: RDKit's dihedral of butane's carbons before and after."""
    mol = embedded("CCCC", seed=7)
    ligand = tree(ligand_pdbqt("CCCC"))
    assert ligand.torsions == 1
    moved = motion.settled(ligand, np.zeros(3), np.array([1.0, 0, 0, 0]), np.array([0.7]))
    assert abs(_dihedral(moved) - _dihedral(ligand.coords)) % (2 * np.pi) == pytest.approx(0.7, abs=1e-6)
    angle = rdMolTransforms.GetDihedralRad(mol.GetConformer(), 0, 1, 2, 3)
    assert abs(_dihedral(ligand.coords)) == pytest.approx(abs(angle), abs=1e-2)


def _dihedral(coords: np.ndarray) -> float:
    """Of a chain of four, in whatever order it is listed."""
    apart = np.linalg.norm(coords[:, None] - coords[None], axis=-1)
    ends = np.flatnonzero((apart < 1.7).sum(axis=1) == 2)
    chain = [ends[0]]
    while len(chain) < 4:
        chain.append(
            next(i for i in np.argsort(apart[chain[-1]]) if i not in chain and apart[chain[-1], i] < 1.7)
        )
    a, b, c, d = coords[chain]
    n1, n2 = np.cross(b - a, c - b), np.cross(c - b, d - c)
    return float(np.arctan2(np.dot(np.cross(n1, n2), (c - b) / np.linalg.norm(c - b)), np.dot(n1, n2)))


def test_quaternions_turn_as_scipys() -> None:
    rng = np.random.default_rng(4)
    one, two = Rotation.random(6, rng=rng), Rotation.random(6, rng=rng)
    first, second = (jnp.asarray(r.as_quat(scalar_first=True).T, jnp.float32) for r in (one, two))
    product = np.asarray(motion.rotation(motion.times(first, second))).transpose(2, 0, 1)
    assert product == pytest.approx((one * two).as_matrix(), abs=1e-5)
    vector = np.asarray(motion.rotation(motion.from_vector(jnp.asarray(one.as_rotvec().T, jnp.float32))))
    assert vector.transpose(2, 0, 1) == pytest.approx(one.as_matrix(), abs=1e-5)


def test_pulling_is_the_slope_of_moving() -> None:
    """Reference: central differences through the placing in double precision."""
    ligand = tree(ligand_pdbqt(FLEXIBLE))
    shape = motion.layout(ligand, 24, 8)
    conf = random_conf(ligand, 8, 1, seed=3)
    heavy, used = int(ligand.heavy.sum()), 6 + len(motion.turning(ligand)) - 1
    force = np.zeros((24, 3, 1), np.float32)
    force[:heavy] = np.random.default_rng(5).normal(size=(heavy, 3, 1))
    frames = motion.transforms(shape, conf)
    pulled = np.asarray(motion.pull(shape, frames, motion.place(shape, frames), jnp.asarray(force)))[:used, 0]
    position, turn, torsion = (np.asarray(part, dtype=float)[:, 0] for part in conf)

    def energy(step: np.ndarray) -> float:
        spin = Rotation.from_rotvec(step[3:6]) * Rotation.from_quat(turn, scalar_first=True)
        moved = motion.settled(
            ligand, position + step[:3], spin.as_quat(scalar_first=True), torsion[: used - 6] + step[6:]
        )
        return float((force[:heavy, :, 0] * moved[ligand.heavy]).sum())

    steps = 1e-5 * np.eye(used)
    measured = [(energy(step) - energy(-step)) / 2e-5 for step in steps]
    assert pulled == pytest.approx(measured, abs=1e-3)


def test_a_torsion_of_hydrogens_alone_is_not_searched() -> None:
    ligand = tree(ligand_pdbqt("CCO"))
    assert ligand.torsions == 1
    assert motion.turning(ligand).tolist() == [0]
