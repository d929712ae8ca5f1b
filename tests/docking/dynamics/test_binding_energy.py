"""Laws: parts add up, residues add up, and the whole is OpenMM's complex less receptor less ligand."""

from __future__ import annotations

import numpy as np
import pytest

from docking.dynamics.binding_energy import interaction, standard_error
from docking.dynamics.system import energies, system_of
from docking.dynamics.terms import subset
from tests.docking.dynamics.cases import placed, toluene_pocket


def test_it_is_openmms_complex_less_receptor_less_ligand() -> None:
    """In all terms, bonded ones included: they cancel."""
    bound = toluene_pocket()
    n, all_atoms = bound.n_receptor, np.arange(bound.terms.n_atoms)
    totals = []
    for atoms in (all_atoms, all_atoms[:n], all_atoms[n:]):
        context = placed(system_of(subset(bound.terms, atoms)), bound.xyz[atoms])
        totals.append(sum(energies(context).values()))
    theirs = (totals[0] - totals[1] - totals[2]) / 4.184
    assert interaction(bound, bound.xyz, "obc2").total == pytest.approx(theirs, abs=1e-6)


def test_residues_add_up_to_the_total() -> None:
    found = interaction(toluene_pocket(), toluene_pocket().xyz)
    assert sum(found.residues.values()) == pytest.approx(found.total, abs=1e-9)
    assert found.total == pytest.approx(found.vdw + found.coulomb + found.polar + found.nonpolar)
    assert len(found.residues) == len(toluene_pocket().labels) + 1


def test_far_away_there_is_no_interaction() -> None:
    bound = toluene_pocket()
    far = bound.xyz.copy()
    far[bound.ligand] += 200.0
    found = interaction(bound, far)
    assert found.total == pytest.approx(0.0, abs=1e-3)


def test_moving_everything_changes_nothing() -> None:
    bound = toluene_pocket()
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    here, there = interaction(bound, bound.xyz), interaction(bound, bound.xyz @ turn + 7.0)
    assert there.total == pytest.approx(here.total, abs=1e-6)


def test_standard_error() -> None:
    assert standard_error(np.array([[1.0, 1.0], [3.0, 3.0]]), 2) == pytest.approx(1.0)
    assert standard_error(np.ones((1, 8)), 8) == 0.0
    assert standard_error(np.ones((1, 2)), 2) is None
