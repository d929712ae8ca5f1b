"""From `Terms` to an OpenMM System, and back.

The one room that builds OpenMM objects from arrays. Implicit water is always the
native GBSAOBCForce: the CustomGB form of the same energy costs 6 to 8 times as much
on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from openmm import unit

from docking.dynamics.terms import Bools, Floats, Ints, Terms
from docking.dynamics.water.solvent import born_parameters

HYDROGEN_MASS = 3.0  # amu; heavy hydrogens allow 4 fs steps


@dataclass(frozen=True, slots=True)
class Choices:
    """How terms become a System."""

    implicit_water: bool = True
    cutoff_nm: float | None = None  # None: every pair counts
    constrain_hydrogens: bool = False
    constrain_all: bool = False  # all other bonds too
    heavy_hydrogens: bool = False  # hydrogens weigh 3 amu, taken from their heavy atoms
    box_nm: tuple[float, float, float] | None = None  # periodic, with particle mesh Ewald; needs a cutoff
    solute_dielectric: float = 1.0
    solvent_dielectric: float = 78.5


def system_of(terms: Terms, frozen: Bools | None = None, choices: Choices | None = None) -> Any:
    """An OpenMM System with these terms.

    Parameters
    ----------
    terms
        What to simulate.
    frozen : [atom], bool
        Atoms that stay where they are (mass 0); none if not given.

    Returns
    -------
    openmm.System, its forces in groups: bonds 0, angles 1, torsions 2, nonbonded 3,
    implicit water 4.
    """
    how = choices or Choices()
    still = np.zeros(terms.n_atoms, dtype=bool) if frozen is None else frozen
    mass = _heavier(terms) if how.heavy_hydrogens else terms.mass
    system = openmm.System()
    for m in np.where(still, 0.0, mass).tolist():
        system.addParticle(m)
    held = (
        _constrain(system, terms, still, how.constrain_all)
        if how.constrain_hydrogens
        else np.zeros(len(terms.bonds), dtype=bool)
    )
    for group, force in enumerate(_bonded(terms, held)):
        force.setForceGroup(group)
        system.addForce(force)
    nonbonded = openmm.NonbondedForce()
    nonbonded.setForceGroup(3)
    nonbonded.setReactionFieldDielectric(1.0)  # the reaction is the implicit water's, not the cutoff's
    for one in _rows(terms.charge, terms.sigma, terms.epsilon):
        nonbonded.addParticle(*one)
    for one in _rows(*terms.exceptions.T, *terms.exception_values.T):
        nonbonded.addException(*one)
    if how.cutoff_nm is not None:
        nonbonded.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
        nonbonded.setCutoffDistance(how.cutoff_nm)
    if how.box_nm is not None:
        nonbonded.setNonbondedMethod(openmm.NonbondedForce.PME)
        system.setDefaultPeriodicBoxVectors(*np.diag(how.box_nm))
    system.addForce(nonbonded)
    if how.implicit_water:
        system.addForce(continuum(terms, how))
    return system


def _bonded(terms: Terms, held: Bools) -> tuple[Any, Any, Any]:
    bonds = openmm.HarmonicBondForce()
    for one in _rows(*terms.bonds[~held].T, *terms.bond_values[~held].T):
        bonds.addBond(*one)
    angles = openmm.HarmonicAngleForce()
    for one in _rows(*terms.angles.T, *terms.angle_values.T):
        angles.addAngle(*one)
    torsions = openmm.PeriodicTorsionForce()
    for one in _rows(
        *terms.torsions.T, terms.torsion_values[:, 0].astype(int), *terms.torsion_values[:, 1:].T
    ):
        torsions.addTorsion(*one)
    return bonds, angles, torsions


def _rows(*columns: Floats | Ints) -> Iterator[tuple[Any, ...]]:
    """Python's own numbers row by row: OpenMM takes numpy's too, at three times the price."""
    return zip(*(column.tolist() for column in columns), strict=True)


def continuum(terms: Terms, how: Choices) -> Any:
    """The implicit water alone, as a force."""
    force = openmm.GBSAOBCForce()
    force.setForceGroup(4)
    force.setSoluteDielectric(how.solute_dielectric)
    force.setSolventDielectric(how.solvent_dielectric)
    for one in _rows(terms.charge, terms.gb_radius, terms.gb_scale):
        force.addParticle(*one)
    if how.cutoff_nm is not None:
        force.setNonbondedMethod(openmm.GBSAOBCForce.CutoffNonPeriodic)
        force.setCutoffDistance(how.cutoff_nm)
    return force


def _hydrogens(terms: Terms) -> Bools:
    return terms.mass < 1.5  # no other element is as light


def _constrain(system: Any, terms: Terms, still: Bools, everything: bool) -> Bools:
    """Constrain bonds, those to hydrogen or all, between moving atoms; a frozen atom takes no constraint."""
    light = _hydrogens(terms)
    held = np.zeros(len(terms.bonds), dtype=bool)
    for i, ((a, b), (length, _)) in enumerate(zip(terms.bonds, terms.bond_values, strict=True)):
        if (everything or light[a] or light[b]) and not (still[a] or still[b]):
            system.addConstraint(int(a), int(b), float(length))
            held[i] = True
    return held


def _heavier(terms: Terms) -> Floats:
    mass = terms.mass.copy()
    light = _hydrogens(terms)
    for a, b in terms.bonds:
        hydrogen, heavy = (a, b) if light[a] else (b, a)
        if light[hydrogen] and not light[heavy]:
            mass[heavy] -= HYDROGEN_MASS - mass[hydrogen]
            mass[hydrogen] = HYDROGEN_MASS
    return mass


def terms_of(system: Any, numbers: Ints, bonds: Ints) -> Terms:
    """Read an OpenMM System of the plain kind (ff14SB and its like) into `Terms`.

    Parameters
    ----------
    system
        Built without constraints, cutoff or solvent, so that nothing is hidden.
    numbers : [atom], atomic numbers
    bonds : [bond, 2]
        For the implicit water's radii, which ask what a hydrogen is bonded to.

    Raises
    ------
    ValueError
        If it holds a force of another kind, naming it.
    """
    parts: dict[str, tuple[list[Any], list[Any]]] = {
        name: ([], []) for name in ("bonds", "angles", "torsions", "exceptions")
    }
    atoms: list[tuple[float, float, float]] = []
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce):
            for i in range(force.getNumBonds()):
                a, b, *v = force.getBondParameters(i)
                _put(parts["bonds"], (a, b), v)
        elif isinstance(force, openmm.HarmonicAngleForce):
            for i in range(force.getNumAngles()):
                a, b, c, *v = force.getAngleParameters(i)
                _put(parts["angles"], (a, b, c), v)
        elif isinstance(force, openmm.PeriodicTorsionForce):
            for i in range(force.getNumTorsions()):
                a, b, c, d, *v = force.getTorsionParameters(i)
                _put(parts["torsions"], (a, b, c, d), v)
        elif isinstance(force, openmm.NonbondedForce):
            for i in range(force.getNumParticles()):
                q, s, e = force.getParticleParameters(i)
                atoms.append((_plain(q), _plain(s), _plain(e)))
            for i in range(force.getNumExceptions()):
                a, b, *v = force.getExceptionParameters(i)
                _put(parts["exceptions"], (a, b), v)
        elif not isinstance(force, openmm.CMMotionRemover):
            raise ValueError(f"a System with a {type(force).__name__} cannot be read into plain terms")
    charge, sigma, epsilon = np.array(atoms, dtype=np.float64).reshape(-1, 3).T
    radius, scale = born_parameters(numbers, bonds)

    def links(name: str, width: int) -> Ints:
        return np.array(parts[name][0], dtype=np.int64).reshape(-1, width)

    def values(name: str, width: int) -> Floats:
        return np.array(parts[name][1], dtype=np.float64).reshape(-1, width)

    return Terms(
        mass=np.array([_plain(system.getParticleMass(i)) for i in range(system.getNumParticles())]),
        charge=charge.copy(),
        sigma=sigma.copy(),
        epsilon=epsilon.copy(),
        gb_radius=radius,
        gb_scale=scale,
        bonds=links("bonds", 2),
        bond_values=values("bonds", 2),
        angles=links("angles", 3),
        angle_values=values("angles", 2),
        torsions=links("torsions", 4),
        torsion_values=values("torsions", 3),
        exceptions=links("exceptions", 2),
        exception_values=values("exceptions", 3),
    )


def _put(part: tuple[list[Any], list[Any]], key: tuple[int, ...], values: list[Any]) -> None:
    part[0].append(key)
    part[1].append([_plain(v) for v in values])


def _plain(value: Any) -> float:
    """The number behind a quantity that OpenMM hands out: always in its own units (nm, kJ/mol, amu, e, rad)."""
    number = float(getattr(value, "_value", value))  # unit conversion would take ten times as long
    return number if math.isfinite(number) else math.nan


GROUPS = ("bonds", "angles", "torsions", "nonbonded", "implicit water")


def energies(context: Any) -> dict[str, float]:
    """Energy by force group of a Context built from `system_of`, kJ/mol."""
    return {
        name: float(
            context.getState(getEnergy=True, groups={group})
            .getPotentialEnergy()
            .value_in_unit(unit.kilojoule_per_mole)
        )
        for group, name in enumerate(GROUPS)
    }
