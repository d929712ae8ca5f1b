"""How are two things that a text names related, by which probability, and is it news?

The shipped network answers as its corpora do ("DrugProt:INHIBITOR", "CDR:CID"); what
that means in the words of claims.py is settled here. A convention answers for kinds of
things: DrugProt for drugs and proteins of one sentence, CDR for drugs that cause
diseases, BioRED for eight kinds of pairs of a whole abstract. Whether a sentence denies
or doubts what it says is decided in assertion.py: the corpora say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from literature.article import Article
from literature.lexicon import Type
from literature.mentions import Mention
from literature.prediction import SHIPPED, ModelError, Precision, shipped
from literature.relations_corpus import ANSWERS, KINDS, NONE, OUTPUTS, Pair, Related, Thing, candidates
from literature.relations_lessons import Ask, asked, asks, cut, in_rows, markers, pooled
from literature.sentences import split
from literature.weights_io import Weights, read
from literature.wordpieces import Window, Wordpieces

try:
    import torch
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

Effect = Literal[-1, 0, 1]
_PIECES = 2048  # per batch; all batches of one length have one shape, so neighbours change no answer
_LENGTHS = 64
LEAST = 0.5  # of being related, where a weights file says nothing else


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
        """The most probable answer other than none."""
        return max((a for a in self.answers if a != NONE), key=lambda a: self.answers[a])


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
    sentences = [
        (passage.offset + a, passage.offset + b)
        for passage in article.passages
        if passage.section != "references"
        for a, b in split(passage.text)
    ]
    single = [Thing(m.type, ((m.start, m.end),)) for m in mentions]
    groups: dict[str, list[int]] = {}
    for at, mention in enumerate(mentions):
        groups.setdefault(mention.concept.id, []).append(at)
    whole = [
        Thing(
            mentions[members[0]].type,
            tuple((mentions[at].start, mentions[at].end) for at in members),
            concept,
        )
        for concept, members in groups.items()
    ]
    for convention in KINDS:
        alone = convention == "DrugProt"
        things = single if alone else whole
        members = [[at] for at in range(len(mentions))] if alone else list(groups.values())
        floor = reader.least(convention) if least is None else least
        for answer in reader(convention, [(article.text, things)])[0]:
            if answer.related < floor:
                continue
            kinds = (things[answer.subject].type, things[answer.object].type)
            said = meaning(convention, answer.best, kinds)
            for sentence, a, b in _together(
                members[answer.subject], members[answer.object], mentions, sentences
            ):
                if mentions[a].concept.id == mentions[b].concept.id:
                    continue
                place = (sentence, mentions[a].concept.id, mentions[b].concept.id)
                relation = Relation(
                    mentions[a], mentions[b], said.predicate, said.effect, answer.related,
                    f"{convention}:{answer.best}", answer.novel,
                )  # fmt: skip
                old = found.get(place)
                if old is None or (old.probability, old.said) < (relation.probability, relation.said):
                    found[place] = relation
    order = sorted(found.items(), key=lambda item: (item[0][0], item[1].subject.start, item[1].object.start))
    return [relation for _, relation in order]


def _together(
    ones: Sequence[int],
    others: Sequence[int],
    mentions: Sequence[Mention],
    sentences: Sequence[tuple[int, int]],
) -> list[tuple[int, int, int]]:
    """For each sentence that names both: its number and the nearest mentions of the two."""
    best: dict[int, tuple[int, int, int]] = {}
    starts = [a for a, _ in sentences]
    where = {
        at: int(np.searchsorted(starts, mentions[at].start, side="right")) - 1 for at in (*ones, *others)
    }
    for a in ones:
        for b in others:
            number = where[a]
            if number < 0 or number != where[b] or mentions[a].end > sentences[number][1]:
                continue
            apart = abs(mentions[a].start - mentions[b].start)
            if number not in best or apart < best[number][0]:
                best[number] = apart, a, b
    return [(number, a, b) for number, (_, a, b) in sorted(best.items())]


@dataclass(frozen=True)
class _Own:
    """Our own network."""

    network: torch.nn.Module
    cutter: Wordpieces
    weights: Weights
    device: str

    def least(self, convention: str, /) -> float:
        return self.weights.calibration.get(convention, (1.0, LEAST))[1]

    def __call__(
        self, convention: str, documents: Sequence[tuple[str, Sequence[Thing]]], /
    ) -> list[list[Answered]]:
        if convention not in KINDS:
            raise ModelError(f"no convention {convention!r} of relations; known are {', '.join(KINDS)}")
        result: list[list[Answered]] = []
        places: list[list[tuple[int, int]]] = []
        rows: list[tuple[int, Window, tuple[Ask, ...]]] = []
        for number, (text, things) in enumerate(documents):
            chosen = list(candidates(convention, text, things))
            places.append(chosen)
            result.append([_unread(convention, a, b) for a, b in chosen])
            if not chosen:
                continue
            pairs = tuple(Pair(things[a], things[b], NONE) for a, b in chosen)
            document = Related(str(number), text, (), pairs)
            windows = cut(convention, text, self.cutter, self.weights.shape.places)
            for window, found in zip(windows, asks(convention, document, windows), strict=True):
                rows += [(number, window, group) for group in in_rows(found)]
        for (number, _, group), scores in zip(rows, self._scores([row[1:] for row in rows]), strict=True):
            for ask, said in zip(group, scores, strict=True):
                a, b = places[number][ask.pair]
                result[number][ask.pair] = self._answered(convention, a, b, said)
        return result

    def _answered(self, convention: str, a: int, b: int, scores: NDArray[np.float64]) -> Answered:
        temperature = self.weights.calibration.get(convention, (1.0, LEAST))[0]
        own = _rows(convention)
        chances = _softmax(scores[own] / temperature)
        novel = float(_softmax(scores[_rows("novelty")])[1]) if convention == "BioRED" else None
        return Answered(a, b, dict(zip(ANSWERS[convention], map(float, chances), strict=True)), novel)

    def _scores(self, rows: Sequence[tuple[Window, tuple[Ask, ...]]]) -> list[NDArray[np.float64]]:
        """[ask, output] of each row."""
        found: list[NDArray[np.float64]] = [np.zeros((0, len(OUTPUTS)))] * len(rows)
        by_shape: dict[tuple[int, int], list[int]] = {}
        for at, (window, group) in enumerate(rows):
            length = min(self.weights.shape.places, -(-len(window.pieces) // _LENGTHS) * _LENGTHS)
            by_shape.setdefault((length, markers(group)), []).append(at)
        for (length, beside), there in sorted(by_shape.items()):
            count = max(1, _PIECES // (length + beside))
            for begin in range(0, len(there), count):
                these = there[begin : begin + count]
                for at, scores in zip(
                    these, self._batch([rows[at] for at in these], length, count), strict=True
                ):
                    found[at] = scores
        return found

    def _batch(
        self, rows: Sequence[tuple[Window, tuple[Ask, ...]]], length: int, count: int
    ) -> list[NDArray[np.float64]]:
        pieces = torch.full((count, length), self.cutter.pad)
        shapes = torch.zeros((count, length), dtype=torch.long)
        real = torch.zeros((count, length), dtype=torch.bool)
        real[:, 0] = True  # rows that stay empty must not be all padding
        for row, (window, _) in enumerate(rows):
            used = len(window.pieces)
            pieces[row, :used] = torch.tensor(window.pieces)
            shapes[row, :used] = torch.tensor(window.shapes)
            real[row, :used] = True
        groups = [group for _, group in rows]
        told = asked([*groups, *[groups[0]] * (count - len(groups))]).to(torch.device(self.device))
        first = torch.zeros(1, dtype=torch.long)
        moved = (tensor.to(self.device) for tensor in (pieces, shapes, real, first))
        with torch.inference_mode():
            _, pairs = self.network.related(*moved, told.marks)  # type: ignore[operator]
            scores = pooled(pairs, told.slots).double().cpu().numpy()
        return list(np.split(scores, np.cumsum([len(group) for group in groups]))[:-1])


@lru_cache(maxsize=2)
def _own(path: Path, changed: int, precision: Precision, device: str) -> Answers:
    from literature.prediction import _short

    weights = read(path)
    if weights.shape.relations != OUTPUTS:
        raise ModelError(
            f"{path.name} answers for no pairs: it only finds names. Train one with `discovery train-reader`, "
            "or leave the model out for the shipped one"
        )
    network = weights.encoder().to(device)
    return _Own(
        network.shortened() if _short(precision, device) else network,
        Wordpieces.of_vocabulary(weights.vocabulary),
        weights,
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
