"""With which scales do the two networks of a weights file read in 8 bits?

They are fixed on the sample articles that come with the package, and kept in the file if
the network then still says the same of them: else the file has none, and is read in 16
bits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from discovery.extras import needs
from literature.model.eightbit import eight_bit, possible, scales
from literature.model.encoder import Encoder
from literature.model.prediction import inputs
from literature.model.weights_io import Weights, read, rescale
from literature.model.wordpieces import Wordpieces
from literature.relations.corpus import KINDS, NONE, OUTPUTS, Pair, Related, Thing, candidates
from literature.relations.lessons import Row, Rows, beside, rows, size, type_words

with needs("literature"):
    import torch
    from torch import Tensor


AGREE = 0.98  # of the sample's answers must be the same in 8 bits as in 32
_ROWS = 16  # beside each other
_PAIRS = 60  # of each convention, looked at


def scale(path: Path) -> tuple[float, float | None]:
    """Fix the scales of a weights file, and keep them in it.

    Returns
    -------
    The shares of the samples' answers that are the same in 8 bits: of names, and of pairs (None without pairs).
    """
    weights = read(path)
    own, same = _fixed(weights.encoder, _names(weights))
    pairs: dict[str, Tensor] = {}
    alike = None
    if weights.pairs is not None:
        pairs, alike = _fixed(weights.answering, _related(weights))
    rescale(path, own if same >= AGREE else {}, pairs if alike is not None and alike >= AGREE else {})
    return same, alike


Sample = tuple[Callable[[Encoder], Tensor], Tensor, Callable[[Encoder], Tensor]]  # entering, real, answers


def _fixed(network: Callable[[], Encoder], samples: Sequence[Sample]) -> tuple[dict[str, Tensor], float]:
    if not possible():
        return {}, 0.0
    exact = network()
    with torch.inference_mode():
        found = scales(exact, [(enter(exact), real) for enter, real, _ in samples])
        small = eight_bit(network(), found)
        same = torch.cat([answer(exact) == answer(small) for _, _, answer in samples])
    return found, float(same.float().mean())


def _names(weights: Weights) -> list[Sample]:
    cutter = Wordpieces.of_vocabulary(weights.vocabulary)
    windows = [window for found in cutter.windows(_texts(), weights.width) for window in found]
    windows.sort(key=lambda window: len(window.pieces))
    made: list[Sample] = []
    for at in range(0, len(windows), _ROWS):
        group = windows[at : at + _ROWS]
        pieces, shapes, real = inputs(group, len(group), len(group[-1].pieces), cutter.pad)

        def enter(network: Encoder, pieces: Tensor = pieces, shapes: Tensor = shapes) -> Tensor:
            entered: Tensor = network.entered(pieces, network.written(shapes))
            return entered

        def answer(
            network: Encoder, pieces: Tensor = pieces, shapes: Tensor = shapes, real: Tensor = real
        ) -> Tensor:
            scores: Tensor = network.heads(network.states(pieces, network.written(shapes), real))[real]
            return scores.reshape(len(scores), len(network.shape.conventions), -1).argmax(-1).flatten()

        made.append((enter, real, answer))
    return made


def _related(weights: Weights) -> list[Sample]:
    """Pairs of words of the sample texts, as if they were named: what the layers see is alike."""
    assert weights.pairs is not None
    cutter, words = Wordpieces.of_vocabulary(weights.vocabulary), type_words(weights.vocabulary)
    made: list[Sample] = []
    for convention in KINDS:
        allowed = torch.tensor([output.startswith(f"{convention}:") for output in OUTPUTS])
        asked: list[Row] = []
        for text in _texts():
            asked += rows(convention, _paired(convention, text), cutter, weights.pairs.shape.places, words)
        by_size: dict[int, list[Row]] = {}
        for row in asked[:: -(-len(asked) // _PAIRS)]:
            by_size.setdefault(size(row), []).append(row)
        for there in by_size.values():
            told = beside(there, cutter.pad)

            def enter(network: Encoder, told: Rows = told) -> Tensor:
                return network.entered(told.pieces, network.named(told.named))

            def answer(network: Encoder, told: Rows = told, allowed: Tensor = allowed) -> Tensor:
                scores = network.related(told.pieces, told.named, told.real, told.holders)
                return scores.masked_fill(~allowed, float("-inf")).argmax(-1)

            made.append((enter, told.real, answer))
    return made


def _paired(convention: str, text: str) -> Related:
    """The long words of a text as if they were things, and the pairs of them that a convention asks about."""
    kinds = sorted({type for pair in KINDS[convention] for type in pair})
    things = [
        Thing(kinds[number % len(kinds)], (found.span(),), str(number))
        for number, found in enumerate(re.finditer(r"\w{8,}", text))
    ]
    pairs = [Pair(things[a], things[b], NONE) for a, b in candidates(convention, text, things)]
    return Related("", text, (), tuple(pairs))


def _texts() -> list[str]:
    lines = (files("literature") / "data" / "example_corpus.jsonl").read_text(encoding="utf-8").splitlines()
    return [passage["text"] for line in lines for passage in json.loads(line)["passages"]]
