"""Nodes, mobilities, pairs and rotors; references: RDKit's topology and laws of a torsion tree."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking import pdbqt
from docking.atom_types import UNTYPED
from docking.ligands.tree import Mobility, _mobility, read_tree
from tests.docking.complexes import embedded, examples, ligand_pdbqt, needs_shared

SMILES = ["OCCc1ccc(cc1)C(=O)NCC", "c1ccccc1", "CCCCCCCC", "NCC(O)CO", "CC(C)(C)c1ccc(cc1)S(=O)(=O)N1CCOCC1"]


@pytest.mark.parametrize("smiles", SMILES)
def test_pairs_are_more_than_three_bonds_apart_and_turn(smiles: str) -> None:
    """Reference: RDKit's topological distances; none of these has a ring smaller than five."""
    tree = read_tree(pdbqt.read(ligand_pdbqt(smiles)))
    structure = pdbqt.read(ligand_pdbqt(smiles))
    bonds = np.argwhere(_hops(structure, tree) <= 3)
    assert not {tuple(p) for p in tree.pairs.tolist()} & {tuple(b) for b in bonds.tolist()}
    mobility = _mobility(tree.node, tree.parent, tree.axis)
    far = np.triu((mobility == Mobility.VARIABLE) & (_hops(structure, tree) > 3), 1)
    far &= tree.heavy[:, None] & tree.heavy[None]
    assert {tuple(p) for p in tree.pairs.tolist()} == {tuple(p) for p in np.argwhere(far).tolist()}


def _hops(structure: pdbqt.Structure, tree) -> np.ndarray:
    from docking.atom_types import find_bonds

    mobility = _mobility(tree.node, tree.parent, tree.axis)
    bonds = find_bonds(structure.coords, structure.types, mobility != Mobility.VARIABLE)
    editable = Chem.RWMol()
    for _ in structure.atoms:
        editable.AddAtom(Chem.Atom(6))
    for i, j in bonds.tolist():
        editable.AddBond(i, j)
    return np.asarray(Chem.GetDistanceMatrix(editable))


@pytest.mark.parametrize(
    ("smiles", "rotors"),
    [("c1ccccc1", 0.0), ("CCO", 0.5), ("CCCC", 1.0), ("CCCCC", 2.0), ("OCCO", 2.0), ("NCC", 0.5)],
)
def test_a_turning_end_group_counts_one_half(smiles: str, rotors: float) -> None:
    """Reference: Vina's rule by hand; C-OH has a far atom with one heavy neighbour, so one half."""
    assert read_tree(pdbqt.read(ligand_pdbqt(smiles))).rotors == rotors


def test_the_far_atom_of_an_axis_belongs_to_the_node_before() -> None:
    structure = pdbqt.read(ligand_pdbqt("OCCc1ccc(cc1)C(=O)NCC"))
    tree = read_tree(structure)
    for node in range(1, len(tree.parent)):
        near, far = tree.axis[node]
        assert tree.node[far] == tree.parent[node]
        assert node not in (tree.node[near], tree.node[far])
    assert set(tree.node.tolist()) >= set(range(1, len(tree.parent)))
    assert tree.torsions <= len(structure.branches)


def test_a_branch_that_holds_only_its_far_atom_is_no_torsion() -> None:
    text = ligand_pdbqt("CCO").replace("HD", "H ")
    lines = [line for line in text.splitlines() if not line.rstrip().endswith(" H")]
    tree = read_tree(pdbqt.read("\n".join(lines)))
    assert tree.torsions == 0
    assert tree.rotors == 0.0


def test_a_ligand_of_hydrogens_is_refused() -> None:
    line = "ATOM      1  H   UNL     1       0.000   0.000   0.000  1.00  0.00     0.000 HD"
    with pytest.raises(pdbqt.PdbqtError, match="no heavy atom"):
        read_tree(pdbqt.read(f"ROOT\n{line}\nENDROOT\nTORSDOF 0\n"))


@needs_shared
def test_a_macrocycle_has_glue_and_no_pair_across_its_closure() -> None:
    bace = next(one for one in examples() if one.name == "BACE_1")
    tree = read_tree(pdbqt.read(bace.ligand))
    assert len(tree.glue) == 2
    types = pdbqt.read(bace.ligand).types
    assert all({types[i][0], types[j][0]} == {"C", "G"} for i, j in tree.glue.tolist())
    assert not any(types[i][0] == "G" or types[j][0] == "G" for i, j in tree.pairs.tolist())


def test_only_heavy_atoms_have_pairs() -> None:
    mol = embedded("NCC(O)CO", seed=1)
    assert mol.GetNumHeavyAtoms() == 6
    tree = read_tree(pdbqt.read(ligand_pdbqt("NCC(O)CO")))
    assert (tree.xs[tree.pairs] != UNTYPED).all()
    assert tree.heavy.sum() == 6
