"""Where does a text name a gene, a drug, a disease, and which one is meant?

A `Tagger` finds stretches of text with a type; `find` links them to concepts,
document by document: an abbreviation means what the document says it means
(Schwartz and Hearst), and a short or shared name counts only where the document
also names the thing in full.

References
----------
.. [1] Schwartz A. S., Hearst M. A., A simple algorithm for identifying abbreviation
   definitions in biomedical text, Pac. Symp. Biocomput. 2003, 451-462, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from literature.article import Article, Passage
from literature.lexicon import Concept, Entry, Lexicon, Type, key, tokens


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one text that names something of a type."""

    start: int  # code points into the text given
    end: int
    type: Type
    probability: float  # 0..1


@runtime_checkable
class Tagger(Protocol):
    """Finds what texts name, many texts at once.

    One list per text, in the order given; spans sorted by start and not overlapping.
    """

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]: ...


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of an article that names a concept."""

    start: int  # code points into the article's text
    end: int
    text: str
    concept: Concept
    score: float  # 0..1: the tagger's probability times the link's
    method: str  # "name", "abbreviation", "context"

    @property
    def type(self) -> Type:
        return self.concept.type


@dataclass(frozen=True)
class DictionaryTagger:
    """The longest known name wins. Every name is found, also those only the document can settle."""

    lexicon: Lexicon

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[Span]:
        found = tokens(text)
        spans: list[Span] = []
        place = 0
        while place < len(found):
            longest = self.lexicon.longest(text, found, place)
            if longest is None:
                place += 1
                continue
            start, end, _ = longest
            entries = meant(text[start:end], self.lexicon)
            if entries:
                chosen = (_plain(entries) or entries)[0]
                spans.append(Span(start, end, chosen.concept.type, 1.0))
            while place < len(found) and found[place].start < end:
                place += 1
        return spans


def find(article: Article, tagger: Tagger, lexicon: Lexicon) -> list[Mention]:
    """All mentions of an article that could be linked, in order."""
    return find_all([article], tagger, lexicon)[0]


def find_all(articles: Sequence[Article], tagger: Tagger, lexicon: Lexicon) -> list[list[Mention]]:
    """Mentions of many articles; all go to the tagger in one call."""
    return linked(articles, tagger([article.text for article in articles]), lexicon)


def linked(
    articles: Sequence[Article], found: Sequence[Sequence[Span]], lexicon: Lexicon
) -> list[list[Mention]]:
    """What spans of whole articles mean: what a name means in one passage is known in the others."""
    result: list[list[Mention]] = []
    for article, told in zip(articles, found, strict=True):
        short_forms = abbreviations(article)
        located = [
            (passage.offset + span.start, passage.offset + span.end, span)
            for passage, these in in_passages(article, told)
            for span in _with_short_forms(passage.text, these, short_forms, lexicon)
        ]
        mentions = _link(article.text, located, short_forms, lexicon)
        result.append([m for m in mentions if not _human(m.concept)] if of_others(article) else mentions)
    return result


_OTHERS = re.compile(
    r"(?i)\b(?:yeasts?(?![\s-]+(?:two|2|one))|saccharomyces|cerevisiae|s\. pombe|schizosaccharomyces|arabidopsis|drosophila|melanogaster|"
    r"elegans|caenorhabditis|zebrafish|danio|xenopus|plants?|rice|maize|nematodes?)\b"
)
_MAMMALS = re.compile(
    r"(?i)\b(?:humans?|patients?|mouse|mice|murine|rats?|mammal\w*|hela|hek ?293|women|men|children|cancers?|tumou?rs?|carcinoma\w*|"
    r"clinical\w*|individuals|subjects|famil(?:ies|y history)|pigs?|bovine|rabbits?|monkeys?|macaque)\b"
)


def of_others(article: Article) -> bool:
    """Whether an article is about yeast, flies or plants alone: its genes are none of ours, whatever they are called."""
    named = len(_OTHERS.findall(article.text))
    return (named > 1 or (named == 1 and _OTHERS.search(article.title) is not None)) and not _MAMMALS.search(
        article.text
    )


def _human(concept: Concept) -> bool:
    return any(other.startswith("HGNC:") for other in concept.xrefs)


def in_passages(article: Article, spans: Sequence[Span]) -> list[tuple[Passage, list[Span]]]:
    """The spans of an article's text by passage, from its beginning; what reaches over an end is no name."""
    parted: list[tuple[Passage, list[Span]]] = []
    place = 0
    for passage in article.passages:
        own: list[Span] = []
        while place < len(spans) and spans[place].start < passage.end:
            span = spans[place]
            if passage.offset <= span.start and span.end <= passage.end:
                own.append(replace(span, start=span.start - passage.offset, end=span.end - passage.offset))
            place += 1
        parted.append((passage, own))
    return parted


def _with_short_forms(
    text: str, spans: Sequence[Span], short_forms: dict[str, str], lexicon: Lexicon
) -> Sequence[Span]:
    """The tagger's spans, and where the document uses a short form of its own that no dictionary knows."""
    found = list(spans)
    for short, long in short_forms.items():
        known = meant(long, lexicon)
        if not known or short not in text:
            continue
        for match in re.finditer(rf"(?<![\w\-]){re.escape(short)}(?!\w)", text):
            if not any(span.start < match.end() and match.start() < span.end for span in found):
                found.append(Span(match.start(), match.end(), known[0].concept.type, 1.0))
    return sorted(found, key=lambda span: span.start) if len(found) > len(spans) else spans


def _link(
    text: str, located: Sequence[tuple[int, int, Span]], short_forms: dict[str, str], lexicon: Lexicon
) -> list[Mention]:
    """Link the plain names first: they are the context that settles the others."""
    named = {
        entry.concept.id
        for start, end, _ in located
        if text[start:end] not in short_forms
        for entry in _plain(meant(text[start:end], lexicon))
    }
    cells = {text[start:end] for start, end, _ in located if _CELLS.match(text, end)}
    mentions: list[Mention] = []
    for start, end, span in located:
        if text[max(0, start - 4) : start].casefold() in ("non-", "non "):
            continue  # "a non-indole agonist" is no indole
        if span.type == "chemical" and (text[:start].endswith("]") or _LOCANTS.match(text, end)):
            continue  # nor is "naphtho[1,2-b]furan-4,5-dione" furan
        words = text[start:end]
        link = _meaning(words, span.type, named, short_forms, lexicon)
        if link is not None:
            entry, score, method = link
            if words in cells and entry.concept.type == "gene" and _bare(words) != _bare(entry.concept.name):
                continue  # "THP-1 cells" is a line, not the gene with that alias
            mentions.append(Mention(start, end, words, entry.concept, span.probability * score, method))
    return mentions


def _bare(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_CELLS = re.compile(r"[ \-]cells?\b")
_LOCANTS = re.compile(r"-\d+'?(?:,\d+'?)*-[a-z]{3}")


def _meaning(
    words: str, type: Type, named: set[str], short_forms: dict[str, str], lexicon: Lexicon
) -> tuple[Entry, float, str] | None:
    """What `words` means in a document that names `named` in full; None when that cannot be told."""
    entries = meant(words, lexicon)
    if words in short_forms:
        full = meant(short_forms[words], lexicon)
        if full:
            return _pick(full, type), 1.0, "abbreviation"
        # The document defines the short form as something the lexicon does not know, or in other
        # words ("5-HT1B receptor" for the gene's key); only a shared concept saves the link.
        parts = _inside(short_forms[words], lexicon)
        kept = [
            entry
            for entry in entries
            if entry.concept.id in parts or _symbol_of(entry, words, short_forms, lexicon)
        ]
        return (kept[0], 0.9, "abbreviation") if len(kept) == 1 else None
    plain = _plain(entries)
    if plain:
        return _pick(plain, type), 1.0, "name"
    settled = [entry for entry in entries if entry.concept.id in named]
    if len(settled) == 1:
        return settled[0], 0.8, "context"
    return None


def _symbol_of(entry: Entry, words: str, short_forms: dict[str, str], lexicon: Lexicon) -> bool:
    """A gene's own symbol, explained with a word of its names: "topoisomerase IIα (TOP2A)"."""
    if entry.concept.type != "gene" or entry.concept.name != words or entry.ambiguous:
        return False
    telling = {token.key for token in tokens(short_forms[words]) if len(token.key) >= _LONG_WORD}
    return not telling.isdisjoint(lexicon.words(entry.concept.id))


_LONG_WORD = 6  # letters


def meant(words: str, lexicon: Lexicon) -> list[Entry]:
    """What a name may mean where it is written so: "and 1", "set" and "Fig 4" are words, not the genes called so."""
    capitals = sum(c.isupper() for c in words)
    phosphorylated = _PHOSPHORYLATED.match(words)
    bare = lexicon.entries(key(words[1:])) if phosphorylated else ()
    selves = {entry.concept.id for entry in bare}
    kept: list[Entry] = []
    for entry in lexicon.entries(key(words)):
        if selves and entry.concept.id not in selves:  # "pERK" is no PERK, "pVHL" is VHL
            continue
        if entry.concept.type == "other" or (entry.capital and not capitals):
            continue
        if entry.concept.name.endswith("Agents") and words.endswith(("al", "ive", "ory")):
            continue  # "anti-inflammatory cytokines" are no drugs
        if entry.concept.type == "gene":
            if _COUNTED.match(words):
                continue
            word = entry.rank >= _ALIAS and capitals < 2 and words.isalpha()  # "snail", "Task"
            if word or _SEVERAL.match(words):
                entry = replace(entry, ambiguous=True)
        kept.append(entry)
    own = next((entry for entry in kept if entry.concept.name.casefold() == words.casefold()), None)
    if own is None or own.concept.type != "disease":
        return kept
    # Who annotates the harm of drugs means "Drug Induced Liver Injury" by "hepatitis"; others do not.
    harm = [entry for entry in kept if "drug" in entry.concept.name.casefold() and entry is not own]
    return (
        [replace(own, ambiguous=False), *(e for e in kept if e is not own and e not in harm)]
        if harm
        else kept
    )


_PHOSPHORYLATED = re.compile(r"p-?(?=[A-Z]{3}|[A-Z][A-Za-z]+-?\d)")
_SEVERAL = re.compile(r"^[A-Z]{2,}s$")  # "APCs" are cells, APCS is a gene
_ALIAS = 3  # dictionary.SYNONYM and worse
# A short word that is no symbol, apart from its number: "Fig 1", "and 1", "min/1", "OR 1.60".
_COUNTED = re.compile(r"^(?:(?![A-Z]{2,})[A-Za-z]{1,4}[\s/.:;,]+\d+[a-z]?|[A-Z]{2,3}[\s=:]+\d+\.\d+)$")


def _plain(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.ambiguous]


def _pick(entries: Sequence[Entry], type: Type) -> Entry:
    return next((e for e in entries if e.concept.type == type), entries[0])


def _inside(words: str, lexicon: Lexicon) -> set[str]:
    """Concepts named within a long form."""
    found = DictionaryTagger(lexicon)([words])[0]
    return {e.concept.id for s in found for e in _plain(meant(words[s.start : s.end], lexicon))}


_INITIAL = re.compile(r"(?<![^\s\-(/])[^\W_]+")
_BRACKET = re.compile(r"\(([^()]{2,60})\)")
_SHORT_FORM = re.compile(r"^[A-Za-z0-9α-ω][\w\-/+.α-ω]{0,9}$")


def abbreviations(article: Article) -> dict[str, str]:
    """Short form -> long form, as the document defines them; a later definition of the same form stands back.

    References
    ----------
    .. [1] Schwartz & Hearst 2003, section 3: candidates "long form (SF)" and "SF (long form)".
    """
    found: dict[str, str] = {}
    for passage in article.passages:
        for bracket in _BRACKET.finditer(passage.text):
            inner = re.split(r"[;,]\s", bracket.group(1))[0].strip()
            before = passage.text[: bracket.start()].rstrip()
            if _is_short(inner):
                long = best_long_form(inner, _last_words(before, min(len(inner) + 5, len(inner) * 2)))
                if long:
                    found.setdefault(inner, long)
                continue
            short = before.rsplit(None, 1)[-1].strip("([,;") if before else ""
            long = best_long_form(short, inner) if _is_short(short) else ""
            if len(long) > len(short) + 2:
                found.setdefault(short, long)
    return found


def _is_short(text: str) -> bool:
    return (
        2 <= len(text) <= 10
        and _SHORT_FORM.match(text) is not None
        and any(c.isalpha() for c in text)
        and (any(c.isupper() or c.isdigit() for c in text))
    )


def _last_words(text: str, n: int) -> str:
    start = max(text.rfind(". "), text.rfind("; "), text.rfind("\n")) + 1
    return " ".join(text[start:].split(" ")[-n:]).strip()


def best_long_form(short: str, candidate: str) -> str:
    """The end of `candidate` that spells `short`; "" if none does.

    Words whose initials are the letters come first ("Thyroid transcription factor 1" for
    TTF-1, which the published rule cuts to its last three words); else the shortest end
    in which the letters stand in order, the first of them at the start of a word [1].
    """
    letters = [c.casefold() for c in short if c.isalnum()]
    words = list(_INITIAL.finditer(candidate))[-len(letters) :]
    if len(letters) > 1 and [w.group()[0].casefold() for w in words] == letters:
        return candidate[words[0].start() :].strip(" ([,;:")
    at = len(candidate) - 1
    for place in range(len(short) - 1, -1, -1):
        letter = short[place].casefold()
        if not letter.isalnum():
            continue
        while at >= 0 and (
            candidate[at].casefold() != letter or (place == 0 and at > 0 and candidate[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return ""
        at -= 1
    start = at + 1
    while start > 0 and not candidate[start - 1].isspace():  # "5-HT" begins where its word does
        start -= 1
    long = candidate[start:].strip(" ([,;:")
    if len(long) <= len(short) or short.casefold() in (w.casefold() for w in long.split()):
        return ""
    return long
