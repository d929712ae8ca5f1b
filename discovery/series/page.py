"""What would a chemist forward about a series: one HTML file with tables and pictures.

Like the report of a run, it fetches nothing, sends nothing, and runs no script at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from discovery.files import publish
from discovery.score import Score
from discovery.series.cliffs import Cliffs
from discovery.series.free_wilson import FreeWilson
from discovery.series.measured import Measured
from discovery.series.rgroups import RGroupTable
from discovery.series.scaffolds import Scaffolds
from discovery.series.sheet import CORE, Drawing, Sheet, left_out
from discovery.views.layout import Part
from discovery.views.pose_viewer import asset, policy, templates
from discovery.views.reading import label_of
from discovery.views.text import number


@dataclass(frozen=True, slots=True)
class CorePart:
    """What the page shows of one core."""

    title: str
    picture: Markup
    table: Sheet
    matrix: Sheet | None
    model: FreeWilson | None
    forest: Markup
    why_no_model: str
    suggestions: Sheet | None


def write_page(path: Path, html: str) -> Path:
    """The page as a file; it appears whole or not at all.

    Raises
    ------
    CannotWrite
        The disk refused.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    publish(path, html.encode("utf-8"))
    return path


def render(
    measured: Measured,
    scaffolds: Scaffolds,
    cores: Sequence[CorePart],
    rgroups: RGroupTable,
    cliffs: Cliffs,
    pairs: Sheet | None,
    unpaired: Sheet | None,
    no_pairs: str,
    *,
    notes: Sequence[str] = (),
) -> str:
    """The page as HTML text."""
    style = asset("report.css")
    values = [measured.value(place) for place in measured.usable]
    return (
        templates()
        .get_template("series.html.j2")
        .render(
            policy=policy([], [style]),
            style=Markup(style),
            name=measured.name,
            title=label_of(measured.column),
            better=measured.column.better,
            rows=len(measured.entries),
            usable=len(values),
            lowest=number(min(values)),
            highest=number(max(values)),
            notes=notes,
            scaffolds=scaffolds.sheet(12),
            cores=cores,
            coreless=besides(measured, rgroups.outcomes),
            pairs=pairs,
            unpaired=unpaired,
            no_pairs=no_pairs,
            cliffs=cliffs.sheet(12),
            refused=left_out(entry.missing for entry in measured.entries),
        )
    )


def besides(measured: Measured, outcomes: Sequence[object]) -> Sheet:
    """Rows that an analysis leaves out for a reason of its own: those left out of everything are told once."""
    pairs = zip(outcomes, measured.entries, strict=True)
    return left_out(outcome for outcome, entry in pairs if outcome is not entry.missing)


def core_part(
    table: RGroupTable, core: int, model: FreeWilson | None, why_no_model: str, suggestions: Sheet | None
) -> CorePart:
    """One core, made ready for the page."""
    found = table.core(core)
    counted = sum(table.measured.entries[place].missing is None for place in found.members)
    numbered = "" if counted == len(found.members) else f", {counted:,} of them with a number"
    title = f"Core {core + 1}: {len(found.members):,} molecules{numbered}"
    matrix = None
    if len(found.positions) > 1:
        made = table.matrix_sheet(core=core, n=10)
        matrix = (
            made if len(made.rows) > 2 and len(made.heads) > 2 else None
        )  # one line is in the table above
    picture = Markup(Drawing(found.drawn, *CORE).svg([Part(found.drawn, found.example)]))
    forest = Markup(forest_svg(model)) if model else Markup("")
    return CorePart(title, picture, table.sheet(10, core), matrix, model, forest, why_no_model, suggestions)


def forest_svg(model: FreeWilson, n: int = 24, *, width: int = 560) -> str:
    """Contributions as points with their intervals; the `n` groups most molecules hold."""
    known = [(c, c.effect) for c in model.contributions if not c.reference and isinstance(c.effect, Score)]
    shown = sorted(known, key=lambda item: -item[0].count)[:n]
    shown.sort(key=lambda item: (item[0].position, -item[1].value))
    if not shown:
        return ""
    ends = [0.0]
    for found, effect in shown:
        ends += [effect.value, *(found.interval or ())]
    widest = 2.5 * (max(abs(effect.value) for _, effect in shown) or 1.0)
    low, high = max(min(ends), -widest), min(max(ends), widest)
    left, right, line, top = 190, 20, 46, 8
    room = width - left - right

    def x(value: float) -> float:
        return left + (min(max(value, low), high) - low) / ((high - low) or 1.0) * room

    height = top + line * len(shown) + 44
    parts = [
        f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{top}" y2="{height - 42}" stroke="currentColor" stroke-opacity=".4"/>'
    ]
    for place, (found, effect) in enumerate(shown):
        y = top + line * place + line / 2
        parts.append(f'<text x="4" y="{y + 4:.1f}" font-weight="600">{Markup.escape(found.position)}</text>')
        drawn = "" if found.group.startswith("[H]") else Drawing(found.group, left - 50, line - 4).svg()
        if drawn:
            box = f'x="38" y="{y - line / 2 + 2:.1f}"'
            parts.append(f'<rect {box} width="{left - 50}" height="{line - 4}" rx="4" fill="#FFFFFF"/>')
            parts.append(drawn.replace("<svg ", f"<svg {box} ", 1))
        else:
            words = "H" if found.group.startswith("[H]") else found.group[:18]
            parts.append(
                f'<text x="{left - 12}" y="{y + 4:.1f}" text-anchor="end">{Markup.escape(words)}</text>'
            )
        if found.interval:
            a, b = x(found.interval[0]), x(found.interval[1])
            parts.append(
                f'<line x1="{a:.1f}" x2="{b:.1f}" y1="{y}" y2="{y}" stroke="#0072B2" stroke-width="2"/>'
            )
        parts.append(f'<circle cx="{x(effect.value):.1f}" cy="{y}" r="4" fill="#0072B2"/>')
    for value in (low, 0.0, high):
        parts.append(
            f'<text x="{x(value):.1f}" y="{height - 26}" text-anchor="middle">{number(value, 1)}</text>'
        )
    title = f"change of {label_of(model.table.measured.column)}"
    parts.append(
        f'<text x="{left + room / 2:.1f}" y="{height - 8}" text-anchor="middle">{Markup.escape(title)}</text>'
    )
    words = f"Contributions of {len(shown)} groups with 95 % intervals, cut where they leave the picture"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{words}" font-family="system-ui, sans-serif" font-size="11.5" fill="currentColor">{"".join(parts)}</svg>'
    )
