"""What does one pass over an article find: names, what they mean, what is claimed of them?

One setting says who reads: the dictionary, the shipped model, or another model by
folder or name. annotate, mine and the dossier all read through it, so that with one
reader they say the same of the same sentence. Which span is a name is decided in mentions.py and
model/prediction.py, what it means in mentions.py and names/normalisation.py, what is claimed in
claims.py.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from discovery.outcome import UserError
from literature.article import Article
from literature.claims import Claim, claims
from literature.lexicon import Lexicon, Type, tokens
from literature.mentions import DictionaryTagger, Mention, Span, Tagger, abbreviations, linked, of_others
from literature.names.dictionary import own_names, shipped
from literature.names.families import Surroundings
from literature.names.normalisation import normalise

if TYPE_CHECKING:
    from literature.relations.answers import Answers
    from literature.relations.relating import Relation

DICTIONARY, MODEL, RULES = "dictionary", "model", "rules"
GENERAL = "general"
_REMEMBERED = 2048  # texts
SURE = 0.7  # a link by a bent spelling counts from here on; below it, right and wrong ones are even


class ReadingError(UserError, ValueError):
    """The reader cannot be used; the message names it and what to do."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was found in one article; all offsets are code points into its text."""

    article: Article
    mentions: tuple[Mention, ...]  # names with an identifier, in order
    unlinked: tuple[Span, ...]  # names that no dictionary settles, in order
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Reading:
    """Who reads, and with which names.

    Parameters
    ----------
    reader
        "dictionary"; "model", the shipped network helped by the dictionary; or a weights
        file, a folder or the name of a token-classification model (see EncoderTagger).
    convention
        Whose habits of marking names a model of ours follows: "general", "BC5CDR", ...
    lexicon
        A JSON-lines file of the user's own names, added to the shipped ones.
    relations
        Who says how names are related: "rules"; "model", the shipped network; or a weights
        file, a folder or the name of a sequence-classification model (see RelationReader).
        Left empty, rules do, unless `reader` names a weights file that answers for pairs: the network
        finds more and reads slower (weights/reader.md).

    Raises
    ------
    ReadingError
        If a convention is asked of the dictionary, which has none.
    """

    reader: str = DICTIONARY
    convention: str = GENERAL
    lexicon: str = ""
    relations: str = ""

    def __post_init__(self) -> None:
        if self.reader == DICTIONARY and self.convention != GENERAL:
            raise ReadingError(
                f"the dictionary has no convention {self.convention!r}; name a model with --reader model"
            )

    @cached_property
    def names(self) -> Lexicon:
        """The shipped names, and the user's own above them."""
        return shipped() + own_names(Path(self.lexicon)) if self.lexicon else shipped()

    @cached_property
    def tagger(self) -> Tagger:
        """What finds the spans."""
        words: Tagger = DictionaryTagger(self.names)
        if self.reader == DICTIONARY:
            return words
        words = _Once(words)
        from literature.model.prediction import SHIPPED, EitherTagger, EncoderTagger

        model = SHIPPED if self.reader == MODEL else self.reader
        network = EncoderTagger(model, convention=self.convention, hints=words)
        network.load()  # a model that is absent is said before the first article is opened
        return EitherTagger(network, _Only(words, frozenset({"process"})))

    @cached_property
    def answers(self) -> Answers | None:
        """The network that says how things are related; None where rules do."""
        asked = self.relations or (self.reader if self.reader.endswith(".safetensors") else RULES)
        if asked == RULES:
            return None
        from literature.model.prediction import SHIPPED
        from literature.model.weights_io import read
        from literature.relations.relating import RelationReader

        if not self.relations and read(Path(self.reader)).pairs is None:
            return None
        return RelationReader(SHIPPED if asked == MODEL else asked).load()

    @property
    def fingerprint(self) -> str:
        """Changes when what is found may change."""
        told = [self.names.fingerprint]
        if self.reader != DICTIONARY:
            told += [self.reader, self.convention, *_sums(self.reader)]
        if self.relations:
            told += [self.relations, *_sums(self.relations)]
        return "\0".join(told)

    def __call__(self, articles: Sequence[Article], /) -> list[Read]:
        """One `Read` per article, in the order given; neighbours change no answer."""
        spans = self.tagger([article.text for article in articles])
        mentions = linked(articles, spans, self.names)
        if self.reader == DICTIONARY:  # a dictionary's name without a meaning is no name
            marked = [(found, list[Span]()) for found in mentions]
        else:
            marked = [self._settled(*these) for these in zip(articles, mentions, spans, strict=True)]
        told = self._relations(
            [(article, found) for article, (found, _) in zip(articles, marked, strict=True)]
        )
        return [
            Read(article, tuple(found), tuple(unlinked), tuple(claims(article, found, relations=said)))
            for article, (found, unlinked), said in zip(articles, marked, told, strict=True)
        ]

    def _relations(
        self, articles: Sequence[tuple[Article, Sequence[Mention]]]
    ) -> Sequence[Sequence[Relation] | None]:
        """What the network says of each article; None where rules alone speak."""
        if self.answers is None:
            return [None] * len(articles)
        from literature.relations.relating import relations_of_many

        return relations_of_many(articles, self.answers)

    def _settled(
        self, article: Article, mentions: Sequence[Mention], spans: Sequence[Span]
    ) -> tuple[list[Mention], list[Span]]:
        """A model's type stands: a link to a thing of another type is looked up again under the model's."""
        types = {(s.start, s.end): s for s in spans if article.passage_at(s.start, s.end)}
        kept = {
            (m.start, m.end): m
            for m in mentions
            if (m.start, m.end) not in types or types[m.start, m.end].type == m.type
        }
        short_forms = abbreviations(article)
        text = article.text
        around = Surroundings(
            frozenset(token.key for token in tokens(text)),
            Counter(m.concept.id for m in kept.values() if m.type == "gene" and m.method == "name"),
        )
        others = of_others(article)
        unlinked: list[Span] = []
        for place, span in types.items():
            if place in kept:
                continue
            words = text[span.start : span.end]
            if others and span.type == "gene":
                unlinked.append(span)
                continue
            links = normalise(
                words, span.type, short_forms=short_forms, text=around, lexicon=self.names, least=SURE
            )
            if links and links[0].score >= SURE and links[0].concept.type == span.type:
                score = span.probability * links[0].score
                kept[place] = Mention(*place, words, links[0].concept, score, links[0].method)
            else:
                unlinked.append(span)
        return [kept[place] for place in sorted(kept)], sorted(unlinked, key=lambda span: span.start)


def _sums(model: str) -> list[str]:
    """Of the files of a model."""
    path = Path(model)
    if model == MODEL:
        path = Path(
            str(files("literature") / "weights" / "reader.safetensors")
        )  # without importing a network
    parts = sorted(path.glob("*")) if path.is_dir() else [path]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in parts if file.is_file()]


@dataclass(frozen=True)
class _Only:
    """The spans of some types."""

    tagger: Tagger
    types: frozenset[Type]

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        return [[span for span in spans if span.type in self.types] for spans in self.tagger(texts)]


class _Once:
    """A tagger that is asked twice about each text, to hint and to fill gaps, and looks once."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._said: dict[str, Sequence[Span]] = {}

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        if len(self._said) + len(texts) > _REMEMBERED:
            self._said.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._said]
        self._said.update(zip(new, self._tagger(new), strict=True))
        return [self._said[text] for text in texts]
