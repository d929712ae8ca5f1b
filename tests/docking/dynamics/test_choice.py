"""Laws: whatever scale a score has, it counts alike; strain is never negative; the parts add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.units import KCAL_PER_KJ
from docking.dynamics.binding_energy import interaction
from docking.dynamics.choice import standing, strain
from docking.dynamics.minimise import alone
from docking.dynamics.system import system_of
from docking.dynamics.terms import subset
from tests.docking.dynamics.cases import energy_of, toluene_pocket

numbers = st.lists(st.floats(-200.0, 50.0), min_size=2, max_size=8)


@given(numbers, st.floats(-50.0, 50.0), st.floats(0.1, 9.0))
def test_only_a_scores_own_spread_counts(energies: list[float], shift: float, scale: float) -> None:
    mmgbsa = np.array(energies)
    docked = np.cos(np.arange(len(mmgbsa)))
    none = np.zeros(len(mmgbsa))
    if mmgbsa.std() > 1e-3:
        assert standing(mmgbsa, none, shift + scale * docked) == pytest.approx(
            standing(shift + scale * mmgbsa, none, docked), abs=1e-6
        )
    assert strain(mmgbsa).min() == 0.0
    assert strain(mmgbsa + shift) == pytest.approx(strain(mmgbsa), abs=1e-9)


def test_a_bent_ligand_and_a_poor_docking_score_speak_against_a_pose() -> None:
    mmgbsa, bent, docked = (
        np.array([-40.0, -41.0, -20.0]),
        np.array([0.0, 9.0, 2.0]),
        np.array([-8.0, -7.9, -6.0]),
    )
    assert standing(mmgbsa, np.zeros(3)).argmin() == 1
    assert standing(mmgbsa, bent).argmin() == 0
    assert list(np.argsort(standing(mmgbsa, bent, docked))) == [0, 1, 2]
    assert standing(mmgbsa, np.zeros(3), -docked).argmin() == 1
    assert not standing([-3.0], np.zeros(1), [-5.0]).any()


def test_complex_less_receptor_less_ligand_is_the_interaction() -> None:
    bound = toluene_pocket()
    n = bound.n_receptor

    def energy(atoms: np.ndarray) -> float:
        return energy_of(system_of(subset(bound.terms, atoms)), bound.xyz[atoms]) * KCAL_PER_KJ

    apart = energy(np.arange(n)) + alone(bound, bound.xyz)
    whole = energy(np.arange(bound.terms.n_atoms))
    assert whole - apart == pytest.approx(interaction(bound, bound.xyz).total, abs=1e-4)
