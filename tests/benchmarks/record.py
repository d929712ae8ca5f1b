"""Appends one line per benchmark run to results.jsonl; the tables are generated from it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.jsonl"


def _portable(word: str) -> str:
    """A path out of the repository says where data lay on one machine; its last part says which data."""
    return "DATA/" + Path(word).name if os.path.isabs(word) or word.startswith("..") else word


def processor() -> str:
    """What one core of this machine is called."""
    known = Path("/proc/cpuinfo")
    for line in known.read_text().splitlines() if known.exists() else []:
        if line.startswith("model name"):
            return f"CPU, one core: {line.split(':', 1)[1].strip()}"
    return f"CPU, one core: {platform.machine()}"


def record(name: str, numbers: dict[str, Any], *, seed: int, device: str, **more: Any) -> dict[str, Any]:
    """Append a run: what was measured, by which command, at which commit, on what."""
    here = ["git", "-C", str(HERE)]
    commit = subprocess.run(
        [*here, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    )
    changed = subprocess.run(
        [*here, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=True
    )
    line = {
        "name": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() + ("+" if changed.stdout.strip() else ""),
        "command": " ".join(
            ["python -m", f"tests.benchmarks.{Path(sys.argv[0]).stem}", *map(_portable, sys.argv[1:])]
        ),
        "seed": seed,
        "device": device,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numbers": numbers,
        **more,
    }
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    return line
