"""Which part of the receptor does a reader need to see a pose, and where do its contacts run?

Reads PDB text by its fixed columns only: what is shown is what was docked into,
not a re-interpretation of it. Coordinates are in Å.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.views.reading import Contact

Floats = NDArray[np.float64]

BACKBONE = frozenset({"N", "CA", "C", "O"})
_POLAR = frozenset({"N", "O", "S", "F", "CL", "BR", "I"})
_RINGS = frozenset({"PHE", "TYR", "TRP", "HIS", "HID", "HIE", "HIP", "HSD", "HSE", "HSP"})
_WATER = frozenset({"HOH", "WAT", "TIP", "TIP3", "SOL", "DOD"})


@dataclass(frozen=True, slots=True)
class Atom:
    """One ATOM or HETATM line."""

    line: str
    name: str
    element: str
    residue: tuple[str, int, str, str]  # chain, number, insertion code, residue name
    xyz: tuple[float, float, float]  # Å


@dataclass(frozen=True, slots=True)
class Line3D:
    """A contact as a line to be drawn: from the ligand to the residue."""

    contact: Contact
    start: tuple[float, float, float]
    end: tuple[float, float, float]


def atoms_of(pdb: str) -> list[Atom]:
    """The first model's atoms; hydrogens and alternative places after the first are left out.

    Raises
    ------
    ValueError
        An atom's line holds no coordinates (Å) or residue number; it is quoted.
    """
    atoms: list[Atom] = []
    for line in pdb.splitlines():
        if line.startswith("ENDMDL"):
            break
        if not line.startswith(("ATOM  ", "HETATM")) or line[16:17] not in (" ", "A", "1"):
            continue
        try:
            xyz = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
            serial = int(line[22:26])
        except ValueError as error:
            raise ValueError(f"this PDB line has no coordinates or residue number: {line[:60]!r}") from error
        name = line[12:16].strip()
        element = (
            line[76:78].strip().upper() or re.sub(r"[^A-Za-z].*", "", name.lstrip("0123456789"))[:1].upper()
        )
        if element in ("H", "D"):
            continue
        residue = (line[21:22].strip(), serial, line[26:27].strip(), line[17:21].strip())
        atoms.append(Atom(line, name, element, residue, xyz))
    return atoms


def trimmed(pdb: str, near: Floats, *, pocket: float = 6.0, around: float = 45.0) -> tuple[str, list[str]]:
    """The receptor, small enough to travel in a page.

    Parameters
    ----------
    pdb : PDB text
    near : [atom, 3], Å
        Heavy atoms of everything that will be shown in the site.
    pocket : Å
        Residues with an atom this close are kept whole.
    around : Å
        The backbone (for the cartoon) is kept this far.

    Returns
    -------
    text, names
        PDB text without hydrogens and far waters, and the names "A:ASP129" of the pocket's residues.
    """
    atoms = atoms_of(pdb)
    if not atoms or not len(near):
        return "", []
    xyz = np.array([atom.xyz for atom in atoms])
    nearest = np.full(len(atoms), np.inf)
    for point in near:
        np.minimum(nearest, ((xyz - point) ** 2).sum(axis=-1), out=nearest)
    whole = {atom.residue for atom, square in zip(atoms, nearest, strict=True) if square <= pocket**2}
    lines = []
    for atom, square in zip(atoms, nearest, strict=True):
        if atom.residue in whole or (
            atom.name in BACKBONE and square <= around**2 and atom.residue[3] not in _WATER
        ):
            line = f"{atom.line[:66]:66}          {atom.element:>2}"
            lines.append(line)
    names = [residue_name(*residue) for residue in sorted(whole) if residue[3] not in _WATER]
    return "\n".join([*lines, "END", ""]), names


def residue_name(chain: str, serial: int, insertion: str, name: str) -> str:
    """ "A:ASP129", as messages and tables name a residue."""
    return f"{chain}:{name}{serial}{insertion}" if chain else f"{name}{serial}{insertion}"


_FIRST = re.compile(
    r"^(?:(?P<chain>\w+)[:.])?(?P<name>[A-Za-z]{2,4}|\d?[A-Za-z]\w?)?[ _]?(?P<serial>-?\d+)(?P<ins>[A-Z]?)(?:[.:](?P<after>\w+))?$"
)


def residue_key(text: str) -> tuple[str, int] | None:
    """ "A:ASP129", "ASP129.A", "ASP129" -> chain (empty when not told), number."""
    found = _FIRST.match(text.strip())
    if not found:
        return None
    return (found["chain"] or found["after"] or "", int(found["serial"]))


def pose_atoms(mol_block: str) -> Chem.Mol | None:
    """The pose as a molecule, unsanitised so that every atom keeps its place; None if RDKit cannot read it."""
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(mol_block, sanitize=False, removeHs=False)
    return mol if mol is not None and mol.GetNumConformers() and mol.GetNumAtoms() else None


def contact_lines(mol: Chem.Mol, contacts: Sequence[Contact], receptor: Iterable[Atom]) -> list[Line3D]:
    """Where each contact runs: between the two atoms whose distance is the stated one.

    Where the scorer named the ligand's atoms, only those are ends. Else polar atoms
    are for polar contacts, and any heavy atom for the others. Contacts with a residue
    the receptor has not are left out: there is no place to draw them to.
    """
    by_residue: dict[tuple[str, int], list[Atom]] = {}
    for atom in receptor:
        by_residue.setdefault((atom.residue[0], atom.residue[1]), []).append(atom)
        by_residue.setdefault(("", atom.residue[1]), []).append(atom)
    xyz = np.asarray(mol.GetConformer().GetPositions(), dtype=float)
    symbols = [atom.GetSymbol().upper() for atom in mol.GetAtoms()]
    heavy = [index for index, symbol in enumerate(symbols) if symbol not in ("H", "D")]
    rings = [list(ring) for ring in Chem.GetSymmSSSR(mol) if len(ring) in (5, 6)]
    lines = []
    for contact in contacts:
        key = residue_key(contact.residue)
        there = by_residue.get(key, []) if key else []
        if not there:
            continue
        named = [index for index in contact.atoms if index in heavy] or [
            index for index in contact.atoms if 0 <= index < len(symbols)
        ]
        ours, theirs = _ends(contact.kind, xyz, symbols, heavy, rings, named, there)
        gaps = np.linalg.norm(ours[:, None] - theirs[None], axis=-1)
        miss = gaps if contact.distance is None else np.abs(gaps - contact.distance) + 1e-3 * gaps
        i, j = np.unravel_index(int(miss.argmin()), gaps.shape)
        lines.append(Line3D(contact, _point(ours[i]), _point(theirs[j])))
    return lines


def _ends(
    kind: str,
    xyz: Floats,
    symbols: list[str],
    heavy: list[int],
    rings: list[list[int]],
    named: list[int],
    there: list[Atom],
) -> tuple[Floats, Floats]:
    stacked = kind in ("π-stacking", "cation-π")
    if named:
        ours = xyz[named].mean(axis=0)[None] if stacked else xyz[named]
    elif stacked and rings:
        ours = np.array([xyz[ring].mean(axis=0) for ring in rings])
    else:
        polar = [index for index in heavy if symbols[index] in _POLAR]
        apolar = [index for index in heavy if symbols[index] in ("C", "S", "F", "CL", "BR", "I")]
        chosen = apolar if kind in ("hydrophobic", "van der Waals") else polar
        ours = xyz[chosen or heavy]
    flat = [atom for atom in there if atom.name not in BACKBONE and atom.name != "CB"]
    if stacked and flat and there[0].residue[3] in _RINGS:
        return ours, np.array([atom.xyz for atom in flat if atom.name != "OH"]).mean(axis=0)[None]
    if kind in ("hydrophobic", "van der Waals"):
        mine = [atom for atom in there if atom.element in ("C", "S")]
    else:
        mine = [atom for atom in there if atom.element in ("N", "O", "S")]
    return ours, np.array([atom.xyz for atom in mine or there])


def _point(xyz: Floats) -> tuple[float, float, float]:
    return (round(float(xyz[0]), 2), round(float(xyz[1]), 2), round(float(xyz[2]), 2))
