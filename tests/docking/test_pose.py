"""Poses: distances that follow symmetry, and SDF."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdMolAlign

from discovery.molecule import Molecule
from docking import ligand
from docking.pose import Pose, rmsd, with_coords

SYMMETRIC = {
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "a sulfonamide": "NS(=O)(=O)c1ccc(cc1)C(F)(F)F",
    "a phosphate": "COP(=O)(O)O",
    "a guanidine": "NC(=N)NCc1ccccc1",
    "neopentyl": "CC(C)(C)CO",
}


def shaken(smiles: str, seed: int) -> tuple[Chem.Mol, Chem.Mol]:
    one = ligand.prepare(Molecule.parse(smiles))[0]
    noise = np.random.default_rng(seed).normal(scale=0.8, size=one.coords().shape)
    return one.mol(), with_coords(one.mol(), one.coords() + noise)


@pytest.mark.parametrize("smiles", SYMMETRIC.values(), ids=SYMMETRIC.keys())
def test_agrees_with_rdkit(smiles: str) -> None:
    """Reference: RDKit CalcRMS, which pairs conjugated ends as we do."""
    first, second = shaken(smiles, seed=7)
    theirs = rdMolAlign.CalcRMS(Chem.RemoveHs(second), Chem.RemoveHs(first))
    assert rmsd(first, second) == pytest.approx(theirs, abs=1e-6)


@given(slide=st.tuples(*[st.floats(-50, 50)] * 3))
@settings(derandomize=True, max_examples=20, deadline=None)
def test_a_slide_is_as_far_as_it_goes(slide: tuple[float, float, float]) -> None:
    one = ligand.prepare(Molecule.parse("OCC(N)C(=O)NC"))[0]
    moved = with_coords(one.mol(), one.coords() + slide)
    assert rmsd(one.mol(), moved) <= np.linalg.norm(slide) + 1e-6
    assert rmsd(one.mol(), moved) == pytest.approx(rmsd(moved, one.mol()), abs=1e-9)


def test_the_order_of_atoms_is_no_distance() -> None:
    mol = ligand.prepare(Molecule.parse("NS(=O)(=O)c1ccc(cc1)C(F)(F)F"))[0].mol()
    order = np.random.default_rng(1).permutation(mol.GetNumAtoms()).tolist()
    assert rmsd(mol, Chem.RenumberAtoms(mol, order)) == pytest.approx(0.0, abs=1e-9)


def test_other_molecules_have_no_distance() -> None:
    first, _ = shaken("CCO", 1)
    second, _ = shaken("CCN", 1)
    with pytest.raises(ValueError, match="not the same skeleton"):
        rmsd(first, second)


def test_sdf_holds_the_pose_and_nothing_can_break_out_of_it() -> None:
    nasty = Molecule.parse("C[C@H](N)C(=O)O", "line one\n$$$$\nline <two>")
    one = ligand.prepare(nasty)[0]
    pose = Pose(one, one.coords() + 1.0, -5.25, {"inter": -6.0}, "vina")
    supplier = Chem.SDMolSupplier()
    supplier.SetData(pose.sdf({"row\n": "1\n\n>  <score>\n9"}), removeHs=False)
    mols = list(supplier)
    assert len(mols) == 1
    assert mols[0].GetProp("score_kcal_per_mol") == "-5.250"
    assert mols[0].GetConformer().GetPositions() == pytest.approx(pose.coords, abs=1e-4)
    assert Molecule.of(mols[0]).smiles == nasty.smiles


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_wild_number_is_no_pose(bad: float) -> None:
    one = ligand.prepare(Molecule.parse("CCO"))[0]
    with pytest.raises(ValueError, match="not finite"):
        Pose(one, one.coords(), bad)
    with pytest.raises(ValueError, match=r"needs \[9, 3\]"):
        Pose(one, one.coords()[:5], -1.0)
