"""Every part is listed without loading it, and can be looked at with its settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from discovery import parts, plugins


def test_every_registered_part_says_what_it_does() -> None:
    found = parts.listed()
    assert {(part.group, part.name) for part in found} >= {
        (group, name) for group in parts.CHOSEN for name in plugins.names(group)
    }
    ours = [part for part in found if not part.name.startswith("toy_")]
    assert [part.name for part in ours if not part.line] == []


def test_the_list_loads_no_part() -> None:
    code = "import sys; from discovery import parts; parts.listed(); print(sorted({'jax', 'torch', 'rdkit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_one_part_with_its_settings() -> None:
    text = parts.described("descriptor")
    assert "scorer descriptor" in text
    assert "    name: str = must be given" in text
    with pytest.raises(plugins.PluginError, match="did you mean 'descriptor'"):
        parts.described("descritor")
