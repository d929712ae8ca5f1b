"""Are PubMedQA's questions answered, and does the program know when it cannot?

Answer    accuracy over all questions, and over the surest 80, 50 and 30 percent; share answered and accuracy
          where the default abstains; calibration error of the probability (10 bins); of questions beside their own
          article, the nearest other and any other, how many are taken to be spoken of there
Data      PubMedQA, the 500 development questions, contexts without conclusions
Baseline  "yes" to every question
Budget    one core
Failures  five folds by a hash of the PMID: each question is answered by a model that was not taught with it,
          its temperature included; an abstention is a miss in the accuracy over all. What is spoken of is judged
          on the two folds that its weights were not fitted on

python -m tests.benchmarks.answering [--quick]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from literature.answering import LEAST
from literature.topic import LEAST as SPOKEN_OF
from literature.topic import fitted_on, likely, pairs
from literature.verdict import WORDS, Verdict, abstracts, concluded, fold_of, null_model, questions, train
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.evidence_calibration import off
from tests.benchmarks.record import options, record

PLACE = SHARED / "literature"


def main() -> None:
    parser = options(__doc__, "one fold")
    quick = parser.parse_args().quick
    if not (PLACE / "pubmedqa" / "dev.json.gz").exists():
        nothing_measured("PubMedQA is not in ../shared/data/literature")
    examples = questions(PLACE / "pubmedqa" / "dev.json.gz")
    null = null_model(concluded(abstracts(PLACE / "fulltext_ccby" / "ccby_fulltext.jsonl.xz")))
    said: dict[str, Verdict] = {}
    for fold in range(1 if quick else 5):
        model = train([e for e in examples if fold_of(e.id) != fold], null)
        out = [e for e in examples if fold_of(e.id) == fold]
        found = model.many([(e.question, e.passages) for e in out])
        said.update(zip((e.id for e in out), found, strict=True))
    kept = [e for e in examples if e.id in said]
    right = np.asarray([said[e.id].word == e.word for e in kept])
    sure = np.asarray([said[e.id].probability for e in kept])
    order = np.argsort(-sure, kind="stable")
    numbers: dict[str, Any] = {
        "questions": len(kept),
        "accuracy": round(float(right.mean()), 4),
        "always_yes": round(float(np.mean([e.word == WORDS[0] for e in kept])), 4),
        "calibration_error": round(off(sure, right), 4),
    }
    for share in (80, 50, 30):
        numbers[f"accuracy_surest_{share}"] = round(float(right[order[: len(kept) * share // 100]].mean()), 4)
    looked = list(pairs([e for e in examples if e.id in said]))
    spoken = {row[0].id: likely(row[1]) >= SPOKEN_OF for row in looked}
    new = [row for row in looked if not fitted_on(row[0])]
    for name, place in (("own", 1), ("nearest_other", 2), ("any_other", 3)):
        there = [likely(row[place]) >= SPOKEN_OF for row in new]  # type: ignore[arg-type]
        numbers[f"spoken_of_{name}"] = round(float(np.mean(there)), 4)
    answered = (sure >= LEAST) & np.asarray([spoken[e.id] for e in kept])
    numbers["answered"] = round(float(answered.mean()), 4)
    numbers["accuracy_answered"] = round(float(right[answered].mean()), 4)
    record("answering", numbers)


if __name__ == "__main__":
    main()
