"""How good are the best molecules after a budget, as GuacaMol's second suite asks?

Answer    for each of 20 tasks the mean of the best 1, 10 and 100 molecules (rediscovery: of the best; isomers:
          of the best 159 and 250), stereoisomers counted once; their sum is the suite's total
Data      3,000 molecules of ZINC250k, drawn by the seed, to start from, all of it to look through for
          neighbours of good ones; the suite itself sets no limit of calls and gives GuacaMol's ChEMBL,
          so a total at few calls from ZINC250k is a lower bound. Runs kept with --out serve PMO strict too
Baseline  published totals: best of the data set 12.144, SMILES LSTM 17.340, Graph GA 17.983
Budget    50,000 calls a task in rounds of 50, then 100; with --restarts the calls of all seeds add up to one
          search, which began anew from other molecules; --quick 300 calls on two tasks
Failures  a molecule that cannot be scored scores 0 and counts as a call
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from generative.tasks import guacamol, guacamol_score
from tests.benchmarks.data import zinc
from tests.benchmarks.pmo import START, Log, collected, guided, noted, run
from tests.benchmarks.record import options, record


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--tasks", nargs="*", default=None)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument(
        "--out", type=Path, default=None, help="keep each run here, and go on with what is there"
    )
    parser.add_argument("--kept", action="store_true", help="ask nothing more: measure what --out keeps")
    parser.add_argument(
        "--restarts", action="store_true", help="seeds are restarts of one search: their calls add up"
    )
    given = parser.parse_args()
    if given.kept and given.out is None:
        parser.error("--kept measures runs in --out")
    calls = 0 if given.kept else 300 if given.quick else given.calls
    names = given.tasks or (["median1", "isomers_c11h24"] if given.quick else sorted(guacamol()))
    pool = zinc()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.out or Path(scratch)
        collection = collected(folder, pool, quick=given.quick)
        said = noted(folder)
        runs: dict[int, dict[str, Log]] = {}
        for seed in given.seeds:
            start = folder / f"start_{seed}.smi"
            start.write_text("\n".join(random.Random(f"start {seed}").sample(pool, START)) + "\n")
            runs[seed] = {}
            for task in names:
                log = Log.at(folder / f"guided_{task}_{seed}.jsonl" if given.out else None)
                if given.restarts and given.kept and not log.scores:
                    continue  # this task was not begun anew
                run(guided(start, collection), task, calls, seed, log)
                runs[seed][task] = log
        if given.restarts:
            tell(names, [list(runs.values())], given.seeds[:1], said)
        else:
            tell(names, [[logs] for logs in runs.values()], given.seeds, said)


def tell(
    names: Sequence[str],
    searches: Sequence[Sequence[Mapping[str, Log]]],
    seeds: Sequence[int],
    said: Mapping[str, str],
) -> None:
    """Each search's score at each task, and the sum; of what was begun several times the best of all."""
    for seed, logs in zip(seeds, searches, strict=True):
        most, total = 0, 0.0
        for task in names:
            mine = [log[task] for log in logs if task in log]
            asked = [pair for log in mine for pair in zip(log.smiles, log.scores, strict=True)]
            if not asked:
                raise SystemExit(f"{task}: nothing was asked")
            numbers: dict[str, float] = {
                "calls": len(asked),  # a run kept may be longer than asked for
                "score": guacamol_score(task, asked),
                "cpu_ms_per_call": 1e3 * sum(log.seconds for log in mine) / len(asked),
            }
            if len(logs) > 1:
                numbers["restarts"] = len(mine) - 1
            most, total = max(most, len(asked)), total + numbers["score"]
            record(f"guacamol_v2/{task}", numbers, seed=seed, **said)
        sums = {"tasks": len(names), "calls_at_most": most, "total": total}
        record("guacamol_v2/sum", sums, seed=seed, **said)


if __name__ == "__main__":
    main()
