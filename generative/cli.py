"""The commands that make molecules: discovery propose.

Each function is one command. What it needs is imported inside it, so that listing
the commands costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def propose(
    n: Annotated[int, typer.Option("--n", min=1, help="How many molecules to propose.")] = 100,
    out: Annotated[
        Path | None, typer.Option("--out", help="SMILES file to write; the screen when absent.")
    ] = None,
    molecules: Annotated[
        Path | None,
        typer.Option(
            "--molecules", help="SMILES file whose molecules are recombined; shipped drugs if absent."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same molecules.")] = 0,
) -> None:
    """Propose new molecules."""
    from generative.recombination import BricsProposer

    try:
        proposals = BricsProposer(molecules=molecules).propose(n, round=0, seed=seed, lessons=[])
    except ValueError as error:
        typer.secho(f"discovery propose: {error}", fg="red", err=True)
        raise typer.Exit(2) from error
    lines = [
        f"{proposal.smiles} {proposal.proposer}-{number:05d}" for number, proposal in enumerate(proposals, 1)
    ]
    if out is None:
        typer.echo("\n".join(lines))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    typer.echo(f"{len(lines)} molecules written to {out}")
    if len(lines) < n:
        typer.echo(f"{n - len(lines)} fewer than asked: the pieces are exhausted")
