"""Does the pose hold? How far it drifts, and which of its contacts it keeps.

Frames need no fitting: the pocket's frozen shell holds every frame in the receptor's
place (see simulate.py). Distances follow the ligand's symmetry, so a ring that flips
has not moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from docking.dynamics.pocket import Complex
from docking.dynamics.terms import Floats, Ints
from docking.pose import same_atoms

REACH = 4.0  # Å between heavy atoms: a contact
SLACK = 1.0  # Å further, and it is still kept


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """One replica, seen from the docked pose."""

    rmsd: Floats  # [frame] Å, ligand heavy atoms
    kept: Floats  # [frame], share of the docked pose's residue contacts still there


def stability(
    bound: Complex, mol: Chem.Mol, docked: Floats, frames: Floats, receptor_heavy: Ints
) -> Stability:
    """Drift and contacts of one replica.

    Parameters
    ----------
    mol
        The ligand, in the complex's atom order.
    docked : [atom, 3], Å
        The whole complex with the ligand as docked.
    frames : [frame, atom, 3], Å
        The same atoms.
    receptor_heavy : [heavy atom]
        Which receptor atoms are no hydrogens.

    Raises
    ------
    ValueError
        If `frames` and `docked` differ in their atoms.
    """
    if frames.shape[1:] != docked.shape:
        raise ValueError(f"frames hold {frames.shape[1]} atoms but the docked complex {docked.shape[0]}")
    placed = _placed(mol, docked[bound.ligand])
    heavy = np.array([a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]) + bound.n_receptor
    pairings = same_atoms(placed, placed)
    moved = frames[:, heavy]
    squares = np.stack(
        [np.square(moved - docked[heavy][pairing]).sum(axis=-1).mean(axis=-1) for pairing in pairings]
    )
    there = _contacts(bound, docked, heavy, receptor_heavy, REACH)
    kept = np.array(
        [(_contacts(bound, frame, heavy, receptor_heavy, REACH + SLACK) & there).sum() for frame in frames]
    )
    return Stability(np.sqrt(squares.min(axis=0)), kept / max(1, int(there.sum())))


def _contacts(bound: Complex, xyz: Floats, heavy: Ints, receptor_heavy: Ints, reach: float) -> np.ndarray:
    """[residue], whether any heavy atom is within reach of the ligand's."""
    gaps = np.linalg.norm(xyz[receptor_heavy][:, None] - xyz[heavy][None], axis=-1).min(axis=1)
    nearest = np.full(len(bound.labels), np.inf)
    np.minimum.at(nearest, bound.residue[receptor_heavy], gaps)
    return nearest <= reach


def _placed(mol: Chem.Mol, xyz: Floats) -> Chem.Mol:
    copy = Chem.Mol(mol)
    copy.RemoveAllConformers()
    conformer = Chem.Conformer(copy.GetNumAtoms())
    for i, point in enumerate(xyz.tolist()):
        conformer.SetAtomPosition(i, point)
    copy.AddConformer(conformer)
    return copy
