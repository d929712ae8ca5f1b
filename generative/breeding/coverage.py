"""What was never tried on the best molecules?

Where an oracle rewards a substructure all or nothing, nothing leads to it, and a search rests on
a plateau. It is then worth going through what there is: ring systems, at each of their atoms, and
side chains of known molecules, put where molecules at the top have something else. These hold much
of what is asked already and differ in what they hold besides, so a part is tried on several of them,
each time by chance on another.

The commonest come first, counted apart for each kind of atom they are bound to. By Zipf's law the
n-th is wanted a n-th as often as the first; a try that failed leaves five sixths of what a part
promised, as the molecule may not have been the right one to try it on. What was tried is what
the molecules that were asked about hold, so that nothing need be remembered.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from generative.breeding.edits import GRAFT, attached, opened
from generative.given import subtree
from generative.trees import Tree, assemble, distances, unit
from generative.vocabulary import must_fill

COMMON = 2  # molecules that hold a side chain worth trying
FAILED = 1.2  # one try makes a part this much less promising
SHARE, MANY = 0.75, 500  # the largest share of the calls, and molecules at the top with which it is half that
DRAWS = 4  # molecules at the top that a part is offered to before the next part's turn
OTHERWISE = 0.1  # how often a ring comes in place of a chain, a chain of a ring, either of a hydrogen

Ints = npt.NDArray[np.int64]
Anchor = tuple[int, bool]  # an atom's element, and whether it is in a ring


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """What an atom may be bound to."""

    anchor: Anchor
    words: str  # its units, from the one that is bound on, and how far apart the bonds of each are
    ring: bool  # whether it is bound by an atom in a ring


@dataclass(frozen=True, slots=True)
class Place:
    """A bond of a molecule beyond which all is exchanged: no more than half of the molecule."""

    anchor: Anchor  # of the atom that stays
    stays: int
    goes: int | None  # None: a hydrogen
    ring: bool  # whether a ring atom goes


@dataclass(frozen=True)
class Parts:
    """Parts of known molecules, and for each a molecule that is bound in place of a hydrogen."""

    known: tuple[Part, ...]  # the commonest first
    bodies: tuple[tuple[str, int], ...]  # [part] SMILES, and the atom by which it is bound
    held: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict, compare=False)  # by molecules met

    @classmethod
    def of(cls, trees: Iterable[Tree]) -> Parts:
        """Of side chains those that at least `COMMON` molecules hold."""
        counts: Counter[Part] = Counter()
        first: dict[Part, Side] = {}
        for tree in trees:
            mine = parts_of(tree)
            counts.update(mine.keys())
            for part, side in mine.items():
                first.setdefault(part, side)
        kept = [part for part in counts if counts[part] >= COMMON or len(first[part].units) == 1]
        kept.sort(key=lambda part: (-counts[part], len(part.words), part))
        return cls(tuple(kept), tuple(first[part].body() for part in kept))

    @cached_property
    def number(self) -> dict[Part, int]:
        return {part: number for number, part in enumerate(self.known)}

    def tried(self, smiles: Iterable[str], tree_of: Callable[[str], Tree | None]) -> Ints:
        """[part] how many molecules hold it; each is looked at once."""
        held = []
        for one in smiles:
            if one not in self.held:
                tree = tree_of(one)
                mine = [self.number[part] for part in parts_of(tree) if part in self.number] if tree else []
                self.held[one] = np.array(mine, dtype=np.int32)
            held.append(self.held[one])
        return np.bincount(np.concatenate([np.zeros(0, np.int32), *held]), minlength=len(self.known))


@dataclass(frozen=True, slots=True)
class Side:
    """Some units of a tree, the bond to the others cut."""

    tree: Tree
    units: tuple[int, ...]
    unit: int  # the one that was bound
    atom: int  # counted within it

    def body(self) -> tuple[str, int]:
        """As SMILES, and which atom was bound."""
        side, at = subtree(self.tree, self.units)
        mol = assemble(side)
        root = sum(unit(smiles).size for smiles in side.units[: at[self.unit]]) + self.atom
        smiles = str(Chem.MolToSmiles(mol))
        return smiles, list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]).index(root)


def parts_of(tree: Tree) -> dict[Part, Side]:
    """Ring systems without what hangs on them, by each bond to them, and side chains of two atoms or more."""
    bound: dict[int, list[tuple[int, int, int, int]]] = {u: [] for u in range(len(tree.units))}
    for link in tree.links:
        bound[link.unit_a].append((link.atom_a, link.order, link.unit_b, link.atom_b))
        bound[link.unit_b].append((link.atom_b, link.order, link.unit_a, link.atom_a))
    read: dict[tuple[int, int], tuple[str, tuple[int, ...]]] = {}

    def beyond(u: int, atom: int, without: int) -> tuple[str, tuple[int, ...]]:
        """In words, and which units these are."""
        if (u, without) not in read:
            smiles, words, units = tree.units[u], [], [u]
            for mine, order, other, theirs in bound[u]:
                if other != without:
                    said, more = beyond(other, theirs, u)
                    words.append(f"{distances(smiles)[atom, mine]}{'-=#'[order - 1]}{said}")
                    units += more
            inside = f"({','.join(sorted(words))})" if words else ""
            read[u, without] = f"{smiles}:{unit(smiles).representative[atom]}{inside}", tuple(units)
        return read[u, without]

    found: dict[Part, Side] = {}
    for link in tree.links:
        if link.order != 1:
            continue
        ends = ((link.unit_a, link.atom_a), (link.unit_b, link.atom_b))
        for (u, atom), (v, other) in (ends, ends[::-1]):
            block, holder = unit(tree.units[u]), unit(tree.units[v])
            anchor, ring = (holder.elements[other], holder.in_ring[other]), block.in_ring[atom]
            words, units = beyond(u, atom, v)
            if block.rings and not any(must_fill(block, one) for one in range(block.size)):
                bare = f"{block.smiles}:{block.representative[atom]}"
                found[Part(anchor, bare, ring)] = Side(tree, (u,), u, atom)
            if 1 < sum(unit(tree.units[w]).size for w in units) <= GRAFT:
                found[Part(anchor, words, ring)] = Side(tree, units, u, atom)
    return found


def deserved(top: int) -> float:
    """What part of a resting search's calls, by how many molecules are at the top: the longer it rests, the more."""
    return SHARE * top / (top + MANY)


@lru_cache(maxsize=4_000)
def places(smiles: str) -> tuple[Place, ...]:
    """Every place of a molecule."""
    o = opened(smiles)
    if o is None:
        return ()
    ringed = {atom for a, b, _, ring in o.bonds if ring for atom in (a, b)}
    anchors = [(element, atom in ringed) for atom, element in enumerate(o.elements)]
    found = [Place(anchors[atom], atom, None, False) for atom in o.open_]
    for a, b, order, ring in o.bonds:
        if order == 1 and not ring:
            for stays, goes in ((a, b), (b, a)):
                if 2 * len(o.side(goes, stays)) <= o.size:
                    found.append(Place(anchors[stays], stays, goes, goes in ringed))
    return tuple(found)


def untried(
    n: int,
    top: Sequence[str],
    parts: Parts,
    tried: Ints,
    rng: random.Random,
    known: Set[str],
    wanted: Callable[[Chem.Mol], bool],
) -> list[tuple[str, Chem.Mol, str, str]]:
    """At most `n` new molecules: SMILES, molecule, the one at the top it was made from, and how.

    Parameters
    ----------
    top : SMILES
        Of molecules between whose rewards there is no difference worth the name.
    tried : [part]
        In how many molecules each was asked about.
    known : SMILES
        Not made again.
    wanted : Mol -> bool
    """
    found: dict[str, tuple[str, Chem.Mol, str, str]] = {}
    ranks = np.arange(1, len(parts.known) + 1)
    for number in np.argsort(np.log(ranks) + np.log(FAILED) * tried, kind="stable"):
        if len(found) == n:
            break
        part, (body, atom) = parts.known[int(number)], parts.bodies[int(number)]
        for smiles, place in _offered(part, top, rng):
            made = attached(smiles, place.stays, place.goes, body, atom)
            if made and made[0] not in known and made[0] not in found and wanted(made[1]):
                how = "in place of a hydrogen" if place.goes is None else "in place of a side chain"
                found[made[0]] = (*made, smiles, f"with {body} {how}")
                break
    return list(found.values())


def _offered(part: Part, top: Sequence[str], rng: random.Random) -> Iterator[tuple[str, Place]]:
    """A few molecules at the top, each with a place for the part: of like for like, mostly."""
    for _ in range(DRAWS):
        smiles = rng.choice(top)
        fitting = [place for place in places(smiles) if place.anchor == part.anchor]
        odds = [1.0 if place.goes is not None and place.ring == part.ring else OTHERWISE for place in fitting]
        if fitting:
            yield smiles, rng.choices(fitting, odds)[0]
