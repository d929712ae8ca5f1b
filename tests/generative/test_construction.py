"""Whoever takes legal steps builds a molecule, keeps what was given, and never gets stuck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from rdkit import Chem

from generative.construction import Bounds, Building, Prices, Task
from generative.given import decorate, join
from generative.refusal import SettingError
from generative.rollouts import tree_of
from generative.trees import put_together
from generative.vocabulary import Vocabulary
from tests.generative.models import vocabulary


def pick(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    assert mask.any(1).all(), "a row has no legal step"
    return np.asarray((rng.random(mask.shape) * mask).argmax(1))


def random_molecules(
    known: Vocabulary, n: int, seed: int, *, bounds: Bounds | None = None, task: Task | None = None
) -> list[str]:
    """A policy that takes any legal step with equal chance."""
    rng = np.random.default_rng(seed)
    b = Building.begin(n, known, Prices.of(known), bounds or Bounds(), task or Task())
    while not b.done.all():
        given = b.waiting() & ~b.done
        b.place_given(np.nonzero(given)[0])
        rows = np.nonzero(~given & ~b.done)[0]
        if not len(rows):
            continue
        columns = np.full(len(rows), -1)
        if b.steps[rows].any():
            legal = b.legal_sites()
            columns = pick(np.concatenate([legal, b.may_stop(legal)[:, None]], axis=1)[rows], rng)
            stopped = columns == legal.shape[1]
            b.stop(rows[stopped])
            rows, columns = rows[~stopped], columns[~stopped]
        if not len(rows):
            continue
        entries, joins = b.legal_entries(rows, columns), b.legal_joins(rows, columns)
        taken = pick(np.concatenate([entries, joins], axis=1), rng)
        plain = taken < entries.shape[1]
        b.place(rows[plain], columns[plain], taken[plain])
        for row, column, way in zip(
            rows[~plain], columns[~plain], taken[~plain] - entries.shape[1], strict=True
        ):
            b.join(int(row), int(column), int(way))
    return [put_together(tree_of(known, *b.rollout(row))) for row in range(n)]


def sound(smiles: Sequence[str], bounds: Bounds) -> None:
    for one in smiles:
        mol = Chem.MolFromSmiles(one)
        assert mol is not None, one
        assert "." not in one
        assert mol.GetNumHeavyAtoms() <= bounds.max_atoms, one
        assert mol.GetRingInfo().NumRings() <= bounds.max_rings, one
        assert not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()), one


def test_random_steps_build_only_molecules() -> None:
    """Reference: RDKit's sanitisation, which the masks never ask."""
    bounds = Bounds(max_atoms=24)
    for seed in range(3):
        sound(random_molecules(vocabulary(), 1_000, seed, bounds=bounds), bounds)


@pytest.mark.slow
def test_a_million_random_molecules() -> None:
    bounds = Bounds(max_atoms=30)
    for seed in range(1_000):
        sound(random_molecules(vocabulary(), 1_000, 10_000 + seed, bounds=bounds), bounds)


@pytest.mark.parametrize(
    "bounds",
    [Bounds(min_atoms=1, max_atoms=5, max_rings=0), Bounds(min_atoms=20, max_atoms=20), Bounds(max_rings=1)],
)
def test_caps_hold(bounds: Bounds) -> None:
    sound(random_molecules(vocabulary(), 300, 1, bounds=bounds), bounds)


def test_sizes_are_dealt_out_to_the_rows() -> None:
    """Law: an exit is built on until the row's own cap, to a unit that did not fit."""
    known, task = decorate("*c1ccc(*)cc1", vocabulary())
    sizes = (10, 24)
    made = random_molecules(known, 200, 3, bounds=Bounds(max_atoms=24, sizes=sizes), task=task)
    atoms = [Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() for smiles in made]
    assert max(atoms[::2]) == 10
    assert max(atoms[1::2]) > 20
    with pytest.raises(SettingError, match="size of 30 is above max_atoms 24"):
        Bounds(max_atoms=24, sizes=(30,))
    with pytest.raises(SettingError, match="max_atoms is 7"):
        random_molecules(known, 2, 3, bounds=Bounds(max_atoms=24, min_atoms=1, sizes=(7,)), task=task)


SCAFFOLDS = (
    "*c1ccc2[nH]cc(CCN(C)C)c2c1",
    "O=C1N(*)C(=O)c2ccc(*)cc21",
    "*C1CC2(C1)CN(*)C2",  # rings the vocabulary has never seen
    "c1ccc(S(=O)(=O)N2CCNCC2)cc1",
    "*N(*)c1nc(*)nc(*)n1",
    "FC(F)(F)c1cc(*)on1",
    "*n1ccc2cc(*)ccc21",
)


def holds(smiles: str, part: str) -> bool:
    """Reference: RDKit's substructure match, `*` standing for any atom."""
    query = Chem.MolFromSmiles(part)
    parameters = Chem.AdjustQueryParameters.NoAdjustments()
    parameters.makeDummiesQueries = True
    query = Chem.AdjustQueryProperties(query, parameters)
    return bool(Chem.MolFromSmiles(smiles).HasSubstructMatch(query))


@pytest.mark.parametrize("scaffold", SCAFFOLDS)
def test_a_scaffold_is_kept_and_its_exits_are_used(scaffold: str) -> None:
    known, task = decorate(scaffold, vocabulary())
    made = random_molecules(known, 150, 3, task=task)
    sound(made, Bounds())
    assert all(holds(smiles, scaffold) for smiles in made)
    if "*" in scaffold:
        # nothing grows elsewhere: closed atoms keep their hydrogens
        size = Chem.MolFromSmiles(scaffold).GetNumHeavyAtoms()  # a star is none
        assert all(Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() > size for smiles in made)


@pytest.mark.parametrize(
    "fragments",
    [
        ["*c1ccccc1", "*N1CCOCC1"],
        ["*c1ccncc1", "*C(=O)N*", "*c1ccc(F)cc1"],
        ["NS(=O)(=O)c1ccccc1", "c1ccc2[nH]ccc2c1", "O=C(O)C1CC1"],
        ["*F", "*OC", "*C", "*C#N"],
        ["*C1CC2(C1)CN(*)C2", "*OC(F)(F)F"],
    ],
)
@pytest.mark.parametrize("max_atoms", [0, 8, 30])
def test_fragments_are_joined(fragments: list[str], max_atoms: int) -> None:
    known, task = join(fragments, vocabulary())
    given = sum(
        Chem.MolFromSmiles(f.replace("(*)", "").replace("*", "")).GetNumHeavyAtoms() for f in fragments
    )
    bounds = Bounds(min_atoms=1, max_atoms=min(given + max(max_atoms, len(fragments) - 1), 60))
    made = random_molecules(known, 100, 4, bounds=bounds, task=task)
    sound(made, bounds)
    for smiles in made:
        assert all(holds(smiles, fragment.replace("(*)", "").replace("*", "")) for fragment in fragments), (
            smiles
        )


def test_too_little_room_is_said_before_anything_is_built() -> None:
    known, task = join(["*c1ccccc1", "*N1CCOCC1"], vocabulary())
    with pytest.raises(
        ValueError, match="has 12 heavy atoms and needs 1 more to be complete, but max_atoms is 10"
    ):
        Building.begin(1, known, Prices.of(known), Bounds(max_atoms=10), task)


def test_contradicting_caps_are_refused() -> None:
    with pytest.raises(ValueError, match="min_atoms 30 and max_atoms 20"):
        Bounds(min_atoms=30, max_atoms=20)
