"""What does a sentence claim about two things it names, and does it affirm it?

Cue words between or beside two mentions name the predicate ("antagonist", "reduced",
"effective in"); where no cue ties them together the claim is only "mentioned with".
By rules alone the confidence is a rule's weight, not a probability that was calibrated.
Where a network has read the article (relations.py) its word on what is related, how
and how surely comes before the rules', save that a rule which fired keeps its direction:
of two that contradict each other the rule errs less. Whether a claim is denied or
doubted is decided in assertion.py either way, since no corpus teaches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from literature.article import Article
from literature.assertion import as_good, asked, clause, cut, denied, enrolled, hedged
from literature.exposure import Stretch, exposed, killed, marked, measured, spared
from literature.lexicon import Type
from literature.loss import losses, lost, opposed, opposite
from literature.mentions import Mention
from literature.sentences import split

if TYPE_CHECKING:  # the network needs torch, the rules do not
    from literature.relations.relating import Relation

Sign = Literal[-1, 0, 1]
MENTIONED = "mentioned with"
_HYPHENS = str.maketrans("\u2010\u2011\u2012", "---")  # as publishers print them
CROWD = 60  # a sentence that names more is a list; 1,500 abstracts hold 45 at most, and 300 take 11 s


@dataclass(frozen=True, slots=True)
class Claim:
    """Subject, predicate, object, as one sentence states it."""

    subject: Mention
    predicate: str
    object: Mention
    sign: Sign  # +1 affirmed, -1 negated, 0 neither (an open question, or only mentioned)
    hedged: bool
    confidence: (
        float  # 0..1, the weight of the rule that fired or the network's probability, times the links'
    )
    start: int  # of the sentence, code points into the article's text
    end: int


# What a predicate does to its object: more or worse +1, less or better -1.
EFFECT: dict[str, int] = {
    "inhibits": -1, "antagonist of": -1, "inverse agonist of": -1, "treats": -1, "protects against": -1,
    "activates": 1, "agonist of": 1, "partial agonist of": 1, "promotes": 1, "causes": 1,
}  # fmt: skip


class _Cue(NamedTuple):
    predicate: str
    pattern: str
    weight: float


# Verbs and adjectives that tie two things; the first group whose cue stands nearest wins.
_ACTS: dict[tuple[Type, Type], tuple[_Cue, ...]] = {
    ("chemical", "gene"): (
        _Cue("inhibits", r"inhibit(?:s|ed|ing|ion|or|ors)?|block(?:s|ed|ing|ade)?|antagoni[sz](?:e|es|ed|ing)|antagonism|suppress(?:es|ed|ion)?|silenc(?:es|ed)", 0.8),
        _Cue("activates", r"activat(?:e|es|ed|ing|ion|or)|stimulat(?:e|es|ed|ing|ion)|acts? (?:at|on|through|via)|acting (?:at|on|through|via)|engag(?:e|es|ed|ing)|agonism|recruit(?:s|ed)?", 0.75),
        _Cue("binds", r"b(?:ind|inds|ound|inding)|affinit(?:y|ies)|label(?:s|led)|occup(?:y|ies|ied|ancy)|displac(?:e|es|ed)|selectiv(?:e|ity) for", 0.8),
        _Cue("acts through", r"through|via", 0.6),
        _Cue("inhibits", r"down-?regulat(?:es|ed|ion)|reduc(?:es|ed|tion)|decreas(?:es|ed)|attenuat(?:es|ed)", 0.55),  # how much of it there is
        _Cue("activates", r"up-?regulat(?:es|ed|ion)|increas(?:es|ed)|enhanc(?:es|ed)|induc(?:es|ed)(?! by)", 0.55),
    ),
    ("chemical", "disease"): (
        _Cue("treats", r"treat(?:s|ed|ing|ment|ments)?|relie(?:f|ve|ves|ved)|effective (?:in|for|against)|efficacy (?:in|for|against)|efficacious|alleviat(?:e|es|ed|ing)|ameliorat(?:e|es|ed)|abort(?:s|ed|ing)?|prevent(?:s|ed|ion|ive|ing)?|prophyla(?:xis|ctic)|therap(?:y|ies|eutic)|improv(?:e|es|ed|ement)|free of|protect(?:s|ed|ion)?|reduc(?:e|es|ed|ing|tion)|decreas(?:e|es|ed)|lower(?:s|ed)|attenuat(?:e|es|ed)|indicated (?:in|for)|used (?:in|for|against)|benefit(?:s|ed)?|remission", 0.75),
        _Cue("causes", r"(?<!all-)caus(?:e|es|ed|ing)(?!-)|induc(?:e|es|ed|ing|tion)|provok(?:e|es|ed|ing)|precipitat(?:e|es|ed|ing)|trigger(?:s|ed|ing)?|elicit(?:s|ed)?|produc(?:e|es|ed|ing)|evok(?:e|es|ed)|risk of|worsen(?:s|ed|ing)?|adverse|side effects?|lead(?:s|ing)? to|led to|result(?:s|ed|ing)? in|increas(?:e|es|ed|ing) (?:the )?(?:risk|rate|incidence)|followed by|report(?:s|ed)? (?:after|with|in users)", 0.75),
        _Cue("contraindicated in", r"contraindicat(?:ed|ion|ions)|(?:should|must) (?:not be (?:given|used|taken)|be avoided)|is avoided", 0.85),
    ),
    ("gene", "disease"): (
        _Cue("protects against", r"protect(?:s|ed|ive|ion)?|prevent(?:s|ed)?|alleviat(?:e|es|ed)|reliev(?:e|es|ed)|reduc(?:e|es|ed|ing)", 0.6),
        _Cue("causes", r"(?<!all-)caus(?:e|es|ed|ing)(?!-)|induc(?:e|es|ed)|drive(?:s|n)?|mediat(?:e|es|ed|ing)|provok(?:e|es|ed)|contribut(?:e|es|ed|ing) to|responsible for|account(?:s|ed)? for", 0.7),
        _Cue("target for", r"target(?:s|ed|ing)? (?:in|for|against)|therap(?:y|ies|eutic) (?:in|for|of)|treat(?:s|ed|ing|ment)?", 0.7),
        _Cue("associated with", r"associat(?:ed|ion|ions)|linked|link|implicated|correlat(?:e|es|ed|ion)|polymorphism|variant|risk (?:of|for)|role (?:in|of)|involved in|predispos", 0.7),
    ),
    ("gene", "process"): (
        _Cue("inhibits", r"inhibit(?:s|ed|ing|ion|ory)?|reduc(?:e|es|ed|ing|tion)|decreas(?:e|es|ed|ing)|suppress(?:es|ed|ing|ion)?|attenuat(?:e|es|ed|ing)|limit(?:s|ed|ing)?|lower(?:s|ed|ing)?|prevent(?:s|ed)?|block(?:s|ed)?|curb(?:s|ed)?|restrain(?:s|ed)?|dampen(?:s|ed)?|anti-?aggressive", 0.75),
        _Cue("promotes", r"mediat(?:e|es|ed|ing)|(?<!all-)caus(?:e|es|ed|ing)(?!-)|induc(?:e|es|ed|ing)|promot(?:e|es|ed)|increas(?:e|es|ed|ing)|enhanc(?:e|es|ed|ing)|evok(?:e|es|ed)|elicit(?:s|ed)?|produc(?:e|es|ed)|drive(?:s|n)?|contract(?:s|ed|ion)?|responsible for|stimulat(?:e|es|ed)|recruit(?:s|ed|ment)?|undergo(?:es)?|trigger(?:s|ed)?|facilitat(?:e|es|ed)", 0.75),
        _Cue("regulates", r"regulat(?:e|es|ed|ing|ion)|control(?:s|led)?|modulat(?:e|es|ed|ion)|role in|involved in|govern(?:s|ed)?|coupl(?:e|es|ed|ing)", 0.7),
    ),
    ("gene", "gene"): (
        _Cue("binds", r"b(?:ind|inds|ound|inding)|interact(?:s|ed|ion|ions)?|complex(?:es)?|couple(?:s|d)?", 0.7),
        _Cue("inhibits", r"inhibit(?:s|ed|ion)?|suppress(?:es|ed)?|reduc(?:e|es|ed)|decreas(?:es|ed)|lower(?:s|ed)|attenuat(?:e|es|ed)|abolish(?:es|ed)|down-?regulat(?:e|es|ed)", 0.65),
        _Cue("activates", r"activat(?:e|es|ed|ing|ion)|phosphorylat(?:e|es|ed|ing|ion)|recruit(?:s|ed)?|stabili[sz](?:e|es|ed)|increas(?:es|ed)|promot(?:e|es|ed)|enhanc(?:e|es|ed)|up-?regulat(?:e|es|ed)|induc(?:e|es|ed)(?! by)", 0.65),
    ),
}  # fmt: skip
_ACTS[("chemical", "process")] = _ACTS[("gene", "process")]

# "a selective 5-HT1B antagonist": a role noun right after the gene belongs to the gene.
_ROLE = re.compile(
    r"(?i)(?:\s?\([^()]{1,15}\))?\)?[\s\-–]*(?:receptors?[\s\-]*)?(?:(?:and|/|or)[\s/]*[\w\-()/]{2,12}[\s\-]+)?(?:receptors?[\s\-]*)?"
    r"(?:selective\s|preferring\s|partial\s|full\s|inverse\s|neutral\s|silent\s){0,3}"
    r"(?P<role>agonist|antagonist|inverse agonist|partial agonist|blocker|inhibitor|ligand|activator)s?\b"
)
_ROLE_OF = re.compile(
    r"(?i)\b(?P<kind>partial |inverse |silent |neutral |full )?(?P<role>agonists?|antagonists?|blockers?|inhibitors?|ligands?|activators?)"
    r"(?: activity| action| properties| profile)? (?:of|at|for|on)\b"
)
_ROLES = {  # the longer word first: "inverse agonist" holds "agonist"
    "inverse agonist": "inverse agonist of",
    "partial agonist": "partial agonist of",
    "antagonist": "antagonist of",
    "agonist": "agonist of",
    "blocker": "antagonist of",
    "inhibitor": "inhibits",
    "ligand": "binds",
    "activator": "activates",
}
_WORD = re.compile(r"\w+")
# Kinds of pairs that a network answers for: where it says nothing of one, nothing is claimed.
_ANSWERED: frozenset[tuple[Type, Type]] = frozenset(
    {("chemical", "gene"), ("chemical", "disease"), ("gene", "disease"), ("gene", "gene")}
)


def claims(
    article: Article,
    mentions: Sequence[Mention],
    about: frozenset[str] | None = None,
    relations: Sequence[Relation] | None = None,
) -> list[Claim]:
    """Claims of all sentences of an article, in order; none of a notice that takes another article back.

    Parameters
    ----------
    about
        Identifiers of concepts of which at least one must take part; all pairs when None.
    relations
        What a network says of the same mentions (`relations.relations`); rules alone when None.
    """
    found = [] if article.notice else _by_rules(article, mentions, about)
    return found if relations is None else [_told(article, claim, relations) for claim in found]


def _told(article: Article, claim: Claim, relations: Sequence[Relation]) -> Claim:
    """A rule's claim with the network's word on it; what a rule found denied or asked stands."""
    if claim.predicate != MENTIONED and claim.sign != 1:
        return claim
    pair = {claim.subject.concept.id, claim.object.concept.id}
    said = [
        r
        for r in relations
        if {r.subject.concept.id, r.object.concept.id} == pair and claim.start <= r.subject.start < claim.end
    ]
    if not said:
        if claim.predicate == MENTIONED or (claim.subject.type, claim.object.type) not in _ANSWERED:
            return claim
        weight = 0.3 * claim.subject.score * claim.object.score
        return replace(claim, predicate=MENTIONED, sign=0, hedged=False, confidence=round(weight, 6))
    best = max(said, key=lambda r: (r.probability, r.said))
    text = article.text[claim.start : claim.end]
    low, high = sorted((best.subject, best.object), key=lambda m: m.start)
    span = low.start - claim.start, max(low.end, high.end) - claim.start
    open_question = asked(text, *span)
    doubt = open_question or hedged(text, *span)
    weight = best.probability * best.subject.score * best.object.score * (0.5 if doubt else 1.0)
    if EFFECT.get(claim.predicate, 0) * best.effect != -1:
        claim = replace(claim, subject=best.subject, predicate=best.predicate, object=best.object)
    return replace(claim, sign=0 if open_question else 1, hedged=doubt, confidence=round(weight, 6))


def _by_rules(article: Article, mentions: Sequence[Mention], about: frozenset[str] | None) -> list[Claim]:
    found: list[Claim] = []
    place = 0
    for passage in article.passages:
        if passage.section == "references":
            continue
        for first, last in split(passage.text):
            start, end = first + passage.offset, last + passage.offset
            while place < len(mentions) and mentions[place].start < start:
                place += 1
            inside: list[Mention] = []
            while place < len(mentions) and mentions[place].end <= end:
                inside.append(_moved(mentions[place], -start))
                place += 1
            if not 2 <= len(inside) <= CROWD or (
                about is not None and not any(m.concept.id in about for m in inside)
            ):
                continue
            for claim in _sentence(_View(passage.text[first:last].translate(_HYPHENS), inside), about):
                subject, object = _moved(claim.subject, start), _moved(claim.object, start)
                found.append(replace(claim, subject=subject, object=object, start=start, end=end))
    return found


def _moved(mention: Mention, by: int) -> Mention:
    return replace(mention, start=mention.start + by, end=mention.end + by)


class _View(NamedTuple):
    """A sentence and what it names, by places in the sentence."""

    text: str
    inside: Sequence[Mention]


def _sentence(view: _View, about: frozenset[str] | None) -> Iterator[Claim]:
    best: dict[tuple[str, str, Sign], Claim] = {}
    for first, second in combinations(view.inside, 2):
        if first.concept.id == second.concept.id:
            continue
        # Drugs act on genes, genes on diseases.
        subject, object = sorted((first, second), key=lambda m: _RANK[m.type])
        pair = (subject.concept.id, object.concept.id)
        if about is not None and not about & set(pair):
            continue
        claim = _claim(view, subject, object)
        if claim.predicate == MENTIONED and first.type == second.type == "gene":
            turned = _claim(view, second, first)  # "A is activated by B"
            claim = claim if turned.predicate == MENTIONED else turned
        place = (*pair, claim.sign)
        if place not in best or _strength(claim) > _strength(best[place]):
            best[place] = claim
    told = {place[:2] for place, claim in best.items() if claim.predicate != MENTIONED}
    yield from (c for place, c in best.items() if c.predicate != MENTIONED or place[:2] not in told)


def _strength(claim: Claim) -> tuple[bool, float, int]:
    apart = max(claim.subject.start, claim.object.start) - min(claim.subject.end, claim.object.end)
    return claim.predicate != MENTIONED, claim.confidence, -apart


_RANK: dict[Type, int] = {
    "chemical": 0, "variant": 1, "gene": 2, "process": 3, "disease": 4, "cell line": 5, "species": 6,
}  # fmt: skip


def _claim(view: _View, subject: Mention, object: Mention) -> Claim:
    text = view.text
    a, b = sorted((subject, object), key=lambda m: m.start)
    distance = len(_WORD.findall(text[a.end : b.start]))
    predicate, doubt, weight = MENTIONED, False, 0.3 if distance <= 25 else 0.2
    sign: Sign = 0
    found = _predicate(view, subject, object)
    if found is not None and not (object.type == "disease" and enrolled(text)):
        span = min(a.start, found.at), max(b.end, found.at)
        ends = subject.start, object.start
        negated = found.denied or denied(text, found.at, ends, (*losses(text), found.cue))
        taken_for_granted = text[found.at - 1 : found.at] in ("-", "–")  # "to assess cisplatin-induced harm"
        open_question = (not taken_for_granted and asked(text, *span)) or (negated and as_good(text, *span))
        doubt = open_question or hedged(text, *span)
        near = 1.0 if distance <= 12 else 0.8 if distance <= 25 else 0.6
        predicate, weight = found.predicate, found.weight * near * (0.5 if doubt else 1.0)
        sign = 0 if open_question else -1 if negated else 1
    confidence = round(weight * subject.score * object.score, 6)
    return Claim(subject, predicate, object, sign, doubt, confidence, 0, len(text))


class _Found(NamedTuple):
    predicate: str
    at: int  # where the cue stands in the sentence
    weight: float
    cue: tuple[int, int] = (-1, -1)  # its words; a "not" among them denies nothing
    denied: bool = False  # by the cue itself


def _at(mention: Mention) -> Stretch:
    return mention.start, mention.end


def _predicate(view: _View, subject: Mention, object: Mention) -> _Found | None:
    """The cue that ties the two together, or None."""
    types = (subject.type, object.type)
    if any(m.type == "chemical" and _MODIFIER.match(view.text, m.end) for m in (subject, object)):
        return None  # "serotonin receptors" and "dopamine terminals" say nothing of the drug
    if types[1] == "gene" and _MARKER.match(view.text, object.end):
        return None  # "CD4+ T cells" are cells, "insulin sensitivity" is no insulin
    if types == ("chemical", "gene"):
        if lost(view.text, _at(object)) or _NO_ACTOR.match(view.text, subject.end):
            return None
        role = _role(view, subject, object)
        if role is not None:
            return role if role.predicate else None
    if types == ("gene", "gene") and any(_ROLE.match(view.text[m.end :]) for m in (subject, object)):
        return None  # "a 5-HT1B agonist that activates 5-HT7" says nothing of the two receptors
    if types == ("chemical", "disease") and (without := _without(view, subject, object)) is not None:
        return _Found("causes", without, 0.6, denied=True)
    if _BESIDE.search(view.text, 0, subject.start):
        return None
    found = _best_cue(view, subject, object, _ACTS.get(types, ()))
    if found is None:
        return None
    if _suffered(view, subject, found.cue):
        return found._replace(predicate="associated with") if subject.type == "gene" else None
    if types == ("chemical", "disease"):
        return _turned(view.text, found, _at(subject), _at(object))
    if subject.type != "gene" or not opposed(view.text, _at(subject)):
        return found
    turned = opposite(found.predicate, object.type)
    return found._replace(predicate=turned, weight=found.weight * 0.8) if turned else None


def _suffered(view: _View, subject: Mention, cue: Stretch) -> bool:
    """Whether the cue tells what was done to the subject: "IL-2 was increased in asthma"."""
    at, stop = cue
    return (
        subject.end <= at
        and _PASSIVE.search(view.text[:at]) is not None
        and _DONE.fullmatch(view.text, at, stop) is not None
    )


def _turned(text: str, found: _Found, drug: Stretch, disease: Stretch) -> _Found | None:
    """A cue of treatment that only says that the drug was given tells of harm, less harm of treatment."""
    if found.predicate == "treats" and exposed(text, drug, disease, found.cue):
        return found._replace(predicate="causes", weight=found.weight * 0.9)
    told, low = measured(text, drug)
    if found.predicate == "treats" and marked(text, found.cue):
        return None
    if (told and found.predicate == "treats") or (low and found.predicate == "causes"):
        return None
    if found.predicate == "causes":
        if killed(text, disease, found.cue):
            return None
        if spared(text, disease, found.cue):
            return found._replace(predicate="treats", weight=found.weight * 0.9)
    return found


_MODIFIER = re.compile(
    r"(?i)[\s\-–]+(?:(?:[a-z]{0,2}\d[\w()/]{0,5}|5-HT\S{0,8})[\s\-–]+)?(?:receptors?|transporters?|terminals?|neuron\w*|nerves?|uptake|reuptake|autoreceptors?|system|test|depletion)\b"
)
# "PGE2 and NO production", "alcohol-dependent patients", "the aniline ring": no drug that acts on a protein.
_NO_ACTOR = re.compile(
    r"(?i)(?:\s*(?:,|/|\band\b|\bor\b)\s*[\w()\-]{2,20}){0,3}\s+(?:production|synthesis|biosynthesis|formation|generation|release|secretion|levels?)\b"
    r"|[\-–\s]dependent\b(?:\s[\w\-]+){0,4}?\s(?:patients?|subjects?|individuals?|men|women|mice|rats)\b"
    r"|[\-–](?:converting|lowering)\b|\s(?:rings?|moiet(?:y|ies)|substituents?|side chains?|atoms?)\b"
)
_BESIDE = re.compile(  # what follows is what something else is compared with
    r"(?i)\b(?:in (?:contrast|comparison) (?:to|with)|unlike|(?:compared|relative) (?:to|with))(?: the| [\w\-]+ (?:and|or))*\s$"
)
_MARKER = re.compile(
    r"(?i)\s?\(?(?:\+|[-–\s]positive\b)|\s(?:T[\s\-])?(?:cells?|lymphocytes?) (?:counts?|numbers?)\b|\s(?:sensitivity|resistance)\b"
)
_WITHOUT = re.compile(r"(?i)(?<!with or )(?<!with and )\bwithout (?:any |causing |significant |producing )?$")


def _without(view: _View, subject: Mention, object: Mention) -> int | None:
    """Where "without" stands in "X relieved migraine without sedation"."""
    found = _WITHOUT.search(view.text[: object.start])
    end = subject.end
    return found.start() if found and found.start() > end and not cut(view.text, end, found.start()) else None


_BY = re.compile(r"(?i)^\s*(?:\w+ly\s+)?(?:by|with|after|through|via|from|in response to|upon|following)\b")
_AGENT = re.compile(r"(?i)^\s*(?:\w+ly\s+)?by\b")
_TO = re.compile(r"(?i)^\s*(?:\w+ly\s+)?(?:with|to|in|between|of|by)\b")
_JOINED = re.compile(r"(?i)\b(?:by|with|to|and|in|through|via|for)\b")
_BROUGHT = re.compile(r"(?i)\b(?:by|with|to|in|through|via|for)\b")  # "activation of A and B": of both
_AGENTS = re.compile(r"(?i)\b(?:by|through|via)\b")
_SYMMETRIC = frozenset({"associated with", "binds"})
_NOMINAL = re.compile(
    r"(?i)(?:ion|ment|ade|ing|apy|relief|affinity|antagonism|agonism|treatments?|prophylaxis|contraction|block)$"
)
_PASSIVE = re.compile(
    r"(?i)\b(?:was|were|is|are|been|being|be)\s+(?:(?:not|also|never|and|more|less|\w+ly)\s+){0,3}$"
)
# After "was": somebody did it; "was used in" and "is associated with" tell what the subject does.
_DONE = re.compile(
    r"(?i)(?:inhibit|block|suppress|silenc|activat|stimulat|caus|induc|reduc|decreas|lower|increas|enhanc|attenuat|prevent|improv|"
    r"alleviat|ameliorat|recruit|phosphorylat|promot|trigger|evok|elicit|produc|(?:up|down)-?regulat)ed"
)
_LIST = re.compile(
    r"(?i)^[\s,/]*(?:and|or|nor|both|but not|such as|including|previous)?[\s,/]*(?:the|previous|human|central|peripheral|rodent|of|in|for)?\s*$"
)


def _best_cue(view: _View, subject: Mention, object: Mention, cues: Sequence[_Cue]) -> _Found | None:
    best: tuple[int, _Found] | None = None
    for cue in cues:
        for match in _compiled(cue.pattern).finditer(view.text):
            if any(match.start() < m.end and m.start < match.end() for m in view.inside):
                continue  # the cue is part of a name
            if subject.type == "gene" and match.group() == "treated" and view.text[match.start() - 1] in "-–":
                continue  # "TNF-treated cells"
            if _NAMED.match(view.text, match.start()):
                continue
            if _anothers(view, match.start(), subject, object) or _told_of(view, subject, object, match):
                continue
            placed = _placed(view, subject, object, cue, match)
            if placed is not None and (best is None or placed[0] < best[0]):
                said, weight = cue.predicate, cue.weight * placed[1]
                end = subject.end
                if _NOUN.fullmatch(match.group()) and _LESS.search(view.text, end, match.start()):
                    said, weight = opposite(said, object.type) or said, weight * 0.8
                best = placed[0], _Found(said, match.start(), weight, match.span())
    return None if best is None else best[1]


# "inhibitor κB", "activator protein 1", "DNA-binding domain": names, whether or not they were found.
_NAMED = re.compile(
    r"(?i)(?:inhibitor|activator|binding)[\s\-–]+(?:κ|kappa|capacit(?:y|ies)\b|proteins?\b|elements?\b|domains?\b|motifs?\b|subunits?\b)"
)

_DONE_TO = re.compile(
    r"(?i)(?:inhibit|activat|suppress|phosphorylat|stimulat|induct|reduct)ion|blockade|block"
)
_NOUN = re.compile(rf"{_DONE_TO.pattern}|binding")
_LESS = re.compile(  # "blocked the LPS-induced activation"
    r"(?i)\b(?:inhibit|block|suppress|reduc|decreas|attenuat|prevent|abolish|abrogat|lower|diminish|impair|antagoni[sz])\w*"
    r"(?:\s(?!by\b|through\b|via\b|and\b|or\b|with\b|that\b|which\b)[\w\-/()αβγκ]+){0,5}\s$"
)
_RISE = re.compile(r"(?i)^\s*in\b|\b(?:increase|rise|elevation|reduction|decrease|fall|change)s? in\b")
_ELSEWHERE = re.compile(
    r"(?i)\b(?:in|that|which)\b(?!.*\b(?:via|through)\b)"
)  # "induces apoptosis in COX-2 expressing cells"
_MEANS = re.compile(
    r"(?i)\b(?:by|through|via)\s+(?:\w+\s+)?(?:(?P<more>activat|stimulat|increas|enhanc)|inhibit|suppress|block|decreas|reduc)"
)
_GOES_ON = re.compile(
    r"(?i)(?:levels?|expression)?,?\s*(?:and|or|but|thus|thereby)(?: thus| thereby)?(?: \w+ly)?"
)
_VERB = re.compile(
    r"(?i)\b(?:increas|decreas|reduc|inhibit|activat|induc|enhanc|suppress|attenuat|lower|(?:up|down)-?regulat|stimulat|block)(?:e|es|ed|ing|s)?\b"
)
_ADJECTIVE = re.compile(
    r"(?i)(?:\b(?:an?|the|with|in|by|from|including|show(?:ed|s)|exhibited|displayed|had)|,)\s+$"
)


def _told_of(view: _View, subject: Mention, object: Mention, match: re.Match[str]) -> bool:
    """Whether a gene's cue tells of something else.

    In "COX-2 inhibition" of what is done to it, in "D2-mediated signaling in epilepsy" of the
    word it stands before, between two genes also in "IL-6 and an increased TNF".
    """
    end, start = subject.end, object.start
    at, stop = match.span()
    if subject.type != "gene":
        joined = object.type == "gene" and view.text[end:at] in ("-", "–")
        return joined and stop <= start and len(_WORD.findall(view.text[stop:start])) > 4
    gap = view.text[end:at].strip(" )") if end <= at else "-"
    if (
        re.fullmatch(r"(?:/\w+)?", gap)
        and _DONE_TO.fullmatch(match.group())
        and not view.text.startswith(" of ", stop)
    ):
        return True
    if _GOES_ON.fullmatch(gap) and _VERB.search(view.text, clause(view.text, at, at)[0], subject.start):
        return True  # "decreased IL-6 and enhanced IL-10"
    if object.type == "gene" and ")" in gap and "(" not in gap and view.text[end : end + 1] != ")":
        return True  # "suppressed cytokines (TNF, IL-6) and enhanced IL-10"
    if gap.removeprefix("receptor") in ("-", "–") and end <= at and stop <= start:
        between = view.text[stop:start]
        return "," in between or len(_WORD.findall(between)) > 3
    return object.type == "gene" and (
        (match.group().endswith("ed") and _ADJECTIVE.search(view.text, 0, at) is not None)
        or (match.group().endswith("es") and view.text.startswith(" in ", stop))
    )


def _anothers(view: _View, at: int, subject: Mention, object: Mention) -> bool:
    """In "statins in cisplatin-induced nephropathy" the cue is cisplatin's, lists aside."""
    if at < 1 or view.text[at - 1] not in "-–":
        return False
    owner = next((m for m in view.inside if m.end == at - 1), None)
    if owner is None:  # "LPS-induced", where LPS is no name that was found
        word = view.text.rfind(" ", 0, at) + 1
        return view.text[at:].startswith("induced") and subject.end <= word
    if owner in (subject, object) or owner.type != "chemical":
        return False
    return _LISTED.match(view.text[subject.end : owner.start]) is None


def _placed(
    view: _View, subject: Mention, object: Mention, cue: _Cue, match: re.Match[str]
) -> tuple[int, float] | None:
    """How far the cue stands from the pair, and how much that is worth; None when it belongs to others."""
    s0, s1, o0, o1 = subject.start, subject.end, object.start, object.end
    at, stop = match.span()
    by = _BY.match(view.text[stop:]) is not None
    agent = _AGENT.match(view.text[stop:]) is not None
    passive = _PASSIVE.search(view.text[:at]) is not None
    if s1 <= at and stop <= o0:  # subject, cue, object
        if cut(view.text, s1, o0) or (agent and passive):
            return None
        if object.type == "gene" and _ELSEWHERE.search(_RISE.sub(" ", view.text[stop:o0])):
            return None
        means = _MEANS.search(view.text, stop, o0) if object.type == "gene" else None
        if means and bool(means["more"]) == (cue.predicate == "inhibits"):
            return None  # "attenuates injury by activating Akt"
        if not (_nearest_before(view, subject, at) and _nearest_after(view, object, stop)):
            return None
        return (at - s1) + 2 * (o0 - stop), 1.0  # of two cues the one nearer to the object
    if o1 <= at and stop <= s0:  # object, cue, subject: "was blocked by", "is linked to"
        if subject.type == object.type and cue.predicate not in _SYMMETRIC:
            gaps = [view.text[o1 : m.start] for m in view.inside if o1 <= m.start < at and m.type == "gene"]
            if not agent or not all(_LIST.match(gap) for gap in gaps):
                return None
        linked = by or (cue.predicate in _SYMMETRIC and _TO.match(view.text[stop:]) is not None)
        if not linked or cut(view.text, o1, s0) or not _nearest_after(view, subject, stop):
            return None
        return (at - o1) + (s0 - stop), 1.0
    low, high = min(s0, o0), max(s1, o1)
    between = view.text[min(s1, o1) : max(s0, o0)]
    if stop <= low and low - stop < 40 and _NOMINAL.search(match.group()):
        # "inhibition of A by B", "association between A and B"
        opened = re.match(r"^\s*(?:of|between|for|to|at)\b", view.text[stop:low])
        joined = (_JOINED if cue.predicate in _SYMMETRIC else _BROUGHT).search(between)
        if subject.type == object.type and cue.predicate not in _SYMMETRIC:  # the agent is named last
            joined = _AGENTS.search(between) if o1 <= s0 else None
        others = [
            m for m in view.inside if m not in (subject, object) and m.type in (subject.type, object.type)
        ]
        alone = not any(stop <= m.start < high for m in others)
        if opened and joined and alone and not cut(view.text, stop, high):
            return 100 + low - stop, 0.8
    return None


def _nearest_before(view: _View, subject: Mention, at: int) -> bool:
    """No other thing of the subject's type, or drug acting on it, stands between it and the cue, lists aside."""
    end = subject.end
    for other in view.inside:
        if subject.end <= other.start and other.end <= at:
            gap = view.text[end : other.start]
            if other.type in (subject.type, "chemical", "gene") and other.concept.id != subject.concept.id:
                apposed = other.type == "gene" and _ROLE.match(view.text[other.end :])
                actor = subject.type == "gene" and _ROLE.match(view.text[subject.end :])
                if not _LIST.match(gap) and not actor and not apposed:
                    return False
            end = other.end
    return True


def _nearest_after(view: _View, object: Mention, stop: int) -> bool:
    """No other thing of the object's type stands between the cue and it, lists aside."""
    first = [
        m
        for m in view.inside
        if stop <= m.start and m.end <= object.start and m.type == object.type
        and m.concept.id != object.concept.id
    ]  # fmt: skip
    ends = [*first, object]
    return all(
        _LIST.match(re.sub(r"\breceptors?\b", "", view.text[a.end : b.start])) for a, b in pairwise(ends)
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?i)\b(?:{pattern})\b")


def _role(view: _View, drug: Mention, gene: Mention) -> _Found | None:
    """A role noun that belongs to the gene: "antagonist of" when it is this drug's.

    An empty predicate means that the noun is another drug's, so that this pair is
    only mentioned together: "sumatriptan was blocked by the 5-HT1B antagonist SB-224289".
    """
    g0, g1 = gene.start, gene.end
    match = _ROLE.match(view.text[g1:])
    if match:
        at, stop, words = g1 + match.start("role"), g1 + match.end(), match.group(0)
    else:
        before = list(_ROLE_OF.finditer(view.text, 0, g0))
        if (
            not before
            or len(_WORD.findall(view.text[before[-1].end() : g0])) > 6
            or cut(view.text, before[-1].end(), g0)
        ):
            return None
        at, stop, words = before[-1].start(), g1, before[-1].group(0)
    predicate = next(said for word, said in _ROLES.items() if word in words.casefold())
    holder = _holder(view, at, stop, g0)
    if not holder:
        return None
    return _Found(predicate, at, 0.9) if drug in holder else _Found("", at, 0.0)


_APPOSED = re.compile(r"(?i)^\s*(?:,|\(|such as|like|including|\(e\.g\.,?|namely|compound|drug)?\s*\(?\s*$")
_LISTED = re.compile(r"(?i)^\s*(?:,|and|or|, and|/|,? or)\s*$")
_IS_A = re.compile(
    r"(?i)^(?:\s*\([^()]{1,30}\))?[^.;]{0,60}?(?:\b(?:is|are|was|were|as|being|be|remain(?:s|ed)?)\b|,|\()[\s\w\-,/]{0,80}$"
)


def _holder(view: _View, at: int, stop: int, gene_start: int) -> list[Mention]:
    """The drugs a role noun belongs to: named right after it, else the nearest before it."""
    drugs = [m for m in view.inside if m.type == "chemical"]
    after = [m for m in drugs if m.start >= stop]
    if after and _APPOSED.match(view.text[stop : after[0].start]):
        held = [after[0]]
        for drug in after[1:]:
            if not _LISTED.match(view.text[held[-1].end : drug.start]):
                break
            held.append(drug)
        return held
    head = min(at, gene_start)  # "angiotensin II (AII) receptor antagonists" are not angiotensin
    before = [m for m in drugs if (end := m.end) <= head and view.text[end:head].strip() != "("]
    if not before:
        return []
    gap = view.text[before[-1].end : head]
    if not _IS_A.match(gap + " ") or cut(view.text, before[-1].end, head):
        return []
    held = [before[-1]]
    for drug in reversed(before[:-1]):
        if not _LISTED.match(view.text[drug.end : held[-1].start]):
            break
        held.append(drug)
    return held
