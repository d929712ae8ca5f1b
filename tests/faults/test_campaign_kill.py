"""kill -9 at random moments of `discovery run`, then finishing: the table is the undisturbed run's.

The campaign proposes with the shipped baseline, learns between rounds, scores in this
process and in workers, and ends with a late stage, so that every kind of step is hit.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from discovery import campaign

PLUGINS = Path(__file__).parent / "plugin_package"

CAMPAIGN = """
name = "killed"
seed = 11
rounds = 2
workers = 2

[[proposers]]
use = "brics"
n = 24

[[scorers]]
use = "qed"
workers = 0
chunk = 5
desirability = {shape = "higher", low = 0.0, high = 1.0}

[[scorers]]
use = "toy_weight"
settings = {seconds = 0.03}
chunk = 4
best = 16
desirability = {shape = "higher", low = 0.0, high = 6.0}

[[scorers]]
use = "toy_refined"
when = "end"
best = 6
workers = 0
chunk = 2
desirability = {shape = "higher", low = 0.0, high = 12.0}
"""


def start(toml: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "discovery.cli",
        "run",
        str(toml),
        "--out",
        str(out),
        "--progress",
        "silent",
    ]
    path = os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(toml: Path, out: Path) -> float:
    """Run to the end; the seconds it took."""
    began = time.monotonic()
    process = start(toml, out)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said.decode()
    return time.monotonic() - began


@pytest.mark.timeout(1200)  # 20 kills: a minute and a half on two quiet cores; ten times that on busy ones
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_leave_the_table_as_it_would_have_been(tmp_path: Path, kills: int) -> None:
    toml = tmp_path / "campaign.toml"
    toml.write_text(CAMPAIGN)
    took = finish(toml, tmp_path / "whole")
    whole = campaign.load(tmp_path / "whole")
    assert whole.finished
    assert len(whole.ranked) > 6

    draw = random.Random(2026 + kills)
    killed, starts = 0, 0
    out = tmp_path / "killed-0"
    while killed < kills:
        starts += 1
        assert starts < 20 + 4 * kills, "most starts end before they are killed: draw earlier moments"
        process = start(toml, out)
        try:
            process.wait(timeout=draw.uniform(0.2, 0.9) * took)
        except subprocess.TimeoutExpired:
            # The power goes for all of it, or the driver alone dies and its workers must notice.
            (os.killpg if starts % 2 else os.kill)(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        else:
            assert process.returncode == 0
            assert campaign.load(out).rows == whole.rows
            out = tmp_path / f"killed-{starts}"  # begin afresh, so that the next kill hits something
    finish(toml, out)
    after = campaign.load(out)
    assert after.rows == whole.rows
    assert [bar.counts for bar in after.funnel] == [bar.counts for bar in whole.funnel]
    assert not list(out.rglob("*.tmp"))
