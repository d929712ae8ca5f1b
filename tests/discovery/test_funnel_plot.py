"""The funnel's picture is drawn to scale and says its counts."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from discovery.outcome import Counts
from discovery.results import StageCount
from discovery.views.funnel_plot import ENDS, funnel_html, funnel_svg

SVG = "{http://www.w3.org/2000/svg}"
STAGES = (
    StageCount("proposal", Counts(1000, 900, 60, 0, 40), 1.0),
    StageCount("<script>", Counts(900, 100, 0, 800, 0), 75.0),
    StageCount("docking", Counts(100, 90, 10, 0, 0), 3700.0),
)


def test_lengths_are_to_scale() -> None:
    """Law: all parts of all bars have the same number of molecules per pixel."""
    root = ElementTree.fromstring(funnel_svg(STAGES))
    bars = [
        (float(e.get("width", "0")), e.findtext(f"{SVG}title") or "")
        for e in root.iter(f"{SVG}rect")
        if e.find(f"{SVG}title") is not None
    ]
    counts = [int(words.split()[0].replace(",", "")) for _, words in bars]
    assert counts == [900, 40, 60, 100, 800, 90, 10]
    scale = bars[0][0] / counts[0]
    for (length, _), n in zip(bars, counts, strict=True):
        assert length == pytest.approx(max(n * scale, 2.0), abs=0.11)


def test_says_its_counts_and_escapes_names() -> None:
    svg = funnel_svg(STAGES)
    assert "<script>" not in svg
    assert "900 of 1,000 · 1.0 s" in svg
    assert "90 of 100 · 1 h 1 min" in svg
    assert all(words in svg for _, words, _ in ENDS)
    assert 'alt="Funnel' in funnel_html(STAGES)


def test_empty_stages_and_no_stage() -> None:
    ElementTree.fromstring(funnel_svg([StageCount("empty", Counts(0, 0, 0, 0, 0), 0.0)]))
    with pytest.raises(ValueError, match="at least one stage"):
        funnel_svg([])
