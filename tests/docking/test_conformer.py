"""Three-dimensional shapes."""

from __future__ import annotations

import time

import numpy as np
import pytest
from rdkit import Chem

from discovery.outcome import MoleculeError, Reason
from docking.ligands.conformer import (
    COSTLY,
    DRAWN,
    MACROCYCLE_SHAPES,
    PUCKERED_SHAPES,
    draws,
    rounds,
    shapes,
)


def embed(smiles: str, shown: str) -> tuple[Chem.Mol, tuple[str, ...]]:
    return shapes(smiles, shown, 1)[0]


def test_the_same_molecule_always_gets_the_same_shape() -> None:
    one, _ = embed("C1CCNCC1CC(=O)O", "a")
    embed("CCO", "b")
    again, _ = embed("C1CCNCC1CC(=O)O", "a")
    assert (one.GetConformer().GetPositions() == again.GetConformer().GetPositions()).all()


def test_stereo_is_as_drawn() -> None:
    smiles = "C[C@@H](O)[C@H](F)Cl"
    mol, _ = embed(smiles, "a")
    Chem.AssignStereochemistryFrom3D(mol)
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.CanonSmiles(smiles)


def test_cyclohexane_is_a_chair() -> None:
    """Reference: the chair has alternating torsions near 55 degrees (electron diffraction: 54.9)."""
    mol, _ = embed("C1CCCCC1", "cyclohexane")
    xyz = mol.GetConformer().GetPositions()[:6]
    turns = []
    for i in range(6):
        a, b, c, d = (xyz[(i + k) % 6] for k in range(4))
        n1, n2 = np.cross(b - a, c - b), np.cross(c - b, d - c)
        turns.append(
            np.degrees(np.arctan2(np.dot(np.cross(n1, n2), (c - b) / np.linalg.norm(c - b)), np.dot(n1, n2)))
        )
    assert np.abs(turns) == pytest.approx(np.full(6, 55.0), abs=4.0)
    assert np.sign(turns).sum() == 0


def test_aromaticity_stays_rdkits() -> None:
    """MMFF94 marks its own aromatic atoms; a quinolone must come back as it went in."""
    smiles = "CCn1cc(C(=O)O)c(=O)c2ccccc21"
    mol, _ = embed(smiles, "a")
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize("smiles", ["OB(O)c1ccccc1", "C[Si](C)(C)CCO", "CC[Se]CC"])
def test_elements_beyond_mmff_still_get_a_shape(smiles: str) -> None:
    mol, _ = embed(smiles, "a")
    gaps = [
        np.linalg.norm(
            mol.GetConformer().GetPositions()[b.GetBeginAtomIdx()]
            - mol.GetConformer().GetPositions()[b.GetEndAtomIdx()]
        )
        for b in mol.GetBonds()
    ]
    assert min(gaps) > 0.9
    assert max(gaps) < 2.1


def test_impossible_geometry_is_said() -> None:
    """Reference: the two rings of bicyclo[1.1.0]butane can only be joined cis."""
    with pytest.raises(MoleculeError, match="bent the wrong way") as caught:
        embed("[C@H]12C[C@@H]1C2", "bent the wrong way")
    assert caught.value.reason is Reason.NO_CONFORMER


@pytest.mark.slow
def test_impossible_geometry_is_given_up_in_time() -> None:
    """Reference: rdkit#4765, which ran for minutes; the bond between the two sides of the cage cannot be."""
    smiles = "CCSCc1ccc2c(c1)c1c3c(c4c5cc(CSCC)ccc5n5c4c1n2[C@@H]1C[C@H](C(=O)OOC)[C@]5(C)O1)CNC3=O"
    start = time.process_time()
    with pytest.raises(MoleculeError) as caught:
        embed(smiles, "the cage of rdkit#4765")
    assert caught.value.reason is Reason.NO_CONFORMER
    assert "rdkit#4765" in str(caught.value)
    assert time.process_time() - start < 30


def test_a_protein_is_no_ligand() -> None:
    with pytest.raises(MoleculeError) as caught:
        embed("NCC(=O)" * 60 + "O", "a chain")
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_ring_is_docked_in_each_of_its_shapes() -> None:
    """Reference: methylcyclohexane has two chairs, the axial one 1.7 kcal/mol higher (Eliel, A value of methyl)."""
    found = shapes("CC1CCCCC1", "methylcyclohexane", 8)
    heights = sorted(float(notes[-1].split(", ")[1].split()[0]) for _, notes in found)
    assert heights[0] == pytest.approx(0.0, abs=0.1)
    assert any(h == pytest.approx(1.7, abs=0.5) for h in heights)
    assert len(shapes("CC1CCCCC1", "methylcyclohexane", 2)) == 2
    assert 2 <= len(shapes("CC1CCCCC1", "methylcyclohexane", 0)) <= PUCKERED_SHAPES


def test_mirrored_or_renumbered_rings_are_one_shape() -> None:
    """Cyclohexane's chairs are the same molecule turned over; benzene has one shape."""
    chairs = [notes for _, notes in shapes("C1CCCCC1", "a", 6)]
    assert len(chairs) <= 3  # chair, and twist boats of both hands
    assert len(shapes("c1ccccc1", "b", 6)) == 1
    assert len(shapes("CCCCC", "c", 6)) == 1


def test_a_macrocycle_is_docked_in_several_shapes_unless_told_otherwise() -> None:
    large, one = "O=C1CCCCCCCCCCO1", "oxacyclododecanone"
    several = shapes(large, one, 0)
    assert 2 <= len(several) <= MACROCYCLE_SHAPES
    first = shapes(large, one, 2)[0][0].GetConformer().GetPositions()
    assert (first == several[0][0].GetConformer().GetPositions()).all()
    assert (first == embed(large, one)[0].GetConformer().GetPositions()).all()
    assert "ring shape 1 of" in several[0][1][-1]


def test_what_is_large_is_tried_less_often() -> None:
    assert rounds(10) == rounds(100) > rounds(150) > rounds(227) >= 4


def test_no_macrocycle_costs_much_more_than_a_usual_one() -> None:
    """A shape's cost grows with the square of the atoms, so their number falls with it; each wanted may be found still."""
    usual = DRAWN * MACROCYCLE_SHAPES
    assert draws(MACROCYCLE_SHAPES, 50) == draws(MACROCYCLE_SHAPES, COSTLY) == usual
    for atoms in range(COSTLY, 400, 7):
        assert draws(MACROCYCLE_SHAPES, atoms) >= MACROCYCLE_SHAPES
        assert (draws(MACROCYCLE_SHAPES, atoms) - 0.5) * atoms**2 <= max(
            usual * COSTLY**2, MACROCYCLE_SHAPES * atoms**2
        )
