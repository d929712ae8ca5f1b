"""BFGS for a batch; references: the minima of functions that are known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from docking.search import motion
from docking.search.descent import HIGH, Descent, Limits, Surface, resting, settle, step
from docking.search.motion import Conf
from tests.docking.complexes import ligand_pdbqt
from tests.docking.test_energy import tree

LIGAND = motion.layout(tree(ligand_pdbqt("CCC")), 8, 2)


def start(poses: int) -> Conf:
    rng = np.random.default_rng(1)
    turn = jnp.tile(jnp.asarray([[1.0], [0], [0], [0]]), (1, poses))
    return Conf(jnp.asarray(rng.normal(scale=5, size=(3, poses)), jnp.float32), turn, jnp.zeros((2, poses)))


def bowl(conf: Conf) -> tuple[jax.Array, jax.Array]:
    """A long valley in the position with its minimum at (1, 2, 3); curvatures 1, 10 and 100."""
    stiff = jnp.asarray([1.0, 10.0, 100.0])[:, None]
    away = conf.position - jnp.asarray([1.0, 2.0, 3.0])[:, None]
    slope = jnp.zeros((8, away.shape[1])).at[:3].set(stiff * away)
    return 0.5 * (stiff * away * away).sum(axis=0), slope


def banana(conf: Conf) -> tuple[jax.Array, jax.Array]:
    """Rosenbrock's valley in x and y, minimum 0 at (1, 1)."""
    x, y, z = conf.position
    value = (1 - x) ** 2 + 20 * (y - x * x) ** 2 + z * z
    slope = jnp.zeros((8, x.shape[0])).at[0].set(-2 * (1 - x) - 80 * x * (y - x * x))
    return value, slope.at[1].set(40 * (y - x * x)).at[2].set(2 * z)


def settled(surface: Surface, evaluations: int, conf: Conf) -> Descent:
    return jax.jit(lambda c: settle(surface, LIGAND, evaluations, resting(c)))(conf)


def test_reaches_the_bottom_of_a_bowl() -> None:
    rest = settled(bowl, 60, start(32))
    assert np.abs(np.asarray(rest.energy)).max() < 1e-2
    assert np.abs(np.asarray(rest.here.position) - np.array([[1.0], [2.0], [3.0]])).max() < 0.1


def test_follows_a_bent_valley() -> None:
    assert np.median(np.asarray(settled(banana, 300, start(32)).energy)) < 1e-2


def test_never_climbs() -> None:
    descent = resting(start(16))
    once = jax.jit(lambda d: step(banana, LIGAND, Limits(), d))
    last = np.full(16, HIGH)
    for _ in range(30):
        descent = once(descent)
        assert (np.asarray(descent.energy) <= last).all()
        last = np.asarray(descent.energy)


def test_a_pose_does_not_depend_on_its_neighbours() -> None:
    poses = start(16)
    mixed = Conf(*(part[:, ::-1] for part in poses))
    energy, again = (np.asarray(settled(banana, 40, conf).energy) for conf in (poses, mixed))
    assert (energy == again[::-1]).all()


def test_a_descent_goes_on_where_it_was_left() -> None:
    """A law: in two parts it ends where it ends in one, whoever went on beside it."""
    poses = start(16)
    part = settled(banana, 15, poses)
    few = jax.tree.map(lambda values: values[..., 4:9], part)
    rest = jax.jit(lambda d: settle(banana, LIGAND, 25, d))(few)
    assert np.asarray(rest.energy) == pytest.approx(
        np.asarray(settled(banana, 40, poses).energy)[4:9], abs=1e-5
    )


def test_a_hopeless_descent_is_given_up() -> None:
    descent = resting(start(8))
    once = jax.jit(lambda d: step(banana, LIGAND, Limits(enough=0.0), d, ceiling=-1e6))
    for _ in range(8):
        descent = once(descent)
    assert np.asarray(descent.done).all()
    assert (np.asarray(descent.steps) <= 8).all()
