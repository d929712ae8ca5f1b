"""How long does one ligand wait for its first pose?

Answer    CPU-seconds and seconds of the whole `discovery dock` for one ligand, receptor preparation, plausibility
          and files included: `first` with an empty cache of compiled programs, `cold` in every process after it;
          `warm` per ligand in a process that has docked one of that size before
Data      the first complex of redock_sdf_dev60 whose receptor has at most 450 residues, and drugs of 15 to 20 atoms
Limit     warm 1 CPU-s, cold 8 CPU-s
Budget    1 minute; --quick leaves out `first`

    python -m tests.benchmarks.first_pose [--quick]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from discovery.molecule import Molecule
from docking import preparation
from docking.dock import dock
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.record import cpu_s, options, record

MOST_RESIDUES = 450
DRUGS = {
    "procainamide": "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "ibuprofen": "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "bupropion": "CC(NC(C)(C)C)C(=O)c1cccc(Cl)c1",
    "sumatriptan": "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1",
}
SEED = 1


def complexes(place: Path) -> tuple[Path, Path]:
    """Protein and ligand file."""
    for protein in sorted(place.glob("*/*_protein.pdb")):
        if protein.read_text().count(" CA ") <= MOST_RESIDUES:
            return protein, protein.with_name(protein.name.replace("_protein.pdb", "_ligand.sdf"))
    raise SystemExit(f"{place} holds no NAME/NAME_protein.pdb of at most {MOST_RESIDUES} residues")


def program(protein: Path, ligand: Path, cache: Path, scratch: Path) -> tuple[float, float]:
    """CPU-seconds and seconds of one whole run."""
    library = scratch / "one.smi"
    library.write_text(f"{DRUGS['procainamide']} procainamide\n")
    with tempfile.TemporaryDirectory(dir=scratch) as out:
        given = ["--receptor", protein, "--around", ligand, "--ligands", library, "--out", Path(out, "run")]
        how = ["--engine", "native"]
        command = [Path(sys.executable).with_name("discovery"), "dock", *given, *how]
        began, before = time.perf_counter(), cpu_s()
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "JAX_COMPILATION_CACHE_DIR": str(cache), **_EVERY_PROGRAM},
        )
        return cpu_s() - before, time.perf_counter() - began


_EVERY_PROGRAM = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}  # as the engine sets for its own cache


def warm(protein: Path, ligand: Path) -> list[float]:
    """CPU-seconds of each drug after all have been docked once with another seed."""
    receptor, site = preparation.prepare(protein), Site.around_file(ligand)
    took = []
    for seed in (SEED + 1, SEED):
        took = []
        for name, smiles in DRUGS.items():
            start = time.process_time()
            dock(receptor, site, [Molecule.parse(smiles, name)], engine="native", seed=seed)
            took.append(time.process_time() - start)
    return took


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    protein, ligand = complexes(folder("docking/redock_sdf_dev60", args.data))
    numbers: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch, "programs")
        first = program(protein, ligand, cache, Path(scratch))
        if not args.quick:
            numbers |= {"first_cpu_s": first[0], "first_s": first[1]}
        runs = [program(protein, ligand, cache, Path(scratch)) for _ in range(1 if args.quick else 3)]
        numbers |= {
            "cold_cpu_s": statistics.median(run[0] for run in runs),
            "cold_s": statistics.median(run[1] for run in runs),
        }
    took = warm(protein, ligand)
    numbers |= {
        "warm_cpu_s_median": statistics.median(took),
        "warm_cpu_s_most": max(took),
        "ligands": len(took),
    }
    shown = {name: round(value, 2) for name, value in numbers.items()}
    record("first_pose", shown, seed=SEED)


if __name__ == "__main__":
    main()
