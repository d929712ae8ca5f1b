"""What AutoDock 4 calls each atom of a receptor.

Standard residues are typed by name; metals by element; other groups by element,
what they are bonded to and whether they carry a hydrogen.
"""

from __future__ import annotations

from collections.abc import Sequence

from docking import pdbqt
from docking.protein import residues
from docking.protein.hydrogens import neighbours
from docking.protein.structure import Atom
from docking.receptor import ReceptorError

METALS = frozenset({"Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K", "Hg", "Co", "Ni", "Cd", "U"})
_PLAIN = {"O": "OA", "P": "P", "F": "F", "Cl": "Cl", "Br": "Br", "I": "I", "Si": "Si", "B": "C", "Se": "S"}


def write(atoms: Sequence[Atom]) -> str:
    """Rigid PDBQT of atoms with hydrogens; hydrogens on carbon are left out.

    Charges are zero: neither Vina nor Vinardo reads them.

    Raises
    ------
    ReceptorError
        For an element that has no AutoDock type; the message names the residue.
    """
    near = neighbours(atoms)
    lines: list[str] = []
    for i, atom in enumerate(atoms):
        kind = _type(atom, [atoms[j] for j in near[i]])
        if kind:
            line = pdbqt.Atom(len(lines) + 1, atom.name, atom.chain, atom.resname, atom.number, kind, 0.0)
            lines.append(line.line(atom.xyz))
    return "\n".join([*lines, "TER"]) + "\n"


def _type(atom: Atom, bonded: Sequence[Atom]) -> str:
    """The type, or "" for a hydrogen that docking does not see."""
    element, resname = atom.element, residues.standard(atom.resname)
    hydrogens = sum(other.element == "H" for other in bonded)
    heavy = [other for other in bonded if other.element != "H"]
    if element == "H":
        return "HD" if any(other.element in ("N", "O", "S") for other in bonded) else ""
    if element in METALS:
        return element
    if element == "C":
        return "A" if atom.name in residues.aromatic(resname) else "C"
    if element == "N":
        if resname in residues.NAMES or resname in ("ACE", "NME"):
            ring = resname == "HIS" and atom.name in ("ND1", "NE2")
            bare = resname == "LYS" and atom.name == "NZ" and hydrogens == 2
            return "NA" if (ring and not hydrogens) or bare else "N"
        return "NA" if not hydrogens and len(heavy) <= 2 else "N"
    if element == "S":
        return "SA" if len(heavy) <= 2 else "S"
    if element in _PLAIN:
        return _PLAIN[element]
    raise ReceptorError(
        f"{atom.residue} holds {element}, for which docking has no atom type; remove it with drop=['{atom.residue}']"
    )
