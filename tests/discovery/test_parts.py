"""Every part is listed without loading it, and can be looked at with its settings."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from discovery import campaign, plugins
from discovery.campaigns import parts
from discovery.config import ConfigError, parse
from discovery.score import Column, Score


def test_every_registered_part_says_what_it_does() -> None:
    found = parts.listed()
    assert {(part.group, part.name) for part in found} >= {
        (group, name) for group in parts.CHOSEN for name in plugins.names(group)
    }
    ours = [part for part in found if not part.name.startswith("toy_")]
    assert [part.name for part in ours if not part.line] == []


def test_the_list_loads_no_part() -> None:
    code = "import sys; from discovery.campaigns import parts; parts.listed(); print(sorted({'jax', 'torch', 'rdkit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_one_part_with_its_settings() -> None:
    text = parts.described("descriptor")
    assert "scorer descriptor" in text
    assert "    name: str = must be given" in text
    with pytest.raises(plugins.PluginError, match="did you mean 'descriptor'"):
        parts.described("descritor")


MINE = """
from dataclasses import dataclass
from discovery.score import Column, Score

@dataclass(frozen=True)
class Doubled:
    times: float = 2.0
    column = Column("doubled", unit="1", better="high")

    def __call__(self, molecules, /):
        return [Score(self.times * molecule.mol().GetNumAtoms()) for molecule in molecules]

number = 17
"""


def test_a_class_of_a_script_is_called_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process and in workers, without a line of registration."""
    (tmp_path / "my_scorers_of_today.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    scorers = [
        {"use": "my_scorers_of_today:Doubled", "settings": {"times": 3}, "workers": workers,
         "desirability": {"shape": "higher", "low": 0, "high": 99}}
        for workers in (0, 1)
    ]  # fmt: skip
    (tmp_path / "two.smi").write_text("CCO\nCC\n")
    library = {"use": "library", "settings": {"path": str(tmp_path / "two.smi")}}
    for number, scorer in enumerate(scorers):
        run = campaign.run(parse({"proposers": [library], "scorers": [scorer]}), tmp_path / str(number))
        assert [score.value for row in run.ranked if isinstance(score := row.outcomes["doubled"], Score)] == [
            9,
            6,
        ]
    part = plugins.load("scorers", "my_scorers_of_today:Doubled")
    assert parse({"proposers": [library], "scorers": [{**scorers[0], "use": part}]}).scorers[0].use == (
        "my_scorers_of_today:Doubled"
    )
    with pytest.raises(plugins.PluginError, match="has no setting 'tims'; did you mean 'times'"):
        plugins.build("scorers", "my_scorers_of_today:Doubled", {"tims": 3})
    with pytest.raises(plugins.PluginError, match="is no class with a 'propose', as a proposer is"):
        plugins.load("proposers", "my_scorers_of_today:Doubled")


@pytest.mark.parametrize("address", ["subprocess:Popen", "os:system", "discovery.units:KCAL"])
def test_an_address_is_of_a_part_and_of_nothing_else(address: str) -> None:
    """Campaign files pass from hand to hand: one must not run a program by naming it."""
    with pytest.raises(plugins.PluginError, match=r"is no class with a 'column'|does not load"):
        plugins.build("scorers", address, {"args": ["touch", "harm"]})


@pytest.mark.parametrize(
    ("group", "address", "said"),
    [
        (
            "scorers",
            "no_such_module:X",
            "No module named 'no_such_module'; its folder must be on Python's path",
        ),
        ("scorers", "__main__:NotThere", "worker processes need it in a module of its own"),
        ("commands", "os:system", "only scorers, proposers, engines are called by an address"),
    ],
)
def test_an_address_that_leads_nowhere_says_why(group: str, address: str, said: str) -> None:
    with pytest.raises(plugins.PluginError, match=said):
        plugins.load(group, address)


def test_a_class_inside_another_has_no_address() -> None:
    class Inside:
        column = Column("inside", unit="1", better="high")

    with pytest.raises(ConfigError, match="Inside stands inside something else; a part stands at the top"):
        parse({"proposers": [{"use": "brics"}], "scorers": [{"use": Inside}]})


@dataclass(frozen=True)
class Settled:
    receptor: str = ""
    weights: Path | None = None
    residues: tuple[str, ...] = ()
    size: tuple[float, float, float] | None = None
    seed: int = 7

    def __post_init__(self) -> None:
        plugins.settle(self)


def test_a_part_built_by_hand_takes_what_people_have() -> None:
    built = Settled(Path("a.pdb"), "w.safetensors", ["A:ASP129"], [1.0, 2.0, 3.0])  # type: ignore[arg-type]
    assert built == Settled("a.pdb", Path("w.safetensors"), ("A:ASP129",), (1.0, 2.0, 3.0))
    assert hash(built) == hash(Settled("a.pdb", Path("w.safetensors"), ("A:ASP129",), (1.0, 2.0, 3.0)))
    assert Settled() == Settled("", None, (), None, 7)
    with pytest.raises(plugins.PluginError, match=r'residues is a list; write \["A:ASP129"\]'):
        Settled(residues="A:ASP129")  # type: ignore[arg-type]
