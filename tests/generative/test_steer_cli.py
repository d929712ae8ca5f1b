"""`discovery steer` spends its budget, stops and goes on to the same bytes, and names what does not fit."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from typer.testing import CliRunner

from discovery.cli import app

HEAD = """
[steer]
name = "small amines"
budget = 45
batch = 15
workers = 0
molecules = "start.smi"
avoid = ["[F,Cl,Br,I]"]
{more}
[steer.settings]
opening = 15
search = {{ oversample = 3, generations = 2 }}

[[scorers]]
use = "descriptor"
settings = {{ name = "mw" }}
desirability = {{ shape = "window", low = 250, high = 350 }}

[[scorers]]
use = "qed"
best = 12
desirability = {{ shape = "higher", low = 0.2, high = 0.9 }}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    drugs = Path(__file__).resolve().parents[2] / "generative/data/drugs.smi"
    (tmp_path / "start.smi").write_text(drugs.read_text())
    path = tmp_path / "steer.toml"
    path.write_text(HEAD.format(more='collection = "start.smi"'))
    return path


def steer(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["steer", *map(str, arguments), "--progress", "silent"])
    said = result.output + (str(result.exception) if result.exception else "")
    return result.exit_code, said


def test_stopping_after_some_rounds_and_going_on_gives_the_same_bytes(config: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert steer(config, "--out", whole)[0] == 0
    code, said = steer(config, "--out", parts, "--rounds", 1)
    assert (code, "The same command goes on" in said) == (75, True)
    code, said = steer(config, "--out", parts, "--fresh")
    assert code != 0
    assert "without --fresh its run goes on" in said
    assert steer(config, "--out", parts)[0] == 0
    for name in ("molecules.csv", "molecules.sdf"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    rows = list(csv.DictReader((whole / "molecules.csv").open()))
    assert len(rows) == pq.read_table(whole / "molecules.parquet").num_rows == 45
    smiles = {row["smiles"] for row in rows}
    assert len(smiles) >= 42  # what was cut before a stage taught nothing, and may be proposed again
    halogen = Chem.MolFromSmarts("[F,Cl,Br,I]")
    assert not any(Chem.MolFromSmiles(one).HasSubstructMatch(halogen) for one in smiles)


def test_all_compromises_may_be_asked_for(config: Path, tmp_path: Path) -> None:
    config.write_text(HEAD.format(more="pareto = true").replace("budget = 45", "budget = 30"))
    assert steer(config, "--out", tmp_path / "out")[0] == 0
    assert len(list(csv.DictReader((tmp_path / "out/molecules.csv").open()))) == 30


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batch = 15", "batch = 20", r"budget 45 is no multiple of batch 20; say 40 or 60"),
        ("batch = 15", "bach = 15", r"no setting 'bach'; did you mean 'batch'\?"),
        ('"start.smi"', '"begin.smi"', r"molecules: there is no file .*begin\.smi"),
        ('collection = "start', 'collection = "stop', r"collection: there is no file .*stop\.smi"),
        ("[steer]\n", "[stear]\n", r"unknown key 'stear'"),
        ("[[scorers]]", "rounds = 3\n[[scorers]]", r"has no setting 'rounds'"),
        ("budget = 45", "budget = none", r"not valid TOML"),
        ('"qed"', '"qued"', r"there is no scorer called 'qued'; did you mean 'qed'\?"),
        ("opening = 15", "opening = 1", r"opening is at least 12, not 1"),
        ("[F,Cl,Br,I]", "[F,Cl", r"avoid: \[F,Cl is not a SMARTS"),
    ],
)
def test_what_does_not_fit_is_named(config: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    config.write_text(config.read_text().replace(old, new, 1))
    code, output = steer(config, "--out", tmp_path / "out")
    assert code != 0
    assert re.search(said, output), output
