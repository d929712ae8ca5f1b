"""From a molecule to what enters the site."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from discovery.molecule import Molecule
from discovery.outcome import MoleculeError, Reason
from docking import demo_target, ligand, pdbqt
from docking.ligand import Ligand

SUMATRIPTAN = ligand.prepare(Molecule.parse("CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1", "sumatriptan"))[0]


def turned(one: Ligand, angles: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """The ligand with its turning bonds set by RDKit: all atoms, and those docking sees."""
    mol, tree = one.mol(), pdbqt.read(one.pdbqt)
    seen = {atom: i for i, atom in enumerate(one.atoms)}
    for branch, angle in zip(tree.branches, angles, strict=True):
        b, c = one.atoms[branch.anchor], one.atoms[branch.moving]
        a = next(n.GetIdx() for n in mol.GetAtomWithIdx(b).GetNeighbors() if n.GetIdx() != c)
        d = next(n.GetIdx() for n in mol.GetAtomWithIdx(c).GetNeighbors() if n.GetIdx() != b)
        rdMolTransforms.SetDihedralDeg(mol.GetConformer(), a, b, c, d, angle)
    assert len(seen) == len(one.atoms)
    whole = mol.GetConformer().GetPositions()
    return whole, one.docked(whole)


@given(angles=st.lists(st.floats(-180, 180), min_size=6, max_size=6))
@settings(derandomize=True, max_examples=20, deadline=None)
def test_hidden_hydrogens_come_back_where_rdkit_puts_them(angles: list[float]) -> None:
    """Reference: RDKit turns the same bonds with all atoms in hand."""
    whole, docked = turned(SUMATRIPTAN, angles)
    assert SUMATRIPTAN.whole(docked) == pytest.approx(whole, abs=5e-3)


@pytest.mark.parametrize(
    "smiles", ["CCO", "C", "CC", "CC#CC", "OCC(F)(F)F", "C1CC1CN", "CB(O)O", "Cc1ccccc1"]
)
def test_small_molecules_come_back_whole(smiles: str) -> None:
    one = ligand.prepare(Molecule.parse(smiles))[0]
    slide = np.array([3.0, -4.0, 5.0])
    assert one.whole(one.docked(one.coords()) + slide) == pytest.approx(one.coords() + slide, abs=2e-3)


def test_text_and_molecule_say_the_same() -> None:
    atoms = pdbqt.read(SUMATRIPTAN.pdbqt)
    assert atoms.coords == pytest.approx(SUMATRIPTAN.docked(SUMATRIPTAN.coords()), abs=1e-3)
    mol = SUMATRIPTAN.mol()
    for i, atom in enumerate(atoms.atoms):
        symbol = mol.GetAtomWithIdx(SUMATRIPTAN.atoms[i]).GetSymbol()
        assert {"A": "C", "NA": "N", "OA": "O", "SA": "S", "HD": "H"}.get(atom.type, atom.type) == symbol
    assert Chem.GetFormalCharge(mol) == 1


def test_the_name_is_not_part_of_the_identity() -> None:
    twin = ligand.prepare(Molecule.parse("CN(C)CCc1c[nH]c2ccc(CS(=O)(=O)NC)cc12", "another name"))[0]
    assert twin.digest == SUMATRIPTAN.digest


def test_open_stereo_is_enumerated_and_said() -> None:
    found = ligand.prepare(Molecule.parse("CC(F)(Cl)CCO"), most_isomers=4)
    assert len({one.smiles for one in found}) == 2
    assert all("of 2 possible" in " ".join(one.notes) for one in found)
    (first,) = ligand.prepare(Molecule.parse("CC(F)(Cl)CCO"))
    assert first.smiles == found[0].smiles


def test_an_isomer_that_cannot_be_is_passed_over() -> None:
    """Camphor's bridge leaves two of four isomers; the others are knots."""
    found = ligand.prepare(Molecule.parse("CC1(C)C2CCC1(C)C(=O)C2", "camphor"), most_isomers=4)
    assert len(found) == 2


def test_boron_and_silicon_are_welcome() -> None:
    boronic = ligand.prepare(Molecule.parse("OB(O)c1ccccc1"))[0]
    assert any("boron" in note for note in boronic.notes)
    assert "Si" in pdbqt.read(ligand.prepare(Molecule.parse("C[Si](C)(C)CO"))[0].pdbqt).types


def test_unknown_elements_are_named() -> None:
    with pytest.raises(MoleculeError) as caught:
        ligand.prepare(Molecule("C[Te]CCO", "row 7"))
    assert caught.value.reason is Reason.UNSUPPORTED
    assert "Te" in str(caught.value)


def test_a_bound_ligand_keeps_its_place_and_charge() -> None:
    bound = demo_target.reference()
    one = ligand.of_mol(bound)
    assert one.coords() == pytest.approx(bound.GetConformer().GetPositions(), abs=1e-3)
    assert Chem.GetFormalCharge(one.mol()) == 1


def test_pieces_and_flat_drawings_are_refused() -> None:
    with pytest.raises(MoleculeError) as caught:
        ligand.of_mol(Chem.MolFromSmiles("CCO"))
    assert caught.value.reason is Reason.NO_CONFORMER


def test_tautomers_isomers_and_shapes_stay_with_their_molecule() -> None:
    drawn = Molecule.parse("CC1CCCCC1c1c[nH]cn1", "imidazole")
    found = ligand.prepare(drawn, most_isomers=2, most_tautomers=2, most_shapes=2)
    assert {one.molecule for one in found} == {drawn}
    assert 5 <= len(found) <= 8
    assert len({one.digest for one in found}) == len(found)
    assert all("tautomer" in " ".join(one.notes) and "isomer" in " ".join(one.notes) for one in found)
    plain = ligand.prepare(drawn)
    assert len({one.smiles for one in plain}) == 1
    assert len(plain) == plain[0].shapes >= 2  # the chair with its groups outward, and inward
    assert not any("tautomer" in note for note in plain[0].notes)
    with pytest.raises(ValueError, match="tautomer"):
        ligand.prepare(drawn, most_tautomers=0)


def test_what_cannot_be_docked_is_told_before_a_shape_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes seconds of a long chain."""
    monkeypatch.setattr(ligand, "shapes", lambda *_: pytest.fail("a shape was looked for"))
    for smiles, reason in (("C" * 80, Reason.TOO_LARGE), ("C[As](C)(C)=O", Reason.UNSUPPORTED)):
        with pytest.raises(MoleculeError) as caught:
            ligand.prepare(Molecule.parse(smiles, "it"))
        assert caught.value.reason is reason
