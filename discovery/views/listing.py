"""Which plain HTML shows these rows: drawn beside their numbers, refused with their reasons, quoted?

Tables and pictures alone, no script: they show in a notebook nobody trusts and in a mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from discovery.outcome import Reason
from discovery.results import Row, Run
from discovery.target import STANCE, Statement
from discovery.views.cards import ALL_REASONS, Album, cells_of, decimals_of, marks_of
from discovery.views.drawing import data_uri, grid_svg
from discovery.views.layout import shared_parts
from discovery.views.pocket import atoms_of
from discovery.views.pose_viewer import posed
from discovery.views.reading import column_named, deciding_first, label_of
from discovery.views.text import LINE, PAPER, TITLE, inert, number

_CELL = 'style="text-align:left;padding:4px 10px;vertical-align:middle"'
# stays while a wide table is scrolled sideways, so that a number's molecule is in sight
_MOLECULE = f'style="{PAPER};text-align:left;padding:2px;min-width:230px;max-width:230px;overflow-wrap:anywhere;position:sticky;left:0"'
_NUMBER = 'style="text-align:right;padding:4px 10px;vertical-align:middle;white-space:nowrap"'
_OVER_NUMBERS = _NUMBER.replace(";white-space:nowrap", "")  # a long head breaks
_REASON = 'style="text-align:left;padding:4px 10px;min-width:180px"'


@dataclass(frozen=True)
class Html:
    """A piece of a page: shown by a notebook, or saved."""

    text: str

    def _repr_html_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Html of {len(self.text):,} characters; the last line of a notebook cell shows it"


def shown(run: Run, n: int, names: Sequence[str]) -> Html:
    """The first `n` rows with pictures and the columns named; alerts are coloured on the atoms.

    All columns, those that decide first, where none is named.
    """
    columns = [column_named(run, name) for name in names] or deciding_first(run)
    rows, decimals = run.rows[:n], decimals_of(run)
    album = Album(2_000_000, rows)
    has_utility = any(row.utility is not None for row in run.rows)
    has_reasons = any(row.missing for row in rows)
    heads = [
        "molecule",
        *(["overall"] if has_utility else []),
        *(label_of(column) for column in columns),
        *(["why it is not ranked" if run.ranked else "what is missing"] if has_reasons else []),
    ]
    body = []
    for row in rows:
        alerts, marks = marks_of(row)
        svg = album.picture(row.smiles, marks=marks, width=220, height=140)
        named = escape(_ranked_name(row))
        picture = (
            f'<img width="220" height="140" alt="structure of {named}" src="{data_uri(svg)}">'
            if svg
            else f"<code>{escape(inert(row.text, limit=60))}</code>"
            if row.text.strip()
            else "–"
        )
        names = ", ".join(item.alert.name for item in alerts)
        said = f"<br><small>⚠ {escape(names)}</small>" if names else ""
        id = f" <small>{escape(inert(row.id))}</small>" if row.title != row.id else ""
        line = [f"<td {_MOLECULE}>{picture}<br><b>{named}</b>{id}{said}</td>"]
        if has_utility:
            line.append(f"<td {_NUMBER}>{number(row.utility) if row.utility is not None else '–'}</td>")
        for cell in cells_of(row, columns, decimals):
            if cell.why:
                line.append(f"<td {_NUMBER}><i>{escape(cell.why_short)}</i></td>")
            else:
                error = f" ± {cell.error}" if cell.error else ""
                line.append(f"<td {_NUMBER}>{cell.text}{error}</td>")
        if has_reasons:
            why = inert(row.missing, limit=200) if row.missing else ""
            line.append(f"<td {_REASON}><small>{escape(why)}</small></td>")
        body.append(f'<tr style="{LINE}">{"".join(line)}</tr>')
    numbers = len(heads) - 1 - has_reasons
    styles = [_MOLECULE, *[_OVER_NUMBERS] * numbers, *[_CELL] * has_reasons]
    return Html(_table(heads, body, f"{len(rows)} of {len(run.rows):,} molecules", styles))


def pictures(rows: Sequence[Row], columns: int) -> Html:
    """Structures only, in a grid, with rank and name below each."""
    if not rows:
        return Html("<p>No molecules.</p>")
    pairs = [(row.smiles, _ranked_name(row)) for row in rows]
    svg = grid_svg(pairs, columns=columns, like=shared_parts([smiles for smiles, _ in pairs]))
    return Html(f'<img alt="{len(rows)} structures" style="background:#fff" src="{data_uri(svg)}">')


def refused(run: Run, examples: int) -> Html:
    """How many rows each reason cost, with examples.

    A table that nobody ranks has rows without a rank that nothing is wrong with: those are not counted.
    """
    ranking = any(row.rank is not None for row in run.rows) or not run.finished
    rows = [row for row in run.unranked if row.missing or ranking]
    groups: dict[Reason | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.missing.reason if row.missing else None, []).append(row)
    body = []
    for reason, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        words = ALL_REASONS[reason] if reason else "Not ranked yet"
        told = "<br>".join(escape(_why(row)) for row in members[:examples])
        body.append(
            f"<tr><td {_NUMBER}>{len(members):,}</td><td {_CELL}>{escape(words)}</td><td {_CELL}><small>{told}</small></td></tr>"
        )
    caption = f"{len(rows):,} {'unranked' if ranking else 'refused'}"
    return Html(_table(["molecules", "reason", "for example"], body, caption))


def contact_maps(rows: Sequence[Row], receptor_pdb: str) -> Html:
    """Flat maps of these rows' poses, side by side: which atom touches which residue, how, and how far."""
    pieces = []
    like = shared_parts([row.smiles for row in rows])
    for one in posed(rows, atoms_of(receptor_pdb)):
        svg, name = one.contact_map(like), escape(_ranked_name(one.row))
        picture = (
            f'<img width="430" alt="contacts of {name}" src="{data_uri(svg)}">'
            if svg
            else "<p>no contact was recorded</p>"
        )
        pieces.append(
            f'<figure style="display:inline-block;margin:4px;{PAPER}"><figcaption><b>{name}</b></figcaption>'
            f"{picture}</figure>"
        )
    return Html(f"<div>{''.join(pieces)}</div>")


def quotes(statements: Sequence[Statement], n: int = 5) -> Html:
    """Claims, whether they are affirmed or denied, and in which words; retracted ones struck out, ours labelled so."""
    body = []
    for statement in statements[:n]:
        quote = f"“{escape(inert(statement.quote, limit=600))}”"
        quote = f"<del>{quote}</del> <b>retracted, not counted</b>" if statement.retracted else quote
        label = (
            "<br><b>illustrative example text, not literature</b>" if statement.kind == "illustrative" else ""
        )
        claim = f"{inert(statement.subject)} {inert(statement.predicate)} {inert(statement.object)}"
        where = " · ".join(
            inert(part) for part in (statement.title, statement.section, statement.year or "") if part
        )
        body.append(
            f"<tr><td {_CELL}>{escape(claim)}</td><td {_CELL}>{STANCE[statement.sign]}</td><td {_CELL}>{quote}<br><small>{escape(inert(statement.source))}"
            f" · {escape(where)}</small>{label}</td><td {_NUMBER}>{number(statement.confidence)}</td></tr>"
        )
    caption = f"{min(n, len(statements))} of {len(statements):,} quotes"
    return Html(_table(["claim", "speaks", "quote", "confidence"], body, caption))


def _ranked_name(row: Row) -> str:
    name = inert(row.title, limit=TITLE)
    return f"{row.rank}. {name}" if row.rank is not None else name


def _why(row: Row) -> str:
    """A row's name and what is wrong with it; most reasons begin with the name."""
    said = inert(row.missing.detail if row.missing else "", limit=160)
    return said if said.startswith((row.id, row.title)) else f"{inert(row.title, limit=TITLE)}: {said}"


def _table(heads: Sequence[str], body: Sequence[str], caption: str, styles: Sequence[str] = ()) -> str:
    styles = styles or [_CELL] * len(heads)
    head = "".join(f"<th {style}>{escape(name)}</th>" for style, name in zip(styles, heads, strict=True))
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse"><caption style="text-align:left">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
