"""Hydroxyls that turn: the reference is OpenMM's energy of the same complex; bonds and all else stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openmm
import pytest

from docking.dynamics.hydroxyls import profile, rotors, turned
from docking.dynamics.minimise import dry_system
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import Complex
from tests.docking.dynamics.cases import toluene_pocket


def energy(bound: Complex, *places: np.ndarray) -> list[float]:
    ctx = context(dry_system(bound), openmm.VerletIntegrator(0.001), Device("Reference"))
    found = []
    for xyz in places:
        ctx.setPositions(xyz)
        found.append(float(ctx.getState(getEnergy=True).getPotentialEnergy()._value))
    return found


def test_what_a_turn_costs_is_what_openmm_says() -> None:
    bound = toluene_pocket()
    for rotor in rotors(bound)[:3]:
        places, energies = profile(bound.terms, bound.xyz, rotor)
        assert places[0] == pytest.approx(bound.xyz[rotor[0]], abs=1e-9)
        moved = []
        for place in places[[0, 1, 5, 8]]:
            xyz = bound.xyz.copy()
            xyz[rotor[0]] = place
            moved.append(xyz)
        theirs = np.diff(energy(bound, *moved))
        assert np.diff(energies[[0, 1, 5, 8]]) == pytest.approx(theirs, rel=1e-4, abs=1e-3)


def test_one_turned_away_comes_back_and_nothing_else_moves() -> None:
    bound = toluene_pocket()
    best = turned(bound, bound.xyz)
    hydrogens = [h for h, _, _ in rotors(bound)]
    assert hydrogens
    worst = best.copy()
    for rotor in rotors(bound):
        places, energies = profile(bound.terms, worst, rotor)
        worst[rotor[0]] = places[int(energies.argmax())]
    again = turned(bound, worst)
    low, high, back = energy(bound, best, worst, again)
    assert low <= energy(bound, bound.xyz)[0]
    assert back < high - 10.0
    assert back == pytest.approx(low, abs=8.0)  # steps of 30 degrees from another start
    still = np.setdiff1d(np.arange(len(best)), hydrogens)
    assert (again[still] == bound.xyz[still]).all()
    for h, middle, _ in rotors(bound):
        lengths = [np.linalg.norm(xyz[h] - xyz[middle]) for xyz in (bound.xyz, again)]
        assert lengths[0] == pytest.approx(lengths[1], abs=1e-9)


def test_a_frozen_one_stays() -> None:
    bound = toluene_pocket()
    frozen = np.ones(len(bound.xyz), dtype=bool)
    assert rotors(replace(bound, frozen=frozen)) == []
    assert (turned(replace(bound, frozen=frozen), bound.xyz) == bound.xyz).all()
