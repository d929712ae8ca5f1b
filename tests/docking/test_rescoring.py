"""The order of poses: the shipped weights, and files that are none."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from discovery.molecule import Molecule
from docking import demo_target, ligand, preparation
from docking.pose import Pose
from docking.receptor import Receptor
from docking.rescoring.order import (
    FORMAT,
    SHIPPED,
    WeightsError,
    chances,
    gaps,
    read,
    rescored,
    shipped,
    spread,
)
from tests.docking import pocket

BOUND = ligand.of_mol(demo_target.reference())


@lru_cache(maxsize=1)
def receptor() -> Receptor:
    return preparation.assemble(list(pocket.atoms()), "pocket")


def pose(*shift: float) -> Pose:
    return Pose(BOUND, BOUND.coords() + np.array(shift), -5.0)


def test_the_crystal_pose_comes_before_shifted_ones() -> None:
    """Reference: where crystallography puts ergotamine in 5-HT1B, which was not learned from."""
    poses = [pose(0, 0, 0), pose(2, 0, 0), pose(0, -2, 1), pose(0, 0, 3)]
    assert int(rescored(receptor(), poses).argmax()) == 0


def test_a_pose_has_one_value_whatever_is_beside_it() -> None:
    together = rescored(receptor(), [pose(0, 0, 0), pose(1, 0, 0), pose(0, 1, 0)])
    alone = [rescored(receptor(), [pose(*shift)])[0] for shift in ((0, 0, 0), (1, 0, 0), (0, 1, 0))]
    assert together == pytest.approx(alone, abs=1e-9)


def test_a_likely_crowd_comes_before_a_likelier_loner() -> None:
    """Three poses side by side, of 0.2 each, against one of 0.3 far away: it lies among the three more often."""
    line = np.array([0.0, 0.5, 1.0, 9.0])
    (found,) = chances([np.log([0.2, 0.2, 0.2, 0.3])], [np.abs(line[:, None] - line)])
    assert int(found.argmax()) == 1
    assert (np.exp(found) <= 1.0).all()


def test_isomers_share_one_certainty_and_do_not_support_each_other() -> None:
    one, other = chances([np.log([0.6]), np.log([0.2, 0.2])], [np.zeros((1, 1)), np.zeros((2, 2))])
    assert np.exp(one) == pytest.approx([0.6])
    assert np.exp(other) == pytest.approx([0.4, 0.4])


def test_gaps_know_equal_atoms() -> None:
    """A benzene turned by 60 degrees lies where it lay; RDKit's CalcRMS is the reference elsewhere (test_pose.py)."""
    angle = np.arange(6) * np.pi / 3
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(6)], axis=1)
    labels = np.array([np.roll(np.arange(6), k) for k in range(6)])
    poses = np.stack([ring, ring[labels[1]], np.add(ring, (0.0, 0.0, 3.0))])
    assert gaps(poses, labels) == pytest.approx(np.array([[0, 0, 3], [0, 0, 3], [3, 3, 0]]), abs=1e-9)
    assert gaps(poses, labels[:1])[0, 1] == pytest.approx(1.0)


def test_poses_that_differ_are_kept_before_repetitions() -> None:
    line = np.array([0.0, 0.5, 1.0, 9.0, 9.5])
    gap = np.abs(line[:, None] - line)
    assert spread([1, 0, 2, 3, 4], gap, 2) == [1, 3]
    assert spread([1, 0, 2, 3, 4], gap, 4) == [1, 3, 0, 2]
    assert spread([1, 0, 2, 3, 4], gap, 9) == [1, 3, 0, 2, 4]
    assert spread([1, 0], gap, 0) == []
    asked: list[int] = []
    assert spread([1, 0, 2, 3, 4], gap, 2, lambda pose: asked.append(pose) or pose != 1) == spread(
        [0, 2, 3, 4], gap, 2
    )
    assert asked[0] == 1
    assert len(asked) < 5  # nothing is asked of poses that are not needed


def test_ring_shapes_of_a_ligand_are_rescored_each_as_it_lies() -> None:
    chairs = ligand.prepare(Molecule.parse("CC1CCC(N)CC1"), most_shapes=2)
    assert len({chair.digest for chair in chairs}) == 2
    poses = [Pose(chair, chair.coords() + shift, -1.0) for shift in (0.0, 1.0) for chair in chairs]
    alone = [rescored(receptor(), [pose])[0] for pose in poses]
    assert rescored(receptor(), poses) == pytest.approx(alone, abs=1e-9)


def test_several_ligands_are_refused() -> None:
    other = ligand.prepare(Molecule.parse("CCO"))[0]
    with pytest.raises(ValueError, match="one at a time"):
        rescored(receptor(), [pose(0, 0, 0), Pose(other, other.coords(), -1.0)])


def test_no_poses_no_values() -> None:
    assert len(rescored(receptor(), [])) == 0


def test_the_card_belongs_to_the_file() -> None:
    card = SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() in card


def test_no_weight_is_out_of_hand() -> None:
    weights = shipped()
    assert np.isfinite(weights.terms).all()
    assert np.abs(weights.contacts).max() < 10


def test_files_that_are_no_weights_say_so(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(WeightsError, match="absent"):
        read(path)
    path.write_bytes(SHIPPED.read_bytes()[:200])
    with pytest.raises(WeightsError, match="no whole safetensors"):
        read(path)
    path.write_bytes(save({"terms": np.zeros(1)}, metadata={"format": "another"}))
    with pytest.raises(WeightsError, match="'another'"):
        read(path)
    path.write_bytes(save({"terms": np.zeros(2)}, metadata={"format": FORMAT, "features": "inter"}))
    with pytest.raises(WeightsError, match="should hold"):
        read(path)
