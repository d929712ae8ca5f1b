"""What is an atom to its neighbours in the site? Finer than Vina's types, coarser than chemistry.

Read from AutoDock types and geometry alone, so that proteins, cofactors and ligands,
whichever file they came from, are seen with the same eyes. What poses are worth is
decided in order.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from rdkit import Chem

from docking import pdbqt
from docking.atom_types import Bools, Floats, Ints, find_bonds, xs_types

FLAT_SUM = 350.0  # degrees, the three angles at an atom that lies in the plane of its neighbours
FLAT_ANGLE = 116.5  # degrees, the one angle at an atom of two neighbours; between 109.5 and 120


class Kind(IntEnum):
    """Heavy atoms by what they do to other molecules."""

    CARBON = 0  # bonded to carbon alone
    AROMATIC = 1
    CARBON_POLAR = 2  # beside a heteroatom
    AROMATIC_POLAR = 3
    CARBON_FLAT = 4  # carbonyl, carboxylate, amidine
    NITROGEN_H = 5  # amide, aniline, pyrrole: gives a hydrogen bond
    AMMONIUM = 6
    GUANIDINE = 7
    NITROGEN_BARE = 8  # pyridine: takes a hydrogen bond
    NITROGEN = 9
    CARBONYL = 10
    ACID = 11  # oxygen of carboxylate, phosphate, sulfate
    HYDROXYL = 12
    ETHER = 13
    SULFUR = 14
    PHOSPHORUS = 15
    FLUORINE = 16
    HALOGEN = 17
    METAL = 18


POLAR = np.isin(np.arange(len(Kind)), [5, 6, 7, 8, 10, 11, 12, 13])
CHARGE = np.select(
    [np.isin(np.arange(len(Kind)), [Kind.AMMONIUM, Kind.GUANIDINE, Kind.METAL]), np.arange(len(Kind)) == 11],
    [1, -1],
    0,
)

_ELEMENT = {**pdbqt.ELEMENT, "B": "C", "Se": "S"}
_UNSEEN = frozenset(["H", "W", "G0", "G1", "G2", "G3"])


@dataclass(frozen=True, slots=True, eq=False)
class Chemistry:
    """The heavy atoms of a ligand or a receptor."""

    heavy: Ints  # [atom], index into the structure's atoms
    coords: Floats  # [atom, 3] Å, as read
    kind: Ints  # [atom], a Kind
    xs: Ints  # [atom], index into atom_types.XS
    neighbours: tuple[tuple[int, ...], ...]  # heavy atoms bonded to each
    flat: Bools  # [atom]: in one plane with its neighbours
    rings: tuple[tuple[int, ...], ...]  # aromatic rings of five or six


def read_chemistry(structure: pdbqt.Structure) -> Chemistry:
    """A PDBQT's heavy atoms. Bonds are found from the coordinates, which must not overlap."""
    types, xyz = structure.types, structure.coords
    bonds = find_bonds(xyz, types)
    element = [_ELEMENT.get(kind, kind) for kind in types]
    every: list[list[int]] = [[] for _ in types]
    for i, j in bonds.tolist():
        every[i].append(j)
        every[j].append(i)
    bonded = [[j for j in beside if element[j] not in _UNSEEN] for beside in every]
    hydrogens = [sum(element[j] == "H" for j in beside) for beside in every]
    look = _Look(types, element, bonded, hydrogens, [_flat(xyz, i, bonded[i]) for i in range(len(types))])
    heavy = [i for i in range(len(types)) if element[i] not in _UNSEEN]
    place = {atom: k for k, atom in enumerate(heavy)}
    return Chemistry(
        np.array(heavy, dtype=np.int64),
        xyz[heavy],
        np.array([look.kind(i) for i in heavy], dtype=np.int64),
        xs_types(types, bonds)[heavy],
        tuple(tuple(place[j] for j in bonded[i]) for i in heavy),
        np.array([types[i] == "A" or (element[i] in "CN" and look.flat[i]) for i in heavy], dtype=bool),
        _rings(look, heavy, place),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """A structure's bonds, as the rules below need them."""

    types: tuple[str, ...]
    element: list[str]
    bonded: list[list[int]]  # heavy neighbours
    hydrogens: list[int]
    flat: list[bool]

    def kind(self, i: int) -> Kind:
        rules = {"C": self._carbon, "N": self._nitrogen, "O": self._oxygen}
        plain = {
            "S": Kind.SULFUR, "P": Kind.PHOSPHORUS, "F": Kind.FLUORINE, "Cl": Kind.HALOGEN, "Br": Kind.HALOGEN,
            "I": Kind.HALOGEN, "Si": Kind.CARBON,
        }  # fmt: skip
        element = self.element[i]
        return rules[element](i) if element in rules else plain.get(element, Kind.METAL)

    def _end(self, i: int) -> bool:
        return self.element[i] == "O" and len(self.bonded[i]) == 1

    def _carbon(self, i: int) -> Kind:
        others = [j for j in self.bonded[i] if self.element[j] != "C"]
        if self.types[i] == "A":
            return Kind.AROMATIC_POLAR if others else Kind.AROMATIC
        if not others:
            return Kind.CARBON
        nitrogens = sum(self.element[j] == "N" for j in others)
        return (
            Kind.CARBON_FLAT
            if self.flat[i] and (nitrogens >= 2 or any(self._end(j) for j in others))
            else Kind.CARBON_POLAR
        )

    def _nitrogen(self, i: int) -> Kind:
        beside = self.bonded[i]
        if any(self._amidine(j) for j in beside):
            return Kind.GUANIDINE
        drained = any(
            self.types[j] == "A" or self.element[j] in "SP" or (self.element[j] == "C" and self.flat[j])
            for j in beside
        )
        if self.hydrogens[i] >= 3 or (self.hydrogens[i] and not drained):
            return Kind.AMMONIUM
        if self.hydrogens[i]:
            return Kind.NITROGEN_H
        between = len(beside) == 2 and all(self.types[j] == "A" for j in beside)
        return Kind.NITROGEN_BARE if self.types[i] == "NA" or between else Kind.NITROGEN

    def _amidine(self, i: int) -> bool:
        elements = [self.element[j] for j in self.bonded[i]]
        return (
            self.element[i] == "C"
            and self.types[i] != "A"
            and self.flat[i]
            and elements.count("N") >= 2
            and "O" not in elements
        )

    def _oxygen(self, i: int) -> Kind:
        if len(self.bonded[i]) > 1:
            return Kind.ETHER
        for j in self.bonded[i]:
            ends = sum(self._end(k) for k in self.bonded[j])
            needed = {"P": 1, "S": 3, "C": 2}.get(self.element[j], 9)
            if ends >= needed:
                return Kind.ACID
        return Kind.HYDROXYL if self.hydrogens[i] or not self.bonded[i] else Kind.CARBONYL


def _flat(xyz: Floats, i: int, beside: list[int]) -> bool:
    if len(beside) not in (2, 3):
        return False
    arms = xyz[beside] - xyz[i]
    arms = arms / np.maximum(np.linalg.norm(arms, axis=1, keepdims=True), 1e-9)
    upper = np.triu_indices(len(beside), 1)
    angles = np.degrees(np.arccos(np.clip((arms @ arms.T)[upper], -1.0, 1.0)))
    return bool(angles.sum() > (FLAT_SUM if len(beside) == 3 else FLAT_ANGLE))


def _rings(look: _Look, heavy: list[int], place: dict[int, int]) -> tuple[tuple[int, ...], ...]:
    """Five- and six-rings of aromatic carbons and the heteroatoms between them."""
    inside = [
        i
        for i in heavy
        if look.types[i] == "A"
        or (look.element[i] in "NOS" and sum(look.types[j] == "A" for j in look.bonded[i]) >= 2)
    ]
    number = {atom: k for k, atom in enumerate(inside)}
    bare = Chem.RWMol()
    for _ in inside:
        bare.AddAtom(Chem.Atom("C"))
    for i in inside:
        for j in look.bonded[i]:
            if i < j and j in number:
                bare.AddBond(number[i], number[j], Chem.BondType.SINGLE)
    mol = bare.GetMol()
    Chem.FastFindRings(mol)
    rings = [ring for ring in mol.GetRingInfo().AtomRings() if len(ring) in (5, 6)]
    return tuple(tuple(place[inside[k]] for k in ring) for ring in rings)
