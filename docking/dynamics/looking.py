"""What did a run of `simulate` find, to be looked at?

    found = simulated("runs/simulate")
    found.show(); found.poses(5)
    report("runs/simulate", "poses.html")

One row a pose, with what its protocol measured; a pose that came to nothing stands last
with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Column, Score
from discovery.views.table import Table
from docking.looking import CONTACTS, best_first, posed, records_of
from docking.receptor import DockingError, Receptor

RANKED = {  # what ranks, of the one protocol that measures it
    "rbfe": Column("rbfe", "kcal/mol", "low", "Relative binding free energy", "the mean of all ligands is 0"),
    "mmgbsa": Column("mmgbsa", "kcal/mol", "low", "MM-GBSA", "compares ligands of one pocket; no affinity"),
    "drift": Column("drift", "Å", "low", "Pose drift", "from the settled pose, mean over replicas"),
}
BESIDE = (
    Column("contacts_kept", "1", "high", "Contacts kept", "share of the pose's, over the simulation"),
    Column("strain", "kcal/mol", "low", "Strain", "over the least bent pose of the same ligand"),
    Column("settled_rmsd", "Å", "low", "Moved while settling"),
    Column("docked", "kcal/mol", "low", "Docking score", "that came with the pose"),
    Column("heavy_atoms", "1", "low", "Heavy atoms", "larger ligands score better in most methods"),
)


def simulated(folder: str | Path) -> Table:
    """The folder that `discovery simulate` left, as a table in the order of its poses.

    Raises
    ------
    DockingError
        The folder holds no simulation that has ended.
    """
    folder = Path(folder)
    try:
        lines = pq.read_table(folder / "scores.parquet").to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise DockingError(f"{folder} holds no simulation that has ended: {error}") from error
    blocks = records_of(folder / "poses.sdf", "pose")
    by = next((name for name in RANKED if any(line.get(name) is not None for line in lines)), "missing")
    best = sorted((line for line in lines if not line["missing"]), key=lambda line: line[by] or 0.0)
    pockets = {line["pose"]: _pocket(folder, line["pose"]) for line in best[:CONTACTS]}
    poses = {number: posed(block, pockets.get(number)) for number, block in blocks.items()}
    gone = [
        Missing("simulation", Reason(line["missing"]), line["detail"]) if line["missing"] else None
        for line in lines
    ]
    molecules = [
        missing if missing and not line["smiles"] else Molecule(line["smiles"], line["id"])
        for line, missing in zip(lines, gone, strict=True)
    ]
    columns = {
        column: [
            missing or _score(line, column.name, poses.get(line["pose"], {}))
            for line, missing in zip(lines, gone, strict=True)
        ]
        for column in (*RANKED.values(), *BESIDE)
        if any(line.get(column.name) is not None for line in lines)
    }
    names = [line["id"] or f"pose {line['pose']}" for line in lines]
    texts = [line["smiles"] or "" for line in lines]
    return Table.of(molecules, columns, name=f"simulated: {folder.name}", names=names, texts=texts)


def report(folder: str | Path, path: str | Path) -> Path:
    """One HTML file of a simulation: the poses in the pocket, best first, and every row with its numbers.

    Raises
    ------
    DockingError
        As `simulated`.
    CannotWrite
        The disk refused.
    """
    folder, table = Path(folder), simulated(folder)
    column = next((column for column in table.run.columns if column.name in RANKED), None)
    if column is not None:
        table = best_first(table, column)
    settled = sorted((folder / "units").glob("*/pocket.pdb"))
    pocket = _pocket(folder, int(settled[0].parent.name)) if settled else None
    if pocket is not None:
        table = table.with_receptor(pocket.pdb)
        note = (
            "The pocket shown is as it settled about the first pose; contacts are those of each pose in its own, which "
            "is in the folder units."
        )
        table = Table(replace(table.run, notes=(*table.run.notes, note)))
    return table.report(path)


def _pocket(folder: Path, pose: int) -> Receptor | None:
    """The pocket that settled about a pose, without its ligand; None where the protocol leaves none."""
    path = folder / "units" / f"{pose:06d}" / "pocket.pdb"
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return Receptor(path.parent.name, "".join(x for x in lines if x[17:20] != "LIG"), "")


def _score(line: Mapping[str, Any], name: str, pose: Mapping[str, Any]) -> Score | Missing:
    if line[name] is None:
        return Missing("simulation", Reason.NOT_REACHED, f"{line['id']}: no {name} was computed")
    return Score(line[name], line.get(f"{name}_error"), dict(pose) if name in RANKED else {})
