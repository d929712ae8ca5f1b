"""Two scores against each other: the front is one nobody beats, the page needs nobody else."""

from __future__ import annotations

import re

import pytest

from discovery.score import Score
from discovery.views.chart import DRAWN, front_of
from discovery.views.table import Table
from tests.discovery.fake_run import fake_run


def test_nobody_beats_the_front_and_everybody_else_is_beaten() -> None:
    """The definition of a Pareto front, asked of every pair of rows."""
    run = fake_run(150)
    columns = {column.name: column for column in run.columns}
    x, y = columns["qed"], columns["docking"]

    def cost(id: str) -> tuple[float, float]:
        row = next(row for row in run.rows if row.id == id)
        found = [row.outcomes[column.name] for column in (x, y)]
        signs = [1 if column.better == "low" else -1 for column in (x, y)]
        return tuple(s * o.value for s, o in zip(signs, found, strict=True) if isinstance(o, Score))  # type: ignore[return-value]

    held = [row.id for row in run.ranked if all(isinstance(row.outcomes.get(c.name), Score) for c in (x, y))]
    front = front_of(run, x, y)
    assert len(front) >= 2
    costs = {id: cost(id) for id in held}
    for id in held:
        beaten = any(
            all(a <= b for a, b in zip(costs[other], costs[id], strict=True)) and costs[other] != costs[id]
            for other in held
        )
        same = any(costs[id] == costs[other] for other in front)
        assert (not beaten) == same
    table = Table(run)
    assert table.pareto("qed", "docking").svg().count("<polyline") == 1
    assert table.scatter("qed", "docking").svg().count("<polyline") == 0


def test_the_page_shows_its_points_and_asks_nobody() -> None:
    chart = Table(fake_run(150, hostile=True)).scatter("qed", "logp")
    page = chart.page()
    points = set(re.findall(r'<circle data-id="([^"]*)"', page))
    cards = set(re.findall(r'<div data-id="([^"]*)">', page))
    assert cards <= points
    assert len(cards) == min(DRAWN, len(points))
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "<script>alert" not in page
    shown = chart._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
    assert "data:image/svg+xml" in shown  # without scripts


def test_columns_and_rows_that_are_not_there_are_named() -> None:
    table = Table(fake_run(30))
    with pytest.raises(KeyError, match="no column 'nonsense'"):
        table.scatter("nonsense", "qed")
    with pytest.raises(ValueError, match="no row holds both"):
        table.where(lambda row: False).pareto("qed", "logp")
    with pytest.raises(ValueError, match="no row has a pose"):
        table.where(lambda row: False).interactions()


def test_contact_maps_stand_side_by_side() -> None:
    text = Table(fake_run(60, posed=6)).interactions(4).text
    assert text.count("<figure") == 4
    assert text.count("data:image/svg+xml") == 4
