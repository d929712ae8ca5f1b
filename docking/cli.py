"""`discovery dock`: a library file, a receptor and a box in; poses and scores out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discovery.devices import SEED
from discovery.doors import Minutes, Progress, Resume, Seed, refuse

if TYPE_CHECKING:
    from discovery.events import Sink
    from discovery.outcome import Counts
    from docking.library.run import Job
    from docking.ligand import Ligand

MOST_BESIDE = 2  # molecules that dock at the same time as each of the library
MOST_SHOWN = 5  # best molecules told at the end; report.txt tells more
VINA_EFFORT = {"fast": 2, "balanced": 8, "thorough": 32}  # exhaustiveness; 8 is Vina's own default


def dock(
    receptor: Annotated[
        str, typer.Option(help="PDB, mmCIF or PDBQT file, pdb:4IAR to fetch an entry, or demo:5HT1B.")
    ],
    ligands: Annotated[
        Path, typer.Option(help="SMI, CSV, TSV, SDF, MOL2, PDBQT or Parquet file, plain or gzipped.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for poses.sdf and scores.parquet.")],
    around: Annotated[
        str,
        typer.Option(
            help="Put the box around this ligand file, or a ligand in the receptor's own file: XK2 or A:XK2263."
        ),
    ] = "",
    center: Annotated[str, typer.Option(help="Middle of the box, such as 3.1,0.5,10.4 (Å).")] = "",
    size: Annotated[str, typer.Option(help="Edges of the box, such as 20,20,20 (Å).")] = "",
    residues: Annotated[str, typer.Option(help="Put the box around these, such as A:ASP129,B:PHE330.")] = "",
    pocket: Annotated[
        int,
        typer.Option(
            min=0, help="Put the box around the receptor's own pocket of this rank, 1 the likeliest."
        ),
    ] = 0,
    engine: Annotated[str, typer.Option(help="native, vina, or one that a plug-in brings.")] = "native",
    effort: Annotated[str, typer.Option(help="fast, balanced or thorough.")] = "balanced",
    poses: Annotated[int, typer.Option(min=1, max=100, help="Most poses per isomer.")] = 9,
    seed: Seed = SEED,
    ph: Annotated[
        float, typer.Option(min=0.0, max=14.0, help="Protonate protein and ligands at this pH.")
    ] = 7.4,
    isomers: Annotated[int, typer.Option(min=1, max=32, help="Most stereoisomers docked per row.")] = 4,
    tautomers: Annotated[int, typer.Option(min=1, max=16, help="Most tautomers docked per row.")] = 1,
    rings: Annotated[
        int,
        typer.Option(
            min=0, max=16, help="Most ring shapes docked per isomer; 0: three, six of a macrocycle."
        ),
    ] = 0,
    rank_by: Annotated[
        str, typer.Option(help="What orders a row's poses: rescoring, or score (kcal/mol) alone.")
    ] = "rescoring",
    chains: Annotated[str, typer.Option(help="Dock into these chains of the file alone: A,B.")] = "",
    keep: Annotated[
        list[str] | None, typer.Option(help="Keep a water, ion or cofactor: HOH or A:HOH301.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Drop a residue: A:ZN301.")] = None,
    protonation: Annotated[list[str] | None, typer.Option(help="Such as A:HIS57=HIP.")] = None,
    flexible: Annotated[
        str, typer.Option(help="Side chains that turn (native engine), such as A:ASP129,A:PHE330.")
    ] = "",
    beside: Annotated[
        Path | None, typer.Option(help="Molecules that dock at the same time as each row (native engine).")
    ] = None,
    restrain: Annotated[
        Path | None, typer.Option(help="TOML file of distances, places, cores, likeness (native engine).")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="SDF of a known ligand whose likeness is sought (native engine).")
    ] = None,
    score_only: Annotated[
        bool, typer.Option("--score-only", help="Score the poses of an SDF, MOL2 or PDBQT as they lie.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Processes that share the library and are replaced when a molecule takes one down; 0: here. "
            "The same command on other hosts that see the folder shares it too.",
        ),
    ] = 0,
    timeout: Annotated[
        float, typer.Option(min=1.0, help="Seconds a molecule may take, under --workers.")
    ] = 1800.0,
    minutes: Minutes = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Also write this HTML file: the best poses in 3-D, beside the ligand of --around or --like."
        ),
    ] = None,
    progress: Progress = "auto",
    watched: Annotated[bool, typer.Option("--watched", hidden=True)] = False,
    resume: Resume = True,
) -> None:
    """Dock a library into a receptor: poses with bond orders, one outcome for every row."""
    from discovery import events
    from docking import pdbqt, pockets
    from docking.dock import ranking
    from docking.library.run import Job, run, summary, told_of
    from docking.protein.protonation import states_of
    from docking.receptor import DockingError
    from docking.run_folder import DOCKING, check_free
    from docking.scorers import DockingScore

    if effort not in VINA_EFFORT:
        raise DockingError(f"--effort is {', '.join(VINA_EFFORT)}, not {effort!r}")
    order = ranking(rank_by)
    check_free(out, DOCKING, resume)
    sink = events.silent if watched else events.choose(progress)
    settings: dict[str, Any] = (
        {"exhaustiveness": VINA_EFFORT[effort]} if engine == "vina" else {"effort": effort}
    )
    turning, lining = _names(flexible), _names(residues)
    if residues and not lining:
        raise DockingError("--residues names no residue to put the box around")
    if engine != "native" and (turning or beside):
        raise DockingError(f"--flexible and --beside need --engine native, not {engine}")
    if turning:
        settings["flexible"] = turning
    if beside:
        settings["beside"] = _beside(beside, ph)
    asked = DockingScore(
        receptor, around=around, center=_triple("--center", center), size=_triple("--size", size), residues=lining,
        pocket=pocket, engine=engine, engine_settings=settings, ph=ph, restrain=str(restrain or ""),
        like=str(like or ""), chains=_names(chains), keep=tuple(keep or ()), drop=tuple(drop or ()),
        protonation=states_of(protonation or []),
    )  # fmt: skip
    target = asked.target()
    if asked.bound and any(around in (atom.resname, atom.residue) for atom in pdbqt.read(target.pdbqt).atoms):
        typer.echo(f"box: around {around}, which stays in the receptor; --drop {around} docks in its place")
    if pocket:
        typer.echo(str(pockets.pocket(target, pocket)))
    job = Job(
        target,
        asked.site(),
        asked.build_engine(),
        seed,
        poses,
        ph,
        isomers,
        tautomers,
        rings,
        order,
        score_only,
    )
    for choice in target.report:
        typer.echo(str(choice))
    until = None if minutes is None else time.monotonic() + 60 * minutes
    told = _told(ligands, sink)
    try:
        if workers:
            counts = _unattended(ligands, out, job, workers, told, sink)
        else:
            counts = run(
                ligands, out, job, resume=resume, told=told, until=until, limit_s=timeout if watched else 0.0
            )
        n = counts.n_in
        sink(events.Event("done", "docking", done=n, total=n, ok=counts.n_ok, failed=counts.n_failed))
    finally:
        events.close(sink)
    for line in (told_of(counts), *summary(out / "scores.parquet", MOST_SHOWN)):
        typer.echo(line)
    typer.echo(f"poses: {out / 'poses.sdf'}")
    typer.echo(f"scores: {out / 'scores.parquet'}")
    if report is not None and counts.n_ok and not watched:
        _page(out, report, (around, "" if like is None else str(like)))
    if not counts.n_ok:
        refuse(
            f"no row of {ligands} could be docked; {out / 'scores.parquet'} says why of each"
            if counts.n_in
            else f"{ligands} holds no rows"
        )


def _page(out: Path, path: Path, known: Sequence[str]) -> None:
    """Write the run as one page, beside the first of `known` that is an SDF or mol file."""
    from docking.looking import report

    beside = (one for one in known if Path(one).suffix.lower() in {".sdf", ".mol"} and Path(one).is_file())
    typer.echo(f"report: {report(out, path, reference=next(beside, ''))}")


def _told(ligands: Path, sink: Sink) -> Callable[[int], None]:
    from discovery.events import Event
    from discovery.records import about

    total = 0 if {".mol2", ".pdbqt"} & {suffix.lower() for suffix in ligands.suffixes} else about(ligands)
    return lambda done: sink(Event("progress", "docking", done=done, total=max(done, total)))


def _unattended(
    ligands: Path, out: Path, job: Job, workers: int, told: Callable[[int], None], sink: Sink
) -> Counts:
    """Have it docked by processes that are watched; this one only tells how far they are."""
    import sys

    from discovery.events import Event
    from docking.library.run import finished, kept, run
    from docking.library.watching import watch

    def tell() -> None:
        told(kept(out, job.engine))

    asked = [word for word in sys.argv[1:] if word != "--fresh"]  # the first of them makes the folder
    words = [*asked, "--watched", "--workers", "0"]
    if finished(out) is None:
        watch(words, workers, tell, lambda text: sink(Event("warning", "docking", text)))
    return run(ligands, out, job)


def _beside(path: Path, ph: float) -> tuple[Ligand, ...]:
    from discovery.outcome import Missing, MoleculeError
    from docking.library.files import entries
    from docking.ligand import prepare
    from docking.receptor import DockingError

    found = []
    for row, _ in entries(path, keep_duplicates=True):
        if isinstance(row.outcome, Missing):
            raise DockingError(f"--beside: {row.outcome.detail}")
        try:
            found.append(prepare(row.outcome, ph=ph, most_shapes=1)[0])
        except MoleculeError as error:
            raise DockingError(f"--beside: {error}") from error
        if len(found) > MOST_BESIDE:
            raise DockingError(
                f"--beside {path} holds more than {MOST_BESIDE} molecules to dock at the same time"
            )
    return tuple(found)


def _names(text: str) -> tuple[str, ...]:
    """ "A:ASP129, B:PHE330" -> its names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _triple(option: str, text: str) -> tuple[float, float, float] | None:
    from docking.receptor import DockingError

    if not text:
        return None
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as error:
        raise DockingError(f"{option} is three numbers in Å, such as 10.5,-3,22, not {text!r}") from error
    return x, y, z
