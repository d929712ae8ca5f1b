"""What do a word's spelling and its neighbours say of whether it stands in a name?

A linear model beside the network that finds names, as relations/cues.py is beside the one
for pairs: it counts capitals, endings, runs of three or four letters and the words around,
which the network's lower-cased pieces tell only in part, and errs elsewhere. How much the
network, these cues and a dictionary's hints count is fitted for each convention. Both
are learned from annotated documents (training/cue_weights.py).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from literature.lexicon import Type
from literature.model.linear import Cues, Floats, Keys
from literature.model.wordpieces import Window

ALONE, HELPED = "alone", "helped"  # whether a dictionary hints
Hashes: TypeAlias = NDArray[np.uint64]

_FAR = 4  # words to the left and the right that are told with their place
_BAG = 5  # and without
_LETTERS = 5  # most letters of a beginning or an ending
_LONG = 30  # letters of a word whose runs are looked at
_REMEMBERED = 100_000  # words
_NOBODY = np.uint64(7)  # stands where a text has no word
_BITS = np.uint64(0xFFFFFF)  # a cue is known by 24 bits of its hash
_END = 0xFFFF  # the last bits of a key, looked at first
_OWN, _AFTER, _BEFORE, _FIRST = 1, 50, 51, 100  # kinds of cues, counted on from the last


@dataclass(frozen=True, slots=True)
class Mix:
    """How much each voice counts, natural-log units added for each word and label."""

    network: float
    cues: float
    hints: Mapping[Type, float]  # of each type, where the dictionary names one
    bias: tuple[float, ...]  # [label]

    @classmethod
    def of(cls, told: Mapping[str, float | Mapping[Type, float] | Sequence[float]]) -> Mix:
        """From `dataclasses.asdict`, by way of JSON."""
        return cls(**(dict(told) | {"bias": tuple(told["bias"])}))  # type: ignore[arg-type]


def shape(word: str) -> str:
    """ "BRCA1" -> "AA0": capitals, small letters and digits, each at most twice in a row."""
    written = ""
    for c in word:
        kind = "A" if c.isupper() else "a" if c.islower() else "0" if c.isdigit() else c
        if written[-2:] != 2 * kind:
            written += kind
    return written


def _hash(cue: str) -> int:
    return zlib.crc32(cue.encode())


def own(word: str) -> Keys:
    """The cues of a word by itself."""
    low = word.lower()
    plain = re.sub(r"\d", "0", low)
    said = {f"w {word}", f"l {low}", f"s {shape(word)}", f"z {plain}" if plain != low else f"l {low}"}
    for n in range(1, min(_LETTERS + 1, len(low))):
        said |= {f"p{n} {low[:n]}", f"e{n} {low[-n:]}"}
    if len(low) <= _LONG:
        closed = f"^{low}$"
        said |= {f"g {closed[at : at + n]}" for n in (3, 4) for at in range(len(closed) - n + 1)}
    return _mixed(_OWN, np.array([_hash(one) for one in said], dtype=np.uint64))


@lru_cache(maxsize=1 << 17)
def _seen(word: str) -> tuple[int, int, int, int]:
    """Of a word, what is told of it as a neighbour: itself, its shape, its ending, as it is written."""
    plain = re.sub(r"\d", "0", word.lower())
    return _hash(f"l {plain}"), _hash(f"s {shape(word)}"), _hash(f"e {plain[-3:]}"), _hash(f"w {word}")


def _mixed(kind: int, *parts: Hashes) -> Keys:
    """Hashes of several things together, as cues of one kind."""
    found = np.full(len(parts[0]), kind * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
    for part in parts:
        found = (found ^ part) * np.uint64(0xBF58476D1CE4E5B9)
        found ^= found >> np.uint64(29)
    return ((found >> np.uint64(20)) & _BITS).astype(np.int64)


def around(words: Sequence[str], runs: Sequence[str]) -> Keys:
    """The cues of the words about each word.

    Parameters
    ----------
    words
        Of a whole text.
    runs
        Of each word, what stands with it between two spaces.

    Returns
    -------
    [word, cue]
    """
    low, form, ending, written = np.array([_seen(word) for word in words], dtype=np.uint64).reshape(-1, 4).T
    run, run_form, run_ending, _ = np.array([_seen(run) for run in runs], dtype=np.uint64).reshape(-1, 4).T

    def at(column: Hashes, places: int) -> Hashes:
        """A column as it is so many words further on."""
        moved = np.full_like(column, _NOBODY)
        if places >= 0:
            moved[: max(0, len(column) - places)] = column[places:]
        else:
            moved[-places:] = column[:places]
        return moved

    every = [n for n in range(-_FAR, _FAR + 1) if n]
    told: list[tuple[Hashes, ...]] = [(at(low, n),) for n in every]
    told += [(at(form, n),) for n in every if abs(n) <= 2]
    for n in (-1, 1):
        told += [(at(written, n),), (at(ending, n),)]
    for a, b in pairwise(range(-2, 3)):
        told += [(at(low, a), at(low, b)), (at(form, a), at(form, b))]
    before, after, form_before, form_after = at(low, -1), at(low, 1), at(form, -1), at(form, 1)
    told += [
        (before, after), (form_before, form, form_after), (before, low, after),
        (at(low, -2), before, low), (low, after, at(low, 2)),
        (at(form, -2), form_before, form), (form, form_after, at(form, 2)),
        (form, before), (form, after), (form, at(ending, 1)), (ending, at(ending, 1)), (ending, at(ending, -1)),
        (run,), (run_form,), (run_ending,), (run_form, low),
    ]  # fmt: skip
    columns = [_mixed(_FIRST + kind, *parts) for kind, parts in enumerate(told)]
    columns += [_mixed(_AFTER, at(low, n)) for n in range(1, _BAG + 1)]
    columns += [_mixed(_BEFORE, at(low, -n)) for n in range(1, _BAG + 1)]
    return np.stack(columns, axis=1)


def runs_of(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """Of each word, what stands with it between two spaces."""
    between = [m.span() for m in re.finditer(r"\S+", text)]
    found, at = [], 0
    for start, _ in places:
        while at < len(between) - 1 and between[at][1] <= start:
            at += 1
        found.append(text[slice(*between[at])])
    return found


@dataclass(frozen=True, eq=False)
class WordCues:
    """What every known cue says for each label of a convention."""

    cues: Cues  # its answers are labels
    _said: dict[str, Floats] = field(default_factory=dict)

    def __call__(self, text: str, places: Sequence[tuple[int, int]]) -> Floats:
        """[word, label]: logarithms of probabilities.

        Parameters
        ----------
        places : [word]
            Code points into the text.
        """
        if not places:
            return np.zeros((0, len(self.cues.bias)))
        words = [text[a:b] for a, b in places]
        said = np.array([self._own(word) for word in words])
        word, which = self._known(around(words, runs_of(text, places)))
        total = np.vstack([np.zeros(said.shape[1]), self.cues.weights[which].cumsum(axis=0)])
        ends = np.searchsorted(word, np.arange(len(words) + 1))
        said += total[ends[1:]] - total[ends[:-1]]
        told: Floats = said - np.logaddexp.reduce(said, axis=1, keepdims=True)
        return told

    @cached_property
    def _ends(self) -> NDArray[np.bool_]:
        """Of the last 16 bits of a key, whether a known one ends so: nine of ten are settled by that."""
        found = np.zeros(_END + 1, dtype=bool)
        found[self.cues.known & _END] = True
        return found

    def _known(self, keys: Keys) -> tuple[Keys, Keys]:
        """The first places of `keys` that hold a known cue, and which one it is."""
        first = np.nonzero(self._ends[keys & _END])
        maybe = keys[first]
        which = np.searchsorted(self.cues.known, maybe).clip(max=len(self.cues.known) - 1)
        same = self.cues.known[which] == maybe
        return first[0][same], which[same]

    def _own(self, word: str) -> Floats:
        """[label]: what a word says by itself, and the bias."""
        said = self._said.get(word)
        if said is None:
            if len(self._said) > _REMEMBERED:
                self._said.clear()
            _, which = self._known(own(word))
            said = self._said[word] = self.cues.bias + self.cues.weights[which].sum(axis=0)
        return said


def blended(
    text: str, read: Sequence[tuple[Window, NDArray[np.float32]]], cues: WordCues | None, mix: Mix
) -> list[tuple[Window, NDArray[np.float32]]]:
    """What the network and the cues say together; of each window [word, label] log-probabilities."""
    places = [word for window, _ in read for word in window.words]
    said = mix.cues * cues(text, places) if cues is not None else np.zeros((len(places), 1))
    found, at = [], 0
    for window, scores in read:
        moved = mix.network * scores + said[at : at + len(window.words)] + np.array(mix.bias)
        found.append((window, (moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)).astype(np.float32)))
        at += len(window.words)
    return found
