"""Reference: the formulas of the Protein Data Bank's chemical components; the rest is built here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from docking.dynamics.cofactors import DRAWN
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.protocol import Settings, rescore
from docking.dynamics.receptor_system import receptor_model
from docking.dynamics.scorers import load_receptor
from docking.protein import structure
from docking.protein.structure import Atom, pdb_text
from docking.receptor import ReceptorError
from tests.docking.dynamics.cases import embedded, helix, text

posebusters = pytest.importorskip("posebusters")
FORMULAS = {  # and charge, as the Data Bank draws them
    "AMP": ("C10H14N5O7P", 0), "ADP": ("C10H15N5O10P2", 0), "ATP": ("C10H16N5O13P3", 0),
    "GDP": ("C10H15N5O11P2", 0), "GTP": ("C10H16N5O14P3", 0), "NAD": ("C21H27N7O14P2", 0),
    "NAI": ("C21H29N7O14P2", 0), "NAP": ("C21H28N7O17P3", 0), "NDP": ("C21H30N7O17P3", 0),
    "FMN": ("C17H21N4O9P", 0), "FAD": ("C27H33N9O15P2", 0), "SAM": ("C15H22N6O5S", 0),
    "SAH": ("C14H20N6O5S", 0), "COA": ("C21H36N7O16P3S", 0), "ACO": ("C23H38N7O17P3S", 0),
    "TPP": ("C12H19N4O7P2S", 1), "BTN": ("C10H16N2O3S", 0), "H4B": ("C9H15N5O3", 0),
}  # fmt: skip
CRYSTAL = Path(posebusters.__file__).parent / "datasets/pdb/1ia1/1ia1_protein_one_lig_removed.pdb"
CENTRE = np.array([24.0, 18.0, 4.0])  # Å, far from the helix


def lying(name: str) -> list[Atom]:
    """Heavy atoms of a cofactor far from the helix, as a crystal shows them."""
    mol = Chem.RemoveHs(embedded(DRAWN[name]))
    xyz = mol.GetConformer().GetPositions()
    places = (xyz - xyz.mean(axis=0) + CENTRE).round(3).tolist()
    return [
        Atom("A", name, "900", f"{a.GetSymbol()}{a.GetIdx() + 1}", a.GetSymbol(), (x, y, z), hetero=True)
        for a, (x, y, z) in zip(mol.GetAtoms(), places, strict=True)
    ]


def receptor(atoms: list[Atom]) -> str:
    return text([*helix(), "TER", *(x for x in pdb_text(atoms).splitlines() if x.startswith("HETATM"))])


def test_each_is_drawn_with_the_formula_of_the_data_bank_but_for_protons() -> None:
    assert set(FORMULAS) == set(DRAWN)
    for name, (formula, charge) in FORMULAS.items():
        mol = Chem.AddHs(Chem.MolFromSmiles(DRAWN[name]))
        ours = re.sub(r"[+-]\d*$", "", CalcMolFormula(mol))
        protons = Chem.GetFormalCharge(mol) - charge
        assert ours == re.sub(r"H(\d+)", lambda n, p=protons: f"H{int(n[1]) + p}", formula), name


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_a_cofactor_is_a_part_of_the_receptor_with_its_charge(name: str) -> None:
    bare = receptor_model(text(helix()), "helix 3")
    model = receptor_model(receptor(lying(name)), "helix 3")
    assert model.labels == (*bare.labels, f"A:{name}900")
    own = model.residue == len(bare.labels)
    whole = Chem.AddHs(Chem.MolFromSmiles(DRAWN[name]))
    assert own.sum() == whole.GetNumAtoms()
    assert model.terms.charge[own].sum() == pytest.approx(Chem.GetFormalCharge(whole), abs=1e-6)
    assert len(model.terms.bonds) == len(bare.terms.bonds) + whole.GetNumBonds()
    lengths = np.linalg.norm(model.xyz[model.terms.bonds[:, 0]] - model.xyz[model.terms.bonds[:, 1]], axis=1)
    assert 0.08 < lengths.min() < lengths.max() < 0.22
    assert any(f"A:{name}900 with the parameters of" in note for note in model.notes)


def test_a_cofactor_that_lacks_an_atom_or_is_bonded_is_refused_with_the_cure() -> None:
    with pytest.raises(
        ReceptorError, match=r"A:NAP900 has 47 heavy atom.s. where 48 belong.*--drop A:NAP900"
    ):
        receptor_model(receptor(lying("NAP")[1:]), "helix 3")
    line = next(x for x in helix() if x[12:16].strip() == "CB")
    x, y, z = (float(line[i : i + 8]) for i in (30, 38, 46))
    atoms = lying("BTN")
    shift = np.array([x + 1.4, y, z]) - atoms[0].xyz
    moved = [replace(a, xyz=tuple((a.xyz + shift).round(3).tolist())) for a in atoms]
    with pytest.raises(ReceptorError, match=r"A:BTN900 is .* Å from A:.*--drop A:BTN900"):
        receptor_model(receptor(moved), "helix 3")


def test_a_ligand_is_bound_by_a_cofactor_that_was_kept_and_by_nothing_without_it(tmp_path: Path) -> None:
    """Methylammonium beside the phosphates of ADP, far from the protein."""
    path = tmp_path / "receptor.pdb"
    atoms = lying("ADP")
    path.write_text(receptor(atoms))
    ligand = embedded("C[NH3+]")
    phosphorus = np.array(next(a.xyz for a in atoms if a.element == "P"))
    away = (phosphorus - CENTRE) / np.linalg.norm(phosphorus - CENTRE)
    xyz = ligand.GetConformer().GetPositions()
    ligand.GetConformer().SetPositions(xyz - xyz.mean(axis=0) + phosphorus + 4.5 * away)
    how = Settings(charges=gasteiger)
    found = rescore(load_receptor(str(path), keep=["ADP"]), ligand, how)
    assert found.bound.labels == ("A:ADP900",)
    assert found.energy.total < -1.0
    with pytest.raises(ReceptorError, match="no residue"):
        rescore(load_receptor(str(path)), ligand, how)


@pytest.mark.skipif(not CRYSTAL.exists(), reason="this version of PoseBusters ships no 1IA1")
def test_nadph_of_a_crystal_is_understood_where_it_lies() -> None:
    """Dihydrofolate reductase, two chains."""
    model = load_receptor(str(CRYSTAL))
    seen = [a for a in structure.read(CRYSTAL).atoms if a.residue == "B:NDP195"]
    own = model.residue == model.labels.index("B:NDP195")
    assert model.xyz[own & (model.numbers > 1)] * 10.0 == pytest.approx(structure.coords(seen), abs=1e-3)
    assert [n for n, k in zip(model.atom_names, own & (model.numbers > 1), strict=True) if k] == [
        a.name for a in seen
    ]
    assert model.terms.charge[own].sum() == pytest.approx(-4.0, abs=1e-6)
    assert "A:NDP193" in model.labels
