"""References: Open Targets' published worked example; laws any score of evidence must keep."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.target import Statement
from literature.article import Article
from literature.claims import claims
from literature.evidence import REPEAT, Evidence, bearing, harmonic_sum, paper, recency, summed
from literature.mentions import DictionaryTagger, find
from literature.names.dictionary import shipped

WEIGHTS = st.lists(st.floats(0, 1), max_size=30)


def test_the_worked_example_of_open_targets() -> None:
    """Open Targets Platform documentation, "Target-disease associations": evidence of 1, 0.9 and 0.8.

    harmonic sum = 1.0/1^2 + 0.9/2^2 + 0.8/3^2, scaled by the sum over a vector of 1,000 ones (about 1.644).
    """
    limit = math.fsum(1.0 / (i * i) for i in range(1, 1001))
    assert limit == pytest.approx(1.644, abs=1e-4)
    assert harmonic_sum([0.8, 1.0, 0.9]) == pytest.approx((1.0 + 0.225 + 0.8 / 9) / limit, abs=1e-9)
    # their forum, "How is the OT Genetics score listed": 0.61861/1 + 0.58457/4 = 0.7647525 before scaling
    assert harmonic_sum([0.61861, 0.58457]) * limit == pytest.approx(0.7647525, abs=1e-9)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(WEIGHTS, st.floats(0, 1), st.randoms(use_true_random=False))
def test_more_evidence_never_lowers_a_score_and_order_is_nothing(
    weights: list[float], more: float, random: object
) -> None:
    shuffled = list(weights)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for score in (harmonic_sum, paper):
        assert 0.0 <= score(weights) <= 1.0
        assert score(shuffled) == pytest.approx(score(weights))
        assert score([*weights, more]) >= score(weights) - 1e-12


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_a_paper_cannot_vote_many_times(weights: list[float]) -> None:
    assert paper(weights) <= max(weights) * REPEAT + 1e-12
    assert paper(weights) >= max(weights) - 1e-12


def statement(
    sign: int = 1, source: str = "PMID:1", predicate: str = "agonist of", **more: object
) -> Statement:
    fields: dict[str, object] = {"confidence": 0.8, "quote": "q", "year": 2020} | more
    return Statement("drug", predicate, "gene", sign=sign, source=source, **fields)  # type: ignore[arg-type]


def test_support_and_contradiction_are_two_numbers() -> None:
    found = summed([statement(), statement(-1, "PMID:2"), statement(0, "PMID:3")], "agonist of")
    assert found.support == pytest.approx(harmonic_sum([0.8]))
    assert found.contradiction == pytest.approx(harmonic_sum([0.8]))
    assert found.score == pytest.approx(found.support * (1 - found.contradiction / 2))
    assert (found.papers, found.sentences) == (3, 3)


def test_a_retracted_paper_counts_for_nothing() -> None:
    alive = [statement()]
    dead = statement(source="PMID:9", retracted=True)
    assert summed([*alive, dead], "agonist of").support == summed(alive, "agonist of").support
    assert summed([dead], "agonist of").score == 0.0
    assert summed([dead], "agonist of").retracted == 1
    article = Article.of("PMID:9", [("title", "Sumatriptan is a 5-HT1B agonist")], retracted=True)
    claim = claims(article, find(article, DictionaryTagger(shipped()), shipped()))[0]
    assert Evidence.of(article, claim).weight == 0.0
    assert Evidence.of(dataclasses.replace(article, retracted=False), claim).weight == pytest.approx(0.9)


def test_an_old_paper_weighs_less_but_never_less_than_half() -> None:
    assert recency(2024, 2024) == 1.0
    assert recency(2014, 2024) == pytest.approx(0.75)
    assert recency(1800, 2024) == pytest.approx(0.5, abs=1e-4)
    assert recency(2030, 2024) == 1.0
    assert recency(None, 2024) == recency(2014, 2024)


@pytest.mark.parametrize(
    ("other", "sign", "says"),
    [
        ("agonist of", 1, 1),
        ("activates", 1, 1),
        ("binds", 1, 1),
        ("binds", -1, -1),
        ("antagonist of", 1, -1),
        ("inhibits", -1, 0),  # no antagonist: says nothing of being an agonist
        ("agonist of", -1, -1),
        ("agonist of", 0, 0),
        ("treats", 1, 0),
        ("mentioned with", 0, 0),
    ],
)
def test_what_other_predicates_say_of_an_agonist(other: str, sign: int, says: int) -> None:
    assert bearing(statement(sign, predicate=other), "agonist of") == says


def test_evidence_is_quoted_verbatim() -> None:
    article = Article.of(
        "PMID:1", [("title", "T."), ("results", "First. Sumatriptan relieved migraine. Last.")]
    )
    claim = claims(article, find(article, DictionaryTagger(shipped()), shipped()))[0]
    found = Evidence.of(article, claim).statement()
    assert found.quote == "Sumatriptan relieved migraine."
    assert article.text[found.start : found.end] == found.quote
    assert (found.section, found.smiles != "") == ("results", True)
