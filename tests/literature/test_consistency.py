"""A short form is what its definition says, a name means what it meant before, and nothing else changes."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.mentions import Span
from literature.model.consistency import closed, echoed, settled

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


# --- a name that comes again ---------------------------------------------------------------------

ROWS = {"gene": ([1], [2]), "chemical": ([3], [4])}
AGAIN = "MAO binds SFN. SFN rose; as AS did, SFN-2 and sfn fell."


def windows(text: str, **said: float) -> list[tuple[list[tuple[int, int]], np.ndarray]]:
    """Two windows, cut at the first full stop; the nth "SFN" is a gene by so many nats (negative: no name)."""
    words = [m.span() for m in re.finditer(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]", text)]
    scores = np.full((len(words), 5), -9.0, dtype=np.float32)
    scores[:, 0] = 0.0
    seen = 0
    for at, (a, b) in enumerate(words):
        if text[a:b] == "SFN":
            gene = said[f"n{seen}"]
            scores[at] = [0.0, gene, -9.0, -9.0, -9.0]
            seen += 1
    scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    cut = next(at for at, (a, _) in enumerate(words) if text[a] == ".") + 1
    return [(words[:cut], scores[:cut]), (words[cut:], scores[cut:])]


def gene_odds(read: list[tuple[list[tuple[int, int]], np.ndarray]]) -> list[float]:
    return [
        float(row[1] - row[0])
        for words, scores in read
        for (a, b), row in zip(words, scores, strict=True)
        if AGAIN[a:b] == "SFN"
    ]


def echo(**said: float) -> list[float]:
    read = windows(AGAIN, **said)
    at = AGAIN.index("SFN")
    again = echoed(AGAIN, read, [Span(at, at + 3, "gene", 0.9)], ROWS, [0])  # type: ignore[arg-type]
    assert again is not None
    for (_, before), after in zip(read, again, strict=True):
        np.testing.assert_allclose(np.exp(after).sum(axis=1), 1, rtol=1e-5)
        assert after.shape == before.shape
    return gene_odds([(words, after) for (words, _), after in zip(read, again, strict=True)])


def test_a_name_found_twice_is_found_the_third_time() -> None:
    first, second, third = echo(n0=3.0, n1=2.0, n2=-1.0)
    assert third == pytest.approx(-1.0 + 0.5 * (3.0 + 2.0) / 2, abs=1e-4)
    assert first == pytest.approx(3.0 + 0.5 * (2.0 - 1.0) / 2, abs=1e-4)
    assert second > 2.0


def test_a_name_refused_elsewhere_is_doubted_here() -> None:
    assert echo(n0=1.0, n1=-6.0, n2=-6.0)[0] == pytest.approx(
        1.0 - 0.5 * 4.0, abs=1e-4
    )  # no surer than 4 nats


def test_a_text_without_repeats_changes_nothing() -> None:
    text = "SFN binds MAO. as AS"
    read = windows(text, n0=2.0)
    once = [Span(0, 3, "gene", 0.9), Span(18, 20, "gene", 0.9)]  # AS is not "as"
    assert echoed(text, read, once, ROWS, [0]) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "meant"),
    [("TNF (alpha", "TNF (alpha)"), ("ALS)", "ALS"), ("(HIV)", "(HIV)"), ("p[53", "p[53"), (")", ")"), ("p53", "p53")],
)  # fmt: skip
def test_brackets_are_closed_or_left_out(found: str, meant: str) -> None:
    text = f"of {meant if meant.startswith(found) else found} in"
    span = closed(text, Span(3, 3 + len(found), "gene", 1.0))
    assert text[span.start : span.end] == meant
