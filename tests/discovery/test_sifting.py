"""Rows are found by text, substructure and numbers; references: RDKit's own matching and plain sorting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from discovery.views.sifting import Question, Sifter, SiftingError
from discovery.views.table import Table
from tests.discovery.fake_run import fake_run

RUN = fake_run(150, posed=8)
SIFTER = Sifter(RUN)


def names(**asked: object) -> list[str]:
    return [SIFTER.ids[place] for place in SIFTER.find(Question.of(asked))]


def test_everything_in_the_tables_order_when_nothing_is_asked() -> None:
    assert names() == [row.id for row in RUN.rows]


@pytest.mark.parametrize("smarts", ["c1ccc2[nH]ccc2c1", "S(=O)(=O)", "[F,Cl]", "C1CCNCC1"])
def test_substructures_agree_with_rdkit(smarts: str) -> None:
    """Reference: RDKit's HasSubstructMatch, one molecule at a time."""
    pattern = Chem.MolFromSmarts(smarts)
    mols = {row.id: Chem.MolFromSmiles(row.smiles) for row in RUN.rows if row.smiles}
    expected = [id for id, mol in mols.items() if mol is not None and mol.HasSubstructMatch(pattern)]
    assert names(smarts=smarts) == expected
    assert expected


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    low=st.floats(-2, 8),
    high=st.floats(-2, 8),
    down=st.booleans(),
    column=st.sampled_from(["logp", "qed", "docking"]),
)
def test_limits_and_order_agree_with_plain_python(low: float, high: float, down: bool, column: str) -> None:
    values = {
        row.id: value for row in RUN.rows if (value := Table(RUN).values(column).get(row.id)) is not None
    }
    kept = {id for id, value in values.items() if low <= value <= high}
    found = names(between={column: [low, high]}, sort=column, descending=down)
    assert set(found) == kept
    assert [values[id] for id in found] == sorted((values[id] for id in kept), reverse=down)


def test_rows_without_a_number_sort_last_both_ways() -> None:
    docked = Table(RUN).values("docking")
    for down in (True, False):
        found = names(sort="docking", descending=down)
        assert len(found) == len(RUN.rows)
        assert set(found[: len(docked)]) == set(docked)


def test_text_is_found_in_names_alerts_and_reasons() -> None:
    assert names(text=RUN.rows[3].id.upper()) == [RUN.rows[3].id]
    assert all("timed out" in str(RUN.rows[SIFTER.place[id]].missing) for id in names(text="timed out"))
    assert names(text="no such text anywhere") == []


def test_only_what_was_chosen() -> None:
    chosen = frozenset({RUN.rows[5].id, RUN.rows[1].id})
    found = SIFTER.find(Question.of({"chosen": True}, chosen))
    assert [SIFTER.ids[place] for place in found] == [RUN.rows[1].id, RUN.rows[5].id]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"smarts": "c1cc"}, "no SMARTS"),
        ({"smarts": "\x00("}, "no SMARTS"),
        ({"sort": "price"}, "no column 'price'"),
        ({"between": {"price": [0, 1]}}, "no column 'price'"),
        ({"between": {"logp": [0]}}, "two numbers"),
        ({"between": 7}, "map columns"),
    ],
)
def test_a_question_that_makes_no_sense_is_named(asked: dict[str, object], said: str) -> None:
    with pytest.raises(SiftingError, match=said):
        names(**asked)


def test_a_page_holds_pictures_numbers_and_reasons_and_no_markup() -> None:
    page = SIFTER.page(np.arange(len(RUN.rows)), marked="c1ccccc1")
    assert len(page) == len(RUN.rows)
    assert sum(card["picture"].startswith("data:image/png;base64,") for card in page) >= 138
    for card, row in zip(page, RUN.rows, strict=True):
        assert [label for label, _ in card["values"]][:2] == ["Rank", "Overall"]
        assert bool(card["why"]) == (row.missing is not None)
        assert "\x1b" not in "".join(str(value) for value in card.values())


def test_ranges_are_of_the_numbers_there() -> None:
    values = list(Table(RUN).values("qed").values())
    assert SIFTER.ranges()["qed"] == (min(values), max(values))
    assert all(math.isfinite(end) for ends in SIFTER.ranges().values() for end in ends)


def test_an_empty_table_can_be_asked() -> None:
    empty = Sifter(Table.of([], {}).run)
    assert len(empty.find(Question(text="x", smarts="C"))) == 0
