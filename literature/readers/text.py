"""A plain text file -> one article: its first line is the title, paragraphs follow.

Offsets are those of the file's own characters (its byte-order mark is none of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from literature.article import Article, Passage, Record, Skipped
from literature.readers.opening import BrokenFile, read_text, stem

_PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:[ \t]*\n[ \t]*\S(?:.*\S)?)*")  # lines with no empty one between
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
        told = _HEADINGS.get(words.casefold().rstrip(": "))
        if told:
            section, heading = told, words
        passages.append(
            Passage("heading" if told else section, words, found.start(), "" if told else heading)
        )
    yield Article(stem(path), tuple(passages))
