"""Do we put a known ligand back where the crystal shows it?

Answer    share of complexes whose first pose, and any of nine, lies within 2 Å of the crystal's
          (symmetry-aware, heavy atoms) and passes our plausibility checks; CPU-seconds per complex
Data      folders with NAME_protein.pdb and NAME_ligand.sdf each, such as the PoseBusters set; not shipped
Input     the ligand's SMILES: its conformer, protonation and torsions are made here, never the crystal's
Box       the crystal ligand + 4 Å on every side, at least 15 Å
Engines   by name, the same boxes and ligands: --engines vina,native
Energies  of every first pose judged by `vina` on explicit atoms, whichever engine found it
Failures  count as misses and are listed by reason; nothing leaves the denominator

    python -m tests.benchmarks.redocking --data FOLDER [--quick] [--engines vina] [--limit 60]

--quick takes the 6 complexes with the fewest atoms at low effort: 2 minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError
from docking import preparation
from docking.dock import build_engine, dock
from docking.engines.vina import VinaEngine
from docking.plausibility import check
from docking.pose import rmsd
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.record import record

NEAR = 2.0  # Å
QUICK = 6


@dataclass(frozen=True, slots=True)
class Crystal:
    """One complex."""

    name: str
    protein: Path
    ligand: Chem.Mol


def crystals(folder: Path) -> list[Crystal]:
    """Every complex in the folder, by name."""
    found = []
    for protein in sorted(folder.glob("*/*_protein.pdb")):
        ligand = protein.with_name(protein.name.replace("_protein.pdb", "_ligand.sdf"))
        with quiet_rdkit():
            mol = next(iter(Chem.SDMolSupplier(str(ligand))), None) if ligand.exists() else None
        if mol is not None:
            found.append(Crystal(protein.parent.name, protein, mol))
    if not found:
        raise SystemExit(f"{folder} holds no NAME/NAME_protein.pdb with NAME_ligand.sdf beside it")
    return found


def redock(one: Crystal, engine: str, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """One row: what came out, or why nothing did."""
    row: dict[str, Any] = {"name": one.name}
    receptor = preparation.prepare(one.protein)
    site = Site.around(one.ligand)
    start = time.process_time()
    try:
        molecule = Molecule.of(one.ligand, one.name)
    except MoleculeError as error:
        return {**row, "missing": error.reason.value}
    works = build_engine(engine, dict(settings))
    (docked,) = dock(receptor, site, [molecule], engine=works, seed=seed, n_poses=9)
    row["cpu_s"] = time.process_time() - start
    if isinstance(docked, Missing):
        return {**row, "missing": docked.reason.value}
    try:
        gaps = [rmsd(pose.mol(), one.ligand) for pose in docked.poses]
    except ValueError:  # standardising took a fragment or a charge away: no crystal to compare with
        return {**row, "missing": "other_skeleton"}
    first = docked.poses[0]
    return {
        **row,
        "rmsd": round(gaps[0], 3),
        "best_rmsd": round(min(gaps), 3),
        "plausible": check(first, receptor, site).plausible,
        "score": round(first.score, 3),
        "judged": round(VinaEngine().score(receptor, site, first.ligand, first.coords).terms["inter"], 3),
        "torsions": first.ligand.torsions,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares over all complexes; the missing ones count as misses."""
    found = [row for row in rows if "rmsd" in row]
    return {
        "complexes": len(rows),
        "first_within_2A": sum(row["rmsd"] <= NEAR for row in found) / len(rows),
        "first_within_2A_and_plausible": sum(row["rmsd"] <= NEAR and row["plausible"] for row in found)
        / len(rows),
        "any_within_2A": sum(row["best_rmsd"] <= NEAR for row in found) / len(rows),
        "first_plausible": sum(row["plausible"] for row in found) / len(rows),
        "median_rmsd_A": statistics.median(row["rmsd"] for row in found) if found else None,
        "median_cpu_s": statistics.median(row["cpu_s"] for row in rows if "cpu_s" in row) if found else None,
        "mean_inter_kcal_per_mol_by_vina": statistics.fmean(row["judged"] for row in found)
        if found
        else None,
        "missing": dict(Counter(row["missing"] for row in rows if "missing" in row)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument("--engines", default="vina")
    parser.add_argument("--exhaustiveness", type=int, default=8, help="of vina")
    parser.add_argument("--effort", default="balanced", help="of native")
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.data = folder("docking/redock_sdf_dev60", options.data)
    chosen = crystals(options.data)
    if options.quick:
        chosen = sorted(chosen, key=lambda one: (one.ligand.GetNumHeavyAtoms(), one.name))[:QUICK]
    for engine in options.engines.split(","):
        effort = {"exhaustiveness": 2 if options.quick else options.exhaustiveness}
        settings = effort if engine == "vina" else {"effort": "fast" if options.quick else options.effort}
        rows = []
        for one in chosen[: options.limit]:
            rows.append(redock(one, engine, settings, options.seed))
            print(json.dumps(rows[-1]), flush=True)
        numbers = summary(rows)
        record(
            "redocking",
            numbers,
            seed=options.seed,
            device="cpu",
            engine=engine,
            settings=settings,
            data=options.data.name,
            quick=options.quick,
        )
        print(engine, json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
