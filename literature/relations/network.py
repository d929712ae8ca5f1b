"""How does our own network say how two things are related, many pairs at once?

All pairs of all documents are put in order of length and read in batches; neighbours
change no answer. What the words around two names say by themselves (cues.py) is
added. Temperatures, the weight of those cues and thresholds come with the weights.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from literature.model.borrowed import ModelError
from literature.model.eightbit import eight_bit, possible
from literature.model.encoder import Encoder
from literature.model.linear import Cues, Floats
from literature.model.prediction import Precision, batches, short
from literature.model.weights_io import UNFITTED, Pairs, cues_of, read
from literature.model.wordpieces import Wordpieces
from literature.relations.answers import Answered, Answers, unread
from literature.relations.corpus import ANSWERS, NONE, OUTPUTS, Pair, Related, Thing
from literature.relations.cues import cues, joined, keys
from literature.relations.lessons import Row, beside, rows, size, type_words

with needs("literature"):
    import torch


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
    cues: Mapping[str, Cues]  # of each convention; one may have none

    def least(self, convention: str, /) -> float:
        return self.pairs.calibration.get(convention, UNFITTED)[1]

    def __call__(
        self,
        convention: str,
        documents: Sequence[tuple[str, Sequence[Thing]]],
        /,
        among: Sequence[Collection[frozenset[int]]] | None = None,
    ) -> list[list[Answered]]:
        result = unread(convention, documents)
        asked: list[tuple[int, Row]] = []
        beside_them: list[Floats] = []
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
            told = [(result[number][row.pair].subject, result[number][row.pair].object) for row in found]
            beside_them.append(self._cued(convention, text, things, told))
        if not asked:
            return result
        scores = self._scores([row for _, row in asked])
        temperature, _, weight = self.pairs.calibration.get(convention, UNFITTED)
        chances = joined(scores[:, _rows(convention)], np.concatenate(beside_them), temperature, weight)
        novel = _softmax(scores[:, _rows("novelty")])[:, 1]
        for at, (number, row) in enumerate(asked):
            pair = result[number][row.pair]
            answers = dict(zip(ANSWERS[convention], map(float, chances[at]), strict=True))
            news = float(novel[at]) if convention == "BioRED" else None
            result[number][row.pair] = Answered(pair.subject, pair.object, answers, news)
        return result

    def _cued(
        self, convention: str, text: str, things: Sequence[Thing], pairs: Sequence[tuple[int, int]]
    ) -> Floats:
        """[pair, answer]: what cues say, natural-log units; nothing (0) where none were taught."""
        model = self.cues.get(convention)
        if model is None or not pairs:
            return np.zeros((len(pairs), len(ANSWERS[convention])))
        return model([keys(seen) for seen in cues(convention, text, things, pairs)])

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
        network = eight_bit(network, weights.pairs.eight)
    else:
        small = False
        network = network.shortened() if short(precision, device) else network
    return _Own(network, cutter, words, weights.pairs, device, small, cues_of(path, weights.pairs.cues))


def _rows(convention: str) -> list[int]:
    return [OUTPUTS.index(f"{convention}:{answer}") for answer in ANSWERS[convention]]


def _softmax(scores: Floats) -> Floats:
    """[row, answer], over answers."""
    found: Floats = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    return found
