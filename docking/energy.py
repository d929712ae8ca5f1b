"""What is the energy of a pose?

Vina's and Vinardo's functions as pure functions of arrays, in two forms: smooth,
with gradients to coordinates and to weights, and as the look-up table that makes
`vina`'s own numbers. Grids are in maps.py, moving a ligand is in search/walk.py.

References
----------
.. [1] Trott, Olson, J. Comput. Chem. 31, 455 (2010), doi 10.1002/jcc.21334
.. [2] Quiroga, Villarreal, PLoS ONE 11, e0155183 (2016), doi 10.1371/journal.pone.0155183
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

# XLA splits every loop among as many threads as it counts processors when it starts: of loops as short as ours, two
# threads take 2.1 ms of both for a tick of a search and 1.1 on the clock, one takes 0.8.
os.environ.setdefault("NPROC", "1")


from discovery.extras import needs
from docking.atom_types import (
    ACCEPTOR,
    DONOR,
    HYDROPHOBIC,
    IS_GLUE,
    VINA_RADII,
    VINA_WEIGHTS,
    VINARDO_RADII,
    XS,
    Floats,
    Ints,
)
from docking.ligands.tree import Tree

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax


CUTOFF = 8.0  # Å
CAP = 1000.0  # kcal/mol; the curl's v when scoring
PER_SQUARE = 32  # table bins per Å²
BINS = int(CUTOFF**2) * PER_SQUARE
WALL = 1e6  # kcal/mol/Å outside the box
POSES = 32  # scored in one call, where there is more than one

S = TypeVar("S", bound=np.generic)
P = ParamSpec("P")
R = TypeVar("R")
Weights = Mapping[str, float | jax.Array]
PairTerm = Callable[[jax.Array, jax.Array, jax.Array, Weights], jax.Array]
PairForm = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def ramp(share: jax.Array) -> jax.Array:
    """0 below 0, 1 above 1: `jnp.clip`, whose slope costs two divisions for the case that both sides are equal."""
    return jnp.where(share > 0.0, jnp.where(share < 1.0, share, 1.0), 0.0)


def overlap(gap: jax.Array) -> jax.Array:
    """The gap where it is negative, else 0; without a division in its slope, as `ramp`."""
    return jnp.where(gap < 0.0, gap, 0.0)


def vina_pair(gap: jax.Array, hydrophobic: jax.Array, hbond: jax.Array, weights: Weights) -> jax.Array:
    """Surface distance in Å, two 0/1 flags -> kcal/mol. Reference [1], table 1."""
    return (
        weights["gauss1"] * jnp.exp(-jnp.square(gap / 0.5))
        + weights["gauss2"] * jnp.exp(-jnp.square((gap - 3.0) / 2.0))
        + weights["repulsion"] * jnp.square(overlap(gap))
        + weights["hydrophobic"] * hydrophobic * ramp(1.5 - gap)
        + weights["hbond"] * hbond * ramp(gap / -0.7)
    )


def vinardo_pair(gap: jax.Array, hydrophobic: jax.Array, hbond: jax.Array, weights: Weights) -> jax.Array:
    """Surface distance in Å, two 0/1 flags -> kcal/mol. Reference [2]."""
    return (
        weights["gauss"] * jnp.exp(-jnp.square(gap / 0.8))
        + weights["repulsion"] * jnp.square(overlap(gap))
        + weights["hydrophobic"] * hydrophobic * ramp(1.0 - gap / 2.5)
        + weights["hbond"] * hbond * ramp(gap / -0.6)
    )


@dataclass(frozen=True, eq=False)
class Function:
    """A scoring function: radii and a pair energy. A term of your own is a plain JAX function put into `pair`."""

    name: str
    pair: PairTerm
    weights: Mapping[str, float] = field(repr=False)  # `rotor` and `glue` besides the pair's own
    radii: Floats = field(repr=False)  # [type] Å, indexed as atom_types.XS


VINA = Function("vina", vina_pair, {**VINA_WEIGHTS, "glue": 50.0, "rotor": 0.05846}, VINA_RADII)
VINARDO = Function(
    "vinardo",
    vinardo_pair,
    {"gauss": -0.045, "repulsion": 0.8, "hydrophobic": -0.035, "hbond": -0.6, "glue": 50.0, "rotor": 0.05846},
    VINARDO_RADII,
)
FUNCTIONS = {function.name: function for function in (VINA, VINARDO)}


class Atoms(NamedTuple):
    """Where atoms are and what they count as."""

    coords: jax.Array | Floats  # [atom, 3] Å
    xs: jax.Array | Ints  # [atom]; UNTYPED ones have no energy


class Energies(NamedTuple):
    """kcal/mol, named as `vina` names them."""

    total: float  # the affinity: inter and torsion penalty
    inter: float
    intra: float
    restraint: float = 0.0  # what restraints cost; no part of the others


# ------------------------------------------------------------------------------------------ pair forms


def smooth(function: Function, weights: Weights | None = None) -> PairForm:
    """(r² in Å², type, type) -> kcal/mol by the formula; differentiable to r² and to the weights."""
    used = function.weights if weights is None else weights

    def form(square: jax.Array, one: jax.Array, other: jax.Array) -> jax.Array:
        radii = jnp.asarray(function.radii, square.dtype)
        glued = jnp.asarray(IS_GLUE)[one] | jnp.asarray(IS_GLUE)[other]
        reach = jnp.where(glued, 0.0, radii[one] + radii[other])
        hydrophobic, hbond = flags(one, other, square.dtype)
        inside = (square < CUTOFF**2) & (one >= 0) & (other >= 0)
        safe = jnp.where(inside, jnp.maximum(square, 1e-12), 1.0)  # no NaN from the root's derivative at 0
        return jnp.where(inside, function.pair(jnp.sqrt(safe) - reach, hydrophobic, hbond, used), 0.0)

    return form


def flags(one: jax.Array, other: jax.Array, dtype: jnp.dtype) -> tuple[jax.Array, jax.Array]:
    """Two types -> (both hydrophobic, a donor meets an acceptor) as 0 or 1."""
    fat, donor, acceptor = (jnp.asarray(what) for what in (HYDROPHOBIC, DONOR, ACCEPTOR))
    bond = (donor[one] & acceptor[other]) | (acceptor[one] & donor[other])
    return (fat[one] & fat[other]).astype(dtype), bond.astype(dtype)


class Table(NamedTuple):
    """Pair energies as `vina` tabulates them: one constant for each 1/32 Å² of r²."""

    values: Floats  # [kind, bin] kcal/mol; kind 0 is no energy at all
    kind: Ints  # [type + 1, type + 1]; the last row and column are UNTYPED


@lru_cache(maxsize=8)
def table(function: Function) -> Table:
    """The mean of the formula at both edges of each bin, in double precision."""
    n = len(XS)
    one, other = (grid.ravel() for grid in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    bond = (DONOR[one] & ACCEPTOR[other]) | (ACCEPTOR[one] & DONOR[other])
    reach = np.where(IS_GLUE[one] | IS_GLUE[other], 0.0, function.radii[one] + function.radii[other])
    kinds, kind = np.unique(
        np.stack([reach, HYDROPHOBIC[one] & HYDROPHOBIC[other], bond], axis=1), axis=0, return_inverse=True
    )
    edges = np.sqrt(np.arange(BINS + 1) / PER_SQUARE)
    with jax.enable_x64(True):
        pair = jax.jit(lambda gap, fat, bonds: function.pair(gap, fat, bonds, function.weights))
        at_edges = np.array(pair(edges[None] - kinds[:, :1], kinds[:, 1:2], kinds[:, 2:3]))
    at_edges[:, -1] = 0.0
    values = np.concatenate([np.zeros((1, BINS)), (at_edges[:, 1:] + at_edges[:, :-1]) / 2])
    index = np.zeros((n + 1, n + 1), dtype=np.int64)
    index[:n, :n] = kind.reshape(n, n) + 1
    return Table(values, index)


def tabulated(values: jax.Array, kind: jax.Array) -> PairForm:
    """(r² in Å², type, type) -> kcal/mol by look-up, without a gradient."""

    def form(square: jax.Array, one: jax.Array, other: jax.Array) -> jax.Array:
        place = jnp.floor(square * PER_SQUARE).astype(jnp.int32)
        found = values[kind[one, other], jnp.minimum(place, BINS - 1)]
        return jnp.where(place < BINS, found, 0.0)

    return form


# ------------------------------------------------------------------------------------------ sums


def curl(energy: jax.Array, cap: float | jax.Array = CAP) -> jax.Array:
    """Flatten what is repulsive, so that one clash cannot drown everything: e v / (v + e) for e > 0."""
    return jnp.where(energy > 0.0, energy * cap / (cap + jnp.maximum(energy, 0.0)), energy)


def explicit(form: PairForm, ligand: Atoms, receptor: Atoms, cap: float = CAP) -> jax.Array:
    """Ligand against the receptor's atoms, curled atom by atom. Glue dummies do not count.

    Returns
    -------
    [] kcal/mol
    """
    here, there = jnp.asarray(ligand.coords), jnp.asarray(receptor.coords)
    square = jnp.square(here[:, None] - there[None]).sum(axis=-1)
    xs = jnp.where(_is_glue(ligand.xs), -1, ligand.xs)
    by_atom = form(square, xs[:, None], jnp.asarray(receptor.xs)[None]).sum(axis=1)
    return curl(by_atom, cap).sum()


def intramolecular(form: PairForm, ligand: Atoms, pairs: jax.Array | Ints, cap: float = CAP) -> jax.Array:
    """Pairs of ligand atoms whose distance changes, curled pair by pair.

    Parameters
    ----------
    pairs : [pair, 2]
        Rows of -1 have no energy.

    Returns
    -------
    [] kcal/mol
    """
    coords, xs = jnp.asarray(ligand.coords), jnp.asarray(ligand.xs)
    one, other = pairs[:, 0], pairs[:, 1]
    square = jnp.square(coords[one] - coords[other]).sum(axis=-1)
    energy = form(square, jnp.where(one < 0, -1, xs[one]), jnp.where(other < 0, -1, xs[other]))
    return curl(energy, cap).sum()


def affinity(
    inter: jax.Array | Floats, rotors: float | jax.Array, rotor_weight: float | jax.Array
) -> jax.Array | Floats:
    """Intermolecular energy -> affinity, both kcal/mol: each rotor weakens it. Reference [1], equation 7."""
    return inter / (1.0 + rotor_weight * rotors)


def score(function: Function, tree: Tree, receptor: Atoms, coords: Floats | None = None) -> Energies:
    """What `vina --score_only` says of a pose, to its third decimal: table form, double precision, explicit atoms.

    Parameters
    ----------
    coords : [atom, 3] Å
        The ligand's atoms in the tree's order; where it was read, if None.
    """
    place = tree.coords if coords is None else np.asarray(coords, dtype=float)
    return scores(function, tree, receptor, place[None])[0]


def scores(function: Function, tree: Tree, receptor: Atoms, coords: Floats) -> list[Energies]:
    """`score` of several poses, [pose, atom, 3] Å, in one call."""
    inter, intra = _sums(function, Atoms(coords, tree.xs), receptor, tree.pairs)
    totals = np.asarray(affinity(inter, tree.rotors, function.weights["rotor"]))
    return [Energies(*map(float, each)) for each in zip(totals, inter, intra, strict=True)]


def sums(function: Function, ligand: Atoms, receptor: Atoms, pairs: Ints) -> tuple[float, float]:
    """kcal/mol of atoms among a receptor's, and of pairs of them, [pair, 2]: as `score`, apart."""
    place = np.asarray(ligand.coords, dtype=float)
    inter, intra = _sums(function, Atoms(place[None], ligand.xs), receptor, pairs)
    return float(inter[0]), float(intra[0])


def _sums(function: Function, ligand: Atoms, receptor: Atoms, pairs: Ints) -> tuple[Floats, Floats]:
    """[pose] inter and intra, kcal/mol, of [pose, atom, 3] Å; padded to one pose or to whole `POSES`."""
    place, xs = np.asarray(ligand.coords, dtype=float), np.asarray(ligand.xs)
    count, atoms = len(place), bucket(len(xs))
    near = within(receptor, place.min(axis=(0, 1)) - CUTOFF, place.max(axis=(0, 1)) + CUTOFF)
    every = np.zeros((1 if count == 1 else bucket(count, POSES), atoms, 3))
    every[:count, : len(xs)] = place
    look = table(function)
    with jax.enable_x64(True):
        inter, intra = _score(
            look.values,
            look.kind,
            Atoms(every, pad(xs, atoms, -1)),
            padded(near, least=256),
            pad(pairs, bucket(len(pairs)), -1),
        )
        return np.asarray(inter)[:count], np.asarray(intra)[:count]


@jax.jit
def _score(
    values: jax.Array, kind: jax.Array, ligand: Atoms, receptor: Atoms, pairs: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """[pose] twice, one pose after another: side by side they would take the memory of all."""
    form = tabulated(values, kind)

    def one(coords: jax.Array) -> tuple[jax.Array, jax.Array]:
        here = Atoms(coords, ligand.xs)
        return explicit(form, here, receptor), intramolecular(form, here, pairs)

    both: tuple[jax.Array, jax.Array] = lax.map(one, ligand.coords)
    return both


def _is_glue(xs: jax.Array | Ints) -> jax.Array:
    return jnp.asarray(IS_GLUE)[jnp.asarray(xs)] & (jnp.asarray(xs) >= 0)


# ------------------------------------------------------------------------------------------ programs


def in_full(work: Callable[P, R]) -> Callable[P, R]:
    """Products of matrices in whole single precision: left alone a GPU keeps 10 bits of 24, 0.03 Å at 50 Å."""

    @wraps(work)
    def careful(*args: P.args, **named: P.kwargs) -> R:
        with jax.default_matmul_precision("float32"):
            return work(*args, **named)

    return careful


# ------------------------------------------------------------------------------------------ shapes


def within(atoms: Atoms, low: Floats, high: Floats) -> Atoms:
    """Only the typed atoms in a box, Å."""
    coords, xs = np.asarray(atoms.coords), np.asarray(atoms.xs)
    keep = ((coords >= low) & (coords <= high)).all(axis=1) & (xs >= 0)
    return Atoms(coords[keep], xs[keep])


def bucket(n: int, least: int = 32) -> int:
    """The next power of two, so that a few compiled programs serve every molecule."""
    size = least
    while size < n:
        size *= 2
    return size


def pad(array: NDArray[S], rows: int, value: float) -> NDArray[S]:
    """The array with rows of `value` put below."""
    return np.concatenate([array, np.full((rows - len(array), *array.shape[1:]), value, dtype=array.dtype)])


def padded(atoms: Atoms, least: int = 32) -> Atoms:
    """Atoms with untyped ones below, up to the next bucket."""
    coords, xs = np.asarray(atoms.coords), np.asarray(atoms.xs)
    rows = bucket(len(coords), least)
    return Atoms(pad(coords, rows, 0.0), pad(xs, rows, -1))
