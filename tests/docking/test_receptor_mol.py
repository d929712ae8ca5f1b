"""The receptor's chemistry."""

from __future__ import annotations

from collections import Counter

from rdkit import Chem

from docking import demo_target
from docking.protein import receptor_mol


def test_every_residue_has_its_usual_valences() -> None:
    """Reference: RDKit's own valence model finds nothing to object to in 302 residues."""
    mol = receptor_mol.build(receptor_mol.atoms_of(demo_target.receptor()))
    assert not Chem.DetectChemistryProblems(mol)
    assert sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()) == 0


def test_charges_are_those_of_the_residues() -> None:
    atoms = receptor_mol.atoms_of(demo_target.receptor())
    mol = receptor_mol.build(atoms)
    places = {(a.resname, *a.place) for a in atoms}
    count = Counter(name for name, *_ in places)
    neutral_acids = sum(a.resname == "ASP" and a.name == "HD2" for a in atoms)
    expected = count["LYS"] + count["ARG"] - count["ASP"] - count["GLU"] + neutral_acids
    assert Chem.GetFormalCharge(mol) == expected


def test_aromatic_rings_are_found() -> None:
    atoms = receptor_mol.atoms_of(demo_target.receptor())
    mol = receptor_mol.build(atoms)
    rings = {"PHE": 6, "TYR": 6, "TRP": 9, "HIS": 5}
    places = {(a.resname, *a.place) for a in atoms}
    assert sum(a.GetIsAromatic() for a in mol.GetAtoms()) == sum(rings.get(name, 0) for name, *_ in places)
