"""What did a screen find, to be looked at?

    best = screened("runs/screen")
    best.show(); best.grid()

The best rows of a library of any size, ranked as the screen ranked them, with what was lost on the way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from discovery import plugins
from discovery.config import ScorerConfig
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.ranking import Criterion
from discovery.score import Column, Score
from discovery.screens.screening import ScreenError, finished
from discovery.views.table import Table

BEST = 1_000  # rows, as in top.csv unless told otherwise


def screened(folder: str | Path, n: int = BEST) -> Table:
    """The best `n` rows of a screen that has ended, best first.

    Raises
    ------
    ScreenError
        The folder holds no screen that has ended.
    """
    folder = Path(folder)
    ended = finished(folder)
    ledger = Ledger(folder)
    asked = ledger.get_document("screen") if ended else None
    if ended is None or asked is None:
        raise ScreenError(f"{folder} holds no screen that has ended; the same command goes on with it")
    parts = [ScorerConfig.model_validate(part) for part in asked["scorers"]]
    columns: list[Column] = [plugins.build("scorers", part.use, part.settings).column for part in parts]
    with duckdb.connect() as connection:
        found = connection.execute(
            "select * from read_parquet(?) where overall is not null order by overall desc, row limit ?",
            [str(ended.all_rows), n],
        )
        names = [about[0] for about in found.description or ()]
        lines = [dict(zip(names, values, strict=True)) for values in found.fetchall()]
    scores = {column: [Score(line[column.name]) for line in lines] for column in columns}
    table = Table.of(
        [Molecule(line["smiles"], line["id"] or "") for line in lines],
        scores,
        name=Path(asked["library"]).name,
        names=[line["id"] or f"row {line['row']}" for line in lines],
        texts=[line["as_written"] for line in lines],
    )
    counts = ended.counts
    notes = [
        f"The best {len(lines):,} of {counts.n_in:,} rows, by properties alone; {ended.all_rows.name} beside this "
        f"page holds every row: {counts.n_ok:,} scored, {counts.n_filtered:,} set aside, {counts.n_failed:,} failed, "
        f"{counts.n_duplicate:,} met before.",
        *(
            f"{loss.rows:,} {loss.reason.replace('_', ' ')} ({loss.stage}), such as: {loss.example}"
            for loss in ended.losses
        ),
    ]
    pairs = zip(parts, columns, strict=True)
    ranked = table.ranked_by(
        [
            Criterion(column.name, part.desirability, part.weight)
            for part, column in pairs
            if part.desirability
        ]
    )
    made_with = ledger.get_document("provenance") or {}
    return Table(replace(ranked.run, notes=tuple(notes), provenance=made_with))
