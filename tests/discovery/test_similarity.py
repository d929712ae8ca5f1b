"""Similarity: laws of the Tanimoto coefficient, and RDKit's folded fingerprint beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from discovery.molecule import Molecule
from discovery.properties.similarity import Similarity
from discovery.score import Score, Scorer
from tests.references.drugs import DRUGS

drugs = st.sampled_from(sorted(DRUGS.values()))


def similarity(molecule: str, *reference: str) -> Score:
    (outcome,) = Similarity(reference)([Molecule.parse(molecule)])
    assert isinstance(outcome, Score)
    return outcome


@given(drugs, drugs)
def test_is_symmetric_bounded_and_1_only_for_itself(a: str, b: str) -> None:
    value = similarity(a, b).value
    assert value == similarity(b, a).value
    assert 0.0 <= value <= 1.0
    assert (value == 1.0) == (a == b)


@given(drugs, st.lists(drugs, min_size=1, max_size=4), drugs)
def test_another_reference_never_lowers_it(molecule: str, reference: list[str], more: str) -> None:
    assert similarity(molecule, *reference, more).value >= similarity(molecule, *reference).value


def test_agrees_with_a_wide_folded_fingerprint() -> None:
    """Reference: RDKit's folded count fingerprint, 2^22 wide, where collisions are rare."""
    folded = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2**22)
    molecules = [Molecule.parse(smiles) for smiles in DRUGS.values()]
    reference = folded.GetCountFingerprint(molecules[6].mol())
    theirs = [
        DataStructs.TanimotoSimilarity(folded.GetCountFingerprint(m.mol()), reference) for m in molecules
    ]
    ours = [o.value for o in Similarity((molecules[6].smiles,))(molecules) if isinstance(o, Score)]
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_names_the_nearest_reference_and_strips_its_salt() -> None:
    found = similarity(DRUGS["imatinib"], "CCO", DRUGS["imatinib"] + ".CS(=O)(=O)O")
    assert found.value == 1.0
    assert found.details == {"nearest": Molecule.parse(DRUGS["imatinib"]).smiles}


def test_is_a_scorer_that_can_ask_for_novelty() -> None:
    scorer = Similarity(reference=["CCO"], better="low")  # type: ignore[arg-type]
    assert isinstance(scorer, Scorer)
    assert scorer.column.better == "low"
    assert hash(scorer) == hash(Similarity(("CCO",), better="low"))


def test_bad_references_are_named() -> None:
    with pytest.raises(ValueError, match=r"reference 2 of 2 cannot be used: .*c1cc"):
        Similarity(("CCO", "c1cc"))
    with pytest.raises(ValueError, match="at least one"):
        Similarity(())
    with pytest.raises(ValueError, match=r'write \["CCO"\]'):
        Similarity("CCO")  # type: ignore[arg-type]
