"""Which spans do the scores of words amount to?

The most probable sequence of labels, once what a dictionary says and what a name means
elsewhere in the text are taken in. It does not matter whose scores they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from literature.lexicon import Type
from literature.mentions import Span
from literature.model.consistency import closed, echoed, settled
from literature.model.wordpieces import Window

# A name seldom begins right after another of its type: 0.7 % of all neighbours in the training documents,
# while a network unsure of "acute liver failure" gladly says "acute" and "liver failure".
TOUCHING = 3.0
# How much a dictionary's name counts, natural-log units. Its diseases and chemicals help; its genes, many of
# them everyday words, do not. Variants are hinted at by how they are written.
HINTS: Mapping[Type, float] = {"disease": 2.0, "chemical": 1.0, "variant": 3.0}


@dataclass(frozen=True, slots=True)
class Label:
    """What one output of a network means."""

    type: Type | None  # None: no name, or one of a kind that was asked to be left out
    begins: bool  # the first word of a span
    continues: bool  # may follow a word of the same type's span


def leaned(
    window: Window,
    scores: NDArray[np.float32],
    labels: Sequence[Label],
    hints: Sequence[Span],
    counts: Mapping[Type, float] = HINTS,
) -> NDArray[np.float32]:
    """Scores that lean towards the spans of another tagger.

    Parameters
    ----------
    scores : [word, label], natural logarithms of probabilities
    counts
        Of each type how much a hint counts, natural-log units; others count nothing.

    Returns
    -------
    [word, label], natural logarithms of probabilities
    """
    if not window.words:
        return scores
    rows = _rows_of(tuple(labels))
    weights: NDArray[np.float32] | None = None
    first = bisect_right(hints, window.words[0][0], key=lambda hint: hint.end)
    last = bisect_left(hints, window.words[-1][1], key=lambda hint: hint.start)
    for hint in hints[first:last]:
        if hint.type not in counts or hint.type not in rows:
            continue
        begin = bisect_right(window.words, hint.start, key=lambda word: word[1])
        end = bisect_left(window.words, hint.end, key=lambda word: word[0])
        if begin < end:
            if weights is None:
                weights = np.zeros_like(scores)
            opens, goes_on = rows[hint.type]
            weights[begin, opens] = counts[hint.type]
            weights[begin + 1 : end, goes_on] = counts[hint.type]
    if weights is None:
        return scores
    moved = scores + weights
    return moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)


@lru_cache(maxsize=16)
def _rows_of(labels: tuple[Label, ...]) -> dict[Type, tuple[list[int], list[int]]]:
    """Of each type, the labels that open a span and those that go on with it; all do both where none begins one."""
    found: dict[Type, tuple[list[int], list[int]]] = {}
    in_parts = any(label.begins for label in labels)
    for row, label in enumerate(labels):
        if label.type is not None:
            opens, goes_on = found.setdefault(label.type, ([], []))
            if label.begins or not in_parts:
                opens.append(row)
            if not label.begins:
                goes_on.append(row)
    return found


def named(
    text: str, read: Sequence[tuple[Window, NDArray[np.float32]]], labels: Sequence[Label]
) -> list[Span]:
    """The names of a whole text: one that comes again means what it meant before (`consistency.echoed`).

    Parameters
    ----------
    read
        Its windows, and [word, label] natural logarithms of probabilities of each.
    """

    def found(window: Window, scores: NDArray[np.float32]) -> list[Span]:
        return [closed(text, span) for span in spans_of(window, scores, labels)]

    def whole(spans: Sequence[Sequence[Span]]) -> list[Span]:
        return settled(text, sorted(chain.from_iterable(spans), key=lambda span: span.start))

    spans = [found(*part) for part in read]
    flat = whole(spans)
    outside = [row for row, label in enumerate(labels) if label.type is None]
    again = echoed(text, [(w.words, s) for w, s in read], flat, _rows_of(tuple(labels)), outside)
    if again is None:
        return flat
    for number, ((window, before), after) in enumerate(zip(read, again, strict=True)):
        if after is not before:
            spans[number] = found(window, after)
    return whole(spans)


def spans_of(window: Window, scores: NDArray[np.float32], labels: Sequence[Label]) -> list[Span]:
    """The most probable spans: the best sequence of labels in which no span continues out of nothing.

    A span that begins right after another of its type costs `TOUCHING`.

    Parameters
    ----------
    scores : [word, label], natural logarithms of probabilities

    References
    ----------
    .. [1] Viterbi A., IEEE Trans. Inf. Theory 13, 260 (1967), section IV.
    """
    if len(window.words) == 0:
        return []
    path = _best_path(scores, labels)
    spans: list[Span] = []
    begin = 0
    for word in range(1, len(path) + 1):
        label = labels[path[begin]]
        if word < len(path) and _goes_on(label, labels[path[word]]):
            continue
        if label.type is not None:
            chosen = scores[np.arange(begin, word), path[begin:word]]
            probability = min(1.0, float(np.exp(chosen.mean())))
            spans.append(Span(window.words[begin][0], window.words[word - 1][1], label.type, probability))
        begin = word
    return spans


def _goes_on(before: Label, after: Label) -> bool:
    return before.type is not None and after.type == before.type and not after.begins


def _best_path(scores: NDArray[np.float32], labels: Sequence[Label]) -> NDArray[np.int64]:
    best: NDArray[np.int64] = scores.argmax(axis=1)
    opening, following = _costs(tuple(labels))
    if not opening[best[0]] and not following[best[:-1], best[1:]].any():
        return best  # the best labels alone are the best sequence, as almost always
    walls = -following
    total = scores[0] - opening
    came: list[NDArray[np.int64]] = []
    for row in scores[1:]:
        ways = total[:, None] + walls
        came.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + row
    path = [int(total.argmax())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])


@lru_cache(maxsize=16)
def _costs(labels: tuple[Label, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[label] at the start of a window, [label before, label]: `_cost` of each."""
    opening = np.array([_cost(None, label) for label in labels])
    return opening, np.array([[_cost(before, after) for after in labels] for before in labels])


def _cost(before: Label | None, after: Label) -> float:
    """Of one label following another, natural-log units."""
    follows = before is not None and after.type is not None and before.type == after.type
    if after.begins:
        return TOUCHING if follows else 0.0
    return 0.0 if follows or not after.continues else np.inf
