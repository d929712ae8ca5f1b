"""Does a text call the same thing by the same type throughout?

A short form is what its definition says: where a text defines "neutral ion symporter
(NIS)" and the long form was found to be a gene, every NIS of that text is one. And a name
that a text uses again means what it meant before: what speaks for it in one place speaks
for it in the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from literature.article import Article
from literature.lexicon import Type
from literature.mentions import Span, abbreviations

_NEAR = (
    12  # code points by which the span found and the long form as defined may begin apart ("severe", "human")
)


def settled(text: str, spans: Sequence[Span]) -> list[Span]:
    """`spans`, with every short form that `text` defines typed as its long form is; sorted by start.

    A short form whose long form was not found keeps what was said of it. A span that
    overlaps a short form without being it stays as it is.
    """
    if "(" not in text:
        return list(spans)
    ends = {span.end: span for span in spans}
    kept = list(spans)
    for short, long in abbreviations(Article.of("text", [("abstract", text)])).items():
        full = _defined(text, short, long, ends)
        if full is None:
            continue
        for place in re.finditer(rf"(?<!\w){re.escape(short)}(?!\w)", text):
            there = [span for span in kept if span.start < place.end() and place.start() < span.end]
            new = Span(place.start(), place.end(), full.type, full.probability)
            if not there:
                kept.append(new)
            elif [(span.start, span.end) for span in there] == [place.span()] and there[0].type != full.type:
                kept[kept.index(there[0])] = new
    return sorted(kept, key=lambda span: span.start)


def _defined(text: str, short: str, long: str, ends: dict[int, Span]) -> Span | None:
    """What was found at the long form where it stands beside its short form."""
    a, b = re.escape(short), re.escape(long)
    for way in (rf"(?P<long>{b})\s*\(\s*{a}", rf"{a}\s*\(\s*(?P<long>{b})"):
        place = re.search(way, text)
        if place is not None:
            span = ends.get(place.end("long"))
            if span is not None and abs(span.start - place.start("long")) <= _NEAR:
                return span
    return None


# How much of what speaks for a name elsewhere in a text counts here. Chosen among 0.3, 0.5, 0.8 and 1.2.
ECHO = 0.5
_MOST = 4.0  # natural-log units a word: surer than this, the network is no better
_LONG = 5  # letters from which on a name is the same in capitals

Words = Sequence[tuple[int, int]]
Scores = NDArray[np.float32]


def echoed(
    text: str,
    read: Sequence[tuple[Words, Scores]],
    spans: Sequence[Span],
    rows: Mapping[Type, tuple[Sequence[int], Sequence[int]]],
    outside: Sequence[int],
) -> list[Scores] | None:
    """Scores in which every place of a name leans towards what the other places of that name say.

    For a name found as some type, a place speaks for it by how much more probable it is there than no
    name, per word; to the scores of each place, the mean of the others is added, `ECHO` times.

    Parameters
    ----------
    read
        Of each window of the text, its words (code points) and their [word, label] log-probabilities.
    spans
        The names found by these scores.
    rows
        Of each type, the labels that open a span and those that go on with it.
    outside
        The labels of words outside all names.

    Returns
    -------
    [word, label] of each window, natural logarithms of probabilities; None where no name comes twice.
    """
    names: dict[str, set[Type]] = {}
    for span in spans:
        if span.type in rows:
            names.setdefault(_same(text[span.start : span.end]), set()).add(span.type)
    folded = text.lower()
    folded = folded if len(folded) == len(text) else text
    begins = {word[0]: (n, at) for n, (words, _) in enumerate(read) for at, word in enumerate(words)}
    ends = {word[1]: (n, at + 1) for n, (words, _) in enumerate(read) for at, word in enumerate(words)}
    odds: dict[tuple[int, Type], tuple[list[float], list[float]]] = {}
    moved: dict[int, Scores] = {}
    for name, types in names.items():
        places: list[tuple[int, int, int]] = []  # window, first word, the word after the last
        for start in _places(folded if len(name) >= _LONG else text, name):
            begin, end = begins.get(start), ends.get(start + len(name))
            if begin is not None and end is not None and begin[0] == end[0]:
                places.append((*begin, end[1]))
        if len(places) < 2:
            continue
        for type in types:
            opens, goes_on = rows[type]
            said: list[float] = []
            for number, a, b in places:
                if (number, type) not in odds:
                    odds[number, type] = _odds(read[number][1], opens, goes_on, outside)
                first, others = odds[number, type]
                said.append(max(-_MOST, min(_MOST, (first[a] + sum(others[a + 1 : b])) / (b - a))))
            total = sum(said)
            for (number, a, b), own in zip(places, said, strict=True):
                lean = ECHO * (total - own) / (len(said) - 1)
                if number not in moved:
                    moved[number] = read[number][1].copy()
                moved[number][a, opens] += lean
                if b > a + 1:
                    moved[number][a + 1 : b, goes_on] += lean
    if not moved:
        return None
    for number, scores in moved.items():
        moved[number] = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return [moved.get(number, scores) for number, (_, scores) in enumerate(read)]


def _odds(
    scores: Scores, opens: Sequence[int], goes_on: Sequence[int], outside: Sequence[int]
) -> tuple[list[float], list[float]]:
    """How much more probable each word begins a name of the type than none, and goes on with one; nats."""
    none = scores[:, outside].max(axis=1)
    first, others = (scores[:, some].max(axis=1) - none for some in (opens, goes_on))
    return first.tolist(), others.tolist()


def _same(name: str) -> str:
    """How a name is compared: "Nephrotoxicity" is nephrotoxicity, but "AS" is not "as"."""
    folded = name.lower()
    return folded if len(name) >= _LONG and len(folded) == len(name) else name


def _places(text: str, name: str) -> Iterator[int]:
    at = text.find(name)
    while at >= 0:
        after = at + len(name)
        if not (at and text[at - 1].isalnum()) and not (after < len(text) and text[after].isalnum()):
            yield at
        at = text.find(name, at + 1)


def closed(text: str, span: Span) -> Span:
    """`span` with the bracket that it opens and the text closes right after, or without one it did not open."""
    words = text[span.start : span.end]
    for opening, closing in ("()", "[]"):
        open_still = words.count(opening) - words.count(closing)
        if open_still > 0:
            rest = text[span.end : span.end + 2]
            if rest.lstrip().startswith(closing):
                return replace(span, end=span.end + rest.index(closing) + 1)
        elif open_still < 0 and words.endswith(closing):
            kept = words[:-1].rstrip()
            return replace(span, end=span.start + len(kept)) if kept else span
    return span
