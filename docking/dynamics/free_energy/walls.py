"""What keeps a ligand where it is judged? In its site, and nearer to its pose than to an image of it.

A ligand that lies upon itself when it is turned has several places that are one. Where a
simulation is too short to visit all, it must visit one alone: between a pose and its
image nothing is to choose, so a wall halfway costs exactly their number (see
likeness.turns), whether heat would have turned the ligand or not. Where one ligand becomes
another, each has its own walls alone: toluene lies where benzene's would cut it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    import openmm

from docking.dynamics.free_energy.likeness import turns
from docking.dynamics.terms import Floats

_KCAL = 4.184  # kJ
_K_WALL = 50.0 * _KCAL * 100.0  # kJ/mol/nm²: benzene turned 5 degrees past the wall pays 5 kcal/mol
_SITE, _K_SITE = 0.3, 25.0 * _KCAL * 100.0  # nm, kJ/mol/nm²: no ligand leaves the pocket


def in_site(corners: Sequence[int], xyz: Floats, *, periodic: bool) -> Any:
    """A force that lets particles go 3 Å from where they lie in `xyz` ([atom, 3] nm), and no further."""
    away = "periodicdistance(x, y, z, x0, y0, z0)" if periodic else "sqrt((x-x0)^2 + (y-y0)^2 + (z-z0)^2)"
    force = openmm.CustomExternalForce(f"0.5*wall*max(0, {away} - room)^2")
    force.setName("site")
    force.addGlobalParameter("wall", _K_SITE)
    force.addGlobalParameter("room", _SITE)
    for axis in ("x0", "y0", "z0"):
        force.addPerParticleParameter(axis)
    for i in corners:
        force.addParticle(int(i), [float(v) for v in xyz[i]])
    return force


def unturned(particles: Sequence[int], ways: Floats, share: str = "1", **parameters: float) -> Any:
    """A force that keeps a ligand from turning upon itself; None where it has no way to.

    Parameters
    ----------
    particles
        Those of its atoms that are watched.
    ways : [image, atom, 3]
        From `ways_out`, of the same atoms.
    share, parameters
        How much of the force there is, by global parameters that begin so.
    """
    if not len(ways):
        return None
    n, lift = len(particles), float(np.abs(ways).max()) * 2.0
    # Weights above 0 make centres of mass of the projection: an expression that does not grow with the ligand.
    off = f"{n * lift!r}*(x1 + y2 + z3 - x4 - y4 - z4)"
    force = openmm.CustomCentroidBondForce(4, f"{0.5 * _K_WALL!r}*({share})*min(0, {off})^2")
    force.setName("unturned")
    for name, value in parameters.items():
        force.addGlobalParameter(name, value)
    atoms = [int(i) for i in particles]
    plain = force.addGroup(atoms, [1.0] * n)
    for way in ways:
        force.addBond([*(force.addGroup(atoms, (way[:, k] + lift).tolist()) for k in range(3)), plain], [])
    return force


def ways_out(mol: Chem.Mol, atoms: Sequence[int]) -> Floats:
    """[image, atom, 3]: the projection on it is above 0 while `atoms` lie nearer to the pose than to that image.

    The difference of their squared distances to pose and image is linear in the coordinates;
    the mean is taken out, so that moving the whole changes nothing of it.
    """
    pose = mol.GetConformer().GetPositions() / 10.0
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    found = []
    for image in turns(mol)[1:]:
        to = {i: pose[i] - pose[heavy[j]] for i, j in zip(heavy, image, strict=True)}
        way = np.array([to[i] for i in atoms])
        way -= way.mean(axis=0)
        length = float(np.linalg.norm(way))
        if length > 1e-3:
            found.append(way / length)
    return np.array(found).reshape(-1, len(atoms), 3)
