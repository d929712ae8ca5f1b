"""Can a weak binder be improved by docking without losing what makes it drug-like?

Answer    the best docking score among analogues with QED >= 0.6, synthetic accessibility <= 4 and Tanimoto
          similarity to the seed (ECFP4) >= 0.4 or 0.6; how many of the 15 seeds were improved
Data      15 seeds for five receptors, with the boxes of the QuickVina benchmark (MOOD, GenMol, InVirtuoGen)
Baseline  the seed's own score, docked by the same engine; published sums of the best scores, similarity 0.4 / 0.6:
          Graph GA -96.3 / -74.8, GenMol -148.7 / -117.7, InVirtuoGen -152.4 / -145.7 (their QuickVina)
Budget    1,000 proposals a seed in rounds of 50; only what passes the three limits is docked; --quick two
          rounds of 15 on one seed
Failures  a seed with no docked analogue counts as not improved; its own score stands in the sum
"""

from __future__ import annotations

import csv
import gzip
import os
import tempfile
from pathlib import Path

from discovery import campaign, plugins
from discovery.config import parse
from discovery.molecule import Molecule
from discovery.score import Score
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record

BOXES = {  # centre and edge lengths, Å
    "parp1": ((26.413, 11.282, 27.238), (18.521, 17.479, 19.995)),
    "fa7": ((10.131, 41.879, 32.097), (20.673, 20.198, 21.362)),
    "5ht1b": ((-26.602, 5.277, 17.898), (22.5, 22.5, 22.5)),
    "braf": ((84.194, 6.949, -7.081), (22.032, 19.211, 14.106)),
    "jak2": ((114.758, 65.496, 11.345), (19.033, 17.929, 20.283)),
}


def docking(target: str, folder: Path) -> dict[str, object]:
    """Settings of the docking scorer for one of the five receptors."""
    packed = SHARED / f"generative/docking5/{target}.pdbqt.gz"
    receptor = folder / f"{target}.pdbqt"
    receptor.write_bytes(gzip.decompress(packed.read_bytes()))
    center, size = BOXES[target]
    return {"receptor": str(receptor), "center": center, "size": size, "engine": "native"}


def improve(
    target: str, seed_smiles: str, similar: float, rounds: int, batch: int, folder: Path
) -> dict[str, float]:
    """One seed: its own score, the best of its analogues, and how many were docked."""
    settings = docking(target, folder)
    (own,) = plugins.build("scorers", "docking", settings)([Molecule.parse(seed_smiles)])
    start = folder / "start.smi"
    start.write_text(f"{seed_smiles} seed\n")
    config = parse(
        {
            "name": f"lead optimisation, {target}",
            "rounds": rounds,
            "workers": min(2, os.cpu_count() or 1),
            "proposers": [
                {
                    "use": "guided",
                    "n": batch,
                    "settings": {"molecules": str(start), "taste": False, "max_weight": 700.0},
                }
            ],
            "scorers": [
                {"use": "similarity", "settings": {"reference": [seed_smiles]}, "workers": 0, "at_least": similar,
                 "desirability": {"shape": "higher", "low": similar - 0.5, "high": similar}},
                {"use": "qed", "workers": 0, "at_least": 0.6,
                 "desirability": {"shape": "higher", "low": 0.0, "high": 0.6}},
                {"use": "synthesis", "workers": 0, "at_most": 4.0,
                 "desirability": {"shape": "lower", "low": 4.0, "high": 8.0}},
                {"use": "docking", "settings": settings, "weight": 3,
                 "desirability": {"shape": "lower", "low": -14.0, "high": -4.0}},
            ],
        },
        where="lead_opt",
    )  # fmt: skip
    run = campaign.run(config, folder / "run")
    scores = [cell.value for row in run.rows if isinstance(cell := row.outcomes.get("docking"), Score)]
    stands = own.value if isinstance(own, Score) else 0.0
    return {"seed_score": stands, "best": min([stands, *scores]), "docked": len(scores)}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--similarity", type=float, default=0.4)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--only", type=int, default=None, help="only so many seeds, from the first")
    given = parser.parse_args()
    rounds, batch = (2, 15) if given.quick else (given.calls // 50, 50)
    path = SHARED / "generative/fragment_tasks/lead_opt_seeds.csv"
    if not path.is_file():
        nothing_measured(f"{path.name} is not in ../shared/data")
    with path.open() as file:
        seeds = list(csv.DictReader(file))[: 1 if given.quick else given.only]
    total = 0.0
    for number, row in enumerate(seeds):
        with tempfile.TemporaryDirectory() as folder:
            numbers = improve(row["target"], row["smiles"], given.similarity, rounds, batch, Path(folder))
        total += numbers["best"]
        record(
            f"lead_opt/{row['target']}_{number}",
            {**numbers, "proposals": rounds * batch, "similarity": given.similarity},
        )
    print(f"sum of the best over {len(seeds)} seeds: {total:.1f}")


if __name__ == "__main__":
    main()
