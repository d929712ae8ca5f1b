"""Is the unit still moving? A process that stands still is ended, so that a resume can go on without it.

A simulation that hangs (a driver, a lock, a library in an endless loop) answers to
nobody, so a thread beside it looks at the clock. What counts is progress, a new frame
or a new unit, not that the process is alive.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from discovery.files import publish

HUNG = 75  # exit status: EX_TEMPFAIL of sysexits.h, "try again later"
PATIENCE_S = 1800.0
_STARTS, _HUNG = "starts.json", "hung"


@dataclass
class Watch:
    """Ends this process when `patience_s` pass without a beat; use it as a context manager."""

    patience_s: float = PATIENCE_S
    end: Callable[[int], object] = os._exit
    _unit: Path | None = field(default=None, repr=False)
    _at: float = field(default_factory=time.monotonic, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def beat(self, unit: Path | None = None) -> None:
        """Something moved; `unit` is the folder of what is being worked on from here."""
        self._at = time.monotonic()
        self._unit = unit or self._unit

    def moved(self) -> None:
        """The unit that is worked on got further than ever, and that is kept: see `moved_on`."""
        self.beat()
        if self._unit is not None:
            moved_on(self._unit)

    def _look(self) -> None:
        while not self._over.wait(min(1.0, self.patience_s / 4.0)):
            still = time.monotonic() - self._at
            if still <= self.patience_s:
                continue
            where = "" if self._unit is None else f" in {self._unit}"
            said = f"no progress{where} for {still:.0f} s on {socket.gethostname()}: it hangs and was ended"
            if self._unit is not None:
                publish(self._unit / _HUNG, said.encode())
            sys.stderr.write(f"{said}; run the same command again, and it is set aside after three tries\n")
            sys.stderr.flush()
            self.end(HUNG)
            return


def begun(unit: Path) -> list[str]:
    """Write down that a unit is begun here, before its work; the hosts that ever began it, this one last."""
    hosts = [*_hosts(unit), socket.gethostname()]
    publish(unit / _STARTS, json.dumps(hosts).encode())
    return hosts


def moved_on(unit: Path) -> None:
    """It got further than ever: whatever ended its earlier starts was not the unit itself."""
    publish(unit / _STARTS, json.dumps(_hosts(unit)[-1:]).encode())
    (unit / _HUNG).unlink(missing_ok=True)


def hung(unit: Path) -> str:
    """What the watch said when it ended this unit, or nothing."""
    path = unit / _HUNG
    return path.read_text("utf-8") if path.exists() else ""


def _hosts(unit: Path) -> list[str]:
    try:
        held = json.loads((unit / _STARTS).read_text("utf-8"))
    except (FileNotFoundError, ValueError):  # absent or damaged: nothing is known of earlier starts
        return []
    return [str(host) for host in held] if isinstance(held, list) else []
