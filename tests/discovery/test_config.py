"""A campaign's configuration: what is refused names the file, the key and the nearest right one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from discovery import config
from discovery.config import Campaign, ConfigError
from discovery.properties.physchem import Qed

GOOD = """
name = "t"
rounds = 2
[[proposers]]
use = "brics"
n = 30
[[scorers]]
use = "qed"
desirability = {shape = "higher", low = 0.2, high = 0.8}
[[scorers]]
use = "synthesis"
best = 10
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_a_campaign(tmp_path: Path) -> None:
    campaign = config.read(written(tmp_path, GOOD))
    assert (campaign.name, campaign.rounds, campaign.proposers[0].n) == ("t", 2, 30)
    assert campaign.scorers[0].desirability is not None
    assert campaign.scorers[0].desirability(0.5) == pytest.approx(0.5)


def test_toml_json_and_python_give_the_same_campaign(tmp_path: Path) -> None:
    from_toml = config.read(written(tmp_path, GOOD))
    as_json = tmp_path / "campaign.json"
    as_json.write_text(from_toml.model_dump_json(), encoding="utf-8")
    assert config.read(as_json) == from_toml
    assert config.parse(from_toml.model_dump(mode="json")) == from_toml


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("rounds = 2", "ruonds = 2", "unknown key 'ruonds'; did you mean 'rounds'?"),
        ("n = 30", "m = 30", "unknown key 'proposers.0.m'"),
        ("best = 10", "bets = 10", "unknown key 'scorers.1.bets'; did you mean 'best'?"),
        ("best = 10", 'best = "ten"', "scorers.1.best: input should be a valid integer"),
        ("best = 10", "best = 0", "scorers.1.best: input should be greater than or equal to 1"),
        ("low = 0.2", "lwo = 0.2", "did you mean 'low'?"),
        ("low = 0.2", "low = 0.9", "low must be below high"),
        ('shape = "higher"', 'shape = "heigher"', "scorers.0.desirability"),
        ('use = "qed"', "", "'scorers.0.use' is required and absent"),
        ('name = "t"', 'name = "t', "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    assert wrong in GOOD
    path = written(tmp_path, GOOD.replace(wrong, right))
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        config.read(tmp_path / "none.toml")


def test_late_stages_come_last() -> None:
    late: dict[str, Any] = {
        "use": "a",
        "when": "end",
        "desirability": {"shape": "higher", "low": 0, "high": 1},
    }
    with pytest.raises(ConfigError, match="come after all others"):
        config.parse({"proposers": [{"use": "p"}], "scorers": [late, {"use": "b"}]})


def test_a_campaign_that_could_rank_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one scorer needs a desirability"):
        config.parse({"proposers": [{"use": "p"}], "scorers": [{"use": "a"}]})


def test_overrides(tmp_path: Path) -> None:
    campaign = config.read(written(tmp_path, GOOD))
    changed = config.with_overrides(
        campaign, ["rounds=3", "scorers.1.best=4", "name=two words", "target.gene=HTR1B"]
    )
    assert (changed.rounds, changed.scorers[1].best, changed.name, changed.target.gene) == (
        3,
        4,
        "two words",
        "HTR1B",
    )
    assert config.with_overrides(campaign, []) == campaign


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("rounds", "write it as key=value"),
        ("ruonds=3", "did you mean 'rounds'?"),
        ("scorers.7.best=1", "entries 0 to 1, not 7"),
        ("rounds.more=1", "is a value and holds no more"),
    ],
)
def test_wrong_overrides_are_named(tmp_path: Path, assignment: str, said: str) -> None:
    campaign = config.read(written(tmp_path, GOOD))
    with pytest.raises(ConfigError) as caught:
        config.with_overrides(campaign, [assignment])
    assert said in str(caught.value)


def test_the_schema_knows_every_key() -> None:
    schema = config.schema()
    assert set(schema["properties"]) == set(Campaign.model_fields)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("given", ["qed", Qed()])
def test_a_part_that_is_no_table_is_said_once(given: object) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse({"proposers": [{"use": "brics"}], "scorers": [given]})
    assert re.fullmatch(
        r"the campaign: scorers\.0: is a table of keys and values, not ('qed'|a Qed)", str(caught.value)
    )


def test_a_campaign_that_is_no_table_is_told_so() -> None:
    with pytest.raises(ConfigError, match=r"the campaign: is a table of keys and values, not 'x\.toml'"):
        config.parse("x.toml")  # type: ignore[arg-type]
