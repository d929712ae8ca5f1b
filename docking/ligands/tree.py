"""Which atoms of a ligand move together, and which pairs of them have an energy?

A ligand is a tree of rigid nodes joined by torsions. Placing the nodes for given
torsions is kinematics, done in batches on the device: see search/walk.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from docking import pdbqt
from docking.atom_types import CG_H, CG_P, GLUE, UNTYPED, Bools, Floats, Ints, type_atoms

BONDS_APART = 3  # pairs at most so many bonds apart have no energy of their own
WORLD = -1  # parent of nodes that hang on the receptor, node of atoms that never move
BEAD = 15.0  # Å, the balls in which Vina sorts atoms while looking for bonds


class Mobility(IntEnum):
    """How the distance of two atoms behaves as torsions turn."""

    FIXED = 0
    ROTOR = 1  # the two ends of a turning bond
    VARIABLE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A ligand as docking sees it. Atoms are in the order of its PDBQT lines.

    A torsion's far atom lies on its axis, so it belongs to the node before; a branch
    that holds nothing else is no torsion.
    """

    coords: Floats  # [atom, 3] Å, as read
    xs: Ints  # [atom], index into atom_types.XS, or UNTYPED
    node: Ints  # [atom], node it moves with; 0 is the root
    parent: Ints  # [node], parents before children; parent[0] = 0
    axis: Ints  # [node, 2], atoms the node turns about, near then far; row 0 is the rotation origin twice
    pairs: Ints  # [pair, 2], atoms with an intramolecular energy
    glue: Ints  # [pair, 2], dummy and carbon that close a macrocycle, pulled together during a search
    rotors: float  # N_tors of the torsion penalty; a turning -OH or -NH2 counts one half
    # Of several bodies at once (see search/assembly.py); a ligand alone has none of these.
    met: Bools | None = None  # [atom]: has an energy with the receptor; all if None
    slide: Floats | None = None  # [node, 3] Å per unit of a node that shifts instead of turning
    stride: Floats | None = None  # [node]: largest random change of what steps; 0 where any value is as good
    origin: Floats | None = None  # [atom, 3] Å, what is taken off `coords` to get the reference

    @property
    def torsions(self) -> int:
        return len(self.parent) - 1

    @property
    def heavy(self) -> Bools:
        """[atom]: has an energy."""
        return np.asarray(self.xs != UNTYPED)


def read_tree(structure: pdbqt.Structure) -> Tree:
    """A ligand's PDBQT -> Tree.

    Raises
    ------
    pdbqt.PdbqtError
        If no atom has an energy.
    """
    node, parent, axis = _nodes(structure)
    mobility = _mobility(node, parent, axis)
    typed = type_atoms(structure, mobility != Mobility.VARIABLE)
    if (typed.xs == UNTYPED).all():
        raise pdbqt.PdbqtError("the ligand holds no heavy atom")
    bonded = np.zeros(mobility.shape, dtype=bool)
    bonded[typed.bonds[:, 0], typed.bonds[:, 1]] = bonded[typed.bonds[:, 1], typed.bonds[:, 0]] = True
    near = _near(structure.coords, bonded, _visiting_order(structure))
    pairs, glue = _pairs(typed.xs, mobility, bonded, near)
    rotors = _rotors(mobility, bonded, ~typed.hydrogen)
    return Tree(structure.coords, typed.xs, node, parent, axis, pairs, glue, rotors)


def _nodes(structure: pdbqt.Structure) -> tuple[Ints, Ints, Ints]:
    """Node of every atom, parent and axis of every node, in Vina's sense."""
    drawn = np.array([atom.node for atom in structure.atoms], dtype=np.int64)
    children = {branch.parent for branch in structure.branches}
    new = {0: 0}  # node as drawn -> node that moves
    parent, axis = [0], [(int(np.argmax(drawn == 0)),) * 2]
    for branch in structure.branches:
        alone = (drawn == branch.node).sum() == 1 and branch.node not in children
        if alone:
            new[branch.node] = new[branch.parent]
            continue
        new[branch.node] = len(parent)
        parent.append(new[branch.parent])
        axis.append((branch.anchor, branch.moving))
    node = np.array([new[n] for n in drawn.tolist()], dtype=np.int64)
    for branch in structure.branches:
        node[branch.moving] = new[branch.parent]
    return node, np.array(parent, dtype=np.int64), np.array(axis, dtype=np.int64)


def _mobility(node: Ints, parent: Ints, axis: Ints) -> NDArray[np.int64]:
    """[atom, atom] Mobility."""
    mobility = np.where(node[:, None] == node[None, :], int(Mobility.FIXED), int(Mobility.VARIABLE))
    for child in range(1, len(parent)):
        members = np.flatnonzero(node == child)
        for end in axis[child]:
            mobility[end, members] = mobility[members, end] = Mobility.FIXED
    for near, far in axis[1:]:
        mobility[near, far] = mobility[far, near] = Mobility.ROTOR
    return mobility


def _visiting_order(structure: pdbqt.Structure) -> list[int]:
    """Atoms in Vina's internal order: node by node, each far atom of an axis right after its near atom."""
    members: dict[int, list[int]] = {}
    for i, atom in enumerate(structure.atoms):
        members.setdefault(atom.node, []).append(i)
    hanging: dict[int, list[pdbqt.Branch]] = {}
    for branch in structure.branches:
        hanging.setdefault(branch.anchor, []).append(branch)
    order: list[int] = []
    stack = [(0, -1)]
    while stack:
        node, placed = stack.pop()
        branches: list[pdbqt.Branch] = []
        for i in members.get(node, []):
            if i != placed:
                order.append(i)
            order += [branch.moving for branch in hanging.get(i, [])]
            branches += hanging.get(i, [])
        stack += [(branch.node, branch.moving) for branch in reversed(branches)]
    return order


def _near(coords: Floats, bonded: Bools, order: list[int]) -> Bools:
    """[atom, atom]: at most three bonds apart, as Vina counts.

    Vina walks the bonds depth first and never comes back to an atom it has seen, so
    that in a small ring an atom reached the long way round hides its own
    substituents, which then do count as far apart. The order of walking matters.
    """
    n = len(order)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    cell = _beads(coords[order])
    onward: list[list[int]] = [[] for _ in range(n)]  # bonds in the order Vina stores them
    for i in range(n):
        partners = place[np.flatnonzero(bonded[order[i]])]
        for j in sorted((j for j in partners.tolist() if j > i), key=lambda j: (cell[j], j)):
            onward[i].append(j)
            onward[j].append(i)
    near = np.zeros((n, n), dtype=bool)
    for i in range(n):
        seen: set[int] = set()
        _walk(i, BONDS_APART, onward, seen)
        late = [j for j in seen if j > i]
        near[order[i], [order[j] for j in late]] = True
    return np.asarray(near | near.T | np.eye(n, dtype=bool))


def _walk(i: int, steps: int, onward: list[list[int]], seen: set[int]) -> None:
    if i in seen:
        return
    seen.add(i)
    if steps:
        for j in onward[i]:
            _walk(j, steps - 1, onward, seen)


def _beads(coords: Floats) -> list[int]:
    """Number of the 15 Å ball that each atom falls into first; an atom in none opens a new one."""
    centers: list[Floats] = []
    found = []
    for point in coords:
        inside = [k for k, center in enumerate(centers) if np.square(point - center).sum() < BEAD**2]
        if not inside:
            centers.append(point)
        found.append(inside[0] if inside else len(centers) - 1)
    return found


def _pairs(xs: Ints, mobility: NDArray[np.int64], bonded: Bools, near: Bools) -> tuple[Ints, Ints]:
    typed = xs != UNTYPED
    free = (mobility == Mobility.VARIABLE) & ~near & typed[:, None] & typed[None, :]
    dummy = xs >= GLUE
    closure = np.full(len(xs), -1)  # k of a CGk carbon
    closure[(xs >= CG_H) & (xs < CG_P)] = (xs - CG_H)[(xs >= CG_H) & (xs < CG_P)]
    closure[(xs >= CG_P) & (xs < GLUE)] = (xs - CG_P)[(xs >= CG_P) & (xs < GLUE)]
    partner = dummy[:, None] & (closure[None, :] == (xs - GLUE)[:, None]) & (closure[None, :] >= 0)
    partner |= partner.T
    glue = free & partner
    reach = bonded | np.eye(len(xs), dtype=bool)
    clash = np.zeros_like(free)
    for k in set(closure.tolist()) - {-1}:
        sees = (reach & (closure == k)[None, :]).any(axis=1)
        clash |= sees[:, None] & sees[None, :]
    scored = free & ~partner & ~clash & ~dummy[:, None] & ~dummy[None, :]
    return _upper(scored), _upper(glue)


def _upper(chosen: Bools) -> Ints:
    return np.argwhere(np.triu(chosen, 1)).astype(np.int64)


def _rotors(mobility: NDArray[np.int64], bonded: Bools, heavy: Bools) -> float:
    neighbours = (bonded & heavy[None, :]).sum(axis=1)
    turning = bonded & (mobility == Mobility.ROTOR)
    counted = turning & (heavy & (neighbours > 1))[None, :] & heavy[:, None]
    return 0.5 * float(counted.sum())
