"""Is this text safe to show, and how is a number written?

Names, titles and quotes come from other people's files. Before any of them
reaches a page, a table or a terminal it passes `inert`; markup is then escaped by
whoever writes markup (jinja2's autoescape, `html.escape`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

# ESC [ ... (CSI), ESC ] ... BEL or ESC \ (OSC: titles, links), the string commands, two-byte escapes, C1 forms
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_SPACES = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")
# other controls, marks that reorder or hide what is read, byte-order marks, halves of a surrogate pair, non-characters
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)

TITLE = 80  # letters of a molecule's name that are shown
# Drawings are made for white paper; on a dark page the words beside them would stay white without it.
PAPER = "background:#fff;color:#1a2330"
# A row of a table in a notebook: JupyterLab's stripes would show between white drawings alone.
LINE = "background:transparent;border-top:1px solid rgba(128,128,128,.25)"
MINUS = "\u2212"


def inert(value: object, limit: int | None = None) -> str:
    """Text that cannot act on a terminal or on the reader's eye: no escapes, controls or reordering marks.

    Runs of line breaks and tabs become one space. With `limit`, longer text is cut
    in the open: "CCCCCC… (1,000,000 characters)".
    """
    text = value if isinstance(value, str) else str(value)
    length = len(text)
    if limit is not None and length > 4 * limit:
        text = text[: 4 * limit]  # a 10^6-character row need not be cleaned to show its first line
    text = _HIDDEN.sub("", _SPACES.sub(" ", _ESCAPES.sub("", text)))
    if limit is not None and len(text) > limit:
        return f"{text[:limit]}… ({length:,} characters)"
    return text


def places(values: Iterable[float]) -> int:
    """How many decimals a column of numbers is written with, so that its digits line up."""
    numbers = [abs(value) for value in values]
    if all(value == int(value) for value in numbers):
        return 0
    top = max(numbers)
    return 0 if top >= 1000 else 1 if top >= 100 else 2 if top >= 1 else 3


def number(value: float, decimals: int = 2) -> str:
    """A number for people: a true minus sign, and no rounding of a small number to nothing."""
    if value and abs(value) <= 0.5 * 10.0**-decimals:
        return f"{value:.1e}".replace("-", MINUS)
    if not math.isfinite(value):
        return str(value).replace("-", MINUS)
    text = f"{value:,.{decimals}f}" if abs(value) >= 10_000 else f"{value:.{decimals}f}"
    return text.replace("-", MINUS)


def spread(error: float, decimals: int = 2) -> str:
    """An uncertainty beside its number: never more digits than the number has, "<0.01" rather than 0.00."""
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if 0 < error <= 0.5 * least else number(error, decimals)


def plus_minus(value: float, error: float | None, decimals: int = 2) -> str:
    """ "−9.10 ± 0.35"; without a known error, only the number."""
    return (
        number(value, decimals) if error is None else f"{number(value, decimals)} ± {spread(error, decimals)}"
    )


def duration(seconds: float) -> str:
    """Wall time as people say it: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
