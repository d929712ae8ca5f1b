"""Analytic free energies, forward against backward, and ladders that must not be believed."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.outcome import MoleculeError
from discovery.units import GAS_CONSTANT, KCAL_PER_KJ
from docking.dynamics.free_energy.ladder import POOR, difference

T = 300.0
KT = GAS_CONSTANT * T  # kcal/mol


def wells(stiff: np.ndarray, places: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact samples of harmonic wells k/2 (x - x0)², kcal/mol; their energies in kJ/mol in every well."""
    random = np.random.default_rng(seed)
    x = places + random.normal(size=(n, len(stiff))) * np.sqrt(KT / stiff)
    energies = 0.5 * stiff * (x[:, :, None] - places) ** 2 / KCAL_PER_KJ
    return energies, np.tile(np.arange(len(stiff)), (n, 1))


@pytest.mark.parametrize("seed", range(5))
def test_harmonic_wells_give_the_analytic_difference(seed: int) -> None:
    stiff, places = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.0, 0.2, 0.4, 0.6])
    found = difference(*wells(stiff, places, 400, seed), T)
    exact = 0.5 * KT * np.log(stiff / stiff[0])
    assert found.error < 0.1
    assert found.value == pytest.approx(exact[-1], abs=4.0 * found.error)
    assert found.profile == pytest.approx(exact, abs=0.15)
    assert found.doubts == ()


def test_the_error_is_the_spread_of_repeats() -> None:
    stiff, places = np.array([1.0, 3.0, 9.0]), np.zeros(3)
    repeats = [difference(*wells(stiff, places, 100, seed), T) for seed in range(25)]
    spread = float(np.std([one.value for one in repeats], ddof=1))
    assert np.mean([one.error for one in repeats]) == pytest.approx(spread, rel=0.5)


def test_backward_is_minus_forward() -> None:
    energies, state_of = wells(np.array([1.0, 2.0, 5.0]), np.array([0.0, 0.3, 0.5]), 200, 3)
    forward = difference(energies, state_of, T)
    backward = difference(energies[:, ::-1, ::-1], state_of, T)
    assert backward.value == pytest.approx(-forward.value, abs=1e-6)
    assert backward.error == pytest.approx(forward.error, abs=1e-6)


def test_exchanged_replicas_tell_the_same() -> None:
    energies, state_of = wells(np.array([1.0, 2.0, 5.0]), np.zeros(3), 100, 4)
    order = np.random.default_rng(0).permuted(np.tile(np.arange(3), (100, 1)), axis=1)
    rows = np.arange(100)[:, None]
    mixed = difference(energies[rows, order], state_of[rows, order], T)
    assert mixed.value == pytest.approx(difference(energies, state_of, T).value, abs=1e-9)


def test_correlated_samples_do_not_shrink_the_error() -> None:
    energies, state_of = wells(np.array([1.0, 3.0]), np.zeros(2), 100, 5)
    once = difference(energies, state_of, T)
    tenfold = difference(np.repeat(energies, 10, axis=0), np.repeat(state_of, 10, axis=0), T)
    assert tenfold.error > 0.6 * once.error


def test_wells_that_hardly_meet_are_doubted_and_those_that_do_not_are_refused() -> None:
    far = difference(*wells(np.full(2, 4.0), np.array([0.0, 1.7]), 400, 6), T)
    assert far.weakest < POOR
    assert "states 1 and 2 of 2 overlap by" in far.doubts[0]
    with pytest.raises(
        MoleculeError, match=r"lig7: states 2 and 3 of 3 share no configurations .* more windows"
    ):
        difference(*wells(np.full(3, 4.0), np.array([0.0, 0.3, 9.0]), 400, 6), T, name="lig7")


def test_the_error_sees_what_is_slow() -> None:
    """Something that all replicas share comes and goes with a memory of 5 iterations of 90; reference: repeats."""
    random, found = np.random.default_rng(1), []
    for seed in range(40):
        energies, state_of = wells(np.array([1.0, 4.0]), np.zeros(2), 90, seed)
        slow = np.zeros(90)
        for t in range(90):
            slow[t] = (
                slow[t - 1] * np.exp(-0.2) + random.normal() * np.sqrt(1.0 - np.exp(-0.4))
                if t
                else random.normal()
            )
        energies[:, :, 1] += 0.8 / KCAL_PER_KJ * slow[:, None]
        found.append(difference(energies, state_of, T))
    spread = float(np.std([one.value for one in found], ddof=1))
    assert np.sqrt(np.mean([one.noise**2 for one in found])) < 0.7 * spread
    assert np.sqrt(np.mean([one.error**2 for one in found])) > 0.75 * spread


def test_a_drifting_half_is_told() -> None:
    energies, state_of = wells(np.array([1.0, 1.2]), np.zeros(2), 100, 7)
    energies[50:, :, 1] += 15.0
    found = difference(energies, state_of, T)
    assert "not converged" in " ".join(found.doubts)


def test_too_few_iterations_and_numbers_that_are_none() -> None:
    energies, state_of = wells(np.array([1.0, 2.0]), np.zeros(2), 4, 8)
    with pytest.raises(MoleculeError, match="ask for at least 4"):
        difference(energies[:3], state_of[:3], T)
    energies[3] = np.nan
    with pytest.raises(MoleculeError, match="no finite number"):
        difference(energies, state_of, T, discard=0.0)
