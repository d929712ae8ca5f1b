"""What may be said of a pair, and what does it mean?

Networks answer as their corpora do ("DrugProt:INHIBITOR", "CDR:CID"); what that means in
the words of literature/claims.py is settled here. A convention answers for kinds of things: DrugProt
for drugs and proteins of one sentence, CDR for drugs that cause diseases, BioRED for eight
kinds of pairs of a whole abstract.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from discovery.outcome import UserError
from literature.lexicon import Type
from literature.relations.corpus import ANSWERS, CHEMPROT, KINDS, NONE, Thing, candidates

Effect = Literal[-1, 0, 1]
LEAST = 0.5  # of being related, where a weights file says nothing else
SURE = 0.6  # so much of what speaks for an effect must speak for one direction


class Meaning(NamedTuple):
    """An answer in general words."""

    predicate: str
    effect: Effect  # what the subject does to the object: more or worse +1, less or better -1, not said 0


_DRUGPROT: Mapping[str, Meaning] = {
    "INHIBITOR": Meaning("inhibits", -1),
    "INDIRECT-DOWNREGULATOR": Meaning("inhibits", -1),
    "ANTAGONIST": Meaning("antagonist of", -1),
    "ACTIVATOR": Meaning("activates", 1),
    "INDIRECT-UPREGULATOR": Meaning("activates", 1),
    "AGONIST": Meaning("agonist of", 1),
    "AGONIST-ACTIVATOR": Meaning("agonist of", 1),
    "AGONIST-INHIBITOR": Meaning("agonist of", 1),
    "DIRECT-REGULATOR": Meaning("binds", 0),
    "SUBSTRATE": Meaning("substrate of", 0),
    "SUBSTRATE_PRODUCT-OF": Meaning("substrate of", 0),
    "PRODUCT-OF": Meaning("product of", 0),
    "PART-OF": Meaning("part of", 0),
}
_BIORED: Mapping[str, Meaning] = {
    "Association": Meaning("associated with", 0),
    "Bind": Meaning("binds", 0),
    "Cotreatment": Meaning("given with", 0),
    "Comparison": Meaning("compared with", 0),
    "Drug_Interaction": Meaning("interacts with", 0),
    "Conversion": Meaning("converted to", 0),
}
_CORRELATED: Mapping[tuple[Type, Type], tuple[str, str]] = {  # positive, negative
    ("chemical", "disease"): ("causes", "treats"),
    ("gene", "disease"): ("promotes", "protects against"),
    ("variant", "disease"): ("causes", "protects against"),
}


def meaning(convention: str, answer: str, kinds: tuple[Type, Type]) -> Meaning:
    """What a convention's answer says of a subject and an object of two types.

    Raises
    ------
    KeyError
        If the convention has no such answer.
    """
    if convention == "CDR" and answer == "CID":
        return Meaning("causes", 1)
    if convention == "DrugProt":
        return _DRUGPROT[answer]
    if answer in ("Positive_Correlation", "Negative_Correlation"):
        words = _CORRELATED.get(kinds, ("activates", "inhibits"))
        return Meaning(words[0], 1) if answer == "Positive_Correlation" else Meaning(words[1], -1)
    return _BIORED[answer]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a network says of one pair of things."""

    subject: int  # place among the things given
    object: int
    answers: Mapping[str, float]  # probability of each answer of the convention; they sum to 1
    novel: float | None  # probability that it is news and not background; None: not told

    @property
    def related(self) -> float:
        """The probability that any relation is stated."""
        return 1.0 - self.answers[NONE]

    @property
    def best(self) -> str:
        """The most probable answer of the most probable group, none aside: two words for one thing (an inhibitor,
        an indirect one) do not lose against a third that is less probable than both together."""
        said = {a: p for a, p in self.answers.items() if a != NONE}
        groups: dict[str, float] = {}
        for answer, chance in said.items():
            group = CHEMPROT.get(answer, answer)
            groups[group] = groups.get(group, 0.0) + chance
        group = max(groups, key=lambda g: groups[g])
        return max((a for a in said if CHEMPROT.get(a, a) == group), key=lambda a: said[a])


def stated(convention: str, said: Answered, kinds: tuple[Type, Type]) -> Meaning:
    """What the best answer says; of an effect whose direction is open, only that there is one."""
    found = meaning(convention, said.best, kinds)
    if not found.effect:
        return found
    either = {-1: 0.0, 0: 0.0, 1: 0.0}
    for answer, chance in said.answers.items():
        if answer != NONE:
            either[meaning(convention, answer, kinds).effect] += chance
    if either[found.effect] >= SURE * (either[-1] + either[1]):
        return found
    return Meaning("associated with" if kinds[1] == "disease" else "regulates", 0)


class Answers(Protocol):
    """A network that answers for pairs."""

    def __call__(
        self,
        convention: str,
        documents: Sequence[tuple[str, Sequence[Thing]]],
        /,
        among: Sequence[Collection[frozenset[int]]] | None = None,
    ) -> list[list[Answered]]:
        """Every pair a convention asks for, document by document.

        Parameters
        ----------
        among
            Of each document the pairs that matter, as places among its things; the others may stay unread.
        """
        ...

    def least(self, convention: str, /) -> float: ...


class UnknownConvention(UserError, ValueError):
    """No corpus answers so; the message says which do."""


def unread(convention: str, documents: Sequence[tuple[str, Sequence[Thing]]]) -> list[list[Answered]]:
    """Every pair that a convention asks for, document by document, of which nothing was read yet.

    Raises
    ------
    UnknownConvention
        If there is no such convention.
    """
    if convention not in KINDS:
        raise UnknownConvention(f"no convention {convention!r} of relations; known are {', '.join(KINDS)}")
    none = {answer: float(answer == NONE) for answer in ANSWERS[convention]}
    return [
        [Answered(a, b, none, None) for a, b in candidates(convention, text, things)]
        for text, things in documents
    ]
