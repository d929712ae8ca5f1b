"""How does a pocket take a ligand? Side chains turned where that is better, then warmed.

A crystal shows the pocket with one ligand in it; with another a side chain may stand
otherwise, as valine 111 of T4 lysozyme does for p-xylene [1]_, and turns too rarely for a
short simulation to find out. So every single bond of a side chain beside the ligand is
tried a third of a turn both ways, by the energy of the relaxed complex; what is found is
warmed with the ligand alone in it. All comparisons of a ligand then begin from the same
pocket: differences between them are no accident of the partner.

References
----------
.. [1] Mobley, Chodera, Dill, J. Chem. Theory Comput. 3, 1231 (2007), doi 10.1021/ct700032n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem
from scipy.spatial.transform import Rotation

try:
    import openmm
except ImportError as error:
    raise ImportError("molecular dynamics needs: pip install 'discovery-workbench[dynamics]'") from error

from discovery.outcome import MoleculeError, Reason
from discovery.units import KCAL_PER_KJ
from docking.dynamics.minimise import descend, dry_system
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.simulate import seed_of
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Floats, Ints, Terms, without_terms_among
from docking.dynamics.walls import unturned, ways_out

_BESIDE = 5.0  # Å from the ligand: the end of a side chain that is tried
_WORTH_A_LOOK = 3.0  # kcal/mol above the best, dry: beyond it a trial is not weighed in water
_BETTER = 1.0  # kcal/mol, in water: less is within what a minimum depends on its way
_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """A pocket with one ligand in it."""

    pocket: Floats  # [receptor atom of the pocket, 3] nm
    ligand: Floats  # [ligand atom, 3] nm
    turned: tuple[str, ...]  # residues of which a side chain was turned


def beginning(
    receptor: ReceptorModel,
    terms: Terms,
    mol: Chem.Mol,
    name: str,
    *,
    near: Floats,
    keep: float,
    free: float,
    cutoff: float = 12.0,
    relax: int = 50,
    warm_ps: float = 5.0,
    device: Device | None = None,
    seed: int = 1,
    temperature: float = 298.15,
) -> Beginning:
    """The pocket as it takes a ligand.

    Parameters
    ----------
    near : [point, 3], Å
        What the pocket is cut around, with `keep` and `free`: see pocket.py.
    cutoff
        Å.
    relax
        Force evaluations for every minimum, dry and in water.
    warm_ps
        Of dynamics at the end; with 0 neither side chains are tried nor anything is warmed.

    Raises
    ------
    MoleculeError
        DIVERGED if the complex cannot be relaxed or explodes.
    ReceptorError
        See pocket.carve.
    """
    where = device or Device()
    bound = carve(receptor, terms, mol.GetConformer().GetPositions(), keep=keep, free=free, near=near)
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    seat = bound.n_receptor
    wall = unturned([seat + i for i in heavy], ways_out(mol, heavy))
    dry = dry_system(bound)
    lean = without_terms_among(bound.terms, bound.frozen)
    wet = system_of(lean, bound.frozen, Choices(cutoff_nm=cutoff / 10.0))
    if wall is not None:
        dry.addForce(openmm.XmlSerializer.clone(wall))
        wet.addForce(openmm.XmlSerializer.clone(wall))
    free_atoms = ~bound.frozen

    def relaxed(xyz: Floats, system: Any, evaluations: int) -> tuple[Floats, float]:
        moved, energy, _ = descend(system, xyz, free_atoms, evaluations, where)
        return moved, energy * KCAL_PER_KJ

    best, dry_best = relaxed(bound.xyz, dry, 2 * relax)
    best, lowest = relaxed(best, wet, relax)
    turned: list[str] = []
    for _ in range(_ROUNDS if warm_ps else 0):
        found = None
        for residue, atoms, trial in _trials(receptor, bound, best):
            moved, energy = relaxed(trial, dry, relax)
            if not energy < dry_best + _WORTH_A_LOOK:
                continue
            moved, energy_wet = relaxed(moved, wet, relax)
            if energy_wet < lowest - _BETTER:
                found, best_of_round, lowest = (residue, atoms), moved, energy_wet
                dry_of_round = energy
        if found is None:
            break
        best, dry_best = best_of_round, min(dry_of_round, dry_best)
        turned.append(bound.labels[found[0]])
    if not np.isfinite(lowest) or not np.isfinite(best).all():
        raise MoleculeError(
            Reason.DIVERGED,
            f"{name}: its complex cannot be relaxed: two atoms lie on each other; dock it again",
        )
    if warm_ps:
        best = _warmed(lean, bound, best, wall, cutoff, warm_ps, where, seed, temperature, name)
    return Beginning(best[:seat], best[seat:], tuple(turned))


def _trials(receptor: ReceptorModel, bound: Complex, xyz: Floats) -> Iterator[tuple[int, Ints, Floats]]:
    """Residue, the atoms that turn, and all coordinates with them turned a third, both ways."""
    ligand = xyz[bound.ligand]
    for residue, (a, b), atoms in turning(receptor, bound):
        heavy = atoms[receptor.numbers[bound.receptor_atoms[atoms]] > 1]
        if np.linalg.norm(xyz[heavy][:, None] - ligand[None], axis=-1).min() * 10.0 > _BESIDE:
            continue
        axis = (xyz[b] - xyz[a]) / np.linalg.norm(xyz[b] - xyz[a])
        for degrees in (120.0, -120.0):
            turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis)
            trial = xyz.copy()
            trial[atoms] = turn.apply(xyz[atoms] - xyz[b]) + xyz[b]
            yield residue, atoms, trial


def turning(receptor: ReceptorModel, bound: Complex) -> list[tuple[int, tuple[int, int], Ints]]:
    """Side chains' single bonds with three places to stand: between two carbons of four bonds each.

    Returns
    -------
    Of each: the residue, by its number in the pocket; the bond, the backbone's end first; what turns
    with it, where that is more than hydrogens. Atoms are those of the complex.
    """
    n = bound.n_receptor
    numbers = receptor.numbers[bound.receptor_atoms]
    beside: list[list[int]] = [[] for _ in range(n)]
    for i, j in bound.terms.bonds.tolist():
        if i < n and j < n:
            beside[i].append(j)
            beside[j].append(i)
    found = []
    for i, j in bound.terms.bonds.tolist():
        if max(i, j) >= n or bound.residue[i] != bound.residue[j] or bound.frozen[i] or bound.frozen[j]:
            continue
        if not all(numbers[k] == 6 and len(beside[k]) == 4 for k in (i, j)):
            continue
        for a, b in ((i, j), (j, i)):
            side, wave = {b}, [b]
            while wave:
                wave = [k for k in {m for one in wave for m in beside[one]} if k not in side | {a}]
                side |= set(wave)
            atoms = np.array(sorted(side - {b}), dtype=np.int64)
            names = {receptor.atom_names[bound.receptor_atoms[k]] for k in side}
            ring = any(k != b and k in beside[a] for k in side)  # it comes back to `a` another way
            if "N" in names or ring or not (numbers[atoms] > 1).any():
                continue
            if (bound.residue[atoms] == bound.residue[i]).all() and not bound.frozen[atoms].any():
                found.append((int(bound.residue[i]), (a, b), atoms))
    return found


def _warmed(
    lean: Terms,
    bound: Complex,
    xyz: Floats,
    wall: Any,
    cutoff: float,
    ps: float,
    device: Device,
    seed: int,
    temperature: float,
    name: str,
) -> Floats:
    choices = Choices(cutoff_nm=cutoff / 10.0, constrain_hydrogens=True, heavy_hydrogens=True)
    system = system_of(lean, bound.frozen, choices)
    if wall is not None:
        system.addForce(wall)
    for fs in (4.0, 2.0, 1.0):
        integrator = openmm.LangevinMiddleIntegrator(temperature, 2.0, fs / 1000.0)
        integrator.setRandomNumberSeed(seed_of(seed, name, "beginning"))
        ctx = context(system, integrator, device)
        ctx.setPositions(xyz)
        ctx.applyConstraints(1e-6)
        ctx.setVelocitiesToTemperature(temperature, seed_of(seed, name, "beginning"))
        try:
            integrator.step(round(ps * 1000.0 / fs))
        except openmm.OpenMMException as error:
            if "nan" not in str(error).lower():
                raise
            continue
        warm = np.asarray(ctx.getState(getPositions=True).getPositions(asNumpy=True)._value, dtype=np.float64)
        if np.isfinite(warm).all() and np.abs(warm - xyz).max() < 1.0:
            return warm
    raise MoleculeError(
        Reason.DIVERGED,
        f"{name}: its complex explodes even at steps of 1 fs; look at its pose, or dock it again",
    )
