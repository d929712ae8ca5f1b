"""Names in other words and in other letters, against plain ways to say the same."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.likeness import Likeness, meaning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("renal lesion", "disorder of the kidney"),
        ("thalassemic", "thalassemia"),
        ("psychotic", "psychosis"),
        ("leukopenic", "leukopenia"),
        ("haemorrhagic", "bleeding"),
        ("cardiac dysfunction", "heart disease"),
        ("breast cancer", "mammary tumour"),
    ],
)
def test_other_words_mean_the_same(one: str, other: str) -> None:
    assert meaning(one) == meaning(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hypertension", "hypotension"),
        ("kidney disease", "liver disease"),
        ("kidney failure", "kidney disease"),
        ("hepatitis b", "hepatitis c"),
        ("hyperthyroidism", "hypothyroidism"),
        ("diabetes type 1", "diabetes type 2"),
    ],
)
def test_other_things_stay_apart(one: str, other: str) -> None:
    assert meaning(one) != meaning(other)


def test_nothing_particular_is_nothing() -> None:
    assert meaning("acute symptoms of the disease") in ("", meaning("symptoms"))
    assert Likeness(["disease", "kidney disease"]).same("disorder") == []


def _cosine(one: str, other: str, names: list[str]) -> float:
    """The same by counting, without arrays."""

    def grams(name: str) -> set[bytes]:
        padded = b"\n" + name.encode() + b"\n"
        return {padded[at : at + 3] for at in range(len(padded) - 2)}

    held = Counter(gram for name in names for gram in grams(name))
    weight = {gram: math.log1p(len(names) / max(1, held[gram])) for gram in grams(one) | grams(other)}
    dot = sum(weight[gram] ** 2 for gram in grams(one) & grams(other))
    norms = [math.sqrt(sum(weight[gram] ** 2 for gram in grams(name))) for name in (one, other)]
    return dot / (norms[0] * norms[1])


@given(
    st.lists(st.text(alphabet="abc é1", min_size=1, max_size=9), min_size=1, max_size=8, unique=True),
    st.text(alphabet="abc é1", min_size=1, max_size=9),
)
@settings(max_examples=80, derandomize=True, deadline=None)  # fmt: skip
def test_the_cosine_is_that_of_trigrams(names: list[str], asked: str) -> None:
    for name, cosine in Likeness(names).nearest(asked, 3):
        assert cosine == pytest.approx(_cosine(asked, name, names), abs=1e-5)


def test_a_misprint_finds_its_name() -> None:
    names = Likeness(
        ["adrenocortical insufficiency", "adrenal insufficiency", "eosinophilia", "heart disease"]
    )
    (best, cosine), *_ = names.nearest("adrenocrotical insufficiency", 2)
    assert best == "adrenocortical insufficiency"
    assert 0.7 < cosine < 1
    assert names.nearest("eosinophilia", 1)[0] == ("eosinophilia", pytest.approx(1.0, abs=1e-6))
    assert Likeness([]).nearest("anything", 3) == []
