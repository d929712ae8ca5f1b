"""Are our charges those of the reference programs?

Answer    root mean square difference per molecule to antechamber's and OpenEye's AM1-BCC and to OpenEye's
          ELF10 average, in e; share of molecules within 0.005 e of the nearer AM1-BCC; CPU-seconds
Data      folders SYSTEM/ligands_{antechamber_am1bcc,openeye_am1bcc,openeye_am1bccelf10}.sdf; not shipped
Start     the conformer in the file, as the references did; "own" is a conformer of ours instead
Baseline  the two references against each other
Failures  listed by reason; molecules whose nitro groups the references drew as dianions are left out and counted

    python -m tests.benchmarks.charges --data FOLDER [--quick] [--method graph]

--method is am1-bcc (the default), am1-bcc-elf or graph. The graph model was trained on the ELF10 charges of FreeSolv
and on ours for other molecules: it saw no ligand of the targets, and none like one. T4 lysozyme's are so small that
some are in FreeSolv; they are not in the mean over targets.
--quick takes every 60th solute of FreeSolv and one ligand of each target.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.outcome import MoleculeError
from docking.dynamics.parameters.am1 import Mopac
from docking.dynamics.parameters.charges import Charges, am1_bcc, am1_bcc_elf, graph_charges
from tests.benchmarks.data import folder
from tests.benchmarks.mmgbsa import from_file
from tests.benchmarks.record import cpu_s, options, record

REFERENCES = ("antechamber_am1bcc", "openeye_am1bcc", "openeye_am1bccelf10")
TARGETS = ("tyk2", "cdk2", "mcl1", "thrombin", "hif2a", "t4_lysozyme")
SEEN = ("t4_lysozyme",)  # in part, by the graph model
DIANIONS = Chem.MolFromSmarts("[O-]N[O-]")


def by_graph(mol: Chem.Mol, name: str, *, mopac: Mopac) -> Charges:
    """No quantum chemistry: MOPAC is not asked."""
    return graph_charges(mol, name)


METHODS = {"am1-bcc": am1_bcc, "am1-bcc-elf": am1_bcc_elf, "graph": by_graph}


def rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(a - b))))


def measure(folder: Path, every: int, charges: Any) -> dict[str, Any]:
    """One set of molecules."""
    sets = [
        {
            m.GetProp("_Name"): m
            for m in Chem.SDMolSupplier(str(folder / f"ligands_{name}.sdf"), removeHs=False)
        }
        for name in REFERENCES
    ]
    rows, peers, failed, odd = [], [], Counter(), 0
    began = cpu_s()
    with Mopac() as mopac:
        for name in list(sets[0])[::every]:
            mols = [found.get(name) for found in sets]
            if any(m is None for m in mols):
                continue
            if mols[0].HasSubstructMatch(DIANIONS):
                odd += 1
                continue
            try:
                ours = charges(mols[0], name, mopac=mopac).values
            except MoleculeError as error:
                failed[error.reason.value] += 1
                continue
            theirs = [from_file(m, name).values for m in mols]
            rows.append([rms(ours, one) for one in theirs])
            peers.append(rms(*theirs[:2]))
    spent = cpu_s() - began
    table = np.array(rows)
    nearer = table[:, :2].min(axis=1)
    return {
        "n": len(rows),
        "median_nearer": round(float(np.median(nearer)), 5),
        "share_within_0.005": round(float(np.mean(nearer < 0.005)), 3),
        "worst_nearer": round(float(nearer.max()), 4),
        "p90_openeye_am1bccelf10": round(float(np.quantile(table[:, 2], 0.9)), 5),
        **{
            f"median_{name}": round(float(x), 5)
            for name, x in zip(REFERENCES, np.median(table, axis=0), strict=True)
        },
        "references_apart": round(float(np.median(peers)), 5),
        "cpu_s": round(spent / max(1, len(rows)), 4),
        "failed": dict(failed),
        "left_out": odd,
    }


def main() -> None:
    """Measure, print, record."""
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument(
        "--every", type=int, default=6, help="of FreeSolv; every third of that of the targets"
    )
    parser.add_argument("--method", choices=METHODS, default="am1-bcc")
    chosen = parser.parse_args()
    chosen.data = folder("dynamics/systems_dev", chosen.data)
    solutes, ligands = (60, 1000) if chosen.quick else (chosen.every, 3 * chosen.every)
    numbers = {"freesolv": measure(chosen.data / "freesolv", solutes, METHODS[chosen.method])}
    for target in TARGETS:
        numbers[target] = measure(chosen.data / target, ligands, METHODS[chosen.method])
    unseen = [numbers[target] for target in TARGETS if target not in SEEN]
    weights = [one["n"] for one in unseen]
    elf = float(np.average([one["median_openeye_am1bccelf10"] for one in unseen], weights=weights))
    record(
        "charges",
        {
            "freesolv_median_nearer": numbers["freesolv"]["median_nearer"],
            "targets_median_elf10": round(elf, 5),
            "sets": numbers,
        },
        method=chosen.method,
    )


if __name__ == "__main__":
    main()
