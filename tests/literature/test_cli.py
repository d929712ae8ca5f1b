"""The commands, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from literature import cli

app = typer.Typer()
app.command("dossier")(cli.dossier)
app.command("mine")(cli.mine)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_dossier_on_the_screen() -> None:
    code, output = run("dossier", "HTR1B")
    assert code == 0
    assert "sumatriptan" in output
    assert "not literature" in output


@pytest.mark.parametrize("ending", ["html", "md", "json", "txt"])
def test_dossier_into_a_file(tmp_path: Path, ending: str) -> None:
    out = tmp_path / "new" / f"d.{ending}"
    code, output = run("dossier", "HTR1B", "--out", str(out))
    assert code == 0, output
    assert "sumatriptan" in out.read_text(encoding="utf-8")
    if ending == "json":
        assert json.loads(out.read_text(encoding="utf-8"))["articles"] == 60


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    for words in (
        ("dossier", "HTR1B", "--corpus", str(tmp_path / "none")),
        ("dossier", "HTR1B", "--out", str(tmp_path / "d.pdf")),
        ("mine", str(tmp_path / "none"), "--out", str(tmp_path / "o")),
    ):
        code, output = run(*words)
        assert code == 2
        assert len(output.strip().splitlines()) == 1
        assert "Traceback" not in output
