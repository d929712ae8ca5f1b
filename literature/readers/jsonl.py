"""One JSON object per line -> articles.

Fields: `id` (or `pmid`), `title`, `abstract` (or `text`), `year`, `kind`, `retracted`, `licence`,
`passages` ([{"section": ..., "text": ...}]). Unknown fields are left alone; a line that
is no such object is skipped and listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from literature.article import Article, Deleted, Kind, Record, Skipped, whole_characters
from literature.readers.opening import BrokenFile, lines, open_bytes

_KINDS: tuple[Kind, ...] = ("literature", "patent", "illustrative")


def read(path: Path) -> Iterator[Record]:
    """Articles of a JSON-lines file, gzipped or not."""
    with open_bytes(path) as stream:
        number = 0
        try:
            for number, line in enumerate(lines(stream), start=1):
                if line.strip():
                    yield _record(line, f"{path.name}, line {number}")
        except BrokenFile as error:
            yield Skipped(f"{path.name}, after line {number}", str(error))


def _record(line: str, where: str) -> Record:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Skipped(where, f"is no JSON: {error}")
    if not isinstance(found, dict):
        return Skipped(where, "is no JSON object")
    if isinstance(found.get("deleted"), list):
        return Deleted(tuple(str(i) for i in found["deleted"]))
    try:
        return article(found)
    except ValueError as error:
        return Skipped(where, str(error))


def article(found: dict[str, Any]) -> Article:
    """A JSON object -> Article.

    Raises
    ------
    ValueError
        If a field is absent or of the wrong type; the message names it.
    """
    identifier = found.get("id", found.get("pmid", ""))
    if not isinstance(identifier, str | int) or not str(identifier).strip():
        raise ValueError("has no field 'id'")
    name = whole_characters(str(identifier).strip())
    parts: list[tuple[str, str] | tuple[str, str, str]] = [("title", _text(found, "title"))]
    passages = found.get("passages", [])
    if not isinstance(passages, list):
        raise ValueError("'passages' must be a list of objects with 'section' and 'text'")
    for number, passage in enumerate(passages, start=1):
        if not isinstance(passage, dict) or not isinstance(passage.get("text"), str):
            raise ValueError(f"passage {number} has no 'text'")
        parts.append(
            (
                whole_characters(str(passage.get("section") or "abstract")),
                whole_characters(passage["text"]),
                whole_characters(str(passage.get("heading", ""))),
            )
        )
    parts.append(("abstract", _text(found, "abstract")))
    parts.append(("body", _text(found, "text")))
    kind = found.get("kind", "literature")
    if kind not in _KINDS:
        raise ValueError(f"'kind' is {kind!r}; it must be one of {', '.join(_KINDS)}")
    year = found.get("year")
    if year is not None and (isinstance(year, bool) or not isinstance(year, int)):
        raise ValueError(f"'year' is {year!r}; it must be a whole number")
    retracted = found.get("retracted", False)
    if not isinstance(retracted, bool):
        raise ValueError(f"'retracted' is {retracted!r}; it must be true or false")
    return Article.of(
        f"PMID:{name}" if name.isdecimal() else name,
        [part for part in parts if part[1]],
        year=year,
        kind=kind,
        retracted=retracted,
        licence=_text(found, "licence"),
    )


def _text(found: dict[str, Any], field: str) -> str:
    value = found.get(field) or ""
    if not isinstance(value, str):
        raise ValueError(f"'{field}' must be text, not {type(value).__name__}")
    return whole_characters(value)
