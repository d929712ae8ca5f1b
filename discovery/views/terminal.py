"""What does a terminal show of a run?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from discovery.outcome import Counts
from discovery.results import Run
from discovery.score import Column, Score
from discovery.views.text import inert

if TYPE_CHECKING:
    from discovery.screens.screening import Loss


def console() -> Console:
    """Of the terminal's width; of 160 letters in a file."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160, markup=False)


def print_funnel(result: Run) -> None:
    """The stages, with counts that add up."""
    table = Table("stage", "in", "ok", "failed", "filtered", "duplicate", "work")
    for bar in result.funnel:
        n = bar.counts
        table.add_row(
            bar.stage,
            *(f"{x:,}" for x in (n.n_in, n.n_ok, n.n_failed, n.n_filtered, n.n_duplicate)),
            f"{bar.seconds:.0f} s",
        )
    console().print(table)


def rows_told(n: Counts) -> str:
    """Counts of a screen in one sentence."""
    return (
        f"{n.n_in:,} rows in: {n.n_ok:,} scored, {n.n_failed:,} failed, {n.n_filtered:,} filtered, "
        f"{n.n_duplicate:,} duplicate"
    )


def print_losses(losses: Sequence[Loss]) -> None:
    """A line a reason, each with an example."""
    for loss in losses:
        reason = loss.reason.replace("_", " ")
        print(f"{loss.rows:8,} {reason} ({loss.stage}), such as: {inert(loss.example, 200)}")


def print_shortlist(result: Run, top: int) -> None:
    """The best rows, with as many of the columns as fit."""
    to = console()
    structure = min(max((len(row.smiles) for row in result.ranked[:top]), default=0), to.width // 3)
    own = any(row.name for row in result.ranked[:top])
    columns = fitting(result.columns, to.width - structure - (58 if own else 32))
    table = Table("rank", "id", *(["name"] if own else []), "overall", *(column.label for column in columns))
    table.add_column("structure", overflow="fold", min_width=structure)
    for row in result.ranked[:top]:
        cells = [row.outcomes.get(column.name) for column in columns]
        table.add_row(
            str(row.rank),
            row.id,
            *([inert(row.name, 24)] if own else []),
            f"{row.utility:.2f}",
            *(f"{cell.value:.4g}" if isinstance(cell, Score) else "–" for cell in cells),
            inert(row.smiles),
        )
    if result.ranked:
        to.print(table)
        if hidden := len(result.columns) - len(columns):
            print(f"{hidden} more column{'s' * (hidden > 1)}: discovery rank RUN --csv, or the report")
    else:
        print("no molecule was ranked; `discovery rank RUN --csv` lists the reasons")


def print_unranked(result: Run, top: int) -> None:
    """Rows without a rank, each with its reason, then how many there are of each reason."""
    unranked = [(row.title, row.missing) for row in result.unranked if row.missing is not None]
    for name, missing in unranked[:top]:
        print(f"     – {inert(name, 60)}  {inert(str(missing), 300)}")
    if len(unranked) > top:
        print(f"       and {len(unranked) - top:,} unranked rows more: --top shows more, --csv all")
    reasons = Counter(f"{gone.reason.value.replace('_', ' ')} ({gone.stage})" for _, gone in unranked)
    for reason, count in reasons.most_common():
        print(f"{count:6,} unranked: {reason}")


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The last columns that fit in so many letters: stages run from cheap to dear, and the dear ones decide."""
    shown: list[Column] = []
    for column in reversed(columns):
        width -= max(8, *(len(word) for word in column.label.split())) + 3
        if width < 0:
            break
        shown.insert(0, column)
    return shown
