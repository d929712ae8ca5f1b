"""What does the water give each atom when narrow gaps between atoms hold none? GBn2 by pairs.

Where two atoms nearly touch there is a neck that no water molecule fits in, which
OBC counts as water. GBn2 [1]_ [2]_ takes it away. In a binding site, full of such necks,
its polar energies follow Poisson-Boltzmann more closely. The radii are those of OBC2
here (mbondi2), since ligand and receptor must follow one rule. Lengths in nm.

References
----------
.. [1] Mongan, Simmerling, McCammon, Case, Onufriev, J. Chem. Theory Comput. 3, 156 (2007),
   doi 10.1021/ct600085e: the neck.
.. [2] Nguyen, Roe, Simmerling, J. Chem. Theory Comput. 9, 2020 (2013), doi 10.1021/ct3010485:
   GBn2's figures (Amber's igb=8).
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

import numpy as np

from docking.dynamics.terms import Floats
from docking.dynamics.water.born import descreening, distances

OFFSET = 0.0195141  # nm
_NECK_SCALE = 0.826836
_NECK_CUT = 0.68  # nm beyond the two radii
# by mass, amu: overlap factor, alpha, beta, gamma
_FIGURES = {
    1.008: (1.425952, 0.788440, 0.798699, 0.437334),
    12.011: (1.058554, 0.733756, 0.506378, 0.205844),
    14.007: (0.733599, 0.503364, 0.316828, 0.192915),
    15.999: (1.061039, 0.867814, 0.876635, 0.387882),
    32.06: (-0.703469, 0.867814, 0.876635, 0.387882),
}
_OTHERS = (0.5, 1.0, 0.8, 4.851)
_ROWS = 256


def figures(mass: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Overlap factor, alpha, beta and gamma of each atom, [atom] each, by its mass in amu."""
    known = np.array(list(_FIGURES))
    values = np.array([*_FIGURES.values(), _OTHERS])
    gaps = np.abs(np.asarray(mass)[:, None] - known)
    which = np.where(gaps.min(axis=1) < 0.1, gaps.argmin(axis=1), len(known))
    scale, alpha, beta, gamma = values[which].T
    return scale, alpha, beta, gamma


def integral(xyz: Floats, radius: Floats, others: Floats, other_radius: Floats, scale: Floats) -> Floats:
    """Descreening with the necks, as `born.descreening` without.

    Returns
    -------
    [atom], 1/nm
    """
    return descreening(xyz, radius, others, other_radius, scale, offset=OFFSET) + _necks(
        xyz, radius, others, other_radius
    )


def effective_radii(total: Floats, radius: Floats, mass: Floats) -> Floats:
    """Born radii from the integral, [atom] nm."""
    _, alpha, beta, gamma = figures(mass)
    own = radius - OFFSET
    psi = 0.5 * own * total
    return np.asarray(1.0 / (1.0 / own - np.tanh(psi * (alpha - psi * (beta - gamma * psi))) / radius))


@lru_cache(maxsize=1)
def _tables() -> tuple[Floats, Floats, float, float]:
    text = files("docking.dynamics").joinpath("data", "neck.json").read_text("utf-8")
    held = json.loads(text)
    return (
        np.array(held["distance_nm"]),
        np.array(held["depth_per_nm"]),
        float(held["first_nm"]),
        float(held["step_nm"]),
    )


def _necks(xyz: Floats, radius: Floats, others: Floats, other_radius: Floats) -> Floats:
    """[atom] 1/nm; twice what is published, as `born.descreening` is twice the integral."""
    kinds, own = np.unique(np.concatenate([radius, other_radius]), return_inverse=True)
    middle, depth = _between(kinds)
    mine, theirs = own[: len(radius)], own[len(radius) :]
    total = np.empty(len(xyz))
    for start in range(0, len(xyz), _ROWS):
        rows = slice(start, start + _ROWS)
        r = distances(xyz[rows], others)
        pair = (theirs[None], mine[rows][:, None])  # the table is not symmetric: rows are the other atom's
        near = (r < radius[rows][:, None] + other_radius + _NECK_CUT) & (r > 1e-9)
        off = np.square(r - middle[pair])
        term = depth[pair] / (1.0 + 100.0 * off + 0.3e6 * off**3)
        total[rows] = np.where(near, term, 0.0).sum(axis=1)
    return 2.0 * _NECK_SCALE * total


def _between(kinds: Floats) -> tuple[Floats, Floats]:
    """[kind, kind]: where the neck of two radii is deepest (nm), and how deep (1/nm)."""
    distance, depth, first, step = _tables()
    place = np.clip((kinds - first) / step, 0.0, len(distance) - 1.0)
    low = np.minimum(place.astype(np.int64), len(distance) - 2)
    weight = np.zeros((len(kinds), len(distance)))
    rows = np.arange(len(kinds))
    weight[rows, low] = 1.0 - (place - low)
    weight[rows, low + 1] += place - low
    return weight @ distance @ weight.T, weight @ depth @ weight.T
