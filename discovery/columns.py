"""Which columns of a table hold the structures and their names, and where does a row end?

Tables are CSV, TSV or Parquet; what else a row has goes with its record (see records.py).
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from discovery.lines import MAX_RECORD, Line, Torn, chunks, decode, lines, printable, shorten
from discovery.outcome import Reason
from discovery.record import IntakeError, Record, spoilt, written

MAX_QUOTED_LINES = 100  # a quote that stays open longer was never meant to
HEAD = 20  # rows among which the header is looked for

SMILES = ("smiles", "canonicalsmiles", "isomericsmiles", "smilesstring", "cxsmiles", "smi", "structure")
_NAMES = (
    "name", "moleculename", "compoundname", "molname", "prefname", "title", "id", "moleculeid",
    "compoundid", "moleculechemblid", "chemblid", "zincid", "catalogid", "catalogno", "catalognumber",
    "catalogueid", "catalogueno", "cataloguenumber", "catid", "catno", "catnumber", "cpdid", "cmpdid",
    "cpd", "cpdno", "compoundno", "compoundnumber", "sampleid", "corporateid", "code", "compound", "molecule", "drug", "identifier",
)  # fmt: skip


def text_rows(path: Path, kind: str, smiles: str | None, name: str | None) -> Iterator[Record]:
    """Rows of a CSV or TSV, as `kind` says; see `discovery.records.records`."""
    top = [line for line in islice(lines(path), HEAD) if line.text.strip()]
    if not top or top[0].torn or top[0].excess:
        raise IntakeError(f"{path} has no header line" + (f": {top[0].torn}" if top and top[0].torn else ""))
    hint = re.fullmatch("sep=(.)", top[0].text.strip())  # Excel's to itself
    known = "\t" if kind == "tsv" else hint[1] if hint else ""
    heads = []
    for line in top[1:] if hint and len(top) > 1 else top:
        mark = known or max(",;\t|", key=line.text.count)
        heads.append(
            (line.number, mark, [cell.strip() for cell in _cells(line.text, mark)[0] or [line.text]])
        )
    number, mark, columns = next((head for head in heads if is_head(head[2], smiles)), heads[0])
    place, named = pick(path, columns, smiles, name)
    return _rows(islice(lines(path), number, None), mark, columns, place, named)


def is_head(cells: Sequence[str], smiles: str | None) -> bool:
    """Whether a row is a table's header, above which a title or a date may stand: it names a column of structures."""
    heads = {bare(cell) for cell in cells} - {""}
    if smiles:
        return smiles in cells or bare(smiles) in heads
    return not heads.isdisjoint(SMILES) or (len(heads) > 1 and any("smiles" in head for head in heads))


def _rows(
    source: Iterator[Line], mark: str, columns: list[str], place: int, named: int | None
) -> Iterator[Record]:
    waiting: list[Line] = []  # lines read ahead while a quote was open, and given back

    def following() -> Line | None:
        return waiting.pop(0) if waiting else next(source, None)

    while (line := following()) is not None:
        if bad := spoilt(line):
            yield bad
            continue
        if not line.text.strip():
            yield Record(line.number, "", trouble=(Reason.EMPTY, "is an empty line"))
            continue
        cells, fault = _cells(line.text, mark)
        taken: list[Line] = []
        text = line.text
        while cells is None and fault == "open" and len(taken) < MAX_QUOTED_LINES and len(text) < MAX_RECORD:
            more = following()
            if more is None:
                break
            taken.append(more)
            if more.torn or more.excess:
                break
            text = f"{text}\n{more.text}"
            cells, fault = _cells(text, mark)
        if cells is None or (taken and len(cells) != len(columns)):
            waiting[:0] = taken  # the quote was a slip of the pen: it costs its own line alone
            detail = "opens a quote that is never closed properly"
            yield Record(line.number, shorten(line.text), trouble=(Reason.UNPARSABLE, detail))
            continue
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            detail = f"has {len(cells)} cells where the header has {len(columns)}"
            yield Record(line.number, shorten(text), trouble=(Reason.UNPARSABLE, detail))
            continue
        yield row(line.number, columns, cells, place, named)


def row(number: int, columns: list[str], cells: list[str], place: int, named: int | None) -> Record:
    pairs = zip(columns, cells, strict=False)
    data = {column: shorten(cell) for i, (column, cell) in enumerate(pairs) if i not in (place, named)}
    structure = cells[place] if place < len(cells) else ""
    label = cells[named] if named is not None and named < len(cells) else ""
    return written(number, structure, printable(label), data)


def _cells(text: str, mark: str) -> tuple[list[str] | None, str]:
    """Cells as in RFC 4180; or None and "open" (a quote needs another line) or "broken"."""
    if '"' not in text:
        return text.split(mark), ""
    cells, start = [], 0
    while True:
        if text[start : start + 1] == '"':
            end = start + 1
            while (end := text.find('"', end)) >= 0 and text[end + 1 : end + 2] == '"':
                end += 2
            if end < 0:
                return None, "open"
            cells.append(text[start + 1 : end].replace('""', '"'))
            if end + 1 == len(text):
                return cells, ""
            if text[end + 1] != mark:
                return None, "broken"
            start = end + 2
            continue
        end = text.find(mark, start)
        if end < 0:
            cells.append(text[start:])
            return cells, ""
        cells.append(text[start:end])
        start = end + 1


def pick(path: Path, columns: list[str], smiles: str | None, name: str | None) -> tuple[int, int | None]:
    """Places of the SMILES and the name among a file's columns.

    Raises
    ------
    IntakeError
        A column asked for is not there, or none looks like SMILES; the message lists
        the columns and the nearest one.
    """
    plain = [bare(column) for column in columns]

    def asked(wanted: str, setting: str) -> int:
        if wanted in columns:
            return columns.index(wanted)
        if plain.count(bare(wanted)) == 1:
            return plain.index(bare(wanted))
        near = difflib.get_close_matches(wanted.lower(), [column.lower() for column in columns], n=1)
        best = next(column for column in columns if column.lower() == near[0]) if near else ""
        hint = f"did you mean {best!r}? It has" if best else "it has"
        raise IntakeError(f"{path} has no column {wanted!r} ({setting}); {hint} {_listed(columns)}")

    if smiles is not None:
        place = asked(smiles, "smiles")
    else:
        found = [plain.index(known) for known in SMILES if known in plain]
        found += [i for i, column in enumerate(plain) if "smiles" in column]
        if not found:
            near = difflib.get_close_matches("smiles", plain, n=1, cutoff=0.5)
            hint = f"is it {columns[plain.index(near[0])]!r}? Its" if near else "its"
            raise IntakeError(
                f"{path} has no SMILES column; {hint} first line says {_listed(columns)}: "
                "name the column with the setting `smiles`, or add a header line"
            )
        place = found[0]
    if name is not None:
        return place, asked(name, "name")
    return place, next(
        (plain.index(known) for known in _NAMES if known in plain and plain.index(known) != place), None
    )


def bare(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _listed(columns: list[str]) -> str:
    shown = ", ".join(printable(column)[:40] or "(unnamed)" for column in columns[:20])
    return shown + (f" and {len(columns) - 20} more" if len(columns) > 20 else "")


# --- Parquet -----------------------------------------------------------------------------------


def parquet_rows(path: Path, smiles: str | None, name: str | None) -> Iterator[Record]:
    """Rows of a Parquet file; see `discovery.records.records`."""
    source = _unpacked(path)
    try:
        file = pq.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise IntakeError(f"{path} is no Parquet file that can be read: {error}") from error
    columns = list(file.schema_arrow.names)
    place, named = pick(path, columns, smiles, name)
    return _parquet_rows(file, columns, place, named)


def _unpacked(path: Path) -> Path | IO[bytes]:
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return path
    limit = (1 << 26) + 200 * path.stat().st_size  # Parquet is packed already: 200-fold is a bomb
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - read for as long as the caller asks for rows
    try:
        for chunk in chunks(path):
            copy.write(chunk)
            if copy.tell() > limit:
                raise IntakeError(
                    f"{path} unpacks to more than {limit:,} bytes; it is no honest Parquet file"
                )
    except Torn as error:
        raise IntakeError(
            f"{path} cannot be unpacked: {error}; a Parquet file is read from its end"
        ) from error
    copy.seek(0)
    return copy


def _parquet_rows(
    file: pq.ParquetFile, columns: list[str], place: int, named: int | None
) -> Iterator[Record]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=512):
            for cells in zip(*map(_texts, batch.columns), strict=True):
                number += 1
                yield row(number, columns, list(cells), place, named)
    except (pa.ArrowException, OSError) as error:
        detail = f"cannot be read, since the file is damaged ({error}); {number:,} rows before it were read"
        yield Record(number + 1, "", trouble=(Reason.UNPARSABLE, detail), torn=True)


def _texts(column: pa.Array) -> list[str]:
    """Cells as text, null as empty. Text is decoded here: Arrow would stop at a byte that is no UTF-8."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        try:
            column = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists and other nests
            return ["" if cell is None else str(cell) for cell in column.to_pylist()]
    return ["" if cell is None else decode(cell) for cell in column.cast(pa.large_binary()).to_pylist()]
