"""How does a docking run go on unattended, whatever its ligands do to its processes?

The library is docked by processes of their own that share it (see parts.py). One that
crashes, runs out of memory or takes too long over a molecule is replaced; it has left a
note at which row it was, so that no row takes down more than three.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from discovery.devices import gpus
from discovery.workers.interrupt import Interrupted, stopping
from discovery.workers.worker import (
    ONE_THREAD,
    SHARED_GPU,
    die_with_parent,
    ending,
    first_when_memory_is_short,
)
from docking.receptor import DockingError

START = (
    "import json, sys; parent, path, *words = sys.argv[1:]; sys.path[:] = json.loads(path); "
    "from docking.library.watching import watched; watched(int(parent), words)"
)
WATCHER = "DISCOVERY_WATCHER"  # in the environment of who is watched
STOPPED = 75
GRACE_S = 10.0  # from the word to stop until what still runs is killed
TELL_S = 5.0
YOUNG_S, BIRTHS = 5.0, 5  # so many in a row that live no longer: it is not the ligands


def watch(words: Sequence[str], size: int, tell: Callable[[], None], warn: Callable[[str], None]) -> None:
    """Have `discovery WORDS` done by `size` processes until each has come to its end.

    Parameters
    ----------
    words : the command line after `discovery`; the processes share its folder
    tell : called now and then, to say how far it is
    warn : hears of each process that died

    Raises
    ------
    Interrupted
        Told to stop, or the processes ran out of time; what was kept stays.
    DockingError
        A process refused the command, failed, or dies as soon as it is born; what it said went to standard error.
    """
    born: dict[subprocess.Popen[bytes], tuple[float, int]] = {}  # since when, and its place among the GPUs
    ends: Counter[int] = Counter()
    still_births = 0
    with stopping() as told:
        try:
            for place in range(size):
                born[_start(words, place)] = time.monotonic(), place
            look = time.monotonic()
            while born and not told:
                time.sleep(0.2)
                if time.monotonic() > look:
                    look = time.monotonic() + TELL_S
                    tell()
                for process, (since, place) in list(born.items()):
                    status = process.poll()
                    if status is None:
                        continue
                    del born[process]
                    if status >= 0:
                        ends[status] += 1
                        if status not in (0, STOPPED):
                            raise DockingError(
                                f"a process of this run ended with status {status}; it said why above"
                            )
                        continue
                    still_births = still_births + 1 if time.monotonic() - since < YOUNG_S else 0
                    if still_births >= BIRTHS:
                        raise DockingError(
                            f"{BIRTHS} processes in a row died within {YOUNG_S:g} s; the last {ending(status)}"
                        )
                    warn(f"a process {ending(status)}; another goes on, and its row is tried again")
                    born[_start(words, place)] = time.monotonic(), place
            if told:
                raise Interrupted(f"stopped by {told[0]}; what was done is kept, run again to go on")
            if ends[STOPPED]:
                raise Interrupted("the time left is too short for more; run again to go on")
        finally:
            _end(list(born))


def watched(parent: int, words: Sequence[str]) -> None:
    """The life of one process: the command, until it ends or its parent does."""
    die_with_parent(parent)
    first_when_memory_is_short()
    from discovery.cli import main

    sys.argv = ["discovery", *words]
    main()


def watcher() -> str:
    """Host and process that would outlive this one's death; empty where nobody watches."""
    return os.environ.get(WATCHER, "")


def limited(seconds: float) -> None:
    """Kill this process by SIGALRM unless it is told otherwise in time; 0 tells otherwise.

    By the kernel: neither Python nor a library that holds it can be in the way.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _start(words: Sequence[str], place: int) -> subprocess.Popen[bytes]:
    found = [gpu.index for gpu in gpus()]
    device = {"CUDA_VISIBLE_DEVICES": str(found[place % len(found)])} if len(found) > 1 else {}
    path = json.dumps([entry or os.getcwd() for entry in sys.path])
    named = {WATCHER: f"{socket.gethostname()} {os.getpid()}"}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, str(os.getpid()), path, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **ONE_THREAD, **SHARED_GPU, **device, **named},
        start_new_session=True,  # a Ctrl-C in the terminal is the parent's to act on
    )


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Tell them to stop, and kill who does not within the grace."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + GRACE_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
