"""Does a reader keep its promise? For our readers and for other people's.

    from literature.readers.conformance import check_reader
    assert check_reader("my_format", sample="a_good_file.xyz") == []

The good file is read twice, gzipped, and damaged in every way that files are.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from discovery import plugins
from literature.article import Article, Citation, Deleted, Reader, Record, Skipped
from literature.sentences import split

SECONDS = 20.0  # for one damaged copy of the sample


class _Broken(Exception):
    """A promise that is not kept; nothing more is asked of this reader."""


def check_reader(
    part: str | Reader,
    settings: Mapping[str, Any] | None = None,
    *,
    sample: str | Path | None = None,
    articles: int | None = None,
) -> list[str]:
    """Complaints about a reader; empty when it conforms.

    Parameters
    ----------
    part : the name it is registered by, or the function itself
    settings : {"sample": file}, as `discovery conform readers NAME --settings` gives it
    sample : the same from Python: a file of the format that can be read, at most some MB
    articles : how many it holds; at least one when left out
    """
    file = sample or (settings or {}).get("sample")
    if file is None:
        return ['give the check a good file to read: --settings \'{"sample": "good_file.xyz"}\'']
    if not Path(file).is_file():
        return [f"the sample {file} is no file"]
    try:
        _check(plugins.load("readers", part) if isinstance(part, str) else part, Path(file), articles)
    except (_Broken, plugins.PluginError) as broken:
        return [str(broken)]
    return []


def _check(read: Reader, sample: Path, articles: int | None) -> None:
    first = _records(read, sample, sample.name)
    found = [record for record in first if isinstance(record, Article)]
    _promise(
        bool(found) if articles is None else len(found) == articles,
        f"{sample.name} gives {len(found)} articles",
    )
    _promise(
        first == _records(read, sample, sample.name), "the same file gives other records the second time"
    )
    for article in found:
        for passage in article.passages:
            _promise(bool(passage.text), f"{article.id} has an empty passage")
            for start, end in split(passage.text)[:3]:
                Citation.of(article, passage.offset + start, passage.offset + end)
    whole = _bytes(sample)
    with TemporaryDirectory() as folder:
        zipped = Path(folder) / f"{sample.name.removesuffix('.gz')}.gz"
        zipped.write_bytes(gzip.compress(whole))
        again = _records(read, zipped, "a gzipped copy (literature.readers.opening reads both)")
        _promise(
            [record for record in again if isinstance(record, Article)] == found,
            "a gzipped copy does not read like the plain file",
        )
        for name, damaged in _damaged(whole):
            path = Path(folder) / f"{name}-{sample.name.removesuffix('.gz')}"
            path.write_bytes(damaged)
            _survives(read, path, name)
        zipped.write_bytes(gzip.compress(whole)[: len(whole) // 9 + 40])
        _survives(read, zipped, "truncated gzip")
        _raises_for_missing(read, Path(folder) / "absent")


def _damaged(whole: bytes) -> list[tuple[str, bytes]]:
    middle = len(whole) // 2
    return [
        ("empty", b""),
        ("truncated", whole[:middle]),
        ("nul", whole[:middle] + b"\0" * 64 + whole[middle:]),
        ("flipped", bytes(b ^ 0xFF if n % 97 == 0 else b for n, b in enumerate(whole[:200_000]))),
        ("latin", whole.decode("utf-8", errors="replace").encode("cp1252", errors="replace")),
        ("noise", bytes((n * 197 + n // 7) % 256 for n in range(5_000))),
    ]


def _survives(read: Reader, path: Path, name: str) -> None:
    start = time.perf_counter()
    records = _records(read, path, f"a file that is {name}")
    _promise(
        all(isinstance(record, Article | Skipped | Deleted) for record in records),
        f"a file that is {name} gives something else than Article, Skipped or Deleted",
    )
    _promise(time.perf_counter() - start < SECONDS, f"a file that is {name} takes more than {SECONDS:.0f} s")


def _raises_for_missing(read: Reader, path: Path) -> None:
    try:
        list(read(path))
    except OSError:
        return
    raise _Broken("a file that is not there raises no OSError")


def _records(read: Reader, path: Path, what: str) -> list[Record]:
    try:
        return list(read(path))
    except Exception as error:
        raise _Broken(f"{what} ends the run: {type(error).__name__}: {error}") from error


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def _promise(kept: bool, otherwise: str) -> None:
    if not kept:
        raise _Broken(otherwise)
