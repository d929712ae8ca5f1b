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
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

MAX_RECORD = 64 * 2**20  # bytes of one record; the longest full text is a tenth of it
MAX_LINES = 16 * 2**20  # characters of a record that is made of lines; a patent has two million
_BLOCK = 1 << 16  # characters recoded at a time
_MARKS = (
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
    """The file's bytes: unzipped if it is gzipped (by its first bytes, not by its name), UTF-8 if it is UTF-16 or
    UTF-32, without a byte-order mark."""
    stream = path.open("rb")
    if stream.peek(2).startswith(b"\x1f\x8b"):
        unzipped: io.RawIOBase = _Unzipped(stream)
        stream = io.BufferedReader(unzipped)
    with suppress(BrokenFile):  # it is told to whoever reads on
        head = stream.peek(4)[:4]
        if encoding := _encoding_of(head):
            recoded: io.RawIOBase = _Recoded(stream, encoding)
            return io.BufferedReader(recoded)
        if head.startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
    return stream


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


def _encoding_of(head: bytes) -> str:
    """UTF-16 or UTF-32, told by a byte-order mark or by every other byte being zero; else ""."""
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
        self._damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            block = b"" if self._damage else self._stream.read1(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            self._damage = (
                f"the gzip stream is damaged or cut short after {self._read:,} bytes of text ({error}); "
                "download the file again"
            )
        if self._damage:
            raise BrokenFile(self._damage)
        buffer[: len(block)] = block
        self._read += len(block)
        return len(block)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Recoded(io.RawIOBase):
    """A UTF-16 or UTF-32 stream as UTF-8, so that tags can be found in its bytes."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._text.read(_BLOCK).encode("utf-8", errors="replace")
        n = min(len(buffer), len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n

    def close(self) -> None:
        self._text.close()
        super().close()


def lines(stream: BinaryIO) -> Iterator[str]:
    """Lines as text, without their ends: UTF-8, else Windows-1252 line by line.

    Raises
    ------
    BrokenFile
        On a damaged stream, or a line longer than `MAX_RECORD` bytes.
    """
    while line := stream.readline(MAX_RECORD + 1):
        if len(line) > MAX_RECORD:
            raise BrokenFile(f"a line is longer than {MAX_RECORD:,} bytes")
        yield decode(line).rstrip("\r\n")


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
    return decode(raw)


def stem(path: Path) -> str:
    """The name without .gz and without its last ending: "paper.nxml.gz" -> "paper"."""
    name = unzipped_name(path)
    return name.rsplit(".", 1)[0] if "." in name else name


def unzipped_name(path: Path) -> str:
    """The file's name without .gz, in whatever case that is written."""
    return path.name[:-3] if path.name.casefold().endswith(".gz") else path.name
