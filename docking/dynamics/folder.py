"""What do all runs share that turn an SDF of poses into a folder of results? Their settings, records and tables.

A run goes on only with the settings and poses it was begun with. One record in gives one
row out, with its reason where there is nothing else to say.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rdkit import Chem

from discovery.files import publish, sha256_of
from discovery.molecule import quiet_rdkit
from discovery.outcome import Counts, Missing, Reason, UserError
from discovery.records import check_there, records
from docking.dynamics.protocol import STAGE
from docking.dynamics.terms import Floats
from docking.receptor import DockingError
from docking.run_folder import SIMULATION, begun


@contextmanager
def opened(out: Path, poses: Path, settings: Mapping[str, Any], resume: bool) -> Iterator[None]:
    """Open a folder for a run on these poses, or go on in it; see run_folder.begun.

    Raises
    ------
    IntakeError
        There is no such file of poses.
    DockingError
        See run_folder.begin.
    """
    check_there(poses, "poses")
    with begun(out, SIMULATION, {"poses": sha256_of(poses), **settings}, resume):
        yield


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of an SDF."""

    number: int  # from 1
    name: str
    block: str | Missing  # the mol block, or why there is none
    data: Mapping[str, str]  # its other fields


def entries(poses: Path) -> Iterator[Entry]:
    """Every record of an SDF.

    Raises
    ------
    DockingError
        It is no SDF.
    """
    for number, record in enumerate(records(poses), start=1):
        name = record.name or f"pose {number}"
        if record.trouble:
            reason, why = record.trouble
            yield Entry(number, name, Missing(STAGE, reason, f"{name}: {why}"), record.data)
        elif record.block:
            yield Entry(number, name, record.block, record.data)
        else:
            raise DockingError(f"{poses} holds no poses: give an SDF with 3-D coordinates and hydrogens")


def places(poses: Path) -> Floats | None:
    """[atom, 3] Å, of all poses of an SDF; None where none can be read, which is told when they are computed."""
    found = []
    with suppress(UserError):
        for entry in entries(poses):
            if isinstance(entry.block, Missing):
                continue
            with quiet_rdkit():
                mol = Chem.MolFromMolBlock(entry.block, sanitize=False, removeHs=False)
            if mol is not None and mol.GetNumConformers():
                found.append(mol.GetConformer().GetPositions())
    points = np.concatenate([np.zeros((0, 3)), *found])
    points = points[np.isfinite(points).all(axis=1)]
    return points if len(points) else None


def publish_table(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> None:
    """Rows as a Parquet file; what the schema does not name is left out."""
    plain = [{key: row.get(key) for key in schema.names} for row in rows]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(plain, schema=schema), sink)
    publish(path, sink.getvalue())


def counted(rows: Iterable[Mapping[str, Any]]) -> Counts:
    """How many rows came out, and how many have a reason instead."""
    return Counts.of(
        Missing(STAGE, Reason(row["missing"]), row["detail"]) if row.get("missing") else None for row in rows
    )


def publish_report(
    path: Path,
    settings: Mapping[str, Any],
    notes: Iterable[str],
    rows: Iterable[Mapping[str, Any]],
    column: str,
    unit: str,
) -> None:
    """What a person wants to read of a run: how it was made, who stands where, who has no number and why.

    What a row holds under "said" is told beside its number.

    Parameters
    ----------
    column, unit
        By which the rows are ordered, low first. Of several poses of a ligand, the chosen one stands for it.
    """
    every = list(rows)
    counts = counted(every)
    placed = [row for row in every if not row.get("missing") and (row.get("choice") or 1) == 1]
    placed.sort(key=lambda row: float(row[column]))
    error = f"{column}_error"
    lines = [f"{counts.n_in:,} in: {counts.n_ok:,} with a number, {counts.n_failed:,} without", ""]
    for place, row in enumerate(placed, start=1):
        sure = f" ± {row[error]:.1f}" if row.get(error) is not None else ""
        more = f"  {row['said']}" if row.get("said") else ""
        said = f"  ({row['notes']})" if row.get("notes") else ""
        lines.append(
            f"{place:4d}. {row[column]:+.1f}{sure} {unit}  {row['id']}  {row['heavy_atoms']} heavy atoms{more}{said}"
        )
    failed = [row for row in every if row.get("missing")]
    if failed:
        lines += ["", *(f"{row['missing']}: {row['detail']}" for row in failed)]
    lines += ["", *notes, "", *(f"{key}: {value}" for key, value in sorted(settings.items()))]
    publish(path, ("\n".join(lines) + "\n").encode())
