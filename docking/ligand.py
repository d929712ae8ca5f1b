"""A molecule as it enters the site: protonated, in three dimensions, typed, with its turning bonds.

What it does in the site is decided elsewhere: see engines/.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from discovery.molecule import Molecule
from docking import pdbqt

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ligand:
    """One protonation state and stereoisomer of a molecule, ready for docking.

    Travels as text only: `block` is a mol block with all hydrogens and the starting
    conformer, `pdbqt` its heavy atoms and polar hydrogens with the torsion tree.
    """

    molecule: Molecule  # the row it belongs to
    smiles: str  # the species that is docked, charges and stereo as in `block`
    block: str  # V3000 mol block, explicit hydrogens, coordinates in Å
    pdbqt: str
    atoms: tuple[int, ...]  # atoms[i]: index in `mol()` of the i-th atom line of `pdbqt`
    torsions: int  # turning bonds, = BRANCH lines
    notes: tuple[str, ...] = ()  # choices made on the way, said to the chemist

    def mol(self) -> Chem.Mol:
        """A fresh RDKit molecule with hydrogens and the starting conformer."""
        return Chem.Mol(_from_block(self.block))

    @property
    def digest(self) -> str:
        """sha256 of what docking sees: the same for the same species, whatever the row is called."""
        return hashlib.sha256(f"{self.smiles}\0{self.pdbqt}".encode()).hexdigest()

    def coords(self) -> Floats:
        """[atom, 3] Å of `mol()`, the starting conformer."""
        return np.array(_from_block(self.block).GetConformer().GetPositions(), dtype=float)

    def docked(self, coords: Floats) -> Floats:
        """[atom, 3] Å of `mol()` -> [pdbqt atom, 3] Å: the atoms that docking sees, in its order."""
        return np.asarray(coords, dtype=float)[list(self.atoms)]

    def whole(self, docked: Floats) -> Floats:
        """[pdbqt atom, 3] Å -> [atom, 3] Å of `mol()`: hydrogens that docking does not see are put back.

        Each rigid group is laid over its docked atoms and takes its hydrogens along,
        so bond lengths and angles stay those of the starting conformer.
        """
        return _put_back(self, np.asarray(docked, dtype=float))


@lru_cache(maxsize=1024)
def _from_block(block: str) -> Chem.Mol:
    mol = Chem.MolFromMolBlock(block, removeHs=False)
    if mol is None:
        raise ValueError("the ligand's mol block cannot be read back; it was changed after preparation")
    return mol


@lru_cache(maxsize=256)
def _riders(ligand: Ligand) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """For each rigid group with hidden hydrogens: (pdbqt indices to lay over, hidden atoms of the mol)."""
    tree = pdbqt.read(ligand.pdbqt)
    seen = {atom: i for i, atom in enumerate(ligand.atoms)}
    groups: dict[int, list[int]] = {}
    for i, atom in enumerate(tree.atoms):
        groups.setdefault(atom.node, []).append(i)
    for branch in tree.branches:
        groups[branch.node].append(branch.anchor)
        groups[branch.parent].append(branch.moving)
    hidden: dict[int, list[int]] = {}
    for atom in _from_block(ligand.block).GetAtoms():
        if atom.GetIdx() not in seen:
            carrier = seen[atom.GetNeighbors()[0].GetIdx()]
            hidden.setdefault(tree.atoms[carrier].node, []).append(atom.GetIdx())
    return tuple((tuple(groups[node]), tuple(atoms)) for node, atoms in hidden.items())


def _put_back(ligand: Ligand, docked: Floats) -> Floats:
    start = ligand.coords()
    whole = start.copy()
    whole[list(ligand.atoms)] = docked
    for group, hidden in _riders(ligand):
        before, after = start[[ligand.atoms[i] for i in group]], docked[list(group)]
        middle, target = before.mean(axis=0), after.mean(axis=0)
        rotation = _superpose(before - middle, after - target)
        whole[list(hidden)] = (start[list(hidden)] - middle) @ rotation + target
    return whole


def _superpose(moving: Floats, fixed: Floats) -> Floats:
    """[point, 3] Å, [point, 3] Å, both centred -> [3, 3]: `moving @ result` lies closest to `fixed`.

    References
    ----------
    .. [1] W. Kabsch, Acta Cryst. A32 (1976) 922, doi:10.1107/S0567739476001873
    """
    u, _, vt = np.linalg.svd(moving.T @ fixed)
    handed = np.sign(np.linalg.det(u @ vt))
    rotation: Floats = u @ np.diag([1.0, 1.0, handed]) @ vt
    return rotation
