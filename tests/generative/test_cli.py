"""discovery propose writes what it proposes, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from discovery.molecule import Molecule
from generative.cli import propose


def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(propose)
    return made


def test_writes_a_smiles_file(tmp_path: Path) -> None:
    out = tmp_path / "new" / "molecules.smi"
    result = CliRunner().invoke(app(), ["--n", "7", "--seed", "4", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "7 molecules written" in result.output
    rows = [line.split() for line in out.read_text().splitlines()]
    assert len({Molecule.parse(smiles).smiles for smiles, _ in rows}) == 7
    again = CliRunner().invoke(app(), ["--n", "7", "--seed", "4"])
    assert again.stdout == out.read_text()


def test_a_bad_file_is_said_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app(), ["--molecules", str(tmp_path / "absent.smi")])
    assert result.exit_code == 2
    assert "absent.smi cannot be opened" in result.output
    assert "Traceback" not in result.output
