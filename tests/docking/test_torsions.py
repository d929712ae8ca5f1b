"""Turning bonds and the tree they make."""

from __future__ import annotations

import pytest

from discovery.molecule import Molecule
from discovery.outcome import MoleculeError, Reason
from docking import ligand, pdbqt
from docking.ligands import torsions

meeko = pytest.importorskip("meeko")

DRUGS = {
    "sumatriptan": "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1",
    "ibuprofen": "CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(n1)-c1cccnc1",
    "a tertiary amide": "CCN(C)C(=O)c1ccccc1",
    "a symmetric tertiary amide": "CCN(CC)C(=O)c1ccccc1",
    "an alkyne": "OCC#CCO",
    "a nitrile": "N#CCc1ccccc1",
    "a nitro compound": "CCc1ccc([N+](=O)[O-])cc1",
    "an ester": "CCOC(=O)c1ccccc1",
    "an amidine": "NC(=N)c1ccc(OCC)cc1",
    "a sulfonamide": "Cc1ccc(cc1)S(=O)(=O)NC(=O)NC1CCCCC1",
    "a macrocycle": "O=C1CCCCCCCCCCCCCO1",
    "a phosphate": "COP(=O)(O)OCC",
    "trifluoroethanol": "OCC(F)(F)F",
    "neopentyl": "CC(C)(C)CO",
    "benzene": "c1ccccc1",
    "a silane": "C[Si](C)(C)CCO",
}


@pytest.mark.parametrize("smiles", DRUGS.values(), ids=DRUGS.keys())
def test_agrees_with_meeko(smiles: str) -> None:
    """Reference: Meeko, rings rigid: the same turning bonds and the same atom types."""
    ours = ligand.prepare(Molecule.parse(smiles), most_shapes=1)[0]
    setup = meeko.MoleculePreparation(rigid_macrocycles=True).prepare(ours.mol())[0]
    text, fine, why = meeko.PDBQTWriterLegacy.write_string(setup)
    assert fine, why
    theirs = pdbqt.read(text)
    assert ours.torsions == len(theirs.branches)
    where = {
        tuple(point): atom.type for atom, point in zip(theirs.atoms, theirs.coords.tolist(), strict=True)
    }
    mine = pdbqt.read(ours.pdbqt)
    assert {
        tuple(point): atom.type for atom, point in zip(mine.atoms, mine.coords.tolist(), strict=True)
    } == where


def test_the_tree_holds_every_atom_once() -> None:
    tree = pdbqt.read(ligand.prepare(Molecule.parse(DRUGS["imatinib"]), most_shapes=1)[0].pdbqt)
    assert len({atom.serial for atom in tree.atoms}) == len(tree.atoms)
    for branch in tree.branches:
        assert tree.atoms[branch.moving].node == branch.node
        assert tree.atoms[branch.anchor].node == branch.parent < branch.node


def test_too_many_turns_are_refused() -> None:
    with pytest.raises(MoleculeError) as caught:
        ligand.prepare(Molecule.parse("C" * 52, "a wax"))
    assert caught.value.reason is Reason.TOO_LARGE
    assert str(torsions.MOST_TORSIONS) in str(caught.value)
    assert "a wax" in str(caught.value)
