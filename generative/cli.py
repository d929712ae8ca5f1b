"""The commands that make molecules: discovery propose, train, audit.

Each function is one command. What it needs is imported inside it, so that listing
the commands costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from discovery.devices import SEED
from discovery.doors import Resume, Seed, check_fresh, refuse
from generative.refusal import SettingError


def propose(
    n: Annotated[int, typer.Option("--n", min=1, help="How many molecules to propose.")] = 100,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="SMILES file to write, as built: the same command goes on; the screen when absent."
        ),
    ] = None,
    proposer: Annotated[
        str, typer.Option("--proposer", help="graph: the trained model; brics: pieces of known drugs.")
    ] = "graph",
    scaffold: Annotated[
        str, typer.Option("--scaffold", help="SMILES every molecule must hold; * marks where to grow.")
    ] = "",
    fragments: Annotated[
        str, typer.Option("--fragments", help="2 to 4 SMILES with dots between, to be joined; * marks exits.")
    ] = "",
    like: Annotated[str, typer.Option("--like", help="SMILES whose analogues are wanted.")] = "",
    keep: Annotated[str, typer.Option("--keep", help="SMARTS: the part of --like that stays.")] = "",
    avoid: Annotated[
        list[str] | None, typer.Option("--avoid", help="SMARTS no molecule may hold; repeat for more.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            help="mw, logp, tpsa, qed or sa, such as logp=2.5; repeat for more. Around a scaffold or fragments "
            "qed=0.8 and sa=2.7 unless said otherwise.",
        ),
    ] = None,
    style: Annotated[
        str, typer.Option("--style", help="Which of the model's training sets to write like.")
    ] = "",
    min_weight: Annotated[float, typer.Option("--min-weight", help="Da.")] = 200.0,
    max_weight: Annotated[float, typer.Option("--max-weight", help="Da.")] = 500.0,
    taste: Annotated[
        bool, typer.Option("--taste/--no-taste", help="Only what is stable, uncharged and drug-like.")
    ] = True,
    temperature: Annotated[
        float, typer.Option("--temperature", help="Below 1 the likely becomes likelier.")
    ] = 1.0,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A model of yours; the shipped one if absent.")
    ] = None,
    molecules: Annotated[
        Path | None,
        typer.Option("--molecules", help="brics: library to recombine; shipped drugs if absent."),
    ] = None,
    seed: Seed = SEED,
) -> None:
    """Propose new molecules: of any kind, around a scaffold, joining fragments, or like one you have."""
    from discovery.molecule import quiet_rdkit

    if out is not None and out.is_dir():
        raise SettingError(f"--out {out} is a folder; name a file in it")
    kept = {"min_weight": min_weight, "max_weight": max_weight, "taste": taste}
    only_graph = {
        "weights": weights,
        "style": style,
        "scaffold": scaffold,
        "fragments": fragments,
        "like": like,
        "keep": keep,
        "avoid": tuple(avoid or ()),
        "condition": tuple(condition or ()),
        "temperature": temperature,
    }
    with quiet_rdkit():
        if proposer == "graph":
            if molecules is not None:
                raise SettingError(
                    "--molecules belongs to --proposer brics; train the graph model on your own"
                )
            found, left_out = _from_graph(n, seed, kept | only_graph, out)
        elif proposer == "brics":
            if given := [key for key, value in only_graph.items() if value not in (None, "", (), 1.0)]:
                raise SettingError(f"brics takes no --{given[0]}; the graph proposer does")
            found, left_out = _from_brics(n, seed, kept | {"molecules": molecules}, out), {}
        else:
            raise SettingError(f"there is no proposer called {proposer!r}; they are graph and brics")
    if out is not None:
        typer.echo(f"{found} molecules written to {out}")
    if left_out:
        counts = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
        typer.echo(f"built besides and left out: {counts}", err=True)
    if found < n:
        typer.echo(
            f"{n - found} fewer than asked: building on brings too little that is new and fits what was given",
            err=True,
        )
    if not found:
        refuse("no molecule was proposed")


def _from_graph(
    n: int, seed: int, settings: dict[str, Any], out: Path | None
) -> tuple[int, Mapping[str, int]]:
    """To the file or the screen, as they are built: how many, and what was built besides."""
    from generative.draft import Built, lines, write
    from generative.model import Weights
    from generative.proposer import GraphProposer

    graph, built = GraphProposer(**settings), Built()
    if out is None:
        for block in lines(graph.stream(n, seed=seed, built=built)):
            typer.echo(block, nl=False)
    else:
        told = settings | {"n": n, "seed": seed, "weights": Weights.load(settings["weights"]).sha256}
        built = write(out, partial(graph.stream, n, seed=seed), told)
    return built.found, built.left_out


def _from_brics(n: int, seed: int, settings: dict[str, Any], out: Path | None) -> int:
    from discovery.files import publish
    from generative.breeding.recombination import BricsProposer
    from generative.draft import lines

    made = BricsProposer(**settings).propose(n, round=0, seed=seed, lessons=[])
    text = "".join(lines([made]))
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        publish(out, text.encode())
    return len(made)


def train(
    molecules: Annotated[
        list[Path],
        typer.Option("--molecules", help="File of molecules: SMILES, CSV, SDF, Parquet, Excel; repeat."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for data, checkpoint, metrics and weights.")],
    budget: Annotated[str, typer.Option("--budget", help="How long to train in all: 90s, 20m, 2h.")] = "1h",
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps instead of time.")] = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", help="Go on from this model: teach it a further series."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Molecules taken from each file.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that read molecules.")] = 1,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu or cuda; auto shares the work among all GPUs.")
    ] = "auto",
    seed: Seed = SEED,
    resume: Resume = True,
) -> None:
    """Train the graph model from SMILES to weights; run it again to go on where it stopped."""
    from discovery.molecule import quiet_rdkit

    with quiet_rdkit():
        from generative.learning.dataset import Dataset
        from generative.learning.parallel import crew_wanted, launch
        from generative.model import Weights
        from generative.training import seconds
        from generative.training import train as door

        leads = os.environ.get("RANK", "0") == "0"  # of a crew one looks and tells
        if leads:
            check_fresh(out, resume)
        length = seconds(budget)
        crew = crew_wanted(device)
        if crew > 1:
            launch(crew)
            return
        path = door(
            molecules,
            out,
            steps=steps,
            budget=None if steps else length,
            start=Weights.load(start) if start else None,
            limit=limit,
            workers=workers,
            seed=seed,
            device=device,
            tell=lambda line: typer.echo("  ".join(f"{k} {v:g}" for k, v in line.items()), err=True),
        )
        if not leads:
            return
        for name, ends in Dataset.load(out / "data").report.items():
            told = ", ".join(f"{count} {how}" for how, count in ends.items())
            typer.echo(f"{name}: {told}", err=True)
        typer.echo(f"weights written to {path}")


def audit(
    file: Annotated[Path, typer.Argument(help="File of what was generated.")],
    reference: Annotated[Path, typer.Option("--reference", help="File to compare with.")],
    training: Annotated[
        Path | None, typer.Option("--training", help="What the model was trained on, for novelty.")
    ] = None,
) -> None:
    """Valid, unique, novel, and how near the reference: what a distribution benchmark asks."""
    from discovery.molecule import quiet_rdkit

    with quiet_rdkit():
        from generative.audit import audit as compare

        for name, value in compare(file, reference, training).items():
            typer.echo(f"{name:24s} {value if isinstance(value, str) else f'{value:.4f}'}")
