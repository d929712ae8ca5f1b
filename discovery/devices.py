"""What does this machine offer: which processors, which accelerators, how much memory?

Answered without importing torch or jax, which take seconds to load and take hold of
the accelerator's memory. Also one seed for every piece of work, from its name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SEED = 7  # of every part and command that is not given another
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Gpu:
    """An accelerator the driver can see."""

    index: int  # as CUDA_VISIBLE_DEVICES counts
    name: str
    memory_gb: float
    driver: str


def gpus(timeout_s: float = 5.0) -> list[Gpu]:
    """NVIDIA devices this process may use; empty where there are none.

    Asks `nvidia-smi`, and honours CUDA_VISIBLE_DEVICES as CUDA does: a list that
    names no device hides them all.

    Raises
    ------
    OSError
        If `nvidia-smi` is there but fails or hangs: a sick driver is not an absent one.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [
        program,
        "--query-gpu=index,uuid,name,memory.total,driver_version",
        "--format=csv,noheader,nounits",
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError(
            f"nvidia-smi did not answer within {timeout_s:g} s; the driver may need a restart"
        ) from error
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip()
        if "No devices were found" in said:
            return []
        raise OSError(f"nvidia-smi failed (exit status {answer.returncode}): {said}")
    found: dict[str, Gpu] = {}
    for line in answer.stdout.splitlines():
        index, uuid, name, memory, driver = (part.strip() for part in line.split(","))
        # a device that shares its memory with the host says "[N/A]"
        size = float(memory) / 1024 if memory.replace(".", "", 1).isdigit() else 0.0
        found[uuid] = Gpu(int(index), name, round(size, 1), driver)
    return _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _visible(found: Mapping[str, Gpu], wanted: str | None) -> list[Gpu]:
    """Of devices by their UUIDs; CUDA reads the list up to the first entry it does not know."""
    if wanted is None:
        return list(found.values())
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in wanted.split(",")):
        match = [gpu for gpu in found.values() if entry == str(gpu.index)]
        if not match and entry:
            match = [gpu for uuid, gpu in found.items() if uuid.startswith(entry)]
        if len(match) != 1:
            break
        chosen += match
    return chosen


def cpus() -> int:
    """Processors this process may use: the least of the affinity mask and the control group's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(CGROUP)
    return max(1, count if quota is None else min(count, int(quota)))


def memory_gb() -> float:
    """Memory this process may use, GiB: the machine's, or the control group's limit where that is less."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _read(CGROUP / name)
        if limit.isdigit():
            total = min(total, int(limit))
    return total / 2**30


def peak_memory_gb() -> float:
    """The most memory this process ever had resident, GiB."""
    for line in _read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):  # getrusage would count what the parent had when it forked
            return int(line.split()[1]) / 2**20
    import resource  # here: Windows has none, and nothing else in this room needs it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # bytes there, KiB here


def seed_for(base_seed: int, *identity: str) -> int:
    """A seed for one piece of work, from the run's seed and the work's name: 0 <= seed < 2**31.

    Work that draws from its own name's seed gives the same result in any order, batch
    or process. The same everywhere and for ever, unlike `hash`.

    Examples
    --------
    >>> seed_for(7, "docking", "CCO") == seed_for(7, "docking", "CCO") != seed_for(7, "docking", "CCN")
    True
    """
    parts = [str(int(base_seed)), *identity]
    named = "".join(f"{len(part)}:{part}" for part in parts)  # lengths, so that ("ab",) and ("a", "b") differ
    return int.from_bytes(hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()[:4]) >> 1


def _quota(cgroup: Path) -> float | None:
    """Processors the control group grants, version 2 or 1; None where it sets no limit."""
    two = _read(cgroup / "cpu.max").split()
    if len(two) == 2 and two[0].isdigit():
        return int(two[0]) / int(two[1])
    quota, period = _read(cgroup / "cpu/cpu.cfs_quota_us"), _read(cgroup / "cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit():
        return int(quota) / int(period)
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # no such control group: no limit
        return ""
