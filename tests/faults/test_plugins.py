"""Somebody's bad plug-in is named, and the rest of the workbench goes on."""

from __future__ import annotations

import pytest

from discovery import plugins
from discovery.plugins import PluginError


def test_a_package_on_the_path_is_known_without_touching_ours() -> None:
    assert {"toy_weight", "qed", "docking"} <= set(plugins.names("scorers"))
    assert plugins.build("scorers", "toy_weight", {"seconds": "0.5"}).seconds == 0.5


def test_one_that_fails_at_import_is_named_and_spares_the_others() -> None:
    with pytest.raises(
        PluginError, match=r"toy_raises_at_import.*RuntimeError: the licence server does not answer"
    ):
        plugins.load("scorers", "toy_raises_at_import")
    assert plugins.build("scorers", "toy_weight").column.name == "toy_weight"


def test_a_mistyped_name_or_setting_is_told_the_nearest() -> None:
    with pytest.raises(PluginError, match="no scorer called 'toy_wieght'; did you mean 'toy_weight'"):
        plugins.load("scorers", "toy_wieght")
    with pytest.raises(PluginError, match="no setting 'secnds'; did you mean 'seconds'"):
        plugins.build("scorers", "toy_weight", {"secnds": 1})
    with pytest.raises(PluginError, match=r"'seconds'.*number"):
        plugins.build("scorers", "toy_weight", {"seconds": "soon"})


def test_an_unknown_group_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError, match="scorers"):
        plugins.names("scorer")


def test_an_absent_library_names_the_extra_that_brings_it() -> None:
    with pytest.raises(
        PluginError, match=r"No module named 'no_such_library'; it needs: pip install 'toy-plugins\[big\]'"
    ):
        plugins.load("scorers", "toy_needs_library")


def test_a_setting_that_makes_no_sense_is_the_users_to_mend() -> None:
    with pytest.raises(PluginError, match="scorers 2: scorer 'descriptor'"):
        plugins.build("scorers", "descriptor", {"name": "lgp"}, where="scorers 2")
