"""References: rings every chemist has held, and some that nobody has."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.properties import rings
from discovery.properties.rings import UnseenRings, ring_systems, seen
from discovery.score import Score, Scorer
from tests.references.drugs import DRUGS

INVENTED = {
    "a ladder of four-membered rings": "C1C2C3C4C(C1)C1C4C3C21",
    "an oxazete fused to a borole": "O1N=C2C1=CC=C2",
    "a cycle of alternating N and O": "CN1ONONO1",
    "a thiete in a spiro diazete": "C1=NN2C1SC2",
}


def outcome(smiles: str) -> Score:
    (score,) = UnseenRings()([Molecule.parse(smiles)])
    assert isinstance(score, Score)
    return score


def test_rings_of_known_drugs_have_been_seen() -> None:
    """At least 97 of 100: a table that knew no drugs would call every other one odd."""
    counts = [outcome(smiles).value for smiles in DRUGS.values()]
    assert np.mean(np.array(counts) == 0) >= 0.97


@pytest.mark.parametrize("name", INVENTED)
def test_what_nobody_made_is_flagged_with_its_atoms(name: str) -> None:
    score = outcome(f"{INVENTED[name]}")
    assert score.value >= 1
    assert any(ring["seen"] == 0 and len(ring["atoms"]) >= 4 for ring in score.details["rings"])


def test_substituents_do_not_change_a_ring_but_what_is_double_bonded_does() -> None:
    def keys(smiles: str) -> list[str]:
        return [key for key, _ in ring_systems(Chem.MolFromSmiles(smiles))]

    assert keys("c1ccccc1") == keys("CCc1cc(F)ccc1C#N") == keys("Oc1ccc([N+](=O)[O-])cc1")
    assert keys("c1cc[nH]c1") == keys("Cn1cccc1")
    assert keys("O=C1CCCCC1") != keys("OC1CCCCC1")
    assert len(keys("c1ccccc1-c1ccccc1")) == 2
    assert len(keys("C1CCC2(CC1)CCNCC2")) == 1  # spiro atoms join rings
    assert keys("CCO") == []


def test_the_order_of_atoms_does_not_matter() -> None:
    for smiles in DRUGS.values():
        mol = Chem.MolFromSmiles(smiles)
        order = list(range(mol.GetNumAtoms()))
        random.Random(7).shuffle(order)
        turned = Chem.RenumberAtoms(mol, order)
        assert Counter(k for k, _ in ring_systems(mol)) == Counter(k for k, _ in ring_systems(turned))


def test_counts_follow_how_common_a_ring_is() -> None:
    def times(smiles: str) -> int:
        (ring,) = ring_systems(Chem.MolFromSmiles(smiles))
        return seen(ring[0])

    assert times("c1ccccc1") == times("C1COCCN1") == 255  # counted no further
    assert times("c1ccccc1") >= times("C1CCC2(CC1)CCNCC2") > 0


def test_a_table_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = rings.count(Chem.MolFromSmiles(s) for s in ("c1ccccc1C", "c1ccccc1", "C1CC1", "CCO"))
    assert sorted(counts.values()) == [1, 2]
    rings.save(counts, tmp_path / "table.npz")
    with np.load(tmp_path / "table.npz", allow_pickle=False) as table:
        assert list(np.sort(table["counts"])) == [1, 2]
        assert (np.diff(table["hashes"].astype(object)) > 0).all()


def test_keeps_the_promise() -> None:
    assert isinstance(UnseenRings(), Scorer)
    assert UnseenRings().column.better == "low"
