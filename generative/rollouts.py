"""Which building steps make this molecule?

A rollout places one unit a step: the first as root, each further one by an entry of the
vocabulary at an atom (the site) of a unit that stands already. A tree has many
rollouts; `ordered` takes the same one each time (depth first, sites in ascending
order), `shuffled` any of them, so that every part of a molecule is sometimes the start.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from generative.trees import Link, Tree, unit
from generative.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Rollout:
    """Steps, first to last. Step 0 has neither parent nor site; both read 0 there."""

    entries: tuple[int, ...]  # index into the vocabulary
    parents: tuple[int, ...]  # step that placed the unit this one is bonded to
    sites: tuple[int, ...]  # atom of the parent unit, counted within it
    units: tuple[int, ...]  # unit of the tree each step placed
    turned: tuple[tuple[int, ...], ...]  # for each step, where the unit's atoms went: a symmetry of it


class UnknownUnit(KeyError):
    """The vocabulary has no entry for a unit placed this way."""


def ordered(tree: Tree, vocabulary: Vocabulary) -> Rollout:
    """Depth first from a small leaf; the same tree always gives steps of the same kind."""
    neighbours = _neighbours(tree)
    root = min(range(len(tree.units)), key=lambda u: _root_key(tree, neighbours, u))
    return _walk(tree, vocabulary, neighbours, root, None)


def shuffled(tree: Tree, vocabulary: Vocabulary, rng: random.Random, root: int | None = None) -> Rollout:
    """From a random unit, always on at a random open end."""
    start = rng.randrange(len(tree.units)) if root is None else root
    return _walk(tree, vocabulary, _neighbours(tree), start, rng)


def entered(tree: Tree, vocabulary: Vocabulary, root: int, atom: int) -> Rollout:
    """From a given unit, which is itself to be bonded to something by one of its atoms, singly."""
    return _walk(tree, vocabulary, _neighbours(tree), root, None, (atom, 1))


def tree_of(
    vocabulary: Vocabulary, entries: Sequence[int], parents: Sequence[int], sites: Sequence[int]
) -> Tree:
    """The tree that steps build, its units in the order they were placed."""
    links = []
    for step in range(1, len(entries)):
        _, atom, order = vocabulary.entries[entries[step]]
        links.append(Link(parents[step], sites[step], step, atom, order))
    return Tree(tuple(vocabulary.entries[entry][0] for entry in entries), tuple(links))


Neighbour = tuple[int, int, int, int]  # own atom, the other unit, its atom, order


def _neighbours(tree: Tree) -> list[list[Neighbour]]:
    found: list[list[Neighbour]] = [[] for _ in tree.units]
    for link in tree.links:
        found[link.unit_a].append((link.atom_a, link.unit_b, link.atom_b, link.order))
        found[link.unit_b].append((link.atom_b, link.unit_a, link.atom_a, link.order))
    return found


def _root_key(tree: Tree, neighbours: list[list[Neighbour]], u: int) -> tuple[object, ...]:
    around = sorted(tree.units[other] for _, other, _, _ in neighbours[u])
    return (len(neighbours[u]), len(tree.units[u]), tree.units[u], around)


def _walk(
    tree: Tree,
    vocabulary: Vocabulary,
    neighbours: list[list[Neighbour]],
    root: int,
    rng: random.Random | None,
    bond: tuple[int, int] = (-1, 0),
) -> Rollout:
    entries: list[int] = []
    parents: list[int] = []
    sites: list[int] = []
    units: list[int] = []
    turned: list[tuple[int, ...]] = []
    # an open end: step and site it grows from, the unit behind it, that unit's atom, order
    frontier: list[tuple[int, int, int, int, int]] = [(0, 0, root, *bond)]
    came_from = {root: -1}
    while frontier:
        step, site, u, atom, order = frontier.pop(rng.randrange(len(frontier)) if rng else -1)
        block = unit(tree.units[u])
        others = [(a, v, b, o) for a, v, b, o in neighbours[u] if v != came_from[u]]
        place = _orientation(tree, u, atom, others)
        entry = (block.smiles, place[atom] if atom >= 0 else -1, order)
        if entry not in vocabulary.index:
            raise UnknownUnit(
                f"the vocabulary cannot place {entry[0]} by atom {entry[1]} with bond order {order}"
            )
        here = len(entries)
        entries.append(vocabulary.index[entry])
        parents.append(step)
        sites.append(site)
        units.append(u)
        turned.append(place)
        # the last is popped first, so that sites are met in ascending order
        behind = sorted(
            ((place[a], v, b, o) for a, v, b, o in others),
            key=lambda end: (end[0], len(neighbours[end[1]]), tree.units[end[1]]),
            reverse=True,
        )
        for own, v, b, o in behind:
            came_from[v] = u
            frontier.append((here, own, v, b, o))
    return Rollout(tuple(entries), tuple(parents), tuple(sites), tuple(units), tuple(turned))


def _orientation(tree: Tree, u: int, atom: int, others: list[Neighbour]) -> tuple[int, ...]:
    """The symmetry of unit `u` that puts its bonds on the first of equivalent atoms."""
    block = unit(tree.units[u])
    if len(block.symmetries) == 1:
        return block.symmetries[0]
    first = block.representative[atom] if atom >= 0 else -1
    fitting = [s for s in block.symmetries if atom < 0 or s[atom] == first]
    return min(fitting, key=lambda s: (sorted((s[a], tree.units[v]) for a, v, _, _ in others), s))
