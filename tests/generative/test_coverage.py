"""A search that rests goes through what was never tried on its best molecules, the commonest first."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.proposal import Lesson, Proposal
from generative.breeding.coverage import FAILED, Parts, deserved, parts_of, places, untried
from generative.breeding.edits import GRAFT, attached, opened
from generative.breeding.elite import Search
from generative.breeding.screening import MANY
from generative.guided import GuidedProposer
from generative.trees import take_apart
from tests.generative.models import DRUGS, trees

FLAT = [Chem.MolToSmiles(Chem.MolFromSmiles(one), isomericSmiles=False) for one in DRUGS]


@pytest.fixture(scope="module")
def parts() -> Parts:
    return Parts.of(trees())


def plateau(n: int) -> list[str]:
    """Molecules that differ in a chain, each with a benzamide."""
    return [f"{'C' * (1 + k % 9)}{'OSN'[k % 3]}{'C' * (1 + k // 9)}CNC(=O)c1ccccc1" for k in range(n)]


def canonical(smiles: str) -> str:
    return str(Chem.CanonSmiles(smiles))


@pytest.mark.parametrize(
    "smiles", [one for one in FLAT if Chem.MolFromSmiles(one).GetNumAtoms() <= 2 * GRAFT][::8]
)
def test_what_is_cut_off_and_put_back_is_the_molecule(smiles: str) -> None:
    """Of any place no more than half goes, and one part is what went: RDKit's canonical SMILES says so."""
    bodies = [(part, side.body()) for part, side in parts_of(take_apart(smiles)).items()]
    for place in places(smiles):
        fitting = [body for part, body in bodies if (part.anchor, part.ring) == (place.anchor, place.ring)]
        made = [attached(smiles, place.stays, place.goes, *body) for body in fitting]
        if place.goes is not None and len(opened(smiles).side(place.goes, place.stays)) > 1:  # type: ignore[union-attr]
            assert canonical(smiles) in {one[0] for one in made if one}, place


def test_parts_stand_by_how_many_molecules_hold_them_on_such_an_atom(parts: Parts) -> None:
    held = [parts_of(tree) for tree in trees()]
    counts = [sum(part in one for one in held) for part in parts.known]
    assert all(a >= b for a, b in pairwise(counts))
    first = next(part for part in parts.known if part.anchor == (6, False) and part.ring)
    assert first.words == "c1ccccc1:0"


def test_where_bonds_stand_on_a_ring_tells_parts_apart() -> None:
    found = [
        {part.words for part in parts_of(take_apart(smiles)) if "Cl" in part.words and part.ring}
        for smiles in ("CCc1ccccc1Cl", "CCc1cccc(Cl)c1", "CCc1ccc(Cl)cc1")
    ]
    assert all(len(one) == 1 for one in found)
    assert len(set.union(*found)) == 3


def test_nothing_is_made_twice_or_that_is_not_wanted(parts: Parts) -> None:
    top = plateau(30)
    known: set[str] = set(map(canonical, top))
    none = np.zeros(len(parts.known), dtype=np.int64)
    for seed in range(3):
        found = untried(
            20, top, parts, none, random.Random(seed), known, lambda mol: mol.GetNumHeavyAtoms() < 25
        )
        names = [smiles for smiles, *_ in found]
        assert len(set(names)) == len(names) == 20
        assert not known & set(names)
        for smiles, mol, parent, how in found:
            assert canonical(smiles) == smiles == Chem.MolToSmiles(mol)
            assert mol.GetNumHeavyAtoms() < 25
            assert parent in top
            assert how.startswith("with ")
        known |= set(names)
    assert untried(5, top, parts, none, random.Random(0), known, lambda mol: False) == []


def test_what_was_tried_waits(parts: Parts) -> None:
    """The first part comes later the more often it was tried: FAILED to that power."""
    rank = 40
    first = next(i for i, part in enumerate(parts.known) if part.anchor == (7, False) and part.ring)
    body = parts.bodies[first][0]
    tries = int(np.ceil(np.log(rank) / np.log(FAILED)))
    turns = []
    for times in (0, tries):
        tried = np.zeros(len(parts.known), dtype=np.int64)
        tried[[one[0] == body for one in parts.bodies]] = times
        found = untried(400, plateau(30), parts, tried, random.Random(0), set(), lambda mol: True)
        words = [how.split()[1] for *_, how in found]
        turns.append(words.index(body) if body in words else len(words))
    assert turns[0] < 10
    assert turns[1] > turns[0]


def test_tries_are_counted_once_a_molecule(parts: Parts) -> None:
    smiles = FLAT[:6]
    held = [parts_of(take_apart(one)) for one in smiles]
    tried = parts.tried(smiles, take_apart)
    for number in np.flatnonzero(tried):
        part = parts.known[int(number)]
        assert tried[number] == sum(part in one for one in held)
    assert tried.tolist() == parts.tried(smiles[::-1], take_apart).tolist()


def test_the_share_grows_with_the_crowd_at_the_top() -> None:
    shares = [deserved(top) for top in (20, 200, 2_000, 20_000)]
    assert 0 < shares[0] < shares[1] < shares[2] < shares[3] < 0.75


def proposer(tmp_path: Path) -> GuidedProposer:
    start = tmp_path / "start.smi"
    start.write_text("\n".join(FLAT) + "\n")
    return GuidedProposer(
        molecules=start, opening=12, taste=False, min_weight=60, search=Search(oversample=2, generations=1)
    )


def all_parts(found: list[Proposal]) -> bool:
    """Whether each came of one molecule, with a part in place of something."""
    return all(len(one.parents) == 1 and one.edit.count(" in place of a ") == 1 for one in found)


def test_only_a_search_that_rests_goes_through_parts(tmp_path: Path) -> None:
    names = plateau(MANY + 60)
    names = list(dict.fromkeys(map(canonical, names)))
    resting = [Lesson(Molecule(one), 0.6) for one in names[:-20]]
    resting += [Lesson(Molecule(one), 0.1) for one in names[-20:]]
    climbing = [Lesson(Molecule(one), 0.9 * 0.97**rank) for rank, one in enumerate(names)]
    guided = proposer(tmp_path)
    by_rest = [list(guided.propose(20, round=number, seed=0, lessons=resting)) for number in range(6)]
    by_climb = [list(guided.propose(20, round=number, seed=0, lessons=climbing)) for number in range(2)]
    for found in by_rest:
        assert len({one.smiles for one in found}) == 20
        assert not {one.smiles for one in found} & set(names)
    whole = [number for number, found in enumerate(by_rest) if all_parts(found)]
    assert 1 <= len(whole) <= 5  # of six, at a share of a fifth and more
    assert not any(map(all_parts, by_climb))
    shuffled = random.Random(1).sample(resting, len(resting))
    again = proposer(tmp_path).propose(20, round=whole[0], seed=0, lessons=shuffled)
    assert by_rest[whole[0]] == list(again)


def test_a_group_that_no_molecule_holds_is_met(parts: Parts) -> None:
    """An indole in place of the phenyl ring: within 400 calls."""
    wanted = Chem.MolFromSmarts("O=C(NCC)c1ccc2[nH]ccc2c1")
    top, rng = plateau(60), random.Random(0)
    known = set(map(canonical, top))
    tried = parts.tried(top, take_apart)
    for _ in range(10):
        found = untried(40, top, parts, tried, rng, known, lambda mol: True)
        if any(mol.HasSubstructMatch(wanted) for _, mol, *_ in found):
            return
        known |= {one[0] for one in found}
        tried += parts.tried([one[0] for one in found], take_apart)
    pytest.fail("not met")
