"""What does a reader need to see of one molecule?

Turns a row into what templates write down: pictures, numbers with unit and
uncertainty, alerts tied to their atoms, where the molecule came from, how its pose
was judged, or the reason why a number is missing. Nothing here decides a rank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from discovery.outcome import Fault, Missing, Reason
from discovery.results import Row, Run
from discovery.score import Column, Score
from discovery.views.drawing import MARK_COLOURS, Mark, UndrawableError, molecule_svg
from discovery.views.layout import shared_parts
from discovery.views.lineage import in_words
from discovery.views.pose_viewer import PosedRow
from discovery.views.reading import (
    STORED_WHOLE,
    Alert,
    Contact,
    Fact,
    alerts_of,
    contacts_of,
    deciding_first,
    facts,
    route_of,
    scores_of,
    title_of,
    verdict_of,
)
from discovery.views.score_plot import trace_svg
from discovery.views.text import TITLE, inert, number, places, spread

ALL_REASONS = {
    Reason.UNPARSABLE: "The text is no structure",
    Reason.EMPTY: "There was no structure",
    Reason.TOO_LARGE: "Too large to be scored",
    Reason.UNSUPPORTED: "No model covers this chemistry",
    Reason.UNPREPARED: "Protonation, typing or parameters failed",
    Reason.NO_CONFORMER: "No 3-D shape was found",
    Reason.OUTSIDE_BOX: "Does not fit the docking box",
    Reason.NO_PLAUSIBLE_POSE: "No physically plausible pose",
    Reason.OUT_OF_DOMAIN: "Outside the model's domain",
    Reason.DIVERGED: "The simulation diverged",
    Reason.NO_NUMBER: "No number stands there",
    Reason.BOUND: "Only a limit was measured",
    Reason.CRASHED: "The program crashed",
    Reason.TIMED_OUT: "Ran out of time",
    Reason.OUT_OF_MEMORY: "Ran out of memory",
    Reason.DEVICE_LOST: "The device was lost",
    Reason.BAD_ANSWER: "The scorer's answer was no number",
    Reason.FILTERED: "Set aside by the campaign's filters",
    Reason.DUPLICATE: "Proposed before",
    Reason.NOT_REACHED: "Not reached: better ones came first",
}
_WHOSE = {
    Fault.MOLECULE: "the molecule's fault: not tried again",
    Fault.MACHINE: "the machine's fault: tried again when the run is resumed",
    Fault.NOBODY: "nobody's fault: the campaign's choice",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One outcome, written down."""

    label: str
    unit: str
    text: str  # "−9.10", empty when missing
    error: str  # "0.35", empty when not known
    value: float | None  # for sorting
    desirability: float | None
    why: str  # why it is missing, in full; empty when it is not
    why_short: str


@dataclass(frozen=True, slots=True)
class MarkedAlert:
    """An alert with the number and colour it has in the picture; number 0 when its atoms are not known."""

    alert: Alert
    number: int
    colour: str


class Album:
    """Draws pictures until a page has enough of them; the rest are text, and are counted.

    What the first `rows` share lies the same way in all pictures.
    """

    def __init__(self, budget: int, rows: Sequence[Row] = ()) -> None:
        self.left = budget  # bytes
        self.like = shared_parts([row.smiles for row in rows])
        self.refused = 0

    def picture(
        self, smiles: str, *, marks: Sequence[Mark] = (), width: int, height: int, title: str = ""
    ) -> Markup:
        """Inline SVG, or nothing when the molecule cannot be drawn or the page is full."""
        if not smiles:
            return Markup("")
        if self.left <= 0:
            self.refused += 1
            return Markup("")
        try:
            svg = molecule_svg(smiles, marks=marks, width=width, height=height, title=title, like=self.like)
        except UndrawableError:
            return Markup("")
        self.left -= len(svg)
        return Markup(svg)


@dataclass(frozen=True, slots=True)
class Card:
    """A molecule of the shortlist, in full."""

    row: Row
    id: str
    title: str
    utility: str
    picture: Markup
    alerts: tuple[MarkedAlert, ...]
    cells: tuple[Cell, ...]
    edit: str  # what was done to the parents
    parents: tuple[tuple[Markup, str], ...]  # picture, SMILES
    contacts: tuple[Contact, ...]
    contact_map: Markup
    details: tuple[tuple[str, tuple[Fact, ...]], ...]  # column label -> what its scorer left
    traces: tuple[tuple[str, Markup], ...]
    extras: tuple[
        tuple[str, str, str, str], ...
    ]  # label, number, error, unit: what a scorer measured beside its score
    verdict: Fact | None  # the plausibility check's, in one line
    has_pose: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A molecule of the long table."""

    row: Row
    id: str
    title: str
    utility: str
    picture: Markup
    alerts: tuple[MarkedAlert, ...]
    cells: tuple[Cell, ...]
    search: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An unranked molecule with its reason."""

    id: str
    title: str
    text: str
    picture: Markup
    stage: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """All that share one reason."""

    reason: str
    words: str
    whose: str
    count: int
    lines: tuple[Refusal, ...]


def decimals_of(run: Run) -> dict[str, int]:
    """How many decimals each column is written with."""
    found = {}
    for column in run.columns:
        values = [scores_of(row)[column.name].value for row in run.rows if column.name in scores_of(row)]
        found[column.name] = places(values) if values else 2
    return found


def marks_of(row: Row) -> tuple[tuple[MarkedAlert, ...], tuple[Mark, ...]]:
    """The row's alerts, and the atoms they stand on."""
    listed: list[MarkedAlert] = []
    marks: list[Mark] = []
    for alert in alerts_of(row):
        n = len(marks) + 1 if alert.atoms else 0
        colour = MARK_COLOURS[(n - 1) % len(MARK_COLOURS)] if n else ""
        listed.append(MarkedAlert(alert, n, colour))
        if n:
            marks.append(Mark(alert.atoms, str(n), colour))
    return tuple(listed), tuple(marks)


def cells_of(row: Row, columns: Sequence[Column], decimals: Mapping[str, int]) -> tuple[Cell, ...]:
    """One cell for each column, in the campaign's order."""
    return tuple(
        _cell(column, row.outcomes.get(column.name), row, decimals[column.name]) for column in columns
    )


def _cell(column: Column, outcome: Score | Missing | None, row: Row, decimals: int) -> Cell:
    unit = "" if column.unit == "1" else inert(column.unit)
    label = title_of(column)
    if isinstance(outcome, Score):
        error = "" if outcome.error is None else spread(outcome.error, decimals)
        wish = row.desirability.get(column.name)
        return Cell(label, unit, number(outcome.value, decimals), error, outcome.value, wish, "", "")
    if isinstance(outcome, Missing):
        short = outcome.reason.value.replace("_", " ")
        if outcome.reason is Reason.BOUND:  # the limit itself says more
            short = next(iter(re.findall(r"'([^']*)'", outcome.detail)), short)
        return Cell(label, unit, "", "", None, None, inert(outcome, limit=300), inert(short, limit=30))
    return Cell(label, unit, "", "", None, None, "not scored yet", "not yet")


def card_of(
    row: Row,
    run: Run,
    decimals: Mapping[str, int],
    posed: PosedRow | None,
    album: Album,
    names: Mapping[str, str],
) -> Card:
    """Everything a card says; `names` are the run's molecules by structure (see `lineage.names_of`)."""
    alerts, marks = marks_of(row)
    titles = {column.name: title_of(column) for column in run.columns}
    details, traces = [], []
    extras: list[tuple[str, str, str, str]] = []
    if planned := route_of(row):
        stock = f"({planned.absent} not in stock)" if planned.absent else "(all in stock)"
        extras.append(("Steps to make", str(planned.steps), "", stock))
    for name, score in scores_of(row).items():
        rest = {
            key: value
            for key, value in score.details.items()
            if key not in STORED_WHOLE and value not in ([], {}, None, "")
        }
        curves = _curves(rest.get("rmsd"))
        if curves:
            times = _curves(rest.get("times_ps"))
            last = f"{times[0][-1]:g} ps" if times else ""
            traces.append((titles.get(name, inert(name)), Markup(trace_svg(curves, last=last))))
        extras += _extras(rest)
        lines = facts(
            {key: value for key, value in rest.items() if key not in ("rmsd", "times_ps") or not curves}
        )
        if lines:
            details.append((titles.get(name, inert(name)), lines))
    return Card(
        row,
        inert(row.id),
        inert(row.title, limit=TITLE),
        number(row.utility, 2) if row.utility is not None else "",
        album.picture(row.smiles, marks=marks, width=340, height=205, title=f"Structure of {row.title}"),
        alerts,
        cells_of(row, run.columns, decimals),
        in_words(row, names),
        tuple(
            (album.picture(parent, width=150, height=100, title="Parent"), inert(parent, limit=200))
            for parent in row.parents[:4]
        ),
        contacts_of(row),
        Markup(posed.contact_map(album.like) if posed else ""),
        tuple(details),
        tuple(traces),
        tuple(extras),
        verdict_of(row),
        posed is not None,
    )


def _curves(value: object) -> list[list[float]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    if len(value) > 1 and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in value):
        return [[float(x) for x in value]]
    inner = [_curves(part) for part in value if isinstance(part, Sequence)]
    return [curve for curves in inner for curve in curves] if len(inner) == len(value) else []


def _extras(details: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    found = []
    kept = details.get("contacts_kept")
    if isinstance(kept, (int, float)) and not isinstance(kept, bool):
        found.append(("Contacts kept in MD", number(100 * kept, 0), "", "%"))
    binding, error = details.get("mmgbsa_kcal_per_mol"), details.get("mmgbsa_error_kcal_per_mol")
    if isinstance(binding, (int, float)) and not isinstance(binding, bool):
        known = isinstance(error, (int, float)) and not isinstance(error, bool)
        found.append(
            ("MM-GBSA", number(binding, 1), spread(float(error or 0), 1) if known else "", "kcal/mol")
        )
    return found


def line_of(row: Row, run: Run, decimals: Mapping[str, int], album: Album) -> Line:
    """A row of the long table, with a small picture while there is room."""
    alerts, marks = marks_of(row)
    said = [row.id, row.name, row.smiles, row.proposer, row.edit, *(item.alert.name for item in alerts)]
    return Line(
        row,
        inert(row.id),
        inert(row.title, limit=TITLE),
        number(row.utility, 3) if row.utility is not None else "",
        album.picture(row.smiles, marks=marks, width=168, height=106),
        alerts,
        cells_of(row, deciding_first(run), decimals),
        inert(" ".join(said), limit=600).lower(),
    )


def refusals(run: Run, album: Album, *, budget: int) -> tuple[Refusals, ...]:
    """Every unranked molecule by its reason, faults first, the campaign's own choices last.

    They are listed one by one until they fill `budget` bytes; the counts are of all.
    """
    by_reason: dict[Reason | None, list[Row]] = {}
    for row in run.unranked:
        by_reason.setdefault(row.missing.reason if row.missing else None, []).append(row)
    order = [*[reason for reason in Reason if reason in by_reason], *([None] if None in by_reason else [])]
    titles = {column.name: title_of(column) for column in run.columns}
    groups = []
    for reason in order:
        rows = by_reason[reason]
        lines = []
        for row in rows:
            if budget <= 0:
                break
            why = row.missing or Missing("campaign", Reason.NOT_REACHED, "not ranked yet")
            _, marks = marks_of(row)
            text = inert(row.text, limit=240)
            detail = inert(why.detail, limit=400)
            budget -= len(escape(text + detail).encode()) + 250  # and the tags about them
            lines.append(
                Refusal(
                    inert(row.id),
                    inert(row.title, limit=TITLE),
                    text,
                    album.picture(row.smiles, marks=marks, width=168, height=106),
                    titles.get(why.stage, inert(why.stage)),
                    detail,
                )
            )
        name = reason.value.replace("_", " ") if reason else "not ranked yet"
        words = ALL_REASONS.get(reason, name) if reason else "Not ranked yet"
        groups.append(Refusals(name, words, _WHOSE[reason.fault] if reason else "", len(rows), tuple(lines)))
    return tuple(groups)
