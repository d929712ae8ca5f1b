"""Which units does the grammar know, and which bonds between them has chemistry made?

An entry is one way to place a unit: which of its atoms bonds to what is there already,
and how strongly. Equivalent atoms share one entry. Root entries (no bond) open a
molecule. The vocabulary is open: `extended` takes any further unit, and the network
reads units as graphs, so it needs no new training for one.

Two bonded atoms must be of kinds that the training molecules bond; that table, counted
and never typed, is what keeps peroxides and N-halogens out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from generative.refusal import SettingError
from generative.trees import Tree, Unit, distances, unit

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Kind = tuple[int, int, int, int]  # element, charge, 0 chain | 1 ring | 2 aromatic, unsaturated in its unit
Bond = tuple[Kind, Kind, int]  # two ends, the lower first, and the order
Entry = tuple[str, int, int]  # unit, atom, bond order; a root is (unit, -1, 0)
PAIR_COUNT = 5  # a bond seen fewer times than this in training is taken for an error of the data
FAR = 15  # bonds within a unit are told apart up to here
MUST_FILL = frozenset({5, 14, 15})  # elements whose hydrogens no chemist would leave on: B, Si, P


@dataclass(frozen=True)
class Vocabulary:
    """Entries in the order the network knows them, and the table of bonds.

    Parameters
    ----------
    entries : sequence of (unit, atom, order)
        Each unit's atom must be the first of its equivalents.
    pairs : set of Bond
        Between units, that are allowed.
    """

    entries: tuple[Entry, ...]
    pairs: frozenset[Bond]

    @classmethod
    def count(cls, trees: Iterable[Tree], size: int) -> Vocabulary:
        """The `size` most frequent entries of trees, and the bonds they hold.

        Raises
        ------
        SettingError
            If there is no tree to count.
        """
        seen: Counter[Entry] = Counter()
        made: Counter[Bond] = Counter()
        total = 0
        for tree in trees:
            total += 1
            seen.update((smiles, -1, 0) for smiles in tree.units)
            for link in tree.links:
                a, b = unit(tree.units[link.unit_a]), unit(tree.units[link.unit_b])
                seen[a.smiles, a.representative[link.atom_a], link.order] += 1
                seen[b.smiles, b.representative[link.atom_b], link.order] += 1
            made.update(bonds(tree))
        if total == 0:
            raise SettingError("no molecule to count units in; give a file with at least one readable SMILES")
        entries = sorted(seen, key=lambda entry: (-seen[entry], entry))[:size]
        floor = PAIR_COUNT if total >= 10_000 else 1
        return cls(tuple(entries), frozenset(bond for bond, count in made.items() if count >= floor))

    def extended(self, units: Sequence[str]) -> Vocabulary:
        """With every way to place some further units, behind the known entries."""
        new = [
            entry
            for smiles in dict.fromkeys(units)
            for entry in all_entries(unit(smiles))
            if entry not in self.index
        ]
        return Vocabulary(self.entries + tuple(new), self.pairs)

    @cached_property
    def index(self) -> dict[Entry, int]:
        return {entry: number for number, entry in enumerate(self.entries)}

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        return tuple(unit(smiles) for smiles in dict.fromkeys(entry[0] for entry in self.entries))

    @cached_property
    def unit_index(self) -> dict[str, int]:
        return {block.smiles: number for number, block in enumerate(self.units)}

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """All atom kinds of the units, in order of first appearance."""
        return tuple(dict.fromkeys(kind(block, atom) for block in self.units for atom in range(block.size)))

    @cached_property
    def tables(self) -> Tables:
        return Tables.of(self)

    def to_json(self) -> str:
        return json.dumps({"entries": self.entries, "pairs": sorted(self.pairs)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        read = json.loads(text)
        return cls(
            tuple((smiles, int(atom), int(order)) for smiles, atom, order in read["entries"]),
            frozenset((tuple(a), tuple(b), int(order)) for a, b, order in read["pairs"]),
        )


@dataclass(frozen=True)
class Tables:
    """A vocabulary as arrays, for masks and encodings without a chemistry toolkit in the loop."""

    start: Ints  # [unit + 1]: where a unit's atoms begin in the arrays over atoms
    size: Ints  # [unit] heavy atoms
    rings: Ints  # [unit]
    free: Ints  # [atom] hydrogens a bond may replace
    kind: Ints  # [atom] index into the vocabulary's kinds
    must: Bools  # [atom] may keep no hydrogen
    entry_unit: Ints  # [entry]
    entry_atom: Ints  # [entry] row in the arrays over atoms; -1 for a root
    entry_order: Ints  # [entry] 0 for a root
    first: Ints  # [entry + 1]: where the atoms of a unit placed by an entry begin in the next arrays
    placed: Ints  # row in the arrays over atoms
    local: Ints  # atom of the unit
    left: Ints  # hydrogens a bond may replace, after the entry's own bond
    distance: Ints  # bonds to the atom the unit is attached by, less than FAR; FAR in a root
    allowed: Bools  # [kind, entry] may an atom of this kind take this entry; roots never

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Tables:
        units = vocabulary.units
        kind_index = {one: number for number, one in enumerate(vocabulary.kinds)}
        start = np.concatenate([[0], np.cumsum([block.size for block in units])])
        kinds = [kind_index[kind(block, atom)] for block in units for atom in range(block.size)]
        at = vocabulary.unit_index
        entry_unit = np.array([at[smiles] for smiles, _, _ in vocabulary.entries])
        entry_atom = np.array(
            [-1 if atom < 0 else start[at[smiles]] + atom for smiles, atom, _ in vocabulary.entries]
        )
        order = np.array([bond for _, _, bond in vocabulary.entries])
        size = np.array([block.size for block in units])
        free = np.array([free for block in units for free in block.free])
        count = size[entry_unit]
        first = np.concatenate([[0], np.cumsum(count)])
        local = np.arange(first[-1]) - np.repeat(first[:-1], count)
        placed = np.repeat(start[entry_unit], count) + local
        left = free[placed]
        bonded = entry_atom >= 0
        left[(first[:-1] + entry_atom - start[entry_unit])[bonded]] -= order[bonded]
        return cls(
            start=start,
            size=size,
            rings=np.array([block.rings for block in units]),
            free=free,
            kind=np.array(kinds),
            must=np.array([must_fill(block, atom) for block in units for atom in range(block.size)]),
            entry_unit=entry_unit,
            entry_atom=entry_atom,
            entry_order=order,
            first=first,
            placed=placed,
            local=local,
            left=left,
            distance=np.concatenate([_distance(*entry[:2]) for entry in vocabulary.entries]),
            allowed=_allowed(vocabulary, np.array(kinds), entry_atom, order),
        )


def _distance(smiles: str, atom: int) -> Ints:
    return np.full(unit(smiles).size, FAR) if atom < 0 else np.minimum(distances(smiles)[atom], FAR - 1)


def _allowed(vocabulary: Vocabulary, kinds: Ints, entry_atom: Ints, order: Ints) -> Bools:
    """[kind, entry]. A kind that training never bonded is judged by element and charge alone."""
    known = {end for pair in vocabulary.pairs for end in pair[:2]}
    coarse = {pair(a[:2], b[:2], bond) for a, b, bond in vocabulary.pairs}
    n = len(vocabulary.kinds)
    table = np.zeros((4, n, n), dtype=bool)
    for i, a in enumerate(vocabulary.kinds):
        for j, b in enumerate(vocabulary.kinds[: i + 1]):
            for bond in (1, 2, 3):
                if a in known and b in known:
                    fits = pair(a, b, bond) in vocabulary.pairs
                else:
                    fits = pair(a[:2], b[:2], bond) in coarse
                table[bond, i, j] = table[bond, j, i] = fits
    return table[order, :, kinds[entry_atom]].T & (entry_atom >= 0)


def kind(block: Unit, atom: int) -> Kind:
    """What the table of bonds is counted over."""
    unsaturated = any(order > 1 for a, b, order in block.bonds if atom in (a, b))
    place = 2 if block.aromatic[atom] else int(block.in_ring[atom])
    return (block.elements[atom], block.charges[atom], place, int(unsaturated and place < 2))


def must_fill(block: Unit, atom: int) -> bool:
    """Would a hydrogen left here be no molecule to a chemist: on S(=O), [N+], P, B, Si?"""
    element, charge, _, _ = kind(block, atom)
    valence = block.free[atom] + sum(order for a, b, order in block.bonds if atom in (a, b))
    return block.free[atom] > 0 and (charge > 0 or element in MUST_FILL or (element == 16 and valence > 2))


def all_entries(block: Unit) -> list[Entry]:
    """Every way to place a unit: as root, and by each inequivalent atom with each bond it can make."""
    firsts = sorted(set(block.representative))
    return [
        (block.smiles, -1, 0),
        *((block.smiles, a, order) for a in firsts for order in range(1, min(block.free[a], 3) + 1)),
    ]


def bonds(tree: Tree) -> Iterator[Bond]:
    """Those between a tree's units."""
    for link in tree.links:
        a, b = unit(tree.units[link.unit_a]), unit(tree.units[link.unit_b])
        yield pair(kind(a, link.atom_a), kind(b, link.atom_b), link.order)


def pair(a: tuple[int, ...], b: tuple[int, ...], order: int):  # type: ignore[no-untyped-def]
    return (a, b, order) if a <= b else (b, a, order)
