"""Did the campaign get better round by round?

One column of points a round: what each molecule came to, the middle of them, and the
best so far. Molecules without a number are counted below, never drawn as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from discovery.results import Run
from discovery.views.reading import column_named, label_of, scores_of
from discovery.views.score_plot import BLUE, GREY, ORANGE, Axis
from discovery.views.text import inert, number

OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class RoundCount:
    """One round."""

    round: int
    values: Mapping[str, float]  # row -> number
    proposed: int  # rows, those without a number too
    best: float | None  # of all rounds so far


def rounds_of(run: Run, column: str = OVERALL) -> tuple[RoundCount, ...]:
    """What each round brought, by the overall desirability or by a column.

    Raises
    ------
    KeyError
        There is no such column.
    """
    high = True
    if column != OVERALL:
        high = column_named(run, column).better == "high"
    found: list[RoundCount] = []
    best: float | None = None
    for number_of in sorted({row.round for row in run.rows}):
        rows = [row for row in run.rows if row.round == number_of]
        if column == OVERALL:
            values = {row.id: row.utility for row in rows if row.utility is not None}
        else:
            values = {row.id: scores_of(row)[column].value for row in rows if column in scores_of(row)}
        tops = [*values.values()] + ([] if best is None else [best])
        if tops:
            best = max(tops) if high else min(tops)
        found.append(RoundCount(number_of, values, len(rows), best))
    return tuple(found)


def course_svg(run: Run, column: str = OVERALL, *, width: int = 620, height: int = 300) -> str:
    """The picture: points, the median as a bar, the best so far as a stair.

    Raises
    ------
    KeyError
        There is no such column.
    ValueError
        No row holds a number.
    """
    rounds = rounds_of(run, column)
    title = "Overall" if column == OVERALL else label_of(column_named(run, column))
    every = [value for one in rounds for value in one.values.values()]
    if not every:
        raise ValueError(f"no row has a number for {title}, so there is nothing to follow")
    left, right, top, bottom = 66, 16, 26, 62
    up = Axis.over(every, height - bottom, top)
    step = (width - left - right) / len(rounds)
    parts = []
    for value in up.ticks:
        at = up(value)
        parts.append(
            f'<line x1="{left}" y1="{at:.1f}" x2="{width - right}" y2="{at:.1f}" stroke="currentColor" stroke-opacity=".12"/>'
            f'<text x="{left - 7}" y="{at + 4:.1f}" text-anchor="end">{number(value, up.decimals)}</text>'
        )
    stair: list[str] = []
    for place, one in enumerate(rounds):
        middle = left + step * (place + 0.5)
        spread = min(0.34 * step, 60.0)
        for nth, (name, value) in enumerate(one.values.items()):
            x = middle + spread * (2 * ((nth * 0.618034) % 1.0) - 1)  # golden steps: spread, and always alike
            parts.append(
                f'<circle cx="{x:.1f}" cy="{up(value):.1f}" r="3" fill="{GREY}" fill-opacity=".55">'
                f"<title>{escape(inert(name, limit=80))}: {number(value)}</title></circle>"
            )
        if one.values:
            half = up(float(np.median([*one.values.values()])))
            parts.append(
                f'<line x1="{middle - spread:.1f}" y1="{half:.1f}" x2="{middle + spread:.1f}" y2="{half:.1f}" stroke="{BLUE}" stroke-width="3"/>'
            )
        if one.best is not None:
            at = up(one.best)
            stair += [f"{left + step * place:.1f},{at:.1f}", f"{left + step * (place + 1):.1f},{at:.1f}"]
        parts.append(
            f'<text x="{middle:.1f}" y="{height - bottom + 17}" text-anchor="middle" font-weight="600">round {one.round}</text>'
            f'<text x="{middle:.1f}" y="{height - bottom + 33}" text-anchor="middle">{len(one.values)} of {one.proposed}</text>'
        )
    if stair:
        parts.append(
            f'<polyline points="{" ".join(stair)}" fill="none" stroke="{ORANGE}" stroke-width="2" stroke-dasharray="6 3"/>'
        )
    last = rounds[-1].best
    words = f"{title}, round by round: best {number(last) if last is not None else 'none'} after {len(rounds)} rounds"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="system-ui, sans-serif" font-size="11.5" fill="currentColor">{"".join(parts)}'
        f'<text transform="translate(14 {(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle" font-weight="600">{escape(title)}</text>'
        f'<text x="{left}" y="{height - 10}">molecules with a number, of all proposed. Bar: median. Dashes: best so far.</text></svg>'
    )
