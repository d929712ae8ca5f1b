"""Where is the data a benchmark measures on? In `../shared`, which is no part of the repository.

A packed set is unpacked once into the cache folder. Where the set is absent the benchmark
says so in one sentence and measures nothing.
"""

from __future__ import annotations

import gzip
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NoReturn

from discovery.files import cache_folder

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def nothing_measured(why: str) -> NoReturn:
    """End a benchmark that cannot measure here: one sentence, and no failure of those after it."""
    print(f"{Path(sys.argv[0]).stem}: nothing was measured, since {why}")
    sys.exit(0)


def zinc() -> list[str]:
    """ZINC250k, as SMILES."""
    path = SHARED / "generative/zinc250k/zinc250k.smi.gz"
    if not path.is_file():
        nothing_measured(f"{path.name} is not in ../shared/data")
    with gzip.open(path, "rt") as file:
        return file.read().split()


def folder(name: str, given: Path | None = None) -> Path:
    """`given`, or the folder of a set such as "dynamics/systems_dev", unpacked where need be."""
    if given is not None:
        return given
    plain, packed = SHARED / name, SHARED / f"{name}.tar.xz"
    if plain.is_dir():
        return plain
    if not packed.is_file():
        nothing_measured(f"{packed.name} is not in ../shared/data; give the data with --data")
    kept = cache_folder("benchmarks")
    place = kept / packed.name.removesuffix(".tar.xz")
    if not place.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept) as scratch, tarfile.open(packed) as file:
            file.extractall(scratch, filter="data")
            inside = Path(scratch) / place.name
            (inside if inside.is_dir() else Path(scratch)).rename(place)
            Path(scratch).mkdir(exist_ok=True)  # where the folder itself was moved, its end still expects it
    return place
