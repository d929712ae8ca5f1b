"""Counts must be those of the official scorers; calibration must be what it says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from literature.model.linear import Floats  # noqa: E402
from literature.relations.answers import Answered  # noqa: E402
from literature.relations.corpus import CHEMPROT, NONE, Pair, Related, Thing  # noqa: E402
from literature.training.relations_scoring import (  # noqa: E402
    Told,
    agree,
    best_joined,
    best_threshold,
    calibration_error,
    halves,
    signs,
    told,
)

KINDS = ("chemical", "gene")


def row(truth: str, said: str, chance: float = 0.9, also: tuple[str, ...] = ()) -> Told:
    answers = {NONE: 1 - chance, "INHIBITOR": 0.0, "ANTAGONIST": 0.0, "INDIRECT-DOWNREGULATOR": 0.0,
               "ACTIVATOR": 0.0, "PART-OF": 0.0}  # fmt: skip
    return Told(KINDS, truth, None, also, Answered(0, 1, answers | {said: chance}, None))


def test_micro_counts() -> None:
    """By hand: a wrong answer is one wrong and one missed; a second relation of a pair is missed."""
    rows = [
        row("INHIBITOR", "INHIBITOR"),
        row("INHIBITOR", "ANTAGONIST"),
        row(NONE, "ACTIVATOR"),
        row("ACTIVATOR", "ACTIVATOR", 0.2),
        row("PART-OF", "PART-OF", also=("INHIBITOR",)),
    ]
    found = agree(rows, 0.5)
    assert (found.right, found.wrong, found.missed) == (2, 2, 3)
    grouped = agree(rows, 0.5, CHEMPROT.get)
    assert (grouped.right, grouped.wrong, grouped.missed) == (1, 2, 3), "PART-OF is not scored"
    down = [row("INDIRECT-DOWNREGULATOR", "INHIBITOR")]
    assert agree(down, 0.5).right == 0
    assert agree(down, 0.5, CHEMPROT.get).right == 1
    assert signs("DrugProt", [*rows, *down, row("ACTIVATOR", "INHIBITOR")], 0.5) == (3, 4)


def test_the_threshold_is_the_best() -> None:
    rows = [row(NONE, "INHIBITOR", 0.55)] * 9 + [row("INHIBITOR", "INHIBITOR", 0.75)] * 3
    assert 0.55 < best_threshold(rows) <= 0.75


def drawn(chance: np.random.Generator, scores: Floats) -> NDArray[np.int64]:
    """Answers drawn from a softmax: the largest of scores with Gumbel noise."""
    return (scores + chance.gumbel(size=scores.shape)).argmax(axis=1)


def test_temperature_undoes_overconfidence() -> None:
    """Answers drawn from softmax(x) and stated as softmax(3 x) need a temperature of 3, and noise beside them nothing."""
    chance = np.random.default_rng(1)
    scores = chance.normal(0, 1.5, (1500, 2))
    temperature, weight = best_joined(3 * scores, chance.normal(0, 1, (1500, 2)), drawn(chance, scores))
    assert temperature == pytest.approx(3, abs=0.3)
    assert weight / temperature <= 0.1, "two and a half standard errors of what says nothing"


def test_cues_weigh_what_they_are_worth() -> None:
    """Answers drawn from softmax((network + 0.8 cues) / 2) give both numbers back."""
    chance = np.random.default_rng(2)
    network, words = chance.normal(0, 3, (2, 3000, 3))
    temperature, weight = best_joined(network, words, drawn(chance, (network + 0.8 * words) / 2))
    assert (temperature, weight) == (pytest.approx(2, abs=0.2), pytest.approx(0.8, abs=0.2))


def test_calibration_error() -> None:
    """By hand, two bins: 0.5 * |0.9 - 0.5| + 0.5 * |0.1 - 0|."""
    chances = np.array([0.9, 0.9, 0.1, 0.1])
    assert calibration_error(chances, np.array([True, False, False, False])) == pytest.approx(0.25)
    assert calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) == 0


def test_each_pair_is_told_what_is_said_of_it() -> None:
    text = "a b c d"
    things = [
        Thing("chemical", ((0, 1),)),
        Thing("chemical", ((2, 3),)),
        Thing("gene", ((4, 5),)),
        Thing("gene", ((6, 7),)),
    ]
    pairs = tuple(
        Pair(things[a], things[b], answer)
        for a, b, answer in [(0, 2, "INHIBITOR"), (0, 3, NONE), (1, 2, NONE), (1, 3, "ACTIVATOR")]
    )
    document = Related("1", text, (), pairs)
    (rows,) = told("DrugProt", [document], Oracle())
    assert [(r.truth, r.said.best) for r in rows if r.truth != NONE] == [
        ("INHIBITOR", "ac"),
        ("ACTIVATOR", "bd"),
    ]


class Oracle:
    """Answers with the letters of the pair it was asked about."""

    def least(self, convention: str, /) -> float:
        return 0.5

    def __call__(self, convention: str, documents: object, /, among: object = None) -> list[list[Answered]]:
        from literature.relations.corpus import candidates

        return [
            [
                Answered(a, b, {NONE: 0.0, "".join(text[t.spans[0][0]] for t in (own[a], own[b])): 1.0}, None)
                for a, b in candidates(convention, text, own)
            ]
            for text, own in documents  # type: ignore[attr-defined]
        ]


def test_halves_are_the_same_whatever_the_order() -> None:
    documents = [Related(str(n), "", (), ()) for n in range(11)]
    one, other = halves(documents)
    assert halves(documents[::-1]) == (one, other)
    assert {d.id for d in one} | {d.id for d in other} == {str(n) for n in range(11)}
    assert abs(len(one) - len(other)) == 1
