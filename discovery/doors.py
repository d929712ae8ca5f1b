"""What is the same at every command?

How a stopped run goes on, how a command ends, and the options that mean the same
everywhere: one rule each, so that a user learns it once. The rules stand in `RULES`,
which `discovery --help` shows.
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from discovery.files import refused
from discovery.outcome import UserError

REFUSED, STOPPED = 2, 75
_WRITING = frozenset((errno.ENOSPC, errno.EROFS, errno.EDQUOT))  # what it says only to who writes
_WORLD = _WRITING | frozenset(  # what a disk says of a path that was given to us
    (errno.ENOENT, errno.EEXIST, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG)
)
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
Minutes = Annotated[
    float | None,
    typer.Option(
        "--minutes", help="Begin nothing that would not end within this time; then stop, resumable."
    ),
]
RunFolder = Annotated[Path, typer.Argument(help="A run's folder.", metavar="RUN")]
SmilesColumn = Annotated[str | None, typer.Option("--smiles", help="The column that holds the SMILES.")]
NameColumn = Annotated[str | None, typer.Option("--name", help="The column that holds the names.")]
LowerIsBetter = Annotated[
    bool | None,
    typer.Option(
        "--lower-is-better/--higher-is-better", help="What the column's name says (IC50, dG) when left out."
    ),
]


def better(lower: bool | None) -> Literal["low", "high"] | None:
    """What was said of a column's numbers, None where nothing was."""
    return None if lower is None else "low" if lower else "high"


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


def check_unclaimed(out: Path, own: str = "") -> None:
    """See that no other command's results lie where a run begins; `own` is the file by which one tells its own.

    Raises
    ------
    FolderTaken
        They do.
    """
    from discovery import plugins

    # of dock and simulate, of mine; a ledger has documents
    marks = {*plugins.names("pages"), "current.json"} - {own}
    if any((out / mark).is_file() for mark in marks) or any((out / "documents").glob("*.json")):
        raise FolderTaken(f"{out} holds what another command left; choose another --out")


def refuse(message: str) -> NoReturn:
    """End the command: what was given cannot be used, or nothing came of it."""
    from discovery.views.text import inert

    print(f"error: {inert(message)}", file=sys.stderr)
    raise typer.Exit(REFUSED)


def refusal(error: Exception) -> str | None:
    """What is said of something the user can mend; None of a bug, which shows where it happened."""
    if isinstance(error, UserError) or (isinstance(error, ImportError) and "pip install" in str(error)):
        return str(error)  # an absent extra is named by its command
    if isinstance(error, OSError) and error.errno in _WORLD and isinstance(error.filename, str | Path):
        path = Path(error.filename)
        if error.errno in (errno.EEXIST, errno.ENOTDIR) and (
            file := next((one for one in (path, *path.parents) if one.is_file()), None)
        ):
            return f"{file} is a file, so nothing can be put in it; choose another folder"
        if error.errno in _WRITING:
            return str(refused(path, 0, error))
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in _WRITING:  # of an open file: it no longer knows the name
        return f"cannot write: {error.strerror}; free some space or choose another folder, then run again"
    context = getattr(error, "ctx", None)  # of typer's errors, whose classes move between its versions
    if context is None or not hasattr(error, "format_message"):
        return None
    said = error.format_message().strip()
    if said.startswith("Usage:"):  # nothing was given: the help is the answer
        print(said)
        sys.exit(REFUSED)
    return f"{said.rstrip('.')}; {context.command_path} --help tells what it takes"
