"""A small piece of a real protein for tests: residues about ergotamine in 5-HT1B, from the prolif package."""

from __future__ import annotations

from functools import lru_cache

from docking import demo_target
from docking.protein import receptor_mol
from docking.protein.structure import Atom, pdb_text


@lru_cache(maxsize=1)
def atoms() -> tuple[Atom, ...]:
    """Whole residues within 9 Å of ergotamine, hydrogens included."""
    everything = receptor_mol.atoms_of(demo_target.receptor())
    return tuple(receptor_mol.near(everything, demo_target.reference().GetConformer().GetPositions(), 9.0))


def heavy() -> list[Atom]:
    """The same without hydrogens."""
    return [atom for atom in atoms() if atom.element != "H"]


def text() -> str:
    """The same without hydrogens, as a PDB file."""
    return pdb_text(heavy())
