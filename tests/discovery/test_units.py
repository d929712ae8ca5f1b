"""Units against constants that are not ours."""

from __future__ import annotations

import pytest

from discovery.units import GAS_CONSTANT

BOLTZMANN, AVOGADRO = 1.380649e-23, 6.02214076e23  # J/K and 1/mol, exact since the 2019 SI


def test_the_gas_constant_is_boltzmann_times_avogadro() -> None:
    assert pytest.approx(BOLTZMANN * AVOGADRO / 4184, rel=1e-12) == GAS_CONSTANT
