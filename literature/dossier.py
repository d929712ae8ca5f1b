"""All evidence on one target: what it does, its diseases and compounds, what speaks against.

The statements come from rules: dictionary names, cue words and co-occurrence in one
sentence. `CooccurrenceEvidence` says so by its name; it is the baseline a trained
reader has to beat. How a dossier looks is decided in pages.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from discovery.outcome import UserError
from discovery.target import Statement, Target
from literature.article import Article, Skipped
from literature.claims import MENTIONED, claims
from literature.corpus import EXAMPLE, Corpus, CorpusError
from literature.evidence import Evidence, Link, at_odds, family, summed
from literature.lexicon import Concept, Lexicon
from literature.mentions import DictionaryTagger, Tagger, find
from literature.names.dictionary import own_names, shipped

BASELINE = "dictionary names and co-occurrence (baseline)"
_UNLISTED = "TARGET:"  # how the identifier of a target begins that no dictionary knows


class UnknownTarget(UserError, ValueError):
    """The target has no name to look for."""


class Told(NamedTuple):
    """A statement, and which two things it is about."""

    subject: Concept
    object: Concept
    statement: Statement


@dataclass(frozen=True, slots=True)
class Finding:
    """One link of the target (or of one of its compounds), with all that is said of it."""

    subject: Concept
    object: Concept
    predicate: str  # the one that weighs most
    sign: int  # +1 mostly affirmed, -1 mostly denied, 0 neither
    link: Link
    statements: tuple[Statement, ...]  # strongest first; retracted ones last


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements that cannot both hold."""

    subject: str
    object: str
    why: str  # "affirmed and denied", "agonist of / antagonist of"
    one: Statement
    other: Statement


@dataclass(frozen=True, slots=True)
class Year:
    """One bar of the timeline."""

    year: int
    articles: int  # that name the target
    support: int  # statements
    against: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a corpus says about a target."""

    target: Target
    concept: Concept
    method: str
    does: tuple[Finding, ...]  # target and processes or other genes
    diseases: tuple[Finding, ...]
    compounds: tuple[Finding, ...]
    safety: tuple[Finding, ...]  # of the target, and of compounds that act on it
    treatments: tuple[Finding, ...]  # what compounds that act on it treat
    contradictions: tuple[Contradiction, ...]
    timeline: tuple[Year, ...]
    articles: int  # in the corpus
    naming: int  # that name the target
    retracted: tuple[str, ...]  # identifiers that name the target and were set aside
    illustrative: bool  # texts written to illustrate are among them
    skipped: tuple[Skipped, ...]

    def __repr__(self) -> str:
        return (
            f"Dossier of {self.concept.name}: {len(self.statements)} statements from {self.naming} of "
            f"{self.articles} articles; literature.pages.text(dossier) tells it"
        )

    @property
    def listed(self) -> bool:
        """A dictionary knows the target; what none knows is looked for as it is written."""
        return not self.concept.id.startswith(_UNLISTED)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.compounds, *self.does, *self.diseases, *self.treatments, *self.safety)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements, each once, strongest first; retracted ones last."""
        unique = dict.fromkeys(s for finding in self.findings for s in finding.statements)
        return tuple(sorted(unique, key=strongest_first))

    def json(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = asdict(replace(self, concept=replace(self.concept, context_names=())))
        sections = ("does", "diseases", "compounds", "safety", "treatments")
        ends = [entry[end] for name in sections for entry in found[name] for end in ("subject", "object")]
        for concept in (found["concept"], *ends):
            concept["tags"] = sorted(concept["tags"])
        return found


def strongest_first(statement: Statement) -> tuple[bool, bool, float, str, int, str, str]:
    """Strongest first: told by a cue before only mentioned, then weight; ties by where it stands."""
    return (
        statement.retracted,
        statement.predicate == MENTIONED,
        -statement.confidence,
        statement.source,
        statement.start or 0,
        statement.subject,
        statement.object,
    )


def concept_of(target: Target, lexicon: Lexicon) -> tuple[Concept, Lexicon]:
    """The target's concept, and a lexicon that knows all names the target was given.

    Raises
    ------
    UnknownTarget
        If the target has neither name, gene nor UniProt identifier.
    """
    names = [n.strip() for n in (target.gene, target.name) if n.strip()]
    known = lexicon.concept(f"UNIPROT:{target.uniprot.strip()}") if target.uniprot.strip() else None
    for name in names:
        known = known or lexicon.named(name, "gene")
    if known is None:
        if not names and not target.uniprot.strip():
            raise UnknownTarget("the target has no name, gene or UniProt identifier to look for")
        first = names[0] if names else target.uniprot.strip()
        known = Concept(f"{_UNLISTED}{first}", "gene", first)
        lexicon = lexicon + Lexicon.of([known])
    extra = tuple(n for n in names if not lexicon.entries_of(n))
    if extra:
        known = replace(known, names=(*known.names, *extra))
        lexicon = lexicon + Lexicon.of([known])
    return known, lexicon


def build(
    target: Target,
    corpus: Corpus,
    *,
    lexicon: Lexicon | None = None,
    tagger: Tagger | None = None,
    method: str = BASELINE,
) -> Dossier:
    """Read a corpus and gather what it says about a target.

    Parameters
    ----------
    tagger
        Finds the mentions; the dictionary when None.

    Raises
    ------
    UnknownTarget
        If the target has nothing to look for.
    """
    concept, known = concept_of(target, lexicon or shipped())
    tagger = tagger or DictionaryTagger(known)

    def work(article: Article) -> tuple[Told, ...] | None:
        found = find(article, tagger, known)
        if all(m.concept.id != concept.id for m in found):
            return None
        return tuple(
            Told(claim.subject.concept, claim.object.concept, Evidence.of(article, claim).statement())
            for claim in claims(article, found)
        )

    kept = corpus.keep(work)
    told = [one for _, these in kept.items for one in these]
    return assembled(target, concept, method, kept.articles, [a for a, _ in kept.items], told, kept.skipped)


def assembled(
    target: Target,
    concept: Concept,
    method: str,
    articles: int,
    naming: Sequence[Article],
    told: Sequence[Told],
    skipped: tuple[Skipped, ...],
) -> Dossier:
    """The dossier of a target: what is told in the articles that name it, sorted.

    Parameters
    ----------
    articles
        How many there are, also of those that do not name it.
    """
    groups: dict[tuple[str, str], list[Told]] = {}
    for one in told:
        groups.setdefault((one.subject.id, one.object.id), []).append(one)
    now = max((a.year for a in naming if a.year is not None), default=0)
    findings = {pair: _finding(these, now) for pair, these in groups.items()}
    own = [f for pair, f in findings.items() if concept.id in pair]
    compounds = [f for f in own if f.subject.type == "chemical" and f.object.id == concept.id]
    acting = {f.subject.id for f in compounds if f.predicate != MENTIONED and f.sign >= 0}
    of_compounds = [f for f in findings.values() if f.subject.id in acting and f.object.type == "disease"]
    diseases = [f for f in own if f.object.type == "disease"]
    safety = [f for f in (*diseases, *of_compounds) if _harmful(f)]
    treatments = [f for f in of_compounds if f.predicate == "treats"]
    does = [f for f in own if f.object.type == "process" or {f.subject.type, f.object.type} == {"gene"}]
    shown = [*compounds, *does, *diseases, *treatments, *safety]
    return Dossier(
        target=target,
        concept=concept,
        method=method,
        does=_ranked(does),
        diseases=_ranked(f for f in diseases if not _harmful(f)),
        compounds=_ranked(compounds),
        safety=_ranked(safety),
        treatments=_ranked(treatments),
        contradictions=tuple(_contradictions(shown)),
        timeline=_timeline(naming, [s for f in own for s in f.statements]),
        articles=articles,
        naming=len(naming),
        retracted=tuple(sorted(a.id for a in naming if a.retracted)),
        illustrative=any(a.kind == "illustrative" for a in naming),
        skipped=skipped,
    )


def _harmful(finding: Finding) -> bool:
    """Whether a safety flag is told of, and not that it is treated."""
    told = family(finding.predicate)
    return "safety" in finding.object.tags and told not in (MENTIONED, "benefit")


def _finding(told: Sequence[Told], now: int) -> Finding:
    statements = sorted((one.statement for one in told), key=strongest_first)
    weights: dict[str, float] = {}
    for statement in statements:
        if statement.predicate != MENTIONED:  # of one affirmed and one denied, the affirmed names the finding
            share = statement.confidence * (2 if statement.sign > 0 else 1)
            share *= 0.5 if family(statement.predicate) == "contact" else 1.0  # how it acts says more
            weights[statement.predicate] = weights.get(statement.predicate, 0.0) + share
    predicate = min(weights, key=lambda p: (-weights[p], p)) if weights else MENTIONED
    spoken = [s for s in statements if s.predicate != MENTIONED] or statements  # what the numbers count
    link = summed(spoken, predicate, now=now)
    return Finding(
        subject=told[0].subject,
        object=told[0].object,
        predicate=predicate,
        sign=(link.support > link.contradiction) - (link.support < link.contradiction),
        link=link,
        statements=tuple(statements),
    )


def _ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                f.predicate == MENTIONED,
                -f.link.score,
                -f.link.sentences,
                f.subject.name,
                f.object.name,
            ),
        )
    )


def _contradictions(findings: Iterable[Finding]) -> list[Contradiction]:
    found: dict[tuple[str, str, str], Contradiction] = {}
    for finding in findings:
        alive = [s for s in finding.statements if not s.retracted and s.predicate != MENTIONED]
        for one, why, other in _pairs(alive):
            contradiction = Contradiction(finding.subject.name, finding.object.name, why, one, other)
            found.setdefault((finding.subject.id, finding.object.id, why), contradiction)
    return sorted(
        found.values(), key=lambda c: (-min(c.one.confidence, c.other.confidence), c.subject, c.object, c.why)
    )


def _pairs(alive: Sequence[Statement]) -> list[tuple[Statement, str, Statement]]:
    pairs: list[tuple[Statement, str, Statement]] = []
    for predicate in sorted({s.predicate for s in alive}):
        told = [s for s in alive if s.predicate == predicate]
        yes = next((s for s in told if s.sign > 0), None)
        no = next((s for s in told if s.sign < 0), None)
        if yes and no:
            pairs.append((yes, f"{predicate}: affirmed and denied", no))
    affirmed = [s for s in alive if s.sign > 0]
    for place, one in enumerate(affirmed):
        for other in affirmed[place + 1 :]:
            if one.source != other.source and at_odds(one.predicate, other.predicate):
                pairs.append((one, " / ".join(sorted((one.predicate, other.predicate))), other))
    return pairs


def _timeline(naming: Sequence[Article], statements: Sequence[Statement]) -> tuple[Year, ...]:
    papers = Counter(a.year for a in naming if a.year is not None and not a.retracted)
    alive = [s for s in dict.fromkeys(statements) if not s.retracted]
    support = Counter(s.year for s in alive if s.sign > 0)
    against = Counter(s.year for s in alive if s.sign < 0)
    return tuple(Year(year, papers[year], support[year], against[year]) for year in sorted(papers))


@dataclass(frozen=True)
class CooccurrenceEvidence:
    """The co-occurrence baseline: dictionary names in one sentence, cue words, negation rules.

    Keeps the promise of `discovery.target.EvidenceSource`.

    Parameters
    ----------
    corpus : files or folders of articles, or "example"
    max_statements : the strongest so many
    lexicon : a JSON-lines file of your own names, added to the shipped ones
    reader : of all files ("pubmed", "jats", ...); told by each file when empty
    retractions : a text file, one identifier a line
    """

    corpus: str | tuple[str, ...] = EXAMPLE
    max_statements: int = 200
    lexicon: str = ""
    reader: str = ""
    retractions: str = ""

    def __post_init__(self) -> None:
        if self.max_statements < 1:
            raise ValueError(f"max_statements is {self.max_statements}; ask for at least 1")

    def __call__(self, target: Target, /) -> list[Statement]:
        """Statements about the target, strongest first."""
        return list(self.dossier(target).statements[: self.max_statements])

    def dossier(self, target: Target) -> Dossier:
        """The same evidence, sorted into a dossier.

        Raises
        ------
        CorpusError, LexiconError
            A file is absent or cannot be read, or no article of the corpus can.
        """
        own = own_names(Path(self.lexicon)) if self.lexicon else None
        known = shipped() + own if own else shipped()
        corpus = Corpus.open(self.corpus, reader=self.reader, retractions=self.retractions)
        found = build(target, corpus, lexicon=known)
        if not found.articles:
            raise CorpusError(_nothing_read(self.corpus))
        return found


def _nothing_read(corpus: str | tuple[str, ...]) -> str:
    named = [corpus] if isinstance(corpus, str) else corpus
    mined = any((Path(name) / "current.json").is_file() for name in named)
    advice = "; these are mined tables: literature.mined.MinedEvidence(folder) reads them, or the evidence source 'mined'"
    return f"no article of {', '.join(named)} could be read{advice if mined else ''}"


def dossier(
    target: str,
    corpus: str | tuple[str, ...] = EXAMPLE,
    *,
    lexicon: str = "",
    retractions: str = "",
) -> Dossier:
    """What a corpus says about a target: a gene symbol, a UniProt identifier or a name.

    Parameters
    ----------
    corpus, lexicon, retractions : as `CooccurrenceEvidence`

    Raises
    ------
    CorpusError, LexiconError
        A file is absent or cannot be read, or no article of the corpus can.

    Examples
    --------
    >>> dossier("HTR1B").articles
    60
    """
    source = CooccurrenceEvidence(corpus=corpus, lexicon=lexicon, retractions=retractions)
    return source.dossier(Target(name=target.strip()))
