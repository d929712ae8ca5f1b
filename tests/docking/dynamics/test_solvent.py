"""Reference: OpenMM's own table of OBC2 parameters (mbondi2)."""

from __future__ import annotations

import numpy as np
import pytest
from openmm import app
from openmm.app.internal.customgbforces import GBSAOBC2Force

from docking.dynamics.water.solvent import born_parameters


def test_radii_and_scales_are_openmms() -> None:
    topology = app.Topology()
    residue = topology.addResidue("LIG", topology.addChain())
    atoms = [
        topology.addAtom(s, app.Element.getBySymbol(s), residue)
        for s in ("C", "H", "N", "H", "O", "H", "F", "P", "S", "Cl", "H")
    ]
    links = [(0, 1), (0, 2), (3, 2), (0, 4), (4, 5), (0, 6), (0, 7), (0, 8), (8, 10), (0, 9)]
    for a, b in links:
        topology.addBond(atoms[a], atoms[b])
    theirs = GBSAOBC2Force.getStandardParameters(topology)
    numbers = np.array([atom.element.atomic_number for atom in topology.atoms()])
    radius, scale = born_parameters(numbers, np.array(links))
    assert radius == pytest.approx([float(p[0]) for p in theirs], abs=1e-12)
    assert scale == pytest.approx([float(p[1]) for p in theirs], abs=1e-12)
