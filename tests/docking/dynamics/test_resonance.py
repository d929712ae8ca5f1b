"""Laws: however a molecule is drawn, its mean drawing is the same."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking.dynamics.parameters.resonance import classes, mean_drawing


def charges(smiles: str) -> dict[str, list[float]]:
    """Charges by element, sorted: what does not depend on the order of atoms."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    found: dict[str, list[float]] = {}
    for atom, charge in zip(mol.GetAtoms(), mean_drawing(mol).charge, strict=True):
        if charge:
            found.setdefault(atom.GetSymbol(), []).append(round(float(charge), 6))
    return {element: sorted(values) for element, values in found.items()}


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(=O)[O-]", {"O": [-0.5, -0.5]}),
        ("C[N+](=O)[O-]", {"N": [1.0], "O": [-0.5, -0.5]}),
        ("NC(N)=[NH2+]", {"N": [1 / 3] * 3}),
        ("c1c[nH+]c[nH]1", {"N": [0.5, 0.5]}),
        ("c1nn[n-]n1", {"N": [-0.25] * 4}),
        ("CS(=O)(=O)[O-]", {"O": [-1 / 3] * 3}),
        ("COP(=O)([O-])OC", {"O": [-0.5, -0.5]}),
        ("CC(=O)[N-]S(C)(=O)=O", {"N": [-0.25], "O": [-0.25] * 3}),
        ("C[NH3+]", {"N": [1.0]}),
        ("[O-]c1ccccc1", {"O": [-1.0]}),
        ("CCO", {}),
    ],
)
def test_charges_spread_over_the_ways_to_draw_them(smiles: str, expected: dict[str, list[float]]) -> None:
    """Counted by hand; charges on carbon do not count."""
    found = charges(smiles)
    assert found.keys() == expected.keys()
    for element, values in expected.items():
        assert found[element] == pytest.approx(sorted(values), abs=1e-5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CNC(=[NH2+])N", "C[NH+]=C(N)N"),
        ("Cc1c[nH+]c[nH]1", "Cc1c[nH]c[nH+]1"),
        ("O=C([O-])c1ccccc1", "[O-]C(=O)c1ccccc1"),
        ("Nc1cc[nH+]cc1", "[NH2+]=c1cc[nH]cc1"),
        ("CC([O-])=NS(C)(=O)=O", "CC(=O)[N-]S(C)(=O)=O"),
    ],
)
def test_two_drawings_of_one_ion_are_one(one: str, other: str) -> None:
    assert charges(one) == charges(other)


def test_the_sum_is_the_formal_charge_and_bonds_share() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CC(=O)[O-]"))
    drawn = mean_drawing(mol)
    assert drawn.charge.sum() == pytest.approx(-1.0)
    assert drawn.order[1] == drawn.order[2] == 1.5
    assert len(drawn.forms) == 2


def test_equal_atoms_are_told_by_connections_alone() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("O=[N+]([O-])c1ccccc1"))
    same = classes(mol)
    assert same[0] == same[2]
    assert len(np.unique(same)) < mol.GetNumAtoms()
