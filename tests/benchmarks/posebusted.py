"""What does PoseBusters find wrong with a pose? The judge of the redocking benchmark.

References
----------
.. [1] M. Buttenschoen, G. Morris, C. Deane, Chem. Sci. 15 (2024) 3130, doi:10.1039/D3SC04185A
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import posebusters
import yaml  # type: ignore[import-untyped]
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from docking.pose import Pose


@lru_cache(maxsize=1)
def judge() -> Any:
    """The redocking configuration without the distance to the crystal's pose, which says nothing of plausibility."""
    path = Path(posebusters.__file__).parent / "config" / "redock.yml"
    config = yaml.safe_load(path.read_text())
    config["modules"] = [module for module in config["modules"] if module["function"] != "rmsd"]
    return posebusters.PoseBusters(config)


def busted(pose: Pose, crystal: Chem.Mol, protein: Path, scratch: Path) -> list[str]:
    """Names of the checks that a pose fails, beside its crystal's ligand and the protein as it was given."""
    found, true = scratch / "pose.sdf", scratch / "crystal.sdf"
    found.write_text(pose.sdf())
    with Chem.SDWriter(str(true)) as writer:
        writer.write(crystal)
    with warnings.catch_warnings(), quiet_rdkit():
        warnings.simplefilter("ignore")
        verdict = judge().bust(found, true, protein).iloc[0]
    return [str(name) for name, passed in verdict.items() if not bool(passed)]
