"""How do results leave for a spreadsheet, a modelling program or a colleague's script?

Every row leaves, unranked ones with their reason. Text that a spreadsheet would run
as a formula is quoted; text that would end a record early is made to stay in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
from rdkit import Chem

from discovery.extras import needs
from discovery.files import publish
from discovery.molecule import quiet_rdkit
from discovery.outcome import Missing
from discovery.results import Row, Run
from discovery.score import Column, Score
from discovery.views.drawing import UndrawableError, molecule_png
from discovery.views.layout import Part, laid_out, shared_parts
from discovery.views.reading import alerts_of, pose_of
from discovery.views.text import inert

_FORMULA = tuple("=+-@|%")  # with these a spreadsheet begins a formula or a command
CELL = 30_000  # characters; Excel holds 32,767


def inert_cell(value: object) -> str | int | float:
    """What a spreadsheet cell may hold: numbers as they are; text inert, with an apostrophe before a formula."""
    if isinstance(value, (int, float)):
        return value
    text = "" if value is None else inert(value, limit=CELL)
    return "'" + text if text.lstrip()[:1] in _FORMULA and text else text


def header(columns: Sequence[Column]) -> list[str]:
    """The names of the cells of `cells`."""
    names = ["rank", "id", "own_name", "smiles", "overall", "front"]
    for column in columns:
        unit = "" if column.unit in ("", "1") else f" [{inert(column.unit)}]"
        names += [
            f"{inert(column.name)}{unit}",
            f"{inert(column.name)} error",
            f"{inert(column.name)} missing",
        ]
    return [
        *names, "alert_names", "proposer", "round", "edit", "parents", "log_prob", "weights", "as_proposed",
        "missing_stage", "missing_reason", "missing_detail",
    ]  # fmt: skip


def cells(
    row: Row, columns: Sequence[Column], text: Callable[[str], object] = inert_cell
) -> list[str | float | int | None]:
    """One row: numbers as numbers, text made safe, an empty cell with its reason beside it.

    `text` makes it safe: for a spreadsheet, unless told otherwise.
    """
    made: list[Any] = [
        row.rank, text(row.id), text(row.name), text(row.smiles), row.utility, row.front,
    ]  # fmt: skip
    for column in columns:
        outcome = row.outcomes.get(column.name)
        if isinstance(outcome, Score):
            made += [outcome.value, outcome.error, ""]
        elif isinstance(outcome, Missing):
            made += [None, None, outcome.reason.value]
        else:
            made += [None, None, "not scored yet"]
    why = row.missing
    return [
        *made,
        text("; ".join(alert.name for alert in alerts_of(row))),
        text(row.proposer),
        row.round,
        text(row.edit),
        text(" ".join(row.parents)),
        row.log_prob,
        text(row.weights),
        text(row.text),
        text(why.stage) if why else "",
        why.reason.value if why else "",
        text(why.detail) if why else "",
    ]


def arrow(run: Run) -> pa.Table:
    """Every row as a line of an Arrow table, typed, texts as they are but for control characters."""
    names = header(run.columns)
    lines = [cells(row, run.columns, inert) for row in run.rows]
    number = {"overall", "log_prob"} | {name for name in names[6:] if name.endswith(" error")}
    number |= set(names[6 : 6 + 3 * len(run.columns) : 3])
    kinds = [
        pa.int64() if name in ("rank", "front", "round") else pa.float64() if name in number else pa.string()
        for name in names
    ]
    columns = zip(*lines, strict=True) if lines else [()] * len(names)
    made = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.Table.from_arrays(made, names=names)


def molecules(run: Run) -> Iterator[Chem.Mol]:
    """Every row as an RDKit molecule, lying as docked where it has a pose, else drawn flat; its cells are properties.

    A row without a structure is a molecule without atoms, so that molecules and rows stay in step.
    """
    names, like = header(run.columns), shared_parts([row.smiles for row in run.rows])
    for row in run.rows:
        mol, docked = _structure(row, like)
        mol.SetProp("_Name", row.title)
        for name, value in zip(names, cells(row, run.columns, inert), strict=True):
            if isinstance(value, int):
                mol.SetIntProp(name, value)
            elif isinstance(value, float):
                mol.SetDoubleProp(name, value)
            elif value:
                mol.SetProp(name, value)
        mol.SetProp("coordinates", "docked pose" if docked else "drawing")
        yield mol


def write_csv(run: Run, to: TextIO | Path) -> None:
    """Every row as CSV (RFC 4180, UTF-8), in the run's order.

    Raises
    ------
    CannotWrite
        `to` is a path, and the disk refused.
    """
    if isinstance(to, Path):
        buffer = io.StringIO(newline="")
        write_csv(run, buffer)
        publish(to, buffer.getvalue().encode("utf-8"))
        return
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(header(run.columns))
    for row in run.rows:
        writer.writerow(["" if cell is None else cell for cell in cells(row, run.columns)])


def write_sdf(run: Run, path: Path) -> int:
    """Every row as a record of an SD file: its docked pose where there is one, else a flat drawing.

    A row without a structure is a record without atoms, so that records and rows
    stay in step.

    Returns
    -------
    How many records hold a docked pose.

    Raises
    ------
    CannotWrite
        The disk refused.
    """
    blocks, posed = [], 0
    names, like = header(run.columns), shared_parts([row.smiles for row in run.rows])
    for row in run.rows:
        mol, docked = _structure(row, like)
        posed += docked
        mol.SetProp("_Name", _line(row.title)[:80])
        blocks.append(Chem.MolToMolBlock(mol))
        facts = dict(zip(names, cells(row, run.columns), strict=True))
        facts["coordinates"] = "docked pose" if docked else "drawing"
        for name, value in facts.items():
            if value is not None and value != "":
                blocks.append(f">  <{re.sub(r'[<>]', '', name)}>\n{_line(value)}\n\n")
        blocks.append("$$$$\n")
    publish(path, "".join(blocks).encode("utf-8"))
    return posed


def _line(value: object) -> str:
    """One line that can neither end a record nor begin a field."""
    text = str(value) if isinstance(value, (int, float)) else inert(value, limit=CELL)
    return " " + text if text.startswith((">", "$$$$")) or text.strip() == "M  END" else text


def _structure(row: Row, like: Sequence[Part]) -> tuple[Chem.Mol, bool]:
    with quiet_rdkit():
        pose = pose_of(row)
        docked = Chem.MolFromMolBlock(pose, removeHs=False) if pose else None
        if docked is not None and docked.GetNumAtoms():
            return docked, True
        flat = Chem.MolFromSmiles(row.smiles) if row.smiles else None
    if flat is None:
        return Chem.Mol(), False
    return laid_out(flat, like), False


def write_excel(run: Run, path: Path, *, pictures: int = 500) -> None:
    """Every row as a line of an Excel sheet, the structure as a picture in its cell.

    Parameters
    ----------
    pictures : the first so many rows get one; more make the file slow to open

    Raises
    ------
    ImportError
        openpyxl is not installed.
    CannotWrite
        The disk refused.
    """
    with needs("lab"):
        from openpyxl import Workbook
        from openpyxl.drawing.image import Image
        from openpyxl.styles import Alignment, Font
        from openpyxl.utils import get_column_letter
    width, height = 180, 120  # px
    like = shared_parts([row.smiles for row in run.rows])
    book = Workbook()
    sheet = book.active
    sheet.title = "molecules"
    names = ["structure", *header(run.columns)]
    sheet.append(names)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "D2"
    sheet.column_dimensions["A"].width = width / 7
    for place in range(2, len(names) + 1):
        sheet.column_dimensions[get_column_letter(place)].width = 14
    for line, row in enumerate(run.rows, start=2):
        for place, value in enumerate(cells(row, run.columns), start=2):
            if value is None or value == "":
                continue
            cell = sheet.cell(line, place)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
            cell.alignment = Alignment(vertical="top")
        if line - 2 < pictures and row.smiles:
            try:
                picture = Image(
                    io.BytesIO(molecule_png(row.smiles, width=2 * width, height=2 * height, like=like))
                )
            except UndrawableError:
                continue
            picture.width, picture.height = width, height
            sheet.add_image(picture, f"A{line}")
            sheet.row_dimensions[line].height = height * 0.76  # points
    sheet.auto_filter.ref = sheet.dimensions
    about = book.create_sheet("columns")
    for facts in _about(run):
        about.append([inert_cell(fact) for fact in facts])
    buffer = io.BytesIO()
    book.save(buffer)
    publish(path, buffer.getvalue())


def _about(run: Run) -> Iterator[Sequence[Any]]:
    yield ("run", run.name)
    yield ("target", run.target.name)
    yield ("finished", "yes" if run.finished else "no")
    yield ()
    yield ("column", "unit", "better", "about")
    for column in run.columns:
        yield (column.name, column.unit, column.better, column.about)
    yield ()
    for note in run.notes:
        yield ("note", note)
