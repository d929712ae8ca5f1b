"""A plan counts what a campaign would do, and keeps nothing."""

from __future__ import annotations

import pytest

from discovery import config
from discovery.campaigns import planning
from discovery.plugins import PluginError

UP = {"shape": "higher", "low": 0, "high": 1}


def campaign(**changes: object) -> config.Campaign:
    data = {
        "name": "planned",
        "rounds": 3,
        "proposers": [{"use": "brics", "n": 20}],
        "scorers": [
            {"use": "qed", "desirability": UP},
            {"use": "synthesis", "best": 5},
        ],
    }
    return config.parse({**data, **changes})


def test_counts_follow_the_funnel() -> None:
    plan = planning.plan(campaign())
    by_name = {stage.name: stage for stage in plan.stages}
    assert by_name["propose: brics"].molecules == 60
    assert by_name["qed"].molecules == 60
    assert by_name["synthesis"].molecules == 15
    assert all(stage.each_s is not None and stage.each_s > 0 for stage in plan.stages)
    assert plan.seconds > 0
    assert plan.network == ()
    assert "nothing is fetched" in plan.text()
    assert "rdkit BSD" in plan.text()


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(PluginError, match="did you mean 'qed'"):
        planning.plan(campaign(scorers=[{"use": "qedd", "desirability": UP}]))
