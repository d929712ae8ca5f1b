"""The command line: `discovery series`. Heavy imports stay inside, so that `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discovery.doors import LowerIsBetter, NameColumn, SmilesColumn, better


def series(
    table: Annotated[
        Path, typer.Argument(help="CSV, TSV, SDF, Parquet or Excel with structures and numbers.")
    ],
    activity: Annotated[str, typer.Option("--activity", help="The column that holds the number.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file.")] = Path("series.html"),
    core: Annotated[
        list[str] | None, typer.Option("--core", help="A core as SMILES or SMARTS; repeatable.")
    ] = None,
    smiles: SmilesColumn = None,
    name: NameColumn = None,
    lower: LowerIsBetter = None,
    concentration: Annotated[
        str | None,
        typer.Option(
            "--concentration",
            help="The numbers are concentrations in M, mM, uM, nM or pM; told by a head such as IC50 (nM).",
        ),
    ] = None,
) -> None:
    """Structure and activity of a table: R groups, matched pairs, cliffs, contributions; one HTML file."""
    import sys

    from discovery.series.door import Series
    from discovery.series.measured import how_read

    found = Series.read(
        table,
        activity,
        smiles=smiles,
        name=name,
        better=better(lower),
        concentration=concentration,
    )
    if lower is None and (doubt := how_read(activity, found.measured.column)):
        print(doubt, file=sys.stderr)
    print(found)
    print(f"report: {found.report(out, *(core or [])).resolve()}")
