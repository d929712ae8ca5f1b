"""How different are these molecules from one another?

Scaffolds say which share a ring skeleton, clusters and leaders which look alike, `spread` how
far apart they are on the whole; `pick` chooses some that are far apart. Likeness is
the Tanimoto coefficient of folded ECFP4 bits, 2,048 wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.ML.Cluster import Butina
from rdkit.SimDivFilters import rdSimDivPickers

from discovery.molecule import Molecule

MAX_CLUSTERED = 20_000  # molecules; all pairs are held, and 20,000 have 2·10^8


def scaffold(molecule: Molecule) -> str:
    """Murcko scaffold as SMILES: rings and what links them, without stereo; empty when it has no ring.

    References
    ----------
    .. [1] G. W. Bemis, M. A. Murcko, J. Med. Chem. 39 (1996) 2887-2893, doi 10.1021/jm9602928,
       as RDKit reads it: atoms doubly bound to the skeleton belong to it.
    """
    mol = molecule.mol()
    Chem.RemoveStereochemistry(mol)
    return str(Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol)))  # type: ignore[no-untyped-call]


def clusters(molecules: Sequence[Molecule], radius: float = 0.35) -> list[list[int]]:
    """Butina's clusters: places in `molecules`, each cluster's centre first, largest cluster first.

    Parameters
    ----------
    radius : 0..1
        Every member is within this Tanimoto distance of its cluster's centre.

    Raises
    ------
    ValueError
        The radius is outside 0..1, or there are more than 20,000 molecules.

    References
    ----------
    .. [1] D. Butina, J. Chem. Inf. Comput. Sci. 39 (1999) 747-750, doi 10.1021/ci9803381;
       as in rdkit.ML.Cluster.Butina, neighbours of a found cluster counted anew.
    """
    if not 0.0 <= radius <= 1.0:
        raise ValueError(f"radius is a Tanimoto distance between 0 and 1, not {radius}")
    if len(molecules) > MAX_CLUSTERED:
        raise ValueError(
            f"{len(molecules):,} molecules are too many to compare all pairs of; pick() {MAX_CLUSTERED:,} first"
        )
    if not molecules:
        return []
    prints = fingerprints(molecules)
    distances: list[float] = []
    for place in range(1, len(prints)):
        likeness = DataStructs.BulkTanimotoSimilarity(prints[place], prints[:place])
        distances.extend(1.0 - value for value in likeness)
    found = Butina.ClusterData(  # type: ignore[no-untyped-call]
        distances, len(prints), radius, isDistData=True, reordering=True
    )
    return sorted((list(members) for members in found), key=lambda members: (-len(members), members[0]))


def leaders(molecules: Sequence[Molecule], radius: float = 0.6) -> list[list[int]]:
    """Families round their first members: each molecule joins the likest leader within the radius, or leads.

    In the order given, so that with the best first every family is led by its best. Only leaders are
    compared with, so a hundred thousand molecules are no matter.

    Parameters
    ----------
    radius : 0..1
        Tanimoto distance to the leader.

    Returns
    -------
    Places in `molecules`, each family's leader first, families in the order of their leaders.

    Raises
    ------
    ValueError
        The radius is outside 0..1.
    """
    if not 0.0 <= radius <= 1.0:
        raise ValueError(f"radius is a Tanimoto distance between 0 and 1, not {radius}")
    families: list[list[int]] = []
    heads: list[DataStructs.ExplicitBitVect] = []
    for place, bits in enumerate(fingerprints(molecules)):
        likeness = DataStructs.BulkTanimotoSimilarity(bits, heads) if heads else [-1.0]
        nearest = int(np.argmax(likeness))
        if likeness[nearest] >= 1.0 - radius:
            families[nearest].append(place)
        else:
            families.append([place])
            heads.append(bits)
    return families


def pick(molecules: Sequence[Molecule], n: int, *, seed: int, first: Sequence[int] = ()) -> list[int]:
    """Places of `n` molecules far apart: each new one is farthest from its nearest chosen one (MaxMin).

    Parameters
    ----------
    n : how many, `first` included
    first : places chosen already
        Without any, the seed chooses where to begin.

    Raises
    ------
    ValueError
        `n` is larger than the number of molecules, or smaller than that of `first`.

    References
    ----------
    .. [1] M. Ashton et al., Quant. Struct.-Act. Relat. 21 (2002) 598-604,
       as in RDKit's MaxMinPicker.LazyBitVectorPick.
    """
    if not len(first) <= n <= len(molecules):
        raise ValueError(
            f"{n} of {len(molecules)} molecules cannot be picked with {len(first)} chosen already"
        )
    if n == len(first):
        return list(first)
    start = list(first) or [int(np.random.default_rng(seed).integers(len(molecules)))]
    if n == len(start):
        return start
    picker = rdSimDivPickers.MaxMinPicker()
    prints = fingerprints(molecules)
    return list(picker.LazyBitVectorPick(prints, len(prints), n, firstPicks=start, seed=seed))


def spread(molecules: Sequence[Molecule]) -> float:
    """Mean Tanimoto distance over all pairs, 0 (all alike) to 1: the internal diversity.

    Raises
    ------
    ValueError
        There are fewer than two molecules, so there is no pair.

    References
    ----------
    .. [1] M. Benhenda, arXiv:1708.08227 (2017); here a molecule is not compared with itself.
    """
    if len(molecules) < 2:
        raise ValueError(f"spread is a mean over pairs; {len(molecules)} molecules have none")
    prints = fingerprints(molecules)
    total = sum(
        sum(DataStructs.BulkTanimotoSimilarity(prints[place], prints[:place]))
        for place in range(1, len(prints))
    )
    return 1.0 - 2.0 * total / (len(prints) * (len(prints) - 1))


def fingerprints(molecules: Sequence[Molecule]) -> list[DataStructs.ExplicitBitVect]:
    """[molecule], 2,048 ECFP4 bits each."""
    return [_circular().GetFingerprint(molecule.mol()) for molecule in molecules]


@cache
def _circular() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
