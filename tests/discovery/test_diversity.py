"""Diversity: textbook scaffolds, and the laws of clusters, picks and spread."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import DataStructs

from discovery.diversity import clusters, fingerprints, pick, scaffold, spread
from discovery.molecule import Molecule
from tests.references.drugs import DRUGS

MOLECULES = [Molecule.parse(smiles, name) for name, smiles in DRUGS.items()]
PRINTS = fingerprints(MOLECULES)


def distance(a: int, b: int) -> float:
    return 1.0 - float(DataStructs.TanimotoSimilarity(PRINTS[a], PRINTS[b]))


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        (DRUGS["aspirin"], "c1ccccc1"),
        (DRUGS["metformin"], ""),
        ("Cc1ccccc1CCc1ccncc1", "c1ccc(CCc2ccncc2)cc1"),
        ("O=C1CCCCC1CC", "O=C1CCCCC1"),  # RDKit keeps the doubly bound atom
        ("C[C@H]1CC[C@@H](N)CC1", "C1CCCCC1"),
    ],
)
def test_scaffolds_a_person_can_draw(smiles: str, expected: str) -> None:
    molecule = Molecule.parse(smiles)
    assert scaffold(molecule) == expected


@pytest.mark.parametrize("name", DRUGS)
def test_the_scaffold_of_a_scaffold_is_itself(name: str) -> None:
    molecule = Molecule.parse(DRUGS[name])
    if scaffold(molecule):
        assert scaffold(Molecule(scaffold(molecule))) == scaffold(molecule)


@given(st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_clusters_part_the_molecules_around_centres(radius: float) -> None:
    found = clusters(MOLECULES, radius)
    assert sorted(itertools.chain(*found)) == list(range(len(MOLECULES)))
    assert [len(members) for members in found] == sorted((len(m) for m in found), reverse=True)
    for centre, *members in found:
        assert all(distance(centre, member) <= radius + 1e-9 for member in members)


def test_series_are_clusters() -> None:
    series = [f"{'C' * n}c1ccc(S(N)(=O)=O)cc1" for n in range(4, 9)] + [
        f"{'C' * n}N1CCOCC1" for n in range(4, 8)
    ]
    found = clusters([Molecule.parse(smiles) for smiles in series], radius=0.6)
    assert [sorted(members) for members in found] == [[0, 1, 2, 3, 4], [5, 6, 7, 8]]
    assert clusters([]) == []


@given(st.integers(1, len(MOLECULES)), st.integers(0, 2**31 - 1))
@settings(max_examples=40, deadline=None)
def test_a_pick_is_greedy_maxmin(n: int, seed: int) -> None:
    """Reference: the definition, worked out pair by pair."""
    chosen = pick(MOLECULES, n, seed=seed)
    assert len(set(chosen)) == n
    assert chosen == pick(MOLECULES, n, seed=seed)
    for step in range(1, n):
        nearest = {
            place: min(distance(place, old) for old in chosen[:step])
            for place in range(len(MOLECULES))
            if place not in chosen[:step]
        }
        assert nearest[chosen[step]] == pytest.approx(max(nearest.values()), abs=1e-9)


def test_seeds_choose_where_a_pick_begins() -> None:
    assert len({pick(MOLECULES, 1, seed=seed)[0] for seed in range(30)}) > 5
    assert pick(MOLECULES, 3, seed=1, first=[4, 2])[:2] == [4, 2]
    assert pick(MOLECULES, 2, seed=1, first=[4, 2]) == [4, 2]


def test_spread_is_the_mean_over_pairs() -> None:
    pairs = list(itertools.combinations(range(len(MOLECULES)), 2))
    assert spread(MOLECULES) == pytest.approx(sum(distance(a, b) for a, b in pairs) / len(pairs))
    assert spread([MOLECULES[0], MOLECULES[0]]) == 0.0


def test_refusals_name_the_numbers() -> None:
    with pytest.raises(ValueError, match="21 of 20 molecules cannot be picked"):
        pick(MOLECULES, 21, seed=0)
    with pytest.raises(ValueError, match="1 of 20 molecules cannot be picked with 2 chosen"):
        pick(MOLECULES, 1, seed=0, first=[1, 2])
    with pytest.raises(ValueError, match="1 molecules have none"):
        spread(MOLECULES[:1])
    with pytest.raises(ValueError, match=r"not 1\.5"):
        clusters(MOLECULES, 1.5)
    with pytest.raises(ValueError, match="20,001 molecules are too many"):
        clusters([MOLECULES[0]] * 20_001)
