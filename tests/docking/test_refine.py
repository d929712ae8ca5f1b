"""Poses among explicit atoms; references: the plain energy functions, and laws of clustering."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rdkit import Chem

from docking.energy import VINA, Atoms, explicit, intramolecular, smooth
from docking.search import motion, refine, walk
from docking.search.motion import Conf
from docking.search.refine import distinct
from tests.docking.complexes import embedded, small
from tests.docking.test_energy import atoms
from tests.docking.test_search import confs, setting


def among_atoms() -> tuple[Conf, np.ndarray, np.ndarray]:
    """Poses, their energies and slopes in the batched form that refinement descends."""
    ligand, _, problem, field = setting()
    conf = confs(16, seed=11)
    coords = np.asarray(motion.place(problem.layout, motion.transforms(problem.layout, conf)))
    near = refine.around(VINA, ligand, atoms(small().receptor), coords, 16)
    among = jax.jit(
        lambda p, f, n, c: refine.surface(VINA, p, f, n)(c)
    )  # the grid no constant: it compiles faster
    energy, slope = among(problem, field, near, conf)
    return conf, np.asarray(energy), np.asarray(slope)


def test_the_energy_is_that_of_the_plain_functions() -> None:
    """Reference: explicit() and intramolecular(), written for one pose and apart from this."""
    ligand, grid, _, _ = setting()
    receptor = atoms(small().receptor)
    conf, energy, _ = among_atoms()
    seen = 0
    for pose in range(16):
        coords = motion.settled(ligand, *(np.asarray(part, dtype=float)[:, pose] for part in conf))
        if ((coords < grid.low) | (coords > grid.high)).any():
            continue
        here = Atoms(coords, ligand.xs)
        told = explicit(smooth(VINA), here, receptor) + intramolecular(smooth(VINA), here, ligand.pairs)
        assert float(energy[pose]) == pytest.approx(float(told), rel=1e-3, abs=5e-3)
        seen += 1
    assert seen > 5


@pytest.mark.slow
def test_refined_poses_are_at_rest_and_lower() -> None:
    ligand, _, problem, field = setting()
    receptor = atoms(small().receptor)
    conf = confs(refine.REFINED, seed=12, spread=1.0)
    coords = np.asarray(motion.place(problem.layout, motion.transforms(problem.layout, conf)))
    _, down = refine._programs(VINA)
    near = refine.around(VINA, ligand, receptor, coords, 16)
    every = np.int32(refine.REFINED)
    rest, energy = down(problem, field, near, conf, every)
    _, again = down(problem, field, near, rest, every)
    before, _ = jax.jit(lambda n, c: refine.surface(VINA, problem, field, n)(c))(near, conf)
    assert (np.asarray(energy) < np.asarray(before)).all()
    assert np.median(np.asarray(energy) - np.asarray(again)) < 0.02


def test_distinct_poses_are_apart_and_lowest() -> None:
    rng = np.random.default_rng(6)
    coords, energies = rng.normal(scale=0.6, size=(80, 5, 3)), rng.normal(size=80)
    kept = distinct(coords, energies, most=20, apart=1.0)
    assert (np.diff(energies[kept]) >= 0).all()
    assert kept[0] == energies.argmin()
    gaps = np.sqrt(np.square(coords[kept][:, None] - coords[kept][None]).sum(axis=-1).mean(axis=-1))
    assert (gaps[np.triu_indices(len(kept), 1)] >= 1.0).all()
    if len(kept) < 20:  # then every pose left out is near a lower one that was kept
        near = np.sqrt(np.square(coords[:, None] - coords[kept][None]).sum(axis=-1).mean(axis=-1)) < 1.0
        assert (near | (np.arange(80)[:, None] == kept[None])).any(axis=1).all()


def test_poses_of_one_basin_do_not_crowd_out_the_others() -> None:
    """A search brings thousands of copies of few minima; each basin must be kept once."""
    rng = np.random.default_rng(8)
    basins = 10.0 * rng.normal(size=(12, 6, 3))
    coords = np.repeat(basins, 200, axis=0) + rng.normal(scale=0.02, size=(2400, 6, 3))
    energies = np.repeat(np.arange(12.0), 200) + rng.uniform(0, 0.5, size=2400)
    assert (distinct(coords, energies, most=9) // 200).tolist() == list(range(9))


@pytest.mark.slow
def test_nothing_is_said_of_atoms_out_of_reach() -> None:
    ligand, _, problem, field = setting()
    far = Atoms(np.array([[500.0, 0.0, 0.0]]), np.array([0]))
    conf = confs(2, seed=3)
    coords = np.asarray(motion.place(problem.layout, motion.transforms(problem.layout, conf)))
    near = refine.around(VINA, ligand, far, coords, 16)
    assert int(near.used) == 0
    energy, _ = refine.surface(VINA, problem, field, near)(conf)
    inner, _ = walk.evaluate(
        VINA, problem, field._replace(corners=jnp.zeros_like(field.corners)), conf, 1e3, 1e3
    )
    assert np.asarray(energy) == pytest.approx(np.asarray(inner), abs=1e-3)


def test_poses_that_symmetry_makes_equal_are_one() -> None:
    """Reference: RDKit's CalcRMS, which follows symmetry; a benzene turned by 60 degrees is the same pose."""
    from rdkit.Chem.rdMolAlign import CalcRMS

    from docking import ligand, pose
    from docking.engines.native import relabelled, tree_of

    mol = embedded("Cc1ccc(C(=O)[O-])cc1", seed=1)
    one = ligand.of_mol(mol)
    tree, start = tree_of(one), one.coords()
    flipped = start.copy()  # half a turn about the long axis: ring carbons and acid oxygens change places
    far, near = (mol.GetSubstructMatch(Chem.MolFromSmarts(s))[0] for s in ("[CH3]", "C(=O)[O-]"))
    axis = (start[far] - start[near]) / np.linalg.norm(start[far] - start[near])
    flipped = start[near] + 2 * np.outer((start - start[near]) @ axis, axis) - (start - start[near])
    shifted = start + np.array([2.0, 0.0, 0.0])
    poses = np.stack([one.docked(xyz)[tree.heavy] for xyz in (start, flipped, shifted)])
    energies = np.array([0.0, 1.0, 2.0])
    alike = relabelled(one, tree)
    assert len(alike) == 4
    assert distinct(poses, energies, 9, alike=alike).tolist() == [0, 2]
    assert distinct(poses, energies, 9).tolist() == [0, 1, 2]
    bare = [Chem.RemoveHs(pose.with_coords(mol, xyz)) for xyz in (start, flipped)]
    assert CalcRMS(bare[0], bare[1]) < 1.0 < np.sqrt(np.square(poses[0] - poses[1]).sum(axis=-1).mean())
