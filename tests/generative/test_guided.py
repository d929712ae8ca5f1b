"""Guided search climbs, keeps what it must keep, repeats nothing and repeats itself exactly."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import QED

from discovery.molecule import Molecule
from discovery.proposal import Lesson, Proposal
from generative.breeding.elite import Search
from generative.guided import GuidedProposer
from generative.tasks import score

QUICK = Search(oversample=4, generations=2)


def best_ten(rewards: list[float]) -> float:
    return sum(sorted(rewards, reverse=True)[:10]) / 10


def test_it_climbs_while_blind_search_does_not() -> None:
    """Perindopril's task, whose target is not among the drugs it starts from: 150 calls, with lessons and without."""
    guided = GuidedProposer(opening=40, taste=False)
    rewards: dict[bool, list[float]] = {}
    for learns in (True, False):
        lessons: list[Lesson] = []
        for number in range(5):
            told = lessons if learns else []
            for one in guided.propose(30, round=number, seed=1, lessons=told):
                lessons.append(Lesson(Molecule(one.smiles), score("perindopril_mpo", one.smiles)))
        rewards[learns] = [lesson.reward for lesson in lessons]
    assert best_ten(rewards[True]) > best_ten(rewards[True][:30]) + 0.05
    assert best_ten(rewards[True]) > best_ten(rewards[False]) + 0.03


def lessons_of(n: int) -> list[Lesson]:
    found = GuidedProposer(opening=12).propose(n, round=0, seed=0, lessons=[])
    return [Lesson(Molecule(p.smiles), QED.qed(Chem.MolFromSmiles(p.smiles))) for p in found]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    return lessons_of(40)


def propose(lessons: list[Lesson], **settings: object) -> list[Proposal]:
    proposer = GuidedProposer(opening=12, search=QUICK, **settings)  # type: ignore[arg-type]
    return list(proposer.propose(25, round=1, seed=3, lessons=lessons))


def test_nothing_is_proposed_twice_and_every_proposal_says_where_it_came_from(lessons: list[Lesson]) -> None:
    found = propose(lessons)
    smiles = [one.smiles for one in found]
    assert len(smiles) == len(set(smiles)) == 25
    taught = {lesson.molecule.smiles for lesson in lessons}
    assert not taught & set(smiles)
    for one in found:
        assert one.edit
        assert set(one.parents) <= taught


def test_lessons_in_any_order_give_the_same_proposals(lessons: list[Lesson]) -> None:
    shuffled = random.Random(1).sample(lessons, len(lessons))
    assert propose(lessons) == propose(shuffled)
    assert propose(lessons) != list(
        GuidedProposer(opening=12, search=QUICK).propose(25, round=2, seed=3, lessons=lessons)
    )


def test_a_scaffold_is_kept_and_patterns_are_avoided() -> None:
    """Reference: RDKit's substructure search on the finished molecules."""
    scaffold, amide = "c1ccc2[nH]ccc2c1", "C(=O)N"
    proposer = GuidedProposer(opening=12, scaffold=scaffold, avoid=(amide,), search=QUICK)
    lessons: list[Lesson] = []
    for number in range(3):
        found = proposer.propose(15, round=number, seed=0, lessons=lessons)
        assert len(found) == 15
        for one in found:
            mol = Chem.MolFromSmiles(one.smiles)
            assert mol.HasSubstructMatch(Chem.MolFromSmarts("c1ccc2nccc2c1")), one.smiles
            assert not mol.HasSubstructMatch(Chem.MolFromSmarts(amide)), one.smiles
            lessons.append(Lesson(Molecule(one.smiles), mol.GetNumHeavyAtoms() / 60))


def test_with_nothing_to_climb_it_looks_for_what_it_has_not_met(lessons: list[Lesson]) -> None:
    flat = [Lesson(lesson.molecule, 0.0) for lesson in lessons]
    found = propose(flat)
    assert len({one.smiles for one in found}) == 25
    assert not {one.smiles for one in found} & {lesson.molecule.smiles for lesson in lessons}


def test_settings_that_cannot_be_met_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="min_weight 500"):
        GuidedProposer(min_weight=500, max_weight=400)
    with pytest.raises(ValueError, match="avoid: C\\( is not a SMARTS"):
        GuidedProposer(avoid=("C(",))
    with pytest.raises(ValueError, match="opening is at least 12"):
        GuidedProposer(opening=2)
    with pytest.raises(ValueError, match="blind is a share"):
        Search(blind=2)
    empty = tmp_path / "empty.smi"
    empty.write_text("")
    with pytest.raises(ValueError, match="no row holds a molecule"):
        GuidedProposer(molecules=empty).propose(5, round=0, seed=0, lessons=[])


def test_from_one_molecule_it_goes_on_to_its_analogues(tmp_path: Path) -> None:
    start = tmp_path / "one.smi"
    start.write_text("CN(C)Cc1ccc2c(CNC(=O)c3ccc[nH]3)cccc2c1\n")
    proposer = GuidedProposer(molecules=start, search=QUICK)
    lessons: list[Lesson] = []
    for number in range(3):
        found = proposer.propose(10, round=number, seed=0, lessons=lessons)
        assert len(found) == 10
        lessons += [Lesson(Molecule(one.smiles), len(one.smiles) / 100) for one in found]
