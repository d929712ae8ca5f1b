"""What a run says while it runs: one stream of events, four sinks.

A terminal shows a live table, a notebook a bar, a batch log a line a minute; for a
program, one JSON line an event. All say the same: how many molecules ended well, how many failed, how
many are left; a bar never reaches its end by skipping.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal, TextIO

from discovery.outcome import UserError
from discovery.views.text import inert

STYLES = ("auto", "terminal", "lines", "json", "silent")
Kind = Literal["run", "stage", "progress", "done", "note", "warning"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened.

    `stage` names the step ("round 0: docking"). `done`, `ok` and `failed` count
    molecules; `total` is how many the step has.
    """

    kind: Kind
    stage: str = ""
    text: str = ""
    done: int = 0
    total: int = 0
    ok: int = 0
    failed: int = 0
    seconds: float = 0.0


Sink = Callable[[Event], None]


class UnknownStyle(UserError, ValueError):
    """There is no such way to show progress; the message lists the ways."""


def silent(event: Event) -> None:
    """Keeps nothing."""


@dataclass
class JsonLines:
    """One JSON object an event: for programs that watch."""

    out: TextIO = field(default_factory=lambda: sys.stderr)

    def __call__(self, event: Event) -> None:
        said = {key: value for key, value in asdict(event).items() if value not in ("", 0, 0.0)}
        print(
            json.dumps({"time": round(time.time(), 3), **said}, ensure_ascii=True), file=self.out, flush=True
        )


@dataclass
class Lines:
    """Plain lines with the time of day: for a log that a person reads, or a terminal that cannot redraw.

    A line when a step begins or ends, when something is to be noted, and on the way once
    a minute, with how long is left at the pace so far.
    """

    out: TextIO = field(default_factory=lambda: sys.stderr)
    every_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _begun: dict[str, tuple[int, float]] = field(default_factory=dict)  # step -> first count heard, and when
    _last: float = field(default=-math.inf)
    _told: str = ""

    def __call__(self, event: Event) -> None:
        now = self.clock()
        count, since = self._begun.setdefault(event.stage, (event.done, now))
        told = describe(event)
        if event.kind == "done" and told == self._told:
            return  # the way's last line has said it
        parts = [time.strftime("%Y-%m-%d %H:%M:%S"), told]
        if event.kind == "progress":
            if now - self._last < self.every_s:
                return
            self._last = now
            if event.total > event.done > count:
                left = (event.total - event.done) * (now - since) / (event.done - count)
                parts.append(f"about {duration(left)} left")
        self._told = told
        print(" | ".join(parts), file=self.out, flush=True)


@dataclass
class Notebook:
    """A bar in Jupyter, with the count of failures; plain text where widgets are absent."""

    _handle: Any = None
    _last: float = 0.0
    _share: float = 0.0

    def __call__(self, event: Event) -> None:
        from IPython.display import HTML, display

        if event.kind == "progress" and time.monotonic() - self._last < 0.2:
            return
        if event.kind == "warning":  # stays; the bar's words are gone with the next event
            display(HTML(f"<b>⚠</b> {escape(describe(event))}"))  # type: ignore[no-untyped-call]
            return
        self._last = time.monotonic()
        if event.kind == "done":
            self._share = 100.0
        elif event.kind in ("stage", "progress"):
            self._share = 100.0 * event.done / event.total if event.total else 0.0
        body = (
            f"<progress max='100' value='{self._share:.1f}' style='width:16em'></progress> "
            f"<span>{escape(describe(event))}</span>"
        )
        if self._handle is None:
            self._handle = display(HTML(body), display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(HTML(body))  # type: ignore[no-untyped-call]


class Terminal:
    """Live rows in a terminal, one a step."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:<32}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}
        self._progress.start()

    def __call__(self, event: Event) -> None:
        from rich.markup import escape

        stage = escape(inert(event.stage))
        if event.kind in ("note", "warning", "run"):
            self._progress.console.print(
                escape(describe(event)), style="yellow" if event.kind == "warning" else ""
            )
            return
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._progress.add_task(stage, total=event.total or None, note="")
        counted = f"{event.ok} ok, {event.failed} without" if event.ok or event.failed else ""
        note = ", ".join(filter(None, (counted, escape(inert(event.text)))))
        total = event.total or (event.done if event.kind == "done" else None)
        self._progress.update(self._tasks[event.stage], completed=event.done, total=total, note=note)

    def close(self) -> None:
        self._progress.stop()


def describe(event: Event) -> str:
    """An event as one line of text."""
    parts = [inert(part) for part in (event.stage, event.text) if part]
    if event.total or event.done:
        of = f" of {event.total:,}" if event.total else ""
        ends = f": {event.ok:,} ok, {event.failed:,} without a score" if event.ok or event.failed else ""
        parts.append(f"{event.done:,}{of}{ends}")
    if event.seconds:
        parts.append(duration(event.seconds))
    return " | ".join(parts)


def duration(seconds: float) -> str:
    """A time as one says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def choose(style: str = "auto") -> Sink:
    """The sink for where this process runs, or of a `style`: "auto", "terminal", "lines", "json" or "silent".

    Raises
    ------
    UnknownStyle
        There is no such style.
    """
    if style not in STYLES:
        raise UnknownStyle(f"--progress is one of {', '.join(STYLES)}, not {style!r}")
    if style == "silent":
        return silent
    if style == "json":
        return JsonLines()
    if style == "lines":
        return Lines()
    if style == "terminal" or sys.stderr.isatty():
        return Terminal()
    return Notebook() if "ipykernel.kernelapp" in sys.modules else Lines()


def close(sink: Sink) -> None:
    """Let a sink put the terminal back in order."""
    if isinstance(sink, Terminal):
        sink.close()
