"""What is measured of poses: Vina's own sums, and laws of space."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from docking import demo_target, ligand, pdbqt, preparation
from docking.receptor import Receptor
from docking.rescoring.features import KNOTS, REACH, Table, measure
from tests.docking import pocket

SMOOTH = ("inter", "intra", "gauss1", "hbond", "vinardo_gauss", "unmet", "charge_on_ring", "turned_staggered")
BOUND = ligand.of_mol(demo_target.reference())


@lru_cache(maxsize=1)
def receptor() -> Receptor:
    return preparation.assemble(list(pocket.atoms()), "pocket")


def posed(*shifts: tuple[float, float, float]) -> np.ndarray:
    return np.asarray(BOUND.docked(BOUND.coords())[None] + np.array(shifts)[:, None])


@lru_cache(maxsize=1)
def at_rest() -> tuple[Table, np.ndarray]:
    return measure(BOUND.pdbqt, posed((0, 0, 0), (0.4, -0.3, 0.2)), receptor().pdbqt)


def test_terms_add_up_to_what_vina_says() -> None:
    """Reference: the `vina` package's score of the same poses; it tabulates, so 0.05 kcal/mol of slack."""
    pytest.importorskip("vina")
    from docking.engines.vina import VinaEngine

    poses = posed((0, 0, 0), (0.4, -0.3, 0.2))
    program, site = VinaEngine(), demo_target.site()
    theirs = [program.score(receptor(), site, BOUND, BOUND.whole(pose)).terms for pose in poses]
    table = at_rest()[0]
    assert table["inter"] == pytest.approx([terms["inter"] for terms in theirs], abs=0.05)
    assert table["intra"] == pytest.approx([terms["intra"] for terms in theirs], abs=0.05)


def test_every_contact_is_counted_once() -> None:
    """Reference: all distances, one by one."""
    whole = pdbqt.read(receptor().pdbqt)
    there = whole.coords[[kind not in ("H", "HD") for kind in whole.types]]
    heavy = [atom.type not in ("H", "HD") for atom in pdbqt.read(BOUND.pdbqt).atoms]
    here = posed((0, 0, 0))[0][heavy]
    near = (np.linalg.norm(here[:, None] - there[None], axis=-1) < REACH).sum()
    contacts = at_rest()[1]
    assert contacts.shape[1:] == (19, 19, len(KNOTS))
    assert contacts[0].sum() == pytest.approx(near)


@settings(max_examples=4, derandomize=True, deadline=None)
@given(
    turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1), seed=st.integers(0, 9)
)
def test_turning_everything_changes_nothing(turn: tuple[float, ...], seed: int) -> None:
    rotation = Rotation.from_quat(turn)
    slide = np.random.default_rng(seed).uniform(-20, 20, 3)
    moved = pdbqt.moved(receptor().pdbqt, rotation.apply(pdbqt.read(receptor().pdbqt).coords.copy()) + slide)
    template = pdbqt.moved(BOUND.pdbqt, rotation.apply(np.array(pdbqt.read(BOUND.pdbqt).coords)) + slide)
    poses = posed((0, 0, 0), (0.4, -0.3, 0.2))
    turned = np.stack([rotation.apply(pose) + slide for pose in poses])
    table, contacts = measure(template, turned, moved)
    for name in SMOOTH:
        assert table[name] == pytest.approx(at_rest()[0][name], rel=0.01, abs=0.1), name  # three decimals
    assert np.abs(contacts - at_rest()[1]).sum(axis=(1, 2, 3)).max() < 6  # at the edge of the reach


def test_a_pose_far_away_meets_nothing() -> None:
    table, contacts = measure(BOUND.pdbqt, posed((0, 0, 0), (200, 0, 0)), receptor().pdbqt)
    assert contacts[1].sum() == 0
    assert table["inter"][1] == 0
    assert table["buried"][1] == 0
    assert table["unmet"][1] == 0
    assert table["intra"][1] == pytest.approx(table["intra"][0])


def test_a_pose_does_not_depend_on_those_beside_it() -> None:
    alone = measure(BOUND.pdbqt, posed((0.4, -0.3, 0.2)), receptor().pdbqt)
    for name, values in at_rest()[0].items():
        assert alone[0][name][0] == pytest.approx(values[1], abs=1e-9), name
    assert alone[1][0] == pytest.approx(at_rest()[1][1])
