"""The scorer says what plan.py found; the command says it in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from discovery.cli import app
from discovery.molecule import Molecule
from discovery.record import IntakeError
from discovery.score import Score, Scorer
from generative.routes.scorer import RouteFromStock

MOCLOBEMIDE = "O=C(NCCN1CCOCC1)c1ccc(Cl)cc1"


def test_a_whole_route_is_one_with_its_steps() -> None:
    scorer = RouteFromStock()
    assert isinstance(scorer, Scorer)
    made, lost = scorer([Molecule.parse(MOCLOBEMIDE), Molecule.parse("C1CC2CC1C1CC21")])
    assert isinstance(made, Score)
    assert isinstance(lost, Score)
    assert (made.value, lost.value) == (1.0, 0.0)
    assert json.loads(json.dumps(made.details)) == {
        "route": [f"1. amide coupling: O=C(O)c1ccc(Cl)cc1 + NCCN1CCOCC1 -> {MOCLOBEMIDE}"],
        "buy": ["NCCN1CCOCC1", "O=C(O)c1ccc(Cl)cc1"],
        "lacking": [],
        "searched_all": True,
    }
    assert lost.details["lacking"]


def test_no_steps_means_on_the_shelf_or_not() -> None:
    shelf, made = RouteFromStock(steps=0)([Molecule.parse("CC(=O)Nc1ccc(O)cc1"), Molecule.parse(MOCLOBEMIDE)])
    assert isinstance(shelf, Score)
    assert isinstance(made, Score)
    assert (shelf.value, made.value) == (1.0, 0.0)


def test_a_shelf_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="does not exist"):
        RouteFromStock(stock=tmp_path / "none.smi")


def test_the_command(tmp_path: Path) -> None:
    library = tmp_path / "library.smi"
    library.write_text(f"{MOCLOBEMIDE} moclobemide\nC1CC broken\n")
    done = CliRunner().invoke(app, ["route", str(library)])
    assert done.exit_code == 0
    assert "moclobemide: 1 step from 2 blocks" in done.output
    assert "1. amide coupling: " in done.output
    assert "library.smi, line 2: broken is not a SMILES" in done.output
    assert "1 of 2 can be made" in done.output
    gone = CliRunner().invoke(app, ["route", "CCO", "--stock", str(tmp_path / "none.smi")])
    assert gone.exit_code != 0
    salt = CliRunner().invoke(app, ["route", f"{MOCLOBEMIDE}.Cl"])
    assert "1 of 1 can be made" in salt.output
    for words in (["C1CC"], [str(tmp_path / "none.smi")], [str(tmp_path)]):
        assert CliRunner().invoke(app, ["route", *words]).exit_code != 0, words
