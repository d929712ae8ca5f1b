"""Reading a table of structures and numbers: every row is there, with its number or its reason."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from discovery.gathering import run_of_file
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Column, Score
from discovery.series import measured
from discovery.series.measured import Entry, SeriesError, _negative_log, unit_said
from tests.discovery.fake_run import fake_run

TABLE = """name,smiles,Ki nM,note
a,CCO,10,fine
b,C1CC,20,no structure
c,CCN,,no number
d,CCC,>1000,a bound
e,CCCl,0,no concentration
f,CCF,soon,no number
g,OCC,1000,a again
a,CCBr,1,the name again
h,CCI,nan,no number
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "ki.csv"
    path.write_text(TABLE)
    return path


def test_every_row_is_there_with_its_reason(table: Path) -> None:
    found = measured.read(table, "Ki nM", concentration="nM")
    assert len(found.entries) == 9
    reasons = {entry.id: entry.missing.reason for entry in found.entries if entry.missing}
    assert reasons == {
        "b": Reason.UNPARSABLE,
        "c": Reason.NO_NUMBER,
        "d": Reason.BOUND,
        "e": Reason.NO_NUMBER,
        "f": Reason.NO_NUMBER,
        "g": Reason.DUPLICATE,
        "h": Reason.NO_NUMBER,
    }
    assert [found.entries[place].id for place in found.usable] == ["a", "a (line 9)"]
    bound = found.entries[3].missing
    assert bound is not None
    assert "line 5" in bound.detail
    assert "'>1000' is a bound" in bound.detail


def test_concentrations_and_repeated_measurements(table: Path) -> None:
    """10 nM is 8, 1 µM is 6: their mean is 7 and their sample standard deviation √2."""
    first = measured.read(table, "Ki nM", concentration="nM").entries[0].activity
    assert isinstance(first, Score)
    assert first.value == pytest.approx(7.0)
    assert first.error == pytest.approx(math.sqrt(2))
    assert first.details == {"measurements": 2}


@pytest.mark.parametrize(("unit", "shown"), [("M", 0.0), ("mM", 3.0), ("uM", 6.0), ("nM", 9.0), ("pM", 12.0)])
def test_units_of_concentration(tmp_path: Path, unit: str, shown: float) -> None:
    path = tmp_path / "c.csv"
    path.write_text("smiles,c\nCCO,1\nCCC,100\n")
    found = measured.read(path, "c", concentration=unit)
    assert [found.value(place) for place in found.usable] == pytest.approx([shown, shown - 2])


def test_the_error_of_a_concentration_is_that_of_its_logarithm(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("smiles,Ki (nM)\nCCO,10 ± 2.302585\n")
    found = measured.read(path, "Ki (nM)").entries[0].activity
    assert isinstance(found, Score)
    assert (found.value, found.error) == pytest.approx((8.0, 0.1))


def test_a_wrong_column_is_named_with_the_nearest(table: Path) -> None:
    with pytest.raises(SeriesError, match="did you mean 'Ki nM'"):
        measured.read(table, "Ki nm")
    with pytest.raises(SeriesError, match="one of M, mM"):
        measured.read(table, "Ki nM", concentration="g")
    with pytest.raises(SeriesError, match="none of the 9 rows"):
        measured.read(table, "note")


def test_two_rows_of_one_name_are_refused() -> None:
    entry = Entry("x", "CCO", Molecule.parse("CCO", "x"), Score(1.0))
    with pytest.raises(SeriesError, match="two rows of series are called 'x'"):
        measured.of([entry, entry], Column("y", "1", "high"))


def test_a_run_becomes_a_series() -> None:
    run = fake_run()
    found = measured.of_run(run, "qed")
    assert len(found.entries) == len(run.rows)
    for entry, row in zip(found.entries, run.rows, strict=True):
        score = row.outcomes["qed"]
        if isinstance(score, Missing):
            assert entry.missing is not None
        elif entry.missing is None:
            assert found.column.name == "qed"
    with pytest.raises(SeriesError, match="no column 'pki'"):
        measured.of_run(run, "pki")


@pytest.mark.parametrize(
    ("column", "unit", "label"),
    [
        ("JAK2 IC50 (nM)", "nM", "JAK2 pIC50"), ("IC50_nM", "nM", "pIC50"), ("Ki [µM]", "µM", "pKi"),
        ("Kd", "M", "pKd"), ("exp_mean [nM]", "nM", "−log10(exp_mean / M)"), ("nM", "nM", "−log10(nM / M)"),
        ("Kinase assay, nM", "nM", "−log10(Kinase assay / M)"),
    ],
)  # fmt: skip
def test_concentrations_become_what_chemists_call_them(column: str, unit: str, label: str) -> None:
    assert _negative_log(column, unit) == label


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("JAK2 IC50 (nM)", "nM"), ("Ki_uM", "uM"), ("Kd [M]", "M"), ("pIC50", None), ("IC50", None), ("Temperature (mM)", None),
        ("IC50 (mg/L)", None),
    ],
)  # fmt: skip
def test_a_head_tells_its_unit(column: str, unit: str | None) -> None:
    assert unit_said(column) == unit


def test_numbers_of_a_concentration_are_taken_as_such(tmp_path: Path) -> None:
    path = tmp_path / "ic50.csv"
    path.write_text("id,smiles,IC50 (nM)\na,CCO,10\nb,CCN,1000\n")
    found = measured.read(path, "IC50 (nM)")
    assert (found.column.label, found.column.better) == ("pIC50", "high")
    assert [found.value(place) for place in found.usable] == pytest.approx([8.0, 6.0])
    raw = measured.read(path, "IC50 (nM)", better="low")
    assert [raw.value(place) for place in raw.usable] == [10.0, 1000.0]


@pytest.mark.parametrize(
    ("head", "better"),
    [
        ("IC50", "low"), ("pIC50", "high"), ("JAK2 Ki", "low"), ("dG", "low"), ("ΔG (kcal/mol)", "low"), ("delta G", "low"),
        ("LOG HLM_CLint (mL/min/kg)", "low"), ("clearance", "low"), ("Clinical phase", "high"),
        ("-dG", "high"), ("score [kcal/mol]", "low"), ("dGMP", "high"), ("inhibition at 10 nM", "high"), ("response", "high"),
    ],
)  # fmt: skip
def test_a_head_tells_which_numbers_are_the_better_ones(tmp_path: Path, head: str, better: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"id,smiles,{head}\na,CCO,10\nb,CCN,1000\n")
    assert measured.read(path, head).column.better == better
    assert run_of_file(path).columns[0].better == better
