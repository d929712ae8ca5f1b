"""Which molecules are bred from?

The best of those scored, but not many that are alike: not many on one scaffold, and not many of
exactly one reward. Where an oracle gives thousands of molecules the same reward, they
would otherwise fill every place, and what leads off the plateau is a molecule that
is a little worse.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from rdkit.Chem.Scaffolds import MurckoScaffold

from discovery.proposal import Lesson
from generative.breeding.surrogate import Doubles
from generative.refusal import SettingError

LEVEL = 0.02  # standard deviations of the rewards within which expectations are equal


@dataclass(frozen=True)
class Search:
    """How widely is looked around before calls are spent.

    Parameters
    ----------
    oversample : int
        Candidates looked at for each one chosen.
    generations : int
        In how many steps; each breeds on from the most promising so far.
    elite : int
        Scored molecules that are edited.
    per_scaffold : int
        At most so many of them on one scaffold: the memory that keeps a run diverse.
    per_reward : int
        At most so many of them with exactly one reward, drawn by lot: where an oracle cannot tell
        thousands of molecules apart, they do not crowd out those it can.
    per_batch : int
        At most so many of those chosen by expectation on one scaffold; 0 sets no limit.
    blind : float, 0..1
        Share chosen at random.
    optimism : sequence of float
        Weights of the uncertainty, taken in turn.
    """

    oversample: int = 9
    generations: int = 3
    elite: int = 100
    per_scaffold: int = 10
    per_reward: int = 10
    per_batch: int = 0
    blind: float = 0.05
    optimism: tuple[float, ...] = (0.0, 0.3, 1.0)

    def __post_init__(self) -> None:
        counts = (self.oversample, self.generations, self.elite, self.per_scaffold, self.per_reward)
        if min(*counts, self.per_batch + 1) < 1:
            raise SettingError(
                "oversample, generations, elite, per_scaffold and per_reward are at least 1, per_batch 0"
            )
        if not 0.0 <= self.blind <= 1.0:
            raise SettingError(f"blind is a share, 0 to 1, not {self.blind}")
        if not self.optimism or min(self.optimism) < 0:
            raise SettingError("optimism needs at least one weight, none below 0")


def elite_of(lessons: Sequence[Lesson], search: Search, rng: random.Random) -> list[str]:
    """The best molecules, best first, not too many on one scaffold or of one reward.

    Of equals chance picks; what has no ring has no scaffold to be too many on.
    """
    found: list[str] = []
    scaffolds: Counter[str] = Counter()
    rewards: Counter[float] = Counter()
    for lesson in sorted(lessons, key=lambda lesson: (-lesson.reward, rng.random())):
        if len(found) == search.elite or lesson.reward <= 0:
            break
        reward = round(lesson.reward, 6)
        if rewards[reward] == search.per_reward:
            continue
        scaffold = scaffold_of(lesson.molecule.smiles)
        if not scaffold or scaffolds[scaffold] < search.per_scaffold:
            scaffolds[scaffold] += 1
            rewards[reward] += 1
            found.append(lesson.molecule.smiles)
    return found


def liked(lessons: Sequence[Lesson], search: Search, rng: random.Random, draws: int) -> list[str]:
    """Some of them, each once, the better drawn more often."""
    good = elite_of(lessons, search, rng)
    return list(dict.fromkeys(rng.choices(good, by_rank(len(good)), k=draws))) if good else []


def spread(best_first: Sequence[int], means: Doubles, search: Search) -> list[int]:
    """The first, not too many of which are expected to be equally good."""
    found: list[int] = []
    met: Counter[int] = Counter()
    for index in best_first:
        if len(found) == search.elite:
            break
        level = int(means[index] / LEVEL)
        if met[level] < search.per_reward:
            met[level] += 1
            found.append(index)
    return found


def compromised(lessons: Sequence[Lesson], rng: random.Random) -> list[Lesson]:
    """Lessons rewarded for one compromise between their criteria, drawn at random.

    The augmented Tchebycheff function of ParEGO: over many draws, every point of the
    Pareto front is the best for some of them, those in its hollows too.

    References
    ----------
    .. [1] J. Knowles, IEEE Trans. Evol. Comput. 2006, 10, 50, doi 10.1109/TEVC.2005.851274.
    """
    count = max((len(lesson.parts) for lesson in lessons), default=0)
    weights = [rng.expovariate(1.0) for _ in range(count)]
    heaviest = max(weights, default=1.0)

    def reward(parts: tuple[float, ...]) -> float:
        lost = [(1.0 - part) * weight / heaviest for part, weight in zip(parts, weights, strict=True)]
        return max(0.0, 1.0 - max(lost) - 0.05 * sum(lost))

    return [replace(one, reward=reward(one.parts)) if one.parts else one for one in lessons]


def by_rank(n: int) -> list[float]:
    """Odds of n that stand best first: the best is drawn about twice as often as the tenth."""
    return [1.0 / (10 + rank) for rank in range(n)]


def descending(values: Doubles) -> list[int]:
    """Indices, highest first; rounded, so that a sum's last bit decides nothing."""
    return [int(index) for index in np.argsort(-values.round(9), kind="stable")]


@lru_cache(maxsize=65_536)
def scaffold_of(smiles: str) -> str:
    return str(MurckoScaffold.MurckoScaffoldSmiles(smiles))  # type: ignore[no-untyped-call]
