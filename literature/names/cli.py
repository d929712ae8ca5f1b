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
    from literature.names.dictionary import SPECIES, UnknownSpecies
    from literature.names.update import update_names as update

    wanted = species or list(SPECIES)
    if strange := [one for one in wanted if one not in SPECIES]:
        raise UnknownSpecies(f"no species {', '.join(strange)}; there are {', '.join(SPECIES)}")
    done = update(out, species=wanted, address=address, tell=typer.echo)
    new = f"{len(done.fetched)} of {len(done.versions)} files were new"
    typer.echo(f"{done.concepts:,} concepts, {done.names:,} names; {new}: {out}")
