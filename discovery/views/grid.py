"""How does a reader leaf through a table of any length, and hand a choice back to Python?

One widget: the kernel sorts, filters and searches (sifting.py), the browser shows a page
of pictures at a time. Nothing is fetched from anywhere; without a kernel the first
structures stay as pictures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from discovery.views.pose_viewer import asset
from discovery.views.sifting import PAGE, Question, Sifter, SiftingError
from discovery.views.text import inert

if TYPE_CHECKING:
    from discovery.views.table import Table

_AHEAD_S = 0.04  # until the answer has left: drawing holds the interpreter that sends it


def grid_of(table: Table, *, page: int = PAGE) -> Any:
    """The widget for a table; `.selected` are the chosen rows' names, `.table()` the rows themselves.

    Raises
    ------
    ImportError
        The lab's packages are not installed.
    ValueError
        A page holds no row.
    """
    if page < 1:
        raise ValueError(f"a page holds at least one row, not {page}")
    return _widget_class()(table, page)


@cache
def _widget_class() -> Any:
    """Made when first asked for: its base class comes with the lab's packages."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError("the interactive grid needs: pip install 'discovery-workbench[lab]'") from error

    class Grid(anywidget.AnyWidget):
        """A table to leaf through: sort, filter, search by substructure, choose."""

        _esm = asset("grid.js")
        _css = asset("grid.css")
        about = traitlets.Dict().tag(sync=True)  # columns, ranges, size of a page: told once
        asked = traitlets.Dict().tag(sync=True)  # what the reader wants to see
        shown = traitlets.Dict().tag(sync=True)  # one page, drawn
        ahead = traitlets.Dict().tag(sync=True)  # the page after it, and of which answer
        selected = traitlets.List(traitlets.Unicode()).tag(sync=True)  # names of the chosen rows
        choose = traitlets.Unicode("").tag(sync=True)  # "found": choose all that were found; "none": nothing

        def __init__(self, table: Table, page: int) -> None:
            self._table, self._sifter, self._page = table, Sifter(table.run), page
            super().__init__(
                about={
                    "name": inert(table.run.name, limit=120),
                    "columns": [[name, label] for name, label in self._sifter.labels.items()],
                    "better": self._sifter.better,
                    "ranges": {name: list(ends) for name, ends in self._sifter.ranges().items()},
                    "rows": len(self._sifter),
                }
            )
            self.observe(self._answer, names="asked")
            self.observe(self._choose, names="choose")
            self._answer({})

        def table(self) -> Table:
            """The chosen rows, in the table's order."""
            chosen = set(self.selected)
            return self._table.where(lambda row: row.id in chosen)

        def _answer(self, change: Any) -> None:
            began, asked = time.perf_counter(), dict(self.asked)
            try:
                places = self._found()
                pages = max(1, -(-len(places) // self._page))
                at = min(max(int(asked.get("page", 0)), 0), pages - 1)
                part = places[at * self._page : (at + 1) * self._page]
                rows = self._sifter.page(part, str(asked.get("smarts", "")))
                self.shown = {
                    "rows": rows,
                    "found": len(places),
                    "page": at,
                    "pages": pages,
                    "error": "",
                    "serial": asked.get("serial", 0),
                    "seconds": round(time.perf_counter() - began, 4),
                }
                if not asked.get("serial"):
                    return  # the first page is not on the screen yet
                after = places[(at + 1) * self._page : (at + 2) * self._page]
                smarts, serial = str(asked.get("smarts", "")), self.shown["serial"]
                self._look_ahead(partial(self._draw_ahead, after, smarts, at + 1, serial))
            except (SiftingError, ValueError, TypeError) as error:  # half-typed SMARTS: said beside the box
                said = inert(error, limit=200)
                self.shown = {**self.shown, "error": said, "serial": asked.get("serial", 0)}

        def _look_ahead(self, draw: Callable[[], None]) -> None:
            """The next page is drawn while the reader looks, but not before this one is on its way."""
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # no kernel: nobody waits
                draw()
            else:
                loop.call_later(_AHEAD_S, draw)

        def _draw_ahead(self, places: Any, smarts: str, page: int, of: Any) -> None:
            self.ahead = {"rows": self._sifter.page(places, smarts), "page": page, "of": of}

        def _choose(self, change: Any) -> None:
            if self.choose == "found":
                new = [self._sifter.ids[place] for place in self._found()]
                self.selected = list(dict.fromkeys([*self.selected, *new]))
            elif self.choose == "none":
                self.selected = []
            self.choose = ""

        def _found(self) -> Any:
            return self._sifter.find(Question.of(self.asked, frozenset(self.selected)))

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            """With a picture of the first rows, which stays when the kernel is gone."""
            made = super()._repr_mimebundle_(**kwargs)
            data = made[0] if isinstance(made, tuple) else made
            if data is not None:
                data["text/html"] = self._table.pictures(12).text
            return made

    return Grid
