"""Reference: OpenMM's GBSAOBCForce on its double-precision platform."""

from __future__ import annotations

import numpy as np
import pytest

from docking.dynamics.system import energies, system_of
from docking.dynamics.terms import subset
from docking.dynamics.water.born import born_radii, descreening, nonpolar, polar
from tests.docking.dynamics.cases import placed, toluene_pocket


def solvation(xyz: np.ndarray, charge: np.ndarray, radius: np.ndarray, scale: np.ndarray) -> float:
    born = born_radii(descreening(xyz, radius, xyz, radius, scale), radius)
    return float(polar(xyz, charge, born).sum() + nonpolar(radius, born).sum())


def test_solvation_is_openmms() -> None:
    bound = toluene_pocket()
    t = bound.terms
    context = placed(system_of(t), bound.xyz)
    theirs = energies(context)["implicit water"]
    assert solvation(bound.xyz, t.charge, t.gb_radius, t.gb_scale) == pytest.approx(theirs, rel=1e-9)


def test_a_lone_ion_has_borns_energy() -> None:
    """Born, 1920: -(1 - 1/eps) q²/2a."""
    one = np.zeros((1, 3))
    radius = np.array([0.2])
    born = born_radii(descreening(one, radius, one, radius, np.ones(1)), radius)
    assert born == pytest.approx([0.191])
    expected = -0.5 * 138.93545764438198 * (1 - 1 / 78.5) / 0.191
    assert polar(one, np.ones(1), born).sum() == pytest.approx(expected, rel=1e-12)


def test_the_order_of_atoms_does_not_matter() -> None:
    bound = toluene_pocket()
    order = np.random.default_rng(4).permutation(bound.terms.n_atoms)
    t, mixed = bound.terms, subset(bound.terms, order)
    there = solvation(bound.xyz[order], mixed.charge, mixed.gb_radius, mixed.gb_scale)
    assert there == pytest.approx(solvation(bound.xyz, t.charge, t.gb_radius, t.gb_scale), rel=1e-12)
