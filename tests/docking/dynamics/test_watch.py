"""Faults: standing still is noticed, moving is not mistaken for it; hosts are remembered."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from docking.dynamics import watch as room
from docking.dynamics.watch import HUNG, Watch, begun, hung, moved_on


def test_a_unit_that_stands_still_is_ended_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    with Watch(patience_s=0.1, end=ended.append) as watch:
        watch.beat(tmp_path)
        until = time.monotonic() + 20.0
        while not ended and time.monotonic() < until:
            time.sleep(0.02)
    assert ended == [HUNG]
    assert str(tmp_path) in hung(tmp_path)
    assert "the same command again" in capsys.readouterr().err


def test_a_unit_that_moves_is_left_alone(tmp_path: Path) -> None:
    ended: list[int] = []
    with Watch(patience_s=30.0, end=ended.append) as watch:
        for _ in range(5):
            watch.beat(tmp_path)
            time.sleep(0.01)
    assert ended == []
    assert hung(tmp_path) == ""


def test_hosts_are_remembered_until_it_moves_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("node1", "node2", "node3"):
        monkeypatch.setattr(room.socket, "gethostname", lambda host=host: host)
        hosts = begun(tmp_path)
    assert hosts == ["node1", "node2", "node3"]
    moved_on(tmp_path)
    assert begun(tmp_path) == ["node3", "node3"]


@pytest.mark.parametrize("written", [b"", b"{", b"7", b"\xff\xfe"])
def test_a_damaged_list_of_starts_begins_anew(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "starts.json").write_bytes(written)
    assert len(begun(tmp_path)) == 1
