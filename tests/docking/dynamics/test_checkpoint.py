"""Faults: any kill, any damaged byte; the newest whole generation is found, never a broken one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from docking.dynamics.checkpoint import Keeper, packed, unpacked
from docking.dynamics.simulate import Progress


def progress(chunk: int) -> Progress:
    frames = np.random.default_rng(chunk + 1).normal(size=(max(chunk, 0), 5, 3))
    return Progress(chunk, f"<State n='{chunk}'/>", frames, 10 * chunk, 2.0, 1)


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    keeper = Keeper(Progress, tmp_path, "replica-0", every_s=0.0)
    assert keeper.found() is None
    for chunk in range(-1, 4):
        keeper.keep(progress(chunk))
        found = keeper.found()
        assert found is not None
        assert (found.chunk, found.state, found.steps, found.step_fs) == (
            chunk,
            f"<State n='{chunk}'/>",
            10 * chunk,
            2.0,
        )
        assert np.array_equal(found.frames, progress(chunk).frames)
    assert len(list(tmp_path.iterdir())) == 2
    keeper.forget()
    assert list(tmp_path.iterdir()) == []


def test_between_generations_time_must_pass_but_the_last_is_always_kept(tmp_path: Path) -> None:
    keeper = Keeper(Progress, tmp_path, "replica-0", every_s=1e9, last=3)
    assert [keeper.keep(progress(chunk)) for chunk in (0, 1, 2, 3)] == [True, False, False, True]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "swap"])
def test_a_damaged_newest_generation_costs_one_generation(tmp_path: Path, damage: str) -> None:
    keeper = Keeper(Progress, tmp_path, "replica-0", every_s=0.0)
    for chunk in (1, 2, 3):
        keeper.keep(progress(chunk))
    newest = max(keeper._paths(), key=lambda path: (unpacked(path) or (-1,))[0])
    data = bytearray(newest.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    newest.write_bytes(
        {"cut": data[:-7], "flip": data, "empty": b"", "gone": data, "swap": data[::-1]}[damage]
    )
    if damage == "gone":
        newest.unlink()
    found = keeper.found()
    assert found is not None
    assert found.chunk == 2
    keeper.keep(progress(4))  # and the whole one is not the one that is replaced
    assert {int((unpacked(path) or (-1, {"chunk": -9}))[1]["chunk"]) for path in keeper._paths()} == {2, 4}


def test_no_flipped_byte_anywhere_is_believed(tmp_path: Path) -> None:
    whole = packed(progress(2), 0)
    path = tmp_path / "c"
    rng = np.random.default_rng(9)
    for place in rng.integers(0, len(whole), 60):
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(data)
        assert unpacked(path) is None
