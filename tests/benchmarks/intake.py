"""How fast does a library become molecules, and how much memory does that take?

Question  rows per second and peak memory of reading, parsing and standardising a CSV
Data      a library written here: substituted biphenyl-like molecules, distinct by
          construction, a hundredth of the first 10,000 rows spoilt; no download
Baseline  the usual way: pandas.read_csv, then RDKit's MolFromSmiles and the same
          standardising (Cleanup, FragmentParent, Uncharger) row by row; and the same
          without standardising, which keeps salts and two drawings of one molecule apart
Budget    one core; each reader in its own process, so that peaks do not mix
Failures  rows without a molecule are counted for each reader

    python -m tests.benchmarks.intake [--quick]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.record import options, record

SEED = 20


def write(path: Path, count: int) -> None:
    from tests.house.test_accounting import library, spoil

    structures, _ = spoil(min(count, 10_000))
    structures += library(count)[len(structures) :]  # no molecule twice, or a cache would answer
    with path.open("w", encoding="utf-8", errors="replace") as file:
        file.write("name,smiles\n")
        for place, text in enumerate(structures):
            file.write(f"row {place},{text[:5000]}\n".replace("\0", " "))


def ours(path: Path, keep_duplicates: bool) -> tuple[int, int]:
    from discovery.intake import read
    from discovery.molecule import Molecule

    rows = molecules = 0
    for row in read(path, keep_duplicates=keep_duplicates):
        rows += 1
        molecules += isinstance(row.outcome, Molecule)
    return rows, molecules


def usual(path: Path, standardise: bool) -> tuple[int, int]:
    import pandas as pd
    from rdkit import Chem, RDLogger
    from rdkit.Chem.MolStandardize import rdMolStandardize

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    table = pd.read_csv(path, on_bad_lines="skip")
    uncharger = rdMolStandardize.Uncharger()
    found = []
    for text in table["smiles"].fillna("").astype(str):
        mol = Chem.MolFromSmiles(text)
        if mol is not None and standardise:
            try:
                mol = rdMolStandardize.FragmentParent(rdMolStandardize.Cleanup(mol), skipStandardize=True)
                mol = uncharger.uncharge(mol)
            except (ValueError, RuntimeError):  # without this the spoilt rows stop the baseline
                mol = None
        found.append(Chem.MolToSmiles(mol) if mol is not None else None)
    table["canonical"] = found
    return len(table), int(table["canonical"].notna().sum())


READERS = {
    "ours": lambda path: ours(path, keep_duplicates=False),
    "ours, duplicates kept": lambda path: ours(path, keep_duplicates=True),
    "pandas + RDKit, standardised": lambda path: usual(path, standardise=True),
    "pandas + RDKit, parsed only": lambda path: usual(path, standardise=False),
}


def measure(reader: str, path: Path) -> dict[str, float]:
    """In a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.intake", "--reader", reader, "--file", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def main() -> None:
    parser = options(__doc__, "2,000 rows instead of 20,000")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reader:
        start, cpu = time.perf_counter(), time.process_time()
        rows, molecules = READERS[given.reader](given.file)
        wall, spent = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        speeds = {"rows_per_cpu_s": round(rows / spent), "rows_per_s": round(rows / wall)}
        print(json.dumps({"rows": rows, "molecules": molecules, **speeds, "peak_mb": round(peak)}))
        return

    count = 2_000 if given.quick else 20_000
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.csv", Path(folder) / "large.csv"
        write(small, count)
        write(large, 5 * count)
        numbers = {reader: measure(reader, small) for reader in READERS}
        numbers["ours, five times the rows"] = measure("ours, duplicates kept", large)
    record("intake", numbers, seed=SEED, rows=count)


if __name__ == "__main__":
    main()
