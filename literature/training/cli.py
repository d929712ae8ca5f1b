"""The command that trains: discovery train-reader.

What it needs is imported inside it, so that listing the commands costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discovery.devices import SEED
from discovery.doors import Resume, Seed


def train_reader(
    data: Annotated[Path, typer.Option("--data", help="Folder with ner_with_ids/, ner_iob/, drugprot/, cdr/, biored/.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the checkpoint, the weights and their card.")],
    budget: Annotated[str, typer.Option("--budget", help="Wall time: 90s, 60m, 3h.")] = "3h",
    seed: Seed = SEED,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Exactly so many steps of each network instead.")] = None,
    resume: Resume = True,
    encoder: Annotated[Path | None, typer.Option("--encoder", help="Folder of a BERT-like model; all-MiniLM-L6-v2 when absent.")] = None,
    start: Annotated[Path | None, typer.Option("--start", help="Folder of an earlier run, or a weights file ('shipped': the one that comes with this), gone on from.")] = None,
    names: Annotated[Path | None, typer.Option("--names", help="Weights whose network for names is kept; only relations are learned.")] = None,
    share: Annotated[list[str] | None, typer.Option("--share", help="CORPUS=NUMBER: how often it is shown for its names; may be repeated.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", min=0, help="Highest learning rate for names; 5e-4.")] = None,
    between: Annotated[float, typer.Option("--between", min=0, max=0.9, help="Share left out between layers, for names.")] = 0.0,
    hidden: Annotated[float, typer.Option("--hidden", min=0, max=0.9, help="Share of pieces left unknown, for names.")] = 0.0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Processor threads.")] = 1,
) -> None:  # fmt: skip
    """Train the network that finds names and relations, on corpora annotated by people."""

    from literature.training.train import named, run, told_shares

    run(
        data, out, budget=budget, seed=seed, steps=steps, resume=resume, encoder=encoder,
        start=named(start), names=named(names), shares=told_shares(share or []), rate=rate, between=between,
        hidden=hidden, threads=threads, tell=typer.echo,
    )  # fmt: skip
