"""From a search's many minima to a few poses: which are distinct, and where do they lie among the receptor's atoms?

Minima lie some tenths of an Å apart, so the lowest are looked about once more. A grid
blurs the receptor by some tenths of a kcal/mol, so the best distinct poses descend
once more, against the atoms themselves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from discovery.extras import needs
from docking.atom_types import ACCEPTOR, DONOR, HYDROPHOBIC, Floats, Ints
from docking.energy import CAP, CUTOFF, Atoms, Function, bucket, in_full
from docking.ligands.tree import Tree
from docking.search import motion
from docking.search.descent import HIGH, Descent, Surface, resting, settle
from docking.search.effort import CLOSER, LOOK, Found, programs, whole_looks
from docking.search.motion import Conf
from docking.search.programs import Program, keepable
from docking.search.walk import Field, Knobs, Problem, gathered, walkers, with_outer

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax
    from scipy.spatial.distance import cdist


MIN_RMSD = 1.0  # Å between two poses that both are kept, as Vina
WIDE = 2.0  # Å between two minima that are answers of their own
NEAR = 0.5  # Å between two minima on the grid that both descend further; the grid may rank neighbours wrongly
BLOCK = 256  # minima placed and compared at a time
CENTRES = 16  # lowest minima that are looked about
CLOSE = Knobs(temperature=0.6, shift=0.5, twist=1.0)  # small steps, of which few are accepted that lead up
DESCENDED = 64  # distinct ones that descend on the grid without a soft core
REFINED = 32  # distinct ones that descend among the receptor's atoms
SKIN = 1.0  # Å that a pose may move before a receptor atom is missed
CHUNK = 16  # receptor atoms at a time
WALL = 1e3  # kcal/mol/Å outside the box
EVALUATIONS = 40
FIRST = 20  # of all; nine tenths are then within 0.1 kcal/mol of their rest, most of them at it
LATE = 16  # the lowest that are not at rest after those go on


class Around(NamedTuple):
    """The receptor atoms near each pose, and what is needed of the ligand's, pose axis last."""

    atoms: jax.Array  # [receptor atom, 7, pose]: place and radius, Å; hydrophobic, donor, acceptor, 0 or 1
    used: jax.Array  # [] int, receptor atoms in use
    own: jax.Array  # [atom, 4]: radius and the same traits of the ligand's atoms
    counted: jax.Array  # [atom] 0 or 1


keepable(Around)


def surface(function: Function, ligand: Problem, site: Field, around: Around) -> Surface:
    """The energy of poses among explicit atoms, as `descent` takes it."""
    return lambda conf: with_outer(
        function, ligand, conf, CAP, lambda coords: _inter(function, site, around, coords)
    )


def _inter(function: Function, site: Field, around: Around, coords: jax.Array) -> tuple[jax.Array, jax.Array]:
    """[atom, pose] energy and [atom, 3, pose] slope, curled atom by atom, walls about the box."""
    atoms, _, poses = coords.shape
    fat, donor, acceptor = (around.own[:, k, None] for k in (1, 2, 3))
    x, y, z = (coords[:, k] for k in range(3))
    ones, alone = jnp.ones((1, CHUNK), coords.dtype), jnp.eye(CHUNK, dtype=coords.dtype)

    def some(c: jax.Array, sums: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        # A product with 1 copies the slice. XLA would put its moving start into every loop that reads it, and
        # LLVM then leaves those loops scalar: 6.0 against 4.2 ms for 32 poses of 27 atoms among 421.
        chunk = lax.dynamic_slice_in_dim(around.atoms, c * CHUNK, CHUNK)
        rows = (alone @ chunk.reshape(CHUNK, -1)).reshape(chunk.shape)
        here = [rows[:, k, None] for k in range(7)]  # each [receptor atom, 1, pose]
        dx, dy, dz = x - here[0], y - here[1], z - here[2]
        square = jnp.square(dx) + jnp.square(dy) + jnp.square(dz)
        distance = jnp.sqrt(jnp.maximum(square, 1e-4))
        bond = jnp.minimum(donor * here[6] + acceptor * here[5], 1.0)
        value, rise = jax.jvp(
            lambda gap: function.pair(gap, fat * here[4], bond, function.weights),
            (distance - around.own[:, 0, None] - here[3],),
            (jnp.ones_like(distance),),
        )
        inside = (square < CUTOFF**2) & (here[3] > 0.0)
        value, rise = jnp.where(inside, value, 0.0), jnp.where(inside, rise / distance, 0.0)
        parts = (value, rise * dx, rise * dy, rise * dz)
        return tuple(
            total + (ones @ part.reshape(CHUNK, -1)).reshape(atoms, poses)
            for total, part in zip(sums, parts, strict=True)
        )

    zero = jnp.zeros((atoms, poses), coords.dtype)
    chunks = (around.used + CHUNK - 1) // CHUNK
    energy, *slopes = lax.fori_loop(0, chunks, some, (zero, zero, zero, zero))
    slope = jnp.stack(slopes, axis=1)
    counted = around.counted[:, None]
    squash = CAP / (CAP + jnp.maximum(energy, 0.0))
    outside = coords - jnp.clip(coords, site.low[:, None], site.high[:, None])
    slope = slope * (counted * jnp.where(energy > 0.0, squash * squash, 1.0))[:, None]
    slope = slope + WALL * counted[:, None] * jnp.sign(outside)
    return counted * (energy * squash + WALL * jnp.abs(outside).sum(axis=1)), slope


def around(function: Function, tree: Tree, receptor: Atoms, poses: Floats, atoms: int) -> Around:
    """The receptor atoms within reach of each pose.

    Parameters
    ----------
    poses : [atom, 3, pose] Å, heavy atoms of a layout
    atoms : heavy atoms the layout is padded to
    """
    heavy = motion.heavy_of(tree)
    keep = np.asarray(receptor.xs) >= 0
    coords, xs = np.asarray(receptor.coords)[keep], np.asarray(receptor.xs)[keep]
    flat = poses[: len(heavy)].transpose(2, 0, 1).reshape(-1, 3)
    reach = CUTOFF + SKIN
    beside = (coords >= flat.min(axis=0) - reach) & (coords <= flat.max(axis=0) + reach)
    near = np.flatnonzero(beside.all(axis=1))
    close = cdist(flat, coords[near], "sqeuclidean") <= reach**2
    lists = [near[found] for found in close.reshape(poses.shape[-1], len(heavy), len(near)).any(axis=1)]
    most = max(map(len, lists))
    rows = bucket(most, 1024)
    there = np.zeros((rows, 7, poses.shape[-1]), np.float32)
    there[:, :3] = 1e4
    seen = np.concatenate([coords, _traits(function, xs)], axis=1)
    for pose, found in enumerate(lists):
        there[: len(found), :, pose] = seen[found]
    own = np.zeros((atoms, 4), np.float32)
    own[: len(heavy)] = _traits(function, tree.xs[heavy])
    counted = np.zeros(atoms, np.float32)
    counted[: len(heavy)] = function.radii[tree.xs[heavy]] > 0.0
    if tree.met is not None:
        counted[: len(heavy)] *= tree.met[heavy]
    return Around(*jax.device_put((there, np.int32(most), own, counted)))


def _traits(function: Function, xs: Ints) -> Floats:
    return np.stack([function.radii[xs], HYDROPHOBIC[xs], DONOR[xs], ACCEPTOR[xs]], axis=1).astype(float)


def distinct(
    coords: Floats, energies: Floats, most: int, apart: float = MIN_RMSD, alike: Ints | None = None
) -> Ints:
    """The lowest poses of which no two are nearer than `apart`.

    The distance is the root mean square over atoms, with no fitting, as Vina's; at the
    relabelling that makes it smallest where the ligand has equivalent atoms.

    Parameters
    ----------
    coords : [pose, atom, 3] Å
    energies : [pose]
    alike : [relabelling, atom], optional
        Ways to exchange equivalent atoms, the plain one among them.

    Returns
    -------
    Indices, lowest energy first, `most` of them or fewer.
    """
    flat = coords.reshape(len(coords), -1)
    limit = apart * apart * coords.shape[1]
    order = np.argsort(energies, kind="stable")
    kept: list[int] = []
    if alike is not None and len(alike) > 1:
        for pose in order.tolist():
            again = coords[pose][alike].reshape(len(alike), -1)  # the pose under all its labels
            if not kept or cdist(again, flat[kept], "sqeuclidean").min() >= limit:
                kept.append(pose)
            if len(kept) == most:
                break
        return np.array(kept, dtype=np.int64)
    for first in range(0, len(order), BLOCK):
        block = order[first : first + BLOCK]
        if kept:  # most of a search's minima are the same few: drop those of a block at once
            block = block[cdist(flat[block], flat[kept], "sqeuclidean").min(axis=1) >= limit]
        new: list[int] = []
        for pose in block.tolist():
            if len(kept) + len(new) == most:
                return np.array(kept + new, dtype=np.int64)
            if not new or np.square(flat[new] - flat[pose]).sum(axis=1).min() >= limit:
                new.append(pose)
        kept += new
    return np.array(kept, dtype=np.int64)


def closer(
    function: Function,
    tree: Tree,
    ligand: Problem,
    site: Field,
    found: Found,
    seed: int,
    ticks: tuple[int, int],
) -> Found:
    """Looks about a search's lowest minima for lower ones, by small steps; what is found joins the rest.

    Walkers of a search agree on a pose before any of them has found the lowest of the minima it consists of.

    Parameters
    ----------
    ticks : for a rigid ligand and more for each torsion, as of a search; with 0 nothing is looked for
    """
    base, more = ticks
    most = whole_looks(base + more * (int(ligand.layout.nodes) - 1))
    if not most:
        return found
    _, first = np.unique(found.energy, return_index=True)
    first = first[: 2 * BLOCK]
    coords = _coords(function, tree, ligand, found.conf, first)
    centres = first[distinct(coords, found.energy[first].astype(float), CENTRES, NEAR)]
    poses = walkers(ligand)
    who = centres[np.arange(poses) * len(centres) // poses]  # those of an island share few, so that they mix
    here = gathered(_take(found.conf, who), jax.device_put(found.energy[who]))
    advance, key = programs(function)[1], jax.random.fold_in(jax.random.key(seed), CLOSER)
    confs, energies = [found.conf], [found.energy]
    for tick in range(0, most, LOOK):
        here = advance(ligand, site, CLOSE, key, np.int32(tick), np.int32(LOOK), here)
        confs.append(here.kept)
        energies.append(np.asarray(here.kept_energy))
    confs.append(here.best)
    energies.append(np.asarray(here.best_energy))
    parts = [
        np.concatenate([np.asarray(part) for part in some], axis=-1) for some in zip(*confs, strict=True)
    ]
    conf = Conf(*jax.device_put(parts))
    return Found(conf, np.concatenate(energies), found.ticks + most, found.agreed)


def _coords(function: Function, tree: Tree, ligand: Problem, conf: Conf, which: Ints) -> Floats:
    """[pose, heavy atom, 3] Å of some minima, placed a block at a time: one program for any number."""
    place, heavy = _programs(function)[0], len(motion.heavy_of(tree))
    parts = [
        _by_pose(place(ligand.layout, _take(conf, _filled(which[k : k + BLOCK], BLOCK))), heavy)
        for k in range(0, len(which), BLOCK)
    ]
    return np.concatenate(parts)[: len(which)]


def _spread(coords: Floats, energies: Floats, most: int) -> Ints:
    """Poses to go on with: most of them answers of their own, the rest neighbours of the lowest, which the grid may misrank."""
    wide = distinct(coords, energies, most * 3 // 4, WIDE)
    close = distinct(coords, energies, most, NEAR)
    return np.concatenate([wide, close[~np.isin(close, wide)]])[:most]


def poses(
    function: Function, tree: Tree, receptor: Atoms, ligand: Problem, site: Field, found: Found
) -> tuple[Conf, Floats]:
    """The search's minima -> distinct poses, each at rest among the receptor's atoms.

    Returns
    -------
    conf, and [pose] kcal/mol inter and intra by the smooth formula; in no order, and
    some may have come to rest at the same place.
    """
    place, refine = _programs(function)
    heavy = len(motion.heavy_of(tree))
    settle_on_grid = programs(function)[3]

    _, first = np.unique(found.energy, return_index=True)  # sorted; a minimum is kept over many looks
    coords = _coords(function, tree, ligand, found.conf, first)
    chosen = first[_spread(coords, found.energy[first].astype(float), DESCENDED)]

    conf = _take(found.conf, _filled(chosen, DESCENDED))
    conf, low = settle_on_grid(ligand, site, conf, CAP, WALL)
    coords = _by_pose(place(ligand.layout, conf), heavy)
    chosen = _spread(coords, np.asarray(low, dtype=float), REFINED)

    conf = _take(jax.device_get(conf), _filled(chosen, REFINED))
    near = around(function, tree, receptor, np.asarray(place(ligand.layout, conf)), ligand.slot.shape[0])
    conf, energy = refine(ligand, site, near, conf, np.int32(len(chosen)))
    conf, energy = jax.device_get((conf, energy))
    return Conf(*(part[..., : len(chosen)] for part in conf)), np.asarray(energy[: len(chosen)], dtype=float)


def _take(conf: Conf, which: Ints) -> Conf:
    return Conf(*jax.device_put([np.asarray(part)[..., which] for part in conf]))


def _filled(which: Ints, size: int) -> Ints:
    """Indices, the first repeated up to a fixed size."""
    return np.concatenate([which, np.full(size - len(which), which[0])])


def _by_pose(coords: Any, heavy: int) -> Floats:
    return np.asarray(coords, dtype=float)[:heavy].transpose(2, 0, 1)


@lru_cache(maxsize=8)
def _programs(function: Function) -> tuple[Any, Program]:
    def place(layout: motion.Layout, conf: Conf) -> jax.Array:
        return motion.place(layout, motion.transforms(layout, conf))

    def refine(
        ligand: Problem, site: Field, near: Around, conf: Conf, used: jax.Array
    ) -> tuple[Conf, jax.Array]:
        first = settle(surface(function, ligand, site, near), ligand.layout, FIRST, resting(conf))
        at_rest = first.done | (jnp.arange(REFINED) >= used)
        late = jnp.argsort(jnp.where(at_rest, HIGH, first.energy))[:LATE]
        still: Descent = jax.tree.map(lambda part: part[..., late], first)
        near = near._replace(atoms=near.atoms[..., late])
        rest = settle(surface(function, ligand, site, near), ligand.layout, EVALUATIONS - FIRST, still)
        conf = Conf(*(all_.at[..., late].set(few) for all_, few in zip(first.here, rest.here, strict=True)))
        return conf, first.energy.at[late].set(rest.energy)

    return jax.jit(in_full(place)), Program("refine", function, in_full(refine))
