"""What a chemist gives is read as given, or refused with what to change."""

from __future__ import annotations

import pytest
from rdkit import Chem

from generative.given import (
    GivenError,
    decorate,
    join,
    query,
    read_part,
    regrow,
    sides,
    subtree,
    with_stereo,
)
from generative.trees import put_together, take_apart, unit
from tests.generative.models import trees, vocabulary


def test_exits_are_where_the_stars_are() -> None:
    part = read_part("*c1ccc(N(*)*)cc1")
    assert part.marked
    assert put_together(part.tree) == "Nc1ccccc1"
    assert sorted(part.exits.values()) == [1, 2]
    at = {part.tree.units[u]: atom for (u, atom), count in part.exits.items() if count == 2}
    assert at == {"N": 0}


def test_without_a_star_every_hydrogen_is_an_exit() -> None:
    part = read_part("Fc1ccccc1")
    assert not part.marked
    assert sum(part.exits.values()) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c1ccc", "is not a SMILES RDKit can read"),
        ("", "is not a SMILES RDKit can read"),
        ("FC(F)(F)F", "has no exit"),
        ("*=C1CCCC1", "single bond"),
        ("**", "single bond|joined to another"),
        ("C" * 80, "has 80 heavy atoms; the limit is 60"),
        ("*C.C*", "comes in 2 parts"),
        ("C1*CC1", "single bond"),
    ],
)
def test_what_cannot_be_built_on_says_why(text: str, message: str) -> None:
    with pytest.raises(GivenError, match=message):
        read_part(text)


def test_an_exit_that_nothing_fits_is_named() -> None:
    with pytest.raises(GivenError, match="knows nothing to place at an exit on"):
        decorate("*[Si](C)(C)C", vocabulary())


@pytest.mark.parametrize("fragments", [["*C"], ["*C"] * 5])
def test_two_to_four_fragments(fragments: list[str]) -> None:
    with pytest.raises(GivenError, match="2 to 4 fragments can be joined"):
        join(fragments, vocabulary())


def test_a_fragment_may_be_entered_by_each_inequivalent_exit() -> None:
    _, task = join(["*C", "c1ccncc1"], vocabulary())
    assert len(task.fragments[0]) == 3  # ortho, meta, para to the nitrogen


def test_cutting_a_link_gives_two_sides() -> None:
    tree = take_apart("Cc1ccc(CN)cc1")
    for link in tree.links:
        a, b = sides(tree, link)
        assert link.unit_a in a
        assert link.unit_b in b
        assert sorted(a + b) == list(range(len(tree.units)))
        size = sum(subtree(tree, part)[0].atoms for part in (a, b))
        assert size == tree.atoms


def test_what_is_kept_is_open_only_at_the_cut() -> None:
    tree = trees()[0]
    for link in tree.links:
        for kept in sides(tree, link):
            piece = regrow(tree, vocabulary(), kept, [link])
            assert piece.required
            assert piece.open == link.order
            assert piece.atoms == sum(unit(tree.units[u]).size for u in kept)


@pytest.mark.parametrize(
    ("part", "smiles", "with_exits", "without"),
    [
        ("*C(=O)N*", "CC(N)=O", False, True),
        ("*C(=O)N*", "CC(=O)NC", True, True),
        ("[1*]C(=O)N[*:2]", "CC(=O)NC", True, True),
        ("*n1cccc1", "c1cc[nH]c1", False, True),
        ("*n1cccc1", "Cn1cccc1", True, True),
        ("*c1ccncc1", "Cc1ccccc1", False, False),
    ],
)
def test_queries_with_and_without_their_exits(
    part: str, smiles: str, with_exits: bool, without: bool
) -> None:
    mol = Chem.MolFromSmiles(smiles)
    assert mol.HasSubstructMatch(query(part, exits=True)) == with_exits
    assert mol.HasSubstructMatch(query(part, exits=False)) == without


@pytest.mark.parametrize(
    "scaffold",
    ["*N1C[C@H](F)C[C@H]1C(N)=O", "*N1C[C@@H](F)C[C@H]1C(N)=O", "*/C=C/c1ccccc1", "*/C=C\\c1ccccc1", "*C/C=C/C(=O)Nc1ccccc1", "C[C@](*)(N)C(=O)O"],
)  # fmt: skip
def test_the_configuration_that_was_given_is_kept(scaffold: str) -> None:
    """Law: putting any one group at the exit by hand and by us gives one molecule. Reference: RDKit."""
    whole = Chem.MolFromSmiles(
        scaffold.replace("*", "O", 1) if scaffold[0] == "*" else scaffold.replace("*", "O")
    )
    flat = Chem.MolToSmiles(whole, isomericSmiles=False)
    assert with_stereo(flat, [scaffold]) == Chem.MolToSmiles(whole)
    open_one = scaffold.replace("@", "").replace("/", "").replace("\\", "")
    assert with_stereo(flat, [open_one]) == flat
