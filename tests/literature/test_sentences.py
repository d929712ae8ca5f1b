"""Law: sentences hold every character that is not space, once, in order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.sentences import split


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.text("abcA.?! ()1\n\"'β", max_size=80))
def test_nothing_is_lost_or_said_twice(text: str) -> None:
    spans = split(text)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(a < b for a, b in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("Rats were used. No effect was seen.", 2),
        ("Doses (e.g. 10 mg/kg) were given. Vehicle (n = 12. SEM shown) was not.", 2),
        ("Smith et al. Nature reported it.", 1),
        ("E. coli grew. S. aureus did not.", 2),
        ("It rose 2.5-fold vs. controls. P < 0.05.", 2),
        ("Was it 5-HT1B? We think so!", 2),
        ("injected i.v. The rats slept.", 2),
        ("See Fig. 3 for details.", 1),
        ("levels fell. α-Synuclein rose. mRNA fell.", 3),
        ("", 0),
        ("   \n ", 0),
    ],
)
def test_stops_and_what_only_looks_like_one(text: str, n: int) -> None:
    assert len(split(text)) == n


def test_a_long_text_costs_little() -> None:
    """A bracket that never closes must not make time grow with the square of the length."""
    assert len(split("(open. " + "A word. " * 20_000)) > 10_000
