"""Which molecules are one edit away from a good one?

Edits work on the trees of units that the policy builds, under the same valences and the
same table of bonds, so each gives a molecule: cross two molecules over, put another unit
in a unit's place, set one in between or at the side, take one out. The largest edit, letting the
policy grow a cut-off part anew, needs the network and lives in `proposer`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from generative.given import sides, subtree
from generative.trees import Link, Tree, Unit, unit
from generative.vocabulary import Vocabulary, bonds, must_fill

TRIES = 20


@dataclass(frozen=True)
class Edited:
    """A tree and what was done, in words that follow a molecule's name: "with F in place of Cl"."""

    tree: Tree
    words: str


@dataclass(frozen=True)
class Editor:
    """Draws random edits; units are drawn about as often as training showed them.

    Parameters
    ----------
    common : int
        Units are drawn from this many of the most frequent ones.
    """

    vocabulary: Vocabulary
    common: int = 200

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The most frequent units. The vocabulary lists entries by frequency."""
        return self.vocabulary.units[: self.common]

    def edit(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """One random edit of a tree; None when twenty tries gave nothing legal."""
        ways: list[Callable[[Tree, Sequence[Tree], random.Random], Edited | None]]
        ways = [self.cross, self.cross, self.replace, self.replace, self.insert, self.append, self.remove]
        for _ in range(TRIES):
            found = rng.choice(ways)(tree, others, rng)
            if found is not None and found.tree != tree and self._legal(found.tree):
                return found
        return None

    def cross(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """Part of one molecule joined to part of another, each opened at one bond."""
        if not others or not tree.links:
            return None
        other = rng.choice(others)
        if not other.links:
            return None
        mine, theirs = rng.choice(tree.links), rng.choice(other.links)
        if mine.order != theirs.order:
            return None
        left, left_end = _half(tree, mine, rng)
        right, right_end = _half(other, theirs, rng)
        shift = len(left.units)
        links = (
            *left.links,
            *(
                Link(link.unit_a + shift, link.atom_a, link.unit_b + shift, link.atom_b, link.order)
                for link in right.links
            ),
            Link(left_end[0], left_end[1], right_end[0] + shift, right_end[1], mine.order),
        )
        return Edited(Tree(left.units + right.units, links), "crossed over")

    def replace(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """Another unit in a unit's place, its bonds set anew."""
        u = rng.randrange(len(tree.units))
        new = self._draw(rng)
        slots = _slots(new)
        rng.shuffle(slots)
        links = []
        for link in tree.links:
            if u not in (link.unit_a, link.unit_b):
                links.append(link)
                continue
            place = next((slot for slot in slots if slots.count(slot) >= link.order), None)
            if place is None:
                return None
            for _ in range(link.order):
                slots.remove(place)
            if link.unit_a == u:
                links.append(Link(u, place, link.unit_b, link.atom_b, link.order))
            else:
                links.append(Link(link.unit_a, link.atom_a, u, place, link.order))
        units = (*tree.units[:u], new.smiles, *tree.units[u + 1 :])
        return Edited(Tree(units, tuple(links)), f"with {new.smiles} in place of {tree.units[u]}")

    def insert(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """A unit between two that were joined singly."""
        single = [link for link in tree.links if link.order == 1]
        new = self._draw(rng)
        slots = _slots(new)
        if not single or len(slots) < 2:
            return None
        cut = rng.choice(single)
        a, b = rng.sample(slots, 2)
        n = len(tree.units)
        links = (
            *(link for link in tree.links if link != cut),
            Link(cut.unit_a, cut.atom_a, n, a, 1),
            Link(n, b, cut.unit_b, cut.atom_b, 1),
        )
        return Edited(Tree((*tree.units, new.smiles), links), f"with {new.smiles} set in between")

    def append(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """A unit in place of a hydrogen."""
        open_ = [
            (u, atom)
            for u, smiles in enumerate(tree.units)
            for atom, left in enumerate(hydrogens(tree, u, unit(smiles)))
            for _ in range(left)
        ]
        new = self._draw(rng)
        slots = _slots(new)
        if not open_ or not slots:
            return None
        u, atom = rng.choice(open_)
        link = Link(u, atom, len(tree.units), rng.choice(slots), 1)
        return Edited(Tree((*tree.units, new.smiles), (*tree.links, link)), f"with {new.smiles} added")

    def remove(self, tree: Tree, others: Sequence[Tree], rng: random.Random) -> Edited | None:
        """A unit taken from the end, or out of the middle with its neighbours joined."""
        u = rng.randrange(len(tree.units))
        mine = [link for link in tree.links if u in (link.unit_a, link.unit_b)]
        if len(mine) not in (1, 2) or any(link.order != 1 for link in mine):
            return None
        ends = [
            (link.unit_b, link.atom_b) if link.unit_a == u else (link.unit_a, link.atom_a) for link in mine
        ]
        kept = [v for v in range(len(tree.units)) if v != u]
        part, at = subtree(tree, kept)
        links = part.links
        if len(ends) == 2:
            (v, a), (w, b) = ends
            links = (*links, Link(at[v], a, at[w], b, 1))
        return Edited(Tree(part.units, links), f"with {tree.units[u]} taken out")

    def _draw(self, rng: random.Random) -> Unit:
        """By Zipf's law: the k-th most frequent unit about 1/k as often as the first."""
        rank = int(len(self.units) ** rng.random())
        return self.units[min(rank, len(self.units)) - 1]

    def _legal(self, tree: Tree) -> bool:
        """Valences, the table of bonds, and no hydrogen where none may stay."""
        if not self.vocabulary.pairs.issuperset(bonds(tree)):
            return False
        for u, smiles in enumerate(tree.units):
            block = unit(smiles)
            for atom, left in enumerate(hydrogens(tree, u, block)):
                if left < 0 or (left > 0 and must_fill(block, atom)):
                    return False
        return True


def hydrogens(tree: Tree, u: int, block: Unit) -> list[int]:
    """What is left on each atom of unit `u` after its links."""
    left = list(block.free)
    for link in tree.links:
        if link.unit_a == u:
            left[link.atom_a] -= link.order
        if link.unit_b == u:
            left[link.atom_b] -= link.order
    return left


def _slots(block: Unit) -> list[int]:
    """Each atom as often as it has hydrogens to give."""
    return [atom for atom, free in enumerate(block.free) for _ in range(free)]


def _half(tree: Tree, cut: Link, rng: random.Random) -> tuple[Tree, tuple[int, int]]:
    """One side of a cut, and the unit and atom where it was cut; the larger side more often."""
    a, b = sides(tree, cut)
    sizes = [sum(unit(tree.units[u]).size for u in part) for part in (a, b)]
    first = rng.random() * sum(sizes) < sizes[0]
    part, at = subtree(tree, a if first else b)
    end = (cut.unit_a, cut.atom_a) if first else (cut.unit_b, cut.atom_b)
    return part, (at[end[0]], end[1])
