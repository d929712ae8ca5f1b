"""PDBQT text <-> atoms: coordinates, AutoDock 4 types and the torsion tree.

Which type an atom gets and which bonds turn is decided elsewhere: see ligand.py
and typing in preparation.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TYPES = frozenset([
    "C", "A", "N", "NA", "NS", "O", "OA", "OS", "S", "SA", "H", "HD", "HS", "P", "F", "Cl", "Br", "I",
    "Si", "B", "Se", "Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K", "Hg", "Co", "U", "Cd", "Ni", "CG0",
    "CG1", "CG2", "CG3", "G0", "G1", "G2", "G3", "W",
])  # fmt: skip
ELEMENT = {  # of types that are not called by it
    "A": "C", "CG0": "C", "CG1": "C", "CG2": "C", "CG3": "C", "NA": "N", "NS": "N", "OA": "O", "OS": "O",
    "SA": "S", "HD": "H", "HS": "H",
}  # fmt: skip


class PdbqtError(ValueError):
    """The text is no PDBQT; the message names the line."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One ATOM or HETATM line."""

    serial: int
    name: str
    chain: str
    resname: str
    number: str  # residue number with its insertion code: "129", "129A"
    type: str  # AutoDock 4 type, columns 78-79
    charge: float  # e
    node: int = 0  # rigid group: 0 is ROOT (and everything in a receptor), then one per BRANCH as they open

    @property
    def residue(self) -> str:
        """As messages and contact lists name it: "A:ASP129"."""
        return f"{self.chain}:{self.resname}{self.number}"

    def line(self, point: Sequence[float]) -> str:
        """The atom at `point`, [3] Å, in the columns that AutoDock and Vina read."""
        name = self.name if len(self.name) > 3 else f" {self.name}"
        number = self.number if self.number[-1:].isalpha() else f"{self.number} "
        x, y, z = (float(value) for value in point)
        return (
            f"ATOM  {self.serial % 100_000:5d} {name:<4.4s} {self.resname:>3.3s} {self.chain:1.1s}{number:>5.5s}   "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    {self.charge:6.3f} {self.type}"
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """One BRANCH line: the group `node` turns about the axis `anchor` -> `moving`."""

    node: int
    parent: int  # the node it hangs on
    anchor: int  # index into `atoms`, in the parent's node
    moving: int  # index into `atoms`, first atom of this node


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The atoms of one PDBQT model, in the order of its lines."""

    atoms: tuple[Atom, ...]
    coords: Floats  # [atom, 3] Å, read-only
    branches: tuple[Branch, ...]  # parents before children; empty for a receptor

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(atom.type for atom in self.atoms)


@lru_cache(maxsize=256)
def read(text: str) -> Structure:
    """Read a ligand or a rigid receptor; of several models the first.

    Raises
    ------
    PdbqtError
        No atoms, a malformed line, an unknown type or a broken torsion tree.
    """
    return read_models(text)[0]


def read_models(text: str) -> list[Structure]:
    """Every MODEL of a docking output, or the one structure of a plain file."""
    blocks: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("MODEL"):
            blocks.append([])
        else:
            blocks[-1].append((number, line))
    models = [
        _structure(block) for block in blocks if any(line[:6] in ("ATOM  ", "HETATM") for _, line in block)
    ]
    if not models:
        raise PdbqtError("there is no ATOM or HETATM line in this PDBQT")
    return models


def _structure(block: Sequence[tuple[int, str]]) -> Structure:
    atoms: list[Atom] = []
    coords: list[tuple[float, float, float]] = []
    opened: list[tuple[int, int, int, int]] = []  # node, parent, anchor serial, moving serial
    stack = [0]
    for number, line in block:
        word = line[:6].strip()
        if word in ("ATOM", "HETATM"):
            atom, point = _atom(number, line, stack[-1])
            atoms.append(atom)
            coords.append(point)
        elif word == "BRANCH":
            anchor, moving = _serials(number, line)
            opened.append((len(opened) + 1, stack[-1], anchor, moving))
            stack.append(len(opened))
        elif line.startswith("ENDBRANCH"):
            if len(stack) == 1:
                raise PdbqtError(f"line {number} closes a BRANCH that was never opened")
            stack.pop()
    if len(stack) > 1:
        raise PdbqtError(f"{len(stack) - 1} BRANCH line(s) are never closed by ENDBRANCH")
    index = {atom.serial: i for i, atom in enumerate(atoms)}
    branches = []
    for node, parent, anchor, moving in opened:
        if anchor not in index or moving not in index:
            raise PdbqtError(f"BRANCH {anchor} {moving} names an atom that is not in the file")
        branches.append(Branch(node, parent, index[anchor], index[moving]))
    array = np.array(coords, dtype=float)
    array.flags.writeable = False
    return Structure(tuple(atoms), array, tuple(branches))


def _atom(number: int, line: str, node: int) -> tuple[Atom, tuple[float, float, float]]:
    try:
        serial = int(line[6:11])
        point = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        charge = float(line[70:76]) if line[70:76].strip() else 0.0
    except ValueError as error:
        raise PdbqtError(f"line {number} is no PDBQT atom: {line!r}") from error
    if not np.isfinite(point).all():
        raise PdbqtError(f"line {number} has a coordinate that is no finite number: {line!r}")
    kind = line[77:].strip()
    if kind not in TYPES:
        raise PdbqtError(f"line {number}: {kind!r} in columns 78-79 is no AutoDock type")
    name, resname = line[12:16].strip(), line[17:21].strip()
    return Atom(serial, name, line[21].strip(), resname, line[22:27].strip(), kind, charge, node), point


def _serials(number: int, line: str) -> tuple[int, int]:
    try:
        _, first, second = line.split()[:3]
        return int(first), int(second)
    except ValueError as error:
        raise PdbqtError(f"line {number} is no BRANCH: {line!r}") from error


def moved(text: str, coords: Floats) -> str:
    """The same file with its atoms at [atom, 3] Å, in the order of its lines.

    Raises
    ------
    PdbqtError
        If the numbers of atoms differ, or a coordinate does not fit its eight columns.
    """
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if line[:6] in ("ATOM  ", "HETATM")]
    if len(places) != len(coords):
        raise PdbqtError(
            f"there are {len(places)} atoms in the file but {len(coords)} points to move them to"
        )
    if not np.isfinite(coords).all() or np.abs(coords).max() >= 999.0:
        raise PdbqtError("a coordinate is not finite or lies beyond the 999 Å that the format can hold")
    for i, (x, y, z) in zip(places, np.asarray(coords).tolist(), strict=True):
        lines[i] = f"{lines[i][:30]}{x:8.3f}{y:8.3f}{z:8.3f}{lines[i][54:]}"
    return "\n".join(lines) + "\n"
