"""The promise every docking engine keeps.

An engine takes a prepared receptor, a site and a prepared ligand and gives poses.
How good the poses are is judged outside it: see docking/plausibility.py and docking/scorers.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from discovery.outcome import Missing, MoleculeError, Reason, each
from docking import pdbqt
from docking.ligand import Ligand
from docking.pdbqt import Floats
from docking.pose import Pose
from docking.receptor import Receptor
from docking.site import Site


@runtime_checkable
class Engine(Protocol):
    """Finds how a ligand lies in a site.

    The same receptor, site, ligand, seed and settings give the same poses, whatever
    was docked before or beside them: draw random numbers from `ligand_seed`.
    """

    @property
    def name(self) -> str: ...  # "vina", "native"

    @property
    def settings(self) -> Mapping[str, Any]: ...  # plain JSON values, exhaustiveness or effort among them

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        """At least one and at most `n_poses` poses inside the site, best first.

        Raises
        ------
        MoleculeError
            The molecule's fault: it does not fit the box (OUTSIDE_BOX), has an atom the
            engine has no model for (UNSUPPORTED), or no pose was found (NO_PLAUSIBLE_POSE).
        ReceptorError
            The receptor's or the box's fault; it stops the run.
        """
        ...

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: Floats, /) -> Pose:
        """What the engine thinks of a given pose, [atom, 3] Å of `ligand.mol()`; nothing is moved.

        Raises
        ------
        MoleculeError
            OUTSIDE_BOX if a heavy atom lies outside the site.
        """
        ...


@runtime_checkable
class BatchEngine(Engine, Protocol):
    """An engine that is faster on many ligands at once. Results must not depend on the batch."""

    def dock_many(
        self, receptor: Receptor, site: Site, ligands: Sequence[Ligand], /, *, seed: int, n_poses: int
    ) -> Sequence[Sequence[Pose] | Missing]:
        """One outcome per ligand, in the order given; as `dock` gives them one by one."""
        ...


def dock_all(
    engine: Engine,
    receptor: Receptor,
    site: Site,
    ligands: Sequence[Ligand | Missing],
    *,
    seed: int,
    n_poses: int,
) -> list[Sequence[Pose] | Missing]:
    """Dock every ligand; a `Missing` passes through and one bad ligand costs one row."""
    if not isinstance(engine, BatchEngine):
        return each(
            "docking", lambda one: engine.dock(receptor, site, one, seed=seed, n_poses=n_poses), ligands
        )
    healthy = [ligand for ligand in ligands if not isinstance(ligand, Missing)]
    found = iter(engine.dock_many(receptor, site, healthy, seed=seed, n_poses=n_poses))
    return [ligand if isinstance(ligand, Missing) else next(found) for ligand in ligands]


def ligand_seed(seed: int, ligand: Ligand) -> int:
    """The campaign's seed folded with the ligand's identity: 1 .. 2^31 - 1.

    Neither the row number nor the batch takes part, so neither can change a result.
    """
    folded = hashlib.sha256(f"{seed}\0{ligand.digest}".encode()).digest()
    return int.from_bytes(folded[:8], "big") % (2**31 - 1) + 1


def check_fits(site: Site, ligand: Ligand) -> None:
    """Refuse a ligand that no rotation can put into the box.

    Raises
    ------
    MoleculeError
        OUTSIDE_BOX, if the ligand's largest rigid part is longer than the box's diagonal.
    """
    xyz = ligand.docked(ligand.coords())
    longest = _longest_rigid(ligand, xyz)
    room = float(np.linalg.norm(site.size))
    if longest > room:
        edges = " x ".join(f"{edge:.1f}" for edge in site.size)
        raise MoleculeError(
            Reason.OUTSIDE_BOX,
            f"{ligand.molecule.shown} has a rigid part {longest:.1f} Å long, but the box of {edges} Å "
            f"is only {room:.1f} Å from corner to corner; enlarge the box",
        )


def _longest_rigid(ligand: Ligand, xyz: Floats) -> float:
    """Å: the largest distance between two atoms of one rigid group."""
    nodes = np.array([atom.node for atom in pdbqt.read(ligand.pdbqt).atoms])
    return max(
        float(np.linalg.norm(part[:, None] - part[None], axis=-1).max())
        for part in (xyz[nodes == node] for node in np.unique(nodes))
    )
