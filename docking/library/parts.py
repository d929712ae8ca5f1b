"""Who docks which few rows of a library, and what if they take the process down?

A library is docked in parts of a few rows. Any number of processes, on any number of
hosts, may be given the same command: each takes parts by lease (discovery/workers/leases.py)
and keeps them as files, so none is docked twice, and who dies loses one part.

A part that was begun and never ended has killed its process: its rows are then docked
one by one, each under its own name, and one that has taken its process down twice alone
is Missing. The notes of that are files too, so that they outlive the process. Where the
watcher of the process (watching.py) went too, the machine was taken away: no evidence,
unless it happens again and again.

    parts/000012.part    done: its rows as they are kept
    parts/000012.try     being done, or died on: how often, and at which row
    leases/000012.lease  who is at it
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from discovery.files import publish
from discovery.workers.interrupt import Interrupted
from discovery.workers.leases import LEASE_S, Leases
from docking.library.watching import limited, watcher

T = TypeVar("T")
R = TypeVar("R")
LOOK_S = 0.5  # between looks at parts that others are at
DEATHS = 2  # of a row alone, after which it is Missing
UNSEEN = 5  # deaths that nobody outlived count as one: a row that takes the whole machine down must end too
END = "end"  # the lease of who puts the parts together


@dataclass
class Parts:
    """The parts of one library in `out`, as this process sees them. Close it."""

    out: Path
    until: float | None = None  # time.monotonic() at which nothing more is begun
    limit_s: float = 0.0  # for one row, after which this process is killed; 0 sets no limit
    lease_s: float = LEASE_S

    def __post_init__(self) -> None:
        self.folder = self.out / "parts"
        self._leases = Leases(self.out / "leases", self.lease_s)
        self._leases.bury()
        self._slowest = 0.0

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.part"

    def all(
        self,
        parts: Iterable[T],
        held: Callable[[Path], bool],
        do: Callable[[T, Path, Try], None],
        told: Callable[[T], None],
    ) -> int | None:
        """Have every part done, here or elsewhere; how many there are, or None if others have ended the run.

        Parameters
        ----------
        parts : in order
        held : whether a part is kept, whole
        do : do one and keep it under its path
        told : hears of each part once it is kept

        Raises
        ------
        Interrupted
            The time left is too short for another part.
        """
        number = 0
        waiting: list[tuple[int, T]] = []
        for number, part in enumerate(parts, start=1):
            if not self._offer(number - 1, part, held, do, told):
                waiting.append((number - 1, part))
            waiting = [(n, one) for n, one in waiting if not self._elsewhere(n, one, told)]
        while waiting and self.folder.exists():
            waiting = [(n, one) for n, one in waiting if not self._offer(n, one, held, do, told)]
            if waiting:
                time.sleep(LOOK_S)
        return number if self.folder.exists() else None

    def end(self, ended: Callable[[], bool], do: Callable[[], None]) -> None:
        """Let one process put the parts together; the others wait until it has."""
        while not ended():
            if self._leases.take(END):
                if not ended():
                    do()
                self._leases.give_back(END)
            else:
                time.sleep(LOOK_S)

    def close(self) -> None:
        """Let others have what is not done."""
        self._leases.close()
        with suppress(OSError):
            (self.out / "leases").rmdir()

    def _elsewhere(self, number: int, part: T, told: Callable[[T], None]) -> bool:
        if not self.path(number).exists():
            return False
        told(part)
        return True

    def _offer(
        self,
        number: int,
        part: T,
        held: Callable[[Path], bool],
        do: Callable[[T, Path, Try], None],
        told: Callable[[T], None],
    ) -> bool:
        """Do a part unless it is done, or somebody is at it: then False."""
        path = self.path(number)
        if not held(path):
            if not self.folder.exists():  # others have ended the run
                return True
            began = time.monotonic()
            if self.until is not None and began + 1.2 * self._slowest > self.until:
                raise Interrupted("the time left is too short for another part; run again to go on")
            if not self._leases.take(path.stem):
                return False
            try:
                if not held(path):
                    do(part, path, Try(path.with_suffix(".try"), self.limit_s))
                    self._slowest = max(self._slowest, time.monotonic() - began)
            finally:
                self._leases.give_back(path.stem)
        told(part)
        return True


class Try:
    """What earlier tries of one part came to."""

    def __init__(self, path: Path, limit_s: float = 0.0) -> None:
        self.path, self.limit_s = path, limit_s
        self._deaths = Counter[str]()  # row, or "" for all together -> how often a process died
        self._unseen = Counter[str]()  # the same, of deaths that its watcher did not outlive
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            note = json.loads(path.read_text("utf-8"))
            self._deaths.update(note["deaths"])
            self._unseen.update(note.get("unseen", {}))
            if note["at"] is not None:  # it was at this and never said that it ended
                seen = note.get("watcher", "") == watcher()
                (self._deaths if seen else self._unseen)[note["at"]] += 1

    def deaths(self, row: str = "") -> int:
        """How often a process died on a row alone; on all together when none is named."""
        return self._deaths[row] + self._unseen[row] // UNSEEN

    def run(self, row: str, work: Callable[[], R], rows: int = 1) -> R:
        """Do `work`, so that a process that dies on it is remembered; being told to stop is not dying."""
        self._note(row)
        if self.limit_s:
            limited(self.limit_s * rows)
        try:
            return work()
        finally:
            if self.limit_s:
                limited(0.0)
            self._note(None)

    def forget(self) -> None:
        """The part is kept: nothing of its tries is needed any more."""
        self.path.unlink(missing_ok=True)

    def _note(self, at: str | None) -> None:
        note = {
            "deaths": self._deaths, "unseen": self._unseen, "at": at, "watcher": watcher(),
            "host": socket.gethostname(), "pid": os.getpid(),
        }  # fmt: skip
        publish(self.path, json.dumps(note).encode())


def one_by_one(
    rows: Sequence[T],
    name: Callable[[T], str],
    together: Callable[[Sequence[T]], Sequence[R]],
    lost: Callable[[T, int], R],
    tried: Try,
) -> list[R]:
    """An answer for each row: all together, unless that has killed a process; then alone, and `lost` for who kills."""
    if not tried.deaths():
        return list(tried.run("", lambda: together(rows), len(rows)))
    answers: list[R] = []
    for row in rows:
        if (deaths := tried.deaths(name(row))) >= DEATHS:
            answers.append(lost(row, deaths))
        else:
            answers += tried.run(name(row), partial(together, [row]))
    return answers
