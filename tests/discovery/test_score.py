"""Scores are finite numbers, and columns know how to be written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Column, Refiner, Score, Scorer, outcomes_of, scored


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValueError, match="use Missing to say why"):
        Score(value)


@pytest.mark.parametrize(
    ("column", "label"),
    [
        (Column("docking", "kcal/mol", "low"), "docking / kcal/mol"),
        (Column("hba", "1", "low", "H-bond acceptors"), "H-bond acceptors"),
        (Column("aromatic_rings", "", "low"), "aromatic rings"),
    ],
)
def test_labels(column: Column, label: str) -> None:
    assert column.label == label


LENGTH, HALF = Column("length", "1", "low"), Column("half", "1", "low")


@dataclass(frozen=True)
class Length:
    column: Column = LENGTH

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(len(molecule.smiles)) for molecule in molecules]


@dataclass(frozen=True)
class Short(Length):
    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(1.0) for _ in molecules[1:]]


@dataclass(frozen=True)
class Halve:
    column: Column = HALF
    after: str = "length"

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        return [Score(score.value / 2) for score in found]


def test_whoever_has_the_shape_keeps_the_promise() -> None:
    assert isinstance(Length(), Scorer)
    assert not isinstance(Length(), Refiner)
    assert isinstance(Halve(), Refiner)
    assert not isinstance(Halve(), Scorer)


def test_what_is_no_molecule_is_named_before_anything_is_scored() -> None:
    with pytest.raises(TypeError, match=r"row 2 is a str and no Molecule; discovery\.intake\.molecules"):
        scored(Length(), [Molecule("CC"), "CCO"])  # type: ignore[list-item]


def test_a_scorer_that_drops_a_molecule_is_found_out() -> None:
    with pytest.raises(ValueError, match="length was given 2 molecules and answered 1"):
        scored(Short(), [Molecule("CC"), Molecule("CCO")])


def test_a_column_of_numbers_becomes_outcomes() -> None:
    score, missing = Score(1.5), Missing("x", Reason.CRASHED, "it did")
    found = outcomes_of([score, missing, 2, np.float32(0.5), None, math.nan], "pIC50")
    assert found[:4] == [score, missing, Score(2.0), Score(0.5)]
    assert [str(gap) for gap in found[4:]] == [f"empty (pIC50): row {i} has no pIC50" for i in (5, 6)]
    with pytest.raises(TypeError, match=r"pIC50, row 1: '7.1' is neither a number nor a Score"):
        outcomes_of(["7.1"], "pIC50")
