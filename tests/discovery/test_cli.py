"""The command line as a user meets it: in processes of its own where that matters, else typed into this one."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from importlib import metadata
from pathlib import Path

import pytest

from discovery import doors, plugins
from discovery.cli import main
from discovery.score import Column
from discovery.screens.screened import screened
from discovery.screens.screening import ScreenError
from discovery.views.terminal import fitting
from discovery.workers.interrupt import Interrupted

PLUGINS = Path(__file__).resolve().parents[1] / "faults" / "plugin_package"
CAMPAIGN = """
name = "typed"
workers = 0
[[proposers]]
use = "brics"
n = 12
[[scorers]]
use = "qed"
desirability = {shape = "higher", low = 0.0, high = 1.0}
[[scorers]]
use = "alerts"
at_most = 0
"""


def discovery(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS), "COLUMNS": "200"}
    command = [sys.executable, "-m", "discovery.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=120)


def typed(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same in this process, from the words to the exit status: starting Python again proves nothing more."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["discovery", *words]
    try:
        with chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
            main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
    return subprocess.CompletedProcess(list(words), status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "campaign.toml").write_text(CAMPAIGN)
    done = typed("run", "campaign.toml", "--out", "run", "--progress", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)["kind"] for line in done.stderr.splitlines())
    assert "report.html" in done.stdout
    return folder / "run"


def test_help_lists_our_commands_and_the_plug_ins() -> None:
    said = discovery("--help").stdout
    for command in (
        "run",
        "status",
        "report",
        "rank",
        "screen",
        "plan",
        "replay",
        "verify",
        "doctor",
        "dock",
        "dossier",
    ):
        assert f"  {command} " in said


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['discovery', '--help']\n"
        "from discovery.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'jax', 'openmm', 'transformers', 'pandas', 'pyarrow', 'rdkit', 'numpy', 'pydantic', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_help_looks_through_the_installed_packages_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def look(group: str) -> metadata.EntryPoints:
        looks.append(group)
        return metadata.entry_points(group=group)

    monkeypatch.setattr(plugins, "entry_points", look)
    plugins._found.cache_clear()
    assert "dock" in typed("--help").stdout
    assert looks == ["discovery.commands"]


def test_a_disk_that_cannot_be_written_to_is_told_with_what_to_do() -> None:
    said = doors.refusal(OSError(errno.EROFS, "Read-only file system", "out/parts"))
    assert said is not None
    assert said.startswith("cannot write out/parts: Read-only file system; make the folder writable")
    # as an open file says it, or Arrow
    said = doors.refusal(OSError(errno.ENOSPC, "No space left on device"))
    assert said is not None
    assert said.startswith("cannot write: No space left on device; free some space")


def test_the_report_is_one_file_in_the_runs_folder(finished: Path) -> None:
    assert (finished / "report.html").stat().st_size > 10_000
    done = typed("report", str(finished), "--out", str(finished / "other.html"))
    assert done.returncode == 0, done.stderr
    assert (finished / "other.html").is_file()


def test_status_rank_verify_replay(finished: Path) -> None:
    assert "finished" in typed("status", str(finished)).stdout
    ranked = typed("rank", str(finished), "--csv")
    lines = ranked.stdout.splitlines()
    assert len(lines) == 13
    assert "rank" in lines[0]
    plain = typed("rank", str(finished)).stdout
    assert plain.count("     – r0-") == sum(
        line.startswith(",") for line in lines[1:]
    )  # each unranked row, with its reason
    assert "every byte and every count as written" in typed("verify", str(finished)).stdout
    assert "same" in typed("replay", str(finished), "r0-0000").stdout


def test_verify_names_a_flipped_byte(finished: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    shard = sorted(copy.rglob("*.parquet"))[0]
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(bytes(data))
    done = typed("verify", str(copy))
    assert done.returncode == 1
    assert shard.name in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "none.toml"], "error: none.toml: there is no such file"),
        (["status", "none"], "error: none: there is no such folder"),
        (["verify", "none"], "error: none: there is no such folder"),
        (["screen", "none.smi", "--out", "x"], "none.smi"),
        (["run", "."], "error: .: is a folder; give the file in it"),
        (["rank", "x", "--top", "0"], "'--top'"),
        (["screen"], "; discovery screen --help tells what it takes"),
        (["scren"], "Did you mean 'screen'"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    done = typed(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_absent_extra_is_one_sentence_and_a_broken_import_is_a_bug(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    absent = ImportError("the reading model needs: pip install 'discovery-workbench[literature]'")
    monkeypatch.setattr("discovery.cli.app", lambda **_: (_ for _ in ()).throw(absent))
    done = typed("annotate")
    assert (done.returncode, done.stderr) == (2, f"error: {absent}\n")
    for bug in (ImportError("no name x"), ValueError("shapes differ"), OSError("no errno, no path")):
        monkeypatch.setattr("discovery.cli.app", lambda bug=bug, **_: (_ for _ in ()).throw(bug))
        with pytest.raises(type(bug), match=str(bug)):
            typed("annotate")


def test_what_the_disk_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = typed("propose", "--n", "1", "--proposer", "brics", "--out", "file/x.smi", cwd=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: file is a file, so nothing can be put in it; choose another folder\n", done.stderr
    )


def test_rank_says_how_many_unranked_rows_it_leaves_out(finished: Path) -> None:
    """At most --top of them are printed; the counts by reason are of all."""
    whole = typed("rank", str(finished), "--top", "1000").stdout
    unranked = [line for line in whole.splitlines() if line.startswith("     – ")]
    assert len(unranked) > 2
    cut = typed("rank", str(finished), "--top", "2").stdout
    assert [line for line in cut.splitlines() if line.startswith("     – ")] == unranked[:2]
    assert f"and {len(unranked) - 2} unranked rows more" in cut
    assert cut.splitlines()[-1] == whole.splitlines()[-1]


def test_a_wrong_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CAMPAIGN.replace("workers", "wrokers"))
    done = typed("run", "c.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "error: c.toml: unknown key 'wrokers'; did you mean 'workers'?" in done.stderr


def test_the_schema_is_json() -> None:
    assert json.loads(typed("schema").stdout)["title"] == "Campaign"


def test_conform_judges_a_plug_in() -> None:
    good = discovery("conform", "scorers", "qed")
    assert (good.returncode, good.stdout) == (0, "scorers qed: keeps its promise\n")
    bad = discovery("conform", "scorers", "toy_moody")
    assert bad.returncode == 1
    assert "asked twice, it answers differently" in bad.stdout
    assert "did you mean 'scorers'" in discovery("conform", "scorer", "qed").stderr


def test_a_screen_tells_what_failed_and_how_far_it_is(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("structure,id\nCCO,one\nnothing,two\n")
    words = ("screen", str(table), "--out", str(tmp_path / "out"), "--workers", "1", "--progress", "silent")
    done = typed(*words)
    assert done.returncode == 0
    assert "1 unparsable (intake), such as: mine.csv, line 3" in done.stdout
    told = typed("status", str(tmp_path / "out"))
    assert "2 rows in: 1 scored, 1 failed" in told.stdout
    assert "finished" in told.stdout
    (best,) = screened(tmp_path / "out").run.rows
    assert (best.id, best.rank, best.smiles) == ("one", 1, "CCO")
    assert typed("report", str(tmp_path / "out")).returncode == 0
    assert "The best 1 of 2 rows" in (tmp_path / "out" / "report.html").read_text()
    with pytest.raises(ScreenError, match="no screen that has ended"):
        screened(tmp_path)
    wrong = typed(*words[:3], str(tmp_path / "other"), *words[4:], "--smiles", "id")
    assert wrong.returncode == 2
    assert "name it with --smiles" in wrong.stderr


def test_the_help_of_a_plug_in_looks_like_ours() -> None:
    said = typed("series", "--help").stdout
    assert "Options:\n  --activity" in said


def test_the_shortlist_fits_the_terminal_and_keeps_the_structures_whole(finished: Path) -> None:
    wide = typed("rank", str(finished), "--top", "3").stdout
    assert "more column" not in wide
    columns = [Column(f"a_long_column_{i}", unit="kcal/mol", better="low") for i in range(9)]
    assert [column.name for column in fitting(columns, 60)] == [f"a_long_column_{i}" for i in range(4, 9)]


def test_a_concentration_is_not_quietly_taken_for_an_affinity(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    rings = ("c1ccccc1", "c1ccncc1", "c1ccsc1")
    lines = [f"{'C' * n}NC(=O){ring},{n * 10}" for ring in rings for n in range(1, 5)]
    table.write_text("\n".join(["smiles,response [nM]", *lines]) + "\n")
    words = ("series", str(table), "--activity", "response [nM]", "--out", str(tmp_path / "out.html"))
    assert "--concentration nM takes its −log10" in typed(*words).stderr
    assert typed(*words, "--lower-is-better").stderr == ""


@pytest.mark.parametrize("told", [KeyboardInterrupt, Interrupted])
def test_a_command_that_is_told_to_stop_says_so(
    monkeypatch: pytest.MonkeyPatch, told: type[BaseException]
) -> None:
    def stopped() -> None:
        raise told

    monkeypatch.setattr("discovery.campaigns.parts.listed", stopped)
    done = typed("parts")
    assert done.returncode == 75
    assert done.stderr == "stopped; the same command goes on with what was kept\n"
