"""References: antechamber's and OpenEye's AM1-BCC charges (shared); symmetry and sums."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from rdkit import Chem

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.parameters.am1 import Am1Failed, Mopac
from docking.dynamics.parameters.charges import (
    am1_bcc,
    extended_conformer,
    gasteiger,
    symmetrised,
    with_fallback,
)
from tests.docking.dynamics.cases import embedded, needs_shared, reference_charges, shared_ligands


@needs_shared
def test_freesolv_charges_are_antechambers_or_openeyes() -> None:
    """Median RMS to the nearer reference below 0.0005 e on every 25th solute."""
    others = {mol.GetProp("_Name"): mol for mol in shared_ligands("freesolv", "openeye_am1bcc")}
    near = []
    with Mopac() as mopac:
        for one in shared_ligands("freesolv")[3::25]:
            other = others.get(one.GetProp("_Name"))
            if other is None or one.HasSubstructMatch(Chem.MolFromSmarts("[O-]N[O-]")):
                continue  # the reference drew nitro groups as dianions
            if one.HasSubstructMatch(Chem.MolFromSmarts("[#15]")):
                continue  # nothing was published for P-O: the fallback is tested below
            assert [a.GetAtomicNum() for a in one.GetAtoms()] == [a.GetAtomicNum() for a in other.GetAtoms()]
            ours = am1_bcc(one, one.GetProp("_Name"), mopac=mopac).values
            near.append(min(np.sqrt(np.mean((ours - reference_charges(mol)) ** 2)) for mol in (one, other)))
    assert len(near) >= 15
    assert np.median(near) < 0.0005
    assert np.mean(np.array(near) < 0.005) >= 0.9


@needs_shared
def test_a_drug_like_anion_is_openeyes_to_a_hundredth() -> None:
    mol = next(m for m in shared_ligands("mcl1", "openeye_am1bcc") if m.GetProp("_Name") == "35")
    ours = am1_bcc(mol, "35").values
    assert np.sqrt(np.mean((ours - reference_charges(mol)) ** 2)) < 0.01


def test_charges_add_up_and_equal_atoms_share_theirs() -> None:
    mol = embedded("CC(=O)[O-]")
    found = am1_bcc(mol)
    assert found.method == "am1-bcc"
    assert found.values.sum() == pytest.approx(-1.0, abs=1e-4)
    assert found.values[2] == found.values[3]
    assert found.values[4] == found.values[5] == found.values[6]


def test_own_conformers_do_not_depend_on_pose_or_order() -> None:
    mol = embedded("NCCCO", seed=3)
    order = [int(i) for i in np.random.default_rng(1).permutation(mol.GetNumAtoms())]
    shuffled = Chem.RenumberAtoms(embedded("NCCCO", seed=11), order)
    here, there = extended_conformer(mol), extended_conformer(shuffled)
    distances = [np.sort(np.linalg.norm(x[:, None] - x[None], axis=-1).ravel()) for x in (here, there)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-6)
    with Mopac() as mopac:
        ours = am1_bcc(mol, start="own", mopac=mopac).values
        theirs = am1_bcc(shuffled, start="own", mopac=mopac).values
    assert theirs == pytest.approx(ours[order], abs=2e-4)


def test_gasteiger_adds_up_to_the_formal_charge() -> None:
    found = gasteiger(Chem.AddHs(Chem.MolFromSmiles("C[NH3+]")))
    assert (found.method, found.values.sum()) == ("gasteiger", pytest.approx(1.0, abs=1e-9))


def test_the_fallback_says_why() -> None:
    mol = embedded("COP(=O)(OC)OC")
    found = with_fallback(am1_bcc, gasteiger)(mol, "trimethyl phosphate")
    assert found.method == "gasteiger"
    assert found.note.startswith("charges by gasteiger: trimethyl phosphate: no bond charge correction")


def test_with_nothing_left_to_try_the_molecule_is_named() -> None:
    with pytest.raises(MoleculeError, match="lig7") as caught:
        with_fallback(am1_bcc)(embedded("COP(=O)(OC)OC"), "lig7")
    assert caught.value.reason is Reason.UNPREPARED


def test_symmetrising_keeps_the_sum() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("O=[N+]([O-])c1ccccc1"))
    q = np.random.default_rng(2).normal(size=mol.GetNumAtoms())
    even = symmetrised(mol, q)
    assert even.sum() == pytest.approx(q.sum())
    assert even[0] == even[2]


def test_a_refusal_a_hang_and_a_crash_are_one_error_each_and_the_next_answer_comes() -> None:
    water = (np.array([8, 1, 1]), np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]]))
    with Mopac(seconds=60) as mopac:
        with pytest.raises(Am1Failed, match="refused"):
            mopac.charges(np.array([8, 8, 8]), np.zeros((3, 3)), 0)
        q, _ = mopac.charges(*water, 0)
        assert q[0] < -0.3
        assert mopac._child is not None
        mopac._child.kill()
        mopac._child.wait()
        again, _ = mopac.charges(*water, 0)
        assert again == pytest.approx(q, abs=1e-9)
        os.kill(mopac._child.pid, signal.SIGSTOP)  # it hangs
        mopac.seconds = 0.01
        with pytest.raises(Am1Failed, match="took more than"):
            mopac.charges(*water, 0)
        mopac.seconds = 60.0
        assert mopac.charges(*water, 0)[0] == pytest.approx(q, abs=1e-9)
