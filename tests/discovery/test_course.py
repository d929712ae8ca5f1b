"""Round by round: laws that must hold, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from discovery.views.course import course_svg, rounds_of
from discovery.views.table import Table
from tests.discovery.fake_run import HOSTILE, fake_run

RUN = fake_run(220, posed=12)


def test_every_row_is_counted_once_and_the_best_never_gets_worse() -> None:
    for column in ("overall", "docking", "qed"):
        rounds = rounds_of(RUN, column)
        assert sum(one.proposed for one in rounds) == len(RUN.rows)
        best = [one.best for one in rounds if one.best is not None]
        assert best == sorted(best, reverse=column == "docking")
    values = Table(RUN).values("docking").values()
    assert rounds_of(RUN, "docking")[-1].best == min(values)


def test_one_point_a_number() -> None:
    svg = ElementTree.fromstring(course_svg(RUN, "qed"))
    points = [element for element in svg.iter() if element.tag.endswith("circle")]
    assert len(points) == len(Table(RUN).values("qed"))


def test_hostile_names_stay_text() -> None:
    rows = tuple(replace(row, id=f"{row.id}{HOSTILE}") for row in RUN.rows)
    assert HOSTILE not in course_svg(replace(RUN, rows=rows), "qed")


def test_nothing_to_follow_is_said() -> None:
    with pytest.raises(KeyError, match="no column 'price'"):
        course_svg(RUN, "price")
    with pytest.raises(ValueError, match="nothing to follow"):
        course_svg(replace(RUN, rows=()), "qed")
    assert "<img" in Table(RUN).timeline("qed").text
