"""The conformance check finds each broken promise, and finds nothing where all are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from discovery.conformance import PROBES, check_proposer, check_scorer
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.proposal import Proposal
from discovery.score import Column, Score

PACKAGE = Path(__file__).resolve().parents[1] / "faults" / "plugin_package"


@pytest.fixture(autouse=True)
def toy_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))


@pytest.mark.parametrize("name", ["qed", "synthesis", "alerts", "toy_weight"])
def test_scorers_that_keep_the_promise(name: str) -> None:
    assert check_scorer(name) == []


def test_a_refiner_is_asked_with_what_was_found() -> None:
    found = [Score(float(i)) for i in range(len(PROBES))]
    assert check_scorer("toy_refined", found=found) == []
    assert "give the check `found`" in check_scorer("toy_refined")[0]


@pytest.mark.parametrize("name", ["toy_proposer", "brics"])
def test_proposers_that_keep_the_promise(name: str) -> None:
    assert check_proposer(name) == []


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("toy_short", "it was given 9 molecules and answered 2"),
        ("toy_strings", "outcome 1 of 9 is a str, neither Score nor Missing"),
        ("toy_nan", "it raised NotFinite"),
        ("toy_moody", "asked twice, it answers differently for aspirin (9 of 9 molecules)"),
        ("toy_neighbourly", "the column's name 'Toy Neighbourly' must be lower_snake_case"),
        ("toy_neighbourly", "one molecule at a time, it answers differently for aspirin"),
        ("toy_raises_at_import", "failed while loading: RuntimeError"),
        ("toy_wait", "did you mean 'toy_weight'"),
    ],
)
def test_each_broken_promise_of_a_scorer_is_found(name: str, complaint: str) -> None:
    assert any(complaint in said for said in check_scorer(name)), check_scorer(name)


def test_each_broken_promise_of_a_proposer_is_found() -> None:
    said = " | ".join(check_proposer("toy_restless"))
    for complaint in (
        "it makes 21",
        "say 'somebody'",
        "asked for round 1",
        "when it is built anew",
        "no proposals, it makes some",
    ):
        assert complaint in said


def test_settings_must_fit_a_campaign_file() -> None:
    assert "no plain JSON" in check_scorer("toy_weight", {"log": object()})[0]
    assert "did you mean 'seconds'" in check_scorer("toy_weight", {"secnds": 1})[0]


# --- one fault each, built here


@dataclass(frozen=True)
class Faulty:
    fault: str

    @property
    def column(self) -> Any:
        return "saturation" if self.fault == "column" else Column("faulty", unit="", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Any:
        if self.fault == "generator":
            return (Score(1.0) for _ in molecules)
        if self.fault == "details":
            return [Score(1.0, details={"mol": m.mol()}) for m in molecules]
        if self.fault == "order":
            return [Score(float(len(m.smiles))) for m in sorted(molecules, key=lambda m: m.smiles)]
        if self.fault == "anonymous":
            return [
                Score(1.0) if i else Missing("x", Reason.UNSUPPORTED, "it failed")
                for i, _ in enumerate(molecules)
            ]
        if self.fault == "empty":
            return [Score(1.0) for _ in molecules] or [Score(0.0)]
        return [Missing("x", Reason.UNSUPPORTED, f"{m.shown} cannot be done") for m in molecules]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("column", "`column` must be a Column, not str"),
        ("generator", "it answered a generator, not a sequence"),
        ("details", "no plain JSON"),
        ("order", "in another order"),
        ("anonymous", "does not name the molecule"),
        ("empty", "given 0 molecules and answered 1"),
        ("none", "it has a number for none of 9 molecules"),
        ("none", "no unit"),
    ],
)
def test_a_factory_is_checked_as_a_name_is(fault: str, complaint: str) -> None:
    said = check_scorer(Faulty, {"fault": fault})
    assert any(complaint in one for one in said), said


@dataclass
class Remembers:
    """Round 1 from an object that did round 0 is not round 1 from a fresh one: a resume would differ."""

    name: str = "remembers"
    calls: int = 0

    def propose(self, n: int, /, *, round: int, seed: int, lessons: object) -> list[Proposal]:
        self.calls += 1
        return [Proposal("C" * (self.calls + i), self.name, round) for i in range(n)]


def test_a_proposer_that_remembers_is_found() -> None:
    assert any("whether the same object proposed round 0" in said for said in check_proposer(Remembers))
