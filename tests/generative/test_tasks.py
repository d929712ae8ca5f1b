"""The benchmark's tasks are scored as the benchmark scores them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdMolDescriptors

from generative.tasks import ARIPIPRAZOLE, auc_top, guacamol, guacamol_score, score, tasks

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


def test_what_is_remembered_of_one_molecule_is_never_told_of_another() -> None:
    """Tasks asked in any order, molecules taking turns: as each alone."""
    mols = [Chem.MolFromSmiles(one) for one in ("CCO", "CCCOc1cc2ncnc(N)c2cc1C", "CC(=O)Nc1ccc(O)cc1")]
    alone = {name: [ask(Chem.Mol(mol)) for mol in mols] for name, ask in tasks().items()}
    for _ in range(2):
        for number, mol in enumerate(mols):
            assert {name: ask(mol) for name, ask in tasks().items()} == {
                name: values[number] for name, values in alone.items()
            }


def test_area_under_the_curve() -> None:
    """By hand: a constant oracle loses half a step at the start; an early end goes on flat."""
    assert auc_top([1.0] * 10_000) == pytest.approx(1 - 0.5 * 100 / 10_000)
    assert auc_top([1.0] * 200) == pytest.approx(1 - 0.5 * 100 / 10_000)
    assert auc_top([0.0] * 10_000) == 0.0
    rising = [0.0] * 5_000 + [1.0] * 5_000
    assert auc_top(rising) == pytest.approx(0.5 - 0.5 * 100 / 10_000)
    assert auc_top([], budget=100) == 0.0


def test_guacamols_second_suite() -> None:
    """Reference: table 2 of its paper: 20 tasks; counts of molecules from its supporting information."""
    suite = guacamol()
    assert len(suite) == 20
    assert suite["isomers_c11h24"][1] == (159,)
    assert suite["isomers_c9h10n2o2pf2cl"][1] == (250,)
    assert sorted(name for name, (_, tops) in suite.items() if tops == (1,)) == [
        "celecoxib_rediscovery",
        "thiothixene_rediscovery",
        "troglitazone_rediscovery",
    ]
    assert score("isomers_c11h24", "CCCCCCCCCCC") == pytest.approx(1.0, abs=1e-12)
    assert score("aripiprazole_similarity", ARIPIPRAZOLE) == 1.0


def test_aripiprazole_by_rdkit_itself() -> None:
    """Reference: Tanimoto of RDKit's older Morgan function, divided by 0.75."""
    other = "Clc1cccc(N2CCN(CCCOc3ccccc3)CC2)c1"
    a, b = (
        rdMolDescriptors.GetMorganFingerprint(Chem.MolFromSmiles(one), 2) for one in (ARIPIPRAZOLE, other)
    )
    expected = min(1.0, DataStructs.TanimotoSimilarity(a, b) / 0.75)
    assert score("aripiprazole_similarity", other) == pytest.approx(expected, abs=1e-9)


def test_guacamol_counts_stereoisomers_once_and_what_is_missing_as_nothing() -> None:
    """By hand: best 1.0, ten best (1.0 + 0.5) / 10, hundred best 1.5 / 100."""
    given = [("C[C@H](N)O", 1.0), ("C[C@@H](N)O", 0.9), ("CCO", 0.5), ("nonsense", 1.0)]
    assert guacamol_score("median1", given) == pytest.approx((1.0 + 0.15 + 0.015) / 3)
    assert guacamol_score("celecoxib_rediscovery", given) == 1.0
