"""How good are the best molecules after a budget, as GuacaMol's second suite asks?

Answer    for each of 20 tasks the mean of the best 1, 10 and 100 molecules (rediscovery: of the best; isomers:
          of the best 159 and 250), stereoisomers counted once; their sum is the suite's total
Data      3,000 molecules of ZINC250k, drawn by the seed, to start from; the suite itself sets no limit of
          calls and gives GuacaMol's ChEMBL, so a total at few calls from ZINC250k is a lower bound
Baseline  published totals: best of the data set 12.144, SMILES LSTM 17.340, Graph GA 17.983
Budget    50,000 calls a task in rounds of 100; --quick 300 calls on two tasks
Failures  a molecule that cannot be scored scores 0 and counts as a call
"""

from __future__ import annotations

import argparse
import platform
import random
import tempfile
import time
from pathlib import Path

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from generative.guided import GuidedProposer
from generative.tasks import guacamol, guacamol_score, score
from tests.benchmarks.pmo import SIZE, START, zinc
from tests.benchmarks.record import record

ROUND = 100


def run(task: str, start: Path, calls: int, seed: int) -> dict[str, float]:
    light, heavy = SIZE
    proposer = GuidedProposer(molecules=start, min_weight=light, max_weight=heavy, taste=False)
    lessons: list[Lesson] = []
    number, began = 0, time.process_time()
    while len(lessons) < calls:
        wanted = min(ROUND, calls - len(lessons))
        proposals = proposer.propose(wanted, round=number, seed=seed, lessons=lessons)
        if not proposals:
            break
        lessons += [Lesson(Molecule(one.smiles), score(task, one.smiles)) for one in proposals]
        number += 1
    return {
        "calls": len(lessons),
        "score": guacamol_score(task, ((one.molecule.smiles, one.reward) for one in lessons)),
        "cpu_ms_per_call": 1e3 * (time.process_time() - began) / len(lessons),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--tasks", nargs="*", default=None)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    given = parser.parse_args()
    calls = 300 if given.quick else given.calls
    names = given.tasks or (["median1", "isomers_c11h24"] if given.quick else sorted(guacamol()))
    pool = zinc()
    total = 0.0
    for seed in given.seeds:
        with tempfile.NamedTemporaryFile("w", suffix=".smi") as file:
            file.write("\n".join(random.Random(f"start {seed}").sample(pool, START)) + "\n")
            file.flush()
            for task in names:
                numbers = run(task, Path(file.name), calls, seed)
                total += numbers["score"] / len(given.seeds)
                record(f"guacamol_v2/{task}", numbers, seed=seed, device=platform.processor() or "cpu")
                print(task, seed, {key: round(value, 3) for key, value in numbers.items()}, flush=True)
    print(f"total over {len(names)} tasks: {total:.3f}")


if __name__ == "__main__":
    main()
