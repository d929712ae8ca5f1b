"""Where does a pose settle when the pocket may give way? A local minimum on a budget.

Hydroxyls are turned first (hydroxyls.py), then two rounds of L-BFGS. The first moves in a dielectric of 4 without water, a tenth of the
price of a step with it, and takes out clashes and strain; the second, in the implicit
water, sets hydrogen bonds right, in coordinates stretched by how stiff the complex is
(see stiffness.py). The budget counts force evaluations, since one "iteration" from a
clash can cost ten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from scipy.linalg import solve_triangular
    from scipy.optimize import minimize

from discovery.outcome import MoleculeError, Reason
from discovery.units import KCAL_PER_KJ
from docking.dynamics.hydroxyls import DIELECTRIC, turned
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import Complex
from docking.dynamics.stiffness import stretched
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Bools, Floats, Terms, subset, without_terms_among
from docking.dynamics.water.born_gradient import FrozenSurroundings

DRY_EVALUATIONS = 80
WET_EVALUATIONS = 30
OURS = 2  # threads; on more, and on a GPU, OpenMM's own water is faster than water/born_gradient.py's
_GRADIENT = 10.0  # kJ/mol/nm, the largest component at which a minimum is reached
_HUGE = 1e12  # kJ/mol; stands for an energy that is no number, so that the line search turns back


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """A settled structure."""

    xyz: Floats  # [atom, 3] nm
    energy: float  # kJ/mol, in the implicit water
    evaluations: int  # of the force, dry and wet


def settle(
    bound: Complex,
    device: Device | None = None,
    *,
    dry: int = DRY_EVALUATIONS,
    wet: int = WET_EVALUATIONS,
    name: str = "the ligand",
) -> Minimum:
    """Turn its hydroxyls and relax a complex, its outer shell frozen.

    Raises
    ------
    MoleculeError
        DIVERGED if the energy is still no finite number after both rounds.
    """
    where = device or Device()
    with where.algebra():
        lean, free = without_terms_among(bound.terms, bound.frozen), ~bound.frozen
        xyz, _, first = descend(dry_system(bound), turned(bound, bound.xyz), free, dry, where)
        sound = bool(np.isfinite(xyz).all())
        stretch = stretched(lean, xyz, free) if sound else None
        ours = sound and where.platform().getName() == "CPU" and where.threads <= OURS
        water = FrozenSurroundings(bound.terms, xyz, bound.frozen) if ours else None
        system = system_of(lean, bound.frozen, Choices(implicit_water=water is None))
        xyz, energy, second = descend(system, xyz, free, wet, where, stretch, water)
    if not np.isfinite(energy) or energy >= _HUGE or not np.isfinite(xyz).all():
        raise MoleculeError(
            Reason.DIVERGED,
            f"{name}: after {first + second} force evaluations the energy of the pose in its pocket is still no "
            "finite number; two of its atoms lie on top of each other or of the receptor's: dock it again",
        )
    return Minimum(xyz, energy, first + second)


def alone(bound: Complex, xyz: Floats) -> float:
    """kcal/mol: what the ligand's own terms and the implicit water say of it where it lies, the receptor gone."""
    ligand = np.arange(bound.n_receptor, bound.terms.n_atoms)
    system = system_of(subset(bound.terms, ligand))
    ctx = context(system, openmm.VerletIntegrator(0.001), Device("Reference"))
    ctx.setPositions(xyz[ligand])
    return float(ctx.getState(getEnergy=True).getPotentialEnergy()._value) * KCAL_PER_KJ


def dry_system(bound: Complex) -> Any:
    """The complex without water, its charges weakened by a dielectric of 4."""
    lean = _in_dielectric(without_terms_among(bound.terms, bound.frozen), DIELECTRIC)
    return system_of(lean, bound.frozen, Choices(implicit_water=False))


def descend(
    system: Any,
    xyz: Floats,
    free: Bools,
    evaluations: int,
    device: Device,
    stretch: Floats | None = None,
    besides: Callable[[Floats], tuple[float, Floats]] | None = None,
) -> tuple[Floats, float, int]:
    """L-BFGS over the free atoms.

    Parameters
    ----------
    stretch
        A lower triangular matrix from stiffness.py; none, and all directions count alike.
    besides
        What the system leaves out: coordinates, [atom, 3] nm, to an energy, kJ/mol, and its slope.

    Returns
    -------
    xyz : [atom, 3] nm
    energy : kJ/mol
    evaluations : int
        Used; one may be spent over the budget to close a line search.
    """
    ctx = context(system, openmm.VerletIntegrator(0.001), device)
    moved = xyz.copy()
    used = 0

    def downhill(flat: Floats) -> tuple[float, Floats]:
        nonlocal used
        used += 1
        moved[free] = flat.reshape(-1, 3)
        if not np.isfinite(flat).all():
            return _HUGE, np.zeros_like(flat)
        ctx.setPositions(moved)
        state = ctx.getState(getEnergy=True, getForces=True)
        energy = float(state.getPotentialEnergy()._value)
        slope = -np.asarray(state.getForces(asNumpy=True)._value, dtype=np.float64)
        if besides is not None and np.isfinite(energy):
            more, along = besides(moved)
            energy, slope = energy + more, slope + along
        slope = slope[free].ravel()
        if not np.isfinite(energy) or not np.isfinite(slope).all():
            return _HUGE, np.zeros_like(slope)
        return energy, slope

    start = xyz[free].ravel()
    if stretch is None:
        found = _lbfgs(downhill, start, evaluations, _GRADIENT)
        best, lowest = found.x, found.fun
    else:
        first, slope = downhill(start)
        steepest = _solved(stretch, slope)
        unit = max(float(np.linalg.norm(steepest)), 1e-9)

        def along(y: Floats) -> Floats:
            return _solved(stretch, unit * y, trans="T")

        def stretched_downhill(y: Floats) -> tuple[float, Floats]:
            if not y.any():  # known already
                return first, unit * steepest
            energy, slope = downhill(start + along(y))
            return energy, unit * _solved(stretch, slope)

        found = _lbfgs(stretched_downhill, np.zeros_like(start), evaluations, 1e-3)
        best, lowest = start + along(found.x), found.fun
    moved = xyz.copy()
    moved[free] = best.reshape(-1, 3)
    return moved, float(lowest), used


def _solved(factor: Floats, right: Floats, trans: str = "N") -> Floats:
    return np.asarray(solve_triangular(factor, right, lower=True, trans=trans, check_finite=False))


def _lbfgs(
    downhill: Callable[[Floats], tuple[float, Floats]], start: Floats, evaluations: int, gradient: float
) -> Any:
    return minimize(
        downhill,
        start,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxfun": evaluations,
            "maxiter": evaluations,
            "maxcor": 20,
            "ftol": 1e-9,
            "gtol": gradient,
        },
    )


def _in_dielectric(terms: Terms, dielectric: float) -> Terms:
    values = terms.exception_values.copy()
    values[:, 0] /= dielectric
    return replace(terms, charge=terms.charge / np.sqrt(dielectric), exception_values=values)
