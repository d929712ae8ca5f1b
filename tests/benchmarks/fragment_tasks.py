"""How many of the molecules built around parts of ten drugs are good, in each of four tasks?

Answer    percent valid, unique (of the valid) and of quality (valid, unique, QED >= 0.6, SA <= 4), mean over drugs
Data      fragment_tasks/fragments.csv of GenMol's repository @ aeb203b (Apache-2.0)
Baseline  published quality, best of SAFE-GPT, GenMol V1 and V2, InVirtuoGen:
          linker 28.6 (one step; 21.9 mixed), motif 49.0, decoration 42.0, superstructure 39.0
Budget    100 molecules a drug and task, as first built; --quick 30 of the first four drugs
Failures  a drug whose part cannot be built on counts as zero and is named
"""

from __future__ import annotations

import csv
from pathlib import Path

import torch

from generative.fragment_tasks import KINDS, Outcome, build, judge
from generative.model import Weights
from tests.benchmarks.data import folder
from tests.benchmarks.record import options, record

COLUMNS = {
    "linker": "linker_design",
    "motif": "motif_extension",
    "decoration": "scaffold_decoration",
    "superstructure": "superstructure_generation",
}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--weights", type=Path)
    given = parser.parse_args()
    with (folder("generative/fragment_tasks", given.data) / "fragments.csv").open() as file:
        drugs = list(csv.DictReader(file))[: 4 if given.quick else None]
    n = 30 if given.quick else 100
    torch.set_num_threads(1)
    weights = Weights.load(given.weights)
    policy = weights.policy().eval()
    numbers: dict[str, float] = {"drugs": len(drugs), "molecules_each": n}
    for kind in given.kinds:
        found: list[Outcome] = []
        for seed in given.seeds:
            for drug in drugs:
                try:
                    made = build(kind, drug[COLUMNS[kind]], n, seed, weights=weights, policy=policy)
                except ValueError as error:
                    print(f"{drug['name']} {kind}: {error}")
                    found.append(Outcome(0.0, 0.0, 0.0))
                    continue
                found.append(judge(made))
        for name in ("valid", "unique", "quality"):
            numbers[f"{kind}_{name}"] = 100 * sum(getattr(one, name) for one in found) / len(found)
    whole = set(given.kinds) == set(KINDS)
    record(
        "fragment_tasks" if whole else f"fragment_tasks/{'+'.join(given.kinds)}",
        numbers,
        seed=given.seeds[0],
        weights=weights.sha256[:12],
    )


if __name__ == "__main__":
    main()
