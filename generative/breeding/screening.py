"""Which molecules of a collection, just as they are, are worth the next calls?

A search that breeds soon asks only about what it made itself: it climbs one hill, and knows that
hill alone. Beside it, a share of the calls goes to molecules of the collection, chosen by a
surrogate that learned from such molecules only, as in active learning of a docking screen: of a
quarter of a million, the best few are among the first thousand asked about. The share follows
from what the collection yields: large while its molecules are among the best known, small once
bred ones are better, and large again when the search rests on a plateau.

References
----------
.. [1] D. E. Graff, E. I. Shakhnovich, C. W. Coley, Chem. Sci. 2021, 12, 7866,
   doi 10.1039/d0sc06805e: surrogates choose what of a library is docked next.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterable, Sequence

import numpy as np

from discovery.proposal import Lesson
from generative.breeding.collection import Collection
from generative.breeding.elite import Search, descending, liked
from generative.breeding.surrogate import Surrogate, features

LEAST, MOST = 0.1, 0.5  # share of the calls when the collection yields nothing, and at most
EQUAL = 1e-6  # difference of two rewards that an oracle does not tell apart
FEW, MANY = (
    20,
    200,
)  # such molecules at the top with which the search is still climbing, and with which it rests
LIKED, LIKE = 20, 60  # good molecules whose neighbours are judged, and how many of each
ANY = 6  # molecules drawn at random and judged, for each one chosen


def share(lessons: Sequence[Lesson], good: Sequence[str], fresh: Container[str]) -> float:
    """What part of the next calls the collection deserves, `LEAST` to `MOST`.

    Parameters
    ----------
    good : SMILES of the best of the lessons
    fresh : SMILES of molecules that were not bred
    """
    of_them = sum(one in fresh for one in good) / max(len(good), 1)
    rested = resting(lesson.reward for lesson in lessons)
    return LEAST + (MOST - LEAST) * max(of_them, rested)


def resting(rewards: Iterable[float]) -> float:
    """How far a search is from climbing, 0 to 1, by how many have exactly the reward of the tenth best.

    Molecules that are only nearly as good are no plateau: each still says where it goes up.
    0 where the ten best have all there is to have.
    """
    ranked = sorted(rewards, reverse=True)[: MANY + 10]
    if len(ranked) < 10 or ranked[9] <= 0.0 or ranked[9] >= 1.0 - 1e-9:
        return 0.0
    crowd = sum(reward >= ranked[9] - EQUAL for reward in ranked)
    return min(max(crowd - FEW, 0) / (MANY - FEW), 1.0)


def screened(
    n: int,
    lessons: Sequence[Lesson],
    collection: Collection,
    without: np.ndarray[tuple[int], np.dtype[np.bool_]],
    search: Search,
    rng: random.Random,
) -> list[int]:
    """Rows of `n` molecules of the collection, the most promising first.

    Judged are neighbours of the best and some drawn at random.

    Parameters
    ----------
    lessons : of molecules that were not bred, at least two
    without : [molecule] True where a row is not wanted
    """
    smiles = [lesson.molecule.smiles for lesson in lessons]
    surrogate = Surrogate.fit(smiles, [lesson.reward for lesson in lessons], seed=rng.getrandbits(32))
    rows = collection.near(liked(lessons, search, rng, LIKED), LIKE, without)
    drawn = rng.sample(range(len(collection.smiles)), min(ANY * n, len(collection.smiles)))
    rows = list(dict.fromkeys([*rows, *(row for row in drawn if not without[row])]))
    if not rows:
        return []
    looks = features([collection.smiles[row] for row in rows])
    means, deviations = surrogate.predict(looks)
    short = sorted({*descending(means)[: 2 * n], *descending(means + deviations)[: 2 * n]})
    picked = surrogate.batch(looks.some(short), min(n, len(short)), search.optimism)
    return [rows[short[index]] for index in picked]
