"""Which rows does an Excel workbook hold?

The first sheet with a column of structures is read, its cells as they are shown: what a formula
gave when the workbook was saved, and a whole number without a point.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from discovery.columns import HEAD, is_head, pick, row
from discovery.outcome import Reason
from discovery.record import IntakeError, Record

LARGEST = 1 << 29  # bytes unpacked; openpyxl holds a sheet's texts in memory


def workbook_rows(path: Path, smiles: str | None, name: str | None) -> Iterator[Record]:
    """Rows of a workbook; see `discovery.records.records`."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise IntakeError(
            f"{path} is an Excel workbook, which needs: pip install 'discovery-workbench[lab]'; or save it as CSV"
        ) from error
    try:
        with ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        book = load_workbook(path, read_only=True, data_only=True) if size <= LARGEST else None
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise IntakeError(f"{path} is no Excel workbook that can be read: {error}") from error
    if book is None:
        raise IntakeError(f"{path} unpacks to {size:,} bytes; save its sheet as CSV")
    first: list[str] = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what some programs write there is wrong
        rows = ([_text(cell) for cell in cells] for cells in sheet.iter_rows(values_only=True))
        for number, columns in zip(range(1, HEAD + 1), rows, strict=False):
            first = first or [cell for cell in columns if cell]
            if is_head(columns, smiles):
                place, named = pick(path, columns, smiles, name)
                return _rows(rows, number, columns, place, named)
    pick(path, first, smiles, name)  # says what is wrong
    raise IntakeError(f"{path} has no column of structures in the first {HEAD} rows of any sheet")


def _rows(
    rows: Iterator[list[str]], above: int, columns: list[str], place: int, named: int | None
) -> Iterator[Record]:
    blank: list[int] = []  # rows without a word, told only if others follow
    for number, cells in enumerate(rows, start=above + 1):
        if not any(cells):
            blank.append(number)
            continue
        for empty in blank:
            yield Record(empty, "", trouble=(Reason.EMPTY, "is an empty row"))
        blank = []
        yield row(number, columns, cells, place, named)


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
