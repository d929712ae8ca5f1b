"""What does the receptor do to an atom at any place in the box?

A grid for each atom type, with the eight corners of every cell packed side by side,
so that one look in memory gives all that an interpolation needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking.atom_types import C_H, C_P, CG_H, CG_P, GLUE, Floats, Ints
from docking.energy import CUTOFF, WALL, Atoms, Function, bucket, curl, in_full, pad, smooth, table, tabulated

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax
    from scipy.spatial import cKDTree


Singles = NDArray[np.float32]
Shorts = NDArray[np.int32]

SPACING = 0.375  # Å, as Vina
BLOCK = 6  # grid points along an edge of the blocks that share a list of receptor atoms
CHUNK = 32  # receptor atoms at a time
BLOCKS = 64  # blocks a call


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Energies on points; `values[k]` belongs to atoms of type `types[k]`."""

    values: Floats  # [kind, x, y, z] kcal/mol
    types: tuple[int, ...]  # indices into atom_types.XS
    low: Floats  # [3] Å, the first point
    spacing: float  # Å

    @property
    def high(self) -> Floats:
        """[3] Å, the last point."""
        return np.asarray(self.low + self.spacing * (np.array(self.values.shape[1:]) - 1))

    def packed(self, rows: int | None = None) -> Singles:
        """[kind * x * y * z, 8]: the corners of the cell above each point, x slowest; zeros below up to `rows`.

        Cells beyond the last point repeat it; no pose in the box reads them.
        """
        v = np.pad(self.values, [(0, 0), (0, 1), (0, 1), (0, 1)], mode="edge").astype(np.float32)
        n, used = self.values.shape[1:], self.values.size
        corners = np.zeros((max(rows or 0, used), 8), dtype=np.float32)
        shaped = corners[:used].reshape(*self.values.shape, 8)
        for k, (i, j, m) in enumerate(product((0, 1), repeat=3)):
            shaped[..., k] = v[:, i : i + n[0], j : j + n[1], m : m + n[2]]
        return corners


def span(center: Sequence[float], size: Sequence[float], spacing: float = SPACING) -> tuple[Floats, Floats]:
    """The box in whole cells, as Vina has it: lowest and highest corner, [3] Å each."""
    cells = np.ceil(np.asarray(size, dtype=float) / spacing - 1e-9)
    half = 0.5 * spacing * cells
    return np.asarray(center, dtype=float) - half, np.asarray(center, dtype=float) + half


def build(
    function: Function,
    receptor: Atoms,
    center: Sequence[float],
    size: Sequence[float],
    types: Sequence[int],
    *,
    spacing: float = SPACING,
    exact: bool = False,
) -> Grid:
    """Grids over a box. `exact` sums Vina's table in double precision, else the smooth formula in single.

    As in Vina, ceil(size / spacing) cells along each edge, so the grid may be a
    little larger than the box.

    Parameters
    ----------
    center, size : Å
    types : indices into atom_types.XS
    """
    low, high = span(center, size, spacing)
    points = np.rint((high - low) / spacing).astype(int) + 1
    blocks = -(-points // BLOCK)
    corners = np.stack(np.meshgrid(*[np.arange(n) for n in blocks], indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.stack(np.meshgrid(*[np.arange(BLOCK)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    starts = low + spacing * BLOCK * corners
    middle = starts + 0.5 * spacing * (BLOCK - 1)
    reach = CUTOFF + 0.5 * spacing * (BLOCK - 1) * np.sqrt(3.0) + 1e-6
    keep = np.asarray(receptor.xs) >= 0
    coords, xs = np.asarray(receptor.coords)[keep], np.asarray(receptor.xs)[keep]
    near, counts = _near(coords, middle, reach)
    kinds = np.asarray(types, dtype=np.int32)
    values = np.empty((len(near), len(kinds), BLOCK**3))
    with jax.enable_x64(exact):
        real = np.float64 if exact else np.float32
        look = table(function) if exact else None
        rows = bucket(len(coords) + 1, 256)
        middle_of_all = coords.mean(axis=0) if len(coords) else np.zeros(3)
        atoms = Atoms(
            pad((coords - middle_of_all).astype(real), rows, 1e4), pad(xs.astype(np.int32), rows, -1)
        )
        slots = pad(kinds, bucket(len(kinds), 8), 0)
        for first in range(0, len(near), BLOCKS):
            part = slice(first, first + BLOCKS)
            here = len(starts[part])
            answer = _blocks(
                function,
                None if look is None else (look.values, look.kind),
                pad((starts[part] - middle_of_all).astype(real), BLOCKS, 0.0),
                (spacing * inside).astype(real).T,
                atoms,
                pad(near[part], BLOCKS, 0),
                pad(counts[part], BLOCKS, 0),
                slots,
                np.int32(len(kinds)),
            )
            values[part] = np.asarray(answer)[:here, : len(kinds)]
    shaped = values.reshape(*blocks, len(kinds), BLOCK, BLOCK, BLOCK).transpose(3, 0, 4, 1, 5, 2, 6)
    full = shaped.reshape(len(kinds), *(blocks * BLOCK))
    return Grid(
        np.ascontiguousarray(full[:, : points[0], : points[1], : points[2]]), tuple(types), low, spacing
    )


def _near(coords: Floats, middle: Floats, reach: float) -> tuple[Shorts, Shorts]:
    """[block, place] atoms within `reach` Å of each block's middle, padded, and [block] how many."""
    lists = cKDTree(coords).query_ball_point(middle, reach, return_sorted=True)
    counts = np.array([len(found) for found in lists], dtype=np.int32)
    near = np.zeros((len(lists), bucket(int(counts.max(initial=1)), 8 * CHUNK)), dtype=np.int32)
    for row, found in enumerate(lists):
        near[row, : len(found)] = found
    return near, counts


@partial(jax.jit, static_argnames="function")
@in_full
def _blocks(
    function: Function,
    look: tuple[jax.Array, jax.Array] | None,
    starts: jax.Array,
    inside: jax.Array,
    atoms: Atoms,
    near: jax.Array,
    counts: jax.Array,
    kinds: jax.Array,
    used: jax.Array,
) -> jax.Array:
    """[block, kind, point]: sums over each block's own list of receptor atoms."""
    form = smooth(function) if look is None else tabulated(*look)
    ones = jnp.ones((1, CHUNK), inside.dtype)

    def block(start: jax.Array, list_: jax.Array, count: jax.Array) -> jax.Array:
        points = inside + start[:, None]

        def chunk(c: jax.Array, sums: jax.Array) -> jax.Array:
            some = lax.dynamic_slice_in_dim(list_, c * CHUNK, CHUNK)
            real = c * CHUNK + jnp.arange(CHUNK) < count
            at, xs = atoms.coords[some], jnp.where(real, atoms.xs[some], -1)[:, None]
            square = jnp.square(at[:, :, None] - points[None]).sum(axis=1)

            def kind(k: jax.Array, sums: jax.Array) -> jax.Array:
                more = ones @ form(square, jnp.broadcast_to(kinds[k], xs.shape), xs)
                return sums.at[k].add(more[0])

            more: jax.Array = lax.fori_loop(0, used, kind, sums)
            return more

        empty = jnp.zeros((len(kinds), inside.shape[1]), inside.dtype)
        full: jax.Array = lax.fori_loop(0, (count + CHUNK - 1) // CHUNK, chunk, empty)
        return full

    sums: jax.Array = lax.map(lambda args: block(*args), (starts, near, counts))
    return sums


def interpolate(corners: Sequence[Any], part: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Eight corner values and the place in the cell, 0..1 -> value, slope along x, y and z per cell edge."""
    fx, fy, fz = part
    dx = [corners[4 + k] - corners[k] for k in range(4)]
    along_x = [corners[k] + dx[k] * fx for k in range(4)]  # (y, z) = 00, 01, 10, 11
    dy = [along_x[2 + k] - along_x[k] for k in range(2)]
    along_y = [along_x[k] + dy[k] * fy for k in range(2)]
    dz = along_y[1] - along_y[0]
    x_low, x_high = dx[0] + (dx[2] - dx[0]) * fy, dx[1] + (dx[3] - dx[1]) * fy
    return along_y[0] + dz * fz, [x_low + (x_high - x_low) * fz, dy[0] + (dy[1] - dy[0]) * fz, dz]


def grid_energy(grid: Grid, ligand: Atoms, cap: float = 1000.0) -> float:
    """Ligand in the grid as Vina scores it: interpolated and curled atom by atom, walls outside. kcal/mol."""
    total = 0.0
    n = np.array(grid.values.shape[1:])
    for point, kind in zip(np.asarray(ligand.coords), np.asarray(ligand.xs).tolist(), strict=True):
        plain = as_on_grid(kind)
        if plain < 0:
            continue
        held = np.clip(point, grid.low, grid.high)
        place = (held - grid.low) / grid.spacing
        cell = np.minimum(place.astype(int), n - 2)
        i, j, m = cell
        cube = grid.values[grid.types.index(plain), i : i + 2, j : j + 2, m : m + 2].reshape(8)
        value, _ = interpolate(list(cube), list(place - cell))
        total += float(curl(jnp.asarray(value), cap)) + WALL * float(np.abs(point - held).sum())
    return total


def as_on_grid(kind: int) -> int:
    """The type under which Vina looks an atom up on a grid: a closure carbon is a plain one, a dummy is none."""
    if kind >= GLUE or kind < 0:
        return -1
    if kind >= CG_P:
        return C_P
    return C_H if kind >= CG_H else kind


def types_of(xs: Ints) -> tuple[int, ...]:
    """The types a ligand needs grids for, dummies left out."""
    return tuple(sorted({k for k in np.asarray(xs).tolist() if 0 <= k < GLUE}))
