"""A plain text file -> one article: its first line is the title, paragraphs follow.

Offsets are those of the file's own characters (its byte-order mark is none of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from literature.article import Article, Passage, Record, Skipped
from literature.readers.opening import BrokenFile, read_text, stem
from literature.readers.sections import section_of

_PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:[ \t]*\n[ \t]*\S(?:.*\S)?)*")  # lines with no empty one between


def _opened(paragraph: str) -> str:
    """The section that a paragraph opens: "1. Materials and methods"; "" where it is no heading."""
    alone = paragraph.casefold().rstrip(": ")
    if alone in ("abstract", "references"):
        return alone
    return "" if len(paragraph.split()) > 4 or paragraph.endswith(".") else section_of(paragraph, "")


def read(path: Path) -> Iterator[Record]:
    """The file as one article, named after the file."""
    try:
        text = read_text(path)
    except BrokenFile as error:
        yield Skipped(path.name, str(error))
        return
    if "\0" in text:
        yield Skipped(path.name, "holds NUL bytes, so it is no text file")
        return
    text = text.replace("\r\n", " \n").replace("\r", "\n")  # as many characters as before
    first = re.search(r"\S(?:.*\S)?", text)
    if first is None:
        yield Skipped(path.name, "is empty")
        return
    passages = [Passage("title", first.group(), first.start())]
    section, heading = "abstract", ""
    for found in _PARAGRAPH.finditer(text, first.end()):
        words = found.group()
        told = _opened(words)
        if told:
            section, heading = told, words
        passages.append(
            Passage("heading" if told else section, words, found.start(), "" if told else heading)
        )
    yield Article(stem(path), tuple(passages))
