"""Two-dimensional pharmacophores are RDKit's own, only sooner."""

from __future__ import annotations

import itertools

from rdkit import Chem, DataStructs
from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D

from generative.pharmacophores import likeness, pharmacophores

MOLECULES = [
    "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",
    "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4",
    "O=C(OCC)C(NC(C)C(=O)N1C(C(=O)O)CC2CCCCC12)CCC",
    "O=C(O)CCCCCCCCCCC(N)CCOCCOCCOCCN",  # distances beyond the last bin
    "C[P](=O)(O)OCC[Si](C)(C)C",  # unusual atoms
    "CC(=O)O.CCN",  # two parts: no distance between them
    "C1CCCCC1",
    "FC(F)(F)C(F)(F)F",  # six features of one family
    "C",
]


def test_similarities_are_those_of_rdkits_own_fingerprint() -> None:
    """Reference: Gen2DFingerprint with RDKit's Gobbi factory."""
    mols = [Chem.MolFromSmiles(one) for one in MOLECULES]
    mine = [pharmacophores(mol) for mol in mols]
    theirs = [Generate.Gen2DFingerprint(mol, Gobbi_Pharm2D.factory) for mol in mols]  # type: ignore[no-untyped-call]
    assert [len(one) for one in mine] == [one.GetNumOnBits() for one in theirs]
    shared = 0
    for i, j in itertools.combinations(range(len(mols)), 2):
        expected = DataStructs.TanimotoSimilarity(theirs[i], theirs[j])
        assert likeness(mine[i], mine[j]) == expected
        shared += expected > 0
    assert shared > 10


def test_nothing_is_like_nothing() -> None:
    assert pharmacophores(Chem.MolFromSmiles("C")) == frozenset()
    assert likeness(frozenset(), frozenset()) == 0.0
