"""Where does one record of a file end and the next begin?

Any library file, plain or gzipped, becomes a stream of raw records: a text that
should be a structure, its name, its other columns. Nothing chemical is judged
here: see intake.py. No line, quote or compressed block can make a record larger
than `MAX_RECORD`, whatever the file says, and memory does not grow with its rows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from discovery.columns import SMILES, bare, parquet_rows, text_rows
from discovery.lines import KEPT, MAX_RECORD, Torn, chunks, encoding, lines, printable, shorten
from discovery.outcome import Reason
from discovery.record import IntakeError, Record, broken_off, spoilt, too_large, written
from discovery.workbook import workbook_rows

_PROTEINS = frozenset((".pdb", ".ent", ".cif", ".mmcif"))
_PACKED = {
    b"PK\x03\x04": "a zip archive; unpack it (an Excel workbook is read, and called .xlsx)",
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


def records(path: Path, *, smiles: str | None = None, name: str | None = None) -> Iterator[Record]:
    """Every record of a SMI, CSV, TSV, SDF, Parquet or Excel file, in order; none is skipped.

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
        return parquet_rows(path, smiles, name)
    if kind == "xlsx":
        return workbook_rows(path, smiles, name)
    if kind == "sdf":
        return _sdf(path, smiles, name)
    if kind == "smi":
        if asked := smiles or name:
            raise IntakeError(
                f"{path} has no columns, so none called {asked!r}: a SMI file is a SMILES and a name a line; "
                "leave the column out, or call a table .csv or .tsv"
            )
        return _smi(path)
    return text_rows(path, kind, smiles, name)


def about(path: Path) -> int:
    """About how many records a file holds, to tell how long is left; 0 where that would cost more than a look."""
    kind = _kind(path)
    if kind == "parquet":
        try:
            return int(pq.read_metadata(path).num_rows)
        except (pa.ArrowException, OSError):  # packed, or damaged
            return 0
    if kind == "xlsx":
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
    return {"sdf": "record", "parquet": "row", "xlsx": "row"}.get(_kind(kind_of), "line")


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
    if head.startswith(b"PK") and path.suffix.lower() in (".xlsx", ".xlsm"):
        return "xlsx"
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
            f"{path} is a protein's structure, not a library of molecules; those are SMI, CSV, TSV, SDF, Parquet or Excel"
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
    return len(cells) > 1 and any(bare(cell) in SMILES for cell in cells)


def _sniff(first: bytes) -> str:
    text = first.decode(encoding(first), errors="replace")
    if "\n$$$$" in text or "M  END" in text or "V2000" in text or "V3000" in text:
        return "sdf"
    if "\t" in _first_line(first):
        return "tsv"
    return "csv" if _is_header(first) else "smi"


# --- SMI ---------------------------------------------------------------------------------------


def _smi(path: Path) -> Iterator[Record]:
    for line in lines(path):
        if bad := spoilt(line):
            yield bad
            continue
        structure, _, rest = line.text.strip().replace("\t", " ", 1).partition(" ")
        rest = rest.strip()
        if line.number == 1 and bare(structure) in SMILES:
            continue  # a header
        if rest.startswith("|") and (end := rest.find("|", 1)) > 0:
            structure, rest = f"{structure} {rest[: end + 1]}", rest[end + 1 :].strip()
        yield written(line.number, structure, printable(rest))


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
        yield broken_off(number + 1, "\n".join(kept), f"{torn}; {number:,} records before it were read")
    elif excess or any(line.strip() for line in kept):
        yield _sdf_record(number + 1, kept, excess, smiles, name)


def _sdf_record(number: int, kept: list[str], excess: int, smiles: str | None, name: str | None) -> Record:
    whole = "\n".join(kept)
    if excess:
        return too_large(number, whole, len(whole) + excess)
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
        return written(number, tags.pop(smiles), printable(title), tags)
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
