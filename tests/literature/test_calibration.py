"""Probabilities of claims: a curve that is found again, that rises with the weight, and that stays silent where it must."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from literature.article import Article
from literature.calibration import Curve, Judged, fitted, kind, probability, shipped
from literature.claims import Claim, claims
from literature.lexicon import Concept
from literature.mentions import DictionaryTagger, Mention, find
from literature.names.dictionary import shipped as names

DRUG = Mention(0, 1, "a", Concept("C", "chemical", "a"), 1.0, "name")
GENE = Mention(2, 3, "b", Concept("G", "gene", "b"), 1.0, "name")


def claim(predicate: str, weight: float) -> Claim:
    return Claim(DRUG, predicate, GENE, 1, False, weight, 0, 3)


def test_a_curve_is_found_again() -> None:
    """Reference: claims drawn by a curve of known slope and heights."""
    drawn = np.random.default_rng(7)
    true = Curve(0.8, {"chemical|gene|inhibits": 0.5, "chemical|gene|binds": -1.0})
    made: list[Judged] = []
    for predicate in ("inhibits", "binds"):
        for weight in drawn.uniform(0.05, 0.95, 4000):
            one = claim(predicate, float(weight))
            chance = true(one)
            assert chance is not None
            made.append(Judged(one, bool(drawn.random() < chance)))
    found = fitted(made)
    assert found.slope == pytest.approx(true.slope, abs=0.08)
    for name, height in true.heights.items():
        assert found.heights[name] == pytest.approx(height, abs=0.1)


def test_few_claims_of_a_kind_are_drawn_to_the_others_of_their_types() -> None:
    many = [Judged(claim("inhibits", 0.5), n % 4 == 0) for n in range(400)]
    found = fitted([*many, Judged(claim("binds", 0.5), True)])
    assert 1 / (1 + math.exp(-found.heights["chemical|gene|binds"])) < 0.6


def test_it_rises_with_the_weight_and_falls_with_the_links() -> None:
    curve = shipped()
    for name in curve.heights:
        one = replace(claim(name.rsplit("|", 1)[1], 0.2))
        if kind(one) != name:
            continue
        low, high = curve(one), curve(replace(one, confidence=0.8))
        assert low is not None
        assert high is not None
        assert 0 < low < high < 1
    unsure = replace(claim("inhibits", 0.4), subject=replace(DRUG, score=0.5))
    sure = probability(claim("inhibits", 0.8))
    assert sure is not None
    assert probability(unsure) == pytest.approx(sure / 2)


def test_what_no_corpus_marks_has_none() -> None:
    denied = replace(claim("inhibits", 0.8), sign=-1)
    assert probability(denied) is None
    assert probability(claim("is fond of", 0.8)) is None


def test_a_plain_sentence_is_surer_than_a_mention() -> None:
    article = Article.of("A:1", [("abstract", "Gefitinib inhibits EGFR. Imatinib and BRCA1 were studied.")])
    told = {
        c.predicate: probability(c)
        for c in claims(article, find(article, DictionaryTagger(names()), names()))
    }
    assert told["inhibits"] is not None
    assert told["mentioned with"] is not None
    assert told["inhibits"] > 0.4 > told["mentioned with"]
