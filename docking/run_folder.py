"""May a run begin in this folder, or go on there?

A folder of results holds, in a file of its own, all that decided them. A run goes on only
with the same; anything else in the folder is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discovery.files import publish
from discovery.outcome import UserError
from docking.receptor import DockingError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run: what it is called, and the file that holds its settings."""

    what: str
    file: str


DOCKING = Kind("docking run", "docking.json")
SIMULATION = Kind("simulation", "simulation.json")


def check_free(out: Path, kind: Kind, resume: bool) -> None:
    """See that a run may begin in a folder, or go on there; for asking before anything costly is done.

    Raises
    ------
    DockingError
        It holds something else, or a run that is not to be gone on with.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise DockingError(f"{out} is a file; --out is a folder")
    if not (out / kind.file).exists():
        if any(not (path.name.startswith(".") and path.suffix == ".tmp") for path in out.iterdir()):
            raise DockingError(f"{out} is not empty and holds no {kind.what}; choose another --out")
    elif not resume:
        raise DockingError(
            f"{out} holds a {kind.what} already; it goes on without --fresh, or choose another --out"
        )


def begin(out: Path, kind: Kind, settings: Mapping[str, Any], resume: bool) -> None:
    """Open a folder for a run with these settings (JSON values), or go on in it.

    Raises
    ------
    DockingError
        As `check_free`; or the run there was begun with others, or its settings cannot be read.
    """
    check_free(out, kind, resume)
    out.mkdir(parents=True, exist_ok=True)
    kept, text = out / kind.file, json.dumps(settings, indent=1, sort_keys=True)
    if not kept.exists():
        publish(kept, text.encode())
        return
    now = json.loads(text)
    try:
        then = json.loads(kept.read_text("utf-8"))
    except ValueError:
        then = None
    if not isinstance(then, dict):
        raise DockingError(
            f"{kept} is damaged, so that nobody can tell with which settings {out} was begun; choose another --out"
        )
    changed = [key for key in now if then.get(key) != now[key]]
    if changed:
        what = "; ".join(f"{key} was {_short(then.get(key))} and is {_short(now[key])}" for key in changed)
        raise DockingError(f"{out} cannot go on, since it was begun otherwise: {what}")


@contextmanager
def begun(out: Path, kind: Kind, settings: Mapping[str, Any], resume: bool) -> Iterator[None]:
    """As `begin`, for the time of a run: one that is refused before it kept anything leaves its folder as it was.

    So whoever mends the box or the file may give the same command again.
    """
    new = not out.exists()
    begin(out, kind, settings, resume)
    try:
        yield
    except UserError:
        kept = [path for path in out.rglob("*") if path.is_file() and path != out / kind.file]
        if not kept:
            (out / kind.file).unlink()
            for folder in sorted((path for path in out.rglob("*")), reverse=True):
                folder.rmdir()
            if new:
                out.rmdir()
        raise


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
