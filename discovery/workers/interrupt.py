"""Has somebody told this run to stop?

Ctrl-C, or the SIGTERM that a batch system sends half a minute before it kills.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(KeyboardInterrupt):
    """The run was told to stop (Ctrl-C, SIGTERM). What was committed stays: run again to go on."""


@contextmanager
def stopping(at_once: bool = False) -> Iterator[list[str]]:
    """Inside, Ctrl-C and SIGTERM are noted in the list; a second one, or `at_once`, raises Interrupted.

    Only the main thread can be told; elsewhere signals stay as they were. Where Python drops
    what is raised (a `__del__`, a callback of its garbage collector, which JAX has) it is
    said again a moment later.
    """
    told: list[str] = []

    def note(number: int, frame: Any) -> None:
        told.append(signal.Signals(number).name)
        if at_once or len(told) > 1:
            raise Interrupted(f"stopped by {told[-1]}; what was done is kept, run again to go on")

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    unraisable = sys.unraisablehook

    def dropped(what: Any) -> None:
        if isinstance(what.exc_value, Interrupted):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        else:
            unraisable(what)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.unraisablehook = dropped
    try:
        yield told
    finally:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set outside Python
