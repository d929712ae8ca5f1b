"""Structures that a script holds already: a column of a frame, an array, a list."""

from __future__ import annotations

import pytest
from rdkit import Chem

from discovery.intake import molecules
from discovery.molecule import Molecule
from discovery.outcome import Missing
from tests.references.drugs import DRUGS

EXPECTED = [Molecule.parse(smiles) for smiles in DRUGS.values()]


def test_a_column_in_memory_is_read_as_a_file_is() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"name": DRUGS.keys(), "smiles": DRUGS.values()})
    assert molecules(frame["smiles"], frame["name"]) == EXPECTED
    assert [row.name for row in molecules(frame["smiles"], frame["name"]) if isinstance(row, Molecule)] == [
        *DRUGS
    ]
    assert (
        molecules(frame["smiles"].to_numpy())
        == molecules(list(map(Chem.MolFromSmiles, DRUGS.values())))
        == EXPECTED
    )


@pytest.mark.parametrize("gap", [None, float("nan"), "", "not a molecule"])
def test_a_gap_in_a_column_says_which_row_it_was(gap: object) -> None:
    _, found = molecules(["CCO", gap], ["ethanol", "x17"])
    assert isinstance(found, Missing)
    assert found.detail.startswith("row 2: x17")


@pytest.mark.parametrize("given", ["CCO", {"smiles": ["CCO"]}, [17]])
def test_what_is_no_column_is_refused(given: object) -> None:
    with pytest.raises(TypeError, match=r"a list of structures is wanted|row 1 is a int, neither"):
        molecules(given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 structures but 2 names"):
        molecules(["CCO"], ["a", "b"])
