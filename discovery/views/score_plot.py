"""How are the scores spread, and where does the shortlist lie among them?

Small pictures drawn from templates, without a plotting library, so that the report
needs nothing but the core.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import combinations

import numpy as np

from discovery.results import Row, Run
from discovery.score import Column
from discovery.views.reading import label_of, scores_of
from discovery.views.text import TITLE, inert, number, places

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A94A0"
_REPLICAS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")  # Okabe and Ito


def trade_off(run: Run) -> tuple[Column, Column] | None:
    """The two columns that count and disagree the most: lowest rank correlation of their desirabilities.

    None when fewer than two columns count, or fewer than three ranked rows hold both. A column that fewer
    than half of the ranked rows hold, such as a late stage's, says nothing of the choice among them.
    """
    enough = max(3, len(run.ranked) // 2)
    counting = [
        column for column in run.columns if any(column.name in row.desirability for row in run.ranked)
    ]
    best: tuple[float, Column, Column] | None = None
    for one, other in combinations(counting, 2):
        pairs = [
            (row.desirability[one.name], row.desirability[other.name])
            for row in run.ranked
            if one.name in row.desirability
            and other.name in row.desirability
            and one.name in scores_of(row)
            and other.name in scores_of(row)
        ]
        if len(pairs) < enough:
            continue
        ranks = np.array(pairs).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        spread = np.array(pairs).std(axis=0)
        agreement = float(np.asarray(np.corrcoef(ranks.T))[0, 1]) if (spread > 1e-9).all() else 1.0
        if best is None or agreement < best[0]:
            best = (agreement, one, other)
    return (best[1], best[2]) if best else None


def scatter_svg(
    run: Run,
    x: Column,
    y: Column,
    shortlist: Sequence[Row],
    *,
    front: Sequence[str] = (),
    width: int = 470,
    height: int = 350,
) -> str:
    """Every row that holds both numbers: the first Pareto front ringed, the shortlist's ranks written beside.

    `front` names rows to be joined by a line, in this order, and ringed instead of the run's own front.

    Raises
    ------
    ValueError
        No row holds both numbers.
    """
    rows = [row for row in run.rows if x.name in scores_of(row) and y.name in scores_of(row)]
    if not rows:
        raise ValueError(f"no row holds both {x.name} and {y.name}")
    left, right, top, bottom = 62, 16, 14, 46
    across = Axis.over([scores_of(row)[x.name].value for row in rows], left, width - right)
    up = Axis.over([scores_of(row)[y.name].value for row in rows], height - bottom, top)
    parts = []
    for value in across.ticks:
        at = across(value)
        parts.append(
            f'<line x1="{at:.1f}" y1="{top}" x2="{at:.1f}" y2="{height - bottom}" stroke="currentColor" stroke-opacity=".12"/>'
            f'<text x="{at:.1f}" y="{height - bottom + 16}" text-anchor="middle">{number(value, across.decimals)}</text>'
        )
    for value in up.ticks:
        at = up(value)
        parts.append(
            f'<line x1="{left}" y1="{at:.1f}" x2="{width - right}" y2="{at:.1f}" stroke="currentColor" stroke-opacity=".12"/>'
            f'<text x="{left - 7}" y="{at + 4:.1f}" text-anchor="end">{number(value, up.decimals)}</text>'
        )
    listed, ringed = {row.id for row in shortlist}, set(front) or {row.id for row in rows if row.front == 1}
    by_id = {row.id: row for row in rows}
    if len(front) > 1:
        points = " ".join(
            f"{across(scores_of(by_id[id])[x.name].value):.1f},{up(scores_of(by_id[id])[y.name].value):.1f}"
            for id in front
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{ORANGE}" stroke-width="1.5"/>')
    ranking = any(row.rank is not None for row in rows)
    for row in sorted(rows, key=lambda row: (row.id in listed, row.id in ringed, row.rank is not None)):
        cx, cy = across(scores_of(row)[x.name].value), up(scores_of(row)[y.name].value)
        if row.rank is None and ranking:
            look = f'r="2.6" fill="none" stroke="{GREY}" stroke-opacity=".75"'
        else:
            ring = f' stroke="{ORANGE}" stroke-width="2"' if row.id in ringed else ""
            look = f'r="{5 if row.id in listed else 3.6}" fill="{BLUE if row.id in listed else GREY}"{ring}'
        state = f", rank {row.rank}" if row.rank is not None else ", unranked" if ranking else ""
        parts.append(
            f'<circle data-id="{escape(row.id)}" cx="{cx:.1f}" cy="{cy:.1f}" {look}><title>{escape(inert(row.title, limit=TITLE))}{state}</title></circle>'
        )
    taken: list[tuple[float, float]] = []
    for row in [row for row in shortlist if row.rank is not None][:12]:
        if x.name in scores_of(row) and y.name in scores_of(row):
            cx, cy = across(scores_of(row)[x.name].value), up(scores_of(row)[y.name].value)
            if all(abs(cx - tx) > 15 or abs(cy - ty) > 11 for tx, ty in taken):
                side = -1 if cx > width - right - 24 else 1
                anchor = ' text-anchor="end"' if side < 0 else ""
                parts.append(
                    f'<text x="{cx + side * 8:.1f}" y="{cy - 5:.1f}"{anchor} font-weight="700">{row.rank}</text>'
                )
                taken.append((cx, cy))
    x_title, y_title = _titled(run, x), _titled(run, y)
    words = f"{y_title} against {x_title}, one point for each of {len(rows)} molecules"
    middle = (height - bottom + top) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="system-ui, sans-serif" font-size="11.5" fill="currentColor">{"".join(parts)}'
        f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle" font-weight="600">{escape(x_title)}</text>'
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle" font-weight="600">{escape(y_title)}</text></svg>'
    )


def histogram_svg(
    run: Run, column: Column, shortlist: Sequence[Row], *, width: int = 230, height: int = 92
) -> str:
    """How one column's numbers are spread; a tick below for each of the shortlist.

    Raises
    ------
    ValueError
        No row holds the number.
    """
    values = [scores_of(row)[column.name].value for row in run.rows if column.name in scores_of(row)]
    if not values:
        raise ValueError(f"no row holds {column.name}")
    left, right, top, bottom = 6, 6, 6, 28
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(
        values, bins=min(24, max(6, round(math.sqrt(len(values))))), range=(low, high)
    )

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - right)

    tall = height - top - bottom
    bars = "".join(
        f'<rect x="{across(float(start)):.1f}" y="{top + tall * (1 - n / counts.max()):.1f}" '
        f'width="{max(across(float(stop)) - across(float(start)) - 1, 1):.1f}" height="{tall * n / counts.max():.1f}" fill="{GREY}" fill-opacity=".65"/>'
        for n, start, stop in zip(counts, edges, edges[1:], strict=False)
        if n
    )
    base = height - bottom
    ticks = "".join(
        f'<line x1="{across(scores_of(row)[column.name].value):.1f}" x2="{across(scores_of(row)[column.name].value):.1f}" '
        f'y1="{base + 1}" y2="{base + 9}" stroke="{BLUE}" stroke-width="2"/>'
        for row in shortlist
        if column.name in scores_of(row)
    )
    decimals = places(values)
    first, final = number(min(values), decimals), number(max(values), decimals)
    ends = f'<text x="{left}" y="{height - 6}">{first}</text><text x="{width - right}" y="{height - 6}" text-anchor="end">{final}</text>'
    if first == final:
        ends = f'<text x="{width / 2}" y="{height - 6}" text-anchor="middle">{first}</text>'
    words = f"{label_of(column)}: {len(values)} values from {first} to {final}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="system-ui, sans-serif" font-size="10.5" fill="currentColor">{bars}'
        f'<line x1="{left}" x2="{width - right}" y1="{base}" y2="{base}" stroke="currentColor" stroke-opacity=".4"/>{ticks}'
        f"{ends}</svg>"
    )


def trace_svg(
    curves: Sequence[Sequence[float]], *, unit: str = "Å", last: str = "", width: int = 300, height: int = 84
) -> str:
    """Lines of one quantity over time, one for each replica, from 0 to the highest value of all.

    `last` is written below the end of the time axis: "2 ps".

    Raises
    ------
    ValueError
        A curve has fewer than two values, or there is no curve.
    """
    if not curves or min(len(curve) for curve in curves) < 2:
        raise ValueError("a trace needs two values")
    left, right, top, bottom = 34, 6, 6, 18
    high = max(max(max(curve) for curve in curves), 1e-9)
    base, room = height - bottom, width - left - right
    lines = []
    for place, curve in enumerate(curves):
        points = " ".join(
            f"{left + room * n / (len(curve) - 1):.1f},{base - (base - top) * value / high:.1f}"
            for n, value in enumerate(curve)
        )
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{_REPLICAS[place % len(_REPLICAS)]}" stroke-width="1.6"/>'
        )
    ends = ", ".join(number(curve[-1]) for curve in curves)
    words = f"{len(curves)} replica{'s' if len(curves) > 1 else ''}, highest {number(high)} {unit}, last {ends} {unit}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="system-ui, sans-serif" font-size="10" fill="currentColor"><title>{escape(words)}</title>'
        f'<path d="M{left},{top}V{base}H{width - right}" fill="none" stroke="currentColor" stroke-opacity=".35"/>'
        f'<text x="{left - 4}" y="{top + 7}" text-anchor="end">{number(high, 1)}</text><text x="{left - 4}" y="{base}" text-anchor="end">0 {escape(unit)}</text>'
        f'<text x="{width - right}" y="{height - 5}" text-anchor="end">{escape(last)}</text>{"".join(lines)}</svg>'
    )


def direction(run: Run, column: Column) -> str:
    """Which way is better, in words: as the campaign judged the ranked rows; empty where they cannot tell."""
    pairs = sorted(
        (scores_of(row)[column.name].value, row.desirability[column.name])
        for row in run.ranked
        if column.name in row.desirability and column.name in scores_of(row)
    )
    if not any(column.name in scores_of(row) for row in run.rows):
        return f"{column.better}er is better"  # whether it would have counted, no row tells
    if not any(column.name in row.desirability for row in run.rows):
        return f"{column.better}er is better, not counted in the ranking"
    wishes = [wish for _, wish in pairs]
    up, down = wishes == sorted(wishes), wishes == sorted(wishes, reverse=True)
    if not up and not down:
        return "a middle range is best"
    if (up and column.better == "low") or (down and column.better == "high"):
        return ""  # a window, seen from one side
    return f"{column.better}er is better"


def _titled(run: Run, column: Column) -> str:
    way = direction(run, column)
    return label_of(column) + (f", {way}" if way else "")


class Axis:
    """Numbers to pixels, with round ticks."""

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self.low, self.high, self.start, self.stop = low, high, start, stop
        step = 10.0 ** math.floor(math.log10((high - low) / 4))
        step *= next(m for m in (1, 2, 2.5, 5, 10) if (high - low) / (step * m) <= 6)
        first = math.ceil(low / step) * step
        self.ticks = [first + i * step for i in range(int((high - first) / step + 1e-9) + 1)]
        self.decimals = next((n for n in range(9) if abs(step - round(step, n)) < 1e-9 * step), 9)

    @classmethod
    def over(cls, values: Sequence[float], start: float, stop: float) -> Axis:
        low, high = min(values), max(values)
        pad = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
        return cls(low - pad, high + pad, start, stop)

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)
