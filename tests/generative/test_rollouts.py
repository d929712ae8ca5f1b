"""Any rollout of a molecule builds that molecule."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generative.rollouts import UnknownUnit, entered, ordered, shuffled, tree_of
from generative.trees import put_together, take_apart
from generative.vocabulary import Vocabulary
from tests.generative.models import DRUGS, trees, vocabulary


@settings(max_examples=150, deadline=None, derandomize=True)
@given(number=st.integers(0, len(DRUGS) - 1), seed=st.integers(0, 10**6))
def test_both_orders_rebuild_the_molecule(number: int, seed: int) -> None:
    tree = trees()[number]
    known = vocabulary()
    for rollout in (ordered(tree, known), shuffled(tree, known, random.Random(seed))):
        again = tree_of(known, rollout.entries, rollout.parents, rollout.sites)
        assert put_together(again) == put_together(tree)
        assert all(parent < step for step, parent in enumerate(rollout.parents) if step)


def test_ordered_rollouts_do_not_depend_on_how_the_molecule_is_written() -> None:
    """Toluene, drawn three ways."""
    seen = {
        ordered(take_apart(smiles), vocabulary()).entries
        for smiles in ("Cc1ccccc1", "c1ccccc1C", "c1cc(C)ccc1")
    }
    assert len(seen) == 1


def test_shuffled_rollouts_start_anywhere() -> None:
    roots = {shuffled(trees()[0], vocabulary(), random.Random(seed)).units[0] for seed in range(200)}
    assert roots == set(range(len(trees()[0].units)))


def test_equivalent_sites_are_told_by_the_first() -> None:
    """Para- and meta-xylene differ; the two drawings of meta do not."""
    meta = {ordered(take_apart(s), vocabulary()).sites for s in ("Cc1cccc(C)c1", "Cc1cc(C)ccc1")}
    para = ordered(take_apart("Cc1ccc(C)cc1"), vocabulary()).sites
    assert len(meta) == 1
    assert para not in meta


def test_a_part_entered_by_an_exit_begins_there() -> None:
    tree = take_apart("Cc1ccncc1")
    ring = tree.units.index("c1ccncc1")
    rollout = entered(tree, vocabulary(), ring, 0)
    assert rollout.units[0] == ring
    assert vocabulary().entries[rollout.entries[0]][2] == 1


def test_a_unit_outside_the_vocabulary_is_named() -> None:
    small = Vocabulary.count(trees(), 3)
    with pytest.raises(UnknownUnit, match="cannot place"):
        ordered(take_apart("c1ccncc1"), small)
