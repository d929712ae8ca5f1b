"""Processes that dock and die, for test_parts.py: forked here, where no library has started threads.

    python -m tests.docking.lives FOLDER

One library is docked by processes that one of its molecules kills, until one survives;
another by two processes at once. What became of them is printed as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from docking.library.parts import Try
from docking.library.run import run
from docking.ligand import Ligand
from docking.pose import Pose
from docking.receptor import Receptor
from docking.site import Site
from tests.docking.test_library import Still, job, library

DEADLY = ["CCO a", "CCI deadly", "CCF b", "CCN c", "CCCO d"]
SHARED = [f"{'C' * n}O m{n}" for n in range(1, 14)]


class Poison(Still):
    """As Still, but one ligand ends the process."""

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        if "I" in ligand.smiles:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().dock(receptor, site, ligand, seed=seed, n_poses=n_poses)


class Noted(Still):
    """As Still, but slower, and each ligand is noted in a file."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        with self.notes.open("a") as file:
            file.write(f"{ligand.smiles}\n")
        time.sleep(0.02)
        return super().dock(receptor, site, ligand, seed=seed, n_poses=n_poses)


def begun(work: Callable[[], object]) -> int:
    """`work` in a process of its own; its id."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def ended(child: int) -> int:
    """The exit status of a process; negative: the signal it died of."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    folder = Path(sys.argv[1])
    deadly, shared = folder / "deadly", folder / "shared"
    statuses: list[int] = []
    for home in (deadly, shared):
        home.mkdir()
    run(
        library(folder, DEADLY[:1]), folder / "warm", job(Still())
    )  # what is loaded once is loaded before the forks
    path = library(deadly, DEADLY)
    while len(statuses) < 9 and (not statuses or statuses[-1]):
        statuses.append(ended(begun(lambda: run(path, deadly / "out", job(Poison())))))
    path = library(shared, SHARED)
    work = [begun(lambda: run(path, shared / "out", job(Noted(shared / "notes")))) for _ in range(2)]
    together = [ended(child) for child in work]
    endless = ended(begun(lambda: Try(folder / "0.try", 0.05).run("7", lambda: time.sleep(60))))
    print(json.dumps({"statuses": statuses, "together": together, "endless": endless}))


if __name__ == "__main__":
    main()
