"""The command line: `discovery learn`. Heavy imports stay inside, so that `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discovery.devices import SEED
from discovery.doors import LowerIsBetter, NameColumn, Seed, SmilesColumn, better


def learn(
    table: Annotated[
        Path, typer.Argument(help="CSV, TSV, SDF, Parquet or Excel with structures and numbers.")
    ],
    activity: Annotated[str, typer.Option("--activity", help="The column that holds the number.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for model.safetensors and its card.")],
    smiles: SmilesColumn = None,
    name: NameColumn = None,
    unit: Annotated[str, typer.Option("--unit", help="Of the number, such as kcal/mol.")] = "",
    lower: LowerIsBetter = None,
    concentration: Annotated[
        str | None,
        typer.Option(
            "--concentration", help="The numbers are in M, mM, uM, nM or pM; their −log10 is learned."
        ),
    ] = None,
    seed: Seed = SEED,
) -> None:
    """Learn a column of measured numbers: a scorer with its error, and no guess outside its domain."""
    import hashlib
    import re
    import shlex
    import sys

    from discovery.files import publish
    from discovery.properties import learned
    from discovery.series import measured
    from discovery.views.text import inert

    found = measured.read(
        table, activity, smiles=smiles, name=name, better=better(lower), unit=unit,
        concentration=concentration,
    )  # fmt: skip
    if lower is None and (doubt := measured.how_read(activity, found.column)):
        print(doubt, file=sys.stderr)
    usable = found.usable
    model = learned.fit(
        [found.molecule(place) for place in usable],
        [found.value(place) for place in usable],
        name="predicted_" + (re.sub(r"\W+", "_", activity.lower()).strip("_") or "number"),
        target=found.column.title,
        unit=found.column.unit,
        better=found.column.better,
        table=table.name,
        seed=seed,
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "model.safetensors"
    learned.save(model, path)
    facts = model.facts
    text = learned.card(
        facts,
        command=shlex.join(["discovery", *sys.argv[1:]]),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    publish(out / "model.md", text.encode("utf-8"))
    left = len(found.entries) - len(usable)
    print(
        f"{facts.molecules:,} molecules of {facts.scaffolds:,} scaffolds learned from"
        f"{f'; {left:,} rows could not be used' if left else ''}"
        f"{f'; {facts.given - facts.molecules:,} left aside' if facts.given > facts.molecules else ''}"
    )
    print(
        f"on scaffolds left out: RMSE {facts.rmse:.3g} {inert(facts.unit)}".rstrip()
        + f" (their mean instead: {facts.rmse_mean:.3g}), rank correlation {facts.rank_correlation:.2f}"
    )
    if facts.rmse >= 0.95 * facts.rmse_mean:
        print("that is hardly better than the mean: do not rank by it")
    print(
        f'in a campaign: use = "learned", settings = {{model = "{inert(path)}"}}; what it is: {out / "model.md"}'
    )
