"""RESULTS.md and the README's table are what results.jsonl says, and every line of that says how it was made."""

from __future__ import annotations

import json

from tests.benchmarks import tables


def test_the_tables_are_generated() -> None:
    runs = tables.newest()
    assert tables.RESULTS_MD.read_text(encoding="utf-8") == tables.results(runs)
    assert tables.readme_table(runs) in tables.README.read_text(encoding="utf-8")


def test_every_run_names_its_commit_command_seed_and_device() -> None:
    for line in (tables.HERE / "results.jsonl").read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        assert {"name", "date", "commit", "command", "seed", "device", "numbers"} <= set(run), line
        assert run["command"].startswith("python -m tests.benchmarks.")
        assert " /" not in run["command"], "a path of one machine says nothing elsewhere"
