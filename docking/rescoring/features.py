"""What can be measured of a pose beside its energy?

Vina's terms one by one, Vinardo's, how hydrogen bonds point, what is buried without a
partner, stacked rings, turned bonds, and which kinds of atoms meet. Arrays in, arrays
out; what the numbers are worth is learned elsewhere: see order.py.

References
----------
.. [1] Trott, Olson, J. Comput. Chem. 31, 455 (2010), doi 10.1002/jcc.21334, table 1
.. [2] Quiroga, Villarreal, PLoS ONE 11, e0155183 (2016), doi 10.1371/journal.pone.0155183
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from docking import pdbqt
from docking.atom_types import (
    ACCEPTOR,
    DONOR,
    HYDROPHOBIC,
    VINA_RADII,
    VINA_WEIGHTS,
    VINARDO_RADII,
    Bools,
    Floats,
    Ints,
)
from docking.ligands.tree import Tree, read_tree
from docking.rescoring.kinds import CHARGE, POLAR, Chemistry, Kind, read_chemistry

REACH = 8.0  # Å
# Å, between which contacts are shared out
KNOTS = np.array([2.4, 2.8, 3.2, 3.6, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0])
END_ON = 0.8  # cosine from which a bond points straight along, where a lone pair seldom is
CROWDED, MORE = 30.0, 60.0  # receptor atoms within reach: begins to be buried, and is, after so many more

Table = dict[str, Floats]  # name -> [pose]


@dataclass(frozen=True, slots=True, eq=False)
class Wall:
    """A receptor's heavy atoms."""

    chemistry: Chemistry
    out: Floats  # [atom, 3], away from its neighbours
    ring_middles: Floats  # [ring, 3] Å
    ring_normals: Floats  # [ring, 3]


class _Pairs(NamedTuple):
    """Ligand and receptor atoms within reach of each other, over all poses."""

    pose: Ints
    mine: Ints  # ligand atom
    near: Ints  # receptor atom, among those near the box of poses
    gap: Floats  # Å between centres
    way: Floats  # [pair, 3], from ligand to receptor


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """All poses of one ligand before a wall."""

    ligand: Chemistry
    coords: Floats  # [pose, atom, 3] Å
    out: Floats  # [pose, atom, 3]
    wall: Wall
    near: Ints  # receptor atoms near any pose
    pairs: _Pairs

    def by_pose(self, values: Floats | Bools) -> Floats:
        """Sum over the pairs of each pose."""
        return _sums(self.pairs.pose, values, len(self.coords))

    def by_mine(self, values: Floats | Bools) -> Floats:
        """[pose, ligand atom]"""
        poses, atoms = self.coords.shape[:2]
        place = self.pairs.pose * atoms + self.pairs.mine
        return _sums(place, values, poses * atoms).reshape(poses, atoms)

    def by_near(self, values: Floats | Bools) -> Floats:
        """[pose, receptor atom]"""
        poses, atoms = len(self.coords), len(self.near)
        place = self.pairs.pose * atoms + self.pairs.near
        return _sums(place, values, poses * atoms).reshape(poses, atoms)


def measure(ligand: str, poses: Floats, receptor: str) -> tuple[Table, Floats]:
    """Everything measured, of all poses of one ligand together.

    Parameters
    ----------
    ligand : its PDBQT
    poses : [pose, atom, 3] Å, atoms as in the PDBQT
    receptor : its PDBQT

    Returns
    -------
    table : name -> [pose]
    contacts : [pose, kind, kind, knot]
        Pairs of a ligand's and a receptor's atoms by kind and distance.
    """
    structure = pdbqt.read(ligand)
    tree, chemistry = read_tree(structure), read_chemistry(structure)
    coords = np.asarray(poses, dtype=float)
    scene = _scene(chemistry, coords[:, chemistry.heavy], wall(receptor))
    table = {**_terms(scene), **_polar(scene), **_stacked(scene)}
    table |= _turned(chemistry, tree.axis[1:], scene.coords)
    table["inter"] = _weighed(table)
    table["intra"] = _own(tree, coords)
    table["atoms"] = np.full(len(coords), float(len(chemistry.heavy)))
    return table, _contacts(scene)


@lru_cache(maxsize=8)
def wall(receptor: str) -> Wall:
    """A receptor's PDBQT -> its heavy atoms, once per receptor."""
    chemistry = read_chemistry(pdbqt.read(receptor))
    middles, normals = _planes(chemistry.coords, chemistry.rings)
    return Wall(chemistry, outward(chemistry.coords, chemistry.neighbours), middles, normals)


def outward(coords: Floats, neighbours: tuple[tuple[int, ...], ...]) -> Floats:
    """[..., atom, 3] Å -> unit vectors away from the middle of each atom's neighbours; zero where it has none."""
    out = np.zeros_like(coords)
    for i, beside in enumerate(neighbours):
        if beside:
            out[..., i, :] = coords[..., i, :] - coords[..., list(beside), :].mean(axis=-2)
    unit: Floats = out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-6)
    return unit


def _sums(place: Ints, values: Floats | Bools, size: int) -> Floats:
    """What falls on each place, added up."""
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=float)


def _scene(ligand: Chemistry, coords: Floats, around: Wall) -> _Scene:
    flat = coords.reshape(-1, 3)
    there = around.chemistry.coords
    near = np.flatnonzero(
        ((there >= flat.min(axis=0) - REACH) & (there <= flat.max(axis=0) + REACH)).all(axis=1)
    )
    squares = (
        np.square(flat).sum(axis=1)[:, None] + np.square(there[near]).sum(axis=1) - 2.0 * flat @ there[near].T
    )
    row, column = np.nonzero(squares < REACH**2)
    apart = there[near][column] - flat[row]
    gap = np.maximum(np.linalg.norm(apart, axis=1), 1e-3)
    pairs = _Pairs(row // coords.shape[1], row % coords.shape[1], column, gap, apart / gap[:, None])
    return _Scene(ligand, coords, outward(coords, ligand.neighbours), around, near, pairs)


def _contacts(scene: _Scene) -> Floats:
    """Every pair, shared out between the two knots about its distance."""
    kinds, knots = len(Kind), len(KNOTS)
    gap = scene.pairs.gap
    low = np.clip(np.searchsorted(KNOTS, gap, "right") - 1, 0, knots - 2)
    share = np.clip((gap - KNOTS[low]) / (KNOTS[low + 1] - KNOTS[low]), 0.0, 1.0)
    mine = scene.ligand.kind[scene.pairs.mine]
    theirs = scene.wall.chemistry.kind[scene.near][scene.pairs.near]
    first = ((scene.pairs.pose * kinds + mine) * kinds + theirs) * knots + low
    size = len(scene.coords) * kinds * kinds * knots
    sums = _sums(first, 1.0 - share, size) + _sums(first + 1, share, size)
    return sums.reshape(len(scene.coords), kinds, kinds, knots)


def _bonding(scene: _Scene) -> Bools:
    """[pair]: a donor meets an acceptor."""
    mine, theirs = _xs(scene)
    return np.asarray((DONOR[mine] & ACCEPTOR[theirs]) | (ACCEPTOR[mine] & DONOR[theirs]))


def _xs(scene: _Scene) -> tuple[Ints, Ints]:
    return scene.ligand.xs[scene.pairs.mine], scene.wall.chemistry.xs[scene.near][scene.pairs.near]


def _terms(scene: _Scene) -> Table:
    """The sums that Vina and Vinardo weigh, unweighed. References [1], [2]."""
    mine, theirs = _xs(scene)
    bond, fat = _bonding(scene), HYDROPHOBIC[mine] & HYDROPHOBIC[theirs]
    surface = scene.pairs.gap - VINA_RADII[mine] - VINA_RADII[theirs]
    other = scene.pairs.gap - VINARDO_RADII[mine] - VINARDO_RADII[theirs]
    vina = _vina(surface, fat, bond)
    terms = {
        **vina,
        "repulsion_unbonded": vina["repulsion"] * ~bond,
        "vinardo_gauss": np.exp(-np.square(other / 0.8)),
        "vinardo_repulsion": np.square(np.minimum(other, 0.0)),
        "vinardo_hydrophobic": fat * np.clip(1.0 - other / 2.5, 0.0, 1.0),
        "vinardo_hbond": bond * np.clip(other / -0.6, 0.0, 1.0),
    }
    return {name: scene.by_pose(values) for name, values in terms.items()}


def _vina(surface: Floats, fat: Bools, bond: Bools) -> Table:
    """What Vina weighs of pairs, by the distance of their surfaces in Å. Reference [1]."""
    return {
        "gauss1": np.exp(-np.square(surface / 0.5)),
        "gauss2": np.exp(-np.square((surface - 3.0) / 2.0)),
        "repulsion": np.square(np.minimum(surface, 0.0)),
        "hydrophobic": fat * np.clip(1.5 - surface, 0.0, 1.0),
        "hbond": bond * np.clip(surface / -0.7, 0.0, 1.0),
    }


def _weighed(terms: Table) -> Floats:
    """kcal/mol, by Vina's weights."""
    return np.asarray(sum(weight * terms[name] for name, weight in VINA_WEIGHTS.items()))


def _own(tree: Tree, coords: Floats) -> Floats:
    """[pose] kcal/mol between atoms of the ligand itself, by Vina's function."""
    one, other = tree.pairs[:, 0], tree.pairs[:, 1]
    mine, theirs = tree.xs[one], tree.xs[other]
    gap = np.linalg.norm(coords[:, one] - coords[:, other], axis=-1)
    surface = gap - VINA_RADII[mine] - VINA_RADII[theirs]
    bond = (DONOR[mine] & ACCEPTOR[theirs]) | (ACCEPTOR[mine] & DONOR[theirs])
    energy = _weighed(_vina(surface, HYDROPHOBIC[mine] & HYDROPHOBIC[theirs], bond))
    return np.asarray((energy * (gap < REACH)).sum(axis=1))


def _polar(scene: _Scene) -> Table:
    """Hydrogen bonds and how they point; what is buried with and without a partner."""
    pairs, ligand, there = scene.pairs, scene.ligand, scene.wall.chemistry
    theirs = scene.near[pairs.near]
    bond = _bonding(scene) * np.clip((3.9 - pairs.gap) / 0.8, 0.0, 1.0)
    mine_points = (scene.out[pairs.pose, pairs.mine] * pairs.way).sum(axis=1)
    theirs_points = -(scene.wall.out[theirs] * pairs.way).sum(axis=1)
    lone_mine = np.array([len(beside) < 2 for beside in ligand.neighbours])[pairs.mine]
    lone_theirs = np.array([len(there.neighbours[i]) < 2 for i in scene.near])[pairs.near]
    charge, theirs_charge = CHARGE[ligand.kind], CHARGE[there.kind]
    bridge = charge[pairs.mine] * theirs_charge[theirs] < 0
    facing = bond * np.clip(mine_points + 0.5, 0.0, 1.0) * np.clip(theirs_points + 0.5, 0.0, 1.0)
    met = np.minimum(scene.by_mine(facing), 1.0)
    theirs_met = np.minimum(scene.by_near(facing), 1.0)
    buried = np.clip((scene.by_mine(np.ones(len(pairs.gap))) - CROWDED) / MORE, 0.0, 1.5)
    bare = 1.0 - np.minimum(buried, 1.0)
    touched = scene.by_near(pairs.gap < 4.5) > 0
    polar, fat = POLAR[ligand.kind], HYDROPHOBIC[ligand.xs]
    there_polar, there_fat = POLAR[there.kind][scene.near], HYDROPHOBIC[there.xs][scene.near]
    before = (pairs.gap < 4.2) & (mine_points > 0.5) & HYDROPHOBIC[there.xs[theirs]]
    behind = (pairs.gap < 4.2) & (theirs_points > 0.5) & HYDROPHOBIC[ligand.xs[pairs.mine]]
    return {
        "bridge": scene.by_pose(bond * bridge),
        "away_lone": scene.by_pose(bond * (lone_mine & (mine_points < 0.0))),
        "away_joined": scene.by_pose(bond * (~lone_mine & (mine_points < 0.0))),
        "receptor_away_lone": scene.by_pose(bond * (lone_theirs & (theirs_points < 0.0))),
        "receptor_away_joined": scene.by_pose(bond * (~lone_theirs & (theirs_points < 0.0))),
        "receptor_end_on": scene.by_pose(bond * (lone_theirs & (theirs_points >= END_ON))),
        "within_5": scene.by_pose(pairs.gap < 5.0),
        "buried": buried.sum(axis=1),
        "unmet": (buried * (1 - met))[:, polar].sum(axis=1),
        "unmet_charge": (buried * (1 - met))[:, charge != 0].sum(axis=1),
        "fat_buried": buried[:, fat].sum(axis=1),
        "fat_bare": bare[:, fat].sum(axis=1),
        "faces_fat": (scene.by_mine(before) * (1 - met))[:, polar].sum(axis=1),
        "fat_faces": (scene.by_near(behind) * (1 - theirs_met))[:, there_polar].sum(axis=1),
        "receptor_fat": touched[:, there_fat].sum(axis=1).astype(float),
    }


def _planes(coords: Floats, rings: tuple[tuple[int, ...], ...]) -> tuple[Floats, Floats]:
    """[..., atom, 3] Å -> middles and normals of rings, [..., ring, 3] both."""
    shape = (*coords.shape[:-2], len(rings), 3)
    middles, normals = np.zeros(shape), np.zeros(shape)
    for k, ring in enumerate(rings):
        points = coords[..., list(ring), :]
        middles[..., k, :] = points.mean(axis=-2)
        normals[..., k, :] = np.linalg.svd(points - middles[..., k, None, :])[2][..., 2, :]
    return middles, normals


def _stacked(scene: _Scene) -> Table:
    """Aromatic rings face to face, on edge, and below a positive charge."""
    middles, normals = _planes(scene.coords, scene.ligand.rings)
    way = scene.wall.ring_middles[None, None] - middles[:, :, None]  # [pose, ring, receptor ring, 3]
    gap = np.linalg.norm(way, axis=-1)
    along = np.abs(np.einsum("prc,qc->prq", normals, scene.wall.ring_normals))
    above = np.abs(np.einsum("prqc,prc->prq", way, normals))
    near = scene.wall.chemistry.coords[scene.near]
    plus = near[CHARGE[scene.wall.chemistry.kind[scene.near]] > 0]
    below = np.linalg.norm(plus[None, None] - middles[:, :, None], axis=-1)
    mine = scene.coords[:, CHARGE[scene.ligand.kind] > 0]
    beyond = np.linalg.norm(mine[:, :, None] - scene.wall.ring_middles[None, None], axis=-1)
    return {
        "rings_parallel": ((gap < 5.5) & (along > 0.85) & (above > 2.8)).sum(axis=(1, 2)).astype(float),
        "rings_tilted": ((gap < 5.5) & (along <= 0.85) & (along > 0.45)).sum(axis=(1, 2)).astype(float),
        "rings_on_edge": ((gap < 6.0) & (along <= 0.45)).sum(axis=(1, 2)).astype(float),
        "charge_on_ring": np.clip(5.5 - below, 0, 1).sum(axis=(1, 2))
        + np.clip(5.5 - beyond, 0, 1).sum(axis=(1, 2)),
    }


def _turned(ligand: Chemistry, axes: Ints, coords: Floats) -> Table:
    """How far bonds are turned from where they like to be: staggered, or flat between flat ends."""
    place = {atom: k for k, atom in enumerate(ligand.heavy.tolist())}
    table = {name: np.zeros(len(coords)) for name in ("turned_staggered", "turned_mixed", "turned_flat")}
    for first, second in np.asarray(axes).tolist():
        if first not in place or second not in place:
            continue
        a, b = place[first], place[second]
        quads = np.array(
            [(i, a, b, j) for i in ligand.neighbours[a] if i != b for j in ligand.neighbours[b] if j != a],
            dtype=np.int64,
        )
        if not len(quads):
            continue
        angle = _dihedral(coords[:, quads])
        flat = int(ligand.flat[a]) + int(ligand.flat[b])
        name, cost = (
            ("turned_staggered", (1 + np.cos(3 * angle)) / 2),
            ("turned_mixed", (1 + np.cos(6 * angle)) / 2),
            ("turned_flat", np.square(np.sin(angle))),
        )[flat]
        table[name] += cost.mean(axis=1)
    return table


def _dihedral(points: Floats) -> Floats:
    """[..., 4, 3] Å -> radians."""
    one, axis, other = (points[..., k + 1, :] - points[..., k, :] for k in range(3))
    left, right = np.cross(one, axis), np.cross(axis, other)
    unit = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
    return np.asarray(np.arctan2((np.cross(left, unit) * right).sum(-1), (left * right).sum(-1)))
