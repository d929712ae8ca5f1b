"""Which molecules are one small change of atoms or bonds away from a good one?

The finest edits: an atom more, less or of another element, a bond's order, a ring closed,
opened, rewired, fused on or made aromatic, a side chain moved, exchanged with another molecule's or
grafted on. They work on the Kekulé graph, where free valence is the number of hydrogens, so
nearly every draw gives a molecule. Larger edits, on whole ring systems, are in `search`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from generative.trees import MARKED, flatten

MOST_ATOMS = 70
RINGS = range(3, 9)  # sizes of rings that an edit may make
REACH = 4  # bonds between two atoms that a rewiring joins
GRAFT = 14  # heavy atoms of a side chain that may be put in place of a hydrogen
_BOND = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
_ORDER = {bond: order for order, bond in _BOND.items()}
VALENCE = {6: 4, 7: 3, 8: 2, 9: 1, 15: 3, 16: 2, 17: 1, 35: 1, 53: 1}
# Elements are drawn about as often as drug-like molecules hold them; the rare ones a little more often.
_DRAW = {6: 44, 7: 20, 8: 20, 9: 6, 16: 5, 17: 4, 35: 2, 15: 1, 53: 1}
ANY = 0.15  # share of draws in which all elements are equal
# Small rings with a triple bond, cumulated double bonds in rings, two double bonds from a ring atom
# of no higher valence, hydrogen on sulphur or phosphorus of a higher one: nobody can hold them in a flask.
_STRAINED = tuple(
    Chem.MolFromSmarts(smarts)
    for smarts in (
        "[R]=[R]=[R]", "[R]#[R]", "[r3,r4]=[r3,r4]", "*=[C;!R]=*", "[#15,#16;!H0;v4,v5,v6]",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """A molecule laid open: its Kekulé graph as plain tables."""

    smiles: str
    mol: Chem.Mol  # no flags of aromaticity, hydrogens all implied
    elements: tuple[int, ...]
    hydrogens: tuple[int, ...]
    charged: tuple[bool, ...]
    bonds: tuple[tuple[int, int, int, bool], ...]  # atom, atom, order, in a ring
    near: tuple[tuple[int, ...], ...]  # neighbours of each atom

    @property
    def size(self) -> int:
        return len(self.elements)

    @property
    def open_(self) -> list[int]:
        """Atoms with a hydrogen."""
        return [atom for atom, left in enumerate(self.hydrogens) if left]

    def side(self, start: int, without: int) -> list[int]:
        """Atoms reached from `start` without passing through its neighbour `without`."""
        seen = {start, without}
        stack, found = [start], [start]
        while stack:
            for other in self.near[stack.pop()]:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
                    found.append(other)
        return found

    def within(self, start: int, most: int) -> dict[int, int]:
        """Atoms at most `most` bonds from `start`, and how many."""
        far, rim = {start: 0}, [start]
        for step in range(1, most + 1):
            rim = [b for a in rim for b in self.near[a] if b not in far and far.setdefault(b, step) == step]
        return far


@lru_cache(maxsize=4_000)
def opened(smiles: str) -> Opened | None:
    """None for what the edits cannot work on: several parts, radicals, unusual valences."""
    if "." in smiles:
        return None
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None or mol.GetNumAtoms() < 2:
        return None
    if MARKED.search(smiles):
        mol = flatten(mol)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    atoms = [mol.GetAtomWithIdx(index) for index in range(mol.GetNumAtoms())]
    before = tuple(atom.GetTotalNumHs() for atom in atoms)
    told = [atom for atom in atoms if atom.GetNoImplicit()]
    for atom in told:
        if atom.GetNumRadicalElectrons():
            return None
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
    if told:
        mol.UpdatePropertyCache(strict=False)
        if any(before[atom.GetIdx()] != atom.GetTotalNumHs() for atom in told):
            return None
    bonds = []
    near: list[list[int]] = [[] for _ in atoms]
    for index in range(mol.GetNumBonds()):
        bond = mol.GetBondWithIdx(index)
        order = _ORDER.get(bond.GetBondType())
        if order is None:
            return None
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds.append((a, b, order, bond.IsInRing()))
        near[a].append(b)
        near[b].append(a)
    return Opened(
        smiles,
        mol,
        tuple(atom.GetAtomicNum() for atom in atoms),
        before,
        tuple(atom.GetFormalCharge() != 0 for atom in atoms),
        tuple(bonds),
        tuple(map(tuple, near)),
    )


def finished(made: Chem.RWMol) -> tuple[str, Chem.Mol] | None:
    """Canonical SMILES and the molecule; None where valence, size or strain say no."""
    if not 2 <= made.GetNumAtoms() <= MOST_ATOMS:
        return None
    if Chem.SanitizeMol(made, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    for ring in made.GetRingInfo().AtomRings():
        if len(ring) not in RINGS:
            return None
    if any(made.HasSubstructMatch(query) for query in _STRAINED):
        return None
    return str(Chem.MolToSmiles(made)), made


Edit = Callable[[Opened, Opened, random.Random], Chem.RWMol | None]


def _append(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """An atom in place of one hydrogen or two."""
    if not (places := o.open_):
        return None
    at, element = rng.choice(places), _element(rng)
    order = 2 if o.hydrogens[at] > 1 and VALENCE[element] > 1 and rng.random() < 0.25 else 1
    made = Chem.RWMol(o.mol)
    made.AddBond(at, made.AddAtom(Chem.Atom(element)), _BOND[order])
    return made


def _delete(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """An atom taken out, its two neighbours joined."""
    at = rng.randrange(o.size)
    near = o.near[at]
    if len(near) > 2 or (len(near) == 2 and near[1] in o.near[near[0]]):
        return None
    made = Chem.RWMol(o.mol)
    if len(near) == 2:
        made.AddBond(near[0], near[1], Chem.BondType.SINGLE)
    made.RemoveAtom(at)
    return made


def _insert(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """An atom set into a bond, of a ring too."""
    a, b, order, _ring = rng.choice(o.bonds)
    element = _element(rng)
    if VALENCE[element] < 2 or order == 3:
        return None
    made = Chem.RWMol(o.mol)
    made.RemoveBond(a, b)
    new = made.AddAtom(Chem.Atom(element))
    made.AddBond(a, new, _BOND[order if VALENCE[element] > 2 else 1])
    made.AddBond(new, b, Chem.BondType.SINGLE)
    return made


def _mutate(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """Another element in an atom's place."""
    at, element = rng.randrange(o.size), _element(rng)
    if o.charged[at] or element == o.elements[at] or _used(o, at) > VALENCE[element]:
        return None
    made = Chem.RWMol(o.mol)
    made.ReplaceAtom(at, Chem.Atom(element))
    return made


def _swap(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """Two atoms exchange their elements: the formula stays."""
    a = rng.randrange(o.size)
    others = [b for b in range(o.size) if o.elements[b] != o.elements[a]]
    if not others:
        return None
    b = rng.choice(others)
    for at, element in ((a, o.elements[b]), (b, o.elements[a])):
        if o.charged[at] or _used(o, at) > VALENCE.get(element, 0):
            return None
    made = Chem.RWMol(o.mol)
    made.ReplaceAtom(a, Chem.Atom(o.elements[b]))
    made.ReplaceAtom(b, Chem.Atom(o.elements[a]))
    return made


def _reorder(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A bond stronger or weaker by one."""
    a, b, order, _ring = rng.choice(o.bonds)
    up = order < 3 and o.hydrogens[a] and o.hydrogens[b]
    if order > 1 and (not up or rng.random() < 0.5):
        order -= 1
    elif up:
        order += 1
    else:
        return None
    made = Chem.RWMol(o.mol)
    made.GetBondBetweenAtoms(a, b).SetBondType(_BOND[order])
    return made


def _close(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A ring of three to seven, mostly of five or six, between two atoms with hydrogens."""
    if not (places := o.open_):
        return None
    a = rng.choice(places)
    chance = {2: 1, 3: 2, 4: 8, 5: 10, 6: 2}
    far = [(b, chance[n]) for b, n in o.within(a, 6).items() if n > 1 and o.hydrogens[b]]
    if not far:
        return None
    b = rng.choices([b for b, _ in far], [weight for _, weight in far])[0]
    made = Chem.RWMol(o.mol)
    made.AddBond(a, b, Chem.BondType.SINGLE)
    return made


def _break(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A ring opened at a bond."""
    cuts = [bond for bond in o.bonds if bond[3]]
    if not cuts:
        return None
    a, b, _order, _ring = rng.choice(cuts)
    made = Chem.RWMol(o.mol)
    made.RemoveBond(a, b)
    return made


def _fuse(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A ring of five or six fused on at a bond whose atoms have hydrogens: aromatic on a double bond."""
    cuts = [bond for bond in o.bonds if o.hydrogens[bond[0]] and o.hydrogens[bond[1]]]
    if not cuts:
        return None
    a, b, order, _ring = rng.choice(cuts)
    aromatic = order == 2
    elements = [7 if rng.random() < 0.12 else 6 for _ in range(4 if aromatic or rng.random() < 0.6 else 3)]
    made = Chem.RWMol(o.mol)
    chain = [a, *(made.AddAtom(Chem.Atom(element)) for element in elements), b]
    for step in range(len(chain) - 1):
        double = aromatic and step % 2 == 1
        made.AddBond(chain[step], chain[step + 1], _BOND[2 if double else 1])
    return made


def _aromatise(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A ring of six made aromatic, or a ring of any size stripped of its double bonds."""
    rings = [list(ring) for ring in o.mol.GetRingInfo().AtomRings()]
    if not rings:
        return None
    ring = rng.choice(rings)
    turned = rng.randrange(2)
    pairs = [(ring[i], ring[(i + 1) % len(ring)]) for i in range(len(ring))]
    order = {frozenset(bond[:2]): bond[2] for bond in o.bonds}
    made = Chem.RWMol(o.mol)
    if any(order[frozenset(pair)] == 2 for pair in pairs):
        for a, b in pairs:
            made.GetBondBetweenAtoms(a, b).SetBondType(Chem.BondType.SINGLE)
        return made
    if len(ring) == 6:
        doubles = pairs[turned::2]
    elif len(ring) == 5:
        doubles = [pairs[(turned * 2 + 1) % 5], pairs[(turned * 2 + 3) % 5]]
    else:
        return None
    for a, b in doubles:
        if not (o.hydrogens[a] and o.hydrogens[b]):
            return None
        made.GetBondBetweenAtoms(a, b).SetBondType(Chem.BondType.DOUBLE)
    return made


def _rewire(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """Two bonds of one order exchange an end: formula and every atom's bonds stay, rings change shape."""
    a, b, order, _ring = rng.choice(o.bonds)
    if rng.random() < 0.5:
        a, b = b, a
    near = o.within(b, REACH)
    ends = [(c, d) for e, f, theirs, _ring in o.bonds if theirs == order for c, d in ((e, f), (f, e))]
    others = [
        (c, d)
        for c, d in ends
        if d in near and len({a, b, c, d}) == 4 and c not in o.near[a] and d not in o.near[b]
    ]
    if not others:
        return None
    c, d = rng.choice(others)
    made = Chem.RWMol(o.mol)
    made.RemoveBond(a, b)
    made.RemoveBond(c, d)
    made.AddBond(a, c, _BOND[order])
    made.AddBond(b, d, _BOND[order])
    return made if len(Chem.GetMolFrags(made)) == 1 else None


def _move(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A side chain to another place of the molecule."""
    cuts = [bond for bond in o.bonds if not bond[3] and bond[2] == 1]
    if not cuts:
        return None
    a, b, _order, _ring = rng.choice(cuts)
    small = o.side(a, b)
    if 2 * len(small) > o.size:
        a, b = b, a
        small = o.side(a, b)
    inside = set(small)
    places = [at for at in o.open_ if at not in inside and at != b]
    if not places:
        return None
    made = Chem.RWMol(o.mol)
    made.RemoveBond(a, b)
    made.AddBond(a, rng.choice(places), Chem.BondType.SINGLE)
    return made


def _cross(o: Opened, other: Opened, rng: random.Random) -> Chem.RWMol | None:
    """Part of one molecule joined to part of another, each cut at a single bond."""
    mine, theirs = _sides(o), _sides(other)
    if not mine or not theirs:
        return None
    return _joined(*_part(o, *rng.choice(mine)), *_part(other, *rng.choice(theirs)))


def _exchange(o: Opened, other: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A small part of a molecule exchanged for a small part of another."""
    mine, theirs = _sides(o, least=o.size / 2), _sides(other, most=GRAFT)
    if not mine or not theirs:
        return None
    return _joined(*_part(o, *rng.choice(mine)), *_part(other, *rng.choice(theirs)))


def _graft(o: Opened, other: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A part of another molecule in place of a hydrogen."""
    theirs = _sides(other, most=GRAFT)
    if not theirs or not (places := o.open_):
        return None
    return _joined(o.mol, rng.choice(places), *_part(other, *rng.choice(theirs)))


def _prune(o: Opened, _: Opened, rng: random.Random) -> Chem.RWMol | None:
    """A side chain or end taken off."""
    mine = _sides(o, least=o.size / 2)
    return Chem.RWMol(_part(o, *rng.choice(mine))[0]) if mine else None


EDITS: dict[str, tuple[Edit, float, str]] = {
    # name: the edit, its share before anything was learned, words that follow a parent's name
    "append": (_append, 2.0, "with an atom added"),
    "delete": (_delete, 1.5, "with an atom taken out"),
    "insert": (_insert, 1.5, "with an atom set in"),
    "mutate": (_mutate, 2.0, "with another element at one atom"),
    "swap": (_swap, 1.0, "with two atoms exchanged"),
    "reorder": (_reorder, 1.5, "with another bond order"),
    "close": (_close, 1.0, "with a ring closed"),
    "break": (_break, 0.7, "with a ring opened"),
    "fuse": (_fuse, 0.5, "with a ring fused on"),
    "aromatise": (_aromatise, 0.5, "with a ring made or unmade aromatic"),
    "move": (_move, 1.5, "with a side chain moved"),
    "rewire": (_rewire, 1.0, "with two bonds exchanging an end"),
    "cross": (_cross, 3.0, "crossed over"),
    "exchange": (_exchange, 2.0, "with a side chain exchanged"),
    "graft": (_graft, 1.0, "with a side chain grafted on"),
    "prune": (_prune, 0.5, "with a side chain taken off"),
}
PAIRED = frozenset({"cross", "exchange", "graft"})  # these take parts of another molecule


def edit(name: str, smiles: str, other: str, rng: random.Random) -> tuple[str, Chem.Mol] | None:
    """One draw of a named edit; None where it found no place or made no molecule."""
    mine, theirs = opened(smiles), opened(other)
    if mine is None or theirs is None:
        return None
    made = EDITS[name][0](mine, theirs, rng)
    return None if made is None else finished(made)


def together(smiles: str, other: str, rng: random.Random) -> tuple[str, Chem.Mol] | None:
    """Two whole molecules as one, by a bond between carbons in place of their hydrogens."""
    mine, theirs = opened(smiles), opened(other)
    if mine is None or theirs is None:
        return None
    places = [[at for at in one.open_ if one.elements[at] == 6] for one in (mine, theirs)]
    if not all(places):
        return None
    made = _joined(mine.mol, rng.choice(places[0]), theirs.mol, rng.choice(places[1]))
    return None if made is None else finished(made)


def attached(smiles: str, stays: int, goes: int | None, part: str, atom: int) -> tuple[str, Chem.Mol] | None:
    """Another molecule, bound by one of its atoms, in place of all beyond the bond from `stays` to `goes`.

    In place of a hydrogen of `stays` where `goes` is None. Atoms are counted as the SMILES have them.
    """
    mine, theirs = opened(smiles), opened(part)
    if mine is None or theirs is None:
        return None
    rest, end = mine.mol, stays
    if goes is not None:
        away = set(mine.side(goes, stays))
        rest, end = _part(mine, tuple(at for at in range(mine.size) if at not in away), stays)
    made = _joined(rest, end, theirs.mol, atom)
    return None if made is None else finished(made)


def _element(rng: random.Random) -> int:
    if rng.random() < ANY:
        return rng.choice(tuple(_DRAW))
    return rng.choices(tuple(_DRAW), tuple(_DRAW.values()))[0]


def _used(o: Opened, at: int) -> int:
    return sum(order for a, b, order, _ in o.bonds if at in (a, b))


Side = tuple[tuple[int, ...], int]  # its atoms, ascending, and the one it was cut at


def _sides(o: Opened, least: float = 0, most: float = MOST_ATOMS) -> list[Side]:
    """What is left on either side of each single bond outside rings, of `least` to `most` atoms."""
    return [side for side in _all_sides(o.smiles) if least <= len(side[0]) <= most]


@lru_cache(maxsize=4_000)
def _all_sides(smiles: str) -> tuple[Side, ...]:
    o = opened(smiles)
    assert o is not None
    found = []
    for a, b, order, ring in o.bonds:
        if order == 1 and not ring:
            mine = sorted(o.side(a, b))
            rest = set(mine)
            found.append((tuple(mine), a))
            found.append((tuple(atom for atom in range(o.size) if atom not in rest), b))
    return tuple(found)


def _part(o: Opened, atoms: tuple[int, ...], start: int) -> tuple[Chem.Mol, int]:
    """Some atoms as a molecule of their own, and where `start` is in it."""
    kept = set(atoms)
    part = Chem.RWMol(o.mol)
    part.BeginBatchEdit()
    for atom in range(o.size):
        if atom not in kept:
            part.RemoveAtom(atom)
    part.CommitBatchEdit()
    return part, atoms.index(start)


def _joined(left: Chem.Mol, left_end: int, right: Chem.Mol, right_end: int) -> Chem.RWMol | None:
    if left.GetNumAtoms() + right.GetNumAtoms() > MOST_ATOMS:
        return None
    made = Chem.RWMol(Chem.CombineMols(left, right))
    made.AddBond(left_end, left.GetNumAtoms() + right_end, Chem.BondType.SINGLE)
    return made
