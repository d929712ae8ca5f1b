"""Which molecules of a run belong together?

A list hides that seven of its best are one idea. Series are families of likeness about
their best member, so the order of the ranking is the order of the series.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from discovery.diversity import leaders
from discovery.molecule import Molecule
from discovery.results import Row, Run
from discovery.score import Column
from discovery.views.cards import Album
from discovery.views.reading import scores_of, title_of
from discovery.views.text import TITLE, inert, number

RADIUS = 0.6  # Tanimoto distance (ECFP4) to a series' best member
COMPARED = 1_500  # ranked rows that are grouped
SHOWN = 8  # members of a series that are drawn
DIFFERING = 3  # columns in which a series is told to differ


@dataclass(frozen=True, slots=True)
class Member:
    """A molecule of a series, small."""

    row: Row
    title: str
    picture: Markup
    utility: str


@dataclass(frozen=True, slots=True)
class Series:
    """Molecules like one another; the first is the best."""

    members: tuple[Member, ...]  # the first few, best first
    count: int
    ranges: tuple[tuple[str, str, str, str], ...]  # label, best, worst, unit


def series_of(run: Run, album: Album, *, most: int = 12) -> tuple[tuple[Series, ...], int]:
    """The ranked rows in series, best series first, and how many rows stand alone."""
    rows = run.ranked[:COMPARED]
    families = leaders([Molecule(row.smiles, row.id) for row in rows], RADIUS)
    several = [[rows[place] for place in family] for family in families if len(family) > 1]
    series = tuple(
        Series(
            tuple(_member(row, album) for row in family[:SHOWN]), len(family), _ranges(family, run.columns)
        )
        for family in several[:most]
    )
    return series, sum(len(family) == 1 for family in families)


def _member(row: Row, album: Album) -> Member:
    return Member(
        row,
        inert(row.title, limit=TITLE),
        album.picture(row.smiles, width=168, height=106),
        number(row.utility, 2) if row.utility is not None else "",
    )


def _ranges(family: list[Row], columns: tuple[Column, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """From the best to the worst number, in the few columns in which the family differs most to the ranking."""
    found = []
    for column in columns:
        wishes = [row.desirability[column.name] for row in family if column.name in row.desirability]
        if len(wishes) < 2 or min(wishes) == max(wishes):
            continue
        values = [s.value for row in family if (s := scores_of(row).get(column.name)) is not None]
        best, worst = (max(values), min(values)) if column.better == "high" else (min(values), max(values))
        decimals = 0 if all(value == round(value) for value in values) else 2
        unit = "" if column.unit == "1" else inert(column.unit)
        said = (title_of(column), number(best, decimals), number(worst, decimals), unit)
        found.append((max(wishes) - min(wishes), said))
    return tuple(said for _, said in sorted(found, key=lambda pair: -pair[0])[:DIFFERING])
