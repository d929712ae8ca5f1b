"""Which candidates deserve an oracle's call, judging by the molecules it has scored?

A Gaussian process over molecules: cosines between counts of substructures, which fall off
slowly and so add up what parts of different molecules are worth; the Tanimoto similarity, which
is narrower; the same of pharmacophores, for oracles that see hydrogen bond donors and not atoms;
Gaussian kernels on descriptors. It is fitted to rewards half by rank, half by value,
so that one high or many zero rewards do not bend the scale. Shares of the kernels are picked from
a short list: maximising the likelihood on this little data puts all weight on the descriptors,
and the process then cannot tell analogues apart.

References
----------
.. [1] A. Tripp, G. N. C. Simm, J. M. Hernandez-Lobato, arXiv:2105.10162; R.-R. Griffiths
   et al., GAUCHE, arXiv:2212.04450: Gaussian processes with Tanimoto kernels on counts.
.. [2] T. Desautels, A. Krause, J. Burdick, JMLR 2014, 15, 4053: batches by an upper
   confidence bound whose variance takes the batch so far for granted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from generative.pharmacophores import pharmacophores

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Look = tuple[Bytes, Floats, Floats]

BITS = 2_048
LEVELS = 3  # counts are told apart up to this
_LEVELS = range(1, LEVELS + 1)
# Tanimoto of ECFP4, FCFP4, atom pairs, pharmacophores; cosines of the same; descriptors, wide and narrow; formula
SHARES = (
    (0.40, 0.10, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.20, 0.20, 0.00),
    (0.15, 0.10, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.35, 0.30, 0.00),
    (0.60, 0.10, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.10, 0.10, 0.00),
    (0.40, 0.30, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.10, 0.10, 0.00),
    (0.15, 0.10, 0.45, 0.00, 0.00, 0.00, 0.00, 0.00, 0.15, 0.15, 0.00),
    (0.20, 0.10, 0.10, 0.00, 0.20, 0.10, 0.10, 0.00, 0.10, 0.10, 0.00),
    (0.00, 0.00, 0.00, 0.00, 0.40, 0.20, 0.20, 0.00, 0.10, 0.10, 0.00),
    (0.00, 0.00, 0.00, 0.00, 0.30, 0.10, 0.10, 0.00, 0.50, 0.00, 0.00),
    (0.15, 0.10, 0.05, 0.00, 0.00, 0.00, 0.00, 0.00, 0.20, 0.20, 0.30),
    (0.05, 0.05, 0.05, 0.00, 0.00, 0.00, 0.00, 0.00, 0.10, 0.10, 0.65),
    (0.20, 0.10, 0.05, 0.45, 0.00, 0.00, 0.00, 0.00, 0.10, 0.10, 0.00),
    (0.10, 0.00, 0.00, 0.70, 0.00, 0.00, 0.00, 0.00, 0.10, 0.10, 0.00),
)
NOISES = (0.001, 0.02, 0.2)  # an exact oracle, a rough one, docking
_LENGTHS = (12.0, 3.0)  # squared lengths of the descriptor kernels
_FORMULA_LENGTH = 8.0  # and of the one on formulas, atoms
ASKED = 200  # molecules by which the mixture is chosen
MOST = 1_000  # scored molecules kept
REMEMBERED = 30_000  # molecules whose features are kept in memory, some 6 kB each
EQUAL = 0.1  # largest share of them that have exactly one reward
BEST = 0.65  # share of them that are the best; the others are spread over the rest

_LOOKS: dict[str, Look] = {}
_INVARIANTS = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
_GENERATORS = (
    rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS),
    rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS, atomInvariantsGenerator=_INVARIANTS),
    rdFingerprintGenerator.GetAtomPairGenerator(fpSize=BITS),
)
COUNTED = len(_GENERATORS) + 1  # kinds of substructures; the last are pharmacophores
_COUNTED = ("C", "N", "O", "F", "S", "Cl")  # elements whose numbers are descriptors
_ELEMENTS = ("H", *_COUNTED, "Br", "P", "I", "B", "Si")
_FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")
# Spread of each descriptor among drug-like molecules, so that one unit is one step in all of them.
_SPREADS = np.array([30.0, 1.0, 1.0, 2.5, 1.3, 5.0, 6.0, 1.5, 1.5, 1.0, 0.7, 0.7], dtype=np.float32)


@dataclass(frozen=True)
class Features:
    """Molecules as the kernels see them."""

    counts: Bytes  # [kernel, molecule, bit] how often each substructure is there, up to LEVELS
    descriptors: Floats  # [molecule, descriptor]
    formulas: Floats  # [molecule, element] how many atoms of it, hydrogens too

    @classmethod
    def of(cls, looks: Sequence[Look]) -> Features:
        counts, descriptors, formulas = zip(*looks, strict=True)
        return cls(np.stack(counts, axis=1), np.stack(descriptors), np.stack(formulas))

    @cached_property
    def sizes(self) -> Floats:
        """[kernel, molecule] number of substructures."""
        sizes: Floats = self.counts.sum(2, dtype=np.float32)
        return sizes

    @cached_property
    def columns(self) -> tuple[Ints, ...]:
        """For each kernel those of the LEVELS * BITS places of `coded` at which any molecule has a 1."""
        most = self.counts.max(1)
        return tuple(np.flatnonzero(np.concatenate([row >= level for level in _LEVELS])) for row in most)

    @cached_property
    def codes(self) -> tuple[Floats, ...]:
        return tuple(self.coded(number, columns) for number, columns in enumerate(self.columns))

    def coded(self, number: int, columns: Ints) -> Floats:
        """[molecule, column] 0 or 1: is the count of a bit at least 1, 2, 3?"""
        level, bit = np.divmod(columns, BITS)
        code: Floats = (self.counts[number][:, bit] > level).astype(np.float32)
        return code

    def some(self, chosen: Sequence[int] | Ints) -> Features:
        return Features(self.counts[:, chosen], self.descriptors[chosen], self.formulas[chosen])


def look(mol: Chem.Mol) -> Look:
    """What one molecule adds to `Features`: counts [kernel, bit] and descriptors."""
    counts = np.stack([*(g.GetCountFingerprintAsNumPy(mol) for g in _GENERATORS), _folded(mol)])
    elements = Counter(
        {
            element: int(count or 1)
            for element, count in _FORMULA.findall(rdMolDescriptors.CalcMolFormula(mol))
        }
    )
    descriptors = [
        rdMolDescriptors.CalcTPSA(mol),
        rdMolDescriptors.CalcNumRings(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol, False),
        rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
        mol.GetNumHeavyAtoms(),
        *(elements[element] for element in _COUNTED),
    ]
    return (
        np.minimum(counts, LEVELS).astype(np.uint8),
        np.array(descriptors, dtype=np.float32) / _SPREADS,
        np.array([elements[element] for element in _ELEMENTS], dtype=np.float32),
    )


def _folded(mol: Chem.Mol) -> npt.NDArray[np.uint32]:
    """[bit] how many of its pharmacophores fall on it, by Knuth's multiplicative hash."""
    keys = np.fromiter(pharmacophores(mol), dtype=np.uint32)
    bits = (keys * np.uint32(2_654_435_761)) >> np.uint32(21)
    return np.bincount(bits, minlength=BITS).astype(np.uint32)


def looked_at(smiles: str, mol: Chem.Mol | None = None) -> Look:
    """As `look`, once for each molecule met: edits of the same parents make the same children again."""
    found = _LOOKS.get(smiles)
    if found is None:
        if len(_LOOKS) >= REMEMBERED:
            _LOOKS.clear()
        found = _LOOKS[smiles] = look(mol or Chem.MolFromSmiles(smiles))
    return found


def features(smiles: Sequence[str]) -> Features:
    """SMILES -> features; a molecule met before is not looked at again."""
    return Features.of([looked_at(one) for one in smiles])


def kernels(a: Features, b: Features, shares: Sequence[float] = ()) -> Floats:
    """[kernel, molecule of a, molecule of b] similarities, 1 for equal molecules: see `Mixture`.

    Only substructures that `b` holds can be shared, so only they are multiplied. Given `shares`, kinds
    of substructures that have none are left at 0.
    """
    first = 2 * COUNTED
    found = np.zeros((first + len(_LENGTHS) + 1, len(a.descriptors), len(b.descriptors)), np.float32)
    for number, columns in enumerate(b.columns):
        if shares and not (shares[number] or shares[COUNTED + number]):
            continue
        codes = b.codes[number] if a is b else a.coded(number, columns)
        shared = codes @ b.codes[number].T  # the smaller count, summed over bits
        mine, theirs = a.sizes[number][:, None], b.sizes[number]
        np.divide(shared, np.maximum(mine + theirs - shared, 1.0), out=found[number])
        np.divide(shared, np.sqrt(np.maximum(mine * theirs, 1.0)), out=found[COUNTED + number])
    far = apart(a.descriptors, b.descriptors)
    for number, length in enumerate(_LENGTHS):
        found[first + number] = np.exp(-0.5 * far / length)
    found[-1] = np.exp(-0.5 * apart(a.formulas, b.formulas) / _FORMULA_LENGTH)
    return found


def apart(a: Floats, b: Floats) -> Floats:
    """[row of a, row of b] squared distances."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2.0 * a @ b.T
    result: Floats = np.maximum(squares, 0.0)
    return result


@dataclass(frozen=True)
class Mixture:
    """How much each kernel says, and how far rewards scatter around the process."""

    shares: tuple[float, ...]  # of each of `kernels`, as in SHARES
    noise: float  # variance, where the spread of rewards is 1

    def __call__(self, a: Features, b: Features) -> Doubles:
        """[molecule of a, molecule of b]"""
        return self.of(kernels(a, b, self.shares))

    def of(self, found: Floats) -> Doubles:
        shares = np.array(self.shares, dtype=np.float32)
        return np.tensordot(shares, found, axes=1).astype(np.float64)

    @classmethod
    def choose(cls, found: Floats, target: Doubles) -> Mixture:
        """The one whose predictions of each molecule from all the others are nearest.

        High rewards weigh more: among them the next calls will be made. Of a low number of
        settings, none of which lets a single kernel speak, since with little data one
        that fits by chance would be chosen.
        """
        weights = np.maximum(target, 0.0) + 0.2
        mixtures = [cls(shares, noise) for shares in SHARES for noise in NOISES]
        errors = []
        for mixture in mixtures:
            inverse = np.linalg.inv(mixture.of(found) + mixture.noise * np.eye(len(target)))
            left_out = (inverse @ target) / np.diag(inverse)
            errors.append(np.average(np.square(left_out), weights=weights))
        return mixtures[int(np.argmin(errors))]


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process on scored molecules."""

    known: Features
    mixture: Mixture
    factor: Doubles  # [molecule, molecule] inverse of the lower Cholesky factor
    weights: Doubles  # [molecule]: kernel inverse times targets

    @classmethod
    def fit(cls, smiles: Sequence[str], rewards: Sequence[float], seed: int = 0) -> Surrogate:
        """Learn from scored molecules; of many, from the best and a sample of the others.

        Raises
        ------
        ValueError
            If fewer than two are given.
        """
        if len(smiles) < 2:
            raise ValueError(f"a surrogate needs at least 2 scored molecules, not {len(smiles)}")
        value = np.asarray(rewards, dtype=np.float64)
        chosen = representative(value, seed, MOST)
        value = value[chosen]
        known = features([smiles[index] for index in chosen])
        target = targets(value)
        some = representative(value, seed, ASKED)
        few = known.some(some)
        mixture = Mixture.choose(kernels(few, few), target[some])
        gram = mixture(known, known)
        factor = np.linalg.inv(np.linalg.cholesky(gram + mixture.noise * np.eye(len(value))))
        return cls(known, mixture, factor, factor.T @ (factor @ target))

    def predict(self, candidates: Features) -> tuple[Doubles, Doubles]:
        """[molecule] mean and standard deviation, in standard deviations of the rewards known."""
        cross = self.mixture(candidates, self.known)
        variance = 1.0 - np.square(cross @ self.factor.T).sum(1)
        return cross @ self.weights, np.sqrt(np.maximum(variance, 1e-12))

    def batch(
        self,
        candidates: Features,
        n: int,
        optimism: Sequence[float],
        groups: Sequence[str] = (),
        per_group: int = 0,
    ) -> list[int]:
        """Indices of `n` candidates chosen one after another.

        Each is the highest in mean + optimism * deviation, where the deviation takes
        those before it as scored, so that near twins are not chosen together. With
        `per_group`, at most so many of those with equal `groups` are chosen, and fewer
        than `n` in all where that leaves no others.
        """
        cross = self.mixture(candidates, self.known)
        mean = cross @ self.weights
        seen = cross @ self.factor.T  # [candidate, known]
        # [candidate, candidate] what is not known yet of how they vary together; the batch takes from it
        apart = self.mixture(candidates, candidates) - seen @ seen.T
        variance = np.maximum(np.diag(apart), 1e-12)
        rows: list[Doubles] = []
        chosen: list[int] = []
        closed = np.zeros(len(mean), dtype=bool)
        for number in range(n):
            if closed.all():
                break
            bound = mean + optimism[number % len(optimism)] * np.sqrt(variance)
            bound[closed] = -np.inf
            pick = int(np.argmax(bound.round(9)))  # rounded, so that a sum's last bit decides nothing
            chosen.append(pick)
            closed[pick] = True
            if per_group and sum(groups[i] == groups[pick] for i in chosen) == per_group:
                closed |= np.array([group == groups[pick] for group in groups])
            row = apart[pick].copy()
            for before in rows:
                row -= before * before[pick]
            row /= np.sqrt(variance[pick] + self.mixture.noise)
            rows.append(row)
            variance = np.maximum(variance - np.square(row), 1e-12)
        return chosen


def representative(value: Doubles, seed: int, most: int) -> Ints:
    """Indices of the scored molecules to learn from: the best, and others evenly by rank.

    Of equals chance picks, and no more than a tenth of all while there are others: from a thousand
    molecules of one reward nothing is learned about what would change it.
    """
    if len(value) <= most:
        return np.arange(len(value))
    rng = np.random.default_rng(seed)
    best_first = np.lexsort((rng.random(len(value)), -value))
    _, first = np.unique(-value[best_first], return_index=True)
    place = np.arange(len(value))
    among_equals = place - first[np.searchsorted(first, place, side="right") - 1]
    crowd = among_equals >= max(int(EQUAL * most), 1)
    kept = np.concatenate([best_first[~crowd], best_first[crowd]])[: max(most, int((~crowd).sum()))]
    best = int(BEST * most)
    rest = rng.choice(kept[best:], most - best, replace=False)
    return np.sort(np.concatenate([kept[:best], rest]))


def targets(value: Doubles) -> Doubles:
    """Rewards -> what is fitted: half the value, half the rank, both of about unit spread.

    Equal rewards have one rank, the mean of theirs.
    """
    spread = float(value.std()) or 1.0
    _, which, counts = np.unique(value, return_inverse=True, return_counts=True)
    order = (np.cumsum(counts) - 0.5 * (counts + 1))[which] / max(len(value) - 1, 1)
    result: Doubles = 0.5 * (value - value.mean()) / spread + 0.5 * (order - 0.5) * np.sqrt(12.0)
    return result
