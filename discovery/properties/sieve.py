"""Which of many patterns could be in this molecule at all?

Asking RDKit for every pattern of a long list is what lists of alerts cost. A pattern is
in a molecule only if each of its atoms, with its bonds and the atoms behind them, is
somewhere in it; molecules share such surroundings, so what fits a surrounding is found
out once and remembered. What is left, a few patterns in a hundred, is asked of RDKit.

Necessary, never sufficient: whatever is in the molecule is among the possible. What a
query atom asks that is not known here (recursion that is forbidden, a property that no
surrounding tells) is taken as met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

# What RDKit calls the questions an atom or a bond answers by what `_atom_kind` and `_bond_kind` look at.
_ATOM = {
    "AtomAnd", "AtomOr", "AtomNull", "AtomType", "AtomAtomicNum", "AtomIsAromatic", "AtomIsAliphatic", "AtomIsotope",
    "AtomFormalCharge", "AtomHCount", "AtomExplicitDegree", "AtomTotalDegree", "AtomTotalValence", "AtomInRing",
    "AtomInNRings", "AtomMinRingSize",
}  # fmt: skip
_BOND = {"BondAnd", "BondOr", "BondNull", "BondOrder", "SingleOrAromaticBond", "BondInRing"}
_PLAIN = frozenset((Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC))
_BOND_AT = 32  # a bond's kind and its far atom's in one number: the bits below are the atom's
_REMEMBERED = 200_000  # surroundings; at about 400 bytes each

Arm = tuple[int, int]  # a query bond and the query atom behind it, by their places


@dataclass(frozen=True, slots=True)
class _Need:
    """What must be there: all of `stars`, and of each group of alternatives one."""

    stars: int  # a bit for each star
    groups: tuple[_Group, ...] = ()

    def met(self, present: int) -> bool:
        return not self.stars & ~present and all(group.met(present) for group in self.groups)


@dataclass(frozen=True, slots=True)
class _Group:
    """Alternatives: those that need a single star as one number, the others as they are."""

    single: int
    others: tuple[_Need, ...]

    @classmethod
    def of(cls, alternatives: Sequence[_Need]) -> _Group:
        others = tuple(need for need in alternatives if need.groups or need.stars.bit_count() != 1)
        return cls(sum({need.stars for need in alternatives if need not in others}), others)

    def met(self, present: int) -> bool:
        return bool(self.single & present) or any(need.met(present) for need in self.others)


class Sieve:
    """Patterns, prepared to be asked about many molecules.

    A star is a query atom with its arms. Which stars fit an atom of a molecule depends
    on its kind and on the kinds of bonds and atoms around it, whatever the molecule.
    """

    def __init__(self, patterns: Sequence[Chem.Mol]) -> None:
        self._atoms: dict[str, tuple[int, Chem.Atom | None]] = {}
        self._bonds: dict[str, tuple[int, Chem.Bond | None]] = {}
        self._stars: dict[tuple[int, tuple[Arm, ...]], int] = {}
        self._kept = list(patterns)  # query atoms live as long as their molecules
        read = [self._read(pattern) for pattern in patterns]
        self._groups = [need.groups for need, _ in read]
        self._often = [often for _, often in read]
        self._shape = np.array([_rings(pattern) for pattern in patterns], np.int64).reshape(-1, 2)
        width = len(self._stars) // 64 + 1
        self._needed = np.stack([_bits(need.stars, width) for need, _ in read], axis=1)  # [word, pattern]
        self._width = width
        self._rooted: list[list[int]] = [[] for _ in self._atoms]  # query atom -> its stars
        for (root, _), place in self._stars.items():
            self._rooted[root].append(place)
        self._bit: dict[Arm, int] = {}  # of an arm
        for _, arms in self._stars:
            for arm in arms:
                self._bit.setdefault(arm, 1 << len(self._bit))
        self._arms = [tuple(self._bit[arm] for arm in arms) for _, arms in self._stars]
        self._armed = [sum(set(arms)) for arms in self._arms]  # star -> its arms in one number
        self._atom_kinds: dict[tuple[int | bool, ...], tuple[int, Sequence[int]]] = {}
        self._bond_kinds: dict[tuple[Chem.BondType, bool], int] = {}
        self._atom_fits: dict[tuple[bool, ...], int] = {}
        self._bond_fits: dict[tuple[bool, ...], int] = {}
        self._reached: dict[int, int] = {}
        self._known: dict[tuple[int, ...], int] = {}

    def possible(self, mol: Chem.Mol) -> list[int]:
        """Places of the patterns that could be in a sanitised molecule; all that are in it are among them."""
        rings = mol.GetRingInfo()
        kinds, smallest = [], 99
        for index in range(mol.GetNumAtoms()):  # three times as fast as the iterator
            atom = mol.GetAtomWithIdx(index)
            size = rings.MinAtomRingSize(index)
            if 0 < size < smallest:
                smallest = size
            kinds.append(self._atom_kind(atom, rings, size))
        around: list[list[int]] = [[] for _ in kinds]
        for index in range(mol.GetNumBonds()):
            bond = mol.GetBondWithIdx(index)
            order = bond.GetBondType()
            if order not in _PLAIN:
                smallest = 0  # rings through such bonds may not be counted among the rings
            kind = self._bond_kind(bond, order, rings) << _BOND_AT
            begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            around[begin].append(kind | kinds[end][0])
            around[end].append(kind | kinds[begin][0])
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        present = twice = thrice = more = 0  # the stars that fit an atom, two, three, four or more
        for (kind, roots), arms in zip(kinds, around, strict=True):
            arms.sort()
            key = (kind, *arms)
            stars = self._known.get(key)
            if stars is None:
                stars = self._known[key] = self._fitting(roots, arms)
            more |= thrice & stars
            thrice |= twice & stars
            twice |= present & stars
            present |= stars
        count = mol.GetNumBonds() - mol.GetNumAtoms() + len(Chem.GetMolFrags(mol))
        lacks = np.bitwise_or.reduce(self._needed & ~_bits(present, self._width)[:, None], axis=0)
        lacking = (lacks > 0) | (self._shape[:, 0] > count) | (self._shape[:, 1] < smallest)
        return [
            place
            for place in np.flatnonzero(~lacking).tolist()
            if not self._often[place][0] & ~thrice
            and not self._often[place][1] & ~more
            and all(group.met(present) for group in self._groups[place])
        ]

    # --- the patterns

    def _read(self, pattern: Chem.Mol) -> tuple[_Need, tuple[int, int]]:
        """What a pattern needs; and the stars it has three times, and more often: as many atoms must fit."""
        read = [self._query(atom) for atom in pattern.GetAtoms()]
        places = [place for place, _ in read]
        own = [self._star(places[atom.GetIdx()], self._around(atom, places)) for atom in pattern.GetAtoms()]
        stars = 0
        for star, (_, need) in zip(own, read, strict=True):
            stars |= 1 << star | need.stars
        groups = tuple(group for _, need in read for group in need.groups)
        times = Counter(own)
        often = (sum({1 << star for star in own if times[star] >= n}) for n in (3, 4))
        return _Need(stars, groups), (next(often), next(often))

    def _around(self, atom: Chem.Atom, places: Sequence[int]) -> tuple[Arm, ...]:
        return tuple(
            sorted(
                (self._query_bond(bond), places[bond.GetOtherAtomIdx(atom.GetIdx())])
                for bond in atom.GetBonds()
            )
        )

    def _star(self, root: int, arms: tuple[Arm, ...]) -> int:
        return self._stars.setdefault((root, arms), len(self._stars))

    def _query(self, atom: Chem.Atom) -> tuple[int, _Need]:
        """A query atom without its recursion, and what that recursion needs."""
        asked = _asked(atom.DescribeQuery())
        if not asked <= _ATOM | {"RecursiveStructure"}:
            return self._place(None), _Need(0)
        if "RecursiveStructure" not in asked:
            return self._place(atom), _Need(0)
        smarts = atom.GetSmarts()
        smarts = smarts if smarts.startswith("[") else f"[{smarts}]"
        again = self._parsed(smarts)
        if again is None or again.DescribeQuery() != atom.DescribeQuery():  # not told as it is: anything fits
            return self._place(None), _Need(0)
        stars, groups, plain = 0, list[_Group](), list[str]()
        for part in _split(smarts[1:-1], ";"):  # all of the parts, one of each part's alternatives
            alternatives, told = list[_Need](), list[str]()
            for alternative in _split(part, ","):
                need, rest = self._alternative(alternative)
                alternatives.append(need)
                told.append(rest)
            if len(alternatives) == 1:
                stars |= alternatives[0].stars
                groups += alternatives[0].groups
            else:
                alone = (self._parsed(f"[{rest}]") for rest in told)
                groups.append(
                    _Group.of(
                        [
                            _Need(need.stars | 1 << self._star(self._place(one), ()), need.groups)
                            for need, one in zip(alternatives, alone, strict=True)
                        ]
                    )
                )
            plain.append(",".join(told))
        return self._place(self._parsed(f"[{';'.join(plain)}]")), _Need(stars, tuple(groups))

    def _alternative(self, text: str) -> tuple[_Need, str]:
        """What the recursions of a conjunction need, and the conjunction without them."""
        stars, groups, plain = 0, list[_Group](), list[str]()
        for literal in _split(text, "&"):
            plain.append("*" if literal.startswith(("$(", "!$(")) else literal)
            if literal.startswith("$("):
                inner = Chem.MolFromSmarts(literal[2:-1])
                self._kept.append(inner)
                need, _ = self._read(inner)
                stars |= need.stars
                groups += need.groups
        return _Need(stars, tuple(groups)), "&".join(plain)

    def _parsed(self, smarts: str) -> Chem.Atom | None:
        mol = Chem.MolFromSmarts(smarts)
        if mol is None or mol.GetNumAtoms() != 1:
            return None
        self._kept.append(mol)
        return mol.GetAtomWithIdx(0)

    def _place(self, atom: Chem.Atom | None) -> int:
        text = "anything" if atom is None else atom.DescribeQuery()
        return self._atoms.setdefault(text, (len(self._atoms), atom))[0]

    def _query_bond(self, bond: Chem.Bond) -> int:
        text = bond.DescribeQuery()
        known = _asked(text) <= _BOND
        return self._bonds.setdefault(
            text if known else "anything", (len(self._bonds), bond if known else None)
        )[0]

    # --- the molecule

    def _atom_kind(self, atom: Chem.Atom, rings: Chem.RingInfo, size: int) -> tuple[int, Sequence[int]]:
        """The atom's kind, and the stars whose roots it fits."""
        asked = (
            atom.GetAtomicNum(),
            atom.GetIsAromatic(),
            atom.GetFormalCharge(),
            atom.GetTotalNumHs(True),
            atom.GetDegree(),
            atom.GetTotalDegree(),
            atom.GetTotalValence(),
            rings.NumAtomRings(atom.GetIdx()),
            size,
            atom.GetIsotope(),
        )
        kind = self._atom_kinds.get(asked)
        if kind is None:
            fits = tuple(query is None or query.Match(atom) for _, query in self._atoms.values())
            roots = [star for stars, fit in zip(self._rooted, fits, strict=True) if fit for star in stars]
            kind = (self._atom_fits.setdefault(fits, len(self._atom_fits)), roots)
            self._atom_kinds[asked] = kind
        return kind

    def _bond_kind(self, bond: Chem.Bond, order: Chem.BondType, rings: Chem.RingInfo) -> int:
        asked = (order, rings.NumBondRings(bond.GetIdx()) > 0)
        kind = self._bond_kinds.get(asked)
        if kind is None:
            fits = tuple(query is None or query.Match(bond) for _, query in self._bonds.values())
            kind = self._bond_kinds[asked] = self._bond_fits.setdefault(fits, len(self._bond_fits))
        return kind

    def _fitting(self, roots: Sequence[int], around: Sequence[int]) -> int:
        """The stars that fit an atom: those of its roots whose arms its bonds can be shared out among."""
        reached = [self._reach(bond) for bond in around]
        present = 0
        for bits in reached:
            present |= bits
        behind: dict[int, int] = {}  # arm -> the bonds it fits, a bit for each

        def bonds(arm: int) -> int:
            if arm not in behind:
                behind[arm] = sum(1 << place for place, bits in enumerate(reached) if bits & arm)
            return behind[arm]

        fitting = 0
        for star in roots:
            if self._armed[star] & ~present:
                continue
            arms = self._arms[star]
            if len(arms) < 2 or _shared_out([bonds(arm) for arm in arms]):
                fitting |= 1 << star
        return fitting

    def _reach(self, kinds: int) -> int:
        """The arms of patterns that a kind of bond to a kind of atom fits, a bit for each."""
        if kinds not in self._reached:
            bond = list(self._bond_fits)[kinds >> _BOND_AT]
            atom = list(self._atom_fits)[kinds & (1 << _BOND_AT) - 1]
            self._reached[kinds] = sum(
                bit for asked, bit in self._bit.items() if bond[asked[0]] and atom[asked[1]]
            )
        return self._reached[kinds]


def _shared_out(wanted: Sequence[int], used: int = 0) -> bool:
    """Whether each arm gets a bond of its own, of those that fit it."""
    if not wanted:
        return True
    free = wanted[0] & ~used
    while free:
        bond = free & -free
        if _shared_out(wanted[1:], used | bond):
            return True
        free ^= bond
    return False


def _rings(pattern: Chem.Mol) -> tuple[int, int]:
    """How many independent rings a pattern has, and the size of its smallest if that is 3 or 4, else 99.

    A molecule has at least as many, and its own smallest ring is no larger.
    """
    count = pattern.GetNumBonds() - pattern.GetNumAtoms() + len(Chem.GetMolFrags(pattern))
    copy = Chem.Mol(pattern)
    Chem.FastFindRings(copy)
    smallest = min((len(ring) for ring in copy.GetRingInfo().AtomRings()), default=99)
    return count, smallest if smallest < 5 else 99


def _asked(described: str) -> set[str]:
    """The kinds of questions in RDKit's description of a query."""
    return {line.split()[0] for line in described.splitlines() if line.strip()}


def _split(text: str, mark: str) -> list[str]:
    """Parts of a query atom's SMARTS at a mark outside all brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _bits(number: int, width: int) -> NDArray[np.uint64]:
    return np.frombuffer(number.to_bytes(8 * width, "little"), np.uint64)
