"""How does the ligand lie? Many walkers look for the lowest energy at once.

A walker descends to a minimum, accepts it or not, and sets out again: from a
changed pose of its own, from a mixture with another walker's, or from a better
walker's place. Walkers form islands that do not know of each other, so that islands
which find the same minimum are evidence that it is the lowest: see effort.py.
Descending itself is in descent.py, moving atoms in motion.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from discovery.extras import needs
from docking.atom_types import ACCEPTOR, DONOR, GLUE, HYDROPHOBIC
from docking.energy import CUTOFF, Function
from docking.ligands.tree import Tree
from docking.maps import Grid, interpolate
from docking.search import motion
from docking.search.descent import HIGH, Descent, Limits, Surface, choose, resting, step
from docking.search.motion import Conf, Layout

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax


Number = float | jax.Array


class Ring(NamedTuple):
    """The circular shifts that hold pairs, among the atoms in use alone."""

    shifts: jax.Array  # [shift] int, of each row of `Contacts`; those that hold no pair are left out
    used: jax.Array  # [] int, rows in use
    atoms: jax.Array  # [] int, where a shift wraps


class Contacts(NamedTuple):
    """Which atom pairs of a ligand have an energy, as circular shifts: atom i and atom i + s."""

    reach: jax.Array  # [shift, atom] Å, sum of the radii
    limit: jax.Array  # [shift, atom] Å², cut-off squared; 0 where the pair has no energy
    hydrophobic: jax.Array  # [shift, atom] 0 or 1
    hbond: jax.Array  # [shift, atom] 0 or 1
    glue: jax.Array  # [glue, 2] rows of atoms that close a macrocycle
    glued: jax.Array  # [] int, glue pairs in use
    ring: Ring | None = None  # None: shift i + 1 is row i, and wraps at the padded atoms


class Problem(NamedTuple):
    """One ligand, padded to a shape that many share."""

    layout: Layout
    contacts: Contacts
    slot: jax.Array  # [atom] int, which grid the atom reads
    counted: jax.Array  # [atom] 0 or 1: meets the receptor
    # Restraints, see docking/restraints.py; None compiles to nothing.
    bias: tuple[Callable[[jax.Array], jax.Array], ...] | None = None


class Field(NamedTuple):
    """The receptor: packed grids and the box."""

    corners: jax.Array  # [kind * x * y * z, 8] kcal/mol
    points: jax.Array  # [3] int, points along each edge
    low: jax.Array  # [3] Å
    high: jax.Array  # [3] Å
    spacing: jax.Array  # [] Å


def problem(
    function: Function, tree: Tree, grid_types: tuple[int, ...], atoms: int, torsions: int, tight: bool = True
) -> Problem:
    """A ligand -> padded arrays.

    `tight` leaves out shifts that hold no pair, which saves a processor a quarter of an
    evaluation; ligands side by side on a GPU then would read at places of their own.
    """
    heavy = motion.heavy_of(tree)
    xs = tree.xs[heavy]
    row = np.full(len(tree.xs), -1)
    row[heavy] = np.arange(len(heavy))
    half, wrap = atoms // 2, len(heavy) if tight else atoms
    pairs = []
    for i, j in row[tree.pairs].tolist():
        if (j - i) % wrap > wrap // 2:
            i, j = j, i
        pairs.append((i, j, (j - i) % wrap))
    shifts = sorted({s for *_, s in pairs}) if tight else list(range(1, half + 1))
    traits = np.zeros((4, half, atoms), np.float32)
    for i, j, shift in pairs:
        a, b = xs[i], xs[j]
        bond = (DONOR[a] and ACCEPTOR[b]) or (ACCEPTOR[a] and DONOR[b])
        fat = HYDROPHOBIC[a] and HYDROPHOBIC[b]
        traits[:, shifts.index(shift), i] = function.radii[a] + function.radii[b], CUTOFF**2, fat, bond
    glue = np.zeros((8, 2), np.int32)
    glue[: len(tree.glue)] = row[tree.glue]
    slot, counted = np.zeros(atoms, np.int32), np.zeros(atoms, np.float32)
    for k, kind in enumerate(xs.tolist()):
        if kind < GLUE and (tree.met is None or tree.met[heavy[k]]):
            slot[k], counted[k] = grid_types.index(kind), 1.0
    contacts = Contacts(*jax.device_put((*traits, glue, np.int32(len(tree.glue)))))
    if tight:
        rows = np.zeros(half, np.int32)
        rows[: len(shifts)] = shifts
        ring = Ring(*jax.device_put((rows, np.int32(len(shifts)), np.int32(wrap))))
        contacts = contacts._replace(ring=ring)
    return Problem(motion.layout(tree, atoms, torsions), contacts, *jax.device_put((slot, counted)))


def field(grid: Grid, rows: int) -> Field:
    """A grid -> packed arrays of `rows` rows."""
    arrays = (
        grid.packed(rows),
        np.array(grid.values.shape[1:], np.int32),
        np.asarray(grid.low, np.float32),
        np.asarray(grid.high, np.float32),
        np.float32(grid.spacing),
    )
    return Field(*jax.device_put(arrays))  # unlike jnp.asarray it compiles nothing, here and elsewhere


# ------------------------------------------------------------------------------------------ energy


def evaluate(
    function: Function, ligand: Problem, site: Field, conf: Conf, cap: Number, wall: Number
) -> tuple[jax.Array, jax.Array]:
    """Energy in the grids and its slope, as `with_outer`."""
    return with_outer(function, ligand, conf, cap, lambda coords: _inter(ligand, site, coords, cap, wall))


def with_outer(
    function: Function,
    ligand: Problem,
    conf: Conf,
    cap: Number,
    outer: Callable[[jax.Array], tuple[jax.Array, jax.Array]],
) -> tuple[jax.Array, jax.Array]:
    """Energy and its slope, what lies about the ligand being the caller's.

    Parameters
    ----------
    outer : [atom, 3, pose] Å -> [atom, pose] kcal/mol and its slope, [atom, 3, pose]

    Returns
    -------
    [pose] kcal/mol, and [dof, pose] scaled so that one unit moves atoms by 1 Å
    """
    frames = motion.transforms(ligand.layout, conf)
    coords = motion.place(ligand.layout, frames)
    energy, push = intramolecular_sums(function, ligand.contacts, coords, cap, outer(coords))
    extra, push = _biased(ligand, coords, push)
    slope = motion.pull(ligand.layout, frames, coords, push)
    ones = jnp.ones((1, coords.shape[0]), coords.dtype)
    return (ones @ energy)[0] + extra, slope * ligand.layout.scale[:, None]


def _biased(ligand: Problem, coords: jax.Array, push: jax.Array) -> tuple[Number, jax.Array]:
    """What restraints add: [pose] kcal/mol, and [atom, 3, pose] slope with theirs in it."""
    if not ligand.bias:
        return 0.0, push
    terms = ligand.bias
    extra, back = jax.vjp(lambda xyz: jnp.stack([term(xyz) for term in terms]).sum(axis=0), coords)
    return extra, push + back(jnp.ones_like(extra))[0]


def _inter(
    ligand: Problem, site: Field, coords: jax.Array, cap: Number, wall: Number
) -> tuple[jax.Array, jax.Array]:
    """[atom, pose] energy and [atom, 3, pose] slope in the grids."""
    held = jnp.clip(coords, site.low[:, None], site.high[:, None])
    place = (held - site.low[:, None]) / site.spacing
    last = (site.points - 2).astype(coords.dtype)
    cell = jnp.minimum(jnp.floor(place), last[:, None])
    part = place - cell
    i, j, k = (cell[:, axis].astype(jnp.int32) for axis in range(3))
    nx, ny, nz = site.points
    row = ((ligand.slot[:, None] * nx + i) * ny + j) * nz + k
    packed = site.corners.at[row].get(mode="promise_in_bounds")
    value, along = interpolate([packed[..., c] for c in range(8)], [part[:, axis] for axis in range(3)])
    squash = cap / (cap + jnp.maximum(value, 0.0))
    counted = ligand.counted[:, None]
    factor = counted * jnp.where(value > 0.0, squash * squash, 1.0) / site.spacing
    outside = coords - held
    beyond = wall * counted
    energy = counted * value * squash + beyond * jnp.abs(outside).sum(axis=1)
    slope = jnp.stack([factor * s for s in along], axis=1)
    return energy, jnp.where(outside == 0.0, slope, jnp.sign(outside) * beyond[:, None])


def intramolecular_sums(
    function: Function,
    contacts: Contacts,
    coords: jax.Array,
    cap: Number,
    outer: tuple[jax.Array, jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """Adds the ligand's own pairs, one circular shift at a time, to [atom, pose] energy and [atom, 3, pose] slope.

    Of padded atoms the slope must be 0 before, and says nothing afterwards: no transform moves them.
    """
    atoms, ring = coords.shape[0], contacts.ring
    twice = jnp.concatenate([coords, coords])
    if ring is not None:
        twice = lax.dynamic_update_slice_in_dim(twice, coords, ring.atoms, 0)

    def shift(s: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        energy, slope = sums
        by = s + 1 if ring is None else ring.shifts[s]
        apart = coords - lax.dynamic_slice_in_dim(twice, by, atoms)
        square = jnp.square(apart[:, 0]) + jnp.square(apart[:, 1]) + jnp.square(apart[:, 2])
        inside = square < contacts.limit[s][:, None]
        distance = jnp.sqrt(jnp.maximum(square, 1e-4))
        fat, bond = contacts.hydrophobic[s][:, None], contacts.hbond[s][:, None]
        value, rise = jax.jvp(
            lambda gap: function.pair(gap, fat, bond, function.weights),
            (distance - contacts.reach[s][:, None],),
            (jnp.ones_like(distance),),
        )
        squash = cap / (cap + jnp.maximum(value, 0.0))
        rise = jnp.where(inside, rise * jnp.where(value > 0.0, squash * squash, 1.0) / distance, 0.0)
        force = rise[:, None] * apart
        slope = slope.at[:atoms].add(force)
        other = lax.dynamic_slice_in_dim(slope, by, atoms) - force
        energy = energy + jnp.where(inside, value * squash, 0.0)
        return energy, lax.dynamic_update_slice_in_dim(slope, other, by, 0)

    def stick(g: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        energy, slope = sums
        one, other = contacts.glue[g]
        apart = coords[one] - coords[other]
        distance = jnp.sqrt(jnp.square(apart).sum(axis=0) + 1e-6)
        force = function.weights["glue"] * apart / distance
        slope = slope.at[one].add(force).at[other].add(-force)
        return energy.at[one].add(function.weights["glue"] * distance), slope

    start = (outer[0], jnp.concatenate([outer[1], jnp.zeros_like(coords)]))
    count = contacts.reach.shape[0] if ring is None else ring.used
    energy, slope = lax.fori_loop(0, count, shift, start)
    second = slope[atoms:] if ring is None else lax.dynamic_slice_in_dim(slope, ring.atoms, atoms)
    sums: tuple[jax.Array, jax.Array] = (energy, slope[:atoms] + second)
    sums = lax.fori_loop(0, contacts.glued, stick, sums)
    return sums


# ------------------------------------------------------------------------------------------ walk


class Walkers(NamedTuple):
    """A batch of walkers, pose axis last."""

    descent: Descent
    kept: Conf  # where the random walk stands
    kept_energy: jax.Array  # [pose] kcal/mol
    best: Conf
    best_energy: jax.Array  # [pose] kcal/mol


class Knobs(NamedTuple):
    """What steers a walk; traced, so that changing one compiles nothing."""

    temperature: float = 1.2  # kcal/mol, as Vina
    cap: float = 10.0  # kcal/mol, the curl's v while walking, as Vina
    wall: float = 100.0  # kcal/mol/Å outside the box
    shift: float = 2.0  # Å that a shift or a turn moves atoms at most, as Vina
    twist: float = float(np.pi)  # rad that one torsion turns at most; half a turn is any angle, as Vina
    cross: float = 0.2  # share of new starts that mix a walker with another
    follow: float = 0.1  # share of new starts at which a walker goes to a better one's place


INSIDE = 6  # evaluations between two looks at who is done
ISLANDS = 8
WALKERS = 128
EASY = 8  # torsions up to which they are enough; beyond, twice as many


def walkers(ligand: Problem) -> int:
    """How many look for a ligand, decided by its shape alone."""
    return WALKERS if ligand.layout.parent.shape[-1] - 1 <= EASY else 2 * WALKERS


def surface(function: Function, ligand: Problem, site: Field, cap: Number, wall: Number) -> Surface:
    """The grid's energy of poses, as `descent` takes it."""
    return lambda conf: evaluate(function, ligand, site, conf, cap, wall)


def begin(key: jax.Array, ligand: Problem, site: Field, poses: int) -> Walkers:
    """Walkers at random places in the box."""
    torsions = ligand.layout.parent.shape[0] - 1
    one, two, three = jax.random.split(key, 3)
    position = jax.random.uniform(one, (3, poses), minval=site.low[:, None], maxval=site.high[:, None])
    turn = jax.random.normal(two, (4, poses))
    turn = turn / jnp.sqrt(jnp.square(turn).sum(axis=0))
    torsion = jax.random.uniform(three, (torsions, poses), minval=-jnp.pi, maxval=jnp.pi)
    conf = Conf(position, turn, torsion)
    high = jnp.full(poses, HIGH, jnp.float32)
    return Walkers(resting(conf), conf, high, conf, high)


def anew(key: jax.Array, ligand: Problem, site: Field, tired: jax.Array, w: Walkers) -> Walkers:
    """Some walkers start over at random places."""
    fresh: Walkers = jax.tree.map(
        lambda new, old: jnp.where(tired, new, old), begin(key, ligand, site, len(w.kept_energy)), w
    )
    return fresh


def gathered(conf: Conf, energy: jax.Array) -> Walkers:
    """Walkers that stand at minima found before."""
    return Walkers(resting(conf), conf, energy, conf, energy)


def advance(
    function: Function,
    ligand: Problem,
    site: Field,
    knobs: Knobs,
    key: jax.Array,
    first: jax.Array,
    ticks: jax.Array,
    w: Walkers,
) -> Walkers:
    """Ticks number `first` onwards: some evaluations each, then a look at who is done."""
    place = surface(function, ligand, site, knobs.cap, knobs.wall)

    def once(tick: jax.Array, w: Walkers) -> Walkers:
        end = lax.fori_loop(
            0, INSIDE, lambda _, d: step(place, ligand.layout, Limits(), d, w.kept_energy), w.descent
        )
        return renew(jax.random.fold_in(key, tick), ligand, knobs, w._replace(descent=end))

    walked: Walkers = lax.fori_loop(first, first + ticks, once, w)
    return walked


def renew(key: jax.Array, ligand: Problem, knobs: Knobs, w: Walkers) -> Walkers:
    """Who has finished a descent accepts it or not, and sets out again."""
    d, poses = w.descent, w.kept_energy.shape[0]
    draw = jax.random.uniform(key, (14 + w.kept.torsion.shape[0], poses))
    accepted = d.done & (draw[0] < jnp.exp(jnp.minimum((w.kept_energy - d.energy) / knobs.temperature, 0.0)))
    kept = choose(accepted, d.here, w.kept)
    kept_energy = jnp.where(accepted, d.energy, w.kept_energy)
    record = d.done & (d.energy < w.best_energy)
    ally, ally_energy = _ally(kept, kept_energy, draw[1:3])
    joins = d.done & (draw[3] < knobs.follow) & (ally_energy < kept_energy)
    kept, kept_energy = choose(joins, ally, kept), jnp.where(joins, ally_energy, kept_energy)
    changed = mutate(ligand, knobs, kept, draw[4:9])
    changed = choose(draw[9] < knobs.cross, mixed(kept, ally, draw[10:]), changed)
    anew = resting(changed)
    descent = Descent(
        choose(d.done, changed, d.here),
        *(jnp.where(d.done, new, old) for new, old in zip(anew[1:], d[1:], strict=True)),
    )
    return Walkers(
        descent,
        kept,
        kept_energy,
        choose(record, d.here, w.best),
        jnp.where(record, d.energy, w.best_energy),
    )


def _ally(kept: Conf, energy: jax.Array, draw: jax.Array) -> tuple[Conf, jax.Array]:
    """For each walker the better of two others from its island."""
    poses = energy.shape[0]
    share = poses // ISLANDS
    shore = jnp.arange(poses) // share * share
    one, two = (shore + jnp.minimum(jnp.floor(d * share), share - 1).astype(jnp.int32) for d in draw)
    who = jnp.where(energy[one] < energy[two], one, two)
    return Conf(*(part[:, who] for part in kept)), energy[who]


def mutate(ligand: Problem, knobs: Knobs, conf: Conf, draw: jax.Array) -> Conf:
    """Vina's change: a shift, a turn, or one torsion, each equally likely. `draw` is [5, pose] in 0..1."""
    used = ligand.layout.nodes - 1
    which = jnp.floor(draw[0] * (2 + used)).astype(jnp.int32)
    ball = _in_ball(draw[1:4])
    position = conf.position + jnp.where(which == 0, knobs.shift, 0.0) * ball
    spin = jnp.where(which == 1, knobs.shift / jnp.maximum(ligand.layout.gyration, 1.0), 0.0) * ball
    turn = motion.times(motion.from_vector(spin), conf.turn)
    chosen = jnp.arange(conf.torsion.shape[0])[:, None] == which - 2
    most: Number = knobs.twist
    if ligand.layout.stride is not None:
        stride = ligand.layout.stride[:, None]
        most = jnp.where(stride > 0.0, stride, knobs.twist)
    anew = conf.torsion + (2.0 * draw[4] - 1.0) * most
    return Conf(position, turn, jnp.where(chosen, anew, conf.torsion))


def mixed(one: Conf, other: Conf, draw: jax.Array) -> Conf:
    """Place and torsions, each from one parent or the other. `draw` is [4 + torsion, pose] in 0..1."""
    share = draw[0]
    rigid, turning = draw[1] < share, draw[4:] < share
    return Conf(
        jnp.where(rigid, other.position, one.position),
        jnp.where(rigid, other.turn, one.turn),
        jnp.where(turning, other.torsion, one.torsion),
    )


def _in_ball(draw: jax.Array) -> jax.Array:
    """[3, pose] uniform in 0..1 -> [3, pose] uniform in the unit ball."""
    height, angle = 2.0 * draw[0] - 1.0, 2.0 * jnp.pi * draw[1]
    wide = jnp.sqrt(jnp.maximum(1.0 - height * height, 0.0))
    return jnp.cbrt(draw[2]) * jnp.stack([wide * jnp.cos(angle), wide * jnp.sin(angle), height])
