"""Many processes, one library: every row once, and no row takes down more than three."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from discovery.files import SUMS, broken
from discovery.workers.interrupt import Interrupted
from docking.library import watching
from docking.library.parts import DEATHS, UNSEEN, Parts, Try, one_by_one
from docking.library.run import run
from docking.receptor import DockingError
from tests.docking.lives import DEADLY, SHARED
from tests.docking.test_library import Still, job, library, table


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("lives")
    told = subprocess.run(
        [sys.executable, "-m", "tests.docking.lives", str(folder)], capture_output=True, text=True, check=True
    )
    return folder, json.loads(told.stdout.splitlines()[-1])


def test_a_molecule_that_kills_costs_its_row_and_three_processes(
    lives: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, told = lives
    assert told["statuses"] == [-signal.SIGKILL] * (1 + DEATHS) + [0]
    rows = table(folder / "deadly" / "out")
    assert {row["id"]: row["missing"] for row in rows if row["missing"]} == {"deadly": "crashed"}
    run(library(tmp_path, [line for line in DEADLY if "deadly" not in line]), tmp_path / "calm", job(Still()))
    calm = [(row["id"], row["pose"], row["score"]) for row in table(tmp_path / "calm")]
    assert [(row["id"], row["pose"], row["score"]) for row in rows if not row["missing"]] == calm
    assert not list((folder / "deadly" / "out").rglob("*.try"))


def test_processes_that_share_a_library_dock_every_row_once(
    lives: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, told = lives
    assert told["together"] == [0, 0]
    out, calm = folder / "shared" / "out", tmp_path / "calm"
    run(library(tmp_path, SHARED), calm, job(Still()))
    docked = (folder / "shared" / "notes").read_text().split()
    assert sorted(docked) == sorted({row["smiles"] for row in table(calm)})
    for name in ("poses.sdf", "SHA256SUMS", "report.txt"):
        assert (out / name).read_bytes() == (calm / name).read_bytes()
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in calm.iterdir())


def test_who_never_comes_to_an_end_is_ended_and_remembered(lives: tuple[Path, dict[str, Any]]) -> None:
    folder, told = lives
    assert told["endless"] == -signal.SIGALRM
    assert Try(folder / "0.try").deaths("7") == 1


def test_what_changed_since_is_told(lives: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(lives[0] / "shared" / "out", out)
    assert broken(out) == []
    for path in sorted(out.iterdir()):
        whole = path.read_bytes()
        if path.name in ("docking.json", SUMS):
            continue
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 4]))
        assert [name for name, _ in broken(out)] == [path.name]
        path.write_bytes(whole)
    (out / "poses.sdf").unlink()
    assert broken(out) == [("poses.sdf", "it is gone")]


def test_who_is_told_to_stop_has_not_died(tmp_path: Path) -> None:
    def stopped() -> None:
        raise Interrupted

    for _ in range(3):
        with pytest.raises(Interrupted):
            Try(tmp_path / "0.try").run("7", stopped)
    assert Try(tmp_path / "0.try").deaths("7") == 0


def test_a_row_that_was_never_alone_is_not_blamed(tmp_path: Path) -> None:
    path = tmp_path / "0.try"
    path.write_text('{"at": "", "deaths": {}}')  # as a killed process leaves it
    tried = Try(path)
    answers = one_by_one([1, 2, 3], str, lambda some: [10 * one for one in some], lambda row, n: -row, tried)
    assert answers == [10, 20, 30]
    assert Try(path).deaths("2") == 0


def test_a_machine_that_was_taken_away_says_little_against_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed process leaves the note of what it was at; its watcher is another at each start of the machine."""
    path = tmp_path / "0.try"
    for start in range(2 * UNSEEN):
        monkeypatch.setenv(watching.WATCHER, f"host {start}")
        assert Try(path).deaths("7") == start // UNSEEN
        Try(path)._note("7")
    Try(path)._note("8")
    assert Try(path).deaths("8") == 1, "its watcher outlived it"


def test_nothing_is_begun_that_would_not_end_in_time(tmp_path: Path) -> None:
    parts = Parts(tmp_path, until=time.monotonic() - 1.0)
    parts.folder.mkdir()
    with pytest.raises(Interrupted, match="too short"):
        parts.all(["a"], lambda path: False, lambda one, path, tried: None, lambda one: None)
    parts.close()


def test_dead_processes_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first three die of SIGSEGV after their youth."""
    monkeypatch.setattr(watching, "YOUNG_S", 0.0)
    monkeypatch.setattr(
        watching,
        "START",
        "import os, pathlib, sys; notes = pathlib.Path(sys.argv[3]); notes.write_text(notes.read_text() + 'x'); "
        "len(notes.read_text()) < 4 and os.kill(os.getpid(), 11)",
    )
    notes, said = tmp_path / "notes", list[str]()
    notes.write_text("")
    watching.watch([str(notes)], 1, lambda: None, said.append)
    assert said == ["a process was killed by SIGSEGV; another goes on, and its row is tried again"] * 3
    monkeypatch.setattr(watching, "YOUNG_S", 60.0)
    notes.write_text("")
    monkeypatch.setattr(watching, "START", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(DockingError, match="5 processes in a row died"):
        watching.watch([str(notes)], 1, lambda: None, said.append)
