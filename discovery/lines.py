"""Where does one line of a file end and the next begin?

Bytes, plain or gzipped, in UTF-8, UTF-16, UTF-32 or Latin-1, with or without a byte
order mark, ended by LF, CRLF or CR, become numbered lines of text. No line is held
beyond `MAX_RECORD` bytes, and a file that breaks off in the middle says so in its
last line.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from io import BufferedReader
from pathlib import Path
from typing import cast

MAX_RECORD = 1 << 18  # bytes of one line, one quoted cell or one SDF record
KEPT = 6_000  # characters of a text that are kept; more than a SMILES may have, so it stays too long
CHUNK = 1 << 16


class Torn(Exception):
    """The file ends, or turns to noise, in the middle."""


def _open(path: Path) -> BufferedReader:
    file = path.open("rb")
    if file.read(2) == b"\x1f\x8b":
        file.seek(0)
        return cast(BufferedReader, GzipFile(fileobj=file, mode="rb"))
    file.seek(0)
    return file


def chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, unpacked where it is gzipped.

    Raises
    ------
    Torn
        The gzip stream ends early or is damaged; what came before was given.
    """
    with _open(path) as file:
        while True:
            try:
                chunk = file.read1(CHUNK)  # read() would lose what came before the break
            except EOFError as error:
                raise Torn("the gzip stream ends early") from error
            except (BadGzipFile, zlib.error) as error:
                raise Torn(f"the gzip stream is damaged ({error})") from error
            if not chunk:
                return
            yield chunk


def encoding(first: bytes) -> str:
    """How a file is written, told from its first bytes."""
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = first[:400]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):  # ASCII in UTF-16: every other byte is 0
        half, other = sample[offset::2], sample[1 - offset :: 2]
        if len(half) > 3 and not any(half) and all(other):
            return name
    return "utf-8"


def _text_chunks(path: Path) -> Iterator[bytes]:
    """The file as UTF-8, without a byte order mark; bytes that are no UTF-8 are passed through."""
    parts = chunks(path)
    first = next(parts, b"")
    name = encoding(first)
    if name == "utf-8":
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from parts
        return
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    yield decoder.decode(first).encode("utf-8", errors="replace")
    for chunk in parts:
        yield decoder.decode(chunk).encode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; number 1 is the file's first."""

    number: int
    text: str
    excess: int = 0  # bytes that were read but not kept
    torn: str = ""  # why the file ends in this line


def lines(path: Path) -> Iterator[Line]:
    """Lines ended by LF, CRLF or CR, each at most MAX_RECORD bytes. Blank lines at the end are none."""
    number = blanks = 0
    for raw, excess, torn in _raw_lines(_text_chunks(path)):
        number += 1
        text = decode(raw)
        if not (text.strip() or excess or torn):
            blanks += 1
            continue
        for blank in range(number - blanks, number):
            yield Line(blank, "")
        blanks = 0
        yield Line(number, text, excess, torn)


def _raw_lines(parts: Iterable[bytes]) -> Iterator[tuple[bytes, int, str]]:
    pending, excess, torn = b"", 0, ""
    try:
        for chunk in parts:
            pieces = (pending + chunk).splitlines(keepends=True)
            # An open end waits for more, and so does CR, which may be half of CRLF.
            pending = pieces.pop() if pieces and not pieces[-1].endswith(b"\n") else b""
            for piece in pieces:
                yield (*_capped(piece.rstrip(b"\r\n"), excess), "")
                excess = 0
            if len(pending) > MAX_RECORD:
                keep_cr = pending.endswith(b"\r")
                excess += len(pending) - MAX_RECORD
                pending = pending[: MAX_RECORD - keep_cr] + b"\r" * keep_cr
    except Torn as error:
        torn = str(error)
    if pending or excess or torn:
        yield (*_capped(pending.rstrip(b"\r"), excess), torn)


def _capped(line: bytes, excess: int) -> tuple[bytes, int]:
    return line[:MAX_RECORD], excess + max(0, len(line) - MAX_RECORD)


def decode(raw: bytes) -> str:
    """UTF-8, or Latin-1 where it is none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # never fails; a structure is ASCII in either


def shorten(text: str) -> str:
    """A text that is safe to keep: at most `KEPT` characters, and marked where it was cut."""
    if len(text) <= KEPT:
        return text
    mark = f"... [cut: {len(text):,} characters]"
    return text[: KEPT - len(mark)] + mark


def printable(text: str) -> str:
    """A name that is safe to print: no control characters (terminal escapes), at most 200 letters."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[:1000])
    return " ".join(clean.split())[:200]
