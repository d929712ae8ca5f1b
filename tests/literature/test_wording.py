"""Genes told by the words of a name: laws of the weighing, and a plain count beside the arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from literature.lexicon import key
from literature.names import wording
from literature.names.dictionary import official
from literature.names.families import Surroundings
from literature.names.wording import _LIGHT, _LIGHTNESS, WEIGHTS, Wording, _Index, stems, words

NOWHERE = Surroundings(frozenset(), {})
NAMES = [
    "interferon inducible protein 10",
    "interferon gamma",
    "interferon gamma receptor 1",
    "protein 4 1",
    "heat",
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TGF-betaR II", "TGF beta receptor 2"),
        ("IL-4Rα", "interleukin 4 receptor alpha"),
        ("type II lectin", "lectin type 2"),
    ],
)
def test_ways_to_write_a_word_are_one(one: str, other: str) -> None:
    assert words(key(one)) == words(key(other))


def test_the_cosine_is_that_of_shared_words() -> None:
    """Reference: the same by counting."""
    index = _Index.of(map(words, NAMES), np.arange(len(NAMES)))
    held = [words(name) for name in NAMES]

    def weigh(said: frozenset[str]) -> float:
        return sum(
            math.log(len(NAMES) / sum(word in one for one in held)) * (_LIGHTNESS if word in _LIGHT else 1)
            for word in said
        )

    asked = words("gamma interferon inducible")
    found = dict(index.nearest(asked))
    for at, name in enumerate(held):
        cosine = weigh(asked & name) / math.sqrt(weigh(asked) * weigh(name))
        assert found.get(at, 0.0) == pytest.approx(cosine)
    assert index.weigh(["a word nobody knows"]) > max(index.weigh([word]) for word in index.places)


def test_a_diseases_words_lose_their_endings() -> None:
    assert stems(key("renal tumours")) == stems(key("tumour of kidney")) - {"of"}
    assert stems(key("thalassemic")) == stems(key("thalassemia"))
    found = (
        official()
        .wording("disease")
        .likeliest([key("steroid-resistant nephrotic children's syndrome")], NOWHERE)
    )
    assert "nephro" in official().concept(found[0][0]).name.lower()  # type: ignore[union-attr]


def test_no_names_find_nothing() -> None:
    assert _Index.of(list[frozenset[str]](), np.zeros(0, dtype=np.int64)).nearest(words("interferon")) == []


def test_of_many_names_the_same_are_kept_as_by_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    index = _Index.of(map(words, NAMES), np.arange(len(NAMES)))
    asked = words("interferon gamma receptor protein 10")
    every = index.nearest(asked)
    monkeypatch.setattr(wording, "_LOOKED", 2)
    assert index.nearest(asked) == every[:2]


@pytest.fixture(scope="module")
def human() -> Wording:
    return official().wording("gene")


def test_probabilities_leave_some_for_none(human: Wording) -> None:
    found = human.likeliest([key("interferon inducible 10 kDa protein")], NOWHERE)
    assert 0.5 < sum(share for _, share in found) < 1, "it may be none of them"
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)


def test_what_a_document_names_is_likelier(human: Wording) -> None:
    forms = [key("muscle form of glycogenin")]
    for id in ("NCBIGene:2992", "NCBIGene:8908"):  # GYG1, GYG2
        alone = dict(human.likeliest(forms, NOWHERE))[id]
        named = dict(human.likeliest(forms, Surroundings(frozenset(["glycogenin"]), {id: 1})))[id]
        assert named > alone


def test_every_cue_has_a_weight(human: Wording) -> None:
    for gene in human.seen([key("CXC chemokine receptor 2")], NOWHERE, ("NCBIGene:3579",)):
        assert set(gene.cues) <= set(WEIGHTS["gene"])
