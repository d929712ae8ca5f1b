"""One of several processes on one folder: drives, or helps whoever drives, until 60 alkanes are scored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from discovery.execution import ScorerSpec, score_all
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.workers.interrupt import Interrupted, stopping
from discovery.workers.joining import join
from discovery.workers.sharing import Terms, tidy
from discovery.workers.worker import packed

folder, seconds, lease_s, out = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
terms = Terms(lease_s)


def drive() -> bool:
    ledger = Ledger.open(folder)
    with ledger.lock():
        tidy(ledger)
        outcomes = score_all(
            ScorerSpec("toy_weight", {"seconds": seconds}),
            [Molecule("C" * n, f"alkane {n}") for n in range(1, 61)],
            ledger=ledger,
            stage="toy",
            versions={"toy": "1"},
            workers=1,
            chunk=4,
            terms=terms,
        )
        ledger.put_document("finished", [packed(outcome) for outcome in outcomes])
    return True


try:
    with stopping(at_once=True):
        join(drive, lambda: Ledger(folder).get_document("finished"), folder, workers=1, terms=terms)
except Interrupted:
    sys.exit(75)
out.write_text(json.dumps("done"))
