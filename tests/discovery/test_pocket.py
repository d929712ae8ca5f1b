"""The trimmed receptor holds the pocket, and contacts run where they were measured."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from discovery.views.pocket import atoms_of, contact_lines, pose_atoms, residue_key, trimmed
from discovery.views.reading import Contact
from tests.discovery.fake_run import prolif_data

FOLDER = prolif_data()
needs_receptor = pytest.mark.skipif(
    FOLDER is None, reason="the prolif package, which ships the receptor, is absent"
)


def receptor() -> str:
    assert FOLDER is not None
    return (FOLDER / "rec.pdb").read_text()


def ligand() -> Chem.Mol:
    assert FOLDER is not None
    mol = next(iter(Chem.SDMolSupplier(str(FOLDER / "vina_output.sdf"), removeHs=False)))
    found = pose_atoms(Chem.MolToMolBlock(mol))
    assert found is not None
    return found


def heavy(mol: Chem.Mol) -> np.ndarray:
    return mol.GetConformer().GetPositions()[[a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]]


@needs_receptor
def test_the_pocket_is_gemmis_pocket() -> None:
    """Reference: gemmi's neighbour search over the same file."""
    gemmi = pytest.importorskip("gemmi")
    near = heavy(ligand())
    _, names = trimmed(receptor(), near, pocket=6.0)
    structure = gemmi.read_pdb_string(receptor())
    structure.remove_hydrogens()
    structure.cell = gemmi.UnitCell()  # the file's box is the simulation's; no images
    theirs = set()
    for chain in structure[0]:
        for residue in chain:
            gaps = [np.linalg.norm(near - [*atom.pos], axis=-1).min() for atom in residue]
            if gaps and min(gaps) <= 6.0:
                theirs.add(f"{chain.name}:{residue.name}{residue.seqid.num}")
    assert set(names) == theirs
    assert len(theirs) > 15


@needs_receptor
def test_trimming_keeps_what_is_shown_and_little_else() -> None:
    text, _ = trimmed(receptor(), heavy(ligand()))
    assert len(text) < 0.35 * len(receptor())
    kept = atoms_of(text)
    assert kept
    assert {atom.element for atom in kept} <= {"C", "N", "O", "S"}
    whole = {(atom.name, atom.xyz) for atom in atoms_of(receptor())}
    assert {(atom.name, atom.xyz) for atom in kept} <= whole  # nothing moved, nothing invented
    assert Chem.MolFromPDBBlock(text, sanitize=False, proximityBonding=False).GetNumAtoms() == len(kept)


@needs_receptor
def test_contacts_are_drawn_as_long_as_they_were_measured() -> None:
    """The salt bridge of the bound ligand with Asp129, measured here from the coordinates."""
    atoms = atoms_of(receptor())
    mol = ligand()
    amine = next(a.GetIdx() for a in mol.GetAtoms() if a.GetFormalCharge() == 1)
    at = np.array(mol.GetConformer().GetAtomPosition(amine))
    measured = min(
        float(np.linalg.norm(at - atom.xyz))
        for atom in atoms
        if atom.residue[1] == 129 and atom.name in ("OD1", "OD2")
    )
    for named in ((), (amine,)):
        (line,) = contact_lines(mol, [Contact("A:ASP129", "salt bridge", measured, named)], atoms)
        assert np.linalg.norm(np.subtract(line.start, line.end)) == pytest.approx(measured, abs=0.03)
        assert line.start == pytest.approx(at, abs=0.01)


@needs_receptor
def test_a_contact_with_an_unknown_residue_is_left_out() -> None:
    assert (
        contact_lines(
            ligand(),
            [Contact("Z:ALA9999", "hydrophobic", 3.0), Contact("nowhere", "metal")],
            atoms_of(receptor()),
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A:ASP129", ("A", 129)), ("ASP129.A", ("A", 129)), ("ASP129", ("", 129)), ("A:129", ("A", 129)), ("HEM401", ("", 401)),
        ("A:HIS-5", ("A", -5)), ("A:SER52A", ("A", 52)), ("<script>", None), ("", None),
    ],
)  # fmt: skip
def test_residue_names_as_programs_write_them(text: str, key: tuple[str, int] | None) -> None:
    assert residue_key(text) == key


def test_an_unreadable_line_is_named() -> None:
    with pytest.raises(ValueError, match="no coordinates"):
        atoms_of("ATOM      1  N   ALA A   1      xx.xxx  0.000   0.000")


def test_no_receptor_no_pocket() -> None:
    assert trimmed("", np.zeros((1, 3))) == ("", [])
    assert pose_atoms("not a mol block") is None
