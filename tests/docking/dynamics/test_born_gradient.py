"""Reference: OpenMM's GBSAOBCForce on its double-precision platform. Law: the slope is that of the energy."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from docking.dynamics.minimise import settle
from docking.dynamics.platform import Device
from docking.dynamics.system import Choices, continuum
from docking.dynamics.water.born_gradient import FrozenSurroundings
from tests.docking.dynamics.cases import placed, toluene_pocket


def moved(seed: int, by: float = 0.01) -> np.ndarray:
    """The pocket with its free atoms shaken, nm."""
    bound = toluene_pocket()
    xyz = bound.xyz.copy()
    xyz[~bound.frozen] += np.random.default_rng(seed).normal(scale=by, size=(int((~bound.frozen).sum()), 3))
    return xyz


def openmms(xyz: np.ndarray) -> tuple[float, np.ndarray]:
    terms = toluene_pocket().terms
    system = openmm.System()
    for mass in terms.mass.tolist():
        system.addParticle(mass)
    system.addForce(continuum(terms, Choices()))
    context = placed(system, xyz)
    state = context.getState(getEnergy=True, getForces=True)
    return state.getPotentialEnergy()._value, -np.asarray(state.getForces(asNumpy=True)._value)


@pytest.mark.parametrize("free", ["some", "all", "one"])
def test_energy_and_slope_are_openmms_wherever_the_free_atoms_go(free: str) -> None:
    bound = toluene_pocket()
    frozen = {
        "some": bound.frozen,
        "all": np.zeros_like(bound.frozen),
        "one": ~np.eye(len(bound.xyz))[-1].astype(bool),
    }
    still = frozen[free]
    water = FrozenSurroundings(bound.terms, bound.xyz, still)
    xyz = np.where(still[:, None], bound.xyz, moved(3))
    energy, slope = water(xyz)
    theirs, force = openmms(xyz)
    assert energy == pytest.approx(theirs, rel=1e-5)
    assert np.abs(slope - force)[~still].max() < 2e-4 * np.abs(force).max()
    assert not slope[still].any()


def test_a_pose_settles_as_in_openmms_own_water() -> None:
    """The CPU takes our water, the Reference platform OpenMM's."""
    bound = toluene_pocket()
    ours, theirs = (settle(bound, Device(name), dry=10, wet=4) for name in ("CPU", "Reference"))
    assert ours.energy == pytest.approx(theirs.energy, abs=0.2)
    assert np.abs(ours.xyz - theirs.xyz).max() < 2e-4
