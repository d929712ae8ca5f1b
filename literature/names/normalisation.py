"""Which concept does a name mean when it is not written as any dictionary writes it?

Exact keys first. Then the ways people bend a name, each a rule that was worth its
errors on annotated articles: the document's own abbreviations, words that add
nothing, other word order, British and American spelling, one organ by two names.
What no rule reaches is left without an identifier: a wrong link is worse than none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias

from literature.lexicon import Entry, Lexicon, Link, Type, key, plural
from literature.mentions import best_long_form
from literature.names.dictionary import LEARNED, SYNONYM, Dictionary, genes_of, shipped
from literature.names.families import DESIGNATION, Families, Surroundings, surroundings
from literature.names.wording import WEIGHTS

# How sure a link is by the rule that made it: shares right on held-out articles, see the benchmark.
_SCORES = {
    "name": 1.0,
    "abbreviation": 0.95,
    "context": 0.95,
    "spaced": 0.9,
    "shorter": 0.85,
    "bent": 0.8,
    "order": 0.75,
    "words": 0.85,
    "head": 0.65,
    "member": 0.65,
    "initials": 0.65,
    "described": 0.6,  # where links so little sure are wanted; a link's own score is its probability
    "family": 0.4,
}
_CLEAR = 8.0  # natural-log units: so much more a document must say of one gene than of others with its name
# The rule for each type whose answers are weighed against what a name's words describe, where guesses are welcome.
WEIGHED: Mapping[str, str] = {"gene": "bent", "disease": "head"}
_LIKELY, _POSSIBLE = 0.15, 0.1  # least probability of the first thing that words describe, and of others
Bend: TypeAlias = Callable[[str], Iterator[str]]
_MINIMUM = 3  # letters of a name that may be bent
# Most letters of a short form that nothing explains, and least of what it is short for.
_INITIALS, _IN_FULL = 6, 5
_WAYS = 60  # bent names that are bent again


def normalise(
    name: str,
    type: Type | None = None,
    *,
    short_forms: Mapping[str, str] | None = None,
    text: str | Surroundings = "",
    lexicon: Lexicon | None = None,
    species: str = "human",
    least: float = 0.0,
) -> tuple[Link, ...]:
    """What a name may mean, likeliest first; empty when that cannot be told.

    Parameters
    ----------
    type
        Only concepts of this type, and headings of no type of their own.
    short_forms
        Abbreviations of the document the name stands in, as `mentions.abbreviations` finds them.
    text
        The document itself, or what it says. Of genes that share a name, the one it says more of comes
        first ("context" where that is clear), and a family's name ("caspases") means the member it
        names ("member"), else that most written about ("family"). A name that no gene bears may
        describe one ("described").
    lexicon
        Where to look; the shipped dictionaries when None.
    species
        Whose genes: "human"; "mouse", with NCBI Gene's mouse identifiers. Nothing else
        depends on it.
    least
        Links by a rule surer than this alone, 0..1; the others are not even tried.

    Raises
    ------
    UnknownSpecies
        If the package holds no genes of the species.

    Examples
    --------
    >>> normalise("5-HT1B")[0].concept.name
    'HTR1B'
    """
    if species != "human" and type in ("gene", None):
        if lexicon is not None and lexicon is not shipped():
            raise ValueError("name a lexicon or a species, not both")
        murine = genes_of(species)
        if found := normalise(name, "gene", short_forms=short_forms, text=text, lexicon=murine, least=least):
            return found
        if type == "gene":
            return ()
    lexicon = lexicon or shipped()
    itself = lexicon.named(name, "disease") if not text and type in ("disease", None) else None
    if itself and itself.name.casefold() == name.casefold():  # "hepatitis" alone is not the drug-induced one
        return (Link(itself, _SCORES["name"], "name"),)
    short_forms = short_forms or {}
    full = short_forms.get(name, "")
    around = _document(text, lexicon) if type in ("gene", None) else None
    # Where guesses are welcome, a less sure rule's answer is weighed against what the words describe.
    guess = type in WEIGHTS and _SCORES["described"] >= least
    bent: tuple[Link, ...] = ()
    for word, method in _written(name, full, type, lexicon):
        if _SCORES[method] >= least and (links := _links(lexicon, word, type, method, plural(name), around)):
            if not (guess and method == WEIGHED.get(type or "")):
                return links
            bent = links
            break
    if not bent and (links := _elsewhere(name, type, short_forms, text, lexicon, least)):
        return links
    if type is None or not guess:
        return bent
    forms = [key(said) for said in (name, full) if said]
    described = _described(lexicon, forms, type, _document(text, lexicon) or _NOWHERE, bent)
    return tuple(link for link in described if link.score >= least) or bent


def _document(text: str | Surroundings, lexicon: Lexicon) -> Surroundings | None:
    return text if isinstance(text, Surroundings) else surroundings(text, lexicon) if text else None


def _written(name: str, full: str, type: Type | None, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Keys to try for a name that is short for `full` ("": for nothing), surest first."""
    ways = _ways(name, type, lexicon)
    if not full:
        return ways
    spelled = (
        (word, "abbreviation" if method == "name" else method) for word, method in _ways(full, type, lexicon)
    )
    # A symbol of one gene alone stands before bent forms of what it is short for; elsewhere the document's
    # definition stands before what the short form means to others.
    entries = lexicon.entries(key(name)) if type == "gene" else ()
    alone = any(entry.concept.type == "gene" and not entry.ambiguous for entry in entries)
    first = [*islice(spelled, 1), *islice(ways, 1)] if alone else []
    return chain(first, spelled, ways)


def _elsewhere(
    name: str,
    type: Type | None,
    short_forms: Mapping[str, str],
    text: str | Surroundings,
    lexicon: Lexicon,
    least: float,
) -> tuple[Link, ...]:
    """What the document makes of a short form, of a gene's name that it also writes otherwise, or of a family's."""
    if type in ("chemical", "disease"):
        asked = _short(name) and _SCORES["initials"] >= least
        return _initials(lexicon, name, type, _document(text, lexicon) or _NOWHERE) if asked else ()
    around = _document(text, lexicon) if type == "gene" else None
    if around is None:
        return ()
    for word, method in _otherwise(name, short_forms, around):
        links = _links(lexicon, word, type, method, plural(name), around)
        # What several share tells no more than the name does.
        if len(links) == 1 and _SCORES[method] >= least:
            return links
    kin = list(dict.fromkeys(_plain(key(said)) for said in (name, short_forms.get(name, "")) if said))
    return _relative(lexicon, kin, around, least)


_NOWHERE = Surroundings(frozenset(), {})


def _described(
    lexicon: Lexicon, forms: Sequence[str], type: Type, around: Surroundings, bent: Sequence[Link]
) -> tuple[Link, ...]:
    """What the words of a name describe, and what is called so but for the way it is written."""
    written = {link.concept.id: link.method for link in bent}
    for layer in reversed(lexicon.layers):
        if isinstance(layer, Dictionary):
            found = layer.wording(type).likeliest(forms, around, tuple(written))
            if found and found[0][1] >= _LIKELY:
                near = [(lexicon.concept(id), share) for id, share in found if share >= _POSSIBLE]
                return tuple(
                    Link(concept, share, written.get(concept.id, "described"))
                    for concept, share in near
                    if concept
                )
    return ()


def _short(name: str) -> bool:
    return " " not in name and not name.islower() and len(key(name).replace(" ", "")) <= _INITIALS


_CHARGE = re.compile(r"\(?\d?[+-]\)?$")
# Symbols and formulas that no document explains.
_FORMULAS = {
    "K": "potassium", "Na": "sodium", "Ca": "calcium", "Mg": "magnesium", "Zn": "zinc", "Cu": "copper", "Fe": "iron",
    "Mn": "manganese", "Cd": "cadmium", "Pb": "lead", "Hg": "mercury", "Li": "lithium", "Al": "aluminum",
    "CCl4": "carbon tetrachloride", "CO2": "carbon dioxide", "H2O2": "hydrogen peroxide", "NaCl": "sodium chloride",
    "KCl": "potassium chloride", "NH3": "ammonia", "N2O": "nitrous oxide", "O2": "oxygen",
}  # fmt: skip


def _initials(lexicon: Lexicon, name: str, type: Type, around: Surroundings) -> tuple[Link, ...]:
    """What a name is short for though nothing says so: the thing a document names most of those it fits ("PB" where
    phenobarbital is named), else by chemists' use."""
    fitting = Counter(
        concept.id
        for written, concept in around.written
        if concept.type == type and len(written) >= _IN_FULL and best_long_form(name, written) == written
    )
    if fitting:
        concept = lexicon.concept(max(fitting, key=lambda id: fitting[id]))
        return (Link(concept, _SCORES["initials"], "initials"),) if concept else ()
    formula = _FORMULAS.get(_CHARGE.sub("", name), "") if type == "chemical" else ""
    return _links(lexicon, formula, type, "initials", False, None) if formula else ()


def _otherwise(name: str, short_forms: Mapping[str, str], around: Surroundings) -> Iterator[tuple[str, str]]:
    """How else a document writes a gene's name: by what it is short for, with a last word in full."""
    word = key(name)
    for short, full in short_forms.items():
        if len(short) >= _MINIMUM and key(full) == word:
            yield key(short), "abbreviation"
    *before, last = word.split() or [""]
    if len(last) >= _MINIMUM and last.isalpha():  # "alpha-syn" where alpha-synuclein is also named
        for longer in sorted(around.words):
            if longer.startswith(last) and len(longer) >= len(last) + _MINIMUM:
                yield " ".join([*before, longer]), "abbreviation"


def _relative(lexicon: Lexicon, names: Sequence[str], around: Surroundings, least: float) -> tuple[Link, ...]:
    """The member of a family that a document means."""
    for name in names if _SCORES["member"] >= least else ():
        for families in _families(lexicon):
            found = families.member(name, around)
            id, named = found if found is not None else (families.named_kin(name, around), True)
            concept = None if id is None else lexicon.concept(id)
            method = "member" if named else "family"
            if concept is not None and _SCORES[method] >= least:
                return (Link(concept, _SCORES[method], method),)
    return ()


def _families(lexicon: Lexicon) -> list[Families]:
    return [layer.families for layer in reversed(lexicon.layers) if isinstance(layer, Dictionary)]


def _links(
    lexicon: Lexicon, word: str, type: Type | None, method: str, wanted: bool, around: Surroundings | None
) -> tuple[Link, ...]:
    guessed = method not in ("name", "abbreviation")  # then a heading of no type ("children") is no answer
    entries = [
        e
        for e in lexicon.entries(word)
        if e.concept.type == type or (type is None and not (guessed and e.concept.type == "other"))
    ]
    if not entries and type in ("chemical", "disease") and not guessed:
        entries = [
            e for e in lexicon.entries(word) if e.concept.type == "other"
        ]  # "oral contraceptives", "smoking"
    # What a gene is under another identifier, and a heading of no type, come after what is called so without doubt.
    selves = {x for e in entries if not e.ambiguous for x in e.concept.xrefs}
    plain = any(not e.ambiguous and e.concept.type != "other" for e in entries)

    def later(entry: Entry) -> bool:
        return entry.concept.id in selves or (plain and entry.concept.type == "other")

    ordered = sorted(entries, key=lambda entry: (later(entry), *_rank(entry, wanted)))
    clear = False
    if around is not None and any(entry.ambiguous for entry in entries):
        families = _families(lexicon)

        def preferred(entry: Entry) -> tuple[int, bool, float]:
            liking = max((one.liking(entry, word, around) for one in families), default=0.0)
            return min(entry.rank, SYNONYM), entry.plural != wanted, -liking

        ordered.sort(key=preferred)
        said = [
            max((one.support(entry.concept.id, word, around) for one in families), default=0.0)
            for entry in ordered
        ]
        clear = ordered[0].ambiguous and said[0] - max(said[1:], default=0.0) >= _CLEAR
        if ordered[0].rank == LEARNED:  # in one article "caspases" meant one of them
            clear = clear and not any(one.bears(word) for one in families)
    share = 1.0 / len(ordered) if ordered else 0.0
    score = _SCORES[method]
    links = [Link(e.concept, 0.5 * score * share if e.ambiguous else score, method) for e in ordered]
    if clear:
        links[0] = Link(
            ordered[0].concept, score * _SCORES["context"], "context" if method == "name" else method
        )
    return tuple(links)


def _rank(entry: Entry, wanted: bool) -> tuple[int, bool, bool, int, int, str]:
    """Own names before synonyms; of equals, the concept annotators name most, then the one numbered first."""
    id = entry.concept.id
    return entry.rank, entry.plural != wanted, entry.ambiguous, -entry.told, len(id), id


def _ways(name: str, type: Type | None, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Keys to try, surest first; each rule bends what the rules before it made."""
    word = key(name)
    marked = _MARKED.match(name) if type == "gene" else None
    bare = [key(name[marked.end() :])] if marked else []
    if name.startswith("p"):
        yield from ((one, "shorter") for one in bare)  # "pERK" is not PERK
    yield word, "name"
    compact = word.replace(" ", "")
    if len(compact) < _MINIMUM:
        return
    for joined in _joined(lexicon, compact):
        yield joined, "spaced"
    yield from ((one, "shorter") for one in bare)
    seen, ways = {word, *bare}, [word, *bare]
    for method, bend in _RULES.get(type or "", _GENE + _DISEASE + _CHEMICAL):
        if bend is _head:
            for alike in _alike(lexicon, word):
                if alike not in seen:
                    seen.add(alike)
                    yield alike, "words"
        for known in tuple(ways[:_WAYS]):
            for bent in bend(known):
                if len(bent.replace(" ", "")) >= _MINIMUM and bent not in seen:
                    seen.add(bent)
                    ways.append(bent)
                    yield bent, method
                    if type == "gene":
                        for joined in _joined(lexicon, bent.replace(" ", "")):
                            yield joined, method


# A gene's symbol in capitals after small letters: phosphorylated, recombinant (human, rat, mouse), soluble, silencing.
_MARKED = re.compile(r"(?:p|[Rr]h|r|m|h|si?|sh)-?(?=[A-Z]{3}|[A-Z][A-Za-z]+-?\d)")


def _alike(lexicon: Lexicon, word: str) -> Iterator[str]:
    """Diseases' names that say the same in other words, the one annotators name most often first."""
    for layer in reversed(lexicon.layers):
        if isinstance(layer, Dictionary):
            same = [
                (entry, one)
                for one in layer.alike(word)
                for entry in layer.entries(one)
                if entry.concept.type == "disease"
            ]
            for _, one in sorted(same, key=lambda found: (-found[0].told, *_rank(found[0], False))):
                yield one


def _joined(lexicon: Lexicon, compact: str) -> Iterator[str]:
    for layer in lexicon.layers:
        if isinstance(layer, Dictionary):
            yield from layer.joined(compact)


def _without(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b ?")


_GENE_WORDS = _without(
    "human|protein|gene|mrna|antigen|polypeptide|subunit|isoform|wild type|wt|mutant|rat|mouse|murine|enzyme|homolog|molecule|product|precursor|full length|recombinant|(?<! )r"
)
_FAMILY_WORDS = _without(
    "family|superfamily|member|complex|class|transcription factor|type|isoform|gene|protein|molecule"
)
_STATES = _without("soluble|active|activated|phosphorylated|membrane|membrane bound|serum|plasma|endogenous|exogenous|total|family|superfamily|member|transcription factor|factor")  # fmt: skip
_DISEASE_WORDS = _without("acute|chronic|severe|mild|moderate|patient|primary|secondary|familial|hereditary|inherited|congenital|sporadic|symptom|episode|attack|human|clinical|idiopathic|progressive|recurrent|early onset|late onset|advanced|of the|the|of|induced|drug|disease|disorder|syndrome|s|type")  # fmt: skip
_CHEMICAL_WORDS = _without("hydrochloride|hcl|sodium|sulfate|sulphate|maleate|tartrate|acetate|phosphate|citrate|mesylate|fumarate|hydrobromide|succinate|chloride|potassium|calcium|dihydrate|monohydrate|anhydrous|bromide|salt|acid|drug|treatment|therapy|d|l|dl|r|s|racemic|ion|oral|intravenous")  # fmt: skip

_SWAPS: dict[str, tuple[tuple[str, str], ...]] = {
    "disease": (
        ("tumour", "tumor"), ("tumor", "neoplasm"), ("cancer", "neoplasm"), ("carcinoma", "neoplasm"), ("cardiac", "heart"),
        ("cerebral", "brain"), ("hepatic", "liver"), ("pulmonary", "lung"), ("haem", "hem"), ("aemia", "emia"),
        ("oedema", "edema"), ("disease", "disorder"), ("disorder", "disease"), ("impairment", "disorder"),
        ("failure", "insufficiency"), ("insufficiency", "failure"), ("damage", "injury"), ("deficient", "deficiency"),
        ("hypotensive", "hypotension"), ("depressive", "depression"), ("psychotic", "psychosis"), ("anemic", "anemia"),
        ("arrhythmic", "arrhythmia"), ("leukemic", "leukemia"),
    ),
    "chemical": (
        ("sulph", "sulf"), ("oestr", "estr"), ("aluminium", "aluminum"), ("caesium", "cesium"), ("haem", "hem"),
        ("ate", "ic acid"), ("leuco", "leuko"),
    ),
    "gene": (
        ("beta", "b"), ("alpha", "a"), ("interleukin", "il"), ("b", "beta"), ("a", "alpha"), ("1", "i"), ("2", "ii"),
        ("3", "iii"), ("4", "iv"), ("i", "1"), ("ii", "2"), ("iii", "3"), ("iv", "4"), ("receptor", "r"),
        ("tumour", "tumor"),
    ),
    "gene in full": (
        ("noradrenaline", "norepinephrine"), ("g", "gamma"), ("ifn", "interferon"), ("il", "interleukin"),
        ("ptp", "protein tyrosine phosphatase"),
    ),
}  # fmt: skip


def _plain(word: str) -> str:
    """ "caspase family protein" -> "caspase"."""
    return " ".join(_FAMILY_WORDS.sub("", word).split()) or word


def _shortened(pattern: re.Pattern[str]) -> Bend:
    def bend(word: str) -> Iterator[str]:
        """Each droppable word dropped alone, then all of them."""
        for match in pattern.finditer(word):
            yield " ".join((word[: match.start()] + word[match.end() :]).split())
        yield " ".join(pattern.sub("", word).split())

    return bend


def _swapped(pairs: tuple[tuple[str, str], ...], *, whole: bool) -> Bend:
    def bend(word: str) -> Iterator[str]:
        for old, new in pairs:
            if old in word:
                bent = re.sub(rf"\b{old}\b", new, word) if whole else word.replace(old, new)
                if bent != word:
                    yield bent

    return bend


def _ordered(word: str) -> Iterator[str]:
    """ "breast cancer" and "cancer of breast": the last word first, the first last."""
    words = [w for w in word.split() if w not in ("of", "the", "in", "with", "and")]
    if 2 <= len(words) <= 4:
        yield " ".join(words)
        yield " ".join([*words[1:], words[0]])
        yield " ".join([words[-1], *words[:-1]])


_SUFFIXED = re.compile(r"^(.{2,})(alpha|beta|gamma|delta|epsilon|kappa|zeta|eta|theta)$")


def _gene_forms(word: str) -> Iterator[str]:
    """ "ifnbeta" -> "ifn beta", "hdaxx" -> "daxx", "lem 2 p" -> "lem 2", "caspase 3 7" -> "caspase 3"."""
    words = word.split()
    if match := _SUFFIXED.match(words[-1]):
        yield " ".join([*words[:-1], match.group(1), match.group(2)])
    for prefix in ("hum", "hu", "hs", "h", "phospho", "pro", "p", "m", "r", "c"):
        if words[0].startswith(prefix) and len(words[0]) >= len(prefix) + 2:
            yield " ".join([words[0][len(prefix) :], *words[1:]])
    if len(words) > 1 and words[0] in ("p", "phospho", "phosphorylated", "activated", "pro", "total"):
        yield " ".join(words[1:])
    for at in range(1, len(words) - 1):  # "matrix metalloproteinase (MMP)2" -> "matrix metalloproteinase 2"
        if len(words[at]) <= 5 and words[at].isalpha() and words[at][0] == words[0][0]:  # not "SARS-CoV-2"
            yield " ".join([*words[:at], *words[at + 1 :]])
    if len(words) > 1 and (words[-1] in ("p", "s", "r") or (words[-1].isdigit() and words[-2].isdigit())):
        yield " ".join(words[:-1])


def _listed(word: str) -> Iterator[str]:
    """ "filamin a b and c" and "alk 1 2 3 6" -> "filamin a", "alk 1": the first of those told together."""
    words = word.split()
    for link in ("and", "or"):
        if link in words[1:]:
            words = words[: words.index(link, 1)]
            yield " ".join(words)
    while len(words) > 2 and all(_ONE.fullmatch(part) for part in words[-2:]):
        words = words[:-1]
        yield " ".join(words)


_ONE = re.compile(DESIGNATION)
_WHICH = rf"({DESIGNATION}(?: (?:\d{{1,2}}|[a-z]))?)"
_PART = "chain|subunit|isoform|subtype|form|type|class|isozyme|isoenzyme|member"
# How a name is built, and the orders in which others say the same.
_TURNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (rf"(?:{_PART}) {_WHICH} (.+)", (r"\2 \1", r"\2 type \1")),  # "type 1 tnf receptor"
        (rf"(.+?) (?:{_PART})s? {_WHICH}", (r"\1 \2",)),  # "pkc isoform epsilon"
        (rf"{_WHICH}(?: (?:{_PART}))* of (?:the )?(.+)", (r"\2 subunit \1", r"\2 \1 subunit")),
        (rf"{_WHICH} (.+ (?:receptor|adrenoceptor|channel|subunit|chain))", (r"\2 \1",)),  # "h 3 histamine receptor"
        (rf"(.+) {_WHICH} (receptor|adrenoceptor|transporter|subunit|chain)", (r"\1 \3 \2",)),
        (r"(receptor|ligand|activator|inhibitor|antagonist|precursor|subunit) (?:for|of) (?:the )?(.+)", (r"\2 \1",)),
        (r"(p \d\d) .+", (r"\1",)),  # "p 38 mapk"
        (r"(.+?[a-z]{2}) ?v \d+", (r"\1",)),  # "flnbv 4", a splice variant
        (r"(.{2,}) ((?:alpha|beta|gamma|delta|epsilon|zeta)(?: \d)?)", (r"\1 subunit \2", r"\1 \2 chain")),
        (rf"({DESIGNATION}) (.{{4,}})", (r"\2 \1",)),  # "b creatine kinase"
    )
)  # fmt: skip


def _turned(word: str) -> Iterator[str]:
    """ "type 1 receptor", "receptor type 1" and "receptor 1"; "alpha subunit of x" and "x alpha"."""
    for pattern, said in _TURNS:
        if match := pattern.fullmatch(word):
            for form in said:
                yield match.expand(form)


_GENERIC = frozenset([
    "disease", "disorder", "syndrome", "impairment", "deficit", "damage", "symptom", "abnormality", "defect", "lesion",
])  # fmt: skip


def _head(word: str) -> Iterator[str]:
    """ "late infantile metachromatic leukodystrophy" -> "metachromatic leukodystrophy": the end of it that is known."""
    words = word.split()
    for n in range(1, len(words)):
        if n < len(words) - 1 or (len(words[-1]) >= 6 and words[-1] not in _GENERIC):
            yield " ".join(words[n:])


_DISEASE = (
    ("bent", _swapped(_SWAPS["disease"], whole=False)),
    ("order", _ordered),
    ("shorter", _shortened(_DISEASE_WORDS)),
    ("head", _head),
)
_CHEMICAL = (
    ("bent", _swapped(_SWAPS["chemical"], whole=False)),
    ("shorter", _shortened(_CHEMICAL_WORDS)),
)
_GENE = (
    ("bent", _turned),
    ("bent", _listed),
    ("bent", _gene_forms),
    ("shorter", _shortened(_GENE_WORDS)),
    ("bent", _swapped(_SWAPS["gene"], whole=True)),
    ("bent", _swapped(_SWAPS["gene in full"], whole=True)),
    ("shorter", _shortened(_STATES)),
)
_RULES = {"disease": _DISEASE, "chemical": _CHEMICAL, "gene": _GENE}
