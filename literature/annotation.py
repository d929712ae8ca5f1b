"""Articles in, the same articles out with their entities and relations marked.

`annotate` streams: any file or folder a reader knows becomes one file in PubTator's
layout (.pubtator) or BioC JSON (.json one collection, .jsonl one document a line),
each also gzipped (.gz). A document that cannot be read or written is listed, and the
rest goes on. The file appears whole or not at all.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from discovery.files import publish, refused
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
RELATIONS = {
    "agonist of": "Stimulate",
    "partial agonist of": "Stimulate",
    "activates": "Stimulate",
    "promotes": "Stimulate",
    "antagonist of": "Inhibit",
    "inverse agonist of": "Inhibit",
    "inhibits": "Inhibit",
    "binds": "Interact",
    "acts through": "Interact",
    "treats": "Treat",
    "protects against": "Prevent",
    "causes": "Cause",
}
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
    torn = out.parent / f".{out.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    counts = _Counts()
    try:
        with torn.open("wb") as raw:
            with _zipped(raw, out.suffix == ".gz") as stream:
                stream.write(layout.head.encode())
                for batch in _batches(corpus, counts.skipped):
                    for found in read(batch):
                        _write(found, layout, stream, counts)
                stream.write(layout.tail.encode())
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(torn, out)
    except OSError as error:
        raise refused(out, 0, error) from error
    finally:
        with suppress(OSError):
            torn.unlink(missing_ok=True)
    listed = out.with_name(out.name + ".skipped.jsonl")
    if counts.skipped:
        lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in counts.skipped)
        publish(listed, lines.encode("utf-8"))
    else:
        listed.unlink(missing_ok=True)
    return Annotated(
        counts.documents, counts.entities, counts.linked, counts.relations, tuple(counts.skipped)
    )


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


class _Counts:
    def __init__(self) -> None:
        self.documents = self.entities = self.linked = self.relations = 0
        self.skipped: list[Skipped] = []


class _Layout(Protocol):
    """A format: what opens the file, a document with the number of its relations, what closes it."""

    head: str
    tail: str

    def document(self, read: Read, first: bool) -> tuple[str, int]: ...


class _PubTator:
    head = tail = ""

    def document(self, read: Read, first: bool) -> tuple[str, int]:
        annotations = [
            pubtator.Annotation(e.start, e.end, e.text, e.type, (e.identifier,)) for e in entities(read)
        ]
        told = dict.fromkeys(
            (RELATIONS.get(c.predicate, OTHER_RELATION), identifier(c.subject.concept), identifier(c.object.concept))
            for c in relations(read)
            if c.sign > 0
        )  # fmt: skip
        return pubtator.write(read.article, annotations, list(told)), len(told)


class _BioC:
    def __init__(self, kind: Literal["collection", "lines"]) -> None:
        self._lines = kind == "lines"
        self.head = "" if self._lines else bioc.COLLECTION_HEAD
        self.tail = "" if self._lines else "\n]}\n"

    def document(self, read: Read, first: bool) -> tuple[str, int]:
        marks = entities(read)
        places = {(mark.start, mark.end): f"T{n}" for n, mark in enumerate(marks, start=1)}
        told = relations(read)
        made = bioc.document(
            read.article,
            [
                bioc.Mark(places[m.start, m.end], m.start, m.end, m.text,
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
                    (("subject", places[c.subject.start, c.subject.end]), ("object", places[c.object.start, c.object.end])),
                )
                for n, c in enumerate(told, start=1)
            ],
        )  # fmt: skip
        written = json.dumps(made, ensure_ascii=False)
        return (written + "\n" if self._lines else ("" if first else ",") + "\n" + written), len(told)


def _layout(out: Path) -> _Layout:
    ending = Path(out.name.removesuffix(".gz")).suffix.casefold()
    if ending == ".pubtator":
        return _PubTator()
    if ending in (".json", ".jsonl"):
        return _BioC("lines" if ending == ".jsonl" else "collection")
    raise AnnotationError(f"{out.name} must end in {', '.join(ENDINGS)}, each also .gz")


def _zipped(raw: BinaryIO, zipped: bool) -> BinaryIO:
    # No name and no time in the header: the same articles give the same bytes.
    if zipped:
        return io.BufferedWriter(gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
    return io.BufferedWriter(io.FileIO(os.dup(raw.fileno()), "wb"))


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


def _write(found: Read, layout: _Layout, stream: BinaryIO, counts: _Counts) -> None:
    try:
        written, told = layout.document(found, counts.documents == 0)
        line = written.encode("utf-8")
    except ValueError as error:  # a name the layout cannot carry, a lone surrogate
        counts.skipped.append(Skipped(found.article.id, str(error)))
        return
    stream.write(line)
    counts.documents += 1
    counts.entities += len(found.mentions) + len(found.unlinked)
    counts.linked += len(found.mentions)
    counts.relations += told
