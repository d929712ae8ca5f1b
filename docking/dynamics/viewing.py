"""How do a pocket, its ligand and what they did become files that every viewer opens?

A PDB file names the atoms, a DCD file moves them; both hold the same atoms in the same order.
"""

from __future__ import annotations

import re
import string

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    from openmm.app import Element

from docking.dynamics.pocket import Complex
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.simulate import Run, Trajectory
from docking.dynamics.terms import Floats
from docking.protein.structure import Atom, Point, pdb_text

_LABEL = re.compile(r"(?P<chain>.*):(?P<resname>.+?)(?P<number>-?\d+[A-Za-z]?)")


def pdb(receptor: ReceptorModel, bound: Complex, ligand: Chem.Mol, xyz: Floats) -> str:
    """A pocket with its ligand as PDB text, the ligand as LIG 1 of a chain of its own.

    Parameters
    ----------
    receptor : what the pocket was cut out of
    xyz : [atom, 3] nm, of the pocket's atoms and the ligand's after them
    """
    points: list[Point] = [(x, y, z) for x, y, z in (xyz * 10.0).round(3).tolist()]
    atoms = []
    for i, whole in enumerate(bound.receptor_atoms.tolist()):
        label = receptor.labels[receptor.residue[whole]]
        found = _LABEL.fullmatch(label)
        chain, resname, number = found.groups() if found else ("", label[:3], "1")
        element = str(Element.getByAtomicNumber(int(receptor.numbers[whole])).symbol)
        atoms.append(Atom(chain, resname, number, receptor.atom_names[whole], element, points[i]))
    taken = {atom.chain for atom in atoms}
    free = next(letter for letter in "L" + string.ascii_uppercase + string.digits if letter not in taken)
    counts: dict[str, int] = {}
    for atom, point in zip(ligand.GetAtoms(), points[bound.ligand], strict=True):
        element = atom.GetSymbol()
        counts[element] = counts.get(element, 0) + 1
        atoms.append(
            Atom(free, "LIG", "1", f"{element.upper()}{counts[element]}"[:4], element, point, hetero=True)
        )
    return pdb_text(atoms)


def dcd(walk: Trajectory, run: Run) -> bytes:
    """A trajectory as a DCD file (CHARMM format, no box), Å."""
    frames = walk.frames.astype("<f4")
    header = b"CORD" + np.array([len(frames), 1, 1, len(frames), 0, 0, 0, 0, 0], dtype="<i4").tobytes()
    header += np.array([run.frame_ps / 0.04888821], dtype="<f4").tobytes()  # ps to AKMA time
    header += np.array([0] * 9 + [24], dtype="<i4").tobytes()
    title = np.array([1], dtype="<i4").tobytes() + b"Discovery workbench: pocket and ligand".ljust(80)
    parts = [_block(header), _block(title), _block(np.array([frames.shape[1]], dtype="<i4").tobytes())]
    for frame in frames:
        parts += [_block(np.ascontiguousarray(frame[:, axis]).tobytes()) for axis in range(3)]
    return b"".join(parts)


def _block(data: bytes) -> bytes:
    size = np.array([len(data)], dtype="<i4").tobytes()
    return size + data + size
