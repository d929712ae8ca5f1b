"""How well do proposers use an oracle's calls?

Answer    area under the curve of the mean of the ten best molecules against calls (PMO), for the
          tasks that need only RDKit
Data      none: tasks are functions. The graph model learned from MOSES and ChEMBL molecules, none of them
          more similar than 0.323 to a target; PMO proper allows ZINC250k only, so these are not PMO scores
Baseline  the BRICS proposer, same calls, same rounds, same seed. It recombines known drugs, and its set holds
          the targets of albuterol, amlodipine, celecoxib, fexofenadine, ranolazine, sitagliptin, zaleplon,
          median2 (sildenafil) and valsartan: on those it starts from the answer's own pieces
Budget    1,000 calls a task in rounds of 50, where the curve ends; --quick 200 calls on two tasks
Failures  a molecule that cannot be scored scores 0 and counts as a call
"""

from __future__ import annotations

import argparse
import platform
import time

from discovery.molecule import Molecule
from discovery.proposal import Lesson, Proposer
from generative.model import Weights
from generative.proposer import GraphProposer
from generative.recombination import BricsProposer
from generative.tasks import auc_top, score, tasks
from tests.benchmarks.record import record

ROUND = 50


def run(proposer: Proposer, task: str, calls: int, seed: int) -> dict[str, float]:
    """One task, one proposer: area, the ten best at the end, CPU seconds a call."""
    lessons: list[Lesson] = []
    scores: list[float] = []
    began = time.process_time()
    for number in range(calls // ROUND):
        proposals = proposer.propose(ROUND, round=number, seed=seed, lessons=lessons)
        for proposal in proposals:
            scores.append(score(task, proposal.smiles))
            lessons.append(Lesson(Molecule(proposal.smiles), scores[-1]))
    best = sorted(scores, reverse=True)[:10]
    return {
        "auc": auc_top(scores, budget=calls, every=ROUND),
        "top10": sum(best) / len(best),
        "cpu_ms_per_call": 1e3 * (time.process_time() - began) / len(scores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--tasks", nargs="*", default=None, help="PMO names; all twenty by default")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    calls = 200 if given.quick else given.calls
    names = given.tasks or (["perindopril_mpo", "osimertinib_mpo"] if given.quick else sorted(tasks()))
    totals = {"graph": 0.0, "brics": 0.0}
    for task in names:
        numbers: dict[str, float] = {"calls": calls}
        for proposer in (
            GraphProposer(min_weight=80.0, max_weight=700.0, taste=False),
            BricsProposer(min_weight=80.0, max_weight=700.0, taste=False),
        ):
            found = run(proposer, task, calls, given.seed)
            numbers |= {f"{proposer.name}_{key}": value for key, value in found.items()}
            totals[proposer.name] += found["auc"]
        record(
            f"pmo/{task}",
            numbers,
            seed=given.seed,
            device=platform.processor() or "cpu",
            weights=Weights.load().sha256[:12],
        )
        print(task, {key: round(value, 3) for key, value in numbers.items()}, flush=True)
    print(f"sum of areas over {len(names)} tasks: " + ", ".join(f"{k} {v:.3f}" for k, v in totals.items()))


if __name__ == "__main__":
    main()
