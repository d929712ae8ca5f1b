"""Protonation states and stereoisomers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from discovery.molecule import Molecule
from docking.ligands import species


def charge(smiles: str, ph: float = 7.4) -> int:
    return int(Chem.GetFormalCharge(Chem.MolFromSmiles(species.protonated(Molecule.parse(smiles), ph))))


@pytest.mark.parametrize(
    ("smiles", "expected", "pka"),
    [
        ("CC(=O)O", -1, "acetic acid 4.76"),
        ("CCCCN", 1, "butylamine 10.6"),
        ("CN(C)CCc1c[nH]c2ccccc12", 1, "dimethyltryptamine 8.7"),
        ("NC(=N)NCC", 1, "ethylguanidine 13"),
        ("c1ccncc1", 0, "pyridine 5.2"),
        ("c1cnc[nH]1", 0, "imidazole 7.0"),
        ("Nc1ccccc1", 0, "aniline 4.6"),
        ("CC(=O)NC", 0, "no acid, no base"),
        ("Oc1ccccc1", 0, "phenol 10.0"),
        ("CC(=O)Nc1ccc(O)cc1", 0, "paracetamol 9.4"),
        ("NCCc1c[nH]c2ccc(O)cc12", 1, "serotonin: amine 10.2, phenol 11.1"),
        ("OC(=O)c1ccccc1O", -1, "salicylic acid 3.0 and 13.4"),
        ("Oc1c([N+](=O)[O-])cc([N+](=O)[O-])cc1", -1, "2,4-dinitrophenol 4.1"),
        ("Oc1c(F)c(F)c(F)c(F)c1F", -1, "pentafluorophenol 5.5"),
        ("CC[N+](C)(C)C", 1, "quaternary"),
        ("OB(O)c1ccccc1", 0, "phenylboronic acid 8.8"),
        ("c1nnn[nH]1", -1, "tetrazole 4.9"),
        ("C1CNCCN1", 1, "piperazine 9.7 and 5.3"),
        ("NCCN", 1, "ethylenediamine 9.9 and 6.85"),
        ("NCCCCN", 2, "putrescine 10.8 and 9.4"),
        ("Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1", 1, "imatinib's piperazine 8.1 and 3.7"),
        ("CN(C)c1ccncc1", 1, "4-dimethylaminopyridine 9.7"),
        ("Nc1ccccn1", 0, "2-aminopyridine 6.9"),
        ("O=c1cc[nH]c(=O)[nH]1", 0, "uracil 9.45"),
        ("O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1", 0, "phenytoin 8.33"),
        ("O=C1NC(=O)CS1", -1, "2,4-thiazolidinedione 6.5"),
        ("CC(=O)NN", 0, "acetohydrazide 3.2 as a base"),
        ("O=C1CCC(=O)N1", 0, "succinimide 9.6"),
        ("CCn1cc(C(=O)O)c(=O)c2cc(F)c(N3CCNCC3)cc21", 0, "norfloxacin 6.3 and 8.4: a zwitterion"),
        ("CC(=O)CC(c1ccccc1)c1c(O)c2ccccc2oc1=O", -1, "warfarin 5.0"),
        ("Oc1cc(=O)oc2ccccc12", -1, "4-hydroxycoumarin, as warfarin"),
        ("O=c1ccc2ccc(O)cc2o1", 0, "7-hydroxycoumarin 7.7, no enol"),
        ("OC[C@H](O)[C@H]1OC(=O)C(O)=C1O", -1, "ascorbic acid 4.1 and 11.8"),
        ("CN1C(C(=O)Nc2ccccn2)=C(O)c2ccccc2S1(=O)=O", -1, "piroxicam 5.2"),
        ("CC1=NN(c2ccccc2)C(=O)C1", 0, "edaravone 7.0 as its enol, drawn as the ketone"),
        ("OC1=CC(=O)c2ccccc2C1=O", -1, "lawsone, as lapachol, 6"),
        ("CC(O)=CC(C)=O", 0, "acetylacetone 8.9"),
    ],
)
def test_the_dominant_state_follows_the_published_pka(smiles: str, expected: int, pka: str) -> None:
    """Reference: pKa values of the CRC Handbook and of drug labels; see the third column."""
    assert charge(smiles) == expected, pka


def test_a_phenol_gives_its_proton_away_in_lye() -> None:
    assert charge("Oc1ccccc1", ph=13.0) == -1


@given(ph=st.floats(0, 14))
@settings(derandomize=True, max_examples=15, deadline=None)
def test_more_base_never_adds_a_proton(ph: float) -> None:
    smiles = "NCC(=O)O"
    assert charge(smiles, ph) >= charge(smiles, min(14.0, ph + 1.0))


def test_a_ph_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 14"):
        species.protonated(Molecule.parse("CCO"), 15.0)


def test_imatinib_is_charged_on_its_methyl_side() -> None:
    """Reference: the crystal structure and NMR of imatinib put the proton on the N-methyl nitrogen."""
    found = Chem.MolFromSmiles(species.protonated(Molecule.parse("CN1CCN(Cc2ccccc2)CC1")))
    assert found.HasSubstructMatch(Chem.MolFromSmarts("[CH3][NH+]"))


def test_isomers_are_all_and_always_the_same() -> None:
    found, count = species.isomers("CC(F)(Cl)C=CC(O)CC", 8)
    assert count == 8 == len(found) == len(set(found))
    assert found == species.isomers("CCC(O)C=CC(C)(F)Cl", 8)[0]


def test_what_is_drawn_stays() -> None:
    found, count = species.isomers("C[C@](F)(Cl)CC(O)C", 4)
    assert count == 2
    assert all(
        Chem.MolFromSmiles(s).HasSubstructMatch(Chem.MolFromSmiles("C[C@](F)(Cl)CC"), useChirality=True)
        for s in found
    )


@pytest.mark.parametrize(
    ("smiles", "among"),
    [
        ("Cc1c[nH]cn1", "Cc1cnc[nH]1"),  # 4- and 5-methylimidazole
        ("O=c1cc[nH]c(N)n1", "Nc1nccc(=O)[nH]1"),  # isocytosine
        ("Oc1ccccn1", "O=c1cccc[nH]1"),  # 2-pyridone
        ("c1ccc2[nH]nnc2c1", "c1ccc2n[nH]nc2c1"),  # benzotriazole
    ],
)
def test_known_tautomers_are_found(smiles: str, among: str) -> None:
    """References: pairs that textbooks name (Elguero, Adv. Heterocycl. Chem. Suppl. 1)."""
    found, seen = species.tautomers(Chem.CanonSmiles(smiles), 16)
    assert found[0] == Chem.CanonSmiles(smiles)
    assert Chem.CanonSmiles(among) in found
    assert seen >= len(found) >= 2


@pytest.mark.parametrize(
    "smiles",
    ["Cc1ccc(O)cc1", "CC(C)=O", "CNC(C)=O", "C[C@H](O)C(=O)N[C@@H](C)c1ccccc1", "CC(=O)O", "c1ccccc1"],
)
def test_enols_and_imidic_acids_are_none(smiles: str) -> None:
    """Their energies lie 10 kcal/mol and more above (phenol's ketone 18, acetone's enol 11, acetamide's imidic acid 12)."""
    assert species.tautomers(smiles, 16) == ([smiles], 1)


def test_tautomers_are_capped_and_counted() -> None:
    guanine = "Nc1nc2[nH]cnc2c(=O)[nH]1"
    found, seen = species.tautomers(guanine, 3)
    assert len(found) == 3
    assert seen > 3
    assert species.tautomers(guanine, 1) == ([guanine], 1)


@pytest.mark.parametrize("smiles", ["[2H]OC", "[2H]N([2H])CC", "[2H]C([2H])([2H])NCc1ccccc1", "[3H]OC(=O)C"])
def test_heavy_hydrogens_are_hydrogens(smiles: str) -> None:
    """Those on oxygen and nitrogen exchange with water: a deuterated drug is docked as what it is in water."""
    light = Chem.CanonSmiles(smiles.replace("2H", "H").replace("3H", "H"))
    assert charge(smiles) == charge(light)
