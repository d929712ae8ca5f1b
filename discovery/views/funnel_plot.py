"""Where did the molecules go: how many entered each stage, and how did they end?"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from discovery.results import StageCount
from discovery.views.drawing import data_uri
from discovery.views.text import duration, inert

# (field, words, colour): Okabe and Ito's, light to dark, so they also differ in grey
ENDS = (
    ("n_ok", "went on", "#009E73"),
    ("n_filtered", "set aside", "#C9CED6"),
    ("n_duplicate", "duplicate", "#56B4E9"),
    ("n_failed", "failed", "#D55E00"),
)


def funnel_svg(funnel: Sequence[StageCount], *, width: int = 760) -> str:
    """One bar per stage, its length the molecules that entered, its parts how they ended.

    Raises
    ------
    ValueError
        There is no stage to draw.
    """
    if not funnel:
        raise ValueError("a funnel needs at least one stage")
    row, top, left, right = 34, 34, 182, 128
    room = width - left - right
    widest = max(stage.counts.n_in for stage in funnel) or 1
    height = top + row * len(funnel) + 4
    parts, x = [], float(left)
    for _, words, colour in ENDS:
        parts.append(f'<rect x="{x:g}" y="8" width="11" height="11" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{x + 16:g}" y="18">{words}</text>')
        x += 30 + 7 * len(words)
    for place, stage in enumerate(funnel):
        y = top + place * row
        counts = stage.counts
        parts.append(
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end" font-weight="600">{escape(inert(stage.stage, limit=26))}</text>'
        )
        x = float(left)
        for field, words, colour in ENDS:
            n = getattr(counts, field)
            if not n:
                continue
            length = max(room * n / widest, 2.0)
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="22" fill="{colour}"><title>{n:,} {words}</title></rect>'
            )
            if length > 9 * len(f"{n:,}") + 4:
                ink = "#FFFFFF" if field in ("n_ok", "n_failed") else "#1A2330"
                parts.append(
                    f'<text x="{x + length / 2:.1f}" y="{y + 15.5}" text-anchor="middle" fill="{ink}" font-weight="600">{n:,}</text>'
                )
            x += length
        parts.append(
            f'<text x="{x + 8:.1f}" y="{y + 15.5}">{counts.n_ok:,} of {counts.n_in:,} · {duration(stage.seconds)}</text>'
        )
    words = "; ".join(f"{inert(s.stage)}: {s.counts.n_ok} of {s.counts.n_in} went on" for s in funnel)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="system-ui, sans-serif" font-size="12.5" fill="currentColor">{"".join(parts)}</svg>'
    )


def funnel_html(funnel: Sequence[StageCount]) -> str:
    """The same as an `<img>`, which an untrusted notebook still shows."""
    svg = funnel_svg(funnel).replace('fill="currentColor"', 'fill="#1A2330"')
    return f'<img style="background:#fff" alt="Funnel of the campaign" src="{data_uri(svg)}">'
