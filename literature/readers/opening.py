"""How is a file opened: gzipped or not, in which encoding, and how much of it is read?

Everything is streamed. A truncated or damaged gzip member ends the file with a
`BrokenFile` that says how far reading came; it never ends the run.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MAX_RECORD = 64 * 2**20  # bytes of one record; the longest full text is a tenth of it
MAX_LINES = 16 * 2**20  # characters of a record that is made of lines; a patent has two million
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = (  # Latin letters of UTF-16 without a byte-order mark
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)


class BrokenFile(ValueError):
    """The file cannot be read any further. The message says where and why."""


def open_bytes(path: Path) -> io.BufferedReader:
    """The file's bytes, unzipped if it is gzipped (by its first bytes, not by its name)."""
    raw = path.open("rb")
    magic = raw.read(2)
    raw.seek(0)
    if magic == b"\x1f\x8b":
        unzipped: io.RawIOBase = _Unzipped(raw)
        return io.BufferedReader(unzipped)
    return raw


def head_of(path: Path, size: int) -> tuple[bytes, str]:
    """The first bytes of a file, as many as can be read, and why it was fewer: "" where the file ends."""
    head = b""
    try:
        with open_bytes(path) as stream:
            while len(head) < size and (more := stream.read1(size - len(head))):
                head += more
    except BrokenFile as error:
        return head, str(error)
    return head, ""


def encoding_of(head: bytes) -> str:
    """What a byte-order mark, or every other byte being zero, tells of the encoding; else ""."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return next((encoding for pattern, encoding in _UNMARKED if pattern.match(head)), "")


class _Unzipped(io.RawIOBase):
    """A gzip stream whose damage is a BrokenFile."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._stream = gzip.GzipFile(fileobj=raw, mode="rb")
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            block = self._stream.read1(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            raise BrokenFile(
                f"the gzip stream is damaged or cut short after {self._read:,} bytes of text ({error}); "
                "download the file again"
            ) from error
        buffer[: len(block)] = block
        self._read += len(block)
        return len(block)

    def close(self) -> None:
        self._raw.close()
        super().close()


def lines(stream: BinaryIO) -> Iterator[str]:
    """Lines as text, without their ends: UTF-8 (or by its byte-order mark), else Windows-1252 line by line.

    Raises
    ------
    BrokenFile
        On a damaged stream, or a line longer than `MAX_RECORD` bytes.
    """
    encoding = encoding_of(stream.peek(4)[:4]) if isinstance(stream, io.BufferedReader) else ""
    if encoding == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
    elif encoding:
        yield from _wide(stream, encoding)
        return
    while True:
        line = stream.readline(MAX_RECORD + 1)
        if not line:
            return
        if len(line) > MAX_RECORD:
            raise BrokenFile(f"a line is longer than {MAX_RECORD:,} bytes")
        yield decode(line).rstrip("\r\n")


def _wide(stream: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    while line := text.readline(MAX_RECORD + 1):
        if len(line) > MAX_RECORD:
            raise BrokenFile(f"a line is longer than {MAX_RECORD:,} characters")
        yield line.rstrip("\r\n")


def decode(raw: bytes) -> str:
    """UTF-8, else Windows-1252 (the usual mistake), with what neither knows replaced by U+FFFD."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_text(path: Path) -> str:
    """A whole small file as text.

    Raises
    ------
    BrokenFile
        If it is damaged or larger than `MAX_RECORD` bytes once unzipped.
    """
    with open_bytes(path) as stream:
        raw = stream.read(MAX_RECORD + 1)
    if len(raw) > MAX_RECORD:
        raise BrokenFile(f"{path.name} holds more than {MAX_RECORD:,} bytes; split it into records first")
    encoding = encoding_of(raw[:4])
    return raw.decode(encoding, errors="replace") if encoding else decode(raw)


def stem(path: Path) -> str:
    """The name without .gz and without its last ending: "paper.nxml.gz" -> "paper"."""
    name = unzipped_name(path)
    return name.rsplit(".", 1)[0] if "." in name else name


def unzipped_name(path: Path) -> str:
    """The file's name without .gz, in whatever case that is written."""
    return path.name[:-3] if path.name.casefold().endswith(".gz") else path.name
