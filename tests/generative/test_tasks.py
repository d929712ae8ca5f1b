"""The benchmark's tasks are scored as the benchmark scores them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generative.tasks import auc_top, score, tasks

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_every_task_agrees_with_the_reference_values() -> None:
    """Reference: 25 molecules scored by an independent implementation that equals guacamol 0.5.5."""
    vectors = json.loads((SHARED / "data/generative/pmo/test_vectors.json").read_text())["vectors"]
    checked = 0
    for smiles, values in vectors.items():
        for task, value in values.items():
            assert score(task, smiles) == pytest.approx(value, abs=1e-9), (task, smiles)
            checked += 1
    assert checked == 25 * 20
    assert set(tasks()) == set(next(iter(vectors.values())))


@pytest.mark.parametrize(
    ("task", "smiles", "value"),
    [
        ("celecoxib_rediscovery", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1", 1.0),
        ("thiothixene_rediscovery", "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1", 1.0),
        ("albuterol_similarity", "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1", 1.0),
        ("isomers_c7h8n2o2", "CC(=O)Nc1cc(O)ccn1", 1.0),
        ("valsartan_smarts", "CCO", 0.0),
        ("qed", "nonsense", 0.0),
    ],
)
def test_tasks_at_points_known_by_definition(task: str, smiles: str, value: float) -> None:
    assert score(task, smiles) == pytest.approx(value, abs=1e-12)


def test_area_under_the_curve() -> None:
    """By hand: a constant oracle loses half a step at the start; an early end goes on flat."""
    assert auc_top([1.0] * 10_000) == pytest.approx(1 - 0.5 * 100 / 10_000)
    assert auc_top([1.0] * 200) == pytest.approx(1 - 0.5 * 100 / 10_000)
    assert auc_top([0.0] * 10_000) == 0.0
    rising = [0.0] * 5_000 + [1.0] * 5_000
    assert auc_top(rising) == pytest.approx(0.5 - 0.5 * 100 / 10_000)
    assert auc_top([], budget=100) == 0.0
