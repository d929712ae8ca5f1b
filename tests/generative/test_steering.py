"""Steering spends its budget exactly, survives its oracle, and resumes to the same end bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from discovery.outcome import Missing, Reason
from discovery.proposal import Lesson, Proposal
from generative.breeding.elite import Search
from generative.breeding.recombination import BricsProposer
from generative.guided import GuidedProposer
from generative.oracles import OracleError
from generative.steering import steer


def fluorine(smiles: Sequence[str]) -> list[float | Missing]:
    return [min(one.count("F") / 3, 1.0) for one in smiles]


def test_the_budget_is_spent_exactly_and_no_molecule_twice() -> None:
    run = steer(fluorine, 55, proposer=BricsProposer(), batch=20)
    assert len(run.calls) == len({call.smiles for call in run.calls}) == 55
    assert [call.round for call in run.calls] == [0] * 20 + [1] * 20 + [2] * 15


def test_it_gets_better() -> None:
    run = steer(fluorine, 200, proposer=BricsProposer(), batch=40, seed=3)
    first, last = (
        sum(float(c.outcome) for c in run.calls if c.round == n) / 40  # type: ignore[arg-type]
        for n in (0, 4)
    )
    assert last > 1.5 * first
    best = run.best(5)
    assert [call.outcome for call in best] == [1.0] * 5


@pytest.mark.parametrize("torn", ["", '{"round": 2, "settings": {"propo'])
def test_stopping_and_going_on_is_the_same_bit_for_bit(tmp_path: Path, torn: str) -> None:
    whole = steer(fluorine, 60, proposer=BricsProposer(), batch=15, log=tmp_path / "whole.jsonl")
    parts = tmp_path / "parts.jsonl"
    steer(fluorine, 60, proposer=BricsProposer(), batch=15, log=parts, rounds=2)
    with parts.open("a") as file:
        file.write(torn)  # killed while it wrote
    again = steer(fluorine, 60, proposer=BricsProposer(), batch=15, log=parts)
    assert again == whole
    assert parts.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_finished_log_asks_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    done = steer(fluorine, 20, proposer=BricsProposer(), batch=10, log=log)

    def never(smiles: Sequence[str]) -> list[float | Missing]:
        raise AssertionError("asked again")

    assert steer(never, 20, proposer=BricsProposer(), batch=10, log=log) == done


def test_other_settings_do_not_go_on_from_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    steer(fluorine, 5, proposer=BricsProposer(), batch=5, log=log)
    with pytest.raises(ValueError, match=r"was written with seed 7; give the same"):
        steer(fluorine, 10, proposer=BricsProposer(), batch=5, seed=1, log=log)
    log.write_text("SMILES\nCCO\n")
    with pytest.raises(ValueError, match="line 1 is no round of a steering log"):
        steer(fluorine, 10, proposer=BricsProposer(), batch=5, log=log)


def test_a_proposer_with_other_settings_does_not_go_on_from_a_log(tmp_path: Path) -> None:
    log, start = tmp_path / "log.jsonl", tmp_path / "start.smi"
    start.write_text("CCO\nCCCN\nc1ccccc1C\n")
    small = GuidedProposer(molecules=start, min_weight=20.0, search=Search(per_batch=3))
    steer(fluorine, 2, proposer=small, batch=2, log=log)
    for other, said in (
        (replace(small, max_weight=300.0), "with max_weight 500.0; give"),
        (replace(small, search=Search()), "with search .*'per_batch': 3"),
    ):
        with pytest.raises(ValueError, match=said):
            steer(fluorine, 4, proposer=other, batch=2, log=log)
    assert len(steer(fluorine, 4, proposer=replace(small), batch=2, log=log).calls) == 4
    start.write_text("CCO\nCCCN\nc1ccccc1F\n")
    with pytest.raises(ValueError, match="with molecules 'a file with sha256"):
        steer(fluorine, 6, proposer=replace(small), batch=2, log=log)


def test_an_oracle_that_raises_costs_only_the_molecules_it_raises_on() -> None:
    def brittle(smiles: Sequence[str]) -> list[float | Missing]:
        if any("Cl" in one for one in smiles):
            raise RuntimeError("no parameters for Cl")
        return fluorine(smiles)

    run = steer(brittle, 40, proposer=BricsProposer(), batch=40)
    for call in run.calls:
        if "Cl" in call.smiles:
            assert isinstance(call.outcome, Missing)
            assert call.outcome.reason is Reason.CRASHED
            assert "no parameters for Cl" in call.outcome.detail
        else:
            assert isinstance(call.outcome, float)
    assert sum(isinstance(call.outcome, Missing) for call in run.calls) > 3


def test_an_oracle_that_always_fails_is_not_asked_for_ever() -> None:
    asked = 0

    def broken(smiles: Sequence[str]) -> list[float | Missing]:
        nonlocal asked
        asked += len(smiles)
        raise ConnectionError("no licence server")

    with pytest.raises(
        OracleError, match=r"failed on all 10 molecules of a round; the last: .*no licence server"
    ):
        steer(broken, 100, proposer=BricsProposer(), batch=10)
    assert asked == 20


def test_processes_that_ask_change_nothing() -> None:
    here = steer(fluorine, 30, proposer=BricsProposer(), batch=15)
    assert steer(fluorine, 30, proposer=BricsProposer(), batch=15, workers=3) == here


def test_only_the_molecules_fault_teaches() -> None:
    seen: list[Sequence[Lesson]] = []

    class Watching:
        name = "watching"

        def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> list[Proposal]:
            seen.append(lessons)
            return [Proposal("C" * (4 * round + k + 1), "watching", round) for k in range(4)][:n]

    answers = [
        0.7,
        *(
            Missing("docking", reason, "x")
            for reason in (Reason.NO_CONFORMER, Reason.TIMED_OUT, Reason.FILTERED)
        ),
    ]
    steer(lambda smiles: answers, 8, proposer=Watching(), batch=4)
    assert [(lesson.molecule.smiles, lesson.reward) for lesson in seen[1]] == [("C", 0.7), ("CC", 0.0)]


def test_a_budget_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        steer(fluorine, 0, proposer=BricsProposer())


def test_molecules_scored_are_molecules() -> None:
    run = steer(fluorine, 10, proposer=BricsProposer(), batch=10)
    assert all(Descriptors.ExactMolWt(Chem.MolFromSmiles(call.smiles)) > 100 for call in run.calls)
