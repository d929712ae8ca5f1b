"""Of a collection the best are found early, and it gets the share of calls that it earns."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from generative.breeding.collection import Collection
from generative.breeding.elite import Search
from generative.breeding.screening import FEW, LEAST, MANY, MOST, resting, screened, share
from generative.guided import GuidedProposer
from generative.tasks import similarity
from tests.generative.models import DRUGS

FLAT = list(dict.fromkeys(Chem.MolToSmiles(Chem.MolFromSmiles(one), isomericSmiles=False) for one in DRUGS))


@pytest.fixture(scope="module")
def collection() -> Collection:
    return Collection.of(FLAT)


def lessons_of(rewards: dict[str, float]) -> list[Lesson]:
    found = [Lesson(Molecule(one), reward) for one, reward in rewards.items()]
    return sorted(found, key=lambda lesson: (-lesson.reward, lesson.molecule.smiles))


def test_the_molecule_looked_for_is_asked_about_long_before_chance_would(collection: Collection) -> None:
    """After 18 of the 107 others were chosen; by chance it would be one target in six."""
    found = 0
    for target in range(0, 48, 8):
        rng = random.Random(target)
        ask = similarity(FLAT[target], "ECFP4")
        others = [row for row in range(len(FLAT)) if row != target]
        asked = {FLAT[row]: ask(Chem.MolFromSmiles(FLAT[row])) for row in rng.sample(others, 12)}
        for _ in range(3):
            without = np.array([one in asked for one in FLAT])
            rows = screened(6, lessons_of(asked), collection, without, Search(), rng)
            assert len(set(rows)) == len(rows) == 6
            assert not without[rows].any()
            asked |= {FLAT[row]: ask(Chem.MolFromSmiles(FLAT[row])) for row in rows}
        found += FLAT[target] in asked
    assert len(FLAT) == 119
    assert found >= 4


def test_what_was_asked_about_is_not_offered_again(collection: Collection) -> None:
    lessons = lessons_of({one: index / 100 for index, one in enumerate(FLAT[:20])})
    without = np.ones(len(FLAT), dtype=bool)
    assert screened(5, lessons, collection, without, Search(), random.Random(0)) == []
    without[[40, 50]] = False
    assert sorted(screened(5, lessons, collection, without, Search(), random.Random(0))) == [40, 50]


def test_a_search_rests_by_how_many_crowd_at_the_top() -> None:
    climbing = [0.5 * 0.98**rank for rank in range(1_000)]
    assert resting(climbing) == 0.0
    assert resting([0.7] * FEW + climbing) == 0.0
    assert 0.0 < resting([0.7] * (FEW + 30) + climbing) < 1.0
    assert resting([0.7] * MANY + climbing) == 1.0
    assert resting([0.0] * 1_000) == resting([1.0] * 1_000) == resting([0.5] * 5) == 0.0
    nearly = [0.7 - 1e-5 * rank for rank in range(1_000)]
    assert resting(nearly) == 0.0
    mixed = random.Random(0).sample([0.7] * 60 + climbing, 1_060)
    assert resting(mixed) == resting([0.7] * 60 + climbing)


def test_the_collections_share_is_what_it_yields() -> None:
    climbing = lessons_of({one: 0.98**rank for rank, one in enumerate(FLAT)})
    names = [one.molecule.smiles for one in climbing]
    assert share(climbing, names[:20], set(names)) == MOST
    assert share(climbing, names[:20], set()) == LEAST
    assert share(climbing, names[:20], set(names[:10])) == pytest.approx((LEAST + MOST) / 2)
    crowd = lessons_of(dict.fromkeys([f"C{'C' * n}O" for n in range(MANY)], 0.5))
    assert share(crowd, names[:20], set()) == MOST


def test_a_proposer_asks_about_molecules_of_its_collection_as_they_stand(tmp_path: Path) -> None:
    start, stock = tmp_path / "start.smi", tmp_path / "stock.smi"
    start.write_text("\n".join(FLAT[:40]) + "\n")
    stock.write_text("\n".join(FLAT) + "\n")
    proposer = GuidedProposer(
        molecules=start, collection=stock, opening=12, taste=False, search=Search(oversample=2, generations=1)
    )
    lessons = [Lesson(Molecule(one), 0.2 + index / 100) for index, one in enumerate(FLAT[:40])]
    found = [
        [one.smiles for one in proposer.propose(10, round=number, seed=0, lessons=given)]
        for number in range(3)
        for given in (lessons, random.Random(1).sample(lessons, len(lessons)))
    ]
    assert found[::2] == found[1::2]
    for batch in found:
        assert len(set(batch)) == 10
        assert not set(batch) & set(FLAT[:40])
        assert len(set(batch) & set(FLAT)) >= 5  # all that is known was not bred: half of the calls, or more
