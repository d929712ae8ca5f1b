"""What does a pose move in when the water is explicit? The whole receptor, its water and its ions.

Nothing is carved and nothing frozen: the receptor's backbone further from the ligand
than the moving shell is held where it is by springs, so that frames need no fitting and
a membrane protein keeps its shape without its membrane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from docking.dynamics.platform import Device
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.system import system_of
from docking.dynamics.terms import Bools, Floats, Ints, subset
from docking.dynamics.water.water_box import CUTOFF, PADDING, SALT, holding, relaxed, solvated

HOLD = 1.0 * 4.184 * 100.0  # kJ/mol/nm²: 1 kcal/mol/Å²
SETTLING_PS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """A System around a complex, and which of its atoms the complex's are."""

    system: Any
    xyz: Floats  # [atom, 3] nm
    kept: Ints  # [atom of the complex], index into the above
    atoms: int
    density: float  # g/ml, of the whole box


def in_water(
    receptor: ReceptorModel,
    bound: Complex,
    xyz: Floats,
    *,
    free: float,
    device: Device,
    padding: float = PADDING,
    cutoff: float = CUTOFF,
    ps: float = SETTLING_PS,
    temperature: float = 300.0,
    seed: int = 1,
    name: str = "the ligand",
) -> Surroundings:
    """The whole receptor around a settled pocket, in a box of water at its own density.

    Parameters
    ----------
    bound, xyz
        A pocket with its ligand and where its atoms settled, nm.
    free
        Å; backbone nearer to the ligand than this moves freely.
    padding, cutoff
        nm.
    ps
        Of settling under one bar, the solute standing still.

    Raises
    ------
    MoleculeError, DockingError
        See water/water_box.py.
    """
    ligand = subset(bound.terms, np.arange(bound.n_receptor, bound.terms.n_atoms))
    whole = carve(receptor, ligand, xyz[bound.ligand] * 10.0, keep=float("inf"), free=free)
    start = whole.xyz.copy()
    place = np.searchsorted(whole.receptor_atoms, bound.receptor_atoms)
    start[place] = xyz[: bound.n_receptor]
    wet = solvated(
        whole.terms, start, padding=padding, salt=SALT, turns=False, cutoff=cutoff, seed=seed, name=name
    )
    wet = relaxed(wet, device, ps=ps, cutoff=cutoff, temperature=temperature, seed=seed, name=name)
    system = system_of(wet.terms, None, wet.choices(cutoff))
    system.addForce(holding(wet.xyz, backbone(receptor, whole, wet.terms.n_atoms), HOLD))
    return Surroundings(
        system=system,
        xyz=wet.xyz,
        kept=np.concatenate([place, np.arange(whole.n_receptor, whole.terms.n_atoms)]),
        atoms=wet.terms.n_atoms,
        density=wet.density,
    )


def backbone(receptor: ReceptorModel, bound: Complex, n_atoms: int) -> Bools:
    """[atom], whether it is a CA, C or N beyond the pocket: what is held in place in explicit water."""
    held = np.zeros(n_atoms, dtype=bool)
    names = np.array([receptor.atom_names[i] in ("CA", "C", "N") for i in bound.receptor_atoms])
    held[: bound.n_receptor] = names & bound.frozen[: bound.n_receptor]
    return held
