"""Has anybody made rings like these?

Generators invent ring systems that look right and that no chemist has ever held. Here
each ring system of a molecule (rings that share atoms, with what is double-bonded to
them) is looked up among those of several hundred thousand molecules from the medicinal
literature. Unseen is no proof of impossible: it is a reason to look.

The table holds a hash and a count for each ring system, no molecule.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.score import Column, Score

SELDOM = 3  # molecules; a ring system in fewer of them is told apart from a common one


@dataclass(frozen=True, slots=True)
class UnseenRings:
    """Number of ring systems never seen in medicinal chemistry's literature.

    `details["rings"]` names each ring system that is unseen or seldom: its key, how many
    molecules of the reference hold it, and its atoms as the standardised SMILES counts them.
    """

    name: str = "unseen_rings"

    @property
    def column(self) -> Column:
        known, _ = _table()
        return Column(
            self.name,
            unit="1",
            better="low",
            title="unseen ring systems",
            about=f"ring systems that are none of the {len(known)} of the reference molecules (ChEMBL)",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        def look(molecule: Molecule) -> Score:
            rings = [(key, seen(key), atoms) for key, atoms in ring_systems(molecule.mol())]
            odd = [
                {"ring": key, "seen": times, "atoms": atoms} for key, times, atoms in rings if times < SELDOM
            ]
            unseen = sum(times == 0 for _, times, _ in rings)
            return Score(float(unseen), details={"rings": odd})

        return each("properties", look, molecules)


def ring_systems(mol: Chem.Mol) -> list[tuple[str, list[int]]]:
    """(key, ring atoms) of each ring system, by its first atom.

    Rings belong together that share an atom. The key is a canonical SMILES of the ring
    atoms and of the hetero atoms or carbons double-bonded to them, without hydrogens, charges,
    isotopes or stereo: what hangs on a ring system does not change its key.
    """
    groups: list[set[int]] = []
    for ring in mol.GetRingInfo().AtomRings():
        joined = set(ring)
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    found = []
    symbols = [_symbol(atom) for atom in mol.GetAtoms()]
    for group in sorted(groups, key=min):
        outside = {
            bond.GetOtherAtomIdx(i)
            for i in group
            for bond in mol.GetAtomWithIdx(i).GetBonds()
            if bond.GetBondType() == Chem.BondType.DOUBLE and bond.GetOtherAtomIdx(i) not in group
        }
        atoms = sorted(group | outside)
        key = Chem.MolFragmentToSmiles(
            mol, atoms, bondsToUse=_bonds(mol, group, outside), atomSymbols=symbols, isomericSmiles=False
        )
        found.append((str(key), sorted(group)))
    return found


def seen(key: str) -> int:
    """How many molecules of the reference hold this ring system; counts above 255 read 255."""
    known, counts = _table()
    wanted = _hash(key)
    place = min(int(np.searchsorted(known, wanted)), len(known) - 1)
    return int(counts[place]) if known[place] == wanted else 0


def count(molecules: Iterable[Chem.Mol]) -> Counter[str]:
    """How many of the molecules hold each ring system."""
    counts: Counter[str] = Counter()
    for mol in molecules:
        counts.update({key for key, _ in ring_systems(mol)})
    return counts


def save(counts: Counter[str], path: Path) -> None:
    """Write the table that `seen` reads."""
    table = sorted((int(_hash(key)), min(times, 255)) for key, times in counts.items())
    hashes, times = zip(*table, strict=True)
    np.savez_compressed(
        path, hashes=np.array(hashes, dtype=np.uint64), counts=np.array(times, dtype=np.uint8)
    )


def _symbol(atom: Chem.Atom) -> str:
    symbol = atom.GetSymbol()
    return str(symbol.lower() if atom.GetIsAromatic() else symbol)


def _bonds(mol: Chem.Mol, group: set[int], outside: set[int]) -> list[int]:
    """Inside the ring system, and the double bonds out of it: two partners outside stay unconnected."""
    return [
        bond.GetIdx()
        for bond in mol.GetBonds()
        if (ends := {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}) <= group
        or (len(ends & group) == 1 and ends & outside and bond.GetBondType() == Chem.BondType.DOUBLE)
    ]


def _hash(key: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))


@cache
def _table() -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    with (files("discovery.properties") / "data" / "ring_systems.npz").open("rb") as file:
        table = np.load(file, allow_pickle=False)
        return table["hashes"], table["counts"]
