"""By how much does one ligand bind better than another? Relative binding free energies, short and on a CPU.

Answer    root mean square error of ligands about their mean and of edges against measured affinities,
          Kendall's tau, closure of cycles, CPU-minutes an edge
Data      folders SYSTEM/{protein.pdb, ligands_CHARGES.sdf, experimental_binding_data.json} of the public
          binding free energy benchmark (doi 10.1038/s42004-023-01019-9); not shipped
Poses     as given, aligned to a crystal ligand
Baseline  all ligands alike (the spread of the measured values), and heavy atoms with the best slope
          (fitted on the values it is judged on)
Failures  a ligand that no edge ties to the others is listed by reason and left out of the errors
Scaled    a run on a CPU is short of what the method needs: a pocket of a few Å, picoseconds a state where
          nanoseconds are usual; its figures say that the machinery is sound, not how good the method is
Chosen    the ligands before any was computed, the edges by the network's rule; side chains that stand otherwise
          with another ligand (valine 111 of T4 lysozyme) by the energy of each ligand's complex, as for any user
Published OpenFE 1.0: 0.59 (tyk2) and 0.69 kcal/mol (T4 lysozyme), 4.6 L40S-hours an edge

    python -m tests.benchmarks.rbfe [--data FOLDER] [--quick] [--system t4_lysozyme] [--ligands a,b,c]
        [--length-ps 5] [--keep 5] [--free 4] [--out FOLDER]

--quick takes three ligands and a picosecond a state. With --out a run that was killed goes on.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rdkit import Chem
from scipy.stats import kendalltau

from docking.dynamics.free_energy.exchange import Plan
from docking.dynamics.free_energy.network import combined
from docking.dynamics.free_energy.relative import Relative
from docking.dynamics.free_energy.relative_work import RelativeJob, work
from docking.dynamics.platform import Device, described
from docking.dynamics.protocol import Settings
from docking.dynamics.receptor_system import receptor_model
from tests.benchmarks.data import folder
from tests.benchmarks.mmgbsa import REFERENCE, from_file
from tests.benchmarks.record import options, record

CHOSEN = {
    "t4_lysozyme": "benzene,methyl benzene,ethyl benzene,propyl benzene,p-xylene",
    "tyk2": "ejm_31,ejm_42,ejm_43,ejm_46",
}


def judged(out: Path, measured: dict[str, float]) -> dict[str, Any]:
    """What the tables of a run say against measured affinities."""
    rows = [row for row in pq.read_table(out / "scores.parquet").to_pylist() if row["missing"] is None]
    lines = pq.read_table(out / "edges.parquet").to_pylist()
    ours = np.array([row["rbfe"] for row in rows])
    theirs = np.array([measured[row["id"]] for row in rows])
    heavy = np.array([float(row["heavy_atoms"]) for row in rows])
    ours, theirs, heavy = (x - x.mean() for x in (ours, theirs, heavy))
    slope = float(heavy @ theirs / max(heavy @ heavy, 1e-9))
    gaps = [
        line["difference"] - (measured[line["second"]] - measured[line["first"]])
        for line in lines
        if line["missing"] is None
    ]

    def rms(x: Any) -> float:
        return round(float(np.sqrt(np.mean(np.square(x)))), 3)

    cycles = json.loads((out / "cycles.json").read_text())
    place = {name: i for i, name in enumerate(measured)}
    told = [line for line in lines if line["missing"] is None]
    everything = combined(
        len(place),
        [(place[line["first"]], place[line["second"]]) for line in told],
        [line["difference"] for line in told],
        [line["error"] for line in told],
    ).closure
    return {
        "ligands": len(rows),
        "edges": len(lines),
        "edges_used": sum(bool(line["used"]) for line in lines),
        "edges_with_notes": sum(bool(line["notes"]) for line in lines),
        "rmse": rms(ours - theirs),
        "rmse_all_alike": rms(theirs),
        "rmse_heavy_atoms_fitted": rms(slope * heavy - theirs),
        "rmse_edges": rms(gaps),
        "tau": round(float(np.nan_to_num(kendalltau(ours, theirs).statistic)), 3),
        "cycle_closure": None if cycles["rms"] is None else round(cycles["rms"], 3),
        "cycle_closure_with_doubted": None if everything is None else round(everything, 3),
        "mean_error": round(float(np.mean([row["rbfe_error"] for row in rows])), 3),
        "weakest_overlap": round(
            min(line["weakest_overlap"] for line in lines if line["missing"] is None), 3
        ),
        "by_edge": {
            f"{line['first']} to {line['second']}": None
            if line["missing"]
            else [round(line[key], 2) for key in ("difference", "error", "symmetry")]
            for line in lines
        },
    }


def main() -> None:
    """Measure, print, record."""
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument("--system", default="t4_lysozyme", choices=tuple(CHOSEN))
    parser.add_argument("--ligands")
    parser.add_argument("--length-ps", type=float, default=5.0)
    parser.add_argument("--keep", type=float, default=5.0)
    parser.add_argument("--free", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    source = folder("dynamics/systems_dev", given.data) / given.system
    names = (given.ligands or CHOSEN[given.system]).split(",")[: 3 if given.quick else None]
    data = json.loads((source / "experimental_binding_data.json").read_text())
    measured = {name: float(data[name]["dg"]["magnitude"]) for name in names}
    file = str(source / f"ligands_{REFERENCE}.sdf")
    mols = {m.GetProp("_Name"): m for m in Chem.SDMolSupplier(file, removeHs=False)}
    charges = {name: from_file(mols[name], name) for name in names}
    length = 1.0 if given.quick else given.length_ps
    plan = Plan(
        iterations=max(8, round(length / 0.1)), steps=25, warm=50 if given.quick else 125, seed=given.seed
    )
    how = Relative(
        plan,
        Settings(
            charges=lambda mol, name: charges[name],
            keep=given.keep,
            free=given.free,
            device=Device(given.platform),
        ),
        cutoff=10.0,
    )
    model = receptor_model((source / "protein.pdb").read_text(), given.system)
    with tempfile.TemporaryDirectory() as scratch:
        out = given.out or Path(scratch) / "out"
        poses = Path(scratch) / "poses.sdf"
        poses.write_text("".join(Chem.MolToMolBlock(mols[name]) + "\n$$$$\n" for name in names))
        began, resumed = time.process_time(), (out / "simulation.json").exists()
        job = RelativeJob(model, given.system, how, REFERENCE)
        work(
            poses,
            out,
            job,
            resume=resumed,
            told=lambda n, said: print(n, said, flush=True),
        )
        numbers = judged(out, measured)
        spent = round((time.process_time() - began) / 60.0 / numbers["edges"], 2)
        numbers["cpu_min_per_edge"] = None if resumed else spent  # what came before the kill is not known
    numbers |= {"system": given.system, "ps_per_state": length, "ligand_names": names}
    record("rbfe", numbers, seed=given.seed, device=described(Device(given.platform)), charges=REFERENCE)


if __name__ == "__main__":
    main()
