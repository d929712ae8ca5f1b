"""A ladder of wells in OpenMM against its analytic answer; exchange keeps the ensemble; resuming goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openmm
import pytest

from discovery.outcome import MoleculeError
from discovery.units import GAS_CONSTANT
from docking.dynamics.checkpoint import Keeper
from docking.dynamics.free_energy.exchange import (
    SLOW,
    Ladder,
    Plan,
    Samples,
    Turn,
    exchanged,
    sample,
    two_paced,
)
from docking.dynamics.free_energy.ladder import difference
from docking.dynamics.platform import Device
from docking.receptor import DockingError

T = 300.0
STIFF = (500.0, 1000.0, 2000.0, 4000.0)  # kJ/mol/nm²
PLAN = Plan(iterations=400, steps=100, warm=50, step_fs=4.0, temperature=T, friction=5.0, seed=2)


def well() -> Ladder:
    """One particle of 12 amu in a three-dimensional well."""
    system = openmm.System()
    system.addParticle(12.0)
    force = openmm.CustomExternalForce("0.5*stiff*(x^2 + y^2 + z^2)")
    force.addGlobalParameter("stiff", STIFF[0])
    force.addParticle(0, [])
    system.addForce(force)

    def weighed(ctx: Any) -> np.ndarray:
        xyz = np.array(ctx.getState(getPositions=True).getPositions()[0]._value)
        return 0.5 * np.array(STIFF) * float(xyz @ xyz)

    return Ladder(system, tuple({"stiff": k} for k in STIFF), weighed)


def test_wells_in_openmm_give_the_analytic_difference() -> None:
    samples = sample(well(), np.zeros((1, 3)), PLAN, Device("Reference"))
    found = difference(samples.energies, samples.state_of, T)
    exact = 1.5 * GAS_CONSTANT * T * np.log(STIFF[-1] / STIFF[0])
    assert found.value == pytest.approx(exact, abs=max(4.0 * found.error, 0.1))
    assert samples.mixing > 0.3
    mean = np.array([samples.energies[samples.state_of == k][:, k].mean() for k in range(4)])
    assert mean == pytest.approx(1.5 * 8.314462618e-3 * T, rel=0.2)  # equipartition in every state


def test_forces_at_two_paces_leave_the_distribution_as_it_is() -> None:
    """A well of which a third of the force is slow: equipartition of place and speed, at a step of 8 fs; frozen atoms stay."""
    system = openmm.System()
    for mass in (12.0, 0.0):
        system.addParticle(mass)
    for group, share in ((0, 2.0), (SLOW, 1.0)):
        force = openmm.CustomExternalForce(f"0.5*{share * 4000.0}*(x^2 + y^2 + z^2)")
        force.setForceGroup(group)
        force.addParticle(0, [])
        system.addForce(force)
    integrator = two_paced(T, 10.0, 0.008, 2)
    integrator.setRandomNumberSeed(3)
    ctx = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    ctx.setPositions(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    places, speeds = [], []
    for _ in range(8000):
        integrator.step(5)
        state = ctx.getState(getPositions=True, getVelocities=True)
        places.append(state.getPositions(asNumpy=True)._value)
        speeds.append(state.getVelocities(asNumpy=True)._value[0])
    unit = 8.314462618e-3 * T
    assert np.square(places)[:, 0].mean() * 12000.0 == pytest.approx(unit, rel=0.05)
    assert np.square(speeds).mean() * 12.0 == pytest.approx(unit, rel=0.05)
    assert not np.ptp(np.array(places)[:, 1], axis=0).any()


def test_a_bond_that_is_tried_to_turn_stands_as_boltzmann_says() -> None:
    """Four particles about a bond, still but for the tries: three wells of a torsion, one 1.5 kT lower, by both rules."""
    unit = 8.314462618e-3 * T
    system = openmm.System()
    for _ in range(4):
        system.addParticle(0.0)
    fast, slow = (
        openmm.CustomTorsionForce("5*(1 + cos(3*theta))"),
        openmm.CustomTorsionForce(f"-{0.75 * unit}*cos(theta - 3.14159265)"),
    )
    for group, force in enumerate((fast, slow)):
        force.addTorsion(0, 1, 2, 3, [])
        force.setForceGroup(group)
        system.addForce(force)
    start = np.array([[0.0, 0.1, 0.0], [0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.1, 0.1, 0.0]])
    axis, last = (1, 2), np.array([3], dtype=np.int64)
    turns = tuple(Turn(axis, last, thirds=thirds) for thirds in (True, False))
    ladder = Ladder(system, ({},), lambda ctx: np.zeros(1), turns=turns)
    seen: list[float] = []

    def keep(now: Samples) -> None:
        _, y, z = now.xyz[0, 3]
        seen.append(float(np.arctan2(z, y)))

    sample(
        ladder, start, Plan(iterations=150, steps=1, warm=0, temperature=T), Device("Reference"), keep=keep
    )
    found = np.cos(np.array(seen) - np.pi)
    angles = np.linspace(-np.pi, np.pi, 2001)
    weight = np.exp(-(5.0 * (1 + np.cos(3 * angles)) / unit) + 0.75 * np.cos(angles - np.pi))
    wanted = float((np.cos(angles - np.pi) * weight).sum() / weight.sum())
    assert found.mean() == pytest.approx(wanted, abs=0.15)


def test_exchange_keeps_the_distribution() -> None:
    """Two replicas whose energies are fixed: they trade as often as Boltzmann says."""
    energies = np.array([[0.0, 2.0], [1.0, 0.5]])
    gain = (energies[0, 0] + energies[1, 1] - energies[0, 1] - energies[1, 0]) / (8.314462618e-3 * T)
    state, straight = np.array([0, 1]), 0
    for seed in range(6000):
        state = exchanged(energies, state, T, seed)
        straight += int(state[0] == 0)
    assert straight / 6000 == pytest.approx(1.0 / (1.0 + np.exp(gain)), abs=0.03)


def test_a_kill_costs_nothing_but_time(tmp_path: Path) -> None:
    keeper = Keeper(Samples, tmp_path, "edge", every_s=0.0)
    plan = Plan(iterations=6, steps=5, warm=5, temperature=T)

    class Killed(BaseException):
        pass

    def keep(now: Samples) -> None:
        keeper.keep(now)
        if now.chunk == 3:
            raise Killed

    with pytest.raises(Killed):
        sample(well(), np.zeros((1, 3)), plan, Device("Reference"), keep=keep)
    held = keeper.found()
    assert held is not None
    assert held.chunk == 3
    after = sample(well(), np.zeros((1, 3)), plan, Device("Reference"), resumed=held)
    assert after.chunk == 6
    assert np.array_equal(after.energies[:3], held.energies)
    assert after.state_of[3].tolist() == held.state_now.tolist()


def test_what_explodes_at_the_smallest_step_ends_with_a_reason() -> None:
    ladder = well()
    for force in ladder.system.getForces():
        force.setEnergyFunction("0.5*stiff*1e9*(x^2 + y^2 + z^2)")
    with pytest.raises(MoleculeError, match=r"edge: state 1 of 4 exploded even at steps of"):
        sample(ladder, np.full((1, 3), 0.3), PLAN, Device("Reference"), name="edge")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"iterations": 0}, "iterations"),
        ({"step_fs": 9.0}, "step_fs"),
        ({"temperature": float("nan")}, "temperature"),
        ({"warm": -1}, "warm"),
    ],
)
def test_a_plan_names_the_number_that_is_wrong(bad: dict[str, Any], says: str) -> None:
    with pytest.raises(DockingError, match=says):
        Plan(**bad)
