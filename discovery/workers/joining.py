"""How do many processes, on many hosts, come to work on one folder?

All of them are given the same command. The first drives; the others help it, chunk by
chunk, until the run is finished. Dies the driver, one of the helpers drives on from what
is in the folder. No server, no ports, no queue: only the folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from discovery.events import Event, Sink, silent
from discovery.ledger import Busy
from discovery.workers.interrupt import Interrupted
from discovery.workers.sharing import LOOK_S, Terms, help_out

T = TypeVar("T")


def join(
    drive: Callable[[], T],
    finished: Callable[[], T | None],
    folder: Path,
    *,
    workers: int,
    terms: Terms,
    on_event: Sink = silent,
) -> T:
    """Drive a run if nobody does; help whoever drives it otherwise.

    Parameters
    ----------
    drive : runs or finishes what is in the folder; raises `Busy` while another process does
    finished : the result once the driver has come to its end, None before

    Raises
    ------
    Interrupted
        Told to stop, or out of time; what was committed stays.
    Mixed
        This host would compute something else than the driver's.
    """
    told = False
    while True:
        try:
            return drive()
        except Busy as busy:
            if not told:
                on_event(Event("stage", "helping", str(busy).partition(";")[0]))
                told = True
        result = finished()
        if result is not None:
            return result
        if terms.until is not None and time.monotonic() > terms.until:
            raise Interrupted("out of time; what was done is kept, run again to go on")
        if not help_out(folder, workers=workers, terms=terms, on_event=on_event):
            time.sleep(LOOK_S)
