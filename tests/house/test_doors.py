"""One rule for all commands: whoever keeps a run goes on with it, and one seed is everybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from discovery.cli import app
from discovery.devices import SEED
from discovery.doors import RULES, FolderTaken, check_fresh

PANEL: Any = typer.main.get_command(app)
COMMANDS = {name: PANEL.get_command(None, name) for name in PANEL.list_commands(None)}
KEEPING = ("demo", "dock", "mine", "run", "screen", "simulate", "steer", "train", "train-reader")


@pytest.mark.parametrize("name", KEEPING)
def test_whoever_keeps_a_run_goes_on_with_it_unless_told_not_to(name: str) -> None:
    (resume,) = (one for one in COMMANDS[name].params if one.name == "resume")
    assert (resume.opts, resume.secondary_opts, resume.default) == (["--resume"], ["--fresh"], True)


def test_the_seed_is_the_same_everywhere() -> None:
    seeds = {
        name: option.default
        for name, command in COMMANDS.items()
        for option in command.params
        if option.name == "seed"
    }
    assert set(seeds.values()) == {SEED, None}
    assert [name for name, seed in seeds.items() if seed is None] == ["steer"]  # its file says


def test_a_folder_that_holds_something_is_not_fresh(tmp_path: Path) -> None:
    check_fresh(tmp_path, resume=False)
    check_fresh(tmp_path / "absent", resume=False)
    (tmp_path / "x").touch()
    check_fresh(tmp_path, resume=True)
    with pytest.raises(FolderTaken, match="is not empty; without --fresh its run goes on"):
        check_fresh(tmp_path, resume=False)


def test_the_rules_are_told_where_they_are_looked_for() -> None:
    assert RULES in PANEL.epilog


def test_every_argument_and_option_tells_what_it_is() -> None:
    silent = [
        f"{name} {option.name}"
        for name, command in COMMANDS.items()
        for option in command.params
        if not option.help and not getattr(option, "hidden", False)
    ]
    assert not silent
