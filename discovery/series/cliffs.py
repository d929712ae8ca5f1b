"""Which molecules look alike and act differently?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler, rdFingerprintGenerator, rdRascalMCES

from discovery.outcome import Missing
from discovery.series.measured import Measured, SeriesError
from discovery.series.sheet import Cell, Drawing, Sheet, figure, first, signed
from discovery.views.reading import label_of

WIDTH = 2048  # bits of a fingerprint
CLOSEST = 0.01  # least distance: two stereoisomers with one fingerprint would divide by nothing


@dataclass(frozen=True, slots=True)
class Cliff:
    """Two similar molecules with very different numbers."""

    worse: int  # places in the series
    better: int
    similarity: float  # Tanimoto, 0..1
    change: float  # better - worse, in the column's unit
    steepness: float  # SALI: |change| / (1 - similarity)


@dataclass(frozen=True)
class Cliffs:
    """Cliffs, steepest first; `outcomes[i]` counts those the i-th row stands at."""

    measured: Measured
    cliffs: tuple[Cliff, ...]
    similarity: float  # how alike two molecules had to be
    change: float  # how far apart their numbers had to be
    outcomes: tuple[int | Missing, ...]

    def sheet(self, n: int = 20) -> Sheet:
        """The `n` steepest cliffs, both molecules side by side."""
        entries = self.measured.entries
        rows: list[tuple[Cell, ...]] = []
        for cliff in self.cliffs[:n]:
            pair: list[Cell] = []
            molecules = [self.measured.molecule(place) for place in (cliff.worse, cliff.better)]
            marked = apart(molecules[0].smiles, molecules[1].smiles)
            for place, molecule, atoms in zip((cliff.worse, cliff.better), molecules, marked, strict=True):
                pair += [
                    Drawing(molecule.smiles, 210, 140, atoms),
                    entries[place].id,
                    figure(self.measured.value(place)),
                ]
            rows.append((*pair, signed(cliff.change), figure(cliff.similarity), figure(cliff.steepness, 1)))
        title = label_of(self.measured.column)
        heads = ("worse", "name", title, "better", "name", title, "change", "similarity", "SALI")
        note = (
            f"Pairs at least {self.similarity:g} alike (Tanimoto, ECFP4) and at least {self.change:.2f} apart, "
            "steepest first; coloured is what differs. SALI is the change divided by one minus the similarity."
        )
        return Sheet(f"{first(n, self.cliffs)} activity cliffs", heads, tuple(rows), note)

    def __repr__(self) -> str:
        return f"Cliffs: {len(self.cliffs):,} among {len(self.measured.usable):,} molecules"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()


def activity_cliffs(measured: Measured, *, similarity: float = 0.55, change: float | None = None) -> Cliffs:
    """All pairs at least this alike whose numbers are at least this far apart, by SALI.

    Likeness is the Tanimoto coefficient of ECFP4 bits, 2,048 wide, with chirality. A
    pair with equal fingerprints counts as 0.01 apart.

    Parameters
    ----------
    similarity : 0..1
    change : in the column's unit
        One standard deviation of all numbers when left out.

    Raises
    ------
    SeriesError
        `similarity` is outside 0..1, or `change` is negative.

    References
    ----------
    .. [1] R. Guha, J. H. Van Drie, J. Chem. Inf. Model. 48 (2008) 646-658, doi 10.1021/ci7004093.
    """
    if not 0.0 <= similarity <= 1.0:
        raise SeriesError(f"similarity lies between 0 and 1, not at {similarity}")
    places = measured.usable
    values = np.array([measured.value(place) for place in places])
    if change is None:
        change = statistics.stdev(values.tolist()) if len(values) > 1 else 0.0
    if change < 0:
        raise SeriesError(f"a change is a distance of two numbers, not {change}")
    prints = _packed([measured.molecule(place).mol() for place in places])
    bits = np.bitwise_count(prints).sum(axis=1, dtype=np.int64)
    found = []
    for later in range(1, len(places)):
        apart = values[later] - values[:later]
        far = np.flatnonzero((np.abs(apart) >= change) & (apart != 0))  # most pairs end here
        shared = np.bitwise_count(prints[far] & prints[later]).sum(axis=1, dtype=np.int64)
        likeness = shared / np.maximum(bits[far] + bits[later] - shared, 1)
        for nth in np.flatnonzero(likeness >= similarity):
            found.append(_cliff(measured, places[int(far[nth])], places[later], float(likeness[nth])))
    found.sort(key=lambda cliff: (-cliff.steepness, cliff.worse, cliff.better))
    counted = dict.fromkeys(places, 0)
    for cliff in found:
        counted[cliff.worse] += 1
        counted[cliff.better] += 1
    outcomes = tuple(entry.missing or counted[place] for place, entry in enumerate(measured.entries))
    return Cliffs(measured, tuple(found), similarity, change, outcomes)


def apart(one: str, other: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The atoms of each molecule, as its SMILES counts them, that the largest common part leaves out.

    Where it leaves out none: the atoms bound otherwise (regioisomers), else the stereocentres and double
    bonds labelled otherwise. Nothing where the two share too little.
    """
    mols = [Chem.MolFromSmiles(one), Chem.MolFromSmiles(other)]
    options: Any = rdRascalMCES.RascalOptions()
    options.similarityThreshold, options.timeout = 0.0, 2  # s
    options.ringMatchesRingOnly, options.completeAromaticRings = True, False
    found = rdRascalMCES.FindMCES(mols[0], mols[1], options)
    if not found:
        return (), ()
    atoms = [set(way) for way in zip(*found[0].atomMatches(), strict=True)]
    left = [{*range(mol.GetNumAtoms())} - way for mol, way in zip(mols, atoms, strict=True)]
    if not any(left):
        bonds = [set(way) for way in zip(*found[0].bondMatches(), strict=True)]
        for mol, way, gone in zip(mols, bonds, left, strict=True):
            free = [bond for bond in mol.GetBonds() if bond.GetIdx() not in way]
            gone.update(place for bond in free for place in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
    if not any(left):
        for mol in mols:
            rdCIPLabeler.AssignCIPLabels(mol)
        for pair in found[0].atomMatches():
            here, there = (mol.GetAtomWithIdx(place) for mol, place in zip(mols, pair, strict=True))
            if _label(here) != _label(there):
                left[0].add(here.GetIdx())
                left[1].add(there.GetIdx())
    return tuple(sorted(left[0])), tuple(sorted(left[1]))


def _label(atom: Chem.Atom) -> list[str]:
    """R or S, and E or Z of its double bonds."""
    double = [bond for bond in atom.GetBonds() if bond.GetBondType() is Chem.BondType.DOUBLE]
    return [part.GetProp("_CIPCode") for part in (atom, *double) if part.HasProp("_CIPCode")]


def _packed(mols: Sequence[Chem.Mol]) -> NDArray[np.uint64]:
    """[molecule, word], the fingerprints' bits."""
    if not mols:
        return np.zeros((0, WIDTH // 64), dtype=np.uint64)
    made = np.stack([_circular().GetFingerprintAsNumPy(mol) for mol in mols])
    return np.ascontiguousarray(np.packbits(made, axis=1)).view(np.uint64)


def _cliff(measured: Measured, one: int, other: int, similarity: float) -> Cliff:
    if measured.better(measured.value(one), measured.value(other)):
        one, other = other, one
    change = measured.value(other) - measured.value(one)
    return Cliff(one, other, similarity, change, abs(change) / max(1.0 - similarity, CLOSEST))


@cache
def _circular() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=WIDTH, includeChirality=True)
