"""How do several bodies dock at once: a ligand, others beside it, side chains that turn?

They become one tree, so that the search moves them all together: a side chain hangs
on the receptor, a second ligand on six nodes of its own, three that shift it and
three that turn it. Pairs between bodies have an energy like pairs within a ligand, as
in Vina. Side chains are cut out of the receptor in docking/side_chains.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from docking.atom_types import GLUE, UNTYPED, Bools, Floats, Ints
from docking.energy import Atoms, Energies, Function, sums
from docking.ligands.tree import WORLD, Tree

STEP = 2.0  # Å, largest random shift of a ligand, as Vina's
MOST_NODES_OF_BODY = 6


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """One tree of several bodies: first the ligands, then the side chains."""

    tree: Tree
    body: Ints  # [atom], number of its body
    ligands: int  # bodies 0 .. ligands - 1 are ligands, the rest side chains

    def atoms(self, body: int) -> Ints:
        """Indices of a body's atoms, in the order of its own tree."""
        return np.asarray(np.flatnonzero(self.body == body))

    @property
    def of_ligands(self) -> Bools:
        """[atom]"""
        return np.asarray(self.body < self.ligands)


def assembled(
    ligands: Sequence[Tree], side_chains: Sequence[Tree], center: Sequence[float], size: Sequence[float]
) -> Assembly:
    """Ligands and side chains as one tree.

    Parameters
    ----------
    ligands : at least one
        The first moves as a ligand alone does; where the others begin is the box's business.
    side_chains : their node 0 stands still and has no energy with the receptor
    center, size : Å, the box
    """
    bodies = [*ligands, *side_chains]
    starts = np.cumsum([0, *(len(one.xs) for one in bodies)])
    node: list[Ints] = []
    parent: list[Ints] = []
    axis: list[Ints] = []
    slide: list[Floats] = []
    stride: list[Floats] = []
    origin = np.zeros((starts[-1], 3))
    for number, one in enumerate(bodies):
        first, so_far = int(starts[number]), sum(map(len, parent))
        own, middle = slice(first, int(starts[number + 1])), one.coords[one.axis[0, 0]]
        if number == 0:
            root, lead = 0, (one.parent[:1], one.axis[:1], np.zeros((1, 3)), np.zeros(1))
            origin[own] = middle
        elif number < len(ligands):
            root, lead = so_far + MOST_NODES_OF_BODY - 1, _free(one, first, so_far, size)
            origin[own] = middle - np.asarray(center)
        else:
            root, lead = WORLD, (one.parent[:0], one.axis[:0], np.zeros((0, 3)), np.zeros(0))
        shift, more = so_far + len(lead[0]) - 1, one.torsions
        moved = np.where(one.parent[1:] == 0, root, one.parent[1:] + shift)
        parent += [lead[0], moved]
        axis += [lead[1], one.axis[1:] + first]
        slide += [lead[2], np.zeros((more, 3))]
        stride += [lead[3], np.zeros(more)]
        node.append(np.where(one.node == 0, root, one.node + shift))
    xs = np.concatenate([one.xs for one in bodies])
    body = np.repeat(np.arange(len(bodies)), np.diff(starts))
    nodes = np.concatenate(node)
    pairs = [one.pairs + start for one, start in zip(bodies, starts[:-1], strict=True)]
    several = len(ligands) > 1
    tree = Tree(
        np.concatenate([one.coords for one in bodies]),
        xs,
        nodes,
        np.concatenate(parent),
        np.concatenate(axis),
        np.concatenate([*pairs, _between(xs, body, nodes)]),
        np.concatenate([one.glue + start for one, start in zip(bodies, starts[:-1], strict=True)]),
        sum(one.rotors for one in ligands),
        met=nodes != WORLD,
        slide=np.concatenate(slide) if several else None,
        stride=np.concatenate(stride) if several else None,
        origin=origin,
    )
    return Assembly(tree, body, len(ligands))


def _free(one: Tree, first: int, so_far: int, size: Sequence[float]) -> tuple[Ints, Ints, Floats, Floats]:
    """Six nodes that carry a ligand about: parents, axes, shifts in Å per unit, strides.

    A shift's unit is such that -pi to pi spans the box, as a torsion's values span a turn.
    """
    parent = np.array([WORLD, *range(so_far, so_far + MOST_NODES_OF_BODY - 1)])
    atom = first + int(one.axis[0, 0])
    axis = np.array([[atom, atom]] * 3 + [[-1 - k, atom] for k in range(3)])
    slide = np.zeros((MOST_NODES_OF_BODY, 3))
    slide[:3] = np.diag(np.asarray(size, dtype=float) / (2.0 * np.pi))
    heavy = one.coords[one.heavy] - one.coords[one.axis[0, 0]]
    gyration = max(1.0, float(np.sqrt(np.square(heavy).sum(axis=1).mean())))
    stride = np.concatenate([STEP / np.diag(slide[:3]), np.full(3, STEP / gyration)])
    return parent, axis, slide, stride


def _between(xs: Ints, body: Ints, node: Ints) -> Ints:
    """[pair, 2]: atoms of different bodies, at least one of which moves."""
    seen = (xs != UNTYPED) & (xs < GLUE)
    one, other = np.nonzero(
        np.triu(body[:, None] != body[None, :], 1)
        & (seen[:, None] & seen[None, :])
        & ~((node == WORLD)[:, None] & (node == WORLD)[None, :])
    )
    return np.stack([one, other], axis=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """kcal/mol, apart as `vina` gives them."""

    ligand_receptor: float
    between: float  # ligands with side chains, and with each other
    side_chain_receptor: float
    side_chain_side_chain: float
    ligand_inside: float
    total: float  # affinity: what is intermolecular, with the torsion penalty

    @property
    def energies(self) -> Energies:
        """As of a ligand alone: what strains the side chains counts as strain."""
        inside = self.side_chain_receptor + self.side_chain_side_chain + self.ligand_inside
        return Energies(self.total, self.ligand_receptor + self.between, inside)


def parts(function: Function, assembly: Assembly, receptor: Atoms, coords: Floats | None = None) -> Parts:
    """What `vina --score_only` says of several bodies, to its third decimal: explicit atoms, double precision.

    Vina takes CA and CB of a flexible residue out of the receptor and then has no energy
    between them and the ligand. So it is here; the search does see them, lest a pose go
    through them. Its affinity differs by the side chains' energy on the grid against
    that among atoms, some hundredths of a kcal/mol, which it takes for strain.

    Parameters
    ----------
    receptor : without the atoms of the side chains
    coords : [atom, 3] Å in the tree's order; where they were read, if None
    """
    tree = assembly.tree
    place = tree.coords if coords is None else np.asarray(coords, dtype=float)
    ligand, met = assembly.of_ligands, np.ones(len(tree.xs), dtype=bool) if tree.met is None else tree.met
    chain_pair = (~ligand)[tree.pairs].all(axis=1)
    pairs = tree.pairs[met[tree.pairs].all(axis=1) | chain_pair]
    one, other = (assembly.body[pairs[:, k]] for k in (0, 1))
    inside = (one == other) & (one < assembly.ligands)
    chains = (one >= assembly.ligands) & (other >= assembly.ligands)

    def told(which: Bools, near: Atoms, some: Ints) -> tuple[float, float]:
        return sums(function, Atoms(place, np.where(which, tree.xs, UNTYPED)), near, some)

    everything, nothing = np.ones(len(tree.xs), dtype=bool), Atoms(np.zeros((0, 3)), np.zeros(0, dtype=int))
    with_receptor, within = told(ligand, receptor, pairs[inside])
    chain_with_receptor, _ = told(~ligand & met, receptor, pairs[:0]) if (~ligand).any() else (0.0, 0.0)
    between, among = (
        told(everything, nothing, some)[1] if len(some) else 0.0
        for some in (pairs[~inside & ~chains], pairs[chains])
    )
    total = (with_receptor + between) / (1.0 + function.weights["rotor"] * tree.rotors)
    return Parts(with_receptor, between, chain_with_receptor, among, within, total)
