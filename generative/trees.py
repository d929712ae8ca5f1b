"""Which tree of units is this molecule, and which molecule is this tree?

A unit is a ring system (rings that share atoms) or a single acyclic atom, each with
the terminal =O, #N, [O-] and the like that hang on it. Units are joined by acyclic
bonds only, so the graph over units is a tree: it grows without ever closing a ring,
and no aromatic system is ever half built.

Units are flat and stand in Kekulé form with all their hydrogens; a bond between two
units takes one hydrogen from each side for each bond order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason

SYMMETRIES = 500  # automorphisms looked at in one unit; cubane has 48
MARKED = re.compile(r"[@/\\:]|\[\d")  # stereochemistry, labels, isotopes

_ORDER = {Chem.BondType.SINGLE: 1, Chem.BondType.DOUBLE: 2, Chem.BondType.TRIPLE: 3}
_BOND = {order: bond for bond, order in _ORDER.items()}


@dataclass(frozen=True)
class Unit:
    """A building block: atoms in the order of its canonical SMILES."""

    smiles: str
    elements: tuple[int, ...]
    charges: tuple[int, ...]
    free: tuple[int, ...]  # hydrogens on each atom: what bonds to other units may use up
    aromatic: tuple[bool, ...]
    in_ring: tuple[bool, ...]
    bonds: tuple[tuple[int, int, int], ...]  # atom, atom, Kekulé order
    conjugated: tuple[bool, ...]  # per bond: aromatic
    rings: int
    symmetries: tuple[tuple[int, ...], ...]  # permutations of the atoms that change nothing

    @property
    def size(self) -> int:
        """Heavy atoms."""
        return len(self.elements)

    @property
    def representative(self) -> tuple[int, ...]:
        """For each atom, the first of the atoms it is equivalent to."""
        return tuple(min(symmetry[atom] for symmetry in self.symmetries) for atom in range(self.size))


@dataclass(frozen=True, slots=True)
class Link:
    """A bond between two units of a tree."""

    unit_a: int
    atom_a: int  # counted within the unit
    unit_b: int
    atom_b: int
    order: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A molecule as units and the links between them; one link fewer than units."""

    units: tuple[str, ...]  # canonical SMILES, look them up with `unit`
    links: tuple[Link, ...]

    @property
    def atoms(self) -> int:
        return sum(unit(smiles).size for smiles in self.units)


@lru_cache(maxsize=100_000)
def unit(smiles: str) -> Unit:
    """The unit a SMILES stands for. `smiles` must be canonical, as `take_apart` writes it."""
    mol = Chem.MolFromSmiles(smiles)
    aromatic = [atom.GetIsAromatic() for atom in mol.GetAtoms()]
    conjugated = [bond.GetIsAromatic() for bond in mol.GetBonds()]
    matches = mol.GetSubstructMatches(mol, uniquify=False, useChirality=False, maxMatches=SYMMETRIES)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    return Unit(
        smiles,
        tuple(atom.GetAtomicNum() for atom in mol.GetAtoms()),
        tuple(atom.GetFormalCharge() for atom in mol.GetAtoms()),
        tuple(atom.GetTotalNumHs() for atom in mol.GetAtoms()),
        tuple(aromatic),
        tuple(atom.IsInRing() for atom in mol.GetAtoms()),
        tuple((b.GetBeginAtomIdx(), b.GetEndAtomIdx(), _ORDER[b.GetBondType()]) for b in mol.GetBonds()),
        tuple(conjugated),
        mol.GetRingInfo().NumRings(),
        _same_hydrogens(mol, matches),
    )


@lru_cache(maxsize=100_000)
def distances(smiles: str) -> npt.NDArray[np.int64]:
    """[atom, atom] bonds between two atoms of a unit."""
    return np.asarray(Chem.GetDistanceMatrix(Chem.MolFromSmiles(smiles)).astype(np.int64))


def _same_hydrogens(mol: Chem.Mol, matches: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Matches that also keep hydrogens and charges: RDKit's atom matching looks at neither."""
    signs = [(atom.GetTotalNumHs(), atom.GetFormalCharge()) for atom in mol.GetAtoms()]
    kept = [m for m in matches if all(signs[i] == signs[j] for i, j in enumerate(m))]
    return tuple(sorted({tuple(m) for m in kept} | {tuple(range(mol.GetNumAtoms()))}))


def take_apart(smiles: str) -> Tree:
    """A molecule's SMILES -> its tree of units. Stereochemistry and isotopes are left behind.

    Raises
    ------
    MoleculeError
        UNPARSABLE; or UNSUPPORTED when the units do not add up to the molecule again
        (rare: aromaticity that reaches over a bond between units, radicals, several parts).
    """
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{smiles} is not a SMILES RDKit can read")
    flat = flatten(mol)
    tree = split(flat)
    if put_together(tree) != Chem.MolToSmiles(flat):
        raise MoleculeError(Reason.UNSUPPORTED, f"{smiles}: its units do not add up to the molecule again")
    return tree


def flatten(mol: Chem.Mol) -> Chem.Mol:
    """A copy without stereochemistry, isotopes and atom maps; deuterium becomes an ordinary hydrogen."""
    flat = Chem.Mol(mol)
    Chem.RemoveStereochemistry(flat)
    for atom in flat.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    return Chem.RemoveHs(flat) if any(atom.GetAtomicNum() == 1 for atom in flat.GetAtoms()) else flat


@lru_cache(maxsize=65_536)
def flat(smiles: str) -> str:
    """As `flatten`, of a canonical SMILES."""
    return str(Chem.MolToSmiles(flatten(Chem.MolFromSmiles(smiles)))) if MARKED.search(smiles) else smiles


def split(mol: Chem.Mol) -> Tree:
    """A flat molecule -> its tree of units, unchecked: `take_apart` checks that it adds up.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: the molecule comes in several parts, holds a dummy atom, or a unit
        cannot stand alone.
    """
    return split_with_atoms(mol)[0]


def split_with_atoms(mol: Chem.Mol) -> tuple[Tree, list[list[int]]]:
    """As `split`, with, for each unit, the molecule's atom index of each of the unit's atoms."""
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise MoleculeError(Reason.UNSUPPORTED, "a placeholder atom (*) is no atom of a molecule")
    cuts = [bond for bond in mol.GetBonds() if _between_units(bond)]
    if any(bond.GetBondType() not in _ORDER for bond in cuts):
        raise MoleculeError(Reason.UNSUPPORTED, "a bond is neither single, double, triple nor aromatic")
    if any(
        bond.GetBondType() != Chem.BondType.SINGLE
        and bond.GetBeginAtom().GetIsAromatic() | bond.GetEndAtom().GetIsAromatic()
        for bond in cuts
    ):
        # a ring that is aromatic only with the double bond on it: cut it in Kekulé form
        mol = Chem.Mol(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
        cuts = [mol.GetBondWithIdx(bond.GetIdx()) for bond in cuts]
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), _ORDER[bond.GetBondType()]) for bond in cuts]
    broken = (
        Chem.FragmentOnBonds(mol, [b.GetIdx() for b in cuts], dummyLabels=[(0, 0)] * len(cuts))
        if cuts
        else mol
    )
    written = Chem.MolToSmiles(broken).split(".")
    if not written[0]:
        raise MoleculeError(Reason.EMPTY, "the molecule has no atoms")
    order = list(broken.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    units: list[str] = []
    places: list[list[int]] = []
    home: dict[int, tuple[int, int]] = {}
    start = 0
    for text in written:
        smiles, position, total = _recognise(text)
        atoms = order[start : start + total]
        start += total
        place = [atoms[index] for index in position]
        for local, atom in enumerate(place):
            home[atom] = (len(units), local)
        units.append(smiles)
        places.append(place)
    if len(units) != len(cuts) + 1:
        raise MoleculeError(Reason.UNSUPPORTED, f"the molecule comes in {len(units) - len(cuts)} parts")
    links = tuple(Link(*home[a], *home[b], bond_order) for a, b, bond_order in ends)
    return Tree(tuple(units), links), places


def _between_units(bond: Chem.Bond) -> bool:
    """Acyclic, and neither end is a terminal atom that belongs to its neighbour."""
    return (
        not bond.IsInRing()
        and not _hangs(bond, bond.GetBeginAtom(), bond.GetEndAtom())
        and not _hangs(bond, bond.GetEndAtom(), bond.GetBeginAtom())
    )


def _hangs(bond: Chem.Bond, atom: Chem.Atom, on: Chem.Atom) -> bool:
    """Is `atom` a terminal heteroatom that makes no sense without `on`: =O, #N, [O-] on [N+]?"""
    if atom.GetDegree() != 1 or atom.GetAtomicNum() in (0, 6) or on.GetDegree() == 1:
        return False
    if bond.GetBondType() != Chem.BondType.SINGLE:
        return True
    return bool(atom.GetFormalCharge() * on.GetFormalCharge() < 0)


@lru_cache(maxsize=500_000)
def _recognise(text: str) -> tuple[str, tuple[int, ...], int]:
    """A cut-out piece with dummies at its cuts -> unit, where the unit's atoms stand in `text`, atoms in `text`."""
    params = Chem.SmilesParserParams()
    params.sanitize = False  # type: ignore[assignment]  # the stub takes it for a method
    piece = Chem.RWMol(Chem.MolFromSmiles(text, params))
    total = piece.GetNumAtoms()
    for atom in piece.GetAtoms():
        atom.SetIntProp("at", atom.GetIdx())
    for dummy in [atom for atom in piece.GetAtoms() if atom.GetAtomicNum() == 0]:
        bond = dummy.GetBonds()[0]
        neighbour = bond.GetOtherAtom(dummy)
        if neighbour.GetAtomicNum() != 6 or neighbour.GetFormalCharge() != 0:
            neighbour.SetNumExplicitHs(neighbour.GetNumExplicitHs() + _ORDER[bond.GetBondType()])
        elif neighbour.GetNoImplicit():
            neighbour.SetNoImplicit(False)
    for index in sorted((a.GetIdx() for a in piece.GetAtoms() if a.GetAtomicNum() == 0), reverse=True):
        piece.RemoveAtom(index)
    mol = piece.GetMol()
    try:
        with quiet_rdkit():
            Chem.SanitizeMol(mol)
    except ValueError as error:
        raise MoleculeError(Reason.UNSUPPORTED, f"its unit {text} cannot stand alone") from error
    if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        raise MoleculeError(Reason.UNSUPPORTED, f"its unit {text} holds an unpaired electron")
    smiles = str(Chem.MolToSmiles(mol))
    again = Chem.MolFromSmiles(smiles)
    if again is None or Chem.MolToSmiles(again) != smiles:
        raise MoleculeError(Reason.UNSUPPORTED, f"its unit {text} has no stable SMILES")
    written = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    return smiles, tuple(mol.GetAtomWithIdx(index).GetIntProp("at") for index in written), total


def assemble(tree: Tree) -> Chem.Mol:
    """A tree -> the sanitised molecule, its atoms in the order of the units.

    Raises
    ------
    ValueError
        From RDKit, when the tree breaks a valence: never for a tree built under the masks
        of `construction`.
    """
    mol = Chem.RWMol()
    starts: list[int] = []
    left: list[int] = []
    for smiles in tree.units:
        starts.append(len(left))
        left += unit(smiles).free
        mol.InsertMol(_drawn(smiles))
    for link in tree.links:
        a, b = starts[link.unit_a] + link.atom_a, starts[link.unit_b] + link.atom_b
        left[a] -= link.order
        left[b] -= link.order
        mol.AddBond(a, b, _BOND[link.order])
    for index, hydrogens in enumerate(left):
        if hydrogens < 0:
            raise ValueError(f"atom {index} of the tree has {-hydrogens} bonds too many")
        if hydrogens:
            mol.GetAtomWithIdx(index).SetNumExplicitHs(hydrogens)
    Chem.SanitizeMol(mol)
    return mol.GetMol()


@lru_cache(maxsize=20_000)
def _drawn(smiles: str) -> Chem.Mol:
    """A unit without its hydrogens, in Kekulé form."""
    block = unit(smiles)
    mol = Chem.RWMol()
    for element, charge in zip(block.elements, block.charges, strict=True):
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    for a, b, order in block.bonds:
        mol.AddBond(a, b, _BOND[order])
    return mol.GetMol()


def put_together(tree: Tree) -> str:
    """A tree -> canonical SMILES."""
    return str(Chem.MolToSmiles(assemble(tree)))
