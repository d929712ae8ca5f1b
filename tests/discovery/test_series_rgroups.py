"""R groups, scaffolds, families and libraries: what is taken apart can be put together again."""

from __future__ import annotations

import random

import pytest
from rdkit import Chem

from discovery.diversity import scaffold
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Column, Score
from discovery.series import measured
from discovery.series.assembly import assembled
from discovery.series.families import families
from discovery.series.library import enumerate_library
from discovery.series.measured import Entry, Measured, SeriesError
from discovery.series.rgroups import Groups, common_cores, decompose
from discovery.series.scaffolds import scaffolds
from discovery.series.sheet import Figure

CORE = "c1cc([*:1])ccc1C(=O)N[*:2]"
R1 = ["[H]", "*F", "*Cl", "*OC", "*C#N"]
R2 = ["*C", "*CC", "*C1CC1", "*Cc1ccccn1"]
PIKI = Column("activity", "", "high", "pKi")


def series(smiles: list[str], values: list[float] | None = None) -> Measured:
    entries = []
    for place, text in enumerate(smiles):
        try:
            molecule: Molecule | Missing = Molecule.parse(text, f"m{place}")
        except ValueError as error:
            molecule = Missing("intake", Reason.UNPARSABLE, str(error))
        entries.append(Entry(f"m{place}", text, molecule, Score(values[place] if values else float(place))))
    return measured.of(entries, PIKI)


def library() -> list[str]:
    made = enumerate_library(CORE, {"R1": R1, "R2": R2})
    assert len(made) == len(R1) * len(R2)
    return [analogue.outcome.smiles for analogue in made if isinstance(analogue.outcome, Molecule)]


def test_a_library_is_every_combination() -> None:
    found = library()
    assert len(set(found)) == 20
    assert Chem.CanonSmiles("CNC(=O)c1ccc(F)cc1") in found
    assert Chem.CanonSmiles("O=C(NCc1ccccn1)c1ccc(C#N)cc1") in found


def test_a_library_says_what_does_not_fit() -> None:
    made = enumerate_library("C[N+](C)(C)[*:1]", {"R1": ["*C", "*O*C"[:2]]})
    assert isinstance(made[0].outcome, Molecule)
    with pytest.raises(SeriesError, match="exactly one"):
        enumerate_library(CORE, {"R1": ["*C*"], "R2": R2})
    with pytest.raises(SeriesError, match="positions R1, R2"):
        enumerate_library(CORE, {"R1": R1})
    with pytest.raises(SeriesError, match="combinations"):
        enumerate_library(CORE, {"R1": R1 * 200, "R2": R2 * 200})


def test_given_core_is_taken_apart_and_fits_together_again() -> None:
    """Reference: the groups the library was made of, and RDKit's molzip of what was taken apart."""
    found = series(library())
    table = decompose(found, [CORE])
    assert table.cores[0].positions == ("R1", "R2")
    seen = set()
    for place, outcome in enumerate(table.outcomes):
        assert isinstance(outcome, Groups)
        seen.add((outcome.at["R1"], outcome.at["R2"]))
        again = assembled(table.cores[0].drawn, list(outcome.at.values()))
        assert again == found.molecule(place).smiles
    assert len(seen) == 20
    assert {one for one, _ in seen} == {"[H][*:1]", "F[*:1]", "Cl[*:1]", "CO[*:1]", "N#C[*:1]"}


def test_every_row_is_accounted_for() -> None:
    found = series([*library(), "C1CC", "CCCCCC", "c1ccc2ccccc2c1"])
    table = decompose(found, [CORE])
    assert len(table.outcomes) == 23
    *taken, broken, chain, naphthalene = table.outcomes
    assert all(isinstance(outcome, Groups) for outcome in taken)
    assert isinstance(broken, Missing)
    assert broken.reason is Reason.UNPARSABLE
    for outcome in (chain, naphthalene):
        assert isinstance(outcome, Missing)
        assert outcome.reason is Reason.OUT_OF_DOMAIN
        assert "does not contain the core" in outcome.detail


def test_order_of_rows_changes_nothing() -> None:
    smiles = library()
    other = smiles.copy()
    random.Random(3).shuffle(other)
    one, two = decompose(series(smiles)), decompose(series(other))
    assert [core.smiles for core in one.cores] == [core.smiles for core in two.cores]
    by_smiles = [
        {table.measured.molecule(place).smiles: dict(table.groups(place).at) for place in range(20)}
        for table in (one, two)
    ]
    assert by_smiles[0] == by_smiles[1]


def test_cores_are_chosen_by_what_they_explain() -> None:
    quinolines = [f"O=C(N{tail})c1cnc2ccccc2c1" for tail in ("C", "CC", "CCC", "C1CC1", "CCO", "CCF")]
    indoles = [f"c1ccc2c(c1)c(C{tail})c[nH]2" for tail in ("N", "CN", "CCN", "O", "CO")]
    odd = ["CCCC", "C1CCCCCC1"]
    cores = common_cores([Molecule.parse(text) for text in [*quinolines, *indoles, *odd]], fewest=5)
    assert cores == [Chem.CanonSmiles("c1ccc2ncccc2c1"), Chem.CanonSmiles("c1ccc2[nH]ccc2c1")]
    assert common_cores([Molecule.parse(text) for text in odd], fewest=5) == []


def test_two_groups_on_one_atom_are_one_group() -> None:
    found = series(["CC1(C)CCNCC1", "CC1CCNCC1", "FC1CCNCC1"])
    table = decompose(found, ["C1CCNCC1"])
    assert table.groups(0).at["R1"] == "C[*:1].C[*:1]"


def test_a_core_too_symmetric_is_refused_by_row() -> None:
    found = series(["C12C3C4C1C5C2C3C45", "CC12C3C4C1C5C2C3C45"])  # cubane has 48 symmetries: allowed
    assert all(isinstance(outcome, Groups) for outcome in decompose(found, ["C12C3C4C1C5C2C3C45"]).outcomes)
    fullerene_like = series(["FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F", "CCO"])
    table = decompose(fullerene_like, ["FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F"])
    assert isinstance(table.outcomes[0], Missing)
    assert "more than 200 ways" in table.outcomes[0].detail


def test_unreadable_core_and_position() -> None:
    found = series(library())
    with pytest.raises(SeriesError, match="neither a SMILES nor a SMARTS"):
        decompose(found, ["c1ccc"])
    table = decompose(found, [CORE])
    with pytest.raises(SeriesError, match="no position 'R7'"):
        table.matrix("R1", "R7")
    with pytest.raises(SeriesError, match="no core 3"):
        table.sheet(core=2)


def test_matrix_holds_every_molecule_once() -> None:
    table = decompose(series(library()), [CORE])
    cells = table.matrix("R1", "R2")
    assert sorted(place for places in cells.values() for place in places) == list(range(20))
    assert len(cells) == 20
    text = table.matrix_sheet("R1", "R2")._repr_html_()
    assert text.count("<tr") == 1 + 1 + 4


def test_scaffolds_and_families_hold_every_usable_row_once() -> None:
    found = series([*library(), "C1CC", "CCCCCC"])
    rings = scaffolds(found)
    assert sorted(place for group in rings.scaffolds for place in group.members) == list(found.usable)
    for group in rings.scaffolds:
        assert all(scaffold(found.molecule(place)) == group.smiles for place in group.members)
        values = [found.value(place) for place in group.members]
        assert group.mean == pytest.approx(sum(values) / len(values))
        assert found.value(group.best) == max(values)
    alike = families(found)
    assert sorted(place for family in alike.families for place in family.members) == list(found.usable)
    assert isinstance(rings.outcomes[20], Missing)
    assert isinstance(alike.outcomes[20], Missing)
    assert "no ring" in rings.sheet()._repr_html_()
    assert alike.sheet()._repr_html_().count("<img") == len(alike.sheet().rows)


def test_a_core_has_the_stereo_that_all_its_molecules_have() -> None:
    rings = ["OC(=O)[C@@H]1CCCN1C", "OC(=O)[C@@H]1CCCN1CC", "OC(=O)[C@H]1CCCN1CCC"]
    core = "OC(=O)C1CCCN1"
    alike, apart = (decompose(series(made), [core]).cores[0].drawn for made in (rings[:2], rings))
    assert ("@" in alike, "@" in apart) == (True, False)


def test_hydrogen_where_the_core_has_no_place_is_no_group() -> None:
    assert assembled("c1ccc([*:1])cc1", ["C[*:1]", "[H][*:2]"]) == "Cc1ccccc1"
    assert assembled("c1ccc([*:1])cc1", ["C[*:1]", "C[*:2]"]) == ""


def test_the_matrix_shown_is_one_that_can_be_read_along_its_lines() -> None:
    """R1 has more groups than R3, but each of its own molecule; R2 and R3 were combined."""
    made = [f"Cc1cc(C(=O)N{amine})ccc1{end}" for amine in ("C", "CC") for end in ("F", "Cl")]
    lone = [f"{group}c1cc(C(=O)NC)ccc1F" for group in ("N#C", "CO", "Br", "CS", "CC")]
    table = decompose(series(made + lone), ["c1c([*:1])c([*:3])ccc1C(=O)N[*:2]"])
    assert "R3 against R2" in table.matrix_sheet().caption


def test_a_quinolone_among_quinolines_is_taken_apart() -> None:
    """RDKit's core of it, an aromatic nitrogen with a group, is no molecule: the others' core is drawn."""
    quinolines = [f"O=C(N{tail})c1cnc2ccccc2c1" for tail in ("C", "CC", "CCC")]
    found = decompose(series([*quinolines, "Cn1ccc(=O)c2ccccc21"]), ["c1ccc2ncccc2c1"])
    assert [isinstance(outcome, Groups) for outcome in found.outcomes] == [True] * 4
    assert Chem.MolFromSmiles(found.core(0).drawn) is not None
    alone = decompose(series(["Cn1ccc(=O)c2ccccc21"]), ["c1ccc2ncccc2c1"])
    assert Chem.MolFromSmiles(alone.core(0).drawn) is not None


@pytest.mark.parametrize("better", ["high", "low"])
def test_the_best_combination_lies_on_the_darkest_ground(better: str) -> None:
    values = [float(place) for place in range(20)]
    made = series(library(), values)
    made = measured.of(made.entries, Column("activity", "", better, "pKi"))  # type: ignore[arg-type]
    rows = decompose(made, [CORE]).matrix_sheet().rows[1:]
    ground = {float(cell.text): cell.depth for row in rows for cell in row[1:] if isinstance(cell, Figure)}
    best, worst = (19.0, 0.0) if better == "high" else (0.0, 19.0)
    assert (ground[best], ground[worst]) == (4, 1)
    assert {*ground.values()} == {1, 2, 3, 4}
