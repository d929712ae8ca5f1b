"""A molecule somebody proposes; the Proposer promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from discovery.molecule import Molecule
from discovery.outcome import Missing


@dataclass(frozen=True, slots=True)
class Proposal:
    """A SMILES as its proposer wrote it, with where it came from."""

    smiles: str
    proposer: str  # "brics", "graph"
    round: int
    parents: tuple[str, ...] = ()  # SMILES it was made from, for the chemist's "why"
    edit: str = ""  # what was done to them, in words: "joined two fragments of ..."
    log_prob: float | None = None
    weights: str = ""  # sha256 of the weights that proposed it, where there are any
    name: str = ""  # the user's own, where the molecule came with one


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the campaign learned of one molecule, for the next round.

    `reward` is the overall desirability, 0..1. A molecule's own fault earns 0; a
    machine's fault is never taught, so no lesson exists for it.
    """

    molecule: Molecule
    reward: float
    missing: Missing | None = None
    parts: tuple[float, ...] = ()  # each criterion's desirability, in order, where all are known


@runtime_checkable
class Proposer(Protocol):
    """Proposes molecules, round after round, learning from the rounds before.

    The same `round`, `seed` and `lessons` give the same proposals in any process,
    so that a campaign killed and resumed proposes what it would have proposed.
    """

    @property
    def name(self) -> str: ...

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` proposals; a SMILES that proves unreadable costs one row."""
        ...
