"""Broken poses, each named with its cure; and the numbers' own consistency."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.outcome import MoleculeError, Reason
from docking import demo_target
from docking.dynamics.parameters.charges import Charges, gasteiger
from docking.dynamics.protocol import Settings, read_pose, rescore, simulate
from docking.dynamics.simulate import Run
from docking.receptor import ReceptorError
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


def block(mol: Chem.Mol) -> str:
    return Chem.MolToMolBlock(mol, kekulize=False)


def flat() -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    return Chem.MolToMolBlock(mol)


def salted() -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles("CC[NH3+].[Cl-]"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    return Chem.MolToMolBlock(mol)


def overlapping() -> str:
    mol = Chem.Mol(toluene())
    mol.GetConformer().SetAtomPosition(3, mol.GetConformer().GetAtomPosition(9))
    return Chem.MolToMolBlock(mol)


def five_bonds() -> str:
    mol = Chem.RWMol(toluene())
    mol.GetBondBetweenAtoms(0, 1).SetBondType(Chem.BondType.DOUBLE)
    return Chem.MolToMolBlock(mol, kekulize=False)


@pytest.mark.parametrize(
    ("pose", "reason", "says"),
    [
        ("", Reason.UNPARSABLE, "no mol block"),
        ("garbage\n\n\nV9000", Reason.UNPARSABLE, "no mol block"),
        (Chem.MolToMolBlock(Chem.Mol()), Reason.EMPTY, "no atoms"),
        (flat(), Reason.UNPREPARED, "0.00 Å apart|3-D"),
        (Chem.MolToMolBlock(Chem.RemoveHs(toluene())), Reason.UNPREPARED, r"lacks \d explicit hydrogen"),
        (salted(), Reason.UNSUPPORTED, "2 separate molecules"),
        (overlapping(), Reason.UNPREPARED, "C4 and H10 are 0.00 Å apart"),
        (five_bonds(), Reason.UNPREPARED, "valence|kekulize"),
    ],
)
def test_a_broken_pose_is_named_with_its_cure(pose: str, reason: Reason, says: str) -> None:
    with pytest.raises(MoleculeError, match=says) as caught:
        read_pose(pose, "lig7")
    assert caught.value.reason is reason
    assert "lig7" in str(caught.value)


def test_a_giant_is_refused_before_it_costs_anything() -> None:
    giant = Chem.MolFromSmiles("C" * 250)
    giant.AddConformer(Chem.Conformer(giant.GetNumAtoms()))
    with pytest.raises(MoleculeError, match="250 heavy atoms; the limit is 200"):
        read_pose(Chem.MolToMolBlock(giant), "lig7")


def test_the_crystal_pose_of_ergotamine_reads_back() -> None:
    mol = read_pose(demo_target.reference_block(), "ergotamine")
    assert Chem.GetFormalCharge(mol) == 1


def test_a_pose_outside_the_receptor_says_how_far() -> None:
    far = Chem.Mol(toluene())
    AllChem.TransformMol(far, np.array([[1, 0, 0, 500], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    with pytest.raises(ReceptorError, match="Å away"):
        rescore(demo_model(), far, QUICK)


def test_a_pose_inside_a_residue_is_no_pose() -> None:
    """Toluene's middle on the CA of Asp129, with no step to get away."""
    model = demo_model()
    index = model.labels.index("A:ASP129")
    (ca,) = (i for i in np.flatnonzero(model.residue == index) if model.atom_names[i] == "CA")
    mol = Chem.Mol(toluene())
    shift = model.xyz[ca] * 10 - mol.GetConformer().GetPositions().mean(axis=0)
    for i in range(mol.GetNumAtoms()):
        x, y, z = mol.GetConformer().GetPositions()[i] + shift
        mol.GetConformer().SetAtomPosition(i, (x, y, z))
    stuck = Settings(charges=gasteiger, keep=6.0, free=0.1)
    with pytest.raises(MoleculeError, match=r"overlaps the receptor|no finite number") as caught:
        rescore(model, mol, stuck, name="lig7")
    assert caught.value.reason in (Reason.NO_PLAUSIBLE_POSE, Reason.DIVERGED)
    assert "lig7" in str(caught.value)


def test_any_charge_set_can_be_passed_in() -> None:
    mol = toluene()
    none = Settings(charges=lambda m, n: Charges(np.zeros(m.GetNumAtoms()), "none"), keep=6.0, free=4.0)
    found = rescore(demo_model(), mol, none)
    assert found.energy.coulomb == pytest.approx(0.0, abs=1e-9)
    assert ", none, " in found.made_with
