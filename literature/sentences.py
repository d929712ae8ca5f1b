"""Where does a sentence begin and end?

Rules only: a regular expression proposes every stop, and a stop after an
abbreviation, an initial or inside a bracket is refused. Offsets are code points
into the text given, and every character that is not space belongs to exactly one
sentence.
"""

from __future__ import annotations

import re

_STOP = re.compile(
    r"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]*(?:[A-Z0-9\u0391-\u03a9À-Þα-ω]|[a-z]?[A-Z0-9]))|\n\s*\n|[。！？]"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|cf|vs|viz|ca|approx|al|fig|figs|eq|eqs|ref|refs|no|nos|vol|pp?|"
    r"dr|prof|mr|mrs|ms|st|jr|sr|inc|ltd|co|resp|etc|sp|spp|subsp|var|str|tab|suppl|incl|temp|"
    r"i\.v|i\.p|s\.c|p\.o|i\.m|b\.i\.d|t\.i\.d|q\.d|d\.l|u\.s|u\.k|[A-Z]|[a-z])\.$",
    re.IGNORECASE,
)
_MAY_END = re.compile(r"(?:^|[\s(\[])(?:etc|i\.v|i\.p|s\.c|p\.o|i\.m|u\.s|u\.k)\.$", re.IGNORECASE)
_STARTERS = re.compile(
    r"\s+(?:The|This|These|Those|In|We|It|However|Our|A|An|Both|Although|After|Thus|To|For|Moreover)\b"
)


def split(text: str) -> list[tuple[int, int]]:
    """Sentences of `text` as (start, end), without the space around them.

    Examples
    --------
    >>> [("Rats (e.g. Wistar) were used. No effect was seen.")[a:b] for a, b in
    ...  split("Rats (e.g. Wistar) were used. No effect was seen.")]
    ['Rats (e.g. Wistar) were used.', 'No effect was seen.']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for stop in _STOP.finditer(text):
        if _refused(text, start, stop):
            continue
        _append(spans, text, start, stop.end())
        start = stop.end()
    _append(spans, text, start, len(text))
    return spans


def _refused(text: str, start: int, stop: re.Match[str]) -> bool:
    if not stop.group().startswith("."):
        return False
    before = text[max(start, stop.start() - 12) : stop.start() + 1]
    if _ABBREVIATION.search(before):
        return not (_MAY_END.search(before) and _STARTERS.match(text, stop.end()))
    # A bracket that is still open: "(n = 12. SEM)" is one sentence; one that opened long ago is a misprint.
    window = text[max(start, stop.start() - 200) : stop.end()]
    return window.count("(") > window.count(")")


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append((start, end))
