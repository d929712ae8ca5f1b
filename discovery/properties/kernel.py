"""How alike are two molecules, as a learned model counts it?

By the circular environments and atom pairs they share, counted, and by a few descriptors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from discovery.molecule import Molecule

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BITS, LEVELS = 2048, 3  # a count is told apart up to 3
LENGTHS = (30.0, 6.0)  # squared lengths of the descriptor kernels, wide and narrow
FEW = 16  # molecules so few that their prints are compared bit by bit


@dataclass(frozen=True)
class Prints:
    """[molecule, bit] of 0 and 1: each level of a count is a bit of its own, so that likeness is that of counts."""

    bits: NDArray[np.float32]

    @cached_property
    def sizes(self) -> Floats:
        """[molecule] bits set."""
        sizes: Floats = self.bits.sum(axis=1, dtype=np.float64)
        return sizes

    @cached_property
    def _by_bit(self) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self.bits.T.astype(np.uint8))

    def common(self, other: Prints) -> Floats:
        """[self, other] bits set in both, exactly; for a few molecules only the bits they have are looked at."""
        if len(self.bits) > FEW:
            return (self.bits @ other.bits.T).astype(np.float64)
        rows = [other._by_bit[np.flatnonzero(row)].sum(axis=0, dtype=np.int64) for row in self.bits]
        return np.array(rows, dtype=np.float64)

    def tanimoto(self, other: Prints) -> Floats:
        """[self, other], 0..1."""
        return _tanimoto(self, other, self.common(other))


def _tanimoto(one: Prints, other: Prints, common: Floats) -> Floats:
    alike: Floats = common / np.maximum(one.sizes[:, None] + other.sizes[None] - common, 1.0)
    return alike


def _cosine(one: Prints, other: Prints, common: Floats) -> Floats:
    alike: Floats = common / np.maximum(np.sqrt(one.sizes[:, None] * other.sizes[None]), 1.0)
    return alike


@dataclass(frozen=True)
class Features:
    """Prints of circular environments and of atom pairs; [molecule, descriptor] standardised by `centre` and `scale`."""

    circular: Prints
    pairs: Prints
    descriptors: Floats
    centre: Floats
    scale: Floats

    @classmethod
    def of(
        cls, molecules: Sequence[Molecule], centre: Floats | None = None, scale: Floats | None = None
    ) -> Features:
        """Compute; `centre` and `scale` are those of the molecules themselves when left out."""
        mols = [molecule.mol() for molecule in molecules]
        raw = np.array([_descriptors(mol) for mol in mols])
        if centre is None or scale is None:
            centre, scale = raw.mean(axis=0), raw.std(axis=0)
            scale = np.where(scale > 0, scale, 1.0)
        circular, pairs = (Prints(np.array([_levels(maker, mol) for mol in mols])) for maker in _makers())
        return cls(circular, pairs, (raw - centre) / scale, centre, scale)

    def take(self, places: Places) -> Features:
        """Some of the molecules."""
        circular, pairs = Prints(self.circular.bits[places]), Prints(self.pairs.bits[places])
        return Features(circular, pairs, self.descriptors[places], self.centre, self.scale)


def kernel(one: Features, other: Features, shares: Sequence[float]) -> Floats:
    """[one, other], 1 for equal molecules; `shares` weigh Tanimoto of circular environments
    and of atom pairs, cosine of both, descriptors wide and narrow."""
    found = np.zeros((len(one.descriptors), len(other.descriptors)))
    for a, b, (by_share, by_angle) in (
        (one.circular, other.circular, (shares[0], shares[2])),
        (one.pairs, other.pairs, (shares[1], shares[3])),
    ):
        if by_share or by_angle:
            common = a.common(b)
            found += by_share * _tanimoto(a, b, common) + by_angle * _cosine(a, b, common)
    x, y = one.descriptors, other.descriptors
    squares = (
        ((x[:, None] - y[None]) ** 2).sum(axis=-1)
        if len(x) <= FEW
        else (np.maximum((x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None] - 2.0 * x @ y.T, 0.0))
    )
    for share, length in zip(shares[4:], LENGTHS, strict=True):
        found += share * np.exp(-squares / (2.0 * length))
    return found


def _levels(maker: Any, mol: Chem.Mol) -> NDArray[np.float32]:
    counts = maker.GetCountFingerprintAsNumPy(mol)
    return np.concatenate([counts >= level for level in range(1, LEVELS + 1)]).astype(np.float32)


@cache
def _makers() -> tuple[Any, Any]:
    return (
        rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS),
        rdFingerprintGenerator.GetAtomPairGenerator(maxDistance=7, fpSize=BITS),
    )


def _descriptors(mol: Chem.Mol) -> list[float]:
    logp, refractivity = rdMolDescriptors.CalcCrippenDescriptors(mol)
    atoms = mol.GetNumHeavyAtoms()
    return [
        logp,
        refractivity / 10.0,
        math.sqrt(rdMolDescriptors.CalcTPSA(mol)),
        math.sqrt(atoms),
        rdMolDescriptors.CalcFractionCSP3(mol),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcNumAliphaticRings(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol) / math.sqrt(atoms),
        rdMolDescriptors.CalcNumAmideBonds(mol),
        sum(atom.GetAtomicNum() in (9, 17, 35, 53) for atom in mol.GetAtoms()),
    ]
