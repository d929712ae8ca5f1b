"""The command that plans a synthesis: discovery route."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discovery.doors import refuse

if TYPE_CHECKING:
    from discovery.molecule import Molecule
    from discovery.outcome import Missing

FILES = (".smi", ".smiles", ".txt", ".csv", ".tsv", ".sdf", ".parquet", ".gz")  # as no SMILES ends


def route(
    structures: Annotated[list[str], typer.Argument(help="SMILES, or library files.", show_default=False)],
    stock: Annotated[
        Path | None, typer.Option("--stock", help="File of building blocks; common ones if absent.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=4, help="Reactions in a row.")] = 3,
) -> None:
    """Say how a molecule can be made from building blocks, step by step."""
    from discovery.molecule import quiet_rdkit
    from discovery.outcome import Missing
    from generative.routes.plan import plan
    from generative.routes.stock import load

    with quiet_rdkit():
        shelf = load(stock)
        given = [found for text in structures for found in _read(text)]
    found = read = 0
    for molecule in given:
        if isinstance(molecule, Missing):
            typer.echo(molecule.detail)
            continue
        planned = plan(molecule.mol(), shelf, steps)
        read += 1
        found += planned.whole
        if planned.whole and not planned.steps:
            typer.echo(f"{molecule.shown}: it is a building block itself")
        elif planned.whole:
            steps, blocks = len(planned.steps), len(planned.blocks)
            typer.echo(
                f"{molecule.shown}: {steps} step{'' if steps == 1 else 's'} from {blocks} block{'' if blocks == 1 else 's'}"
            )
        else:
            told = "" if planned.exhausted else "; the search was cut short"
            typer.echo(
                f"{molecule.shown}: no whole route, {planned.covered:.0%} of the blocks' atoms on the shelf{told}"
            )
        if planned.steps:
            typer.echo("  " + planned.text().replace("\n", "\n  "))
        for block in planned.lacking if planned.steps else ():
            typer.echo(f"  not on the shelf: {block}")
    typer.echo(f"{found} of {len(given)} can be made from {len(shelf.blocks)} blocks")
    if not read:
        refuse(f"no molecule could be read in {', '.join(structures)}")


def _read(text: str) -> list[Molecule | Missing]:
    """The molecules of a file, or the one that a SMILES says."""
    from discovery.intake import read
    from discovery.molecule import Molecule
    from discovery.outcome import each
    from discovery.records import check_there

    path = Path(text)
    if path.exists() or path.suffix.lower() in FILES:
        check_there(path)
        return [row.outcome for row in read(path, keep_duplicates=True)]
    return each("route", Molecule.parse, [text])
