"""Which candidates are worth an oracle's time?

A Gaussian process over what the oracle has said so far: kernels are similarities of
counted fingerprints with fixed weights, so that nothing is fitted that a few hundred
scores could overfit. Rewards enter half as ranks, half as values: ranks keep one
outlier from deciding everything, values keep the distances at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

Floats = npt.NDArray[np.float32]

BITS = 1_024
LEVELS = 3  # counts are told apart up to this
WEIGHTS = (0.35, 0.20, 0.30)  # ECFP4, FCFP4, atom pairs; the descriptors get the rest
NOISE = 0.02  # variance of a reward around the process, in units of the spread of rewards
MOST = 800  # scored molecules kept: the best, and the latest of the others

_INVARIANTS = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
_GENERATORS = (
    rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS),
    rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS, atomInvariantsGenerator=_INVARIANTS),
    rdFingerprintGenerator.GetAtomPairGenerator(fpSize=BITS),
)
# Spread of each descriptor among drug-like molecules, so that one unit is one step in all of them.
_DESCRIPTORS = (
    (rdMolDescriptors.CalcTPSA, 30.0),
    (rdMolDescriptors.CalcNumRings, 1.0),
    (rdMolDescriptors.CalcNumAromaticRings, 1.0),
    (rdMolDescriptors.CalcNumRotatableBonds, 2.5),
    (lambda mol: rdMolDescriptors.CalcCrippenDescriptors(mol)[0], 1.3),
    (lambda mol: mol.GetNumHeavyAtoms(), 5.0),
)


@dataclass(frozen=True)
class Features:
    """Molecules as the kernels see them."""

    prints: tuple[Floats, ...]  # one per kernel, [molecule, LEVELS * BITS] of 0 and 1: count >= 1, 2, 3
    descriptors: Floats  # [molecule, descriptor]


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process on scored molecules."""

    known: Features
    weights: npt.NDArray[np.float64]  # [molecule]: kernel inverse times rewards
    inverse: npt.NDArray[np.float64]  # [molecule, molecule]
    mean: float
    spread: float

    @classmethod
    def fit(cls, smiles: Sequence[str], rewards: Sequence[float]) -> Surrogate:
        """Learn from scored molecules, oldest first.

        Raises
        ------
        ValueError
            If fewer than two are given.
        """
        if len(smiles) < 2:
            raise ValueError(f"a surrogate needs at least 2 scored molecules, not {len(smiles)}")
        value = np.asarray(rewards, dtype=np.float64)
        best_first = np.argsort(-value, kind="stable")
        chosen = np.unique(
            np.concatenate([best_first[: 2 * MOST // 3], np.arange(len(value))[-(MOST - 2 * MOST // 3) :]])
        )
        value = value[chosen]
        known = features([smiles[index] for index in chosen])
        spread = float(value.std()) or 1.0
        rank = np.argsort(np.argsort(value, kind="stable"), kind="stable") / max(len(value) - 1, 1)
        target = 0.5 * (value - value.mean()) / spread + 0.5 * (rank - 0.5) * np.sqrt(12.0)
        inverse = np.asarray(
            np.linalg.inv(kernel(known, known) + NOISE * np.eye(len(value))), dtype=np.float64
        )
        return cls(
            known, np.asarray(inverse @ target, dtype=np.float64), inverse, float(value.mean()), spread
        )

    def predict(self, smiles: Sequence[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """[molecule] mean and standard deviation, in standard deviations of the rewards known."""
        cross = kernel(features(smiles), self.known)
        variance = 1.0 - np.einsum("ij,jk,ik->i", cross, self.inverse, cross, optimize=True)
        return cross @ self.weights, np.sqrt(np.maximum(variance, 0.0))


def kernel(a: Features, b: Features) -> npt.NDArray[np.float64]:
    """[molecule of a, molecule of b] similarity, 1 for equal molecules."""
    total = np.zeros((len(a.descriptors), len(b.descriptors)))
    for weight, one, other in zip(WEIGHTS, a.prints, b.prints, strict=True):
        shared = (one @ other.T).astype(np.float64)  # the smaller count, summed over bits
        union = one.sum(1)[:, None] + other.sum(1)[None] - shared
        total += weight * shared / np.maximum(union, 1.0)
    apart = np.square(a.descriptors[:, None] - b.descriptors[None]).sum(-1)
    result: npt.NDArray[np.float64] = total + (1.0 - sum(WEIGHTS)) * np.exp(-0.5 * apart / len(_DESCRIPTORS))
    return result


def features(smiles: Sequence[str]) -> Features:
    """SMILES -> features; each molecule is looked at once."""
    counts, descriptors = zip(*(_looked_at(one) for one in smiles), strict=True)
    stacked = np.stack([np.frombuffer(one, dtype=np.uint8).reshape(len(_GENERATORS), BITS) for one in counts])
    prints = tuple(
        np.concatenate([stacked[:, k] >= level for level in range(1, LEVELS + 1)], axis=1).astype(np.float32)
        for k in range(len(_GENERATORS))
    )
    return Features(prints, np.array(descriptors, dtype=np.float32))


@lru_cache(maxsize=20_000)
def _looked_at(smiles: str) -> tuple[bytes, tuple[float, ...]]:
    mol = Chem.MolFromSmiles(smiles)
    counts = np.stack([np.minimum(g.GetCountFingerprintAsNumPy(mol), 255) for g in _GENERATORS])
    return counts.astype(np.uint8).tobytes(), tuple(float(f(mol)) / scale for f, scale in _DESCRIPTORS)
