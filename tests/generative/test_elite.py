"""What is bred from: the best, but not all of one scaffold, one reward or one compromise."""

from __future__ import annotations

import random

import numpy as np
import pytest

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from generative.breeding.elite import LEVEL, Search, compromised, elite_of, spread


def elite(lessons: list[Lesson], seed: int = 0, **settings: int) -> list[str]:
    return elite_of(lessons, Search(**settings), random.Random(seed))  # type: ignore[arg-type]


def test_the_elite_is_not_all_of_one_scaffold() -> None:
    phenyls = [Lesson(Molecule(f"c1ccccc1{'C' * n}"), 0.9 - 0.01 * n) for n in range(1, 9)]
    other = Lesson(Molecule("C1CCNCC1C"), 0.1)
    assert elite([*phenyls, other], per_scaffold=2) == ["c1ccccc1C", "c1ccccc1CC", "C1CCNCC1C"]


def test_chains_have_no_scaffold_to_be_too_many_on() -> None:
    chains = [Lesson(Molecule("C" * n), 0.1 * n) for n in range(2, 9)]
    assert len(elite(chains, per_scaffold=2)) == len(chains)


def test_a_plateau_does_not_crowd_out_what_is_worse() -> None:
    plateau = [Lesson(Molecule("C" * n), 0.8) for n in range(1, 30)]
    worse = [Lesson(Molecule("N" + "C" * n), 0.7 - 0.01 * n) for n in range(1, 4)]
    found = elite([*plateau, *worse], elite=10, per_reward=4)
    assert found[4:] == ["NC", "NCC", "NCCC"]
    assert set(found[:4]) < {lesson.molecule.smiles for lesson in plateau}


def test_equals_are_drawn_by_lot_and_the_lot_is_the_seed() -> None:
    plateau = [Lesson(Molecule("C" * n), 0.8) for n in range(1, 30)]
    first = elite(plateau, per_reward=3)
    assert first == elite(list(plateau), per_reward=3)
    assert {one for seed in range(40) for one in elite(plateau, seed, per_reward=3)} == {
        lesson.molecule.smiles for lesson in plateau
    }


def test_what_is_worth_nothing_is_not_bred_from() -> None:
    assert elite([Lesson(Molecule("CC"), 0.0), Lesson(Molecule("CCC"), 0.2)]) == ["CCC"]


def test_expectations_are_spread_over_levels() -> None:
    """Of twenty candidates on one level as many are taken as may be, then the next level's."""
    means = np.array([*[1.0] * 20, 1.0 - 3 * LEVEL, 1.0 - 6 * LEVEL])
    assert spread(range(22), means, Search(per_reward=5)) == [0, 1, 2, 3, 4, 20, 21]
    assert spread(range(22), means, Search(per_reward=5, elite=3)) == [0, 1, 2]
    below = -means
    assert spread(range(22), below, Search(per_reward=5)) == [0, 1, 2, 3, 4, 20, 21]


@pytest.mark.parametrize("name", ["oversample", "generations", "elite", "per_scaffold", "per_reward"])
def test_counts_are_at_least_one(name: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Search(**{name: 0})  # type: ignore[arg-type]


def test_compromises_reach_every_point_of_a_front() -> None:
    """Three molecules none of which beats another: each is the best for some draws; a beaten one never is."""
    points = {"CCO": (0.9, 0.2), "CCN": (0.5, 0.45), "CCC": (0.1, 0.9), "CCF": (0.4, 0.4)}
    lessons = [Lesson(Molecule(smiles), 0.5, parts=parts) for smiles, parts in points.items()]
    best = {
        max(compromised(lessons, random.Random(seed)), key=lambda one: one.reward).molecule.smiles
        for seed in range(100)
    }
    assert best == {"CCO", "CCN", "CCC"}
    alone = Lesson(Molecule("CCS"), 0.0)
    assert compromised([alone], random.Random(0)) == [alone]
