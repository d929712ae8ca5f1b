"""Where do a molecule's charges sit when no one way of drawing it is preferred?

A guanidinium's charge is drawn on any of three nitrogens, a carboxylate's on either
oxygen. Here charges and bond orders are the mean over the ways to draw them that keep
every charge on a heteroatom, and over atoms that only the drawing tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from docking.dynamics.terms import Floats, Ints

MOST_DRAWINGS = 64
_CARBON = 6
_ORDERS = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
_LONE_PAIR = {7: 3, 8: 2, 16: 2}  # neighbours of a neutral atom that can still give electrons

State = tuple[tuple[int, ...], tuple[int, ...]]  # charge of each atom, order of each bond


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A molecule's mean drawing."""

    charge: Floats  # [atom] e
    order: Floats  # [bond]; Kekulé's, so an aromatic ring's are still 1 and 2
    forms: tuple[State, ...]  # one of each placing of the charges


def atoms_of(mol: Chem.Mol) -> list[Chem.Atom]:
    """All atoms, by number: RDKit's own iterator counts them anew at every step, and takes three times as long."""
    return [mol.GetAtomWithIdx(i) for i in range(mol.GetNumAtoms())]


def bonds_of(mol: Chem.Mol) -> list[Chem.Bond]:
    """All bonds, by number."""
    return [mol.GetBondWithIdx(i) for i in range(mol.GetNumBonds())]


def mean_drawing(mol: Chem.Mol) -> Drawn:
    """Formal charges and bond orders, averaged over the ways to draw the molecule.

    Parameters
    ----------
    mol
        Sanitised, all hydrogens explicit.
    """
    view = Chem.Mol(mol)
    with quiet_rdkit():
        Chem.Kekulize(view, clearAromaticFlags=True)
    charges = tuple(a.GetFormalCharge() for a in atoms_of(view))
    orders = tuple(int(b.GetBondTypeAsDouble()) for b in bonds_of(view))
    forms = [(charges, orders)]
    if any(charges):
        forms = _drawings(view, (charges, orders))
    placed: dict[tuple[int, ...], list[tuple[int, ...]]] = {}  # one voice each, in however many Kekulé forms
    for where, bonds in forms:
        placed.setdefault(where, []).append(bonds)
    charge = np.mean(list(placed), axis=0)
    order = np.mean([np.mean(bonds, axis=0) for bonds in placed.values()], axis=0)
    return Drawn(
        np.asarray(charge, dtype=np.float64),
        np.asarray(order, dtype=np.float64),
        tuple((where, bonds[0]) for where, bonds in placed.items()),
    )


def redrawn(mol: Chem.Mol, form: State) -> Chem.Mol:
    """The molecule drawn as one of the forms of its mean drawing, sanitised."""
    view = Chem.RWMol(mol)
    with quiet_rdkit():
        Chem.Kekulize(view, clearAromaticFlags=True)
        for atom, charge in zip(atoms_of(view), form[0], strict=True):
            atom.SetFormalCharge(charge)
        for bond, order in zip(bonds_of(view), form[1], strict=True):
            bond.SetBondType(_ORDERS[order])
        found = view.GetMol()
        Chem.SanitizeMol(found)
    return found


def _drawings(view: Chem.Mol, first: State) -> list[State]:
    """All that moving electron pairs reaches, charges on heteroatoms only; `first` is always kept."""
    numbers = [a.GetAtomicNum() for a in atoms_of(view)]
    around: list[list[tuple[int, int]]] = [
        [(b.GetOtherAtomIdx(a.GetIdx()), b.GetIdx()) for b in a.GetBonds()] for a in atoms_of(view)
    ]
    seen, waiting = {first}, [first]
    while waiting and len(seen) < MOST_DRAWINGS:
        for after in _moves(waiting.pop(0), numbers, around):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    carbons = [i for i, z in enumerate(numbers) if z == _CARBON and first[0][i] == 0]
    fine = [state for state in seen if not any(state[0][i] for i in carbons)]
    return sorted(fine)


def _moves(state: State, numbers: list[int], around: list[list[tuple[int, int]]]) -> list[State]:
    charges, orders = state
    found: list[State] = []

    def after(moved: dict[int, int], bonds: dict[int, int]) -> None:
        new_charges, new_orders = list(charges), list(orders)
        for atom, by in moved.items():
            new_charges[atom] += by
        for bond, by in bonds.items():
            new_orders[bond] += by
        found.append((tuple(new_charges), tuple(new_orders)))

    for x, charge in enumerate(charges):
        if charge == -1:  # X(-)-A=B to X=A-B(-)
            for a, first in around[x]:
                for b, second in around[a]:
                    if orders[first] == 1 and b != x and orders[second] == 2 and charges[b] == 0:
                        after({x: 1, b: -1}, {first: 1, second: -1})
        elif charge == 1 and numbers[x] != _CARBON:  # X(+)=C to X-C(+)
            for a, bond in around[x]:
                if orders[bond] == 2 and numbers[a] == _CARBON and charges[a] == 0:
                    after({x: -1, a: 1}, {bond: -1})
        elif charge == 1:
            for a, bond in around[x]:
                if orders[bond] != 1 or charges[a] != 0:
                    continue
                if len(around[a]) == _LONE_PAIR.get(numbers[a]) and all(orders[b] == 1 for _, b in around[a]):
                    after({x: -1, a: 1}, {bond: 1})  # C(+)-N to C=N(+)
                for far, double in around[a]:  # C(+)-C=C to C=C-C(+)
                    if orders[double] == 2 and numbers[a] == numbers[far] == _CARBON:
                        after({x: -1, far: 1}, {bond: 1, double: -1})
    return found


def classes(mol: Chem.Mol) -> Ints:
    """Equal numbers for atoms that are equal by elements and connections alone."""
    flat = Chem.RWMol(mol)
    for bond in bonds_of(flat):
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
        bond.SetStereo(Chem.BondStereo.STEREONONE)
    for atom in atoms_of(flat):
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
        atom.SetNoImplicit(True)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    skeleton = flat.GetMol()
    skeleton.UpdatePropertyCache(strict=False)
    return np.array(list(Chem.CanonicalRankAtoms(skeleton, breakTies=False, includeChirality=False)))
