"""Does a docking engine keep its promise? For ours and for other people's.

    from docking.engines.conformance import check_engine
    assert check_engine("my_engine", {"effort": "fast"}) == []

Two small ligands are docked into the demo target, alone, together and in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from discovery import plugins
from discovery.ledger import canonical
from discovery.molecule import Molecule
from discovery.outcome import Missing
from docking import demo_target
from docking.engines.engine import Engine, dock_all
from docking.ligand import Ligand, prepare
from docking.pose import Pose
from docking.site import Site

PROBES = (("tryptamine", "NCCc1c[nH]c2ccccc12"), ("paracetamol", "CC(=O)Nc1ccc(O)cc1"))
SMALL = 14.0  # Å: an edge of the box, so that the check takes seconds
VOXEL = 0.375  # Å: an engine may round its box up to whole grid cells, as Vina does
RMSD = 1e-3  # Å: single precision may differ by less from batch to batch


def check_engine(name: str, settings: Mapping[str, Any] | None = None, *, seed: int = 3) -> list[str]:
    """Complaints about an engine; empty when it conforms.

    Parameters
    ----------
    name : as it is registered
    settings : plain JSON values, as a campaign's file gives them
    seed : of the docking that is compared
    """
    try:
        engine = plugins.build("engines", name, settings)
    except plugins.PluginError as error:
        return [str(error)]
    complaints: list[str] = []
    if not isinstance(getattr(engine, "name", None), str) or not engine.name:
        complaints.append("`name` must be a text that is not empty")
    try:
        canonical(dict(engine.settings))
    except (TypeError, ValueError, AttributeError) as error:
        complaints.append(f"`settings` must be plain JSON values: {error}")
    if complaints:
        return complaints

    receptor = demo_target.receptor()
    site = Site(demo_target.site().center, (SMALL, SMALL, SMALL))
    ligands = [prepare(Molecule.parse(smiles, shown))[0] for shown, smiles in PROBES]
    alone = [list(engine.dock(receptor, site, ligand, seed=seed, n_poses=3)) for ligand in ligands]
    for ligand, poses in zip(ligands, alone, strict=True):
        complaints += _about_poses(engine, ligand, poses, site)
    if complaints:
        return complaints
    other = plugins.build("engines", name, settings)
    again = list(other.dock(receptor, site, ligands[0], seed=seed, n_poses=3))
    if not _same(alone[0], again):
        complaints.append(f"{PROBES[0][0]}: built anew, with the same seed, it finds other poses")
    together = dock_all(other, receptor, site, ligands[::-1], seed=seed, n_poses=3)
    for (shown, _), poses, outcome in zip(PROBES, alone, together[::-1], strict=True):
        if isinstance(outcome, Missing):
            complaints.append(
                f"{shown}: docked alone it has poses, beside another ligand it has none: {outcome.detail}"
            )
        elif not _same(poses, list(outcome)):
            complaints.append(f"{shown}: beside another ligand it finds other poses")
    best = alone[0][0]
    rescored = engine.score(receptor, site, ligands[0], best.coords)
    if not np.isfinite(rescored.score) or float(np.abs(rescored.coords - best.coords).max()) > RMSD:
        complaints.append("`score` must leave the pose where it is and give a finite number")
    return complaints


def _about_poses(engine: Engine, ligand: Ligand, poses: list[Pose], site: Site) -> list[str]:
    shown = ligand.molecule.shown
    if not poses:
        return [f"{shown}: no pose; raise MoleculeError to say why there is none"]
    found: list[str] = []
    if len(poses) > 3:
        found.append(f"{shown}: {len(poses)} poses, when at most 3 were asked for")
    scores = [pose.score for pose in poses]
    if not np.isfinite(scores).all():
        found.append(f"{shown}: a score that is no finite number: {scores}")
    elif scores != sorted(scores):
        found.append(f"{shown}: poses are not best first: {scores}")
    for pose in poses:
        if pose.coords.shape != (ligand.mol().GetNumAtoms(), 3) or not np.isfinite(pose.coords).all():
            found.append(
                f"{shown}: coordinates of shape {pose.coords.shape} for {ligand.mol().GetNumAtoms()} atoms"
            )
            continue
        heavy = np.array([atom.GetAtomicNum() > 1 for atom in ligand.mol().GetAtoms()])
        if not site.contains(pose.coords[heavy], VOXEL):
            found.append(f"{shown}: a pose lies outside the box")
        if float(np.abs(_lengths(ligand, pose.coords) - _lengths(ligand, ligand.coords())).max()) > 0.05:
            found.append(f"{shown}: docking changed bond lengths; turn bonds only")
    return found


def _lengths(ligand: Ligand, coords: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    ends = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in ligand.mol().GetBonds()])
    return np.asarray(np.linalg.norm(coords[ends[:, 0]] - coords[ends[:, 1]], axis=1))


def _same(some: list[Pose], others: list[Pose]) -> bool:
    return len(some) == len(others) and all(
        float(np.abs(a.coords - b.coords).max()) <= RMSD and abs(a.score - b.score) <= 1e-3
        for a, b in zip(some, others, strict=True)
    )
