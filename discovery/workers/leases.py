"""Who is doing this piece of work, and is it still at it?

A lease is a small file that appears in one step, so that of several processes on
several hosts exactly one gets it. Its holder touches it while it works. Whoever wants
the same piece watches: a lease that nobody touched for `lease_s` by the watcher's own
clock (never by comparing clocks of two hosts) is a dead or frozen holder's, and is
taken over. A holder that wakes up again finds its lease gone and drops what it did;
did both finish, the ledger keeps one answer, since the same work has the same key.

Leases save work, the ledger keeps it right: a lease wrongly taken over costs time only.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from discovery.files import claim, linked
from discovery.ledger import canonical

LEASE_S = 60.0  # how long a silent holder is believed to be alive; a network disk may stall for many seconds
BEATS = 5  # touches within that time


@dataclass(slots=True)
class _Seen:
    """A lease of somebody else's, as it was when it last changed."""

    token: str
    touched: float  # the file's own time, only ever compared with itself
    since: float  # by our clock


@dataclass
class Leases:
    """The leases in one folder, as one process sees them. Close it, and all it holds are given back."""

    folder: Path
    lease_s: float = LEASE_S
    _held: dict[str, str] = field(default_factory=dict)  # name -> token
    _others: dict[str, _Seen] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _heart: threading.Thread | None = None

    def take(self, name: str) -> bool:
        """Get the lease, if it is free or its holder has been silent for too long."""
        self.folder.mkdir(exist_ok=True)  # not where the run itself has been cleared away
        if self._heart is None:
            self._heart = threading.Thread(target=self._beat, daemon=True)
            self._heart.start()
        free = not self._path(name).exists()  # a look costs a network disk less than a try
        if free and self._create(name):
            return True
        if not self._silent(name):
            return False
        seen = self._others.pop(name)
        aside = self.folder / f".{name}.{secrets.token_hex(8)}.tmp"
        try:
            os.rename(self._path(name), aside)  # of several takers one gets the file
        except FileNotFoundError:
            return False
        if self._token(aside) != seen.token:  # somebody was faster, and this is a living lease: put it back
            linked(aside, self._path(name))
            aside.unlink(missing_ok=True)
            return False
        aside.unlink(missing_ok=True)
        return self._create(name)

    def holds(self, name: str) -> bool:
        """Whether it is still ours: a process that was frozen may have lost it."""
        with self._lock:
            token = self._held.get(name)
        return token is not None and self._token(self._path(name)) == token

    def give_back(self, name: str) -> None:
        """Let others have it; one that was lost meanwhile is left to its new holder."""
        ours = self.holds(name)
        with self._lock:
            self._held.pop(name, None)
        if ours:
            self._path(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Give everything back and stop touching."""
        self._ended.set()
        for name in list(self._held):
            self.give_back(name)
        if self._heart is not None:
            self._heart.join(timeout=5)

    def bury(self) -> int:
        """Remove leases of processes of this host that are no more; how many others are left.

        Saves the next start the wait: after a kill the holder is known to be gone.
        """
        left = 0
        for path in self.folder.glob("*.lease"):
            try:
                who = json.loads(path.read_text())
                ours, pid = who["host"] == socket.gethostname(), int(who["pid"])
            except (OSError, ValueError, KeyError, TypeError):
                left += 1
                continue
            if ours and not _alive(pid):
                path.unlink(missing_ok=True)
            else:
                left += 1
        return left

    # --- inside

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.lease"

    def _create(self, name: str) -> bool:
        token = secrets.token_hex(16)
        note = canonical({"token": token, "host": socket.gethostname(), "pid": os.getpid()})
        if not claim(self._path(name), note.encode()):
            return False
        with self._lock:
            self._held[name] = token
        return True

    def _silent(self, name: str) -> bool:
        """Whether the lease has not changed for `lease_s` while we watched."""
        path, now = self._path(name), time.monotonic()
        try:
            touched, token = path.stat().st_mtime, self._token(path)
        except FileNotFoundError:
            return False  # given back just now; the next try may get it
        seen = self._others.get(name)
        if seen is None or (seen.token, seen.touched) != (token, touched):
            self._others[name] = _Seen(token, touched, now)
            return False
        return now - seen.since > self.lease_s

    @staticmethod
    def _token(path: Path) -> str:
        try:
            return str(json.loads(path.read_text())["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _beat(self) -> None:
        while not self._ended.wait(self.lease_s / BEATS):
            with self._lock:
                held = list(self._held)
            for name in held:
                if self.holds(name):  # never touch a lease that was taken over
                    with suppress(OSError):
                        os.utime(self._path(name))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
