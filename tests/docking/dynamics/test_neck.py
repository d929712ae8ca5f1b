"""Reference: OpenMM's own GBn2 (app.GBn2, Amber's igb=8) on its double-precision platform."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from openmm.app.internal.customgbforces import GBSAGBn2Force

from docking.dynamics.binding_energy import interaction
from docking.dynamics.water import neck
from docking.dynamics.water.born import polar
from tests.docking.dynamics.cases import energy_of, toluene_pocket


def openmms(charge: np.ndarray, radius: np.ndarray, mass: np.ndarray, xyz: np.ndarray) -> float:
    """kJ/mol; the figures by element are OpenMM's, not ours."""
    by_mass = {round(e.mass._value, 1): e for e in GBSAGBn2Force._atom_params}
    overlap = {"H": 1.425952, "C": 1.058554, "N": 0.733599, "O": 1.061039, "S": -0.703469}
    force = GBSAGBn2Force(solventDielectric=78.5, soluteDielectric=1.0, SA=None)
    rows = []
    for q, r, m in zip(charge, radius, mass, strict=True):
        element = by_mass[round(float(m), 1)]
        rows.append([q, r, overlap[element.symbol], *GBSAGBn2Force._atom_params[element]])
    force.addParticles(rows)
    force.finalize()
    system = openmm.System()
    for m in mass:
        system.addParticle(float(m))
    system.addForce(force)
    return energy_of(system, xyz)


def test_the_polar_energy_is_openmms() -> None:
    bound = toluene_pocket()
    t, xyz = bound.terms, bound.xyz
    total = neck.integral(xyz, t.gb_radius, xyz, t.gb_radius, neck.figures(t.mass)[0])
    ours = polar(xyz, t.charge, neck.effective_radii(total, t.gb_radius, t.mass)).sum()
    assert ours == pytest.approx(openmms(t.charge, t.gb_radius, t.mass, xyz), rel=1e-6)


def test_the_polar_part_of_binding_is_complex_less_receptor_less_ligand() -> None:
    bound = toluene_pocket()
    t, n = bound.terms, bound.n_receptor
    parts = [
        openmms(t.charge[atoms], t.gb_radius[atoms], t.mass[atoms], bound.xyz[atoms])
        for atoms in (slice(None), slice(0, n), slice(n, None))
    ]
    theirs = (parts[0] - parts[1] - parts[2]) / 4.184
    assert interaction(bound, bound.xyz, "gbn2").polar == pytest.approx(theirs, abs=1e-4)


def test_an_element_without_figures_of_its_own_has_the_general_ones() -> None:
    scale, alpha, beta, gamma = neck.figures(np.array([1.008, 79.904]))
    assert (scale[1], alpha[1], beta[1], gamma[1]) == (0.5, 1.0, 0.8, 4.851)
    assert scale[0] == 1.425952
