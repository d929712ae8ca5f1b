"""What is the same at every command?

How a stopped run goes on, how a command ends, and the options that mean the same
everywhere: one rule each, so that a user learns it once. The rules stand in `RULES`,
which `discovery --help` shows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from discovery.outcome import UserError

REFUSED, STOPPED = 2, 75
RULES = (
    "The same command goes on where it stopped, in the folder of its --out: nothing is computed twice, and other "
    "settings are refused with what differs; --fresh refuses a folder that holds a run. "
    "Exit status: 0 something came out, 1 what was checked is not so, 2 what was given cannot be used or nothing came of it, 75 stopped part way."
)

Resume = Annotated[
    bool,
    typer.Option(
        "--resume/--fresh",
        help="Go on where the run in --out stopped, as the same command always does; or refuse a folder that holds one.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same result.")]
Progress = Annotated[
    str, typer.Option("--progress", help="auto, terminal, lines, json or silent.", metavar="STYLE")
]


class FolderTaken(UserError, RuntimeError):
    """A run was to begin, and its folder holds one; the message says what to do."""


def check_fresh(out: Path, resume: bool) -> None:
    """See that nothing is in the folder where a run is to begin and not to go on.

    Raises
    ------
    FolderTaken
        Something is.
    """
    if not resume and out.is_dir() and any(out.iterdir()):
        raise FolderTaken(f"{out} is not empty; without --fresh its run goes on, or choose another --out")


def refuse(message: str) -> NoReturn:
    """End the command: what was given cannot be used, or nothing came of it."""
    from discovery.views.text import inert

    print(f"error: {inert(message)}", file=sys.stderr)
    raise typer.Exit(REFUSED)
