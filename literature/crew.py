"""Who reads which file, and what does an article cost that takes its reader down?

Each reader is a process of its own (discovery/workers/worker.py). It reads a file at a time and
says what it is at before it begins it. One that dies is replaced and its file begun
anew: the articles it was at are then read one by one, and one that has taken its reader
down twice alone is skipped with its reason. A file whose very parsing kills ends there.
Was it memory that ran out, the next run reads that file again, three times in all.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from discovery.devices import cpus
from discovery.outcome import UserError
from discovery.workers.interrupt import Interrupted, stopping
from discovery.workers.worker import Message, Worker, obituary
from literature.reading import Reading

DEATHS = 2  # of one step, after which it is left out
START_TRIES = 3  # readers in a row that die before they have read a word


class ReaderFailed(UserError, RuntimeError):
    """Nothing can be read in this way; the message carries what the reader said of it."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Tells what is begun, and knows how earlier readers of the same file ended."""

    tell: Callable[[str], None] = lambda step: None
    deaths: Mapping[str, Sequence[str]] = field(default_factory=dict)  # step -> how each reader ended at it

    def begin(self, step: str) -> str:
        """Begin a step; or, if it has ended too many readers, how it ended the last one."""
        ends = self.deaths.get(step, ())
        if len(ends) >= DEATHS:
            return ends[-1]
        self.tell(step)
        return ""

    @property
    def short_of_memory(self) -> bool:
        """Whether something was left out that a machine with more memory, or a quieter one, may read."""
        return any(len(ends) >= DEATHS and "memory" in ends[-1] for ends in self.deaths.values())


@dataclass
class _Task:
    """One file to read, and what it has cost so far."""

    file: str
    key: str
    at: str = ""
    deaths: dict[str, list[str]] = field(default_factory=dict)


def read_files(
    files: Sequence[tuple[Path, str]],
    out: Path,
    read: Reading,
    format: str,
    size: int,
    tell: Callable[[str], None],
) -> None:
    """Have `size` processes read (file, key of its shard) pairs into the tables of `out`.

    Raises
    ------
    Interrupted
        Told to stop; the files that were read are kept.
    ReaderFailed
        The reader cannot be used, has a bug, or dies before it reads a word.
    """
    order = {"out": str(out), "format": format, "reading": asdict(read)}
    waiting = deque(_Task(str(file), key) for file, key in files)
    at_work: dict[Worker, _Task | None] = {}
    inbox: queue.Queue[tuple[Worker, Message | None]] = queue.Queue()
    failed_starts = 0
    with stopping() as told:
        try:
            while waiting or any(at_work.values()):
                if told:
                    raise Interrupted(
                        f"stopped by {told[0]}; files that were read are kept, run again to go on"
                    )
                if len(at_work) < size and len(at_work) < len(waiting) + sum(map(bool, at_work.values())):
                    share = max(1, cpus() // size)
                    at_work[Worker(order, inbox, home="literature.mining", threads=share)] = None
                worker, message = None, None
                with suppress(queue.Empty):
                    worker, message = inbox.get(timeout=0.25)
                if worker is None:
                    continue
                task = at_work[worker]
                if message is None:
                    del at_work[worker]
                    detail = _ended(worker)
                    failed_starts += not (task and task.at)
                    if failed_starts >= START_TRIES:
                        raise ReaderFailed(
                            f"{START_TRIES} readers ended before they read a word; the last {detail}"
                        )
                    if task:
                        where = ", ".join(part for part in (Path(task.file).name, task.at) if part)
                        tell(f"a reader {detail} at {where}; another begins it anew")
                        task.deaths.setdefault(task.at, []).append(detail)
                        waiting.appendleft(task)
                elif "at" in message and task:
                    task.at, failed_starts = message["at"], 0
                elif "refused" in message:
                    raise ReaderFailed(message["refused"])
                else:  # ready for a file
                    if task:
                        tell(f"read {Path(task.file).name}")
                    at_work[worker] = task = waiting.popleft() if waiting else None
                    if task:
                        task.at = ""
                        worker.send({"file": task.file, "key": task.key, "deaths": task.deaths})
        finally:
            for worker in at_work:
                worker.close()


def _ended(worker: Worker) -> str:
    """How a reader ended, in words; what it said last is told where it is no signal's doing."""
    status, said = worker.end()
    worker.close()
    return str(obituary(status, said)["detail"]) + (f":\n{said}" if status > 0 and said else "")
