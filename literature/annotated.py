"""Which corpora were annotated by people, what does each of them promise, and which documents are kept aside?

A corpus promises to have marked every name of its `types` and says nothing of the
others: an unmarked gene in a disease corpus is no evidence against the gene. The
documents kept aside for measuring are taken out of all corpora, by identifier, and
sentence by sentence where a corpus has no identifiers.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from discovery.outcome import UserError
from literature.lexicon import Type
from literature.sentences import split


class CorpusError(UserError, ValueError):
    """An annotated corpus cannot be used; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A stretch that an annotator marked; type None when it is something else of nearly that type."""

    start: int  # code points into the document's text
    end: int
    type: Type | None


@dataclass(frozen=True, slots=True)
class Annotated:
    """One annotated document (of a sentence corpus: one sentence)."""

    id: str
    text: str
    marks: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file, and how its labels are to be read."""

    name: str
    file: str  # inside the folder of corpora
    types: tuple[Type, ...]  # those it marks everywhere
    labels: Mapping[str, Type | None]  # its words for them; None: neither a name nor evidence against one
    licence: str
    held: int  # documents kept aside for measuring
    held_among: str = ""  # only documents of this file are kept aside
    # How often a window is seen, compared with the other corpora; BC5CDR, BioRED and DrugProt are seen a
    # second time with their relations.
    share: float = 1.0
    spare: int = 0  # more documents that train nothing: their relations are measured


_GENES: dict[str, Type | None] = {"Gene": "gene", "FamilyName": None, "DomainMotif": None}
_VARIANTS = ("DNAMutation", "ProteinMutation", "OtherMutation", "AcidChange", "SNP", "DNAAllele", "ProteinAllele")  # fmt: skip
# Of diseases only cancers are marked, of small molecules not the amino acids: those tell nothing here.
_CANCER: dict[str, Type | None] = {"Gene_or_gene_product": "gene", "Simple_chemical": "chemical", "Organism": "species",
                                   "Amino_acid": None, "Cancer": None}  # fmt: skip
_US = "work of the US Government, public domain"
_AIONER = "MIT (ncbi/AIONER)"
_MTL = "CC BY 4.0 (cambridgeltl/MTL-Bioinformatics-2016)"

SOURCES: tuple[Source, ...] = (
    Source("BC5CDR", "ner_with_ids/BC5CDR_TrainDev.PubTator.gz", ("chemical", "disease"),
           {"Chemical": "chemical", "Disease": "disease"}, _US, 150, "cdr/CDR_DevelopmentSet.PubTator.txt.gz", 0.5),
    Source("NCBI-disease", "ner_with_ids/NCBIdisease_TrainDev.PubTator.gz", ("disease",),
           dict.fromkeys(("DiseaseClass", "SpecificDisease", "CompositeMention", "Modifier"), "disease"), _US, 100),
    Source("BC2GM", "ner_iob/BC2GM-IOB/train.tsv.gz", ("gene",), {"GENE": "gene"}, _MTL, 0, share=1.2),
    Source("BC2GM", "ner_iob/BC2GM-IOB/devel.tsv.gz", ("gene",), {"GENE": "gene"}, _MTL, 1250, share=1.2),
    Source("BioRED", "ner_with_ids/BioRED_TrainDev.PubTator.gz",
           ("gene", "chemical", "disease", "variant", "species", "cell line"),
           {"Gene": "gene", "Chemical": "chemical", "Disease": "disease", "Variant": "variant",
            "Species": "species", "CellLine": "cell line"}, _US, 64, "biored/Dev.PubTator.gz", 0.7),
    Source("DrugProt", "drugprot/abstracts.tsv.gz", ("gene", "chemical"),
           {"CHEMICAL": "chemical", "GENE-Y": "gene", "GENE-N": "gene"}, "CC BY 4.0", 60, share=0.05, spare=90),
    Source("NLM-Gene", "ner_with_ids/NLMgene_Train.PubTator.gz", ("gene",), _GENES, "CC0", 40),
    Source("GNormPlus", "ner_with_ids/GNormPlus_Train.PubTator.gz", ("gene",), _GENES, _US, 40),
    Source("tmVar3", "ner_with_ids/tmVar3_Train.PubTator.gz", ("gene", "disease", "species", "variant", "cell line"),
           {"Gene": "gene", "Disease": "disease", "Species": "species", "CellLine": "cell line",
            **dict.fromkeys(_VARIANTS, "variant")}, _US, 40),
    Source("Species-800", "ner_with_ids/SPECIES_Train.PubTator.gz", ("species",), {"Species": "species"},
           _AIONER, 60, share=0.3),
    Source("Linnaeus", "ner_with_ids/Linnaeus_Train.PubTator.gz", ("species",), {"Species": "species"},
           _AIONER, 8, share=0.04),
    Source("BioID", "ner_with_ids/BioID_Train_revision.PubTator.gz", ("cell line",), {"CellLine": "cell line"},
           _AIONER, 500, share=0.05),
    Source("BioNLP13CG", "ner_iob/BioNLP13CG-IOB/train.tsv.gz", ("gene", "chemical", "species"), _CANCER, _MTL, 0,
           share=0.5),
    Source("BioNLP13CG", "ner_iob/BioNLP13CG-IOB/devel.tsv.gz", ("gene", "chemical", "species"), _CANCER, _MTL, 250,
           share=0.5),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus split by document."""

    name: str
    types: tuple[Type, ...]
    licence: str
    share: float
    train: tuple[Annotated, ...]
    held: tuple[Annotated, ...]


def load(folder: Path, sources: Iterable[Source] = SOURCES) -> list[Corpus]:
    """Read corpora and keep documents aside, the same ones in every corpus.

    Raises
    ------
    CorpusError
        If a file is missing or holds a record that cannot be read.
    """
    sources = list(sources)
    read = {source.file: list(documents(folder, source)) for source in sources}
    aside = _split(folder, sources, read)
    corpora: dict[str, Corpus] = {}
    for source in sources:
        kept_aside = [d for d in read[source.file] if d.id in aside.held[source.file]]
        train = [
            clean
            for document in read[source.file]
            if document.id not in aside.everywhere
            for clean in [without(document, aside.sentences)]
            if clean.text
        ]
        old = corpora.get(source.name)
        corpora[source.name] = Corpus(
            source.name,
            source.types,
            source.licence,
            source.share,
            (*(old.train if old else ()), *train),
            (*(old.held if old else ()), *kept_aside),
        )
    return list(corpora.values())


@dataclass(frozen=True, slots=True)
class Split:
    """Which documents are kept aside."""

    held: Mapping[str, frozenset[str]]  # of each file: identifiers of documents that names are measured on
    spare: Mapping[str, frozenset[str]]  # and of more that relations are measured on
    everywhere: frozenset[str]  # identifiers that no corpus may train on
    sentences: frozenset[str]  # of held documents, letters and digits only

    def has(self, sentence: str) -> bool:
        return _bare(sentence) in self.sentences


def split_of(folder: Path, sources: Iterable[Source] = SOURCES) -> Split:
    """Which documents `load` keeps aside."""
    sources = list(sources)
    return _split(folder, sources, {source.file: list(documents(folder, source)) for source in sources})


def _split(folder: Path, sources: Sequence[Source], read: Mapping[str, Sequence[Annotated]]) -> Split:
    held: dict[str, frozenset[str]] = {}
    spare: dict[str, frozenset[str]] = {}
    for source in sources:
        among = read[source.file]
        if source.held_among:
            ids = {document.id for document in _pubtator(folder / source.held_among, {})}
            among = [document for document in among if document.id in ids]
        order = sorted({d.id for d in among}, key=_lot)
        held[source.file] = frozenset(order[: source.held])
        spare[source.file] = frozenset(order[source.held : source.held + source.spare])
    return Split(
        held,
        spare,
        frozenset().union(*held.values(), *spare.values()),
        frozenset(
            _bare(document.text[a:b])
            for source in sources
            for document in read[source.file]
            if document.id in held[source.file]
            for a, b in split(document.text)
        ),
    )


def without(document: Annotated, sentences: Set[str]) -> Annotated:
    """The document without the sentences given (as `_bare` writes them); itself when it has none of them."""
    spans = split(document.text)
    kept = [
        (a, b)
        for a, b in spans
        if len(_bare(document.text[a:b])) < 30 or _bare(document.text[a:b]) not in sentences
    ]
    if len(kept) == len(spans):
        return document
    text, marks = "", []
    for a, b in kept:
        text += " " if text else ""
        shift = len(text) - a
        marks += [
            Marked(m.start + shift, m.end + shift, m.type)
            for m in document.marks
            if a <= m.start and m.end <= b
        ]
        text += document.text[a:b]
    return Annotated(document.id, text, tuple(marks))


def _bare(sentence: str) -> str:
    return "".join(c for c in sentence.casefold() if c.isalnum())


def _lot(id: str) -> str:
    """An order that has nothing to do with the documents, the same on every machine."""
    return hashlib.sha256(id.encode()).hexdigest()


def documents(folder: Path, source: Source) -> Iterator[Annotated]:
    """The annotated documents of one file."""
    path = folder / source.file
    if "-IOB/" in source.file:
        return _iob(path, source)
    if source.file.startswith("drugprot/"):
        return _drugprot(path, source)
    return _pubtator(path, source.labels)


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a gzipped file of a corpus, without their ends."""
    if not path.is_file():
        raise CorpusError(f"{path} is absent; --data must name the folder that holds {path.parent.name}/")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error


def _pubtator(path: Path, labels: Mapping[str, Type | None]) -> Iterator[Annotated]:
    id, title, abstract, marks = "", "", "", list[Marked]()
    seen: set[str] = set()
    for line in [*lines_of(path), ""]:
        if not line.strip():
            if id and id not in seen:  # one corpus prints an article twice
                seen.add(id)
                yield Annotated(id, f"{title} {abstract}", _apart(marks))
            id, title, abstract, marks = "", "", "", []
        elif "|t|" in line[:20]:
            id, _, title = line.split("|", 2)
        elif "|a|" in line[:20]:
            abstract = line.split("|", 2)[2]
        else:
            fields = line.split("\t")
            if len(fields) < 5 or not fields[1].isdigit():
                continue  # a relation
            start, end, words, label = int(fields[1]), int(fields[2]), fields[3], fields[4]
            if label not in labels:
                continue
            there = f"{title} {abstract}"[start:end]
            # A few offsets of the published files are off; what they point at is then no evidence at all.
            if there:
                marks.append(Marked(start, start + len(there), labels[label] if there == words else None))


def _iob(path: Path, source: Source) -> Iterator[Annotated]:
    text, marks, count, open_at = "", list[Marked](), 0, -1
    label: Type | None = None
    for line in [*lines_of(path), ""]:
        word, _, tag = line.partition("\t")
        if not tag.startswith("I-") and open_at >= 0:
            marks.append(Marked(open_at, len(text), label))
            open_at = -1
        if not line.strip():
            if text:
                count += 1
                yield Annotated(f"{source.name}:{Path(source.file).name}:{count}", text, tuple(marks))
            text, marks = "", []
            continue
        text += " " if text else ""
        if tag.startswith("B-") and tag[2:] in source.labels:  # cells, organs: no name of any type here
            open_at, label = len(text), source.labels[tag[2:]]
        text += word


def _drugprot(path: Path, source: Source) -> Iterator[Annotated]:
    marks: dict[str, list[tuple[int, int, str, str]]] = {}
    for line in lines_of(path.with_name("entities.tsv.gz")):
        id, _, label, start, end, words = line.split("\t")
        marks.setdefault(id, []).append((int(start), int(end), label, words))
    for line in lines_of(path):
        id, title, abstract = line.split("\t")
        text = f"{title} {abstract}"
        found = [
            Marked(a, b, source.labels[label] if text[a:b] == words else None)
            for a, b, label, words in marks.get(id, [])
            if b <= len(text)
        ]
        yield Annotated(id, text, _apart(found))


def _apart(marks: Iterable[Marked]) -> tuple[Marked, ...]:
    """Of marks that overlap, the longest."""
    kept: list[Marked] = []
    for mark in sorted(marks, key=lambda m: (m.start - m.end, m.start)):
        if all(mark.end <= other.start or other.end <= mark.start for other in kept):
            kept.append(mark)
    return tuple(sorted(kept, key=lambda m: m.start))
