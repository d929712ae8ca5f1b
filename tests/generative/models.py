"""A small vocabulary and an untrained network for tests: what holds for them holds for any weights."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from generative.trees import Tree, take_apart
from generative.vocabulary import Vocabulary

SHARED = Path(__file__).resolve().parents[3] / "shared"
DRUGS = tuple(
    line.split()[0]
    for line in (Path(__file__).resolve().parents[2] / "generative/data/drugs.smi").read_text().splitlines()
)


@lru_cache(maxsize=1)
def trees() -> tuple[Tree, ...]:
    return tuple(take_apart(smiles) for smiles in DRUGS)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    return Vocabulary.count(trees(), 10_000)


@lru_cache(maxsize=1)
def policy():  # type: ignore[no-untyped-def]
    torch = pytest.importorskip("torch")
    from generative.policy import Policy, Shape

    torch.manual_seed(5)
    shape = Shape(width=32, layers=2, heads=2, unit_width=16, unit_layers=2, common=64)
    return Policy(shape, len(vocabulary().entries)).eval()
