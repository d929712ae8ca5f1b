"""Names in other words, against plain ways to say the same."""

from __future__ import annotations

import pytest

from literature.names.dictionary import official
from literature.names.likeness import meaning


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
    assert meaning("disorder") == ""
    assert official().alike("disorder") == []
