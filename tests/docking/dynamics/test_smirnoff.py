"""Reference: energies by the official OpenFF toolkit (shared), and laws that must hold."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from rdkit import Chem

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import angle_keys, assign, bond_keys, ligand_terms, proper_keys
from docking.dynamics.system import Choices, energies, system_of
from tests.docking.dynamics.cases import (
    DYNAMICS,
    embedded,
    golden,
    needs_shared,
    placed,
    reference_charges,
    shared_ligands,
)

FORCES = {
    "bonds": "HarmonicBondForce",
    "angles": "HarmonicAngleForce",
    "torsions": "PeriodicTorsionForce",
    "nonbonded": "Nonbonded force",
}


def per_force(mol: Chem.Mol, charges: np.ndarray, field: object) -> dict[str, float]:
    terms = ligand_terms(mol, charges, field)  # type: ignore[arg-type]
    system = system_of(terms, choices=Choices(implicit_water=False))
    context = placed(system, mol.GetConformer().GetPositions() / 10.0)
    return energies(context)


def worst_difference(version: str, every: int) -> float:
    """kJ/mol, over every n-th golden ligand and all forces; the default table stands for 2.2.1."""
    path = DYNAMICS / "force_fields" / f"openff_unconstrained-{version}.offxml"
    field = force_field() if version == "2.2.1" else force_field(path)
    ligands: dict[str, list[Chem.Mol]] = {}
    worst = 0.0
    for key, theirs in list(golden(version).items())[::every]:
        place, index = key.split("|")
        system = place.split("/")[1]
        if system not in ligands:
            ligands[system] = shared_ligands(system)
        mol = ligands[system][int(index)]
        ours = per_force(mol, reference_charges(mol), field)
        worst = max(worst, *(abs(ours[mine] - theirs[name]) for mine, name in FORCES.items()))
    return worst


@needs_shared
@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_energies_equal_the_official_toolkits(version: str) -> None:
    assert worst_difference(version, every=10) < 1e-6


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_energies_equal_the_official_toolkits_on_every_ligand(version: str) -> None:
    """All 779 shared ligands."""
    assert worst_difference(version, every=1) < 1e-6


@pytest.mark.parametrize(
    "smiles",
    [
        "CCO",
        "c1ccc2[nH]ccc2c1",
        "CC(=O)Nc1ccc(O)cc1",
        "C1CC1C#N",
        "O=S(=O)(N)c1ccccc1",
        "c1nn[n-]n1",
        "C1=CC=CO1",
    ],
)
def test_every_bond_angle_and_torsion_gets_one_parameter(smiles: str) -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    chosen = assign(mol, force_field())
    assert set(chosen.bonds) == set(bond_keys(mol))
    assert set(chosen.angles) == set(angle_keys(mol))
    assert set(chosen.propers) == set(proper_keys(mol))
    assert len(chosen.vdw) == mol.GetNumAtoms()


def test_the_order_of_atoms_does_not_change_what_an_atom_gets() -> None:
    """Impropers aside, whose trefoil follows the atoms' order by specification."""
    mol = embedded("CC(=O)Nc1ccc(cc1)S(=O)(=O)N1CCOCC1")
    field = force_field()
    chosen = assign(mol, field)
    order = np.random.default_rng(3).permutation(mol.GetNumAtoms())
    shuffled = Chem.RenumberAtoms(mol, [int(i) for i in order])
    again = assign(shuffled, field)
    for section in ("bonds", "angles", "propers", "vdw"):
        theirs = {
            frozenset([tuple(int(order[a]) for a in key), tuple(int(order[a]) for a in key[::-1])]): p.id
            for key, p in getattr(again, section).items()
        }
        assert theirs == {frozenset([key, key[::-1]]): p.id for key, p in getattr(chosen, section).items()}
    charges = np.linspace(-0.3, 0.3, mol.GetNumAtoms())
    ours, shuffled_energies = per_force(mol, charges, field), per_force(shuffled, charges[order], field)
    for name in ("bonds", "angles", "nonbonded"):
        assert shuffled_energies[name] == pytest.approx(ours[name], abs=1e-9)


def test_forces_are_the_slope_of_the_energy() -> None:
    """Moving the ligand through a box leaves its energy; central differences give the forces."""
    mol = embedded("CC(=O)Nc1ccccc1")
    terms = ligand_terms(mol, np.zeros(mol.GetNumAtoms()), force_field())
    context = openmm.Context(
        system_of(terms), openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    xyz = mol.GetConformer().GetPositions() / 10.0
    context.setPositions(xyz)
    force = context.getState(getForces=True).getForces(asNumpy=True)._value
    for atom, axis in ((0, 0), (3, 1), (9, 2)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = xyz.copy()
            moved[atom, axis] += step
            context.setPositions(moved)
            ends.append(context.getState(getEnergy=True).getPotentialEnergy()._value)
        assert -(ends[0] - ends[1]) / 2e-5 == pytest.approx(force[atom, axis], abs=1e-2)


@pytest.mark.parametrize(
    ("smiles", "reason", "says"),
    [
        ("[Si](C)(C)(C)C", Reason.UNSUPPORTED, "Si1"),
        ("CB(O)O", Reason.UNSUPPORTED, "B2"),
        ("CC.O", Reason.UNSUPPORTED, "2 separate molecules"),
        ("C[CH2]", Reason.UNSUPPORTED, "unpaired electron"),
        ("[*]CC", Reason.UNSUPPORTED, "placeholder"),
        ("C[Zn]C", Reason.UNSUPPORTED, "Zn2"),
    ],
)
def test_a_ligand_with_no_parameters_is_named(smiles: str, reason: Reason, says: str) -> None:
    with pytest.raises(MoleculeError, match=says) as caught:
        assign(Chem.AddHs(Chem.MolFromSmiles(smiles)), force_field(), "aspirin-7")
    assert caught.value.reason is reason
    assert "aspirin-7" in str(caught.value)


def test_missing_hydrogens_are_named_with_the_cure() -> None:
    with pytest.raises(MoleculeError, match=r"C1 lacks 3 explicit hydrogen.*AddHs"):
        assign(Chem.MolFromSmiles("CCO"), force_field())


def test_a_wrong_valence_is_named() -> None:
    mol = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    with pytest.raises(MoleculeError, match=r"atom C\d+: a valence of \d") as caught:
        assign(mol, force_field())
    assert caught.value.reason is Reason.UNPREPARED


def test_an_empty_ligand_is_named() -> None:
    with pytest.raises(MoleculeError, match="no atoms"):
        assign(Chem.Mol(), force_field())


def test_charges_that_do_not_add_up_are_refused() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CC(=O)[O-]"))
    with pytest.raises(ValueError, match=r"0\.000 e but the formal charge is -1 e"):
        ligand_terms(mol, np.zeros(mol.GetNumAtoms()), force_field())
    with pytest.raises(ValueError, match="7 atoms"):
        ligand_terms(mol, np.zeros(3), force_field())
