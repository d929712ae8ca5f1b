"""Where are the side-chain atoms that the crystal did not show?

PDBFixer lays its templates over what is there and relaxes the new atoms alone, on
OpenMM's reference platform with a fixed seed, so the answer is always the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from docking import residues
from docking.structure import Atom, by_residue, pdb_text

try:
    from pdbfixer import PDBFixer
    from pdbfixer.pdbfixer import mm
except ImportError as error:
    raise ImportError(
        "rebuilding missing atoms needs: pip install 'discovery-workbench[docking]'; or prepare with rebuild=False"
    ) from error

SEED = 1
ANGSTROM_PER_NM = 10.0


def rebuilt(atoms: Sequence[Atom], missing: Mapping[tuple[str, str], Sequence[str]]) -> list[Atom]:
    """The atoms with the missing ones of `missing` (chain and number -> names) put in.

    Atoms that are there do not move; the residue that gains atoms loses its hydrogens,
    which are placed anew afterwards.
    """
    heavy = [
        replace(a, resname=residues.standard(a.resname)) for a in atoms if a.element != "H" and _standard(a)
    ]
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


def _standard(atom: Atom) -> bool:
    return residues.standard(atom.resname) in residues.NAMES


def _numbered(heavy: Sequence[Atom], places: Sequence[tuple[str, str]]) -> str:
    """PDB text with residues counted from 1: insertion codes and gaps would confuse the chain."""
    order = {place: str(i % 9999 + 1) for i, place in enumerate(places)}
    return pdb_text([replace(atom, number=order[atom.place]) for atom in heavy])
