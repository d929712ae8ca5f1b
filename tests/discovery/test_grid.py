"""The widget's kernel side: what a browser asks is answered, and the choice comes back as rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rdkit import Chem

from discovery.views.table import Table
from tests.discovery.fake_run import fake_run

pytest.importorskip("anywidget", reason="anywidget, of the lab extra, is absent")

TABLE = Table(fake_run(150, posed=8))


def asked(grid: Any, **question: Any) -> dict[str, Any]:
    grid.asked = {**question, "serial": grid.shown["serial"] + 1}
    return dict(grid.shown)


def test_pages_hold_all_rows_once() -> None:
    grid = TABLE.grid(page=40)
    seen: list[str] = []
    for page in range(grid.shown["pages"]):
        seen += [row["id"] for row in asked(grid, page=page)["rows"]]
    assert seen == [row.id for row in TABLE.run.rows]
    assert asked(grid, page=10_000)["page"] == grid.shown["pages"] - 1


def test_what_was_drawn_ahead_is_what_is_asked_next() -> None:
    grid, sent = TABLE.grid(page=20), {}
    grid.observe(lambda change: sent.update({change["new"]["page"]: change["new"]}), names="ahead")
    first = asked(grid, sort="logp", page=0, question=1)
    assert sorted(sent) == [1, 2, 3]  # a reader who leafs without looking finds them there
    assert {one["question"] for one in sent.values()} == {first["question"]} == {1}
    assert asked(grid, sort="logp", page=1, question=1)["rows"] == sent[1]["rows"]
    assert sorted(sent) == [1, 2, 3, 4]  # none twice
    asked(grid, sort="qed", page=0, question=2)
    assert [one["question"] for one in sent.values()] == [2, 2, 2, 1]


def test_a_page_that_is_there_does_not_travel_again() -> None:
    grid = TABLE.grid(page=20)
    answer = asked(grid, page=1, held=True)
    assert answer["rows"] is None
    assert (answer["held"], answer["page"], answer["found"]) == (True, 1, 150)


def test_a_choice_comes_back_as_rows() -> None:
    grid = TABLE.grid()
    asked(grid, smarts="S(=O)(=O)")
    found = grid.shown["found"]
    grid._handle_custom_msg({"found": grid.asked}, [])
    assert len(grid.table()) == found > 0
    pattern = Chem.MolFromSmarts("S(=O)(=O)")
    assert all(Chem.MolFromSmiles(row.smiles).HasSubstructMatch(pattern) for row in grid.table().run.rows)
    assert asked(grid, chosen=True)["found"] == found
    one = grid.selected[0]
    grid._handle_custom_msg({"ids": [one], "on": False}, [])
    assert len(grid.table()) == found - 1
    grid._handle_custom_msg({"found": {"smarts": "c1cc"}}, [])  # half typed: finds nothing, changes nothing
    assert len(grid.table()) == found - 1
    grid._handle_custom_msg({"none": 1}, [])
    assert len(grid.table()) == 0
    grid._handle_custom_msg({"ids": [one], "on": True}, [])
    assert grid.selected == [one]


def test_a_half_typed_pattern_is_said_and_the_page_stays() -> None:
    grid = TABLE.grid()
    before = grid.shown["rows"]
    after = asked(grid, smarts="c1cc")
    assert "SMARTS" in after["error"]
    assert after["rows"] == before
    assert asked(grid, smarts="c1ccccc1")["error"] == ""


@pytest.mark.parametrize(
    "odd", [{"page": "x"}, {"between": {"logp": ["a", 1]}}, {"between": [1]}, {"sort": 3}]
)
def test_nonsense_from_the_browser_is_answered_not_raised(odd: dict[str, Any]) -> None:
    assert asked(TABLE.grid(), **odd)["error"]


def test_what_travels_is_plain_and_asks_nobody() -> None:
    grid = TABLE.grid()
    for trait in (grid.about, grid.shown, grid.ahead):
        json.dumps(trait, allow_nan=False)
    for text in (grid._esm, grid._css):
        assert "http" not in str(text)
        assert "innerHTML" not in str(text)


def test_pictures_stay_when_the_kernel_is_gone() -> None:
    made = TABLE.grid()._repr_mimebundle_()
    data = made[0] if isinstance(made, tuple) else made
    assert data["text/html"].count("<img") == 1
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_page_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        TABLE.grid(page=0)
