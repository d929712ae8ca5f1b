"""What do the words around two names, and the names themselves, say of how they are related?

A linear model beside the network: it counts words between and beside two names, their
order, how often and where a document names them, and pieces of the names. It sees no
meaning and learns no order beyond three words, but reads names that the network has
hidden from it, and errs elsewhere: both together are right more often than either.
Which cue weighs how much is learned from the documents the network is taught with
(training/relations_cues.py).

References
----------
.. [1] Weinberger K. et al., Feature hashing for large scale multitask learning, ICML 2009: a cue is known
   by a hash of it.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeAlias

import numpy as np

from literature.lexicon import Type
from literature.model.linear import Floats, Keys
from literature.relations.corpus import SENTENCES, Thing
from literature.sentences import split

_TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|[^\sA-Za-z\d]")
_ENDINGS = (
    "ations", "ation", "ating", "ated", "ates", "ate", "ions", "ion", "ings", "ing", "edly", "ed", "ors", "or",
    "ers", "er", "ively", "ive", "ly", "es", "s",
)  # fmt: skip
_SHORT: Mapping[Type, str] = {
    "gene": "G", "chemical": "C", "disease": "D", "variant": "V", "species": "S", "cell line": "L",
}  # fmt: skip
_BESIDE = 5  # words to the left and the right of two names
_NEAR = 8  # words between names of which a name's last word is told together with them
_FAR = (0, 1, 2, 4, 8, 16, 32, 64)


def stem(word: str) -> str:
    """A word without its ending, in lower case; every number is "0"."""
    word = word.lower()
    if word[0].isdigit():
        return "0"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def about(count: int) -> int:
    """A count as the nearest of `_FAR` that is not less."""
    return next((n for n in _FAR if count <= n), _FAR[-1])


# Of a mention: its sentence, its first word there, and the one after its last.
_Place: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    stem: str
    of: int  # the first thing one of whose mentions it belongs to; -1: none


@dataclass(frozen=True, slots=True)
class _Document:
    """What is looked up more than once."""

    text: str
    things: Sequence[Thing]
    sentences: Sequence[Sequence[_Word]]
    where: Sequence[Sequence[_Place]]  # of each thing, its mentions

    @classmethod
    def of(cls, text: str, things: Sequence[Thing]) -> _Document:
        spans = split(text)
        starts = [a for a, _ in spans]
        # Of each character of a mention, whose it is: of the shortest mention there.
        owner: dict[int, int] = {}
        mentions = sorted(
            ((a, b, n) for n, thing in enumerate(things) for a, b in thing.spans), key=lambda m: m[0] - m[1]
        )
        for a, b, n in mentions:
            owner |= dict.fromkeys(range(a, b), n)
        sentences = [
            [
                _Word(a + m.start(), stem(m[0]), owner.get(a + m.start(), -1))
                for m in _TOKEN.finditer(text[a:b])
            ]
            for a, b in spans
        ]
        where = []
        for thing in things:
            found = []
            for a, b in thing.spans:
                at = max(0, bisect_right(starts, a) - 1)
                words = sentences[at] if sentences else []
                inside = [n for n, word in enumerate(words) if a <= word.start < b]
                if inside:
                    found.append((at, inside[0], inside[-1] + 1))
            where.append(found)
        return cls(text, things, sentences, where)

    def together(self, one: int, other: int) -> dict[int, tuple[list[_Place], list[_Place]]]:
        """Of each sentence that names both, the mentions of the one and of the other."""
        found: dict[int, tuple[list[_Place], list[_Place]]] = {}
        for which, thing in enumerate((one, other)):
            for place in self.where[thing]:
                found.setdefault(place[0], ([], []))[which].append(place)
        return {number: both for number, both in found.items() if all(both)}

    def name(self, thing: int) -> str:
        a, b = self.things[thing].spans[0]
        return self.text[a:b]


def cues(
    convention: str, text: str, things: Sequence[Thing], pairs: Sequence[tuple[int, int]]
) -> Iterator[list[str]]:
    """What is seen of each pair of things of a document.

    Parameters
    ----------
    pairs
        Places in `things`, subject first.
    """
    document = _Document.of(text, things)
    for subject, object in pairs:
        kinds = _SHORT[things[subject].type] + _SHORT[things[object].type]
        seen = [f"k {kinds}"]
        if convention in SENTENCES:
            seen += _nearest(document, subject, object)
            seen += _named(document.name(subject), "c") + _named(document.name(object), "g")
        else:
            seen += _spread(document, subject, object)
            seen += _nearest(document, subject, object)
            for thing, mark in ((subject, "c"), (object, "g")):
                seen += _named(document.name(thing), mark + kinds)
                seen.append(f"{mark}id {things[thing].name.rpartition(':')[-1]}")
        yield list(dict.fromkeys(seen))


def _named(name: str, mark: str) -> list[str]:
    """Of a name, itself, its words and their ends."""
    bare = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    seen = [f"{mark}= {bare}"]
    for word in bare.split():
        seen.append(f"{mark}w {word}")
        seen += [f"{mark}s {word[-n:]}" for n in (3, 4, 5) if len(word) > n]
        if len(word) > 4:
            seen.append(f"{mark}p {word[:4]}")
    return seen


def _nearest(document: _Document, subject: int, object: int) -> list[str]:
    """Of the two mentions that stand nearest to each other in one sentence, the words between and beside them."""
    near = min(
        (
            (max(b[1] - a[2], a[1] - b[2]), a, b)
            for ones, others in document.together(subject, object).values()
            for a, b in product(ones, others)
        ),
        default=None,
    )
    if near is None:
        return ["apart"]
    _, one, other = near
    return _between(document, subject, object, one, other)


def _between(
    document: _Document,
    subject: int,
    object: int,
    one: _Place,
    other: _Place,
) -> list[str]:
    """What stands between and beside two mentions of one sentence, and in which order they come."""
    words = document.sentences[one[0]]
    line, ends = _line(document, words, subject, object, one, other)
    seen: list[str] = []
    if one[1] < other[2] and other[1] < one[2]:
        seen.append("within")
    low, high = min(ends), max(ends)
    way = ">" if ends[0] < ends[1] else "<"
    middle = line[low + 1 : high]
    left, right = line[max(0, low - _BESIDE) : low], line[high + 1 : high + 1 + _BESIDE]
    count = len(middle)
    seen += [way, f"d {about(count)}", f"{way}d {about(count)}"]
    for word in set(middle):
        seen += [f"m {word}", f"{way}m {word}"]
        if count <= 12:
            seen.append(f"{way}m{'s' if count <= 4 else 'l'} {word}")
    if count <= _BESIDE:
        seen.append(f"{way}all {' '.join(middle)}")
    between = ["A", *middle, "B"]
    seen += [f"{way}b {a} {b}" for a, b in pairwise(between)]
    for a, b, c in zip(between, between[1:], between[2:], strict=False):
        seen += [f"{way}t {a} {b} {c}", f"{way}k {a} {c}"]
    seen += [f"{way}l {word}" for word in set(left)] + [f"{way}r {word}" for word in set(right)]
    left, right = [*left, "A"], ["B", *right]
    seen += [f"{way}lb {a} {b}" for a, b in pairwise(left)]
    seen += [f"{way}rb {a} {b}" for a, b in pairwise(right)]
    if len(left) > 1:
        seen.append(f"{way}l1 {left[-2]}")
    if len(right) > 1:
        seen.append(f"{way}r1 {right[1]}")
    if len(left) > 1 and len(right) > 1:
        seen.append(f"{way}lr {left[-2]} {right[1]}")
    seen += [f"u {word}" for word in set(line)]
    others = sum(word.isupper() for word in middle)
    seen.append(f"{way}o {min(others, 4)}")
    named = len({w.of for w in words if w.of >= 0})
    seen.append(f"n {about(named)}")
    if one[0] == 0:
        seen.append("first")
    last = re.findall(r"[a-z]+", document.name(object).lower())[-1:]
    if count <= _NEAR:
        seen += [f"g {last[0]} {word}" for word in set(middle) if last]
    return seen


def _line(
    document: _Document,
    words: Sequence[_Word],
    subject: int,
    object: int,
    one: _Place,
    other: _Place,
) -> tuple[list[str], tuple[int, int]]:
    """The stems of a sentence, every name one word that tells its type, and where the two stand.

    Where one of the two stands within the other, the longer stands before what is left of it.
    """
    inner, outer = sorted((one, other), key=lambda m: m[2] - m[1])
    nested = outer[1] <= inner[1] and inner[2] <= outer[2]
    marks = ((outer, "A" if outer is one else "B"), (inner, "A" if inner is one else "B"))
    line: list[str] = []
    at: dict[str, int] = {}
    last = -1
    for number, word in enumerate(words):
        for mention, mark in marks:
            if number == mention[1]:
                at[mark] = len(line)
                line.append(mark)
        if inner[1] <= number < inner[2] or (outer[1] <= number < outer[2] and not nested):
            last = -1
        elif word.of < 0 or outer[1] <= number < outer[2]:
            line.append(word.stem)
            last = -1
        elif word.of != last:
            ours = {subject: "A+", object: "B+"}  # a further mention of the two
            line.append(ours.get(word.of) or _SHORT[document.things[word.of].type])
            last = word.of
    return line, (at["A"], at["B"])


def _spread(document: _Document, subject: int, object: int) -> list[str]:
    """How often, where and how near to each other a document names two things."""
    seen: list[str] = []
    kinds = _SHORT[document.things[subject].type] + _SHORT[document.things[object].type]
    ours = {which: document.where[which] for which in (subject, object)}
    at = {which: sorted({place[0] for place in places}) for which, places in ours.items()}
    both = [n for n in at[subject] if n in at[object]]
    seen.append(f"{kinds} both {about(len(both))}")
    near = min((abs(a - b) for a in at[subject] for b in at[object]), default=64)
    seen.append(f"{kinds} near {about(near)}")
    last = len(document.sentences) - 1
    for which, mark in ((subject, "c"), (object, "g")):
        count = len(ours[which])
        type = document.things[which].type
        counts = [
            len(found)
            for found, thing in zip(document.where, document.things, strict=True)
            if thing.type == type
        ]
        rank = sum(other > count for other in counts)
        place = f"{kinds}{mark}"
        seen += [f"{place}n {about(count)}", f"{place}rank {about(rank)}", f"{place}of {about(len(counts))}"]
        seen.append(f"{place}rank {about(rank)} {about(count)}")
        if 0 in at[which]:
            seen.append(f"{place}title")
        if last in at[which]:
            seen.append(f"{place}last")
        own = document.name(which).lower()
        if any(
            other != which
            and document.things[other].type == type
            and (name := document.name(other).lower()) != own
            and name.endswith(own)
            for other in range(len(document.things))
        ):
            seen.append(f"{place}wider")  # a more special one is named, too
        for number, first, after in ours[which]:
            words = document.sentences[number]
            for near_by in (*words[max(0, first - 3) : first], *words[after : after + 3]):
                if near_by.of < 0:
                    seen.append(f"{place}x {near_by.stem}")
    if 0 in both:
        seen.append(f"{kinds} title")
    if last in both:
        seen.append(f"{kinds} last")
    for number, (ones, others) in document.together(subject, object).items():
        words = document.sentences[number]
        for one, other in product(ones, others):
            low, high = sorted((one, other), key=lambda m: m[1])
            order = ">" if low is one else "<"
            middle = [w.stem for w in words[low[2] : high[1]] if w.of < 0]
            if len(middle) <= 16:
                seen += [f"{kinds}{order}any {word}" for word in set(middle)]
            seen.append(f"{kinds}{order}gap {about(len(middle))}")
    return seen


def key(cue: str) -> int:
    """A cue as a number of 24 bits, the same on every machine."""
    return zlib.crc32(cue.encode()) & 0xFFFFFF


def keys(seen: Iterable[str]) -> Keys:
    """[cue], each once, sorted."""
    return np.unique(np.fromiter((key(cue) for cue in seen), dtype=np.int64))


def joined(network: Floats, cues: Floats, temperature: float, weight: float) -> Floats:
    """[pair, answer] each -> [pair, answer]: probabilities of both together.

    Parameters
    ----------
    network, cues
        Natural-log units, up to a constant for each pair.
    weight
        Of the cues; of the network 1.
    """
    scores = (network + weight * cues) / temperature
    found: Floats = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    return found
