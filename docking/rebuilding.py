"""Where are the side-chain atoms that the crystal did not show?

PDBFixer lays its templates over what is there and relaxes the new atoms alone, on
OpenMM's reference platform with a fixed seed. It knows no rotamers, so each new side
chain is then turned to the rotamer that touches least. The answer is always the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from docking import residues
from docking.structure import Atom, by_residue, coords, pdb_text

try:
    from pdbfixer import PDBFixer
    from pdbfixer.pdbfixer import mm
except ImportError as error:
    raise ImportError(
        "rebuilding missing atoms needs: pip install 'discovery-workbench[docking]'; or prepare with rebuild=False"
    ) from error

Floats = NDArray[np.float64]
Named = dict[str, tuple[float, float, float]]

SEED = 1
REACH = 12.0  # Å about a residue that gains atoms; the longest side chain, and what it may touch
ANGSTROM_PER_NM = 10.0
# the chain that the side-chain angles run along, from N
_CHI = {
    "ARG": "N CA CB CG CD NE CZ", "LYS": "N CA CB CG CD CE NZ", "GLU": "N CA CB CG CD OE1", "GLN": "N CA CB CG CD OE1",
    "MET": "N CA CB CG SD CE", "ASP": "N CA CB CG OD1", "ASN": "N CA CB CG OD1", "LEU": "N CA CB CG CD1",
    "ILE": "N CA CB CG1 CD1", "PHE": "N CA CB CG CD1", "TYR": "N CA CB CG CD1", "TRP": "N CA CB CG CD1",
    "HIS": "N CA CB CG ND1", "SER": "N CA CB OG", "CYS": "N CA CB SG", "THR": "N CA CB OG1", "VAL": "N CA CB CG1",
}  # fmt: skip
_FLAT_ENDS = frozenset({"GLU", "GLN", "ASP", "ASN", "PHE", "TYR", "TRP", "HIS", "ARG"})
_REMOTE = "ABGDEZH"  # CA, CB, CG, ...: Greek letters, nearest first


def rebuilt(atoms: Sequence[Atom], missing: Mapping[tuple[str, str], Sequence[str]]) -> list[Atom]:
    """The atoms with the missing ones of `missing` (chain and number -> names) put in.

    Atoms that are there do not move; the residue that gains atoms loses its hydrogens,
    which are placed anew afterwards.
    """
    heavy = [
        replace(a, resname=residues.standard(a.resname)) for a in atoms if a.element != "H" and _standard(a)
    ]
    heavy = _about(heavy, missing)
    places = list(by_residue(heavy))
    fixer = PDBFixer(
        pdbfile=io.StringIO(_numbered(heavy, places)), platform=mm.Platform.getPlatformByName("Reference")
    )
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    fixer.missingTerminals = {}
    fixer.addMissingAtoms(seed=SEED)
    found: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    places_by_id = {(place[0], str(i % 9999 + 1)): place for i, place in enumerate(places)}
    for atom, position in zip(fixer.topology.atoms(), fixer.positions, strict=True):
        place = places_by_id.get((atom.residue.chain.id, atom.residue.id))
        if place is not None and atom.name in missing.get(place, ()):
            x, y, z = (round(float(value) * ANGSTROM_PER_NM, 3) for value in position._value)
            found.setdefault(place, {})[atom.name] = (x, y, z)
    for place, group in by_residue(heavy).items():
        if place in found:
            settled = [a for a in heavy if a.place != place]
            settled += [
                replace(group[0], name=n, element=n[0], xyz=x)
                for p in found
                if p != place
                for n, x in found[p].items()
            ]
            found[place] = _turned(
                {a.name: a.xyz for a in group} | found[place], found[place], group[0].resname, settled
            )
    result: list[Atom] = []
    for place, group in by_residue(atoms).items():
        if place not in missing:
            result += group
            continue
        there = {atom.name: atom for atom in group if atom.element != "H"}
        new = found.get(place, {})
        for name in residues.hydrogens(residues.standard(group[0].resname)):
            if name in there:
                result.append(there.pop(name))
            elif name in new:
                result.append(replace(group[0], name=name, element=name[0], xyz=new[name]))
        result += there.values()
    return result


def _about(heavy: Sequence[Atom], missing: Mapping[tuple[str, str], Sequence[str]]) -> list[Atom]:
    """The residues near those that gain atoms: the reference platform's time grows with the square of all."""
    gaining = coords([atom for atom in heavy if atom.place in missing])
    if not len(gaining):
        return list(heavy)
    gaps, _ = cKDTree(gaining).query(coords(heavy), distance_upper_bound=REACH)
    near = {atom.place for atom, gap in zip(heavy, gaps.tolist(), strict=True) if gap <= REACH}
    return [atom for atom in heavy if atom.place in near]


def _turned(there: Named, new: Named, resname: str, others: Sequence[Atom]) -> Named:
    """The new atoms at the rotamer with the fewest clashes; only bonds beyond which all is new may turn."""
    chain = _CHI.get(resname, "").split()
    turns: list[tuple[str, str, list[str], list[float]]] = []
    for k in range(len(chain) - 3):
        b, c = chain[k + 1], chain[k + 2]
        moving = [name for name in there if len(name) > 1 and _remoteness(name) > _remoteness(c)]
        if c not in there or b not in there or not moving or not set(moving) <= set(new):
            continue
        last = k == len(chain) - 4 and resname in _FLAT_ENDS
        turns.append((b, c, moving, [float(a) for a in (range(0, 360, 30) if last else range(0, 360, 120))]))
    names = list(there)
    start = np.array([there[name] for name in names])
    index = {name: i for i, name in enumerate(names)}
    wall = coords(others)
    wall = wall[np.linalg.norm(wall - start.mean(axis=0), axis=1) < 15.0]
    movable = [index[name] for name in new]
    best, least = start, np.inf
    for angles in product(*(options for *_, options in turns)):
        points = start.copy()
        for (b, c, moving, _), angle in zip(turns, angles, strict=True):
            rows = [index[name] for name in moving]
            points[rows] = _rotated(points[rows], points[index[b]], points[index[c]], np.deg2rad(angle))
        gaps = np.linalg.norm(points[movable][:, None] - wall[None], axis=-1)
        cost = round(float(np.square(np.clip(3.4 - gaps, 0.0, None)).sum()), 6)
        if cost < least:
            best, least = points, cost
    x = {name: tuple(round(float(v), 3) for v in best[index[name]]) for name in new}
    return {name: (point[0], point[1], point[2]) for name, point in x.items()}


def _remoteness(name: str) -> int:
    """CB 1, CG 2, ...; backbone atoms 0."""
    return _REMOTE.find(name[1]) if name not in ("C", "O", "N", "CA", "OXT") and len(name) > 1 else 0


def _rotated(points: Floats, b: Floats, c: Floats, angle: float) -> Floats:
    """Turn points about the axis b -> c (Rodrigues)."""
    axis = (c - b) / np.linalg.norm(c - b)
    from_c = points - c
    turned: Floats = (
        from_c * np.cos(angle)
        + np.cross(axis, from_c) * np.sin(angle)
        + axis * (from_c @ axis)[:, None] * (1 - np.cos(angle))
        + c
    )
    return turned


def _standard(atom: Atom) -> bool:
    return residues.standard(atom.resname) in residues.NAMES


def _numbered(heavy: Sequence[Atom], places: Sequence[tuple[str, str]]) -> str:
    """PDB text with residues counted from 1: insertion codes and gaps would confuse the chain."""
    order = {place: str(i % 9999 + 1) for i, place in enumerate(places)}
    return pdb_text([replace(atom, number=order[atom.place]) for atom in heavy])
