"""Order, reuse, progress and refusals of score_all; deaths of workers are in tests/faults."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from discovery.events import Event
from discovery.execution import ScorerSpec, score_all
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.plugins import PluginError
from discovery.score import Score
from discovery.workers import crew
from discovery.workers.crew import Bench, ScorerFailed
from discovery.workers.interrupt import Interrupted
from discovery.workers.sharing import Terms
from discovery.workers.worker import Worker

PACKAGE = Path(__file__).resolve().parents[1] / "faults" / "plugin_package"
ALKANES = [Molecule("C" * n, f"alkane {n}") for n in range(1, 31)]
VERSIONS = {"toy": "1"}


@pytest.fixture(autouse=True)
def toy_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))


def score(
    folder: Path,
    molecules: Sequence[Molecule] = ALKANES,
    use: str = "toy_weight",
    versions: dict[str, str] = VERSIONS,
    found: Sequence[Score] | None = None,
    workers: int = 0,
    chunk: int = 8,
    events: list[Event] | None = None,
    **settings: object,
) -> list[Score | Missing]:
    said: list[Event] = [] if events is None else events
    return score_all(
        ScorerSpec(use, settings),
        molecules,
        ledger=Ledger.open(folder),
        stage="toy",
        versions=versions,
        found=found,
        workers=workers,
        chunk=chunk,
        timeout_s=30,
        on_event=said.append,
    )


def expected(molecule: Molecule) -> Score | Missing:
    """By the toy's definition, not by running it."""
    n = len(molecule.smiles)
    if n == 13:
        return Missing("toy", Reason.OUT_OF_DOMAIN, f"{molecule.shown} is unlucky")
    return Score(n / 7, 0.1, {"text": f"{n} é \U0001f9ea", "numbers": [1, 0.1, None]})


@pytest.mark.parametrize(("workers", "chunk"), [(0, 1), (0, 1000), (1, 7), (2, 4)])
def test_one_outcome_each_in_order_whatever_the_workers_and_chunks(
    tmp_path: Path, workers: int, chunk: int
) -> None:
    mixed = [*ALKANES[::-1], ALKANES[3], ALKANES[12]]
    assert score(tmp_path, mixed, workers=workers, chunk=chunk) == [expected(m) for m in mixed]
    ledger = Ledger.open(tmp_path)
    assert len(ledger.shards()) == -(-30 // chunk)
    assert sum(shard.rows for shard in ledger.shards()) == 30
    assert sum(shard.counts.n_failed for shard in ledger.shards()) == 1
    assert ledger.verify() == []


def test_nothing_is_ever_computed_twice(tmp_path: Path) -> None:
    """Twice in one list, again in the next round, and again with other chunks or workers."""
    log = str(tmp_path / "log")
    score(tmp_path / "run", ALKANES[:20] + ALKANES[:10], chunk=7, log=log)
    score(tmp_path / "run", ALKANES[10:], chunk=3, log=log)
    again = score(tmp_path / "run", ALKANES, workers=2, chunk=64, log=log)
    assert again == [expected(m) for m in ALKANES]
    assert Counter(Path(log).read_text().split()) == Counter(m.smiles for m in ALKANES)


def test_other_settings_or_versions_are_other_work(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    for _ in range(2):
        score(tmp_path / "run", log=log)
        score(tmp_path / "run", log=log, seconds=0.0001)
        score(tmp_path / "run", log=log, versions={"toy": "2"})
    assert set(Counter(Path(log).read_text().split()).values()) == {3}


def test_a_name_is_no_part_of_the_work(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    score(tmp_path / "run", [Molecule("CC", "ethane")], log=log)
    assert score(tmp_path / "run", [Molecule("CC", "R-170")], log=log) == [expected(Molecule("CC"))]
    assert Path(log).read_text() == "CC\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_refiner_starts_from_what_was_found_and_is_asked_again_only_when_that_changes(
    tmp_path: Path, workers: int
) -> None:
    log = str(tmp_path / "log")
    molecules = ALKANES[:3]
    first = [Score(0.1, None, {"pose": "a"}), Score(1 / 3), Score(5.0)]
    for _ in range(2):
        told = score(tmp_path / "run", molecules, "toy_refined", found=first, workers=workers, log=log)
        assert told == [Score(0.2, None, {"pose": "a"}), Score(2 / 3), Score(10.0)]
    assert Path(log).read_text().split() == ["C", "CC", "CCC"]
    moved = [Score(0.1, None, {"pose": "b"}), *first[1:]]
    told = score(tmp_path / "run", molecules, "toy_refined", found=moved, workers=workers, log=log)
    assert told[0] == Score(0.2, None, {"pose": "b"})
    assert Path(log).read_text().split() == ["C", "CC", "CCC", "C"]


def test_no_molecules_no_work(tmp_path: Path) -> None:
    assert score(tmp_path, [], workers=2) == []
    assert Ledger.open(tmp_path).shards() == []


def test_progress_adds_up_and_says_what_was_known(tmp_path: Path) -> None:
    score(tmp_path, ALKANES[:10])
    events: list[Event] = []
    score(tmp_path, ALKANES, events=events)
    assert [event.kind for event in events] == ["stage", "progress", "progress", "progress", "done"]
    assert (events[0].done, events[0].text) == (10, "10 known already")
    assert [event.done for event in events[1:]] == [18, 26, 30, 30]
    assert all(event.done == event.ok + event.failed and event.total == 30 for event in events)
    assert (events[-1].ok, events[-1].failed) == (29, 1)


def test_a_damaged_shard_is_told_of_and_computed_again(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    score(tmp_path / "run", log=log)
    victim = sorted((tmp_path / "run" / "shards").glob("*.parquet"))[1]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    events: list[Event] = []
    assert score(tmp_path / "run", log=log, events=events) == [expected(m) for m in ALKANES]
    assert [event.kind for event in events].count("warning") == 1
    assert victim.name in events[0].text
    assert sum(Counter(Path(log).read_text().split()).values()) in (
        36,
        38,
    )  # one chunk of 8, or the last of 6
    assert Ledger.open(tmp_path / "run").verify() == []


# --- bugs and broken promises stop the run


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bug_stops_the_run_with_the_scorers_traceback_and_keeps_what_was_done(
    tmp_path: Path, workers: int
) -> None:
    with pytest.raises(ScorerFailed, match="toy_buggy") as caught:
        score(tmp_path, ALKANES, "toy_buggy", workers=workers, chunk=2)
    assert "ZeroDivisionError" in str(caught.value)
    assert "toy_plugins.py" in str(caught.value)
    assert sum(shard.rows for shard in Ledger.open(tmp_path).shards()) == 4


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("use", "says"),
    [("toy_short", "given 2 molecules and answered 1"), ("toy_strings", "outcome 1 of 2 is a str")],
)
def test_a_broken_promise_stops_the_stage_and_names_the_plug_in(
    tmp_path: Path, workers: int, use: str, says: str
) -> None:
    with pytest.raises(PluginError, match=f"{use}.*{says}"):
        score(tmp_path, [Molecule("CO", "methanol"), Molecule("C")], use, workers=workers)


@pytest.mark.parametrize("workers", [0, 1])
def test_nan_costs_its_own_row(tmp_path: Path, workers: int) -> None:
    molecules = [Molecule("C"), Molecule("CO", "methanol"), Molecule("CN", "amine"), Molecule("CC")]
    told = score(tmp_path, molecules, "toy_nan", workers=workers)
    assert told[0] == told[3] == Score(1.0, 0.1)
    for outcome, name in ((told[1], "methanol"), (told[2], "amine")):
        assert isinstance(outcome, Missing)
        assert (outcome.stage, outcome.reason) == ("toy", Reason.BAD_ANSWER)
        assert name in outcome.detail
        assert "toy_nan" in outcome.detail


@pytest.mark.parametrize("workers", [0, 1])
def test_a_scorer_that_cannot_be_built_is_named(tmp_path: Path, workers: int) -> None:
    with pytest.raises(PluginError, match="did you mean 'toy_weight'"):
        score(tmp_path, ALKANES, "toy_wait", workers=workers)
    with pytest.raises(PluginError, match="did you mean 'seconds'"):
        score(tmp_path, ALKANES, "toy_weight", workers=workers, second=1)


def test_arguments_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="30 molecules but 1 earlier"):
        score(tmp_path, found=[Score(1.0)])
    with pytest.raises(ValueError, match="chunk >= 1"):
        score(tmp_path, chunk=0)


# --- told to stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [0, 2])
def test_told_to_stop_it_stops_soon_keeps_what_was_done_and_goes_on_later(
    tmp_path: Path, workers: int, number: signal.Signals
) -> None:
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    log = str(tmp_path / "log")
    events: list[Event] = []
    sent: list[float] = []

    def tell() -> None:
        while not any(event.kind == "progress" for event in events):
            time.sleep(0.02)
        sent.append(time.monotonic())
        os.kill(os.getpid(), number)

    teller = threading.Thread(target=tell)
    teller.start()
    with pytest.raises(Interrupted, match=number.name):
        score(tmp_path / "run", workers=workers, chunk=2, events=events, log=log, seconds=0.05)
    teller.join()
    assert time.monotonic() - sent[0] < 10
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    ledger = Ledger.open(tmp_path / "run")
    done = sum(shard.rows for shard in ledger.shards())
    assert 0 < done < 30
    assert ledger.verify() == []
    before = len(Path(log).read_text().split())
    assert score(tmp_path / "run", workers=workers, log=log, seconds=0.05) == [expected(m) for m in ALKANES]
    assert len(Path(log).read_text().split()) == before + 30 - done


def test_no_worker_outlives_the_call(tmp_path: Path) -> None:
    score(tmp_path, workers=2)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if children.exists():
        assert children.read_text().split() == []


@pytest.mark.parametrize(
    ("listed", "shares"), [(["0", "3"], [0, 3, 0]), (["0"], [None] * 3), ([], [None] * 3)]
)
def test_several_gpus_are_shared_out_among_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: list[str], shares: list[int | None]
) -> None:
    """Where there are two devices each worker sees one of them; one device is left to all."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    lines = "".join(f"{index}, GPU-{index}, A device, 81559, 580.1\\n" for index in listed)
    program.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    given: list[int | None] = []

    class Seen(Worker):
        def __init__(self, order: Mapping[str, Any], inbox: Any, gpu: int | None) -> None:
            given.append(gpu)
            super().__init__(order, inbox, gpu)

    monkeypatch.setattr(crew, "Worker", Seen)
    outcomes = score(tmp_path / "run", use="toy_device", workers=3, chunk=1)
    assert given[:3] == shares
    seen = {o.details["sees"] for o in outcomes if isinstance(o, Score)}
    assert seen <= {"all" if gpu is None else str(gpu) for gpu in shares}


def test_workers_go_from_stage_to_stage_and_none_outlives_the_bench(tmp_path: Path) -> None:
    """One that dies idle, or builds another scorer in between, costs nothing."""
    ledger = Ledger.open(tmp_path)

    def ask(use: str, stage: str) -> Sequence[Score | Missing]:
        return score_all(
            ScorerSpec(use), ALKANES[:6], ledger=ledger, stage=stage, versions=VERSIONS, workers=2, chunk=1,
            terms=Terms(bench=bench),
        )  # fmt: skip

    def pids(stage: str) -> set[int]:
        return {o.details["pid"] for o in ask("toy_chatty", stage) if isinstance(o, Score)}

    with closing(Bench()) as bench:
        first = pids("first")
        assert len(ask("toy_weight", "between")) == 6
        dead = first.pop()
        os.kill(dead, signal.SIGKILL)
        then = pids("then")
        assert first <= then
        assert dead not in then
    for pid in then:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
