"""Which poses does docking offer, near and far from the crystal's? What the rescoring is learned from.

Answer    one file for each complex, as docking.rescoring.fitting reads them; nothing is recorded
Data      redock_sdf_dev60: ligands from their SMILES, effort balanced
          redock_pdbqt_dev250: crystal bond lengths and angles, random starts, effort fast
Budget    about 8 CPU-seconds a complex; a run that was stopped goes on

    python -m tests.benchmarks.candidates --out FOLDER
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from discovery.files import publish
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError
from docking import pdbqt, preparation
from docking.atom_types import Floats
from docking.energy import FUNCTIONS
from docking.engines.native import NativeEngine, Place, Subject, find, keep_programs
from docking.ligand import prepare
from docking.pose import rmsd, with_coords
from docking.receptor import Receptor
from docking.rescoring.fitting import skeleton
from docking.rescoring.order import CANDIDATES
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.record import options
from tests.benchmarks.redocking import Crystal, crystals
from tests.docking.complexes import bare

SEED = 1
ANY = 200.0  # kcal/mol above the best; all that refinement leaves are kept


def from_smiles(one: Crystal) -> dict[str, Any]:
    """Poses of a complex whose ligand has bond orders.

    Raises
    ------
    MoleculeError
        If the ligand cannot be prepared or docked.
    """
    receptor = preparation.prepare(one.protein)
    (ligand,) = prepare(Molecule.of(one.ligand, one.name), most_shapes=1)
    engine = NativeEngine("balanced", energy_range=ANY)
    poses = engine.dock(receptor, Site.around(one.ligand), ligand, seed=SEED, n_poses=CANDIDATES)
    return {
        "name": one.name,
        "ligand": ligand.pdbqt,
        "receptor": receptor.pdbqt,
        "poses": [ligand.docked(pose.coords).round(4).tolist() for pose in poses],
        "away": [rmsd(one.ligand, pose.mol()) for pose in poses],
    }


def from_pdbqt(name: str, receptor: str, ligand: str) -> dict[str, Any]:
    """Poses of a complex whose ligand is a PDBQT."""
    structure = pdbqt.read(ligand)
    site = Site.around(structure.coords, margin=4.0, smallest=15.0)
    place = Place(Receptor(name, "", receptor), site, FUNCTIONS["vina"])
    poses = [coords for coords, _ in find(place, Subject.alone(bare(name, ligand), SEED), "fast", CANDIDATES)]
    return {
        "name": name,
        "ligand": ligand,
        "receptor": receptor,
        "poses": [coords.round(4).tolist() for coords in poses],
        "away": away(structure, poses),
    }


def away(structure: pdbqt.Structure, poses: list[Floats]) -> list[float]:
    """Å between each pose and where the ligand was read, equal atoms exchanged."""
    crystal = skeleton(structure)
    heavy = [i for i, kind in enumerate(structure.types) if kind not in ("H", "HD")]
    return [rmsd(crystal, with_coords(crystal, np.asarray(coords)[heavy])) for coords in poses]


def main() -> None:
    parser = options(__doc__, "three complexes of each set")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    keep_programs()
    some = slice(3 if args.quick else None)
    jobs: list[tuple[str, Any, tuple[Any, ...]]] = [
        (one.name, from_smiles, (one,)) for one in crystals(folder("docking/redock_sdf_dev60"))[some]
    ]
    for place in sorted(folder("docking/redock_pdbqt_dev250").iterdir())[some]:
        texts = [(place / f"{place.name}_{part}.pdbqt").read_text() for part in ("protein", "ligand")]
        jobs.append((place.name, from_pdbqt, (place.name, *texts)))
    for name, work, given in jobs:
        path = args.out / f"{name}.json"
        if path.exists():
            continue
        try:
            with quiet_rdkit():
                found = work(*given)
        except (
            MoleculeError,
            ValueError,
        ) as error:  # ValueError: prepared another skeleton than the crystal's
            print(f"{name}: {error}", flush=True)
            continue
        publish(path, json.dumps(found).encode())
        print(f"{name}: {len(found['poses'])} poses, the nearest {min(found['away']):.1f} Å away", flush=True)


if __name__ == "__main__":
    main()
