"""Does MM-GBSA know the crystal's pose among twenty wrong ones?

Answer    share of complexes whose lowest energy, after settling, belongs to a pose within 2 Å of the
          crystal's (symmetry-aware, heavy atoms, before settling); CPU-seconds per complex
Data      folders with NAME_protein.pdb and NAME_ligand.sdf each, such as the PoseBusters set; not shipped
Decoys    poses of our own docking engine further than 2 Å from the crystal's, at most 20, best score first;
          docked poses nearer than 2 Å stay and count as the crystal's
Baseline  the share of crystal-like poses among all (a blind choice), and the docking engine's own first pose
Failures  a complex with no decoys, no receptor mechanics or no energy for the crystal's pose is a miss, by reason
Published 69 % of 98 complexes (Hou, Wang, Li, Wang, J. Comput. Chem. 32, 866 (2011), PMC3043139)

    python -m tests.benchmarks.pose_choice [--data FOLDER] [--quick] [--limit 20] [--charges graph]

--quick takes the 2 smallest ligands with 6 decoys each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError
from docking import preparation
from docking.dock import dock
from docking.dynamics.charges import Charges, Method, method
from docking.dynamics.platform import Device, described
from docking.dynamics.protocol import Settings, rescore
from docking.dynamics.receptor_system import receptor_model
from docking.pose import rmsd, same_atoms
from docking.receptor import ReceptorError
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.record import record
from tests.benchmarks.redocking import Crystal, crystals

NEAR = 2.0  # Å
DECOYS = 20


def in_the_crystal(docked: Chem.Mol, crystal: Chem.Mol) -> Chem.Mol:
    """The docked species, all hydrogens explicit, where the crystal shows its heavy atoms."""
    bare = Chem.RemoveHs(docked)
    bare.RemoveAllConformers()
    seen = [a.GetIdx() for a in crystal.GetAtoms() if a.GetAtomicNum() > 1]
    pairing = same_atoms(Chem.RemoveHs(docked), crystal)[0]
    conformer = Chem.Conformer(bare.GetNumAtoms())
    for i, j in enumerate(pairing):
        conformer.SetAtomPosition(i, crystal.GetConformer().GetAtomPosition(seen[int(j)]))
    bare.AddConformer(conformer)
    return Chem.AddHs(bare, addCoords=True)


def choose(one: Crystal, charges: Method, decoys: int, seed: int) -> dict[str, Any]:
    """One complex: who wins, or why it is a miss."""
    row: dict[str, Any] = {"name": one.name, "right": False}
    began = time.process_time()
    try:
        receptor = preparation.prepare(one.protein)
        model = receptor_model(receptor.pdb, receptor.name)
        molecule = Molecule.of(one.ligand, one.name)
    except (MoleculeError, ReceptorError) as error:
        return {**row, "missing": type(error).__name__, "detail": str(error)}
    (found,) = dock(
        receptor, Site.around(one.ligand), [molecule], engine="native", effort="fast", seed=seed, n_poses=40
    )
    if isinstance(found, Missing):
        return {**row, "missing": found.reason.value, "detail": found.detail}
    try:
        gaps = [rmsd(pose.mol(), one.ligand) for pose in found.poses]
    except ValueError:
        return {**row, "missing": "other_skeleton"}
    wrong = [p.mol() for p, gap in zip(found.poses, gaps, strict=True) if gap > NEAR][:decoys]
    right = [p.mol() for p, gap in zip(found.poses, gaps, strict=True) if gap <= NEAR]
    if not wrong:
        return {**row, "missing": "no_decoys"}
    right.insert(0, in_the_crystal(found.poses[0].mol(), one.ligand))
    held: dict[str, Charges] = {}

    def once(mol: Chem.Mol, name: str) -> Charges:
        """One molecule in two orders of atoms, the docked poses' and the crystal's: two calculations."""
        order = "".join(a.GetSymbol() for a in mol.GetAtoms())
        if order not in held:
            held[order] = charges(mol, name)
        return held[order]

    energies, failed = [], Counter[str]()
    for mol in [*right, *wrong]:
        try:
            energies.append(rescore(model, mol, Settings(charges=once), name=one.name).energy.total)
        except (MoleculeError, ReceptorError) as error:
            failed[getattr(getattr(error, "reason", None), "value", type(error).__name__)] += 1
            energies.append(np.inf)
    best = int(np.argmin(energies))
    return {
        **row,
        "right": bool(best < len(right) and np.isfinite(energies[0])),
        "crystal": round(float(energies[0]), 2) if np.isfinite(energies[0]) else None,
        "best_decoy": round(float(np.min(energies[len(right) :])), 2),
        "decoys": len(wrong),
        "blind": round(len(right) / len(energies), 3),
        "docking_right": bool(gaps[0] <= NEAR),
        "failed": dict(failed),
        "cpu_s": round(time.process_time() - began, 1),
    }


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--charges", default="graph")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    given.data = folder("docking/redock_sdf_dev60", given.data)
    chosen = sorted(crystals(given.data), key=lambda one: one.name)
    chosen = [one for one in chosen if one.ligand.GetNumHeavyAtoms() <= 35]
    if given.quick:
        chosen = sorted(chosen, key=lambda one: (one.ligand.GetNumHeavyAtoms(), one.name))[:2]
    rows = []
    for one in chosen[: given.limit]:
        rows.append(choose(one, method(given.charges), 6 if given.quick else DECOYS, given.seed))
        print(json.dumps(rows[-1]), flush=True)
    judged = [row for row in rows if "decoys" in row]
    numbers = {
        "complexes": len(rows),
        "crystal_first": round(sum(row["right"] for row in rows) / len(rows), 3),
        "blind": round(float(np.mean([row["blind"] for row in judged])), 3) if judged else None,
        "docking_first": round(sum(row.get("docking_right", False) for row in rows) / len(rows), 3),
        "decoys": round(float(np.mean([row["decoys"] for row in judged])), 1) if judged else None,
        "cpu_s": round(float(np.mean([row["cpu_s"] for row in judged])), 1) if judged else None,
        "missing": dict(Counter(row["missing"] for row in rows if "missing" in row)),
    }
    print(json.dumps(numbers, indent=1))
    record(
        "pose_choice",
        numbers,
        seed=given.seed,
        device=described(Device()),
        charges=given.charges,
        quick=given.quick,
        headline=["crystal_first", "blind", "docking_first"],
    )


if __name__ == "__main__":
    main()
