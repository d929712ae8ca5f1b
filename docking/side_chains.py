"""Which side chains may turn while a ligand docks, and how are they put back?

A residue's side chain becomes a torsion tree that hangs on its CA-CB bond; CA and CB
stand still. Amides, acids, guanidines and rings stay flat. How trees dock together
is told in search/assembly.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from docking import pdbqt
from docking.atom_types import Bools, Floats, find_bonds, type_atoms
from docking.ligand import superpose
from docking.ligands.tree import Tree, read_tree
from docking.protein import residues
from docking.receptor import DockingError, Receptor, ReceptorError
from docking.site import Site

BACKBONE = frozenset({"N", "H", "HN", "C", "O", "OXT", "HA", "H1", "H2", "H3"})
BOND = 2.0  # Å between two bonded heavy atoms of a side chain at most, C-S 1.82
MOST = 6  # side chains at once; with more a search finds little that can be trusted
_TURNING = {
    "ARG": "CA-CB CB-CG CG-CD CD-NE", "ASN": "CA-CB CB-CG", "ASP": "CA-CB CB-CG", "CYS": "CA-CB CB-SG",
    "GLN": "CA-CB CB-CG CG-CD", "GLU": "CA-CB CB-CG CG-CD", "HIS": "CA-CB CB-CG", "ILE": "CA-CB CB-CG1",
    "LEU": "CA-CB CB-CG", "LYS": "CA-CB CB-CG CG-CD CD-CE CE-NZ", "MET": "CA-CB CB-CG CG-SD",
    "PHE": "CA-CB CB-CG", "SER": "CA-CB CB-OG", "THR": "CA-CB CB-OG1", "TRP": "CA-CB CB-CG",
    "TYR": "CA-CB CB-CG CZ-OH", "VAL": "CA-CB",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SideChain:
    """A side chain that turns."""

    residue: str  # "A:ASP129"
    atoms: tuple[int, ...]  # indices into the receptor's PDBQT, in the order of `tree`
    tree: Tree


def cut(receptor: Receptor, names: Sequence[str], site: Site | None = None) -> list[SideChain]:
    """The side chains of residues named as in the user's file, such as ["A:ASP129", "A:PHE330"].

    Raises
    ------
    ReceptorError
        A residue is not there, has no side chain that turns, or reaches out of the site.
    DockingError
        There are more than six.
    """
    if len(set(names)) > MOST:
        raise DockingError(f"{len(set(names))} flexible residues were named; docking takes {MOST} at most")
    names = [receptor.named(name) for name in names]
    structure = pdbqt.read(receptor.pdbqt)
    typed = type_atoms(structure) if names else None
    found = []
    for name in dict.fromkeys(names):
        where = receptor.rows(name)
        kind = residues.standard(structure.atoms[where[0]].resname)
        if kind not in _TURNING:
            raise ReceptorError(f"{name} has no side chain that turns: {kind} cannot be flexible")
        order, drawn = _structure(structure, where, kind, name)
        xs = None if typed is None else typed.xs[list(order)]
        tree = read_tree(drawn)
        if not tree.torsions:
            raise ReceptorError(f"{name} has no bond that turns; is its side chain complete?")
        chain = SideChain(name, order, tree if xs is None else replace(tree, xs=xs))
        if site is not None:
            _check_inside(chain, site)
        found.append(chain)
    return found


def _check_inside(chain: SideChain, site: Site) -> None:
    moving = chain.tree.coords[(chain.tree.node != 0) & chain.tree.heavy]
    outside = float(np.maximum(np.maximum(site.low - moving, moving - site.high), 0.0).max())
    if outside > 0.0:
        raise ReceptorError(
            f"{chain.residue} reaches {outside:.1f} Å out of the box, where nothing is searched; "
            "enlarge the box, or leave the residue rigid"
        )


def _structure(
    whole: pdbqt.Structure, where: Sequence[int], kind: str, name: str
) -> tuple[tuple[int, ...], pdbqt.Structure]:
    """The side chain as a ligand's PDBQT would draw it: CA is the root, each turning bond a branch."""
    kept = [i for i in where if whole.atoms[i].name not in BACKBONE]
    by_name = {whole.atoms[i].name: k for k, i in enumerate(kept)}
    if not {"CA", "CB"} <= set(by_name):
        raise ReceptorError(f"{name} lacks CA or CB, so its side chain cannot turn")
    coords = whole.coords[kept]
    bonds = find_bonds(coords, tuple(whole.atoms[i].type for i in kept))
    links: dict[int, set[int]] = {k: set() for k in range(len(kept))}
    for a, b in bonds.tolist():
        links[a].add(b)
        links[b].add(a)
    turning = {
        frozenset((by_name[a], by_name[b]))
        for a, b in (bond.split("-") for bond in _TURNING[kind].split())
        if a in by_name and b in by_name
    }
    order: list[int] = []
    nodes: list[int] = []
    branches: list[tuple[int, int, int, int]] = []  # node, parent node, anchor, moving (both into `kept`)

    def grow(start: int, came: int, node: int) -> None:
        members, todo = [start], [start]
        while todo:
            here = todo.pop(0)
            for other in sorted(links[here] - {came}):
                if other not in members and frozenset((here, other)) not in turning:
                    members.append(other)
                    todo.append(other)
        order.extend(members)
        nodes.extend([node] * len(members))
        for here in members:
            for other in sorted(links[here] - set(members)):
                if other != came and frozenset((here, other)) in turning:
                    number = len(branches) + 1
                    branches.append((number, node, here, other))
                    grow(other, here, number)

    grow(by_name["CA"], -1, 0)
    place = {k: i for i, k in enumerate(order)}
    atoms = tuple(replace(whole.atoms[kept[k]], serial=i + 1, node=nodes[i]) for i, k in enumerate(order))
    drawn = tuple(
        pdbqt.Branch(n, parent, place[anchor], place[moving]) for n, parent, anchor, moving in branches
    )
    points = np.array(coords[order])
    points.flags.writeable = False
    return tuple(kept[k] for k in order), pdbqt.Structure(atoms, points, drawn)


def left(receptor: Receptor, chains: Sequence[SideChain]) -> Bools:
    """[atom of the receptor's PDBQT]: stays rigid."""
    stays = np.ones(len(pdbqt.read(receptor.pdbqt).atoms), dtype=bool)
    for chain in chains:
        stays[list(chain.atoms)] = False
    return stays


def pdb(receptor: Receptor, chains: Sequence[SideChain], coords: Sequence[Floats]) -> str:
    """The side chains where they came to lie, as PDB lines under their own names; hydrogens are polar ones only."""
    structure = pdbqt.read(receptor.pdbqt)
    lines = []
    for chain, points in zip(chains, coords, strict=True):
        for index, point in zip(chain.atoms, np.asarray(points).tolist(), strict=True):
            atom = structure.atoms[index]
            element = pdbqt.ELEMENT.get(atom.type, atom.type)
            lines.append(f"{atom.line(point)[:66]}          {element:>2s}")
    return "\n".join(lines) + "\n" if lines else ""


def applied(receptor: Receptor, text: str) -> Receptor:
    """The receptor with side chains as `pdb` wrote them; hydrogens that docking does not see go along.

    What judges a pose among flexible side chains needs this receptor, not the rigid one.
    """
    if not text:
        return receptor
    new = {
        (line[21].strip(), line[22:27].strip(), line[12:16].strip()): _point(line)
        for line in text.splitlines()
    }
    places = {key[:2] for key in new}
    docked = receptor.pdbqt.splitlines()
    for k, line in enumerate(docked):
        key = (line[21:22].strip(), line[22:27].strip(), line[12:16].strip())
        if line.startswith(("ATOM", "HETATM")) and key in new:
            docked[k] = _at(line, new[key])
    whole = receptor.pdb.splitlines()
    rows: dict[tuple[str, str], list[int]] = {}
    for k, line in enumerate(whole):
        place = (line[21:22].strip(), line[22:27].strip())
        if line.startswith(("ATOM", "HETATM")) and place in places:
            rows.setdefault(place, []).append(k)
    for place, where in rows.items():
        names = [whole[k][12:16].strip() for k in where]
        before = np.array([_point(whole[k]) for k in where])
        after = np.array(
            [new.get((*place, name), tuple(xyz)) for name, xyz in zip(names, before, strict=True)]
        )
        heavy = np.array([whole[k][76:78].strip() != "H" for k in where])
        for i in np.flatnonzero(~heavy):
            if (*place, names[i]) not in new:
                after[i] = carried(before[i], before[heavy], after[heavy])
        for k, xyz in zip(where, after.tolist(), strict=True):
            whole[k] = _at(whole[k], xyz)
    return replace(receptor, pdb="\n".join(whole) + "\n", pdbqt="\n".join(docked) + "\n")


def carried(hydrogen: Floats, before: Floats, after: Floats) -> Floats:
    """A hydrogen, as the heavy atoms about its own carry it: that one, its neighbours, and theirs if it has but one."""
    own = int(np.linalg.norm(before - hydrogen, axis=1).argmin())
    bonded = np.linalg.norm(before[:, None] - before[None], axis=-1) < BOND
    group = set(np.flatnonzero(bonded[own]).tolist())
    if len(group) < 3:
        for other in list(group - {own}):
            group |= set(np.flatnonzero(bonded[other]).tolist())
    rows = sorted(group)
    middle, target = before[rows].mean(axis=0), after[rows].mean(axis=0)
    rotation = superpose(before[rows] - middle, after[rows] - target)
    return np.asarray((hydrogen - middle) @ rotation + target)


def _point(line: str) -> tuple[float, float, float]:
    return float(line[30:38]), float(line[38:46]), float(line[46:54])


def _at(line: str, point: Sequence[float]) -> str:
    x, y, z = point
    return f"{line[:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}"
