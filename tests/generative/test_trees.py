"""A molecule and its tree of units are the same thing."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from rdkit import Chem

from discovery.outcome import MoleculeError, Reason
from generative.trees import (
    Link,
    Tree,
    assemble,
    flatten,
    put_together,
    split,
    split_with_atoms,
    take_apart,
    unit,
)

SHARED = Path(__file__).resolve().parents[3] / "shared"
DRUGS = [
    line.split()[0]
    for line in (Path(__file__).resolve().parents[2] / "generative/data/drugs.smi").read_text().splitlines()
]


def flat(smiles: str) -> str:
    """Reference: RDKit's canonical SMILES, without stereochemistry."""
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False))


@pytest.mark.parametrize("smiles", DRUGS)
def test_taking_apart_and_putting_together_changes_nothing(smiles: str) -> None:
    tree = take_apart(smiles)
    assert put_together(tree) == flat(smiles)
    assert len(tree.links) == len(tree.units) - 1
    assert tree.atoms == Chem.MolFromSmiles(smiles).GetNumHeavyAtoms()


@pytest.mark.parametrize(
    ("smiles", "units"),
    [
        ("Cc1ccccc1", ["C", "c1ccccc1"]),
        ("Cn1cccc1", ["C", "c1cc[nH]c1"]),
        ("CC(=O)NC", ["C", "C", "C=O", "N"]),
        ("CS(=O)(=O)c1ccncc1", ["C", "O=[SH2]=O", "c1ccncc1"]),
        ("O=[N+]([O-])c1ccccc1", ["O=[NH+][O-]", "c1ccccc1"]),
        ("N#CC1CC1", ["C#N", "C1CC1"]),
        ("O=C1CCCC1=Cc1ccco1", ["C", "O=C1CCCC1", "c1ccoc1"]),
        ("CN1C2CCC1CC2", ["C", "C1CC2CCC1N2"]),
        ("c1ccc2ccccc2c1", ["c1ccc2ccccc2c1"]),
        ("CN=c1sccn1C", ["C", "C", "C1=CSCN1", "N"]),  # the ring alone holds a saturated carbon
    ],
)
def test_units_are_ring_systems_and_chain_atoms(smiles: str, units: list[str]) -> None:
    assert sorted(take_apart(smiles).units) == sorted(units)


@pytest.mark.parametrize(
    "smiles",
    [
        "O=C1C=CC(=CN1)C=C",  # quinone-like
        "CN=c1sccn1C",  # aromatic only with the double bond on the ring
        "C=C1C=CC(=C)C=C1",
        "CP(=O)(O)OC",
        "C[N+](C)(C)CC(=O)[O-]",
        "[O-][n+]1ccccc1C",
        "CC#CC",
        "CN=[N+]=[N-]",
        "C1CC1(C)C2(CC2)N",
        "Cc1c[nH]c(=O)[nH]c1=O",
        "BrC(F)(F)Cl",
        "OB(O)c1ccccc1",
        "C",
        "O",
    ],
)
def test_awkward_molecules_round_trip(smiles: str) -> None:
    assert put_together(take_apart(smiles)) == flat(smiles)


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("nonsense", Reason.UNPARSABLE),
        ("CC.CC", Reason.UNSUPPORTED),
        ("C*", Reason.UNSUPPORTED),
        ("CC1(C)CCCC(C)(C)N1[O]", Reason.UNSUPPORTED),
    ],
)
def test_what_has_no_tree_says_so(smiles: str, reason: Reason) -> None:
    with pytest.raises(MoleculeError) as caught:
        take_apart(smiles)
    assert caught.value.reason is reason


def test_symmetries_are_rdkits_automorphisms() -> None:
    """Reference: the orders of the molecules' symmetry groups (graph automorphisms)."""
    for smiles, order in [
        ("c1ccccc1", 12),
        ("C1CC1", 6),
        ("c1ccncc1", 2),
        ("c1cc[nH]c1", 2),
        ("C=O", 1),
        ("O=[SH2]=O", 2),
    ]:
        assert len(unit(smiles).symmetries) == order, smiles
    # in an imidazole the nitrogens differ by their hydrogen
    assert len(unit("c1c[nH]cn1").symmetries) == 1


def test_a_broken_valence_is_refused() -> None:
    with pytest.raises(ValueError, match="1 bonds too many"):
        assemble(Tree(("C", "F"), (Link(0, 0, 1, 0, 2),)))


def test_deuterium_is_an_ordinary_hydrogen() -> None:
    """As isotopes are left behind: no unit is a hydrogen atom."""
    assert take_apart("[2H]C([2H])([2H])NC(=O)c1ccccc1") == take_apart("CNC(=O)c1ccccc1")


def test_units_know_their_place_in_the_molecule() -> None:
    mol = flatten(Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1"))
    tree, places = split_with_atoms(mol)
    assert sorted(atom for place in places for atom in place) == list(range(mol.GetNumAtoms()))
    for smiles, place in zip(tree.units, places, strict=True):
        assert [mol.GetAtomWithIdx(atom).GetAtomicNum() for atom in place] == list(unit(smiles).elements)


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_coverage_of_a_public_library() -> None:
    """Every one of 500 random ZINC250k molecules."""
    with gzip.open(SHARED / "data/generative/zinc250k/zinc250k.smi.gz", "rt") as file:
        rows = [line.split()[0] for line in file]
    for smiles in random.Random(1).sample(rows, 500):
        mol = flatten(Chem.MolFromSmiles(smiles))
        assert put_together(split(mol)) == flat(smiles)
