"""Hydration against answers that are not ours: a single energy where nothing moves, a quadrature where one bond does."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from scipy.integrate import quad

from discovery.outcome import MoleculeError
from discovery.units import GAS_CONSTANT, KCAL_PER_KJ
from docking.dynamics.free_energy.exchange import Plan, sample
from docking.dynamics.free_energy.hydration import (
    continuum_ladder,
    dispersion_beyond,
    explicit_ladder,
    hydration,
)
from docking.dynamics.free_energy.ladder import difference
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.platform import Device
from docking.dynamics.protocol import Settings
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Terms, subset
from docking.dynamics.water.water_box import solvated
from docking.receptor import DockingError
from tests.docking.dynamics.cases import embedded, energy_of, placed

REFERENCE = Device("Reference")
T = 300.0


def methanol() -> tuple[Terms, np.ndarray]:
    mol = embedded("CO")
    return ligand_terms(mol, gasteiger(mol).values, force_field()), mol.GetConformer().GetPositions() / 10.0


def water_energy(terms: Terms, xyz: np.ndarray) -> float:
    """Reference: the whole energy with OpenMM's GBSAOBCForce less that without, kcal/mol."""
    found = []
    for wet in (True, False):
        found.append(energy_of(system_of(terms, None, Choices(implicit_water=wet)), xyz) * KCAL_PER_KJ)
    return found[0] - found[1]


def test_a_rigid_solute_costs_its_solvation_energy() -> None:
    terms, xyz = methanol()
    ladder = continuum_ladder(terms, frozen=np.ones(terms.n_atoms, dtype=bool))
    samples = sample(ladder, xyz, Plan(iterations=6, steps=1, warm=0, temperature=T), REFERENCE)
    exact = water_energy(terms, xyz)
    assert exact < -1.0
    found = difference(samples.energies, samples.state_of, T)
    assert found.value == pytest.approx(exact, abs=1e-5)


def test_a_bond_that_stretches_costs_what_a_quadrature_says() -> None:
    """Two atoms with one bond, soft and very polar: the integral over its length is done by hand."""
    terms, _ = methanol()
    oxygen = next(i for i in range(terms.n_atoms) if 15.0 < terms.mass[i] < 17.0)
    pair = subset(terms, np.array([0 if oxygen else 1, oxygen]))
    pair.charge[:] = [0.5, -0.5]
    pair.bond_values[:] = [[0.15, 12000.0]]
    kt = GAS_CONSTANT * T
    lengths = np.linspace(0.06, 0.40, 200)
    bond = 0.5 * 12000.0 * (lengths - 0.15) ** 2 * KCAL_PER_KJ
    water = np.array([water_energy(pair, np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]])) for r in lengths])
    gas, wet = (np.sum(lengths**2 * np.exp(-(bond + x) / kt)) for x in (0.0, water))
    exact = -kt * np.log(wet / gas)
    plan = Plan(iterations=200, steps=20, warm=100, step_fs=2.0, temperature=T, friction=10.0, seed=5)
    ladder = continuum_ladder(pair, (0.0, 0.25, 0.5, 0.75, 1.0))
    samples = sample(ladder, np.array([[0.0, 0.0, 0.0], [0.15, 0.0, 0.0]]), plan, REFERENCE)
    found = difference(samples.energies, samples.state_of, T)
    assert found.error < 0.3
    assert found.value == pytest.approx(exact, abs=4.0 * found.error)
    assert abs(exact - water_energy(pair, np.array([[0.0, 0.0, 0.0], [0.15, 0.0, 0.0]]))) > 2.0 * found.error


def test_both_ends_of_the_explicit_ladder_are_the_plain_system_and_a_solute_alone() -> None:
    """Reference: the undivided System at the end; water alone plus the solute alone at the start."""
    terms, xyz = methanol()
    wet = solvated(terms, xyz, padding=0.8, salt=0.0, cutoff=0.7)
    ladder = explicit_ladder(wet, 0.7, T)

    def energy(system: openmm.System, places: np.ndarray) -> float:
        for force in system.getForces():
            if isinstance(force, openmm.NonbondedForce):
                force.setUseDispersionCorrection(False)
                force.setEwaldErrorTolerance(1e-6)
        ctx = placed(system, places)
        return float(ctx.getState(getEnergy=True).getPotentialEnergy()._value)

    for force in ladder.system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            force.setUseDispersionCorrection(False)
            force.setEwaldErrorTolerance(1e-6)
    ctx = placed(ladder.system, wet.xyz)
    ends = ladder.weighed(ctx)[[0, -1]]
    whole = energy(system_of(wet.terms, None, wet.choices(0.7)), wet.xyz)
    # periodic copies of the solute see its charges at the end, and its inside is not cut off: 0.05 kJ/mol here
    assert ends[1] == pytest.approx(whole, abs=0.2)
    n = wet.n_solute
    rest = subset(wet.terms, np.arange(n, wet.terms.n_atoms))
    water = energy(system_of(rest, None, wet.choices(0.7)), wet.xyz[n:])
    gas = Choices(implicit_water=False, constrain_hydrogens=True, heavy_hydrogens=True)
    alone = energy(system_of(terms, None, gas), xyz)
    assert ends[0] == pytest.approx(water + alone, abs=0.05)


def test_the_dispersion_beyond_the_cutoff_is_the_integral_over_water() -> None:
    """Reference: scipy's quadrature of every pair's Lennard-Jones energy over evenly spread water."""
    terms, xyz = methanol()
    wet = solvated(terms, xyz, padding=0.95, salt=0.0)
    n, volume = wet.n_solute, float(np.prod(wet.box))

    def shell(r: float) -> float:
        sixth = (0.5 * (wet.terms.sigma[:n, None] + wet.terms.sigma[None, n:]) / r) ** 6
        depth = np.sqrt(wet.terms.epsilon[:n, None] * wet.terms.epsilon[None, n:])
        return float((4.0 * depth * (sixth**2 - sixth)).sum()) * 4.0 * np.pi * r * r / volume

    exact = quad(shell, 0.7, np.inf, epsrel=1e-6)[0] * KCAL_PER_KJ
    assert dispersion_beyond(wet, 0.7) == pytest.approx(exact, rel=1e-4)
    assert exact < -0.1


def test_what_cannot_be_hydrated_is_told() -> None:
    ion = Chem.AddHs(Chem.MolFromSmiles("C[NH3+]"))
    settings = Settings(charges=gasteiger, device=REFERENCE)
    AllChem.EmbedMolecule(ion, randomSeed=1)
    with pytest.raises(MoleculeError, match=r"methylamine carries a charge of \+1"):
        hydration(ion, "explicit", settings=settings, name="methylamine")
    with pytest.raises(DockingError, match="padding of at least"):
        hydration(embedded("CO"), "explicit", settings=settings, padding=2.0)
