"""Does everything here work? A real small calculation on each engine, in seconds.

Each check is a plug-in of the group `discovery.checks`: a function without arguments
that calculates something with a known answer and returns `Check`s. Each runs in a
process of its own, so an engine that crashes or hangs fails its own line only.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from discovery import plugins

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was tried, what came of it, what to do."""

    name: str
    ok: bool
    detail: str
    fix: str = ""  # the command that mends it; empty when all is well


def doctor(console: Any) -> bool:
    """Run every check, print one line each; whether all passed."""
    from rich.table import Table

    began = time.monotonic()
    table = Table("", "what", "found", "to mend it")
    found = run_checks()
    for check in found:
        table.add_row("ok" if check.ok else "FAILS", check.name, check.detail, check.fix)
    console.print(table)
    bad = sum(not check.ok for check in found)
    print(f"{len(found) - bad} of {len(found)} checks pass ({time.monotonic() - began:.1f} s)")
    return bad == 0


def run_checks(names: list[str] | None = None) -> list[Check]:
    """All checks, each plug-in's in its own process, as many at once as there are cores; in name order.

    `names` are those of registered checks; all when None.
    """
    names = plugins.names("checks") if names is None else names
    answers: dict[str, list[Check]] = {}
    room = threading.Semaphore(max(1, os.cpu_count() or 1))

    def one(name: str) -> None:
        with room:
            answers[name] = _apart(name)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [check for name in names for check in answers[name]]


def _apart(name: str) -> list[Check]:
    """Run one plug-in's checks in a fresh interpreter."""
    command = [sys.executable, "-m", "discovery.checkup", name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment)
    except subprocess.TimeoutExpired:
        return [_failed(name, f"no answer after {TIMEOUT_S:.0f} s")]
    last = done.stdout.strip().splitlines()[-1:] or [""]
    try:
        return [Check(**entry) for entry in json.loads(last[0])]
    except (ValueError, TypeError):
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return [_failed(name, f"ended with exit status {done.returncode}: {said[:200]}")]


def _failed(name: str, detail: str) -> Check:
    return Check(name, False, detail, f"see the whole: python -m discovery.checkup {name}")


def _ask(name: str) -> list[Check]:
    try:
        check: Callable[[], list[Check]] = plugins.load("checks", name)
    except plugins.PluginError as error:
        return [Check(name, False, str(error), _fix(str(error)))]
    try:
        return list(check())
    except Exception as error:  # whatever goes wrong in an engine is what the doctor is for
        return [_failed(name, f"{type(error).__name__}: {error}")]


def _fix(message: str) -> str:
    """The install command inside an ImportError of ours."""
    start = message.find("pip install")
    return message[start:].split(" (")[0] if start >= 0 else ""


def ground() -> list[Check]:
    """The ground's own check: Python, RDKit, the ledger, devices."""
    import shutil

    import numpy
    from rdkit import Chem, rdBase
    from rdkit.Chem.rdMolDescriptors import CalcCrippenDescriptors

    from discovery.devices import cpus, gpus, memory_gb
    from discovery.ledger import Ledger

    system = f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}"
    # S. A. Wildman, G. M. Crippen, J. Chem. Inf. Comput. Sci. 39 (1999) 868; benzene is six C18 with hydrogens: 1.6866
    logp, _ = CalcCrippenDescriptors(Chem.MolFromSmiles("c1ccccc1"))
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(folder)
        ledger.put_document("check", {"π": 3.141592653589793})
        kept = ledger.get_document("check") == {"π": 3.141592653589793}
    named = ", ".join(gpu.name for gpu in gpus()) or "no GPU: everything runs on the CPU"
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    mend = "" if free > 1.0 else "free some space, or pass --out on another disk"
    libraries = f"{rdBase.rdkitVersion}, numpy {numpy.__version__}, logP of benzene {logp:.4f}"
    return [
        Check("python", True, f"{platform.python_version()}, {system}"),
        Check("rdkit", abs(logp - 1.6866) < 1e-4, libraries),
        Check("ledger", kept, "writes, syncs and reads back"),
        Check("devices", True, f"{cpus()} CPU cores, {memory_gb():.0f} GB; {named}"),
        Check("disk", free > 1.0, f"{free:.0f} GB free here", mend),
    ]


def main() -> None:
    """`python -m discovery.checkup NAME`: one plug-in's checks, as a line of JSON."""
    print(json.dumps([asdict(check) for check in _ask(sys.argv[1])]))


if __name__ == "__main__":
    main()
