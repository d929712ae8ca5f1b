"""What moves a molecule: its masses, charges and bonded terms, as plain arrays?

`Terms` is the common tongue of this folder: the ligand's force field writes it, the
receptor's is read into it, a pocket is cut out of it, and only `system.py` turns it
into an OpenMM System. Units are OpenMM's (nm, kJ/mol, amu, e, radians); public doors
convert.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The molecular mechanics of some atoms, with no coordinates.

    An exception is a pair whose nonbonded interaction is replaced: zero for atoms one
    or two bonds apart, scaled for three.
    """

    mass: Floats  # [atom] amu
    charge: Floats  # [atom] e
    sigma: Floats  # [atom] nm
    epsilon: Floats  # [atom] kJ/mol
    gb_radius: Floats  # [atom] nm, intrinsic Born radius
    gb_scale: Floats  # [atom], overlap factor of the pairwise descreening
    bonds: Ints  # [bond, 2]
    bond_values: Floats  # [bond, 2]: nm, kJ/mol/nm²; the energy is k/2 (r - r0)²
    angles: Ints  # [angle, 3]
    angle_values: Floats  # [angle, 2]: rad, kJ/mol/rad²
    torsions: Ints  # [torsion, 4], impropers included
    torsion_values: Floats  # [torsion, 3]: periodicity, phase in rad, k in kJ/mol
    exceptions: Ints  # [pair, 2]
    exception_values: Floats  # [pair, 3]: e², nm, kJ/mol

    @property
    def n_atoms(self) -> int:
        return len(self.mass)


def joined(first: Terms, second: Terms) -> Terms:
    """Both, side by side: the second's atoms follow the first's. No term links the two."""
    n = first.n_atoms

    def both(name: str) -> Floats:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    def links(name: str) -> Ints:
        return np.concatenate([getattr(first, name), getattr(second, name) + n])

    return Terms(
        mass=both("mass"),
        charge=both("charge"),
        sigma=both("sigma"),
        epsilon=both("epsilon"),
        gb_radius=both("gb_radius"),
        gb_scale=both("gb_scale"),
        bonds=links("bonds"),
        bond_values=both("bond_values"),
        angles=links("angles"),
        angle_values=both("angle_values"),
        torsions=links("torsions"),
        torsion_values=both("torsion_values"),
        exceptions=links("exceptions"),
        exception_values=both("exception_values"),
    )


def repeated(terms: Terms, n: int) -> Terms:
    """`n` copies side by side; none at all for 0."""
    size = terms.n_atoms

    def links(values: Ints) -> Ints:
        shift = (np.arange(n) * size)[:, None, None]
        return (values[None] + shift).reshape(n * len(values), values.shape[1])

    def copies(values: Floats) -> Floats:
        return np.tile(values, (n,) + (1,) * (values.ndim - 1))

    return Terms(
        mass=copies(terms.mass),
        charge=copies(terms.charge),
        sigma=copies(terms.sigma),
        epsilon=copies(terms.epsilon),
        gb_radius=copies(terms.gb_radius),
        gb_scale=copies(terms.gb_scale),
        bonds=links(terms.bonds),
        bond_values=copies(terms.bond_values),
        angles=links(terms.angles),
        angle_values=copies(terms.angle_values),
        torsions=links(terms.torsions),
        torsion_values=copies(terms.torsion_values),
        exceptions=links(terms.exceptions),
        exception_values=copies(terms.exception_values),
    )


def subset(terms: Terms, atoms: Ints) -> Terms:
    """The terms wholly among `atoms`, renumbered in the order given.

    A term that reaches outside is dropped: cut where nothing moves.

    Raises
    ------
    ValueError
        If an atom is named twice.
    """
    if len(np.unique(atoms)) != len(atoms):
        raise ValueError(f"{len(atoms)} atoms were asked for but only {len(np.unique(atoms))} differ")
    new = np.full(terms.n_atoms, -1, dtype=np.int64)
    new[atoms] = np.arange(len(atoms))

    def among(links: Ints, values: Floats) -> tuple[Ints, Floats]:
        renumbered = new[links]
        inside = (renumbered >= 0).all(axis=1)
        return renumbered[inside], values[inside]

    bonds, bond_values = among(terms.bonds, terms.bond_values)
    angles, angle_values = among(terms.angles, terms.angle_values)
    torsions, torsion_values = among(terms.torsions, terms.torsion_values)
    exceptions, exception_values = among(terms.exceptions, terms.exception_values)
    return Terms(
        mass=terms.mass[atoms],
        charge=terms.charge[atoms],
        sigma=terms.sigma[atoms],
        epsilon=terms.epsilon[atoms],
        gb_radius=terms.gb_radius[atoms],
        gb_scale=terms.gb_scale[atoms],
        bonds=bonds,
        bond_values=bond_values,
        angles=angles,
        angle_values=angle_values,
        torsions=torsions,
        torsion_values=torsion_values,
        exceptions=exceptions,
        exception_values=exception_values,
    )


def without_terms_among(terms: Terms, frozen: Bools) -> Terms:
    """Drop bonded terms whose atoms are all frozen: constant, and paid for at every step."""

    def some_move(links: Ints, values: Floats) -> tuple[Ints, Floats]:
        moves = ~frozen[links].all(axis=1) if len(links) else np.zeros(0, dtype=bool)
        return links[moves], values[moves]

    bonds, bond_values = some_move(terms.bonds, terms.bond_values)
    angles, angle_values = some_move(terms.angles, terms.angle_values)
    torsions, torsion_values = some_move(terms.torsions, terms.torsion_values)
    return replace(
        terms,
        bonds=bonds,
        bond_values=bond_values,
        angles=angles,
        angle_values=angle_values,
        torsions=torsions,
        torsion_values=torsion_values,
    )
