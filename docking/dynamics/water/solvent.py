"""How does water, as a continuum, see each atom?

The radii and overlap factors of the OBC2 generalised Born model (mbondi2 radii), from
elements and bonds alone, so that ligand and receptor follow one rule. The energy and
its forces are OpenMM's native GBSAOBCForce: see dynamics/system.py.

References
----------
.. [1] Onufriev, Bashford, Case, Proteins 55, 383 (2004), doi 10.1002/prot.20033:
   the OBC model; mbondi2 radii.
.. [2] Bondi, J. Phys. Chem. 68, 441 (1964), doi 10.1021/j100785a001: Br and I.
"""

from __future__ import annotations

import numpy as np

from docking.dynamics.terms import Floats, Ints

# Å; hydrogen on nitrogen is 1.3 (mbondi2)
_RADIUS = {
    1: 1.2,
    6: 1.7,
    7: 1.55,
    8: 1.5,
    9: 1.5,
    14: 2.1,
    15: 1.85,
    16: 1.8,
    17: 1.7,
    35: 1.85,
    53: 1.98,
}
_SCALE = {1: 0.85, 6: 0.72, 7: 0.79, 8: 0.85, 9: 0.88, 15: 0.86, 16: 0.96}
_OTHER_RADIUS = 1.5  # Å, metals included: as OpenMM's own tables
_OTHER_SCALE = 0.8


def born_parameters(numbers: Ints, bonds: Ints) -> tuple[Floats, Floats]:
    """Intrinsic radius and overlap factor of each atom.

    Parameters
    ----------
    numbers : [atom], atomic numbers
    bonds : [bond, 2], atom indices

    Returns
    -------
    radius : [atom], nm
    scale : [atom], dimensionless
    """
    radius = np.array([_RADIUS.get(int(z), _OTHER_RADIUS) for z in numbers], dtype=np.float64)
    scale = np.array([_SCALE.get(int(z), _OTHER_SCALE) for z in numbers], dtype=np.float64)
    for a, b in bonds:
        for hydrogen, partner in ((a, b), (b, a)):
            if numbers[hydrogen] == 1 and numbers[partner] == 7:
                radius[hydrogen] = 1.3
    return radius / 10.0, scale
