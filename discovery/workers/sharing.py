"""Which chunks of a stage are left, and how do several hosts do them together?

Whoever drives a run posts each stage's chunks as a document of the ledger. Any process
that sees the folder may take chunks by lease, do them and commit them; the driver takes
its own the same way, and picks up what others committed. So a laptop can help a batch
job, any of them may die, and nothing is told to anybody but the folder.

    documents/job-WORK.json   what to do: scorer, settings, chunks with their keys
    leases/KEY.lease          who is at it (see leases.py)
    shards/KEY.parquet        done

A helper whose libraries, code or files differ from the driver's would mix two kinds of
numbers: it refuses.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from discovery import provenance
from discovery.events import Event, Sink, silent
from discovery.files import CannotWrite
from discovery.ledger import Damaged, Ledger, outcomes_table
from discovery.molecule import Molecule
from discovery.outcome import Counts, UserError
from discovery.workers.crew import Bench, Chunk, Crew, Item, Job
from discovery.workers.leases import LEASE_S, Leases
from discovery.workers.worker import packed, unpacked

LOOK_S = 1.0  # between looks at what others are doing
YOUNG_S = 600.0  # an unfinished file of that age is nobody's any more
MARGIN = 1.2  # of the slowest chunk so far: what does not fit into the time left is not begun


class Mixed(UserError, RuntimeError):
    """This process would compute with other libraries, code or files than the run was begun with."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a process shares a run with others."""

    lease_s: float = LEASE_S
    until: float | None = None  # time.monotonic() at which the machine is taken away
    bench: Bench | None = None  # keeps workers from stage to stage; else each has its own


PLAIN = Terms()


class Share:
    """The chunks of one stage, as this process sees them."""

    def __init__(
        self,
        ledger: Ledger,
        chunks: Sequence[Chunk],
        terms: Terms,
        came: Callable[[Chunk], None] = lambda chunk: None,
        *,
        shuffled: bool = False,
    ) -> None:
        """`came` hears of each chunk that somebody else committed; helpers look in an order of their own."""
        self.ledger, self.terms, self.came = ledger, terms, came
        order = list(chunks)
        if shuffled:
            random.shuffle(order)  # so that many helpers do not queue for the same lease
        self.left = {chunk.key: chunk for chunk in order}
        self.closed = False  # too little time is left to begin anything
        self._leases = Leases(ledger.folder / "leases", terms.lease_s)
        self._leases.bury()  # what a killed process of this host held need not be waited for
        self._mine: dict[str, float] = {}  # key -> when it was begun
        self._slowest = 0.0
        self._look_at = 0.0

    def claim(self) -> Chunk | None:
        """A chunk that is now ours; None if there is none to be had at the moment."""
        now = time.monotonic()
        if self.closed or now < self._look_at:
            return None
        for key, chunk in list(self.left.items()):
            if key in self._mine:
                continue
            if self.ledger.has(key):
                self._done_elsewhere(chunk)
                continue
            if self.terms.until is not None and now + MARGIN * self._slowest > self.terms.until:
                self.closed = True
                return None
            if not self._leases.take(key):
                continue
            if self.ledger.has(key):  # committed between the two looks
                self._leases.give_back(key)
                self._done_elsewhere(chunk)
                continue
            self._mine[key] = time.monotonic()
            return chunk
        self._look_at = now + LOOK_S * random.uniform(0.5, 1.5)
        return None

    def keep(self, chunk: Chunk, commit: Callable[[], None]) -> bool:
        """Commit a chunk that was done here; False, and nothing is committed, if it is no longer ours."""
        began = self._mine.pop(chunk.key)
        self._slowest = max(self._slowest, time.monotonic() - began)
        if not self._leases.holds(chunk.key):
            self._leases.give_back(chunk.key)
            return False  # taken over while this process was frozen; it stays in `left` until it is committed
        commit()
        self.left.pop(chunk.key)
        self._leases.give_back(chunk.key)
        return True

    def done(self) -> bool:
        """Whether nothing is left, or nothing more may be begun here."""
        return not self.left or (self.closed and not self._mine)

    def close(self) -> None:
        """Let others have what is not done."""
        self._leases.close()

    def _done_elsewhere(self, chunk: Chunk) -> None:
        try:
            self.came(chunk)
        except Damaged:
            self.ledger.discard(chunk.key)  # done again, by whoever takes it next
            return
        self.left.pop(chunk.key)


def commit(ledger: Ledger, chunk: Chunk, *, job: Job, work: str, column: str) -> None:
    """Write a finished chunk down as a shard."""
    told = [chunk.outcomes[item.key] for item in chunk.items]
    table = outcomes_table([item.molecule for item in chunk.items], told, column)
    table = table.append_column("given", pa.array([item.given for item in chunk.items], pa.string()))
    table = table.append_column("attempts", pa.array([item.attempts for item in chunk.items], pa.int64()))
    info = {"work": work, "seconds": round(chunk.seconds, 3), "peak_gb": round(chunk.peak_gb, 3)}
    ledger.commit(chunk.key, table, stage=job.stage, counts=Counts.of(told), info=info)


# --- the driver's side


def tidy(ledger: Ledger) -> None:
    """Sweep, sparing what helpers may be writing just now; take down what dead drivers posted. Needs the lock."""
    for path in (ledger.folder / "documents").glob("job-*.json"):
        path.unlink(missing_ok=True)
    others = Leases(ledger.folder / "leases").bury()
    ledger.sweep(spare_s=YOUNG_S if others else 0.0)


@contextmanager
def posted(ledger: Ledger, job: Job, work: str, chunks: Sequence[Chunk], label: str) -> Iterator[None]:
    """Inside, others can see what there is to do."""
    name = f"job-{work[:40]}"
    ledger.put_document(
        name,
        {
            "job": asdict(job),
            "work": work,
            "label": label,
            "needs": _needs(job.use, job.settings),
            "chunks": [
                {"key": chunk.key, "items": [_item(item) for item in chunk.items]} for chunk in chunks
            ],
        },
    )
    try:
        yield
    finally:
        with suppress(OSError):
            (ledger.folder / "documents" / f"{name}.json").unlink(missing_ok=True)


def _needs(use: str, settings: Mapping[str, Any]) -> dict[str, str]:
    scorers = [use, *(part["use"] for part in settings.get("parts", ()))]  # a panel's, see screens/panel.py
    return {
        **provenance.versions(),
        **{f"code of {name}": provenance.code_digest("scorers", name) for name in scorers},
        **provenance.files_named(dict(settings)),
    }


def _item(item: Item) -> list[Any]:
    found = None if item.found is None else packed(item.found)
    return [item.molecule.smiles, item.molecule.name, found, item.attempts]


# --- a helper's side


def help_out(folder: Path, *, workers: int, terms: Terms, on_event: Sink = silent) -> bool:
    """Do chunks of whatever the folder's driver has posted; whether there was anything to do.

    Raises
    ------
    Mixed
        This process would compute something else than the driver.
    Interrupted
        Told to stop, or out of time; what was committed stays.
    """
    helped = False
    for home in (folder, *_listed(folder / "work", "*")):
        for path in _listed(home / "documents", "job-*.json"):
            ledger = Ledger(home)
            try:
                told = ledger.get_document(path.stem)
                if told is not None:
                    helped |= _help_with(ledger, told, workers, terms, on_event)
            except (Damaged, FileNotFoundError, CannotWrite):
                if path.exists():  # the disk's fault, not the end of the stage
                    raise
    return helped


def _listed(folder: Path, pattern: str) -> list[Path]:
    """None of a folder that is cleared away just now."""
    with suppress(FileNotFoundError):
        return sorted(folder.glob(pattern))
    return []


def _help_with(ledger: Ledger, told: Mapping[str, Any], workers: int, terms: Terms, on_event: Sink) -> bool:
    job, work, label = Job(**told["job"]), str(told["work"]), f"helping with {told['label']}"
    chunks = [
        Chunk(
            [
                Item(Molecule(smiles, name), None if found is None else unpacked(found), attempts)  # type: ignore[arg-type]
                for smiles, name, found, attempts in entry["items"]
            ],
            key=entry["key"],
        )
        for entry in told["chunks"]
    ]
    share = Share(ledger, chunks, terms, shuffled=True)
    done = 0

    def keep(chunk: Chunk, column: str) -> None:
        nonlocal done
        if share.keep(chunk, lambda: commit(ledger, chunk, job=job, work=work, column=column)):
            done += len(chunk.items)
            on_event(Event("progress", label, "", done, sum(len(c.items) for c in chunks), done, 0))

    try:
        first = share.claim()
        if first is None:
            return False
        if differ := provenance.changes(told["needs"], _needs(job.use, job.settings)):
            raise Mixed(
                f"this host is not as the one that drives the run: {differ}; "
                "make the two alike, or leave this host out"
            )
        crew = Crew(
            job, share, keep, workers, lambda text: on_event(Event("warning", label, text)), terms.bench
        )
        crew.take(first)
        crew.run()
    finally:
        share.close()
    return True
