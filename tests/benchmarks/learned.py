"""How far does a model learned from a chemist's table err, on scaffolds it has not seen?

Question  RMSE over folds of whole scaffolds, and the same inside and outside the model's
          domain; the same by similarity to the nearest molecule of the other folds; the
          share of molecules within the intervals meant for nine in ten; CPU seconds to learn
Data      the 20 activity sets of moleculeace; shares of the kernels were looked at on
          ESOL and microsomal clearance only, the domain on thrombin, one of the 20
Beside    the mean of the other folds; a random forest of 100 trees (a tenth of the columns a split) on counted circular
          environments and the same descriptors, where scikit-learn is installed
Limit     none set; the forest is the thing to beat
Failures  rows that cannot be read are left out, as `discovery learn` does

    python -m tests.benchmarks.learned [--quick] [--data FOLDER]
"""

from __future__ import annotations

import statistics
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from discovery.properties import kernel, learned
from discovery.series import measured
from tests.benchmarks.data import folder
from tests.benchmarks.record import options, record

SEED = 0
BANDS = ((0.0, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.7), (0.7, 1.01))  # of similarity
TARGET = "y [pEC50/pKi]"


def forest(model: learned.Model, fold: kernel.Places) -> float:
    """RMSE of a random forest over the same folds."""
    from sklearn.ensemble import RandomForestRegressor  # type: ignore[import-not-found, import-untyped]

    features = model.features
    counts = features.circular.bits.reshape(len(fold), kernel.LEVELS, kernel.BITS).sum(axis=1)
    table = np.hstack([counts, features.descriptors])
    off = np.zeros(len(fold))
    for number in range(learned.FOLDS):
        out = fold == number
        trees = RandomForestRegressor(n_estimators=100, max_features=0.1, random_state=SEED)
        off[out] = trees.fit(table[~out], model.values[~out]).predict(table[out]) - model.values[out]
    return float(np.sqrt(np.mean(off**2)))


def judged(path: Path, beside: bool) -> dict[str, Any]:
    """One set: what the model says of itself, and what a forest does on the same folds."""
    found = measured.read(path, TARGET)
    molecules = [found.molecule(place) for place in found.usable]
    began = time.process_time()
    model = learned.fit(molecules, [found.value(place) for place in found.usable], seed=SEED)
    seconds = time.process_time() - began
    facts = model.facts
    fold, _ = learned.folds([learned.Molecule(smiles) for smiles in model.smiles])
    z = (model.values - model.values.mean()) / model.values.std()
    off = learned.left_out(model.inverse, z, fold)[0]
    mean = np.array([z[fold != number].mean() for number in range(learned.FOLDS)])[fold]
    nearest = learned.nearest_outside(model.features, fold)
    bands = []
    for low, high in BANDS:
        band = (nearest >= low) & (nearest < high)
        bands.append((int(band.sum()), float((off[band] ** 2).sum()), float(((z - mean)[band] ** 2).sum())))
    return {
        "bands": bands,
        "set": path.stem,
        "molecules": facts.molecules,
        "scaffolds": facts.scaffolds,
        "rmse": round(facts.rmse, 4),
        "mean": round(facts.rmse_mean, 4),
        "inside": round(facts.rmse_inside, 4),
        "outside": None if facts.rmse_outside is None else round(facts.rmse_outside, 4),
        "covered": round(facts.covered, 4),
        "rank_correlation": round(facts.rank_correlation, 4),
        "cpu_seconds": round(seconds, 1),
        "forest": round(forest(model, fold), 4) if beside else None,
    }


def main() -> None:
    parser = options(__doc__, "the four smallest sets")
    parser.add_argument("--data", type=Path, help="the moleculeace sets; the shared ones when left out")
    asked = parser.parse_args()
    beside = find_spec("sklearn") is not None
    paths = sorted(
        folder("generative/moleculeace", asked.data).glob("*.csv"), key=lambda path: path.stat().st_size
    )
    sets = []
    for path in paths[:4] if asked.quick else paths:
        sets.append(judged(path, beside))
        print(sets[-1], flush=True)

    def over(key: str) -> float | None:
        values = [one[key] for one in sets if one[key] is not None]
        return round(statistics.fmean(values), 3) if values else None

    bands = np.array([one.pop("bands") for one in sets]).sum(axis=0)
    numbers = {
        "sets": len(sets),
        **{f"{key}_mean": over(key) for key in ("rmse", "mean", "inside", "outside", "covered")},
        "rank_correlation_mean": over("rank_correlation"),
        "forest_mean": over("forest"),
        "better_than_forest": sum(one["rmse"] < one["forest"] for one in sets) if beside else None,
        "by_similarity": [
            {"from": low, "molecules": int(count), "rmse_over_mean": round(float(np.sqrt(ours / theirs)), 3)}
            for (low, _), (count, ours, theirs) in zip(BANDS, bands, strict=True)
            if count
        ],
        "cpu_seconds_median": round(statistics.median(one["cpu_seconds"] for one in sets), 1),
        "each": sets,
    }
    record("learned", numbers, seed=SEED, data="moleculeace")


if __name__ == "__main__":
    main()
