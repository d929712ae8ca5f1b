"""Which names of a dictionary say nearly what this one says?

Two looks at all names of one type. In other words: every word is cut to its stem, so
that "thalassemic" meets "thalassemia" and "psychotic" "psychosis", organs have one
name, what all diseases are called (lesion, injury, dysfunction) is one word, and the
order does not matter. In other letters: names share three-letter pieces, rare ones
counting more, which finds what a printer or a writer misspelled. Which of the names
found is right is for normalisation.py to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]

# Organs and what belongs to them, by one name each.
_ORGANS = {
    "kidney": "renal nephro kidney nephric",
    "liver": "hepatic liver hepato",
    "heart": "cardiac heart cardio myocardial myocardium cardial",
    "lung": "pulmonary lung pulmonic",
    "brain": "cerebral brain encephalic",
    "vessel": "vascular vessel arterial artery",
    "stomach": "gastric stomach",
    "skin": "cutaneous dermal skin dermatologic dermatological",
    "eye": "ocular eye ophthalmic",
    "nerve": "neural nerve neuronal neuron neurologic neurological neurologically nervous",
    "muscle": "muscular muscle musculoskeletal",
    "blood": "hematologic haematologic hematological haematological blood",
    "bone": "bone osseous skeletal",
    "breast": "breast mammary",
    "ovary": "ovarian ovary",
    "prostate": "prostatic prostate",
    "bladder": "bladder vesical",
    "mind": "mental psychiatric neuropsychiatric psychological",
    "cognition": "cognitive cognition neurocognitive",
    "immunity": "immune immunologic immunological",
    "hormone": "endocrine endocrinologic hormonal",
    "bowel": "intestinal bowel intestine gut",
    "colon": "colon colonic",
    "teeth": "dental tooth teeth",
    "mouth": "oral mouth buccal",
    "valve": "valvular valve",
    "joint": "articular joint arthritic",
    "spine": "spinal spine",
    "retina": "retinal retina",
    "cornea": "corneal cornea",
}
_KINDS = {
    "": "disease disorder syndrome condition illness problem abnormality abnormal anomaly complication disturbance "
    "dysfunction impairment impaired lesion damage damaged injury defect defective symptom sign alteration change "
    "involvement toxicity adverse effect diseased affected trouble deficit manifestation event",
    "neoplasm": "cancer tumor tumour neoplasm carcinoma malignancy malignant neoplastic neoplasia cancerous",
    "deficiency": "deficiency deficient lack absence",
    "failure": "failure insufficiency",
    "seizure": "seizure convulsion convulsive",
    "hemorrhage": "hemorrhage haemorrhage bleeding hemorrhagic haemorrhagic bleed",
    "high blood pressure": "hypertension hypertensive",
    "low blood pressure": "hypotension hypotensive",
    "dilated": "dilatation dilation dilated",
    "enlarged": "hypertrophy enlargement hypertrophic",
}
_SAME = {word: name for table in (_ORGANS, _KINDS) for name, words in table.items() for word in words.split()}
_LEFT_OUT = frozenset(
    [
        "of",
        "the",
        "in",
        "with",
        "and",
        "to",
        "a",
        "an",
        "by",
        "from",
        "on",
        "for",
        "s",
        "type",
        "like",
        "related",
        "associated",
        "induced",
        "drug",
        "acute",
        "chronic",
        "severe",
        "mild",
        "moderate",
        "human",
        "patient",
        "primary",
        "secondary",
        "clinical",
        "late",
        "early",
        "onset",
    ]
)
_STEM = re.compile(
    r"(?:omatous|oma|atic|asis|otic|osis|itic|itis|emic|emia|enic|enia|iac|ial|ical|ic|ia|ating|ation|ative|ations|"
    r"ous|ive|ion|ing|ism|ist|eur|al|ar|ed|es|e|y|us|is|a|s|ness)$"
)
_BRITISH = (
    ("haem", "hem"),
    ("aemi", "emi"),
    ("oedema", "edema"),
    ("oesoph", "esoph"),
    ("oea", "ea"),
    ("leuco", "leuko"),
)
_LEAST_STEM = 5
_PLACES = 1 << 18


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    for old, new in _BRITISH:
        word = word.replace(old, new)
    same = _SAME.get(word)
    if same is not None:
        return same
    bare = _STEM.sub("", word)
    return bare if len(bare) >= _LEAST_STEM else word


def meaning(key: str) -> str:
    """A name's key in a form that other words for the same thing share; "" where nothing particular is left.

    Examples
    --------
    >>> meaning("renal lesion") == meaning("disorder of the kidney")
    True
    """
    stems = {_stem(word) for word in key.split() if word not in _LEFT_OUT} - {""}
    return " ".join(sorted(stems))


class Likeness:
    """The names of one type, by what they say and by their letters.

    Parameters
    ----------
    keys
        Of the names, each once.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys

    @cached_property
    def _letters(self) -> tuple[Ints, Ints, Floats, Floats]:
        names, starts, weights = _inverted(self._keys)
        squares = np.repeat(np.square(weights), np.diff(starts))
        norms = np.sqrt(np.bincount(names, squares, len(self._keys))).clip(1e-6)
        return names, starts, weights, norms.astype(np.float32)

    @cached_property
    def _said(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, word in enumerate(self._keys):
            if said := meaning(word):
                found.setdefault(said, []).append(number)
        return found

    def same(self, key: str) -> list[str]:
        """Names that say the same in other words."""
        return [self._keys[number] for number in self._said.get(meaning(key), ())]

    def nearest(self, key: str, n: int) -> list[tuple[str, float]]:
        """The `n` names that share most letters, each with the cosine of their rarity-weighted trigrams."""
        if not len(self._keys):
            return []
        holders, starts, all_weights, norms = self._letters
        asked = np.unique(_trigrams(key.encode())[0])
        weights = all_weights[asked]
        total = float(np.sqrt(np.square(weights).sum()))
        if not total:
            return []
        scores = np.zeros(len(self._keys), dtype=np.float32)
        for place, weight in zip(asked, weights, strict=True):
            names = holders[starts[place] : starts[place + 1]]
            scores[names] += weight * weight  # a name holds a trigram once, so no number comes twice
        scores /= norms * total
        best = np.argpartition(-scores, min(n, len(scores) - 1))[:n]
        return sorted(
            ((self._keys[at], float(scores[at])) for at in best if scores[at] > 0),
            key=lambda found: (-found[1], found[0]),
        )


def _trigrams(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the three-letter pieces of names divided by newlines, and the name each belongs to."""
    letters = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8).astype(np.int64)
    numbers = np.cumsum(letters == 10) - 1
    codes = (letters[:-2] * 961 + letters[1:-1] * 31 + letters[2:]) * 2654435761 % _PLACES
    inside = letters[1:-1] != 10
    return codes[inside], numbers[1:-1][inside]


def _inverted(
    keys: Sequence[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """For each place, the names that hold its trigram: names, where each place's begin, and weights of places."""
    codes, numbers = _trigrams("\n".join(keys).encode())
    pairs = np.sort(codes * max(1, len(keys)) + numbers)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # np.unique takes twenty times as long
    places, names = pairs // max(1, len(keys)), pairs % max(1, len(keys))
    counts = np.bincount(places, minlength=_PLACES)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return names, starts, np.log1p(len(keys) / np.maximum(1, counts)).astype(np.float32)
