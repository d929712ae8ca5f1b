"""How is a piece of a simulation done once, and only once, whatever dies meanwhile?

A unit has a folder. What it comes to is written there whole, with the checksums of the
files it left; a unit begun three times, here or on other hosts, that never moved on is
set aside with a reason. A damaged file is never believed and never passed over in
silence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discovery.files import publish, sha256_of
from discovery.outcome import Missing, MoleculeError, Reason
from docking.dynamics.checkpoint import put_aside, put_aside_in
from docking.dynamics.protocol import STAGE
from docking.dynamics.watch import Watch, begun, hung
from docking.receptor import ReceptorError

MOST_STARTS = 3  # on as many hosts, or on one
_RESULT = "result.json"


def unit(folder: Path, name: str, watch: Watch, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The row of a unit: the one it left when it was done before, or what `work` makes of it now.

    A molecule's own fault becomes a row that says so. What was found damaged in the
    folder is named in the row's notes.
    """
    held = _result(folder)
    if held is not None:
        return held
    folder.mkdir(parents=True, exist_ok=True)
    watch.beat(folder)
    hosts = begun(folder)
    if len(hosts) > MOST_STARTS:
        row = missing_row(_set_aside(folder, name, hosts[:-1]))
    else:
        try:
            row = work()
        except MoleculeError as error:
            row = missing_row(Missing(STAGE, error.reason, str(error)))
        except ReceptorError as error:  # the receptor loaded: this pose is nowhere near it
            row = missing_row(Missing(STAGE, Reason.OUTSIDE_BOX, f"{name}: {error}"))
    damaged = put_aside_in(folder)
    if damaged:
        said = f"damaged, put aside and not used: {', '.join(damaged)}"
        row["notes"] = "; ".join(note for note in (row.get("notes"), said) if note)
    row["files"] = {
        path.name: sha256_of(path)
        for path in sorted(folder.iterdir())
        if path.suffix in (".sdf", ".pdb", ".dcd", ".xml")
    }
    text = json.dumps(row, indent=1).encode()
    publish(folder / _RESULT, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    return row


def _result(folder: Path) -> dict[str, Any] | None:
    """The row of a unit that is done; None if it, or a file it left, is absent or damaged."""
    path = folder / _RESULT
    if not path.exists():
        return None
    digest, _, text = path.read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        put_aside(path)
        return None
    row: dict[str, Any] = json.loads(text)
    changed = [
        folder / name
        for name, was in row["files"].items()
        if not (folder / name).exists() or sha256_of(folder / name) != was
    ]
    for file in changed:
        if file.exists():
            put_aside(file)
    if changed:
        path.unlink()
        return None
    return row


def _set_aside(folder: Path, name: str, hosts: list[str]) -> Missing:
    where = ", ".join(dict.fromkeys(hosts))
    why = hung(folder)
    return Missing(
        STAGE,
        Reason.TIMED_OUT if why else Reason.CRASHED,
        f"{name} was begun {len(hosts)} times (on {where}) and never ended{': ' + why if why else ''}; "
        "look at its pose, or run it alone in a new --out",
    )


def missing_row(why: Missing) -> dict[str, Any]:
    """An empty row with its reason."""
    return {"missing": why.reason.value, "detail": why.detail}
