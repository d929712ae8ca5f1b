"""Which units and bonds are out of bounds, and how is that known before anything is built?

A style that was learned from many molecules keeps to the units and bonds they hold. What
must be avoided rules out every unit that holds it however the unit is built on; what only
arises between units is found when a molecule stands, and such molecules are left out.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from generative.construction import CARBON
from generative.learning.dataset import Dataset
from generative.refusal import SettingError
from generative.vocabulary import Vocabulary

Bools = npt.NDArray[np.bool_]

ENOUGH = 20_000  # molecules that show what a style holds; from fewer, nothing is ruled out


def habits(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """For each style with enough molecules, the entries and bonds they use, packed for a file."""
    found: dict[str, dict[str, Any]] = {}
    tables = dataset.vocabulary.tables
    bonds = sorted(dataset.vocabulary.pairs)
    number = {bond: i for i, bond in enumerate(bonds)}
    at = np.repeat(dataset.style, np.diff(dataset.start))
    first = np.repeat(dataset.start[:-1], np.diff(dataset.start))
    root = np.arange(len(at)) == first
    kinds = dataset.vocabulary.kinds
    for style, name in enumerate(dataset.styles):
        if (dataset.style == style).sum() < ENOUGH:
            continue
        entries = np.zeros(len(dataset.vocabulary.entries), dtype=bool)
        used: set[int] = set()
        for steps in dataset.steps:
            mine = np.asarray(steps[at == style]).astype(np.int64)
            entries[np.unique(mine[:, 0])] = True
            inner = np.nonzero((at == style) & ~root)[0]
            taken, parent, site = np.asarray(steps[inner]).astype(np.int64).T
            above = tables.entry_unit[np.asarray(steps[first[inner] + parent, 0]).astype(np.int64)]
            ends = np.stack(
                [
                    tables.kind[tables.start[above] + site],
                    tables.kind[tables.entry_atom[taken]],
                    tables.entry_order[taken],
                ]
            )
            for a, b, order in np.unique(ends, axis=1).T.tolist():
                low, high = sorted((kinds[a], kinds[b]))
                used.add(number[low, high, order])
        found[name] = {
            "entries": base64.b64encode(np.packbits(entries).tobytes()).decode(),
            "bonds": sorted(used),
        }
    return found


def of_style(vocabulary: Vocabulary, habit: dict[str, Any] | None) -> tuple[Vocabulary, Bools]:
    """The vocabulary with a style's bonds only, and which of its entries the style does not use."""
    if habit is None:
        return vocabulary, np.zeros(len(vocabulary.entries), dtype=bool)
    bonds = sorted(vocabulary.pairs)
    packed = np.frombuffer(base64.b64decode(habit["entries"]), dtype=np.uint8)
    seen = np.unpackbits(packed, count=len(vocabulary.entries)).astype(bool)
    seen[vocabulary.index[CARBON]] = True  # what promises are kept with
    return Vocabulary(vocabulary.entries, frozenset(bonds[i] for i in habit["bonds"])), ~seen


def holding(vocabulary: Vocabulary, avoid: Sequence[str]) -> Bools:
    """[entry] Does its unit hold one of these SMARTS whatever is built on it?

    Raises
    ------
    SettingError
        Plain carbon holds it: nothing at all could be built.
    """
    ruled_out = np.zeros(len(vocabulary.units), dtype=bool)
    for smarts in avoid:
        for number, block in enumerate(vocabulary.units):
            ruled_out[number] |= always_in(block.smiles, smarts)
        if ruled_out[vocabulary.unit_index["C"]]:
            raise SettingError(f"avoid: {smarts} is in every carbon; nothing could be built without it")
    return np.asarray(ruled_out[vocabulary.tables.entry_unit])


def always_in(part: str, smarts: str) -> bool:
    """Is a SMARTS in a part whatever is built on it? With marked exits (*), all else stays as it is."""
    query = Chem.MolFromSmarts(smarts)
    bare, full = _extremes(part)
    if not bare.HasSubstructMatch(query):
        return False
    return "*" in part or (full is not None and bool(full.HasSubstructMatch(query)))


@lru_cache(maxsize=20_000)
def _extremes(smiles: str) -> tuple[Chem.Mol, Chem.Mol | None]:
    """A unit with all its hydrogens, and with a carbon in the place of each."""
    bare = Chem.MolFromSmiles(smiles)
    full = Chem.RWMol(bare)
    for atom in bare.GetAtoms():
        for _ in range(atom.GetTotalNumHs()):
            full.AddBond(atom.GetIdx(), full.AddAtom(Chem.Atom(6)), Chem.BondType.SINGLE)
        full.GetAtomWithIdx(atom.GetIdx()).SetNumExplicitHs(0)
    try:
        with quiet_rdkit():
            Chem.SanitizeMol(full)
    except ValueError:
        return bare, None  # no such molecule: nothing is certain about the unit
    return bare, full.GetMol()
