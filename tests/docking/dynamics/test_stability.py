"""Laws: a flip of a symmetric ring is no drift; moving away loses contacts."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from docking.dynamics.stability import stability
from tests.docking.dynamics.cases import demo_model, toluene, toluene_pocket


def seen(frames: np.ndarray) -> object:
    bound = toluene_pocket()
    heavy = np.flatnonzero(demo_model().numbers[bound.receptor_atoms] > 1)
    return stability(bound, toluene(), bound.xyz * 10, frames, heavy)


def test_a_pose_that_stays_has_not_moved() -> None:
    found = seen(toluene_pocket().xyz[None] * 10)
    assert found.rmsd == pytest.approx([0.0])
    assert found.kept == pytest.approx([1.0])


def test_sliding_drifts_by_the_slide_and_leaving_loses_the_contacts() -> None:
    bound = toluene_pocket()
    frames = np.repeat(bound.xyz[None] * 10, 2, axis=0)
    frames[0, bound.ligand] += [0.0, 0.6, 0.8]
    frames[1, bound.ligand] += [0.0, 60.0, 80.0]
    found = seen(frames)
    assert found.rmsd == pytest.approx([1.0, 100.0])
    assert found.kept[0] > 0.5
    assert found.kept[1] == 0.0


def test_a_flipped_ring_has_not_moved() -> None:
    bound, mol = toluene_pocket(), toluene()
    ring = Chem.MolFromSmarts("[CH3]c1[cH][cH][cH][cH][cH]1")
    one, other = mol.GetSubstructMatches(ring, uniquify=False)[:2]
    flipped = bound.xyz.copy()[None] * 10
    for a, b in zip(one, other, strict=True):
        flipped[0, bound.n_receptor + a] = bound.xyz[bound.n_receptor + b] * 10
    assert np.abs(flipped[0] - bound.xyz * 10).max() > 1.5
    assert seen(flipped).rmsd == pytest.approx([0.0], abs=1e-9)


def test_frames_of_another_complex_are_refused() -> None:
    with pytest.raises(ValueError, match="frames hold 3 atoms"):
        seen(np.zeros((1, 3, 3)))
