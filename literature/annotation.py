"""Articles in, the same articles out with their entities and relations marked.

`annotate` streams: any file or folder a reader knows becomes one file in PubTator's
layout (.pubtator) or BioC JSON (.json one collection, .jsonl one document a line),
each also gzipped (.gz). A document that cannot be read or written is listed, and the
rest goes on. The file appears whole or not at all.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from discovery.files import publish, streamed
from discovery.outcome import UserError
from literature.article import Article, Deleted, Skipped
from literature.claims import MENTIONED, Claim
from literature.corpus import Corpus
from literature.lexicon import Concept, Type
from literature.readers import bioc, pubtator
from literature.reading import GENERAL, MODEL, Read, Reading

BATCH = 32  # articles read together
ENDINGS = (".pubtator", ".json", ".jsonl")

# The words of PubTator 3 for our types and predicates.
TYPES: dict[Type, str] = {
    "gene": "Gene",
    "chemical": "Chemical",
    "disease": "Disease",
    "variant": "Variant",
    "species": "Species",
    "cell line": "CellLine",
    "process": "Process",
    "other": "Other",
}
_RELATIONS = {
    "Stimulate": ("agonist of", "partial agonist of", "activates", "promotes"),
    "Inhibit": ("antagonist of", "inverse agonist of", "inhibits"),
    "Interact": ("binds", "acts through"),
    "Treat": ("treats",),
    "Prevent": ("protects against",),
    "Cause": ("causes",),
}
RELATIONS = {predicate: word for word, predicates in _RELATIONS.items() for predicate in predicates}
OTHER_RELATION = "Associate"
UNLINKED = "-"


class AnnotationError(UserError, ValueError):
    """The file cannot be written; the message names it and what to do."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """What was written."""

    documents: int
    entities: int
    linked: int  # of them with an identifier
    relations: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of an article, as the formats write it."""

    start: int  # code points into the article's text
    end: int
    text: str
    type: str
    identifier: str
    score: float


def annotate(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    reader: str = MODEL,
    convention: str = GENERAL,
    lexicon: str = "",
    relations: str = "",
    format: str = "",
) -> Annotated:
    """Mark entities (with identifiers) and relations in files or folders of articles.

    Parameters
    ----------
    paths
        A file of articles, or several, or folders of them.
    out
        Ends in .pubtator, .json or .jsonl, each also .gz. PubTator holds affirmed
        relations only; BioC JSON holds all, with sign, doubt and the sentence's place.
    reader, convention, lexicon, relations
        Who reads, see `literature.reading.Reading`: the shipped network unless told otherwise, which finds
        more names than the dictionary and needs the extra `literature`; the dictionary is ten times as fast.
    format
        The reader of all files ("pubmed", "jats", ...); told by each file when empty.

    Raises
    ------
    AnnotationError
        If `out` ends in something else, or is one of the files that are read.
    CorpusError
        If a path does not exist or holds nothing to read.
    """
    out = Path(out)
    layout = _layout(out)
    corpus = Corpus.open(paths, reader=format)
    if out.exists() and any(path.samefile(out) for path in corpus.paths):
        raise AnnotationError(f"{out} is one of the files to read; write to another name")
    read = Reading(reader, convention, lexicon, relations)
    out.parent.mkdir(parents=True, exist_ok=True)
    skipped: list[Skipped] = []
    documents = found_entities = linked = told = 0
    with streamed(out) as raw, _zipped(raw, out.suffix == ".gz") as stream:
        stream.write(layout.head.encode())
        for found in (one for batch in _batches(corpus, skipped) for one in read(batch)):
            try:
                written, count = layout.document(found)
                line = written.encode("utf-8")
            except ValueError as error:  # a name the layout cannot carry, a lone surrogate
                skipped.append(Skipped(found.article.id, str(error)))
                continue
            stream.write((layout.between if documents else "").encode() + line)
            documents += 1
            found_entities += len(found.mentions) + len(found.unlinked)
            linked += len(found.mentions)
            told += count
        stream.write(layout.tail.encode())
    listed = out.with_name(out.name + ".skipped.jsonl")
    if skipped:
        lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in skipped)
        publish(listed, lines.encode("utf-8"))
    else:
        listed.unlink(missing_ok=True)
    return Annotated(documents, found_entities, linked, told, tuple(skipped))


def entities(read: Read) -> list[Entity]:
    """What an article names, in order; what no dictionary settles has the identifier "-"."""
    text = read.article.text
    found = [
        Entity(m.start, m.end, m.text, TYPES[m.type], identifier(m.concept), m.score) for m in read.mentions
    ]
    found += [
        Entity(s.start, s.end, text[s.start : s.end], TYPES[s.type], UNLINKED, s.probability)
        for s in read.unlinked
    ]
    return sorted(found, key=lambda entity: (entity.start, entity.end))


def identifier(concept: Concept) -> str:
    """As PubTator writes it: genes and species by their bare number, all others with their prefix."""
    return concept.id.removeprefix("NCBIGene:").removeprefix("NCBITaxon:")


def relations(read: Read) -> list[Claim]:
    """What is claimed, one for each pair, predicate and sign, the surest; bare co-occurrence is none."""
    best: dict[tuple[str, str, str, int], Claim] = {}
    for claim in read.claims:
        if claim.predicate == MENTIONED:
            continue
        place = (claim.subject.concept.id, claim.predicate, claim.object.concept.id, claim.sign)
        if place not in best or claim.confidence > best[place].confidence:
            best[place] = claim
    return list(best.values())


class _Layout(NamedTuple):
    """How a file of a format is written."""

    document: Callable[[Read], tuple[str, int]]  # an article, and how many relations it holds
    head: str = ""
    between: str = ""
    tail: str = ""


def _pubtator(read: Read) -> tuple[str, int]:
    annotations = [
        pubtator.Annotation(e.start, e.end, e.text, e.type, (e.identifier,)) for e in entities(read)
    ]
    told = dict.fromkeys(
        (RELATIONS.get(c.predicate, OTHER_RELATION), identifier(c.subject.concept), identifier(c.object.concept))
        for c in relations(read)
        if c.sign > 0
    )  # fmt: skip
    return pubtator.write(read.article, annotations, list(told)), len(told)


def _bioc(read: Read) -> tuple[str, int]:
    marks = entities(read)
    names = {(mark.start, mark.end): f"T{n}" for n, mark in enumerate(marks, start=1)}
    told = relations(read)
    made = bioc.document(
        read.article,
        [
            bioc.Mark(names[m.start, m.end], m.start, m.end, m.text,
                      {"type": m.type, "identifier": m.identifier, "score": f"{m.score:.4f}"})
            for m in marks
        ],
        [
            bioc.Tie(
                f"R{n}",
                {
                    "type": RELATIONS.get(c.predicate, OTHER_RELATION),
                    "predicate": c.predicate,
                    "sign": {1: "affirmed", 0: "open", -1: "denied"}[c.sign],
                    "hedged": str(c.hedged).lower(),
                    "score": f"{c.confidence:.4f}",
                    "sentence_offset": str(c.start),
                    "sentence_length": str(c.end - c.start),
                },
                (("subject", names[c.subject.start, c.subject.end]), ("object", names[c.object.start, c.object.end])),
            )
            for n, c in enumerate(told, start=1)
        ],
    )  # fmt: skip
    return json.dumps(made, ensure_ascii=False), len(told)


def _bioc_line(read: Read) -> tuple[str, int]:
    document, told = _bioc(read)
    return document + "\n", told


def _layout(out: Path) -> _Layout:
    ending = Path(out.name.removesuffix(".gz")).suffix.casefold()
    if ending == ".pubtator":
        return _Layout(_pubtator)
    if ending == ".jsonl":
        return _Layout(_bioc_line)
    if ending == ".json":
        return _Layout(_bioc, bioc.COLLECTION_HEAD + "\n", ",\n", "\n]}\n")
    raise AnnotationError(f"{out.name} must end in {', '.join(ENDINGS)}, each also .gz")


def _zipped(raw: BinaryIO, zipped: bool) -> AbstractContextManager[BinaryIO | gzip.GzipFile]:
    # No name and no time in the header: the same articles give the same bytes.
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if zipped else nullcontext(raw)


def _batches(corpus: Corpus, skipped: list[Skipped]) -> Iterator[list[Article]]:
    batch: list[Article] = []
    for record in corpus.records():
        if isinstance(record, Article):
            batch.append(record)
        elif isinstance(record, Deleted):
            skipped.append(
                Skipped(", ".join(record.ids), "is withdrawn by its publisher; earlier copies are marked all the same")
            )  # fmt: skip
        else:
            skipped.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
