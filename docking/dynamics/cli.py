"""`discovery simulate`: poses and their receptor in; energies, drift and refined poses out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    receptor: Annotated[str, typer.Option(help="PDB or mmCIF file, or demo:5HT1B.")],
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
    replicas: Annotated[int, typer.Option(min=1, max=100)] = 2,
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
    import hashlib

    from docking.dynamics.charges import method
    from docking.dynamics.docked_among import SIDE_CHAINS, models
    from docking.dynamics.folder import places
    from docking.dynamics.platform import Device
    from docking.dynamics.protocol import Settings
    from docking.dynamics.sage import force_field as figures
    from docking.dynamics.scorers import AWAY, HELD, NO_MEMBRANE, load_receptor
    from docking.dynamics.simulate import Run
    from docking.dynamics.work import Job, work
    from docking.protonation import states_of
    from docking.receptor import DockingError
    from docking.run_folder import SIMULATION, check_free

    if solvent is SolventName.explicit and protocol is ProtocolName.mmgbsa:
        raise DockingError(
            "mmgbsa settles a pose in implicit water; --solvent explicit is for stability and rbfe"
        )
    check_free(out, SIMULATION, resume)
    settings = Settings(
        ligand_field=figures(force_field),
        charges=method(charges),
        keep=pocket,
        free=free,
        device=Device(platform, threads),
    )
    settings.device.platform()  # a wrong name is refused before any work
    states = states_of(protonation or [])
    model = load_receptor(
        receptor, ph=ph, drop=drop or [], protonation=states, waters=waters,
        away_from=places(poses) if solvent is SolventName.implicit and pocket < AWAY else None,
    )  # fmt: skip
    for note in model.notes:
        typer.echo(note)
    beside = poses.parent / SIDE_CHAINS
    side_chains = models(beside) if beside.exists() and protocol is not ProtocolName.rbfe else {}
    if side_chains:
        typer.echo(f"each pose lies among the side chains it was docked with: {beside}")
    typer.echo(HELD if solvent is SolventName.explicit else NO_MEMBRANE)
    run = Run(
        length_ps=length_ps,
        replicas=replicas,
        frame_ps=min(0.25, length_ps),
        seed=seed,
        solvent=solvent.value,
    )
    digest = hashlib.sha256(model.terms.charge.tobytes() + model.xyz.tobytes()).hexdigest()

    def told(done: int, what: str) -> None:
        typer.echo(f"{done}: {what}", err=True)

    if protocol is ProtocolName.rbfe:
        from docking.dynamics.exchange import Plan
        from docking.dynamics.relative import Relative
        from docking.dynamics.relative_work import RelativeJob
        from docking.dynamics.relative_work import work as compare

        plan = Plan(iterations=max(8, round(length_ps / 0.4)), steps=100, warm=250, seed=seed)
        how = Relative(plan, settings, solvent.value, shape=network.value)
        found = compare(
            poses,
            out,
            RelativeJob(model, digest, how, charges),
            resume=resume,
            patience_s=patience_s,
            told=told,
        )
        typer.echo(f"{found.n_in:,} ligands in: {found.n_ok:,} placed, {found.n_failed:,} failed")
        typer.echo(
            f"scores: {out / 'scores.parquet'} (rbfe: kcal/mol from their mean; heavy_atoms: what counting gives)"
        )
        typer.echo(
            f"edges: {out / 'edges.parquet'}, cycles: {out / 'cycles.json'}, to read: {out / 'report.txt'}"
        )
        _ended(found, poses)
        return
    what: Literal["mmgbsa", "stability"] = "mmgbsa" if protocol is ProtocolName.mmgbsa else "stability"
    job = Job(model, digest, what, run, settings, charges, side_chains)
    counts = work(
        poses,
        out,
        job,
        resume=resume,
        patience_s=patience_s,
        told=told,
    )
    typer.echo(f"{counts.n_in:,} poses in: {counts.n_ok:,} computed, {counts.n_failed:,} failed")
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
