"""Which molecules of a large collection are worth looking at next, before anything of it was scored?

Molecules that can be bought, or any file of them. They are indexed by their circular
substructures, so that a look through a quarter of a million takes milliseconds: those
that share rare substructures with good molecules, or, while nothing is known to be good,
those that hold most of what was never tried.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import rdkit
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from discovery.files import CannotWrite, cache_folder, publish
from discovery.intake import written_in
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError
from generative.refusal import SettingError
from generative.trees import MARKED, flatten

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COMMON = 3  # molecules that must hold a substructure for it to be worth meeting
KEPT = 20_000  # molecules from which on an index is worth keeping
CHARGED = re.compile(r"[+.]|-\]|-\d\]")  # charges, or several parts
NITRO = "[N+](=O)[O-]"  # no charge that could be taken away
RADIUS = 3  # radius of the circular substructures, in bonds

_TEXTS = ("smiles", "names")
_TABLES = ("hashes", "held", "starts", "holders", "opens")
_CIRCLES = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS)


@lru_cache(maxsize=40_000)
def circles(smiles: str) -> tuple[int, ...]:
    """A molecule's circular substructures, by their hashes."""
    return tuple(_CIRCLES.GetSparseCountFingerprint(Chem.MolFromSmiles(smiles)).GetNonzeroElements())


@dataclass(frozen=True)
class Collection:
    """Molecules and the substructures that at least `COMMON` of them hold.

    Two tables of pairs (molecule, substructure), sorted one way and the other: `held` and
    `starts` list the substructures of each molecule, `holders` and `opens` the molecules of each substructure.
    """

    smiles: tuple[str, ...]
    names: tuple[str, ...]  # [molecule] SMILES as a proposal has it: canonical, flat, uncharged; no two alike
    hashes: Ints  # [substructure], ascending
    held: npt.NDArray[np.int32]
    starts: Ints  # [molecule + 1]
    holders: npt.NDArray[np.int32]
    opens: Ints  # [substructure + 1]

    @classmethod
    def of(cls, smiles: Iterable[str]) -> Collection:
        """From SMILES, each kept as it is written; what RDKit cannot read is left out with a warning.

        Of stereoisomers, salts and charges of one molecule the first is kept.
        """
        kept: dict[str, str] = {}
        lengths: list[int] = []
        found = array("Q")
        bad: list[str] = []
        with quiet_rdkit():
            for text in smiles:
                mol = Chem.MolFromSmiles(text)
                if mol is None or mol.GetNumAtoms() < 2:
                    bad.append(text)
                    continue
                if (name := _named(text, mol)) in kept:
                    continue
                mine = _CIRCLES.GetSparseCountFingerprint(mol).GetNonzeroElements()
                kept[name] = text
                lengths.append(len(mine))
                found.extend(mine)
        if bad:
            warnings.warn(
                f"{len(bad)} of {len(bad) + len(kept)} SMILES of the collection left out; the first is {bad[0]}",
                stacklevel=2,
            )
        codes = np.frombuffer(found, dtype=np.uint64).astype(np.int64)
        hashes, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
        rows_ = np.repeat(np.arange(len(kept)), lengths)
        common = counts >= COMMON
        number = np.cumsum(common) - 1
        keep = common[inverse]
        held, rows_ = number[inverse[keep]].astype(np.int32), rows_[keep]
        order = np.argsort(held, kind="stable")
        return cls(
            tuple(kept.values()),
            tuple(kept),
            hashes[common],
            held,
            np.concatenate([[0], np.cumsum(np.bincount(rows_, minlength=len(kept)))]),
            rows_[order].astype(np.int32),
            np.concatenate([[0], np.cumsum(np.bincount(held, minlength=int(common.sum())))]),
        )

    @cached_property
    def counts(self) -> Ints:
        """[substructure] how many molecules hold it."""
        return np.diff(self.opens)

    @cached_property
    def row(self) -> dict[str, int]:
        """By name."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def _rarity(self) -> Floats:
        """[substructure] what sharing it says: the logarithm of how few hold it."""
        return np.log(len(self.smiles) / self.counts)

    @cached_property
    def _lengths(self) -> Floats:
        """[molecule]"""
        squares = np.square(self._rarity)[self.held]
        return np.sqrt(np.add.reduceat(np.append(squares, 0.0), self.starts[:-1]) + 1e-9)

    def numbers(self, hashes: Sequence[int]) -> Ints:
        """Of a molecule's substructures, those that the collection knows."""
        wanted = np.asarray(hashes, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.hashes, wanted), max(len(self.hashes) - 1, 0))
        return at[self.hashes[at] == wanted] if len(self.hashes) else at[:0]

    def near(self, smiles: Sequence[str], n: int, without: npt.NDArray[np.bool_]) -> list[int]:
        """Rows of the molecules most like those given, `n` for each, no row twice.

        Likeness is the cosine of the substructures shared, each weighted by how rare it is;
        those that more than a twentieth of the collection hold say too little to be counted.

        Parameters
        ----------
        without : [molecule]
            True where a row is not wanted.
        """
        taken = without.copy()
        found: list[int] = []
        for one in smiles:
            mine = self.numbers(circles(one))
            mine = mine[self.counts[mine] <= max(len(self.smiles) / 20, 50)]
            if not len(mine):
                continue
            parts = [self.holders[self.opens[code] : self.opens[code + 1]] for code in mine]
            weights = np.repeat(np.square(self._rarity[mine]), [len(part) for part in parts])
            sums = np.bincount(np.concatenate(parts), weights, minlength=len(self.smiles)).astype(np.float64)
            shared = sums / self._lengths
            shared[taken] = -1.0
            best = _top(shared, n)
            best = best[shared[best] > 0]
            taken[best] = True
            found += best.tolist()
        return found

    def unmet(self, asked: Iterable[str], n: int, without: npt.NDArray[np.bool_]) -> list[int]:
        """Rows that, one after another, hold most substructures that none of those asked about holds.

        A substructure counts by the square root of how many molecules hold it: between each kind
        alike, which rare ones would rule, and each molecule alike, which common ones would.
        """
        weights = np.sqrt(self.counts)
        fresh = np.ones(len(self.hashes), dtype=bool)
        for one in asked:
            fresh[self.numbers(circles(one))] = False
        gains = np.add.reduceat(np.append(fresh[self.held] * weights[self.held], 0.0), self.starts[:-1])
        gains[self.starts[:-1] == self.starts[1:]] = 0
        gains[without] = -1
        found: list[int] = []
        for _ in range(min(n, int((~without).sum()))):
            best = int(np.argmax(gains.round(6)))
            found.append(best)
            mine = self.held[self.starts[best] : self.starts[best + 1]]
            for code in mine[fresh[mine]]:
                np.subtract.at(gains, self.holders[self.opens[code] : self.opens[code + 1]], weights[code])
            fresh[mine] = False
            gains[best] = -1
        return found


def _top(values: Floats, n: int) -> Ints:
    """Indices of the n largest, largest first, the earlier of equals."""
    values = values.round(9)
    some = np.argpartition(-values, n)[: n + 1] if n < len(values) else np.arange(len(values))
    some = np.flatnonzero(values >= values[some].min())
    return some[np.argsort(-values[some], kind="stable")][:n]


def _named(text: str, mol: Chem.Mol) -> str:
    """What the molecule is called once it is proposed: by RDKit alone where that is certain to be it."""
    if CHARGED.search(text.replace(NITRO, "")):
        try:
            mol = Molecule.parse(text).mol()
        except MoleculeError:
            return text  # nor will it be proposed
    return str(Chem.MolToSmiles(flatten(mol) if MARKED.search(text) else mol))


@lru_cache(maxsize=2)
def read(path: Path) -> Collection:
    """The collection in a file of molecules, whatever `discovery screen` reads.

    Its index is kept in `collections` of the cache (`discovery.files.cache_folder`), under the file's
    checksum: a quarter of a million molecules take a minute the first time.

    Raises
    ------
    SettingError
        The file cannot be opened, or holds no SMILES.
    """
    texts = list(written_in(path))
    found = Collection.of(dict.fromkeys(texts)) if len(texts) < KEPT else _kept(texts)
    if not found.smiles:
        raise SettingError(f"{path}: no row holds a SMILES")
    return found


def _kept(texts: Sequence[str]) -> Collection:
    """From the cache, or made and put there; a cache that cannot be read or written is done without."""
    words = "\n".join(texts)
    name = sha256(f"named {RADIUS} {COMMON} {rdkit.__version__}\n{words}".encode()).hexdigest()
    place = cache_folder("collections") / f"{name}.npz"
    with (
        suppress(OSError, EOFError, ValueError, KeyError, BadZipFile),
        np.load(place, allow_pickle=False) as tables,
    ):
        smiles, names = (tuple(tables[table].tobytes().decode().split("\n")) for table in _TEXTS)
        return Collection(smiles, names, *(tables[table] for table in _TABLES))
    found = Collection.of(dict.fromkeys(texts))
    whole = BytesIO()
    tables_ = {table: getattr(found, table) for table in _TABLES}
    for table in _TEXTS:
        tables_[table] = np.frombuffer("\n".join(getattr(found, table)).encode(), np.uint8)
    np.savez(whole, **tables_)
    with suppress(CannotWrite, OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        publish(place, whole.getvalue())
    return found
