"""The vocabulary holds what training showed, stays open, and travels as text."""

from __future__ import annotations

import numpy as np
import pytest

from generative.trees import take_apart, unit
from generative.vocabulary import Vocabulary, all_entries, kind, must_fill
from tests.generative.models import trees, vocabulary


def test_every_unit_of_the_training_molecules_is_known() -> None:
    known = vocabulary()
    assert {smiles for tree in trees() for smiles in tree.units} == set(known.unit_index)
    assert known.entries[0] == ("C", 0, 1)  # the most frequent


def test_the_largest_vocabulary_that_fits_is_the_most_frequent() -> None:
    small = Vocabulary.count(trees(), 30)
    assert small.entries == vocabulary().entries[:30]


def test_travels_as_text() -> None:
    assert Vocabulary.from_json(vocabulary().to_json()) == vocabulary()


def test_bonds_never_seen_are_not_allowed() -> None:
    known = vocabulary()
    oxygen = known.kinds.index(kind(unit("O"), 0))
    placed = known.tables.allowed[oxygen]
    assert not placed[known.index["O", 0, 1]]  # no peroxide
    assert not placed[known.index["F", 0, 1]]
    assert placed[known.index["C", 0, 1]]
    assert not placed[known.index["C", -1, 0]]  # a root is bonded to nothing


def test_a_further_unit_is_added_behind_the_known_ones() -> None:
    cubane = take_apart("C12C3C4C1C5C4C3C25").units
    wider = vocabulary().extended(cubane)
    assert wider.entries[: len(vocabulary().entries)] == vocabulary().entries
    assert len(wider.entries) == len(vocabulary().entries) + 2  # as root, and by any of eight equal carbons
    carbon = wider.kinds.index((6, 0, 0, 0))
    assert wider.tables.allowed[carbon, wider.index[(*cubane, 0, 1)]]
    assert wider.extended(cubane) == wider


def test_a_kind_of_atom_never_seen_is_judged_by_its_element() -> None:
    """[O-] on a boron, say: the drugs hold no such thing, so nothing but their own bonds is allowed."""
    wider = vocabulary().extended(["C[SiH3]"])
    silicon = wider.kinds.index((14, 0, 0, 0))
    assert not wider.tables.allowed[silicon].any()


def test_entries_are_one_for_each_inequivalent_atom() -> None:
    assert len(all_entries(unit("c1ccncc1"))) == 1 + 3  # ortho, meta, para
    assert len(all_entries(unit("C1CCNCC1"))) == 1 + 3 * 2 + 1  # each carbon singly or doubly, the nitrogen


def test_atoms_that_may_keep_no_hydrogen() -> None:
    assert must_fill(unit("O=[SH2]=O"), unit("O=[SH2]=O").elements.index(16))
    assert not must_fill(unit("C"), 0)
    assert not must_fill(unit("N"), 0)


def test_tables_agree_with_the_units() -> None:
    known = vocabulary()
    tables = known.tables
    for number, block in enumerate(known.units):
        atoms = slice(tables.start[number], tables.start[number + 1])
        assert tuple(tables.free[atoms]) == block.free
    assert (tables.entry_order[tables.entry_atom < 0] == 0).all()
    assert np.array_equal(tables.size, np.diff(tables.start))


def test_nothing_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="no molecule to count units in"):
        Vocabulary.count([], 10)
