"""One stream of events, three sinks that say the same; no name can act on a terminal."""

from __future__ import annotations

import io
import json
import re

import pytest

from discovery.events import (
    Event,
    JsonLines,
    Lines,
    Notebook,
    Terminal,
    UnknownStyle,
    choose,
    close,
    describe,
)

HOSTILE = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>\x00\u202e"


def test_json_lines_are_one_object_each_and_plain_ascii() -> None:
    out = io.StringIO()
    sink = JsonLines(out)
    sink(Event("progress", "round 0: docking", done=3, total=9, ok=2, failed=1))
    sink(Event("note", HOSTILE, "µM"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    first = json.loads(lines[0])
    assert (first["done"], first["ok"], first["failed"]) == (3, 2, 1)
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()


def test_a_line_says_how_many_failed_and_nothing_acts() -> None:
    out = io.StringIO()
    Lines(out)(Event("done", HOSTILE, done=9, total=9, ok=7, failed=2))
    assert "9 of 9: 7 ok, 2 without a score" in out.getvalue()
    assert not set(out.getvalue()) & set("\x1b\x07\x00\u202e")


def test_a_log_tells_once_a_minute_how_far_and_how_long() -> None:
    out, now = io.StringIO(), [0.0]
    log = Lines(out, clock=lambda: now[0])
    for done in range(0, 5000, 10):  # ten molecules a second
        now[0] = done / 10
        log(Event("progress", "screen", done=done, total=10_000, ok=done))
    lines = out.getvalue().splitlines()
    assert len(lines) == 9  # 500 seconds
    assert "\r" not in out.getvalue()
    assert re.match(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| screen \| 4,800 of 10,000: 4,800 ok, 0 without", lines[-1]
    )
    assert lines[-1].endswith("about 9 min left")


def test_the_end_of_a_step_is_told_once() -> None:
    out = io.StringIO()
    log = Lines(out)
    for kind in ("stage", "progress", "done"):
        log(
            Event(kind, "docking", done=3 * (kind != "stage"), total=3, ok=3 * (kind != "stage"), seconds=9.0)
        )
    assert [line.split(" | ")[2] for line in out.getvalue().splitlines()] == [
        "0 of 3",
        "3 of 3: 3 ok, 0 without a score",
    ]


def test_rows_found_done_already_do_not_shorten_what_is_left() -> None:
    out, now = io.StringIO(), [0.0]
    log = Lines(out, clock=lambda: now[0], every_s=1.0)
    for done in (9000, 9010, 9020):
        log(Event("progress", "screen", done=done, total=10_000))
        now[0] += 10.0
    assert out.getvalue().splitlines()[-1].endswith("about 16 min left")


def test_a_stage_without_counts_is_described_by_its_text() -> None:
    assert describe(Event("warning", "ledger", "a shard is damaged")) == "ledger | a shard is damaged"


def test_the_terminal_counts_and_closes(capsys: pytest.CaptureFixture[str]) -> None:
    sink = Terminal()
    sink(Event("stage", "round 0: qed [bold]", total=4))
    sink(Event("done", "round 0: qed [bold]", done=4, total=4, ok=3, failed=1))
    sink(Event("note", text="[red]literal[/red]"))
    close(sink)
    said = capsys.readouterr().err
    assert "4/4" in said
    assert "[red]literal[/red]" in said


def test_the_notebook_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, html: object) -> None:
            shown.append(html.data)  # type: ignore[attr-defined]

    display = pytest.importorskip("IPython.display", reason="the lab extra is absent")
    monkeypatch.setattr(
        display, "display", lambda html, display_id=False: shown.append(html.data) or Handle()
    )
    sink = Notebook()
    sink(Event("stage", HOSTILE, total=2))
    sink(Event("done", HOSTILE, done=2, total=2, ok=1, failed=1))
    assert len(shown) == 2
    assert "<script>" not in "".join(shown)
    assert "value='100.0'" in shown[1]
    sink(Event("warning", "docking", "a file was damaged"))
    assert "a file was damaged" in shown[2]
    assert "<progress" not in shown[2]  # a line of its own: the bar's words are gone with the next event
    sink(Event("done", "campaign", "6 of 40 molecules ranked"))
    assert "value='100.0'" in shown[3]  # an end without a count is an end


def test_each_style_has_its_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(choose("json"), JsonLines)
    assert isinstance(choose("lines"), Lines)
    choose("silent")(Event("run"))
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(choose("auto"), Lines)


def test_a_style_that_does_not_exist_is_refused_before_the_work() -> None:
    with pytest.raises(UnknownStyle, match="auto, terminal, lines, json, silent, not 'jsn'"):
        choose("jsn")
