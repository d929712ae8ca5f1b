"""How is a piece of a simulation done once, and only once, whatever dies meanwhile?

A unit has a folder. What it comes to is written there whole, with the checksums of the
files it left; a unit begun three times, here or on other hosts, that never moved on is
set aside with a reason. A damaged file is never believed and never passed over in
silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discovery.files import SUMS, broken, publish, seal
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
    publish(folder / _RESULT, json.dumps(row, indent=1).encode())
    left = [path.name for path in sorted(folder.iterdir()) if path.suffix in (".sdf", ".pdb", ".dcd", ".xml")]
    seal(folder, [_RESULT, *left])
    return row


def _result(folder: Path) -> dict[str, Any] | None:
    """The row of a unit that is done; None if it, or a file it left, is absent or damaged."""
    if not (folder / SUMS).exists():
        return None
    changed = broken(folder)
    for name, _ in changed:
        if (folder / name).exists():
            put_aside(folder / name)
    if changed:
        (folder / SUMS).unlink(missing_ok=True)
        return None
    row: dict[str, Any] = json.loads((folder / _RESULT).read_bytes())
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
