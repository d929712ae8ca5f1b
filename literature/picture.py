"""What does the neighbourhood of a target look like?

One SVG of plain attributes (no script, no style sheet): the target in the middle,
compounds on its left, diseases on its right, processes and partners below, an arc from
a compound to what it treats. Green speaks for, red against; the thicker, the better the
evidence. Every line and every name leads to the finding it stands for.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from discovery.views.text import inert
from literature.claims import MENTIONED
from literature.dossier import Dossier, Finding
from literature.lexicon import Concept

WIDTH = 760
ROW = 30
MOST = 9  # names on one side
_TONES = {1: "#176f2c", -1: "#a11111", 0: "#888888"}


@dataclass(frozen=True, slots=True)
class _Place:
    concept: Concept
    x: float
    y: float
    anchor: str  # of its text: "end" left of the target, "start" right of it, "middle" below
    finding: Finding


def anchor(finding: Finding) -> str:
    """The name of a finding's place on the page."""
    told = f"{finding.subject.id}--{finding.object.id}"
    return "f-" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"_{ord(c):x}" for c in told)


def graph(dossier: Dossier) -> str:
    """The picture; "" where nothing was said of the target."""
    left = _best(dossier.compounds, dossier.concept, MOST)
    own = [f for f in dossier.safety if dossier.concept.id in (f.subject.id, f.object.id)]
    right = _best((*dossier.diseases, *own), dossier.concept, MOST)
    below = _best(dossier.does, dossier.concept, 6)
    if not (left or right or below):
        return ""
    rows = max(len(left), len(right), 3)
    height = 40 + ROW * rows + (90 if below else 20)
    centre = (WIDTH / 2, 30 + ROW * rows / 2)
    places = [
        *_column(left, 0.29 * WIDTH, "end", rows),
        *_column(right, 0.71 * WIDTH, "start", rows),
        *_line(below, height - 28.0),
    ]
    arcs = [
        (a, b, finding)
        for finding in dossier.treatments
        for a in places
        for b in places
        if a.concept.id == finding.subject.id and b.concept.id == finding.object.id and a.anchor == "end"
    ]
    parts = [_arc(a, b, finding) for a, b, finding in arcs[:12]]
    parts += [_edge(centre, place) for place in places]
    parts += [_name(place) for place in places]
    parts.append(_target(dossier, centre))
    return (
        f'<svg role="img" aria-label="{html.escape(inert(dossier.concept.name))} and what is said of it" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" font-family="sans-serif" '
        f'font-size="13">{"".join(parts)}</svg>'
    )


def _best(findings: Sequence[Finding], target: Concept, most: int) -> list[tuple[Concept, Finding]]:
    """The findings a cue tells of, each other end once, in the dossier's order."""
    found: dict[str, tuple[Concept, Finding]] = {}
    for finding in findings:
        other = finding.object if finding.subject.id == target.id else finding.subject
        if finding.predicate != MENTIONED:
            found.setdefault(other.id, (other, finding))
    return list(found.values())[:most]


def _column(these: Sequence[tuple[Concept, Finding]], x: float, side: str, rows: int) -> list[_Place]:
    first = 30 + ROW * (rows - len(these)) / 2 + ROW / 2
    return [_Place(concept, x, first + ROW * n, side, finding) for n, (concept, finding) in enumerate(these)]


def _line(these: Sequence[tuple[Concept, Finding]], y: float) -> list[_Place]:
    step = WIDTH / max(1, len(these))
    return [
        _Place(concept, step * (n + 0.5), y - 18 * (n % 2), "middle", finding)
        for n, (concept, finding) in enumerate(these)
    ]


def _edge(centre: tuple[float, float], place: _Place) -> str:
    y = place.y - 14 if place.anchor == "middle" else place.y - 4
    x = place.x + {"end": 6, "start": -6, "middle": 0}[place.anchor]
    link = place.finding.link
    thick = round(1.0 + 4.0 * max(link.support, link.contradiction), 1)
    dashes = ' stroke-dasharray="5 4"' if place.finding.sign < 0 else ""
    return _linked(
        place.finding,
        f'<line x1="{centre[0]:.1f}" y1="{centre[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}" '
        f'stroke="{_TONES[place.finding.sign]}" stroke-width="{thick}"{dashes}/>',
    )


def _arc(a: _Place, b: _Place, finding: Finding) -> str:
    x1, x2, y1, y2 = a.x + 6, b.x - 6, a.y - 4, b.y - 4
    top = max(8.0, min(y1, y2) - 60)
    return _linked(
        finding,
        f'<path d="M{x1:.1f} {y1:.1f} C{x1 + 120:.1f} {top:.1f} {x2 - 120:.1f} {top:.1f} {x2:.1f} {y2:.1f}" fill="none" '
        f'stroke="#b9c7d8" stroke-width="1.2"/>',
    )


def _name(place: _Place) -> str:
    said = _cut(place.concept.name, 26)
    flag = " ⚠" if "safety" in place.concept.tags else ""
    return _linked(
        place.finding,
        f'<text x="{place.x:.1f}" y="{place.y:.1f}" text-anchor="{place.anchor}" fill="#1a3f6b" '
        f'stroke="#ffffff" stroke-width="4" paint-order="stroke">'
        f"{html.escape(said + flag)}</text>",
    )


def _target(dossier: Dossier, centre: tuple[float, float]) -> str:
    name = _cut(dossier.concept.name, 16)
    wide = 12 + 8.5 * len(name)
    return (
        f'<rect x="{centre[0] - wide / 2:.1f}" y="{centre[1] - 15:.1f}" width="{wide:.1f}" height="30" rx="8" '
        f'fill="#1a3f6b"/><text x="{centre[0]:.1f}" y="{centre[1] + 5:.1f}" text-anchor="middle" fill="#ffffff" '
        f'font-weight="bold">{html.escape(name)}</text>'
    )


def _linked(finding: Finding, drawn: str) -> str:
    link = finding.link
    said = inert(f"{finding.subject.name} {finding.predicate} {finding.object.name}")
    title = f"{said}: support {link.support:.2f}, against {link.contradiction:.2f}, {link.papers} papers"
    return f'<a href="#{anchor(finding)}"><title>{html.escape(title)}</title>{drawn}</a>'


def _cut(text: str, most: int) -> str:
    text = inert(text)
    return text if len(text) <= most else text[: most - 1] + "…"
