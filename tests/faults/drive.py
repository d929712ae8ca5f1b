"""A driver to be killed: scores 60 alkanes with a slow toy, then writes what came out as JSON."""

from __future__ import annotations

import json
import sys

from discovery.execution import ScorerSpec, score_all
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.workers.worker import packed

folder, workers, seconds, out = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
ledger = Ledger.open(folder)
with ledger.lock():
    ledger.sweep()
    outcomes = score_all(
        ScorerSpec("toy_weight", {"log": folder + "/log", "seconds": seconds}),
        [Molecule("C" * n, f"alkane {n}") for n in range(1, 61)],
        ledger=ledger,
        stage="toy",
        versions={"toy": "1"},
        workers=workers,
        chunk=4,
    )
with open(out, "w") as file:
    json.dump([packed(outcome) for outcome in outcomes], file)
