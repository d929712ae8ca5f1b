"""The proposer's promise: who has the shape, and what a proposal carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass

import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.proposal import Lesson, Proposal, Proposer


@dataclass(frozen=True)
class Alkanes:
    name: str = "alkanes"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        return [Proposal("C" * (1 + round + i), self.name, round) for i in range(n)]


def test_whoever_has_the_shape_is_a_proposer() -> None:
    assert isinstance(Alkanes(), Proposer)
    assert not isinstance(object(), Proposer)
    lesson = Lesson(Molecule("C"), 0.0, Missing("docking", Reason.NO_CONFORMER, "no shape"))
    found = Alkanes().propose(2, round=1, seed=0, lessons=[lesson])
    assert [proposal.smiles for proposal in found] == ["CC", "CCC"]


def test_a_proposal_is_kept_as_written() -> None:
    proposal = Proposal("not a SMILES", "graph", 3, parents=("CCO",), edit="joined", log_prob=-4.5)
    assert proposal.smiles == "not a SMILES"
    assert hash(proposal) == hash(Proposal("not a SMILES", "graph", 3, ("CCO",), "joined", -4.5))
    with pytest.raises(FrozenInstanceError):
        proposal.smiles = "C"  # type: ignore[misc]
