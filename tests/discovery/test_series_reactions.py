"""Reactions give what chemists get; references: known syntheses, and no atom made or lost."""

from __future__ import annotations

from collections import Counter

import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.series.measured import SeriesError
from discovery.series.reactions import (
    Reaction,
    enumerate_products,
    library_table,
    react,
    reactions,
)

# reaction, reactants, product, what leaves (net, hydrogens included)
KNOWN = [
    ("amide", "CC(=O)O", "Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)cc1", {"O": 1, "H": 2}),  # paracetamol
    ("suzuki", "Brc1ccccc1", "OB(O)c1ccncc1", "c1ccc(-c2ccncc2)cc1", {"Br": 1, "B": 1, "O": 2, "H": 2}),
    ("reductive_amination", "O=Cc1ccccc1", "C1COCCN1", "c1ccc(CN2CCOCC2)cc1", {"O": 1}),
    ("sulfonamide", "CS(=O)(=O)Cl", "NCc1ccccc1", "CS(=O)(=O)NCc1ccccc1", {"Cl": 1, "H": 1}),
    ("urea", "O=C=Nc1ccccc1", "CN", "CNC(=O)Nc1ccccc1", {}),
    ("buchwald", "Brc1ccccc1", "C1COCCN1", "c1ccc(N2CCOCC2)cc1", {"Br": 1, "H": 1}),
    ("snar", "Clc1ccccn1", "C1CCNCC1", "c1ccc(N2CCCCC2)nc1", {"Cl": 1, "H": 1}),
    ("ether", "Oc1ccccc1", "CCBr", "CCOc1ccccc1", {"Br": 1, "H": 1}),  # phenetole
    ("alkylation", "CNC", "BrCCc1ccccc1", "CN(C)CCc1ccccc1", {"Br": 1, "H": 1}),
    ("click", "C#Cc1ccccc1", "[N-]=[N+]=NCc1ccccc1", "c1ccc(Cn2cc(-c3ccccc3)nn2)cc1", {}),
]  # fmt: skip


def formula(*molecules: Molecule) -> Counter[str]:
    found: Counter[str] = Counter()
    for molecule in molecules:
        found.update(atom.GetSymbol() for atom in Chem.AddHs(molecule.mol()).GetAtoms())
    return found


def test_every_reaction_that_comes_along_is_tried_here() -> None:
    assert set(reactions()) == {name for name, *_ in KNOWN}


@pytest.mark.parametrize(("name", "one", "other", "product", "leaves"), KNOWN, ids=[k[0] for k in KNOWN])
def test_gives_what_is_known_and_no_atom_is_made_or_lost(
    name: str, one: str, other: str, product: str, leaves: dict[str, int]
) -> None:
    a, b = Molecule.parse(one, "a"), Molecule.parse(other, "b")
    made = react(name, a, b)
    assert made == Molecule.parse(product)
    balance = formula(a, b)
    balance.subtract(formula(made))
    kept = Counter(leaves)
    if name == "reductive_amination":  # the borohydride brings two hydrogens; one water leaves
        kept = Counter({"O": 1})
    assert {symbol: n for symbol, n in balance.items() if n} == dict(kept)


def test_what_does_not_react_or_could_twice_is_a_row_with_its_reason() -> None:
    acid, ethanol = Molecule.parse("CC(=O)O", "acetic acid"), Molecule.parse("CCO", "ethanol")
    diamine, amine = Molecule.parse("NCCNC", "diamine"), Molecule.parse("CN", "methylamine")
    made = enumerate_products("amide", [acid], [ethanol, diamine, amine])
    assert [isinstance(one.outcome, Missing) for one in made] == [True, True, False]
    first, second = made[0].outcome, made[1].outcome
    assert isinstance(first, Missing)
    assert isinstance(second, Missing)
    assert first.reason is second.reason is Reason.UNSUPPORTED
    assert "acetic acid and ethanol do not react" in first.detail
    assert "2 ways" in second.detail
    table = library_table("amide", [acid], [ethanol, diamine, amine])
    assert len(table) == 3
    assert [row.parents for row in table.run.rows] == [tuple(m.smiles for m in one.reactants) for one in made]
    assert set(table.values("synthesis")) == {"amide-3"}


def test_amides_and_anilines_are_no_amines_where_they_should_not_be() -> None:
    with pytest.raises(MoleculeError):
        react("amide", Molecule.parse("CC(=O)O"), Molecule.parse("CC(N)=O"))
    with pytest.raises(MoleculeError):
        react("snar", Molecule.parse("Clc1ccccc1"), Molecule.parse("C1CCNCC1"))  # nothing activates it


def test_what_cannot_be_asked_is_named() -> None:
    acid = Molecule.parse("CC(=O)O")
    with pytest.raises(SeriesError, match="no reaction 'grignard'"):
        react("grignard", acid, acid)
    with pytest.raises(SeriesError, match="takes 2"):
        react("amide", acid)
    with pytest.raises(SeriesError, match="no reaction RDKit can read"):
        Reaction("x", "x", "nonsense>>")
    with pytest.raises(SeriesError, match="more than 100,000"):
        enumerate_products("amide", [acid] * 400, [acid] * 400)
