"""The command that fetches names: discovery update-names.

What it needs is imported inside it, so that listing the commands costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def update_names(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the files and the dictionaries made of them.")
    ],
    species: Annotated[
        list[str] | None, typer.Option("--species", help="mouse or rat, beside human; both when absent.")
    ] = None,
    address: Annotated[
        str, typer.Option("--address", help="A mirror that holds the files side by side.")
    ] = "",
) -> None:
    """Fetch today's names of genes and diseases; --lexicon FOLDER then reads with them. Uses the network."""
    from discovery.outcome import UserError
    from literature.dictionary import SPECIES
    from literature.lexicon_update import update_names as update

    wanted = species or list(SPECIES)
    try:
        if strange := [one for one in wanted if one not in SPECIES]:
            raise ValueError(f"no species {', '.join(strange)}; there are {', '.join(SPECIES)}")
        done = update(out, species=wanted, address=address, tell=typer.echo)
    except (UserError, ValueError, OSError) as error:
        typer.secho(f"discovery update-names: {error}", fg="red", err=True)
        raise typer.Exit(2) from error
    new = f"{len(done.fetched)} of {len(done.versions)} files were new"
    typer.echo(f"{done.concepts:,} concepts, {done.names:,} names; {new}: {out}")
