"""Docking as a campaign sees it, on the demo target."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Score, Scorer
from docking.dock import Docked, ranked
from docking.engines.native import NativeEngine
from docking.ligand import prepare
from docking.pose import Pose
from docking.receptor import DockingError
from docking.rescoring.order import rescored
from docking.restraints import Like, Near, points_of
from docking.scorers import DockingScore

DOCKING = DockingScore(engine="vina", exhaustiveness=1, n_poses=3, seed=7)
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


def test_by_fit_a_molecule_is_worth_its_likeliest_pose(monkeypatch: pytest.MonkeyPatch) -> None:
    scoring = replace(DOCKING, value="fit")
    assert (scoring.column.unit, scoring.column.better) == ("log-odds", "high")
    receptor, site = DOCKING.target(), DOCKING.site()
    one = prepare(FLUOROBENZENE)[0]
    middle = np.array(site.center) - one.coords().mean(axis=0)
    poses = [Pose(one, one.coords() + middle + shift, -5.0 - shift) for shift in (0.0, 1.0, 9.0)]
    whole = ranked(FLUOROBENZENE, [poses], receptor, site, 3)

    def docked(*_: object, rank_by: str, **__: object) -> list[Docked]:
        assert rank_by == "rescoring"
        return [whole]

    monkeypatch.setattr("docking.scorers.dock", docked)
    (found,) = replace(scoring, require_plausible=False)([FLUOROBENZENE])
    assert isinstance(found, Score)
    first = found.details["pose_rank"] - 1
    assert found.value == whole.fit[first]
    assert found.value == pytest.approx(rescored(receptor, [whole.poses[first]])[0], abs=1e-6)
    assert found.details["score"] == pytest.approx(whole.poses[first].score, abs=1e-3)


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
        ({"tautomers": 0}, "tautomers"),
        ({"pocket": -1}, "pocket"),
        ({"pocket": 1, "residues": ("A:ASP129",)}, "one of"),
        ({"engine": "vina", "like": "known.sdf"}, "engine = 'native'"),
        ({"value": "luck"}, "energy or fit, not 'luck'"),
        ({"value": "fit", "like": "known.sdf"}, "left alone"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DockingScore(**settings)  # type: ignore[arg-type]


def test_the_found_pocket_is_the_known_one() -> None:
    """The demo receptor's likeliest pocket holds Asp129, which every ligand of aminergic receptors meets."""
    site = DockingScore(pocket=1).site()
    assert site.contains(np.array(points_of(DOCKING.target(), "A:ASP129:OD1")))
    with pytest.raises(DockingError, match="has no pocket 99"):
        DockingScore(pocket=99).site()


def test_a_tautomer_is_docked_beside_the_drawn_one() -> None:
    drawn = Molecule.parse("Cc1cnc[nH]1", "4-methylimidazole")
    scoring = {"engine": "vina", "exhaustiveness": 1, "n_poses": 1, "seed": 7}
    alone, both = (DockingScore(tautomers=n, **scoring)([drawn])[0] for n in (1, 2))  # type: ignore[arg-type]
    assert isinstance(alone, Score)
    assert isinstance(both, Score)
    assert len(alone.details["poses"]) == 1
    assert len(both.details["poses"]) == 2
    assert both.value <= alone.value


def test_wishes_reach_the_engine(tmp_path: Path) -> None:
    known = tmp_path / "known.sdf"
    known.write_text(DOCKING.context()["reference_sdf"])
    scoring = DockingScore(engine="native", restrain=str(amine_far_from_acid(tmp_path)), like=str(known))
    engine = scoring.build_engine()
    assert isinstance(engine, NativeEngine)
    far, like = engine.restraints
    assert isinstance(far, Near)
    assert far.points == points_of(DOCKING.target(), "A:ASP129:OD1,OD2")
    assert isinstance(like, Like)
    with pytest.raises(DockingError, match=r"no readable restraint file .*absent\.toml"):
        DockingScore(engine="native", restrain="absent.toml").build_engine()


def amine_far_from_acid(folder: Path) -> Path:
    wish = folder / "wish.toml"
    wish.write_text(
        '[[distance]]\nligand = "[NX4+]"\nreceptor = "A:ASP129:OD1,OD2"\nat_least = 6.0\nat_most = 40.0\n'
    )
    return wish


@pytest.mark.slow
def test_a_wish_steers_the_pose_and_not_the_score(tmp_path: Path) -> None:
    """The amine is asked to stay away from Asp129, against what its energy says."""
    wish = amine_far_from_acid(tmp_path)
    fast = {"engine": "native", "engine_settings": {"effort": "fast"}, "n_poses": 3, "seed": 7}
    free, steered = (DockingScore(restrain=path, **fast)([SEROTONIN])[0] for path in ("", str(wish)))  # type: ignore[arg-type]
    assert isinstance(free, Score)
    assert isinstance(steered, Score)
    acid = np.array(points_of(DOCKING.target(), "A:ASP129:OD1,OD2"))

    def gap(score: Score) -> float:
        pose = Chem.MolFromMolBlock(score.details["pose"], removeHs=False)
        (amine,) = pose.GetSubstructMatch(Chem.MolFromSmarts("[NX4+]"))
        return float(np.linalg.norm(acid - pose.GetConformer().GetPositions()[amine], axis=1).min())

    assert gap(free) < 4.0
    assert gap(steered) > 5.0
    terms = steered.details["terms"]
    assert steered.value == pytest.approx(
        terms["inter"] + terms["intra"] + terms["torsional"] - terms["unbound"]
    )
