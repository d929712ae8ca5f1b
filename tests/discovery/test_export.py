"""Every row leaves, with its reason; nothing that leaves is run by who opens it."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from discovery.outcome import Missing
from discovery.score import Score
from discovery.views.export import _line, cells, header, inert_cell, write_csv, write_excel, write_sdf
from discovery.views.reading import pose_of
from tests.discovery.fake_run import HOSTILE_TEXTS, fake_run

FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")  # OWASP's list for CSV injection, and DDE's separator


@given(st.one_of(st.text(), st.tuples(st.sampled_from(FORMULA), st.text()).map("".join)))
@settings(max_examples=300, derandomize=True)
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = inert_cell(text)
    assert isinstance(cell, str)
    assert not cell.startswith(FORMULA)
    assert not cell.lstrip().startswith(FORMULA)


def test_numbers_stay_numbers() -> None:
    assert inert_cell(-9.1) == -9.1
    assert inert_cell(None) == ""


def test_csv_reads_back_row_for_row() -> None:
    run = fake_run()
    buffer = io.StringIO()
    write_csv(run, buffer)
    lines = list(csv.DictReader(io.StringIO(buffer.getvalue())))
    assert [line["id"] for line in lines] == [row.id for row in run.rows]
    for line, row in zip(lines, run.rows, strict=True):
        for column in run.columns:
            outcome = row.outcomes[column.name]
            unit = "" if column.unit == "1" else f" [{column.unit}]"
            if isinstance(outcome, Score):
                assert float(line[f"{column.name}{unit}"]) == outcome.value
            else:
                assert isinstance(outcome, Missing)
                assert line[f"{column.name}{unit}"] == ""
                assert line[f"{column.name} missing"] == outcome.reason.value
        assert line["missing_reason"] == (row.missing.reason.value if row.missing else "")
        assert (line["rank"] == "") == (row.rank is None)
    for line in lines:
        assert not any(value.startswith(("=", "@", "+")) for value in line.values())
    assert any(line["as_proposed"].startswith("'=cmd|") for line in lines)
    assert "\x1b" not in buffer.getvalue()
    assert "\0" not in buffer.getvalue()


def test_csv_file_appears_whole(tmp_path: Path) -> None:
    run = fake_run()
    write_csv(run, tmp_path / "t.csv")
    assert len((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()) == len(run.rows) + 1
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_sdf_reads_back_in_rdkit(tmp_path: Path) -> None:
    """Reference: RDKit's reader. Poses keep their coordinates, rows without a structure keep their place."""
    run = fake_run()
    run = replace(run, rows=(replace(run.rows[0], name="AZ-7"), *run.rows[1:]))
    posed = write_sdf(run, tmp_path / "t.sdf")
    assert posed == sum(bool(pose_of(row)) for row in run.rows) == 14
    read = list(Chem.SDMolSupplier(str(tmp_path / "t.sdf"), removeHs=False))
    assert len(read) == len(run.rows)
    for mol, row in zip(read, run.rows, strict=True):
        assert mol.GetProp("_Name") == row.title
        if not row.smiles:
            assert mol.GetNumAtoms() == 0
            continue
        assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.CanonSmiles(row.smiles)
        if pose_of(row):
            theirs = Chem.MolFromMolBlock(pose_of(row), removeHs=False).GetConformer().GetPositions()
            assert mol.GetConformer().GetPositions() == pytest.approx(theirs)
            assert float(mol.GetProp("docking [kcal/mol]")) == row.outcomes["docking"].value


@given(st.text(max_size=60))
@settings(max_examples=150, derandomize=True)
def test_no_text_ends_a_record_early(text: str) -> None:
    line = _line(text)
    assert len(line.splitlines()) <= 1
    assert not line.startswith(("$$$$", ">"))


def test_excel_shows_structures_and_runs_nothing(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl, of the lab extra, is absent")
    run = fake_run()
    write_excel(run, tmp_path / "t.xlsx", pictures=20)
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["molecules"]
    assert sheet.max_row == len(run.rows) + 1
    assert [cell.value for cell in sheet[1]] == ["structure", *header(run.columns)]
    assert len(sheet._images) == 20
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {
        "s",
        "n",
    }  # "f" would be a formula
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        xml = book.read("xl/worksheets/sheet1.xml")
    assert not list(
        ElementTree.fromstring(xml).iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f")
    )
    first = [cell.value for cell in sheet[2]][1:]
    theirs = [value if value != "" else None for value in cells(run.rows[0], run.columns)]
    for cell, value in zip(first, theirs, strict=True):
        assert cell == (pytest.approx(value) if isinstance(value, float) else value)


def test_hostile_texts_are_all_in_the_fake_run() -> None:
    """So that the tests above can fail."""
    assert {row.text for row in fake_run().unranked} >= set(HOSTILE_TEXTS)
