"""Where do a protein's missing hydrogens go?

Positions follow from the heavy atoms alone, so the same file always gives the same
hydrogens. Where geometry leaves a choice (hydroxyls, ammonium, waters) the hydrogen
turns to the nearest acceptor. Which hydrogens are wanted is decided in protonation.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
WATER = np.deg2rad(104.5)
# Å; Cordero et al. 2008
RADIUS = {"H": 0.31, "C": 0.76, "N": 0.71, "O": 0.66, "S": 1.05, "P": 1.07, "Se": 1.20}


class _Heavy(NamedTuple):
    """The heavy atoms of a structure, and what those that gain hydrogens need to know of each other."""

    atoms: Sequence[Atom]
    xyz: Floats  # [atom, 3] Å
    tree: cKDTree
    near: Sequence[Sequence[int]]  # atoms bonded to each
    accepts: NDArray[np.bool_]  # [atom], oxygen or nitrogen

    def unit(self, i: int, j: int) -> Floats:
        """[3], from atom i towards atom j."""
        return _unit(self.xyz[j] - self.xyz[i])


def add(atoms: Sequence[Atom], states: Mapping[tuple[str, str], str]) -> list[Atom]:
    """The atoms with every hydrogen that a standard residue, a cap or a water should have.

    Nucleotides get those on nitrogen and on hydroxyls of the sugar. Hydrogens that are there keep their place and take
    the Data Bank's names. Other groups (cofactors, metals) are left as they are.

    Parameters
    ----------
    states : chain and number -> "HID", "GLH", ...
        Residues that are not in their usual state.
    """
    heavy = [atom for atom in atoms if atom.element != "H"]
    xyz = coords(heavy)
    tree = cKDTree(xyz)
    accepts = np.array([atom.element in ("O", "N") for atom in heavy])
    around = _Heavy(heavy, xyz, tree, neighbours(heavy, tree), accepts)
    index = {id(atom): i for i, atom in enumerate(heavy)}
    starts = _chain_starts(heavy)
    result: list[Atom] = []
    for place, group in by_residue(atoms).items():
        wanted = _wanted(group, states.get(place, ""), place in starts)
        if group[0].resname in residues.NUCLEOTIDES:
            ends = [
                atom.name
                for atom in group
                if atom.name in residues.HYDROXYLS and len(around.near[index[id(atom)]]) == 1
            ]
            wanted = {**wanted, **{name: residues.HYDROXYLS[name] for name in ends}}
        present = _present(group)
        for atom in group:
            if atom.element == "H":
                continue
            result.append(atom)
            kept = present.get(atom.name, [])
            names = wanted.get(atom.name)
            if names is None:  # no standard residue: what is there stays
                result += kept
                continue
            names = names[: len(names) - _taken(atom, around.near[index[id(atom)]], heavy)]
            kept = kept[: len(names)]
            points: Sequence[Sequence[float]] = [hydrogen.xyz for hydrogen in kept]
            if len(kept) < len(names):
                points = _points(index[id(atom)], len(names), around).tolist()
            result += [
                Atom(*place_of(atom), name, "H", (round(x, 3), round(y, 3), round(z, 3)), atom.hetero)
                for name, (x, y, z) in zip(names, points, strict=False)  # fewer where the file adds bonds
            ]
    return result


def _taken(atom: Atom, near: Sequence[int], heavy: Sequence[Atom]) -> int:
    """Hydrogens that an atom lacks since it holds a glycan, a cofactor or a covalent ligand that was kept."""
    if atom.element == "C" or atom.name == "N" or atom.resname in residues.NUCLEOTIDES:
        return 0  # bonds along the chain are counted already
    strangers = sum(heavy[j].place != atom.place for j in near)
    return 2 * strangers if atom.name == "NZ" else strangers  # a lysine's charge goes, too


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
        return residues.hydrogens(resname)
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


def _points(i: int, count: int, around: _Heavy) -> Floats:
    """[hydrogen, 3] Å for atom i."""
    if count == 0:
        return np.zeros((0, 3))
    atom, center, xyz = around.atoms[i], around.xyz[i], around.xyz
    length = LENGTH.get(atom.element, 1.0)
    flat = count < 3 and atom.name in residues.flat(residues.standard(atom.resname))
    # A strained side chain has atoms at a bond's distance that are not bonded.
    most = (3 if flat else 4) - count
    bonded = sorted(sorted(around.near[i], key=lambda j: float(np.linalg.norm(xyz[j] - center)))[:most])
    if not bonded:
        return _of_water(i, around)[:count]
    if len(bonded) == 1:
        return _on_an_end(i, count, bonded[0], flat, length, around)
    units = np.array([around.unit(i, j) for j in bonded])
    away = _unit(-units.sum(axis=0))
    if count == 1 or len(bonded) >= 3:
        return np.asarray(center + length * away)[None]
    normal, half = _unit(np.cross(units[0], units[1])), TETRAHEDRAL / 2
    return np.array(
        [center + length * (np.cos(half) * away + sign * np.sin(half) * normal) for sign in (1.0, -1.0)]
    )


def _on_an_end(i: int, count: int, anchor: int, flat: bool, length: float, around: _Heavy) -> Floats:
    """Hydrogens of an atom with one neighbour: they may turn about that bond."""
    xyz, axis = around.xyz, around.unit(anchor, i)
    behind = [j for j in sorted(around.near[anchor]) if j != i]
    first = _across(axis, xyz[behind[0]] - xyz[anchor] if behind else None)
    second = np.cross(axis, first)
    angle = TRIGONAL if flat else TETRAHEDRAL
    step = 2 * np.pi / (2 if flat else 3)

    def turned(start: float) -> Floats:
        turns = start + step * np.arange(count)
        ring = np.cos(turns)[:, None] * first + np.sin(turns)[:, None] * second
        return np.asarray(xyz[i] + length * (-np.cos(angle) * axis + np.sin(angle) * ring))

    element = around.atoms[i].element
    if element in ("O", "S") or (element == "N" and not flat):
        starts = [0.0, np.pi] if flat else list(np.deg2rad(np.arange(60.0, 420.0, 30.0)))
        others = [j for j in around.tree.query_ball_point(xyz[i], 4.5) if j not in (i, anchor)]
        costs = [_cost(turned(start), xyz[others], around.accepts[others]) for start in starts]
        return turned(starts[int(np.argmin(np.round(costs, 4)))])
    return turned(0.0 if flat else np.pi / 3)


def _of_water(i: int, around: _Heavy) -> Floats:
    """[2, 3] Å, towards the two nearest acceptors."""
    xyz, center = around.xyz, around.xyz[i]
    others = [j for j in around.tree.query_ball_point(center, 4.0) if j != i and around.accepts[j]]
    order = sorted(others, key=lambda j: (round(float(np.linalg.norm(xyz[j] - center)), 3), j))
    toward = around.unit(i, order[0]) if order else np.array([1.0, 0.0, 0.0])
    side = _across(toward, xyz[order[1]] - center if len(order) > 1 else None)
    both = np.array([toward, np.cos(WATER) * toward + np.sin(WATER) * side])
    return np.asarray(center + LENGTH.get(around.atoms[i].element, 1.0) * both)


def _cost(hydrogens: Floats, others: Floats, accepting: NDArray[np.bool_]) -> float:
    """Low when hydrogens point at acceptors (about 1.9 Å away) and touch nothing else."""
    if not len(others):
        return 0.0
    gaps = np.linalg.norm(hydrogens[:, None] - others[None], axis=-1)
    pull = -np.exp(-np.square((gaps - 1.9) / 0.6)) * accepting
    push = np.square(np.clip(np.where(accepting, 1.6, 2.4) - gaps, 0.0, None))
    return float((pull + push).sum())


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length) if length > 1e-9 else np.array([0.0, 0.0, 1.0])


def _across(axis: Floats, toward: Floats | None) -> Floats:
    """The unit vector at right angles to `axis` that lies nearest `toward`; always the same one where nothing tells."""
    if toward is not None:
        across = toward - axis * float(toward @ axis)
        if np.linalg.norm(across) > 1e-6:
            return _unit(across)
    return _unit(np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())]))
