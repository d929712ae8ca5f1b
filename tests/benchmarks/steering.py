"""Which proposer makes most of a campaign's calls?

Answer    mean utility of the ten best molecules after each round (area under that curve, and its end), and how
          many scaffolds there are among the 50 best
Data      none: the objective is the demo campaign's, without docking and what follows from it
Baseline  the BRICS proposer; same calls, same rounds, same seeds
Budget    300 molecules in rounds of 50, 3 seeds; --quick one seed
Failures  a molecule without utility counts as a call and as 0
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rdkit.Chem.Scaffolds import MurckoScaffold

from discovery import plugins
from discovery.demo import demo_config
from discovery.funnel import within
from discovery.molecule import Molecule
from discovery.proposal import Lesson, Proposer
from discovery.ranking import Criterion, utility
from discovery.score import Score
from generative.breeding.recombination import BricsProposer
from generative.guided import GuidedProposer
from generative.proposer import GraphProposer
from generative.tasks import auc_top
from tests.benchmarks.record import options, record

ROUND, CALLS = 50, 300
STRUCTURE = {"docking", "key_contacts", "pose_stability"}


class Objective:
    """The demo's utility of a molecule from all that needs no structure; 0 where a limit is broken."""

    def __init__(self) -> None:
        self.parts = [part for part in demo_config().scorers if part.use not in STRUCTURE]
        self.scorers = [plugins.build("scorers", part.use, part.settings) for part in self.parts]
        self.criteria = [
            Criterion(scorer.column.name, part.desirability, part.weight)
            for part, scorer in zip(self.parts, self.scorers, strict=True)
            if part.desirability
        ]

    def __call__(self, molecules: Sequence[Molecule]) -> list[float]:
        cells: list[dict[str, Any]] = [{} for _ in molecules]
        allowed = [True] * len(molecules)
        for part, scorer in zip(self.parts, self.scorers, strict=True):
            for row, outcome in enumerate(scorer(molecules)):
                cells[row][scorer.column.name] = outcome
                if not isinstance(outcome, Score) or within(
                    outcome, scorer.column, part.at_least, part.at_most, molecules[row].smiles
                ):
                    allowed[row] = False
        return [
            (utility(cell, self.criteria) or 0.0) if fine else 0.0
            for cell, fine in zip(cells, allowed, strict=True)
        ]


def run(proposer: Proposer, objective: Objective, calls: int, seed: int) -> dict[str, float]:
    lessons: list[Lesson] = []
    spent, began = 0.0, time.process_time()
    for number in range(calls // ROUND):
        proposals = proposer.propose(ROUND, round=number, seed=seed, lessons=lessons)
        asked = time.process_time()
        molecules = [Molecule.parse(one.smiles) for one in proposals]
        lessons += map(Lesson, molecules, objective(molecules))
        spent += time.process_time() - asked
    rewards = [lesson.reward for lesson in lessons]
    best = sorted(lessons, key=lambda lesson: -lesson.reward)[:50]
    scaffolds = {
        str(MurckoScaffold.MurckoScaffoldSmiles(lesson.molecule.smiles))  # type: ignore[no-untyped-call]
        for lesson in best
    }
    return {
        "auc": auc_top(rewards, budget=calls, every=ROUND),
        "top10": sum(sorted(rewards)[-10:]) / 10,
        "top50": sum(lesson.reward for lesson in best) / 50,
        "scaffolds_of_50": len(scaffolds),
        "cpu_ms_per_call": 1e3 * (time.process_time() - began - spent) / len(rewards),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    given = parser.parse_args()
    objective = Objective()
    for seed in given.seeds[:1] if given.quick else given.seeds:
        numbers: dict[str, float] = {"calls": CALLS}
        for proposer in (GuidedProposer(), GraphProposer(), BricsProposer()):
            found = run(proposer, objective, CALLS, seed)
            numbers |= {f"{proposer.name}_{key}": value for key, value in found.items()}
        record("steering/demo_properties", numbers, seed=seed)


if __name__ == "__main__":
    main()
