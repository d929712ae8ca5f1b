"""Where are the side-chain atoms that the crystal did not show?

They hang on what is there, with the bonds and angles of side_chain_shapes.py, at the
rotamer that is common and touches least. Residues that gain atoms see each other: each is
laid once more when all have been. Every place follows from the file alone, and the time
grows with the number of residues that gain atoms, whatever the size of the receptor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking.pdbqt import Floats
from docking.protein import residues
from docking.protein.side_chain_shapes import Hang, hangs
from docking.protein.structure import Atom, Place, by_residue, coords

with needs("docking"):
    from scipy.spatial import cKDTree


Named = Mapping[str, Floats]

FEWEST = 3  # heavy atoms that tell how a residue lies
PEPTIDE = 1.6  # Å from C to the next N at most
TOUCH, TOUCH_POLAR = 3.6, 2.7  # Å between heavy atoms that do not touch; between N or O
PUSH = 8.0  # of a clash, per Å², against the logarithm of a rotamer's share
REACH = 15.0  # Å about the middle of what is there: the longest side chain, and what it may touch
MOST = 400  # ways to turn that are looked at for what they touch, the likeliest
STIFF = 100.0  # of a bond to an atom that is there, per Å²
# where later atoms are there, no rotamer helps
FINE = tuple((float(angle), 1.0) for angle in range(0, 360, 10))
# Å, 1.458, 1.523, 111.2 degrees
BACKBONE = {"N": (0.0, 0.0, 0.0), "CA": (1.458, 0.0, 0.0), "C": (2.009, 1.420, 0.0)}
OXYGEN = Hang("O", ("N", "CA", "C"), 1.231, 120.5, 135.0, tuple((float(a), 1.0) for a in range(0, 360, 30)))


def rebuilt(atoms: Sequence[Atom], missing: Mapping[Place, Sequence[str]]) -> list[Atom]:
    """The atoms with those of `missing` (chain and number -> names) put in.

    Atoms that are there do not move; the residue that gains atoms loses its hydrogens,
    which are placed anew afterwards. A residue with fewer than three atoms tells not how
    it lies, and stays as it is.
    """
    groups = by_residue(atoms)
    heavy = [atom for atom in atoms if atom.element != "H"]
    points, tree = coords(heavy), cKDTree(coords(heavy))
    polar = np.array([atom.element in ("N", "O") for atom in heavy])
    owner = [atom.place for atom in heavy]
    there = {
        place: {atom.name: np.array(atom.xyz) for atom in groups[place] if atom.element != "H"}
        for place in missing
    }
    there = {place: known for place, known in there.items() if len(known) >= FEWEST}
    new: dict[Place, dict[str, Floats]] = {}
    for _ in range(2):
        for place, known in there.items():
            middle = np.mean(list(known.values()), axis=0)
            near = [i for i in tree.query_ball_point(middle, REACH) if owner[i] != place]
            others = [
                (name, xyz) for p, some in new.items() if p != place for name, xyz in some.items()
                if np.linalg.norm(xyz - middle) < REACH
            ]  # fmt: skip
            walls = np.concatenate([points[near], np.array([xyz for _, xyz in others]).reshape(-1, 3)])
            polars = np.concatenate([polar[near], [name[0] in "NO" for name, _ in others]]).astype(bool)
            name = residues.standard(groups[place][0].resname)
            following = _next_nitrogen(known, heavy, near)
            new[place] = _laid(name, known, missing[place], walls, polars, following)
    result: list[Atom] = []
    for place, group in groups.items():
        if place not in new:
            result += group
            continue
        held = {atom.name: atom for atom in group if atom.element != "H"}
        for name in residues.hydrogens(residues.standard(group[0].resname)):
            if name in held:
                result.append(held.pop(name))
            elif name in new[place]:
                x, y, z = (round(float(value), 3) for value in new[place][name])
                result.append(replace(group[0], name=name, element=name[0], xyz=(x, y, z)))
        result += held.values()
    return result


def _next_nitrogen(known: Named, heavy: Sequence[Atom], near: Sequence[int]) -> Floats | None:
    """The N that follows in the chain, if it is there."""
    if "C" not in known:
        return None
    ends = [np.array(heavy[i].xyz) for i in near if heavy[i].name == "N"]
    close = [xyz for xyz in ends if np.linalg.norm(xyz - known["C"]) < PEPTIDE]
    return close[0] if close else None


def _laid(
    resname: str,
    known: Named,
    lacking: Sequence[str],
    walls: Floats,
    polar: NDArray[np.bool_],
    following: Floats | None,
) -> dict[str, Floats]:
    """The lacking atoms of one residue.

    Parameters
    ----------
    known : its own heavy atoms, name -> [3] Å
    walls, polar : [wall, 3] Å and [wall], heavy atoms of all else about it
    following : [3] Å, the next residue's N
    """
    shape = hangs(resname)
    base = dict(known)
    if not set(BACKBONE) <= set(known):
        whole = _fitted(shape, known)
        base |= {name: whole[name] for name in BACKBONE if name not in known}
    if "O" in lacking and following is not None:
        toward = Hang("O", ("CA", "N+", "C"), 1.231, 122.7, 180.0, ())
        base["O"] = _hung(toward, {**base, "N+": following}, np.array([180.0]))[0]
    elif "O" in lacking:
        shape = (OXYGEN, *shape)
    free = [hang for hang in shape if hang.name not in base]
    later = {
        name for hang in shape if hang.name in known for name in hang.on
    }  # what atoms that are there hang on
    choices = [
        [(hang.torsion, 1.0)] if not hang.rotamers else FINE if hang.name in later else hang.rotamers
        for hang in free
    ]
    table = np.array(list(product(*choices)))  # [combination, free, 2]
    if not free:
        return {name: base[name] for name in lacking}
    count = len(table)
    placed = {name: np.broadcast_to(xyz, (count, 3)) for name, xyz in base.items()}
    for k, hang in enumerate(free):
        placed[hang.name] = _hung(hang, placed, table[:, k, 0])
    cost = -np.log(table[:, :, 1]).sum(axis=1) + STIFF * _strained(shape, known, placed)
    likely = np.argsort(np.round(cost, 6), kind="stable")[:MOST]
    cost, placed = cost[likely], {name: xyz[likely] for name, xyz in placed.items()}
    for hang in free:
        cost += PUSH * _touching(placed[hang.name], hang.name[0] in "NO", walls, polar)
    cost += PUSH * _own(shape, free, placed)
    best = int(np.round(cost, 6).argmin())
    return {name: placed[name][best] for name in lacking}


def _strained(shape: Sequence[Hang], known: Named, placed: Named) -> Floats:
    """[combination], how far atoms that are there lie from where they should hang on new ones.

    Of an atom bonded to a new one its bond and angle count, as the bond between may turn. Of one that shares its
    carrier with a new one (the two oxygens of a carboxylate, the two ends of a valine) its whole place does: it tells
    the side that is left.
    """
    total = np.zeros(len(next(iter(placed.values()))))
    for hang in shape:
        if hang.name not in known:
            continue
        if hang.on[2] not in known:
            bond = placed[hang.name] - placed[hang.on[2]]
            gap = np.linalg.norm(bond, axis=1)
            beyond = _unit(placed[hang.on[1]] - placed[hang.on[2]])
            cosine = (bond * beyond).sum(axis=1) / gap
            total += np.square(gap - hang.length) + np.square(cosine - np.cos(np.deg2rad(hang.angle)))
        elif not hang.rotamers and not set(hang.on) <= set(known):
            wanted = _hung(hang, placed, np.array([hang.torsion]))
            total += np.square(placed[hang.name] - wanted).sum(axis=1)
    return total


def _fitted(shape: Sequence[Hang], known: Named) -> dict[str, Floats]:
    """A whole residue laid over the atoms that are there, where its backbone is torn."""
    whole: dict[str, Floats] = {name: np.array(xyz) for name, xyz in BACKBONE.items()}
    for hang in (OXYGEN, *shape):
        whole[hang.name] = _hung(hang, whole, np.array([hang.torsion]))[0]
    shared = [name for name in known if name in whole]
    here, onto = np.stack([whole[name] for name in shared]), np.stack([known[name] for name in shared])
    u, _, vt = np.linalg.svd((here - here.mean(axis=0)).T @ (onto - onto.mean(axis=0)))
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return {name: (xyz - here.mean(axis=0)) @ turn + onto.mean(axis=0) for name, xyz in whole.items()}


def _hung(hang: Hang, placed: Named, torsion: Floats) -> Floats:
    """[combination, 3] Å where an atom hangs, for each torsion."""
    a, b, c = (np.atleast_2d(placed[name]) for name in hang.on)
    along = _unit(c - b)
    across = _unit(np.cross(b - a, along))
    angle, turn = np.deg2rad(hang.angle), np.deg2rad(torsion)[:, None]
    up = np.cross(across, along)
    way = -np.cos(angle) * along + np.sin(angle) * (np.cos(turn) * up + np.sin(turn) * across)
    return np.asarray(c + hang.length * way)


def _touching(points: Floats, donor: bool, walls: Floats, polar: NDArray[np.bool_]) -> Floats:
    """[combination] Å², how deep an atom lies in the walls."""
    gaps = np.linalg.norm(points[:, None] - walls[None], axis=-1)
    limit = np.where(polar & donor, TOUCH_POLAR, TOUCH)
    return np.asarray(np.square(np.clip(limit - gaps, 0.0, None)).sum(axis=1))


def _own(shape: Sequence[Hang], free: Sequence[Hang], placed: Named) -> Floats:
    """[combination] Å², how deep new atoms lie in those of their own residue, four bonds away or more."""
    parent = {"N": "CA", "C": "CA", "O": "C", **{hang.name: hang.on[2] for hang in shape}}

    def path(name: str) -> list[str]:
        steps = [name]
        while steps[-1] in parent:
            steps.append(parent[steps[-1]])
        return steps

    total = np.zeros(len(placed[free[0].name]))
    for hang in free:
        mine = path(hang.name)
        for other in placed:
            if other not in parent and other != "CA":
                continue
            theirs = path(other)
            shared = next(name for name in mine if name in theirs)
            if mine.index(shared) + theirs.index(shared) >= 4:
                gap = np.linalg.norm(placed[hang.name] - placed[other], axis=1)
                limit = TOUCH_POLAR if hang.name[0] in "NO" and other[0] in "NO" else TOUCH
                total += np.square(np.clip(limit - gap, 0.0, None))
    return total


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
