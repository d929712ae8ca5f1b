"""Points lie where their numbers say, and the trade-off is the real one."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.score import Column, Score
from discovery.views.reading import scores_of
from discovery.views.score_plot import Axis, direction, histogram_svg, scatter_svg, trace_svg, trade_off
from tests.discovery.fake_run import COLUMNS, fake_run

SVG = "{http://www.w3.org/2000/svg}"


def test_trade_off_is_the_pair_that_disagrees_most() -> None:
    """Reference: SciPy's rank correlation over every pair."""
    run = fake_run(220, posed=40)
    spearmanr = pytest.importorskip("scipy.stats", reason="scipy, of the docking extra, is absent").spearmanr
    wishes = {name: [row.desirability[name] for row in run.ranked] for name in ("logp", "qed", "docking")}
    pairs = [("logp", "qed"), ("logp", "docking"), ("qed", "docking")]
    worst = min(pairs, key=lambda pair: spearmanr(wishes[pair[0]], wishes[pair[1]]).statistic)
    found = trade_off(run)
    assert found is not None
    assert (found[0].name, found[1].name) == worst
    assert trade_off(replace(run, rows=run.rows[:2])) is None
    few = {row.id for row in run.ranked[:8]}  # a late stage's column, however much it disagrees there
    late = replace(
        run,
        rows=tuple(
            row
            if row.id in few
            else replace(row, desirability={k: v for k, v in row.desirability.items() if k != worst[1]})
            for row in run.rows
        ),
    )
    found = trade_off(late)
    assert found is not None
    assert worst[1] not in (found[0].name, found[1].name)


def test_points_lie_on_a_line_with_their_numbers() -> None:
    run = fake_run()
    x, y = COLUMNS[0], COLUMNS[3]
    root = ElementTree.fromstring(scatter_svg(run, x, y, run.ranked[:5]))
    drawn = {}
    for circle in root.iter(f"{SVG}circle"):
        name = (circle.findtext(f"{SVG}title") or "").partition(",")[0]
        drawn[name] = (float(circle.get("cx", "0")), float(circle.get("cy", "0")))
    rows = [row for row in run.rows if x.name in scores_of(row) and y.name in scores_of(row)]
    assert set(drawn) == {row.id for row in rows}
    for axis, column in ((0, x), (1, y)):
        numbers = np.array([scores_of(row)[column.name].value for row in rows])
        pixels = np.array([drawn[row.id][axis] for row in rows])
        slope, start = np.polyfit(numbers, pixels, 1)
        assert np.abs(slope * numbers + start - pixels).max() < 0.11
        assert (slope > 0) == (axis == 0)


def test_histogram_counts_everything() -> None:
    run = fake_run()
    svg = histogram_svg(run, COLUMNS[0], run.ranked)
    ticks = [e for e in ElementTree.fromstring(svg).iter(f"{SVG}line") if e.get("stroke") == "#0072B2"]
    assert len(ticks) == len(run.ranked)
    with pytest.raises(ValueError, match="no row holds"):
        histogram_svg(run, Column("absent", "1", "low"), [])


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@settings(max_examples=200, derandomize=True)
def test_axes_have_few_round_ticks_inside(low: float, span: float) -> None:
    axis = Axis.over([low, low + span], 0.0, 100.0)
    assert 2 <= len(axis.ticks) <= 8
    assert all(-1e-6 <= axis(tick) <= 100 + 1e-6 for tick in axis.ticks)


def test_direction_is_what_the_campaign_wished() -> None:
    run = fake_run(220, posed=40)
    assert direction(run, COLUMNS[3]) == "lower is better"
    assert direction(run, COLUMNS[1]) == "higher is better"
    assert direction(run, COLUMNS[0]) == "a middle range is best"
    assert direction(run, COLUMNS[4]) == "lower is better, not counted in the ranking"
    bare = replace(run, rows=tuple(replace(row, outcomes={}, desirability={}) for row in run.rows))
    assert direction(bare, COLUMNS[1]) == "higher is better"  # nobody has a number: it may well count


def test_one_value_and_constant_values_are_drawn() -> None:
    run = fake_run()
    flat = tuple(replace(row, outcomes={**row.outcomes, "qed": Score(0.5)}) for row in run.ranked)
    constant = replace(run, rows=flat)
    ElementTree.fromstring(histogram_svg(constant, COLUMNS[1], flat))
    ElementTree.fromstring(scatter_svg(constant, COLUMNS[1], COLUMNS[3], flat))


def test_trace_goes_through_its_values() -> None:
    svg = trace_svg([[0.0, 2.0, 1.0], [2.0, 0.0]], last="2 ps", width=240, height=64)
    assert [found.split() for found in re.findall(r'points="([^"]+)"', svg)] == [
        ["34.0,46.0", "134.0,6.0", "234.0,26.0"],
        ["34.0,6.0", "234.0,46.0"],
    ]
    assert "2 ps" in svg
    with pytest.raises(ValueError, match="two values"):
        trace_svg([[1.0]])
