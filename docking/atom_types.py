"""What does an atom count as, in Vina's eyes?

AutoDock type and bonds found from geometry -> XS type, which carries the radius,
and whether the atom is hydrophobic, gives or takes a hydrogen bond. Which atoms
turn together is decided elsewhere: see ligands/tree.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking import pdbqt

with needs("docking"):
    from scipy.spatial import cKDTree


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNTYPED = -1  # hydrogens and water dummies: no XS type, skipped everywhere

XS = [
    "C_H", "C_P", "N_P", "N_D", "N_A", "N_DA", "O_P", "O_D", "O_A", "O_DA", "S_P", "P_P", "F_H", "Cl_H",
    "Br_H", "I_H", "Si", "At", "Met_D", "C_H_CG0", "C_H_CG1", "C_H_CG2", "C_H_CG3", "C_P_CG0",
    "C_P_CG1", "C_P_CG2", "C_P_CG3", "G0", "G1", "G2", "G3",
]  # fmt: skip
_NUMBER = {name: number for number, name in enumerate(XS)}
C_H, C_P, MET_D, CG_H, CG_P, GLUE = (_NUMBER[n] for n in ("C_H", "C_P", "Met_D", "C_H_CG0", "C_P_CG0", "G0"))

# Radii in Å by the first letters of the XS type (AutoDock Vina 1.2, atom_constants.h, as restated by its manual)
_VINA = {"C": 1.9, "N": 1.8, "O": 1.7, "S": 2.0, "P": 2.1, "F": 1.5, "Cl": 1.8, "Br": 2.0, "I": 2.2}
_VINARDO = {**_VINA, "C": 2.0, "N": 1.7, "O": 1.6}
_BOTH = {"Si": 2.2, "At": 2.3, "Met": 1.2, "G0": 0.0, "G1": 0.0, "G2": 0.0, "G3": 0.0}


def _radii(by_letters: dict[str, float]) -> Floats:
    known = {**by_letters, **_BOTH}
    return np.array([known[name.split("_")[0]] for name in XS])


VINA_WEIGHTS = {  # kcal/mol, of the terms of a pair; energy.py says what they are
    "gauss1": -0.035579,
    "gauss2": -0.005156,
    "repulsion": 0.840245,
    "hydrophobic": -0.035069,
    "hbond": -0.587439,
}
VINA_RADII = _radii(_VINA)
VINARDO_RADII = _radii(_VINARDO)
HYDROPHOBIC = np.isin(XS, ["C_H", "F_H", "Cl_H", "Br_H", "I_H"])
DONOR = np.isin(XS, ["N_D", "N_DA", "O_D", "O_DA", "Met_D"])
ACCEPTOR = np.isin(XS, ["N_A", "N_DA", "O_A", "O_DA"])
IS_GLUE = np.arange(len(XS)) >= GLUE

# Covalent radii in Å, which decide what is bonded
_COVALENT = {
    "C": 0.77, "N": 0.75, "O": 0.73, "P": 1.06, "S": 1.02, "H": 0.37, "F": 0.71, "Cl": 0.99, "Br": 1.14,
    "I": 1.33, "Si": 1.11, "At": 1.44, "Mg": 1.30, "Mn": 1.39, "Zn": 1.31, "Ca": 1.74, "Fe": 1.25, "B": 0.82,
    "W": 0.0,
}  # fmt: skip
_OTHER_METAL = 1.75
_LARGEST = 1.74  # Vina looks for an atom in between within 1.1 (R + 1.74)
SLACK = 1.1

_METALS = frozenset(["Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K", "Hg", "Co", "U", "Cd", "Ni"])
_ELEMENT = {**pdbqt.ELEMENT, "G0": "C", "G1": "C", "G2": "C", "G3": "C", "Se": "S"}
_NAMED = {
    "Si": "Si", "At": "At", "S": "S_P", "P": "P_P", "F": "F_H", "Cl": "Cl_H", "Br": "Br_H", "I": "I_H",
}  # fmt: skip
_NOT_HETERO = frozenset({"C", "A", "H", "HD", "HS"})


class Typed(NamedTuple):
    """Atoms with what Vina sees in them."""

    xs: Ints  # [atom], index into XS, or UNTYPED
    bonds: Ints  # [bond, 2], each bond once, i < j
    hydrogen: Bools  # [atom]


def type_atoms(structure: pdbqt.Structure, bonded: Bools | None = None) -> Typed:
    """Find bonds from geometry, then the XS type of every atom.

    Parameters
    ----------
    bonded : [atom, atom], optional
        False where no bond may be: between atoms whose distance changes as
        torsions turn. None for a rigid body.
    """
    types = structure.types
    bonds = find_bonds(structure.coords, types, bonded)
    return Typed(xs_types(types, bonds), bonds, np.isin(types, ["H", "HD", "HS"]))


def covalent_radii(types: tuple[str, ...]) -> Floats:
    """[atom] Å, by AutoDock type."""
    return np.array([_COVALENT.get(_ELEMENT.get(t, t), _OTHER_METAL) for t in types])


def find_bonds(coords: Floats, types: tuple[str, ...], allowed: Bools | None = None) -> Ints:
    """Bonds by distance: closer than 1.1 times the covalent radii, and no third atom in between.

    Parameters
    ----------
    coords : [atom, 3], Å
    allowed : [atom, atom], optional
        False where the distance is not fixed; such atoms are neither bonded nor in between.

    Returns
    -------
    [bond, 2], i < j
    """
    radius = covalent_radii(types)
    if len(coords) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    near = cKDTree(coords).query_pairs(
        SLACK * (radius.max() + max(radius.max(), _LARGEST)), output_type="ndarray"
    )
    near = near[near[:, 0] < near[:, 1]] if len(near) else np.zeros((0, 2), dtype=np.int64)
    if allowed is not None:
        near = near[allowed[near[:, 0], near[:, 1]]]
    distance = np.linalg.norm(coords[near[:, 0]] - coords[near[:, 1]], axis=1)
    close = distance < SLACK * (radius[near[:, 0]] + radius[near[:, 1]])
    bonds, reach = near[close], distance[close]
    between = _something_between(coords, radius, near, distance, bonds, reach, allowed)
    bonds = bonds[~between]
    return np.asarray(bonds[np.lexsort((bonds[:, 1], bonds[:, 0]))], dtype=np.int64)


def _something_between(
    coords: Floats,
    radius: Floats,
    near: Ints,
    distance: Floats,
    bonds: Ints,
    reach: Floats,
    allowed: Bools | None,
) -> Bools:
    """[bond]: is a third atom nearer to both ends than they are to each other?"""
    # Only neighbours nearer than the longest candidate can be in between.
    useful = distance < (reach.max() if len(reach) else 0.0)
    both = np.concatenate([near[useful], near[useful][:, ::-1]])
    both_distance = np.concatenate([distance[useful], distance[useful]])
    order = np.argsort(both[:, 0], kind="stable")
    both, both_distance = both[order], both_distance[order]
    start = np.searchsorted(both[:, 0], bonds[:, 0], "left")
    stop = np.searchsorted(both[:, 0], bonds[:, 0], "right")
    count = stop - start
    owner = np.repeat(np.arange(len(bonds)), count)
    entry = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(start, count)
    third, to_i = both[entry, 1], both_distance[entry]
    j = bonds[owner, 1]
    to_j = np.linalg.norm(coords[third] - coords[j], axis=1)
    hit = (third != j) & (to_i < reach[owner]) & (to_j < reach[owner])
    hit &= to_i < SLACK * (radius[bonds[owner, 0]] + _LARGEST)
    if allowed is not None:
        hit &= allowed[third, j]
    return np.bincount(owner, weights=hit, minlength=len(bonds)) > 0


def xs_types(types: tuple[str, ...], bonds: Ints) -> Ints:
    """[atom] index into XS, UNTYPED for hydrogens and waters.

    A carbon is polar when bonded to a heteroatom, which in Vina is every type but
    C, A, H and HD: metals count, and so do the carbons that close a macrocycle.
    Boron, which Vina refuses, counts as a polar carbon.
    """
    n = len(types)
    hetero = np.array([t not in _NOT_HETERO for t in types], dtype=bool)
    polar_h = np.isin(types, ["HD", "HS"])
    i, j = (bonds[:, 0], bonds[:, 1]) if len(bonds) else (np.zeros(0, int), np.zeros(0, int))

    def touches(what: Bools) -> Bools:
        return np.bincount(i, what[j], n)[:n] + np.bincount(j, what[i], n)[:n] > 0

    polar, donor = touches(hetero), touches(polar_h)
    return np.array([_xs(types[k], bool(polar[k]), bool(donor[k])) for k in range(n)], dtype=np.int64)


def _xs(kind: str, polar: bool, donor: bool) -> int:
    if kind[0] == "G":
        return GLUE + int(kind[1])
    if kind.startswith("CG"):
        return (CG_P if polar else CG_H) + int(kind[2])
    if kind in _METALS:
        return MET_D
    element = _ELEMENT.get(kind, kind)
    if element in ("H", "W"):
        return UNTYPED
    if element == "C":
        return C_P if polar else C_H
    if element == "B":
        return C_P
    if element in ("N", "O"):
        acceptor = kind in ("NA", "OA")
        return _NUMBER[f"{element}_" + {(0, 0): "P", (0, 1): "D", (1, 0): "A", (1, 1): "DA"}[acceptor, donor]]
    return _NUMBER[_NAMED[element]]
