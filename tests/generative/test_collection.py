"""A collection finds what is like a molecule and what was never tried, as plain counting does."""

from __future__ import annotations

import gzip
import math
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, rdFingerprintGenerator, rdMolDescriptors

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from generative.breeding.collection import COMMON, RADIUS, Collection, read
from generative.breeding.elite import Search
from generative.guided import GuidedProposer
from tests.generative.models import DRUGS

GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS)


@lru_cache
def parts(smiles: str) -> frozenset[int]:
    """Reference: RDKit's sparse fingerprint, without any table."""
    found = GENERATOR.GetSparseFingerprint(Chem.MolFromSmiles(smiles)).GetOnBits()
    return frozenset(one % 2**32 for one in found)


@pytest.fixture(scope="module")
def collection() -> Collection:
    return Collection.of(DRUGS)


@pytest.fixture(scope="module")
def common() -> dict[int, int]:
    """Substructure -> how many hold it, where enough do."""
    counts: dict[int, int] = {}
    for smiles in DRUGS:
        for one in parts(smiles):
            counts[one] = counts.get(one, 0) + 1
    return {one: count for one, count in counts.items() if count >= COMMON}


def nobody(collection: Collection) -> np.ndarray:
    return np.zeros(len(collection.smiles), dtype=bool)


def test_the_tables_hold_what_rdkit_finds(collection: Collection, common: dict[int, int]) -> None:
    assert dict(zip(collection.hashes.tolist(), collection.counts.tolist(), strict=True)) == common
    for row, smiles in enumerate(DRUGS):
        held = collection.held[collection.starts[row] : collection.starts[row + 1]]
        assert set(collection.hashes[held].tolist()) == parts(smiles) & common.keys()
    for code in range(len(collection.hashes)):
        holders = collection.holders[collection.opens[code] : collection.opens[code + 1]]
        assert all(collection.hashes[code] in parts(DRUGS[row]) for row in holders)


def test_the_nearest_are_those_with_the_largest_cosine(
    collection: Collection, common: dict[int, int]
) -> None:
    rarity = {one: math.log(len(DRUGS) / count) for one, count in common.items()}

    def weight(held: frozenset[int]) -> float:
        return sum(rarity[one] ** 2 for one in held)

    telling = frozenset(
        one for one in parts(DRUGS[5]) & common.keys() if common[one] <= max(len(DRUGS) / 20, 50)
    )
    likeness = []
    for row, smiles in enumerate(DRUGS):
        held = parts(smiles) & common.keys()
        likeness.append((-round(weight(telling & held) / math.sqrt(weight(held) + 1e-9), 9), row))
    without = nobody(collection)
    without[5] = True
    expected = [row for likely, row in sorted(likeness) if row != 5 and likely < 0][:4]
    assert collection.near([DRUGS[5]], 4, without) == expected
    twice = collection.near([DRUGS[5], DRUGS[5]], 4, without)
    assert len(set(twice)) == len(twice) == 8


def test_what_was_never_tried_comes_first(collection: Collection, common: dict[int, int]) -> None:
    """Each step takes the molecule whose new substructures weigh most, counted anew without tables."""
    met = set(parts(DRUGS[0]) & common.keys())
    taken: list[int] = []
    for row in collection.unmet([DRUGS[0]], 5, nobody(collection)):
        gains = [
            sum(math.sqrt(common[one]) for one in (parts(smiles) & common.keys()) - met) for smiles in DRUGS
        ]
        best = max(gain for other, gain in enumerate(gains) if other not in taken)
        assert gains[row] == pytest.approx(best)
        met |= parts(DRUGS[row]) & common.keys()
        taken.append(row)
    assert len(set(taken)) == 5
    assert collection.unmet([], 10**6, ~nobody(collection)) == []


def test_files_are_read_and_bad_rows_named(tmp_path: Path) -> None:
    path = tmp_path / "some.smi.gz"
    with gzip.open(path, "wt") as file:
        file.write("CCO ethanol\nnonsense x\n\nCCO again\nc1ccccc1O\n")
    with pytest.warns(UserWarning, match="1 of 3 SMILES of the collection left out; the first is nonsense"):
        assert read(path).smiles == ("CCO", "c1ccccc1O")
    with pytest.raises(ValueError, match=r"absent\.smi does not exist"):
        read(tmp_path / "absent.smi")
    (tmp_path / "empty.smi").write_text("\n")
    with pytest.raises(ValueError, match="no row holds a SMILES"):
        read(tmp_path / "empty.smi")


def test_a_molecule_has_one_row_by_the_name_it_is_proposed_under() -> None:
    """Stereoisomers, salts and charges of one molecule are one proposal; reference: `Molecule.parse`."""
    texts = ["C[C@H](N)CO", "C[C@@H](N)CO", "CC([NH3+])CO.[Cl-]", "OCCc1ccccc1", "c1ccccc1CC[O-].[Na+]"]
    found = Collection.of(texts)
    assert found.smiles == (texts[0], texts[3])
    assert found.names == ("CC(N)CO", "OCCc1ccccc1")
    assert found.row == {Molecule.parse(one).smiles: row for row, one in enumerate(["CC(N)CO", texts[3]])}


def test_an_index_is_kept_and_a_damaged_one_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("generative.breeding.collection.KEPT", 10)
    path = tmp_path / "some.smi"
    path.write_text("\n".join(DRUGS) + "\n")
    first = read(path)
    (kept,) = (tmp_path / "discovery/collections").iterdir()
    for damage in (b"", kept.read_bytes()[:-2000], kept.read_bytes()):
        kept.write_bytes(damage)
        read.cache_clear()
        again = read(path)
        assert again.smiles == first.smiles
        assert again.names == first.names
        for table in ("hashes", "held", "starts", "holders", "opens"):
            assert np.array_equal(getattr(again, table), getattr(first, table))


def guided(folder: Path, taste: bool) -> GuidedProposer:
    """Sixteen drugs to start from, the others as the collection."""
    start, collection = folder / "start.smi", folder / "collection.smi"
    start.write_text("\n".join(DRUGS[:16]) + "\n")
    collection.write_text("\n".join(DRUGS[16:]) + "\n")
    return GuidedProposer(
        molecules=start,
        collection=collection,
        min_weight=60,
        max_weight=900,
        taste=taste,
        opening=12,
        search=Search(oversample=2, generations=1, blind=1.0),
    )


@pytest.mark.parametrize("flat", [True, False])
def test_guided_search_takes_from_its_collection(tmp_path: Path, flat: bool) -> None:
    """With something to climb its neighbours of good molecules, with nothing what was never tried."""
    proposer = guided(tmp_path, taste=flat)
    lessons = []
    for smiles in DRUGS[:16]:
        molecule = Molecule.parse(smiles)
        reward = 0.0 if flat else QED.qed(molecule.mol())  # type: ignore[no-untyped-call]
        lessons.append(Lesson(molecule, reward))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = proposer.propose(20, round=3, seed=1, lessons=lessons)
    taken = {one.smiles for one in found if one.edit == "taken from the collection"}
    assert taken
    assert taken <= {Molecule.parse(one).smiles for one in DRUGS[16:]}
    assert found == proposer.propose(20, round=3, seed=1, lessons=lessons)


def test_with_nothing_to_climb_and_only_weight_to_keep_two_are_asked_about_at_once(tmp_path: Path) -> None:
    """Each as whole as before; reference: RDKit's substructure search."""
    proposer = guided(tmp_path, taste=False)
    lessons = [Lesson(Molecule.parse(smiles), 0.0) for smiles in DRUGS[:16]]
    found = proposer.propose(10, round=3, seed=1, lessons=lessons)
    assert found == proposer.propose(10, round=3, seed=1, lessons=lessons)
    assert len(found) == 10
    joined = [one for one in found if "two at once" in one.edit]
    assert len(joined) >= 8
    for one in joined:
        mol = Chem.MolFromSmiles(one.smiles)
        halves = [Chem.MolFromSmiles(half) for half in one.edit.rpartition(": ")[2].split(" and ")]
        assert all(mol.HasSubstructMatch(half) for half in halves)
        assert sum(half.GetNumAtoms() for half in halves) == mol.GetNumAtoms()
        assert rdMolDescriptors.CalcExactMolWt(mol) <= 900
