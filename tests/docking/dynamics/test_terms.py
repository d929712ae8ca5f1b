"""Laws: cutting and joining change no energy but that of what was cut."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.system import energies, system_of
from docking.dynamics.terms import Terms, joined, subset, without_terms_among
from tests.docking.dynamics.cases import embedded, placed


def terms_for(mol: Chem.Mol) -> Terms:
    rng = np.random.default_rng(1)
    charges = rng.normal(0.0, 0.2, mol.GetNumAtoms())
    return ligand_terms(mol, charges - charges.mean(), force_field())


def energy(terms: Terms, xyz: np.ndarray, frozen: np.ndarray | None = None) -> dict[str, float]:
    context = placed(system_of(terms, frozen), xyz)
    return energies(context)


MOL = embedded("CC(=O)Nc1ccc(O)cc1")
OTHER = embedded("OCC(F)(F)F")


def test_far_apart_the_joined_energy_is_the_sum() -> None:
    a, b = terms_for(MOL), terms_for(OTHER)
    near, far = MOL.GetConformer().GetPositions() / 10, OTHER.GetConformer().GetPositions() / 10 + 1e5
    both = energy(joined(a, b), np.concatenate([near, far]))
    apart = (energy(a, near), energy(b, far))
    for name, value in both.items():
        assert value == pytest.approx(apart[0][name] + apart[1][name], abs=1e-3)


def test_a_part_cut_out_of_a_pair_is_what_went_in() -> None:
    a, b = terms_for(MOL), terms_for(OTHER)
    both = joined(a, b)
    out = subset(both, np.arange(a.n_atoms, both.n_atoms))
    for name in Terms.__slots__:
        assert np.array_equal(getattr(out, name), getattr(b, name)), name


def test_renumbering_leaves_the_energy() -> None:
    a = terms_for(MOL)
    order = np.random.default_rng(5).permutation(a.n_atoms)
    xyz = MOL.GetConformer().GetPositions() / 10
    assert energy(subset(a, order), xyz[order]) == pytest.approx(energy(a, xyz), abs=1e-8)


def test_dropping_terms_among_frozen_atoms_leaves_the_forces_on_the_others() -> None:
    a = terms_for(MOL)
    xyz = MOL.GetConformer().GetPositions() / 10
    frozen = np.zeros(a.n_atoms, dtype=bool)
    frozen[:9] = True
    lean = without_terms_among(a, frozen)
    assert len(lean.angles) < len(a.angles)
    forces = []
    for terms in (a, lean):
        context = placed(system_of(terms), xyz)
        forces.append(context.getState(getForces=True).getForces(asNumpy=True)._value)
    assert forces[1][~frozen] == pytest.approx(forces[0][~frozen], abs=1e-9)


def test_naming_an_atom_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2 atoms were asked for but only 1"):
        subset(terms_for(OTHER), np.array([1, 1]))
