"""The receptor as an RDKit molecule: bond orders and charges by residue, not guessed from distances.

Only what contact detection needs: standard residues have their chemistry; other
groups have single bonds, metals their usual charge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from rdkit import Chem

from discovery.extras import needs
from docking.protein import residues
from docking.protein.hydrogens import neighbours
from docking.protein.receptor_types import METALS
from docking.protein.structure import Atom, by_residue, coords, parse
from docking.receptor import Receptor

with needs("docking"):
    from scipy.spatial import cKDTree


_METAL_CHARGE = {"Na": 1, "K": 1, "Fe": 3, "Co": 3}  # the others are 2+


def atoms_of(receptor: Receptor) -> tuple[Atom, ...]:
    """The prepared receptor's atoms, hydrogens included."""
    return parse(receptor.pdb, receptor.name).atoms


def near(atoms: Sequence[Atom], points: ArrayLike, reach: float) -> list[Atom]:
    """Whole residues with an atom within `reach` Å of any of [point, 3] Å."""
    tree = cKDTree(np.asarray(points, dtype=float).reshape(-1, 3))
    gaps, _ = tree.query(coords(atoms), distance_upper_bound=reach)
    places = {atom.place for atom, gap in zip(atoms, gaps, strict=True) if np.isfinite(gap)}
    return [atom for atom in atoms if atom.place in places]


def build(atoms: Sequence[Atom]) -> Chem.Mol:
    """Atoms of whole residues -> molecule with one conformer, residue names on every atom.

    Where the chain is cut the open valence stays open (no hydrogen is invented), so a
    cut residue is fit for finding contacts and not for energies.
    """
    mol = Chem.RWMol()
    orders = _orders(atoms)
    charges = _charges(atoms)
    conformer = Chem.Conformer(len(atoms))
    for i, atom in enumerate(atoms):
        new = Chem.Atom(atom.element)
        new.SetNoImplicit(True)
        new.SetFormalCharge(charges.get(i, 0))
        new.SetMonomerInfo(_info(i, atom))
        mol.AddAtom(new)
        conformer.SetAtomPosition(i, atom.xyz)
    for i, others in enumerate(neighbours(atoms)):
        for j in others:
            if i < j:
                double = (i, j) in orders
                mol.AddBond(i, j, Chem.BondType.DOUBLE if double else Chem.BondType.SINGLE)
    mol.AddConformer(conformer, assignId=True)
    whole = mol.GetMol()
    whole.UpdatePropertyCache(strict=False)
    Chem.SanitizeMol(
        whole, Chem.SANITIZE_ALL ^ Chem.SANITIZE_PROPERTIES ^ Chem.SANITIZE_CLEANUP, catchErrors=True
    )
    return whole


def _info(i: int, atom: Atom) -> Chem.AtomPDBResidueInfo:
    digits = atom.number.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return Chem.AtomPDBResidueInfo(
        f" {atom.name:<3.3s}" if len(atom.name) < 4 else atom.name,
        i + 1,
        "",
        atom.resname,
        int(digits),
        atom.chain,
        atom.number[len(digits) :],
        1.0,
        0.0,
        atom.hetero,
    )


def _state(group: Iterable[Atom]) -> tuple[str, str]:
    """The residue's name and the state that its hydrogens show."""
    atoms = list(group)
    name, names = residues.standard(atoms[0].resname), {atom.name for atom in atoms}
    if name == "HIS":
        return name, {(True, True): "HIP", (True, False): "HID"}.get(("HD1" in names, "HE2" in names), "HIE")
    told = {"ASP": ("HD2", "ASH"), "GLU": ("HE2", "GLH")}
    if name in told:
        return name, told[name][1] if told[name][0] in names else ""
    if name == "LYS":
        return name, "" if "HZ1" in names else "LYN"
    return name, ""


def _orders(atoms: Sequence[Atom]) -> set[tuple[int, int]]:
    index = {(atom.place, atom.name): i for i, atom in enumerate(atoms)}
    found = set()
    for place, group in by_residue(atoms).items():
        name, state = _state(group)
        for first, second in residues.double_bonds(name, state):
            i, j = index.get((place, first)), index.get((place, second))
            if i is not None and j is not None:
                found.add((min(i, j), max(i, j)))
    return found


def _charges(atoms: Sequence[Atom]) -> dict[int, int]:
    index = {(atom.place, atom.name): i for i, atom in enumerate(atoms)}
    found: dict[int, int] = {}
    for place, group in by_residue(atoms).items():
        name, state = _state(group)
        names = {atom.name for atom in group}
        for atom, charge in residues.charges(name, state).items():
            if (place, atom) in index:
                found[index[place, atom]] = charge
        if (place, "OXT") in index:
            found[index[place, "OXT"]] = -1
        if name in residues.NAMES and {"H2", "H3"} <= names:
            found[index[place, "N"]] = 1
        if len(group) == 1 and group[0].element in METALS:
            found[index[place, group[0].name]] = _METAL_CHARGE.get(group[0].element, 2)
    return found
