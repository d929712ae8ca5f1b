"""What is the network shown, in which order, and what is it asked?

A word's label is the annotator's. Where a corpus does not annotate a type, an unmarked
word may still be of that type, so the general head is asked only that its probability
falls on the labels the corpus allows. Which windows come when is a pure function of
the seed, so that a run that was stopped goes on with the very next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from discovery.extras import needs
from literature.annotated import Annotated, Corpus
from literature.model.encoder import LABELS, READ_TYPES
from literature.model.wordpieces import Window, Wordpieces

with needs("literature"):
    import torch
    from torch import Tensor
    from torch.nn import functional


IGNORED = -1
_POOL = 768  # examples that are put in order of length together
T = TypeVar("T")
S = TypeVar("S")
_MULTIPLE = 32  # lengths are padded to it: every new shape of a batch costs memory in the CPU kernels


@dataclass(frozen=True, slots=True)
class Example:
    """A window with the labels of its words."""

    window: Window
    labels: tuple[int, ...]  # rows of LABELS, or IGNORED
    corpus: int


@dataclass(frozen=True, slots=True)
class Batch:
    pieces: Tensor  # [row, piece]
    shapes: Tensor  # [row, piece]
    real: Tensor  # [row, piece] bool
    firsts: Tensor  # [word]
    labels: Tensor  # [word]
    corpus: Tensor  # [word]

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in Batch.__slots__))


def examples(corpora: Sequence[Corpus], cutter: Wordpieces, width: int) -> list[list[Example]]:
    """The training windows of each corpus."""
    result: list[list[Example]] = []
    for number, corpus in enumerate(corpora):
        cut = cutter.windows([document.text for document in corpus.train], width)
        result.append(
            [
                Example(window, labels(document, window), number)
                for document, windows in zip(corpus.train, cut, strict=True)
                for window in windows
            ]
        )
    return result


def labels(document: Annotated, window: Window) -> tuple[int, ...]:
    """One label per word: a word belongs to the mark it shares a character with."""
    found: list[int] = []
    marks = iter(document.marks)
    mark = next(marks, None)
    last = None
    for start, end in window.words:
        while mark is not None and mark.end <= start:
            mark = next(marks, None)
        if mark is None or mark.start >= end:
            found.append(0)
        elif mark.type is None:
            found.append(IGNORED)
        else:
            found.append(1 + 2 * READ_TYPES.index(mark.type) + (mark is last))
            last = mark
    return tuple(found)


def allowed(corpora: Sequence[Corpus]) -> tuple[Tensor, Tensor]:
    """What a label of a corpus permits.

    Returns
    -------
    general : [corpus, label, label] bool
        The labels a word may truly have where the corpus says `label`: "O" permits all
        that the corpus does not annotate.
    own : [corpus, label] bool
        The labels the corpus itself uses.
    """
    own = torch.zeros(len(corpora), len(LABELS), dtype=torch.bool)
    for number, corpus in enumerate(corpora):
        own[number] = torch.tensor([label == "O" or label[2:] in corpus.types for label in LABELS])
    general = torch.eye(len(LABELS), dtype=torch.bool).repeat(len(corpora), 1, 1)
    general[:, 0, :] = ~own
    general[:, 0, 0] = True
    return general, own


def loss(scores: Tensor, batch: Batch, conventions: Tensor, general: Tensor, own: Tensor) -> Tensor:
    """Mean over words: the general head's and the corpus' own head's, in natural-log units.

    Parameters
    ----------
    scores : [word, convention, label]
    conventions : [corpus]
        The row of each corpus' own head; the general head is row 0.
    general, own
        As `allowed` gives them.
    """
    known = batch.labels != IGNORED
    if not bool(known.any()):
        return scores.sum() * 0
    scores, truth, corpus = scores[known], batch.labels[known], batch.corpus[known]
    fit = scores[:, 0].masked_fill(~general[corpus, truth], float("-inf")).logsumexp(-1)
    shared = scores[:, 0].logsumexp(-1) - fit
    theirs = scores[torch.arange(len(truth)), conventions[corpus]].masked_fill(~own[corpus], float("-inf"))
    return shared.mean() + functional.cross_entropy(theirs, truth)


def pool(
    windows: Sequence[Sequence[T]], shares: Sequence[float], seed: int, number: int, count: int = _POOL
) -> list[T]:
    """The examples of the `number`-th pool of about `count`, the same whenever it is asked for.

    Each corpus gives its share, passing through all its windows before any comes twice.
    """
    weights = np.array([len(w) * share for w, share in zip(windows, shares, strict=True)])
    quotas = np.maximum(1, np.round(count * weights / weights.sum())).astype(int)
    chosen: list[T] = []
    for corpus, (quota, there) in enumerate(zip(quotas, windows, strict=True)):
        for place in range(number * quota, (number + 1) * quota):
            turn, at = divmod(int(place), len(there))
            chosen.append(there[_order(seed, corpus, turn, len(there))[at]])
    return chosen


_orders: dict[tuple[int, int, int, int], np.ndarray[tuple[int], np.dtype[np.int64]]] = {}


def _order(seed: int, corpus: int, turn: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    at = (seed, corpus, turn, count)
    if at not in _orders:
        _orders.pop((seed, corpus, turn - 2, count), None)
        _orders[at] = np.random.default_rng([seed, corpus, turn]).permutation(count)
    return _orders[at]


def batches(chosen: Sequence[Example], size: int, seed: int, number: int, pad: int) -> list[Batch]:
    """A pool in batches of windows of one length, in an order that the seed decides."""
    return in_batches(
        chosen,
        lambda example: -(-len(example.window.pieces) // _MULTIPLE) * _MULTIPLE,
        lambda some: collate(some, pad),
        size,
        seed,
        number,
    )


def in_batches(
    chosen: Sequence[T],
    measure: Callable[[T], int],
    beside: Callable[[Sequence[T]], S],
    pieces: int,
    seed: int,
    number: int,
) -> list[S]:
    """A pool in batches of rows of one size, each of about so many pieces, in an order that the seed decides.

    Parameters
    ----------
    measure
        Pieces of a row, padding included.
    beside
        Puts rows side by side.
    """
    by_size: dict[int, list[T]] = {}
    shuffle = np.random.default_rng([seed, number, 1])
    for at in shuffle.permutation(len(chosen)):
        by_size.setdefault(measure(chosen[at]), []).append(chosen[at])
    made: list[S] = []
    for length, there in sorted(by_size.items()):
        rows = max(1, pieces // length)
        made += [beside(there[at : at + rows]) for at in range(0, len(there), rows)]
    return [made[at] for at in shuffle.permutation(len(made))]


def without(batch: Batch, share: float, unknown: int, ends: Sequence[int]) -> Batch:
    """The batch with so many of its pieces unknown, as torch's chance has it; those that end a window stay."""
    left = (torch.rand(batch.pieces.shape) < share).to(batch.pieces.device) & batch.real
    for end in ends:
        left &= batch.pieces != end
    return replace(batch, pieces=batch.pieces.masked_fill(left, unknown))


def collate(rows: Sequence[Example], pad: int) -> Batch:
    """Windows side by side, padded to one length."""
    length = -(-max(len(example.window.pieces) for example in rows) // _MULTIPLE) * _MULTIPLE
    pieces = torch.full((len(rows), length), pad)
    shapes = torch.zeros((len(rows), length), dtype=torch.long)
    real = torch.zeros((len(rows), length), dtype=torch.bool)
    for row, example in enumerate(rows):
        used = len(example.window.pieces)
        pieces[row, :used] = torch.tensor(example.window.pieces)
        shapes[row, :used] = torch.tensor(example.window.shapes)
        real[row, :used] = True
    return Batch(
        pieces,
        shapes,
        real,
        torch.tensor([row * length + at for row, e in enumerate(rows) for at in e.window.firsts]),
        torch.tensor([label for e in rows for label in e.labels]),
        torch.tensor([e.corpus for e in rows for _ in e.labels]),
    )
