"""Files in which chain and number do not tell residues apart: each atom once, each residue by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docking.protein.numbering import told_apart
from docking.protein.structure import Atom, by_residue
from docking.receptor import ReceptorError
from tests.docking import pocket

ONE = [atom for atom in pocket.heavy() if atom.chain == "B"]


def moved(atoms: list[Atom], by: float) -> list[Atom]:
    return [replace(atom, xyz=(atom.xyz[0] + by, *atom.xyz[1:])) for atom in atoms]


def test_what_is_told_apart_already_stays_as_it_is() -> None:
    atoms = pocket.heavy()
    assert told_apart(atoms) == (atoms, [])


@pytest.mark.parametrize("order", ["one after the other", "residue by residue"])
def test_a_second_copy_of_a_chain_gets_a_letter_of_its_own(order: str) -> None:
    other = moved(ONE, 60.0)
    if order == "residue by residue":  # as gemmi reads a chain that comes twice
        pairs = zip(by_residue(ONE).values(), by_residue(other).values(), strict=True)
        both = [atom for one, two in pairs for atom in (*one, *two)]
    else:
        both = [*ONE, *other]
    found, said = told_apart(both)
    assert {atom.chain for atom in found} == {"A", "B"}
    assert [replace(atom, chain="B") for atom in found if atom.chain == "A"] == other
    assert [atom for atom in found if atom.chain == "B"] == ONE
    assert "written as chain A" in str(said[0])


def test_lines_and_residues_written_twice_count_once() -> None:
    doubled = [atom for atom in ONE for _ in range(2)]
    assert told_apart(doubled)[0] == ONE
    assert told_apart([*ONE, *ONE])[0] == ONE


def test_of_alternates_without_letters_the_better_occupied_stays() -> None:
    ghosts = [replace(atom, occupancy=0.7) for atom in moved(ONE[:8], 0.6)]
    found, said = told_apart([*ghosts, *(replace(atom, occupancy=0.3) for atom in ONE[:8])])
    assert found == ghosts
    assert "more than once" in str(said[0])


def test_a_water_with_a_residue_s_number_is_no_atom_of_it() -> None:
    water = Atom("B", "HOH", ONE[0].number, "O", "O", (99.0, 0.0, 0.0), hetero=True)
    found, _ = told_apart([*ONE, water])
    assert found[:-1] == ONE
    assert found[-1] == replace(water, chain="A")


def test_hydrogens_at_the_end_of_a_file_belong_to_their_residues() -> None:
    atoms = [atom for atom in pocket.atoms() if atom.chain == "B"]
    late = sorted(atoms, key=lambda atom: atom.element == "H")
    assert told_apart(late) == (late, [])


def test_numbers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ReceptorError, match="more than 8 residues bear the number of B:"):
        told_apart([replace(atom, number="1") for atom in ONE])
