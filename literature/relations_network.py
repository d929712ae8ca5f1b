"""How does our own network say how two things are related, many pairs at once?

All pairs of all documents are put in order of length and read in batches; neighbours
change no answer. Temperatures and thresholds come with the weights.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from literature.eightbit import eight_bit, possible
from literature.encoder import Encoder
from literature.prediction import ModelError, Precision, batches, short
from literature.relations_answers import LEAST, Answered, Answers, unread
from literature.relations_corpus import ANSWERS, NONE, OUTPUTS, Pair, Related, Thing
from literature.relations_lessons import Row, beside, rows, size, type_words
from literature.weights_io import Pairs, read
from literature.wordpieces import Wordpieces

try:
    import torch
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

_PIECES = 2048  # per batch, as a rule
_HEADS = 64  # rows answered at a time, always so many: products of other sizes differ in their last bits


@dataclass(frozen=True)
class _Own:
    """Our own network."""

    network: Encoder
    cutter: Wordpieces
    words: Sequence[int]  # as rows() takes them
    pairs: Pairs
    device: str
    exact: bool  # whether a row's answer is the same in batches of every size

    def least(self, convention: str, /) -> float:
        return self.pairs.calibration.get(convention, (1.0, LEAST))[1]

    def __call__(
        self,
        convention: str,
        documents: Sequence[tuple[str, Sequence[Thing]]],
        /,
        among: Sequence[Collection[frozenset[int]]] | None = None,
    ) -> list[list[Answered]]:
        result = unread(convention, documents)
        asked: list[tuple[int, Row]] = []
        for number, (text, things) in enumerate(documents):
            pairs = tuple(Pair(things[p.subject], things[p.object], NONE) for p in result[number])
            wanted = None if among is None else among[number]
            these = [
                at
                for at, p in enumerate(result[number])
                if wanted is None or frozenset((p.subject, p.object)) in wanted
            ]
            document, widest = Related("", text, (), pairs), self.pairs.shape.places
            found = rows(convention, document, self.cutter, widest, self.words, these) if these else []
            asked += [(number, row) for row in found]
        for (number, row), scores in zip(asked, self._scores([row for _, row in asked]), strict=True):
            result[number][row.pair] = self._answered(convention, result[number][row.pair], scores)
        return result

    def _answered(self, convention: str, pair: Answered, scores: NDArray[np.float64]) -> Answered:
        temperature = self.pairs.calibration.get(convention, (1.0, LEAST))[0]
        chances = _softmax(scores[_rows(convention)] / temperature)
        novel = float(_softmax(scores[_rows("novelty")])[1]) if convention == "BioRED" else None
        answers = dict(zip(ANSWERS[convention], map(float, chances), strict=True))
        return Answered(pair.subject, pair.object, answers, novel)

    def _scores(self, asked: Sequence[Row]) -> NDArray[np.float64]:
        """[row, output]."""
        joined = torch.zeros(-(-len(asked) // _HEADS) * _HEADS, 3 * self.network.shape.width)
        by_size: dict[int, list[int]] = {}
        for at, row in enumerate(asked):
            by_size.setdefault(size(row), []).append(at)
        with torch.inference_mode():
            for length, there in sorted(by_size.items()):
                for these, count in batches(there, max(1, _PIECES // length), self.exact):
                    told = beside([asked[at] for at in these], self.cutter.pad, count)
                    told = told.to(torch.device(self.device))
                    states = self.network.joined(told.pieces, told.named, told.real, told.holders)
                    joined[list(these)] = states.cpu()[: len(these)]
            scores = [
                self.network.answers(some.to(self.device)).double().cpu()
                for some in torch.split(joined, _HEADS)
            ]
        found: NDArray[np.float64] = torch.cat(scores).numpy()[: len(asked)] if scores else np.zeros((0, 0))
        return found


@lru_cache(maxsize=2)
def own(path: Path, changed: int, precision: Precision, device: str) -> Answers:
    """The network of a weights file; `changed` is when that was.

    Raises
    ------
    ModelError
        If it answers for no pairs.
    WeightsError
        If it is absent or torn.
    """
    weights = read(path)
    if weights.pairs is None or weights.pairs.shape.relations != OUTPUTS:
        raise ModelError(
            f"{path.name} answers for no pairs: it only finds names. Train one with `discovery train-reader`, "
            "or leave the model out for the shipped one"
        )
    network = weights.answering().to(device)
    cutter, words = Wordpieces.of_vocabulary(weights.vocabulary), type_words(weights.vocabulary)
    small = bool(weights.pairs.eight) and device == "cpu" and possible()
    if precision == "int8" or (precision == "auto" and small):
        if not small:
            raise ModelError(f"{path.name} or this processor has no 8 bits for pairs; use precision='auto'")
        return _Own(eight_bit(network, weights.pairs.eight), cutter, words, weights.pairs, device, exact=True)
    network = network.shortened() if short(precision, device) else network
    return _Own(network, cutter, words, weights.pairs, device, exact=False)


def _rows(convention: str) -> list[int]:
    return [OUTPUTS.index(f"{convention}:{answer}") for answer in ANSWERS[convention]]


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max())
    found: NDArray[np.float64] = powers / powers.sum()
    return found
