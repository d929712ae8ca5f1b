"""How does one ligand become another, in the pocket and in the water?

The two are one molecule with two ends [1]_. What they share is there once, its values
those of the first ligand at one end and of the second at the other, and linear between.
What either has alone hangs on the shared part: at its own end it is felt, at the other
it is not, and between it is smaller and fainter, so that it grows from a point and not
into its neighbours. Its bonded terms stay as they are; what they cost is the same in the
pocket and in the water and goes out of the difference. So the ligand's free energy is
asked for twice, in the pocket and in the water alone, and in neither is a ligand lost.
A side chain that some ligand likes turned is soft half way, so that it finds its place
there, and replicas carry it to the ends.

Where the water is a continuum it is two thirds of the work and changes slowly: both ends'
waters are mixed linearly, and felt at every third step.

References
----------
.. [1] Michel, Essex, J. Comput.-Aided Mol. Des. 24, 639 (2010), doi 10.1007/s10822-010-9363-3: one topology of
   two ligands, its atoms that are felt at one end only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from scipy.spatial.transform import Rotation

from docking.dynamics.free_energy.beginning import Beginning, turning
from docking.dynamics.free_energy.exchange import SLOW, Ladder, Turn
from docking.dynamics.free_energy.likeness import common, comparable, shared
from docking.dynamics.free_energy.walls import in_site, unturned, ways_out
from docking.dynamics.minimise import descend
from docking.dynamics.platform import Device
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.surroundings import HOLD, backbone
from docking.dynamics.system import Choices, continuum, system_of
from docking.dynamics.terms import Bools, Floats, Ints, Terms, joined, subset, without_terms_among
from docking.dynamics.water.water_box import CUTOFF, PADDING, SALT, holding, relaxed, solvated

# How much of the second ligand there is in each state. What appears is felt first when it is faint: there steps are small.
STATES = (0.0, 0.04, 0.15, 0.32, 0.5, 0.68, 0.85, 0.96, 1.0)
MADE, SOFT = "made", "soft"
PACE = 3  # steps of the implicit water's force: at 4 the pocket warmed by 11 kelvin, with friction of 2/ps, at 2 not
_SMALLER, _FAINTER = 0.75, 0.25  # of size and depth, of a wavering side chain half way
_NARROW = 0.4  # of its size, of an atom that is not there
# An atom that the continuum does not see: it screens nothing, and its sphere (nm) holds all others, so that none screens
# it and the surface term gives it a constant, the same in the pocket and in the water.
_NO_SCALE, _ALL_INSIDE = 1e-6, 3.0
_HYDROGEN = 1.5  # amu, above it an atom is heavy


@dataclass(frozen=True, slots=True, eq=False)
class Morph:
    """Two ligands as one molecule: the first's atoms, then those that the second has alone."""

    ends: tuple[Terms, Terms]  # of the same links; values of the first ligand, of the second
    second: Ints  # [atom of the second], which atom of the molecule it is
    n_first: int

    def of(self, k: int) -> Ints:
        """[atom of ligand k], which atom of the molecule it is."""
        return np.arange(self.n_first) if k == 0 else self.second

    def with_both(self, k: int, own: Floats, other: Floats) -> Floats:
        """[atom, 3]: ligand k as it lies, and what the other has alone, where the other laid on it has it.

        Parameters
        ----------
        own, other : [atom, 3], of ligand k and of the other
        """
        mine, theirs = self.of(k), self.of(1 - k)
        xyz = np.empty((self.ends[0].n_atoms, 3))
        _, at, there = np.intersect1d(mine, theirs, return_indices=True)
        turn, _ = Rotation.align_vectors(
            own[at] - own[at].mean(axis=0), other[there] - other[there].mean(axis=0)
        )
        xyz[theirs] = turn.apply(other - other[there].mean(axis=0)) + own[at].mean(axis=0)
        xyz[mine] = own
        return xyz

    def rotors(self) -> list[tuple[tuple[int, int], Ints]]:
        """Bonds about which it turns, heavy atoms on both sides: the axis, and the atoms of the smaller side beyond it."""
        bonds, heavy = self.ends[0].bonds.tolist(), self.ends[0].mass > _HYDROGEN
        found = []
        for bond in bonds:
            sides = []
            for here, there in (bond, bond[::-1]):
                side, wave = {here}, {here}
                while wave:
                    wave = {
                        b for pair in bonds if pair != bond for a, b in (pair, pair[::-1]) if a in wave
                    } - side
                    side |= wave
                if there not in side:  # no ring
                    sides.append(((there, here), np.array(sorted(side - {here}), dtype=np.int64)))
            if len(sides) == 2 and all(heavy[atoms].any() for _, atoms in sides):
                found.append(min(sides, key=lambda one: len(one[1])))
        return found


def morph(first: Terms, second: Terms, pairs: Mapping[int, int]) -> Morph:
    """One molecule of two ligands.

    Parameters
    ----------
    pairs
        The atom of the second for each atom of the first that both have.
    """
    n = first.n_atoms
    back = {two: one for one, two in pairs.items()}
    alone = [j for j in range(second.n_atoms) if j not in back]
    new = {j: n + i for i, j in enumerate(alone)}
    where = np.array([(back | new)[j] for j in range(second.n_atoms)], dtype=np.int64)
    lone = np.ones(n + len(alone), dtype=bool)  # whether one ligand alone has it
    lone[list(pairs)] = False
    ours, theirs = (np.arange(n), where)
    links = [_linked(first, second, where, lone, k) for k in (0, 1)]
    ends = [
        Terms(**_atoms(first, second, alone, where, np.setdiff1d(np.arange(len(lone)), own), k), **links[k])
        for k, own in enumerate((ours, theirs))
    ]
    return Morph((ends[0], ends[1]), where, n)


def _atoms(
    first: Terms, second: Terms, alone: Sequence[int], where: Ints, absent: Ints, k: int
) -> dict[str, Any]:
    """What end `k` says of every atom."""
    values = {}
    for name in ("mass", "charge", "sigma", "epsilon", "gb_radius", "gb_scale"):
        values[name] = np.concatenate([getattr(first, name), getattr(second, name)[alone]])
        if k == 1 and name != "mass":
            values[name][where] = getattr(second, name)
    values["charge"][absent] = values["epsilon"][absent] = 0.0
    values["sigma"][absent] *= _NARROW
    values["gb_radius"][absent], values["gb_scale"][absent] = _ALL_INSIDE, _NO_SCALE
    return values


_Row = tuple[tuple[int, ...], tuple[float, ...]]  # atoms of a term, its values


def _linked(first: Terms, second: Terms, where: Ints, lone: Bools, k: int) -> dict[str, Any]:
    """What end `k` says of every term of either ligand.

    A term of the shared part that the other ligand alone has is there without force; one that reaches an
    atom of one ligand alone stays as it is. A bond is too stiff to notice its surroundings: it is half way
    between both, at both ends.
    """
    found: dict[str, Any] = {}
    for name, strength in (("angle", 1), ("torsion", 2)):
        ours, theirs = (
            _rows(terms, name, to) for terms, to in ((first, np.arange(first.n_atoms)), (second, where))
        )
        rest, rows = list(theirs), []
        for row in ours:
            both = row in rest
            if both:
                rest.remove(row)
            rows.append(row if both or k == 0 or lone[list(row[0])].any() else _without(row, strength))
        rows += [row if k == 1 or lone[list(row[0])].any() else _without(row, strength) for row in rest]
        found |= _columns(name, rows)
    one, two = (
        {name: dict(_rows(terms, name, to)) for name in ("bond", "exception")}
        for terms, to in ((first, np.arange(first.n_atoms)), (second, where))
    )
    bonds = [
        (row, tuple(np.mean([side["bond"][row] for side in (one, two) if row in side["bond"]], axis=0)))
        for row in sorted(one["bond"] | two["bond"])
    ]
    own, other = (one, two) if k == 0 else (two, one)
    pairs = other["exception"] | own["exception"]
    n = first.n_atoms  # what only one has does not feel what only the other has
    pairs |= {(int(i), j): (0.0, 0.1, 0.0) for i in np.flatnonzero(lone[:n]) for j in range(n, len(lone))}
    return found | _columns("bond", bonds) | _columns("exception", sorted(pairs.items()))


def _rows(terms: Terms, name: str, to: Ints) -> list[_Row]:
    """Terms of a kind by atoms of the molecule, the lower end first."""
    links, values = to[getattr(terms, f"{name}s")].tolist(), getattr(terms, f"{name}_values").tolist()
    return [
        (tuple(row if row[0] < row[-1] else row[::-1]), tuple(value))
        for row, value in zip(links, values, strict=True)
    ]


def _without(row: _Row, strength: int) -> _Row:
    return row[0], (*row[1][:strength], 0.0, *row[1][strength + 1 :])


def _columns(name: str, rows: Sequence[_Row]) -> dict[str, Any]:
    width = {"bond": (2, 2), "angle": (3, 2), "torsion": (4, 3), "exception": (2, 3)}[name]
    return {
        f"{name}s": np.array([row for row, _ in rows], dtype=np.int64).reshape(-1, width[0]),
        f"{name}_values": np.array([value for _, value in rows], dtype=np.float64).reshape(-1, width[1]),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """The molecule somewhere, ready to be sampled."""

    ladder: Ladder  # from the first ligand to the second
    start: Floats  # [atom, 3] nm, relaxed in the first state
    end: Floats  # [atom, 3] nm, relaxed in the last
    ligand: slice  # the molecule's atoms


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that is there, as the first ligand has it and as the second."""

    ends: tuple[Terms, Terms]
    xyz: Floats  # [atom, 3] nm
    still: Bools  # [atom]
    choices: Choices
    held: tuple[Any, ...] = ()  # forces beside those of the terms
    turns: tuple[Turn, ...] = ()
    wavering: tuple[Turn, ...] = ()  # those that are soft half way

    def system(self, made: float = 0.0, *, stiff: bool = True) -> tuple[Any, Any]:
        """The System in a state, and the implicit water in it, or None; with springs for constraints if not `stiff`."""
        first, second, soft = *self.ends, softened(self.ends[0], self.wavering)
        how = self.choices if stiff else replace(self.choices, constrain_hydrogens=False, constrain_all=False)
        bends = (first.angle_values != second.angle_values).any(axis=1)
        swings = (first.torsion_values != second.torsion_values).any(axis=1)
        swings |= (first.torsion_values != soft.torsion_values).any(axis=1)
        lasting = replace(
            first,
            angles=first.angles[~bends],
            angle_values=first.angle_values[~bends],
            torsions=first.torsions[~swings],
            torsion_values=first.torsion_values[~swings],
        )
        system = system_of(lasting, self.still, replace(how, implicit_water=False))
        (nonbonded,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
        for name, other, value in ((MADE, second, made), (SOFT, soft, 0.0)):
            nonbonded.addGlobalParameter(name, value)
            _offset(nonbonded, name, first, other)
        for force in (
            *_bending(first, second, bends, made),
            *_swinging(first, second, soft, swings, made),
            *(_begun_at(made, one) for one in self.held),
        ):
            system.addForce(openmm.XmlSerializer.clone(force))
        for force in system.getForces():
            force.setForceGroup(0)
        if not how.implicit_water:
            return system, None
        water = openmm.CustomCVForce(f"(1 - {MADE})*first + {MADE}*second")
        water.addGlobalParameter(MADE, made)
        for name, terms in zip(("first", "second"), self.ends, strict=True):
            water.addCollectiveVariable(name, continuum(terms, how))
        water.setForceGroup(SLOW)
        system.addForce(water)
        return system, water

    def leg(
        self,
        ligand: slice,
        start: Floats | None,
        end: Floats | None,
        relax: int,
        device: Device,
        pace: int = 1,
    ) -> Leg:
        """Ready to be sampled from `start` and `end`, or from where it lies, relaxed by so many force evaluations."""
        system, water = self.system()
        start, end = (self.xyz if xyz is None else xyz for xyz in (start, end))

        def weighed(ctx: Any) -> Floats:
            found = []
            for state in states:
                for name, value in state.items():
                    ctx.setParameter(name, value)
                found.append(ctx.getState(getEnergy=True, groups={0}).getPotentialEnergy()._value)
            one, two = (0.0, 0.0) if water is None else water.getCollectiveVariableValues(ctx)
            return np.array(found) + one + np.array(STATES) * (two - one)

        states = tuple({MADE: made, SOFT: 4.0 * made * (1.0 - made)} for made in STATES)
        often = self.wavering * (len(self.turns) // max(1, len(self.wavering)))  # they get half of the tries
        ladder = Ladder(system, states, weighed, pace, (*self.turns, *often))
        if relax:
            start, end = (
                descend(self.system(made, stiff=False)[0], xyz, ~self.still, relax, device)[0]
                for made, xyz in ((0.0, start), (1.0, end))
            )
        return Leg(ladder, start, end, ligand)


def _begun_at(made: float, force: Any) -> Any:
    """The same force; what it knows of the state begins at `made`, as in all others."""
    copy = openmm.XmlSerializer.clone(force)
    for i in range(copy.getNumGlobalParameters()):
        if copy.getGlobalParameterName(i) == MADE:
            copy.setGlobalParameterDefaultValue(i, made)
    return copy


def softened(terms: Terms, turns: Sequence[Turn]) -> Terms:
    """The same with some side chains smaller and fainter, and nothing that hinders a turn about their bonds."""
    if not turns:
        return terms
    soft = np.unique(np.concatenate([turn.atoms for turn in turns]))
    axes = np.sort([turn.axis for turn in turns], axis=1)
    sigma, epsilon = terms.sigma.copy(), terms.epsilon.copy()
    sigma[soft] *= _SMALLER
    epsilon[soft] *= _FAINTER
    torsions, exceptions = terms.torsion_values.copy(), terms.exception_values.copy()
    middle = np.sort(terms.torsions[:, 1:3], axis=1)
    torsions[(middle[:, None] == axes[None]).all(axis=2).any(axis=1), 2] = 0.0
    exceptions[np.isin(terms.exceptions, soft).sum(axis=1) == 1] *= (0.0, 1.0, 0.0)
    return replace(terms, sigma=sigma, epsilon=epsilon, torsion_values=torsions, exception_values=exceptions)


def _offset(nonbonded: Any, parameter: str, first: Terms, second: Terms) -> None:
    for add, names in (
        (nonbonded.addParticleParameterOffset, ("charge", "sigma", "epsilon")),
        (nonbonded.addExceptionParameterOffset, ("exception_values",)),
    ):
        one, two = (np.column_stack([getattr(end, name) for name in names]) for end in (first, second))
        for i in np.flatnonzero((one != two).any(axis=1)).tolist():
            add(parameter, i, *(two - one)[i].tolist())


def _bending(first: Terms, second: Terms, changed: Bools, made: float) -> Sequence[Any]:
    force = openmm.CustomAngleForce(f"0.5*(k + {MADE}*(then - k))*(theta - rest)^2")
    force.addGlobalParameter(MADE, made)
    for name in ("rest", "k", "then"):
        force.addPerAngleParameter(name)
    for i in np.flatnonzero(changed).tolist():
        force.addAngle(
            *first.angles[i].tolist(), [*first.angle_values[i].tolist(), float(second.angle_values[i, 1])]
        )
    return (force,) if force.getNumAngles() else ()


def _swinging(first: Terms, second: Terms, soft: Terms, changed: Bools, made: float) -> Sequence[Any]:
    force = openmm.CustomTorsionForce(
        f"(k + {MADE}*(then - k) + {SOFT}*(between - k))*(1 + cos(n*theta - phase))"
    )
    force.addGlobalParameter(MADE, made)
    force.addGlobalParameter(SOFT, 0.0)
    for name in ("n", "phase", "k", "then", "between"):
        force.addPerTorsionParameter(name)
    for i in np.flatnonzero(changed).tolist():
        others = [float(end.torsion_values[i, 2]) for end in (second, soft)]
        force.addTorsion(*first.torsions[i].tolist(), [*first.torsion_values[i].tolist(), *others])
    return (force,) if force.getNumTorsions() else ()


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Two ligands ready to be compared."""

    molecule: Morph
    bound: Complex  # the pocket and the molecule
    pocket: Leg
    water: Leg


def legs(
    receptor: ReceptorModel,
    ligands: tuple[Terms, Terms],
    mols: tuple[Chem.Mol, Chem.Mol],
    names: tuple[str, str],
    *,
    solvent: Literal["implicit", "explicit"] = "implicit",
    keep: float,
    free: float,
    cutoff: float = 12.0,
    device: Device | None = None,
    relax: int = 50,
    seed: int = 1,
    temperature: float = 298.15,
    near: Floats | None = None,
    beginnings: tuple[Beginning, Beginning] | None = None,
) -> Legs:
    """The first ligand becomes the second in the pocket, and in the water alone.

    Parameters
    ----------
    ligands, mols
        Both poses in the receptor's frame.
    keep, free
        Å; see dynamics/pocket.py. In explicit water the whole receptor is there, and its backbone is
        held beyond `free`.
    cutoff
        Å, of the implicit form in the pocket.
    relax
        Force evaluations before anything moves; 0 where the ladder goes on from elsewhere.
    near : [point, 3], Å
        What else the pocket must hold: of all ligands of a network, or its edges are of different pockets
        and its cycles do not close.
    beginnings
        How the pocket takes either ligand, from beginning.py with the same `near`, `keep` and `free`; in
        implicit water.

    Raises
    ------
    MoleculeError, ReceptorError
        See likeness.comparable and pocket.carve.
    """
    comparable(*mols, names)
    where = device or Device()
    molecule = morph(*ligands, shared(*mols))
    poses = tuple(mol.GetConformer().GetPositions() for mol in mols)
    points = np.concatenate(poses) if near is None else near
    lying = molecule.with_both(0, *poses)
    whole = float(np.inf) if solvent == "explicit" else keep
    bound = carve(receptor, molecule.ends[0], lying, keep=whole, free=free, near=points)
    start = end = None
    if beginnings is not None:
        start, end = (
            np.concatenate(
                [beginnings[k].pocket, molecule.with_both(k, beginnings[k].ligand, beginnings[1 - k].ligand)]
            )
            for k in (0, 1)
        )
    second = joined(subset(receptor.terms, bound.receptor_atoms), molecule.ends[1])
    wall = _kept_in(mols, bound.n_receptor, bound.xyz, explicit=solvent == "explicit")
    if solvent == "implicit":
        unsure = {residue for one in beginnings or () for residue in one.wavering}
        turns, wavering = _turns(receptor, bound, molecule, unsure)
        how = Choices(
            cutoff_nm=cutoff / 10.0, constrain_hydrogens=True, constrain_all=True, heavy_hydrogens=True
        )
        ends = without_terms_among(bound.terms, bound.frozen), without_terms_among(second, bound.frozen)
        inside = Scene(ends, bound.xyz, bound.frozen, how, wall, turns, wavering)
        still = np.zeros(len(lying), dtype=bool)
        rotors = tuple(Turn(axis, side, thirds=False) for axis, side in molecule.rotors())
        outside = Scene(molecule.ends, lying / 10.0, still, replace(how, cutoff_nm=None), turns=rotors)
        pace = PACE
    else:
        title = " and ".join(names)
        inside = _in_water((bound.terms, second), bound.xyz, SALT, where, temperature, seed, title)
        springs = holding(inside.xyz, backbone(receptor, bound, len(inside.xyz)), HOLD)
        inside = replace(inside, held=(*wall, springs))
        outside = _in_water(molecule.ends, lying / 10.0, 0.0, where, temperature, seed, title)
        pace = 1
    here, there = slice(bound.n_receptor, bound.terms.n_atoms), slice(0, len(lying))
    pocket = inside.leg(here, start, end, relax, where, pace)
    return Legs(molecule, bound, pocket, outside.leg(there, None, None, relax, where))


def _turns(
    receptor: ReceptorModel, bound: Complex, molecule: Morph, unsure: set[str]
) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """What is tried to stand otherwise, side chains beside the molecule and its own bonds; and those of residues that waver."""
    n, beside = bound.n_receptor, turning(receptor, bound, bound.xyz)
    chains = [Turn(axis, atoms, thirds=True) for _, axis, atoms in beside]
    rotors = [Turn((a + n, b + n), atoms + n, thirds=False) for (a, b), atoms in molecule.rotors()]
    wavering = [
        turn for (residue, *_), turn in zip(beside, chains, strict=True) if bound.labels[residue] in unsure
    ]
    return (*chains, *rotors), tuple(wavering)


def _in_water(
    ends: tuple[Terms, Terms], xyz: Floats, salt: float, device: Device, kelvin: float, seed: int, name: str
) -> Scene:
    """A box of water around it; free to turn where there is no salt."""
    wet = solvated(ends[0], xyz, padding=PADDING, salt=salt, turns=not salt, seed=seed, name=name)
    wet = relaxed(wet, device, temperature=kelvin, seed=seed, name=name)
    around = subset(wet.terms, np.arange(wet.n_solute, wet.terms.n_atoms))
    still = np.zeros(wet.terms.n_atoms, dtype=bool)
    return Scene((wet.terms, joined(ends[1], around)), wet.xyz, still, wet.choices(CUTOFF))


def _kept_in(mols: tuple[Chem.Mol, Chem.Mol], n: int, xyz: Floats, *, explicit: bool) -> tuple[Any, ...]:
    """What keeps the molecule in its site, and either ligand unturned where it is there, by heavy atoms that both have."""
    pairs = common(*mols).pairs
    ours = [n + i for i, _ in pairs]
    middle = ours[int(np.linalg.norm(xyz[ours] - xyz[ours].mean(axis=0), axis=1).argmin())]
    walls = [
        unturned(ours, ways_out(mol, [pair[k] for pair in pairs]), share, **{MADE: 0.0})
        for k, (mol, share) in enumerate(zip(mols, (f"1 - {MADE}", MADE), strict=True))
    ]
    return (in_site([middle], xyz, periodic=explicit), *(wall for wall in walls if wall is not None))
