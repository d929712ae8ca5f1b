"""How long do R groups, matched pairs, cliffs, contributions and their report take?

Question  seconds from a table of structures and numbers to the whole report, in five lines
Data      moleculeace: the first 5,000 rows of two affinity sets (dopamine D3, serotonin
          1A) where they are at hand; otherwise a library of as many analogues written
          here, which shares far more than real compounds do
Limit     60 s on two cores
Failures  rows left out of each part are counted

    python -m tests.benchmarks.series [--quick] [--data FOLDER]
"""

from __future__ import annotations

import csv
import os
import tempfile
import time
from pathlib import Path

from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.series.door import Series
from tests.benchmarks.record import cpu_s, options, record

SEED = 6
SETS = (("CHEMBL234_Ki.csv", "y [pEC50/pKi]"), ("CHEMBL214_Ki.csv", "y [pEC50/pKi]"))
TAILS = ("C", "CC", "C(C)C", "CCC", "C1CC1", "CC1CC1", "CCO", "CCOC", "C1CCCC1", "C1CCCCC1", "Cc2ccccc2",
         "Cc2ccncc2", "CCc2ccccc2", "C1CCOCC1", "CC(F)(F)F", "CC#N", "C(C)(C)C", "CC(C)C", "c2ccccc2", "c2ccncc2")  # fmt: skip
RINGS = ("[H]", "*F", "*Cl", "*Br", "*C", "*OC", "*C#N", "*C(F)(F)F", "*CC", "*N(C)C", "*S(C)(=O)=O", "*C(C)C",
         "*OC(F)(F)F", "*c1ccccc1", "*C(N)=O", "*O")  # fmt: skip


def table(path: Path, rows: int, data: Path | None) -> str:
    """Write the table; says what it holds."""
    if data is not None:
        lines = []
        for name, column in SETS:
            with (data / name).open(encoding="utf-8") as file:
                lines += [(row["smiles"], row[column]) for row in csv.DictReader(file)]
        what = "moleculeace CHEMBL234_Ki + CHEMBL214_Ki"
    else:
        import numpy as np

        from discovery.series.library import enumerate_library

        rng = np.random.default_rng(SEED)
        made = enumerate_library(
            "O=C(N[*:1])c1cc([*:2])cc([*:3])c1",
            {"R1": [f"*{tail}" for tail in TAILS], "R2": RINGS, "R3": RINGS},
        )
        lines = [
            (each.outcome.smiles, f"{rng.normal(6.5, 1.0):.2f}")
            for each in made
            if isinstance(each.outcome, Molecule)
        ]
        what = "analogues written by the benchmark, random numbers"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("smiles", "pKi"))
        writer.writerows(lines[:rows])
    return what


def main() -> None:
    parser = options(__doc__, "500 rows")
    parser.add_argument("--data", type=Path, help="the folder of the moleculeace sets")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activities.csv"
        what = table(path, 500 if asked.quick else 5000, asked.data)
        seconds: dict[str, float] = {}

        def lap(name: str, since: float) -> float:
            now = time.perf_counter()
            seconds[name] = round(now - since, 2)
            return now

        start = now = time.perf_counter()
        cpu = cpu_s()
        series = Series.read(path, "pKi")
        now = lap("read", now)
        groups = series.rgroups()
        now = lap("rgroups", now)
        pairs = series.pairs()
        now = lap("pairs", now)
        cliffs = series.cliffs()
        now = lap("cliffs", now)
        report = series.report(Path(folder) / "series.html")
        lap("report_with_free_wilson", now)
        numbers = {
            "rows": len(series),
            "usable": len(series.measured.usable),
            "cores": len(groups.cores),
            "rows_with_a_core": sum(not isinstance(outcome, Missing) for outcome in groups.outcomes),
            "pairs": pairs.count,
            "transformations": len(pairs.transformations),
            "rows_with_a_partner": sum(not isinstance(outcome, Missing) for outcome in pairs.outcomes),
            "cliffs": len(cliffs.cliffs),
            "report_bytes": report.stat().st_size,
            "seconds": seconds,
            "seconds_total": round(time.perf_counter() - start, 1),
            "cpu_seconds": round(cpu_s() - cpu, 1),
            "load_of_the_machine": round(os.getloadavg()[0], 1),
        }
    record("series", numbers, seed=SEED, data=what)


if __name__ == "__main__":
    main()
