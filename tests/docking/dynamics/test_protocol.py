"""The numbers' own consistency; broken poses are in test_broken_inputs.py."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking import demo_target
from docking.dynamics.parameters.charges import Charges, gasteiger
from docking.dynamics.protocol import Settings, read_pose, rescore, simulate
from docking.dynamics.simulate import Run
from tests.docking.dynamics.cases import demo_model, toluene

QUICK = Settings(charges=gasteiger, keep=6.0, free=4.0)


def test_a_settled_pose_has_its_null_and_its_provenance() -> None:
    found = rescore(demo_model(), toluene(), QUICK, name="toluene")
    assert found.energy.total < -5.0
    assert found.heavy_atoms == 7
    assert found.moved < 1.5
    for word in ("ff14SB", "sage-2.2.1", "gasteiger", "OBC2", "OpenMM"):
        assert word in found.made_with
    assert found.mol.GetNumAtoms() == toluene().GetNumAtoms()


def test_the_order_of_atoms_hardly_matters() -> None:
    """Impropers follow the order of atoms, and a minimum is reached by another way: half a kcal/mol."""
    mol = toluene()
    order = [int(i) for i in np.random.default_rng(2).permutation(mol.GetNumAtoms())]
    here = rescore(demo_model(), mol, QUICK).energy.total
    assert rescore(demo_model(), Chem.RenumberAtoms(mol, order), QUICK).energy.total == pytest.approx(
        here, abs=0.5
    )


def test_replicas_give_means_and_errors() -> None:
    run = Run(length_ps=0.2, equilibration_ps=0.05, frame_ps=0.05, replicas=2, seed=3)
    found = simulate(demo_model(), toluene(), run, QUICK, name="toluene")
    assert found.rmsd.shape == found.kept.shape == found.energies.shape == (2, 4)
    drift, error = found.drift
    assert drift == pytest.approx(found.rmsd[:, 2:].mean())
    assert error == pytest.approx(abs(found.rmsd[0, 2:].mean() - found.rmsd[1, 2:].mean()) / 2)
    assert found.energy[0] == pytest.approx(found.energies[:, 2:].mean())


def test_the_crystal_pose_of_ergotamine_reads_back() -> None:
    mol = read_pose(demo_target.reference_block(), "ergotamine")
    assert Chem.GetFormalCharge(mol) == 1


def test_any_charge_set_can_be_passed_in() -> None:
    mol = toluene()
    none = Settings(charges=lambda m, n: Charges(np.zeros(m.GetNumAtoms()), "none"), keep=6.0, free=4.0)
    found = rescore(demo_model(), mol, none)
    assert found.energy.coulomb == pytest.approx(0.0, abs=1e-9)
    assert ", none, " in found.made_with
