"""The additive model against closed forms, brute force and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from rdkit import Chem
from scipy import stats

from discovery.outcome import Missing, Reason
from discovery.score import Score
from discovery.series.free_wilson import free_wilson, least_squares
from discovery.series.measured import SeriesError
from discovery.series.rgroups import RGroupTable, decompose
from tests.discovery.test_series_rgroups import CORE, library, series

EFFECT = {"[H][*:1]": 0.0, "F[*:1]": 0.4, "Cl[*:1]": 0.9, "CO[*:1]": -0.5, "N#C[*:1]": 0.2,
          "C[*:2]": 0.0, "CC[*:2]": 0.3, "C1CC1[*:2]": 0.8, "c1ccc(C[*:2])nc1": 1.1}  # fmt: skip


def table(noise: float, keep: range = range(20)) -> tuple[RGroupTable, np.ndarray]:
    smiles = [library()[place] for place in keep]
    taken = decompose(series(smiles), [CORE])
    true = np.array(
        [6 + sum(EFFECT[group] for group in taken.groups(p).at.values()) for p in range(len(smiles))]
    )
    values = true + noise * np.random.default_rng(5).standard_normal(len(smiles))
    return decompose(series(smiles, values.tolist()), [CORE]), values


def test_without_noise_the_true_effects_come_back() -> None:
    taken, _ = table(0.0)
    model = free_wilson(taken)
    reference = {c.position: c.group for c in model.contributions if c.reference}
    for found in model.contributions:
        assert isinstance(found.effect, Score)
        wanted = EFFECT[found.group] - EFFECT[reference[found.position]]
        assert found.effect.value == pytest.approx(wanted, abs=1e-9)
    assert model.r2 == pytest.approx(1.0)
    assert model.base == pytest.approx(6 + sum(EFFECT[group] for group in reference.values()))


def test_balanced_design_has_a_closed_form() -> None:
    """In a full table an effect is a difference of means, with variance 2 s²/k for k molecules a group."""
    taken, values = table(0.3)
    model = free_wilson(taken)
    groups = [taken.groups(place).at for place in range(20)]

    def mean(position: str, group: str) -> float:
        return float(np.mean([values[place] for place in range(20) if groups[place][position] == group]))

    reference = {c.position: c.group for c in model.contributions if c.reference}
    fitted = [
        values.mean() + sum(mean(position, at[position]) - values.mean() for position in ("R1", "R2"))
        for at in groups
    ]
    scatter = float(np.sqrt(np.sum((values - fitted) ** 2) / (20 - 1 - 4 - 3)))
    assert model.scatter == pytest.approx(scatter)
    assert model.freedom == 12
    for found in model.contributions:
        if found.reference:
            continue
        assert isinstance(found.effect, Score)
        wanted = mean(found.position, found.group) - mean(found.position, reference[found.position])
        error = scatter * np.sqrt(2 / {"R1": 4, "R2": 5}[found.position])
        assert found.effect.value == pytest.approx(wanted)
        assert found.effect.error == pytest.approx(error)
        assert found.interval == pytest.approx(stats.t.interval(0.95, 12, wanted, error))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A law: 95 % intervals miss about 5 % of the time. 400 tables, 7 terms each, seed 11."""
    rng, taken = np.random.default_rng(11), table(0.0)[0]
    model = free_wilson(taken)
    design = np.array(
        [[1.0] + [float(taken.groups(p).at[pos] == g) for pos, g in model._terms] for p in range(20)]
    )
    truth = design @ np.array(model._coefficients)
    inside = total = 0
    half = stats.t.ppf(0.975, 12)
    for _ in range(400):
        fit = least_squares(design, truth + 0.5 * rng.standard_normal(20))
        assert fit.scatter is not None
        reach = half * fit.scatter * np.sqrt(np.diag(fit.spread))
        hit = np.abs(fit.coefficients - np.array(model._coefficients)) <= reach
        inside, total = inside + int(hit[1:].sum()), total + 7
    assert 0.93 < inside / total < 0.97


def test_q2_is_what_leaving_out_one_by_one_gives() -> None:
    taken, values = table(0.4)
    model = free_wilson(taken)
    design = np.array(
        [[1.0] + [float(taken.groups(p).at[pos] == g) for pos, g in model._terms] for p in range(20)]
    )
    missed = []
    for out in range(20):
        rest = [place for place in range(20) if place != out]
        coefficients = np.linalg.lstsq(design[rest], values[rest], rcond=None)[0]
        missed.append(values[out] - design[out] @ coefficients)
    q2 = 1 - np.sum(np.square(missed)) / np.sum((values - values.mean()) ** 2)
    assert model.q2 == pytest.approx(q2)


def test_ridge_is_least_squares_on_added_rows() -> None:
    """Reference: the same penalty as extra observations of zero, solved by numpy's lstsq."""
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(12), rng.integers(0, 2, (12, 5)).astype(float)])
    values = rng.standard_normal(12)
    added = np.sqrt(0.7) * np.eye(6)[1:]
    wanted = np.linalg.lstsq(np.vstack([design, added]), np.concatenate([values, np.zeros(5)]), rcond=None)[0]
    assert least_squares(design, values, 0.7).coefficients == pytest.approx(wanted)


def test_groups_seen_only_together_get_a_reason_not_a_number() -> None:
    crossed = [
        ("F", "C"),
        ("[H]", "C"),
        ("F", "CCC"),
        ("[H]", "CCC"),
        ("Cl", "CC"),
    ]  # chlorine only with ethyl
    made = [f"{r2}NC(=O)c1ccc({r1})cc1" for r1, r2 in crossed]
    model = free_wilson(decompose(series(made, [1.0, 2.0, 3.0, 4.5, 5.0]), [CORE]), fewest=1)
    unknown = [c for c in model.contributions if isinstance(c.effect, Missing)]
    assert {c.group for c in unknown} == {"Cl[*:1]", "CC[*:2]"}
    for found in unknown:
        assert isinstance(found.effect, Missing)
        assert found.effect.reason is Reason.OUT_OF_DOMAIN
        assert "cannot be told" in found.effect.detail
    hydrogen = next(c for c in model.contributions if c.group == "[H][*:1]")
    assert isinstance(hydrogen.effect, Score)
    assert hydrogen.effect.value == pytest.approx(
        (2.0 - 1.0 + 4.5 - 3.0) / 2
    )  # the mean of the two differences
    both = model.predict({"R1": "Cl[*:1]", "R2": "CC[*:2]"})  # their sum is known, each alone is not
    assert isinstance(both, Score)
    assert both.value == pytest.approx(5.0)
    assert isinstance(model.predict({"R1": "Cl[*:1]", "R2": "C[*:2]"}), Missing)


def test_rare_groups_leave_with_their_reason_and_counts_add_up() -> None:
    taken, _ = table(0.1, keep=range(17))  # the last group of R1 keeps one of its four
    model = free_wilson(taken)
    assert model.n == 16
    gone = [outcome for outcome in model.outcomes if isinstance(outcome, Missing)]
    assert len(gone) == 1
    assert "fewer than 2" in gone[0].detail
    assert len(model.outcomes) == 17


def test_suggestions_are_the_unmade_combinations_best_first() -> None:
    """Reference: all combinations, counted out; without noise the prediction is the truth."""
    made = [place for place in range(20) if place not in (9, 11, 18)]
    smiles = library()
    whole, _ = table(0.0)
    taken = decompose(series([smiles[p] for p in made], [whole.measured.value(p) for p in made]), [CORE])
    found = free_wilson(taken).suggest(10)
    wanted = sorted((9, 11, 18), key=lambda place: -whole.measured.value(place))
    assert [made.smiles for made in found] == [Chem.CanonSmiles(smiles[place]) for place in wanted]
    for prediction, place in zip(found, wanted, strict=True):
        assert prediction.score.value == pytest.approx(whole.measured.value(place))


def test_of_a_molecule_with_a_group_of_its_own_one_known_group_is_exchanged() -> None:
    """Reference: the model that holds the group too, whose only trace there is this molecule."""
    taken, _ = table(0.1, keep=range(17))  # the last group of R1 keeps one of its four
    found = free_wilson(taken).suggest(10)
    larger = free_wilson(taken, fewest=1)
    assert len(found) == 3
    for made in found:
        told = larger.predict(made.at)
        assert isinstance(told, Score)
        assert (made.score.value, made.score.error) == pytest.approx((told.value, told.error))
        assert made.of == f"{taken.measured.entries[16].id}, R2"


def test_predictions_know_their_limits() -> None:
    taken, _ = table(0.2)
    model = free_wilson(taken)
    at = {"R1": "F[*:1]", "R2": "C[*:2]"}
    known = model.predict(at)
    assert isinstance(known, Score)
    assert known.error is not None
    assert model.scatter is not None
    assert known.error > model.scatter
    unseen = model.predict(at | {"R1": "I[*:1]"})
    assert isinstance(unseen, Missing)
    with pytest.raises(SeriesError, match="R1, R2"):
        model.predict({"R1": "F[*:1]"})
    with pytest.raises(SeriesError, match="0 or more"):
        free_wilson(taken, ridge=-1)


def test_best_first_agrees_with_sorting_everything() -> None:
    taken, _ = table(0.5)
    model = free_wilson(taken)
    sums = []
    for at in model._best_first():
        score = model.predict(at)
        assert isinstance(score, Score)
        sums.append(score.value)
    assert len(sums) == 20
    assert all(one >= other - 1e-9 for one, other in itertools.pairwise(sums))


def test_sheets_show_every_contribution() -> None:
    model = free_wilson(table(0.2)[0])
    assert len(model.sheet().rows) == 9
    assert "reference" in model._repr_html_()
    assert repr(model) == "FreeWilson: core 1, 20 molecules, 9 groups"
