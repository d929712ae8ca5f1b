"""Laws: energy is conserved, temperature is kept, two platforms agree, what is read is what was built."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from openmm import unit

from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.system import GROUPS, Choices, energies, system_of, terms_of
from docking.dynamics.terms import Terms, without_terms_among
from tests.docking.dynamics.cases import embedded, placed, toluene_pocket

MOL = embedded("CC(=O)Nc1ccc(O)cc1")
XYZ = MOL.GetConformer().GetPositions() / 10


def acetaminophen() -> Terms:
    rng = np.random.default_rng(1)
    charges = rng.normal(0.0, 0.2, MOL.GetNumAtoms())
    return ligand_terms(MOL, charges - charges.mean(), force_field())


def reference() -> openmm.Platform:
    return openmm.Platform.getPlatformByName("Reference")


def total(context: openmm.Context) -> float:
    state = context.getState(getEnergy=True)
    return (state.getPotentialEnergy() + state.getKineticEnergy()).value_in_unit(unit.kilojoule_per_mole)


def test_energy_is_conserved() -> None:
    """Velocity Verlet at 0.5 fs: no drift beyond 1 kJ/mol over a picosecond."""
    context = openmm.Context(system_of(acetaminophen()), openmm.VerletIntegrator(0.0005), reference())
    context.setPositions(XYZ)
    openmm.LocalEnergyMinimizer.minimize(context, 10, 200)
    context.setVelocitiesToTemperature(300.0, 5)
    seen = []
    for _ in range(20):
        context.getIntegrator().step(100)
        seen.append(total(context))
    drift = np.polyfit(np.arange(20) * 0.05, seen, 1)[0]
    assert abs(drift) < 1.0
    assert np.std(seen) < 2.0


def test_the_thermostat_keeps_its_temperature_with_heavy_constrained_hydrogens() -> None:
    """Equipartition: 300 K within the error of the mean."""
    how = Choices(constrain_hydrogens=True, heavy_hydrogens=True)
    system = system_of(acetaminophen(), choices=how)
    integrator = openmm.LangevinMiddleIntegrator(300.0, 5.0, 0.004)
    integrator.setRandomNumberSeed(11)
    context = openmm.Context(system, integrator, reference())
    context.setPositions(XYZ)
    context.setVelocitiesToTemperature(300.0, 3)
    integrator.step(1000)
    degrees = 3 * system.getNumParticles() - system.getNumConstraints()
    seen = []
    for _ in range(800):
        integrator.step(10)
        kinetic = context.getState(getEnergy=True).getKineticEnergy()._value
        seen.append(2.0 * kinetic / (degrees * 0.00831446261815324))
    assert degrees == 60 - system.getNumConstraints()
    blocks = np.array(seen).reshape(8, 100).mean(axis=1)
    assert blocks.mean() == pytest.approx(300.0, abs=4 * blocks.std(ddof=1) / np.sqrt(8) + 3.0)


def test_heavy_hydrogens_leave_the_mass_and_the_energy() -> None:
    light, heavy = (system_of(acetaminophen(), choices=Choices(heavy_hydrogens=x)) for x in (False, True))
    masses = [sum(s.getParticleMass(i)._value for i in range(s.getNumParticles())) for s in (light, heavy)]
    assert masses[0] == pytest.approx(masses[1], abs=1e-9)
    assert min(heavy.getParticleMass(i)._value for i in range(heavy.getNumParticles())) == 3.0


def test_a_frozen_atom_neither_moves_nor_takes_a_constraint() -> None:
    bound = toluene_pocket()
    how = Choices(constrain_hydrogens=True, heavy_hydrogens=True, cutoff_nm=1.0)
    system = system_of(without_terms_among(bound.terms, bound.frozen), bound.frozen, how)
    integrator = openmm.LangevinMiddleIntegrator(300.0, 1.0, 0.002)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})
    context.setPositions(bound.xyz)
    integrator.step(5)
    after = context.getState(getPositions=True).getPositions(asNumpy=True)._value
    assert np.abs(after - bound.xyz)[bound.frozen].max() < 1e-6
    assert np.abs(after - bound.xyz)[~bound.frozen].max() > 1e-4


def test_cpu_and_reference_forces_agree() -> None:
    bound = toluene_pocket()
    forces = []
    for name in ("Reference", "CPU"):
        context = openmm.Context(
            system_of(bound.terms), openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(name)
        )
        context.setPositions(bound.xyz)
        forces.append(context.getState(getForces=True).getForces(asNumpy=True)._value)
    scale = np.sqrt(np.square(forces[0]).sum(axis=1).mean())
    assert np.abs(forces[0] - forces[1]).max() < 1e-4 * scale


def test_what_is_read_back_is_what_was_built() -> None:
    ours = acetaminophen()
    numbers = np.array([a.GetAtomicNum() for a in MOL.GetAtoms()])
    again = terms_of(system_of(ours, choices=Choices(implicit_water=False)), numbers, ours.bonds)
    for name in Terms.__slots__:
        assert getattr(again, name) == pytest.approx(getattr(ours, name), abs=1e-12), name


def test_a_force_that_plain_terms_cannot_hold_is_named() -> None:
    system = system_of(acetaminophen())
    with pytest.raises(ValueError, match="GBSAOBCForce"):
        terms_of(system, np.array([1]), np.zeros((0, 2), dtype=np.int64))


def test_the_groups_add_up_to_the_whole() -> None:
    context = placed(system_of(acetaminophen()), XYZ)
    parts = energies(context)
    assert set(parts) == set(GROUPS)
    assert sum(parts.values()) == pytest.approx(context.getState(getEnergy=True).getPotentialEnergy()._value)
