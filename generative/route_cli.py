"""The command that plans a synthesis: discovery route."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discovery.doors import refuse


def route(
    structures: Annotated[
        list[str], typer.Argument(help="SMILES, or a file with one a line.", show_default=False)
    ],
    stock: Annotated[
        Path | None, typer.Option("--stock", help="SMILES file of building blocks; common ones if absent.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=4, help="Reactions in a row.")] = 3,
) -> None:
    """Say how a molecule can be made from building blocks, step by step."""
    from discovery.molecule import Molecule, quiet_rdkit
    from discovery.outcome import MoleculeError
    from generative.routes import plan
    from generative.stock import load

    with quiet_rdkit():
        shelf = load(stock)
        given: list[str] = []
        for text in structures:
            path = Path(text)
            given += (
                path.read_text(encoding="utf-8", errors="replace").splitlines()
                if path.suffix and path.is_file()
                else [text]
            )
    found = read = 0
    rows = [line.split(maxsplit=1) for line in given if line.strip()]
    for words in rows:
        name = words[1].strip() if len(words) > 1 else words[0]
        try:
            planned = plan(Molecule.parse(words[0], name).mol(), shelf, steps)
        except MoleculeError as error:
            typer.echo(f"{words[0]}: {error}" if name != words[0] else str(error))
            continue
        read += 1
        found += planned.whole
        if planned.whole:
            typer.echo(f"{name}: {len(planned.steps)} steps from {len(planned.blocks)} blocks")
        else:
            told = "" if planned.exhausted else "; the search was cut short"
            typer.echo(
                f"{name}: no whole route, {planned.covered:.0%} of the blocks' atoms on the shelf{told}"
            )
        if planned.steps:
            typer.echo("  " + planned.text().replace("\n", "\n  "))
        for block in planned.lacking if planned.steps else ():
            typer.echo(f"  not on the shelf: {block}")
    typer.echo(f"{found} of {len(rows)} can be made from {len(shelf.names)} blocks")
    if not read:
        refuse(f"no molecule could be read in {', '.join(structures)}")
