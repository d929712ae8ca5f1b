"""discovery propose, train and audit do what they say, and say a mistake in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from filelock import FileLock
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt, CalcTPSA
from typer.testing import CliRunner, Result

from discovery.molecule import Molecule
from discovery.outcome import UserError
from generative.cli import audit, propose, train
from generative.sampling import Sample, Sampler
from tests.generative.models import DRUGS

AMIDE = Chem.MolFromSmarts("C(=O)N")


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


@pytest.mark.parametrize("asked", [(), ("--scaffold", "*C[C@H](N)c1ccccc1")])
def test_a_stopped_order_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    monkeypatch.setattr("generative.sampling.BLOCK", 24)
    order = ("--n", "30", *asked, "--out")
    whole, out, part = (tmp_path / name for name in ("whole.smi", "new.smi", "new.smi.part"))
    counted = run(propose, *order, str(whole)).stderr
    block = Sampler.block

    def stopping(sampler: Sampler, seed: int, number: int) -> list[Sample]:
        if number == 1:
            raise KeyboardInterrupt
        return block(sampler, seed, number)

    monkeypatch.setattr(Sampler, "block", stopping)
    assert run(propose, *order, str(out)).exit_code != 0
    assert 0 < len(part.read_text().splitlines()) < 24
    with part.open("a") as file:
        file.write("CCO cut sho")  # as a kill leaves it
    monkeypatch.setattr(Sampler, "block", block)
    other = run(propose, "--seed", "5", *order, str(out))
    assert "begun otherwise (different: seed)" in str(other.exception)
    with FileLock(tmp_path / ".new.smi.lock"):  # as another process holds it
        assert "another process is writing" in str(run(propose, *order, str(out)).exception)
    assert run(propose, *order, str(out)).stderr == counted
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [out, whole]


def test_pieces_of_drugs_keep_to_the_weight_asked_for() -> None:
    result = run(propose, "--proposer", "brics", "--n", "8", "--max-weight", "260")
    light = [Chem.MolFromSmiles(line.split()[0]) for line in result.stdout.splitlines()]
    assert len(light) == 8
    assert all(200 <= CalcExactMolWt(mol) <= 260 for mol in light)


def test_a_scaffold_on_the_command_line() -> None:
    result = run(propose, "--n", "3", "--scaffold", "*c1ccc2[nH]ccc2c1", "--avoid", "[Br,I]")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 3


def test_what_was_left_out_is_counted() -> None:
    result = run(propose, "--n", "20", "--avoid", "C(=O)N")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 20
    assert not any(
        Molecule.parse(line.split()[0]).mol().HasSubstructMatch(AMIDE) for line in result.stdout.splitlines()
    )
    counted = re.search(r"built besides and left out: .*?(\d+) holds what must be avoided", result.stderr)
    assert counted is not None
    assert int(counted[1]) > 0


def test_properties_asked_on_the_command_line() -> None:
    """Molecules asked to be light and polar are lighter and more polar than those asked to be neither."""
    means = []
    for asked in (["mw=260", "tpsa=90"], ["mw=440", "tpsa=40"]):
        options = [text for one in asked for text in ("--condition", one)]
        result = run(propose, "--n", "40", *options)
        assert result.exit_code == 0, result.output
        mols = [Molecule.parse(line.split()[0]).mol() for line in result.stdout.splitlines()]
        means.append([sum(f(mol) for mol in mols) / len(mols) for f in (CalcExactMolWt, CalcTPSA)])
    (light, polar), (heavy, greasy) = means
    assert light < heavy - 60
    assert polar > greasy + 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--proposer", "brics", "--molecules", "absent.smi"], "absent.smi does not exist"),
        (["--scaffold", "c1cc"], "c1cc is not a SMILES RDKit can read"),
        (["--proposer", "brics", "--like", "CCO"], "brics takes no --like; the graph proposer does"),
        (["--proposer", "brics", "--temperature", "0.5"], "brics takes no --temperature"),
        (["--molecules", "mine.smi"], "belongs to --proposer brics"),
        (["--proposer", "grapf"], "no proposer called 'grapf'"),
        (["--weights", "absent.safetensors"], "absent.safetensors cannot be read"),
        (["--scaffold", "FC(F)(F)F"], "has no exit"),
        (["--scaffold", "*" + "C" * 70], "has 70 heavy atoms; the limit is 60"),
        (["--fragments", "*c1ccccc1.FC(F)(F)F"], "FC(F)(F)F has no exit"),
        (["--fragments", "*C.*C.*C.*C.*C"], "2 to 4 fragments can be joined, not 5"),
        (["--fragments", "*c1ccccc1."], "the part given is not a SMILES"),
        (["--condition", "potency=9"], "condition 'potency' is not one of mw, logp, tpsa, qed, sa"),
        (["--condition", "logp"], "is not name=number, such as logp=2.5"),
        (["--avoid", "c1ccccc1", "--scaffold", "*c1ccccc1"], "which every molecule must hold"),
        (["--avoid", "[#6]"], "is in every carbon"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: list[str], message: str) -> None:
    result = run(propose, *arguments)
    assert isinstance(result.exception, UserError)  # which `discovery` prints as one line
    assert message in str(result.exception)
    assert len(str(result.exception).splitlines()) == 1


def test_a_bug_is_not_taken_for_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValueError out of the code stops the command with a traceback: it is nothing the user can mend."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError("shapes do not match")

    monkeypatch.setattr("generative.breeding.recombination.BricsProposer.propose", broken)
    result = run(propose, "--proposer", "brics")
    assert type(result.exception) is ValueError


def test_from_molecules_to_weights_to_molecules(tmp_path: Path) -> None:
    file = tmp_path / "series.smi"
    file.write_text("\n".join([*DRUGS, "garbage"]) + "\n")
    result = run(train, "--molecules", str(file), "--out", str(tmp_path / "model"), "--steps", "2")
    assert result.exit_code == 0, result.output
    assert f"series.smi: {len(DRUGS) + 1} read" in result.output
    assert "1 unparsable" in result.output
    weights = tmp_path / "model" / "model.safetensors"
    assert f"weights written to {weights}" in result.output
    made = run(propose, "--n", "1", "--weights", str(weights), "--like", DRUGS[0])
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == 1


def test_a_budget_that_is_no_time(tmp_path: Path) -> None:
    file = tmp_path / "series.smi"
    file.write_text("CCO\n")
    result = run(train, "--molecules", str(file), "--out", str(tmp_path), "--budget", "soon")
    assert isinstance(result.exception, UserError)
    assert "write 90s, 20m or 2h" in str(result.exception)


def test_audit_prints_every_measure(tmp_path: Path) -> None:
    file = tmp_path / "made.smi"
    file.write_text("\n".join(DRUGS[:30]) + "\nnonsense\n")
    result = run(audit, str(file), "--reference", str(file))
    assert result.exit_code == 0, result.output
    assert "valid                    0.9677" in result.output
    assert "SNN                      1.0000" in result.output
