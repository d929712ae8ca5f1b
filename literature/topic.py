"""Does an article speak of what a question asks?

Two things are looked at: how much of what the question names is in the article, rare words
counting most, and how near in meaning its nearest sentence comes. How probable that makes
it was fitted on PubMedQA: questions beside their own article, and beside the nearest
article that is not theirs.

python -m literature.topic --data FOLDER

prints the weights anew, and what they do on the questions they were not fitted on.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from literature.calibration import logistic
from literature.model.embedding import Static
from literature.search import terms
from literature.sentences import split
from literature.verdict import Example, fold_of, questions

WEIGHTS = (-8.6, 10.35, 7.37)  # of one, of the words, of nearness; of the odds, natural-log units
LEAST = 0.5  # 89 % of the questions fitted on stay with their own article, 7 % with the nearest other one
_FITTED = 3  # folds of five


def about(question: str, passages: Sequence[str]) -> float:
    """The probability that the passages speak of what the question asks."""
    return likely(_look(_Asked(question), _Spoken(passages)))


Look = tuple[float, float]  # the two things looked at


def likely(look: Look) -> float:
    """What they make it."""
    one, words, near = WEIGHTS
    return 1.0 / (1.0 + math.exp(-(one + words * look[0] + near * look[1])))


class _Asked:
    """A question, to be looked for in many articles."""

    def __init__(self, question: str) -> None:
        self.weights = {term: _weight(term) for term in terms(question)}
        self.total = sum(self.weights.values())
        self.vector = _static()([question])[0]


class _Spoken:
    """An article, to be asked many questions."""

    def __init__(self, passages: Sequence[str]) -> None:
        self.terms = {term for passage in passages for term in terms(passage)}
        self.vectors = _static()([passage[a:b] for passage in passages for a, b in split(passage)])


def _look(asked: _Asked, spoken: _Spoken) -> Look:
    """The share of the question's words that is there, by weight, and the cosine of the nearest sentence."""
    there = sum(weight for term, weight in asked.weights.items() if term in spoken.terms)
    return there / max(asked.total, 1e-9), float((spoken.vectors @ asked.vector).max(initial=0.0))


@lru_cache(maxsize=1)
def _static() -> Static:
    return Static.read(Path(str(files("literature") / "weights" / "search.safetensors")))


@lru_cache(maxsize=1 << 16)
def _weight(term: str) -> float:
    """Of a word: that of its rarest piece."""
    pieces = _static().cutter.encode(term, add_special_tokens=False).ids
    return float(_static().weights[pieces].max(initial=0.0))


def rare(word: str) -> bool:
    """Whether a word is none of those that everybody writes: it takes three word pieces or more."""
    return len(_static().cutter.encode(word, add_special_tokens=False).ids) > 2


def pairs(examples: Sequence[Example]) -> Iterator[tuple[Example, Look, Look, Look]]:
    """Each question beside its own article, beside the nearest other one, and beside any other one."""
    spoken = [_Spoken(example.passages) for example in examples]
    for at, example in enumerate(examples):
        asked = _Asked(example.question)
        found = [_look(asked, article) for article in spoken]
        others = [n for n in range(len(found)) if n != at]
        nearest = max(others, key=lambda n: sum(found[n]))
        yield example, found[at], found[nearest], found[others[(at * 7919) % len(others)]]


def fitted_on(example: Example) -> bool:
    """Whether the weights know this question."""
    return fold_of(example.id) < _FITTED


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m literature.topic", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with pubmedqa/")
    asked = parser.parse_args(arguments)
    rows = list(pairs(questions(asked.data / "pubmedqa" / "dev.json.gz")))
    looks = np.array([[(1.0, *look) for look in row[1:]] for row in rows])
    fitted = np.array([fitted_on(row[0]) for row in rows])
    own = np.tile([1.0, 0.0], int(fitted.sum()))
    weights = logistic(looks[fitted, :2].reshape(-1, 3), own, np.full(3, 1e-3))
    print("weights", weights.round(2).tolist())
    chance = 1.0 / (1.0 + np.exp(-looks @ weights))
    for least in (0.2, 0.3, 0.4, 0.5):
        for name, these in (("fitted on", fitted), ("not fitted on", ~fitted)):
            shares = (chance[these] >= least).mean(0).round(3).tolist()
            print(
                f"{least}: taken to be spoken of, {name}: own {shares[0]}, nearest other {shares[1]}, any other {shares[2]}"
            )


if __name__ == "__main__":
    main()
