"""What becomes of one batch of a library's rows?

Workers read the rows, then ask all scorers of each molecule (see panel.py). A batch is a
shard of the screen's ledger. While it is made it has a ledger of its own, which goes when
it is committed; so a stop costs a few chunks and no batch is kept twice.

A row that failed by a machine's fault is tried again, alone, by the next run, until it
has had `TRIES`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from discovery import execution
from discovery.config import ScorerConfig
from discovery.events import Event, Sink
from discovery.intake import STAGE, Row, Seen, Trouble, rows, understood
from discovery.ledger import Damaged, Ledger, storable
from discovery.molecule import Molecule
from discovery.outcome import Counts, Fault, Missing, Reason
from discovery.ranking import Criterion, utility
from discovery.record import Record
from discovery.score import Column, Score
from discovery.screens.panel import cells, ended
from discovery.workers.sharing import Terms

TRIES = 3  # of a row that fails by a machine's fault, over all runs


@dataclass(frozen=True, slots=True)
class Work:
    """What is the same for all batches of a screen."""

    ledger: Ledger
    parts: Sequence[ScorerConfig]
    columns: Sequence[Column]
    versions: Mapping[str, str]
    workers: int
    terms: Terms


@dataclass(frozen=True, slots=True)
class Known:
    """A batch that was done before."""

    table: pa.Table
    tries: int
    again: frozenset[int]  # numbers of rows to try once more

    def remember(self, seen: Seen) -> None:
        """Let later rows be compared with its molecules."""
        for number, smiles in zip(
            *(self.table.column(c).to_pylist() for c in ("number", "molecule")), strict=True
        ):
            if smiles is not None:
                seen.first(smiles, number)

    def with_rows(self, table: pa.Table) -> pa.Table:
        """The batch with these rows in the place of what they were."""
        kept = self.table.filter(pc.invert(pc.is_in(self.table.column("number"), table.column("number"))))
        return pa.concat_tables([kept, table]).sort_by("number")


def recall(ledger: Ledger, key: str, on_event: Sink) -> Known | None:
    if not ledger.has(key):
        return None
    try:
        table = ledger.read(key)
    except Damaged as error:
        on_event(Event("warning", "screen", f"{error}; its rows are done again"))
        ledger.discard(key)
        return None
    tries = int(ledger.shard(key).info.get("tries", 1))
    reasons = zip(*(table.column(c).to_pylist() for c in ("number", "reason")), strict=True)
    again = [number for number, reason in reasons if reason and Reason(reason).fault is Fault.MACHINE]
    return Known(table, tries, frozenset(again if tries < TRIES else ()))


def score(
    work: Work,
    key: str,
    path: Path,
    batch: Sequence[Record],
    known: Known | None,
    seen: Seen,
    on_event: Sink,
) -> None:
    """Score one batch, or what is left of it, in a ledger of its own, which goes when the batch is committed."""
    began = time.monotonic()
    ledger = work.ledger
    workshop = ledger.folder / "work" / key
    inner = Ledger.open(workshop)
    if known:
        known.remember(seen)
        batch = [record for record in batch if record.number in known.again]
    table = _scored(work, list(rows(path, _read(work, inner, batch, on_event), seen)), inner, on_event)
    if known:
        table = known.with_rows(table)
    reasons = table.column("reason").to_pylist()
    ledger.discard(key)
    ledger.commit(
        key,
        table,
        stage="screen",
        counts=Counts.of(Missing("", Reason(reason), "") if reason else None for reason in reasons),
        info={"seconds": round(time.monotonic() - began, 3), "tries": known.tries + 1 if known else 1},
    )
    shutil.rmtree(workshop, ignore_errors=True)  # a helper may be looking in; what stays goes in the end


def _read(
    work: Work, inner: Ledger, batch: Sequence[Record], on_event: Sink
) -> list[tuple[Record, Molecule | Trouble]]:
    """Each record's molecule, or why it has none: workers read them, so that none can take this process down."""
    whole = [record for record in batch if not record.trouble]
    blocks = any(record.block for record in whole)
    texts = [Molecule(record.block or record.text, record.name) for record in whole]
    spec = execution.ScorerSpec("discovery.screens.panel:Reading", {"blocks": blocks})
    plain = ScorerConfig(use=spec.use, workers=0, chunk=256)
    answers = iter(_ask(work, inner, spec, plain, texts, STAGE, on_event))
    found: list[tuple[Record, Molecule | Trouble]] = []
    for record in batch:
        answer = None if record.trouble else next(answers)
        if isinstance(answer, Score):
            name = record.name or answer.details["name"]
            found.append((record, Molecule(answer.details["smiles"], name)))
        elif answer is None or answer.reason.fault is Fault.MOLECULE:
            # again, here: a text that several rows have is read once
            found.append((record, understood(record)))
        else:
            found.append((record, (answer.reason, answer.detail)))
    return found


def _scored(work: Work, batch: Sequence[Row], inner: Ledger, on_event: Sink) -> pa.Table:
    """What became of each row."""
    ends: list[Molecule | Missing] = [row.outcome for row in batch]
    told: list[dict[str, Score | Missing]] = [{} for _ in batch]

    def ask(
        spec: execution.ScorerSpec, part: ScorerConfig, of: Sequence[int], stage: str
    ) -> Iterator[tuple[int, Score | Missing]]:
        molecules = {i: end for i in of if isinstance(end := ends[i], Molecule)}
        return zip(
            molecules, _ask(work, inner, spec, part, list(molecules.values()), stage, on_event), strict=True
        )

    def tell(i: int, part: ScorerConfig, column: Column, outcome: Score | Missing) -> None:
        told[i][column.name] = outcome
        if end := ended(part, column, outcome, batch[i].name or f"row {batch[i].number}"):
            ends[i] = end

    pairs = list(zip(work.parts, work.columns, strict=True))
    for _, together in groupby(pairs, lambda pair: (pair[0].workers, pair[0].timeout_s, pair[0].chunk)):
        group = list(together)
        alone: Sequence[int] = range(len(batch))
        if len(group) > 1:
            panel = {"parts": [part.model_dump(mode="json") for part, _ in group]}
            spec, alone = execution.ScorerSpec("discovery.screens.panel:Panel", panel), []
            for i, answer in ask(spec, group[0][0], range(len(batch)), "scores"):
                if isinstance(answer, Missing):  # whose fault it was, is found out one by one
                    alone.append(i)
                    continue
                for (part, column), outcome in zip(group, cells(answer.details), strict=False):
                    tell(i, part, column, outcome)
        for part, column in group:
            spec = execution.ScorerSpec(part.use, dict(part.settings))
            for i, outcome in ask(spec, part, alone, column.name):
                tell(i, part, column, outcome)
    return _table(batch, ends, told, work.parts, work.columns)


def _ask(
    work: Work,
    inner: Ledger,
    spec: execution.ScorerSpec,
    part: ScorerConfig,
    molecules: Sequence[Molecule],
    stage: str,
    on_event: Sink,
) -> Sequence[Score | Missing]:
    if not molecules:
        return []
    n_workers = min(part.workers or work.workers, work.workers)
    return execution.score_all(
        spec,
        molecules,
        ledger=inner,
        stage=stage,
        versions=work.versions,
        workers=n_workers,
        chunk=part.chunk or max(1, min(256, len(molecules) // (4 * max(1, n_workers)) or 1)),
        timeout_s=part.timeout_s,
        terms=work.terms,
        on_event=on_event,
    )


def _table(
    batch: Sequence[Row],
    ends: Sequence[Molecule | Missing],
    told: Sequence[Mapping[str, Score | Missing]],
    parts: Sequence[ScorerConfig],
    columns: Sequence[Column],
) -> pa.Table:
    pairs = zip(parts, columns, strict=True)
    criteria = [Criterion(c.name, part.desirability, part.weight) for part, c in pairs if part.desirability]
    names = [column.name for column in columns]
    values = {name: pa.array([_value(c.get(name)) for c in told], pa.float64()) for name in names}
    missing = [end if isinstance(end, Missing) else None for end in ends]
    molecules = [row.outcome.smiles if isinstance(row.outcome, Molecule) else None for row in batch]
    utilities = [
        utility(c, criteria) if isinstance(end, Molecule) else None for c, end in zip(told, ends, strict=True)
    ]
    return pa.table(
        {
            "number": pa.array([row.number for row in batch], pa.int64()),
            "name": pa.array([storable(row.name) for row in batch], pa.string()),
            "text": pa.array([storable(row.text) for row in batch], pa.string()),
            "molecule": pa.array(molecules, pa.string()),
            "utility": pa.array(utilities, pa.float64()),
            **values,
            "stage": pa.array([m.stage if m else None for m in missing], pa.string()),
            "reason": pa.array([m.reason.value if m else None for m in missing], pa.string()),
            "detail": pa.array([_why(m, cells) for m, cells in zip(missing, told, strict=True)], pa.string()),
        }
    )


def _why(end: Missing | None, cells: Mapping[str, Score | Missing]) -> str | None:
    """Why a row ended; or, of one that did not, why it lacks a number that is only shown."""
    lacking = [end] if end else [cell for cell in cells.values() if isinstance(cell, Missing)]
    return storable("; ".join(cell.detail for cell in lacking)) if lacking else None


def _value(outcome: Score | Missing | None) -> float | None:
    return outcome.value if isinstance(outcome, Score) else None
