"""Types and bonds as Vina assigns them; references: chemistry drawn by RDKit, and Vina's documented rules."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking import pdbqt
from docking.atom_types import UNTYPED, XS, find_bonds, type_atoms, xs_types
from tests.docking.complexes import embedded, ligand_pdbqt, small

SMILES = [
    "OCCc1ccc(cc1)C(=O)NCC",
    "CS(=O)(=O)N1CCC1C(F)(F)Cl",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "Brc1ccc(I)cc1P(=O)(O)O",
]


@pytest.mark.parametrize("smiles", SMILES)
def test_bonds_from_geometry_are_those_that_were_drawn(smiles: str) -> None:
    """Reference: the bonds RDKit embedded the molecule with."""
    mol = embedded(smiles, seed=3)
    types = tuple("HD" if a.GetSymbol() == "H" else a.GetSymbol() for a in mol.GetAtoms())
    found = {tuple(bond) for bond in find_bonds(mol.GetConformer().GetPositions(), types).tolist()}
    drawn = {tuple(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx()))) for b in mol.GetBonds()}
    assert found == drawn


def test_a_rigid_motion_changes_no_type() -> None:
    structure = pdbqt.read(small().receptor)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    moved = pdbqt.Structure(
        structure.atoms, structure.coords @ turn.T + [3.0, -7.0, 11.0], structure.branches
    )
    assert (type_atoms(structure).xs == type_atoms(moved).xs).all()


def test_donors_acceptors_and_polar_carbons() -> None:
    """Reference: acetamide by hand; the methyl is no neighbour of a heteroatom, the carbonyl carbon is."""
    structure = pdbqt.read(ligand_pdbqt("CC(N)=O"))
    by_kind = dict(
        zip(structure.types, (XS[k] if k != UNTYPED else "-" for k in type_atoms(structure).xs), strict=True)
    )
    assert by_kind["N"] == "N_D"
    assert by_kind["OA"] == "O_A"
    assert by_kind["HD"] == "-"
    assert {XS[k] for k in type_atoms(structure).xs if k != UNTYPED and XS[k][0] == "C"} == {"C_H", "C_P"}


def test_metals_and_closure_carbons_make_a_carbon_polar() -> None:
    bonds = np.array([[0, 1], [2, 3], [4, 5]])
    found = xs_types(("C", "Zn", "C", "CG0", "C", "A"), bonds)
    assert [XS[k] for k in found] == ["C_P", "Met_D", "C_P", "C_H_CG0", "C_H", "C_H"]


def test_an_atom_in_between_breaks_a_bond() -> None:
    coords = np.array([[0.0, 0, 0], [1.6, 0, 0], [0.8, 0.1, 0]])
    assert find_bonds(coords, ("C", "C", "C")).tolist() == [[0, 2], [1, 2]]
    assert find_bonds(coords[:2], ("C", "C")).tolist() == [[0, 1]]


def test_boron_and_silicon_have_a_type() -> None:
    assert [XS[k] for k in xs_types(("B", "Si"), np.zeros((0, 2), dtype=np.int64))] == ["C_P", "Si"]
    assert Chem.GetPeriodicTable().GetRcovalent("B") == pytest.approx(0.82, abs=0.03)
