"""How does a pocket take a ligand? Side chains turned where that is better, then warmed.

A crystal shows the pocket with one ligand in it; with another a side chain may stand
otherwise, as valine 111 of T4 lysozyme does for p-xylene [1]_, and turns too rarely for a
short simulation to find out. So every single bond of a side chain beside the ligand is
tried a third of a turn both ways, by the energy of the relaxed complex. A ligand of many
then tries the pockets that the others found as well: where two are alike, which pocket
they take must be no accident of where a minimiser ended. The best is warmed with the
ligand alone in it, and all comparisons of the ligand begin there.

References
----------
.. [1] Mobley, Chodera, Dill, J. Chem. Theory Comput. 3, 1231 (2007), doi 10.1021/ct700032n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    from scipy.spatial.transform import Rotation

from discovery.outcome import MoleculeError, Reason
from discovery.units import KCAL_PER_KJ
from docking.dynamics import hydroxyls
from docking.dynamics.free_energy.walls import unturned, ways_out
from docking.dynamics.minimise import descend, dry_system
from docking.dynamics.platform import Device
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.simulate import Run, replica
from docking.dynamics.surroundings import Surroundings
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Floats, Ints, Terms, without_terms_among

_BESIDE = 5.0  # Å from the ligand: the end of a side chain that is tried
_WORTH_A_LOOK = 3.0  # kcal/mol above the best, dry: beyond it a trial is not weighed in water
_BETTER = 1.0  # kcal/mol, in water: less is within what a minimum depends on its way
_ROUNDS = 2
_ANOTHER = 0.1  # nm that an atom must lie elsewhere for a pocket to be another one


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """A pocket with one ligand in it."""

    pocket: Floats  # [receptor atom of the pocket, 3] nm
    ligand: Floats  # [ligand atom, 3] nm
    turned: tuple[str, ...]  # residues of which a side chain was turned
    wavering: tuple[str, ...] = ()  # residues that some ligand of the network likes turned

    @property
    def chunk(self) -> int:
        """It is made at once: see dynamics/checkpoint.py."""
        return 1

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is kept of it."""
        names = {key: np.array(getattr(self, key), dtype="U") for key in ("turned", "wavering")}
        return {"pocket": self.pocket, "ligand": self.ligand, **names}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Beginning:
        """And back."""
        names = (tuple(str(x) for x in arrays[key]) for key in ("turned", "wavering"))
        return cls(arrays["pocket"], arrays["ligand"], *names)


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """A ligand and the pocket cut out for it and its kin, before either has moved."""

    receptor: ReceptorModel
    bound: Complex
    name: str
    relax: int  # force evaluations for every minimum, dry and in water
    device: Device
    dry: Any  # Systems, the ligand walled in as it lies: see walls.py
    wet: Any
    warm: Any

    def settled(
        self, xyz: Floats, effort: int = 1, limit: float = float("inf")
    ) -> tuple[Floats, float, float]:
        """[atom, 3] nm, and the energies of the relaxed complex, kcal/mol: dry, and in water where that is below `limit`."""
        free = ~self.bound.frozen
        xyz, dry, _ = descend(
            self.dry, hydroxyls.turned(self.bound, xyz), free, effort * self.relax, self.device
        )
        dry *= KCAL_PER_KJ
        if not dry < limit:
            return xyz, dry, float("inf")
        xyz, wet, _ = descend(self.wet, xyz, free, effort * self.relax, self.device)
        return xyz, dry, wet * KCAL_PER_KJ


def seat(
    receptor: ReceptorModel,
    terms: Terms,
    mol: Chem.Mol,
    name: str,
    *,
    near: Floats,
    keep: float,
    free: float,
    cutoff: float = 12.0,
    relax: int = 50,
    device: Device | None = None,
) -> Seat:
    """Cut out a ligand's pocket.

    Parameters
    ----------
    near : [point, 3], Å
        What the pocket is cut around, with `keep` and `free`: see dynamics/pocket.py.
    cutoff
        Å.

    Raises
    ------
    ReceptorError
        See pocket.carve.
    """
    bound = carve(receptor, terms, mol.GetConformer().GetPositions(), keep=keep, free=free, near=near)
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    lean = without_terms_among(bound.terms, bound.frozen)
    held = Choices(cutoff_nm=cutoff / 10.0, constrain_hydrogens=True, heavy_hydrogens=True)
    free_bonds = replace(held, constrain_hydrogens=False)
    systems = dry_system(bound), *(system_of(lean, bound.frozen, how) for how in (free_bonds, held))
    for system in systems:
        wall = unturned([bound.n_receptor + i for i in heavy], ways_out(mol, heavy))
        if wall is not None:
            system.addForce(wall)
    return Seat(receptor, bound, name, relax, device or Device(), *systems)


def searched(at: Seat) -> Beginning:
    """The pocket with its side chains as the ligand likes them best, each turned from how it stood by itself.

    Raises
    ------
    MoleculeError
        DIVERGED if the complex cannot be relaxed.
    """
    best, dry, lowest = at.settled(at.bound.xyz, 2)
    turned: list[str] = []
    for _ in range(_ROUNDS):
        found = None
        for residue, trial in _trials(at.receptor, at.bound, best):
            moved, energy, wet = at.settled(trial, limit=dry + _WORTH_A_LOOK)
            if np.isfinite(wet) and wet < lowest - _BETTER:
                found, lowest = (residue, moved, energy), wet
        if found is None:
            break
        best, dry = found[1], found[2]
        turned.append(at.bound.labels[found[0]])
    return _whole(at, best, dry, turned)


def beginning(
    at: Seat,
    known: Sequence[Beginning],
    *,
    warm_ps: float = 5.0,
    seed: int = 1,
    temperature: float = 298.15,
) -> Beginning:
    """The best of the known pockets for a ligand, warmed with it.

    Parameters
    ----------
    known
        What the ligand's search and those of others found; the pocket as given is tried too.

    Raises
    ------
    MoleculeError
        DIVERGED if the complex cannot be relaxed or explodes.
    """
    n = at.bound.n_receptor
    tried: list[tuple[tuple[str, ...], Floats]] = [((), at.bound.xyz)]
    for one in known:
        if all(np.abs(one.pocket - xyz[:n]).max() > _ANOTHER for _, xyz in tried):
            tried.append((one.turned, np.concatenate([one.pocket, at.bound.xyz[n:]])))
    settled = [at.settled(xyz, 2) for _, xyz in tried]
    which = int(np.argmin([np.nan_to_num(wet, nan=np.inf) for _, _, wet in settled]))
    turned, (best, dry, _) = tried[which][0], settled[which]
    wavering = tuple(sorted({residue for one in known for residue in one.turned}))
    held = replace(_whole(at, best, dry, turned), wavering=wavering)
    if not warm_ps:
        return held
    warm = _warmed(at, best, warm_ps, seed, temperature)
    return replace(held, pocket=warm[:n], ligand=warm[n:])


def _whole(at: Seat, xyz: Floats, energy: float, turned: Sequence[str]) -> Beginning:
    if not np.isfinite(energy) or not np.isfinite(xyz).all():
        raise MoleculeError(
            Reason.DIVERGED,
            f"{at.name}: its complex cannot be relaxed: two atoms lie on each other; dock it again",
        )
    n = at.bound.n_receptor
    return Beginning(xyz[:n], xyz[n:], tuple(turned))


def _trials(receptor: ReceptorModel, bound: Complex, xyz: Floats) -> Iterator[tuple[int, Floats]]:
    """Residue, and all coordinates with them turned a third, both ways."""
    for residue, (a, b), atoms in turning(receptor, bound, xyz):
        axis = (xyz[b] - xyz[a]) / np.linalg.norm(xyz[b] - xyz[a])
        for degrees in (120.0, -120.0):
            turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis)
            trial = xyz.copy()
            trial[atoms] = turn.apply(xyz[atoms] - xyz[b]) + xyz[b]
            yield residue, trial


def turning(receptor: ReceptorModel, bound: Complex, xyz: Floats) -> list[tuple[int, tuple[int, int], Ints]]:
    """Single bonds of side chains beside the ligand with three places to stand: between two carbons of four bonds each.

    Parameters
    ----------
    xyz : [atom, 3] nm
        Where the complex lies.

    Returns
    -------
    Of each: the residue, by its number in the pocket; the bond, the backbone's end first; what turns
    with it, where that is more than hydrogens. Atoms are those of the complex.
    """
    n = bound.n_receptor
    numbers = receptor.numbers[bound.receptor_atoms]
    beside: list[list[int]] = [[] for _ in range(n)]
    for i, j in bound.terms.bonds.tolist():
        if i < n and j < n:
            beside[i].append(j)
            beside[j].append(i)
    found = []
    for i, j in bound.terms.bonds.tolist():
        if max(i, j) >= n or bound.residue[i] != bound.residue[j] or bound.frozen[i] or bound.frozen[j]:
            continue
        if not all(numbers[k] == 6 and len(beside[k]) == 4 for k in (i, j)):
            continue
        for a, b in ((i, j), (j, i)):
            side, wave = {b}, [b]
            while wave:
                wave = [k for k in {m for one in wave for m in beside[one]} if k not in side | {a}]
                side |= set(wave)
            atoms = np.array(sorted(side - {b}), dtype=np.int64)
            names = {receptor.atom_names[bound.receptor_atoms[k]] for k in side}
            ring = any(k != b and k in beside[a] for k in side)  # it comes back to `a` another way
            heavy = atoms[numbers[atoms] > 1]
            if "N" in names or ring or not len(heavy):
                continue
            gaps = np.linalg.norm(xyz[heavy][:, None] - xyz[bound.ligand][None], axis=-1)
            if gaps.min() * 10.0 > _BESIDE:
                continue
            if (bound.residue[atoms] == bound.residue[i]).all() and not bound.frozen[atoms].any():
                found.append((int(bound.residue[i]), (a, b), atoms))
    return found


def _warmed(at: Seat, xyz: Floats, ps: float, seed: int, temperature: float) -> Floats:
    run = Run(
        length_ps=ps,
        equilibration_ps=0.0,
        replicas=1,
        frame_ps=ps,
        temperature=temperature,
        friction=2.0,
        seed=seed,
    )
    n = len(xyz)
    around = Surroundings(at.warm, xyz, np.arange(n), n, float("nan"))
    walk = replica(at.bound, xyz, run, 0, at.device, name=at.name, around=around)
    return np.asarray(walk.frames[-1] / 10.0)
