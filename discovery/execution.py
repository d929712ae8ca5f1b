"""Runs a scorer over many molecules, so that one bad molecule costs one row and a kill costs one shard.

The molecules not yet in the ledger are cut into chunks. A chunk is a shard: it is
committed as soon as its last row is there, and is found again by any later run,
whatever its chunks, since rows are looked up one by one: the same stage, settings,
versions and molecule (and, for a refiner, the same earlier answer) is never computed
twice.

With `workers=0` the scorer runs in this process: right for cheap scorers, and without
protection. Otherwise it lives in worker processes (see workers/worker.py), and this is what
happens when one dies or is silent for too long:

1. The chunk's molecules are taken one by one; the neighbours get their answers, and
   the one that does it again, alone, is the culprit: CRASHED, TIMED_OUT or
   OUT_OF_MEMORY, with its name and the signal or the time it was given. Not halves of halves: each
   halving would let it take down one more worker, and a worker is dear to build.
2. Its row counts the attempts. A later run tries a machine's fault again, always alone,
   until `MAX_ATTEMPTS` have been made in all, over all runs.
3. A worker killed from outside (SIGKILL, as the kernel does when memory is short) is no
   evidence against the molecule: while attempts are left it is tried once more.

A chunk has as long as one molecule may take, and more once the run has learned how
long molecules usually take. Too little patience with a chunk is harmless: its
molecules are then judged one by one, each with the full time. So what is measured here
never changes an outcome, only `timeout_s` does.

Exceptions of a scorer are bugs and stop the run; what was committed stays.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from discovery.events import Event, Kind, Sink, silent
from discovery.ledger import Damaged, Ledger, digest, shard_key, table_outcomes
from discovery.molecule import Molecule
from discovery.outcome import Fault, Missing
from discovery.plugins import PluginError
from discovery.score import Score
from discovery.workers.crew import MAX_ATTEMPTS, Chunk, Crew, Item, Job, here
from discovery.workers.sharing import PLAIN, Share, Terms, commit, posted


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
    on_event: Sink = silent,
    label: str = "",
    terms: Terms = PLAIN,
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
        Processes; 0 runs the scorer here, without `timeout_s`.
    chunk
        Molecules a shard: what a kill may cost.
    timeout_s
        For one molecule, seconds.
    terms
        How the chunks are shared with helpers on this and other hosts (see workers/sharing.py);
        with `workers=0` they are not.

    Raises
    ------
    PluginError
        The scorer is unknown, refuses its settings or breaks its promise.
    ScorerFailed
        The scorer raised, or its worker dies whenever it is built.
    Interrupted
        Ctrl-C or SIGTERM.
    ValueError
        A number above is out of its range, or `found` and `molecules` differ in length.
    """
    if found is not None and len(found) != len(molecules):
        raise ValueError(f"{len(molecules)} molecules but {len(found)} earlier scores")
    if workers < 0 or chunk < 1 or timeout_s <= 0:
        raise ValueError("workers >= 0, chunk >= 1 and timeout_s > 0 are needed")
    items: dict[str, Item] = {}
    order: list[str] = []
    for i, molecule in enumerate(molecules):
        item = Item(molecule, None if found is None else found[i])
        order.append(items.setdefault(item.key, item).key)

    work = _work(spec, stage, versions)
    known = _known(ledger, stage, work, items, on_event)
    outcomes, todo, retried = _left(items, known)
    chunks = [Chunk(todo[i : i + chunk]) for i in range(0, len(todo), chunk)]
    chunks += [Chunk([item]) for item in retried]  # alone: it has taken a worker down before
    for part in chunks:
        inputs = [f"{item.key}#{attempt}" for item, attempt in zip(part.items, part.before, strict=True)]
        part.key = shard_key(stage, {"use": spec.use, **dict(spec.settings)}, inputs, versions)
    job = Job(spec.use, dict(spec.settings), stage, timeout_s)
    progress = _Progress(label or stage, len(items), on_event)
    again = {item.key for item in retried}
    reused = [outcome for key, outcome in outcomes.items() if key not in again]
    progress.count(reused)
    progress.say("stage", f"{len(reused)} known already" if reused else "")

    def told(done: Chunk) -> None:
        outcomes.update(done.outcomes)
        progress.count([done.outcomes[item.key] for item in done.items])
        progress.say("progress")

    def came(chunk: Chunk) -> None:
        """Another host did it: the table says how."""
        table = ledger.read(chunk.key)
        for item, outcome in zip(chunk.items, table_outcomes(table), strict=True):
            chunk.outcomes[item.key] = outcome
        told(chunk)

    if chunks and workers == 0:

        def kept(done: Chunk, column: str) -> None:
            commit(ledger, done, job=job, work=work, column=column)
            told(done)

        here(job, chunks, kept)
    elif chunks:
        share = Share(ledger, chunks, terms, came)

        def keep(done: Chunk, column: str) -> None:
            if share.keep(done, lambda: commit(ledger, done, job=job, work=work, column=column)):
                told(done)

        try:
            with posted(ledger, job, work, chunks, progress.label):
                Crew(job, share, keep, workers, partial(progress.say, "warning"), terms.bench).run()
        finally:
            share.close()
    progress.say("done")
    return [outcomes[key] for key in order]


def _left(
    items: Mapping[str, Item], known: Mapping[str, tuple[Score | Missing, int]]
) -> tuple[dict[str, Score | Missing], list[Item], list[Item]]:
    """What is known already, what is to be done, and what is to be tried again after a machine's fault."""
    outcomes: dict[str, Score | Missing] = {}
    todo: list[Item] = []
    retried: list[Item] = []
    for key, item in items.items():
        if key not in known:
            todo.append(item)
            continue
        outcomes[key], item.attempts = known[key]
        if _machines_fault(outcomes[key]) and item.attempts < MAX_ATTEMPTS:
            retried.append(item)
    return outcomes, todo, retried


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
    items = [Item(m, None if found is None else found[i]) for i, m in enumerate(molecules)]
    work = _work(spec, stage, versions)
    known = _known(ledger, stage, work, {item.key: item for item in items}, silent, mend=False)
    return [known[item.key][0] if item.key in known else None for item in items]


# --- what there is to do, and what is known already


def _work(spec: ScorerSpec, stage: str, versions: Mapping[str, str]) -> str:
    """One name for all that an answer depends on, save the molecule."""
    try:
        return digest([stage, spec.use, dict(spec.settings), dict(versions)])
    except (TypeError, ValueError) as error:
        raise PluginError(f"scorer {spec.use!r}: its settings must be plain JSON values: {error}") from error


def _machines_fault(outcome: Score | Missing) -> bool:
    return isinstance(outcome, Missing) and outcome.reason.fault is Fault.MACHINE


def _known(
    ledger: Ledger,
    stage: str,
    work: str,
    wanted: Mapping[str, Item],
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


# --- telling


class _Progress:
    def __init__(self, label: str, total: int, sink: Sink) -> None:
        self.label, self.total, self.sink = label, total, sink
        self.ok = self.failed = 0
        self.started = time.monotonic()

    def count(self, outcomes: Sequence[Score | Missing]) -> None:
        ok = sum(isinstance(outcome, Score) for outcome in outcomes)
        self.ok, self.failed = self.ok + ok, self.failed + len(outcomes) - ok

    def say(self, kind: Kind, text: str = "") -> None:
        seconds = round(time.monotonic() - self.started, 3)
        done = self.ok + self.failed
        self.sink(Event(kind, self.label, text, done, self.total, self.ok, self.failed, seconds))
