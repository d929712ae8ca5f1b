"""Which corpora say how things are related, and which pairs do they answer for?

A corpus answers for every pair of things of its kinds: a pair it does not list is
unrelated. DrugProt relates mentions within a sentence; CDR and BioRED relate concepts
within a document, whichever of their mentions say so. Documents kept aside by
literature/annotated.py are kept aside here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from literature.annotated import SOURCES, Annotated, Marked, Split, documents, lines_of, split_of
from literature.lexicon import Type
from literature.sentences import split

NONE = "none"
# What each convention may answer. "novelty" is asked of the related pairs of BioRED.
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "DrugProt": (
        NONE, "INHIBITOR", "DIRECT-REGULATOR", "SUBSTRATE", "ACTIVATOR", "INDIRECT-UPREGULATOR",
        "INDIRECT-DOWNREGULATOR", "ANTAGONIST", "PRODUCT-OF", "PART-OF", "AGONIST", "AGONIST-ACTIVATOR",
        "AGONIST-INHIBITOR", "SUBSTRATE_PRODUCT-OF",
    ),
    "CDR": (NONE, "CID"),
    "BioRED": (
        NONE, "Association", "Positive_Correlation", "Negative_Correlation", "Bind", "Cotreatment", "Comparison",
        "Drug_Interaction", "Conversion",
    ),
    "novelty": ("known", "novel"),
}  # fmt: skip
OUTPUTS: tuple[str, ...] = tuple(
    f"{name}:{answer}" for name, answers in ANSWERS.items() for answer in answers
)
# ChemProt's groups that are scored (BioCreative VI, track 5): CPR 3, 4, 5, 6 and 9.
CHEMPROT: Mapping[str, str] = {
    "ACTIVATOR": "CPR:3", "INDIRECT-UPREGULATOR": "CPR:3", "INHIBITOR": "CPR:4", "INDIRECT-DOWNREGULATOR": "CPR:4",
    "AGONIST": "CPR:5", "AGONIST-ACTIVATOR": "CPR:5", "AGONIST-INHIBITOR": "CPR:5", "ANTAGONIST": "CPR:6",
    "SUBSTRATE": "CPR:9", "PRODUCT-OF": "CPR:9", "SUBSTRATE_PRODUCT-OF": "CPR:9",
}  # fmt: skip
SENTENCES = frozenset({"DrugProt"})  # conventions whose pairs stand in one sentence
_RANK: Mapping[Type, int] = {"chemical": 0, "variant": 1, "gene": 2, "disease": 3}
# Kinds of things a convention relates, subject first.
KINDS: Mapping[str, frozenset[tuple[Type, Type]]] = {
    "DrugProt": frozenset({("chemical", "gene")}),
    "CDR": frozenset({("chemical", "disease")}),
    "BioRED": frozenset(
        {
            ("gene", "disease"), ("chemical", "disease"), ("chemical", "gene"), ("gene", "gene"),
            ("variant", "disease"), ("chemical", "variant"), ("chemical", "chemical"), ("variant", "variant"),
        }
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    """What may be related: a mention, or a concept with all its mentions in a document."""

    type: Type
    spans: tuple[tuple[int, int], ...]  # code points into the document's text, sorted
    name: str = ""  # tells two things of the same words apart


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things, and what the annotators say of them."""

    subject: Thing
    object: Thing
    answer: str  # one of ANSWERS[convention]
    novel: bool | None = None  # None: not said
    also: tuple[str, ...] = ()  # further answers: one pair in a hundred has two, and only the first is taught


@dataclass(frozen=True, slots=True)
class Related:
    """One document with every pair its convention answers for."""

    id: str
    text: str
    marks: tuple[Marked, ...]  # as literature/annotated.py has them
    pairs: tuple[Pair, ...]
    lost: tuple[str, ...] = ()  # answers about pairs that the convention does not ask for


@dataclass(frozen=True, slots=True)
class RelationCorpus:
    """A corpus of relations, split by document."""

    convention: str
    names: str  # the corpus whose habits of marking names it follows
    licence: str
    share: float
    train: tuple[Related, ...]
    held: tuple[Related, ...]
    thinned: float = 0.5  # share of its unrelated pairs that is left out while teaching


_FILES: tuple[tuple[str, str, tuple[str, ...], float, float], ...] = (
    ("DrugProt", "DrugProt", ("drugprot/abstracts.tsv.gz",), 2.2, 0.5),
    (
        "CDR",
        "BC5CDR",
        ("cdr/CDR_TrainingSet.PubTator.txt.gz", "cdr/CDR_DevelopmentSet.PubTator.txt.gz"),
        2.0,
        0.5,
    ),
    ("BioRED", "BioRED", ("biored/Train.PubTator.gz", "biored/Dev.PubTator.gz"), 1.7, 0.75),
)
_TYPES: Mapping[str, Type] = {
    "CHEMICAL": "chemical", "GENE-Y": "gene", "GENE-N": "gene", "Chemical": "chemical", "Disease": "disease",
    "GeneOrGeneProduct": "gene", "ChemicalEntity": "chemical", "DiseaseOrPhenotypicFeature": "disease",
    "SequenceVariant": "variant",
}  # fmt: skip


def load_relations(folder: Path) -> list[RelationCorpus]:
    """Read the corpora of relations; what literature/annotated.py keeps aside is held here.

    Raises
    ------
    CorpusError
        If a file is missing or holds a record that cannot be read.
    """
    aside = split_of(folder)
    found: list[RelationCorpus] = []
    for convention, names, files, share, thin in _FILES:
        source = next(source for source in SOURCES if source.name == names)
        marks = {document.id: document for document in documents(folder, source)}
        held = aside.held[source.file] | aside.spare[source.file]
        read = _drugprot(folder) if convention == "DrugProt" else _pubtator(folder, convention, files)
        train, kept = list[Related](), list[Related]()
        for document in read:
            if document.id in held:
                kept.append(document)
            elif document.id not in aside.everywhere:
                train.append(_marked(document, marks.get(document.id), aside))
        found.append(
            RelationCorpus(convention, names, source.licence, share, tuple(train), tuple(kept), thin)
        )
    return found


def _marked(document: Related, names: Annotated | None, aside: Split) -> Related:
    """The document with its names, those of sentences kept aside unknown; all unknown without them."""
    if names is None or names.text != document.text:
        return replace(document, marks=(Marked(0, len(document.text), None),))
    hidden = [(a, b) for a, b in split(document.text) if b - a >= 30 and aside.has(document.text[a:b])]
    kept = [m for m in names.marks if not any(m.start < b and a < m.end for a, b in hidden)]
    marks = sorted([*kept, *(Marked(a, b, None) for a, b in hidden)], key=lambda m: m.start)
    return replace(document, marks=tuple(marks))


def candidates(convention: str, text: str, things: Sequence[Thing]) -> Iterator[tuple[int, int]]:
    """Every pair of things that a convention answers for, as places in `things`, subject first."""
    sentences = split(text) if convention in SENTENCES else [(0, len(text) + 1)]

    def where(thing: Thing) -> int:
        start = thing.spans[0][0]
        return next((n for n, (a, b) in enumerate(sentences) if a <= start < b), -1)

    places = [where(thing) for thing in things]

    def order(place: int) -> tuple[int, tuple[int, int]]:
        """Drugs act on genes, genes on diseases; of one type, the first named is the subject."""
        return _RANK.get(things[place].type, len(_RANK)), things[place].spans[0]

    for pair in combinations(range(len(things)), 2):
        a, b = sorted(pair, key=order)
        if (things[a].type, things[b].type) in KINDS[convention] and places[a] == places[b] >= 0:
            yield a, b


def _drugprot(folder: Path) -> Iterator[Related]:
    path = folder / "drugprot" / "abstracts.tsv.gz"
    things: dict[str, dict[str, Thing]] = {}
    for line in lines_of(path.with_name("entities.tsv.gz")):
        id, name, label, start, end, _ = line.split("\t")
        things.setdefault(id, {})[name] = Thing(_TYPES[label], ((int(start), int(end)),), name)
    said: dict[str, dict[tuple[str, str], list[str]]] = {}
    for line in lines_of(path.with_name("relations.tsv.gz")):
        id, label, one, other = line.split("\t")
        pair = (one.removeprefix("Arg1:"), other.removeprefix("Arg2:"))
        said.setdefault(id, {}).setdefault(pair, []).append(label)
    for line in lines_of(path):
        id, title, abstract = line.split("\t")
        text = f"{title} {abstract}"
        own, told = list(things.get(id, {}).values()), said.get(id, {})
        pairs = []
        for a, b in candidates("DrugProt", text, own):
            answer, *also = told.pop((own[a].name, own[b].name), [NONE])
            pairs.append(Pair(own[a], own[b], answer, None, tuple(also)))
        yield Related(
            id, text, (), tuple(pairs), tuple(label for labels in told.values() for label in labels)
        )


def _pubtator(folder: Path, convention: str, files: Sequence[str]) -> Iterator[Related]:
    for file in files:
        id, title, abstract = "", "", ""
        spans: dict[tuple[Type, str], list[tuple[int, int]]] = {}
        said: dict[frozenset[str], tuple[str, bool | None]] = {}
        for line in [*lines_of(folder / file), ""]:
            if not line.strip():
                if id:
                    yield _document(convention, id, f"{title} {abstract}", spans, said)
                id, spans, said = "", {}, {}
            elif "|t|" in line[:20]:
                id, _, title = line.split("|", 2)
            elif "|a|" in line[:20]:
                abstract = line.split("|", 2)[2]
            else:
                fields = line.split("\t")
                if fields[1].isdigit() and len(fields) >= 6:
                    type = _TYPES.get(fields[4])
                    for concept in fields[5].replace("|" if convention == "CDR" else ",", ",").split(","):
                        if type is not None and concept not in ("-1", "-", ""):
                            spans.setdefault((type, concept), []).append((int(fields[1]), int(fields[2])))
                elif len(fields) >= 4:
                    novel = fields[4] == "Novel" if len(fields) > 4 else None
                    said.setdefault(frozenset(fields[2:4]), (fields[1], novel))


def _document(
    convention: str,
    id: str,
    text: str,
    spans: Mapping[tuple[Type, str], Sequence[tuple[int, int]]],
    said: Mapping[frozenset[str], tuple[str, bool | None]],
) -> Related:
    things = [Thing(type, tuple(sorted(where)), concept) for (type, concept), where in spans.items()]
    pairs: list[Pair] = []
    asked: set[frozenset[str]] = set()
    for a, b in candidates(convention, text, things):
        between = frozenset({things[a].name, things[b].name})
        asked.add(between)
        pairs.append(Pair(things[a], things[b], *said.get(between, (NONE, None))))
    lost = tuple(answer for between, (answer, _) in said.items() if between not in asked)
    return Related(id, text, (), tuple(pairs), lost)


def answers(documents: Sequence[Related]) -> Counter[str]:
    """How often each answer is given."""
    return Counter(pair.answer for document in documents for pair in document.pairs)
