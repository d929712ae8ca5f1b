"""The basic amine is held against drugs whose measured pKa everyone knows; counts against counting by hand."""

from __future__ import annotations

import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.properties.pattern import Pattern
from discovery.score import Score, Scorer

BASIC = {
    "serotonin": "NCCc1c[nH]c2ccc(O)cc12",
    "sumatriptan": "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1",
    "fluoxetine": "CNCCC(c1ccccc1)Oc1ccc(C(F)(F)F)cc1",
    "haloperidol": "O=C(CCCN1CCC(O)(c2ccc(Cl)cc2)CC1)c1ccc(F)cc1",
    "donepezil": "COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2",
}
NOT_BASIC = {
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "ibuprofen": "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "aniline": "Nc1ccccc1",
    "sulfanilamide": "Nc1ccc(S(N)(=O)=O)cc1",
    "diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc12",
    "acetonitrile": "CC#N",
    "hydroxylamine": "CNO",
}


def value(outcome: Score | Missing) -> float:
    assert isinstance(outcome, Score)
    return outcome.value


@pytest.mark.parametrize("name", {**BASIC, **NOT_BASIC})
def test_basic_drugs_have_a_basic_amine_and_the_others_none(name: str) -> None:
    drug = Molecule.parse({**BASIC, **NOT_BASIC}[name])
    assert value(Pattern("basic amine")([drug])[0]) == (name in BASIC)


def test_counts_places_and_names_their_atoms() -> None:
    pattern = Pattern("[OX2H]", name="hydroxyls", better="low")
    assert isinstance(pattern, Scorer)
    assert (pattern.column.name, pattern.column.better) == ("hydroxyls", "low")
    molecule = Molecule.parse("OCC(O)CO")
    score = pattern([molecule])[0]
    assert isinstance(score, Score)
    assert score.value == 3
    assert [molecule.mol().GetAtomWithIdx(i).GetSymbol() for i in score.details["atoms"]] == ["O"] * 3


@pytest.mark.parametrize("smarts", ["[N", "", "basic  amine"])
def test_what_is_no_pattern_is_named(smarts: str) -> None:
    with pytest.raises(ValueError, match="no SMARTS pattern"):
        Pattern(smarts)


@pytest.mark.parametrize(
    ("smiles", "count"),
    [
        ("CC(=O)OCC", 1),  # ethyl acetate
        ("CC(=O)Oc1ccccc1C(=O)O", 1),  # aspirin: the acid is none
        ("O=C1CCCO1", 0),  # a lactone
        ("CC(=O)NC", 0),
        ("CC(C)(C)OC(=O)N1CCCC1", 0),  # a carbamate
        ("COC(=O)C1=C(C)NC(C)=C(C(=O)OC)C1c1ccccc1", 2),  # a dihydropyridine
    ],
)
def test_open_chain_esters_are_counted_lactones_and_carbamates_not(smiles: str, count: int) -> None:
    (found,) = Pattern("open-chain ester")([Molecule(smiles)])
    assert isinstance(found, Score)
    assert found.value == count
