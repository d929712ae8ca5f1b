"""What does it cost to bring a molecule into water? The free-energy machinery against measured hydration.

Answer    mean and root mean square error against experiment, kcal/mol; Pearson r; CPU-seconds a solute
Data      folder freesolv/ of the public benchmark (FreeSolv 0.52, doi 10.1007/s10822-014-9747-x); not shipped
Solutes   rigid (no rotatable bond), at most 8 heavy atoms, evenly spaced over the file's order
Baseline  the mean of the measured values for all
Failures  listed by reason, left out of the errors
Scaled    explicit water is run for picoseconds a state on a CPU, nanoseconds are usual: its errors are those
          of short runs
Published 1.54 kcal/mol, 642 solutes, GAFF, AM1-BCC and TIP3P (FreeSolv's own calculated column)

    python -m tests.benchmarks.hydration [--data FOLDER] [--quick] [--solvent implicit|explicit] [--limit 20]
        [--length-ps 2]

--quick takes 4 solutes and a fifth of the length.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from scipy.stats import pearsonr

from discovery.outcome import MoleculeError
from docking.dynamics.free_energy.exchange import Plan
from docking.dynamics.free_energy.hydration import hydration
from docking.dynamics.platform import Device, described
from docking.dynamics.protocol import Settings
from tests.benchmarks.data import folder
from tests.benchmarks.mmgbsa import REFERENCE, from_file
from tests.benchmarks.record import options, record


def solutes(source: Path, limit: int) -> list[Chem.Mol]:
    """Small and rigid ones, evenly spaced."""
    file = str(source / f"ligands_{REFERENCE}.sdf")
    chosen = [
        mol
        for mol in Chem.SDMolSupplier(file, removeHs=False)
        if mol.GetNumHeavyAtoms() <= 8
        and not rdMolDescriptors.CalcNumRotatableBonds(mol)
        and not Chem.GetFormalCharge(mol)
    ]
    return [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(limit, len(chosen))).astype(int)]


def main() -> None:
    """Measure, print, record."""
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument("--solvent", default="implicit", choices=("implicit", "explicit"))
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--length-ps", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU")
    given = parser.parse_args()
    source = folder("dynamics/systems_dev", given.data) / "freesolv"
    held = json.loads((source / "experimental_solvation_free_energy_data.json").read_text())
    measured = {entry["solute_name"]: float(entry["dg"]["magnitude"]) for entry in held.values()}
    length = given.length_ps / 5.0 if given.quick else given.length_ps
    plan = Plan(iterations=max(8, round(length / 0.1)), steps=25, warm=50, seed=given.seed)
    settings = Settings(charges=from_file, device=Device(given.platform))
    rows, failed, seconds = [], Counter[str](), []
    for mol in solutes(source, 4 if given.quick else given.limit):
        name = mol.GetProp("_Name")
        began = time.process_time()
        try:
            found = hydration(mol, given.solvent, plan, settings, padding=8.5, cutoff=8.0, name=name)
        except MoleculeError as error:
            failed[error.reason.value] += 1
            continue
        seconds.append(time.process_time() - began)
        rows.append((measured[name], found.value, found.error, found.ladder.weakest))
        print(Chem.MolToSmiles(Chem.RemoveHs(mol)), *(round(x, 2) for x in rows[-1]), flush=True)
    theirs, ours, errors, overlaps = np.array(rows).T
    numbers = {
        "solutes": len(rows),
        "solvent": given.solvent,
        "mean_error": round(float((ours - theirs).mean()), 3),
        "rmse": round(float(np.sqrt(np.mean((ours - theirs) ** 2))), 3),
        "rmse_mean_for_all": round(float(theirs.std()), 3),
        "r": round(float(pearsonr(theirs, ours).statistic), 3),
        "standard_error": round(float(errors.mean()), 3),
        "weakest_overlap": round(float(overlaps.min()), 3),
        "ps_per_state": length,
        "cpu_s_per_solute": round(float(np.mean(seconds)), 1),
        "failed": dict(failed),
    }
    record(
        "hydration" if given.solvent == "implicit" else "hydration_explicit",
        numbers,
        seed=given.seed,
        device=described(Device(given.platform)),
        charges=REFERENCE,
    )


if __name__ == "__main__":
    main()
