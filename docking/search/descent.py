"""How does a batch of poses reach its nearest minima?

BFGS with one line search per pose. In every step each pose evaluates one place:
the next trial of its own descent, so that none waits for another. What is
descended is the caller's: a grid (walk.py) or the receptor's atoms (refine.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from discovery.extras import needs
from docking.search import motion
from docking.search.motion import Conf, Layout

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax


# poses -> [pose] kcal/mol and [dof, pose] per scaled unit
Surface = Callable[[Conf], tuple[jax.Array, jax.Array]]
REFUSALS = 8  # trial lengths in a row after which a descent is over
HIGH = 1e9  # kcal/mol, of a pose that was not evaluated


class Descent(NamedTuple):
    """A batch of descents, pose axis last. Directions are scaled: one unit moves atoms by 1 Å."""

    here: Conf
    energy: jax.Array  # [pose] kcal/mol
    slope: jax.Array  # [dof, pose]
    inverse: jax.Array  # [dof, dof, pose], inverse Hessian
    way: jax.Array  # [dof, pose]
    length: jax.Array  # [pose], trial step along `way`
    steps: jax.Array  # [pose] int, steps taken
    tries: jax.Array  # [pose] int, trial lengths refused in a row
    fresh: jax.Array  # [pose] bool: `here` has not been evaluated
    done: jax.Array  # [pose] bool


class Limits(NamedTuple):
    """When a descent ends; traced, so that changing one compiles nothing."""

    most_steps: float = 20.0
    enough: float = 0.02  # kcal/mol that the quadratic model still promises
    hopeless: float = 6.0  # kcal/mol above `ceiling`, after three times all that is still promised
    longest: float = 1.0  # Å, root mean square displacement of a trial step


TIGHT = Limits(most_steps=1e6, enough=1e-3, hopeless=HIGH)


def resting(conf: Conf) -> Descent:
    """Descents that will set out from given poses."""
    torsions, poses = conf.torsion.shape
    n = 6 + torsions
    zero, count = jnp.zeros(poses, jnp.float32), jnp.zeros(poses, jnp.int32)
    still = jnp.zeros((n, poses), jnp.float32)
    fresh = jnp.ones(poses, bool)
    return Descent(conf, zero + HIGH, still, identity(n, poses), still, zero, count, count, fresh, ~fresh)


def identity(n: int, poses: int) -> jax.Array:
    """[dof, dof, pose]."""
    return jnp.broadcast_to(jnp.eye(n, dtype=jnp.float32)[:, :, None], (n, n, poses))


def step(
    surface: Surface, ligand: Layout, limits: Limits, d: Descent, ceiling: jax.Array | float = HIGH
) -> Descent:
    """One evaluation for every pose, and what its descent makes of it."""
    trial = motion.displaced(d.here, d.length * d.way * ligand.scale[:, None])
    energy, slope = surface(trial)
    descent = _dot(d.way, d.slope)
    better = energy <= d.energy + 1e-4 * d.length * descent
    taken = (better | d.fresh) & ~d.done
    moved, change = d.length * d.way, slope - d.slope
    inverse, way = _update(d, moved, change, slope, better & ~d.fresh & ~d.done, ligand.nodes + 5)
    way = jnp.where(d.fresh, -slope, way)
    gain, size = -0.5 * _dot(way, slope), jnp.sqrt(_dot(way, way))
    first = jnp.minimum(1.0, limits.longest / jnp.maximum(size, 1e-6))
    steps = jnp.where(taken, d.steps + 1, d.steps)
    tries = jnp.where(taken, 0, d.tries + 1)
    now = jnp.where(taken, energy, d.energy)
    ended = (
        (taken & (steps > 1) & (gain < limits.enough))
        | (tries >= REFUSALS)
        | (steps >= limits.most_steps)
        | (taken & (steps > 4) & (now - 3.0 * gain > ceiling + limits.hopeless))
    )
    return Descent(
        here=choose(taken, trial, d.here),
        energy=now,
        slope=jnp.where(taken, slope, d.slope),
        inverse=inverse,
        way=jnp.where(taken, way, d.way),
        length=jnp.where(taken, first, _shorter(d.length, energy - d.energy, descent)),
        steps=steps,
        tries=tries,
        fresh=d.fresh & d.done,
        done=d.done | ended,
    )


def settle(surface: Surface, ligand: Layout, evaluations: int, start: Descent) -> Descent:
    """Straight down from where each descent stands, by so many more evaluations at most."""

    def once(state: tuple[jax.Array, Descent]) -> tuple[jax.Array, Descent]:
        return state[0] + 1, step(surface, ligand, TIGHT, state[1])

    def going(state: tuple[jax.Array, Descent]) -> jax.Array:
        return (state[0] < evaluations) & ~state[1].done.all()

    end: Descent = lax.while_loop(going, once, (jnp.int32(0), start))[1]
    return end


def choose(which: jax.Array, one: Conf, other: Conf) -> Conf:
    """Pose by pose, `one` where `which` is true."""
    return Conf(*(jnp.where(which, a, b) for a, b in zip(one, other, strict=True)))


def _update(
    d: Descent, moved: jax.Array, change: jax.Array, slope: jax.Array, taken: jax.Array, used: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The BFGS update of the inverse Hessian, and the next direction."""
    curve = _dot(moved, change)
    fine = taken & (curve > 1e-8)
    flat = jnp.where(fine, curve, 1.0)
    start = jnp.where(fine & (d.steps == 1), flat / jnp.maximum(_dot(change, change), 1e-8), 1.0)

    def column(j: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        held = lax.dynamic_index_in_dim(d.inverse, j, 0, keepdims=False)
        return sums[0] + held * change[j], sums[1] + held * slope[j]

    zero = jnp.zeros_like(slope)
    bent, aimed = lax.fori_loop(0, used, column, (zero, zero))
    bent, aimed = bent * start, aimed * start
    rho = jnp.where(fine, 1.0 / flat, 0.0)
    both = rho * (1.0 + rho * _dot(change, bent))
    cross = rho * moved
    inverse = d.inverse * start - cross[:, None] * bent[None] - bent[:, None] * cross[None]
    inverse = inverse + (both * moved)[:, None] * moved[None]
    along = _dot(moved, slope)
    way = aimed - cross * _dot(bent, slope) - bent * (rho * along) + both * along * moved
    return inverse, -way


def _dot(one: jax.Array, other: jax.Array) -> jax.Array:
    """[dof, pose] twice -> [pose]. A matrix product, which XLA computes once and does not repeat in every use."""
    return (jnp.ones((1, one.shape[0]), one.dtype) @ (one * other))[0]


def _shorter(length: jax.Array, rise: jax.Array, descent: jax.Array) -> jax.Array:
    """The minimum of the parabola through both energies and the slope, within 0.1 to 0.5 of the refused step."""
    bend = jnp.maximum(rise - descent * length, 1e-12)
    return jnp.clip(-0.5 * descent * length * length / bend, 0.1 * length, 0.5 * length)
