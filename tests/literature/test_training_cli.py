"""The command must say what is missing before it trains for hours."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch")

from discovery.outcome import UserError
from literature.training.cli import train_reader


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([], "BC5CDR_TrainDev.PubTator.gz is absent"),
        (["--budget", "soon"], "'soon' is no length of time"),
        (["--resume"], "BC5CDR_TrainDev.PubTator.gz is absent"),  # nothing to go on from: it begins
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, more: list[str], says: str) -> None:
    app = typer.Typer()
    app.command()(train_reader)
    done = CliRunner().invoke(app, ["--data", str(tmp_path), "--out", str(tmp_path / "out"), *more])
    assert isinstance(done.exception, UserError)  # which `discovery` prints as one line
    assert says in str(done.exception)
