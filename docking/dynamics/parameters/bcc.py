"""By how much does a bond shift AM1 charges, so that they become AM1-BCC charges?

Each bond carries one published correction, found by SMARTS under the paper's own
aromaticity rules: the first pattern that matches wins. Nothing quantum-mechanical
happens here: see am1.py for the charges that are corrected.

References
----------
.. [1] Jakalian, Jack, Bayly, J. Comput. Chem. 23, 1623 (2002), doi 10.1002/jcc.10128:
   the corrections, and the aromaticity rules, cases 1 to 5.
.. [2] openff-recharge (MIT), original-am1-bcc.json: the corrections as SMARTS.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files

import numpy as np
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking.dynamics.parameters.resonance import atoms_of, bonds_of
from docking.dynamics.parameters.smirnoff import pattern
from docking.dynamics.terms import Floats

# (atomic number, neighbours, charge) that may stand in an aromatic ring
_ONE_ELECTRON = {(6, 3, 0), (7, 2, 0), (15, 2, 0), (7, 3, 1), (15, 3, 1), (8, 2, 1), (16, 2, 1)}
_TWO_ELECTRONS = {(6, 2, -1), (7, 2, -1), (8, 2, 0), (16, 2, 0), (7, 3, 0), (15, 3, 0)}


@lru_cache(maxsize=1)
def corrections() -> tuple[tuple[str, float], ...]:
    """The published table: SMARTS, and e added to its first atom and taken from its second."""
    text = files("docking.dynamics").joinpath("data", "am1-bcc.json").read_text("utf-8")
    return tuple((row[1], float(row[2])) for row in json.loads(text)["corrections"])


@lru_cache(maxsize=1)
def _ends() -> tuple[frozenset[tuple[int, int]], ...]:
    """Of each correction, the elements its bond can have: asked first, since matching a SMARTS is slow."""
    found = []
    for smarts, _ in corrections():
        query, mapped = pattern(smarts)
        one, two = (_elements(query.GetAtomWithIdx(i).GetSmarts()) for i in mapped)
        found.append(frozenset((a, b) for a in one for b in two))
    return tuple(found)


def _elements(atom: str) -> set[int]:
    """Atomic numbers of an atom's SMARTS: each of its alternatives begins with one, if within $(...)."""
    depth, alternatives = 0, [""]
    for letter in atom[1:-1]:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += letter
    return {int(re.search(r"#(\d+)", one).group(1)) for one in alternatives}  # type: ignore[union-attr]


def bond_charge_corrections(mol: Chem.Mol, name: str = "the ligand") -> Floats:
    """What to add to each atom's AM1 charge.

    Parameters
    ----------
    mol
        All hydrogens explicit.

    Returns
    -------
    [atom], e; adds up to zero.

    Raises
    ------
    MoleculeError
        UNSUPPORTED, naming a bond for which nothing was published.
    """
    shift, unknown = known_corrections(mol)
    if unknown:
        a, b = (mol.GetAtomWithIdx(i) for i in unknown[0])
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{name}: no bond charge correction was published for the bond "
            f"{a.GetSymbol()}{a.GetIdx() + 1}-{b.GetSymbol()}{b.GetIdx() + 1}",
        )
    return shift


def known_corrections(mol: Chem.Mol) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    """[atom] e as `bond_charge_corrections`, and the bonds for which nothing was published."""
    view = aromatic_view(mol)
    shift = np.zeros(mol.GetNumAtoms())
    done: set[tuple[int, int]] = set()
    bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in bonds_of(mol)]
    numbers = [a.GetAtomicNum() for a in atoms_of(mol)]
    pairs = {(numbers[i], numbers[j]) for a, b in bonds for i, j in ((a, b), (b, a))}
    for (smarts, value), ends in zip(corrections(), _ends(), strict=True):
        if ends.isdisjoint(pairs):
            continue
        query, (first, second) = pattern(smarts)
        for hit in view.GetSubstructMatches(query, uniquify=False, maxMatches=10_000_000):
            a, b = hit[first], hit[second]
            if (a, b) in done:
                continue
            done |= {(a, b), (b, a)}
            shift[a] += value
            shift[b] -= value
        if len(done) == 2 * len(bonds):
            break
    return shift, tuple(bond for bond in bonds if bond not in done)


def aromatic_view(mol: Chem.Mol) -> Chem.Mol:
    """A copy with the aromaticity of the AM1-BCC papers, for pattern matching only."""
    view = Chem.Mol(mol)
    with quiet_rdkit():
        Chem.Kekulize(view, clearAromaticFlags=True)
        Chem.FastFindRings(view)
    kinds = [(a.GetAtomicNum(), a.GetDegree(), a.GetFormalCharge()) for a in atoms_of(view)]
    rings = Chem.GetSymmSSSR(view)
    sides = [_bonds_around(view, list(ring)) for ring in rings]
    six = [(list(r), b) for r, b in zip(rings, sides, strict=True) if len(r) == 6]
    aromatic_bonds: set[int] = set()
    atoms_of_six: set[int] = set()
    changed = True
    while changed:  # a ring fused to an aromatic one may borrow its bonds
        changed = False
        for atoms, bonds in six:
            if set(atoms) <= atoms_of_six and {b.GetIdx() for b in bonds} <= aromatic_bonds:
                continue
            if all(kinds[a] in _ONE_ELECTRON for a in atoms) and _alternates(bonds, aromatic_bonds):
                aromatic_bonds |= {b.GetIdx() for b in bonds}
                atoms_of_six |= set(atoms)
                changed = True
    for ring, bonds in zip(rings, sides, strict=True):
        atoms = list(ring)
        if len(atoms) == 7 and _tropylium(atoms, bonds, kinds):
            aromatic_bonds |= {b.GetIdx() for b in bonds}
            atoms_of_six |= set(atoms)
    for ring, bonds in zip(rings, sides, strict=True):
        atoms = list(ring)
        if len(atoms) == 5 and _five(atoms, bonds, kinds, set(aromatic_bonds)):
            aromatic_bonds |= {b.GetIdx() for b in bonds}
    for index in aromatic_bonds:
        bond = view.GetBondWithIdx(index)
        bond.SetBondType(Chem.BondType.AROMATIC)
        bond.SetIsAromatic(True)
        bond.GetBeginAtom().SetIsAromatic(True)
        bond.GetEndAtom().SetIsAromatic(True)
    return view


def _bonds_around(mol: Chem.Mol, ring: list[int]) -> list[Chem.Bond]:
    return [mol.GetBondBetweenAtoms(ring[i], ring[(i + 1) % len(ring)]) for i in range(len(ring))]


def _double(bond: Chem.Bond) -> bool:
    return bool(bond.GetBondType() == Chem.BondType.DOUBLE)


def _alternates(bonds: list[Chem.Bond], aromatic: set[int]) -> bool:
    """Every second bond is double, or one or two of the three belong to an aromatic six-ring."""
    for start in (0, 1):
        every_second = bonds[start::2]
        doubles = sum(_double(b) and b.GetIdx() not in aromatic for b in every_second)
        if doubles and all(_double(b) or b.GetIdx() in aromatic for b in every_second):
            return True
    return all(b.GetIdx() in aromatic for b in bonds)


def _tropylium(atoms: list[int], bonds: list[Chem.Bond], kinds: list[tuple[int, int, int]]) -> bool:
    cations = [a for a in atoms if kinds[a][0] == 6 and kinds[a][2] == 1]
    others = [a for a in atoms if a not in cations]
    return (
        len(cations) == 1
        and all(kinds[a] in _ONE_ELECTRON for a in others)
        and sum(_double(b) for b in bonds) == 3
    )


def _five(
    atoms: list[int],
    bonds: list[Chem.Bond],
    kinds: list[tuple[int, int, int]],
    aromatic: set[int],
) -> bool:
    """One atom gives two electrons, two double bonds of the ring's own one each.

    A double bond shared with an aromatic six-ring does not count, so the five-ring of
    indole or purine is not aromatic here. antechamber reads the rule otherwise, and its
    charges differ there by up to 0.07 e; this is OpenEye's reading, and the author's.
    """
    for i in range(5):
        if kinds[atoms[i]] not in _TWO_ELECTRONS:
            continue
        near, far = (i + 1) % 5, (i + 3) % 5
        pairs = (near, far)
        if any(kinds[atoms[(i + k) % 5]] not in _ONE_ELECTRON for k in (1, 2, 3, 4)):
            continue
        if not all(_double(bonds[p]) and bonds[p].GetIdx() not in aromatic for p in pairs):
            continue
        return True
    return False
