"""The command line: `discovery run | status | report | rank | screen | plan | replay | verify | doctor | ...`

Each command is a few lines around a Python door of the same name. Heavy imports stay
inside the commands, so that `discovery --help` answers at once. Commands of the
workshops and of other people's packages arrive through the plug-in panel.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from discovery import doors
from discovery.devices import SEED
from discovery.doors import Minutes, NameColumn, Progress, Resume, RunFolder, Seed, SmilesColumn

if TYPE_CHECKING:
    from discovery.config import Campaign
    from discovery.events import Sink
    from discovery.results import Run
    from discovery.workers.crew import Bench
    from discovery.workers.sharing import Terms

T = TypeVar("T")
_TOLD_TO_STOP = 130  # what typer makes of Ctrl-C
CampaignFile = Annotated[Path, typer.Argument(help="A campaign's TOML file.", metavar="CAMPAIGN.toml")]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="Change one key, such as rounds=3 or scorers.0.weight=2.")
]
Join = Annotated[
    bool, typer.Option("--join", help="If another process works on this folder, help it instead of refusing.")
]
Lease = Annotated[
    float, typer.Option("--lease", help="Seconds after which a silent helper's work is taken over.")
]
AllowMixed = Annotated[
    bool, typer.Option("--allow-mixed", help="Go on although libraries changed since the run began.")
]


class Panel(TyperGroup):
    """The commands written here, and those that plug-ins bring; the latter load when asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        from discovery import plugins

        brought = set(plugins.names("commands"))
        return [*super().list_commands(ctx), *sorted(brought - set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from discovery import plugins

        if cmd_name in self.commands or cmd_name not in plugins.names("commands"):
            return super().get_command(ctx, cmd_name)
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        try:
            app.command(cmd_name)(plugins.load("commands", cmd_name))
        except plugins.PluginError as error:
            app = _broken(cmd_name, str(error))
        return typer.main.get_command(app)


def _broken(name: str, why: str) -> typer.Typer:
    app = typer.Typer(add_completion=False)

    @app.command(name, help=f"Not available: {why}")
    def broken() -> None:
        doors.refuse(why)

    return app


app = typer.Typer(
    cls=Panel,
    help="From target evidence to a ranked, docked, explained shortlist of molecules.",
    epilog=doors.RULES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"discovery-workbench {metadata.version('discovery-workbench')}")
        raise typer.Exit


@app.callback()
def panel(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    campaign: CampaignFile,
    out: Annotated[Path, typer.Option("--out", help="The run's folder.")] = Path("runs/campaign"),
    assign: Assignments = None,
    progress: Progress = "auto",
    allow_mixed: AllowMixed = False,
    join: Join = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; the file's `workers` when left out.")
    ] = None,
    minutes: Minutes = None,
    lease: Lease = 60.0,
    resume: Resume = True,
) -> None:
    """Run a campaign, finish one that was stopped, or (--join) help with one that runs."""
    from discovery import config

    doors.check_fresh(out, resume)
    asked = config.with_overrides(config.read(campaign), assign or [])
    if workers:
        asked = asked.model_copy(update={"workers": workers})
    _run(asked, out, progress, allow_mixed, join=join, minutes=minutes, lease=lease)


@app.command()
def new(
    campaign: CampaignFile,
    receptor: Annotated[
        str, typer.Option("--receptor", help="PDB, mmCIF or PDBQT file to dock into; none: properties alone.")
    ] = "",
    around: Annotated[
        str,
        typer.Option("--around", help="A bound ligand's file, or its name in the protein's: where to dock."),
    ] = "",
    pocket: Annotated[
        int, typer.Option("--pocket", help="Without --around: rank of the protein's own pocket.", min=0)
    ] = 0,
    scaffold: Annotated[str, typer.Option("--scaffold", help="SMILES every molecule must hold.")] = "",
    library: Annotated[
        str, typer.Option("--library", help="Rank the molecules of this file; none: propose new ones.")
    ] = "",
) -> None:
    """Write a first campaign file for a target of your own, ready to run, with a comment at every choice."""
    from discovery.campaigns.sketch import campaign_file

    made = campaign_file(
        campaign, receptor=receptor, around=around, pocket=pocket, scaffold=scaffold, library=library
    )
    print(f"{made}; discovery plan {made} tells what it costs, discovery run {made} runs it")


@app.command()
def parts(
    name: Annotated[str, typer.Argument(help="One part: what it does and what can be set.")] = "",
) -> None:
    """List what a campaign can be made of: scorers, proposers, engines, evidence, readers."""
    from discovery.campaigns import parts as known

    if name:
        print(known.described(name))
        return
    group = ""
    for part in known.listed():
        if part.group != group:
            group = part.group
            print(group)
        print(f"  {part.name:<16}{part.line}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="The run's folder.")] = Path("runs/demo"),
    quick: Annotated[bool, typer.Option("--quick", help="The two-minute version.")] = False,
    seed: Seed = SEED,
    progress: Progress = "auto",
    allow_mixed: AllowMixed = False,
    resume: Resume = True,
) -> None:
    """A first campaign against 5-HT1B: at most ten minutes on two cores, nothing downloaded."""
    from discovery.demo import demo_config

    doors.check_fresh(out, resume)
    _run(demo_config(quick=quick, seed=seed), out, progress, allow_mixed)


def _run(
    config: Campaign,
    out: Path,
    progress: str,
    allow_mixed: bool,
    *,
    join: bool = False,
    minutes: float | None = None,
    lease: float = 60.0,
) -> None:
    from discovery import campaign
    from discovery.report import write_report
    from discovery.views import terminal

    result = _shared(
        lambda sink, terms: campaign.run(config, out, on_event=sink, allow_mixed=allow_mixed, terms=terms),
        (lambda: campaign.finished(out)) if join else None,
        out, progress, max(1, config.workers), minutes, lease,
    )  # fmt: skip
    report = write_report(result, out / "report.html")
    terminal.print_shortlist(result, 10)
    print(f"report: {report.resolve()}")
    if not result.ranked:
        doors.refuse(f"no molecule was ranked; discovery rank {out} lists the reasons")


def _shared(
    drive: Callable[[Sink, Terms], T],
    finished: Callable[[], T | None] | None,
    out: Path,
    progress: str,
    workers: int,
    minutes: float | None,
    lease: float,
    bench: Bench | None = None,
) -> T:
    """Drive a run, or help with it; told to stop, keep what was done and end with STOPPED."""
    import time

    from discovery import events
    from discovery.workers.joining import join
    from discovery.workers.sharing import Terms

    if workers < 1 or lease <= 0 or (minutes is not None and minutes <= 0):
        doors.refuse("--workers must be at least 1, --lease and --minutes more than 0")
    sink = events.choose(progress)
    terms = Terms(lease, None if minutes is None else time.monotonic() + 60 * minutes, bench)
    try:
        if finished is None:
            return drive(sink, terms)
        return join(lambda: drive(sink, terms), finished, out, workers=workers, terms=terms, on_event=sink)
    except KeyboardInterrupt:
        events.close(sink)
        print(
            f"stopped; what was done is kept in {out}. The same command goes on from there.", file=sys.stderr
        )
        raise typer.Exit(doors.STOPPED) from None
    finally:
        events.close(sink)


@app.command()
def status(run: RunFolder) -> None:
    """How far a run has come: the funnel, with counts that add up."""
    from discovery.views import terminal

    if _screen_status(run):
        return
    result = _load(run)
    terminal.print_funnel(result)
    state = "finished" if result.finished else "not finished; run it again to go on"
    print(f"{result.name}: {len(result.ranked)} of {len(result.rows)} molecules ranked; {state}")


def _screen_status(run: Path) -> bool:
    from discovery.screens import screening
    from discovery.views import terminal

    counts = screening.so_far(run)
    if counts is None:
        return False
    ended = screening.finished(run)
    under_way = "not finished (rows of a batch under way are not counted); run it again to go on"
    print(f"screen: {terminal.rows_told(counts)}; {'finished' if ended else under_way}")
    terminal.print_losses(ended.losses if ended else ())
    return True


@app.command()
def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", help="The HTML file; report.html in the run's folder.")
    ] = None,
) -> None:
    """Write the report of a campaign, a screen, a docked library or simulated poses: one file that needs nothing else."""
    from discovery import plugins
    from discovery.report import write_report
    from discovery.screens import screening

    to = out or run / "report.html"
    if screening.so_far(run) is not None:
        from discovery.screens.screened import screened

        print(screened(run).report(to))
        return
    for settings in plugins.names("pages"):  # the file in which another command writes down what it was asked
        if (run / settings).is_file():
            print(plugins.load("pages", settings)(run, to))
            return
    print(write_report(_load(run), to))


@app.command("rank")
def ranked(
    run: RunFolder,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV on standard output, every row.")] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="Most rows to show, ranked and unranked.")] = 20,
) -> None:
    """The ranked table, and beside each unranked row its reason."""
    from discovery.views import terminal

    result = _load(run)
    if csv:
        from discovery.views.export import write_csv

        write_csv(result, sys.stdout)
        return
    terminal.print_shortlist(result, top)
    terminal.print_unranked(result, top)


@app.command()
def screen(
    library: Annotated[Path, typer.Argument(help="SMI, CSV, TSV, SDF, Parquet or Excel, plain or gzipped.")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder.")] = Path("runs/screen"),
    scorers: Annotated[
        Path | None, typer.Option("--scorers", help="A campaign's TOML file whose scorers are used.")
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=0, help="How many of the best are written to top.csv.")
    ] = 1000,
    smiles: SmilesColumn = None,
    name: NameColumn = None,
    workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 2,
    progress: Progress = "auto",
    join: Join = False,
    minutes: Minutes = None,
    lease: Lease = 60.0,
    resume: Resume = True,
) -> None:
    """Score a library of any size: a row in is a row out, and a stopped run goes on."""
    from discovery.screens import screening
    from discovery.views import terminal
    from discovery.workers.crew import Bench

    doors.check_fresh(out, resume)
    with closing(Bench()) as bench:
        result = _shared(
            lambda sink, terms: screening.screen(
                library, out, scorers=scorers, smiles=smiles, name=name, workers=workers, top=top,
                on_event=sink, terms=terms,
            ),
            (lambda: screening.finished(out)) if join else None,
            out, progress, workers, minutes, lease, bench,
        )  # fmt: skip
    print(terminal.rows_told(result.counts))
    terminal.print_losses(result.losses)
    print(f"best {result.n_top:,}: {result.top}")
    print(f"every row: {result.all_rows}")
    if not result.counts.n_ok + result.counts.n_filtered:
        doors.refuse(
            f"no row of {library} could be scored; if its structures are in another column, name it with --smiles"
        )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sbatch(
    context: typer.Context,
    tasks: Annotated[int, typer.Option("--tasks", help="Array tasks that share the folder.")] = 4,
    hours: Annotated[float, typer.Option("--hours", help="Time limit of a task.")] = 4.0,
    cpus: Annotated[int, typer.Option("--cpus", help="Processor cores of a task.")] = 8,
    gpus: Annotated[int, typer.Option("--gpus", help="GPUs of a task.")] = 0,
) -> None:
    """Print the Slurm script of a `run`, `screen` or `dock` on many nodes: discovery sbatch --tasks 8 -- run ..."""
    from discovery.workers import slurm

    try:
        print(slurm.script(context.args, tasks=tasks, hours=hours, cpus=cpus, gpus=gpus), end="")
    except ValueError as error:
        doors.refuse(str(error))


@app.command()
def plan(campaign: CampaignFile, assign: Assignments = None) -> None:
    """What a campaign would do and cost, measured on a small pilot; nothing is kept."""
    from discovery import config
    from discovery.campaigns import planning

    print(planning.plan(config.with_overrides(config.read(campaign), assign or [])).text())


@app.command()
def replay(
    run: RunFolder, row: Annotated[str, typer.Argument(help="A row's id, such as r0-0017, or its own name.")]
) -> None:
    """Compute one row's scores again and compare them with what was recorded."""
    from discovery.campaigns import replaying

    comparison = replaying.replay(run, row)
    print(comparison.text())
    if not comparison.same:
        raise typer.Exit(1)


@app.command()
def verify(run: RunFolder) -> None:
    """Read every byte of a run, a screen, a docked library or mined articles, and check every count."""
    from discovery.files import SUMS, broken
    from discovery.ledger import Ledger

    if not run.is_dir():
        doors.refuse(f"{run}: there is no such folder")
    ledger, whole = Ledger(run), any((run / "documents").glob("*.json"))
    if not whole and not (run / SUMS).is_file():
        doors.refuse(f"{run} holds no run that can be verified, or one that has not come to its end")
    damages = ledger.verify() if whole else []
    for damage in damages:
        print(f"{damage.kind}: {damage.path}: {damage.detail}")
    remedy = (
        "the same command writes it anew" if whole else "restore it from a copy, or make it anew elsewhere"
    )
    results = broken(run)
    for name, what in results:
        print(f"damaged: {name}: {what}; {remedy}")
    if damages or results:
        raise typer.Exit(1)
    if not whole:
        print(f"{run}: every byte as written, of all files that {SUMS} names")
        return
    if ledger.get_document("campaign") is None and ledger.get_document("screen") is not None:
        rows = sum(shard.rows for shard in ledger.shards("screen"))
        print(f"{run}: a screen of {rows:,} rows, every byte and every count as written")
        return
    result = _load(run)
    print(
        f"{run}: {len(result.rows):,} rows, {len(result.funnel)} stages, every byte and every count as written"
    )


@app.command()
def doctor() -> None:
    """Check engines, versions, devices and weights with a real small calculation on each."""
    from discovery import checkup
    from discovery.views import terminal

    if not checkup.doctor(terminal.console()):
        raise typer.Exit(1)


@app.command()
def conform(
    kind: Annotated[str, typer.Argument(help="scorers, proposers, engines or readers.")],
    name: Annotated[str, typer.Argument(help="The name it is registered by.")],
    settings: Annotated[str, typer.Option("--settings", help="Its settings, as JSON.")] = "{}",
) -> None:
    """Does a plug-in keep its promise? Each complaint is a line; none is good."""
    import json

    from discovery import plugins

    try:
        given = json.loads(settings)
    except ValueError as error:
        doors.refuse(f"--settings is no JSON: {error}")
    if not isinstance(given, dict):
        doors.refuse(f'--settings is a JSON object, such as \'{{"name": "logp"}}\', not {settings}')
    complaints = plugins.load("promises", kind)(name, given)
    for complaint in complaints:
        print(complaint)
    if complaints:
        raise typer.Exit(1)
    print(f"{kind} {name}: keeps its promise")


@app.command()
def schema() -> None:
    """The campaign file as JSON Schema, for editors and for checking."""
    import json

    from discovery.config import schema as campaign_schema

    print(json.dumps(campaign_schema(), indent=2))


def _load(folder: Path) -> Run:
    from discovery import campaign

    return campaign.load(folder)


def main() -> None:
    """The `discovery` command. Refusals are one sentence; bugs show where they happened.

    Ctrl-C and the SIGTERM of a batch system end any command with STOPPED: what was kept, was kept whole.
    """
    from discovery.workers.interrupt import stopping

    try:
        with stopping(at_once=True):
            status = app(prog_name="discovery", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = _TOLD_TO_STOP
    except Exception as error:
        said = doors.refusal(error)
        if said is None:
            raise
        from discovery.views.text import inert

        for line in said.splitlines():
            print(f"error: {inert(line)}", file=sys.stderr)
        sys.exit(doors.REFUSED)
    if status == _TOLD_TO_STOP:
        print("stopped; the same command goes on with what was kept", file=sys.stderr)
        status = doors.STOPPED
    if isinstance(status, int) and status:
        sys.exit(status)


if __name__ == "__main__":
    main()
