"""What the machine offers, asked of pretended machines; seeds that are the same everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import devices
from discovery.devices import cpus, gpus, memory_gb, peak_memory_gb, seed_for

TWO_GPUS = "0, GPU-aaaa-1, NVIDIA H200, 143771, 570.86\n1, GPU-bbbb-2, NVIDIA L4, 23034, 570.86"


def pretend_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_no_driver_no_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == []


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, [0, 1]),
        ("0,1", [0, 1]),
        ("1", [1]),
        ("1,0", [1, 0]),
        ("GPU-bbbb", [1]),
        ("", []),
        ("-1", []),
        ("1,7,0", [1]),  # CUDA stops at the first one it does not know
    ],
)
def test_devices_are_those_cuda_would_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: list[int]
) -> None:
    pretend_smi(tmp_path, monkeypatch, f"printf '{TWO_GPUS}\\n'")
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = gpus()
    assert [gpu.index for gpu in found] == seen
    if seen and seen[0] == 0:
        assert found[0] == devices.Gpu(0, "NVIDIA H200", 140.4, "570.86")


def test_a_device_that_shares_memory_with_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_smi(tmp_path, monkeypatch, "echo '0, GPU-c, NVIDIA GB10, [N/A], 580.1'")
    assert gpus() == [devices.Gpu(0, "NVIDIA GB10", 0.0, "580.1")]


def test_a_sick_driver_is_not_an_absent_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_smi(tmp_path, monkeypatch, "echo 'No devices were found'; exit 6")
    assert gpus() == []
    pretend_smi(tmp_path, monkeypatch, "echo 'Driver/library version mismatch' >&2; exit 18")
    with pytest.raises(OSError, match=r"exit status 18.*version mismatch"):
        gpus()
    pretend_smi(tmp_path, monkeypatch, "exec sleep 20")
    with pytest.raises(OSError, match=r"did not answer within 0\.3 s"):
        gpus(timeout_s=0.3)


def test_processors_are_the_least_of_mask_and_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(devices, "CGROUP", tmp_path)
    assert cpus() == 16
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cpus() == 16
    (tmp_path / "cpu.max").write_text("350000 100000\n")
    assert cpus() == 3
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert cpus() == 1
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("200000")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert cpus() == 2
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1")
    assert cpus() == 16


def test_memory_honours_the_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "CGROUP", tmp_path)
    whole = memory_gb()
    assert 0.1 < whole < 1e5
    (tmp_path / "memory.max").write_text("max")
    assert memory_gb() == whole
    (tmp_path / "memory.max").write_text(str(64 * 2**20))
    assert memory_gb() == 1 / 16


def test_peak_memory_sees_what_was_touched() -> None:
    code = "from discovery.devices import peak_memory_gb as p; a = p(); b = b'x' * 2**28; print(p() - a)"
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(grown) == pytest.approx(0.25, abs=0.02)
    assert peak_memory_gb() > 0


# --- seeds


def test_a_seed_is_the_same_in_every_process_and_version() -> None:
    """Worked out by hand: the first 31 bits of sha256 over each part with its length."""
    expected = int(hashlib.sha256(b"1:77:docking3:CCO").hexdigest()[:8], 16) >> 1
    assert seed_for(7, "docking", "CCO") == expected
    code = "from discovery.devices import seed_for; print(seed_for(7, 'docking', 'CCO'))"
    for salt in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": salt},
        )
        assert int(done.stdout) == expected


identities = st.tuples(st.integers(), st.lists(st.text(max_size=5), max_size=4))


@settings(max_examples=200, derandomize=True)
@given(identities, identities)
def test_other_work_has_another_seed(a: tuple[int, list[str]], b: tuple[int, list[str]]) -> None:
    one, two = seed_for(a[0], *a[1]), seed_for(b[0], *b[1])
    assert 0 <= one < 2**31
    assert (one == two) == (a == b)  # 2**31 seeds: two of 400 agree by chance once in 27,000 runs


def test_seeds_spread_evenly() -> None:
    """A law: 3,200 seeds over 32 bins; chi-square with 31 degrees of freedom stays below 61.1 (p = 0.001)."""
    bins = [0] * 32
    for i in range(3200):
        bins[seed_for(0, str(i)) >> 26] += 1
    assert sum((count - 100) ** 2 / 100 for count in bins) < 61.1
