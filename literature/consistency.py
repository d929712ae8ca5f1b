"""Does a text call the same thing by the same type throughout?

A short form is what its definition says: where a text defines "neutral ion symporter
(NIS)" and the long form was found to be a gene, every NIS of that text is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from literature.article import Article
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
