"""`discovery dock` at the command line."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from docking.cli import dock
from docking.receptor import DockingError

APP = typer.Typer()
APP.command()(dock)


def asked(*words: str) -> None:
    result = CliRunner().invoke(APP, list(words), catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("c1ccccc1 benzene\nnonsense bad\n")
    return path


def test_docks_a_library(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked(
        "--receptor",
        "demo:5HT1B",
        "--ligands",
        str(library),
        "--out",
        str(out),
        "--effort",
        "fast",
        "--poses",
        "1",
    )
    rows = pq.read_table(out / "scores.parquet").to_pylist()
    assert [row["missing"] for row in rows] == [None, "unparsable"]
    assert rows[0]["score"] < -2
    assert (out / "poses.sdf").read_text().count("$$$$") == 1
    assert "4IAR" in (out / "report.txt").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--receptor", "nowhere.pdb", "--around", "a.sdf"], "no structure file nowhere.pdb"),
        (["--receptor", "demo:5HT1B", "--center", "1,2,3"], "--center and --size go together"),
        (["--receptor", "demo:5HT1B", "--center", "1,2", "--size", "20,20,20"], "three numbers"),
        (["--receptor", "demo:5HT1B", "--around", "a.sdf", "--residues", "A:ASP129"], "one of --around"),
        (["--receptor", "demo:5HT1B", "--effort", "heroic"], "fast, balanced, thorough"),
        (["--receptor", "demo:5HT1B", "--residues", "A:ASP999"], "no residue A:ASP999"),
        (["--receptor", "demo:5HT1B", "--protonation", "A:HIS57"], "A:HIS57=HIP"),
        (["--receptor", "demo:5HT1B", "--keep", "HOH"], "prepared already"),
    ],
)
def test_what_cannot_be_is_said(library: Path, tmp_path: Path, words: list[str], says: str) -> None:
    with pytest.raises(DockingError, match=says):
        asked(*words, "--ligands", str(library), "--out", str(tmp_path / "out"))
