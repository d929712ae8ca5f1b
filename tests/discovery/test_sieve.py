"""Whatever is in a molecule is among what the sieve calls possible, and it calls little else so."""

from __future__ import annotations

import pytest
from rdkit import Chem

from discovery.properties.alerts import SETS, _patterns
from discovery.properties.sieve import Sieve
from tests.references.drugs import DRUGS

ODD = {
    "cubane": "C12C3C4C1C5C2C3C45",
    "prismane": "C12C3C1C4C2C34",
    "tetrahedrane": "C12C3C1C23",
    "deuterated": "[2H]C([2H])([2H])OC(=O)c1ccccc1",
    "hydrogens written": "[H]C([H])([H])N=[N+]=[N-]",
    "ferrocene, dative": "c1ccc[cH-]1->[Fe+2]<-[cH-]1cccc1",
    "two parts": "OCC(Cl)C=O.c1ccc2[nH]ccc2c1",
    "radical": "C[CH]C",
    "labelled": "[13CH3][15NH]C=[18O]",
    "crown": "C1COCCOCCOCCOCCOCCO1",
    "perfluorinated": "FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F",
}


def test_nothing_that_is_there_is_missed() -> None:
    """Reference: RDKit asked about every one of 816 patterns."""
    known, sieve = _patterns(SETS)
    named, possible, there = 0, 0, 0
    for smiles in [*ODD.values(), *list(DRUGS.values())[::12]]:
        mol = Chem.MolFromSmiles(smiles)
        found = set(sieve.possible(mol))
        hits = {place for place, alert in enumerate(known) if mol.HasSubstructMatch(alert.pattern)}
        assert hits <= found, [known[place].name for place in hits - found]
        named, possible, there = named + len(known), possible + len(found), there + len(hits)
    assert there > 15
    assert possible < named / 30


@pytest.mark.parametrize(
    ("smarts", "holds", "cannot"),
    [
        ("C=O", "CC=O", "CCO"),
        ("[$(C=O),$(S=O)]N", "CS(=O)N", "CCN"),
        ("[N;!$(N-C=O)]", "NC=O", "CO"),  # what is forbidden by recursion is not looked at
        ("*1[O,S]*1", "C1OC1", "C1CCOC1"),
        ("O.O.O", "OCC(O)CO", "OCCO"),
        ("c1ccc2ccccc2c1", "c1ccc2ccccc2c1", "c1ccccc1Cc1ccccc1"),
        ("S[$(C(F)F),$([CH2][$(N=O),$(C#N)])]", "SCC#N", "SCCO"),
        ("[C;$(C(=O)[OH]),H3;!R]", "CC(=O)O", "C1CC1=O"),
    ],
)
def test_one_pattern(smarts: str, holds: str, cannot: str) -> None:
    sieve = Sieve([Chem.MolFromSmarts("P"), Chem.MolFromSmarts(smarts)])
    assert sieve.possible(Chem.MolFromSmiles(holds)) == [1]
    assert sieve.possible(Chem.MolFromSmiles(cannot)) == []


def test_what_is_asked_in_words_it_does_not_know_is_taken_as_met() -> None:
    """[^2] asks for hybridisation, which no surrounding tells."""
    sieve = Sieve([Chem.MolFromSmarts("[^2]O")])
    assert sieve.possible(Chem.MolFromSmiles("CO")) == [0]
    assert sieve.possible(Chem.MolFromSmiles("CN")) == []


def test_remembering_does_not_change_answers() -> None:
    sieve = Sieve([Chem.MolFromSmarts(smarts) for smarts in ("C=O", "CN", "c:n")])
    first = [sieve.possible(Chem.MolFromSmiles(smiles)) for smiles in ("CC=O", "CN", "c1ccncc1", "CC=O")]
    assert first == [[0], [1], [2], [0]]
