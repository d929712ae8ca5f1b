"""What would the policy build, had it been taught what scored well?

A copy of the trained policy goes over the scored molecules for a few steps, the best of them
half of the time, each time in another order of building. The loss is relative trajectory
balance: how much likelier the copy makes a molecule than the trained policy does must rise
with its reward, nat by nat. Molecules are compared with each other within a batch, so the
normaliser cancels, and the trained policy, to which everything is relative, keeps the
copy from forgetting what molecules look like. The copy follows from the lessons and the seed alone: a
run that was stopped goes on to the same end.

References
----------
.. [1] S. Venkatraman et al., NeurIPS 2024, arXiv:2405.20971: relative trajectory balance.
.. [2] L. Richter et al., NeurIPS 2020, arXiv:2010.10436: the variance over a batch in the
   normaliser's place.
.. [3] N. Malkin et al., NeurIPS 2022, arXiv:2201.13259: trajectory balance.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.extras import needs
from discovery.outcome import MoleculeError
from discovery.proposal import Lesson
from generative.breeding.elite import Search, elite_of
from generative.breeding.surrogate import targets
from generative.construction import MOST_ATOMS
from generative.encoding import Rows, rows
from generative.policy import MAX_STEPS, Policy
from generative.rollouts import Rollout, UnknownUnit, ordered, shuffled
from generative.trees import Tree, take_apart
from generative.vocabulary import Vocabulary

with needs("generative"):
    import torch
    from torch import Tensor


FEW = 8  # molecules the policy can build below which nothing is taught
FIXED = ("atom_in", "bond_in", "convs", "conv_norms", "order_in", "entry_mix", "entry_out", "entry_token")


@dataclass(frozen=True)
class Replay:
    """How much is taught.

    Parameters
    ----------
    steps, batch : int
        Updates, and molecules in each.
    rate : float
        Of learning.
    nats : float
        How much likelier a molecule should become for each standard deviation of reward.
    best, others : int
        Molecules gone over: the best, and as many more drawn from the rest.
    """

    steps: int = 24
    batch: int = 32
    rate: float = 5e-4
    nats: float = 4.0
    best: int = 64
    others: int = 64


@dataclass(frozen=True)
class Told:
    """Molecules the policy can build, with what each is worth in standard deviations."""

    trees: tuple[Tree, ...]
    worth: tuple[float, ...]
    best: int  # so many of them, the first, are the best

    @classmethod
    def of(
        cls, lessons: Sequence[Lesson], vocabulary: Vocabulary, replay: Replay, rng: random.Random
    ) -> Told:
        """The best and some of the others; those the vocabulary cannot build are passed over."""
        worth = targets(np.array([lesson.reward for lesson in lessons]))
        by_smiles = {
            lesson.molecule.smiles: float(value) for lesson, value in zip(lessons, worth, strict=True)
        }
        first = elite_of(lessons, Search(elite=replay.best), rng)
        taken = set(first)
        rest = [smiles for smiles in by_smiles if smiles not in taken]
        trees: list[Tree] = []
        values: list[float] = []
        best = 0
        for group in (first, rng.sample(rest, min(replay.others, len(rest)))):
            for smiles in group:
                tree = _tree(smiles, vocabulary)
                if tree is not None:
                    trees.append(tree)
                    values.append(by_smiles[smiles])
            best = best or len(trees)
        return cls(tuple(trees), tuple(values), best)


def taught(
    prior: Policy,
    vocabulary: Vocabulary,
    lessons: Sequence[Lesson],
    rng: random.Random,
    *,
    style: int = 0,
    replay: Replay | None = None,
) -> Policy:
    """A copy of `prior` that has gone over the lessons; `prior` itself where too few can be built.

    Parameters
    ----------
    style : int
        The style it is taught in, and should be asked for afterwards.
    """
    replay = replay or Replay()
    told = Told.of(lessons, vocabulary, replay, rng)
    if len(told.trees) < FEW or told.best == 0:
        return prior
    policy = copy.deepcopy(prior)
    with torch.no_grad():
        read = prior.read(vocabulary)
    free = [value for name, value in policy.named_parameters() if name.split(".")[0] not in FIXED]
    optimiser = torch.optim.Adam(free, lr=replay.rate)
    for _ in range(replay.steps):
        numbers = [
            rng.randrange(told.best) if k % 2 else rng.randrange(len(told.trees)) for k in range(replay.batch)
        ]
        batch = _batch([told.trees[i] for i in numbers], vocabulary, style, rng)
        worth = torch.tensor([told.worth[i] for i in numbers])
        with torch.no_grad():
            before = sum(prior.log_likelihood(read, batch))
        loss = balance(sum(policy.log_likelihood(read, batch)), before, replay.nats * worth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
    return policy.eval()


def balance(now: Tensor | int, before: Tensor | int, worth: Tensor) -> Tensor:
    """Relative trajectory balance, the normaliser replaced by the batch's mean.

    Parameters
    ----------
    now, before : [molecule] nats
        Log-likelihood under the policy that learns, and under the one it is relative to.
    worth : [molecule] nats
    """
    off = now - before - worth
    result: Tensor = (off - off.mean()).square().mean()
    return result


def _batch(trees: Sequence[Tree], vocabulary: Vocabulary, style: int, rng: random.Random) -> Rows:
    """Each in an order of its own: half as the policy tells molecules, half in any order."""
    orders = [k % 2 for k in range(len(trees))]
    rng.shuffle(orders)
    told = [
        _steps(shuffled(tree, vocabulary, rng) if order else ordered(tree, vocabulary))
        for tree, order in zip(trees, orders, strict=True)
    ]
    return rows(vocabulary, told, orders, [style] * len(trees))


def _steps(rollout: Rollout) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.array([rollout.entries, rollout.parents, rollout.sites], dtype=np.int16).T


def _tree(smiles: str, vocabulary: Vocabulary) -> Tree | None:
    try:
        tree = take_apart(smiles)
        if len(tree.units) >= MAX_STEPS or tree.atoms > MOST_ATOMS:
            return None
        for root in range(len(tree.units)):  # whatever unit a shuffled order begins with
            shuffled(tree, vocabulary, random.Random(0), root)
    except (MoleculeError, UnknownUnit):
        return None
    return tree
