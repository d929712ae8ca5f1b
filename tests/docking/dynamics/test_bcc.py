"""Reference: the published corrections (shared), and the paper's aromaticity rules."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from discovery.outcome import MoleculeError
from docking.dynamics.parameters.bcc import aromatic_view, bond_charge_corrections, corrections
from tests.docking.dynamics.cases import DYNAMICS, needs_shared

SMILES = [
    "CCO",
    "c1ccccc1C(=O)[O-]",
    "C[NH2+]C",
    "c1ccc2ccccc2c1",
    "CC(=O)Nc1ccccc1",
    "c1cc[nH]c1",
    "O=[N+]([O-])c1ccccc1",
]


@needs_shared
def test_our_table_is_the_published_one() -> None:
    theirs = json.loads((DYNAMICS / "force_fields" / "original-am1-bcc.json").read_text())
    assert corrections() == tuple((line["smirks"], line["value"]) for line in theirs)


@settings(max_examples=40, derandomize=True)
@given(st.sampled_from(SMILES), st.randoms(use_true_random=False))
def test_corrections_add_up_to_nothing_in_any_order(smiles: str, random: object) -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)  # type: ignore[attr-defined]
    here = bond_charge_corrections(mol)
    there = bond_charge_corrections(Chem.RenumberAtoms(mol, order))
    assert here.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.sort(there) == pytest.approx(np.sort(here), abs=1e-12)


@pytest.mark.parametrize(
    ("smiles", "aromatic"),
    [
        ("c1ccccc1", 6),  # case 1
        ("c1ccc2ccccc2c1", 10),  # case 2
        ("c1cc2cccc3ccc4cccc1c4c32", 16),  # case 3: pyrene
        ("[cH+]1cccccc1", 7),  # case 4
        ("c1cc[nH]c1", 5),  # case 5
        ("c1ccoc1", 5),
        ("c1ccc2[nH]ccc2c1", 6),  # the five-ring borrows its double bond, so it stays as drawn
        ("O=c1cccc[nH]1", 0),
        ("C1=CC=CC=CC=C1", 0),
    ],
)
def test_the_papers_aromaticity(smiles: str, aromatic: int) -> None:
    view = aromatic_view(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    assert sum(atom.GetIsAromatic() for atom in view.GetAtoms()) == aromatic


def test_a_bond_nobody_published_is_named() -> None:
    with pytest.raises(MoleculeError, match=r"mobley_1.*O2-P3"):
        bond_charge_corrections(Chem.AddHs(Chem.MolFromSmiles("COP(=O)(OC)OC")), "mobley_1")
