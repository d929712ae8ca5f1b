"""How well do proposers use an oracle's calls?

Answer    area under the curve of the mean of the ten best molecules against calls (PMO), for the
          20 tasks that need only RDKit; a run shorter than 10,000 calls also says what it would be
          if nothing better were found after it
Data      ZINC250k. strict: 3,000 of its molecules, drawn by the seed, are what the search starts from
          and takes parts from; whatever is asked about counts, those too. prescreen: all of ZINC250k is
          scored first and not counted, as some papers do; the two must not be compared
Baseline  mol_ga (pip install mol_ga), from the same molecules; the BRICS proposer, which recombines known
          drugs and so holds pieces of nine targets; the graph model, which learned from MOSES and
          ChEMBL (no molecule more similar than 0.323 to a target): neither of these two is PMO strict
Budget    10,000 calls a task in rounds of 50; --quick 300 calls on two tasks
Failures  a molecule that cannot be scored scores 0 and counts as a call
"""

from __future__ import annotations

import argparse
import gzip
import platform
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.proposal import Lesson, Proposer
from generative.guided import GuidedProposer
from generative.proposer import GraphProposer
from generative.recombination import BricsProposer
from generative.tasks import BUDGET, auc_top, score, tasks
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import record

ROUND = 50
START = 3_000  # molecules of ZINC250k that a search knows of
FREE = 500  # of those scored for nothing, the best that become lessons
SIZE = (60.0, 900.0)  # Da: no more than a bound on what is sensible


def run(
    proposer: Proposer, task: str, calls: int, seed: int, taught: Sequence[Lesson] = ()
) -> dict[str, float]:
    """One task, one proposer: area, the ten best at the end, CPU ms a call without the oracle's."""
    lessons = list(taught)
    scores: list[float] = []
    oracle, began, number = 0.0, time.process_time(), 0
    while len(scores) < calls:
        wanted = min(ROUND, calls - len(scores))
        proposals = proposer.propose(wanted, round=number, seed=seed, lessons=lessons)
        if not proposals:
            break
        asked = time.process_time()
        for proposal in proposals:
            scores.append(score(task, proposal.smiles))
            lessons.append(Lesson(Molecule(proposal.smiles), scores[-1]))
        oracle += time.process_time() - asked
        number += 1
    return measured(scores, calls, time.process_time() - began - oracle)


def by(
    method: str, start: Path, task: str, calls: int, seed: int, taught: Sequence[Lesson]
) -> dict[str, float]:
    """A method by its name."""
    light, heavy = SIZE
    proposers: dict[str, Proposer] = {
        "guided": GuidedProposer(molecules=start, min_weight=light, max_weight=heavy, taste=False),
        "graph": GraphProposer(min_weight=light, max_weight=heavy, taste=False),
        "brics": BricsProposer(min_weight=light, max_weight=heavy, taste=False),
    }
    if method == "mol_ga":
        return mol_ga(start, task, calls, seed)
    return run(proposers[method], task, calls, seed, taught if method == "guided" else ())


def mol_ga(start: Path, task: str, calls: int, seed: int) -> dict[str, float]:
    """The genetic algorithm of the package of that name, with its own settings."""
    from mol_ga import default_ga  # type: ignore[import-untyped]

    scores: list[float] = []
    known: dict[str, float] = {}
    spent = 0.0

    class Enough(Exception):
        pass

    def ask(smiles: list[str]) -> list[float]:
        nonlocal spent
        began = time.process_time()
        for one in smiles:
            if one not in known:
                if len(scores) == calls:
                    raise Enough
                known[one] = score(task, one)
                scores.append(known[one])
        spent += time.process_time() - began
        return [known[one] for one in smiles]

    rng = random.Random(seed)
    began = time.process_time()
    with suppress(Enough):
        default_ga(
            rng.sample(start.read_text().split(), 100),
            ask,
            max_generations=10**6,
            offspring_size=ROUND,
            rng=rng,
        )
    return measured(scores, calls, time.process_time() - began - spent)


def measured(scores: Sequence[float], calls: int, seconds: float) -> dict[str, float]:
    best = sorted(scores, reverse=True)[:10]
    return {
        "auc": auc_top(scores, budget=calls),
        "auc_held_to_10000": auc_top(scores, budget=BUDGET),
        "top10": sum(best) / len(best),
        "top1": best[0],
        "cpu_ms_per_call": 1e3 * seconds / len(scores),
    }


def zinc() -> list[str]:
    path = SHARED / "generative/zinc250k/zinc250k.smi.gz"
    if not path.is_file():
        nothing_measured(f"{path.name} is not in ../shared/data")
    with gzip.open(path, "rt") as file:
        return file.read().split()


def prescreened(task: str, molecules: Sequence[str]) -> list[tuple[float, str]]:
    """All molecules with their scores, best first."""
    ask = tasks()[task]
    with quiet_rdkit():
        return sorted(((ask(Chem.MolFromSmiles(one)), one) for one in molecules), reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--protocol", choices=("strict", "prescreen"), default="strict")
    parser.add_argument("--calls", type=int, default=BUDGET)
    parser.add_argument("--tasks", nargs="*", default=None, help="PMO names; all twenty by default")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument(
        "--methods", nargs="*", default=["guided"], choices=("guided", "mol_ga", "brics", "graph")
    )
    given = parser.parse_args()
    calls = 300 if given.quick else given.calls
    names = given.tasks or (["perindopril_mpo", "osimertinib_mpo"] if given.quick else sorted(tasks()))
    pool = zinc()
    totals = dict.fromkeys(given.methods, 0.0)
    for task in names:
        best = prescreened(task, pool) if given.protocol == "prescreen" else []
        for seed in given.seeds:
            start = [one for _, one in best[:START]] or random.Random(f"start {seed}").sample(pool, START)
            taught = [Lesson(Molecule.parse(one), value) for value, one in best[:FREE]]
            numbers: dict[str, float] = {"calls": calls}
            with tempfile.NamedTemporaryFile("w", suffix=".smi") as file:
                file.write("\n".join(start) + "\n")
                file.flush()
                for method in given.methods:
                    found = by(method, Path(file.name), task, calls, seed, taught)
                    numbers |= {f"{method}_{key}": value for key, value in found.items()}
                    totals[method] += found["auc"] / len(given.seeds)
            record(f"pmo_{given.protocol}/{task}", numbers, seed=seed, device=platform.processor() or "cpu")
            print(task, seed, {key: round(value, 3) for key, value in numbers.items()}, flush=True)
    print(f"sum of areas over {len(names)} tasks: " + ", ".join(f"{k} {v:.3f}" for k, v in totals.items()))


if __name__ == "__main__":
    main()
