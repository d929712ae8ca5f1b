"""Are our energies AutoDock Vina's?

Answer    largest |ours - `vina` score()| of affinity, inter and intra over all complexes at their crystal pose, and the
          share within 1e-3 kcal/mol: among explicit receptor atoms, and on the grid (0.375 Å, trilinear) that both
          build from the receptor
Data      redock_pdbqt_dev250 (DSDP @ cbcb515, Apache-2.0) and Vina's own examples, a macrocycle among them
Judge     the `vina` package, which rounds to three decimals
Failures  count as misses

    python -m tests.benchmarks.docking_parity [--quick] [--complexes 250]
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from docking import maps, pdbqt
from docking.energy import VINA, Atoms, affinity, score
from tests.benchmarks.data import nothing_measured
from tests.benchmarks.record import Kept, options, record
from tests.docking.complexes import SHARED, Complex, examples, redocking
from tests.docking.test_energy import atoms, by_vina, tree

AGREE = 1e-3  # kcal/mol
QUICK = 12


def rows(case: Complex) -> dict[str, float]:
    """|ours - theirs| of one complex."""
    ligand, receptor = tree(case.ligand), atoms(case.receptor)
    ours, theirs = score(VINA, ligand, receptor), by_vina(case)
    low, high = ligand.coords.min(axis=0), ligand.coords.max(axis=0)
    types = sorted({maps.as_on_grid(k) for k in ligand.xs.tolist()} - {-1})
    grid = maps.build(VINA, receptor, (low + high) / 2, np.ceil(high - low + 0.5), types, exact=True)
    inter = maps.grid_energy(grid, Atoms(ligand.coords, ligand.xs))
    total = float(affinity(inter, ligand.rotors, VINA.weights["rotor"]))
    on_grid = by_vina(case, grid=True)
    pdbqt.read.cache_clear()
    gaps = {
        "explicit_total": abs(ours.total - theirs.total),
        "explicit_inter": abs(ours.inter - theirs.inter),
        "explicit_intra": abs(ours.intra - theirs.intra),
        "grid_total": abs(total - on_grid.total),
        "grid_inter": abs(inter - on_grid.inter),
        "grid_intra": abs(ours.intra - on_grid.intra),
    }
    return {key: round(float(gap), 5) for key, gap in gaps.items()}


def main() -> None:
    parser = options(__doc__, f"{QUICK} complexes")
    parser.add_argument("--complexes", type=int, default=250)
    parser.add_argument("--keep", type=Path, help="JSON lines of what was measured; read first, added to")
    args = parser.parse_args()
    if not SHARED.is_dir():
        nothing_measured("the redocking sets of ../shared/data/docking are absent")
    order = np.random.default_rng(1).permutation(250)[: QUICK - 5 if args.quick else args.complexes]
    cases = [*examples(), *(redocking()[k] for k in order)]
    known = Kept(args.keep, "name")
    found = [known.row((case.name,), partial(rows, case)) for case in cases]
    numbers: dict[str, Any] = {"complexes": len(found)}
    for key in (key for key in found[0] if key != "name"):
        gaps = np.array([row[key] for row in found])
        numbers[f"{key}_largest"] = round(float(gaps.max()), 5)
        numbers[f"{key}_within_1e-3"] = round(float((gaps <= AGREE).mean()), 4)
    record("docking_parity", numbers, seed=1)


if __name__ == "__main__":
    main()
