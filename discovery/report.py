"""What would a chemist forward to a colleague: one HTML file that holds the whole run.

It opens with the shortlist as structures, and says for every other molecule why it
is not there. The file fetches nothing and sends nothing: pictures, styles, scripts
and the 3-D library travel inside it, and its content security policy lets no other
script run. Texts that came with the data are inert.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from discovery.files import publish
from discovery.results import Run
from discovery.score import Column
from discovery.target import STANCE, Statement
from discovery.views.cards import Album, card_of, decimals_of, line_of, refusals
from discovery.views.contact_map import KIND_LOOK
from discovery.views.funnel_plot import funnel_svg
from discovery.views.kinship import series_of
from discovery.views.lineage import names_of
from discovery.views.pocket import atoms_of
from discovery.views.pose_viewer import LIBRARY, asset, policy, posed, scene, script_json, templates
from discovery.views.reading import deciding_first, label_of, scores_of, stages_of, title_of
from discovery.views.score_plot import direction, histogram_svg, scatter_svg, trade_off
from discovery.views.text import duration, inert, number

SHORTLIST = 24  # cards with a pose each; more would be leafed through, not read
QUOTES = 24  # quotes laid open; the weaker ones are folded away
TABLE = 1_500  # ranked rows written out; the rest are in the run's table
PAPER_ROWS = 12  # unranked rows of each reason that are printed; report.css counts to the same number
REASONS = 2_500_000  # bytes of unranked rows written out one by one; all are counted
PICTURES = 3_800_000  # bytes of structures, so that the file can be mailed (it stays under 10 MB)


def write_report(run: Run, path: Path) -> Path:
    """Write the report of a finished or half-finished run; it appears whole or not at all.

    Parameters
    ----------
    run : what was found
    path : the file, or a folder to write `report.html` into

    Returns
    -------
    The file written.

    Raises
    ------
    CannotWrite
        The disk refused.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    publish(path, render(run).encode("utf-8"))
    return path


def render(run: Run) -> str:
    """The report as HTML text."""
    best = run.ranked[:SHORTLIST]
    receptor = atoms_of(run.receptor_pdb)
    poses = posed(best, receptor)
    by_id = {pose.row.id: pose for pose in poses}
    decimals = decimals_of(run)
    album = Album(PICTURES, run.ranked or run.rows)
    names, stages = names_of(run), stages_of(run)
    cards = [card_of(row, run, decimals, by_id.get(row.id), album, names) for row in best]
    series, alone = series_of(run, album)
    lines = [line_of(row, run, decimals, album) for row in run.ranked[:TABLE]]
    groups = refusals(run, album, budget=REASONS)

    scripts = [asset("report.js")]
    if poses:
        scripts = [asset(LIBRARY), asset("viewer.js"), *scripts]
    style = asset("report.css") + asset("viewer.css")
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            run=run,
            policy=policy(scripts, [style]),
            style=Markup(style),
            scripts=[Markup(script) for script in scripts],
            viewer=Markup(asset("viewer.html.j2")) if poses else "",
            scene=script_json(scene(run, poses, receptor)) if poses else "",
            library_licence=asset("3Dmol.LICENSE").splitlines() if poses else [],
            cards=cards,
            series=series,
            alone=alone,
            before_the_rest=_before_the_rest(run),
            lines=lines,
            lines_left=len(run.ranked) - len(lines),
            groups=groups,
            unranked_left=len(run.unranked) - sum(len(group.lines) for group in groups),
            undrawn=album.refused,
            funnel=Markup(funnel_svg(stages)) if stages else "",
            stages=stages,
            plots=Markup(scatter_svg(run, *pair, best)) if (pair := trade_off(run)) else "",
            evidence=[
                _quote(s) for s in sorted(run.statements, key=lambda s: s.retracted)
            ],  # stays strongest first
            illustrative=any(statement.kind == "illustrative" for statement in run.statements),
            columns=[_about(column, run) for column in run.columns],
            labels=[(label_of(column), inert(column.about)) for column in deciding_first(run)],
            quotes_first=QUOTES,
            paper_rows=PAPER_ROWS,
            provenance=_written(run.provenance),
            kinds=[(kind, colour) for kind, (colour, _) in KIND_LOOK.items()] if poses else [],
            duration=duration,
            counting=max((len(row.desirability) for row in run.ranked), default=0),
        )
    )


# Scores


def _before_the_rest(run: Run) -> tuple[int, str] | None:
    """How many rows lead because a late stage was run on them alone, and the stage's name."""
    for column in reversed(run.columns):
        has = [column.name in row.desirability for row in run.ranked]
        n = sum(has)
        if 0 < n < len(has) and all(has[:n]):
            return n, title_of(column)
    return None


@dataclass(frozen=True, slots=True)
class ColumnAbout:
    """What a column means, for the glossary."""

    name: str
    label: str
    better: str
    about: str
    filled: int
    histogram: Markup


def _about(column: Column, run: Run) -> ColumnAbout:
    filled = sum(column.name in scores_of(row) for row in run.rows)
    return ColumnAbout(
        column.name,
        label_of(column),
        direction(run, column),
        inert(column.about),
        filled,
        Markup(histogram_svg(run, column, run.ranked[:SHORTLIST])) if filled else Markup(""),
    )


# Evidence


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement, written down."""

    statement: Statement
    claim: tuple[str, str, str]
    source: str
    link: str  # empty unless the source is one whose address we know
    where: str  # title, section, year
    stance: str
    confidence: str
    label: str  # what it must be labelled as


_PUBMED = re.compile(r"^PMID:\s?(\d{1,9})$")
_DOI = re.compile(r"^(?:doi:)?(10\.\d{4,9}/[\w.()/:;-]{1,200})$", re.IGNORECASE | re.ASCII)
_LABEL = {"illustrative": "illustrative example text, not literature", "patent": "patent", "literature": ""}


def _quote(statement: Statement) -> Quote:
    source = inert(statement.source, limit=120)
    found, doi = _PUBMED.match(source), _DOI.match(source)
    link = f"https://pubmed.ncbi.nlm.nih.gov/{found[1]}/" if found else ""
    link = f"https://doi.org/{doi[1]}" if doi else link
    where = [statement.title, statement.section, "" if statement.year is None else str(statement.year)]
    return Quote(
        statement,
        (inert(statement.subject), inert(statement.predicate), inert(statement.object)),
        source,
        "" if statement.kind == "illustrative" else link,
        " · ".join(text for text in (inert(part, limit=300) for part in where) if text),
        STANCE[statement.sign],
        number(statement.confidence, 2),
        _LABEL.get(statement.kind, statement.kind),
    )


# Provenance


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of the provenance: a line, or a heading with lines below it."""

    name: str
    text: str
    inside: tuple[Written, ...] = ()


_SECRET = re.compile(
    r"(?:^|[_\W])(?:token|secret|password|passwd|passphrase|credentials?|(?:api|private|access)[_ -]?key)$",
    re.IGNORECASE,
)


def _written(mapping: Mapping[str, Any]) -> tuple[Written, ...]:
    lines = []
    for key, value in mapping.items():
        name = inert(key).replace("_", " ")
        if _SECRET.search(str(key)) and not isinstance(value, Mapping):
            lines.append(Written(name, "withheld"))
        elif isinstance(value, Mapping):
            lines.append(Written(name, "" if value else "none", _written(value)))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if any(isinstance(entry, Mapping) for entry in value):
                inside = {str(n): entry for n, entry in enumerate(value, start=1)}
                lines.append(Written(name, "", _written(inside)))
            else:
                lines.append(Written(name, ", ".join(inert(entry, limit=300) for entry in value) or "none"))
        else:
            lines.append(Written(name, "not known" if value is None else inert(value, limit=2000)))
    return tuple(lines)
