"""How well does the dictionary find genes, chemicals and diseases in text, and how fast?

Answer    strict precision, recall, F1 (same start, end and type) of the dictionary tagger with its
          document rules; abstracts per CPU second; false and kept links of the ambiguity suite
Data      the held-out fifth of the annotated sets, see normalisation.py; their names are not in the
          dictionary that is measured
Baseline  this is the baseline: a trained tagger has to beat it
Budget    one core
Failures  a set that annotates one type is scored on that type alone

python tests/benchmarks/entities.py [--quick]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from literature.article import Article
from literature.lexicon import Lexicon, curated
from literature.mentions import DictionaryTagger, Mention, find_all
from literature.names.build import LEARNED_TYPES, build
from literature.names.dictionary import Dictionary
from literature.readers.pubtator import Annotated, read_annotated
from tests.benchmarks.data import nothing_measured
from tests.benchmarks.normalisation import SETS, SHARED, file, held_out
from tests.benchmarks.record import record
from tests.literature.test_ambiguity import outcomes

TASKS = (
    ("BC5CDR_TrainDev", ("chemical", "disease")),
    ("NCBIdisease_TrainDev", ("disease",)),
    ("BioRED_TrainDev", ("gene", "chemical", "disease")),
    ("NLMgene_Train", ("gene",)),
)


def f1(gold: int, said: int, right: int) -> float:
    return 2 * right / (gold + said) if gold + said else 0.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="BC5CDR alone")
    quick = parser.parse_args().quick
    if not SHARED.exists():
        nothing_measured("the annotated sets of ../shared/data/literature are absent")
    tables = build(SHARED / "dictionaries", [file(n) for n in SETS], keep=lambda id: not held_out(id))
    lexicon = Lexicon([Dictionary(tables)]) + curated()
    tagger = DictionaryTagger(lexicon)
    numbers: dict[str, Any] = {}
    seconds = articles = 0.0
    for name, types in TASKS[: 1 if quick else None]:
        found = [a for a in read_annotated(file(name)) if isinstance(a, Annotated) and held_out(a.article.id)]
        start = time.process_time()
        texts: list[Article] = [a.article for a in found]
        said: list[list[Mention]] = find_all(texts, tagger, lexicon)
        seconds += time.process_time() - start
        articles += len(texts)
        for kind in types:
            gold = {
                (a.article.id, m.start, m.end)
                for a in found
                for m in a.annotations
                if LEARNED_TYPES.get(m.type) == kind
            }
            ours = {
                (a.id, m.start, m.end)
                for a, ms in zip(texts, said, strict=True)
                for m in ms
                if m.type == kind
            }
            place = f"{name.split('_')[0].lower()}_{kind}"
            numbers[f"{place}_f1"] = round(f1(len(gold), len(ours), len(gold & ours)), 4)
            numbers[f"{place}_precision"] = round(len(gold & ours) / max(1, len(ours)), 4)
            numbers[f"{place}_recall"] = round(len(gold & ours) / max(1, len(gold)), 4)
    numbers["abstracts_per_cpu_s"] = round(articles / seconds)
    cases = outcomes()
    wanted = [right for case, _, right in cases if case.wanted is not None]
    numbers["ambiguity_cases"] = len(cases)
    numbers["ambiguity_false_links"] = round(sum(bool(wrong) for _, wrong, _ in cases) / len(cases), 4)
    numbers["ambiguity_true_links_kept"] = round(sum(bool(right) for right in wanted) / len(wanted), 4)
    headline = ["ambiguity_false_links", "ambiguity_true_links_kept", "abstracts_per_cpu_s"]
    print(record("entities_dictionary", numbers, seed=0, device="cpu", headline=headline))


if __name__ == "__main__":
    main()
