"""Which ligands are compared with which, and what do all comparisons say together?

The most similar pairs that connect everyone, and then, over every edge that nothing
else checks, the most similar pair that closes a cycle: the differences around a cycle
add up to nothing, so what they do add up to is an error one can see. Together the edges
over-determine the ligands; least squares, weighted by each edge's error, settles it.

References
----------
.. [1] Xu, J. Chem. Inf. Model. 59, 4720 (2019), doi 10.1021/acs.jcim.9b00528: ligands from edges by maximum likelihood.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from docking.dynamics.terms import Bools, Floats

Shape = Literal["cycles", "tree", "star"]
Pair = tuple[int, int]
_SURE = 0.05  # kcal/mol; no edge is believed to be better than this


@dataclass(frozen=True, slots=True)
class Cycle:
    """Ligands in a ring, and what their differences add up to."""

    members: tuple[int, ...]
    closure: float  # kcal/mol; 0 if all were exact
    expected: float  # kcal/mol, one standard error of it from its edges' errors


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Every ligand's free energy, from all edges."""

    values: Floats  # [ligand] kcal/mol; the mean over connected ligands is 0
    errors: Floats  # [ligand] kcal/mol, of the distance to that mean
    connected: Bools  # [ligand], whether any edge reaches it, and from the largest group
    cycles: tuple[Cycle, ...]

    @property
    def closure(self) -> float | None:
        """Root mean square over the cycles, kcal/mol; None without one."""
        return float(np.sqrt(np.mean([c.closure**2 for c in self.cycles]))) if self.cycles else None


def edges(likeness: Floats, shape: Shape = "cycles") -> tuple[Pair, ...]:
    """Pairs to compare.

    Parameters
    ----------
    likeness : [ligand, ligand], symmetric, 0 to 1
        0 where two must not be compared.
    shape
        "tree": as few as possible; "cycles": a tree with every edge in a cycle where likeness
        allows it; "star": all with the one most like the others.

    Returns
    -------
    Pairs with the smaller number first, in the order in which they were chosen.
    """
    n = len(likeness)
    if shape == "star":
        hub = int(likeness.sum(axis=0).argmax())
        return tuple((min(hub, i), max(hub, i)) for i in range(n) if i != hub and likeness[hub, i] > 0)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if likeness[i, j] > 0]
    pairs.sort(key=lambda pair: (-likeness[pair], pair))
    chosen: list[Pair] = []
    for pair in pairs:
        group = groups(n, chosen)
        if group[pair[0]] != group[pair[1]]:
            chosen.append(pair)
    if shape == "tree":
        return tuple(chosen)
    for bridge in list(chosen):
        without = [pair for pair in chosen if pair != bridge]
        group = groups(n, without)
        if group[bridge[0]] == group[bridge[1]]:  # a cycle closed before checks it already
            continue
        closing = next(
            (
                p
                for p in pairs
                if p not in chosen and {group[p[0]], group[p[1]]} == {group[b] for b in bridge}
            ),
            None,
        )
        if closing is not None:
            chosen.append(closing)
    return tuple(chosen)


def groups(n: int, pairs: Sequence[Pair]) -> list[int]:
    """[ligand], the number of the connected group each belongs to."""
    group = list(range(n))
    for i, j in pairs:
        if group[i] != group[j]:
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    return group


def combined(n: int, pairs: Sequence[Pair], values: Sequence[float], errors: Sequence[float]) -> Combined:
    """Every ligand from all edges.

    Parameters
    ----------
    pairs, values, errors
        An edge (i, j) with value d says that j lies d above i, give or take its error; kcal/mol.
    """
    group = np.array(groups(n, pairs))
    sizes = np.array([(group == g).sum() for g in group])
    connected = (group == group[int(sizes.argmax())]) & (sizes > 1)
    used = [k for k, (i, _) in enumerate(pairs) if connected[i]]
    design = np.zeros((len(used), n))
    for row, k in enumerate(used):
        i, j = pairs[k]
        design[row, i], design[row, j] = -1.0, 1.0
    sure = np.maximum(np.array([errors[k] for k in used]), _SURE)
    weighted = design / sure[:, None]
    inverse = np.linalg.pinv(weighted.T @ weighted)  # of the smallest norm: the mean is 0
    found = inverse @ weighted.T @ (np.array([values[k] for k in used]) / sure)
    return Combined(
        values=np.where(connected, found, np.nan),
        errors=np.where(connected, np.sqrt(np.maximum(np.diag(inverse), 0.0)), np.nan),
        connected=connected,
        cycles=_cycles(n, pairs, values, errors),
    )


def _cycles(
    n: int, pairs: Sequence[Pair], values: Sequence[float], errors: Sequence[float]
) -> tuple[Cycle, ...]:
    """One cycle for each edge beyond a tree: the shortest way round it."""
    step: dict[Pair, tuple[float, float]] = {}
    for (i, j), value, error in zip(pairs, values, errors, strict=True):
        step[i, j], step[j, i] = (value, error), (-value, error)
    tree: list[Pair] = []
    found = []
    for i, j in pairs:
        group = groups(n, tree)
        if group[i] != group[j]:
            tree.append((i, j))
            continue
        way = _way(j, i, [p for p in pairs if p != (i, j)])
        ring = [i, *way]  # i -> j -> ... -> i
        legs = [step[a, b] for a, b in itertools.pairwise(ring)]
        closure = sum(value for value, _ in legs)
        found.append(Cycle(tuple(ring[:-1]), closure, float(np.sqrt(sum(e**2 for _, e in legs)))))
    return tuple(found)


def _way(start: int, end: int, pairs: Sequence[Pair]) -> list[int]:
    """The fewest edges from start to end, both included; they are connected."""
    ways = [[start]]
    seen = {start}
    while ways[0][-1] != end:
        way = ways.pop(0)
        for i, j in pairs:
            there = j if i == way[-1] else i if j == way[-1] else None
            if there is not None and there not in seen:
                seen.add(there)
                ways.append([*way, there])
    return ways[0]
