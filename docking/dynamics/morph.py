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
waters are mixed linearly, and felt at every fourth step.

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
from scipy.spatial.transform import Rotation

try:
    import openmm
except ImportError as error:
    raise ImportError("molecular dynamics needs: pip install 'discovery-workbench[dynamics]'") from error

from docking.dynamics.beginning import Beginning, turning
from docking.dynamics.exchange import SLOW, Ladder, Turn
from docking.dynamics.likeness import common, comparable, shared
from docking.dynamics.minimise import descend
from docking.dynamics.platform import Device
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.surroundings import HOLD, backbone
from docking.dynamics.system import Choices, continuum, system_of
from docking.dynamics.terms import Bools, Floats, Ints, Terms, joined, subset, without_terms_among
from docking.dynamics.walls import in_site, unturned, ways_out
from docking.dynamics.water_box import CUTOFF, PADDING, SALT, holding, relaxed, solvated

# How much of the second ligand there is in each state. What appears is felt first when it is faint: there steps are small.
STATES = (0.0, 0.04, 0.15, 0.32, 0.5, 0.68, 0.85, 0.96, 1.0)
MADE, SOFT = "made", "soft"
PACE = 3  # steps of the implicit water's force: at 4, 12 kelvin of heat come in (2 per ps of friction), at 2 none
_SMALLER, _FAINTER = 0.75, 0.25  # of size and depth, of a wavering side chain half way
_NARROW = 0.4  # of its size, of an atom that is not there
# An atom that the continuum does not see: it screens nothing, and its sphere (nm) holds all others, so that none screens
# it and the surface term gives it a constant, the same in the pocket and in the water.
_HYDROGEN = 1.5  # amu, above it an atom is heavy
_NO_SCALE, _ALL_INSIDE = 1e-6, 3.0


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
    where = np.array(
        [back[j] if j in back else n + alone.index(j) for j in range(second.n_atoms)], dtype=np.int64
    )
    lone = np.array(
        [i not in pairs for i in range(n)] + [True] * len(alone)
    )  # only one of the ligands has it
    ends = []
    for k in (0, 1):
        values = {}
        for name in ("mass", "charge", "sigma", "epsilon", "gb_radius", "gb_scale"):
            values[name] = np.concatenate([getattr(first, name), getattr(second, name)[alone]])
            if k == 1 and name != "mass":
                values[name][where] = getattr(second, name)
        absent = lone.copy()
        absent[np.arange(n) if k == 0 else where] = False
        for name in ("charge", "epsilon"):
            values[name][absent] = 0.0
        values["sigma"][absent] *= _NARROW
        values["gb_radius"][absent], values["gb_scale"][absent] = _ALL_INSIDE, _NO_SCALE
        ends.append(values)
    links: list[dict[str, Any]] = [{}, {}]
    for name, stiffness in (("bond", None), ("angle", 1), ("torsion", 2)):
        rows, both = _together(
            _canonical(first, f"{name}s", f"{name}_values", np.arange(n)),
            _canonical(second, f"{name}s", f"{name}_values", where),
            lone,
            stiffness,
        )
        for k in (0, 1):
            links[k] |= {f"{name}s": rows, f"{name}_values": both[k]}
    rows, both = _exceptions(first, second, where, lone)
    for k in (0, 1):
        links[k] |= {"exceptions": rows, "exception_values": both[k]}
    one, two = (Terms(**values, **held) for values, held in zip(ends, links, strict=True))
    return Morph((one, two), where, n)


_Rows = list[tuple[tuple[int, ...], tuple[float, ...]]]


def _canonical(terms: Terms, links: str, values: str, where: Ints) -> _Rows:
    """Atoms of the molecule, the lower end first, and values of every term."""
    named = where[getattr(terms, links)]
    return [
        (tuple(row if row[0] < row[-1] else row[::-1]), tuple(value))
        for row, value in zip(named.tolist(), getattr(terms, values).tolist(), strict=True)
    ]


def _together(
    ours: _Rows, theirs: _Rows, lone: Bools, stiffness: int | None
) -> tuple[Ints, tuple[Floats, Floats]]:
    """The terms of both ligands once each, and their values at either end.

    A term of the shared part that only one ligand has (or has so) is without force at the other's end. A
    bond is too stiff to notice its surroundings: it is halfway between both, everywhere (`stiffness` None).
    """
    rows: list[tuple[int, ...]] = []
    values: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    rest = list(theirs)
    for row, value in ours:
        same = next(
            (i for i, (r, v) in enumerate(rest) if r == row and np.allclose(v, value, rtol=0.0, atol=1e-9)),
            None,
        )
        if same is not None:
            rest.pop(same)
        rows.append(row)
        if stiffness is None:
            other = next((v for r, v in theirs if r == row), value)
            mean = tuple(0.5 * (a + b) for a, b in zip(value, other, strict=True))
            values.append((mean, mean))
        elif same is not None or lone[list(row)].any():
            values.append((value, value))
        else:
            values.append((value, _without(value, stiffness)))
    for row, value in rest:
        if lone[list(row)].any():
            rows.append(row)
            values.append((value, value))
        elif stiffness is not None:
            rows.append(row)
            values.append((_without(value, stiffness), value))
    width = {None: (2, 2), 1: (3, 2), 2: (4, 3)}[stiffness]
    first, second = (
        np.array([pair[k] for pair in values], dtype=np.float64).reshape(-1, width[1]) for k in (0, 1)
    )
    return np.array(rows, dtype=np.int64).reshape(-1, width[0]), (first, second)


def _without(value: tuple[float, ...], place: int) -> tuple[float, ...]:
    return (*value[:place], 0.0, *value[place + 1 :])


def _exceptions(first: Terms, second: Terms, where: Ints, lone: Bools) -> tuple[Ints, tuple[Floats, Floats]]:
    ours = dict(_canonical(first, "exceptions", "exception_values", np.arange(first.n_atoms)))
    theirs = dict(_canonical(second, "exceptions", "exception_values", where))
    for i in np.flatnonzero(
        lone[: first.n_atoms]
    ).tolist():  # what only one has does not feel what only the other has
        for j in range(first.n_atoms, len(lone)):
            ours[i, j] = (0.0, 0.1, 0.0)
    rows = sorted(ours.keys() | theirs.keys())
    ends = (
        [ours.get(row, theirs.get(row)) for row in rows],
        [theirs.get(row, ours.get(row)) for row in rows],
    )
    one, two = (np.array(end, dtype=np.float64).reshape(-1, 3) for end in ends)
    return np.array(rows, dtype=np.int64).reshape(-1, 2), (one, two)


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
    held: tuple[Any, ...] = ()  # forces that are the same in all states
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
            *self.held,
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
        self, ligand: slice, start: Floats, end: Floats, relax: int, device: Device, pace: int = 1
    ) -> Leg:
        """Ready to be sampled, either end relaxed by so many force evaluations."""
        system, water = self.system()

        def weighed(ctx: Any) -> Floats:
            found = []
            for state in states:
                for name, value in state.items():
                    ctx.setParameter(name, value)
                found.append(ctx.getState(getEnergy=True, groups={0}).getPotentialEnergy()._value)
            one, two = (0.0, 0.0) if water is None else water.getCollectiveVariableValues(ctx)
            return np.array(found) + one + np.array(STATES) * (two - one)

        states = tuple({MADE: made, SOFT: 4.0 * made * (1.0 - made)} for made in STATES)
        often = self.wavering * (
            len(self.turns) // max(1, len(self.wavering))
        )  # half of the tries are theirs
        ladder = Ladder(system, states, weighed, pace, (*self.turns, *often))
        if relax:
            start, end = (
                descend(self.system(made, stiff=False)[0], xyz, ~self.still, relax, device)[0]
                for made, xyz in ((0.0, start), (1.0, end))
            )
        return Leg(ladder, start, end, ligand)


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
        Å; see pocket.py. In explicit water the whole receptor is there, and its backbone is
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
    start = end = bound.xyz
    if beginnings is not None:
        start, end = (
            np.concatenate(
                [beginnings[k].pocket, molecule.with_both(k, beginnings[k].ligand, beginnings[1 - k].ligand)]
            )
            for k in (0, 1)
        )
    n = bound.n_receptor
    title = " and ".join(names)
    atoms = slice(n, n + len(lying))
    wall = _kept_in(mols, n, bound.xyz, explicit=solvent == "explicit")
    second = joined(subset(receptor.terms, bound.receptor_atoms), molecule.ends[1])
    bare = lying / 10.0
    if solvent == "implicit":
        ends = without_terms_among(bound.terms, bound.frozen), without_terms_among(second, bound.frozen)
        how = Choices(
            cutoff_nm=cutoff / 10.0, constrain_hydrogens=True, constrain_all=True, heavy_hydrogens=True
        )
        rotors = [Turn(axis, side, thirds=False) for axis, side in molecule.rotors()]
        turns = [
            *(Turn(axis, side, thirds=True) for _, axis, side in turning(receptor, bound, bound.xyz)),
            *(Turn((a + n, b + n), side + n, thirds=False) for (a, b), side in molecule.rotors()),
        ]
        unsure = {residue for one in beginnings or () for residue in one.wavering}
        wavering = [t for t in turns if t.thirds and bound.labels[bound.residue[t.axis[0]]] in unsure]
        pocket = Scene(ends, bound.xyz, bound.frozen, how, wall, tuple(turns), tuple(wavering)).leg(
            atoms, start, end, relax, where, PACE
        )
        alone = replace(how, cutoff_nm=None)
        free_atoms = np.zeros(len(bare), dtype=bool)
        water = Scene(molecule.ends, bare, free_atoms, alone, turns=tuple(rotors))
        outside = water.leg(slice(0, len(bare)), bare, bare, relax, where)
        return Legs(molecule, bound, pocket, outside)
    boxes = []
    for terms, other, xyz, salt in ((bound.terms, second, bound.xyz, SALT), (*molecule.ends, bare, 0.0)):
        wet = solvated(terms, xyz, padding=PADDING, salt=salt, turns=salt == 0.0, seed=seed, name=title)
        wet = relaxed(wet, where, temperature=temperature, seed=seed, name=title)
        around = subset(wet.terms, np.arange(wet.n_solute, wet.terms.n_atoms))
        boxes.append((wet, (wet.terms, joined(other, around))))
    (wet, ends), (outer, outer_ends) = boxes
    springs = holding(wet.xyz, backbone(receptor, bound, wet.terms.n_atoms), HOLD)
    moving = [np.zeros(box.terms.n_atoms, dtype=bool) for box, _ in boxes]
    pocket = Scene(ends, wet.xyz, moving[0], wet.choices(CUTOFF), (*wall, springs)).leg(
        atoms, wet.xyz, wet.xyz, relax, where
    )
    outside = Scene(outer_ends, outer.xyz, moving[1], outer.choices(CUTOFF)).leg(
        slice(0, len(bare)), outer.xyz, outer.xyz, relax, where
    )
    return Legs(molecule, bound, pocket, outside)


def _kept_in(mols: tuple[Chem.Mol, Chem.Mol], n: int, xyz: Floats, *, explicit: bool) -> tuple[Any, ...]:
    """What keeps the molecule in its site, and unturned, by the heavy atoms that both ligands have."""
    pairs = common(*mols).pairs
    ours = [n + i for i, _ in pairs]
    middle = ours[int(np.linalg.norm(xyz[ours] - xyz[ours].mean(axis=0), axis=1).argmin())]
    ways = [ways_out(mol, [pair[k] for pair in pairs]) for k, mol in enumerate(mols)]
    wall = unturned(ours, np.concatenate(ways))
    return (in_site([middle], xyz, periodic=explicit), *([] if wall is None else [wall]))
