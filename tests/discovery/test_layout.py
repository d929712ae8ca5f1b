"""What molecules share lies the same way in all of them, nothing is mirrored, and little lies on top of another."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from discovery.views.layout import Part, _faults, laid_out, shared_parts

CORE = "O=C(Nc1c[nH]nc1-c1ccccc1)c1cnn2cccnc12"
SERIES = [
    "CSCCNCCn1cc(NC(=O)c2cnn3cccnc23)c(-c2cc(Cl)ccc2OC(F)F)n1",
    "CN(CCC#N)C1CCN(C(=O)Cn2cc(NC(=O)c3cnn4cccnc34)c(-c3cc(Cl)ccc3OC(F)F)n2)CC1",
    "CCCN1CCN(C(=O)Cn2cc(NC(=O)c3cnn4cccnc34)c(-c3cc(Cl)ccc3OC(F)F)n2)CC1",
]
OTHER = "Nc1nc(-c2ccncc2)cs1"


def places(smiles: str, like: tuple[Part, ...]) -> tuple[Chem.Mol, np.ndarray]:
    mol = laid_out(Chem.MolFromSmiles(smiles), like)
    return mol, mol.GetConformer().GetPositions()[:, :2]


def test_a_series_is_found_and_lies_the_same_way() -> None:
    parts = shared_parts([*SERIES, OTHER, "", "no molecule"])
    assert [part.smiles for part in parts] == [CORE]
    core = Chem.MolFromSmiles(CORE)
    found = []
    for smiles in SERIES:
        mol, xy = places(smiles, parts)
        chlorine = xy[mol.GetSubstructMatch(Chem.MolFromSmarts("Cl"))[0]]
        fit = min(
            mol.GetSubstructMatches(core, uniquify=False),
            key=lambda fit: np.abs(xy[list(fit)] - xy[fit[0]]).sum(),
        )
        found.append((np.sort(xy[list(fit)], axis=0), chlorine))
    for core_xy, chlorine in found[1:]:
        assert core_xy == pytest.approx(found[0][0], abs=1e-3)
        assert chlorine == pytest.approx(found[0][1], abs=0.1)  # on the same side of a ring that has two
    alone, free = places(OTHER, parts), places(OTHER, ())
    assert alone[1] == pytest.approx(free[1])


def test_groups_stand_where_the_core_expects_them() -> None:
    """A phenyl fits both ways round; the way with its group at the open place is taken."""
    core = "O=C(Nc1cccc([*:1])c1)c1ccncc1"
    both = []
    for smiles in ("O=C(Nc1cccc(F)c1)c1ccncc1", "O=C(Nc1cc(Br)ccc1)c1ccncc1"):
        mol, xy = places(smiles, (Part(core),))
        both.append(xy[mol.GetSubstructMatch(Chem.MolFromSmarts("[F,Br]"))[0]])
    assert both[0] == pytest.approx(both[1], abs=0.05)


@pytest.mark.parametrize(
    "smiles",
    [
        "C[C@H](N)C(=O)O",
        "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
        "C/C(=C\\c1ccccc1)C(=O)N[C@@H]1C[C@H]2CC[C@@H](C1)N2C",
        "*[C@H](C)O",  # a group: turned over so that what it is bound to stands on the left
        "C[C@@](O)(CC)C*",
    ],
)
def test_the_drawing_is_the_molecule(smiles: str) -> None:
    """Reference: RDKit reads the molecule back from the drawing's coordinates and wedges."""
    mol = Chem.MolFromSmiles(smiles)
    for like in ((), (Part("CO"),)):
        drawn = rdMolDraw2D.PrepareMolForDrawing(laid_out(mol, like), addChiralHs=False)
        again = Chem.MolFromMolBlock(Chem.MolToMolBlock(drawn))
        assert Chem.CanonSmiles(Chem.MolToSmiles(again)) == Chem.CanonSmiles(smiles)


def test_a_group_is_bound_on_the_left() -> None:
    for smiles in ("CC(C)Oc1ccc(*)cc1", "*CC(=O)N1CCCCC1"):
        mol, xy = places(smiles, ())
        bound = next(atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)
        assert xy[bound, 0] < np.median(xy[:, 0])


@pytest.mark.parametrize(
    "smiles",
    [
        "C1CC2CCC1C2N",
        "C[C@@H]1C[C@H]2CC[C@@H](C1)N2c1ccccc1",
        "NS(=O)(=O)C12CC3CC(C1)C(Nc1nc(-c4c[nH]c5ncc(F)cc45)ncc1F)C(C3)C2",
    ],
)
def test_bridged_rings_are_clear(smiles: str) -> None:
    assert _faults(laid_out(Chem.MolFromSmiles(smiles)))[:2] == (0, 0)


def test_faults_counts() -> None:
    mol = laid_out(Chem.MolFromSmiles("CC.CC"))
    square = np.array([[0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=float)
    mol.GetConformer().SetPositions(square)
    assert _faults(mol) == (0, 0, 1)
    mol.GetConformer().SetPositions(square * [1.0, 0.0, 1.0])
    assert _faults(mol) == (0, 2, 0)
    assert _faults(laid_out(Chem.MolFromSmiles("[Na+]"))) == (0, 0, 0)


def test_kin_of_a_part_lie_as_it_does() -> None:
    """Two parts that share an indole: molecules of both have it in the same place."""
    amines = ("N2CCCC2", "N2CCOCC2")
    series = [
        f"{group}c1ccc2[nH]cc(CC{amine.replace('2', '3')})c2c1"
        for amine in amines
        for group in ("F", "Cl", "C", "N")
    ]
    parts = shared_parts(series)
    assert len(parts) == 2
    indole = Chem.MolFromSmiles("c1ccc2[nH]ccc2c1")
    found = []
    for smiles in (series[0], series[-1]):
        mol, xy = places(smiles, parts)
        found.append(xy[list(mol.GetSubstructMatch(indole))])
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_one_alone_with_its_skeleton_lies_as_what_it_shares_does() -> None:
    lone = "O=C(Nc1cn(CC)nc1-c1cc(Cl)ccc1OC)c1cc2ccccc2s1"
    parts = shared_parts([*SERIES, lone])
    shared = Chem.MolFromSmarts("O=CNc1cnnc1-c1cc(Cl)ccc1")
    (mol, xy), (first, like) = (places(smiles, parts) for smiles in (lone, SERIES[0]))
    one, other = xy[list(mol.GetSubstructMatch(shared))], like[list(first.GetSubstructMatch(shared))]
    assert one - one[0] == pytest.approx(other - other[0], abs=0.1)


def test_a_part_that_rdkit_turned_over_is_turned_back() -> None:
    series = ["N#CCC(=O)N1CCC(O)C(N(C)c2ncnc3[nH]ccc23)C1", "C#CCC(=O)N1CC(N(C)c2ncnc3[nH]ccc23)C(C)N(C)C1"]
    shared = Chem.MolFromSmiles("c1ncc2cc[nH]c2n1")
    parts = (Part("c1ncc2cc[nH]c2n1", series[0]),)
    one, other = (xy[list(mol.GetSubstructMatch(shared))] for mol, xy in (places(s, parts) for s in series))
    assert one == pytest.approx(other, abs=1e-3)


def test_relatives_that_differ_in_a_double_bond_alone_are_drawn_as_they_are() -> None:
    """Law: what a drawing shows, read back, is the molecule, whatever part it shares with its isomer."""
    texts = [
        r"C(=C\c1ccccc1)/c1ccccc1", r"C(=C/c1ccccc1)/c1ccccc1", r"O=C(/C=C/c1ccccc1)c1ccccc1", r"O=C(/C=C\c1ccccc1)c1ccccc1",
        r"O=C1CCCCC/C=C/CCCCCO1", r"O=C1CCCCC/C=C\CCCCCO1", r"C[C@@H]1CC=C[C@H](O)C(=O)/C=C\[C@@H]2O[C@H]2CO1",
    ]  # fmt: skip
    for text in texts:
        drawn = laid_out(Chem.MolFromSmiles(text), shared_parts(texts))
        assert Chem.MolToSmiles(Chem.MolFromMolBlock(Chem.MolToMolBlock(drawn))) == Chem.CanonSmiles(text)


def test_a_part_lies_so_that_what_holds_it_lies_wide() -> None:
    """As the middle one of these lies alone, the first would stand upright, three times as tall as wide."""
    smiles = [
        "COc1ccc(-c2ccc(CN3CCC(C)CC3)cc2)cn1",
        "NCc1cccc(-c2cnccc2CCN2CCC2)c1",
        "NCc1cccc(-c2cnccc2F)c1",
    ]
    parts = shared_parts(smiles)
    for one in smiles:
        _, xy = places(one, parts)
        width, height = np.ptp(xy[:, :2], axis=0)
        assert height < width
