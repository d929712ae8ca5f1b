"""Reference: the official .offxml (shared), parameter by parameter; files that must be refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from docking.dynamics.parameters.sage import ForceFieldError, force_field, quantity
from tests.docking.dynamics.cases import DYNAMICS, needs_shared

SECTIONS = ("bonds", "angles", "propers", "impropers", "vdw")


@needs_shared
def test_our_table_is_the_published_one_parameter_by_parameter() -> None:
    theirs = force_field(DYNAMICS / "force_fields" / "openff_unconstrained-2.2.1.offxml")
    ours = force_field()
    for section in SECTIONS:
        assert getattr(ours, section) == getattr(theirs, section)
    assert (ours.scale14_vdw, ours.scale14_coulomb) == (theirs.scale14_vdw, theirs.scale14_coulomb)


@needs_shared
def test_the_constrained_file_says_the_same_valence_terms() -> None:
    theirs = force_field(DYNAMICS / "force_fields" / "openff-2.2.1.offxml")
    assert all(getattr(theirs, section) == getattr(force_field(), section) for section in SECTIONS)


def test_published_values_of_the_first_lines() -> None:
    """openff_unconstrained-2.2.1.offxml, lines b1; counts by section."""
    ours = force_field()
    assert (ours.bonds[0].id, ours.bonds[0].values) == ("b1", (1.533682189836, 430.4753865522))
    assert len(ours.bonds) == 90
    assert len(ours.angles) == 44
    assert len(ours.propers) == 180
    assert len(ours.impropers) == 7


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1.5 * angstrom ** 1", "angstrom", 1.5),
        ("0.15*nanometer", "angstrom", 1.5),
        ("100.0 * kilojoule_per_mole * nanometer ** -2", "kilocalorie_per_mole * angstrom ** -2", 1 / 4.184),
        ("2.0 * kilocalories_per_mole / radian ** 2", "kilocalorie_per_mole * radian ** -2", 2.0),
        ("3", "dimensionless", 3.0),
    ],
)
def test_units_are_converted(text: str, unit: str, value: float) -> None:
    assert quantity(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("text", ["fast", "1 * parsec", "1 * degree", "1 * angstrom ** 2"])
def test_a_wrong_unit_is_refused(text: str) -> None:
    with pytest.raises(ForceFieldError, match="b7"):
        quantity(text, "angstrom", "line b7")


BONDS = '<Bonds version="0.4"><Bond smirks="{smirks}" id="b1" {values}/></Bonds>'
GOOD = 'length="1.5 * angstrom" k="400 * kilocalorie_per_mole * angstrom**-2"'


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<Bonds", "no XML"),
        ("<ForceField/>", "not <SMIRNOFF>"),
        ('<SMIRNOFF aromaticity_model="Daylight"/>', "Daylight"),
        ('<SMIRNOFF aromaticity_model="OEAroModel_MDL"><VirtualSites/></SMIRNOFF>', "VirtualSites"),
        ('<SMIRNOFF aromaticity_model="OEAroModel_MDL"/>', "lacks the section"),
        (BONDS.format(smirks="[#6:1]-[#6:2", values=GOOD), "cannot read the SMARTS"),
        (BONDS.format(smirks="[#6]-[#6]", values=GOOD), "maps no atom"),
        (BONDS.format(smirks="[#6:1]-[#6:2]-[#6:3]", values=GOOD), "maps 3 atoms"),
        (BONDS.format(smirks="[#6:1]-[#6:2]", values='length="1.5 * angstrom" k_bondorder1="3"'), "no 'k'"),
        (BONDS.format(smirks="[#6:1]-[#6:2]", values='length="long" k="3"'), "b1, length"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, body: str, says: str) -> None:
    if body.startswith("<Bonds "):
        body = f'<SMIRNOFF aromaticity_model="OEAroModel_MDL">{body}</SMIRNOFF>'
    path = tmp_path / "mine.offxml"
    path.write_text(body)
    with pytest.raises(ForceFieldError, match=says) as caught:
        force_field(path)
    assert "mine.offxml" in str(caught.value)


def test_an_unknown_name_says_what_is_known() -> None:
    with pytest.raises(ForceFieldError, match=r"sage-2\.2\.1"):
        force_field("sage-9")
