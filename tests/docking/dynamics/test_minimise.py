"""Laws: downhill only, frozen stays, a budget is a budget; a hopeless pose ends in a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.minimise import settle
from docking.dynamics.platform import Device
from docking.dynamics.system import system_of
from docking.dynamics.terms import without_terms_among
from tests.docking.dynamics.cases import energy_of, toluene_pocket


def energy(xyz: np.ndarray) -> float:
    bound = toluene_pocket()
    return energy_of(system_of(without_terms_among(bound.terms, bound.frozen), bound.frozen), xyz)


def test_it_settles_downhill_within_its_budget_and_leaves_the_shell() -> None:
    bound = toluene_pocket()
    found = settle(bound, dry=60, wet=15)
    assert found.energy == pytest.approx(energy(found.xyz), abs=0.5)
    assert found.energy < energy(bound.xyz) - 50.0
    assert np.array_equal(found.xyz[bound.frozen], bound.xyz[bound.frozen])
    assert found.evaluations <= 60 + 15 + 4


def test_a_clash_is_relieved() -> None:
    bound = toluene_pocket()
    pushed = bound.xyz.copy()
    pushed[bound.ligand] += [0.08, 0.0, 0.0]
    found = settle(replace(bound, xyz=pushed))
    assert found.energy < 0.0
    assert energy(pushed) > energy(bound.xyz)


def test_the_same_start_gives_the_same_end() -> None:
    bound = toluene_pocket()
    first, second = (settle(bound, dry=30, wet=5) for _ in range(2))
    assert np.array_equal(first.xyz, second.xyz)


def test_cpu_and_reference_settle_alike() -> None:
    bound = toluene_pocket()
    ends = [settle(bound, Device(name), dry=40, wet=5).energy for name in ("CPU", "Reference")]
    assert ends[0] == pytest.approx(ends[1], abs=2.0)


def test_atoms_on_top_of_each_other_end_in_a_reason() -> None:
    bound = toluene_pocket()
    wrong = bound.xyz.copy()
    wrong[bound.n_receptor] = np.nan
    with pytest.raises(MoleculeError, match=r"toluene: after \d+ force evaluations") as caught:
        settle(replace(bound, xyz=wrong), name="toluene")
    assert caught.value.reason is Reason.DIVERGED
