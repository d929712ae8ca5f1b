"""Oracles that raise, answer nonsense, hang or die cost only the molecules they do it on."""

from __future__ import annotations

import itertools
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

import pytest

from discovery.outcome import Missing, Reason
from generative.oracles import Answer, Oracle, OracleError, ask, ask_apart

SMILES = ["C", "CC", "CCC", "CCCC", "CCCCC"]


def length(smiles: Sequence[str]) -> list[Answer]:
    return [len(one) / 10 for one in smiles]


def spoiled(on: str, how: Callable[[], object]) -> Oracle:
    """As `length`, but something happens on one molecule."""

    def oracle(smiles: Sequence[str]) -> list[Answer]:
        return [how() if one == on else len(one) / 10 for one in smiles]  # type: ignore[misc]

    return oracle


def test_answers_come_in_the_order_asked() -> None:
    def slow_first(smiles: Sequence[str]) -> list[Answer]:
        time.sleep(0.2 if smiles[0] == "C" else 0.0)
        return length(smiles)

    assert ask(length, SMILES) == length(SMILES)
    for workers in (1, 2, 8):
        assert ask_apart(slow_first, SMILES, workers=workers) == length(SMILES)
    assert ask_apart(length, []) == []


def test_several_are_in_flight() -> None:
    """Asked one after the other, no two would begin within half a second."""

    def sleepy(smiles: Sequence[str]) -> list[Answer]:
        began = time.monotonic() % 1000 / 1000
        time.sleep(0.5)
        return [began]

    began = sorted(1000 * float(one) for one in ask_apart(sleepy, SMILES[:4], workers=4))  # type: ignore[arg-type]
    assert min(b - a for a, b in itertools.pairwise(began)) < 0.5


@pytest.mark.parametrize("how", [ask, ask_apart])
def test_what_is_wrong_with_one_answer_costs_one_answer(how: Callable[..., list[Answer]]) -> None:
    def refuse() -> object:
        raise RuntimeError("no parameters")

    given = Missing("docking", Reason.NO_CONFORMER, "CCC: none")
    for bad, reason, said in (
        (refuse, Reason.CRASHED, "CCC: RuntimeError: no parameters"),
        (lambda: math.nan, Reason.BAD_ANSWER, "CCC: the oracle answered NaN"),
        (lambda: None, Reason.BAD_ANSWER, "CCC: the oracle answered None, no number"),
        (lambda: given, Reason.NO_CONFORMER, "CCC: none"),
    ):
        answers = how(spoiled("CCC", bad), SMILES)
        assert answers[:2] + answers[3:] == length(SMILES[:2] + SMILES[3:])
        assert isinstance(answers[2], Missing)
        assert (answers[2].reason, answers[2].detail) == (reason, said)


def test_too_short_an_answer_is_asked_for_again_one_by_one() -> None:
    def short(smiles: Sequence[str]) -> list[Answer]:
        return length([one for one in smiles if one != "CC"])

    answers = ask(short, SMILES)
    assert isinstance(answers[1], Missing)
    assert answers[1].reason is Reason.BAD_ANSWER
    assert "was asked about 1 and answered 0" in answers[1].detail
    assert answers[:1] + answers[2:] == length(SMILES[:1] + SMILES[2:])


def test_a_hang_is_killed_and_the_others_are_answered() -> None:
    answers = ask_apart(spoiled("CC", lambda: time.sleep(60)), SMILES, workers=2, timeout_s=0.5)
    assert isinstance(answers[1], Missing)
    assert (answers[1].reason, answers[1].detail) == (Reason.TIMED_OUT, "CC: took longer than 0.5 s")
    assert answers[:1] + answers[2:] == length(SMILES[:1] + SMILES[2:])


def test_a_death_is_the_death_of_one() -> None:
    answers = ask_apart(spoiled("CC", lambda: os.kill(os.getpid(), signal.SIGKILL)), SMILES, workers=2)
    assert isinstance(answers[1], Missing)
    assert answers[1].reason is Reason.CRASHED
    assert "was killed by SIGKILL" in answers[1].detail
    assert answers[:1] + answers[2:] == length(SMILES[:1] + SMILES[2:])


@pytest.mark.parametrize("how", [ask, ask_apart])
def test_a_number_that_is_no_desirability_stops_the_run(how: Callable[..., list[Answer]]) -> None:
    with pytest.raises(OracleError, match=r"CC: the oracle answered -9\.1; map it to 0"):
        how(spoiled("CC", lambda: -9.1), SMILES)


MARKED = False  # turned in this process only: a fork would know


def marked(smiles: Sequence[str]) -> list[Answer]:
    return [float(MARKED)] * len(smiles)


def test_beside_jax_oracles_of_a_module_are_asked_in_fresh_interpreters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{__name__}.MARKED", True)
    monkeypatch.delitem(sys.modules, "jax", raising=False)  # an earlier test may have brought it
    assert ask_apart(marked, SMILES[:2]) == [1.0, 1.0]
    monkeypatch.setitem(sys.modules, "jax", sys)
    assert ask_apart(marked, SMILES, workers=2) == [0.0] * 5
    assert ask_apart(lambda smiles: [0.5] * len(smiles), SMILES[:2]) == [0.5, 0.5]  # has no address: a fork


def test_an_oracle_that_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", sys)
    monkeypatch.setattr("generative.oracles.FRESH", "raise SystemExit(3)")
    with pytest.raises(OracleError, match="test_oracles:marked in could not be started"):
        ask_apart(marked, SMILES)


def test_no_process_is_left_behind() -> None:
    before = set(children())
    ask_apart(spoiled("CC", lambda: time.sleep(60)), SMILES, workers=3, timeout_s=0.3)
    assert set(children()) == before


def children() -> list[str]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()
