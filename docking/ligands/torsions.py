"""Which bonds turn in docking, and what is the tree they make?

The rules are Meeko's (and so AutoDock's): single bonds outside rings, except
amides and their like and the bonds of a triple bond, as long as something off the
axis moves. Rings are rigid, macrocycles included: their shape is the conformer's.
"""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem

from discovery.outcome import MoleculeError, Reason

MOST_TORSIONS = 48  # a search in more dimensions than this finds nothing that can be trusted

_AMIDE = Chem.MolFromSmarts("[NX3]-[CX3]=[O,N,S]")
_TERTIARY_AMIDE = Chem.MolFromSmarts("[NX3]([!#1])([!#1])-[CX3]=[O,N,S]")
_ALONG_TRIPLE = Chem.MolFromSmarts("[*]-[*]#[*]-[*]")
_NITRILE = Chem.MolFromSmarts("[*]-[*]#[*X1]")

Bond = tuple[int, int]  # atom indices, smaller first


@dataclass(frozen=True, slots=True)
class Tree:
    """Rigid groups of atoms and the bonds they turn about."""

    groups: tuple[tuple[int, ...], ...]  # atom indices; group 0 is the root
    parents: tuple[int, ...]  # parents[g]: the group g hangs on; -1 for the root
    axes: tuple[Bond, ...]  # axes[g]: (atom in the parent, atom in g); (-1, -1) for the root

    @property
    def torsions(self) -> int:
        return len(self.groups) - 1


def turning_bonds(mol: Chem.Mol, seen: frozenset[int]) -> set[Bond]:
    """Bonds between the atoms that docking sees (`seen`: heavy atoms and polar hydrogens) that may turn."""
    rigid = {_bond(hit[0], hit[1]) for hit in mol.GetSubstructMatches(_AMIDE)}
    alike = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    for hit in mol.GetSubstructMatches(_TERTIARY_AMIDE, uniquify=True):
        nitrogen, first, second, carbon = hit[:4]
        if alike[first] != alike[second]:
            rigid.discard(_bond(nitrogen, carbon))
    rigid |= {_bond(hit[0], hit[1]) for hit in mol.GetSubstructMatches(_NITRILE)}
    triple: set[Bond] = set()
    for before, first, second, after in mol.GetSubstructMatches(_ALONG_TRIPLE):
        rigid |= {_bond(before, first), _bond(second, after)}
        triple.add(_bond(first, second))
    free = {
        _bond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
        for bond in mol.GetBonds()
        if bond.GetBondType() == Chem.BondType.SINGLE and not bond.IsInRing()
    }
    outside = {bond for bond in triple if not mol.GetBondBetweenAtoms(*bond).IsInRing()}
    return {bond for bond in (free - rigid) | outside if set(bond) <= seen}


def tree(mol: Chem.Mol, seen: frozenset[int], shown: str) -> Tree:
    """The torsion tree over `seen`, its root in the middle so that branches are short.

    Raises
    ------
    MoleculeError
        TOO_LARGE with more than 48 turning bonds.
    """
    turning = turning_bonds(mol, seen)
    neighbours: dict[int, list[int]] = {i: [] for i in sorted(seen)}
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if i in neighbours and j in neighbours:
            neighbours[i].append(j)
            neighbours[j].append(i)
    # a bond whose far side is one atom turns nothing
    turning = {(i, j) for i, j in turning if len(neighbours[i]) > 1 and len(neighbours[j]) > 1}
    group_of, groups = _groups(neighbours, turning)
    links: dict[int, list[tuple[int, int, int]]] = {g: [] for g in range(len(groups))}
    for i, j in sorted(turning):
        links[group_of[i]].append((group_of[j], i, j))
        links[group_of[j]].append((group_of[i], j, i))
    if len(groups) - 1 > MOST_TORSIONS:
        raise MoleculeError(
            Reason.TOO_LARGE,
            f"{shown} has {len(groups) - 1} turning bonds; docking is meaningful up to {MOST_TORSIONS}",
        )
    return _hang(groups, links, _middle(groups, links))


def _groups(
    neighbours: dict[int, list[int]], turning: set[Bond]
) -> tuple[dict[int, int], list[tuple[int, ...]]]:
    group_of: dict[int, int] = {}
    groups: list[tuple[int, ...]] = []
    for start in neighbours:
        if start in group_of:
            continue
        members, todo = {start}, [start]
        while todo:
            i = todo.pop()
            for j in neighbours[i]:
                if j not in members and _bond(i, j) not in turning:
                    members.add(j)
                    todo.append(j)
        for i in members:
            group_of[i] = len(groups)
        groups.append(tuple(sorted(members)))
    return group_of, groups


def _middle(groups: list[tuple[int, ...]], links: dict[int, list[tuple[int, int, int]]]) -> int:
    """The group left when leaves are taken off again and again; of two, the larger."""
    left = {g: {other for other, _, _ in links[g]} for g in links}
    while len(left) > 2:
        leaves = [g for g, others in left.items() if len(others) == 1]
        for leaf in leaves:
            for other in left.pop(leaf):
                left.get(other, set()).discard(leaf)
    return max(left, key=lambda g: (len(groups[g]), -g))


def _hang(groups: list[tuple[int, ...]], links: dict[int, list[tuple[int, int, int]]], root: int) -> Tree:
    """Groups in the order BRANCH lines open them: depth first."""
    order: list[tuple[int, int, Bond]] = []
    todo = [(root, -1, -1, (-1, -1))]  # group, its parent group, its parent's place in the order, axis
    while todo:
        group, above, place, axis = todo.pop()
        order.append((group, place, axis))
        here = len(order) - 1
        for other, inside, outside in reversed(links[group]):
            if other != above:
                todo.append((other, group, here, (inside, outside)))
    return Tree(
        tuple(groups[group] for group, _, _ in order),
        tuple(place for _, place, _ in order),
        tuple(axis for _, _, axis in order),
    )


def _bond(i: int, j: int) -> Bond:
    return (i, j) if i < j else (j, i)
