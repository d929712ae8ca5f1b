"""Edits of a tree are molecules, near the one they came from, and never break a rule of the vocabulary."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from generative.breeding.search import Editor, hydrogens
from generative.trees import put_together, take_apart, unit
from generative.vocabulary import bonds
from tests.generative.models import DRUGS, trees, vocabulary


@settings(max_examples=200, deadline=None, derandomize=True)
@given(number=st.integers(0, len(DRUGS) - 1), seed=st.integers(0, 10**6))
def test_every_edit_is_a_molecule(number: int, seed: int) -> None:
    """Reference: RDKit's sanitisation, which the editor never asks."""
    edited = Editor(vocabulary()).edit(trees()[number], trees(), random.Random(seed))
    if edited is None:
        return
    smiles = put_together(edited.tree)
    mol = Chem.MolFromSmiles(smiles)
    assert "." not in smiles
    assert mol.GetNumHeavyAtoms() == edited.tree.atoms
    assert vocabulary().pairs.issuperset(bonds(edited.tree))
    assert take_apart(smiles).atoms == edited.tree.atoms


def test_the_same_seed_gives_the_same_edit() -> None:
    editor = Editor(vocabulary())
    edits = [editor.edit(trees()[3], trees(), random.Random(8)) for _ in range(2)]
    assert edits[0] == edits[1]


@pytest.mark.parametrize("way", ["replace", "insert", "append", "remove", "cross"])
def test_each_way_of_editing_works(way: str) -> None:
    editor = Editor(vocabulary())
    rng = random.Random(1)
    made = {
        put_together(edited.tree)
        for _ in range(300)
        if (edited := getattr(editor, way)(rng.choice(trees()), trees(), rng)) and editor._legal(edited.tree)
    }
    assert len(made) > 30


def test_removing_and_adding_change_the_size_as_they_say() -> None:
    editor = Editor(vocabulary())
    tree = take_apart("CCOc1ccccc1")
    rng = random.Random(2)
    for _ in range(50):
        grown, shrunk = editor.append(tree, [], rng), editor.remove(tree, [], rng)
        assert grown is None or len(grown.tree.units) == len(tree.units) + 1
        assert shrunk is None or len(shrunk.tree.units) == len(tree.units) - 1


def test_hydrogens_left_agree_with_rdkit() -> None:
    for smiles, tree in zip(DRUGS[:40], trees()[:40], strict=True):
        ours = sum(sum(hydrogens(tree, u, unit(one))) for u, one in enumerate(tree.units))
        mol = Chem.MolFromSmiles(smiles)
        assert ours == sum(atom.GetTotalNumHs() for atom in mol.GetAtoms())


def test_one_atom_alone_cannot_be_cut() -> None:
    editor = Editor(vocabulary())
    assert editor.cross(take_apart("C"), trees(), random.Random(0)) is None
    assert editor.cross(trees()[0], [], random.Random(0)) is None
