"""Which thing does this name mean?

A `Lexicon` maps names to `Concept`s by a key in which the usual ways to write one
name are equal: case, hyphens, spaces, brackets, Greek letters, subscripts, plurals.
A name that several concepts share, or that is short enough to be an accident, is
marked; whether the document around it settles the matter is decided in mentions.py.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from discovery.outcome import UserError

# "other" is a thing with an identifier that is none of these; it is looked up, never tagged.
Type = Literal["gene", "chemical", "disease", "process", "species", "variant", "cell line", "other"]
TYPES: tuple[Type, ...] = get_args(Type)


class LexiconError(UserError, ValueError):
    """A file or folder of names cannot be read; the message says where and why."""


MAX_TOKENS = 16  # of one name

# Names that mean something else more often than not, whatever a dictionary says of them. Short ones were
# collected from public tickets against target-evidence platforms (see the ambiguity tests), the others from open
# full texts: weed killers (balance, dimension), brands (luminal), and what one article's annotators once meant by it.
RISKY = frozenset(
    "ACE ACT AD AGS ANOVA CAMP CSL FIG HSL PER PROF RACE TASK TTP TYPE AIM ANA AR ARC AS ASD ATM BAD BID BMI BP CA CAD CAN CAP CAT CD CF CI CLOCK CNS CO COIL COPE CP "
    "ARE1 CPAP CRC CT DAMAGE DNA ED EM ER FACT FAST FH FISH GAS GC GP GT HAS HB HD HDLC HER HIP HOOK HR HT IBS ICER ICH IgA IgE IgG IgM IMPACT "
    "IQ KO LARGE LIME LSD MA MAP MASS MAX MET MI MICE MR MRI MS NET NHS NO NODAL NS OR OR21 PA PAD PALM PBS PC PCR PD PE "
    "PERIOD2 PI PIGS PR PS PT RA RAMP RAN REST RNA RNP RR RT SAPS SB SD SE SET SHE SI SNP SP SPRING STAR STAT STEP T2D TA TANK TAP TB "
    "TRAP TS TUBE US UV WAS WAVE WT AMENDED ASAP BALANCE BLAST BLIND CAPTURE CHIP DIMENSION FALLING FITS GAVE LUMINAL MILESTONE MIN1 MONITOR RADICAL "
    "RANK RECIST SEQUEL STERILE AFACTOR ADVANCEDDISEASE BLOODLOSS CHRONICINFECTION CHRONICSTRESS FUNCTIONALIMPAIRMENT GREENLIGHT LIGHTGREEN "
    "HORMONE HYPOTONIC LIGAND PERTUSSIS TWITCH PERINATALDEPRESSION PROINFLAMMATORYCYTOKINE SYSTEMICDISEASE VIRUSINFECTION".casefold().split()
)
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron",
    "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega",
}  # fmt: skip
_RAISED = "²³¹⁰⁴-⁹₀-₉"  # digits above and below the line count as digits
_TOKEN = re.compile(
    rf"\d+|[{_RAISED}]+|[\u0370-\u03ff\u1f00-\u1fff]|[^\W\d_\u0370-\u03ff\u1f00-\u1fff{_RAISED}]+"
)
# What may stand between two tokens of one name: a dash, a space, brackets, but no full stop before a space.
_SOFT = re.compile(
    r"(?:[-‐‑‒–—−]\s?|\s[-‐‑‒–—−]?|[(\[{)\]}'’,./:+*]{1,3}|[)\]}'’]\s|[)\]}][-‐‑–]|[-‐‑–][(\[]|'s\s|’s\s)?$"
)
_REMEMBERED = 200_000  # keys
_SHORT = 4  # a key of at most so many letters and digits is an accident waiting to happen


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing in the world, with the names people give it."""

    id: str  # "HGNC:5287", "MESH:D018170", "DOID:6364"
    type: Type
    name: str
    names: tuple[str, ...] = ()  # other names, any spelling
    context_names: tuple[str, ...] = ()  # names that count only where the document settles them
    xrefs: tuple[str, ...] = ()  # "UNIPROT:P28222", "DRUGBANK:DB00669"
    smiles: str = ""  # of a chemical, where known
    inchikey: str = ""
    tags: frozenset[str] = frozenset()  # "safety", "class"
    about: str = ""

    @property
    def all_names(self) -> tuple[str, ...]:
        return (self.name, *self.names, *self.context_names)


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of digits, and its place in the text it came from."""

    key: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Fine tokens: "5-HT1B", "5-HT(1B)" and "5HT 1B" all give 5, ht, 1, b."""
    return [Token(_norm(m.group()), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def key(name: str) -> str:
    """The spelling-free form of a name, the same for all the usual ways to write it.

    Examples
    --------
    >>> key("5-HT(1B) receptors") == key("5HT1B receptor")
    True
    """
    return " ".join(token.key for token in tokens(name))


# "virus", "process", "diabetes mellitus", "pancreas" are no plurals; "carcinomas" and "anemias" are.
_SINGULAR = re.compile(r"(?:ss|us|is|os|(?<!om)(?<!i)as)$")


@cache
def _norm_cached(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word)
    folded = "".join(c for c in folded if not unicodedata.combining(c)).casefold()
    folded = "".join(_GREEK.get(c, c) for c in folded)
    if len(folded) >= 5 and folded.endswith("s") and not _SINGULAR.search(folded):
        folded = folded[:-3] + "y" if folded.endswith("ies") and len(folded) > 6 else folded[:-1]
    return folded


def _norm(word: str) -> str:
    if len(word) > 64:  # no word of a language; keep the cache for words
        return word.casefold()
    return _norm_cached(word)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one concept."""

    concept: Concept
    name: str
    ambiguous: bool  # needs the document to settle it
    rank: int = 1  # the surer the smaller: dictionary.OFTEN, OFFICIAL, LEARNED, SYNONYM, DESIGNATION
    plural: bool = False  # written as one: "statins"
    capital: bool = False  # counts only where it is not written in lower case: "SET", not "set"
    told: int = 0  # annotated articles that name the concept


@dataclass(frozen=True, slots=True)
class Link:
    """What a name was taken to mean."""

    concept: Concept
    score: float  # 0..1, how sure; not calibrated for names that were only looked up
    method: str  # "name", "abbreviation", "context"


class Layer(Protocol):
    """Names from one source."""

    @property
    def fingerprint(self) -> str: ...  # changes when a name does

    def __contains__(self, word: object, /) -> bool: ...  # whether a key is a name

    def entries(self, word: str, /) -> tuple[Entry, ...]: ...

    def reach(self, token: str, /) -> int: ...  # tokens of the longest name that starts so; 0 for none

    def concept(self, id: str, /) -> Concept | None: ...  # by identifier or cross reference

    def words(self, id: str, /) -> frozenset[str]: ...  # that tell it from others, of its names' keys


class Names:
    """A layer in memory, from concepts."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        """Index all names. Of two concepts with one identifier the later one stands."""
        self._concepts = {concept.id: concept for concept in concepts}
        self._xrefs = {x: c.id for c in self._concepts.values() for x in c.xrefs}
        self._reach: dict[str, int] = {}
        found: dict[str, list[Entry]] = {}
        for concept in self._concepts.values():
            for place, name in enumerate(concept.all_names):
                word = key(name)
                if not word or word.count(" ") >= MAX_TOKENS:
                    continue
                entries = found.setdefault(word, [])
                if all(entry.concept.id != concept.id for entry in entries):
                    entries.append(
                        Entry(
                            concept,
                            name,
                            place > len(concept.names),
                            1 if place == 0 else 3,
                            plural(name),
                            capital(name),
                        )
                    )
                first = word.partition(" ")[0]
                self._reach[first] = max(self._reach.get(first, 0), word.count(" ") + 1)
        self._entries = {word: contested(these) for word, these in found.items()}

    @property
    def fingerprint(self) -> str:
        return "\n".join(
            repr((c.id, c.type, c.name, c.names, c.context_names, c.xrefs, c.smiles, sorted(c.tags)))
            for c in self._concepts.values()
        )

    def __contains__(self, word: object, /) -> bool:
        return word in self._entries

    def entries(self, word: str, /) -> tuple[Entry, ...]:
        return self._entries.get(word, ())

    def reach(self, token: str, /) -> int:
        return self._reach.get(token, 0)

    def concept(self, id: str, /) -> Concept | None:
        return self._concepts.get(id) or self._concepts.get(self._xrefs.get(id, ""))

    def words(self, id: str, /) -> frozenset[str]:
        known = self.concept(id)
        return frozenset(w for name in known.all_names for w in key(name).split()) if known else frozenset()


def contested(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Mark the entries of one key as ambiguous, unless exactly one of them is somebody's own name."""
    if len(entries) == 1:
        return tuple(entries)
    owners = [e for e in entries if key(e.concept.name) == key(e.name)]
    return tuple(e if len(owners) == 1 and owners[0] is e else replace(e, ambiguous=True) for e in entries)


class Lexicon:
    """Names -> concepts, in layers: what a later layer says of a name stands before what an earlier one says."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self._known: dict[str, tuple[Entry, ...]] = {}
        self._reach: dict[str, int] = {}

    @classmethod
    def of(cls, concepts: Iterable[Concept]) -> Lexicon:
        """A lexicon of these concepts."""
        return cls([Names(concepts)])

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Concepts of a JSON-lines file: `id`, `type` and `name` in each line, the other fields if wanted.

        Raises
        ------
        LexiconError
            If a line is no concept; the message names file and line. If the file is absent or no text.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise LexiconError(f"there is no list of names at {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise LexiconError(f"{path} is no list of names: it is not text in UTF-8 ({error})") from error
        return cls.of(_concepts(lines, path.name))

    def __add__(self, other: Lexicon) -> Lexicon:
        return Lexicon([*self.layers, *other.layers])

    @property
    def fingerprint(self) -> str:
        """Changes when any name does."""
        return hashlib.sha256("\0".join(layer.fingerprint for layer in self.layers).encode()).hexdigest()

    def entries(self, word: str) -> tuple[Entry, ...]:
        """All that a key may mean."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) > _REMEMBERED:  # a long run meets many names; none of them needs to stay
                self._known.clear()
            found = self._known[word] = self._merged(word)
        return found

    def _merged(self, word: str) -> tuple[Entry, ...]:
        merged: dict[str, Entry] = {}
        for layer in self.layers:
            these = layer.entries(word) if word in layer else ()
            if any(not entry.ambiguous for entry in these):
                merged.clear()
            for entry in these:
                concept = self.concept(entry.concept.id) or entry.concept
                merged[concept.id] = replace(entry, concept=concept)
        return tuple(merged.values())

    def concept(self, id: str) -> Concept | None:
        """The concept of an identifier or cross reference, as the last layer that knows it tells it."""
        for layer in reversed(self.layers):
            if found := layer.concept(id):
                return found
        return None

    def words(self, id: str) -> frozenset[str]:
        """Words of a thing's names."""
        return frozenset().union(*(layer.words(id) for layer in self.layers))

    def entries_of(self, name: str) -> tuple[Entry, ...]:
        """All that a name may mean."""
        return self.entries(key(name))

    def longest(self, text: str, found: Sequence[Token], first: int) -> tuple[int, int, str] | None:
        """The longest name starting at token `first`: (start, end, key) in `text`, or None."""
        word = found[first].key
        reach = self._reach.get(word)
        if reach is None:
            if len(self._reach) > _REMEMBERED:
                self._reach.clear()
            reach = self._reach[word] = max(layer.reach(word) for layer in self.layers)
        if not reach:
            return None
        start = found[first].start
        if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            return None
        best: tuple[int, int, str] | None = None
        for last in range(first, min(first + reach, len(found))):
            if last > first:
                if not _SOFT.match(text[found[last - 1].end : found[last].start]):
                    break
                word = f"{word} {found[last].key}"
            for layer in self.layers:
                if word in layer:
                    break
            else:
                continue
            if any(e.concept.type != "other" for e in self.entries(word)):
                end = _closed(text, start, found[last].end)
                if end is not None:
                    best = (start, end, word)
        return best

    def named(self, name: str, type: Type | None = None) -> Concept | None:
        """What a person means who types this alone; None when unknown, or when several are meant alike.

        An identifier or cross reference; else the disease called exactly so ("hepatitis", by which annotators of side
        effects mean the drug-induced one); else the concept that the surest kind of name says ("COX-2", which
        annotators often wrote for PTGS2, is also a symbol of MT-CO2); of several, the one whose own name is spelled
        so ("REST").
        """
        wanted = name.strip()
        if known := self.concept(wanted) or self.concept(f"UNIPROT:{wanted}"):
            return known if type in (None, known.type) else None
        ways = sorted(
            ((not _itself(e, wanted), e.ambiguous, e.rank, e.concept.name != wanted), e.concept.id, e.concept)
            for e in self.entries(key(wanted))
            if type in (None, e.concept.type)
        )
        return ways[0][2] if ways and (len(ways) == 1 or ways[0][0] < ways[1][0]) else None


def _itself(entry: Entry, wanted: str) -> bool:
    return entry.concept.type == "disease" and entry.concept.name.casefold() == wanted.casefold()


@cache
def curated() -> Lexicon:
    """The small pharmacology lexicon inside the package, with structures, processes and safety marks."""
    source = files("literature") / "data" / "pharmacology.jsonl"
    return Lexicon.of(_concepts(source.read_text(encoding="utf-8").splitlines(), "pharmacology.jsonl"))


def _concepts(lines: Iterable[str], name: str) -> Iterator[Concept]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            concept = _concept(json.loads(line))
        except ValueError as error:
            raise LexiconError(f"{name}, line {number} is no concept: {error}") from error
        if concept.id in seen:
            raise LexiconError(
                f"{name}, line {number}: {concept.id} stands in line {seen[concept.id]} already; "
                'list all its names there, in "names"'
            )
        seen[concept.id] = number
        yield concept


_LISTS = ("names", "context_names", "xrefs", "tags")


def _concept(found: Any) -> Concept:
    """A line of a list of names; ValueError says what is wrong with it."""
    if not isinstance(found, dict):
        raise ValueError("it is not one JSON object a line")
    known = tuple(field.name for field in fields(Concept))
    if strange := sorted(found.keys() - known):
        raise ValueError(f"it has {', '.join(strange)}; the fields are {', '.join(known)}")
    for name, value in found.items():
        texts = value if name in _LISTS and isinstance(value, list) else [value]
        if (name in _LISTS) != isinstance(value, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{name} is {value!r}, not {'a list of texts' if name in _LISTS else 'a text'}")
    for name in ("id", "type", "name"):
        if not found.get(name, "").strip():
            raise ValueError(f"it has no {name}")
    if found["type"] not in TYPES:
        raise ValueError(f"type {found['type']!r} is none of {', '.join(TYPES)}")
    lists = {name: tuple(found.get(name, ())) for name in _LISTS}
    return Concept(**found | lists | {"tags": frozenset(lists["tags"])})


def risky(name: str) -> bool:
    """Short enough, or ordinary enough, that only the document can say what it means.

    Names from big dictionaries pass here before they count as plain; a curated
    lexicon says itself which of its names need context.
    """
    bare = key(name).replace(" ", "")
    if bare in RISKY:
        return True
    if len(bare) < _SHORT:
        return True
    return len(bare) == _SHORT and name.isalpha() and not name.islower() and not name.isupper()


def plural(name: str) -> bool:
    """Whether a key has lost the ending of a plural."""
    found = _TOKEN.findall(name)
    return bool(found) and found[-1].casefold().endswith("s") and not _norm(found[-1]).endswith("s")


def capital(name: str) -> bool:
    """Whether a name is letters with capitals among them, so that in lower case it would be a word."""
    letters = name.replace("-", "").replace(" ", "")
    return len(letters) <= 8 and letters.isalpha() and sum(c.isupper() for c in letters) >= 2


def _closed(text: str, start: int, end: int) -> int | None:
    """Take in the bracket a name ends with; None when it cannot be balanced or runs on."""
    for opened, closed in ("()", "[]", "{}"):
        inside = text[start:end]
        missing = inside.count(opened) - inside.count(closed)
        if missing == 1 and text[end : end + 1] == closed:
            end += 1
        elif missing:
            return None
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return None
    return end
