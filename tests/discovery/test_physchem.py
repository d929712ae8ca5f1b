"""Descriptors and QED against numbers that are not ours."""

from __future__ import annotations

import re

import pytest
from rdkit import Chem
from rdkit.Chem import QED, Descriptors

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.properties.physchem import DESCRIPTORS, Descriptor, Qed, drug_likeness
from discovery.score import Score, Scorer
from tests.references.drugs import DRUGS, MASS, SURFACE

MOLECULES = [Molecule.parse(smiles, name) for name, smiles in DRUGS.items()]


def values(scorer: Scorer, *smiles: str) -> list[float]:
    outcomes = scorer([Molecule.parse(text) for text in smiles])
    return [outcome.value for outcome in outcomes if isinstance(outcome, Score)]


@pytest.mark.parametrize(("name", "known", "within"), [("mw", MASS, 0.06), ("tpsa", SURFACE, 0.1)])
def test_masses_and_polar_surfaces_are_pubchems(name: str, known: dict[str, float], within: float) -> None:
    found = values(Descriptor(name), *(DRUGS[drug] for drug in known))
    assert found == pytest.approx(list(known.values()), abs=within)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("logp", "MolLogP"),
        ("molar_refractivity", "MolMR"),
        ("mw", "MolWt"),
        ("exact_mass", "ExactMolWt"),
        ("tpsa", "TPSA"),
        ("labute_asa", "LabuteASA"),
        ("hbd", "NumHDonors"),
        ("hba", "NumHAcceptors"),
        ("rotatable_bonds", "NumRotatableBonds"),
        ("rings", "RingCount"),
        ("aromatic_rings", "NumAromaticRings"),
        ("aliphatic_rings", "NumAliphaticRings"),
        ("saturated_rings", "NumSaturatedRings"),
        ("heterocycles", "NumHeterocycles"),
        ("spiro_atoms", "NumSpiroAtoms"),
        ("bridgehead_atoms", "NumBridgeheadAtoms"),
        ("fraction_sp3", "FractionCSP3"),
        ("heavy_atoms", "HeavyAtomCount"),
        ("heteroatoms", "NumHeteroatoms"),
        ("stereocentres", "NumAtomStereoCenters"),
        ("unassigned_stereocentres", "NumUnspecifiedAtomStereoCenters"),
        ("amide_bonds", "NumAmideBonds"),
        ("qed", "qed"),
    ],
)
def test_agrees_with_rdkits_descriptor_list(name: str, theirs: str) -> None:
    """Reference: rdkit.Chem.Descriptors, which dispatches on its own names."""
    scorer: Scorer = Qed() if name == "qed" else Descriptor(name)
    expected = [float(getattr(Descriptors, theirs)(molecule.mol())) for molecule in MOLECULES]
    assert [o.value for o in scorer(MOLECULES) if isinstance(o, Score)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "smiles", "expected"),
    [
        ("formal_charge", DRUGS["neostigmine"], 1),
        ("formal_charge", "CC(=O)[O-].[Na+]", 0),
        ("halogens", DRUGS["chloramphenicol"], 2),
        ("largest_ring", DRUGS["erythromycin"], 14),
        ("largest_ring", DRUGS["metformin"], 0),
        ("lipinski_violations", DRUGS["aspirin"], 0),
        ("lipinski_violations", DRUGS["atorvastatin"], 2),  # 559 Da, logP 6.3
        ("stereocentres", DRUGS["ibuprofen"], 1),
        ("unassigned_stereocentres", DRUGS["ibuprofen"], 1),
        ("unassigned_stereocentres", DRUGS["morphine"], 0),
        ("bridgehead_atoms", DRUGS["amantadine"], 4),
        ("spiro_atoms", DRUGS["spironolactone"], 1),
    ],
)
def test_counts_a_person_can_check(name: str, smiles: str, expected: int) -> None:
    assert values(Descriptor(name), smiles) == [expected]


def test_every_descriptor_has_a_head_and_a_number_for_every_drug() -> None:
    for name in DESCRIPTORS:
        scorer = Descriptor(name)
        assert isinstance(scorer, Scorer)
        assert scorer.column.name == name
        assert scorer.column.unit
        assert scorer.column.title
        assert all(isinstance(outcome, Score) for outcome in scorer(MOLECULES))


def test_qed_of_the_paper() -> None:
    """Values of Peter Ertl's original, as rdkit.Chem.QED quotes them to three digits."""
    paper = {
        "N=C(CCSCc1csc(N=C(N)N)n1)NS(N)(=O)=O": 0.253,
        "CNC(=NCCSCc1nc[nH]c1C)NC#N": 0.234,
        "CCCCCNC(=N)NN=Cc1c[nH]c2ccc(CO)cc12": 0.234,
    }
    assert values(Qed(), *paper) == pytest.approx(list(paper.values()), abs=1.1e-3)


def test_qed_is_rdkits_bit_for_bit() -> None:
    """Reference: rdkit.Chem.QED, asked of drugs and of what its shortcuts might trip over."""
    odd = [
        "[2H]OC",
        "[H][H]",
        "C1CC1c1cc2ccc3cccc4ccc(c1)c2c34",
        "C1=CC2=CC=CC2=C1",
        "OS(=O)(=O)[O-]",
        "c1ccccc1.F.F.F.F",
    ]
    for smiles in [*odd, *list(DRUGS.values())[::25]]:
        mol = Chem.MolFromSmiles(smiles)
        assert drug_likeness(mol) == QED.qed(mol), smiles  # type: ignore[no-untyped-call]


def test_an_unknown_descriptor_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="no descriptor 'LogP'; did you mean 'logp'"):
        Descriptor("LogP")
    with pytest.raises(ValueError, match="They are mw, exact_mass, logp"):
        Descriptor("zzz")


def test_a_molecule_that_is_none_costs_its_row_alone() -> None:
    outcomes = Descriptor("mw")([Molecule("C"), Molecule("not a molecule"), Molecule("CC")])
    assert [type(outcome) for outcome in outcomes] == [Score, Missing, Score]
    assert isinstance(outcomes[1], Missing)
    assert outcomes[1].reason is Reason.UNPARSABLE


def test_every_descriptor_is_told() -> None:
    told = set(re.findall(r"\w+", Descriptor.__doc__ or ""))
    assert set(DESCRIPTORS) <= told
