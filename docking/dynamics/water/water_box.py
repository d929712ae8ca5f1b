"""What surrounds a solute in explicit water? A periodic box of TIP3P with ions.

OpenMM's own box of water at room density is laid out around the solute; waters that
overlap it are taken out, and some of the others become ions until the box is neutral
and as salty as asked. The box starts a little too empty: `relaxed` lets it shrink under
pressure while the solute stands still, and from there on its size is kept.

References
----------
.. [1] Jorgensen et al., J. Chem. Phys. 79, 926 (1983), doi 10.1063/1.445869: TIP3P.
.. [2] Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi 10.1063/1.470117: particle mesh Ewald.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from openmm import app
    from scipy.spatial import cKDTree

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.minimise import descend
from docking.dynamics.platform import Device, context
from docking.dynamics.system import Choices, system_of, terms_of
from docking.dynamics.terms import Bools, Floats, Terms, joined, repeated
from docking.receptor import DockingError

CUTOFF = 0.9  # nm
PADDING = 1.0  # nm
SALT = 0.15  # mol/l
_NEAR = 0.9  # of the distance at which a water and a solute atom rest on each other
_TOGETHER = 0.24  # nm between two waters' oxygens across the seams of the layout
_APART = 0.5  # nm from an ion to the solute and to other ions
_MOLAR_WATER = 55.4  # mol/l
_PRESSURE = 1.01325  # bar


@dataclass(frozen=True, slots=True, eq=False)
class Solvated:
    """A solute, its ions and its waters, in this order."""

    terms: Terms
    xyz: Floats  # [atom, 3] nm, the solute where it was
    box: tuple[float, float, float]  # nm
    n_solute: int
    ions: tuple[int, int]  # sodium, chloride
    waters: int

    @property
    def solute(self) -> slice:
        return slice(0, self.n_solute)

    @property
    def density(self) -> float:
        """Mass over volume, g/ml."""
        return float(self.terms.mass.sum() * 1.66053907e-3 / np.prod(self.box))

    def choices(self, cutoff_nm: float) -> Choices:
        """How its System is built."""
        return Choices(
            implicit_water=False,
            cutoff_nm=cutoff_nm,
            constrain_hydrogens=True,
            heavy_hydrogens=True,
            box_nm=self.box,
        )


def solvated(
    solute: Terms,
    xyz: Floats,
    *,
    padding: float = PADDING,
    salt: float = SALT,
    turns: bool = True,
    cutoff: float = CUTOFF,
    seed: int = 1,
    name: str = "the solute",
) -> Solvated:
    """A solute in a box of water.

    Parameters
    ----------
    xyz : [atom, 3], nm
    padding : nm
        At least so much water between the solute and the wall.
    salt : mol/l
        Of sodium chloride, beside the ions that make the box neutral.
    turns
        Whether the solute is free to turn: then the box is a cube.

    Raises
    ------
    DockingError
        The box is smaller than twice the cutoff; says how much padding it takes.
    MoleculeError
        The solute's charge is no whole number.
    """
    extent = np.ptp(xyz, axis=0)
    sides = extent + 2.0 * padding
    if turns:
        sides = np.full(3, sides.max())
    if sides.min() < 2.0 * cutoff * 1.05:  # the box shrinks by a few per cent under pressure
        lacks = cutoff * 1.05 - 0.5 * float((sides - 2.0 * padding).min())
        raise DockingError(
            f"{name}: a box of {sides.min():.2f} nm is too small for a cutoff of {cutoff:g} nm (twice that, and 5 % to "
            f"shrink); ask for a padding of at least {np.ceil(lacks * 100) / 100 * 10:.1f} Å"
        )
    water, sodium, chloride, tile, tile_sides = _stock()
    origin = xyz.min(axis=0) + 0.5 * extent - 0.5 * sides
    places = _laid_out(tile, tile_sides, sides) + origin
    places = places[~_overlaps(places[:, 0], solute, xyz, water.sigma[0])]
    charge = float(solute.charge.sum())
    if abs(charge - round(charge)) > 0.01:
        raise MoleculeError(
            Reason.UNPREPARED, f"{name}: its charges add up to {charge:.3f} e, which is no whole number"
        )
    pairs = round(salt * len(places) / _MOLAR_WATER)
    counts = (pairs + max(0, -round(charge)), pairs + max(0, round(charge)))
    chosen = _ion_sites(places[:, 0], xyz, sum(counts), seed, name)
    rest = np.setdiff1d(np.arange(len(places)), chosen)
    terms = joined(solute, repeated(sodium, counts[0]))
    terms = joined(joined(terms, repeated(chloride, counts[1])), repeated(water, len(rest)))
    return Solvated(
        terms=terms,
        xyz=np.concatenate([xyz, places[chosen, 0], places[rest].reshape(-1, 3)]),
        box=(float(sides[0]), float(sides[1]), float(sides[2])),
        n_solute=solute.n_atoms,
        ions=counts,
        waters=len(rest),
    )


def relaxed(
    wet: Solvated,
    device: Device,
    *,
    ps: float = 10.0,
    evaluations: int = 60,
    cutoff: float = CUTOFF,
    temperature: float = 298.15,
    seed: int = 1,
    name: str = "the solute",
) -> Solvated:
    """The same with its water settled around the standing solute, at one bar and its own density.

    The solute's parts are tied into one body while the box changes size, so that nothing
    in it moves against anything else.

    Raises
    ------
    MoleculeError
        DIVERGED if the water cannot be settled.
    DockingError
        The box shrank below twice the cutoff.
    """
    still = np.zeros(wet.terms.n_atoms, dtype=bool)
    still[wet.solute] = True
    soft = system_of(wet.terms, still, replace(wet.choices(cutoff), constrain_hydrogens=False))
    xyz, energy, _ = descend(soft, wet.xyz, ~still, evaluations, device)
    if not np.isfinite(energy):
        raise MoleculeError(
            Reason.DIVERGED, f"{name}: its water cannot be settled; does its pose overlap itself?"
        )
    system = system_of(wet.terms, still, wet.choices(cutoff))
    tie = openmm.HarmonicBondForce()
    for i in range(1, wet.n_solute):
        tie.addBond(0, i, 0.1, 0.0)
    system.addForce(tie)
    barostat = openmm.MonteCarloBarostat(_PRESSURE, temperature, 10)
    barostat.setRandomNumberSeed(seed)
    system.addForce(barostat)
    integrator = openmm.LangevinMiddleIntegrator(temperature, 5.0, 0.002)
    integrator.setRandomNumberSeed(seed)
    ctx = context(system, integrator, device)
    ctx.setPositions(xyz)
    ctx.applyConstraints(1e-6)
    ctx.setVelocitiesToTemperature(temperature, seed)
    try:
        integrator.step(max(1, round(ps / 0.002)))
    except openmm.OpenMMException as error:
        raise MoleculeError(Reason.DIVERGED, f"{name}: its water exploded while settling: {error}") from error
    state = ctx.getState(getPositions=True)
    moved = np.asarray(state.getPositions(asNumpy=True)._value, dtype=np.float64)
    moved += (
        wet.xyz[0] - moved[0]
    )  # the box grew or shrank around a corner; the solute goes back to its place
    box = [float(v) for v in np.diag([list(v._value) for v in state.getPeriodicBoxVectors()])]
    if min(box) < 2.0 * cutoff:
        raise DockingError(
            f"{name}: its box shrank to {min(box):.2f} nm, below twice the cutoff; ask for more padding"
        )
    return Solvated(wet.terms, moved, (box[0], box[1], box[2]), wet.n_solute, wet.ions, wet.waters)


def holding(xyz: Floats, atoms: Bools, k: float) -> Any:
    """A force that holds atoms near where they are, with k/2 r² (kJ/mol/nm²), across the box's walls."""
    force = openmm.CustomExternalForce("0.5*hold*periodicdistance(x, y, z, x0, y0, z0)^2")
    force.addGlobalParameter("hold", k)
    for axis in ("x0", "y0", "z0"):
        force.addPerParticleParameter(axis)
    for i in np.flatnonzero(atoms):
        force.addParticle(int(i), [float(v) for v in xyz[i]])
    return force


@lru_cache(maxsize=1)
def _stock() -> tuple[Terms, Terms, Terms, Floats, Floats]:
    """One water, one sodium and one chloride of amber14's TIP3P file; a box of water; its sides, nm."""
    field = app.ForceField("amber14/tip3p.xml")
    water = _single(field, "HOH", (("O", "O"), ("H1", "H"), ("H2", "H")))
    ions = [_single(field, name, ((name, symbol),)) for name, symbol in (("NA", "Na"), ("CL", "Cl"))]
    pdb = app.PDBFile(str(Path(app.__file__).parent / "data" / "tip3p.pdb"))
    sides = np.array([float(v) for v in pdb.topology.getUnitCellDimensions()._value])
    tile = np.array([[p.x, p.y, p.z] for p in pdb.positions], dtype=np.float64).reshape(-1, 3, 3)
    return water, ions[0], ions[1], tile, sides


def _single(field: Any, residue: str, atoms: tuple[tuple[str, str], ...]) -> Terms:
    topology = app.Topology()
    place = topology.addResidue(residue, topology.addChain())
    made = [topology.addAtom(name, app.Element.getBySymbol(symbol), place) for name, symbol in atoms]
    for hydrogen in made[1:]:
        topology.addBond(made[0], hydrogen)
    numbers = np.array([atom.element.atomic_number for atom in made], dtype=np.int64)
    bonds = np.array([(0, i) for i in range(1, len(made))], dtype=np.int64).reshape(-1, 2)
    plain = terms_of(field.createSystem(topology, rigidWater=False), numbers, bonds)
    return plain if len(made) == 1 else _stiff(plain)


def _stiff(water: Terms) -> Terms:
    """A water whose angle is a third bond: all three are constrained where bonds to hydrogen are."""
    (length, k), angle = water.bond_values[0], water.angle_values[0, 0]
    across = 2.0 * length * np.sin(0.5 * angle)
    return replace(
        water,
        bonds=np.array([(0, 1), (0, 2), (1, 2)], dtype=np.int64),
        bond_values=np.array([(length, k), (length, k), (across, k)]),
        angles=water.angles[:0],
        angle_values=water.angle_values[:0],
    )


def _laid_out(tile: Floats, tile_sides: Floats, sides: Floats) -> Floats:
    """[water, 3, 3] nm: copies of the tile that fill the box, none twice across a seam."""
    copies = [range(int(np.ceil(s / t))) for s, t in zip(sides, tile_sides, strict=True)]
    everywhere = np.concatenate(
        [tile + np.array([i, j, k]) * tile_sides for i in copies[0] for j in copies[1] for k in copies[2]]
    )
    oxygen = everywhere[:, 0]
    inside = everywhere[((oxygen >= 0.0) & (oxygen < sides)).all(axis=1)]
    close = cKDTree(inside[:, 0], boxsize=sides).query_pairs(_TOGETHER, output_type="ndarray")
    return np.asarray(np.delete(inside, np.unique(close[:, 1]), axis=0))


def _overlaps(oxygen: Floats, solute: Terms, xyz: Floats, water_sigma: float) -> Bools:
    """[water], whether it lies on the solute."""
    rest = _NEAR * 2.0 ** (1.0 / 6.0) * 0.5 * (solute.sigma + water_sigma)
    rest = np.where(solute.epsilon > 0.0, rest, 0.15)
    over = np.zeros(len(oxygen), dtype=bool)
    tree = cKDTree(oxygen)
    for point, reach in zip(xyz, rest, strict=True):
        over[tree.query_ball_point(point, reach)] = True
    return over


def _ion_sites(oxygen: Floats, xyz: Floats, n: int, seed: int, name: str) -> Any:
    """Which waters become ions."""
    far = np.flatnonzero(cKDTree(xyz).query(oxygen)[0] > _APART)
    chosen: list[int] = []
    for i in np.random.default_rng(seed).permutation(far):
        if len(chosen) == n:
            break
        if all(np.linalg.norm(oxygen[i] - oxygen[j]) > _APART for j in chosen):
            chosen.append(int(i))
    if len(chosen) < n:
        raise DockingError(f"{name}: its box has no room for {n} ions; ask for more padding or less salt")
    return np.array(chosen, dtype=np.int64)
