"""The commands, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from discovery.doors import refusal
from literature import cli

app = typer.Typer()
app.command("dossier")(cli.dossier)
app.command("mine")(cli.mine)
app.command("annotate")(cli.annotate)
app.command("graph")(cli.graph)
app.command("search")(cli.search)
app.command("ask")(cli.ask)
app.command("targets")(cli.targets)
app.command("compounds")(cli.compounds)
app.command("fetch-pubmed")(cli.fetch_pubmed)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    said = refusal(result.exception) if isinstance(result.exception, Exception) else None
    return (2, f"error: {said}\n") if said else (result.exit_code, result.output)


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
        ("dossier", "HTR1Q", "--out", str(tmp_path / "d.html")),
        ("mine", str(tmp_path / "none"), "--out", str(tmp_path / "o")),
        ("annotate", "example", "--out", str(tmp_path / "o.tsv")),
        ("graph", str(tmp_path)),
        ("search", str(tmp_path), "words"),
        ("ask", str(tmp_path), "Is it?"),
        ("targets", str(tmp_path), "flurble"),
        ("fetch-pubmed", "words", "--out", str(tmp_path / "p"), "--email", "nobody"),
    ):
        code, output = run(*words)
        assert code == 2
        assert len(output.strip().splitlines()) == 1
        assert "Traceback" not in output


def test_from_articles_to_answers(tmp_path: Path) -> None:
    """mine, then every command that asks the folder; nothing raw reaches the terminal."""
    mined = str(tmp_path / "mined")
    assert run("mine", "example", "--out", mined)[0] == 0
    for words, said in (
        (("graph", mined), "antagonist of"),
        (("graph", mined, "--sql", "SELECT count(*) AS n FROM documents"), "60"),
        (("graph", mined, "--out", str(tmp_path / "g.graphml")), "nodes"),
        (("search", mined, "coronary contraction", "--n", "2"), "EXAMPLE:"),
        (("search", mined, "arteries", "--entity", "HTR1B", "--json"), '"named": ["NCBIGene:3351"]'),
        (("search", mined, "painkillers"), "no sentence holds a word of this"),
        (("ask", mined, "Does sumatriptan relieve migraine?"), "[1]"),
        (("targets", mined, "migraine"), "HTR1B"),
        (("compounds", mined, "HTR1B", "--n", "50"), "against:"),
        (
            ("annotate", "example", "--out", str(tmp_path / "o.pubtator"), "--reader", "dictionary"),
            "60 documents",
        ),
    ):
        code, output = run(*words)
        assert code == 0, output
        assert said in output
        assert "\x1b" not in output
    assert "no sentence holds" not in run("search", mined, "coronary contraction")[1]
