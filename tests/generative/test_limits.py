"""What is out of bounds is never placed; what is only sometimes wrong is not ruled out beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

import generative.limits as limits
from generative.construction import Bounds, Prices
from generative.learning.dataset import Dataset, prepare
from generative.trees import put_together
from generative.vocabulary import bonds
from tests.generative.models import DRUGS, trees, vocabulary


def units_ruled_out(*smarts: str) -> set[str]:
    known = vocabulary()
    gone = limits.holding(known, smarts)
    return {known.entries[i][0] for i in np.nonzero(gone)[0]}


def test_a_unit_that_always_holds_it_is_ruled_out() -> None:
    gone = units_ruled_out("[F,Cl]")
    assert {"F", "Cl"} <= gone
    assert not any(
        Chem.MolFromSmiles(one).HasSubstructMatch(Chem.MolFromSmarts("[F,Cl]"))
        for one in {u.smiles for u in vocabulary().units} - gone
    )


def test_a_unit_that_may_lose_it_is_not() -> None:
    """An ether's oxygen is a hydroxyl only until something is built on it; benzene stays aromatic."""
    assert "O" not in units_ruled_out("[OX2H]")
    assert "c1ccccc1" not in units_ruled_out("[cH]")
    assert "c1ccccc1" in units_ruled_out("c1ccccc1")


def test_what_leaves_nothing_to_build_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[#6\] is in every carbon"):
        limits.holding(vocabulary(), ["[#6]"])


@pytest.mark.parametrize(
    ("part", "smarts", "always"),
    [
        ("*c1ccc(O)cc1", "[OX2H]", True),
        ("c1ccc(O)cc1", "[OX2H]", False),
        ("c1ccc(O)cc1", "c1ccccc1", True),
        ("*c1ccccc1", "Br", False),
    ],
)
def test_parts_that_hold_it_for_certain(part: str, smarts: str, always: bool) -> None:
    assert limits.always_in(part, smarts) is always


@pytest.fixture(scope="module")
def two_styles(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("styles")
    (folder / "plain.smi").write_text("\n".join(s for s in DRUGS if not set(s) & set("Ss+-FB")) + "\n")
    (folder / "all.smi").write_text("\n".join(DRUGS) + "\n")
    return prepare([folder / "plain.smi", folder / "all.smi"])


def test_a_style_keeps_to_its_own_units_and_bonds(
    two_styles: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference: units and bonds counted directly on the molecules' trees."""
    assert limits.habits(two_styles) == {}  # too few molecules to rule anything out
    monkeypatch.setattr(limits, "ENOUGH", 10)
    habits = limits.habits(two_styles)
    known, gone = limits.of_style(two_styles.vocabulary, habits["plain"])
    _, none_gone = limits.of_style(two_styles.vocabulary, habits["all"])
    assert gone.sum() > none_gone.sum()
    left = {known.entries[i][0] for i in np.nonzero(~gone)[0]}
    assert "c1ccccc1" in left
    assert not any(set("SsFB") & set(one) for one in left)
    assert known.pairs < two_styles.vocabulary.pairs <= {bond for tree in trees() for bond in bonds(tree)}


def test_random_steps_within_a_style_build_only_its_units(
    two_styles: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.generative import test_construction
    from tests.generative.test_construction import random_molecules, sound

    monkeypatch.setattr(limits, "ENOUGH", 10)
    known, gone = limits.of_style(two_styles.vocabulary, limits.habits(two_styles)["plain"])
    prices = Prices.of(known)
    prices = replace(prices, usable=prices.usable & ~gone)
    monkeypatch.setattr(test_construction, "Prices", type("Same", (), {"of": staticmethod(lambda _: prices)}))
    made = random_molecules(known, 400, 2, bounds=Bounds(max_atoms=24))
    sound(made, Bounds(max_atoms=24))
    assert not any(
        a.GetSymbol() in ("S", "F", "Br") for one in made for a in Chem.MolFromSmiles(one).GetAtoms()
    )
    assert all(put_together(tree) for tree in trees()[:3])


def test_an_unknown_style_rules_nothing_out() -> None:
    known, gone = limits.of_style(vocabulary(), None)
    assert known is vocabulary()
    assert not gone.any()
