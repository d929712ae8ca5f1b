"""A row computed again is the same to the last bit, and a changed record is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery import campaign, config
from discovery.campaigns import replaying
from discovery.campaigns.starting import CampaignError
from discovery.outcome import Missing, Reason
from discovery.score import Score

UP = {"shape": "higher", "low": 0, "high": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    parts = [{"use": "qed", "desirability": UP}, {"use": "synthesis", "best": 4}]
    data = {"workers": 0, "proposers": [{"use": "brics", "n": 12}], "scorers": parts}
    campaign.run(config.parse(data), out)
    return out


def test_a_row_is_the_same_again(folder: Path) -> None:
    best = campaign.load(folder).ranked[0]
    again = replaying.replay(folder, best.id)
    assert again.same
    assert {line.column for line in again.lines} == {"qed", "synthesis"}
    assert "same" in again.text()


def test_what_the_funnel_did_not_ask_is_not_computed(folder: Path) -> None:
    last = next(
        r for r in campaign.load(folder).unranked if r.missing and r.missing.reason is Reason.NOT_REACHED
    )
    assert [line.column for line in replaying.replay(folder, last.id).lines] == ["qed"]


def test_a_difference_is_shown() -> None:
    line = replaying.Line("qed", Score(0.5), Score(0.5000000001))
    assert not line.same
    assert not replaying.Line("qed", Score(0.5), Missing("qed", Reason.CRASHED, "x")).same
    assert replaying.Line(
        "qed", Missing("qed", Reason.CRASHED, "x"), Missing("qed", Reason.CRASHED, "y")
    ).same


def test_an_unknown_row_is_named(folder: Path) -> None:
    with pytest.raises(CampaignError, match="no row 'r9-0000'"):
        replaying.replay(folder, "r9-0000")
