"""MOL2 and PDBQT libraries; meeko and RDKit write what is read back."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from meeko import MoleculePreparation, PDBQTWriterLegacy
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.record import IntakeError
from docking.library.files import entries
from docking.pose import rmsd
from tests.docking.complexes import embedded

DRUGS = [
    "CC(=O)Nc1ccc(O)cc1",
    "C[NH2+]CCc1c[nH]c2ccccc12",
    "O=C([O-])c1ccccc1S(=O)(=O)NC",
    "Cc1ccc(C#N)cc1Cl",
]


def meekos(smiles: str) -> tuple[Chem.Mol, str]:
    mol = embedded(smiles, seed=3)
    text, ok, message = PDBQTWriterLegacy.write_string(MoleculePreparation().prepare(mol)[0])
    assert ok, message
    return mol, str(text)


def mol2(smiles: str, name: str, *, seed: int = 3) -> str:
    """Tripos MOL2 by hand: RDKit writes none. Types by element and hybridisation, bond orders kekulized."""
    mol = embedded(smiles, seed=seed)
    flat = Chem.Mol(mol)
    Chem.Kekulize(flat, clearAromaticFlags=True)
    kinds = {"SP3": "3", "SP2": "2", "SP": "1"}
    atoms, bonds = [], []
    for atom, (x, y, z) in zip(mol.GetAtoms(), mol.GetConformer().GetPositions().tolist(), strict=True):
        symbol = atom.GetSymbol()
        kind = symbol if symbol in ("H", "Cl") else f"{symbol}.{kinds[str(atom.GetHybridization())]}"
        if symbol == "N" and atom.GetFormalCharge() == 1:
            kind = "N.4"
        if symbol == "S" and atom.GetDegree() == 4:
            kind = "S.O2"
        if symbol == "O" and atom.GetFormalCharge() == -1:
            kind = "O.co2"
        atoms.append(
            f"{atom.GetIdx() + 1} {symbol}{atom.GetIdx() + 1} {x:.4f} {y:.4f} {z:.4f} {kind} 1 LIG 0.0"
        )
    for k, bond in enumerate(flat.GetBonds(), start=1):
        ends = bond.GetBeginAtomIdx() + 1, bond.GetEndAtomIdx() + 1
        bonds.append(f"{k} {ends[0]} {ends[1]} {int(bond.GetBondTypeAsDouble())}")
    return "\n".join(
        ["@<TRIPOS>MOLECULE", name, f"{len(atoms)} {len(bonds)} 1", "SMALL", "NO_CHARGES", "",
         "@<TRIPOS>ATOM", *atoms, "@<TRIPOS>BOND", *bonds, ""]
    )  # fmt: skip


def test_mol2_gives_the_molecules_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "library.mol2"
    path.write_text("# a comment first\n" + "".join(mol2(s, f"drug {i}") for i, s in enumerate(DRUGS)))
    found = list(entries(path))
    assert [row.number for row, _ in found] == [1, 2, 3, 4]
    assert [row.name for row, _ in found] == [f"drug {i}" for i in range(4)]
    for (row, block), smiles in zip(found, DRUGS, strict=True):
        assert row.outcome == Molecule.parse(smiles, row.name)
        mol = Chem.MolFromMolBlock(block, removeHs=False)
        assert rmsd(mol, embedded(smiles, seed=3)) < 1e-3


def test_a_nitrogen_with_four_bonds_is_charged() -> None:
    """Many programs write a protonated amine's nitrogen as N.3, which is one bond too many for a neutral one."""
    from docking.library.files import mol_of_mol2

    text = mol2("C[NH2+]CCc1c[nH]c2ccccc12", "amine").replace("N.4", "N.3")
    mol = mol_of_mol2(text, "amine")
    assert Chem.GetFormalCharge(mol) == 1
    assert Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol))) == Chem.CanonSmiles(
        "C[NH2+]CCc1c[nH]c2ccccc12"
    )


@pytest.mark.parametrize("smiles", DRUGS)
def test_meekos_pdbqt_gives_molecule_and_coordinates(tmp_path: Path, smiles: str) -> None:
    """Reference: meeko wrote the file; heavy atoms and polar hydrogens come back to its three decimals."""
    mol, text = meekos(smiles)
    path = tmp_path / "one.pdbqt"
    path.write_text(text)
    ((row, block),) = entries(path)
    assert row.outcome == Molecule.parse(smiles)
    back = Chem.MolFromMolBlock(block, removeHs=False)
    assert back.GetNumAtoms() == mol.GetNumAtoms()
    assert rmsd(back, mol) < 2e-3
    polar = Chem.MolFromSmarts("[#1][#7,#8]")
    ours, theirs = (
        np.sort([m.GetConformer().GetPositions()[hit[0]] for m_hit in [m.GetSubstructMatches(polar)] for hit in m_hit], axis=0)
        if m.HasSubstructMatch(polar) else np.zeros(0)
        for m in (back, mol)
    )  # fmt: skip
    assert ours == pytest.approx(theirs, abs=2e-3)


def test_many_records_packed_and_the_bad_ones_named(tmp_path: Path) -> None:
    texts = [meekos(smiles)[1] for smiles in DRUGS[:3]]
    bare = "\n".join(row for row in texts[1].splitlines() if not row.startswith("REMARK")) + "\n"
    broken = texts[0].replace("REMARK SMILES CC", "REMARK SMILES C(", 1)
    short = texts[2].replace("REMARK SMILES ", "REMARK SMILES C", 1)
    path = tmp_path / "library.pdbqt.gz"
    models = "".join(
        f"MODEL {i}\n{text}ENDMDL\n" for i, text in enumerate([*texts, bare, broken, short], start=1)
    )
    path.write_bytes(gzip.compress(models.encode()))
    rows = [row for row, _ in entries(path)]
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [isinstance(row.outcome, Molecule) for row in rows] == [True] * 3 + [False] * 3
    said = [row.outcome for row in rows[3:]]
    assert all(isinstance(one, Missing) for one in said)
    assert [one.reason for one in said] == [Reason.UNSUPPORTED, Reason.UNPARSABLE, Reason.UNPARSABLE]
    assert "record 4" in said[0].detail
    assert "no line REMARK SMILES" in said[0].detail
    loose = tmp_path / "loose.pdbqt"  # one after the other, without MODEL
    loose.write_text("".join(texts))
    assert [row.outcome for row, _ in entries(loose)] == [row.outcome for row in rows[:3]]


def test_the_same_molecule_again_is_a_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "twice.mol2"
    path.write_text(mol2(DRUGS[0], "a") + mol2(DRUGS[1], "b") + mol2(DRUGS[0], "c", seed=9))
    rows = [row for row, _ in entries(path)]
    assert isinstance(rows[2].outcome, Missing)
    assert rows[2].outcome.reason is Reason.DUPLICATE
    assert "record 1" in rows[2].outcome.detail
    assert all(isinstance(row.outcome, Molecule) for row, _ in entries(path, keep_duplicates=True))


@pytest.mark.parametrize("harm", ["cut", "garbage", "huge"])
def test_a_bad_mol2_record_costs_one_row(tmp_path: Path, harm: str) -> None:
    middle = mol2(DRUGS[1], "middle")
    spoilt = {
        "cut": middle[: len(middle) // 2],
        "garbage": middle.replace("@<TRIPOS>BOND", "@<TRIPOS>BOUND"),
        "huge": middle + "x" * 300_000 + "\n",
    }[harm]
    path = tmp_path / "library.mol2"
    path.write_text(mol2(DRUGS[0], "first") + spoilt.rstrip("\n") + "\n" + mol2(DRUGS[3], "last"))
    rows = [row for row, _ in entries(path)]
    assert len(rows) == 3
    assert isinstance(rows[1].outcome, Missing)
    assert "record 2" in rows[1].outcome.detail
    assert rows[2].outcome == Molecule.parse(DRUGS[3], "last")


def test_a_torn_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "library.mol2.gz"
    packed = gzip.compress("".join(mol2(s, f"n{i}", seed=i + 1) for i, s in enumerate(DRUGS * 3)).encode())
    path.write_bytes(packed[: len(packed) * 2 // 3])
    rows = [row for row, _ in entries(path, keep_duplicates=True)]
    assert isinstance(rows[-1].outcome, Missing)
    assert "cut off" in rows[-1].outcome.detail
    assert len(rows) > 1


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.mol2"
    path.write_text("CCO ethanol\n")
    with pytest.raises(IntakeError, match="no @<TRIPOS>MOLECULE"):
        list(entries(path))
    with pytest.raises(IntakeError, match="does not exist"):
        entries(tmp_path / "absent.pdbqt")


@pytest.mark.parametrize(
    "smiles", ["CCO", "C[NH2+]CCc1c[nH]c2ccccc12", "CC(=O)[O-]", "Clc1ccc(Br)cc1S(=O)(=O)N", "CC#N"]
)
def test_amber_s_atom_types_are_read_as_sybyl_s(smiles: str) -> None:
    """As antechamber writes them; what matters is their element."""
    from docking.library.files import mol_of_mol2

    amber = {"C": "c3", "N": "n4", "O": "oh", "S": "s6", "H": "hc", "Cl": "cl", "Br": "br"}
    head, marker, rest = mol2(smiles, "it").partition("@<TRIPOS>ATOM\n")
    lines, bonds, tail = rest.partition("@<TRIPOS>BOND")
    rows = [row.split() for row in lines.splitlines()]
    renamed = "".join(" ".join([*row[:5], amber[row[5].partition(".")[0]], *row[6:]]) + "\n" for row in rows)
    found = Molecule.of(mol_of_mol2(head + marker + renamed + bonds + tail, "it"), "it")
    assert found == Molecule.parse(smiles, "it")
