"""How many of the names that people marked does the shipped model find, and how fast?

Answer    strict F1 (start, end and type) per corpus and type, by the general convention
          and by the corpus' own; abstracts per CPU-second on one thread
Data      documents kept aside by literature.annotated.load, in no training corpus
Baseline  the dictionary tagger with the lexicon that ships
Failures  every document counts

python tests/benchmarks/entities_model.py --data FOLDER [--quick] [--model FILE]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from literature.annotated import Corpus, load
from literature.mentions import DictionaryTagger, Tagger
from literature.prediction import GENERAL, SHIPPED, EncoderTagger
from literature.scoring import Agreement, agreement
from tests.benchmarks.record import record

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "literature"


def measure(corpus: Corpus, tagger: Tagger, count: int | None) -> dict[str, float]:
    """Strict F1 of each type, all types together, precision and recall; percent."""
    held = corpus.held[:count]
    counts = agreement(held, tagger([document.text for document in held]), corpus.types)
    total = sum(counts.values(), Agreement())
    each = {type: round(100 * one.f1, 2) for type, one in counts.items()}
    return (each if len(each) > 1 else {}) | {
        "f1": round(100 * total.f1, 2),
        "precision": round(100 * total.precision, 2),
        "recall": round(100 * total.recall, 2),
    }


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
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with ner_with_ids/, ner_iob/, ...")
    parser.add_argument("--model", default=SHIPPED)
    parser.add_argument("--quick", action="store_true", help="a tenth of the documents")
    parser.add_argument("--no-record", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    corpora = load(asked.data)
    numbers: dict[str, object] = {}
    dictionary = DictionaryTagger(lexicon())
    for corpus in corpora:
        count = max(5, len(corpus.held) // 10) if asked.quick else None
        numbers[corpus.name] = found = {
            "documents": len(corpus.held[:count]),
            "general": measure(corpus, EncoderTagger(asked.model, types=corpus.types), count),
            "own": measure(corpus, EncoderTagger(asked.model, convention=corpus.name), count),
            "dictionary": measure(corpus, dictionary, count),
        }
        print(corpus.name, found, flush=True)
    abstracts = [d.text for corpus in corpora if corpus.name == "BC5CDR" for d in corpus.held]
    for precision in ("auto", "float32") if not asked.quick else ("auto",):
        there = abstracts[: 32 if asked.quick or precision == "float32" else None]
        numbers[f"speed_{precision}"] = found = speed(EncoderTagger(asked.model, precision=precision), there)  # type: ignore[arg-type]
        print(precision, found, flush=True)
    if not asked.no_record:
        record(
            "entities_model", numbers, seed=7, device="cpu", threads=1, quick=asked.quick, model=asked.model
        )


def lexicon():  # type: ignore[no-untyped-def]
    from literature.lexicon import shipped

    return shipped()


assert GENERAL == "general"
if __name__ == "__main__":
    main()
