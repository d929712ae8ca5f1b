"""Details that plug-ins leave are read where they keep the promise, and never trusted."""

from __future__ import annotations

from typing import Any

import pytest

from discovery.results import Row
from discovery.score import Score
from discovery.views.reading import alerts_of, contact_kind, contacts_of, facts, pose_of


def row(**details: Any) -> Row:
    return Row(
        "r0-0000",
        "CCO",
        "CCO",
        "brics",
        0,
        (),
        "",
        {"x": Score(1.0, details=details)},
        {},
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("HBDonor", "hydrogen bond"), ("hydrogen_bond", "hydrogen bond"), ("hydrogen bond, ligand donates", "hydrogen bond"),
        ("Cationic", "salt bridge"), ("salt bridge, ligand positive", "salt bridge"),
        ("CationPi", "cation-π"), ("cation-pi, residue positive", "cation-π"), ("PiCation", "cation-π"),
        ("PiStacking", "π-stacking"), ("ring stacking, edge to face", "π-stacking"), ("FaceToFace", "π-stacking"),
        ("XBDonor", "halogen bond"), ("holds a metal", "metal"), ("Hydrophobic", "hydrophobic"), ("VdWContact", "van der Waals"),
        ("anything_else", "anything else"), ("", "unnamed"),
    ],
)  # fmt: skip
def test_one_name_for_each_kind(name: str, kind: str) -> None:
    assert contact_kind(name) == kind


def test_contacts_come_closest_first() -> None:
    found = contacts_of(
        row(interactions=[
            {"residue": "A:ILE130", "kind": "Hydrophobic", "distance": 3.9},
            {"residue": ":ASP129", "kind": "salt bridge, ligand positive", "distance": 2.8, "ligand_atoms": [4]},
            {"residue": "A:SER212", "kind": "HBDonor"},
        ])
    )  # fmt: skip
    assert [contact.residue for contact in found] == ["ASP129", "A:ILE130", "A:SER212"]
    assert found[0].atoms == (4,)
    assert found[0].words == "salt bridge, ligand positive"
    assert found[2].distance is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        3,
        "text",
        ["text"],
        [{"residue": None}],
        [{"atoms": "abc", "distance": float("nan")}],
        {"a": 1},
        [[1, 2]],
    ],
)
def test_malformed_details_are_shown_as_text_not_raised(broken: Any) -> None:
    strange = row(interactions=broken, alerts=broken, pose=broken, plausibility=broken)
    contacts_of(strange)
    alerts_of(strange)
    pose_of(strange)
    facts({"plausibility": broken})


def test_alerts_keep_their_atoms() -> None:
    found = alerts_of(
        row(
            alerts=[
                {"name": "nitro", "set": "BRENK", "atoms": [0, 1, 2]},
                {"name": "\x1b[31mx", "atoms": [True]},
            ]
        )
    )
    assert (found[0].name, found[0].collection, found[0].atoms) == ("nitro", "BRENK", (0, 1, 2))
    assert (found[1].name, found[1].atoms) == ("x", ())


def test_facts_are_flat_and_judged() -> None:
    lines = facts(
        {
            "plausible": True,
            "strain": {"energy_kcal": 3.25},
            "trace": list(range(10)),
            "names": ["a", "b"],
            "none": None,
        }
    )
    assert [(line.label, line.text, line.good) for line in lines] == [
        ("plausible", "yes", True),
        ("strain, energy kcal", "3.25", None),
        ("trace", "10 values, 0 to 9", None),
        ("names", "a, b", None),
        ("none", "not known", None),
    ]
