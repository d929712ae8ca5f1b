"""Where are the notebooks, and how are they opened? `discovery lab` starts JupyterLab on them.

JupyterLab runs in the same environment as the workbench, listens on this machine
alone with its own token, and asks no other host for news, updates or extensions.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from discovery.outcome import UserError

QUIET = (
    "--ServerApp.ip=127.0.0.1",
    "--LabApp.news_url=None",  # asks for news feeds otherwise
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",  # the other one lists what PyPI has
)
# no question about fetching news; a notebook opened again shows its grids without a kernel
SETTINGS = Path(__file__).resolve().parent / "assets" / "lab"


class LabError(UserError, RuntimeError):
    """JupyterLab cannot be opened; the message says why and what to do."""


def notebooks() -> Path:
    """The folder of notebooks that stands beside the package.

    Raises
    ------
    LabError
        There is none: the packages were installed without the repository.
    """
    folder = Path(__file__).resolve().parent.parent / "notebooks"
    if not any(folder.glob("*.ipynb")):
        raise LabError(
            "no notebooks stand beside the installed package; get the repository, "
            "or name a folder of your own: discovery lab FOLDER"
        )
    return folder


def command(folder: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """The command line that opens JupyterLab on a folder.

    Raises
    ------
    LabError
        The folder is not there, or JupyterLab is not installed.
    """
    if not folder.is_dir():
        raise LabError(f"{folder}: there is no such folder")
    if find_spec("jupyterlab") is None:
        raise LabError("JupyterLab is not installed; it comes with: pip install 'discovery-workbench[lab]'")
    extra = [] if browser else ["--no-browser"]
    if port is not None:
        extra.append(f"--ServerApp.port={port}")
    where = [f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.app_settings_dir={SETTINGS}"]
    return [sys.executable, "-m", "jupyterlab", *where, *QUIET, *extra]


def lab(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder to open; the workbench's notebooks when left out.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="8888 or the next free one when left out.")
    ] = None,
) -> None:
    """Open JupyterLab with the notebooks."""
    line = command(folder or notebooks(), browser=browser, port=port)
    try:
        done = subprocess.run(line, check=False)
    except KeyboardInterrupt:  # JupyterLab got it too, and asks before it ends
        return
    raise typer.Exit(done.returncode)
