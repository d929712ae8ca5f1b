"""Faults: folders that a run must not begin in or go on in, each refused by name with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from docking.receptor import DockingError
from docking.run_folder import DOCKING, SIMULATION, Kind, begin, check_free

SETTINGS = {"poses": "0" * 64, "keep": 9.0}


def test_a_run_begins_where_nothing_is_and_goes_on_with_the_same_settings_alone(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    begin(out, SIMULATION, SETTINGS, resume=False)
    begin(out, SIMULATION, SETTINGS, resume=True)
    with pytest.raises(DockingError, match=r"keep was 9\.0 and is 12\.0$"):
        begin(out, SIMULATION, SETTINGS | {"keep": 12.0}, resume=True)
    with pytest.raises(DockingError, match="holds a simulation already; it goes on without --fresh"):
        begin(out, SIMULATION, SETTINGS, resume=False)
    with pytest.raises(DockingError, match="not empty and holds no docking run"):
        check_free(out, DOCKING, resume=True)


@pytest.mark.parametrize("kind", [DOCKING, SIMULATION])
@pytest.mark.parametrize("written", [b"", b"{bad", b"[1, 2]", b"\xff\xfe{}"])
def test_settings_that_cannot_be_read_are_no_settings(tmp_path: Path, kind: Kind, written: bytes) -> None:
    (tmp_path / kind.file).write_bytes(written)
    with pytest.raises(DockingError, match=r"is damaged, .* choose another --out"):
        begin(tmp_path, kind, SETTINGS, resume=True)


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".simulation.json.123.abcd.tmp").write_text("{")
    begin(tmp_path, SIMULATION, SETTINGS, resume=False)
    assert (tmp_path / SIMULATION.file).exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DockingError, match="out is a file; --out is a folder"):
        check_free(tmp_path / "out", SIMULATION, resume=False)
