"""Plausible poses, and those that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from rdkit import Chem

from docking import demo_target, ligand, plausibility, preparation
from docking.pose import Pose, with_coords
from docking.receptor import Receptor
from docking.site import Site
from tests.docking import pocket

posebusters = pytest.importorskip("posebusters")

BOUND = ligand.of_mol(demo_target.reference())
# PoseBusters' column -> our measurements
SAME = {
    "bond_lengths": ("shortest_bond", "longest_bond"),
    "bond_angles": ("worst_angle",),
    "internal_steric_clash": ("closest_pair",),
    "aromatic_ring_flatness": ("aromatic_ring_bend",),
    "non-aromatic_ring_non-flatness": ("flattest_ring",),
    "double_bond_flatness": ("double_bond_twist",),
    "protein-ligand_maximum_distance": ("distance_to_receptor",),
    "minimum_distance_to_protein": ("closest_receptor_atom",),
    "volume_overlap_with_protein": ("volume_overlap",),
}


def moved(slide: float, noise: float, seed: int) -> Pose:
    draw = np.random.default_rng(seed)
    direction = draw.normal(size=3)
    coords = BOUND.coords() + slide * direction / np.linalg.norm(direction)
    return Pose(BOUND, coords + noise * draw.normal(size=coords.shape), -5.0)


CASES = [
    (0.0, 0.0, 1),
    (0.7, 0.0, 2),
    (1.5, 0.0, 3),
    (3.0, 0.0, 4),
    (0.0, 0.1, 5),
    (0.0, 0.25, 6),
    (60.0, 0.0, 7),
]


@pytest.fixture(scope="module")
def receptor() -> Receptor:
    return preparation.assemble(list(pocket.atoms()), "pocket")


@pytest.fixture(scope="module")
def judge(receptor: Receptor, tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("judge")
    (folder / "receptor.pdb").write_text(receptor.pdb)
    config = yaml.safe_load((Path(posebusters.__file__).parent / "config" / "dock.yml").read_text())
    config["modules"] = [
        m for m in config["modules"] if m["function"] != "energy_ratio"
    ]  # seconds a molecule
    return posebusters.PoseBusters(config), folder


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_posebusters(case: tuple[float, float, int], receptor: Receptor, judge: object) -> None:
    """Reference: the `posebusters` package, docking configuration, check by check."""
    busters, folder = judge  # type: ignore[misc]
    pose = moved(*case)
    (folder / "pose.sdf").write_text(pose.sdf())
    theirs = busters.bust(folder / "pose.sdf", None, folder / "receptor.pdb").iloc[0]
    ours = plausibility.check(pose, receptor)
    verdicts = {column: not set(names) & set(ours.failed) for column, names in SAME.items()}
    assert verdicts == {column: bool(theirs[column]) for column in SAME}


def test_limits_are_posebusters() -> None:
    """Reference: the thresholds in the package's own configuration file."""
    config = yaml.safe_load((Path(posebusters.__file__).parent / "config" / "dock.yml").read_text())
    by_name = {module["name"]: module.get("parameters", {}) for module in config["modules"]}
    limits = plausibility.LIMITS
    geometry = by_name["Geometry"]
    assert limits["longest_bond"].high == 1 + geometry["threshold_bad_bond_length"]
    assert limits["shortest_bond"].low == 1 - geometry["threshold_bad_bond_length"]
    assert limits["worst_angle"].high == geometry["threshold_bad_angle"]
    assert limits["closest_pair"].low == 1 - geometry["threshold_clash"]
    assert limits["aromatic_ring_bend"].high == by_name["Ring flatness"]["threshold_flatness"]
    assert limits["flattest_ring"].low == by_name["Ring non-flatness"]["threshold_flatness"]
    assert limits["double_bond_twist"].high == by_name["Double bond flatness"]["threshold_flatness"]
    assert limits["closest_receptor_atom"].low == by_name["Distance to protein"]["clash_cutoff"]
    assert limits["distance_to_receptor"].high == by_name["Distance to protein"]["max_distance"]
    assert limits["volume_overlap"].high == by_name["Volume overlap with protein"]["clash_cutoff"]


def test_the_bound_ligand_is_plausible(receptor: Receptor) -> None:
    assert plausibility.check(moved(0, 0, 1), receptor, demo_target.site()).plausible


def test_the_mirror_image_is_found_out(receptor: Receptor) -> None:
    mirrored = Pose(BOUND, BOUND.coords() * np.array([1.0, 1.0, -1.0]) + [0, 0, 21.0], -5.0)
    verdict = plausibility.check(mirrored, receptor)
    assert verdict.measured["flipped_centres"] == 6
    assert any("changed hands" in reason for reason in verdict.reasons)


def test_leaving_the_box_is_measured(receptor: Receptor) -> None:
    small = Site(demo_target.site().center, (4.0, 4.0, 4.0))
    verdict = plausibility.check(moved(0, 0, 1), receptor, small)
    assert verdict.failed == ("outside_box",)
    heavy = Chem.RemoveHs(with_coords(BOUND.mol(), BOUND.coords())).GetConformer().GetPositions()
    assert verdict.measured["outside_box"] == pytest.approx(
        np.abs(heavy - small.center).max() - 2.0, abs=1e-6
    )


def test_a_limit_can_move_without_measuring_again(receptor: Receptor) -> None:
    measured = plausibility.measure(moved(0, 0, 1), receptor)
    strict = {**plausibility.LIMITS, "volume_overlap": plausibility.Limit(0.0, -1.0, "none allowed")}
    assert plausibility.judge(measured) == ()
    assert plausibility.judge(measured, strict) == ("volume_overlap",)
