"""The command `discovery steer`: spend a budget of scorers' calls on ever better molecules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discovery.doors import STOPPED, Progress, Resume, check_fresh, refuse

if TYPE_CHECKING:
    from discovery.config import Campaign
    from discovery.events import Sink
    from discovery.results import Run


def steer(
    config: Annotated[Path, typer.Argument(help="A steering TOML file.", metavar="CONFIG.toml")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder.")] = Path("runs/steer"),
    resume: Resume = True,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Stop after so many rounds, to go on another time.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Instead of the file's.")] = None,
    progress: Progress = "auto",
) -> None:
    """Propose, score, learn, within a budget; stop and go on at will."""
    from discovery import events
    from discovery.workers.interrupt import Interrupted
    from generative import steer_config

    campaign = steer_config.read(config, seed=seed)
    check_fresh(out, resume)
    sink = events.choose(progress)
    try:
        result = run(campaign, out, rounds=rounds, on_event=sink)
    except (Interrupted, KeyboardInterrupt):
        typer.echo(f"stopped; what was done is kept in {out}. The same command goes on from there.", err=True)
        raise typer.Exit(STOPPED) from None
    finally:
        events.close(sink)
    for path in write(result, out):
        typer.echo(f"written: {path}")
    if not result.ranked:
        refuse("no molecule was ranked; molecules.csv says why of each")
    best = result.ranked[0]
    typer.echo(f"best of {len(result.rows)}: {best.smiles}, utility {best.utility:.3f}")


def run(campaign: Campaign, out: Path, *, rounds: int | None, on_event: Sink) -> Run:
    """The campaign in its folder, as far as `rounds`.

    Raises
    ------
    Interrupted
        After `rounds` rounds, or by a signal; what was done is in the folder.
    """
    from discovery import campaign as campaigns
    from discovery.events import Event
    from discovery.workers.interrupt import Interrupted

    beyond = None if rounds is None or rounds >= campaign.rounds else f"round {rounds}: "

    def listening(event: Event) -> None:
        on_event(event)
        if beyond and event.kind == "stage" and event.stage.startswith(beyond):
            raise Interrupted(f"{rounds} rounds are done")

    return campaigns.run(campaign, out, on_event=listening)


def write(result: Run, out: Path) -> list[Path]:
    """Every molecule as CSV, Parquet and SDF, and the report."""
    import pyarrow.csv
    import pyarrow.parquet

    from discovery.report import write_report
    from discovery.views.export import write_csv, write_sdf

    table, structures = out / "molecules.csv", out / "molecules.sdf"
    write_csv(result, table)
    write_sdf(result, structures)
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(table), out / "molecules.parquet", compression="zstd")
    return [table, out / "molecules.parquet", structures, write_report(result, out / "report.html")]
