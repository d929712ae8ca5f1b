"""Two tables side by side; references: numpy's percentiles and scipy's Spearman."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Column, Score
from discovery.views.comparison import compare
from discovery.views.table import Table
from tests.discovery.fake_run import HOSTILE, fake_run

CHAINS = [Molecule.parse("C" * n) for n in range(1, 13)]
COLUMN = Column("logp", "1", "low", "logP")


def table(values: list[float], column: Column = COLUMN, first: int = 0) -> Table:
    molecules = CHAINS[first : first + len(values)]
    return Table.of(molecules, {column: [Score(value) for value in values]}, name="a")


def test_agreement_is_spearmans() -> None:
    """Reference: scipy.stats.spearmanr, ties included."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = rng.integers(0, 6, (2, 10)).astype(float)
        found = compare(table(a.tolist()).run, table(b.tolist()).run).columns[0].agreement
        if len(set(a)) == 1 or len(set(b)) == 1:
            assert found is None
        else:
            assert found == pytest.approx(stats.spearmanr(a, b).statistic)


def test_quartiles_and_shared_molecules() -> None:
    found = table([1, 2, 3, 4, 5.0]).compare(table([9, 8, 7.0], first=3), ("left", "right"))
    (one,) = found.columns
    assert one.one is not None
    assert one.other is not None
    assert (one.one.first, one.one.middle, one.one.third) == tuple(
        np.percentile([1, 2, 3, 4, 5], [25, 50, 75])
    )
    assert found.shared == one.shared == 2
    assert one.agreement is None  # two molecules in both say nothing of an order
    assert found.sizes == (5, 3)


def test_gaps_are_counted_not_drawn_as_zero() -> None:
    empty = Table.of(CHAINS[:2], {COLUMN: [Missing("x", Reason.TIMED_OUT, "no")] * 2})
    found = empty.compare(table([1.0, 2.0]))
    assert found.columns[0].one is None
    assert "0" in found._repr_html_()


def test_numbers_in_other_units_do_not_stand_beside_each_other() -> None:
    with pytest.raises(ValueError, match=r"kcal/mol.*in 1 in|in 1 in.*kcal/mol"):
        table([1.0]).compare(table([1.0], replace(COLUMN, unit="kcal/mol")))


def test_a_run_against_itself_agrees_and_names_stay_text() -> None:
    run = fake_run(120, posed=8)
    found = compare(run, run)
    assert all(one.agreement == pytest.approx(1.0) for one in found.columns if one.agreement is not None)
    assert found.columns[0].column.name == "overall"
    assert HOSTILE not in found._repr_html_()
