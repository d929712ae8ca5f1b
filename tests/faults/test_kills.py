"""Kill anything at any moment: what was committed is whole, and finishing gives the undisturbed table."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from discovery.events import Event
from discovery.execution import ScorerSpec, score_all
from discovery.files import CannotWrite
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Score
from discovery.workers import crew
from discovery.workers.crew import ScorerFailed
from discovery.workers.interrupt import Interrupted

DRIVE = Path(__file__).resolve().parent / "drive.py"


def start(folder: Path, workers: int, seconds: float, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(DRIVE), str(folder), str(workers), str(seconds), str(out)]
    return subprocess.Popen(command, start_new_session=True)


def children_of(pid: int) -> list[int]:
    """Living children; a zombie has none of interest. Linux tells; elsewhere the test looks at less."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(("workers", "wanted"), [(0, 6), (2, 4), pytest.param(2, 20, marks=pytest.mark.slow)])
def test_kill_nine_many_times_then_finishing_gives_the_undisturbed_table(
    tmp_path: Path, workers: int, wanted: int
) -> None:
    """The driver dies at random instants; its workers with it. Nothing is lost, torn or doubled."""
    draw = random.Random(20 + workers)
    seconds = 0.01
    with start(tmp_path / "calm", workers, seconds, tmp_path / "calm.json") as calm:
        assert calm.wait(60) == 0
    run, out = tmp_path / "run", tmp_path / "run.json"
    kills, orphans = 0, list[int]()
    while kills < wanted and not out.exists():
        with start(run, workers, seconds, out) as driver:
            # most of a start is importing; wait until it works, then kill within a few shards
            log = run / "log"
            size = log.stat().st_size if log.exists() else 0
            deadline = time.monotonic() + 30
            while driver.poll() is None and time.monotonic() < deadline:
                if log.exists() and log.stat().st_size > size:
                    break
                time.sleep(0.002)
            time.sleep(draw.uniform(0, 0.03))
            orphans += children_of(driver.pid)
            driver.kill()
            kills += driver.wait() == -signal.SIGKILL
        assert {damage.kind for damage in Ledger.open(run).verify()} <= {"orphan"}
    assert kills >= wanted // 2, "the run ended before it could be disturbed often enough"
    with start(run, workers, seconds, out) as last:
        assert last.wait(60) == 0
    assert json.loads(out.read_text()) == json.loads((tmp_path / "calm.json").read_text())
    ledger = Ledger.open(run)
    assert ledger.verify() == []
    rows = [s for shard in ledger.shards() for s in ledger.read(shard.key).column("smiles").to_pylist()]
    assert sorted(rows) == sorted("C" * n for n in range(1, 61))
    computed = Counter((run / "log").read_text().split())
    assert sum(computed.values()) <= 60 + kills * 4 * max(1, workers), (
        "a kill costs at most the shards in hand"
    )
    end = time.monotonic() + 5
    while not all(gone(pid) for pid in orphans) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(gone(pid) for pid in orphans), "a worker outlived its driver"


def run_toy(
    folder: Path, molecules: list[Molecule], use: str = "toy_culprits", **more: object
) -> list[Score | Missing]:
    settings = {"log": str(folder / "log"), **more.pop("settings", {})}  # type: ignore[dict-item]
    arguments = {"workers": 2, "chunk": 8, "timeout_s": 3.0, **more}
    return score_all(
        ScorerSpec(use, settings),
        molecules,
        ledger=Ledger.open(folder),
        stage="toy",
        versions={},
        **arguments,  # type: ignore[arg-type]
    )


def test_four_culprits_fail_alone_and_are_tried_three_times_ever(tmp_path: Path) -> None:
    molecules = [Molecule("C" * n, f"alkane {n}") for n in range(1, 25) if n != 13]
    culprits = {
        4: (Molecule("C[Se]C", "selenide"), Reason.CRASHED, "SIGSEGV"),
        9: (Molecule("C[SiH3]", "silane"), Reason.TIMED_OUT, "longer than the 1.5 s"),
        10: (Molecule("C[AsH2]", "arsine"), Reason.OUT_OF_MEMORY, "memory"),
        20: (Molecule("CB", "borane"), Reason.CRASHED, "exit status 0"),
    }
    for place, (molecule, _, _) in culprits.items():
        molecules.insert(place, molecule)
    told = run_toy(tmp_path, molecules, timeout_s=1.5)
    for place, outcome in enumerate(told):
        if place not in culprits:
            assert isinstance(outcome, Score), f"{molecules[place].shown} is innocent: {outcome}"
            continue
        molecule, reason, words = culprits[place]
        assert isinstance(outcome, Missing)
        assert (outcome.stage, outcome.reason) == ("toy", reason)
        assert molecule.name in outcome.detail
        assert words in outcome.detail
    for _ in range(3):
        assert run_toy(tmp_path, molecules, chunk=3, timeout_s=1.5) == told
    runs = Counter((tmp_path / "log").read_text().split())
    # the arsine shares a chunk with the silane, which hangs before it is reached: that counts as a try too
    assert [runs[molecule.smiles] for molecule, _, _ in culprits.values()] == [3, 3, 2, 3]
    assert Ledger.open(tmp_path).verify() == []


def test_memory_without_a_culprits_confession(tmp_path: Path) -> None:
    """In this process too, running out of memory costs one row."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (3 * 2**30, before[1]))
        told = run_toy(tmp_path, [Molecule("C"), Molecule("C[AsH2]", "arsine"), Molecule("CC")], workers=0)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
    assert [type(outcome) for outcome in told] == [Score, Missing, Score]
    assert isinstance(told[1], Missing)
    assert told[1].reason is Reason.OUT_OF_MEMORY


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found through /proc")
def test_workers_killed_from_outside_cost_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does when memory is short: no molecule is to blame."""
    monkeypatch.setattr(
        crew, "START_TRIES", 7
    )  # on a busy machine all six may be killed while they are built
    draw = random.Random(3)
    molecules = [Molecule("C" * n, f"alkane {n}") for n in range(14, 54)]
    killed: list[int] = []

    def killer(event: Event) -> None:
        if event.kind == "progress" and len(killed) < 6:
            for pid in draw.sample(children_of(os.getpid()), k=1):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    told = run_toy(tmp_path, molecules, "toy_weight", chunk=4, settings={"seconds": 0.01}, on_event=killer)
    assert len(killed) == 6
    assert all(isinstance(outcome, Score) for outcome in told)
    assert told == run_toy(tmp_path / "calm", molecules, "toy_weight", workers=0, settings={"log": ""})


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found through /proc")
def test_a_frozen_worker_is_replaced(tmp_path: Path) -> None:
    frozen: list[int] = []

    def freezer(event: Event) -> None:
        if event.kind == "progress" and not frozen:
            frozen.extend(children_of(os.getpid())[:1])
            os.kill(frozen[0], signal.SIGSTOP)

    molecules = [Molecule("C" * n) for n in range(14, 26)]
    told = run_toy(tmp_path, molecules, "toy_weight", chunk=2, workers=1, timeout_s=1.0, on_event=freezer)
    assert all(isinstance(outcome, Score) for outcome in told)
    assert frozen
    assert gone(frozen[0])


def test_sigterm_does_not_wait_for_a_scorer_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch system sends SIGTERM and, half a minute later, SIGKILL."""
    monkeypatch.setattr(crew, "GRACE_S", 0.5)
    sent: list[float] = []

    def tell(event: Event) -> None:
        if event.kind == "progress" and not sent:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGTERM)

    molecules = [Molecule("C"), Molecule("C[SiH3]"), Molecule("CC")]
    with pytest.raises(Interrupted, match="SIGTERM"):
        run_toy(tmp_path, molecules, chunk=1, timeout_s=300.0, on_event=tell)
    assert time.monotonic() - sent[0] < 10
    done = {
        s
        for shard in Ledger.open(tmp_path).shards()
        for s in Ledger.open(tmp_path).read(shard.key)["smiles"].to_pylist()
    }
    assert {"C"} <= done <= {"C", "CC"}


def test_a_frozen_worker_that_reads_nothing_does_not_freeze_the_run(tmp_path: Path) -> None:
    """Its pipe holds 64 KiB; what it is sent is larger."""
    frozen: list[int] = []

    def freezer(event: Event) -> None:
        if event.kind == "progress" and not frozen:
            frozen.extend(children_of(os.getpid())[:1])
            os.kill(frozen[0], signal.SIGSTOP)

    molecules = [Molecule("C" * n) for n in range(14, 18)]
    found = [Score(1.0, details={"pose": "x" * 200_000})] * 4
    told = run_toy(
        tmp_path, molecules, "toy_refined", found=found, chunk=2, workers=1, timeout_s=1.0, on_event=freezer
    )
    assert [outcome for outcome in told if not isinstance(outcome, Score)] == []
    assert frozen


def test_a_worker_that_dies_whenever_it_is_built_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ScorerFailed, match=r"toy_dies_building.*exit status 9 while building"):
        score_all(
            ScorerSpec("toy_dies_building"),
            [Molecule("C")],
            ledger=Ledger.open(tmp_path),
            stage="toy",
            versions={},
            workers=2,
        )


def test_a_disk_that_fills_up_stops_cleanly_and_the_run_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    molecules = [Molecule("C" * n) for n in range(14, 34)]
    really, left = os.write, [3]

    def filling(handle: int, data: memoryview) -> int:
        if isinstance(data, memoryview):  # the ledger writes these; subprocess does not
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return really(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", filling)
        with pytest.raises(CannotWrite, match=str(tmp_path)):
            run_toy(tmp_path, molecules, "toy_weight", chunk=5)
    assert len(Ledger.open(tmp_path).shards()) == 1
    assert all(isinstance(outcome, Score) for outcome in run_toy(tmp_path, molecules, "toy_weight", chunk=5))
    assert len((tmp_path / "log").read_text().split()) <= 20 + 3 * 5
    Ledger.open(tmp_path).sweep()
    assert Ledger.open(tmp_path).verify() == []
