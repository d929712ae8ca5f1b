"""Which rollouts do these molecules teach?

Files of SMILES become arrays of building steps, once, so that training never parses a
molecule. Every row that teaches nothing is counted by its reason. Molecules too like a
held-out drug are left out, so that benchmarks about those drugs stay a fair test.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from discovery.intake import written_in
from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError
from generative.refusal import SettingError
from generative.rollouts import UnknownUnit, ordered, shuffled
from generative.trees import Tree, flatten, split
from generative.vocabulary import Vocabulary, bonds
from generative.wishes import PROPERTIES, Floats, measured

SIMILAR = 0.323  # ECFP4 Tanimoto above which a molecule counts as a held-out drug's neighbour (GuacaMol)
MAX_ATOMS = 40
MAX_UNITS = 30
COUNTED = 25_000  # molecules of each file the vocabulary is counted on
ENTRIES = 3_072  # size of the vocabulary counted; molecules that need a rarer entry are left out
CHUNK = 4_000

# Targets of the GuacaMol and PMO tasks, flat.
HELD_OUT = (
    "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F",  # celecoxib
    "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O",  # troglitazone
    "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1",  # thiothixene
    "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",  # albuterol
    "Clc4cccc(N3CCN(CCCCOc2ccc1c(NC(=O)CC1)c2)CC3)c4Cl",  # aripiprazole
    "C#CC1(O)CCC2C3CCc4cc(OC)ccc4C3CCC21C",  # mestranol
    "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C",  # tadalafil
    "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C",  # sildenafil
    "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34",  # osimertinib
    "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4",  # fexofenadine
    "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2",  # ranolazine
    "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC",  # perindopril
    "Clc1ccccc1C2C(=C(NC(=C2C(=O)OCC)COCCN)C)C(=O)OC",  # amlodipine
    "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F",  # sitagliptin
    "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1",  # zaleplon
    "CCCCC(=O)N(Cc1ccc(-c2ccccc2-c2nn[nH]n2)cc1)C(C(C)C)C(=O)O",  # valsartan
    "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",  # the hop tasks' kinase inhibitor
)

ARRAYS = ("steps", "start", "style", "properties")  # of a dataset, each a file
Steps = npt.NDArray[np.int16]
# steps, steps of each molecule, its properties, how rows ended
Encoded = tuple[Steps, npt.NDArray[np.int64], Floats, Counter[str]]
Encode = Callable[[Sequence[str]], Encoded]


@dataclass(frozen=True)
class Dataset:
    """Rollouts of many molecules, end to end.

    Parameters
    ----------
    vocabulary : Vocabulary
    steps : [order, step, 3]
        Entry, parent and site of each step; order 0 is `ordered`, 1 is `shuffled`.
    start : [molecule + 1]
        Where a molecule's steps begin.
    style : [molecule]
        Which file it came from.
    properties : [molecule, property]
        What may be asked of a molecule, see `generative.wishes`.
    styles : names of the files, in order
    report : counts of what was read and why rows teach nothing
    """

    vocabulary: Vocabulary
    steps: Steps
    start: npt.NDArray[np.int64]
    style: npt.NDArray[np.int8]
    properties: Floats
    styles: tuple[str, ...]
    report: dict[str, dict[str, int]]

    def __len__(self) -> int:
        return len(self.style)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        about = {"styles": self.styles, "report": self.report}
        (folder / "dataset.json").write_text(json.dumps(about, indent=1))
        (folder / "vocabulary.json").write_text(self.vocabulary.to_json())

    @classmethod
    def load(cls, folder: Path) -> Dataset:
        about = json.loads((folder / "dataset.json").read_text())
        vocabulary = Vocabulary.from_json((folder / "vocabulary.json").read_text())
        arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r", allow_pickle=False) for n in ARRAYS}
        return cls(vocabulary, **arrays, styles=tuple(about["styles"]), report=about["report"])


def prepare(
    files: Sequence[Path],
    *,
    seed: int = 0,
    limit: int | None = None,
    workers: int = 1,
    vocabulary: Vocabulary | None = None,
    widen: bool = False,
    hold_out: bool = True,
) -> Dataset:
    """Files of molecules (whatever `discovery screen` reads) -> rollouts.

    Parameters
    ----------
    limit : int, optional
        At most so many molecules of each file, drawn at random.
    vocabulary : Vocabulary, optional
        Use this one, as when a trained model is taught a further series.
    widen : bool
        Add to it the units and bonds of these molecules that it lacks.
    hold_out : bool
        Leave out neighbours of the drugs that benchmarks ask for.

    Raises
    ------
    SettingError
        A file is absent or nothing in it can be used.
    """
    rows = [_shuffled_rows(path, seed, limit) for path in files]
    if vocabulary is None:
        sample = [smiles for part in rows for smiles in part[:COUNTED]]
        try:
            vocabulary = Vocabulary.count(_trees(sample), ENTRIES)
        except SettingError as error:
            raise SettingError(f"{', '.join(map(str, files))}: {error}") from error
    elif widen:
        trees = list(_trees([smiles for part in rows for smiles in part]))
        wider = vocabulary.extended([smiles for tree in trees for smiles in tree.units])
        vocabulary = Vocabulary(wider.entries, wider.pairs.union(*map(bonds, trees)))
    work = partial(_encode, vocabulary=vocabulary, seed=seed, hold_out=hold_out)
    blocks: list[Steps] = []
    lengths: list[npt.NDArray[np.int64]] = []
    style: list[npt.NDArray[np.int8]] = []
    properties: list[Floats] = []
    report: dict[str, dict[str, int]] = {}
    for number, (path, part) in enumerate(zip(files, rows, strict=True)):
        chunks = [part[start : start + CHUNK] for start in range(0, len(part), CHUNK)]
        ends: Counter[str] = Counter()
        for steps, length, found, reasons in _map(work, chunks, workers):
            blocks.append(steps)
            lengths.append(length)
            properties.append(found)
            style.append(np.full(len(length), number, dtype=np.int8))
            ends.update(reasons)
        report[path.name] = {"read": len(part), **dict(sorted(ends.items()))}
        if not ends["taught"]:
            raise SettingError(f"{path}: none of its {len(part)} rows can be used: {dict(ends)}")
    start = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return Dataset(
        vocabulary,
        np.concatenate(blocks, axis=1),
        start,
        np.concatenate(style),
        np.concatenate(properties),
        tuple(path.name.split(".")[0] for path in files),
        report,
    )


def _map(work: Encode, chunks: Sequence[Sequence[str]], workers: int) -> Iterator[Encoded]:
    if workers <= 1:
        yield from map(work, chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, chunks)


def _shuffled_rows(path: Path, seed: int, limit: int | None) -> list[str]:
    rows = list(written_in(path))
    if not rows:
        raise SettingError(f"{path} holds no rows")
    random.Random(f"dataset {seed}").shuffle(rows)
    return rows[:limit]


def _trees(rows: Sequence[str]) -> Iterator[Tree]:
    with quiet_rdkit():
        for text in rows:
            mol = Chem.MolFromSmiles(_largest(text))
            if mol is None or not 1 < mol.GetNumHeavyAtoms() <= MAX_ATOMS:
                continue
            try:
                yield split(flatten(mol))
            except MoleculeError:
                continue  # the second pass counts it


def _encode(rows: Sequence[str], vocabulary: Vocabulary, seed: int, hold_out: bool = True) -> Encoded:
    """Rows -> steps [order, step, 3], lengths [molecule], properties [molecule, property], how each row ended."""
    ends: Counter[str] = Counter()
    both: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]] = ([], [])
    lengths: list[int] = []
    properties: list[list[float]] = []
    with quiet_rdkit():
        for text in rows:
            mol = Chem.MolFromSmiles(_largest(text))
            if mol is None or mol.GetNumHeavyAtoms() < 2:
                ends["unparsable"] += 1
                continue
            if mol.GetNumHeavyAtoms() > MAX_ATOMS:
                ends["too large"] += 1
                continue
            flat = flatten(mol)
            if hold_out and near_held_out(flat):
                ends["held out"] += 1
                continue
            try:
                tree = split(flat)
                if len(tree.units) > MAX_UNITS:
                    ends["too large"] += 1
                    continue
                rollouts = (
                    ordered(tree, vocabulary),
                    shuffled(tree, vocabulary, random.Random(f"{seed} {text}")),
                )
            except MoleculeError:
                ends["no tree of units"] += 1
                continue
            except UnknownUnit:
                ends["rare unit"] += 1
                continue
            if not vocabulary.pairs.issuperset(bonds(tree)):
                ends["rare bond"] += 1
                continue
            ends["taught"] += 1
            lengths.append(len(tree.units))
            properties.append(measured(flat))
            for kept, rollout in zip(both, rollouts, strict=True):
                kept.extend(zip(rollout.entries, rollout.parents, rollout.sites, strict=True))
    steps = np.array(both, dtype=np.int16).reshape(2, -1, 3)
    told = np.array(properties, dtype=np.float32).reshape(-1, len(PROPERTIES))
    return steps, np.array(lengths, dtype=np.int64), told, ends


def _largest(text: str) -> str:
    return max(text.split("."), key=len) if "." in text else text


def near_held_out(mol: Chem.Mol) -> bool:
    """Is it more similar than GuacaMol's 0.323 to a drug that benchmarks ask for?"""
    print_ = _morgan().GetFingerprint(mol)
    return bool(max(DataStructs.BulkTanimotoSimilarity(print_, _held_out_prints())) > SIMILAR)


@lru_cache(maxsize=1)
def _morgan():  # type: ignore[no-untyped-def]
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)


@lru_cache(maxsize=1)
def _held_out_prints() -> list[DataStructs.ExplicitBitVect]:
    return [_morgan().GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in HELD_OUT]
