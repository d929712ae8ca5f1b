"""Several processes on one folder: kills, a frozen one, a stolen lease; the table is the undisturbed one's."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from discovery import campaign
from discovery.execution import ScorerSpec, score_all
from discovery.files import claim
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.workers import sharing, slurm
from discovery.workers.crew import Chunk, Item, Job
from discovery.workers.interrupt import Interrupted
from discovery.workers.leases import Leases
from discovery.workers.sharing import Mixed, Share, Terms, help_out, posted, tidy
from discovery.workers.worker import packed
from tests.faults.test_campaign_kill import CAMPAIGN

SHARE = Path(__file__).resolve().parent / "share.py"
LEASE_S = 1.5


def start(folder: Path, place: int, seconds: float = 0.05) -> subprocess.Popen[bytes]:
    out = folder.parent / f"out-{place}"
    return subprocess.Popen(
        [sys.executable, str(SHARE), str(folder), str(seconds), str(LEASE_S), str(out)],
        start_new_session=True,
    )


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


def held_by(folder: Path, pid: int) -> bool:
    """Whether this process holds a lease just now."""
    for path in (folder / "leases").glob("*.lease"):
        try:
            if f'"pid":{pid}' in path.read_text():
                return True
        except FileNotFoundError:
            continue
    return False


def undisturbed(folder: Path) -> list[object]:
    molecules = [Molecule("C" * n, f"alkane {n}") for n in range(1, 61)]
    found = score_all(
        ScorerSpec("toy_weight", {}),
        molecules,
        ledger=Ledger.open(folder),
        stage="toy",
        versions={"toy": "1"},
    )
    return [packed(outcome) for outcome in found]


def exact(folder: Path, wanted: list[object]) -> None:
    """Every molecule once, the undisturbed answers, every byte as written, nobody's lease left."""
    ledger = Ledger(folder)
    assert ledger.get_document("finished") == wanted
    rows = ledger.query("select smiles from outcomes").column("smiles").to_pylist()
    assert set(Counter(rows).values()) == {1}
    assert len(rows) == 60
    assert [damage for damage in ledger.verify() if damage.kind != "orphan"] == []
    assert list(folder.glob("documents/job-*.json")) == []


def test_three_share_one_stage_a_killed_one_and_a_frozen_one_cost_nothing(tmp_path: Path) -> None:
    """F1, F11: kill -9 of a helper; SIGSTOP of another for longer than its lease, then SIGCONT."""
    folder = tmp_path / "run"
    driver = start(folder, 0)
    until(lambda: any(folder.glob("documents/job-*.json")))
    doomed, frozen = start(folder, 1), start(folder, 2)
    try:
        until(lambda: held_by(folder, frozen.pid))
        os.kill(frozen.pid, signal.SIGSTOP)  # its heart stops; its worker ends the chunk it has
        until(lambda: held_by(folder, doomed.pid) or driver.poll() is not None)
        os.killpg(doomed.pid, signal.SIGKILL)
        assert driver.wait(120) == 0  # it took over what the two had begun
        exact(folder, undisturbed(tmp_path / "alone"))
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait(60) == 0  # wakes up, drops what it did, finds the run finished
    doomed.wait(10)
    exact(folder, undisturbed(tmp_path / "alone"))


def test_a_helper_drives_on_when_the_driver_dies_and_a_told_one_stops(tmp_path: Path) -> None:
    """F2 with survivors, F3: SIGTERM ends a process within ten seconds with 75."""
    folder = tmp_path / "run"
    driver = start(folder, 0)
    until(lambda: any(folder.glob("documents/job-*.json")))
    heir, told = start(folder, 1), start(folder, 2)
    until(lambda: held_by(folder, told.pid) and held_by(folder, heir.pid))
    began = time.monotonic()
    told.terminate()
    assert told.wait(30) == 75
    assert time.monotonic() - began < 10
    assert not held_by(folder, told.pid)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait(10)
    assert heir.wait(120) == 0
    exact(folder, undisturbed(tmp_path / "alone"))


# --- leases by themselves


def test_a_lease_has_one_holder_and_a_silent_one_loses_it(tmp_path: Path) -> None:
    one, other = Leases(tmp_path, lease_s=0.3), Leases(tmp_path, lease_s=0.3)
    assert one.take("work")
    assert not other.take("work")
    time.sleep(0.5)
    assert not other.take("work")  # its heart beats
    assert one.holds("work")
    one._ended.set()  # frozen: no more beats
    until(lambda: other.take("work"), seconds=5)
    assert not one.holds("work")
    one.give_back("work")  # must not take it from its new holder
    assert other.holds("work")
    other.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_name_is_claimed_once_with_and_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Disks without them are folders on SMB and object stores."""
    if not links:

        def refused(*_: object) -> None:
            raise OSError(errno.ENOTSUP, "no hard links here")

        monkeypatch.setattr(os, "link", refused)
    assert claim(tmp_path / "a", b"first")
    assert not claim(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    one, other = Leases(tmp_path), Leases(tmp_path)
    assert one.take("x")
    assert not other.take("x")
    one.give_back("x")
    assert other.take("x")
    one.close()
    other.close()


def test_of_many_takers_of_a_silent_lease_one_gets_it(tmp_path: Path) -> None:
    frozen = Leases(tmp_path, lease_s=0.2)
    assert frozen.take("work")
    frozen._ended.set()
    takers = [Leases(tmp_path, lease_s=0.2) for _ in range(8)]
    for taker in takers:
        taker.take("work")  # the first look
    time.sleep(0.4)
    assert sum(taker.take("work") for taker in takers) == 1
    assert sum(taker.holds("work") for taker in takers) == 1
    for taker in takers:
        taker.close()


def test_leases_of_dead_processes_of_this_host_are_buried_others_are_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    leases = Leases(tmp_path / "leases")
    assert leases.take("mine")
    (tmp_path / "leases" / "gone.lease").write_text(
        (tmp_path / "leases" / "mine.lease").read_text().replace(f'"pid":{os.getpid()}', f'"pid":{dead.pid}')
    )
    (tmp_path / "leases" / "far.lease").write_text('{"host":"elsewhere","pid":1,"token":"x"}')
    assert leases.bury() == 2
    assert sorted(path.name for path in (tmp_path / "leases").glob("*.lease")) == ["far.lease", "mine.lease"]
    leases.close()


def test_sweeping_spares_what_a_helper_may_be_writing(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    torn = tmp_path / "shards" / ".x.parquet.1.2.tmp"
    torn.write_text("half")
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "far.lease").write_text('{"host":"elsewhere","pid":1,"token":"x"}')
    with ledger.lock():
        tidy(ledger)
        assert torn.exists()
        (tmp_path / "leases" / "far.lease").unlink()
        tidy(ledger)
        assert not torn.exists()


# --- what a helper refuses


def _posted(ledger: Ledger) -> tuple[Job, Chunk]:
    job = Job("toy_weight", {}, "toy", 30.0)
    return job, Chunk([Item(Molecule("CC", "ethane"), None)], key="a" * 64)


def test_a_host_with_other_libraries_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(tmp_path)
    job, chunk = _posted(ledger)
    with posted(ledger, job, "work", [chunk], "toy"):
        monkeypatch.setattr("discovery.provenance.versions", lambda: {"rdkit": "2019.1"})
        with pytest.raises(Mixed, match=r"rdkit [\d.]+ -> 2019\.1"):
            help_out(tmp_path, workers=1, terms=Terms())
        assert list((tmp_path / "leases").glob("*.lease")) == []  # given back
    assert not help_out(tmp_path, workers=1, terms=Terms())  # nothing is posted any more


def test_nothing_is_begun_that_would_not_end_in_time(tmp_path: Path) -> None:
    """F16: with too little time left the run stops, resumable, and holds nothing."""
    molecules = [Molecule("C" * n) for n in range(1, 9)]
    arguments = {"ledger": Ledger.open(tmp_path), "stage": "toy", "versions": {}, "workers": 1, "chunk": 2}
    with pytest.raises(Interrupted, match="too short"):
        score_all(
            ScorerSpec("toy_weight", {}), molecules, terms=Terms(until=time.monotonic() - 1), **arguments
        )  # type: ignore[arg-type]
    assert list((tmp_path / "leases").glob("*.lease")) == []
    share = Share(Ledger(tmp_path), [_posted(Ledger(tmp_path))[1]], Terms(until=time.monotonic() + 5))
    share._slowest = 10.0
    assert share.claim() is None
    assert share.done()
    share.close()


def test_a_panels_helper_must_have_the_code_of_each_of_its_scorers() -> None:
    needs = sharing._needs(
        "discovery.screens.panel:Panel", {"parts": [{"use": "qed"}, {"use": "toy_weight"}]}
    )
    codes = [needs[f"code of {name}"] for name in ("discovery.screens.panel:Panel", "qed", "toy_weight")]
    assert len({*codes, ""}) == 4


# --- the batch script


def test_the_batch_script_stops_on_slurms_warning_and_queues_itself_again(tmp_path: Path) -> None:
    """Run by bash, as Slurm does; `discovery` and `scontrol` are stand-ins that write down what they are told."""
    text = slurm.script(["run", "my campaign.toml", "--out", "r"], tasks=3, hours=2, cpus=2, gpus=1)
    assert "#SBATCH --array=0-2" in text
    assert "#SBATCH --gpus-per-task=1" in text
    (tmp_path / "job.sh").write_text(text)
    said = tmp_path / "said"
    stand_ins = {
        "discovery": f'#!/bin/bash\ntrap "exit 75" TERM\necho "$@" >> "{said}"\nsleep 60 & wait $!\n',
        "scontrol": f'#!/bin/bash\necho "scontrol $@" >> "{said}"\n',
    }
    for name, script in stand_ins.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "1",
    }  # fmt: skip
    job = subprocess.Popen(["bash", str(tmp_path / "job.sh")], env=environment, start_new_session=True)
    until(lambda: said.exists() and "campaign" in said.read_text(), seconds=20)
    job.terminate()
    assert job.wait(20) == 75
    os.killpg(job.pid, signal.SIGKILL) if _group_lives(job.pid) else None
    lines = said.read_text().splitlines()
    assert lines[0] == "run my campaign.toml --out r --join --workers 2 --minutes 118 --progress lines"
    assert lines[1] == "scontrol requeue 7_1"


@pytest.mark.parametrize(("before", "again"), [("99", True), ("100", False)])
def test_a_task_that_never_gets_anything_done_does_not_come_back_for_ever(
    tmp_path: Path, before: str, again: bool
) -> None:
    for name, does in (("discovery", "exit 75"), ("scontrol", f'touch "{tmp_path}/queued"')):
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_RESTART_COUNT": before}
    text = slurm.script(["screen", "l.smi"], tasks=1, hours=1, cpus=1)
    assert subprocess.run(["bash", "-c", text], env=environment, check=False).returncode == 75
    assert (tmp_path / "queued").exists() == again


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("command", "numbers", "said"),
    [
        (["report", "x"], {}, "cannot be shared"),
        ([], {}, "there is no command"),
        (["run", "a.toml", "--workers", "3"], {}, "--workers"),
        (["run", "a.toml"], {"hours": 0.05}, "hours"),
        (["run", "a.toml"], {"tasks": 0}, "tasks"),
    ],
)
def test_scripts_that_make_no_sense(command: list[str], numbers: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slurm.script(command, **{"tasks": 2, "hours": 1.0, "cpus": 1, **numbers})  # type: ignore[arg-type]


@pytest.mark.parametrize(("gpus", "workers"), [(0, 8), (2, 2)])
def test_docking_is_shared_by_the_same_command_on_each_node(gpus: int, workers: int) -> None:
    words = ["dock", "--ligands", "l.smi", "--out", "d"]
    text = slurm.script(words, tasks=2, hours=1.0, cpus=8, gpus=gpus)
    assert (
        f"discovery dock --ligands l.smi --out d --workers {workers} --minutes 58 --progress lines &" in text
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_of_the_same_command_finish_one_campaign_though_two_are_killed(tmp_path: Path) -> None:
    """`discovery run --join`, as a batch system starts it on three nodes: the table is the undisturbed one's."""
    toml = tmp_path / "campaign.toml"
    toml.write_text(CAMPAIGN)
    command = [sys.executable, "-m", "discovery.cli", "run", str(toml), "--progress", "silent", "--out"]
    subprocess.run([*command, str(tmp_path / "alone")], check=True, stdout=subprocess.DEVNULL)
    whole, out = campaign.load(tmp_path / "alone"), tmp_path / "shared"
    joined = [*command, str(out), "--join", "--workers", "1", "--lease", str(LEASE_S)]
    crew = [subprocess.Popen(joined, start_new_session=True, stdout=subprocess.DEVNULL) for _ in range(3)]
    until(lambda: any(out.glob("documents/job-*.json")), seconds=300)
    driver = json.loads((out / "driver.json").read_text())["pid"]
    helper = next(process for process in crew if process.pid != driver)
    os.killpg(helper.pid, signal.SIGKILL)
    os.killpg(driver, signal.SIGKILL)
    last = next(process for process in crew if process.pid not in (driver, helper.pid))
    assert last.wait(600) == 0
    found = campaign.load(out)
    assert found.finished
    assert found.rows == whole.rows
    assert [bar.counts for bar in found.funnel] == [bar.counts for bar in whole.funnel]
    assert [damage for damage in Ledger(out).verify() if damage.kind != "orphan"] == []
    for process in crew:
        process.wait(10)
