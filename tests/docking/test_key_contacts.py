"""Reference: Asp129 (3.32) of 5-HT1B holds the amine of its ligands (Wang et al., Science 2013)."""

from __future__ import annotations

import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Refiner, Score
from docking import demo_target, ligand
from docking.interactions import contacts
from docking.key_contacts import KeyContacts
from docking.pose import Pose
from docking.receptor import DockingError

BOUND = ligand.of_mol(demo_target.reference())
MOLECULE = BOUND.molecule


def judged(wishes: dict[str, str], shift: float = 0.0) -> Score:
    pose = Pose(BOUND, BOUND.coords() + shift, -10.0)
    recorded = [contact.plain() for contact in contacts(pose, demo_target.receptor())]
    docked = Score(-10.0, details={"interactions": recorded})
    (outcome,) = KeyContacts(wishes).refine([MOLECULE], [docked])
    assert isinstance(outcome, Score)
    return outcome


def test_ergotamine_as_bound_holds_the_aspartate() -> None:
    assert judged({"A:ASP129": "salt bridge"}).value == 1.0
    assert judged({"A:ASP129": "any", "A:TRP125": "salt bridge"}).value == 0.5


def test_what_is_lacking_is_named() -> None:
    away = judged({"A:ASP129": "salt bridge"}, shift=200.0)
    assert (away.value, away.details["lacking"]) == (0.0, ["A:ASP129"])


def test_a_score_without_contacts_is_a_reason() -> None:
    scorer = KeyContacts({"A:ASP129": "salt bridge"})
    assert isinstance(scorer, Refiner)
    (outcome,) = scorer.refine([Molecule.parse("CCO", "ethanol")], [Score(1.0)])
    assert isinstance(outcome, Missing)
    assert outcome.reason is Reason.UNSUPPORTED
    assert "ethanol: docking recorded no contacts" in outcome.detail


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({}, "needs wishes"),
        ({"ASP129": "any"}, "names no residue"),
        ({"A:ASP129": "love"}, "no kind of contact"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wishes: dict[str, str], says: str) -> None:
    with pytest.raises(DockingError, match=says):
        KeyContacts(wishes)
