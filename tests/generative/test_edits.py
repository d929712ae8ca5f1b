"""Edits of atoms and bonds give molecules, do what their names say, and nothing strained."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula, CalcNumAromaticRings

from generative.breeding.edits import EDITS, MOST_ATOMS, RINGS, edit, opened
from tests.generative.models import DRUGS

ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"


@given(
    name=st.sampled_from(sorted(EDITS)),
    parent=st.sampled_from(DRUGS),
    other=st.sampled_from(DRUGS),
    seed=st.integers(0, 10_000),
)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_every_edit_gives_a_molecule(name: str, parent: str, other: str, seed: int) -> None:
    """Reference: RDKit reads the SMILES back as the same one connected, flat molecule without radicals."""
    found = edit(name, parent, other, random.Random(seed))
    if found is None:
        return
    again = Chem.MolFromSmiles(found[0])
    assert Chem.MolToSmiles(again) == found[0]
    assert "." not in found[0]
    assert again.GetNumAtoms() <= MOST_ATOMS
    assert not any(atom.GetNumRadicalElectrons() for atom in again.GetAtoms())
    assert all(len(ring) in RINGS for ring in again.GetRingInfo().AtomRings())
    assert Chem.GetFormalCharge(again) == Chem.GetFormalCharge(Chem.MolFromSmiles(parent)) or name in (
        "cross",
        "exchange",
        "graft",
        "prune",
        "delete",
    )


def drawn(name: str, parent: str, other: str = CAFFEINE, n: int = 60) -> list[Chem.Mol]:
    rng = random.Random(5)
    return [found[1] for _ in range(n) if (found := edit(name, parent, other, rng))]


def cycles(mol: Chem.Mol) -> int:
    """Bonds that could be taken out without anything falling apart."""
    return int(mol.GetNumBonds() - mol.GetNumAtoms() + 1)


def test_edits_do_what_their_names_say() -> None:
    whole = Chem.MolFromSmiles(ASPIRIN)
    size, rings = whole.GetNumAtoms(), cycles(whole)
    assert {mol.GetNumAtoms() for mol in drawn("append", ASPIRIN)} == {size + 1}
    assert {mol.GetNumAtoms() for mol in drawn("insert", ASPIRIN)} == {size + 1}
    assert {mol.GetNumAtoms() for mol in drawn("delete", ASPIRIN)} == {size - 1}
    assert {mol.GetNumAtoms() for mol in drawn("mutate", ASPIRIN)} == {size}
    assert {cycles(mol) for mol in drawn("close", ASPIRIN)} == {rings + 1}
    assert {cycles(mol) for mol in drawn("break", ASPIRIN)} == {rings - 1}
    assert {cycles(mol) for mol in drawn("fuse", ASPIRIN)} == {rings + 1}
    assert {CalcNumAromaticRings(mol) for mol in drawn("aromatise", ASPIRIN)} == {0}
    assert {CalcNumAromaticRings(mol) for mol in drawn("aromatise", "C1CCCCC1C(=O)O")} == {1}


@pytest.mark.parametrize("name", ["move", "swap", "rewire"])
def test_some_edits_keep_the_formula(name: str) -> None:
    formula = CalcMolFormula(Chem.MolFromSmiles(ASPIRIN))
    found = drawn(name, ASPIRIN)
    assert len({Chem.MolToSmiles(mol) for mol in found}) > 3
    assert {CalcMolFormula(mol) for mol in found} == {formula}


def test_rewiring_turns_a_fused_ring_system_into_its_isomer() -> None:
    """By hand: benzo[c]thiochromene, its biaryl bond and its C-S bond rewired, is thioxanthene."""
    found = {Chem.MolToSmiles(mol) for mol in drawn("rewire", "c1ccc2c(c1)CSc1ccccc1-2", n=400)}
    assert Chem.CanonSmiles("c1ccc2c(c1)Cc1ccccc1S2") in found


def test_crossing_brings_parts_of_both() -> None:
    """A chlorine from the one, a fluorine from the other."""
    seen: Counter[tuple[bool, bool]] = Counter()
    for mol in drawn("cross", "CCCCCc1ccc(Cl)cc1", "CCCCCc1ccc(F)cc1", 80):
        smiles = Chem.MolToSmiles(mol)
        seen["Cl" in smiles, "F" in smiles] += 1
    assert seen[True, True] > 5


def test_what_cannot_be_laid_open_is_left_alone() -> None:
    for smiles in ("C", "CCO.CCN", "[CH3]", "nonsense", "C->[Fe]"):
        assert opened(smiles) is None
        assert edit("append", smiles, smiles, random.Random(0)) is None


def test_the_same_draw_gives_the_same_molecule() -> None:
    for name in EDITS:
        first, second = (edit(name, DRUGS[2], DRUGS[4], random.Random(9)) for _ in range(2))
        assert (first and first[0]) == (second and second[0])
