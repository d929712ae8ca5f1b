"""From a structure file to a receptor, every choice told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from docking import demo_target, pdbqt, preparation
from docking.protein import receptor_mol
from docking.protein.structure import Atom, parse, pdb_text
from docking.receptor import Receptor, ReceptorError
from tests.docking import pocket
from tests.docking.test_structure import as_mmcif


def prepared(atoms: list[Atom], folder: Path, **settings: object) -> Receptor:
    path = folder / "protein.pdb"
    path.write_text(pdb_text(atoms))
    return preparation.prepare(path, **settings)  # type: ignore[arg-type]


def said(receptor: Receptor, kind: str) -> list[str]:
    return [str(choice) for choice in receptor.report if choice.kind == kind]


def hetero(name: str, number: str, element: str, x: float, atom: str = "") -> Atom:
    return Atom("A", name, number, atom or element.upper(), element, (x, 40.0, 40.0), hetero=True)


def test_the_same_file_gives_the_same_receptor(tmp_path: Path) -> None:
    one, again = (prepared(pocket.heavy(), tmp_path) for _ in range(2))
    assert one.digest == again.digest
    assert one.pdb == again.pdb


def test_mmcif_gives_the_same_receptor_as_pdb(tmp_path: Path) -> None:
    """Reference: gemmi's mmCIF of the same atoms."""
    path = tmp_path / "protein.cif"
    path.write_text(as_mmcif(pocket.text()))
    assert preparation.prepare(path).digest == prepared(pocket.heavy(), tmp_path).digest


def test_an_assembly_that_the_file_holds_in_part_is_told(tmp_path: Path) -> None:
    """As the Data Bank's REMARK 350 has it of a symmetric dimer."""
    turns = [(1, 0, 0, 0, 1, 0, 0, 0, 1), (-1, 0, 0, 0, -1, 0, 0, 0, 1)]
    rows = [
        f"REMARK 350   BIOMT{row + 1}{number:4d}{x:10.6f}{y:10.6f}{z:10.6f}        0.00000"
        for number, turn in enumerate(turns, start=1)
        for row, (x, y, z) in enumerate((turn[:3], turn[3:6], turn[6:]))
    ]
    head = ["REMARK 350 BIOMOLECULE: 1", "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A, B", *rows]
    path = tmp_path / "protein.pdb"
    path.write_text("\n".join([*head, pocket.text()]))
    (told,) = said(preparation.prepare(path), "model")
    assert "2 copies make the biological assembly" in told
    path.write_text("\n".join([*head[:5], pocket.text()]))
    assert said(preparation.prepare(path), "model") == []


def test_of_two_conformations_the_fuller_stays(tmp_path: Path) -> None:
    atoms = []
    for atom in pocket.heavy():
        if (atom.chain, atom.number, atom.name) == ("A", "129", "CG"):
            x, y, z = atom.xyz
            atoms.append((atom, "A", 0.35))
            atoms.append((replace(atom, xyz=(x, y, z + 0.5)), "B", 0.65))
        else:
            atoms.append((atom, " ", 1.0))
    lines = pdb_text([atom for atom, _, _ in atoms]).splitlines()
    marked = [
        f"{line[:16]}{alt}{line[17:54]}{occ:6.2f}{line[60:]}" if line.startswith("ATOM") else line
        for line, (_, alt, occ) in zip([x for x in lines if x.startswith("ATOM")], atoms, strict=True)
    ]
    path = tmp_path / "protein.pdb"
    path.write_text("\n".join(marked) + "\nEND\n")
    receptor = preparation.prepare(path)
    assert said(receptor, "altloc") == ["A:ASP129: kept conformation B of A (0.35), B (0.65)"]
    kept = [atom for atom, alt, _ in atoms if alt == "B"]
    assert any(line[30:54] == "".join(f"{v:8.3f}" for v in kept[0].xyz) for line in receptor.pdb.splitlines())


def test_waters_ions_and_strangers_are_told(tmp_path: Path) -> None:
    extras = [
        hetero("HOH", "901", "O", 40.0, "O"), hetero("ZN", "902", "Zn", 44.0), hetero("SO4", "903", "S", 48.0),
        hetero("HOH", "904", "O", 52.0, "O"), hetero("HEM", "905", "Fe", 56.0, "FE"),
        hetero("P69", "906", "C", 60.0, "CAT"),
    ]  # fmt: skip
    receptor = prepared([*pocket.heavy(), *extras], tmp_path, keep=["A:HOH904"], drop=["A:HEM905"])
    types = pdbqt.read(receptor.pdbqt).types
    assert "Zn" in types
    assert "Fe" not in types
    assert said(receptor, "water") == [
        "A:HOH904: kept as asked",
        "structure: 1 waters dropped; keep=['HOH'] or keep=['A:HOH301'] keeps them",
    ]
    assert "A:SO4903: dropped (1 heavy atoms); keep= keeps it" in said(receptor, "hetero")
    assert "A:HEM905: dropped as asked" in said(receptor, "hetero")
    assert "A:P69906: dropped (1 heavy atoms); keep= keeps it" in said(receptor, "hetero")
    residues = {atom.residue for atom in pdbqt.read(receptor.pdbqt).atoms}
    assert "A:HOH904" in residues
    assert "A:HOH901" not in residues


def test_selenium_is_docked_as_sulfur(tmp_path: Path) -> None:
    atoms = [
        replace(a, resname="MSE", hetero=True, name="SE" if a.name == "SD" else a.name, element="Se" if a.name == "SD" else a.element)
        if a.resname == "MET"
        else a
        for a in pocket.heavy()
    ]  # fmt: skip
    receptor = prepared(atoms, tmp_path)
    plain = prepared(pocket.heavy(), tmp_path)
    assert receptor.pdbqt == plain.pdbqt
    assert any("selenomethionine" in line for line in said(receptor, "hetero"))


def test_a_missing_side_chain_is_rebuilt_where_it_was(tmp_path: Path) -> None:
    """What is told, what touches what, and that it is the same every time; where atoms go: test_rebuilding.py."""
    gone = {"CG", "OD1", "OD2"}
    broken = [a for a in pocket.heavy() if not ((a.chain, a.number) == ("A", "129") and a.name in gone)]
    receptor = prepared(broken, tmp_path)
    assert any(line.startswith("A:ASP129: CG, OD1, OD2 rebuilt") for line in said(receptor, "missing"))
    back = {a.name: a for a in parse(receptor.pdb, "x").atoms if (a.chain, a.number) == ("A", "129")}
    cb, cg = np.array(back["CB"].xyz), np.array(back["CG"].xyz)
    assert np.linalg.norm(cb - cg) == pytest.approx(1.52, abs=0.1)
    others = np.array([a.xyz for a in pocket.heavy() if (a.chain, a.number) != ("A", "129")])
    for name in gone:
        assert np.linalg.norm(others - np.array(back[name].xyz), axis=1).min() > 2.0
    again = prepared(broken, tmp_path)
    assert again.digest == receptor.digest
    bare = prepared(broken, tmp_path, rebuild=False)
    assert len(pdbqt.read(bare.pdbqt).atoms) == len(pdbqt.read(receptor.pdbqt).atoms) - 3


def test_a_gap_in_the_chain_is_told(tmp_path: Path) -> None:
    receptor = prepared([a for a in pocket.heavy() if a.number != "130"], tmp_path)
    assert any("A:ASP129..A:" in line and "loops are not built" in line for line in said(receptor, "missing"))
    other = [replace(a, resname="CSO", hetero=True) if a.number == "130" else a for a in pocket.heavy()]
    assert not any(
        "A:ASP129.." in line for line in said(prepared(other, tmp_path), "missing")
    )  # a link like any


def test_protonation_is_told_and_overruled(tmp_path: Path) -> None:
    usual = prepared(pocket.heavy(), tmp_path)
    acid = prepared(pocket.heavy(), tmp_path, protonation={"A:ASP129": "ASH"})
    assert "A:ASP129: ASH: as asked" in said(acid, "protonation")
    assert len(pdbqt.read(acid.pdbqt).atoms) == len(pdbqt.read(usual.pdbqt).atoms) + 1


def test_long_chain_names_become_letters(tmp_path: Path) -> None:
    """And names of residues are understood as in the user's file all the same."""
    from docking.site import Site

    atoms = [replace(a, chain="AA" if a.chain == "A" else a.chain) for a in pocket.heavy()]
    water = Atom("AA", "HOH", "901", "O", "O", (40.0, 40.0, 40.0), hetero=True)
    settings = {"keep": ["AA:HOH901"], "protonation": {"AA:ASP129": "ASH"}}
    receptor = preparation.assemble([*atoms, water], "x", **settings)  # type: ignore[arg-type]
    assert any("written as chain A" in line for line in said(receptor, "chain"))
    plain = preparation.assemble(
        [*pocket.heavy(), replace(water, chain="A")], "x", keep=["HOH"], protonation={"A:ASP129": "ASH"}
    )
    assert receptor.digest == plain.digest
    boxes = [Site.of_residues(one, [f"{chain}:ASP129"]) for one, chain in ((receptor, "AA"), (plain, "A"))]
    assert boxes[0] == boxes[1]


def test_pdbqt_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "receptor.pdbqt"
    path.write_text(demo_target.receptor().pdbqt)
    plain = preparation.prepare(path)
    assert pdbqt.read(plain.pdbqt).types == pdbqt.read(demo_target.receptor().pdbqt).types
    packed = tmp_path / "receptor.PDBQT.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert preparation.prepare(packed).digest == plain.digest
    with pytest.raises(ReceptorError, match="prepared already: drop, protonation can be asked"):
        preparation.prepare(path, drop=["HOH"], protonation={"A:HIS57": "HIP"})


@pytest.mark.parametrize(
    ("change", "settings", "says"),
    [
        (lambda a: a, {"keep": ["HEM"]}, "keep= or drop= names HEM"),
        (lambda a: a, {"chains": ["Z"]}, "no chain Z; the file holds A, B"),
        (lambda a: a, {"ph": 20.0}, "between 0 and 14"),
        (lambda a: [hetero("SO4", "1", "S", 0.0)], {}, "no amino acid"),
        (lambda a: [*a, hetero("XYZ", "1", "Te", 0.0)], {"keep": ["XYZ"]}, "A:XYZ1 holds Te"),
    ],
)
def test_what_cannot_be_is_refused_in_the_users_words(
    tmp_path: Path, change: Callable[[list[Atom]], list[Atom]], settings: dict[str, object], says: str
) -> None:
    with pytest.raises(ReceptorError, match=says):
        prepared(change(pocket.heavy()), tmp_path, **settings)


def test_a_ligand_is_no_receptor(tmp_path: Path) -> None:
    path = tmp_path / "ligand.pdbqt"
    path.write_text(
        "ROOT\nATOM      1  C   LIG A   1       0.000   0.000   0.000  1.00  0.00     0.000 C\nENDROOT\n"
        "BRANCH 1 2\nATOM      2  C   LIG A   1       1.500   0.000   0.000  1.00  0.00     0.000 C\nENDBRANCH 1 2\n"
    )
    with pytest.raises(ReceptorError, match="is a ligand"):
        preparation.prepare(path)


def test_nucleotides_are_a_receptor_with_their_polar_hydrogens(tmp_path: Path) -> None:
    """Reference: RDKit's hydrogens on the same heavy atoms, but for the phosphates', which are charged; its aromatic rings."""
    mol = Chem.AddHs(Chem.MolFromSequence("AGCU", flavor=2))
    assert AllChem.EmbedMolecule(mol, randomSeed=3, useRandomCoords=True) == 0
    path = tmp_path / "rna.pdb"
    path.write_text(Chem.MolToPDBBlock(Chem.RemoveHs(mol)))
    receptor = preparation.prepare(path)
    structure = pdbqt.read(receptor.pdbqt)
    ours = structure.coords[[kind == "HD" for kind in structure.types]]
    xyz = mol.GetConformer().GetPositions()
    amines, hydroxyls = (
        xyz[[hit[0] for hit in mol.GetSubstructMatches(Chem.MolFromSmarts(what))]]
        for what in ("[#1][#7]", "[#1]O[#6]")
    )
    assert len(ours) == len(amines) + len(hydroxyls) == 14
    assert np.linalg.norm(ours[:, None] - amines, axis=-1).min(axis=0).max() < 0.9  # RDKit's amines are bent
    assert said(receptor, "hetero") == ["structure: 4 nucleotides kept; drop= or chains= leaves them out"]
    chemistry = receptor_mol.build(receptor_mol.atoms_of(receptor))
    assert sum(a.GetIsAromatic() for a in chemistry.GetAtoms()) == sum(
        a.GetIsAromatic() for a in mol.GetAtoms()
    )
    assert Chem.GetFormalCharge(chemistry) == -3

    text = path.read_text()
    path.write_text(text.replace("  G A   2", "OMG A   2"))
    assert said(preparation.prepare(path), "hetero")[0] == "A:OMG2: modified residue, kept as it is"
    names = {
        "  A A   1": "RA5 A   1",
        "  G A   2": " RG A   2",
        "  C A   3": "CYT A   3",
        "  U A   4": "RU3 A   4",
    }
    for ours_, theirs_ in {**names, "OP1": "O1P", "OP2": "O2P", "'": "*"}.items():
        text = text.replace(ours_, theirs_)
    path.write_text(text)  # as Amber and CHARMM name them
    assert preparation.prepare(path).digest == receptor.digest


def test_what_is_bonded_to_the_protein_is_told_when_it_is_left_out(tmp_path: Path) -> None:
    """A sugar on a serine, as glycans and covalent ligands are."""
    oxygen = next(a for a in pocket.heavy() if a.name == "OG")
    beta = next(a for a in pocket.heavy() if a.place == oxygen.place and a.name == "CB")
    x, y, z = np.array(oxygen.xyz) + np.subtract(oxygen.xyz, beta.xyz)  # as far again
    whole = [*pocket.heavy(), replace(hetero("NAG", "901", "C", 0.0), xyz=(x, y, z))]
    receptor = prepared(whole, tmp_path)
    (line,) = said(receptor, "hetero")
    assert line.endswith(f"dropped (1 heavy atoms, bonded to {oxygen.residue}); keep= keeps it")
    names = [
        {a.name for a in parse(one.pdb, "x").atoms if a.place == oxygen.place}
        for one in (receptor, prepared(whole, tmp_path, keep=["NAG"]))
    ]
    assert names[0] - names[1] == {"HG"}  # there is a bond in its place


def test_residues_are_found_by_their_file_s_names_and_the_data_bank_s(tmp_path: Path) -> None:
    """CHARMM's HSE is HIS in the prepared receptor."""
    where = next(a for a in pocket.heavy() if a.resname == "HIS")
    atoms = [replace(a, resname="HSE") if a.place == where.place else a for a in pocket.heavy()]
    receptor = prepared(atoms, tmp_path)
    names = [f"{where.chain}:{name}{where.number}:ND1" for name in ("HSE", "HIS")]
    assert [receptor.named(name) for name in names] == [names[1], names[1]]
    assert receptor.named(f"HIS{where.number}") == f"{where.chain}:HIS{where.number}"
