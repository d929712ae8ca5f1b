"""Molecules built around parts hold them, and are judged as the protocol judges."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch")

from generative.fragment_tasks import KINDS, build, judge
from generative.model import Weights
from tests.generative.test_construction import holds

GOOD = "O=C(Nc1ccc(F)cc1)c1c[nH]c2ccccc12"
FLAWED = "CC(=O)Oc1ccccc1C(=O)O"  # aspirin: QED 0.55, as RDKit's authors print it
PARTS = {
    "linker": "[11*]c1ccncc1.[13*]N1CCOCC1",
    "motif": "[17*]c1ccc2[nH]ccc2c1",
    "decoration": "[1*]c1ccc([2*])nc1",
    "superstructure": "c1ccc2ncccc2c1",
}


def test_quality_counts_each_good_molecule_once() -> None:
    outcome = judge([GOOD, GOOD, FLAWED, "not a molecule", ""])
    assert outcome.valid == pytest.approx(3 / 5)
    assert outcome.unique == pytest.approx(2 / 3)
    assert outcome.quality == pytest.approx(1 / 5)


def test_nothing_valid_is_no_quality() -> None:
    outcome = judge(["", "c1cc"])
    assert (outcome.valid, outcome.unique, outcome.quality) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="nothing to judge"):
        judge([])


@pytest.mark.parametrize("kind", KINDS)
def test_everything_built_is_valid_and_holds_what_was_given(kind: str) -> None:
    weights = Weights.load()
    policy = weights.policy().eval()
    made = build(kind, PARTS[kind], 40, 1, weights=weights, policy=policy)
    assert len(made) == 40
    assert judge(made).valid == 1.0
    for part in PARTS[kind].split("."):
        wanted = re.sub(r"\[\d+\*\]", "" if kind == "linker" else "*", part).replace("()", "")
        assert all(holds(smiles, wanted) for smiles in made)
    again = build(kind, PARTS[kind], 40, 1, weights=weights, policy=policy)
    assert again == made


def test_a_task_that_is_none_is_named() -> None:
    weights = Weights.load()
    with pytest.raises(ValueError, match="no task 'hop'; they are linker, motif, decoration, superstructure"):
        build("hop", "C", 1, 0, weights=weights, policy=weights.policy())
