"""How long do we look, and when do we believe what was found?

Islands of walkers search apart from each other. One that has not improved for a
while has told what it will find and starts anew; when enough have told the same
lowest energy, the search is over. What walkers do is in walk.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking.atom_types import Bools
from docking.energy import Function, in_full
from docking.search import walk
from docking.search.descent import resting, settle
from docking.search.motion import Conf
from docking.search.programs import Program, options
from docking.search.walk import ISLANDS, Field, Knobs, Problem, Walkers

with needs("docking"):
    import jax
    import jax.numpy as jnp


Singles = NDArray[np.float32]

LOOK = 20  # ticks between two looks at the islands
SAME = 0.1  # kcal/mol within which two islands found the same; the grid blurs more
BETTER = 0.025  # kcal/mol that count as a better pose
REST = 2  # looks without a better pose after which an island's word counts
PATIENCE = 5  # looks without a better pose after which an island starts anew
FAR = 0.5  # kcal/mol above the lowest; an island that rests there starts anew at once ...
FEW = 6  # ... up to so many torsions; with more they improve late
AFRESH = 1 << 30  # keeps keys of new starts apart from those of ticks ...
CLOSER = 1 << 29  # ... and those of a last look about the lowest
DOWN = 80  # evaluations of a last descent on the grid
MOST_LANES = 256  # ligands at once on a GPU
LANE_BYTES = 32 << 20  # of device memory for each, walkers and temporaries, generously


class Effort(NamedTuple):
    """How long to look, in ticks for a rigid ligand and ticks more for each torsion."""

    least: tuple[int, int]  # before agreement counts
    most: tuple[int, int]
    agreeing: int  # islands that found the lowest energy, each on its own
    flexible: int = 1  # times as long at most, and as many islands, beyond `walk.EASY` torsions
    close: tuple[int, int] = (0, 0)  # then about the lowest minima, see `refine.closer`

    def shared(self, among: int) -> Effort:
        """The part of one among several ring shapes of a ligand, which together look about as long as one alone.

        Three islands must agree on each shape at least, if so many must on one alone: where two do, a fifth of
        ligands stop 0.1 kcal/mol or more above what they would find.
        """
        least, most = ((-(-base // among), -(-more // among)) for base, more in (self.least, self.most))
        return self._replace(
            least=least, most=most, agreeing=max(min(3, self.agreeing), self.agreeing // among)
        )


EFFORTS = {
    "fast": Effort(least=(20, 2), most=(40, 4), agreeing=2),
    "balanced": Effort(least=(120, 10), most=(200, 120), agreeing=4, flexible=2, close=(20, 5)),
    "thorough": Effort(least=(120, 40), most=(480, 320), agreeing=6, flexible=2, close=(20, 5)),
}


def whole_looks(ticks: int) -> int:
    """Ticks, rounded up to whole looks."""
    return -(-ticks // LOOK) * LOOK


class Found(NamedTuple):
    """Minima of a search, every walker's at every look."""

    conf: Conf
    energy: Singles  # [pose] kcal/mol, as walked: curled at 10
    ticks: int
    agreed: int  # islands, restarted ones included, that found the lowest energy


class Watch:
    """What one ligand's islands have told so far."""

    def __init__(self, torsions: int, effort: Effort) -> None:
        self.least, most = (base + more * torsions for base, more in (effort.least, effort.most))
        times = effort.flexible if torsions > walk.EASY else 1
        self.most = whole_looks(most * times)
        self.agreeing = effort.agreeing * times
        self.hurry = REST if torsions <= FEW else PATIENCE
        self.done = False
        self.ticks = self.agreed = 0
        self._told: list[float] = []  # lowest energies of islands that have started anew
        self._lowest, self._idle = np.full(ISLANDS, np.inf), np.zeros(ISLANDS, dtype=int)
        self._confs: list[Conf] = []
        self._energies: list[Singles] = []

    def look(self, kept: Conf, kept_energy: Singles, best: Conf, best_energy: Singles) -> Bools:
        """Note where the walkers stand after LOOK ticks more. [island]: which are to start anew."""
        self.ticks += LOOK
        self._note(kept, kept_energy)
        before, self._lowest = self._lowest, best_energy.reshape(ISLANDS, -1).min(axis=1).astype(float)
        self._idle = np.where(self._lowest < before - BETTER, 0, self._idle + 1)
        every = np.array([*self._told, *self._lowest])
        at_rest = np.concatenate([np.ones(len(self._told), dtype=bool), self._idle >= REST])
        self.agreed = int((at_rest & (every < every.min() + SAME)).sum())
        agreement = self.ticks >= self.least and self.agreed >= self.agreeing
        self.done = agreement or self.ticks >= self.most
        patience = np.where(self._lowest > every.min() + FAR, self.hurry, PATIENCE)
        tired = (self._idle >= patience) & (self.ticks + PATIENCE * LOOK <= self.most) & (not self.done)
        if tired.any() or self.done:
            self._note(best, best_energy)
        self._told += self._lowest[tired].tolist()
        self._lowest = np.where(tired, np.inf, self._lowest)
        self._idle = np.where(tired, 0, self._idle)
        return np.asarray(tired)

    def found(self) -> Found:
        """All that was noted."""
        parts = [np.concatenate(some, axis=-1) for some in zip(*self._confs, strict=True)]
        conf = Conf(*jax.device_put(parts))
        return Found(conf, np.concatenate(self._energies), self.ticks, self.agreed)

    def _note(self, conf: Conf, energy: Singles) -> None:
        self._confs.append(conf)
        self._energies.append(energy)


def seek(function: Function, ligand: Problem, site: Field, key: jax.Array, effort: Effort) -> Found:
    """Walk until enough islands agree or the effort is spent."""
    begin, advance, anew, _ = programs(function)
    watch, poses = Watch(int(ligand.layout.nodes) - 1, effort), walk.walkers(ligand)
    walkers = begin(key, ligand, site)
    while not watch.done:
        tick = watch.ticks
        walkers = advance(ligand, site, Knobs(), key, np.int32(tick), np.int32(LOOK), walkers)
        tired = watch.look(*_standing(walkers))
        if tired.any():
            again = jax.random.fold_in(key, AFRESH + tick)
            walkers = anew(again, ligand, site, np.repeat(tired, poses // ISLANDS), walkers)
    return watch.found()


def seek_many(
    function: Function,
    ligands: Sequence[Problem],
    site: Field,
    keys: Sequence[jax.Array],
    each: Sequence[Effort],
) -> list[Found]:
    """As `seek`, for ligands of one shape side by side on the device.

    A ligand's result does not depend on its neighbours: nothing is summed across
    ligands, and each stops at its own time. For the same bits pass the same number
    of ligands, the last repeated if need be.
    """
    begin, advance, anew = lane_programs(function)
    every: Problem = jax.tree.map(lambda *parts: jnp.stack(parts), *ligands)
    key = jnp.stack(list(keys))
    watches = [
        Watch(int(ligand.layout.nodes) - 1, effort) for ligand, effort in zip(ligands, each, strict=True)
    ]
    poses = walk.walkers(every)
    walkers = begin(key, every, site, poses)
    tick = 0
    while not all(watch.done for watch in watches):
        walkers = advance(every, site, Knobs(), key, np.int32(tick), np.int32(LOOK), walkers)
        standing = _standing(walkers)
        tired = np.zeros((len(ligands), ISLANDS), dtype=bool)
        for lane, watch in enumerate(watches):
            if not watch.done:
                tired[lane] = watch.look(*jax.tree.map(lambda part, lane=lane: part[lane], standing))
        if tired.any():
            again = jax.vmap(jax.random.fold_in, (0, None))(key, AFRESH + tick)
            walkers = anew(again, every, site, np.repeat(tired, poses // ISLANDS, axis=1), walkers)
        tick += LOOK
    return [watch.found() for watch in watches]


def lanes() -> int:
    """Ligands at once: one on a processor, which a single ligand's walkers fill, and what memory holds on a GPU."""
    if jax.default_backend() == "cpu":
        return 1
    stats = jax.devices()[0].memory_stats() or {}
    room = int(stats.get("bytes_limit", 0)) // 2
    return max(1, min(MOST_LANES, room // LANE_BYTES))


def _standing(walkers: walk.Walkers) -> tuple[Conf, Singles, Conf, Singles]:
    answer: tuple[Conf, Singles, Conf, Singles] = jax.device_get(
        (walkers.kept, walkers.kept_energy, walkers.best, walkers.best_energy)
    )
    return answer


@lru_cache(maxsize=8)
def programs(function: Function) -> tuple[Program, Program, Program, Program]:
    """begin, advance, anew and a last descent, compiled for the device at hand."""

    def begin(key: jax.Array, ligand: Problem, site: Field) -> Walkers:
        return walk.begin(key, ligand, site, walk.walkers(ligand))

    def down(
        ligand: Problem, site: Field, conf: Conf, cap: jax.Array, wall: jax.Array
    ) -> tuple[Conf, jax.Array]:
        end = settle(walk.surface(function, ligand, site, cap, wall), ligand.layout, DOWN, resting(conf))
        return end.here, end.energy

    return (
        Program("begin", function, begin),
        Program("advance", function, in_full(partial(walk.advance, function))),
        Program("anew", function, walk.anew),
        Program("down", function, in_full(down)),
    )


@lru_cache(maxsize=8)
def lane_programs(function: Function) -> tuple[Any, Any, Any]:
    """begin, advance and anew for many ligands at once."""
    return (
        jax.jit(jax.vmap(walk.begin, (0, 0, None, None)), static_argnums=3, compiler_options=options()),
        jax.jit(
            in_full(jax.vmap(partial(walk.advance, function), (0, None, None, 0, None, None, 0))),
            compiler_options=options(),
        ),
        jax.jit(jax.vmap(walk.anew, (0, 0, None, 0, 0)), compiler_options=options()),
    )
