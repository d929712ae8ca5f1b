"""How much does the literature say for a link, and how much against it?

One piece of evidence is one claim with its verbatim sentence. A paper's sentences
saturate, since a paper that repeats itself is still one paper; papers add up as Open
Targets adds evidence; what speaks for a link and what speaks against it are two
numbers; an old paper weighs less, a retracted one nothing.

References
----------
.. [1] Open Targets Platform documentation, "Target-disease associations", section
   "Association scores, by data source": sort, divide the i-th by i squared, sum,
   divide by the same sum over 1,000 ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from discovery.target import Statement
from literature.article import Article, Citation
from literature.claims import Claim

LIMIT = sum(1.0 / i**2 for i in range(1, 1001))  # 1.6439..., the harmonic sum of 1,000 ones [1]
REPEAT = 1.2  # a paper counts at most so many times its best sentence
HALF_LIFE = 10.0  # years after which the part of a weight that ages has halved
AGELESS = 0.5  # the part of a weight that does not age

SECTIONS = {
    "title": 1.0,
    "conclusion": 0.95,
    "results": 0.9,
    "abstract": 0.8,
    "claims": 0.8,
    "caption": 0.7,
    "discussion": 0.6,
    "introduction": 0.4,
    "methods": 0.3,
}
OTHER_SECTION = 0.5
REVIEW = 0.7  # a review repeats what others found


@dataclass(frozen=True, slots=True)
class Evidence:
    """One claim and the exact words that make it. Without a citation there is no evidence."""

    claim: Claim
    citation: Citation

    @classmethod
    def of(cls, article: Article, claim: Claim) -> Evidence:
        """Quote the claim's sentence from its article."""
        return cls(claim, Citation.of(article, claim.start, claim.end))

    @property
    def article(self) -> Article:
        return self.citation.article

    @property
    def weight(self) -> float:
        """0..1: the claim's confidence times where it was said; 0 when retracted."""
        if self.article.retracted:
            return 0.0
        review = REVIEW if any(g.casefold() == "review" for g in self.article.genres) else 1.0
        return self.claim.confidence * SECTIONS.get(self.citation.section, OTHER_SECTION) * review

    def statement(self) -> Statement:
        """The record the other rooms read."""
        subject, object = self.claim.subject.concept, self.claim.object.concept
        return Statement(
            subject=subject.name,
            predicate=self.claim.predicate,
            object=object.name,
            sign=self.claim.sign,
            confidence=self.weight,
            quote=self.citation.text,
            source=self.article.id,
            title=self.article.title,
            year=self.article.year,
            section=self.citation.section,
            start=self.citation.start,
            end=self.citation.end,
            kind=self.article.kind,
            retracted=self.article.retracted,
            smiles=subject.smiles or object.smiles,
        )


def harmonic_sum(scores: Iterable[float]) -> float:
    """Open Targets' harmonic sum, scaled to 0..1.

    Examples
    --------
    >>> round(harmonic_sum([0.8, 1.0, 0.9]), 6)
    0.799234
    """
    ordered = sorted(scores, reverse=True)
    return math.fsum(score / i**2 for i, score in enumerate(ordered, start=1)) / LIMIT


def paper(weights: Sequence[float]) -> float:
    """Sentences of one paper -> one weight: their noisy or, at most 1.2 times the best of them."""
    if not weights:
        return 0.0
    best = max(weights)
    return min(1.0 - math.prod(1.0 - w for w in weights), best * REPEAT, 1.0)


def recency(year: int | None, now: int) -> float:
    """1 for this year's paper, falling to one half; a paper without a year counts as old as a half-life."""
    age = HALF_LIFE if year is None else max(0, now - year)
    return AGELESS + (1.0 - AGELESS) * math.exp2(-age / HALF_LIFE)


# What an affirmed predicate says of another about the same pair: families that agree, families at odds.
_MEMBERS = {
    "activation": ("agonist of", "partial agonist of", "activates", "promotes"),
    "inhibition": ("antagonist of", "inverse agonist of", "inhibits"),
    "contact": ("binds", "acts through"),
    "benefit": ("treats", "protects against", "target for"),
    "harm": ("causes", "contraindicated in"),
}
_FAMILIES = {predicate: family for family, members in _MEMBERS.items() for predicate in members}
_AT_ODDS = frozenset({("activation", "inhibition"), ("benefit", "harm")})


def family(predicate: str) -> str:
    """Predicates that say much the same share a family."""
    return _FAMILIES.get(predicate, predicate)


def at_odds(one: str, other: str) -> bool:
    """Whether two predicates cannot both hold of one pair."""
    pair = tuple(sorted((family(one), family(other))))
    return pair in _AT_ODDS


def bearing(statement: Statement, predicate: str) -> int:
    """What a statement says of `predicate` about the same pair: +1 for it, -1 against it, 0 nothing.

    A denied "activates" is no word against "antagonist of", but a denied "binds" is one
    against every way to act; an affirmed opposite is one too.
    """
    said, asked = family(statement.predicate), family(predicate)
    if said == asked or (said == "contact" and asked in ("activation", "inhibition")):
        return statement.sign
    return -1 if statement.sign > 0 and at_odds(statement.predicate, predicate) else 0


@dataclass(frozen=True, slots=True)
class Link:
    """All evidence for one subject, predicate and object, summed up."""

    support: float  # 0..1, what speaks for it
    contradiction: float  # 0..1, what speaks against it
    score: float  # support, lowered by half the contradiction
    recent: float  # support with age counted
    papers: int  # retracted ones not counted
    sentences: int
    retracted: int  # papers that were set aside
    first: int | None
    last: int | None


def summed(statements: Sequence[Statement], predicate: str, *, now: int | None = None) -> Link:
    """Statements about one pair -> one `Link` for a predicate, each counted by its `bearing`.

    `now` is the year ages are counted from; the newest statement's year when None.
    """
    alive = [s for s in statements if not s.retracted]
    years = [s.year for s in alive if s.year is not None]
    if now is None:
        now = max(years, default=0)
    support = _papers(alive, predicate, +1)
    contra = harmonic_sum(weight for weight, _ in _papers(alive, predicate, -1))
    total = harmonic_sum(weight for weight, _ in support)
    return Link(
        support=total,
        contradiction=contra,
        score=total * (1.0 - 0.5 * contra),
        recent=harmonic_sum(weight * recency(year, now) for weight, year in support),
        papers=len({s.source for s in alive}),
        sentences=len(alive),
        retracted=len({s.source for s in statements if s.retracted}),
        first=min(years, default=None),
        last=max(years, default=None),
    )


def _papers(statements: Sequence[Statement], predicate: str, side: int) -> list[tuple[float, int | None]]:
    by_paper: dict[str, list[Statement]] = {}
    for statement in statements:
        if bearing(statement, predicate) == side:
            by_paper.setdefault(statement.source, []).append(statement)
    return [(paper([s.confidence for s in these]), these[0].year) for these in by_paper.values()]
