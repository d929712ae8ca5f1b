"""Reference: textbook products, written down by hand; and the two directions of each reaction agree."""

from __future__ import annotations

import pytest
from rdkit import Chem

from generative.routes.reactions import REACTIONS, named, run, undo

TEXTBOOK = {
    "amide coupling": (("OC(=O)c1ccccc1", "NCC"), "CCNC(=O)c1ccccc1"),
    "sulfonamide formation": (("ClS(=O)(=O)c1ccccc1", "NCC"), "CCNS(=O)(=O)c1ccccc1"),
    "urea formation": (("Nc1ccccc1", "C1CCNCC1"), "O=C(Nc1ccccc1)N1CCCCC1"),
    "reductive amination": (("O=Cc1ccccc1", "C1CCNCC1"), "C(c1ccccc1)N1CCCCC1"),
    "Suzuki coupling": (("Brc1ccncc1", "OB(O)c1ccccc1"), "c1ccc(-c2ccncc2)cc1"),
    "Buchwald-Hartwig amination": (("Brc1ccccc1", "C1COCCN1"), "c1ccc(N2CCOCC2)cc1"),
    "aromatic substitution by an amine": (("Clc1ncccn1", "C1COCCN1"), "c1cnc(N2CCOCC2)nc1"),
    "aromatic substitution by an alcohol": (("Clc1ncccn1", "OCC"), "CCOc1ncccn1"),
    "ether from a phenol": (("BrCC1CC1", "Oc1ccccc1"), "c1ccc(OCC2CC2)cc1"),
    "Mitsunobu ether": (("OC1CCCCC1", "Oc1ccccc1"), "c1ccc(OC2CCCCC2)cc1"),
    "alkylation of an amine": (("BrCCc1ccccc1", "C1CCNCC1"), "c1ccc(CCN2CCCCC2)cc1"),
    "alkylation of an azole": (("BrCc1ccccc1", "c1cn[nH]c1"), "c1ccc(Cn2cccn2)cc1"),
    "thioether formation": (("BrCc1ccccc1", "Sc1ccccc1"), "c1ccc(CSc2ccccc2)cc1"),
    "Sonogashira coupling": (("Brc1ccccc1", "C#CC1CC1"), "C(#CC1CC1)c1ccccc1"),
    "azide-alkyne cycloaddition": (("[N-]=[N+]=NCc1ccccc1", "C#CC1CC1"), "c1ccc(Cn2cc(C3CC3)nn2)cc1"),
    "ester formation": (("OC(=O)c1ccccc1", "OCC"), "CCOC(=O)c1ccccc1"),
    "carbamate formation": (("OCC", "NCc1ccccc1"), "CCOC(=O)NCc1ccccc1"),
    "benzimidazole formation": (("OC(=O)C1CC1", "Nc1ccccc1N"), "c1ccc2[nH]c(C3CC3)nc2c1"),
    "N-substituted benzimidazole formation": (("OC(=O)C1CC1", "CNc1ccccc1N"), "Cn1c(C2CC2)nc2ccccc21"),
    "Hantzsch thiazole formation": (("O=C(CBr)c1ccccc1", "NC(N)=S"), "Nc1nc(-c2ccccc2)cs1"),
    "Boc removal": (("CC(C)(C)OC(=O)N1CCCC1",), "C1CCNC1"),
    "ester hydrolysis": (("COC(=O)c1ccccc1",), "O=C(O)c1ccccc1"),
    "nitro reduction": (("Cc1ccc([N+](=O)[O-])cc1",), "Cc1ccc(N)cc1"),
    "nitrile reduction": (("N#Cc1ccccc1",), "NCc1ccccc1"),
    "ketone reduction": (("CC(=O)c1ccccc1",), "CC(O)c1ccccc1"),
}


def mols(smiles: tuple[str, ...]) -> list[Chem.Mol]:
    return [Chem.MolFromSmiles(one) for one in smiles]


def canonical(smiles: str) -> str:
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))


def test_every_reaction_has_its_example() -> None:
    assert set(TEXTBOOK) == {reaction.name for reaction in REACTIONS}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_forward_gives_the_textbook_product(name: str) -> None:
    blocks, product = TEXTBOOK[name]
    assert run(named(name), mols(blocks)) == [canonical(product)]
    assert run(named(name), mols(blocks)[::-1]) == [canonical(product)]  # whoever is named first


@pytest.mark.parametrize("name", TEXTBOOK)
def test_backward_finds_blocks_that_give_the_product_again(name: str) -> None:
    product = canonical(TEXTBOOK[name][1])
    found = [blocks for reaction, blocks in undo(Chem.MolFromSmiles(product)) if reaction.name == name]
    assert found
    assert any(product in run(named(name), mols(blocks)) for blocks in found)


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("amide coupling", ("OC(=O)c1ccccc1", "NC(=O)C")),  # an amide is no amine
        ("amide coupling", ("OC(=O)N1CCCC1", "NCC")),  # a carbamic acid is no acid of ours
        ("reductive amination", ("O=CN(C)C", "C1CCNCC1")),  # nor is a formamide an aldehyde
        ("Suzuki coupling", ("BrCC", "OB(O)c1ccccc1")),
        ("aromatic substitution by an amine", ("Clc1ccccc1", "NCC")),  # not activated
        ("alkylation of an amine", ("BrC(=O)C", "C1CCNCC1")),
        ("urea formation", ("Nc1ccccc1", "Nc1ccccc1")),  # two anilines
    ],
)
def test_what_does_not_react_gives_nothing(name: str, blocks: tuple[str, ...]) -> None:
    assert run(named(name), mols(blocks)) == []
