"""Explicit water: neutral, at the density of water, conserving energy, and refusing boxes that are too small."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import openmm
import pytest
from rdkit import Chem

from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import carve
from docking.dynamics.protocol import Settings, simulate
from docking.dynamics.receptor_system import ReceptorModel, receptor_model
from docking.dynamics.simulate import Run
from docking.dynamics.surroundings import in_water
from docking.dynamics.system import system_of
from docking.dynamics.water.water_box import Solvated, relaxed, solvated
from docking.receptor import DockingError
from tests.docking.dynamics.cases import embedded, helix, text, toluene

CPU = Device("CPU", 1)


@lru_cache(maxsize=2)
def acetate() -> Solvated:
    mol = embedded("CC(=O)[O-]")
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    return solvated(terms, mol.GetConformer().GetPositions() / 10.0, padding=0.75, salt=0.5, cutoff=0.7)


@lru_cache(maxsize=1)
def settled() -> Solvated:
    return relaxed(acetate(), CPU, ps=1.5, evaluations=25, cutoff=0.7)


def test_the_box_is_neutral_and_as_salty_as_asked() -> None:
    wet = acetate()
    sodium, chloride = wet.ions
    assert sodium - chloride == 1
    assert chloride == round(0.5 * (wet.waters + sodium + chloride) / 55.4)
    assert wet.terms.charge.sum() == pytest.approx(0.0, abs=1e-6)
    assert wet.terms.n_atoms == wet.n_solute + sodium + chloride + 3 * wet.waters == len(wet.xyz)


def test_no_water_lies_on_the_solute_or_on_another_across_the_walls() -> None:
    wet = acetate()
    first = wet.n_solute + sum(wet.ions)
    oxygen = wet.xyz[first::3]
    between = oxygen[:, None] - oxygen[None]
    between -= np.round(between / np.array(wet.box)) * np.array(wet.box)
    gaps = np.linalg.norm(between, axis=-1) + np.eye(len(oxygen))
    assert gaps.min() > 0.23
    assert np.linalg.norm(oxygen[:, None] - wet.xyz[: wet.n_solute], axis=-1).min() > 0.2


def test_a_water_is_openmms_water() -> None:
    """Reference: OpenMM's TIP3P file: 0.09572 nm and 104.52 degrees, charges -0.834 and 0.417 e."""
    wet = acetate()
    first = wet.n_solute + sum(wet.ions)
    assert wet.terms.charge[first : first + 3] == pytest.approx([-0.834, 0.417, 0.417])
    system = system_of(wet.terms, None, wet.choices(0.7))
    held = {}
    for i in range(system.getNumConstraints()):
        a, b, length = system.getConstraintParameters(i)
        held[a, b] = length._value
    across = 2 * 0.09572 * np.sin(np.radians(104.52) / 2)
    assert held[first, first + 1] == pytest.approx(0.09572, abs=1e-6)
    assert held[first + 1, first + 2] == pytest.approx(across, abs=1e-5)


def test_under_pressure_the_box_takes_the_density_of_water_and_the_solute_stands_still() -> None:
    before, wet = acetate(), settled()
    assert np.prod(wet.box) < np.prod(before.box)
    assert 0.91 < wet.density < 1.08
    assert wet.xyz[wet.solute] == pytest.approx(before.xyz[before.solute], abs=1e-3)


def test_energy_is_conserved() -> None:
    wet = settled()
    integrator = openmm.VerletIntegrator(0.0005)
    integrator.setConstraintTolerance(1e-8)
    ctx = context(system_of(wet.terms, None, wet.choices(0.7)), integrator, CPU)
    ctx.setPositions(wet.xyz)
    ctx.applyConstraints(1e-8)
    ctx.setVelocitiesToTemperature(300.0, 1)
    integrator.step(100)

    def total() -> tuple[float, float]:
        state = ctx.getState(getEnergy=True)
        kinetic = state.getKineticEnergy()._value
        return kinetic + state.getPotentialEnergy()._value, kinetic

    start, kinetic = total()
    integrator.step(200)
    assert total()[0] == pytest.approx(start, abs=0.01 * kinetic)


def test_a_box_too_small_says_how_much_water_it_takes() -> None:
    mol = embedded("CO")
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    with pytest.raises(DockingError, match=r"lig: a box of .* nm is too small .* padding of at least \d"):
        solvated(terms, mol.GetConformer().GetPositions() / 10.0, padding=0.3, name="lig")
    with pytest.raises(DockingError, match="has no room for"):
        solvated(terms, mol.GetConformer().GetPositions() / 10.0, padding=0.95, salt=30.0)


def beside_the_helix() -> tuple[ReceptorModel, Chem.Mol]:
    model = receptor_model(text(helix()), "helix 3")
    mol = Chem.Mol(toluene())
    xyz, wall = mol.GetConformer().GetPositions(), model.xyz * 10.0
    side = wall[np.argmax(wall[:, 0])]
    xyz = xyz - xyz.mean(axis=0) + side
    while np.linalg.norm(xyz[:, None] - wall, axis=-1).min() < 3.5:
        xyz = xyz + np.array([0.5, 0.0, 0.0])
    for i, place in enumerate(xyz.tolist()):
        mol.GetConformer().SetAtomPosition(i, place)
    return model, mol


def test_a_complex_in_water_keeps_its_atoms_in_order_and_its_backbone_in_place() -> None:
    model, mol = beside_the_helix()
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    bound = carve(model, terms, mol.GetConformer().GetPositions(), keep=5.0, free=4.0)
    around = in_water(model, bound, bound.xyz, free=4.0, device=CPU, padding=0.75, cutoff=0.7, ps=0.1)
    assert around.xyz[around.kept] == pytest.approx(bound.xyz, abs=2e-3)
    assert around.atoms > 3 * model.terms.n_atoms
    (hold,) = (f for f in around.system.getForces() if isinstance(f, openmm.CustomExternalForce))
    assert 0 < hold.getNumParticles() < 3 * len(model.labels)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_pose_is_watched_in_explicit_water(monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(in_water, ps=0.4, padding=0.75, cutoff=0.7)
    monkeypatch.setattr("docking.dynamics.protocol.in_water", small)
    model, mol = beside_the_helix()
    run = Run(
        length_ps=0.2, equilibration_ps=0.05, frame_ps=0.05, replicas=1, step_fs=2.0, solvent="explicit"
    )
    found = simulate(model, mol, run, Settings(charges=gasteiger, device=CPU), name="toluene")
    assert found.rmsd.shape == (1, 4)
    assert np.isfinite(found.energies).all()
    assert "TIP3P" in found.start.made_with
