"""What every benchmark does alike: its options, rows kept between runs, one line to results.jsonl at the end."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.jsonl"


def options(about: str | None, quick: str = "in minutes, of a part") -> argparse.ArgumentParser:
    """A parser that knows --quick; --help shows what the benchmark says of itself."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    return parser


class Kept:
    """Rows in a file of JSON lines, so that a run that was stopped goes on; without a file in memory alone."""

    def __init__(self, path: Path | None, *names: str) -> None:
        """Rows are told apart by what stands under `names`."""
        self.path, self.names = path, names
        self.rows: dict[tuple[str, ...], dict[str, Any]] = {}
        if path and path.exists():
            whole = path.read_text(encoding="utf-8").rpartition("\n")[0]  # less a line cut short by a kill
            path.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
            for line in whole.splitlines():
                row = json.loads(line)
                self.rows[tuple(row[name] for name in names)] = row

    def row(self, key: tuple[str, ...], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What is kept under `key`, or what `make` makes of it now: kept and printed."""
        if key not in self.rows:
            self.rows[key] = row = {**dict(zip(self.names, key, strict=True)), **make()}
            print(json.dumps(row), flush=True)
            if self.path:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
        return self.rows[key]


def cpu_s() -> float:
    """Processor seconds so far of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def processor() -> str:
    """What this machine calls its processor."""
    known = Path("/proc/cpuinfo")
    for line in known.read_text().splitlines() if known.exists() else []:
        if line.startswith("model name"):
            return f"CPU: {line.split(':', 1)[1].strip()}"
    return f"CPU: {platform.machine()}"


def _portable(word: str) -> str:
    """A path out of the repository says where data lay on one machine; its last part says which data."""
    return "DATA/" + Path(word).name if os.path.isabs(word) or word.startswith("..") else word


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(HERE), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def record(
    name: str, numbers: dict[str, Any], *, seed: int = 0, device: str | None = None, **more: Any
) -> None:
    """Print a run and append it: what was measured, by which command, at which commit, on what.

    `device` is the processor where none is given; `more` is what else must be known of the run.
    """
    program, *words = sys.argv
    changed = _git("status", "--porcelain", "--untracked-files=no")
    line = {
        "name": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "--short=12", "HEAD") + ("+" if changed else ""),
        "command": " ".join(["python -m", f"tests.benchmarks.{Path(program).stem}", *map(_portable, words)]),
        "seed": seed,
        "device": device or processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numbers": numbers,
        **more,
    }
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    print(name, json.dumps(numbers, indent=1), flush=True)
