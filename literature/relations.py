"""How are two things that a text names related, by which probability, and is it news?

The shipped network answers as its corpora do ("DrugProt:INHIBITOR", "CDR:CID"); what
that means in the words of claims.py is settled here. A convention answers for kinds of
things: DrugProt for drugs and proteins of one sentence, CDR for drugs that cause
diseases, BioRED for eight kinds of pairs of a whole abstract. Whether a sentence denies
or doubts what it says is decided in assertion.py: the corpora say nothing of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations, product
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from literature.article import Article
from literature.encoder import Encoder
from literature.lexicon import Type
from literature.mentions import Mention
from literature.prediction import SHIPPED, ModelError, Precision, shipped
from literature.relations_corpus import (
    ANSWERS,
    CHEMPROT,
    KINDS,
    NONE,
    OUTPUTS,
    SENTENCES,
    Pair,
    Related,
    Thing,
    candidates,
)
from literature.relations_lessons import Row, beside, cut, pooled, rows, size, type_words
from literature.sentences import split
from literature.weights_io import Pairs, read
from literature.wordpieces import Wordpieces

try:
    import torch
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

Effect = Literal[-1, 0, 1]
_PIECES = 2048  # per batch; all batches of one size have one shape, so neighbours change no answer
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


@dataclass(frozen=True, slots=True)
class Relation:
    """Two mentions of an article, and how the network says they are related."""

    subject: Mention
    object: Mention
    predicate: str
    effect: Effect
    probability: float  # 0..1, calibrated: that the article states this relation
    said: str  # as the corpus calls it: "DrugProt:INHIBITOR"
    novel: float | None  # probability that it is this article's own finding


class Answers(Protocol):
    """A network that answers for pairs."""

    def __call__(
        self, convention: str, documents: Sequence[tuple[str, Sequence[Thing]]], /
    ) -> list[list[Answered]]: ...

    def least(self, convention: str, /) -> float: ...


@dataclass(frozen=True)
class RelationReader:
    """Says how things are related, many texts at once.

    Parameters
    ----------
    model
        "shipped"; a weights file made by `discovery train-reader`; or a
        sequence-classification model of the Hugging Face kind: a folder, or a name on the
        hub that is already on this machine (`download=True` fetches it). Such a model is
        shown a sentence with the two mentions written "@CHEMICAL$" and "@GENE$".
    labels
        For a model of others: what its labels mean ({"LABEL_1": "CPR:4", "LABEL_0": None}),
        where their names do not say so; None is "unrelated".

    Raises
    ------
    ModelError
        If the model is absent, torn, has labels that mean nothing here, or answers for no pairs.
    """

    model: str = SHIPPED
    labels: Mapping[str, str | None] = field(default_factory=dict)
    precision: Precision = "auto"
    device: str = "cpu"
    download: bool = False

    def __call__(
        self, convention: str, documents: Sequence[tuple[str, Sequence[Thing]]], /
    ) -> list[list[Answered]]:
        """Every pair of things that the convention answers for, document by document.

        A pair that no window of the network holds is answered "none": nothing was read of it.

        Parameters
        ----------
        convention
            "DrugProt", "CDR" or "BioRED".
        documents
            Texts, and the things they name.

        Raises
        ------
        ModelError
            If the model does not answer for this convention.
        """
        return self.load()(convention, documents)

    def least(self, convention: str) -> float:
        """The probability from which a pair counts as related: best F1 on documents kept aside."""
        return self.load().least(convention)

    def load(self) -> Answers:
        """The network itself, read once per process."""
        if self.model == SHIPPED or self.model.endswith(".safetensors"):
            path = shipped() if self.model == SHIPPED else Path(self.model)
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            return _own(path, changed, self.precision, self.device)
        from literature.relations_hub import hub

        labels = tuple(sorted(self.labels.items()))
        return hub(self.model, labels, self.device, self.download)


def relations(
    article: Article, mentions: Sequence[Mention], reader: Answers | None = None, least: float | None = None
) -> list[Relation]:
    """How the things that share a sentence are related, one relation per pair of concepts and sentence.

    Only sentences that name two things a convention relates are read.

    Parameters
    ----------
    mentions
        Of the article, sorted by start.
    least
        Least probability of being related; the weights file's own when None.

    Returns
    -------
    Sorted by the place of the sentence, then of the subject.
    """
    reader = reader or RelationReader()
    found: dict[tuple[int, str, str], Relation] = {}
    sentences = _sentences(article, mentions)
    for convention in KINDS:
        told = _telling(convention, article.text, sentences, mentions)
        if not told.spans:
            continue
        groups: dict[str, list[int]] = {}
        for at in told.spans:
            own = f"{at}" if convention in SENTENCES else mentions[at].concept.id
            groups.setdefault(own, []).append(at)
        members = list(groups.values())
        things = [
            Thing(mentions[ats[0]].type, tuple(told.spans[at] for at in ats), name)
            for name, ats in groups.items()
        ]
        floor = reader.least(convention) if least is None else least
        for answer in reader(convention, [(told.text, things)])[0]:
            if answer.related < floor:
                continue
            kinds = (things[answer.subject].type, things[answer.object].type)
            said = stated(convention, answer, kinds)
            for number, a, b in _together(
                members[answer.subject], members[answer.object], mentions, sentences
            ):
                if mentions[a].concept.id == mentions[b].concept.id:
                    continue
                place = (number, mentions[a].concept.id, mentions[b].concept.id)
                relation = Relation(
                    mentions[a], mentions[b], said.predicate, said.effect, answer.related,
                    f"{convention}:{answer.best}", answer.novel,
                )  # fmt: skip
                old = found.get(place)
                if old is None or (old.probability, old.said) < (relation.probability, relation.said):
                    found[place] = relation
    order = sorted(found.items(), key=lambda item: (item[0][0], item[1].subject.start, item[1].object.start))
    return [relation for _, relation in order]


class _Sentence(NamedTuple):
    start: int  # code points into the article's text
    end: int
    inside: tuple[int, ...]  # the mentions within it


def _sentences(article: Article, mentions: Sequence[Mention]) -> list[_Sentence]:
    """Sentences that name at least two things, references left out."""
    starts = [m.start for m in mentions]
    found: list[_Sentence] = []
    for passage in article.passages:
        if passage.section == "references":
            continue
        for a, b in split(passage.text):
            start, end = a + passage.offset, b + passage.offset
            low, high = bisect_left(starts, start), bisect_left(starts, end)
            inside = tuple(at for at in range(low, high) if mentions[at].end <= end)
            if len({mentions[at].concept.id for at in inside}) > 1:
                found.append(_Sentence(start, end, inside))
    return found


class _Telling(NamedTuple):
    """Sentences that may tell of a pair, one after another."""

    text: str
    spans: dict[int, tuple[int, int]]  # of each mention in them, its place in `text`


def _telling(
    convention: str, text: str, sentences: Sequence[_Sentence], mentions: Sequence[Mention]
) -> _Telling:
    kept: list[str] = []
    spans: dict[int, tuple[int, int]] = {}
    used = 0
    for start, end, inside in sentences:
        types = [mentions[at].type for at in inside]
        if not any(kind in KINDS[convention] for kind in permutations(types, 2)):
            continue
        spans |= {at: (mentions[at].start - start + used, mentions[at].end - start + used) for at in inside}
        kept.append(text[start:end])
        used += end - start + 1
    return _Telling(" ".join(kept), spans)


def _together(
    ones: Sequence[int],
    others: Sequence[int],
    mentions: Sequence[Mention],
    sentences: Sequence[_Sentence],
) -> list[tuple[int, int, int]]:
    """For each sentence that names both: its number and the nearest mentions of the two."""
    found: list[tuple[int, int, int]] = []
    for number, sentence in enumerate(sentences):
        pairs = product(
            [at for at in ones if at in sentence.inside], [at for at in others if at in sentence.inside]
        )
        near = min(pairs, key=lambda p: abs(mentions[p[0]].start - mentions[p[1]].start), default=None)
        if near is not None:
            found.append((number, *near))
    return found


@dataclass(frozen=True)
class _Own:
    """Our own network."""

    network: Encoder
    cutter: Wordpieces
    words: Sequence[int]  # as rows() takes them
    pairs: Pairs
    device: str

    def least(self, convention: str, /) -> float:
        return self.pairs.calibration.get(convention, (1.0, LEAST))[1]

    def __call__(
        self, convention: str, documents: Sequence[tuple[str, Sequence[Thing]]], /
    ) -> list[list[Answered]]:
        if convention not in KINDS:
            raise ModelError(f"no convention {convention!r} of relations; known are {', '.join(KINDS)}")
        result: list[list[Answered]] = []
        places: list[list[tuple[int, int]]] = []
        asked: list[tuple[int, Row]] = []
        for number, (text, things) in enumerate(documents):
            chosen = list(candidates(convention, text, things))
            places.append(chosen)
            result.append([_unread(convention, a, b) for a, b in chosen])
            if not chosen:
                continue
            pairs = tuple(Pair(things[a], things[b], NONE) for a, b in chosen)
            windows = cut(convention, text, self.cutter, self.pairs.shape.places)
            found = rows(convention, Related(str(number), text, (), pairs), windows, self.words)
            asked += [(number, row) for row in found]
        for (number, row), scores in zip(asked, self._scores([row for _, row in asked]), strict=True):
            for ask, said in zip(row.asks, scores, strict=True):
                a, b = places[number][ask.pair]
                result[number][ask.pair] = self._answered(convention, a, b, said)
        return result

    def _answered(self, convention: str, a: int, b: int, scores: NDArray[np.float64]) -> Answered:
        temperature = self.pairs.calibration.get(convention, (1.0, LEAST))[0]
        own = _rows(convention)
        chances = _softmax(scores[own] / temperature)
        novel = float(_softmax(scores[_rows("novelty")])[1]) if convention == "BioRED" else None
        return Answered(a, b, dict(zip(ANSWERS[convention], map(float, chances), strict=True)), novel)

    def _scores(self, asked: Sequence[Row]) -> list[NDArray[np.float64]]:
        """[ask, output] of each row."""
        found: list[NDArray[np.float64]] = [np.zeros((0, len(OUTPUTS)))] * len(asked)
        by_size: dict[tuple[int, int], list[int]] = {}
        for at, row in enumerate(asked):
            by_size.setdefault(size(row), []).append(at)
        for (length, markers), there in sorted(by_size.items()):
            count = max(1, _PIECES // (length + markers))
            for begin in range(0, len(there), count):
                these = there[begin : begin + count]
                for at, scores in zip(these, self._batch([asked[at] for at in these], count), strict=True):
                    found[at] = scores
        return found

    def _batch(self, some: Sequence[Row], count: int) -> list[NDArray[np.float64]]:
        told = beside(some, self.cutter.pad, count).to(torch.device(self.device))
        with torch.inference_mode():
            pairs = self.network.related(told.pieces, told.shapes, told.real, told.asked.marks)
            scores = pooled(pairs, told.asked.slots).double().cpu().numpy()
        return list(np.split(scores, np.cumsum([len(row.asks) for row in some]))[:-1])


@lru_cache(maxsize=2)
def _own(path: Path, changed: int, precision: Precision, device: str) -> Answers:
    from literature.prediction import _short

    weights = read(path)
    if weights.pairs is None or weights.pairs.shape.relations != OUTPUTS:
        raise ModelError(
            f"{path.name} answers for no pairs: it only finds names. Train one with `discovery train-reader`, "
            "or leave the model out for the shipped one"
        )
    network = weights.answering().to(device)
    return _Own(
        network.shortened() if _short(precision, device) else network,
        Wordpieces.of_vocabulary(weights.vocabulary),
        type_words(weights.vocabulary),
        weights.pairs,
        device,
    )


def _rows(convention: str) -> list[int]:
    return [OUTPUTS.index(f"{convention}:{answer}") for answer in ANSWERS[convention]]


def _unread(convention: str, subject: int, object: int) -> Answered:
    chances = {answer: float(answer == NONE) for answer in ANSWERS[convention]}
    return Answered(subject, object, chances, None)


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max())
    found: NDArray[np.float64] = powers / powers.sum()
    return found
