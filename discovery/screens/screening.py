"""Score a library of any size.

Rows are streamed in batches and each batch is one shard of the ledger, so memory does
not grow with the library and a stopped run goes on at the batch it was in. A row in is
a row out, whatever became of it; how a batch is made, batch.py tells.
"""

from __future__ import annotations

import csv
import io
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pyarrow.parquet as pq

from discovery import config as configuration
from discovery import plugins, provenance
from discovery.config import ScorerConfig
from discovery.demo import demo_config
from discovery.doors import check_unclaimed
from discovery.events import Event, Sink, duration, silent
from discovery.files import SUMS, publish, refused, seal
from discovery.intake import Seen
from discovery.ledger import Ledger, digest, shard_key
from discovery.outcome import Counts, Fault, Reason, UserError
from discovery.record import Record
from discovery.records import about, records
from discovery.score import Column
from discovery.screens import batch
from discovery.views.export import inert_cell
from discovery.workers.crew import Bench
from discovery.workers.sharing import PLAIN, Terms, tidy

# As a campaign's CSV calls them, so that one script, and `discovery dock`, reads either.
PUBLIC = {
    "number": "row", "name": "id", "text": "as_written", "molecule": "smiles", "utility": "overall",
    "stage": "missing_stage", "reason": "missing_reason", "detail": "missing_detail",
}  # fmt: skip
NOTHING = Counts(0, 0, 0, 0, 0)
BATCH = 20_000  # rows a shard: starting the workers is then a few percent of the work, and a million rows are 50 shards


class ScreenError(UserError, RuntimeError):
    """A screen cannot start here; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A finished screen."""

    counts: Counts
    top: Path  # CSV of the best, by utility
    n_top: int
    all_rows: Path  # Parquet, one row per row of the library, in its order
    losses: tuple[Loss, ...] = ()  # why rows failed, the commonest first


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that failed for one reason."""

    stage: str
    reason: str
    rows: int
    example: str  # what was said of the last of them: a file that broke off says so there


def default_scorers() -> tuple[ScorerConfig, ...]:
    """The demo's property scorers: milliseconds a molecule, no target in mind."""
    general = ("descriptor", "qed", "synthesis", "alerts")
    return tuple(scorer for scorer in demo_config().scorers if scorer.use in general)


def screen(
    library: str | Path,
    folder: str | Path,
    *,
    scorers: str | Path | Sequence[ScorerConfig] | None = None,
    smiles: str | None = None,
    name: str | None = None,
    workers: int = 2,
    top: int = 1000,
    on_event: Sink = silent,
    terms: Terms = PLAIN,
) -> Screened:
    """Score every row of a file.

    Parameters
    ----------
    library : SMI, CSV, TSV, SDF or Parquet, plain or gzipped
    folder : made if absent; a screen of the same library with the same scorers goes on there.
        Where the library has changed since, or the libraries that compute, batches that are
        still the same are taken as they are, and those that no longer are go.
    scorers : a campaign's file or its scorers; the demo's property scorers when left out.
        A limit (`at_least`, `at_most`) filters; a molecule that lacks a number that counts
        has no utility. `best` and `when` belong to campaigns and are refused.
    smiles, name : columns, where the file's own names do not tell
    workers : processes; 0 scores in this one
    top : how many of the best go to top.csv
    on_event : told of every step
    terms : how a batch is shared with helpers (see workers/sharing.py)

    Raises
    ------
    IntakeError
        The library cannot be read; the folder is then left as it was.
    ScreenError
        The folder holds another screen, or a scorer needs what only a campaign has.
    FolderTaken
        It holds what another command left.
    """
    if workers < 0 or top < 0:
        raise ScreenError(f"workers and top are at least 0, not {workers} and {top}")
    folder, path = Path(folder), Path(library)
    found = records(path, smiles=smiles, name=name)
    first = next(found, None)
    if first is None:
        raise ScreenError(f"{library} holds no rows")
    total = about(path)
    parts = _parts(scorers)
    settings = {
        "scorers": [p.model_dump(mode="json", exclude={"workers", "timeout_s", "chunk"}) for p in parts],
        "smiles": smiles,
        "name": name,
    }
    versions = (
        provenance.versions()
        | {f"code of {p.use}": provenance.code_digest("scorers", p.use) for p in parts}
        | provenance.files_named(settings["scorers"])  # another receptor or model is other work
    )
    columns = _columns(parts)
    asked = {"library": path.name, **settings}
    ledger = Ledger.open(folder)
    _check_same(ledger, asked)  # before the lock too, which one who helps never gets
    seen, bench = Seen(), Bench()
    with ledger.lock(), closing(bench):
        terms = replace(terms, bench=terms.bench or bench)
        work = batch.Work(ledger, parts, columns, versions, workers, terms)
        tidy(ledger)
        _agree(ledger, asked, parts, versions, on_event)
        counts = NOTHING
        keys: list[str] = []
        began = time.monotonic()
        for some in _batches(chain([first], found)):
            key = shard_key("screen", settings, [digest([row.number, row.text]) for row in some], versions)
            known = batch.recall(ledger, key, on_event)
            if known is None or known.again:
                ledger.put_document("finished", None)
                (folder / SUMS).unlink(missing_ok=True)
                told = _told(on_event, counts, some, total, began)
                batch.score(work, key, path, some, known, seen, told)
            counts += ledger.shard(key).counts
            keys.append(key)
            if known and not known.again:
                known.remember(seen)
                continue  # unsaid: what was done before tells nothing of how long the rest takes
            on_event(
                Event(
                    "progress", "screen", done=counts.n_in, total=total, ok=counts.n_ok, failed=counts.n_failed,
                    seconds=time.monotonic() - began,
                )
            )  # fmt: skip
        _forget(ledger, keys, on_event)
        all_rows = _join(ledger, keys, folder / "rows.parquet")
        best = _write_top(ledger, columns, top, folder / "top.csv")
        seal(folder, [all_rows.name, "top.csv"])
        losses = _losses(ledger)
        ledger.put_document(
            "finished",
            {"counts": asdict(counts), "n_top": best, "losses": [asdict(loss) for loss in losses]},
        )
    on_event(
        Event("done", "screen", done=counts.n_in, total=counts.n_in, ok=counts.n_ok, failed=counts.n_failed)
    )
    return Screened(counts, folder / "top.csv", best, all_rows, losses)


def _agree(
    ledger: Ledger,
    asked: Mapping[str, object],
    parts: Sequence[ScorerConfig],
    versions: Mapping[str, str],
    on_event: Sink,
) -> None:
    """See that the folder is empty or holds this very screen, and write down what it depends on."""
    if ledger.get_document("screen") is None:
        check_unclaimed(ledger.folder)
    _check_same(ledger, asked)
    ledger.put_document("screen", asked)
    known = ledger.get_document("versions")
    if known == versions:
        return
    if known is not None:
        rows = sum(shard.rows for shard in ledger.shards("screen"))
        told = f"{provenance.changes(known, versions)} since it was begun: its {rows:,} rows are done again"
        on_event(Event("warning", "screen", told))
    used = [("scorers", part.use) for part in parts]
    ledger.put_document("provenance", provenance.collect(seed=0, parts=used))
    ledger.put_document("versions", dict(versions))


def _check_same(ledger: Ledger, asked: Mapping[str, object]) -> None:
    before = ledger.get_document("screen")
    if before is not None and before != asked:
        different = ", ".join(key for key in asked if before.get(key) != asked[key])
        raise ScreenError(
            f"{ledger.folder} holds another screen (different: {different}); give a new folder with --out"
        )


def finished(folder: str | Path) -> Screened | None:
    """A screen that has come to its end; None before."""
    folder = Path(folder)
    told = Ledger(folder).get_document("finished") if folder.is_dir() else None
    if told is None:
        return None
    losses = tuple(Loss(**loss) for loss in told.get("losses", ()))
    counts = Counts(**told["counts"])
    return Screened(counts, folder / "top.csv", told["n_top"], folder / "rows.parquet", losses)


def so_far(folder: str | Path) -> Counts | None:
    """How many rows a screen has done, finished or not; None where no screen was begun."""
    ledger = Ledger(Path(folder))
    if not Path(folder).is_dir() or ledger.get_document("screen") is None:
        return None
    return sum((shard.counts for shard in ledger.shards("screen")), NOTHING)


def _parts(scorers: str | Path | Sequence[ScorerConfig] | None) -> tuple[ScorerConfig, ...]:
    if scorers is None:
        return default_scorers()
    if isinstance(scorers, str | Path):
        return configuration.read(scorers).scorers
    return tuple(scorers)


def _columns(parts: Sequence[ScorerConfig]) -> list[Column]:
    """What each scorer tells; all are built once, so that a wrong setting is said before any work."""
    columns = []
    for place, part in enumerate(parts, start=1):
        scorer = plugins.build("scorers", part.use, part.settings, where=f"scorers {place}")
        if part.best is not None or part.when == "end" or hasattr(scorer, "after"):
            raise ScreenError(
                f"scorer {part.use!r} works on the best of a campaign; take it out, or use discovery run"
            )
        columns.append(scorer.column)
    return columns


def _batches(found: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(found, BATCH)):
        yield batch


def _told(on_event: Sink, before: Counts, batch: Sequence[Record], total: int, began: float) -> Sink:
    """Tells of a batch in the making: a batch is minutes, and silence looks like a stop."""
    last, known = time.monotonic(), 0

    def tell(event: Event) -> None:
        nonlocal last, known
        if event.kind == "warning":
            on_event(event)
        elif event.kind == "stage":
            known = event.done
        elif event.kind == "progress" and time.monotonic() - last > 5.0:
            last = time.monotonic()
            text = (
                f"rows {batch[0].number:,} to {batch[-1].number:,}, {event.stage}: "
                f"{event.done:,} of {event.total:,}"
            )
            if event.done > known:
                left = (event.total - event.done) * event.seconds / (event.done - known)
                text += f", of which about {duration(left)} are left"
            on_event(
                Event(
                    "progress", "screen", text, done=before.n_in, total=total, ok=before.n_ok,
                    failed=before.n_failed, seconds=last - began,
                )
            )  # fmt: skip

    return tell


def _losses(ledger: Ledger) -> tuple[Loss, ...]:
    ours = ", ".join(f"'{reason.value}'" for reason in Reason if reason.fault is not Fault.NOBODY)
    table = ledger.query(
        'select stage, reason, count(*) as "rows", arg_max(detail, number) as example from outcomes '
        f"where reason in ({ours}) group by stage, reason order by 3 desc, stage, reason"
    )
    return tuple(Loss(**row) for row in table.to_pylist())


def _forget(ledger: Ledger, keys: Sequence[str], on_event: Sink) -> None:
    """Batches of an earlier state of the library, or of other versions: in the table they would count twice."""
    gone = [shard for shard in ledger.shards("screen") if shard.key not in set(keys)]
    for shard in gone:
        ledger.discard(shard.key)
    shutil.rmtree(ledger.folder / "work", ignore_errors=True)
    if gone:
        told = (
            f"the library or what computes changed since: {sum(shard.rows for shard in gone):,} rows of before "
            "were done again or are in it no more"
        )
        on_event(Event("warning", "screen", told))


def _join(ledger: Ledger, keys: Sequence[str], path: Path) -> Path:
    """All rows in the library's order, one shard in memory at a time; appears whole or not at all."""
    torn = path.with_name(f".{path.name}.tmp")
    tables = (
        table.rename_columns([PUBLIC.get(name, name) for name in table.column_names])
        for table in map(ledger.read, keys)
    )
    first = next(tables)
    try:
        with pq.ParquetWriter(torn, first.schema, compression="zstd", write_page_checksum=True) as writer:
            for table in chain([first], tables):
                writer.write_table(table)
        torn.replace(path)
    except OSError as error:
        torn.unlink(missing_ok=True)
        raise refused(path, 0, error) from error
    return path


def _write_top(ledger: Ledger, columns: Sequence[Column], n: int, path: Path) -> int:
    names = ["number", "name", "molecule", "utility", *(column.name for column in columns)]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    table = ledger.query(
        f"select {quoted} from outcomes where utility is not null order by utility desc, number limit {int(n)}"
    )
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    units = {column.name: f" [{column.unit}]" for column in columns if column.unit not in ("", "1")}
    writer.writerow(["rank", *(PUBLIC.get(name, name) + units.get(name, "") for name in names)])
    rows = zip(*(table.column(i).to_pylist() for i in range(len(names))), strict=True)
    for place, row in enumerate(rows, start=1):
        writer.writerow([place, *(_cell(value) for value in row)])
    publish(path, buffer.getvalue().encode("utf-8"))
    return int(table.num_rows)


def _cell(value: object) -> str | int | float:
    """Six figures are more than any score holds; all of them are in rows.parquet."""
    return f"{value:.6g}" if isinstance(value, float) else inert_cell(value)
