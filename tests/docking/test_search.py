"""The search: its energies are the references', its results depend on nothing but ligand and seed."""

from __future__ import annotations

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from docking import maps
from docking.energy import VINA, Atoms, intramolecular, smooth
from docking.ligands.tree import Tree
from docking.search import effort, motion, walk
from docking.search.motion import Conf
from tests.docking.complexes import examples, needs_shared, small
from tests.docking.test_energy import atoms, tree

ROWS = 1 << 20  # as the engine's tests have, so that programs are compiled once
POSES = 64  # of every batch here, for the same reason

evaluate = jax.jit(partial(walk.evaluate, VINA))  # arguments, no constants: compiled once for all tests


@lru_cache(maxsize=4)
def setting(smiles: str = "OCCc1ccc(cc1)C(=O)NCC") -> tuple[Tree, maps.Grid, walk.Problem, walk.Field]:
    case = small(smiles)
    ligand = tree(case.ligand)
    grid = maps.build(
        VINA, atoms(case.receptor), (0.0, 0.0, 0.0), (15.0, 15.0, 15.0), maps.types_of(ligand.xs)
    )
    return ligand, grid, walk.problem(VINA, ligand, grid.types, 16, 8), walk.field(grid, ROWS)


def confs(poses: int, seed: int, spread: float = 1.5) -> Conf:
    rng = np.random.default_rng(seed)
    turn = rng.normal(size=(4, poses))
    return Conf(
        jnp.asarray(rng.normal(scale=spread, size=(3, poses)), jnp.float32),
        jnp.asarray(turn / np.linalg.norm(turn, axis=0), jnp.float32),
        jnp.asarray(rng.uniform(-3, 3, size=(8, poses)), jnp.float32),
    )


def test_the_walkers_energy_is_that_of_the_plain_functions() -> None:
    """Reference: grid and pair sums of single poses, written apart from the search."""
    ligand, grid, problem, field = setting()
    conf = confs(POSES, seed=1)
    energy, _ = evaluate(problem, field, conf, 1000.0, 1e6)
    for pose in range(6):
        coords = motion.settled(ligand, *(np.asarray(part, dtype=float)[:, pose] for part in conf))
        here = Atoms(coords, ligand.xs)
        told = maps.grid_energy(grid, here) + float(intramolecular(smooth(VINA), here, ligand.pairs))
        assert float(energy[pose]) == pytest.approx(told, rel=2e-3, abs=2e-2)


def test_shifts_without_pairs_are_left_out_and_nothing_else() -> None:
    """The same sums for atoms in use, whether shifts wrap at them or at the padded ones."""
    ligand, grid, problem, _ = setting()
    loose = walk.problem(VINA, ligand, grid.types, 16, 8, tight=False)
    assert problem.contacts.ring is not None
    assert loose.contacts.ring is None
    assert int(problem.contacts.ring.used) < 8
    heavy = int(ligand.heavy.sum())
    coords = jnp.asarray(np.random.default_rng(4).normal(scale=3.0, size=(16, 3, 5)), jnp.float32)
    outer = jnp.ones((16, 5)), jnp.zeros((16, 3, 5)).at[:heavy].set(2.0)
    sums = [walk.intramolecular_sums(VINA, p.contacts, coords, 10.0, outer) for p in (problem, loose)]
    (energy, slope), (other, steep) = sums
    assert np.asarray(energy.sum(axis=0)) == pytest.approx(np.asarray(other.sum(axis=0)), rel=1e-4)
    assert np.asarray(slope)[:heavy] == pytest.approx(np.asarray(steep)[:heavy], rel=1e-4, abs=1e-4)


def test_the_walkers_slope_is_that_of_their_energy() -> None:
    """Reference: central differences; the grid is linear in cells, so steps are small and kinks are rare."""
    ligand, _, problem, field = setting()
    conf = confs(POSES, seed=2, spread=1.0)
    _, slope = evaluate(problem, field, conf, 20.0, 100.0)
    for dof in range(6 + len(motion.turning(ligand)) - 1):
        way = np.zeros((14, POSES), np.float32)
        way[dof] = 2e-3 * float(problem.layout.scale[dof])
        moved = (motion.displaced(conf, jnp.asarray(sign * way)) for sign in (1, -1))
        ahead, behind = (evaluate(problem, field, one, 20.0, 100.0)[0] for one in moved)
        measured = (np.asarray(ahead, dtype=float) - np.asarray(behind, dtype=float)) / 4e-3
        wrong = np.abs(measured - np.asarray(slope[dof])) > 0.05 + 0.02 * np.abs(measured)
        assert wrong.mean() < 0.35, dof
        assert np.median(np.abs(measured - np.asarray(slope[dof]))) < 0.1


def test_a_descent_goes_down_to_rest() -> None:
    _, _, problem, field = setting()
    down = effort.programs(VINA)[3]
    conf = confs(POSES, seed=3)
    before, _ = evaluate(problem, field, conf, 1000.0, 1000.0)
    rest, after = down(problem, field, conf, 1000.0, 1000.0)
    assert (np.asarray(after) <= np.asarray(before) + 1e-3).all()
    _, later = down(problem, field, rest, 1000.0, 1000.0)
    assert np.median(np.asarray(after) - np.asarray(later)) < 0.05


@needs_shared
def test_glue_pulls_a_macrocycle_together() -> None:
    """Reference: 50 kcal/mol/Å for each dummy's distance from its partner, by hand."""
    case = next(one for one in examples() if one.name == "BACE_1")
    ligand = tree(case.ligand)
    types = maps.types_of(ligand.xs)
    problem = walk.problem(VINA, ligand, types, 48, 24)
    bare = problem._replace(contacts=problem.contacts._replace(glued=jnp.int32(0)))
    grid = maps.Grid(np.zeros((len(types), 2, 2, 2)), types, np.full(3, -50.0), 100.0)
    field = walk.field(grid, 8 * len(types))
    torsion = np.random.default_rng(9).uniform(-2, 2, size=24)
    turn = np.array([1.0, 0, 0, 0])
    conf = Conf(*(jnp.asarray(part[:, None], jnp.float32) for part in (np.zeros(3), turn, torsion)))
    with_glue, without = (
        jax.jit(lambda p: walk.evaluate(VINA, p, field, conf, 1000.0, 100.0)[0][0])(p)
        for p in (problem, bare)
    )
    coords = motion.settled(ligand, np.zeros(3), turn, torsion)
    far = sum(float(np.linalg.norm(coords[i] - coords[j])) for i, j in ligand.glue.tolist())
    assert far > 1.0
    assert float(with_glue - without) == pytest.approx(50.0 * far, rel=1e-3)
