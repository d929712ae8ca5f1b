"""Text from strangers cannot act; numbers keep their digits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.views.text import MINUS, duration, inert, number, places, plus_minus


@given(st.text(alphabet=st.characters(codec=None)))
@settings(max_examples=300, derandomize=True)
def test_nothing_that_acts_is_left(text: str) -> None:
    """Law: no control, no lone surrogate, no reordering mark, by Unicode's own categories; twice is once."""
    clean = inert(text)
    assert not [c for c in clean if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(clean) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f\ufeff")
    assert inert(clean) == clean
    clean.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07name", "name"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("a\x00b\x08c", "abc"),
        ("one\r\ntwo\tthree", "one two three"),
        ("\u202egnp.exe", "gnp.exe"),
        ("5-HT\u2081B, Å, π, 中文", "5-HT\u2081B, Å, π, 中文"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),  # markup is whoever writes markup's to escape
    ],
)
def test_known_tricks(text: str, left: str) -> None:
    assert inert(text) == left


def test_long_text_is_cut_in_the_open() -> None:
    assert inert("C" * 1_000_000, limit=5) == "CCCCC… (1,000,000 characters)"
    assert inert("CCCCC", limit=5) == "CCCCC"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 4))
@settings(max_examples=200, derandomize=True)
def test_a_written_number_is_the_number(value: float, decimals: int) -> None:
    """Law: read back, it is within half of its last digit; nothing but zero is written as zero."""
    back = float(number(value, decimals).replace(MINUS, "-").replace(",", ""))
    assert back == pytest.approx(value, rel=0.05, abs=0.5001 * 10.0**-decimals)
    assert (back == 0) == (value == 0)


def test_columns_line_up() -> None:
    assert places([1.0, 3.0]) == 0
    assert places([-9.12, 0.3]) == 2
    assert places([0.12, 0.3]) == 3
    assert places([450.2, 3.1]) == 1
    assert plus_minus(-9.1, 0.349) == f"{MINUS}9.10 ± 0.35"
    assert plus_minus(-9.1, None, 1) == f"{MINUS}9.1"


def test_durations() -> None:
    assert [duration(s) for s in (0.42, 59.6, 200, 7500)] == ["0.4 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(0.6251, 0.0015, "0.63 ± <0.01"), (1.26, 0.04, "1.26 ± 0.04"), (-9.1, 0.0, f"{MINUS}9.10 ± 0.00")],
)
def test_an_uncertainty_has_no_more_digits_than_its_number(value: float, error: float, shown: str) -> None:
    assert plus_minus(value, error) == shown
