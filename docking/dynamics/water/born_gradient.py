"""Which way does the implicit water push atoms that may move among many that may not?

OBC2 as in born.py, its energy and its slope along the free atoms, for a minimiser on a
processor. What stays the same from step to step is computed once: how frozen atoms
shield each other from the water, and how far they are apart. Pairs far apart shield by
a series without roots or logarithms. In single precision, as OpenMM's CPU platform has
it, and in a third to half of its time; on a GPU OpenMM's own force is the better one.
Lengths in nm, energies in kJ/mol.

References
----------
.. [1] The series of the descreening integral in (reach / distance)²: Amber's pairwise GB (egb.F90), after
   Hawkins, Cramer, Truhlar, J. Phys. Chem. 100, 19824 (1996), doi 10.1021/jp961710n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from docking.dynamics.terms import Bools, Floats, Terms
from docking.dynamics.water.born import COULOMB, OFFSET, born_radii, descreening, nonpolar, widening

Singles = NDArray[np.float32]

_FAR = 0.5  # nm; from here on the series errs by less than 2e-5 of what it gives
_SERIES = np.array([(k + 1) / (2 * k + 3) for k in range(5)], dtype=np.float32)
_SLOPES = -_SERIES * np.arange(2, 7, dtype=np.float32)
_SOLVENT = 78.5
_ROWS = 32  # at a time: what a block needs stays in the cache


class FrozenSurroundings:
    """The implicit water of some atoms, most of them where they always were."""

    def __init__(self, terms: Terms, xyz: Floats, frozen: Bools) -> None:
        still = np.flatnonzero(frozen)
        self._order = np.concatenate([np.flatnonzero(~frozen), still])
        self._free = len(xyz) - len(still)
        self._centre = xyz.mean(axis=0)
        self._radius = terms.gb_radius[self._order]
        self._own = self._radius - OFFSET
        self._reach = (terms.gb_scale * (terms.gb_radius - OFFSET))[self._order]
        self._charge = terms.charge[self._order].astype(np.float32)
        radius, scale = terms.gb_radius[still], terms.gb_scale[still]
        shielded = descreening(xyz[still], radius, xyz[still], radius, scale)
        self._shielded = np.concatenate([np.zeros(self._free), shielded])
        place = self._placed(xyz)
        self._apart = [_squares(place[i : i + _ROWS], place[i:]) for i in range(self._free, len(xyz), _ROWS)]

    def _placed(self, xyz: Floats) -> Singles:
        return np.asarray((xyz - self._centre)[self._order], dtype=np.float32)

    def __call__(self, xyz: Floats) -> tuple[float, Floats]:
        """Energy, and its slope; zero where an atom is frozen.

        Parameters
        ----------
        xyz : [atom, 3] nm
            Frozen atoms where they were at first.

        Returns
        -------
        energy : kJ/mol
        slope : [atom, 3] kJ/mol/nm
        """
        with np.errstate(all="ignore"):
            return self._felt(xyz)

    def _felt(self, xyz: Floats) -> tuple[float, Floats]:
        free, place = self._free, self._placed(xyz)
        own, reach = self._own.astype(np.float32), self._reach.astype(np.float32)
        integral, blocks = self._shielded.copy(), []
        for start in range(0, free, _ROWS):
            rows = slice(start, min(start + _ROWS, free))
            squares = _squares(place[rows], place)
            itself = (np.arange(rows.stop - start), np.arange(start, rows.stop))
            squares[itself] = 1.0
            near = np.nonzero(squares < _FAR**2)
            inverse = 1.0 / squares
            shield, by = _series(reach[None], inverse)  # of each row by each column
            shield[near], by[near] = _exact(own[near[0] + start], reach[near[1]], squares[near])
            back, by_back = _series(reach[rows, None], inverse)  # of each column by each row
            back[near], by_back[near] = _exact(own[near[1]], reach[near[0] + start], squares[near])
            shield[itself], by[itself], by_back[itself], squares[itself] = 0.0, 0.0, 0.0, 0.0
            integral[rows] += shield.sum(axis=1)
            integral[free:] += back[:, free:].sum(axis=0)
            blocks.append((rows, squares, by, by_back))
        born = born_radii(integral, self._radius)
        energy, along_born, pulls = self._pairs([(rows, squares) for rows, squares, *_ in blocks], born)
        surface = nonpolar(self._radius, born)
        along_born -= 6.0 * surface / born
        along = (along_born * widening(integral, self._radius)).astype(np.float32)
        slope = np.zeros((len(xyz), 3))
        for (rows, _, by, by_back), pull in zip(blocks, pulls, strict=True):
            pull += by * along[rows, None]
            pull += by_back * along[None]
            slope[rows] = 2.0 * (pull.sum(axis=1)[:, None] * place[rows] - pull @ place)
        whole = np.empty_like(slope)
        whole[self._order] = slope
        return energy + float(surface.sum()), whole

    def _pairs(
        self, blocks: list[tuple[slice, Singles]], born: Floats
    ) -> tuple[float, Floats, list[Singles]]:
        """The polar energy, its slope along each Born radius, and along each squared distance of a free row."""
        free, factor = self._free, COULOMB * (1.0 - 1.0 / _SOLVENT)
        width = born.astype(np.float32)
        half, along, pulls = 0.0, np.zeros(len(born)), []

        def pairs(rows: slice, columns: slice, squares: Singles) -> tuple[Singles, Singles, Singles]:
            # in place throughout: qq/f, and its cube's share along BB (with a minus) and along the square
            product = width[rows, None] * width[None, columns]
            ratio = squares / product
            ratio *= -0.25
            damped = np.exp(ratio)
            product *= damped
            product += squares
            np.sqrt(product, out=product)
            np.reciprocal(product, out=product)
            energy = self._charge[rows, None] * self._charge[None, columns]
            energy *= product
            product *= product
            product *= energy
            ratio -= 1.0
            ratio *= damped
            ratio *= product
            damped *= -0.25
            damped += 1.0
            damped *= product
            return energy, ratio, damped

        for rows, squares in blocks:  # every pair of free atoms is met twice, those with frozen ones once
            energy, wide, pull = pairs(rows, slice(None), squares)
            half += 0.5 * float(energy[:, :free].sum()) + float(energy[:, free:].sum())
            along[rows] -= wide @ width
            along[free:] -= width[rows] @ wide[:, free:]
            pulls.append(np.float32(0.5 * factor) * pull)
        for start, squares in zip(range(free, len(born), _ROWS), self._apart, strict=True):
            rows = slice(start, min(start + _ROWS, len(born)))
            energy, wide, _ = pairs(rows, slice(start, None), squares)
            n = rows.stop - start
            half += 0.5 * float(energy[:, :n].sum()) + float(energy[:, n:].sum())
            along[rows] -= wide @ width[start:]
            along[rows.stop :] -= width[rows] @ wide[:, n:]
        return -factor * half, 0.5 * factor * along, pulls


def _squares(a: Singles, b: Singles) -> Singles:
    """[a, b] nm²."""
    total = np.zeros((len(a), len(b)), dtype=np.float32)
    for axis in range(3):
        between = a[:, axis][:, None] - b[:, axis]
        between *= between
        total += between
    return total


def _series(reach: Singles, inverse: Singles) -> tuple[Singles, Singles]:
    """Descreening, 1/nm, and its slope along the squared distance, from afar; `inverse` is 1/distance²."""
    ratio = np.square(reach) * inverse
    total, slope = ratio * _SERIES[-1], ratio * _SLOPES[-1]
    for each, steeper in zip(_SERIES[-2:0:-1], _SLOPES[-2:0:-1], strict=True):
        total += each
        total *= ratio
        slope += steeper
        slope *= ratio
    ratio *= inverse
    ratio *= 2.0 * reach
    total += _SERIES[0]
    total *= ratio
    ratio *= inverse
    slope += _SLOPES[0]
    slope *= ratio
    return total, slope


def _exact(own: Singles, reach: Singles, squares: Singles) -> tuple[Floats, Floats]:
    """As `_series`, at any distance: [2] of born.py and its derivative."""
    a, s, r = own.astype(np.float64), reach.astype(np.float64), np.sqrt(squares.astype(np.float64))
    lower, upper = 1.0 / np.maximum(a, np.abs(r - s)), 1.0 / (r + s)
    difference, log = lower * lower - upper * upper, np.log(upper / lower)
    total = lower - upper + 0.25 * (s * s / r - r) * difference + 0.5 * log / r
    total += np.where(a < s - r, 2.0 * (1.0 / a - lower), 0.0)
    slope = -0.125 * (1.0 + np.square(s / r)) * difference - 0.25 * log / np.square(r)
    outside = a >= r + s  # within the atom itself: nothing is pushed away
    total[outside], slope[outside] = 0.0, 0.0
    return total, slope / r
