"""How does a reader leaf through a table of any length, and hand a choice back to Python?

One widget: the kernel sorts, filters and searches (sifting.py), the browser shows a page
of pictures at a time. Nothing is fetched from anywhere; without a kernel the first
structures stay as pictures.
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from discovery.extras import needs
from discovery.views.pose_viewer import asset
from discovery.views.sifting import PAGE, Question, Sifter, SiftingError
from discovery.views.text import inert

if TYPE_CHECKING:
    from discovery.views.table import Table

_AHEAD_S = 0.04  # until the answer has left: drawing holds the interpreter that sends it
_DEPTH = 3  # pages that travel ahead of the reader
_NEAR = 8  # pages on either side of the reader that the browser keeps


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
    with needs("lab"):
        import anywidget
        import traitlets

    class Grid(anywidget.AnyWidget):
        """A table to leaf through: sort, filter, search by substructure, choose."""

        _esm = asset("grid.js")
        _css = asset("grid.css")
        about = traitlets.Dict().tag(sync=True)  # columns, ranges, size of a page: told once
        asked = traitlets.Dict().tag(sync=True)  # what the reader wants to see
        shown = traitlets.Dict().tag(sync=True)  # one page; without rows when they travelled ahead
        ahead = traitlets.Dict().tag(sync=True)  # a page near it, drawn before it is asked for
        # Names of the chosen rows. The browser tells each choice and writes none, so what it shows as
        # chosen is what the next cell gets; state it wrote itself would wait behind other state.
        selected = traitlets.List(traitlets.Unicode()).tag(sync=True)

        def __init__(self, table: Table, page: int) -> None:
            self._table, self._sifter, self._page = table, Sifter(table.run), page
            self._sent: set[int] = set()  # the pages of this question that the browser keeps
            self._question: Any = None
            self._next: Any = None  # the drawing that waits
            super().__init__(
                about={
                    "name": inert(table.run.name, limit=120),
                    "columns": [[name, label] for name, label in self._sifter.labels.items()],
                    "better": self._sifter.better,
                    "ranges": {name: list(ends) for name, ends in self._sifter.ranges().items()},
                    "rows": len(self._sifter),
                    "near": _NEAR,
                }
            )
            self.observe(self._answer, names="asked")
            self.on_msg(self._choose)
            self._answer({})

        def table(self) -> Table:
            """The chosen rows, in the table's order."""
            chosen = set(self.selected)
            return self._table.where(lambda row: row.id in chosen)

        def _answer(self, change: Any) -> None:
            began, asked = time.perf_counter(), dict(self.asked)
            if self._next is not None:
                self._next.cancel()
            about = {"serial": asked.get("serial", 0), "question": asked.get("question", 0)}
            try:
                places = self._found(asked)
                pages = max(1, -(-len(places) // self._page))
                at = min(max(int(asked.get("page", 0)), 0), pages - 1)
                smarts, held = str(asked.get("smarts", "")), bool(asked.get("held"))
                self.shown = {
                    "rows": None if held else self._sifter.page(self._part(places, at), smarts),
                    "held": held,
                    "found": len(places),
                    "page": at,
                    "pages": pages,
                    "error": "",
                    "seconds": round(time.perf_counter() - began, 4),
                    **about,
                }
            except (SiftingError, ValueError, TypeError) as error:  # half-typed SMARTS: said beside the box
                said = inert(error, limit=200)
                self.shown = {**self.shown, "error": said, **about}
                return
            question = {key: value for key, value in asked.items() if key not in ("page", "serial", "held")}
            if question != self._question:
                self._question, self._sent = question, set()
            self._sent = {page for page in {*self._sent, at} if abs(page - at) <= _NEAR}
            if about["serial"] and not asked.get("chosen"):  # serial 0: nobody sees the first page yet
                self._look_ahead(places, at, smarts)

        def _part(self, places: Any, page: int) -> Any:
            return places[page * self._page : (page + 1) * self._page]

        def _look_ahead(self, places: Any, at: int, smarts: str) -> None:
            """The next pages are drawn while the reader looks, but not before this one is on its way."""
            coming = range(at + 1, min(at + 1 + _DEPTH, -(-len(places) // self._page)))
            page = next((page for page in coming if page not in self._sent), None)
            if page is None:
                return

            def draw() -> None:
                rows = self._sifter.page(self._part(places, page), smarts)
                self._sent.add(page)
                self.ahead = {"rows": rows, "page": page, "question": self.shown["question"]}
                self._look_ahead(places, at, smarts)

            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # no kernel: nobody waits
                draw()
            else:
                self._next = loop.call_later(_AHEAD_S, draw)

        def _choose(self, _: Any, told: Any, buffers: Any) -> None:
            """`{"found": question}` chooses all that it finds, `{"ids": [..], "on": bool}` these or not, `{"none": 1}` nothing."""
            kept = [] if "none" in told else list(self.selected)
            if "found" in told:
                try:
                    kept += [self._sifter.ids[place] for place in self._found(told["found"])]
                except (SiftingError, ValueError, TypeError):
                    return  # said beside the box already
            for name in map(str, told.get("ids", ())):
                kept = [*(one for one in kept if one != name), *([name] if told.get("on") else [])]
            self.selected = list(dict.fromkeys(kept))

        def _found(self, asked: Any) -> Any:
            return self._sifter.find(Question.of(asked, frozenset(self.selected)))

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            """With a picture of the first rows, which stays when the kernel is gone."""
            made = super()._repr_mimebundle_(**kwargs)
            data = made[0] if isinstance(made, tuple) else made
            if data is not None:
                data["text/html"] = self._table.pictures(12).text
            return made

    return Grid
