"""A short form is what its definition says, and nothing else changes."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from literature.consistency import settled
from literature.mentions import Span

TEXT = "The neutral ion symporter (NIS) carries iodide. Loss of NIS, but not NISX, and of NIS-2 was seen."


def span(words: str, type: str, nth: int = 0) -> Span:
    at = -1
    for _ in range(nth + 1):
        at = TEXT.index(words, at + 1)
    return Span(at, at + len(words), type, 0.8)  # type: ignore[arg-type]


def read(spans: list[Span]) -> list[tuple[str, str]]:
    return [(TEXT[s.start : s.end], s.type) for s in settled(TEXT, spans)]


def test_short_forms_take_the_type_of_their_long_form() -> None:
    found = read([span("neutral ion symporter", "gene"), span("NIS", "disease"), span("iodide", "chemical")])
    assert found == [
        ("neutral ion symporter", "gene"),
        ("NIS", "gene"),
        ("iodide", "chemical"),
        ("NIS", "gene"),
        ("NIS", "gene"),  # of NIS-2; NISX is another word
    ]


def test_a_long_form_that_was_not_found_says_nothing() -> None:
    spans = [span("NIS", "disease"), span("iodide", "chemical")]
    assert settled(TEXT, spans) == spans


def test_a_longer_name_around_the_short_form_stays() -> None:
    spans = [span("neutral ion symporter", "gene"), span("NIS-2", "chemical")]
    assert ("NIS-2", "chemical") in read(spans)


def test_the_long_form_may_stand_in_the_brackets() -> None:
    text = "NIS (neutral ion symporter) was lost. NIS fell."
    (found,) = [settled(text, [Span(5, 26, "gene", 0.7)])]
    assert [(s.start, s.end) for s in found] == [(0, 3), (5, 26), (38, 41)]


@given(st.text(alphabet="AB b(ab)., ", max_size=60), st.lists(st.integers(0, 59), max_size=6))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_spans_stay_apart_sorted_and_none_is_lost(text: str, cuts: list[int]) -> None:
    edges = sorted({c for c in cuts if c <= len(text)})
    spans = [Span(a, b, "gene", 1.0) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    found = settled(text, spans)
    assert {(s.start, s.end) for s in spans} <= {(s.start, s.end) for s in found}
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
