"""What did a docking run find, to be looked at?

    found = docked("runs/dock", reference="known.sdf")
    found.show(); found.poses(5); found.grid()
    report("runs/dock", "poses.html", reference="known.sdf")

One row a molecule, best score first, each with its first pose in the receptor; what has
no pose stands last with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rdkit import Chem

from discovery.desirability import Desirability
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.ranking import Criterion
from discovery.score import Column, Score
from discovery.views.table import Table
from discovery.views.text import number
from docking.interactions import contacts
from docking.ligand import of_mol
from docking.pose import Pose, reference_block
from docking.receptor import DockingError, Receptor

NO_AFFINITY = "Docking scores order molecules for a closer look. They are no measured affinities."
CONTACTS = 50  # molecules, best first, whose contacts are looked for: some 30 ms each
SCORE = Column(
    "docking",
    "kcal/mol",
    "low",
    "Docking score",
    "of the first pose; an estimate for ranking, no binding free energy",
)
EFFICIENCY = Column(
    "efficiency",
    "kcal/mol",
    "low",
    "Score per heavy atom",
    "larger molecules score better in any docking program",
)
FIT = Column(
    "fit",
    "log-odds",
    "high",
    "Docking fit",
    "how much the first pose looks like one of a crystal; compares molecules",
)


def docked(folder: str | Path, *, reference: str | Path = "") -> Table:
    """The folder that `discovery dock` left, as a table.

    Parameters
    ----------
    reference : SDF of a known ligand in the receptor's frame, to be shown beside the poses

    Raises
    ------
    DockingError
        The folder holds no docking run that has ended, or the reference is no SDF or mol file with 3-D coordinates.
    """
    folder = Path(folder)
    try:
        lines = pq.read_table(folder / "scores.parquet").to_pylist()
        pdb = (folder / "receptor.pdb").read_text(encoding="utf-8")
        blocks = records_of(folder / "poses.sdf", "row")
    except (OSError, pa.ArrowInvalid) as error:
        raise DockingError(f"{folder} holds no docking run that has ended: {error}") from error
    lines = [line for line in lines if line["pose"] in (None, 1)]
    lines.sort(key=lambda line: (line["score"] is None, line["score"], line["row"]))
    receptor = Receptor(folder.name, pdb, "")
    molecules: list[Molecule | Missing] = []
    scores: list[Score | Missing] = []
    fits: list[Score | Missing] = []
    for place, line in enumerate(lines):
        if line["missing"]:
            gone = Missing("docking", Reason(line["missing"]), line["detail"])
            molecules.append(_molecule(line, gone))
            scores.append(gone)
            fits.append(gone)
            continue
        molecules.append(Molecule(line["smiles"], line["id"]))
        details = {
            **_judged(line),
            **posed(blocks.get(line["row"], ""), receptor if place < CONTACTS else None),
        }
        scores.append(Score(line["score"], details=details))
        no_fit = Missing("docking", Reason.UNSUPPORTED, f"{line['id']}: this engine's poses are not rescored")
        fits.append(no_fit if line["fit"] is None else Score(line["fit"]))
    columns: dict[Column, list[Score | Missing]] = {
        SCORE: scores,
        EFFICIENCY: [
            Score(score.value / molecule.mol().GetNumHeavyAtoms())
            if isinstance(score, Score) and isinstance(molecule, Molecule)
            else score
            for molecule, score in zip(molecules, scores, strict=True)
        ],
    }
    if any(isinstance(fit, Score) for fit in fits):
        columns[FIT] = fits
    known = reference_block(reference).rstrip() + "\n$$$$\n" if reference else ""
    names, texts = ([line[key] or "" for line in lines] for key in ("id", "smiles"))
    table = Table.of(molecules, columns, name=f"docked: {folder.name}", names=names, texts=texts)
    return table.with_receptor(pdb, known)


def report(folder: str | Path, path: str | Path, *, reference: str | Path = "") -> Path:
    """One HTML file of a docking run: the best poses in the receptor with their contacts, and every row.

    The docking score alone ranks; `overall` is its place between the worst of the run, 0, and the best, 1.

    Parameters
    ----------
    folder : of `discovery dock`
    path : the HTML file to write
    reference : as `docked`

    Raises
    ------
    DockingError
        As `docked`.
    CannotWrite
        The disk refused.
    """
    table = best_first(docked(folder, reference=reference), SCORE)
    return Table(replace(table.run, notes=(*table.run.notes, NO_AFFINITY))).report(path)


def best_first(table: Table, column: Column) -> Table:
    """Ranked by one column alone, in which lower is better; a note says so."""
    values = table.values(column.name).values()
    if not values:
        return table
    low, high = min(values), max(values)
    wish = Desirability("lower", low=low, high=high if high > low else low + 1.0)
    table = table.ranked_by([Criterion(column.name, wish)])
    title = column.title if column.title.isupper() else column.title.lower()
    note = f"Ranked by {title} alone; overall is 1 at {number(low)} {column.unit}, the best of this run, and 0 at the worst."
    return Table(replace(table.run, notes=(*table.run.notes, note)))


def _molecule(line: Mapping[str, Any], gone: Missing) -> Molecule | Missing:
    """What got no pose is drawn all the same, if it can be read."""
    try:
        return Molecule.parse(line["smiles"] or "", line["id"])
    except MoleculeError:
        return gone


def _judged(line: Mapping[str, Any]) -> dict[str, Any]:
    """The plausibility checks as views read them."""
    failed = [name for name in (line["failed"] or "").split(", ") if name]
    return {"plausibility": {"plausible": line["plausible"], "failed": failed}, "engine": line["engine"]}


def posed(block: str, receptor: Receptor | None) -> dict[str, Any]:
    """A pose as views read it, with its contacts where a receptor is given; nothing of an empty block."""
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(block, removeHs=False) if block else None
    if mol is None:
        return {}
    found: dict[str, Any] = {"pose": block}
    if receptor is not None:
        ligand = of_mol(mol)
        found["interactions"] = [
            one.plain() for one in contacts(Pose(ligand, ligand.coords(), 0.0), receptor)
        ]
    return found


def records_of(path: Path, field: str) -> dict[int, str]:
    """Number in this field -> the first SDF record that has it; nothing where there is no file."""
    found: dict[int, str] = {}
    if not path.exists():
        return found
    for record in path.read_text(encoding="utf-8").split("$$$$\n"):
        head = re.search(rf"^>  <{field}>.*\n(\d+)$", record, re.M)
        if head:
            found.setdefault(int(head[1]), record + "$$$$\n")
    return found
