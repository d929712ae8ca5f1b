"""MEDLINE text (.nbib, "PubMed format") -> articles.

Four letters, a dash, a value; deeper lines go on. The parts of a labelled abstract
("RESULTS: ...") become passages of their own and keep their label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from literature.article import Article, Record, Skipped
from literature.readers.opening import MAX_LINES, BrokenFile, lines, open_bytes
from literature.readers.sections import section_of

_FIELD = re.compile(r"^([A-Z]{2,4})\s{0,2}- ?(.*)$")
_LABEL = re.compile(r"(?:^|(?<=[.!?)] ))([A-Z][A-Z &/,]{3,50}):(?= )")
_YEAR = re.compile(r"(?<!\d)(1[6-9]\d\d|20\d\d)(?!\d)")
_PMID = re.compile(r"PMID:?\s*(\d{1,9})")


def read(path: Path) -> Iterator[Record]:
    """Records of a MEDLINE text file, gzipped or not."""
    number = 0
    with open_bytes(path) as stream:
        try:
            for number, fields in enumerate(_records(lines(stream)), start=1):
                try:
                    yield _article(fields)
                except ValueError as error:
                    yield Skipped(f"{path.name}, record {number}", str(error))
        except BrokenFile as error:
            yield Skipped(f"{path.name}, after record {number}", str(error))
            return
    if not number:
        yield Skipped(path.name, "holds no line 'PMID- '")


def _records(stream: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    fields: list[tuple[str, list[str]]] = []
    size = 0
    for line in stream:
        match = _FIELD.match(line)
        if match and match.group(1) == "PMID" and fields:
            yield _joined(fields)
            fields, size = [], 0
        size += len(line)
        if size > MAX_LINES:
            raise BrokenFile(f"a record is longer than {MAX_LINES:,} characters")
        if match:
            fields.append((match.group(1), [match.group(2).strip()]))
        elif line.startswith("  ") and fields:
            fields[-1][1].append(line.strip())
    if fields:
        yield _joined(fields)


def _joined(fields: Iterable[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    return [(tag, " ".join(filter(None, pieces))) for tag, pieces in fields]


def _article(fields: list[tuple[str, str]]) -> Article:
    def all_of(tag: str) -> list[str]:
        return [value for name, value in fields if name == tag and value]

    pmid = next(iter(all_of("PMID")), "")
    if not pmid.isdecimal():
        raise ValueError("has no PMID")
    parts: list[tuple[str, str, str]] = [("title", title, "") for title in all_of("TI")[:1]]
    for abstract in all_of("AB"):
        parts += _parts(abstract)
    parts += [("other abstract", text, "") for text in all_of("OAB")]
    found = _YEAR.search(" ".join(all_of("DP")[:1]))
    genres = all_of("PT")
    return Article.of(
        f"PMID:{pmid}",
        parts,
        year=int(found.group(1)) if found else None,
        retracted=bool(all_of("RIN")) or "Retracted Publication" in genres,
        licence=next(iter(all_of("CI")), ""),
        genres=genres,
        retracts=[f"PMID:{match.group(1)}" for text in all_of("ROF") if (match := _PMID.search(text))],
    )


def _parts(abstract: str) -> list[tuple[str, str, str]]:
    """Cut before every label; the label stays in the text, as it was printed."""
    cuts = [(m.start(1), m.group(1)) for m in _LABEL.finditer(abstract)]
    starts = [0] if not cuts or cuts[0][0] > 0 else []
    starts += [at for at, _ in cuts]
    labels = [""] * (len(starts) - len(cuts)) + [label for _, label in cuts]
    return [
        (section_of(label, "abstract"), abstract[start:end].strip(), label)
        for start, end, label in zip(starts, [*starts[1:], len(abstract)], labels, strict=True)
    ]
