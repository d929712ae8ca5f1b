"""`discovery simulate`: poses and their receptor in; energies, drift and refined poses out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ProtocolName(StrEnum):
    """What is done with each pose."""

    mmgbsa = "mmgbsa"
    stability = "stability"


def simulate(
    receptor: Annotated[str, typer.Option(help="PDB or mmCIF file, or demo:5HT1B.")],
    poses: Annotated[Path, typer.Option(help="SDF with hydrogens, in the receptor's frame.")],
    out: Annotated[Path, typer.Option(help="Folder for scores.parquet, poses.sdf and trajectories.")],
    protocol: Annotated[
        ProtocolName, typer.Option(help="mmgbsa: settle and score; stability: replicas of dynamics.")
    ] = ProtocolName.mmgbsa,
    length_ps: Annotated[float, typer.Option(min=0.0, help="Recorded dynamics per replica.")] = 20.0,
    replicas: Annotated[int, typer.Option(min=1, max=100)] = 2,
    solvent: Annotated[str, typer.Option(help="implicit.")] = "implicit",
    charges: Annotated[
        str, typer.Option(help="am1-bcc, am1-bcc-elf, am1-bcc-unrelaxed, graph or gasteiger.")
    ] = "am1-bcc",
    force_field: Annotated[str, typer.Option(help="sage-2.2.1, or an .offxml file.")] = "sage-2.2.1",
    platform: Annotated[str, typer.Option(help="auto, CUDA, OpenCL, CPU or Reference.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="On the CPU platform.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 1,
    patience_s: Annotated[
        float, typer.Option(min=1.0, help="End the run (exit status 75) after so long without progress.")
    ] = 1800.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out stopped.")] = False,
) -> None:
    """Let docked poses settle, or move, in their pocket: MM-GBSA, drift, contacts kept."""
    import hashlib

    from docking.dynamics.charges import method
    from docking.dynamics.platform import Device
    from docking.dynamics.protocol import Settings
    from docking.dynamics.sage import force_field as figures
    from docking.dynamics.scorers import NO_MEMBRANE, load_receptor
    from docking.dynamics.simulate import Run
    from docking.dynamics.work import Job, work
    from docking.receptor import DockingError

    if solvent != "implicit":
        raise DockingError(f"--solvent {solvent!r} is not offered here; the water is implicit (OBC2)")
    model = load_receptor(receptor)
    for note in model.notes:
        typer.echo(note)
    typer.echo(NO_MEMBRANE)
    run = Run(length_ps=length_ps or 1.0, replicas=replicas, frame_ps=min(0.25, length_ps or 1.0), seed=seed)
    digest = hashlib.sha256(model.terms.charge.tobytes() + model.xyz.tobytes()).hexdigest()
    settings = Settings(
        ligand_field=figures(force_field), charges=method(charges), device=Device(platform, threads)
    )
    settings.device.platform()  # a wrong name is refused before any work
    job = Job(model, digest, protocol.value, run, settings, charges)
    counts = work(
        poses,
        out,
        job,
        resume=resume,
        patience_s=patience_s,
        told=lambda done, what: typer.echo(f"{done}: {what}", err=True),
    )
    typer.echo(f"{counts.n_in:,} poses in: {counts.n_ok:,} computed, {counts.n_failed:,} failed")
    typer.echo(
        f"scores: {out / 'scores.parquet'} (heavy_atoms beside mmgbsa: the ranking that counting gives)"
    )
    typer.echo(f"poses: {out / 'poses.sdf'}")
