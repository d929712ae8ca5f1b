"""In what do two tables of molecules differ: what they hold, and how good it is?

Two runs, two proposers, two engines. Numbers stand side by side column by column, each
with how many molecules have one; molecules in both are followed from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from discovery.results import Row, Run
from discovery.score import Column
from discovery.views.drawing import data_uri
from discovery.views.reading import label_of, scores_of
from discovery.views.score_plot import BLUE, ORANGE, Axis
from discovery.views.text import inert, number, places

OVERALL = Column("overall", "1", "high", "Overall")


@dataclass(frozen=True, slots=True)
class Spread:
    """How one table's numbers lie."""

    n: int
    low: float  # lowest
    first: float  # quartiles
    middle: float
    third: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        if not values:
            return None
        low, first, middle, third, high = (float(x) for x in np.percentile(values, [0, 25, 50, 75, 100]))
        return cls(len(values), low, first, middle, third, high)


@dataclass(frozen=True, slots=True)
class Compared:
    """One column, in both tables."""

    column: Column
    one: Spread | None
    other: Spread | None
    agreement: float | None  # Spearman's rank correlation over shared molecules; None below three of them
    shared: int  # molecules with a number in both


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two tables, side by side."""

    names: tuple[str, str]
    sizes: tuple[int, int]
    shared: int  # different molecules in both
    columns: tuple[Compared, ...]

    def __repr__(self) -> str:
        return f"Comparison of {self.names[0]} with {self.names[1]}: {self.shared} molecules in both"

    def _repr_html_(self) -> str:
        cell = 'style="text-align:right;padding:4px 10px;white-space:nowrap"'
        left = 'style="text-align:left;padding:4px 10px"'
        names = [escape(inert(name, limit=60)) for name in self.names]
        wrap = "normal" if max(map(len, names)) > 24 else "nowrap"
        who = f'style="text-align:left;padding:4px 10px;white-space:{wrap}"'
        agreeing = any(compared.agreement is not None for compared in self.columns)  # else a column of dashes
        heads = ["", "column", "molecules", "median (quartiles)", "best", *["agreement on shared"] * agreeing]
        body = []
        for compared in self.columns:
            picture = data_uri(_boxes(compared))
            agreement = (
                f"{number(compared.agreement)} ({compared.shared})" if compared.agreement is not None else "–"
            )
            ends = [
                v
                for s in (compared.one, compared.other)
                if s
                for v in (s.low, s.first, s.middle, s.third, s.high)
            ]
            decimals = places(ends)
            for nth, spread in enumerate((compared.one, compared.other)):
                start = (
                    f'<td rowspan="2" style="background:#fff"><img width="240" height="56" alt="{escape(label_of(compared.column))}: both spreads" src="{picture}"></td>'
                    f'<td rowspan="2" {left}>{escape(label_of(compared.column))}</td>'
                    if nth == 0
                    else ""
                )
                end = f'<td rowspan="2" {cell}>{agreement}</td>' if agreeing and nth == 0 else ""
                if spread is None:
                    body.append(
                        f"<tr>{start}<td {who}>{names[nth]}: 0</td><td {cell}>–</td><td {cell}>–</td>{end}</tr>"
                    )
                    continue
                best = spread.high if compared.column.better == "high" else spread.low
                body.append(
                    f"<tr>{start}<td {who}>{names[nth]}: {spread.n:,}</td><td {cell}>{number(spread.middle, decimals)} "
                    f"({number(spread.first, decimals)} to {number(spread.third, decimals)})</td>"
                    f"<td {cell}>{number(best, decimals)}</td>{end}</tr>"
                )
        head = "".join(f"<th {left}>{name}</th>" for name in heads)
        caption = f"{names[0]} ({self.sizes[0]:,}, blue, above) and {names[1]} ({self.sizes[1]:,}, orange, below); {self.shared:,} molecules in both"
        return (
            f'<table style="border-collapse:collapse"><caption style="text-align:left">{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        )


def compare(one: Run, other: Run, names: tuple[str, str] | None = None) -> Comparison:
    """Every column that both have, the overall desirability first where both have it.

    Raises
    ------
    ValueError
        A column of the same name has another unit in the other table: such numbers cannot
        stand beside each other.
    """
    there = {column.name: column for column in other.columns}
    shared_columns = []
    for column in one.columns:
        if column.name not in there:
            continue
        if there[column.name].unit != column.unit:
            raise ValueError(
                f"{column.name} is in {column.unit} in one table and in {there[column.name].unit} in the other"
            )
        shared_columns.append(column)
    made = [_compared(column, one, other) for column in shared_columns]
    if _numbers(one, OVERALL) and _numbers(other, OVERALL):
        made.insert(0, _compared(OVERALL, one, other))
    both = {row.smiles for row in one.rows if row.smiles} & {row.smiles for row in other.rows if row.smiles}
    return Comparison(
        names or (one.name, other.name), (len(one.rows), len(other.rows)), len(both), tuple(made)
    )


def _compared(column: Column, one: Run, other: Run) -> Compared:
    mine, theirs = _numbers(one, column), _numbers(other, column)
    both = sorted(mine.keys() & theirs.keys())
    agreement = None
    if len(both) >= 3:
        ranks = np.array([_ranks([mine[s] for s in both]), _ranks([theirs[s] for s in both])])
        if (ranks.std(axis=1) > 0).all():
            agreement = float(np.corrcoef(ranks)[0, 1])
    spreads = (Spread.of(_values(one, column)), Spread.of(_values(other, column)))
    return Compared(column, *spreads, agreement, len(both))


def _ranks(values: Sequence[float]) -> list[float]:
    """Equal numbers share the mean of their ranks."""
    array = np.array(values)
    return [float((array < value).sum() + ((array == value).sum() - 1) / 2) for value in values]


def _value(row: Row, column: Column) -> float | None:
    if column is OVERALL:
        return row.utility
    found = scores_of(row).get(column.name)
    return None if found is None else found.value


def _values(run: Run, column: Column) -> list[float]:
    return [value for row in run.rows if (value := _value(row, column)) is not None]


def _numbers(run: Run, column: Column) -> dict[str, float]:
    """Structure -> number, its first where a molecule stands in several rows."""
    found: dict[str, float] = {}
    for row in run.rows:
        value = _value(row, column)
        if row.smiles and value is not None:
            found.setdefault(row.smiles, value)
    return found


def _boxes(compared: Compared, *, width: int = 240, height: int = 56) -> str:
    spreads = [spread for spread in (compared.one, compared.other) if spread is not None]
    parts = []
    if spreads:
        across = Axis.over([*(s.low for s in spreads), *(s.high for s in spreads)], 8, width - 8)
        for y, colour, spread in ((14, BLUE, compared.one), (34, ORANGE, compared.other)):
            if spread is None:
                continue
            parts.append(
                f'<line x1="{across(spread.low):.1f}" x2="{across(spread.high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="1.5"/>'
                f'<rect x="{across(spread.first):.1f}" y="{y - 6}" width="{max(across(spread.third) - across(spread.first), 1):.1f}" height="12" fill="{colour}" fill-opacity=".35" stroke="{colour}"/>'
                f'<line x1="{across(spread.middle):.1f}" x2="{across(spread.middle):.1f}" y1="{y - 8}" y2="{y + 8}" stroke="{colour}" stroke-width="3"/>'
            )
        for value in across.ticks[:: max(1, len(across.ticks) // 3)]:
            parts.append(
                f'<text x="{across(value):.1f}" y="{height - 2}" text-anchor="middle">{number(value, across.decimals)}</text>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="10" fill="#1A2330">{"".join(parts)}</svg>'
    )
