"""Do found pockets hold the ligand?

Answer    share of complexes whose first (any of the first three) pocket's middle lies within 4 Å of the crystal
          ligand's middle ("middle"), and of any of its heavy atoms ("atom", as the literature counts); share whose
          box holds all of the ligand's heavy atoms
Data      every fourth of redock_pdbqt_dev250 (DSDP @ cbcb515, Apache-2.0), which the weights never saw, and all of
          redock_sdf_dev60 (PoseBusters-Benchmark @ 51a7fc3, MIT); crystal ligand removed
Fit       --fit fits the sphere probabilities on the other three quarters of the 250 and writes them to the package
Baseline  fpocket, 70 to 80 % by "atom" among the first three in the literature; the same spheres ranked by their
          number in a hollow, without weights
Failures  count as misses

    python -m tests.benchmarks.pockets [--quick] [--fit]
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from discovery.files import publish
from docking import pdbqt, pockets, preparation
from docking.receptor import Receptor, ReceptorError
from tests.benchmarks.data import folder, nothing_measured
from tests.benchmarks.record import options, record
from tests.benchmarks.redocking import crystals
from tests.docking.complexes import SHARED, redocking

NEAR = 4.0  # Å
EVERY = 4
ON_LIGAND = 3.0  # Å from a ligand's atom to a sphere that counts as the ligand's
SPHERES = 1200  # most of one complex that take part in the fit, beside the ligand's
RIDGE = 1.0
WEIGHTS = Path(pockets.__file__).parent / "data" / "pockets.json"


def held(text: str) -> np.ndarray:
    structure = pdbqt.read(text)
    return structure.coords[[kind not in ("H", "HD", "HS") for kind in structure.types]]


def fit() -> None:
    """Newton's method for the penalised logistic regression."""
    rng, rows, truth = np.random.default_rng(0), [], []
    for number, case in enumerate(redocking()):
        if number % EVERY == 0:
            continue
        structure = pdbqt.read(case.receptor)
        heavy = np.array([kind not in ("H", "HD", "HS", "W") for kind in structure.types])
        coords, types = structure.coords[heavy], np.array(structure.types)[heavy]
        centers, radii = pockets.spheres(coords)
        there = cKDTree(held(case.ligand)).query(centers)[0] < ON_LIGAND
        some = np.union1d(rng.permutation(len(centers))[:SPHERES], np.flatnonzero(there))
        rows.append(pockets.features(coords, types, centers[some], radii[some]))
        truth.append(there[some])
        pdbqt.read.cache_clear()
    x, y = np.concatenate(rows), np.concatenate(truth).astype(float)
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = np.concatenate([np.ones((len(x), 1)), (x - middle) / spread], axis=1)
    w, ridge = np.zeros(z.shape[1]), RIDGE * np.diag([0.0, *np.ones(z.shape[1] - 1)])
    for _ in range(15):
        p = 1.0 / (1.0 + np.exp(-z @ w))
        w -= np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + ridge, z.T @ (p - y) + ridge @ w)
    plain = w[1:] / spread
    card = {
        "about": "log-odds that a ligand's atom lies within 3 Å of an alpha sphere; intercept, then features in order",
        "data": "three of every four of redock_pdbqt_dev250 (DSDP @ cbcb515, Apache-2.0)",
        "command": "python -m tests.benchmarks.pockets --fit",
        "complexes": len(rows),
        "spheres": len(y),
        "weights": [float(f"{value:.6g}") for value in [w[0] - plain @ middle, *plain]],
    }
    publish(WEIGHTS, (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())


def measured(receptor: Receptor, ligand: np.ndarray) -> dict[str, Any]:
    """One row of the benchmark."""
    start = time.process_time()
    try:
        found = pockets.find(receptor, 5)
    except ReceptorError:
        found = ()
    spent = time.process_time() - start
    middle = ligand.mean(axis=0)
    by_middle = [float(np.linalg.norm(np.subtract(p.center, middle))) for p in found]
    by_atom = [float(np.linalg.norm(ligand - p.center, axis=1).min()) for p in found]
    inside = [p.site().contains(ligand) for p in found]
    return {
        "cpu_s": spent,
        **{f"middle_{k}": min(by_middle[:k], default=99.0) <= NEAR for k in (1, 3, 5)},
        **{f"atom_{k}": min(by_atom[:k], default=99.0) <= NEAR for k in (1, 3, 5)},
        **{f"box_{k}": any(inside[:k]) for k in (1, 3, 5)},
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    shares = {key: round(float(np.mean([row[key] for row in rows])), 3) for key in rows[0] if key != "cpu_s"}
    return {
        "complexes": len(rows),
        **shares,
        "cpu_s_median": round(float(np.median([row["cpu_s"] for row in rows])), 2),
    }


def main() -> None:
    parser = options(__doc__, "12 complexes of the first set, nothing recorded")
    parser.add_argument("--fit", action="store_true", help="fit the weights, measure nothing")
    args = parser.parse_args()
    if not SHARED.is_dir():
        nothing_measured("the redocking sets of ../shared/data/docking are absent")
    if args.fit:
        fit()
        return
    kept_aside = redocking()[::EVERY][: 12 if args.quick else None]
    rows = [measured(Receptor(c.name, "", c.receptor), held(c.ligand)) for c in kept_aside]
    if args.quick:
        print(json.dumps(summary(rows), indent=1))
        return
    record("pockets", summary(rows), data="redock_pdbqt_dev250, every fourth")
    rows = []
    for one in crystals(folder("docking/redock_sdf_dev60")):
        ligand = one.ligand.GetConformer().GetPositions()
        heavy = [atom.GetAtomicNum() > 1 for atom in one.ligand.GetAtoms()]
        rows.append(measured(preparation.prepare(one.protein), ligand[heavy]))
    record("pockets", summary(rows), data="redock_sdf_dev60")


if __name__ == "__main__":
    main()
