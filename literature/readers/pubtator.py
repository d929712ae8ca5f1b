"""PubTator text -> articles and their annotations, and back.

    PMID|t|title
    PMID|a|abstract
    PMID <tab> start <tab> end <tab> words <tab> type <tab> identifiers

Offsets are code points into title + one character + abstract. An annotation whose
words are not what stands at its offsets is dropped and counted, never shifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from literature.article import Article, Passage, Record, Skipped
from literature.readers.opening import MAX_LINES, BrokenFile, lines, open_bytes

_TEXT = re.compile(r"^([^|\t]{1,64})\|([a-z])\|(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stretch of an article that somebody marked."""

    start: int  # code points into the article's text
    end: int
    text: str
    type: str  # as the file writes it: "Chemical"
    ids: tuple[str, ...]  # as the file writes them, split at , ; and |


@dataclass(frozen=True, slots=True)
class Annotated:
    """An article, its annotations, and how many of them did not fit their words."""

    article: Article
    annotations: tuple[Annotation, ...]
    misfits: int


def read(path: Path) -> Iterator[Record]:
    """The articles of a PubTator file; annotations are for `read_annotated`."""
    for found in read_annotated(path):
        yield found if isinstance(found, Skipped) else found.article


def read_annotated(path: Path) -> Iterator[Annotated | Skipped]:
    """Articles with their annotations, gzipped or not."""
    number = 0
    with open_bytes(path) as stream:
        try:
            for number, block in enumerate(_blocks(lines(stream)), start=1):
                yield _annotated(block, f"{path.name}, record {number}")
        except BrokenFile as error:
            yield Skipped(f"{path.name}, after record {number}", str(error))


def _blocks(stream: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for line in stream:
        size += len(line)
        if size > MAX_LINES:
            raise BrokenFile(f"a record is longer than {MAX_LINES:,} characters")
        if line.strip():
            block.append(line)
        else:
            if block:
                yield block
            block, size = [], 0
    if block:
        yield block


def _annotated(block: list[str], where: str) -> Annotated | Skipped:
    texts = [m for line in block if (m := _TEXT.match(line))]
    if not texts:
        return Skipped(where, "has no line ID|t|title")
    passages: list[Passage] = []
    offset = 0
    for match in texts:
        kind, text = match.group(2), match.group(3)
        if text:
            passages.append(Passage({"t": "title", "a": "abstract"}.get(kind, "body"), text, offset))
        offset += len(text) + 1
    name = texts[0].group(1).strip()
    identifier = f"PMID:{name}" if name.isdecimal() else name
    try:
        article = Article(identifier, tuple(passages))
    except ValueError as error:
        return Skipped(where, str(error))
    whole = article.text
    annotations: list[Annotation] = []
    misfits = 0
    for line in block:
        fields = line.split("\t")
        if len(fields) < 5 or not (fields[1].isdecimal() and fields[2].isdecimal()):
            continue  # the texts, and the relations some files add
        start, end = int(fields[1]), int(fields[2])
        if whole[start:end] != fields[3]:
            misfits += 1
            continue
        ids = tuple(i.strip() for i in re.split(r"[,;|]", fields[5] if len(fields) > 5 else "") if i.strip())
        annotations.append(Annotation(start, end, fields[3], fields[4], ids))
    return Annotated(article, tuple(annotations), misfits)


def write(
    article: Article,
    annotations: Iterable[Annotation] = (),
    relations: Iterable[tuple[str, str, str]] = (),
) -> str:
    """An article, its annotations and its relations (type, subject, object) in PubTator's layout.

    A line break inside a passage becomes a space, one character for one, so that
    offsets hold.

    Raises
    ------
    ValueError
        If the identifier is one that the layout cannot carry.
    """
    name = article.id.removeprefix("PMID:")
    if not re.fullmatch(r"[^|\t\n\r]{1,64}", name):
        raise ValueError(
            f"{name[:80]!r} cannot be written as PubTator: at most 64 characters, no bar, no tab"
        )
    title = article.passages[0] if article.passages and article.passages[0].section == "title" else None
    rest = article.text[title.end + 1 :] if title else article.text
    out = [f"{name}|t|{_flat(title.text) if title else ''}", f"{name}|a|{_flat(rest)}"]
    # The layout begins with its title, wherever that stands in a file; an absent one is a line of its own.
    shift = -title.offset if title else 1
    out += [
        f"{name}\t{a.start + shift}\t{a.end + shift}\t{_flat(a.text)}\t{a.type}\t{','.join(a.ids)}"
        for a in annotations
    ]
    out += ["\t".join((name, *relation)) for relation in relations]
    return "\n".join(out) + "\n\n"


_BREAK = re.compile(
    r"[\t\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
)  # what any program may end a line or a cell at


def _flat(text: str) -> str:
    return _BREAK.sub(" ", text)
