"""RESULTS.md and the README's table are what results.jsonl says, and every line of that says how it was made."""

from __future__ import annotations

import json

from tests.benchmarks import tables


def test_the_tables_are_generated() -> None:
    runs = tables.newest()
    assert tables.RESULTS_MD.read_text(encoding="utf-8") == tables.results(runs)
    assert tables.readme_table(runs) in tables.README.read_text(encoding="utf-8")


def test_no_number_of_a_told_run_is_left_out() -> None:
    numbers = {
        "n": 3,
        "a.f1": 0.25,
        "a.recall": 0.5,
        "b.f1": 0.75,
        "b.recall": 0.125,
        "b.cell.line": 7,
        "share_within_0.1": 9,
    }
    told = "\n".join(tables._tabled(numbers))
    cells = [cell.strip() for line in told.splitlines() for cell in line.strip("|").split("|")]
    for value in numbers.values():
        assert cells.count(tables._shown(value)) == 1
    assert "share_within_0.1" in cells
    assert "cell.line" in cells


def test_a_later_run_stands_for_an_earlier_one_of_the_same_settings() -> None:
    assert tables._settings("x --out DATA/a --so-far --seeds 1 2") == tables._settings("x --seeds 1 2")
    assert tables._settings("x --tasks qed median1 --calls 1000 --quick") == "x --quick"
    assert tables._settings("x --seeds 1") != tables._settings("x --seeds 2")


def test_every_run_names_its_commit_command_seed_and_device() -> None:
    for line in (tables.HERE / "results.jsonl").read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        assert {"name", "date", "commit", "command", "seed", "device", "numbers"} <= set(run), line
        assert run["command"].startswith("python -m tests.benchmarks.")
        assert " /" not in run["command"], "a path of one machine says nothing elsewhere"
