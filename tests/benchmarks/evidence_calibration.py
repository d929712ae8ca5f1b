"""When evidence is said to be 70 % probable, is it right seven times of ten?

Answer    expected calibration error (ten bins), Brier score and a reliability table of the rules'
          claims, all together and by the types of the two things; the same for pairs, an article
          saying of two things what its surest claim says
Data      the documents of DrugProt, CDR and BioRED kept aside by literature.annotated; the curve was
          fitted on the others (python -m literature.calibration). Names as people marked them
Baseline  the rules' weights taken as probabilities; for every kind of claim the share of all claims
Budget    one core, half a minute
Failures  claims of kinds no corpus marks have no probability and are counted

python -m tests.benchmarks.evidence_calibration [--quick]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from literature.calibration import judged, probability
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record

DATA = SHARED / "literature"


def off(chances: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean distance between what was said and what was so, over ten bins, each counting by its claims."""
    bins = np.minimum(9, (chances * 10).astype(int))
    return float(
        sum(abs(chances[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    )


def told(chances: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "claims": len(right),
        "right": round(float(right.mean()), 3),
        "ece": round(off(chances, right), 4),
        "brier": round(float(np.square(chances - right).mean()), 4),
    }


def main() -> None:
    parser = options(__doc__, "ten documents a corpus")
    quick = parser.parse_args().quick
    if not DATA.is_dir():
        nothing_measured("the annotated sets of ../shared/data/literature are absent")
    from literature.relations.corpus import load_relations

    rows: list[tuple[float, float, bool, str]] = []
    pairs: dict[tuple[int, str, frozenset[str]], tuple[float, bool]] = {}
    silent = documents = 0
    for corpus in load_relations(DATA):
        for number, document in enumerate(corpus.held[: 10 if quick else None]):
            documents += 1
            for one in judged([(corpus, [document])]):
                chance, claim = probability(one.claim), one.claim
                if chance is None:
                    silent += 1
                    continue
                rows.append(
                    (chance, claim.confidence, one.right, f"{claim.subject.type}-{claim.object.type}")
                )
                place = (
                    number,
                    corpus.convention,
                    frozenset((claim.subject.concept.id, claim.object.concept.id)),
                )
                pairs[place] = max(pairs.get(place, (0.0, False)), (chance, one.right))
    chances, weights = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    right = np.array([r[2] for r in rows])
    numbers: dict[str, Any] = {
        "claims": told(chances, right),
        "weights_as_probabilities": told(weights, right),
        "one_share_for_all": told(np.full(len(right), right.mean()), right),
        "pairs": told(np.array([p[0] for p in pairs.values()]), np.array([p[1] for p in pairs.values()])),
        "without_probability": silent,
        "reliability": [
            [round(float(chances[at].mean()), 3), round(float(right[at].mean()), 3), int(at.sum())]
            for b in range(10)
            if (at := np.minimum(9, (chances * 10).astype(int)) == b).any()
        ],
    }
    for types in sorted({r[3] for r in rows}):
        at = np.array([r[3] == types for r in rows])
        if at.sum() >= 50:
            numbers[types] = told(chances[at], right[at])
    record("evidence_calibration", numbers, documents=documents)


if __name__ == "__main__":
    main()
