"""Laws of ranking: dominance, permutation, and that a missing score never improves a rank."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.outcome import Missing, Reason
from discovery.ranking import Criterion, pareto_fronts, rank, utility
from discovery.score import Score


def desire(value: float) -> float:
    return min(max(value, 0.0), 1.0)


CRITERIA = [Criterion("a", desire), Criterion("b", desire, weight=2.0), Criterion("late", desire, late=True)]
NOT_SENT = Missing("late", Reason.NOT_REACHED, "the 5th of 9")
CRASHED = Missing("b", Reason.CRASHED, "the worker died")

cells = st.one_of(
    st.floats(0, 1).map(Score), st.just(CRASHED), st.just(Missing("a", Reason.NO_CONFORMER, "flat"))
)
late_cells = st.one_of(st.floats(0, 1).map(Score), st.just(NOT_SENT))
tables = st.lists(st.fixed_dictionaries({"a": cells, "b": cells, "late": late_cells}), max_size=12)


def test_utility_is_the_weighted_geometric_mean() -> None:
    row = {"a": Score(0.25), "b": Score(0.81)}
    assert utility(row, CRITERIA[:2]) == pytest.approx((0.25 * 0.81**2) ** (1 / 3))


def test_one_worthless_property_cannot_be_bought_back() -> None:
    assert utility({"a": Score(0.0), "b": Score(1.0)}, CRITERIA[:2]) == 0.0


def test_a_missing_score_has_no_utility_even_beside_a_zero() -> None:
    assert utility({"a": Score(0.0), "b": CRASHED}, CRITERIA[:2]) is None
    assert utility({"a": CRASHED, "b": Score(0.0)}, CRITERIA[:2]) is None


@settings(max_examples=150, derandomize=True)
@given(tables)
def test_ranks_are_one_to_n_and_the_rest_say_why(rows: list[dict[str, Score | Missing]]) -> None:
    placed = rank(rows, CRITERIA)
    ranked = sorted(p.rank for p in placed if p.rank is not None)
    assert ranked == list(range(1, len(ranked) + 1))
    assert all((p.rank is None) == (p.missing is not None) for p in placed)
    assert all((p.rank is None) == (p.utility is None) for p in placed)


@settings(max_examples=150, derandomize=True)
@given(tables, st.integers(0, 11), st.sampled_from(["a", "b", "late"]))
def test_losing_a_score_never_improves_a_rank(
    rows: list[dict[str, Score | Missing]], which: int, name: str
) -> None:
    if which >= len(rows):
        return
    before = rank(rows, CRITERIA)[which].rank
    poorer = [dict(row) for row in rows]
    poorer[which][name] = NOT_SENT if name == "late" else CRASHED
    after = rank(poorer, CRITERIA)[which].rank
    if before is None:
        assert after is None
    else:
        assert after is None or after >= before


def test_a_molecule_not_sent_ranks_behind_all_that_were() -> None:
    rows = [
        {"a": Score(1.0), "b": Score(1.0), "late": NOT_SENT},
        {"a": Score(0.1), "b": Score(0.1), "late": Score(0.1)},
    ]
    assert [p.rank for p in rank(rows, CRITERIA)] == [2, 1]


def test_a_late_stage_that_failed_leaves_the_molecule_unranked() -> None:
    diverged = Missing("late", Reason.DIVERGED, "the simulation blew up")
    placed = rank([{"a": Score(1.0), "b": Score(1.0), "late": diverged}], CRITERIA)[0]
    assert placed.rank is None
    assert placed.missing is diverged


def test_a_refused_row_is_unranked_whatever_its_scores() -> None:
    verdict = Missing("a", Reason.FILTERED, "too greasy")
    placed = rank([{"a": Score(1.0), "b": Score(1.0), "late": Score(1.0)}], CRITERIA, [verdict])[0]
    assert (placed.rank, placed.missing) == (None, verdict)


def dominates(p: np.ndarray, q: np.ndarray) -> bool:
    return bool((p >= q).all() and (p > q).any())


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
def test_pareto_fronts_by_definition(points: list[tuple[int, int, int]]) -> None:
    """Reference: the definition, pair by pair. Front k+1 is non-dominated once fronts 1..k are gone."""
    values = np.array(points, dtype=float)
    fronts = pareto_fronts(values)
    for level in range(1, int(fronts.max()) + 1):
        left = [i for i in range(len(points)) if fronts[i] >= level]
        for i in left:
            beaten = any(dominates(values[j], values[i]) for j in left)
            assert beaten == (fronts[i] > level)


def test_ranking_does_not_depend_on_other_rows_order() -> None:
    rows = [
        {"a": Score(x), "b": Score(y), "late": Score(0.5)} for x, y in [(0.1, 0.9), (0.5, 0.5), (0.9, 0.3)]
    ]
    by_content = {}
    for order in itertools.permutations(range(3)):
        placed = rank([rows[i] for i in order], CRITERIA)
        for place, i in zip(placed, order, strict=True):
            by_content.setdefault(i, set()).add(
                (place.rank, place.front, round(place.utility or math.nan, 12))
            )
    assert all(len(found) == 1 for found in by_content.values())


def test_what_is_no_outcome_is_refused_instead_of_unranked() -> None:
    with pytest.raises(TypeError, match=r"a is 0\.5, neither a Score nor a Missing; write Score\(0\.5\)"):
        rank([{"a": 0.5, "b": Score(1.0)}], CRITERIA)  # type: ignore[dict-item]


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_is_above_0(weight: float) -> None:
    with pytest.raises(ValueError, match="leave out a column that shall not count"):
        Criterion("a", desire, weight)


def test_fronts_are_of_a_table_without_gaps() -> None:
    with pytest.raises(ValueError, match="NaN is on no front"):
        pareto_fronts(np.array([[1.0, math.nan], [2.0, 1.0]]))
    with pytest.raises(ValueError, match="not of an array of 1 axes"):
        pareto_fronts(np.array([1.0, 2.0]))
