"""Which way does a hydroxyl point? Each is turned where its surroundings like it best, before a pose settles.

A crystal shows no hydrogens, and docking gives few of them a say: a hydroxyl of the
receptor was turned for the receptor alone or for another ligand, one of the ligand for
the ligand alone. A minimiser takes none over the barrier between two directions. So every
hydroxyl and thiol that may move goes round its bond in steps, one after the other until
none gains, in the mechanics of the first round of minimise.py: a dielectric of 4, no water.
"""

from __future__ import annotations

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    from scipy.spatial.transform import Rotation

from docking.dynamics.pocket import Complex
from docking.dynamics.terms import Floats, Terms
from docking.dynamics.water.born import COULOMB

Rotor = tuple[int, int, int]  # the hydrogen, the oxygen or sulfur it is on, the atom that one hangs on
DIELECTRIC = 4.0
_STEPS = np.deg2rad(np.arange(0.0, 360.0, 30.0))
_SWEEPS = 3
_GAIN = 2.0  # kJ/mol; for less none is turned: ligands of a series should not differ by chance
_NEAREST = 0.05  # nm; nearer than this the energy rises no more


def turned(bound: Complex, start: Floats) -> Floats:
    """A complex that lies so, [atom, 3] nm, with its hydroxyls and thiols turned; all else where it was."""
    xyz = start.copy()
    turning = rotors(bound)
    for _ in range(_SWEEPS if turning else 0):
        before = xyz.copy()
        for rotor in turning:
            places, energies = profile(bound.terms, xyz, rotor)
            best = int(energies.argmin())
            if energies[best] < energies[0] - _GAIN:
                xyz[rotor[0]] = places[best]
        if (xyz == before).all():
            break
    return xyz


def rotors(bound: Complex) -> list[Rotor]:
    """Hydrogens that move, on an oxygen or sulfur with one other bond."""
    terms = bound.terms
    beside: dict[int, list[int]] = {}
    for i, j in terms.bonds.tolist():
        beside.setdefault(i, []).append(j)
        beside.setdefault(j, []).append(i)
    found = []
    for middle in np.flatnonzero(np.isin(np.round(terms.mass), (16, 32))).tolist():
        ends = sorted(beside.get(middle, []), key=lambda k: float(terms.mass[k]))
        if len(ends) == 2 and terms.mass[ends[0]] < 1.5 < terms.mass[ends[1]] and not bound.frozen[ends[0]]:
            found.append((ends[0], middle, ends[1]))
    return found


def profile(terms: Terms, xyz: Floats, rotor: Rotor) -> tuple[Floats, Floats]:
    """Where a hydrogen comes to lie on its way round, first where it is, and what is felt there.

    Parameters
    ----------
    xyz : [atom, 3] nm

    Returns
    -------
    places : [step, 3] nm
    energies : [step] kJ/mol, of all that changes with the turn
    """
    hydrogen, middle, root = rotor
    axis = xyz[middle] - xyz[root]
    turns = Rotation.from_rotvec(_STEPS[:, None] * axis / np.linalg.norm(axis))
    places: Floats = turns.apply(xyz[hydrogen] - xyz[middle]) + xyz[middle]
    return places, _nonbonded(terms, xyz, hydrogen, places) + _torsional(terms, xyz, hydrogen, places)


def _nonbonded(terms: Terms, xyz: Floats, hydrogen: int, places: Floats) -> Floats:
    charges = terms.charge[hydrogen] * terms.charge
    sigma = 0.5 * (terms.sigma[hydrogen] + terms.sigma)
    epsilon = np.sqrt(terms.epsilon[hydrogen] * terms.epsilon)
    for row in np.flatnonzero((terms.exceptions == hydrogen).any(axis=1)):
        i, j = terms.exceptions[row]
        other = j if i == hydrogen else i
        charges[other], sigma[other], epsilon[other] = terms.exception_values[row]
    charges[hydrogen] = epsilon[hydrogen] = 0.0
    gaps = np.maximum(np.linalg.norm(places[:, None] - xyz[None], axis=-1), _NEAREST)
    sixth = (sigma / gaps) ** 6
    felt = COULOMB / DIELECTRIC * charges / gaps + 4.0 * epsilon * (sixth * sixth - sixth)
    return np.asarray(felt.sum(axis=1))


def _torsional(terms: Terms, xyz: Floats, hydrogen: int, places: Floats) -> Floats:
    rows = np.flatnonzero((terms.torsions == hydrogen).any(axis=1))
    points = np.repeat(xyz[terms.torsions[rows]][None], len(places), axis=0)  # [step, torsion, 4, 3]
    mine = terms.torsions[rows] == hydrogen
    points[:, mine] = places[:, None]
    first, second, third = np.moveaxis(np.diff(points, axis=2), 2, 0)
    left, right = np.cross(first, second), np.cross(second, third)
    along = np.linalg.norm(second, axis=-1) * (first * right).sum(axis=-1)
    angle = np.arctan2(along, (left * right).sum(axis=-1))
    periods, phase, k = terms.torsion_values[rows].T
    return np.asarray((k * (1.0 + np.cos(periods * angle - phase))).sum(axis=1))
