"""Where do a protein's missing hydrogens go?

Positions follow from the heavy atoms alone, so the same file always gives the same
hydrogens. Where geometry leaves a choice (hydroxyls, ammonium, waters) the hydrogen
turns to the nearest acceptor. Which hydrogens are wanted is decided in protonation.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking.pdbqt import Floats
from docking.protein import residues
from docking.protein.structure import Atom, by_residue, coords

with needs("docking"):
    from scipy.spatial import cKDTree


LENGTH = {"C": 1.09, "N": 1.01, "O": 0.97, "S": 1.34}  # Å, X-H
TETRAHEDRAL = np.deg2rad(109.5)
TRIGONAL = np.deg2rad(120.0)
# Å; Cordero et al. 2008
RADIUS = {"H": 0.31, "C": 0.76, "N": 0.71, "O": 0.66, "S": 1.05, "P": 1.07, "Se": 1.20}


def add(atoms: Sequence[Atom], states: Mapping[tuple[str, str], str]) -> list[Atom]:
    """The atoms with every hydrogen that a standard residue, a cap or a water should have.

    Nucleotides get those on nitrogen and 2'-hydroxyls. Hydrogens that are there keep their place and take the Data Bank's names. Other
    groups (cofactors, metals) are left as they are.

    Parameters
    ----------
    states : chain and number -> "HID", "GLH", ...
        Residues that are not in their usual state.
    """
    groups = by_residue(atoms)
    heavy = [atom for atom in atoms if atom.element != "H"]
    xyz = coords(heavy)
    tree = cKDTree(xyz)
    near = neighbours(heavy, tree)
    index = {id(atom): i for i, atom in enumerate(heavy)}
    acceptors = np.array([atom.element in ("O", "N") for atom in heavy])
    starts = _chain_starts(heavy)
    result: list[Atom] = []
    for place, group in groups.items():
        wanted = _wanted(group, states.get(place, ""), place in starts)
        present = _present(group)
        for atom in group:
            if atom.element == "H":
                continue
            result.append(atom)
            names = wanted.get(atom.name)
            if names is None:  # no standard residue: what is there stays
                result += present.get(atom.name, [])
                continue
            i = index[id(atom)]
            kept = present.get(atom.name, [])[: len(names)]
            if len(kept) == len(names):
                points: Sequence[Sequence[float]] = [hydrogen.xyz for hydrogen in kept]
            else:
                points = _points(i, len(names), heavy, xyz, near, acceptors, tree).tolist()
            result += [
                Atom(*place_of(atom), name, "H", (round(x, 3), round(y, 3), round(z, 3)), atom.hetero)
                for name, (x, y, z) in zip(names, points, strict=False)  # fewer where the file adds bonds
            ]
    return result


def place_of(atom: Atom) -> tuple[str, str, str]:
    """Chain, residue name and number."""
    return atom.chain, atom.resname, atom.number


def neighbours(atoms: Sequence[Atom], tree: cKDTree | None = None) -> list[list[int]]:
    """Bonded atoms by distance: nearer than the sum of covalent radii + 0.4 Å.

    Metals are bonded to nothing here. Atoms of different residues are bonded only as
    C-N of a chain, as a disulfide, or when one of them is in no standard residue.
    """
    xyz = coords(atoms)
    tree = tree or cKDTree(xyz)
    found: list[list[int]] = [[] for _ in atoms]
    radii = np.array([RADIUS.get(a.element, 1.1 if a.element in _HALOGENS else -np.inf) for a in atoms])
    pairs = tree.query_pairs(2.6, output_type="ndarray")
    one, other = pairs.T
    near = np.linalg.norm(xyz[one] - xyz[other], axis=1) <= radii[one] + radii[other] + 0.4
    for i, j in sorted(map(tuple, pairs[near].tolist())):
        if atoms[i].place == atoms[j].place or _link(atoms[i], atoms[j]):
            found[i].append(j)
            found[j].append(i)
    return found


_HALOGENS = frozenset({"F", "Cl", "Br", "I", "B", "Si"})


def _link(a: Atom, b: Atom) -> bool:
    pair = {a.name, b.name}
    known = residues.standard(a.resname) in residues.NAMES and residues.standard(b.resname) in residues.NAMES
    return pair == {"C", "N"} or pair == {"SG"} or (not known and "HOH" not in (a.resname, b.resname))


def _chain_starts(heavy: Sequence[Atom]) -> set[tuple[str, str]]:
    """The first residue of each chain, when it is an amino acid: its nitrogen is an ammonium."""
    seen: dict[str, tuple[str, str]] = {}
    for atom in heavy:
        if residues.standard(atom.resname) in residues.NAMES or atom.resname in ("ACE", *residues.MODIFIED):
            seen.setdefault(atom.chain, atom.place)
    return set(seen.values())


def _wanted(group: Sequence[Atom], state: str, first: bool) -> Mapping[str, tuple[str, ...]]:
    resname = residues.standard(group[0].resname)
    if resname in ("HOH", "WAT"):
        return {"O": ("H1", "H2")}
    if resname in residues.NUCLEOTIDES:
        return residues.NUCLEOTIDES[resname]
    acid = resname in residues.NAMES or resname in residues.MODIFIED
    if not acid and resname not in ("ACE", "NME"):
        return {}
    wanted = dict(residues.hydrogens(resname, state))
    names = {atom.name for atom in group}
    if first and resname in residues.NAMES:
        wanted["N"] = ("H2", "H3") if resname == "PRO" else ("H1", "H2", "H3")
    if "OXT" in names:
        wanted["OXT"] = ()
    return wanted


def _present(group: Sequence[Atom]) -> dict[str, list[Atom]]:
    """Hydrogens in the file by the heavy atom that carries them, the nearest within 1.5 Å."""
    heavy = [atom for atom in group if atom.element != "H"]
    points = coords(heavy)
    found: dict[str, list[Atom]] = {}
    for atom in group:
        if atom.element != "H" or not len(points):
            continue
        gaps = np.linalg.norm(points - np.asarray(atom.xyz), axis=1)
        if gaps.min() < 1.5:
            found.setdefault(heavy[int(gaps.argmin())].name, []).append(atom)
    return found


def _points(
    i: int,
    count: int,
    heavy: Sequence[Atom],
    xyz: Floats,
    near: Sequence[Sequence[int]],
    acceptors: NDArray[np.bool_],
    tree: cKDTree,
) -> Floats:
    """[hydrogen, 3] Å for atom i."""
    if count == 0:
        return np.zeros((0, 3))
    atom, center = heavy[i], xyz[i]
    length = LENGTH.get(atom.element, 1.0)
    flat = count < 3 and atom.name in residues.flat(residues.standard(atom.resname))
    # A strained side chain has atoms at a bond's distance that are not bonded.
    most = (3 if flat else 4) - count
    bonded = sorted(sorted(near[i], key=lambda j: float(np.linalg.norm(xyz[j] - center)))[:most])
    if not bonded:  # a water
        return _water(i, count, center, length, xyz, acceptors, tree)
    units = np.array([_unit(xyz[j] - center) for j in bonded])
    if len(bonded) >= 3 or (flat and len(bonded) == 2 and count == 1):
        return _one(center + length * _unit(-units.sum(axis=0)))
    if len(bonded) == 2:
        away, normal = _unit(-units.sum(axis=0)), _unit(np.cross(units[0], units[1]))
        if count == 1:
            return _one(center + length * away)
        half = TETRAHEDRAL / 2
        return np.array(
            [center + length * (np.cos(half) * away + sign * np.sin(half) * normal) for sign in (1.0, -1.0)]
        )
    return _on_an_end(i, count, flat, bonded[0], length, heavy, xyz, near, acceptors, tree)


def _on_an_end(
    i: int,
    count: int,
    flat: bool,
    anchor: int,
    length: float,
    heavy: Sequence[Atom],
    xyz: Floats,
    near: Sequence[Sequence[int]],
    acceptors: NDArray[np.bool_],
    tree: cKDTree,
) -> Floats:
    """Hydrogens of an atom with one neighbour: they may turn about that bond."""
    center, axis = xyz[i], _unit(xyz[i] - xyz[anchor])
    behind = [j for j in sorted(near[anchor]) if j != i]
    reference = xyz[behind[0]] - xyz[anchor] if behind else _any_across(axis)
    across = reference - axis * float(reference @ axis)
    first = _unit(across) if np.linalg.norm(across) > 1e-6 else _unit(_any_across(axis))
    second = np.cross(axis, first)
    angle = TRIGONAL if flat else TETRAHEDRAL
    step = 2 * np.pi / (2 if flat else 3)

    def turned(start: float) -> Floats:
        turns = start + step * np.arange(count)
        ring = np.cos(turns)[:, None] * first + np.sin(turns)[:, None] * second
        directions = -np.cos(angle) * axis + np.sin(angle) * ring
        placed: Floats = center + length * directions
        return placed

    if heavy[i].element in ("O", "S") or (heavy[i].element == "N" and not flat):
        starts = [0.0, np.pi] if flat else list(np.deg2rad(np.arange(60.0, 420.0, 30.0)))
        others = [j for j in tree.query_ball_point(center, 4.5) if j not in (i, anchor)]
        costs = [_cost(turned(start), xyz[others], acceptors[others]) for start in starts]
        return turned(starts[int(np.argmin(np.round(costs, 4)))])
    return turned(0.0 if flat else np.pi / 3)


def _water(
    i: int,
    count: int,
    center: Floats,
    length: float,
    xyz: Floats,
    acceptors: NDArray[np.bool_],
    tree: cKDTree,
) -> Floats:
    others = [j for j in tree.query_ball_point(center, 4.0) if j != i and acceptors[j]]
    order = sorted(others, key=lambda j: (round(float(np.linalg.norm(xyz[j] - center)), 3), j))
    toward = _unit(xyz[order[0]] - center) if order else np.array([1.0, 0.0, 0.0])
    second = xyz[order[1]] - center if len(order) > 1 else _any_across(toward)
    across = second - toward * float(second @ toward)
    side = _unit(across) if np.linalg.norm(across) > 1e-6 else _unit(_any_across(toward))
    angle = np.deg2rad(104.5)
    both = np.array([toward, np.cos(angle) * toward + np.sin(angle) * side])
    placed: Floats = center + length * both[:count]
    return placed


def _cost(hydrogens: Floats, others: Floats, accepting: NDArray[np.bool_]) -> float:
    """Low when hydrogens point at acceptors (about 1.9 Å away) and touch nothing else."""
    if not len(others):
        return 0.0
    gaps = np.linalg.norm(hydrogens[:, None] - others[None], axis=-1)
    pull = -np.exp(-np.square((gaps - 1.9) / 0.6)) * accepting
    push = np.square(np.clip(np.where(accepting, 1.6, 2.4) - gaps, 0.0, None))
    return float((pull + push).sum())


def _one(point: Floats) -> Floats:
    return point.reshape(1, 3)


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    unit: Floats = vector / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])
    return unit


def _any_across(axis: Floats) -> Floats:
    """Some vector at right angles to `axis`, always the same one."""
    across: Floats = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    return across
