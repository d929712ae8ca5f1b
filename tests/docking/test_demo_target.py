"""The target that ships: 5-HT1B with ergotamine."""

from __future__ import annotations

import math

from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from docking import demo_target, pdbqt


def test_the_ligand_is_ergotamine_and_in_its_place() -> None:
    """Reference: the stereo of the coordinates themselves, against the published structure of ergotamine.

    Ergotamine is C33H35N5O5 (here with one proton more); lysergic acid's centres are 5R, 8R.
    """
    bound = demo_target.reference()
    assert CalcMolFormula(bound) == "C33H36N5O5+"
    Chem.AssignStereochemistryFrom3D(bound)
    seen = Chem.RemoveHs(bound)
    drawn = Chem.MolFromSmiles(demo_target.ERGOTAMINE)
    assert drawn.HasSubstructMatch(seen)
    carbons = {
        a.GetIdx(): a.GetProp("_CIPCode")
        for a in seen.GetAtoms()
        if a.HasProp("_CIPCode") and a.GetSymbol() == "C"
    }
    wanted = sorted(
        a.GetProp("_CIPCode") for a in drawn.GetAtoms() if a.HasProp("_CIPCode") and a.GetSymbol() == "C"
    )
    assert sorted(carbons.values()) == wanted
    assert len(wanted) == 6


def test_residues_are_those_of_the_human_receptor() -> None:
    """Reference: UniProt P28222: D129 (3.32), the conserved W327, F330 and F331 of helix 6, C122-C199."""
    residues = {atom.residue for atom in pdbqt.read(demo_target.receptor().pdbqt).atoms}
    assert {"A:ASP129", "B:TRP327", "B:PHE330", "B:PHE331", "A:CYS122", "A:CYS199"} <= residues
    assert "4IAR" in demo_target.receptor().report[0].what


def test_the_box_holds_the_ligand() -> None:
    heavy = Chem.RemoveHs(demo_target.reference()).GetConformer().GetPositions()
    assert demo_target.site().contains(heavy)
    assert math.prod(demo_target.site().size) < 27_000
