"""The audit measures what MOSES measures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from generative.audit import (
    audit,
    cosine,
    fragment_counts,
    frechet,
    measure,
    nearest,
    prints,
    scaffold_counts,
)
from tests.generative.models import DRUGS


def test_validity_uniqueness_and_novelty_by_hand() -> None:
    found = measure(["CCO", "OCC", "CCN", "nonsense"], ["CCO"], distance=lambda smiles: 0.0)
    assert found["valid"] == 0.75
    assert found["novelty"] == 0.5
    assert found["unique@1000"] == "needs 1000 valid molecules, there are 3"
    many = measure(["CCO"] * 980 + ["C" * n for n in range(1, 21)], ["CO"], distance=lambda smiles: 0.0)
    assert many["unique@1000"] == 0.021


def test_similarity_to_the_nearest_is_rdkits() -> None:
    """Reference: RDKit's BulkTanimotoSimilarity."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    theirs = [generator.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in DRUGS]
    expected = [max(DataStructs.BulkTanimotoSimilarity(one, theirs[20:])) for one in theirs[:20]]
    assert np.allclose(nearest(prints(DRUGS[:20]), prints(DRUGS[20:])), expected, atol=1e-6)


def test_a_set_is_like_itself() -> None:
    found = measure(DRUGS, DRUGS, distance=lambda smiles: 0.0)
    assert found["SNN"] == pytest.approx(1.0)
    assert found["fragments"] == pytest.approx(1.0)
    assert found["scaffolds"] == pytest.approx(1.0)
    assert found["novelty"] == 0.0
    assert 0.7 < float(found["internal diversity"]) < 1.0


def test_cosine_by_hand() -> None:
    a, b = (
        scaffold_counts(["c1ccc(-c2ccccc2)cc1"] * 3),
        scaffold_counts(["c1ccc(-c2ccccc2)cc1", "c1ccc2ccccc2c1"]),
    )
    assert cosine(a, b) == pytest.approx(3 / 3 / np.sqrt(2))
    assert cosine(a, scaffold_counts(["CCO"])) == "one side has none"
    assert sum(fragment_counts(["CCNC(=O)c1ccccc1"]).values()) >= 2


@pytest.mark.skipif(importlib.util.find_spec("fcd_torch") is None, reason="fcd_torch is not installed")
def test_frechet_distance() -> None:
    """0 from a set to itself; larger to a set of another kind."""
    assert frechet(DRUGS[:30], DRUGS[:30]) == pytest.approx(0.0, abs=1e-3)
    alkanes = ["C" * n for n in range(4, 20)]
    assert float(frechet(DRUGS[:30], alkanes)) > float(frechet(DRUGS[:30], DRUGS[30:60])) > 0


def test_nothing_to_measure_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing was generated"):
        measure([], DRUGS)
    with pytest.raises(ValueError, match="none of the 1 reference rows is a molecule"):
        measure(DRUGS, ["nonsense"])
    assert measure(["nonsense"], DRUGS)["the rest"] == "nothing valid was generated"
    with pytest.raises(ValueError, match=r"absent\.smi does not exist"):
        audit(tmp_path / "absent.smi", tmp_path / "absent.smi")
