"""Has somebody told this run to stop?

Ctrl-C, or the SIGTERM that a batch system sends half a minute before it kills.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(KeyboardInterrupt):
    """The run was told to stop (Ctrl-C, SIGTERM). What was committed stays: run again to go on."""


@contextmanager
def stopping(at_once: bool = False) -> Iterator[list[str]]:
    """Inside, Ctrl-C and SIGTERM are noted in the list; a second one, or `at_once`, raises Interrupted.

    Only the main thread can be told; elsewhere signals stay as they were.
    """
    told: list[str] = []

    def note(number: int, frame: Any) -> None:
        told.append(signal.Signals(number).name)
        if at_once or len(told) > 1:
            raise Interrupted(f"stopped by {told[-1]}; what was done is kept, run again to go on")

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set outside Python
