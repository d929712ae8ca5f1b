"""Where does one record of a file end and the next begin?

Any library file, plain or gzipped, becomes a stream of raw records: a text that
should be a structure, its name, its other columns. Nothing chemical is judged
here: see intake.py. No line, quote or compressed block can make a record larger
than `MAX_RECORD`, whatever the file says, and memory does not grow with its rows.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from discovery.lines import KEPT, MAX_RECORD, Line, Torn, chunks, decode, encoding, lines, printable, shorten
from discovery.outcome import Reason, UserError

MAX_QUOTED_LINES = 100  # a quote that stays open longer was never meant to

_PROTEINS = frozenset((".pdb", ".ent", ".cif", ".mmcif"))
_PACKED = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"BZh": "packed with bzip2; unpack it first (gzip is read directly)",
    b"\xfd7zXZ": "packed with xz; unpack it first (gzip is read directly)",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it first (gzip is read directly)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
}
_SUFFIXES = {
    **dict.fromkeys((".smi", ".smiles", ".ism", ".can", ".cxsmiles"), "smi"),
    **dict.fromkeys((".csv",), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".sdf", ".sd", ".mol", ".mdl"), "sdf"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
_SMILES = ("smiles", "canonicalsmiles", "isomericsmiles", "smilesstring", "cxsmiles", "smi", "structure")
_NAMES = (
    *(
        "name",
        "moleculename",
        "compoundname",
        "molname",
        "prefname",
        "title",
        "id",
        "moleculeid",
        "compoundid",
    ),
    *(
        "moleculechemblid",
        "chemblid",
        "zincid",
        *(
            f"{vendor}{number}"
            for vendor in ("catalog", "catalogue", "cat")
            for number in ("id", "no", "number")
        ),
        *("cpdid", "cmpdid", "cpd", "corporateid"),
        "code",
        "compound",
        "molecule",
        "drug",
        "identifier",
    ),
)


class IntakeError(UserError, ValueError):
    """The file as a whole cannot be read. The message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row as the file has it. `trouble` says why it holds no structure worth reading."""

    number: int  # line of a text file (the header is line 1), record of an SDF, row of a Parquet file
    text: str  # the SMILES, or all of the row where there is none
    name: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    block: str = ""  # the mol block, of an SDF
    trouble: tuple[Reason, str] | None = None


def records(path: Path, *, smiles: str | None = None, name: str | None = None) -> Iterator[Record]:
    """Every record of a SMI, CSV, TSV, SDF or Parquet file, in order; none is skipped.

    The format is told by the file's first bytes, else by its suffix, else by its
    first lines. `smiles` and `name` pick columns (tags, in an SDF).

    Raises
    ------
    IntakeError
        There is no such file, it has no such column or no SMILES column, or it is
        packed in a way that is not read.
    """
    kind = _kind(path)
    if kind == "parquet":
        return _parquet(path, smiles, name)
    if kind == "sdf":
        return _sdf(path, smiles, name)
    if kind == "smi":
        if asked := smiles or name:
            raise IntakeError(
                f"{path} has no columns, so none called {asked!r}: a SMI file is a SMILES and a name a line; "
                "leave the column out, or call a table .csv or .tsv"
            )
        return _smi(path)
    return _table(path, kind, smiles, name)


def about(path: Path) -> int:
    """About how many records a file holds, to tell how long is left; 0 where that would cost more than a look."""
    kind = _kind(path)
    if kind == "parquet":
        try:
            return int(pq.read_metadata(path).num_rows)
        except (pa.ArrowException, OSError):  # packed, or damaged
            return 0
    mark = b"$$$$" if kind == "sdf" else b"\n"
    count, tail = 0, b""
    with suppress(Torn):
        for chunk in chunks(path):
            count += (tail + chunk).count(mark)
            tail = chunk[len(chunk) - len(mark) + 1 :]
    return count


def word(kind_of: Path) -> str:
    """What a person calls one record of this file: line, record or row."""
    return {"sdf": "record", "parquet": "row"}.get(_kind(kind_of), "line")


# --- what kind of file -------------------------------------------------------------------------


def check_there(path: Path, what: str = "molecules") -> None:
    """See that a file is where it is said to be.

    Raises
    ------
    IntakeError
        It is absent, or a folder; the nearest name beside it is told.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise IntakeError(f"{path} is a folder; give the file inside it that holds the {what}")
    near = difflib.get_close_matches(path.name, _neighbours(path), n=1)
    hint = f"; did you mean {path.parent / near[0]}?" if near else ""
    raise IntakeError(f"{path} does not exist{hint}")


def _kind(path: Path) -> str:
    check_there(path)
    with path.open("rb") as file:
        head = file.read(8)
    for magic, what in _PACKED.items():
        if head.startswith(magic):
            raise IntakeError(f"{path} is {what}")
    try:
        first = next(chunks(path), b"")
    except Torn as error:
        raise IntakeError(f"{path} cannot be unpacked: {error}") from error
    if first.startswith(b"PAR1"):
        return "parquet"
    suffix = next((s for s in reversed(path.suffixes) if s.lower() != ".gz"), "").lower()
    if suffix in _PROTEINS:
        raise IntakeError(
            f"{path} is a protein's structure, not a library of molecules; those are SMI, CSV, TSV, SDF or Parquet"
        )
    known = _SUFFIXES.get(suffix)
    if known == "parquet":
        raise IntakeError(f"{path} is called Parquet but is none: it does not begin with PAR1")
    looks = _sniff(first)
    if known == "smi" and looks in ("csv", "tsv") and _is_header(first):
        return looks  # a table that is only called SMI
    return known or looks


def _neighbours(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []


def _first_line(first: bytes) -> str:
    text = first.decode(encoding(first), errors="replace").lstrip("\ufeff")
    return next((line for line in text.splitlines() if line.strip()), "")


def _is_header(first: bytes) -> bool:
    cells = re.split("[,;\t]", _first_line(first))
    return len(cells) > 1 and any(_plain(cell) in _SMILES for cell in cells)


def _sniff(first: bytes) -> str:
    text = first.decode(encoding(first), errors="replace")
    if "\n$$$$" in text or "M  END" in text or "V2000" in text or "V3000" in text:
        return "sdf"
    if "\t" in _first_line(first):
        return "tsv"
    return "csv" if _is_header(first) else "smi"


# --- lines that are no records -----------------------------------------------------------------


def _unusable(line: Line) -> Record | None:
    """A record for a line that the file itself spoilt."""
    if line.torn:
        detail = f"is cut off: {line.torn}; {line.number - 1:,} lines before it were read"
        return Record(line.number, shorten(line.text), trouble=(Reason.UNPARSABLE, detail))
    if line.excess:
        size = len(line.text) + line.excess
        cut = f"{line.text[: KEPT - 60]}... [cut: about {size:,} characters]"
        return Record(line.number, cut, trouble=(Reason.TOO_LARGE, f"is about {size:,} characters long"))
    return None


def _written(number: int, structure: str, name: str, data: Mapping[str, str] | None = None) -> Record:
    """A record with a SMILES; of one too long to keep its length is told, which the text kept no longer tells."""
    if len(structure) <= KEPT:
        return Record(number, structure, name, data or {})
    trouble = (Reason.TOO_LARGE, f"is {len(structure):,} characters long")
    return Record(number, shorten(structure), name, data or {}, trouble=trouble)


# --- SMI ---------------------------------------------------------------------------------------


def _smi(path: Path) -> Iterator[Record]:
    for line in lines(path):
        if spoilt := _unusable(line):
            yield spoilt
            continue
        structure, _, rest = line.text.strip().replace("\t", " ", 1).partition(" ")
        rest = rest.strip()
        if line.number == 1 and _plain(structure) in _SMILES:
            continue  # a header
        if rest.startswith("|") and (end := rest.find("|", 1)) > 0:
            structure, rest = f"{structure} {rest[: end + 1]}", rest[end + 1 :].strip()
        yield _written(line.number, structure, printable(rest))


# --- CSV and TSV -------------------------------------------------------------------------------


def _table(path: Path, kind: str, smiles: str | None, name: str | None) -> Iterator[Record]:
    source = lines(path)
    header = next((line for line in source if line.text.strip()), None)
    if header is None or header.torn or header.excess:
        raise IntakeError(
            f"{path} has no header line" + (f": {header.torn}" if header and header.torn else "")
        )
    mark = _delimiter(header.text) if kind == "csv" else "\t"
    if kind == "csv" and re.fullmatch("sep=.", header.text.strip()):  # Excel's hint to itself
        mark, header = header.text.strip()[-1], next(source, header)
    columns = [cell.strip() for cell in _cells(header.text, mark)[0] or [header.text]]
    place, named = pick(path, columns, smiles, name)
    return _rows(source, mark, columns, place, named)


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _rows(
    source: Iterator[Line], mark: str, columns: list[str], place: int, named: int | None
) -> Iterator[Record]:
    waiting: list[Line] = []  # lines read ahead while a quote was open, and given back

    def following() -> Line | None:
        return waiting.pop(0) if waiting else next(source, None)

    while (line := following()) is not None:
        if spoilt := _unusable(line):
            yield spoilt
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
        yield _row(line.number, columns, cells, place, named)


def _row(number: int, columns: list[str], cells: list[str], place: int, named: int | None) -> Record:
    pairs = zip(columns, cells, strict=False)
    data = {column: shorten(cell) for i, (column, cell) in enumerate(pairs) if i not in (place, named)}
    structure = cells[place] if place < len(cells) else ""
    label = cells[named] if named is not None and named < len(cells) else ""
    return _written(number, structure, printable(label), data)


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
    plain = [_plain(column) for column in columns]

    def asked(wanted: str, setting: str) -> int:
        if wanted in columns:
            return columns.index(wanted)
        if plain.count(_plain(wanted)) == 1:
            return plain.index(_plain(wanted))
        near = difflib.get_close_matches(wanted.lower(), [column.lower() for column in columns], n=1)
        best = next(column for column in columns if column.lower() == near[0]) if near else ""
        hint = f"did you mean {best!r}? It has" if best else "it has"
        raise IntakeError(f"{path} has no column {wanted!r} ({setting}); {hint} {_listed(columns)}")

    if smiles is not None:
        place = asked(smiles, "smiles")
    else:
        found = [plain.index(known) for known in _SMILES if known in plain]
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


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _listed(columns: list[str]) -> str:
    shown = ", ".join(printable(column)[:40] or "(unnamed)" for column in columns[:20])
    return shown + (f" and {len(columns) - 20} more" if len(columns) > 20 else "")


# --- SDF ---------------------------------------------------------------------------------------


def _sdf(path: Path, smiles: str | None, name: str | None) -> Iterator[Record]:
    number, size, excess, torn = 0, 0, 0, ""
    kept: list[str] = []
    for line in lines(path):
        torn = line.torn
        if line.text.startswith("$$$$") and not torn:
            number += 1
            yield _sdf_record(number, kept, excess, smiles, name)
            kept, size, excess = [], 0, 0
            continue
        size += len(line.text) + 1
        if size > MAX_RECORD or line.excess:
            if not kept:
                kept.append(line.text[:KEPT])  # enough to recognise the record by
            excess += len(line.text) + 1 + line.excess
        else:
            kept.append(line.text)
    if torn:
        detail = f"is cut off: {torn}; {number:,} records before it were read"
        text = shorten("\n".join(kept))
        yield Record(number + 1, text, trouble=(Reason.UNPARSABLE, detail))
    elif excess or any(line.strip() for line in kept):
        yield _sdf_record(number + 1, kept, excess, smiles, name)


def _sdf_record(number: int, kept: list[str], excess: int, smiles: str | None, name: str | None) -> Record:
    whole = "\n".join(kept)
    if excess:
        size = len(whole) + excess
        cut = f"{whole[: KEPT - 60]}... [cut: about {size:,} characters]"
        return Record(number, cut, trouble=(Reason.TOO_LARGE, f"is about {size:,} characters long"))
    if not whole.strip():
        return Record(number, "", trouble=(Reason.EMPTY, "is an empty record"))
    end = next((i for i, line in enumerate(kept) if line.rstrip() == "M  END"), None)
    tags = _tags(kept if end is None else kept[end + 1 :])
    title = tags.pop(name, "") if name is not None else kept[0]
    if smiles is not None:
        if smiles not in tags:
            near = difflib.get_close_matches(smiles, tags, n=1)
            hint = f", but {near[0]!r}" if near else ""
            detail = f"has no tag {smiles!r}{hint}"
            return Record(number, shorten(whole), printable(title), tags, trouble=(Reason.EMPTY, detail))
        return _written(number, tags.pop(smiles), printable(title), tags)
    if end is None:
        trouble = (Reason.UNPARSABLE, "has no line M  END, so its structure is cut off")
        return Record(number, shorten(whole), printable(title), tags, trouble=trouble)
    block = "\n".join(kept[: end + 1]) + "\n"
    return Record(number, shorten(whole), printable(title), tags, block)


def _tags(kept: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    tag, values = "", list[str]()
    for line in [*kept, ""]:
        if line.startswith(">") and (found := re.search(r"<(.*)>", line)):
            tag, values = found.group(1), []
        elif tag and not line.strip():
            tags[tag] = shorten("\n".join(values))
            tag = ""
        elif tag:
            values.append(line)
    return tags


# --- Parquet -----------------------------------------------------------------------------------


def _parquet(path: Path, smiles: str | None, name: str | None) -> Iterator[Record]:
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
                yield _row(number, columns, list(cells), place, named)
    except (pa.ArrowException, OSError) as error:
        detail = f"cannot be read, since the file is damaged ({error}); {number:,} rows before it were read"
        yield Record(number + 1, "", trouble=(Reason.UNPARSABLE, detail))


def _texts(column: pa.Array) -> list[str]:
    """Cells as text, null as empty. Text is decoded here: Arrow would stop at a byte that is no UTF-8."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        try:
            column = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists and other nests
            return ["" if cell is None else str(cell) for cell in column.to_pylist()]
    return ["" if cell is None else decode(cell) for cell in column.cast(pa.large_binary()).to_pylist()]
