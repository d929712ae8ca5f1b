"""`discovery simulate`: poses and their receptor in; energies, drift and refined poses out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discovery.devices import SEED
from discovery.doors import Resume, Seed, refuse

if TYPE_CHECKING:
    from discovery.outcome import Counts


class ProtocolName(StrEnum):
    """What is done with each pose."""

    mmgbsa = "mmgbsa"
    stability = "stability"
    rbfe = "rbfe"


class SolventName(StrEnum):
    """What the water is."""

    implicit = "implicit"
    explicit = "explicit"


class NetworkName(StrEnum):
    """Which ligands are compared with which."""

    cycles = "cycles"
    tree = "tree"
    star = "star"


def simulate(
    receptor: Annotated[str, typer.Option(help="PDB, mmCIF or PDBQT file, or demo:5HT1B.")],
    poses: Annotated[
        Path,
        typer.Option(
            help="SDF with hydrogens, in the receptor's frame. Flexible side chains that docking left in "
            "side_chains.pdb beside it are taken along, but by rbfe, which turns side chains itself."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for scores.parquet, poses.sdf and trajectories.")],
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="mmgbsa: settle and score; stability: replicas of dynamics; "
            "rbfe: relative binding free energies between ligands of one pocket."
        ),
    ] = ProtocolName.mmgbsa,
    length_ps: Annotated[
        float, typer.Option(min=0.1, help="Recorded dynamics per replica; of rbfe, per state of an edge.")
    ] = 20.0,
    replicas: Annotated[int, typer.Option(min=1, max=100, help="Each with its own start.")] = 2,
    solvent: Annotated[
        SolventName,
        typer.Option(
            help="implicit: OBC2, in a pocket; explicit: TIP3P and ions, the whole receptor (a GPU)."
        ),
    ] = SolventName.implicit,
    network: Annotated[
        NetworkName, typer.Option(help="Of rbfe: every edge in a cycle, a tree, or all against one.")
    ] = NetworkName.cycles,
    pocket: Annotated[float, typer.Option(min=3.0, help="Å; residues this near the ligand are there.")] = 9.0,
    free: Annotated[float, typer.Option(min=2.0, help="Å; residues this near it may move.")] = 5.0,
    keep: Annotated[
        list[str] | None, typer.Option(help="Keep an ion or cofactor, as docking did: ATP or A:ATP401.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Leave a residue of the receptor out: A:HEM301.")
    ] = None,
    waters: Annotated[
        bool,
        typer.Option("--waters", help="Keep crystal waters that three polar atoms of the receptor hold."),
    ] = False,
    protonation: Annotated[list[str] | None, typer.Option(help="Such as A:HIS57=HIP.")] = None,
    ph: Annotated[float, typer.Option(min=0.0, max=14.0, help="Protonate the receptor at this pH.")] = 7.4,
    charges: Annotated[
        str, typer.Option(help="am1-bcc, am1-bcc-elf, am1-bcc-unrelaxed, graph or gasteiger.")
    ] = "am1-bcc",
    force_field: Annotated[str, typer.Option(help="sage-2.2.1, or an .offxml file.")] = "sage-2.2.1",
    platform: Annotated[str, typer.Option(help="auto, CUDA, OpenCL, CPU or Reference.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="On the CPU platform.")] = 1,
    seed: Seed = SEED,
    patience_s: Annotated[
        float, typer.Option(min=1.0, help="End the run (exit status 75) after so long without progress.")
    ] = 1800.0,
    resume: Resume = True,
) -> None:
    """Let docked poses settle, or move, in their pocket: MM-GBSA, drift, contacts kept."""
    from docking.dynamics.door import simulate as door
    from docking.protein.protonation import states_of

    counts = door(
        receptor, poses, out, protocol=protocol.value, length_ps=length_ps, replicas=replicas, solvent=solvent.value,
        network=network.value, pocket=pocket, free=free, keep=keep or (), drop=drop or (), waters=waters,
        protonation=states_of(protonation or []), ph=ph, charges=charges, force_field=force_field,
        platform=platform, threads=threads, seed=seed, patience_s=patience_s, resume=resume, note=typer.echo,
        told=lambda done, what: typer.echo(f"{done}: {what}", err=True),
    )  # fmt: skip
    counted = f"{counts.n_ok:,} {{}}, {counts.n_failed:,} failed"
    if protocol is ProtocolName.rbfe:
        typer.echo(f"{counts.n_in:,} ligands in: {counted.format('placed')}")
        typer.echo(
            f"scores: {out / 'scores.parquet'} (rbfe: kcal/mol from their mean; heavy_atoms: what counting gives)"
        )
        typer.echo(
            f"edges: {out / 'edges.parquet'}, cycles: {out / 'cycles.json'}, to read: {out / 'report.txt'}"
        )
    else:
        typer.echo(f"{counts.n_in:,} poses in: {counted.format('computed')}")
        typer.echo(
            f"scores: {out / 'scores.parquet'} (choice 1: the likeliest of a ligand's poses; heavy_atoms beside mmgbsa: "
            "the ranking that counting gives)"
        )
        typer.echo(f"poses: {out / 'poses.sdf'}, to read: {out / 'report.txt'}")
    _ended(counts, poses)


def _ended(counts: Counts, poses: Path) -> None:
    if not counts.n_ok:
        why = "could be computed; scores.parquet says why of each record" if counts.n_in else "is in it"
        refuse(f"{poses}: nothing {why}")
