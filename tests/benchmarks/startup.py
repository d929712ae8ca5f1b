"""How long does `discovery --help` take, and how many packages does the core pull?

python -m tests.benchmarks.startup [--quick]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.record import cpu_s, options, record
from tests.house.test_dependencies import PYPROJECT, closure


def main() -> None:
    parser = options(__doc__)
    runs = 5 if parser.parse_args().quick else 20
    program = Path(sys.executable).with_name("discovery")
    took, cpu = [], []
    for _ in range(runs + 1):
        began, before = time.perf_counter(), cpu_s()
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
        cpu.append(cpu_s() - before)
    numbers = {
        "help_ms_median": round(1000 * statistics.median(took[1:])),
        "help_cpu_ms_median": round(1000 * statistics.median(cpu[1:])),
        "help_ms_min": round(1000 * min(took[1:])),
        "core_packages": len(closure(PYPROJECT["project"]["dependencies"])),
    }
    record("startup", numbers)


if __name__ == "__main__":
    main()
