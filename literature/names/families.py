"""Which gene does a document mean by a name that several share, or that a whole family bears?

"TRAP-1" is a synonym of three genes; "caspases" is nobody's name. What else the document
says decides: genes it also names in full, and words that stand in a gene's other names
("thrombin" beside "PAR-1" speaks for F2R, the thrombin receptor). A family's members are
the genes whose names are the family's and a number or a letter more.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from literature.lexicon import Concept, Entry, Lexicon, tokens
from literature.mentions import DictionaryTagger, meant

# A number, a letter or a Greek one tells members of a family apart.
DESIGNATION = r"(?:\d{1,2}|[a-z]|alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|i{1,3}|iv|vi?)"
_DESIGNATION = re.compile(rf"{DESIGNATION}$")
_FIRST = frozenset(["1", "a", "alpha", "i"])
_SAYS_NOTHING = frozenset(["catalytic", "subunit", "chain", "isoform", "type", "member"])
_TELLING = 3  # letters of a word that may tell genes apart
_NAMED = 8.0  # how much it says that a document names a gene itself, natural-log units
_SYNONYM = 3  # dictionary.SYNONYM: a name worse than that says little


@dataclass(frozen=True)
class Surroundings:
    """What a document says besides."""

    words: frozenset[str]
    named: Mapping[str, int]  # genes it names by names of theirs alone, how often
    written: Sequence[tuple[str, Concept]] = ()  # every other thing it names, as it is written there


@lru_cache(maxsize=16)
def surroundings(text: str, lexicon: Lexicon) -> Surroundings:
    """What a document says, by the names of a lexicon."""
    named: Counter[str] = Counter()
    written: list[tuple[str, Concept]] = []
    for span in DictionaryTagger(lexicon)([text])[0]:
        name = text[span.start : span.end]
        for entry in meant(name, lexicon):
            named[entry.concept.id] += entry.concept.type == "gene" and not entry.ambiguous
            if entry.concept.type != "gene":
                written.append((name, entry.concept))
    return Surroundings(frozenset(token.key for token in tokens(text)), +named, tuple(written))


@dataclass(frozen=True)
class Families:
    """The genes of a dictionary by the words of their names.

    Parameters
    ----------
    ids : identifier -> place
    told, genes : [concept]
        In how many annotated articles each is named, and whether it is a gene.
    keys, ranks, owners : [name]
        Of all names, sorted: the key, how sure it is, whose it is.
    """

    ids: Mapping[str, int]
    told: Sequence[int]
    genes: NDArray[np.bool_]
    keys: Sequence[str]
    ranks: NDArray[np.int8]
    owners: NDArray[np.int64]

    @cached_property
    def _names(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Names in the order of their owners, and where each owner's begin."""
        order = np.argsort(self.owners, kind="stable")
        return order, np.searchsorted(self.owners[order], np.arange(len(self.ids) + 1))

    @cached_property
    def _holders(self) -> Counter[str]:
        """In how many names of genes each word stands."""
        return Counter(" ".join(self.keys[name] for name in self._of_genes).split())

    @cached_property
    def _of_genes(self) -> list[int]:
        names: list[int] = np.flatnonzero(self.genes[self.owners]).tolist()
        return names

    @cached_property
    def _named(self) -> list[str]:
        return list(self.ids)

    @cached_property
    def _members(self) -> dict[str, list[tuple[int, str, int]]]:
        """Of each family: owner, what its name has more, rank."""
        found: dict[str, list[tuple[int, str, int]]] = {}
        for name in self._of_genes:
            rank, owner = int(self.ranks[name]), int(self.owners[name])
            parts = [part for part in self.keys[name].split() if part not in _SAYS_NOTHING]
            for more in (1, 2):
                if len(parts) <= more or not _DESIGNATION.match(parts[-more]):
                    break
                family = " ".join(parts[:-more])
                if len(family) >= _TELLING:
                    found.setdefault(family, []).append((owner, " ".join(parts[-more:]), rank))
        return found

    def names_of(self, place: int) -> list[str]:
        """The keys of a concept's names."""
        order, starts = self._names
        return [self.keys[name] for name in order[starts[place] : starts[place + 1]]]

    def words(self, id: str) -> frozenset[str]:
        """The words of a gene's names that may tell it from others; none of what is no gene."""
        place = self.ids.get(id)
        return frozenset() if place is None or not self.genes[place] else self._said(place)

    def _said(self, place: int) -> frozenset[str]:
        words = {word for name in self.names_of(place) for word in name.split()}
        return frozenset(word for word in words if len(word) >= _TELLING and not word.isdigit())

    def fit(self, id: str, name: str, around: Surroundings) -> float:
        """How much of a document speaks for a gene: the rarity of its names' words that stand there, natural-log units.

        Parameters
        ----------
        name
            The key in question, whose own words say nothing.
        """
        shared = (self.words(id) & around.words) - set(name.split())
        return sum(math.log(len(self._of_genes) / self._holders[word]) for word in shared)

    def support(self, id: str, name: str, around: Surroundings) -> float:
        """As `fit`, and more where the document names the gene by another name."""
        return self.fit(id, name, around) + _NAMED * (id in around.named)

    def liking(self, entry: Entry, name: str, around: Surroundings) -> float:
        """What speaks for a gene that has this name among others."""
        id = entry.concept.id
        speaks = 0.5 * self.fit(id, name, around) + 3 * math.log1p(entry.told) + _NAMED * (id in around.named)
        return speaks - 6 * max(0, entry.rank - _SYNONYM)

    def bears(self, name: str) -> bool:
        """Whether a name is a family's: that of several genes, but for a number or a letter."""
        first, after = bisect_left(self.keys, f"{name} "), bisect_left(self.keys, f"{name}!")
        more = (
            place for place in range(first, after) if _DESIGNATION.match(self.keys[place][len(name) + 1 :])
        )
        return len({int(self.owners[place]) for place in more if self.genes[self.owners[place]]}) > 1

    def member(self, family: str, around: Surroundings) -> tuple[str, bool] | None:
        """The member of a family that a document means, and whether it names that one itself."""
        best = max(self._candidates(family, around), default=None)
        return None if best is None else (best[-1], best[-1] in around.named)

    def _candidates(self, family: str, around: Surroundings) -> Iterator[tuple[float, int, str]]:
        for owner, more, rank in self._members.get(family, ()):
            id = self._named[owner]
            speaks = 0.3 * self.fit(id, family, around) + 2 * math.log1p(self.told[owner])
            speaks += (
                _NAMED * (id in around.named) + 3 * (more in _FIRST) - (" " in more) - 2 * (rank > _SYNONYM)
            )
            yield speaks, -owner, id

    def named_kin(self, name: str, around: Surroundings) -> str | None:
        """The gene a document names most, of those in whose names all words of this one stand."""
        words = name.split()
        if any(word.isdigit() for word in words) or _DESIGNATION.match(words[-1] if words else ""):
            return None  # "actinin 1" is one gene, and not actinin 4
        own = {word for word in words if len(word) >= _TELLING}
        kin = [(times, id) for id, times in around.named.items() if own and own <= self.words(id)]
        return max(kin)[1] if kin else None
