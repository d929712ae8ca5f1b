"""The doctor's lines on this machine."""

from __future__ import annotations

from docking.dynamics.checks import dynamics


def test_every_line_passes_and_says_something() -> None:
    lines = dynamics()
    assert {line.name for line in lines} >= {"dynamics: CPU", "dynamics: charges"}
    for line in lines:
        assert line.ok, line
        assert line.detail
