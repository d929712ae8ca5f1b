"""How do two scores lie against each other, and what does each point look like?

A scatter whose points show their structures when they are pointed at or reached by
keyboard. The same picture stands without scripts, with the best few drawn below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from discovery.results import Row, Run
from discovery.score import Column
from discovery.views.drawing import UndrawableError, data_uri, molecule_svg
from discovery.views.layout import Part, shared_parts
from discovery.views.pose_viewer import asset, policy
from discovery.views.reading import scores_of, title_of
from discovery.views.score_plot import scatter_svg
from discovery.views.text import TITLE, inert, number

DRAWN = 400  # points with a picture; more would make a cell of many megabytes


@dataclass(frozen=True)
class Chart:
    """A scatter of a run's rows: shown by a notebook, or saved as a page."""

    run: Run
    x: Column
    y: Column
    front: tuple[str, ...] = ()  # names of the rows on the front of these two scores, from left to right

    def svg(self) -> str:
        """The picture alone; rows of the front, or of the shortlist where none is asked for, carry their ranks."""
        named = [row for row in self.run.ranked if row.id in self.front] or self.run.ranked[:24]
        picture = scatter_svg(self.run, self.x, self.y, named, front=self.front)
        return picture.replace("currentColor", "#1A2330")

    def page(self) -> str:
        """A page of its own: the points show their structures."""
        style, script = asset("chart.css"), asset("chart.js")
        pictured = self._pictured()
        like = shared_parts([row.smiles for row in pictured])
        cards = "".join(self._card(row, like) for row in pictured)
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy([script], [style])}">'
            f"<title>{escape(self._words)}</title><style>{style}</style></head>"
            f'<body><div class="ch"><figure>{self.svg()}</figure><aside aria-live="polite">'
            f"<p>Point at a molecule, or reach it with the tabulator key.</p></aside></div>"
            f'<div hidden id="cards">{cards}</div><script>{script}</script></body></html>'
        )

    def _pictured(self) -> Sequence[Row]:
        held = [
            row for row in self.run.rows if self.x.name in scores_of(row) and self.y.name in scores_of(row)
        ]
        on = set(self.front)
        return sorted(held, key=lambda row: (row.id not in on, row.rank is None, row.rank or 0))[:DRAWN]

    def _card(self, row: Row, like: Sequence[Part]) -> str:
        try:
            picture = molecule_svg(row.smiles, width=220, height=150, like=like)
        except UndrawableError:
            picture = escape(inert(row.text, limit=60))
        numbers = "".join(
            f"<dt>{escape(title_of(column))}</dt><dd>{number(scores_of(row)[column.name].value, 2)}</dd>"
            for column in (self.x, self.y)
        )
        rank = f"{row.rank}. " if row.rank is not None else ""
        return f'<div data-id="{escape(row.id)}">{picture}<b>{rank}{escape(inert(row.title, limit=TITLE))}</b><dl>{numbers}</dl></div>'

    def __repr__(self) -> str:
        return (
            f"Chart of {self.y.name} against {self.x.name}; the last line of a notebook cell shows it, .page() is the "
            "page"
        )

    def _repr_html_(self) -> str:
        """The page in a frame that may run nothing but its own script; below, what shows without any."""
        return (
            f'<iframe sandbox="allow-scripts" title="{escape(self._words)}" srcdoc="{escape(self.page())}" '
            'width="760" height="380" style="border:0"></iframe>'
            f"<details><summary>As a picture</summary>{self.text}</details>"
        )

    @property
    def text(self) -> str:
        """The picture alone, as a notebook nobody trusts shows it."""
        return f'<img alt="{escape(self._words)}" style="background:#fff" src="{data_uri(self.svg())}">'

    @property
    def _words(self) -> str:
        return f"{title_of(self.y)} against {title_of(self.x)}"


def front_of(run: Run, x: Column, y: Column) -> tuple[str, ...]:
    """Rows than which no other is better in both columns, from left to right; unranked rows do not count."""
    held = [row for row in run.ranked if x.name in scores_of(row) and y.name in scores_of(row)]

    def cost(row: Row, column: Column) -> float:
        value = scores_of(row)[column.name].value
        return value if column.better == "low" else -value

    best: list[Row] = []
    for row in sorted(held, key=lambda row: (cost(row, x), cost(row, y))):
        if not best or cost(row, y) < cost(best[-1], y):
            best.append(row)
    return tuple(row.id for row in sorted(best, key=lambda row: scores_of(row)[x.name].value))
