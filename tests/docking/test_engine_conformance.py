"""The conformance check passes the reference engine and finds each broken promise of a bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from discovery import plugins
from docking.engines.conformance import check_engine
from docking.engines.vina import VinaEngine
from docking.ligand import Ligand
from docking.pose import Pose
from docking.receptor import Receptor
from docking.site import Site


def test_vina_conforms() -> None:
    assert check_engine("vina", {"exhaustiveness": 1}) == []


@dataclass(frozen=True)
class Bad:
    """Puts every ligand where a fault says."""

    fault: str
    name: str = "bad"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"fault": self.fault}

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        xyz = ligand.coords()
        centred = xyz - xyz.mean(axis=0) + np.array(site.center)
        if self.fault == "outside":
            centred = centred + 100.0
        if self.fault == "stretched":
            centred = (centred - site.center) * 1.1 + site.center
        poses = [Pose(ligand, centred, score, {}, self.name) for score in (-5.0, -4.0, -3.0)]
        return {
            "none": [],
            "upside down": poses[::-1],
            "too many": [*poses, replace(poses[0], score=-1.0)],
        }.get(self.fault, poses)

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: Any, /) -> Pose:
        return Pose(ligand, coords + (self.fault == "moves"), -5.0, {}, self.name)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("outside", "outside the box"),
        ("stretched", "changed bond lengths"),
        ("none", "no pose"),
        ("upside down", "not best first"),
        ("too many", "4 poses, when at most 3"),
        ("moves", "must leave the pose where it is"),
    ],
)
def test_a_broken_promise_is_named(monkeypatch: pytest.MonkeyPatch, fault: str, said: str) -> None:
    monkeypatch.setattr(plugins, "load", lambda group, name: Bad)
    complaints = check_engine("bad", {"fault": fault})
    assert any(said in complaint for complaint in complaints), complaints


def test_an_engine_that_only_copies_the_conformer_is_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check cannot see: whether poses are any good. That is what the benchmarks are for."""
    monkeypatch.setattr(plugins, "load", lambda group, name: Bad)
    assert check_engine("bad", {"fault": ""}) == []


def test_an_unknown_engine_is_named() -> None:
    assert "did you mean 'vina'?" in check_engine("vinna")[0]


def test_settings_are_checked() -> None:
    assert VinaEngine().settings["exhaustiveness"] == 8
    assert "exhaustivness" in check_engine("vina", {"exhaustivness": 1})[0]
