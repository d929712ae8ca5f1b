"""discovery propose, train and audit do what they say, and say a mistake in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from discovery.molecule import Molecule
from generative.cli import audit, propose, train
from tests.generative.models import DRUGS


def run(command: object, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("proposer", ["brics", "graph"])
def test_writes_a_smiles_file(tmp_path: Path, proposer: str) -> None:
    out = tmp_path / "new" / "molecules.smi"
    result = run(propose, "--n", "7", "--seed", "4", "--proposer", proposer, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "7 molecules written" in result.output
    rows = [line.split() for line in out.read_text().splitlines()]
    assert len({Molecule.parse(smiles).smiles for smiles, _ in rows}) == 7
    again = run(propose, "--n", "7", "--seed", "4", "--proposer", proposer)
    assert again.stdout == out.read_text()


def test_a_scaffold_on_the_command_line() -> None:
    result = run(propose, "--n", "3", "--scaffold", "*c1ccc2[nH]ccc2c1", "--avoid", "[Br,I]")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--proposer", "brics", "--molecules", "absent.smi"], "absent.smi cannot be opened"),
        (["--scaffold", "c1cc"], "c1cc is not a SMILES RDKit can read"),
        (["--proposer", "brics", "--like", "CCO"], "brics takes only --molecules"),
        (["--molecules", "mine.smi"], "belongs to --proposer brics"),
        (["--proposer", "grapf"], "no proposer called 'grapf'"),
        (["--weights", "absent.safetensors"], "absent.safetensors cannot be read"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: list[str], message: str) -> None:
    result = run(propose, *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_from_molecules_to_weights_to_molecules(tmp_path: Path) -> None:
    file = tmp_path / "series.smi"
    file.write_text("\n".join(DRUGS) + "\n")
    result = run(train, "--molecules", str(file), "--out", str(tmp_path / "model"), "--steps", "2")
    assert result.exit_code == 0, result.output
    weights = tmp_path / "model" / "model.safetensors"
    assert f"weights written to {weights}" in result.output
    made = run(propose, "--n", "1", "--weights", str(weights), "--like", DRUGS[0])
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == 1


def test_a_budget_that_is_no_time(tmp_path: Path) -> None:
    file = tmp_path / "series.smi"
    file.write_text("CCO\n")
    result = run(train, "--molecules", str(file), "--out", str(tmp_path), "--budget", "soon")
    assert result.exit_code == 2
    assert "write 90s, 20m or 2h" in result.output


def test_audit_prints_every_measure(tmp_path: Path) -> None:
    file = tmp_path / "made.smi"
    file.write_text("\n".join(DRUGS[:30]) + "\nnonsense\n")
    result = run(audit, str(file), "--reference", str(file))
    assert result.exit_code == 0, result.output
    assert "valid                    0.9677" in result.output
    assert "SNN                      1.0000" in result.output
