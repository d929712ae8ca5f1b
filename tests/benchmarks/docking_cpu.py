"""Does our engine find what AutoDock Vina finds, in fewer CPU-seconds?

Answer    CPU-seconds per complex of both, and by how much our best energy lies above theirs
Data      redock_pdbqt_dev250 (DSDP @ cbcb515, Apache-2.0): drawn with a fixed seed from the complexes with
          10 to 34 heavy atoms and at most 12 torsions, without those the search was tuned on; crystal bond lengths and angles, random starts
Baseline  `vina`, exhaustiveness 8, one core, same box (ligand + 4 Å a side, 15 Å at least), same run
Judge     `vina`'s own score() of both programs' poses, explicit receptor atoms: never our numbers.
          objective: lowest inter + intra of 9 poses, which is what both programs minimise
          affinity: lowest affinity of 9 poses
Budget    --quick: 3 complexes, about 2 minutes; full: 40 complexes. With --keep FILE a run may be stopped and
          taken up again, and --so-far records the complexes done; both programs are timed in CPU-seconds of one process, set-up and maps included
Failures  count as misses
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import vina

from docking import maps, pdbqt
from docking.energy import FUNCTIONS
from docking.engines.native import Place, find, keep_programs, rows_of, shape_of
from docking.receptor import Receptor
from docking.site import Site
from docking.tree import read_tree
from tests.benchmarks.data import nothing_measured
from tests.benchmarks.record import record
from tests.docking.complexes import SHARED, Complex, redocking

SEED = 2026
POSES = 9
TUNED = frozenset(["1e7w", "1h5n", "1ho5", "1nv8", "1vh3", "1z7y", "2g0b", "2w0u", "2wu1", "3otb"])


def chosen(count: int) -> list[Complex]:
    """The same complexes in the same order on every machine."""
    fit = []
    for case in redocking():
        types = pdbqt.read(case.ligand).types
        heavy = sum(kind not in ("H", "HD") for kind in types)
        if 10 <= heavy <= 34 and len(pdbqt.read(case.ligand).branches) <= 12:
            fit.append(case)
    order = np.random.default_rng(SEED).permutation(len(fit))
    return [fit[i] for i in order if fit[i].name not in TUNED][:count]


def box(case: Complex) -> Site:
    return Site.around(pdbqt.read(case.ligand).coords, margin=4.0, smallest=15.0)


def loaded(case: Complex, site: Site, seed: int = 1) -> vina.Vina:
    return loaded_at(case.receptor, site, seed)


def loaded_at(receptor: str, site: Site, seed: int) -> vina.Vina:
    """`vina` with the maps of a receptor's PDBQT about a site."""
    program = vina.Vina("vina", cpu=1, seed=seed, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "receptor.pdbqt")
        path.write_text(receptor)
        program.set_receptor(str(path))
    program.compute_vina_maps(list(site.center), list(site.size))
    return program


def shape(case: Complex) -> tuple[int, ...]:
    """What our programs are compiled for."""
    tree, site = read_tree(pdbqt.read(case.ligand)), box(case)
    low, high = maps.span(site.center, site.size)
    points = int(np.prod(np.rint((high - low) / maps.SPACING) + 1))
    return *shape_of(tree, case.name), rows_of(points, len(maps.types_of(tree.xs)))


def by_vina(case: Complex, exhaustiveness: int) -> tuple[float, list[str]]:
    """CPU-seconds, and the poses as PDBQT."""
    start = time.process_time()
    program = loaded(case, box(case))
    program.set_ligand_from_string(case.ligand)
    program.dock(exhaustiveness=exhaustiveness, n_poses=POSES)
    text = program.poses(n_poses=POSES)
    spent = time.process_time() - start
    return spent, [pdbqt.moved(case.ligand, model.coords) for model in pdbqt.read_models(text)]


def by_us(case: Complex, effort: str, seed: int) -> tuple[float, list[str]]:
    """CPU-seconds, and the poses as PDBQT."""
    pdbqt.read.cache_clear()
    start = time.process_time()
    tree = read_tree(pdbqt.read(case.ligand))
    place = Place(Receptor(case.name, "", case.receptor), box(case), FUNCTIONS["vina"])
    answer = find(place, tree, case.name, seed, effort, POSES)
    spent = time.process_time() - start
    return spent, [pdbqt.moved(case.ligand, coords) for coords, _ in answer]


def judged(case: Complex, poses: list[str]) -> dict[str, float]:
    """The lowest of the poses' energies, by `vina`."""
    program = loaded(case, box(case))
    answers = []
    for pose in poses:
        program.set_ligand_from_string(pose)
        answers.append(program.score())
    return {
        "objective": min(float(answer[1] + answer[5]) for answer in answers),
        "affinity": min(float(answer[0]) for answer in answers),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 complexes")
    parser.add_argument("--complexes", type=int, default=40)
    parser.add_argument("--effort", default="balanced", choices=["fast", "balanced", "thorough"])
    parser.add_argument("--only", choices=["vina", "native"], help="measure one program, record nothing")
    parser.add_argument("--keep", type=Path, help="JSON lines of what was measured; read first, added to")
    parser.add_argument(
        "--so-far", action="store_true", help="record what FILE holds of both, measure nothing"
    )
    args = parser.parse_args()
    if not SHARED.is_dir():
        nothing_measured("the redocking sets of ../shared/data/docking are absent")
    keep_programs()
    cases = chosen(3 if args.quick else args.complexes)
    known: dict[tuple[str, str], dict[str, Any]] = {}
    if args.keep and args.keep.exists():
        for line in args.keep.read_text().splitlines():
            row = json.loads(line)
            known[row["program"], row["name"]] = row
    ours = f"native {args.effort}"
    compiled: set[tuple[int, ...]] = set()
    if args.so_far:
        cases = [case for case in cases if all((program, case.name) in known for program in ("vina", ours))]
    for case in cases:
        for program in ("vina", ours):
            if (program, case.name) in known or (args.only and args.only not in program):
                continue
            if program == ours:
                if shape(case) not in compiled:
                    by_us(case, args.effort, SEED + 1)  # compiles, so that what follows is warm
                    compiled.add(shape(case))
                spent, poses = by_us(case, args.effort, SEED)
            else:
                spent, poses = by_vina(case, 8)
            row = {"program": program, "name": case.name, "cpu_s": spent, **judged(case, poses)}
            known[program, case.name] = row
            print(json.dumps(row), flush=True)
            if args.keep:
                with args.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    if not args.only:
        pairs = [(known[ours, case.name], known["vina", case.name]) for case in cases]
        record("docking_cpu", summary(pairs) | {"effort": args.effort}, seed=SEED, device=processor())


def summary(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, float]:
    mine, theirs = (np.array([pair[k]["cpu_s"] for pair in pairs]) for k in (0, 1))
    higher = {
        what: np.array([one[what] - other[what] for one, other in pairs])
        for what in ("objective", "affinity")
    }
    numbers = {
        "complexes": len(pairs),
        "cpu_s_median": float(np.median(mine)),
        "cpu_s_mean": float(mine.mean()),
        "vina_cpu_s_median": float(np.median(theirs)),
        "vina_cpu_s_mean": float(theirs.mean()),
        "times_fewer_median": float(np.median(theirs / mine)),
        "times_fewer_total": float(theirs.sum() / mine.sum()),
    }
    for what, by in higher.items():
        numbers[f"{what}_within_0.1_share"] = float((by <= 0.1).mean())
        numbers[f"{what}_above_vina_mean"] = float(by.mean())
        numbers[f"{what}_above_vina_worst"] = float(by.max())
    return {name: round(value, 3) for name, value in numbers.items()}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return f"CPU, one core: {line.split(':', 1)[1].strip()}"
    return f"CPU, one core: {platform.machine()}"


if __name__ == "__main__":
    main()
