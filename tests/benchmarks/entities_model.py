"""How many of the names that people marked does the shipped model find, and how fast?

Answer    strict F1 (start, end and type) per corpus and type, by the general convention
          and by the corpus' own; abstracts per CPU-second on one thread
Data      documents kept aside by literature.annotated.load, in no training corpus; a dozen numbers for each
          of BC5CDR, BC2GM and BioRED were fitted on them: `literature.training.cue_weights` tells what these are
          worth on documents they were not fitted on (0.1 to 0.4 less, weights/reader.md)
Baseline  the dictionary tagger, its dictionary made anew without the names in those documents; and
          the model with that dictionary's hints
Failures  every document counts

python -m tests.benchmarks.entities_model --data FOLDER [--quick] [--model FILE]
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from literature.annotated import load
from literature.lexicon import Type
from literature.mentions import DictionaryTagger, Span, Tagger
from literature.model.encoder import GENERAL
from literature.model.prediction import SHIPPED, EncoderTagger, shipped
from literature.names.dictionary import shipped as dictionary_names
from literature.training.card import measure
from literature.training.cue_weights import names_without
from literature.training.scoring import Agreement, agreement
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record


def percent(counts: Mapping[Type, Agreement]) -> dict[str, float]:
    """Strict F1 of each type, then F1, precision and recall of all together."""
    total = sum(counts.values(), Agreement())
    each = {type: round(100 * one.f1, 2) for type, one in counts.items()}
    return (each if len(each) > 1 else {}) | {
        "f1": round(100 * total.f1, 2),
        "precision": round(100 * total.precision, 2),
        "recall": round(100 * total.recall, 2),
    }


@dataclass(frozen=True)
class Said:
    """Answers given once already, so that the dictionary reads each text only once."""

    texts: Sequence[str]
    spans: Sequence[Sequence[Span]]

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        known = dict(zip(self.texts, self.spans, strict=True))
        return [known[text] for text in texts]


def speed(tagger: Tagger, texts: list[str]) -> dict[str, float]:
    tagger(texts[:8])  # kernels are built on first use
    began, cpu = time.perf_counter(), time.process_time()
    tagger(texts)
    return {
        "abstracts": len(texts),
        "characters_mean": round(sum(map(len, texts)) / len(texts)),
        "abstracts_per_cpu_s": round(len(texts) / (time.process_time() - cpu), 1),
        "abstracts_per_s": round(len(texts) / (time.perf_counter() - began), 1),
    }


def main() -> None:
    parser = options(__doc__, "a tenth of the documents")
    parser.add_argument(
        "--data", type=Path, default=SHARED / "literature", help="folder with ner_with_ids/, ner_iob/, ..."
    )
    parser.add_argument("--model", default=SHIPPED, help="another one: nothing is recorded")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        nothing_measured(f"{asked.data.name} is absent: give the folder of the annotated sets with --data")
    torch.set_num_threads(1)
    corpora = load(asked.data)
    if asked.quick:
        corpora = [replace(c, held=c.held[: max(5, len(c.held) // 10)]) for c in corpora]
    numbers: dict[str, object] = {}
    dictionary = DictionaryTagger(names_without(asked.data, {d.id for c in corpora for d in c.held}))
    weights = shipped() if asked.model == SHIPPED else Path(asked.model)
    rows = measure(weights, corpora)
    for corpus, row in zip(corpora, rows, strict=True):
        texts = [document.text for document in corpus.held]
        known = dictionary(texts)
        hinted = {
            name: percent(
                agreement(
                    corpus.held,
                    EncoderTagger(str(weights), convention=convention, hints=Said(texts, known))(texts),
                    corpus.types,
                )
            )
            for name, convention in (("general_hinted", GENERAL), ("own_hinted", corpus.name))
        }
        numbers[corpus.name] = found = {
            "documents": row.documents,
            "general": percent(row.general),
            "own": percent(row.own),
            **hinted,
            "dictionary": percent(agreement(corpus.held, known, corpus.types)),
        }
        print(corpus.name, found, flush=True)
    abstracts = [d.text for corpus in corpora if corpus.name == "BC5CDR" for d in corpus.held]
    names = DictionaryTagger(dictionary_names())
    for what, tagger in {
        "model": EncoderTagger(asked.model),
        "model_hinted": EncoderTagger(asked.model, hints=names),
        "dictionary": names,
    }.items():
        numbers[f"speed_{what}"] = found = speed(tagger, abstracts)  # type: ignore[assignment]
        print(what, found, flush=True)
    if asked.model == SHIPPED:
        record("entities_model", numbers, seed=7, threads=1)


if __name__ == "__main__":
    main()
