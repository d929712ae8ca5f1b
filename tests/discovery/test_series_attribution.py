"""Scores shared out among atoms; references: atomic weights and RDKit's own atom contributions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.properties.physchem import Descriptor, Qed
from discovery.score import Column, Score
from discovery.series.attribution import Attribution, attribute
from discovery.series.known import common_drugs

DRUGS = common_drugs()


def told(scorer: object, molecule: Molecule) -> Attribution:
    found = attribute(scorer, molecule)  # type: ignore[arg-type]
    assert isinstance(found, Attribution), found
    return found


@settings(max_examples=15, deadline=None, derandomize=True)
@given(drug=st.sampled_from(DRUGS))
def test_nothing_is_lost_and_no_atom_is_told_twice(drug: Molecule) -> None:
    for scorer in (Descriptor("logp"), Qed()):
        found = told(scorer, drug)
        assert found.core + sum(part.value for part in found.parts) == pytest.approx(found.total)
        atoms = [atom for part in found.parts for atom in part.atoms] + list(found.core_atoms)
        assert sorted(atoms) == list(range(drug.mol().GetNumAtoms()))
        assert sum(found.per_atom()) == pytest.approx(found.total - found.core)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(drug=st.sampled_from(DRUGS))
def test_weight_comes_from_the_atoms_that_weigh(drug: Molecule) -> None:
    """Reference: the periodic table. A branch weighs its atoms, less the hydrogen that takes its place."""
    found = told(Descriptor("mw"), drug)
    table, mol = Chem.GetPeriodicTable(), drug.mol()
    hydrogen = table.GetAtomicWeight(1)
    if found.unsaid:
        return
    for part in found.parts:
        weight = sum(
            table.GetAtomicWeight(atom.GetAtomicNum()) + hydrogen * atom.GetTotalNumHs()
            for atom in (mol.GetAtomWithIdx(index) for index in part.atoms)
        )
        # hydrogens are won and lost only where branches are bound: one for each bond to other parts
        assert abs(part.value - weight) <= hydrogen * (len(part.bears) + 1) + 0.01


def test_lipophilicity_follows_rdkits_atom_contributions() -> None:
    """Reference: RDKit's Crippen contributions, which are a sum over atoms: the same parts rise and fall."""
    sumatriptan = next(drug for drug in DRUGS if drug.name == "sumatriptan")
    found = told(Descriptor("logp"), sumatriptan)
    whole = Chem.AddHs(sumatriptan.mol())
    theirs = [logp for logp, _ in rdMolDescriptors._CalcCrippenContribs(whole)]
    by_atom = [
        theirs[atom.GetIdx()] + sum(theirs[n.GetIdx()] for n in atom.GetNeighbors() if n.GetAtomicNum() == 1)
        for atom in whole.GetAtoms()
        if atom.GetAtomicNum() > 1
    ]
    polar = [
        part for part in found.parts if any(whole.GetAtomWithIdx(a).GetSymbol() in "SO" for a in part.atoms)
    ]
    (sulfonamide,) = polar
    assert sulfonamide.value == min(part.value for part in found.parts) < -1
    assert sum(by_atom[a] for a in sulfonamide.atoms) == pytest.approx(sulfonamide.value, abs=0.7)


class Fussy:
    """A scorer that refuses molecules without nitrogen."""

    column = Column("fussy", "1", "high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [
            Score(float(m.smiles.count("N")))
            if "N" in m.smiles
            else Missing("test", Reason.UNSUPPORTED, f"{m.shown} has no nitrogen")
            for m in molecules
        ]


def test_a_refusal_is_said_and_nothing_made_up() -> None:
    whole = attribute(Fussy(), Molecule.parse("c1ccccc1CC"))
    assert isinstance(whole, Missing)
    bare = attribute(Fussy(), Molecule.parse("c1ccccc1CCN"))
    assert isinstance(bare, Missing)
    assert "without its branches" in bare.detail
    part = told(Fussy(), Molecule.parse("C1CNCCN1CCC"))  # every cut keeps the ring's nitrogens
    assert part.unsaid == ()


def test_the_order_of_writing_does_not_matter() -> None:
    one, other = (told(Qed(), Molecule.parse(text)) for text in ("CCOc1ccc(CN)cc1", "NCc1ccc(cc1)OCC"))
    assert one == other


@pytest.mark.parametrize("smiles", ["C", "c1ccccc1", "CCCCCCCC", "C1CCCCCCCCCCCCC1"])
def test_a_molecule_without_branches_is_its_core(smiles: str) -> None:
    found = told(Descriptor("mw"), Molecule.parse(smiles))
    assert found.core + sum(part.value for part in found.parts) == pytest.approx(found.total)
