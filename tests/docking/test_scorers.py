"""Docking as a campaign sees it, on the demo target."""

from __future__ import annotations

import json

import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Score, Scorer
from docking.scorers import DockingScore

DOCKING = DockingScore(exhaustiveness=1, n_poses=3, seed=7)
SEROTONIN = Molecule.parse("NCCc1c[nH]c2ccc(O)cc12", "serotonin")
TELLURIDE = Molecule("C[Te]CCO", "a telluride")
FLUOROBENZENE = Molecule.parse("Fc1ccccc1")


@pytest.fixture(scope="module")
def outcomes() -> list[Score | Missing]:
    return list(DOCKING([TELLURIDE, SEROTONIN, FLUOROBENZENE]))


def test_keeps_the_promise() -> None:
    assert isinstance(DOCKING, Scorer)
    assert DOCKING.column.unit == "kcal/mol"
    assert DOCKING.column.better == "low"


def test_a_bad_molecule_costs_its_row_only(outcomes: list[Score | Missing]) -> None:
    bad, *good = outcomes
    assert isinstance(bad, Missing)
    assert bad.reason is Reason.UNSUPPORTED
    assert "Te" in bad.detail
    assert "a telluride" in bad.detail
    alone = DOCKING([SEROTONIN])
    assert alone[0] == good[0]  # poses and all, bit for bit, without its neighbours


def test_details_are_plain_and_whole(outcomes: list[Score | Missing]) -> None:
    score = outcomes[1]
    assert isinstance(score, Score)
    details = json.loads(json.dumps(dict(score.details)))
    assert details["poses"][details["pose_rank"] - 1] == pytest.approx(score.value, abs=1e-3)
    assert details["plausibility"]["plausible"]
    pose = Chem.MolFromMolBlock(details["pose"], removeHs=False)
    assert Molecule.of(pose) == SEROTONIN  # bond orders came back
    assert Chem.GetFormalCharge(pose) == 1
    assert details["efficiency"] == pytest.approx(score.value / 13, abs=1e-3)


def test_the_amine_meets_the_aspartate(outcomes: list[Score | Missing]) -> None:
    """Reference: Asp129 (3.32) holds the amine of serotonin in every aminergic GPCR (Wang et al. 2013)."""
    score = outcomes[1]
    assert isinstance(score, Score)
    partners = {c["residue"] for c in score.details["interactions"] if "salt bridge" in c["kind"]}
    assert "A:ASP129" in partners


def test_context_shows_receptor_and_reference() -> None:
    context = DOCKING.context()
    assert "ASP A 129" in context["receptor_pdb"]
    assert Chem.MolFromMolBlock(context["reference_sdf"]).GetNumHeavyAtoms() == 43


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"receptor": "protein.pdb"}, "where on protein.pdb"),
        ({"center": (0.0, 0.0, 0.0)}, "center and size go together"),
        ({"around": "a.sdf", "residues": ("A:ASP129",)}, "one of"),
        ({"receptor": "demo:5HT2A"}, "no demo target"),
        ({"n_poses": 0}, "n_poses"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DockingScore(**settings)  # type: ignore[arg-type]
