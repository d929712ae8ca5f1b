"""Where are a ligand's atoms when its torsions turn, and how do forces on them turn it back?

Everything is batched over poses, and the pose axis is last: one ligand's poses lie
side by side in memory, which is what processors and GPUs read fastest. Energies are
in docking/energy.py and docking/maps.py, moves in walk.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from discovery.extras import needs
from docking.atom_types import Floats, Ints
from docking.ligands.tree import WORLD, Tree

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax import lax


SOFTEST = 0.05  # Å²; a torsion that hardly moves any atom still takes a finite step


class Layout(NamedTuple):
    """A ligand as arrays, padded to a shape that many ligands share. Heavy atoms only.

    A node's transform maps reference coordinates to the site: x = R xref + s. The last
    slot, where no node uses it, stands still: what hangs on the receptor hangs on it.
    """

    base: jax.Array  # [atom, 4 * node]: reference coordinates and 1, in the columns of the atom's node
    below: jax.Array  # [node, atom]: 1 where the atom turns with the node; row 0 is all atoms
    parent: jax.Array  # [node] int
    cross: jax.Array  # [node, 9]: the axis as the matrix K of its cross product
    cross2: jax.Array  # [node, 9]: K K
    axis: jax.Array  # [node, 3], unit length
    pivot: jax.Array  # [node, 3] Å, a point on the axis
    nodes: jax.Array  # [] int, nodes in use
    scale: jax.Array  # [dof]: displacement of one unit moves atoms by 1 Å (root mean square); 0 where padded
    gyration: jax.Array  # [] Å, root mean square distance from the origin atom
    slide: jax.Array | None = None  # [node, 3] Å per unit, of nodes that shift; None where all turn
    stride: jax.Array | None = (
        None  # [torsion], largest random change of what steps; 0 where any value is as good
    )


class Conf(NamedTuple):
    """Position, orientation and torsions of a batch of poses."""

    position: jax.Array  # [3, pose] Å, of the origin atom
    turn: jax.Array  # [4, pose], unit quaternion, real part first
    torsion: jax.Array  # [torsion, pose] rad, from the reference conformer


def layout(tree: Tree, atoms: int, torsions: int) -> Layout:
    """A tree -> arrays for `atoms` heavy atoms and `torsions` torsions that move any, padded."""
    heavy, kept = heavy_of(tree), turning(tree)
    renumber = np.cumsum(np.isin(np.arange(len(tree.parent)), kept)) - 1
    reference = _reference(tree)
    n, nodes = torsions + 1, len(kept)
    if nodes + hangs(tree) > n:
        raise ValueError(
            f"{nodes - 1} torsions do not fit {torsions}; one slot stands still where bodies hang on it"
        )
    base = np.zeros((atoms, n, 4))
    still = n - 1
    rows = np.arange(len(heavy))
    node_of = np.where(tree.node[heavy] == WORLD, still, renumber[tree.node[heavy]])
    base[rows, node_of, :3] = reference[heavy]
    base[rows, node_of, 3] = 1.0
    below = np.zeros((n, atoms))
    below[:nodes, : len(heavy)] = subtree(tree)[kept][:, heavy]
    axis, pivot = np.zeros((n, 3)), np.zeros((n, 3))
    for node in range(1, nodes):
        axis[node], pivot[node] = _axis(tree, reference, int(kept[node]))
    cross = np.zeros((n, 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1)
    parent = np.zeros(n, dtype=np.int32)
    parent[:nodes] = np.where(tree.parent[kept] == WORLD, still, renumber[tree.parent[kept]])
    first = below[0, : len(heavy)] > 0.0
    spread = np.square(reference[heavy][first]).sum(axis=1).mean()
    arms = np.linalg.norm(np.cross(axis[:, None], reference[heavy][None] - pivot[:, None]), axis=-1)
    slide = stride = None
    if tree.slide is not None and tree.stride is not None:
        slide, stride = np.zeros((n, 3)), np.zeros(torsions)
        slide[:nodes], stride[: nodes - 1] = tree.slide[kept], tree.stride[kept[1:]]
        arms = arms + np.linalg.norm(slide, axis=1)[:, None]
    swing = (np.square(arms) * below[:, : len(heavy)]).sum(axis=1) / first.sum()
    used = np.concatenate([np.ones(3), np.full(3, 2.0 / 3.0 * spread), swing[1:]])
    scale = 1.0 / np.sqrt(np.maximum(used, SOFTEST))
    scale[6 + nodes - 1 :] = 0.0
    return Layout(
        _single(base.reshape(atoms, 4 * n)),
        _single(below),
        jax.device_put(parent),
        _single(cross.reshape(n, 9)),
        _single((cross @ cross).reshape(n, 9)),
        _single(axis),
        _single(pivot),
        jax.device_put(np.int32(nodes)),
        _single(scale),
        _single(np.sqrt(spread)),
        None if slide is None else _single(slide),
        None if stride is None else _single(stride),
    )


def _single(values: Floats) -> jax.Array:
    single: jax.Array = jax.device_put(np.asarray(values, np.float32))
    return single


def _reference(tree: Tree) -> Floats:
    """[atom, 3] Å: the first ligand about its origin atom, others about theirs, residues where they stand."""
    if tree.origin is not None:
        return np.asarray(tree.coords - tree.origin)
    return np.asarray(tree.coords - tree.coords[tree.axis[0, 0]])


def _axis(tree: Tree, reference: Floats, node: int) -> tuple[Floats, Floats]:
    """Unit vector along the axis a node turns about, zero if it shifts, and a point on it."""
    near, far = tree.axis[node].tolist()
    if near < 0:  # x, y or z through an atom: what turns a second ligand
        return np.asarray(np.eye(3)[-near - 1]), np.asarray(reference[far])
    if near == far:
        return np.zeros(3), np.asarray(reference[far])
    way = reference[far] - reference[near]
    return np.asarray(way / np.linalg.norm(way)), np.asarray(reference[far])


def hangs(tree: Tree) -> int:
    """1 if anything hangs on the receptor, which takes a slot of a layout, else 0."""
    return int((tree.parent == WORLD).any() or (tree.node == WORLD).any())


def subtree(tree: Tree) -> Floats:
    """[node, atom]: 1 where the atom moves when the node turns."""
    nodes = len(tree.parent)
    inside = np.eye(nodes)
    for node in range(nodes - 1, 0, -1):
        if tree.parent[node] != WORLD:
            inside[tree.parent[node]] += inside[node]
    return np.asarray(np.where(tree.node == WORLD, 0.0, inside[:, tree.node]))


def turning(tree: Tree) -> Ints:
    """Nodes that move a heavy atom, the root first: no energy depends on where an -OH turns its hydrogen."""
    moves = subtree(tree)[:, tree.heavy].sum(axis=1) > 0
    moves[0] = True
    return np.asarray(np.flatnonzero(moves))


def rotation(turn: jax.Array) -> jax.Array:
    """Unit quaternions [4, pose] -> rotation matrices [3, 3, pose]."""
    w, x, y, z = turn
    return jnp.stack(
        [
            jnp.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]),
            jnp.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]),
            jnp.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]),
        ]
    )


def times(one: jax.Array, other: jax.Array) -> jax.Array:
    """Product of quaternions [4, pose]: first `other`, then `one`."""
    a, b, c, d = one
    w, x, y, z = other
    return jnp.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ]
    )


def from_vector(vector: jax.Array) -> jax.Array:
    """Rotation vectors [3, pose] rad -> unit quaternions [4, pose]."""
    square = jnp.square(vector).sum(axis=0)
    tiny = square < 1e-12
    angle = jnp.sqrt(jnp.where(tiny, 1.0, square))
    factor = jnp.where(tiny, 0.5, jnp.sin(0.5 * angle) / angle)
    real = jnp.where(tiny, 1.0, jnp.cos(0.5 * angle))
    return jnp.concatenate([real[None], factor * vector])


def displaced(conf: Conf, step: jax.Array) -> Conf:
    """A batch of poses moved by [dof, pose]: shift in Å, rotation vector, torsions."""
    turn = times(from_vector(step[3:6]), conf.turn)
    turn = turn / jnp.sqrt(jnp.square(turn).sum(axis=0))
    return Conf(conf.position + step[:3], turn, conf.torsion + step[6:])


def transforms(ligand: Layout, conf: Conf) -> jax.Array:
    """[node, 4, 3, pose]: columns of each node's rotation, then its shift, composed down the tree."""
    n, poses = len(ligand.parent), conf.position.shape[-1]
    root = jnp.concatenate([rotation(conf.turn).transpose(1, 0, 2), conf.position[None]])
    still = jnp.eye(4, 3, dtype=root.dtype)[:, :, None]
    frames = jnp.zeros((n, 4, 3, poses), root.dtype).at[-1].set(still).at[0].set(root)
    sine, versine = jnp.sin(conf.torsion), 1.0 - jnp.cos(conf.torsion)

    def hang(node: jax.Array, frames: jax.Array) -> jax.Array:
        above = lax.dynamic_index_in_dim(frames, ligand.parent[node], 0, keepdims=False)
        k, k2, pivot = ligand.cross[node], ligand.cross2[node], ligand.pivot[node]
        s, v = sine[node - 1], versine[node - 1]
        columns = []
        for j in range(3):
            local = [(1.0 if i == j else 0.0) + s * k[3 * i + j] + v * k2[3 * i + j] for i in range(3)]
            columns.append(above[0] * local[0] + above[1] * local[1] + above[2] * local[2])
        shift = above[3]
        for j in range(3):
            shift = shift + (above[j] - columns[j]) * pivot[j]
        if ligand.slide is not None:
            for j in range(3):
                shift = shift + above[j] * (ligand.slide[node, j] * conf.torsion[node - 1])
        hung: jax.Array = lax.dynamic_update_index_in_dim(frames, jnp.stack([*columns, shift]), node, 0)
        return hung

    composed: jax.Array = lax.fori_loop(1, ligand.nodes, hang, frames)
    return composed


def place(ligand: Layout, frames: jax.Array) -> jax.Array:
    """Transforms -> [atom, 3, pose] Å."""
    n, poses = frames.shape[0], frames.shape[-1]
    flat = ligand.base @ frames.reshape(4 * n, 3 * poses)
    return flat.reshape(-1, 3, poses)


def pull(ligand: Layout, frames: jax.Array, coords: jax.Array, slope: jax.Array) -> jax.Array:
    """dE/dx of every atom -> dE/d(dof): the sum, its moment about the origin atom, and about each axis.

    Parameters
    ----------
    frames : [node, 4, 3, pose]
    coords, slope : [atom, 3, pose], Å and kcal/mol/Å

    Returns
    -------
    [dof, pose], kcal/mol/Å and kcal/mol/rad
    """
    x, y, z = coords[:, 0], coords[:, 1], coords[:, 2]
    u, v, w = slope[:, 0], slope[:, 1], slope[:, 2]
    moment = jnp.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)
    n, poses = frames.shape[0], frames.shape[-1]
    total = (ligand.below @ slope.reshape(-1, 3 * poses)).reshape(n, 3, poses)
    about = (ligand.below @ moment.reshape(-1, 3 * poses)).reshape(n, 3, poses)
    way, point = _carried(frames, ligand.axis, 0.0), _carried(frames, ligand.pivot, 1.0)
    lever = about - _cross(point, total)
    torque = way[:, 0] * lever[:, 0] + way[:, 1] * lever[:, 1] + way[:, 2] * lever[:, 2]
    if ligand.slide is not None:  # shifts hang on what stands still, so their direction never turns
        torque = torque + (ligand.slide[:, :, None] * total).sum(axis=1)
    origin = frames[0, 3]
    turning = about[0] - jnp.stack(_cross_rows(origin, total[0]))
    return jnp.concatenate([total[0], turning, torque[1:]])


def _carried(frames: jax.Array, vector: jax.Array, shift: float) -> jax.Array:
    """[node, 3] in the reference -> [node, 3, pose] in the site."""
    v = vector[:, :, None, None]
    moved = frames[:, 0] * v[:, 0] + frames[:, 1] * v[:, 1] + frames[:, 2] * v[:, 2]
    return moved + frames[:, 3] if shift else moved


def _cross(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.stack(_cross_rows(one.transpose(1, 0, 2), other.transpose(1, 0, 2)), axis=1)


def _cross_rows(a: jax.Array, b: jax.Array) -> list[jax.Array]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def settled(tree: Tree, position: Floats, turn: Floats, torsion: Floats) -> Floats:
    """Every atom of a tree, hydrogens too, in double precision.

    Parameters
    ----------
    position, turn, torsion : [..., 3] Å, [..., 4], [..., torsion] rad
        Of one pose or many. Torsions are those of `turning(tree)`, padding after them is ignored.

    Returns
    -------
    [..., atom, 3] Å
    """
    turn, shift = np.asarray(turn, dtype=float), np.asarray(position, dtype=float)
    angle = np.zeros((*shift.shape[:-1], len(tree.parent)))
    kept = turning(tree)[1:]
    angle[..., kept] = np.asarray(torsion, dtype=float)[..., : len(kept)]
    rotations = [_matrix(turn / np.linalg.norm(turn, axis=-1, keepdims=True))]
    shifts = [shift]
    still, here = np.broadcast_to(np.eye(3), rotations[0].shape), np.zeros_like(shift)
    reference = _reference(tree)
    for node in range(1, len(tree.parent)):
        above = tree.parent[node]
        higher, shift = (still, here) if above == WORLD else (rotations[above], shifts[above])
        way, pivot = _axis(tree, reference, node)
        half = 0.5 * angle[..., node, None]
        own = higher
        if way.any():
            own = higher @ _matrix(np.concatenate([np.cos(half), np.sin(half) * way], axis=-1))
        if tree.slide is not None:
            shift = shift + higher @ tree.slide[node] * angle[..., node, None]
        rotations.append(own)
        shifts.append(shift + (higher - own) @ pivot)
    every = np.stack([*rotations, still], axis=-3)  # the last is WORLD's
    move = np.stack([*shifts, here], axis=-2)
    turned = np.einsum("...aij,aj->...ai", every[..., tree.node, :, :], reference)
    return np.asarray(turned + move[..., tree.node, :])


def _matrix(turn: Floats) -> Floats:
    """Unit quaternions [..., 4] -> [..., 3, 3]."""
    w, x, y, z = np.moveaxis(turn, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def heavy_of(tree: Tree) -> Ints:
    """Atoms with an energy, in the order of a layout's rows."""
    return np.asarray(np.flatnonzero(tree.heavy))
