"""How stiff is a molecule, roughly, in every direction? What lets a minimiser take even steps.

A minimum is found slowly where some directions, along bonds, are a thousand times
stiffer than others. A matrix of springs, one for every bond, angle and close contact,
knows which: in coordinates stretched by it all directions are alike, and a third of the
force evaluations reach the same energy.

References
----------
.. [1] Mones, Ortner, Csanyi, Sci. Rep. 8, 13991 (2018), doi 10.1038/s41598-018-32105-x: preconditioners
   from force fields.
"""

from __future__ import annotations

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    from scipy.linalg import cholesky
    from scipy.spatial import cKDTree

from docking.dynamics.terms import Bools, Floats, Ints, Terms

_FLOOR = 1000.0  # kJ/mol/nm²; of what the springs leave out: torsions, charges, water
_CONTACT = 0.6  # nm
_STIFFEST = 2e4  # kJ/mol/nm², of a contact: a clash is no spring
_BENT = 0.05  # of the sine squared; a straight angle would be infinitely stiff


def stretched(terms: Terms, xyz: Floats, free: Bools) -> Floats:
    """[3 free, 3 free], lower triangular: the Cholesky factor of the springs' matrix, kJ/mol/nm²."""
    index = np.full(len(xyz), -1, dtype=np.int64)
    index[free] = np.arange(int(free.sum()))
    n = int(free.sum())
    blocks = np.zeros((n, n, 3, 3))
    for ends, k in (_bonds(terms), _angles(terms, xyz), _contacts(terms, xyz, free)):
        _add(blocks, index[ends], xyz[ends[:, 0]] - xyz[ends[:, 1]], k)
    matrix = blocks.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
    matrix[np.diag_indices(3 * n)] += _FLOOR
    return np.asarray(cholesky(matrix, lower=True, overwrite_a=True, check_finite=False))


def _add(blocks: Floats, ends: Ints, between: Floats, k: Floats) -> None:
    along = between / np.linalg.norm(between, axis=1)[:, None]
    spring = k[:, None, None] * along[:, :, None] * along[:, None, :]
    a, b = ends.T
    for one, two in ((a, b), (b, a)):
        there = one >= 0
        np.add.at(blocks, (one[there], one[there]), spring[there])
        both = there & (two >= 0)
        np.add.at(blocks, (one[both], two[both]), -spring[both])


def _bonds(terms: Terms) -> tuple[Ints, Floats]:
    return terms.bonds, terms.bond_values[:, 1]


def _angles(terms: Terms, xyz: Floats) -> tuple[Ints, Floats]:
    """An angle as a spring between its ends."""
    i, j, k = terms.angles.T
    one, two = xyz[i] - xyz[j], xyz[k] - xyz[j]
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    sine2 = np.maximum(1.0 - ((one * two).sum(axis=1) / lengths) ** 2, _BENT)
    across2 = np.square(xyz[i] - xyz[k]).sum(axis=1)
    return terms.angles[:, [0, 2]], terms.angle_values[:, 1] * across2 / (lengths**2 * sine2)


def _contacts(terms: Terms, xyz: Floats, free: Bools) -> tuple[Ints, Floats]:
    """The curvature of van der Waals energies where it is upward, exceptions left out."""
    pairs = cKDTree(xyz).query_pairs(_CONTACT, output_type="ndarray").astype(np.int64)
    pairs = pairs[free[pairs].any(axis=1)]
    n = len(xyz)
    told = np.sort(terms.exceptions, axis=1) @ np.array([n, 1])
    pairs = pairs[~np.isin(np.sort(pairs, axis=1) @ np.array([n, 1]), told)]
    a, b = pairs.T
    r2 = np.square(xyz[a] - xyz[b]).sum(axis=1)
    sixth = (0.5 * (terms.sigma[a] + terms.sigma[b])) ** 6 / r2**3
    upward = 4.0 * np.sqrt(terms.epsilon[a] * terms.epsilon[b]) * (156.0 * sixth**2 - 42.0 * sixth) / r2
    some = upward > 0.0
    return pairs[some], np.minimum(upward[some], _STIFFEST)
