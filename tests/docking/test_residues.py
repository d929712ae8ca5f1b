"""The tables of standard residues."""

from __future__ import annotations

import pytest
from rdkit import Chem

from docking.protein import residues

LETTERS = dict(
    zip(
        "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split(),  # noqa: SIM905
        "ARNDCQEGHILKMFPSTWYV",
        strict=True,
    )
)


@pytest.mark.parametrize("name", sorted(residues.NAMES))
def test_atoms_are_those_rdkit_builds(name: str) -> None:
    """Reference: RDKit's own amino acids, as the middle one of Gly-X-Gly, in its neutral state."""
    mol = Chem.AddHs(Chem.MolFromFASTA(f"G{LETTERS[name]}G"))
    middle = {
        atom.GetPDBResidueInfo().GetName().strip(): atom
        for atom in mol.GetAtoms()
        if atom.GetPDBResidueInfo() is not None and atom.GetPDBResidueInfo().GetResidueNumber() == 2
    }
    state = {"ASP": "ASH", "GLU": "GLH", "LYS": "LYN", "HIS": "HID"}.get(name, "")
    ours = residues.hydrogens(name, state)
    assert set(ours) == set(middle)
    counts = {atom: len(names) for atom, names in ours.items()}
    theirs = {atom: middle[atom].GetTotalNumHs(includeNeighbors=True) for atom in middle}
    if name == "ARG":  # ours is the cation; one of its two ends carries the proton
        counts["NH1"] = theirs["NH1"] = counts["NH2"] = theirs["NH2"] = 2
    if name == "HIS":
        counts |= {"ND1": 1, "NE2": 0}
        theirs["ND1"], theirs["NE2"] = sorted((theirs["ND1"], theirs["NE2"]), reverse=True)
    if name == "ILE":  # RDKit names the two carbons on CB the other way round
        theirs["CG1"], theirs["CG2"] = theirs["CG2"], theirs["CG1"]
    if name in ("ASP", "GLU"):  # which oxygen carries it is a drawing
        ends = ("OD1", "OD2") if name == "ASP" else ("OE1", "OE2")
        counts |= dict.fromkeys(ends, 0)
        theirs |= dict.fromkeys(ends, 0)
    assert counts == theirs


@pytest.mark.parametrize(
    ("alias", "parent", "state"),
    [
        ("HSD", "HIS", "HID"),
        ("HSP", "HIS", "HIP"),
        ("CYX", "CYS", "CYX"),
        ("ASH", "ASP", "ASH"),
        ("TRP", "TRP", ""),
        ("HEM", "HEM", ""),
    ],
)
def test_other_programs_names(alias: str, parent: str, state: str) -> None:
    assert residues.standard(alias) == parent
    assert residues.named_state(alias) == state


def test_hydrogen_names_are_unique() -> None:
    for name in residues.NAMES:
        for state in ("", *residues.STATES):
            if state and residues.standard(state) != name:
                continue
            names = [hydrogen for group in residues.hydrogens(name, state).values() for hydrogen in group]
            assert len(names) == len(set(names)), (name, state)
