"""How strongly does this pose bind? MM-GBSA, and which residue gives how much of it.

The energy of the complex less that of receptor and ligand at the same coordinates, so
that all bonded terms cancel: direct van der Waals and Coulomb energy between ligand and
receptor, and what the water gives or takes. No entropy and no strain is in it; it ranks
molecules in one pocket and is no binding free energy.

References
----------
.. [1] Genheden, Ryde, Expert Opin. Drug Discov. 10, 449 (2015), doi 10.1517/17460441.2015.1032936.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from discovery.units import KCAL_PER_KJ
from docking.dynamics.pocket import Complex
from docking.dynamics.terms import Floats
from docking.dynamics.water import neck
from docking.dynamics.water.born import COULOMB, born_radii, descreening, nonpolar, polar

LIGAND = "ligand"  # the row of the decomposition that is no residue


@dataclass(frozen=True, slots=True)
class Interaction:
    """One structure's MM-GBSA energy in its parts, kcal/mol. Negative binds."""

    vdw: float
    coulomb: float
    polar: float  # solvation, generalised Born
    nonpolar: float  # solvation, surface
    residues: Mapping[str, float]  # "A:ASP129" and "ligand"; they add up to `total`

    @property
    def total(self) -> float:
        return self.vdw + self.coulomb + self.polar + self.nonpolar


def interaction(bound: Complex, xyz: Floats, water: Literal["gbn2", "obc2"] = "obc2") -> Interaction:
    """MM-GBSA of one structure.

    A residue's row holds its direct energy with the ligand and the change of its own
    solvation; the ligand's row holds the change of the ligand's.

    Parameters
    ----------
    xyz : [atom, 3], nm
        The complex's atoms, receptor first.
    water
        Of the polar part. Atoms move in OBC2; GBn2 knows the narrow gaps between ligand and
        receptor, takes twice the time, and ranks some targets better and others worse. The
        surface part is OBC2's either way.
    """
    terms, n, ligand = bound.terms, bound.n_receptor, bound.ligand
    pocket = slice(0, n)
    vdw, coulomb = _direct(bound, xyz)
    radius, charge = terms.gb_radius, terms.charge
    together, apart = _born(bound, xyz, "obc2")
    d_nonpolar = nonpolar(radius, together) - nonpolar(radius, apart)
    if water == "gbn2":
        together, apart = _born(bound, xyz, "gbn2")
    d_polar = polar(xyz, charge, together)
    d_polar[pocket] -= polar(xyz[pocket], charge[pocket], apart[pocket])
    d_polar[ligand] -= polar(xyz[ligand], charge[ligand], apart[ligand])
    d_solvation = d_polar + d_nonpolar
    per_atom = (vdw + coulomb).sum(axis=1) + d_solvation[pocket]
    per_residue = np.bincount(bound.residue, weights=per_atom, minlength=len(bound.labels))
    rows = {label: float(value) * KCAL_PER_KJ for label, value in zip(bound.labels, per_residue, strict=True)}
    rows[LIGAND] = float(d_solvation[ligand].sum()) * KCAL_PER_KJ
    return Interaction(
        vdw=float(vdw.sum()) * KCAL_PER_KJ,
        coulomb=float(coulomb.sum()) * KCAL_PER_KJ,
        polar=float(d_polar.sum()) * KCAL_PER_KJ,
        nonpolar=float(d_nonpolar.sum()) * KCAL_PER_KJ,
        residues=rows,
    )


def _born(bound: Complex, xyz: Floats, water: str) -> tuple[Floats, Floats]:
    """Born radii in the complex, and with receptor and ligand each alone, [atom] nm."""
    terms = bound.terms
    radius, mass = terms.gb_radius, terms.mass
    scale = terms.gb_scale if water == "obc2" else neck.figures(mass)[0]
    summed = descreening if water == "obc2" else neck.integral
    pocket, ligand = slice(0, bound.n_receptor), bound.ligand

    def by(atoms: slice, others: slice) -> Floats:
        return summed(xyz[atoms], radius[atoms], xyz[others], radius[others], scale[others])

    alone = np.concatenate([by(pocket, pocket), by(ligand, ligand)])
    bound_too = alone + np.concatenate([by(pocket, ligand), by(ligand, pocket)])
    if water == "obc2":
        return born_radii(bound_too, radius), born_radii(alone, radius)
    return neck.effective_radii(bound_too, radius, mass), neck.effective_radii(alone, radius, mass)


def worst(energy: Interaction) -> str:
    """The residue that speaks loudest against this pose."""
    residues = [label for label in energy.residues if label != LIGAND]
    return max(residues, key=lambda label: np.nan_to_num(energy.residues[label], nan=np.inf))


def _direct(bound: Complex, xyz: Floats) -> tuple[Floats, Floats]:
    """[receptor atom, ligand atom] kJ/mol: van der Waals, Coulomb."""
    terms, n = bound.terms, bound.n_receptor
    difference = xyz[:n, None] - xyz[None, n:]
    distance = np.sqrt(np.square(difference).sum(axis=-1))
    sigma = 0.5 * (terms.sigma[:n, None] + terms.sigma[n:])
    epsilon = np.sqrt(terms.epsilon[:n, None] * terms.epsilon[n:])
    sixth = (sigma / distance) ** 6
    coulomb = COULOMB * terms.charge[:n, None] * terms.charge[n:] / distance
    return 4.0 * epsilon * (sixth * sixth - sixth), coulomb


def standard_error(replicas: Floats, frames_per_replica: int) -> float | None:
    """Of a mean over replicas, from their spread; None when there is one value only.

    Parameters
    ----------
    replicas : [replica, frame]
        A single replica is cut into blocks instead, which knows less.
    """
    if replicas.shape[0] > 1:
        means = replicas.mean(axis=1)
    elif frames_per_replica >= 4:
        means = np.array([block.mean() for block in np.array_split(replicas[0], 4)])
    else:
        return None
    return float(means.std(ddof=1) / np.sqrt(len(means)))
