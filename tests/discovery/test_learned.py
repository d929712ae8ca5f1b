"""A learned model: its errors are those of refitting, its domain holds, and what it keeps gives the same numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import DataStructs
from typer.testing import CliRunner

from discovery import plugins
from discovery.cli import app
from discovery.conformance import PROBES, check_scorer
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.properties import kernel, learned
from discovery.properties.learned import Learned, LearningError, Model, fit, load, save
from discovery.properties.physchem import DESCRIPTORS
from discovery.score import Score
from discovery.series.known import common_drugs

FAR = Molecule.parse("ClC(Cl)(Cl)C(Cl)(Cl)Cl", "hexachloroethane")


def refractivity(molecules: list[Molecule]) -> list[float]:
    return [DESCRIPTORS["molar_refractivity"].work(molecule.mol()) / 10 for molecule in molecules]


@pytest.fixture(scope="module")
def drugs() -> list[Molecule]:
    return list(dict.fromkeys(common_drugs()))[:110]


@pytest.fixture(scope="module")
def model(drugs: list[Molecule]) -> Model:
    return fit(drugs[:90], refractivity(drugs[:90]), name="mr", target="MR", table="drugs.csv", unit="cm")


def kept(model: Model, folder: Path) -> Learned:
    """The scorer of a model."""
    save(model, folder / "model.safetensors")
    return Learned(folder / "model.safetensors")


def test_left_out_errors_are_those_of_fitting_without_the_fold() -> None:
    """Law: the block inverse gives what a process fitted to the other molecules predicts."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(40, 2))
    likeness = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=-1))
    z, fold, noise = rng.normal(size=40), np.arange(40) % 4, 0.2
    off, deviations = learned.left_out(learned._inverse(likeness, noise), z, fold)
    with_mean = likeness + learned.LEVEL
    for number in range(4):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        inverse = np.linalg.inv(with_mean[np.ix_(rest, rest)] + noise * np.eye(len(rest)))
        cross = with_mean[np.ix_(out, rest)]
        assert off[out] == pytest.approx(z[out] - cross @ inverse @ z[rest], abs=1e-9)
        variance = 1.0 + learned.LEVEL + noise - np.diag(cross @ inverse @ cross.T)
        assert deviations[out] == pytest.approx(np.sqrt(variance), abs=1e-9)


def test_likeness_is_rdkits(drugs: list[Molecule]) -> None:
    """Reference: RDKit's Tanimoto of count vectors, counts cut at the same level."""
    few = drugs[:12]
    circular = kernel.Features.of(few).circular
    vectors = []
    for molecule in few:
        counts = kernel._makers()[0].GetCountFingerprint(molecule.mol())
        for place, count in counts.GetNonzeroElements().items():
            counts[place] = min(count, kernel.LEVELS)
        vectors.append(counts)
    theirs = [DataStructs.BulkTanimotoSimilarity(one, vectors) for one in vectors]
    assert circular.tanimoto(circular) == pytest.approx(np.array(theirs), abs=1e-9)
    whole = kernel.Features.of(drugs)  # many are compared by a product, a few bit by bit
    assert np.array_equal(whole.circular.common(whole.circular)[:12], circular.common(whole.circular))
    shares = learned.SHARES[1]
    few_of_whole = kernel.Features.of(few, whole.centre, whole.scale)
    some = kernel.kernel(few_of_whole, whole, shares)
    assert kernel.kernel(whole, whole, shares)[:12] == pytest.approx(some, abs=1e-9)


def test_no_scaffold_is_in_two_folds(drugs: list[Molecule]) -> None:
    fold, scaffolds = learned.folds(drugs)
    cores = [learned.scaffold(molecule) or molecule.smiles for molecule in drugs]
    assert all(len({fold[i] for i, core in enumerate(cores) if core == one}) == 1 for one in set(cores))
    assert scaffolds == len(set(cores))
    assert set(fold) == set(range(learned.FOLDS))


def test_it_learns_and_says_how_well(model: Model, drugs: list[Molecule], tmp_path: Path) -> None:
    facts = model.facts
    assert facts.rmse < 0.5 * facts.rmse_mean
    assert facts.rank_correlation > 0.8
    assert 0.75 <= facts.covered <= 1.0
    outcomes = kept(model, tmp_path)(drugs[90:])
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    truth = [v for v, o in zip(refractivity(drugs[90:]), outcomes, strict=True) if isinstance(o, Score)]
    assert len(scores) >= 15
    assert np.sqrt(np.mean((np.array([s.value for s in scores]) - truth) ** 2)) < 0.5 * facts.rmse_mean
    assert all(s.error and s.details["low"] < s.value < s.details["high"] for s in scores)


def test_a_domain_that_holds_no_common_drug_is_asked_about_its_own_molecules(
    model: Model, tmp_path: Path
) -> None:
    """The promise is tried on numbers too, where all the built-in molecules are outside."""
    narrow = replace(model, facts=replace(model.facts, domain=0.999))
    scorer = kept(narrow, tmp_path)
    strangers = [molecule for molecule in PROBES if molecule.smiles not in model.smiles]
    assert any("none of" in said for said in check_scorer(scorer, molecules=strangers))
    assert check_scorer("learned", {"model": str(scorer.model)}) == []


def test_what_cannot_be_learned_is_not_claimed(drugs: list[Molecule]) -> None:
    noise = np.random.default_rng(1).normal(size=len(drugs))
    facts = fit(drugs, list(noise)).facts
    assert facts.rmse > 0.9 * facts.rmse_mean
    assert 0.8 <= facts.covered <= 1.0


def test_a_far_molecule_gets_no_number_whatever_stands_beside_it(
    model: Model, drugs: list[Molecule], tmp_path: Path
) -> None:
    scorer = kept(model, tmp_path)
    alone = scorer([FAR])[0]
    assert isinstance(alone, Missing)
    assert alone.reason is Reason.OUT_OF_DOMAIN
    assert "hexachloroethane is unlike every molecule of drugs.csv" in alone.detail
    several = scorer([drugs[95], FAR, drugs[96]])
    assert several[1] == alone
    assert several[0] == scorer([drugs[95]])[0]


def test_kept_and_read_again_it_gives_the_same_numbers(
    model: Model, drugs: list[Molecule], tmp_path: Path
) -> None:
    save(model, tmp_path / "a.safetensors")
    again = load(tmp_path / "a.safetensors")
    assert again.facts == model.facts
    for one, other in zip(again.predict(drugs[90:]), model.predict(drugs[90:]), strict=True):
        assert one == pytest.approx(other, rel=1e-9)


def test_a_table_that_teaches_nothing_is_refused(drugs: list[Molecule]) -> None:
    with pytest.raises(LearningError, match="20 measured molecules are too few"):
        fit(drugs[:20], refractivity(drugs[:20]))
    with pytest.raises(LearningError, match="all 40 values are 2"):
        fit(drugs[:40], [2.0] * 40)
    benzenes = [Molecule.parse("c1ccccc1" + "C" * n) for n in range(1, 35)]
    with pytest.raises(LearningError, match="the table has 1 scaffolds; 5 are needed"):
        fit(benzenes, list(range(34)))


def test_a_file_that_is_no_model_is_named(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(LearningError, match="there is no such file; discovery learn makes one"):
        load(path)
    save(model, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LearningError, match="is no whole model"):
        load(path)
    save(replace(model, values=model.values[:-1]), path)
    with pytest.raises(LearningError, match="89 values for 90 molecules"):
        load(path)
    with pytest.raises(LearningError, match="is a folder; give the file in it"):
        load(tmp_path)


def test_the_command_makes_a_scorer_with_a_card(drugs: list[Molecule], tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    rows = zip(drugs[:60], refractivity(drugs[:60]), strict=True)
    lines = [f"{molecule.smiles},{value:.4f}" for molecule, value in rows]
    table.write_text("\n".join(["smiles,MR [cm3]", *lines, "broken,1.0", "CCO,<3"]) + "\n")
    done = CliRunner().invoke(app, ["learn", str(table), "--activity", "MR [cm3]", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "2 rows could not be used" in done.stdout
    card = (tmp_path / "model.md").read_text()
    assert "Predicts MR [cm3] from mine.csv" in card
    assert "intervals meant for nine in ten hold" in card
    scorer = plugins.build("scorers", "learned", {"model": str(tmp_path / "model.safetensors")})
    assert (scorer.column.name, scorer.column.better) == ("predicted_mr_cm3", "high")
    outcome = scorer(drugs[:1])[0]
    assert isinstance(outcome, Score)
    assert json.loads(json.dumps(outcome.details)) == outcome.details


def test_gaps_are_named_and_a_frames_index_does_not_count() -> None:
    molecules = [Molecule("C" * n) for n in range(1, 41)]
    with pytest.raises(LearningError, match="40 molecules but 39 values"):
        fit(molecules, [1.0] * 39)
    with pytest.raises(LearningError, match=r"row 4 is Molecule.* with nan: leave out"):
        fit(molecules, [1.0, 2.0, 3.0, float("nan"), *[1.0] * 36])
    broken = Missing("intake", Reason.UNPARSABLE, "row 1: x")
    with pytest.raises(LearningError, match="row 2 is unparsable"):
        fit([molecules[0], broken, *molecules[2:]], [1.0] * 40)  # type: ignore[list-item]
