"""Who does which task, and whose fault is a death?

The policy is told in discovery/execution.py. Here a chunk of molecules becomes tasks, a task is
done in this process or in one of a crew of workers, and a worker's death or silence
becomes the reason of the molecule that brought it about.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from discovery.devices import gpus
from discovery.ledger import digest
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.plugins import PluginError, build
from discovery.score import Score
from discovery.workers.interrupt import Interrupted, stopping
from discovery.workers.worker import Message, Worker, answer, ending, obituary, packed, unpacked

START_S = 900.0  # building a scorer: loading libraries, preparing a receptor, compiling
START_TRIES = 3  # workers that die while building, one after the other
MAX_ATTEMPTS = (
    3  # of a molecule that takes its worker down, over all runs; one death among several names nobody
)
GRACE_S = 5.0  # for running work to end when the run is told to stop


class ScorerFailed(RuntimeError):
    """A scorer has a bug; the message names it and carries the worker's traceback."""


@dataclass(slots=True)
class Item:
    """One molecule to score, and how often that went wrong."""

    molecule: Molecule
    found: Score | None
    attempts: int = 0  # how often a worker died on it
    given: str = ""  # digest of what a refiner starts from

    def __post_init__(self) -> None:
        self.given = "" if self.found is None else digest(packed(self.found))

    @property
    def key(self) -> str:
        return f"{self.molecule.smiles} {self.given}"


@dataclass(slots=True)
class Chunk:
    """Molecules that are committed together, as one shard."""

    items: list[Item]
    key: str = ""  # of its shard
    outcomes: dict[str, Score | Missing] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)  # attempts when the chunk was cut: part of its key
    seconds: float = 0.0
    peak_gb: float = 0.0

    def __post_init__(self) -> None:
        self.before = [item.attempts for item in self.items]


@dataclass(slots=True)
class Task:
    """Some of a chunk's molecules, handed to the scorer together."""

    chunk: Chunk
    items: list[Item]
    again: bool = False  # tried once more after a kill from outside


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all chunks."""

    use: str
    settings: Mapping[str, Any]
    stage: str
    timeout_s: float


# --- in this process


def here(job: Job, chunks: Sequence[Chunk], keep: Callable[[Chunk, str], None]) -> None:
    """Do every chunk in this process; `keep` commits each with its column's name."""
    with stopping(at_once=True):
        scorer = build("scorers", job.use, job.settings)
        column = scorer.column.name
        for chunk in chunks:
            tasks = deque([Task(chunk, chunk.items)])
            while tasks:
                task = tasks.popleft()
                started = time.monotonic()
                found = [item.found for item in task.items if item.found is not None]
                reply = answer(scorer, [item.molecule for item in task.items], found or None)
                _settle(job, task, reply, time.monotonic() - started, tasks)
            keep(chunk, column)


def _settle(job: Job, task: Task, reply: Message, seconds: float, tasks: deque[Task]) -> None:
    """Put an answer where it belongs; what needs another go is put first in the queue."""
    chunk = task.chunk
    chunk.seconds += seconds
    chunk.peak_gb = max(chunk.peak_gb, reply.get("peak_gb", 0.0))
    if "rows" in reply:
        for item, row in zip(task.items, reply["rows"], strict=True):
            chunk.outcomes[item.key] = unpacked(row)
        return
    if "bug" in reply:
        _stop_for_bug(job, task, reply)
    for item in task.items:
        item.attempts += 1
    if len(task.items) > 1:
        tasks.extendleft(Task(chunk, [item]) for item in reversed(task.items))
        return
    (item,) = task.items
    if reply.get("outside") and not task.again and item.attempts < MAX_ATTEMPTS:
        tasks.appendleft(Task(chunk, [item], again=True))
        return
    detail = f"{item.molecule.shown}: {job.use} {reply['detail']}"
    chunk.outcomes[item.key] = Missing(job.stage, Reason(reply["reason"]), detail)


def _stop_for_bug(job: Job, task: Task, reply: Message) -> None:
    which = task.items[0].molecule.shown
    if len(task.items) > 1:
        which = f"{len(task.items)} molecules, the first of them {which}"
    if reply["kind"] == "promise":
        raise PluginError(f"scorer {job.use!r} breaks the Scorer promise on {which}: {reply['bug']}")
    raise ScorerFailed(f"scorer {job.use!r} failed on {which}: {reply['bug']}\n\n{reply['traceback']}")


# --- in worker processes


class Source(Protocol):
    """Where chunks come from; other hosts may draw from the same one."""

    left: dict[str, Chunk]

    def claim(self) -> Chunk | None:
        """A chunk to do now; None if there is none at the moment."""
        ...

    def done(self) -> bool:
        """Whether there is nothing more to wait for."""
        ...


class Bench:
    """Workers that have nothing to do between two stages, kept for the next. Close it: none outlives that."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[tuple[Worker, Message | None]] = queue.Queue()  # of all workers, idle or not
        self.idle: list[Worker] = []

    def close(self) -> None:
        for worker in self.idle:
            worker.close()


class Crew:
    """Workers, each with one task at most; nothing here runs in threads but the listening."""

    def __init__(
        self,
        job: Job,
        source: Source,
        keep: Callable[[Chunk, str], None],
        size: int,
        warn: Callable[[str], None],
        bench: Bench | None = None,
    ) -> None:
        """Idle workers come from the bench, and go there in the end; without one they end."""
        self.job, self.source, self.keep, self.size, self.warn = job, source, keep, size, warn
        self.bench, self.keeps_workers = bench or Bench(), bench is not None
        self.tasks: deque[Task] = deque()
        self.open: dict[int, Chunk] = {}
        self.at_work: dict[Worker, tuple[Task | None, float, float]] = {}  # task, started, deadline
        self.late: set[Worker] = set()  # killed by us, for taking too long
        self.failed_starts = 0
        self.gpus = self._devices()
        self.column = ""
        self.usual_s = 0.0  # what a molecule takes, a running mean

    def run(self) -> None:
        """Until every chunk is kept; no worker outlives it, however it ends."""
        with stopping() as told:
            try:
                while (self.open or not self.source.done()) and not told:
                    self._fill()
                    self._hear()
                    self._see_who_is_late()
                if told:
                    self._wind_up()
                    raise Interrupted(f"stopped by {told[0]}; what was done is kept, run again to go on")
                if self.source.left:
                    raise Interrupted("the time left is too short for another chunk; run again to go on")
                if self.keeps_workers:
                    for worker in [w for w in self.at_work if w.built and w not in self.late]:
                        del self.at_work[worker]
                        self.bench.idle.append(worker)
            finally:
                for worker in self.at_work:
                    worker.kill()
                for worker in self.at_work:
                    worker.close()

    def take(self, chunk: Chunk) -> None:
        """Do this chunk as well."""
        self.open[id(chunk)] = chunk
        self.tasks.append(Task(chunk, chunk.items))

    def _fill(self) -> None:
        """Give every idle worker a task; start workers while there is more to do than workers."""
        busy = sum(task is not None for task, _, _ in self.at_work.values())
        while len(self.tasks) + busy < self.size and (chunk := self.source.claim()) is not None:
            self.take(chunk)
        for worker, (task, _, _) in self.at_work.items():
            if worker.built and task is None and self.tasks and worker not in self.late:
                self._give(worker, self.tasks.popleft())
        starting = sum(not worker.built for worker in self.at_work)
        while len(self.at_work) < self.size and starting < len(self.tasks):
            job = self.job
            order = {"use": job.use, "settings": dict(job.settings)}
            if self.bench.idle:
                worker = self.bench.idle.pop()
                worker.built = False
                worker.send(order)
            else:
                worker = Worker(order, self.bench.inbox, self._least_used())
            now = time.monotonic()
            self.at_work[worker] = (None, now, now + START_S)
            starting += 1

    def _devices(self) -> list[int]:
        """Several GPUs are shared out among the workers; one, or none, needs no sharing out."""
        try:
            found = [gpu.index for gpu in gpus()]
        except OSError as error:
            self.warn(f"{error}; workers get the devices as they find them")
            return []
        return found if len(found) > 1 else []

    def _least_used(self) -> int | None:
        used = [worker.gpu for worker in self.at_work]
        return min(self.gpus, key=used.count, default=None)

    def _give(self, worker: Worker, task: Task) -> None:
        now = time.monotonic()
        allowed = self.job.timeout_s
        if len(task.items) > 1:
            allowed = min(allowed + 2 * self.usual_s * len(task.items), allowed * len(task.items))
        self.at_work[worker] = (task, now, now + allowed)
        found = [packed(item.found) for item in task.items if item.found is not None]
        named = [[item.molecule.smiles, item.molecule.name] for item in task.items]
        worker.send({"molecules": named, "found": found or None})

    def _hear(self) -> None:
        """Wait a moment for an answer, or for the next deadline."""
        now = time.monotonic()
        busy = [d for w, (t, _, d) in self.at_work.items() if t is not None or not w.built]
        try:
            worker, message = self.bench.inbox.get(timeout=max(0.0, min([0.25, *(d - now for d in busy)])))
        except queue.Empty:
            return
        if worker not in self.at_work:  # of an earlier stage
            if worker in self.bench.idle and message is None:
                self.bench.idle.remove(worker)
                worker.close()
        elif message is None:
            self._bury(worker)
        elif not worker.built:
            self._welcome(worker, message)
        else:
            task, started, _ = self.at_work[worker]
            assert task is not None, "a worker answered that was not asked"
            now = time.monotonic()
            self.at_work[worker] = (None, now, now)
            if "rows" in message:
                each_s = (now - started) / len(task.items)
                self.usual_s = each_s if self.usual_s == 0.0 else 0.8 * self.usual_s + 0.2 * each_s
            self._done(task, message, now - started)

    def _see_who_is_late(self) -> None:
        now = time.monotonic()
        for worker, (task, _, deadline) in self.at_work.items():
            if now > deadline and (task is not None or not worker.built) and worker not in self.late:
                self.late.add(worker)
                worker.kill()  # its end is heard in the inbox

    def _welcome(self, worker: Worker, message: Message) -> None:
        if "refused" in message:
            raise PluginError(message["refused"])
        if "bug" in message:
            raise ScorerFailed(
                f"scorer {self.job.use!r} failed while being built: {message['bug']}\n\n{message['traceback']}"
            )
        self.column, worker.built, self.failed_starts = message["column"], True, 0

    def _bury(self, worker: Worker) -> None:
        task, started, _ = self.at_work.pop(worker)
        seconds = time.monotonic() - started
        status, said = worker.end()
        worker.close()
        late = worker in self.late
        self.late.discard(worker)
        if task is not None:
            if late:
                limit = f"took longer than the {self.job.timeout_s:g} s a molecule may take"
                death: Message = {"reason": Reason.TIMED_OUT.value, "detail": limit}
            else:
                death = obituary(status, said)
            named = task.items[0].molecule.shown
            among = (
                f" or one of {len(task.items) - 1} more, tried one by one now" if len(task.items) > 1 else ""
            )
            self.warn(f"a worker {death['detail']}: {named}{among}")
            self._done(task, death, seconds)
        elif not worker.built:  # dead while idle is nobody's loss
            self.failed_starts += 1
            if late or self.failed_starts >= START_TRIES:
                how = f"took over {START_S:g} s" if late else ending(status)
                raise ScorerFailed(f"the worker of scorer {self.job.use!r} {how} while building it\n\n{said}")

    def _done(self, task: Task, message: Message, seconds: float) -> None:
        _settle(self.job, task, message, seconds, self.tasks)
        chunk = task.chunk
        if len(chunk.outcomes) == len(chunk.items):
            self.keep(chunk, self.column)
            del self.open[id(chunk)]

    def _wind_up(self) -> None:
        """Told to stop: hand out nothing more, keep what ends within the grace."""
        self.tasks.clear()
        end = time.monotonic() + GRACE_S
        while time.monotonic() < end and any(task is not None for task, _, _ in self.at_work.values()):
            self._hear()
            self._see_who_is_late()
