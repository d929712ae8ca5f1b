"""A plain text file -> one article: its first line is the title, paragraphs follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from literature.article import Article, Record, Skipped
from literature.readers.opening import BrokenFile, read_text, stem

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_HEADINGS = {
    "abstract": "abstract",
    "introduction": "introduction",
    "background": "introduction",
    "methods": "methods",
    "materials and methods": "methods",
    "results": "results",
    "results and discussion": "results",
    "discussion": "discussion",
    "conclusion": "conclusion",
    "conclusions": "conclusion",
    "references": "references",
}


def read(path: Path) -> Iterator[Record]:
    """The file as one article, named after the file."""
    try:
        text = read_text(path)
    except BrokenFile as error:
        yield Skipped(path.name, str(error))
        return
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        yield Skipped(path.name, "holds NUL bytes, so it is no text file")
        return
    title, _, body = text.strip().partition("\n")
    if not title.strip():
        yield Skipped(path.name, "is empty")
        return
    parts: list[tuple[str, str]] = [("title", title.strip())]
    section = "abstract"
    for paragraph in _PARAGRAPH.split(body):
        heading = paragraph.strip().casefold().rstrip(":")
        if heading in _HEADINGS:
            section = _HEADINGS[heading]
        elif paragraph.strip():
            parts.append((section, paragraph.strip()))
    yield Article.of(stem(path), parts)
