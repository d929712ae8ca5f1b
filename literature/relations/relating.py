"""How are two things that a text names related, by which probability, and is it news?

The shipped network, another weights file, or a model of others answers; what the answers
mean is in answers.py. Whether a sentence denies or doubts what it says is decided
in literature/assertion.py: the corpora say nothing of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from pathlib import Path
from typing import NamedTuple

from literature.article import Article
from literature.mentions import Mention
from literature.model.prediction import SHIPPED, Precision, shipped
from literature.relations.answers import Answered, Answers, Effect, stated
from literature.relations.corpus import KINDS, SENTENCES, Thing
from literature.relations.hub import hub
from literature.relations.network import own
from literature.sentences import split


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
        self,
        convention: str,
        documents: Sequence[tuple[str, Sequence[Thing]]],
        /,
        among: Sequence[Collection[frozenset[int]]] | None = None,
    ) -> list[list[Answered]]:
        """Every pair of things that the convention answers for, document by document.

        A pair that no window of the network holds is answered "none": nothing was read of it.

        Parameters
        ----------
        convention
            "DrugProt", "CDR" or "BioRED".
        documents
            Texts, and the things they name.
        among
            Of each document the pairs that matter, as places among its things; the others stay unread.

        Raises
        ------
        UnknownConvention
            If there is no such convention.
        """
        return self.load()(convention, documents, among=among)

    def least(self, convention: str) -> float:
        """The probability from which a pair counts as related: best F1 on documents kept aside."""
        return self.load().least(convention)

    def load(self) -> Answers:
        """The network itself, read once per process."""
        if self.model == SHIPPED or self.model.endswith(".safetensors"):
            path = shipped() if self.model == SHIPPED else Path(self.model)
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            return own(path, changed, self.precision, self.device)
        labels = tuple(sorted(self.labels.items()))
        return hub(self.model, labels, self.device, self.download)


def relations(
    article: Article, mentions: Sequence[Mention], reader: Answers | None = None, least: float | None = None
) -> list[Relation]:
    """How the things that share a sentence of an article are related, as `relations_of_many`."""
    return relations_of_many([(article, mentions)], reader, least)[0]


def relations_of_many(
    articles: Sequence[tuple[Article, Sequence[Mention]]],
    reader: Answers | None = None,
    least: float | None = None,
) -> list[list[Relation]]:
    """How the things that share a sentence are related, one relation per pair of concepts and sentence.

    Only sentences that name two things a convention relates are read, those of all articles together.

    Parameters
    ----------
    articles
        With their mentions, sorted by start.
    least
        Least probability of being related; the weights file's own when None.

    Returns
    -------
    Of each article, sorted by the place of the sentence, then of the subject.
    """
    reader = reader or RelationReader()
    found: list[dict[tuple[int, str, str], Relation]] = [{} for _ in articles]
    sentences = [_sentences(article, mentions) for article, mentions in articles]
    for convention in KINDS:
        told = [
            _telling(convention, article.text, there, mentions)
            for (article, mentions), there in zip(articles, sentences, strict=True)
        ]
        asked = [number for number, telling in enumerate(told) if telling.spans]
        if not asked:
            continue
        floor = reader.least(convention) if least is None else least
        said = reader(
            convention,
            [(told[number].text, told[number].things) for number in asked],
            among=[told[number].together for number in asked],
        )
        for number, answers in zip(asked, said, strict=True):
            _keep(found[number], convention, told[number], articles[number][1], sentences[number], [
                answer for answer in answers if answer.related >= floor
            ])  # fmt: skip
    return [
        [
            relation
            for _, relation in sorted(
                one.items(), key=lambda item: (item[0][0], item[1].subject.start, item[1].object.start)
            )
        ]
        for one in found
    ]


def _keep(
    found: dict[tuple[int, str, str], Relation],
    convention: str,
    told: _Telling,
    mentions: Sequence[Mention],
    sentences: Sequence[_Sentence],
    answers: Sequence[Answered],
) -> None:
    """Of each pair of concepts and sentence, the surest answer."""
    for answer in answers:
        one, other = answer.subject, answer.object
        said = stated(convention, answer, (told.things[one].type, told.things[other].type))
        for number, a, b in _together(told.members[one], told.members[other], mentions, sentences):
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
    members: list[list[int]]  # of each thing, its mentions
    things: list[Thing]
    together: set[frozenset[int]]  # things that share a sentence, by two


def _telling(
    convention: str, text: str, sentences: Sequence[_Sentence], mentions: Sequence[Mention]
) -> _Telling:
    kept: list[str] = []
    read: list[tuple[int, ...]] = []
    spans: dict[int, tuple[int, int]] = {}
    used = 0
    for start, end, inside in sentences:
        types = [mentions[at].type for at in inside]
        if not any(kind in KINDS[convention] for kind in permutations(types, 2)):
            continue
        spans |= {at: (mentions[at].start - start + used, mentions[at].end - start + used) for at in inside}
        kept.append(text[start:end])
        read.append(inside)
        used += end - start + 1
    groups: dict[str, list[int]] = {}
    for at in spans:
        own = f"{at}" if convention in SENTENCES else mentions[at].concept.id
        groups.setdefault(own, []).append(at)
    things = [
        Thing(mentions[ats[0]].type, tuple(spans[at] for at in ats), name) for name, ats in groups.items()
    ]
    whose = {at: thing for thing, ats in enumerate(groups.values()) for at in ats}
    together = {frozenset(pair) for inside in read for pair in combinations({whose[at] for at in inside}, 2)}
    return _Telling(" ".join(kept), spans, list(groups.values()), things, together)


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
