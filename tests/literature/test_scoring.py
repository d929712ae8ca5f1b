"""The strict score, against numbers counted by hand."""

from __future__ import annotations

import pytest

from literature.annotated import Annotated, Marked
from literature.mentions import Span
from literature.training.scoring import Agreement, agreement

DOCUMENT = Annotated(
    "1",
    "x" * 60,
    (Marked(0, 7, "chemical"), Marked(10, 15, "disease"), Marked(20, 25, "gene"), Marked(30, 40, None)),
)


def test_start_end_and_type_must_all_be_right() -> None:
    found = [Span(0, 7, "chemical", 1.0), Span(10, 14, "disease", 1.0), Span(20, 25, "chemical", 1.0)]
    counts = agreement([DOCUMENT], [found], ("chemical", "disease", "gene"))
    assert counts == {
        "chemical": Agreement(1, 1, 0),
        "disease": Agreement(0, 1, 1),
        "gene": Agreement(0, 0, 1),
    }
    total = sum(counts.values(), Agreement())
    assert (total.precision, total.recall, total.f1) == (1 / 3, 1 / 3, 1 / 3)


def test_types_a_corpus_does_not_mark_are_not_counted() -> None:
    found = [Span(0, 7, "chemical", 1.0), Span(50, 55, "species", 1.0)]
    assert agreement([DOCUMENT], [found], ("chemical",)) == {"chemical": Agreement(1, 0, 0)}


def test_stretches_marked_as_nearly_the_type_count_on_neither_side() -> None:
    assert agreement([DOCUMENT], [[Span(32, 36, "gene", 1.0)]], ("gene",)) == {"gene": Agreement(0, 0, 1)}


def test_nothing_found_scores_zero() -> None:
    assert Agreement(0, 0, 3).f1 == Agreement(0, 2, 0).precision == Agreement().recall == 0.0


def test_findings_for_other_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="1 documents but findings for 2"):
        agreement([DOCUMENT], [[], []], ("gene",))
