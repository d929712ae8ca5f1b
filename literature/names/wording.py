"""Which gene or disease do the words of a name describe, when none is called so?

"Interferon gamma-inducible protein 10" is nobody's name, but every word of it stands in
names of CXCL10. Things are found by the words they share with a name, rare words counting
more, and weighed against each other and against none of them: by how much of the name
their own names cover, which numbers and letters ("receptor 6") differ, and what the
document says of each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from literature.lexicon import Type
from literature.names.families import Families, Surroundings
from literature.names.likeness import stem

_GREEK = re.compile("(alpha|beta|gamma|delta|epsilon|zeta|kappa|theta|lambda)")
# What different names call the same.
_SAME = {
    "alpha": "a", "beta": "b", "gamma": "g", "delta": "d", "epsilon": "e", "zeta": "z", "kappa": "k", "theta": "q",
    "lambda": "l", "i": "1", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
    "receptor": "r", "adrenoceptor": "r", "ligand": "l", "interleukin": "il", "mirna": "mir", "microrna": "mir",
    "oestrogen": "estrogen", "tumour": "tumor", "homologue": "homolog", "kd": "kda", "ca": "calcium",
}  # fmt: skip
# Words that names leave out or add as they please.
_LIGHT = frozenset(
    "a and antigen associated binding cell chain class containing dependent domain factor family for form gene group h "  # noqa: SIM905
    "homolog human in isoform like mature member mrna of polypeptide product protein related specific subunit surface "
    "the to type with".split()
)
_LIGHTNESS = 0.3
_UNKNOWN = 12.0  # weight of a word no gene's name holds: that of the rarest
_COMMON = 30_000  # names that hold a word; by such a word alone none is looked for
_LOOKED = 200  # names that share most, of which the things are weighed
_WEIGHED = 10  # that are weighed, of each form of a name
_RANK = 4  # dictionary.DESIGNATION: names worse than that describe nothing
_LEAST = 3  # letters of a name that describes, and of a word that makes what the document names kin
_MUCH = 60.0  # natural-log units; what more of a document speaks for a gene says no more

# Weights of a conditional logit over the things found and none of them, natural-log units, fitted on annotated names
# that no surer rule reaches: python -m tests.benchmarks.normalisation --fit.
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "gene": {
        "shared": 3.92,  # what one name of it shares with this one, squared cosine
        "less": -0.14,  # numbers and letters of this name that that one lacks
        "more": -0.79,  # and the other way round
        "covered": 2.18,  # share of this name that words of any of its names say
        "unsaid": -0.53,  # numbers and letters that none of its names holds
        "fit": 0.57,  # per ten units of what else a document says of it
        "named": 1.74,  # by the document, by a name of its own
        "untold": -0.97,  # by every annotated article
        "bent": 2.07,  # what a rule makes of it; of several, the second half, the third a third
        "none": 3.33,
    },
    "disease": {
        "shared": 4.18,
        "less": -0.75,
        "more": -0.16,
        "covered": 1.86,
        "unsaid": 0.89,
        "named": 1.71,
        "untold": -1.06,
        "bent": 0.64,
        "none": 3.42,
    },
}


@lru_cache(maxsize=1 << 16)
def _parts(word: str) -> tuple[str, ...]:
    """ "betaarr" -> b, arr; "ii" -> 2."""
    return tuple(_SAME.get(part, part) for part in _GREEK.split(word) if part)


def words(key: str) -> frozenset[str]:
    """The words of a name's key in a form that other ways to write them share.

    Examples
    --------
    >>> sorted(words("interleukin 4 receptor alpha") ^ words("il 4 ralpha"))
    []
    """
    return frozenset(part for word in key.split() for part in _parts(word))


def stems(key: str) -> frozenset[str]:
    """The words of a disease's key without their endings, organs by one name.

    Examples
    --------
    >>> stems("renal tumours") == stems("tumour kidney")
    True
    """
    return frozenset(stem(word) or word for word in key.split())


def _telling(said: Iterable[str]) -> frozenset[str]:
    """Numbers and single letters, which tell members of a family apart."""
    return frozenset(word for word in said if len(word) == 1 or word.isdigit())


@dataclass(frozen=True, slots=True)
class Seen:
    """What speaks for a thing, by the names of `WEIGHTS`."""

    id: str
    cues: dict[str, float]


class Wording:
    """The names of genes, or of diseases, by their words.

    Parameters
    ----------
    type
        "gene" or "disease".
    names
        Where those of its things stand in `families.keys`.
    """

    def __init__(self, families: Families, type: Type, names: Sequence[int]) -> None:
        self._families, self._type = families, type
        self._names = [name for name in names if families.ranks[name] <= _RANK]
        self._words = stems if type == "disease" else words
        self._ids = list(families.ids)
        self._said: dict[int, frozenset[str]] = {}

    @cached_property
    def _index(self) -> _Index:
        held = (self._words(self._families.keys[name]) for name in self._names)
        return _Index.of(held, np.array(self._names, dtype=np.int64))

    def likeliest(
        self, forms: Sequence[str], around: Surroundings, bent: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """What a name may describe, likeliest first, each with its probability; together they leave some for none.

        Parameters
        ----------
        forms
            Keys: the name, and what it is short for in the document.
        around
            What the document says besides.
        bent
            What a rule less sure makes of the name, likeliest first.
        """
        seen, weights = self.seen(forms, around, bent), WEIGHTS[self._type]
        speaks = [sum(weights.get(cue, 0.0) * value for cue, value in one.cues.items()) for one in seen]
        chances = np.exp(np.array(speaks) - np.logaddexp.reduce([*speaks, weights["none"]]))
        found = zip((one.id for one in seen), chances.tolist(), strict=True)
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def seen(self, forms: Sequence[str], around: Surroundings, bent: Sequence[str] = ()) -> list[Seen]:
        """What speaks for each thing that shares words with a name, or is bent to it."""
        families, index = self._families, self._index
        every = self._words(" ".join(forms))
        kin = frozenset(word for word in every if len(word) >= _LEAST and not word.isdigit()) - _LIGHT
        # "5" describes nothing, and "subunit 7" nothing by itself.
        if sum(map(len, every)) < _LEAST or not (kin or bent or around.words):
            return []
        asked = self._words(forms[0])
        total = index.weigh(asked)
        nearest: dict[int, dict[str, float]] = {families.ids[id]: {} for id in bent if id in families.ids}
        for form in forms:
            for owner, cues in self._nearest(form):
                if cues["shared"] > nearest.get(owner, {}).get("shared", 0.0):
                    nearest[owner] = cues
        named = (
            around.named
            if self._type == "gene"
            else {c.id for _, c in around.written if c.type == self._type}
        )
        for id in sorted(named):
            place = families.ids.get(id)
            if place is not None and place not in nearest and kin & self.words(place):
                nearest[place] = {}
        seen = []
        for place, near in nearest.items():
            id, said = self._ids[place], self.words(place)
            cues = dict(near)
            cues["covered"] = index.weigh(asked & said) / total if total else 0.0
            cues["unsaid"] = float(len(_telling(asked) - said))
            cues["fit"] = min(families.fit(id, forms[0], around), _MUCH) / 10
            cues["named"] = float(id in named)
            cues["untold"] = float(families.told[place] == 0)
            cues["bent"] = 1.0 / (1 + bent.index(id)) if id in bent else 0.0
            seen.append(Seen(id, cues))
        return seen

    def words(self, place: int) -> frozenset[str]:
        """The words of all names of a thing."""
        said = self._said.get(place)
        if said is None:
            said = self._said[place] = self._words(" ".join(self._families.names_of(place)))
        return said

    def _nearest(self, form: str) -> list[tuple[int, dict[str, float]]]:
        """The things of which a name shares most with this one, and how its number and letters differ."""
        asked = self._words(form)
        telling = _telling(asked)
        best: dict[int, tuple[float, dict[str, float]]] = {}
        for name, cosine in self._index.nearest(asked):
            own = _telling(self._words(self._families.keys[name]))
            less, more = len(telling - own), len(own - telling)
            alike = cosine * (0.6 if less and more else 0.75 if less else 0.9 if more else 1.0)
            owner = int(self._families.owners[name])
            if alike > best.get(owner, (0.0,))[0]:
                best[owner] = alike, {"shared": alike**2, "less": float(less), "more": float(more)}
        ranked = sorted(best.items(), key=lambda found: (-found[1][0], found[0]))
        return [(owner, cues) for owner, (_, cues) in ranked[:_WEIGHED]]


@dataclass(frozen=True, eq=False)
class _Index:
    """Names by their words.

    Parameters
    ----------
    names : [name]
        Where each stands in the dictionary.
    places : word -> number
    weights : [word], natural-log units
    holders, starts : [pair], [word + 1]
        Of each word, the names that hold it.
    norms : [name]
        Weight of all words of each.
    """

    names: NDArray[np.int64]
    places: dict[str, int]
    weights: NDArray[np.float64]
    holders: NDArray[np.int64]
    starts: NDArray[np.int64]
    norms: NDArray[np.float64]

    @classmethod
    def of(cls, held_words: Iterable[frozenset[str]], names: NDArray[np.int64]) -> _Index:
        places: dict[str, int] = {}
        numbered: list[int] = []
        lengths = []
        for said in held_words:
            lengths.append(len(said))
            numbered += [places.setdefault(word, len(places)) for word in sorted(said)]
        of_word, count = np.array(numbered, dtype=np.int64), np.array(lengths, dtype=np.int64)
        held = np.bincount(of_word, minlength=len(places))
        light = np.array([_LIGHTNESS if word in _LIGHT else 1.0 for word in places])
        weights = np.log(max(1, len(names)) / held.clip(min=1)) * light
        of_name = np.repeat(np.arange(len(names)), count)
        order = np.argsort(of_word, kind="stable")
        starts = np.concatenate([[0], np.cumsum(held)])
        norms = np.bincount(of_name, weights[of_word], minlength=len(names)).astype(np.float64)
        return cls(names, places, weights, of_name[order], starts, norms)

    def weigh(self, said: Iterable[str]) -> float:
        """Weight of words, those of no name too."""
        return math.fsum(self._weight(word) for word in said)  # in any order the same

    def _weight(self, word: str) -> float:
        place = self.places.get(word)
        if place is not None:
            return float(self.weights[place])
        return _UNKNOWN * (_LIGHTNESS if word in _LIGHT else 1.0)

    def nearest(self, asked: frozenset[str]) -> list[tuple[int, float]]:
        """Names that share words, most first: weight of what is shared over the geometric mean of both weights."""
        if not len(self.names):
            return []
        shared = np.zeros(len(self.names))
        for word in sorted(asked):
            place = self.places.get(word)
            if place is not None and self.starts[place + 1] - self.starts[place] < _COMMON:
                shared[self.holders[self.starts[place] : self.starts[place + 1]]] += self.weights[place]
        found = np.flatnonzero(shared)
        cosines = shared[found] / np.sqrt(self.weigh(asked) * self.norms[found])
        if len(found) > _LOOKED:
            high = cosines >= np.partition(cosines, -_LOOKED)[-_LOOKED]
            found, cosines = found[high], cosines[high]
        best = np.argsort(-cosines, kind="stable")[:_LOOKED]
        return [(int(self.names[found[at]]), float(cosines[at])) for at in best]
