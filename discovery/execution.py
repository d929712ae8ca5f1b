"""Runs a scorer over many molecules, so that one bad molecule costs one row and a kill costs one shard.

The molecules not yet in the ledger are cut into chunks. A chunk is a shard: it is
committed as soon as its last row is there, and is found again by any later run,
whatever its chunks, since rows are looked up one by one: the same stage, settings,
versions and molecule (and, for a refiner, the same earlier answer) is never computed
twice.

With `workers=0` the scorer runs in this process: right for cheap scorers, and without
protection. Otherwise it lives in worker processes (see worker.py), and this is what
happens when one dies or is silent for too long:

1. The chunk's molecules are taken one by one; the neighbours get their answers, and
   the one that does it again, alone, is the culprit: CRASHED, TIMED_OUT or
   OUT_OF_MEMORY, with its name, the signal and the seconds. Not halves of halves: each
   halving would let it take down one more worker, and a worker is dear to build.
2. Its row counts the attempts. A later run tries a machine's fault again, always alone,
   until `max_attempts` have been made in all, over all runs.
3. A worker killed from outside (SIGKILL, as the kernel does when memory is short) is no
   evidence against the molecule: while attempts are left it is tried once more.

A chunk has as long as one molecule may take, and more once the run has learned how
long molecules usually take. Too little patience with a chunk is harmless: its
molecules are then judged one by one, each with the full time. So what is measured here
never changes an outcome, only `timeout_s` does.

Exceptions of a scorer are bugs and stop the run; what was committed stays.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from discovery.events import Event, Sink, silent
from discovery.interrupt import Interrupted, stopping
from discovery.ledger import Damaged, Ledger, digest, outcomes_table, shard_key, table_outcomes
from discovery.molecule import Molecule
from discovery.outcome import Counts, Fault, Missing, Reason
from discovery.plugins import PluginError, build
from discovery.score import Score
from discovery.worker import Message, Worker, answer, ending, obituary, packed, unpacked

START_S = 900.0  # building a scorer: loading libraries, preparing a receptor, compiling
START_TRIES = 3  # workers that die while building, one after the other
GRACE_S = 5.0  # for running work to end when the run is told to stop


class ScorerFailed(RuntimeError):
    """A scorer has a bug; the message names it and carries the worker's traceback."""


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """A scorer by its plug-in name and settings, so that another process can build it."""

    use: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def score_all(
    spec: ScorerSpec,
    molecules: Sequence[Molecule],
    *,
    ledger: Ledger,
    stage: str,
    versions: Mapping[str, str],
    found: Sequence[Score] | None = None,
    workers: int = 0,
    chunk: int = 64,
    timeout_s: float = 600.0,
    max_attempts: int = 3,
    memory_gb: float | None = None,
    on_event: Sink = silent,
    label: str = "",
) -> list[Score | Missing]:
    """One outcome per molecule, in the order given; the same whatever `workers` and `chunk`.

    Parameters
    ----------
    spec
        Which scorer; settings are plain JSON.
    stage
        Names the shards and the `Missing`s; the same in every round, so that rounds
        share what they learned. `label` is what progress calls it; `stage` when empty.
    versions
        Whatever else the answers depend on: versions of programs, sha256 of weights and
        of files that the settings name.
    found
        For a `Refiner`: what the earlier scorer said of each molecule.
    workers
        Processes; 0 runs the scorer here, with neither `timeout_s` nor `memory_gb`.
    chunk
        Molecules a shard: what a kill may cost.
    timeout_s
        For one molecule, seconds.
    max_attempts
        How often a molecule may take a worker down, over all runs; at least 2, since
        one death among several molecules does not say whose it was.
    memory_gb
        Private memory one worker may use, GiB; None sets no limit.

    Raises
    ------
    PluginError
        The scorer is unknown, refuses its settings or breaks its promise.
    ScorerFailed
        The scorer raised, or its worker dies whenever it is built.
    Interrupted
        Ctrl-C or SIGTERM.
    """
    if found is not None and len(found) != len(molecules):
        raise ValueError(f"{len(molecules)} molecules but {len(found)} earlier scores")
    if workers < 0 or chunk < 1 or timeout_s <= 0 or max_attempts < 2:
        raise ValueError("workers >= 0, chunk >= 1, timeout_s > 0 and max_attempts >= 2 are needed")
    items: dict[str, _Item] = {}
    order: list[str] = []
    for i, molecule in enumerate(molecules):
        item = _Item(molecule, None if found is None else found[i])
        order.append(items.setdefault(item.key, item).key)

    work = digest([stage, spec.use, dict(spec.settings), dict(versions)])
    known = _known(ledger, stage, work, items, on_event)
    todo: list[_Item] = []
    retried: list[_Item] = []
    outcomes: dict[str, Score | Missing] = {}
    for key, item in items.items():
        if key not in known:
            todo.append(item)
            continue
        outcomes[key], item.attempts = known[key]
        if _machines_fault(outcomes[key]) and item.attempts < max_attempts:
            retried.append(item)
    chunks = [_Chunk(todo[i : i + chunk]) for i in range(0, len(todo), chunk)]
    chunks += [_Chunk([item]) for item in retried]  # alone: it has taken a worker down before

    job = _Job(spec, stage, work, dict(versions), timeout_s, max_attempts, memory_gb)
    progress = _Progress(label or stage, len(items), on_event)
    progress.begin([o for k, o in outcomes.items() if k not in {item.key for item in retried}])

    def keep(done: _Chunk, column: str) -> None:
        told = [done.outcomes[item.key] for item in done.items]
        table = outcomes_table([item.molecule for item in done.items], told, column)
        table = table.append_column("given", pa.array([item.given for item in done.items], pa.string()))
        table = table.append_column("attempts", pa.array([item.attempts for item in done.items], pa.int64()))
        inputs = [f"{item.key}#{attempt}" for item, attempt in zip(done.items, done.before, strict=True)]
        key = shard_key(stage, {"use": spec.use, **dict(spec.settings)}, inputs, versions)
        info = {"work": work, "seconds": round(done.seconds, 3), "peak_gb": round(done.peak_gb, 3)}
        ledger.commit(key, table, stage=stage, counts=Counts.of(told), info=info)
        outcomes.update(done.outcomes)
        progress.advance(told)

    if chunks:
        if workers == 0:
            _here(job, chunks, keep)
        else:
            _Crew(job, chunks, keep, min(workers, len(chunks)), progress).run()
    progress.end()
    return [outcomes[key] for key in order]


def recorded(
    spec: ScorerSpec,
    molecules: Sequence[Molecule],
    *,
    ledger: Ledger,
    stage: str,
    versions: Mapping[str, str],
    found: Sequence[Score] | None = None,
) -> list[Score | Missing | None]:
    """What `score_all` would find in the ledger, without computing or discarding; None where nothing is.

    Raises
    ------
    Damaged
        A shard of this stage is not what was written.
    """
    items = [_Item(m, None if found is None else found[i]) for i, m in enumerate(molecules)]
    work = digest([stage, spec.use, dict(spec.settings), dict(versions)])
    known = _known(ledger, stage, work, {item.key: item for item in items}, silent, mend=False)
    return [known[item.key][0] if item.key in known else None for item in items]


# --- what there is to do, and what is known already


@dataclass(slots=True)
class _Item:
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
class _Chunk:
    items: list[_Item]
    outcomes: dict[str, Score | Missing] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)  # attempts when the chunk was cut: part of its key
    seconds: float = 0.0
    peak_gb: float = 0.0

    def __post_init__(self) -> None:
        self.before = [item.attempts for item in self.items]


@dataclass(slots=True)
class _Task:
    """Some of a chunk's molecules, handed to the scorer together."""

    chunk: _Chunk
    items: list[_Item]
    again: bool = False  # tried once more after a kill from outside


@dataclass(frozen=True, slots=True)
class _Job:
    spec: ScorerSpec
    stage: str
    work: str
    versions: dict[str, str]
    timeout_s: float
    max_attempts: int
    memory_gb: float | None


def _machines_fault(outcome: Score | Missing) -> bool:
    return isinstance(outcome, Missing) and outcome.reason.fault is Fault.MACHINE


def _known(
    ledger: Ledger,
    stage: str,
    work: str,
    wanted: Mapping[str, _Item],
    on_event: Sink,
    *,
    mend: bool = True,
) -> dict[str, tuple[Score | Missing, int]]:
    """What earlier runs and rounds said of these molecules, and after how many attempts."""
    known: dict[str, tuple[Score | Missing, int]] = {}
    for shard in ledger.shards(stage):
        if shard.info.get("work") != work:
            continue
        try:
            table = ledger.read(shard.key)
        except Damaged as error:
            if not mend:
                raise
            on_event(Event("warning", stage=stage, text=f"{error}; its {shard.rows} rows are computed again"))
            ledger.discard(shard.key)
            continue
        smiles, given = table.column("smiles").to_pylist(), table.column("given").to_pylist()
        keys = [f"{s} {g}" for s, g in zip(smiles, given, strict=True)]
        rows = [i for i, key in enumerate(keys) if key in wanted]
        if not rows:
            continue
        table = table.take(rows)
        attempts = table.column("attempts").to_pylist()
        for i, outcome, tries in zip(rows, table_outcomes(table), attempts, strict=True):
            if keys[i] not in known or _better((outcome, tries), known[keys[i]]):
                known[keys[i]] = (outcome, tries)
    return known


def _better(new: tuple[Score | Missing, int], old: tuple[Score | Missing, int]) -> bool:
    """An answer beats a machine's fault; of two faults the later one counts."""
    return (not _machines_fault(new[0]), new[1]) > (not _machines_fault(old[0]), old[1])


# --- in this process


def _here(job: _Job, chunks: Sequence[_Chunk], keep: Callable[[_Chunk, str], None]) -> None:
    with stopping(at_once=True):
        scorer = build("scorers", job.spec.use, job.spec.settings)
        column = scorer.column.name
        for chunk in chunks:
            tasks = deque([_Task(chunk, chunk.items)])
            while tasks:
                task = tasks.popleft()
                started = time.monotonic()
                found = [item.found for item in task.items if item.found is not None]
                reply = answer(scorer, [item.molecule for item in task.items], found or None)
                _settle(job, task, reply, time.monotonic() - started, tasks)
            keep(chunk, column)


def _settle(job: _Job, task: _Task, reply: Message, seconds: float, tasks: deque[_Task]) -> None:
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
        tasks.extendleft(_Task(chunk, [item]) for item in reversed(task.items))
        return
    (item,) = task.items
    if reply.get("outside") and not task.again and item.attempts < job.max_attempts:
        tasks.appendleft(_Task(chunk, [item], again=True))
        return
    detail = f"{item.molecule.shown}: {job.spec.use} {reply['detail']}"
    chunk.outcomes[item.key] = Missing(job.stage, Reason(reply["reason"]), detail)


def _stop_for_bug(job: _Job, task: _Task, reply: Message) -> None:
    which = task.items[0].molecule.shown
    if len(task.items) > 1:
        which = f"{len(task.items)} molecules, the first of them {which}"
    if reply["kind"] == "promise":
        raise PluginError(f"scorer {job.spec.use!r} breaks the Scorer promise on {which}: {reply['bug']}")
    raise ScorerFailed(f"scorer {job.spec.use!r} failed on {which}: {reply['bug']}\n\n{reply['traceback']}")


# --- in worker processes


class _Crew:
    """Workers, each with one task at most; nothing here runs in threads but the listening."""

    def __init__(
        self,
        job: _Job,
        chunks: Sequence[_Chunk],
        keep: Callable[[_Chunk, str], None],
        size: int,
        progress: _Progress,
    ) -> None:
        self.job, self.keep, self.size, self.progress = job, keep, size, progress
        self.tasks = deque(_Task(chunk, chunk.items) for chunk in chunks)
        self.open = {id(chunk): chunk for chunk in chunks}
        self.inbox: queue.Queue[tuple[Worker, Message | None]] = queue.Queue()
        self.at_work: dict[Worker, tuple[_Task | None, float, float]] = {}  # task, started, deadline
        self.late: set[Worker] = set()  # killed by us, for taking too long
        self.failed_starts = 0
        self.column = ""
        self.usual_s = 0.0  # what a molecule takes, a running mean

    def run(self) -> None:
        with stopping() as told:
            try:
                while self.open and not told:
                    self._fill()
                    self._hear()
                if told:
                    self._wind_up()
                    raise Interrupted(f"stopped by {told[0]}; what was done is kept, run again to go on")
            finally:
                for worker in self.at_work:
                    worker.kill()
                for worker in self.at_work:
                    worker.close()

    def _fill(self) -> None:
        """Give every idle worker a task; start workers while there is more to do than workers."""
        for worker, (task, _, _) in self.at_work.items():
            if worker.built and task is None and self.tasks:
                self._give(worker, self.tasks.popleft())
        starting = sum(not worker.built for worker in self.at_work)
        while len(self.at_work) < self.size and starting < len(self.tasks):
            worker = Worker(self.job.spec.use, self.job.spec.settings, self.job.memory_gb, self.inbox)
            now = time.monotonic()
            self.at_work[worker] = (None, now, now + START_S)
            starting += 1

    def _give(self, worker: Worker, task: _Task) -> None:
        now = time.monotonic()
        allowed = self.job.timeout_s
        if len(task.items) > 1:
            allowed = min(allowed + 2 * self.usual_s * len(task.items), allowed * len(task.items))
        self.at_work[worker] = (task, now, now + allowed)
        found = [packed(item.found) for item in task.items if item.found is not None]
        named = [[item.molecule.smiles, item.molecule.name] for item in task.items]
        worker.send({"molecules": named, "found": found or None})

    def _hear(self, patience_s: float = 0.25) -> None:
        """Wait a moment for an answer, then see who is late."""
        now = time.monotonic()
        busy = [d for w, (t, _, d) in self.at_work.items() if t is not None or not w.built]
        try:
            worker, message = self.inbox.get(timeout=max(0.0, min([patience_s, *(d - now for d in busy)])))
        except queue.Empty:
            self._see_who_is_late()
            return
        if message is None:
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
                f"scorer {self.job.spec.use!r} failed while being built: {message['bug']}\n\n{message['traceback']}"
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
            self._done(task, death, seconds)
        elif not worker.built:  # dead while idle is nobody's loss
            self.failed_starts += 1
            if late or self.failed_starts >= START_TRIES:
                how = f"took over {START_S:g} s" if late else ending(status)
                raise ScorerFailed(
                    f"the worker of scorer {self.job.spec.use!r} {how} while building it\n\n{said}"
                )

    def _done(self, task: _Task, message: Message, seconds: float) -> None:
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


# --- telling


class _Progress:
    def __init__(self, label: str, total: int, sink: Sink) -> None:
        self.label, self.total, self.sink = label, total, sink
        self.ok = self.failed = 0
        self.started = time.monotonic()

    def begin(self, reused: Sequence[Score | Missing]) -> None:
        self._count(reused)
        text = f"{len(reused)} known already" if reused else ""
        self._say("stage", text)

    def advance(self, outcomes: Sequence[Score | Missing]) -> None:
        self._count(outcomes)
        self._say("progress", "")

    def end(self) -> None:
        self._say("done", "")

    def _count(self, outcomes: Sequence[Score | Missing]) -> None:
        ok = sum(isinstance(outcome, Score) for outcome in outcomes)
        self.ok, self.failed = self.ok + ok, self.failed + len(outcomes) - ok

    def _say(self, kind: Any, text: str) -> None:
        seconds = round(time.monotonic() - self.started, 3)
        done = self.ok + self.failed
        self.sink(Event(kind, self.label, text, done, self.total, self.ok, self.failed, seconds))
