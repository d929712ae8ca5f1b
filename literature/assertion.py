"""Does a sentence affirm, deny, doubt or only ask what it names?

Cues with a scope that ends at the clause, after NegEx and ConText. An even number of
negations affirms. Which cue names the predicate is decided in claims.py.

References
----------
.. [1] Chapman W. W. et al., A simple algorithm for identifying negated findings and
   diseases in discharge summaries, J. Biomed. Inform. 2001, 34, 301-310.
.. [2] Harkema H. et al., ConText: an algorithm for determining negation, experiencer,
   and temporal status from clinical reports, J. Biomed. Inform. 2009, 42, 839-851.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

NEGATION_WORDS = 14  # how many words a negation reaches, at most

_NEGATION = re.compile(
    r"(?i)\b(?:no evidence (?:of|for|that)|(?!(?-i:NO\b(?! [A-Z]{2})))no(?! \d)|not|nor|never|neither|cannot|without|"
    r"fail(?:s|ed|ing|ure)?(?: to)?|lack(?:s|ed|ing)?(?: of)?|(?<!in the )absence of|devoid of|unable to|"
    r"independent(?:ly)? of|rather than|instead of|free of|insensitive to|little or no|"
    r"hardly|scarcely|barely|little(?= (?:\w+ed|effect|influence|impact|activity|affinity)\b)|"
    r"(?:was|were|is|are|did|does|do|could|would|has|have|had)n't)(?!\w)"
)
_SPARED = re.compile(  # read like negations, deny nothing
    r"(?i)\bnot (?:only|completely|fully|entirely|always|necessarily|merely|simply|just|least|surprisingly|until|be excluded|excluded|be ruled out|ruled out|as yet)\b"
    r"|\bwith (?:or|and) without\b|\bno (?:longer than|sooner|less than|doubt|more than)\b|\blittle or no\b(?=\Z)"
    r"|\bwithout (?:doubt|affecting|changing|altering|loss of|intrinsic)\b"
    r"|\bfree of (?:pain|headache|migraine)\b|\bcannot be (?:excluded|ruled out)\b|\brather than\b(?= by chance)"
)
_BACKWARD = re.compile(  # deny what stands before them
    r"(?i)\b(?:(?:was|were|is|are|been) (?:also )?(?:not|never) (?:\w+ly )?(?:seen|observed|found|detected|confirmed|reproduced|replicated|supported|"
    r"apparent|evident)|(?:was|were|is|are) (?:absent|ruled out|excluded|unlikely|refuted)|"
    r"could not be (?:confirmed|reproduced|replicated|shown|detected|demonstrated))\b"
)
_HEDGE = re.compile(
    r"(?i)\b(?:may|might|could|possibl[ye]|perhaps|probabl[ye]|likely|suggest(?:s|ed|ing|ive)?|appear(?:s|ed)?|seem(?:s|ed)?|"
    r"hypothesi[sz]e[ds]?|hypothesis|putative|potential(?:ly)?|propos(?:e|es|ed)|speculat(?:e|ed|ion)|presum(?:ed|ably)|"
    r"thought to|believed to|claimed|assumed|expected|cannot be (?:excluded|ruled out)|consistent with|in theory|preliminary)\b"
)
_QUESTION = re.compile(
    r"(?i)\b(?:whether|unclear|unknown|remains? (?:to be|an open|controversial|uncertain|debated|unsettled)|"
    r"(?:not|never) (?:yet )?(?:known|clear|established|been (?:tested|studied|shown))|"
    r"no (?:\w+ ){0,3}(?:trials?|stud(?:y|ies)|data)|we (?:asked|tested|examined|investigated|hypothesi[sz]ed|set out)|"
    r"to (?:test|determine|examine|investigate|assess|clarify|evaluate|compare|explore)|"
    r"(?:objective|purpose)s? (?:of|was|were|is)|should be (?:tested|studied)|aimed?|is needed)\b|\?$"
)
_ENROLLED = re.compile(
    r"(?i)\b(?:(?:in|ex)clusion criteri(?:a|on)|eligib(?:le|ility)|(?:were|was|are) excluded (?:if|when|for)|"
    r"exclu(?:ded|ding|sions?)\b[^.;]{0,40}\b(?:patients|subjects|participants|women|men|children|individuals|those)|"
    r"(?:patients|subjects|participants|women|men|children|individuals|those)\b[^.;]{0,150}\bwere (?:excluded|enrolled|recruited))\b"
)
_NO_DIFFERENCE = re.compile(r"(?i)\b(?:no|not|nor|without)\b[^.;]{0,40}\bdiffer(?:ed|ences?|ent|s)?\b")
_UNTREATED = re.compile(r"(?i)\b(?:placebo|controls?|vehicle|sham|untreated|saline|baseline|no treatment)\b")
CLAUSE_END = re.compile(
    r"(?i);|:(?=\s)|\bbut\b(?! also)|\bwhereas\b|\balthough\b|\bthough\b|\bhowever\b|\bwhile\b|\bexcept\b|\byet\b|"
    r", (?:and|so|nor) (?=\w+)|, (?:which|suggesting|indicating|showing|confirming)\b|\bunlike\b|\bin contrast\b|"
    r" and (?=(?:it|they|this|these|we|he|she|that)\b)"
)
_WORD = re.compile(r"\w+")


def clause(text: str, start: int, end: int) -> tuple[int, int]:
    """The clause, or run of clauses, that holds [start, end)."""
    low = max((m.end() for m in CLAUSE_END.finditer(text, 0, start)), default=0)
    stop = CLAUSE_END.search(text, end)
    return low, stop.start() if stop else len(text)


def cut(text: str, start: int, end: int) -> bool:
    """A clause ends within [start, end)."""
    stop = CLAUSE_END.search(text, start)
    return stop is not None and stop.start() < end


def scopes(text: str) -> Iterator[tuple[int, int]]:
    """Each negation with the stretch after it that it reaches: (start of the cue, end of the scope)."""
    spared = [m.span() for m in _SPARED.finditer(text)]
    for match in _NEGATION.finditer(text):
        if any(low <= match.start() < high for low, high in spared):
            continue
        if match.group().casefold() == "nor" and _NEGATION.search(
            text, clause(text, match.start(), match.end())[0], match.start()
        ):
            continue  # "neither ... nor", "not ... nor": one denial
        stop = CLAUSE_END.search(text, match.end())
        end = stop.start() if stop else len(text)
        for count, word in enumerate(_WORD.finditer(text, match.end(), end)):
            if count >= NEGATION_WORDS:
                end = word.start()
                break
        yield match.start(), end


def denied(text: str, cue: int, objects: tuple[int, ...], ignored: tuple[tuple[int, int], ...] = ()) -> bool:
    """Whether an odd number of negations reach the cue, or stand between it and one of the objects.

    Parameters
    ----------
    cue, objects
        Where they start in `text`.
    ignored
        Stretches whose negations speak of something else: "mice that lack 5-HT1B receptors".
    """
    count = 0
    forward: list[tuple[int, int]] = []
    for low, high in scopes(text):
        if any(start <= low < end for start, end in ignored):
            continue
        reaches_cue = low < cue < high
        reaches_object = any(cue < low < object < high for object in objects)
        if reaches_cue or reaches_object:
            forward.append((low, high))
    # "did not fail to" is two; "showed no ... and lacked ..." is one denial said twice of two things.
    count += len(forward)
    for match in _BACKWARD.finditer(text):
        low, _ = clause(text, match.start(), match.end())
        counted = any(start < match.end() and match.start() <= start for start, _ in forward)
        if low <= cue < match.start() and not counted:
            count += 1
    return count % 2 == 1


def hedged(text: str, start: int, end: int) -> bool:
    """The clause around [start, end) holds a word of doubt."""
    return _HEDGE.search(text, *clause(text, start, end)) is not None


def asked(text: str, start: int, end: int) -> bool:
    """The clause around [start, end) asks, or says that it is not known."""
    return _QUESTION.search(text, *clause(text, start, end)) is not None


def enrolled(text: str) -> bool:
    """Whether a sentence says who may take part in a study: its drugs and diseases are nobody's finding."""
    return _ENROLLED.search(text) is not None


def as_good(text: str, start: int, end: int) -> bool:
    """The clause around [start, end) denies a difference between two treatments, which denies no effect."""
    around = clause(text, start, end)
    return _NO_DIFFERENCE.search(text, *around) is not None and _UNTREATED.search(text, *around) is None
