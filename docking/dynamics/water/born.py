"""What does the implicit water give each atom? OBC2 by pairs, in double precision.

OpenMM moves atoms with the same model; here it is written out once more so that every
share can be told apart: of a residue, of the ligand, of complex, receptor and ligand
alone. A descreening integral is a sum over atoms, so the complex needs only the part
the ligand adds. Lengths in nm, energies in kJ/mol.

References
----------
.. [1] Onufriev, Bashford, Case, Proteins 55, 383 (2004), doi 10.1002/prot.20033, eq. 6.
.. [2] Hawkins, Cramer, Truhlar, Chem. Phys. Lett. 246, 122 (1995),
   doi 10.1016/0009-2614(95)01082-K: the pairwise integral.
.. [3] Schaefer, Bartels, Karplus, J. Mol. Biol. 284, 835 (1998),
   doi 10.1006/jmbi.1998.2172: the surface term (ACE).
"""

from __future__ import annotations

import numpy as np

from docking.dynamics.terms import Floats

COULOMB = 138.93545764438198  # kJ nm/mol/e², as in OpenMM
OFFSET = 0.009  # nm
_PROBE = 0.14  # nm
_SURFACE = 28.3919551  # kJ/mol/nm², 4 pi times the surface tension of ACE
_ALPHA, _BETA, _GAMMA = 1.0, 0.8, 4.85  # OBC2
_ROWS = 32  # at a time: what a block needs stays in the cache


def descreening(
    xyz: Floats,
    radius: Floats,
    others: Floats,
    other_radius: Floats,
    scale: Floats,
    *,
    offset: float = OFFSET,
) -> Floats:
    """By how much `others` push the water away from each atom.

    Parameters
    ----------
    xyz, radius : [atom, 3] nm, [atom] nm
    others, other_radius, scale : [other, 3] nm, [other] nm, [other]
        May be the same atoms: an atom does not descreen itself.

    Returns
    -------
    [atom], 1/nm
    """
    total = np.empty(len(xyz))
    reach = scale * (other_radius - offset)
    for start in range(0, len(xyz), _ROWS):
        rows = slice(start, start + _ROWS)
        own = (radius[rows] - offset)[:, None]
        r = distances(xyz[rows], others)
        r_safe = np.where(r < 1e-9, 1.0, r)
        counts = (own < r_safe + reach) & (r >= 1e-9)
        lower = 1.0 / np.maximum(own, np.abs(r_safe - reach))
        upper = 1.0 / (r_safe + reach)
        squares = lower * lower - upper * upper
        term = (
            lower
            - upper
            - 0.25 * r_safe * squares
            + 0.25 * reach * reach / r_safe * squares
            + 0.5 * np.log(upper / lower) / r_safe
        )
        term += np.where(own < reach - r_safe, 2.0 * (1.0 / own - lower), 0.0)
        total[rows] = np.where(counts, term, 0.0).sum(axis=1)
    return total


def born_radii(integral: Floats, radius: Floats) -> Floats:
    """Effective Born radii from the descreening, [atom] nm."""
    own = radius - OFFSET
    psi = 0.5 * own * integral
    return np.asarray(1.0 / (1.0 / own - np.tanh(psi * (_ALPHA - psi * (_BETA - _GAMMA * psi))) / radius))


def widening(integral: Floats, radius: Floats) -> Floats:
    """Slope of the effective Born radii along the descreening, [atom] nm²."""
    own = radius - OFFSET
    psi = 0.5 * own * integral
    bent = np.tanh(psi * (_ALPHA - psi * (_BETA - _GAMMA * psi)))
    inner = _ALPHA - psi * (2.0 * _BETA - 3.0 * _GAMMA * psi)
    born = born_radii(integral, radius)
    return np.asarray(np.square(born) / radius * (1.0 - bent * bent) * inner * 0.5 * own)


def polar(
    xyz: Floats,
    charge: Floats,
    born: Floats,
    solute_dielectric: float = 1.0,
    solvent_dielectric: float = 78.5,
) -> Floats:
    """Each atom's share of the polar solvation energy: its own term and half of every pair.

    Returns
    -------
    [atom], kJ/mol; the sum is the energy
    """
    factor = -0.5 * COULOMB * (1.0 / solute_dielectric - 1.0 / solvent_dielectric)
    share = np.empty(len(xyz))
    for start in range(0, len(xyz), _ROWS):
        rows = slice(start, start + _ROWS)
        r2 = np.square(distances(xyz[rows], xyz))
        product = born[rows][:, None] * born
        f = np.sqrt(r2 + product * np.exp(-0.25 * r2 / product))
        share[rows] = charge[rows] * (charge / f).sum(axis=1)
    return factor * share


def nonpolar(radius: Floats, born: Floats) -> Floats:
    """Each atom's share of the surface term, [atom], kJ/mol."""
    return np.asarray(_SURFACE * np.square(radius + _PROBE) * (radius / born) ** 6)


def distances(a: Floats, b: Floats) -> Floats:
    """[a, b] nm; by components, which keeps near pairs exact."""
    squares = np.zeros((len(a), len(b)))
    for axis in range(3):
        squares += np.square(a[:, axis][:, None] - b[:, axis])
    return np.asarray(np.sqrt(squares))
