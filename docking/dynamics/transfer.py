"""How are two ligands traded between a pocket and the water? The alchemical transfer method.

Both ligands are there all the time, one in the pocket, the other displaced into the
water. The energy is that of things as they are, then of both at once, then of things
with the two traded: no atom is made or unmade. What they share trades places atom for
atom, and what they do not share goes along with the atom it hangs on [2]_: two ligands
that differ in a methyl differ in energy by a methyl, and a ligand traded for itself by
nothing at all. The bonded terms are weighed after the trade as well, so that the end is
the second ligand in the pocket exactly. The ligand outside is held to the one inside by
a frame of three atoms; as the frame's energy depends on how one lies to the other alone,
it costs the same in both end states and cancels. A ligand that lies upon itself when
turned is walled in where it would: between a pose and its image nothing is to choose, so
the wall costs exactly what `symmetry` puts right (relative.py), turned or not.

The implicit water is four fifths of the work and changes slowly: it is traded by a force
of its own, linearly, and felt at every other step.

References
----------
.. [1] Azimi, Khuttan, Wu, Pal, Gallicchio, J. Chem. Inf. Model. 62, 309 (2022), doi 10.1021/acs.jcim.1c01129:
   the method, its softened energy and the frame.
.. [2] Gallicchio, arXiv 2412.19971 (2024): the transfer with coordinate swapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from rdkit import Chem
from scipy.spatial.transform import Rotation

try:
    import openmm
except ImportError as error:
    raise ImportError("molecular dynamics needs: pip install 'discovery-workbench[dynamics]'") from error

from docking.dynamics.beginning import Beginning
from docking.dynamics.exchange import SLOW, Ladder
from docking.dynamics.likeness import Trade, common, frames, trade
from docking.dynamics.minimise import descend, dry_system
from docking.dynamics.platform import Device
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.surroundings import HOLD, backbone
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Bools, Floats, Ints, Terms, joined, without_terms_among
from docking.dynamics.walls import in_site, unturned, ways_out
from docking.dynamics.water_box import CUTOFF, PADDING, SALT, holding, relaxed, solvated

# How much of the trade is made, of one leg; both legs end in the middle. What is not shared is let in where it clashes,
# so the first steps are the small ones.
LEG = (0.0, 0.02, 0.05, 0.1, 0.17, 0.27, 0.38, 0.5)
_KCAL = 4.184  # kJ
# Beyond _UBCORE the energy of the trade bends towards _UMAX. Half of ref. [1]'s: a clash of what is not shared is less
# than one of two whole ligands, and with 200 the third rung of toluene and ethylbenzene held by 0.02, not 0.07.
_UMAX, _UBCORE, _ACORE = 100.0 * _KCAL, 50.0 * _KCAL, 0.0625
# What is not traded: frame, walls, springs.
_HELD = (openmm.CustomCompoundBondForce, openmm.CustomCentroidBondForce, openmm.CustomExternalForce)
_CLEAR = 1.5  # nm of water between the ligand outside and the receptor, where the water is a continuum
_K_PLACE = 2.5 * _KCAL * 100.0  # kJ/mol/nm²
_K_TURN = 10.0 * _KCAL  # kJ/mol


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """Two ligands ready to be traded."""

    ladder: Ladder  # from the first in the pocket to the second in it
    start: Floats  # [atom, 3] nm, relaxed with the first in the pocket
    end: Floats  # [atom, 3] nm, relaxed as the last state sees it
    bound: Complex  # receptor, first ligand, second ligand (as docked)
    n_first: int
    displacement: Floats  # [3] nm, from pocket to water
    origin: Ints  # [atom], see `traded`
    destination: Ints
    atoms: int

    def traded(self, xyz: Floats) -> Floats:
        """[atom, 3] nm: the other ligand in the pocket, as the last state sees a configuration."""
        return np.asarray(xyz + xyz[self.destination] - xyz[self.origin])


def transfer(
    receptor: ReceptorModel,
    ligands: tuple[Terms, Terms],
    mols: tuple[Chem.Mol, Chem.Mol],
    names: tuple[str, str],
    *,
    solvent: Literal["implicit", "explicit"] = "implicit",
    keep: float,
    free: float,
    cutoff: float = 12.0,
    leg: tuple[float, ...] = LEG,
    device: Device | None = None,
    relax: int = 50,
    seed: int = 1,
    temperature: float = 298.15,
    near: Floats | None = None,
    beginnings: tuple[Beginning, Beginning] | None = None,
) -> Transfer:
    """The ladder between two ligands.

    Parameters
    ----------
    ligands, mols
        The first lies in the pocket at the ladder's start, the second at its end; both
        poses in the receptor's frame.
    keep, free
        Å; see pocket.py. In explicit water the whole receptor is there, and its backbone is
        held beyond `free`.
    cutoff
        Å, of the implicit form.
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
        See likeness.frames and pocket.carve.
    """
    frame = frames(*mols, names)
    where = device or Device()
    poses = np.concatenate([mol.GetConformer().GetPositions() for mol in mols])
    whole = float(np.inf) if solvent == "explicit" else keep
    bound = carve(receptor, joined(*ligands), poses, keep=whole, free=free, near=near)
    n, first = bound.n_receptor, ligands[0].n_atoms
    clear = _CLEAR if solvent == "implicit" else PADDING
    apart = displacement(receptor.xyz if solvent == "explicit" else bound.xyz[:n], poses / 10.0, clear)
    xyz = bound.xyz.copy()
    xyz[n + first :] += apart
    if solvent == "implicit":
        scene = _Scene(without_terms_among(bound.terms, bound.frozen), xyz, bound.frozen, cutoff / 10.0)
    else:
        scene = _in_water(receptor, bound, xyz, where, temperature, seed, " and ".join(names))
    origin, destination = _movers(trade(*mols), n, scene.terms.n_atoms)
    pairs = common(*mols).pairs
    wall = unturned(  # of both, told by the atoms they share: those are in the pocket whichever ligand is
        [n + i for i, _ in pairs],
        np.concatenate([ways_out(mol, [pair[k] for pair in pairs]) for k, mol in enumerate(mols)]),
    )
    ours, theirs = tuple(n + i for i in frame[0]), tuple(n + first + i for i in frame[1])
    untraded = [
        _aligned(ours, theirs, apart, scene.box),
        in_site((ours[0], theirs[0]), scene.xyz, periodic=scene.box is not None),
        *([] if wall is None else [wall]),
        *([] if scene.held is None else [holding(scene.xyz, scene.held, HOLD)]),
    ]
    states = ladder_states(leg)
    system, moves = _built(scene, untraded, origin, destination, stiff=True)
    made = Transfer(
        ladder=Ladder(system, states, lambda ctx: weighed(moves, ctx, states), paced=len(moves) > 1),
        start=scene.xyz,
        end=scene.xyz,
        bound=bound,
        n_first=first,
        displacement=apart,
        origin=origin,
        destination=destination,
        atoms=len(scene.xyz),
    )
    if not relax:
        return made
    soft, trading = _built(scene, untraded, origin, destination, stiff=False)

    def settled(xyz: Floats, state: dict[str, float]) -> Floats:
        for force in trading:
            for i in range(force.getNumGlobalParameters()):
                given = state.get(force.getGlobalParameterName(i), force.getGlobalParameterDefaultValue(i))
                force.setGlobalParameterDefaultValue(i, given)
        return descend(soft, xyz, ~scene.still, relax, where)[0]

    if beginnings is not None and scene.box is None:
        one, two = (_with_both(pairs, k, beginnings[k], beginnings[1 - k], apart) for k in (0, 1))
        return replace(made, start=settled(one, states[0]), end=settled(made.traded(two), states[-1]))
    xyz = scene.xyz
    if scene.box is None:  # clashes and strain first, where a step is cheap
        xyz, _, _ = descend(dry_system(bound), xyz, ~scene.still, 5 * relax, where)
    middle = settled(xyz, states[len(leg) - 1])  # where the pocket feels both ligands
    return replace(made, start=settled(middle, states[0]), end=settled(middle, states[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """All that is there: the first ligand in the pocket, the second in the water."""

    terms: Terms
    xyz: Floats  # [atom, 3] nm
    still: Bools  # [atom]
    cutoff: float  # nm
    box: tuple[float, float, float] | None = None  # nm, of explicit water
    held: Bools | None = None  # [atom], whether it is on a spring


def _in_water(
    receptor: ReceptorModel, bound: Complex, xyz: Floats, device: Device, kelvin: float, seed: int, name: str
) -> _Scene:
    """Both ligands and the receptor in a box of water, the receptor's backbone on springs beyond the pocket."""
    wet = solvated(bound.terms, xyz, salt=SALT, turns=False, seed=seed, name=name)
    wet = relaxed(wet, device, temperature=kelvin, seed=seed, name=name)
    still = np.zeros(wet.terms.n_atoms, dtype=bool)
    return _Scene(wet.terms, wet.xyz, still, CUTOFF, wet.box, backbone(receptor, bound, wet.terms.n_atoms))


def _built(
    scene: _Scene, untraded: Sequence[Any], origin: Ints, destination: Ints, *, stiff: bool
) -> tuple[Any, list[Any]]:
    """The System and what trades in it; bonds to hydrogen as springs where it is to be relaxed, not `stiff`."""
    choices = Choices(
        implicit_water=scene.box is None,
        cutoff_nm=scene.cutoff,
        constrain_hydrogens=stiff,
        heavy_hydrogens=True,
        box_nm=scene.box,
    )
    system = system_of(scene.terms, scene.still, choices)
    for force in untraded:
        system.addForce(openmm.XmlSerializer.clone(force))
    return system, _trading(system, origin, destination)


def _with_both(
    shared: tuple[tuple[int, int], ...], k: int, inside: Beginning, outside: Beginning, apart: Floats
) -> Floats:
    """[atom, 3] nm: ligand k in the pocket as it takes it, the other laid upon it and moved out."""
    pairs, held, loose = np.array(shared), inside.ligand, outside.ligand
    aim, mine = held[pairs[:, k]], loose[pairs[:, 1 - k]]
    turn, _ = Rotation.align_vectors(aim - aim.mean(axis=0), mine - mine.mean(axis=0))
    laid = turn.apply(loose - mine.mean(axis=0)) + aim.mean(axis=0) + apart
    return np.concatenate([inside.pocket, *((held, laid) if k == 0 else (laid, held))])


def ladder_states(leg: tuple[float, ...] = LEG) -> tuple[dict[str, float], ...]:
    """Context parameters of every state: one leg from each end; both end in the middle, which is counted once."""

    def state(made: float, direction: float) -> dict[str, float]:
        return {"Lambda1": made, "Lambda2": made, "Direction": direction}

    return (*(state(x, 1.0) for x in leg), *(state(x, -1.0) for x in leg[-2::-1]))


def weighed(trading: Sequence[Any], ctx: Any, states: tuple[dict[str, float], ...]) -> Floats:
    """[state] kJ/mol: a configuration's energy in each, from its energies before and after the trade.

    Parameters
    ----------
    trading
        The softened force, and after it the water's where that is apart.
    """
    total = np.zeros(len(states))
    for force, energy in zip(trading, (softened, plain), strict=False):
        after, before, _ = (float(x._value) for x in force.getPerturbationEnergy(ctx))
        total += [energy(before, after, state["Lambda1"], state["Direction"]) for state in states]
    return total


def plain(before: float, after: float, made: float, direction: float) -> float:
    """The water's energy in a state, kJ/mol: no clash makes it large, so nothing softens it."""
    start, gap = (before, after - before) if direction >= 0 else (after, before - after)
    return start + made * gap


def softened(before: float, after: float, made: float, direction: float) -> float:
    """The energy of a state, kJ/mol: ref. [1], eqs. 4 to 8, as ATMForce has it, with both lambdas alike."""
    start, gap = (before, after - before) if direction >= 0 else (after, before - after)
    if gap > _UBCORE:
        y = (gap - _UBCORE) / (_UMAX - _UBCORE)
        z = 1.0 + 2.0 * (y / _ACORE) + 2.0 * (y / _ACORE) ** 2
        gap = (_UMAX - _UBCORE) * (1.0 - 2.0 / (z**_ACORE + 1.0)) + _UBCORE
    return start + made * gap


def displacement(receptor: Floats, ligands: Floats, clear: float) -> Floats:
    """The shortest way out: [3] nm, after which no ligand atom is nearer than `clear` to the receptor.

    Parameters
    ----------
    receptor, ligands : [atom, 3], nm
    """
    k = np.arange(200) + 0.5  # directions spread evenly over a sphere
    height, turn = 1.0 - 2.0 * k / 200, np.pi * (1.0 + 5.0**0.5) * k
    flat = np.sqrt(1.0 - height**2)
    ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
    centre = ligands.mean(axis=0)
    reach = clear + np.linalg.norm(ligands - centre, axis=1).max()
    from_centre = receptor - centre
    along = from_centre @ ways.T  # [receptor atom, way]
    aside2 = np.square(from_centre).sum(axis=1)[:, None] - along**2
    needed = np.where(aside2 < reach**2, along + np.sqrt(np.maximum(reach**2 - aside2, 0.0)), 0.0).max(axis=0)
    best = int(needed.argmin())
    return np.asarray(ways[best] * max(float(needed[best]), 2.0 * reach))


def _movers(how: Trade, n: int, atoms: int) -> tuple[Ints, Ints]:
    """[atom] each: the trade moves an atom by the way from its origin to its destination."""
    first = len(how.anchors[0])
    sides = ((n, n + first), (n + first, n))
    origin, destination = np.arange(atoms), np.arange(atoms)
    for (ours, theirs), anchors, partners in zip(sides, how.anchors, how.partners, strict=True):
        mine = slice(ours, ours + len(anchors))
        origin[mine], destination[mine] = np.array(anchors) + ours, np.array(partners) + theirs
    return origin, destination


def _trading(system: Any, origin: Ints, destination: Ints) -> list[Any]:
    """Move all that changes with the trade, every physical force, into an ATMForce; implicit water into one of its own."""
    soft = openmm.ATMForce(0.0, 0.0, 0.0, 0.0, 0.0, _UMAX, _UBCORE, _ACORE, 1.0)
    water = openmm.ATMForce("select(step(Direction), u0 + Lambda1*(u1 - u0), u1 + Lambda1*(u0 - u1))")
    for name, value in (("Lambda1", 0.0), ("Direction", 1.0)):
        water.addGlobalParameter(name, value)
    water.setForceGroup(SLOW)
    for index in reversed(range(system.getNumForces())):
        force = system.getForce(index)
        if isinstance(force, _HELD):
            force.setForceGroup(0)
            continue
        atm = water if isinstance(force, openmm.GBSAOBCForce) else soft
        atm.addForce(openmm.XmlSerializer.clone(force))
        system.removeForce(index)
    made = [soft, water] if water.getNumForces() else [soft]
    for atm in made:
        for i, j in zip(origin.tolist(), destination.tolist(), strict=True):
            if i == j:  # as a vector: a FixedDisplacement handed over here is freed twice by OpenMM 8.6
                atm.addParticle(openmm.Vec3(0.0, 0.0, 0.0))
            else:
                way = openmm.ParticleOffsetDisplacement(j, i)
                way.thisown = 0  # the force frees it
                atm.addParticle(way)
        system.addForce(atm)
    return made


def _aligned(
    ours: tuple[int, ...], theirs: tuple[int, ...], apart: Floats, box: tuple[float, float, float] | None
) -> Any:
    """Holds one frame to the other: corner to corner, and axis to axis.

    A ligand is whole wherever a platform keeps it, but the two may be kept in different
    images of the box: the distance between their corners is wrapped here.
    """

    def axes(i: int) -> str:
        """The frame of particles i, i+1, i+2: its first side u and the normal w of its plane, n and m long."""
        o, a, b, t = i, i + 1, i + 2, "f" if i == 1 else "s"
        parts = [f"{t}n = sqrt({t}ux^2 + {t}uy^2 + {t}uz^2)", f"{t}m = sqrt({t}wx^2 + {t}wy^2 + {t}wz^2)"]
        for x, y, z in ("xyz", "yzx", "zxy"):
            parts += [f"{t}w{x} = {t}u{y}*{t}v{z} - {t}u{z}*{t}v{y}"]
        for x in "xyz":
            parts += [f"{t}u{x} = {x}{a} - {x}{o}", f"{t}v{x} = {x}{b} - {x}{o}"]
        return "; ".join(parts)

    def along(name: str, length: str) -> str:
        return "(" + " + ".join(f"f{name}{x}*s{name}{x}" for x in "xyz") + f")/(f{length}*s{length})"

    sides = {} if box is None else dict(zip("xyz", box, strict=True))
    place = "; ".join(
        (f"d{x} = r{x} - {sides[x]}*floor(r{x}/{sides[x]} + 0.5); " if sides else f"d{x} = r{x}; ")
        + f"r{x} = {x}4 - {x}1 - apart{x}"
        for x in "xyz"
    )
    force = openmm.CustomCompoundBondForce(
        6,
        f"0.5*place*(dx^2 + dy^2 + dz^2) + 0.5*turn*(2 - {along('u', 'n')} - {along('w', 'm')}); "
        f"{place}; {axes(1)}; {axes(4)}",
    )
    force.setName("frame")
    force.addGlobalParameter("place", _K_PLACE)
    force.addGlobalParameter("turn", _K_TURN)
    for x, value in zip("xyz", apart, strict=True):
        force.addGlobalParameter(f"apart{x}", float(value))
    force.addBond([*ours, *theirs], [])
    return force
