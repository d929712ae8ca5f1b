"""A screen: a row in is a row out, at any size, through kills, and memory stays flat."""

from __future__ import annotations

import csv
import errno
import gzip
import math
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from discovery import config
from discovery.config import ScorerConfig
from discovery.desirability import Desirability
from discovery.doors import FolderTaken
from discovery.events import Event
from discovery.files import CannotWrite, broken
from discovery.intake import read
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.plugins import PluginError
from discovery.record import IntakeError
from discovery.score import Column, Score
from discovery.screens import screening
from discovery.screens.screening import ScreenError, screen
from discovery.views.export import header

QED = ScorerConfig(use="qed", desirability=Desirability("higher", low=0, high=1), workers=0)
LIGHT = ScorerConfig(use="descriptor", settings={"name": "mw"}, at_most=200, workers=0)

ROWS = ["CCO ethanol", "c1ccccc1O phenol", "C1CC torn", "OCC again", "", "CC(=O)Oc1ccccc1C(=O)O aspirin"] + [
    f"{'C' * n}N amine{n}" for n in range(1, 20)
]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("\n".join(ROWS) + "\n")
    return path


def table(path: Path) -> list[dict[str, object]]:
    return pq.read_table(path).to_pylist()


def test_a_row_in_is_a_row_out_with_its_reason(library: Path, tmp_path: Path) -> None:
    result = screen(library, tmp_path / "out", scorers=[LIGHT, QED], workers=0)
    rows = table(result.all_rows)
    assert [row["row"] for row in rows] == list(range(1, len(ROWS) + 1))
    assert result.counts.n_in == len(ROWS)
    by_number = {row["row"]: row for row in rows}
    assert by_number[3]["missing_reason"] == "unparsable"
    assert by_number[3]["as_written"] == "C1CC"
    assert by_number[4]["missing_reason"] == "duplicate"
    assert by_number[5]["missing_reason"] == "empty"
    assert by_number[len(ROWS)]["missing_reason"] == "filtered"
    assert all((row["overall"] is None) == (row["missing_reason"] is not None) for row in rows)


def test_the_best_are_in_order(library: Path, tmp_path: Path) -> None:
    result = screen(library, tmp_path / "out", scorers=[QED], workers=0, top=5)
    with result.top.open() as file:
        best = list(csv.DictReader(file))
    utilities = [float(row["overall"]) for row in best]
    assert utilities == sorted(utilities, reverse=True)
    everything = sorted(
        (row["overall"] for row in table(result.all_rows) if row["overall"] is not None), reverse=True
    )
    assert utilities == pytest.approx(everything[:5], rel=1e-5)


def test_what_was_screened_can_be_read_again(library: Path, tmp_path: Path) -> None:
    """Both tables are libraries themselves, with the columns of a campaign's CSV."""
    result = screen(library, tmp_path / "out", scorers=[LIGHT, QED], workers=0)
    everything = table(result.all_rows)
    for file, rows in ((result.top, None), (result.all_rows, everything)):
        again = list(read(file))
        shown = rows or list(csv.DictReader(file.open()))
        assert [row.outcome.smiles if isinstance(row.outcome, Molecule) else None for row in again] == [
            row["smiles"] for row in shown
        ]
        assert [row.name for row in again] == [row["id"] for row in shown]
    names = result.top.read_text().splitlines()[0].split(",")
    assert {*names} - {"row", "mw [Da]", "qed"} <= {*header([])}


def test_a_stopped_screen_goes_on_and_ends_the_same(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "BATCH", 7)
    whole = screen(library, tmp_path / "whole", scorers=[LIGHT, QED], workers=0)

    def stop(event: Event) -> None:
        if event.done >= 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screen(library, tmp_path / "cut", scorers=[LIGHT, QED], workers=0, on_event=stop)
    before = {path.name for path in (tmp_path / "cut" / "shards").glob("*.parquet")}
    assert len(before) == 2
    cut = screen(library, tmp_path / "cut", scorers=[LIGHT, QED], workers=0)
    assert table(cut.all_rows) == table(whole.all_rows)
    assert cut.top.read_text() == whole.top.read_text()
    assert not list((tmp_path / "cut").rglob("work/*"))


def test_batches_do_not_change_the_table(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = screen(library, tmp_path / "one", scorers=[QED], workers=0)
    monkeypatch.setattr(screening, "BATCH", 4)
    many = screen(library, tmp_path / "many", scorers=[QED], workers=0)
    assert table(one.all_rows) == table(many.all_rows)


def test_another_library_or_other_scorers_need_another_folder(library: Path, tmp_path: Path) -> None:
    screen(library, tmp_path / "out", scorers=[QED], workers=0)
    with Ledger(tmp_path / "out").lock(), pytest.raises(ScreenError, match="holds another screen"):
        screen(library, tmp_path / "out", scorers=[LIGHT, QED], workers=0)  # nor is another helped
    for mark in ("documents/campaign.json", "docking.json"):
        other = tmp_path / mark
        other.parent.mkdir(exist_ok=True)
        other.write_text("{}")
        with pytest.raises(FolderTaken, match="another command"):
            screen(library, tmp_path, scorers=[QED], workers=0)
        other.unlink()
    assert not list((tmp_path / "documents").iterdir())


def test_a_library_that_changed_leaves_nothing_behind(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is that of the library as it is now; batches that are still the same are not done again."""
    monkeypatch.setattr(screening, "BATCH", 10)
    out = tmp_path / "out"
    screen(library, out, scorers=[QED], workers=0)
    first = next(shard for shard in Ledger(out).shards("screen") if shard.counts.n_failed)
    library.write_text("\n".join([*ROWS[:12], "CCCO propanol"]) + "\n")
    told: list[str] = []
    changed = screen(library, out, scorers=[QED], workers=0, on_event=lambda event: told.append(event.text))
    fresh = screen(library, tmp_path / "fresh", scorers=[QED], workers=0)
    assert changed.counts == fresh.counts == screening.so_far(out)
    assert changed.top.read_text() == fresh.top.read_text()
    assert table(changed.all_rows) == table(fresh.all_rows)
    assert first in Ledger(out).shards("screen")
    assert any("15 rows of before" in text for text in told)


def test_a_library_that_cannot_be_read_claims_no_folder(library: Path, tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="does not exist"):
        screen(tmp_path / "none.smi", tmp_path / "out", scorers=[QED], workers=0)
    assert screen(library, tmp_path / "out", scorers=[QED], workers=0).counts.n_in == len(ROWS)
    (tmp_path / "void.smi").touch()
    with pytest.raises(ScreenError, match=r"void\.smi holds no rows"):
        screen(tmp_path / "void.smi", tmp_path / "other", scorers=[QED], workers=0)
    assert not (tmp_path / "other").exists()
    with pytest.raises(ScreenError, match="at least 0, not 0 and -1"):
        screen(library, tmp_path / "out", scorers=[QED], workers=0, top=-1)


def test_what_belongs_to_campaigns_is_refused(library: Path, tmp_path: Path) -> None:
    few = ScorerConfig(use="qed", best=5)
    with pytest.raises(ScreenError, match="works on the best of a campaign"):
        screen(library, tmp_path / "out", scorers=[few], workers=0)
    with pytest.raises(PluginError, match="did you mean 'qed'"):
        screen(library, tmp_path / "out", scorers=[ScorerConfig(use="qedd")], workers=0)


def test_scorers_come_from_a_campaigns_file(library: Path, tmp_path: Path) -> None:
    toml = tmp_path / "scorers.toml"
    toml.write_text(
        '[[proposers]]\nuse = "brics"\n[[scorers]]\nuse = "qed"\nworkers = 0\n'
        'desirability = {shape = "higher", low = 0.0, high = 1.0}\n'
    )
    assert config.read(toml).scorers[0].use == "qed"
    assert screen(library, tmp_path / "out", scorers=toml, workers=0).counts.n_ok > 15


def test_what_failed_is_told_with_an_example(library: Path, tmp_path: Path) -> None:
    result = screen(library, tmp_path / "out", scorers=[LIGHT, QED], workers=0)
    assert [(loss.stage, loss.reason, loss.rows) for loss in result.losses] == [
        ("intake", "empty", 1),
        ("intake", "unparsable", 1),
    ]
    assert sum(loss.rows for loss in result.losses) == result.counts.n_failed
    assert "line 3" in result.losses[1].example
    assert screening.finished(tmp_path / "out") == result
    assert screening.so_far(tmp_path / "out") == result.counts
    assert screening.so_far(tmp_path) is None


def test_a_file_that_broke_off_says_so_at_the_end(tmp_path: Path) -> None:
    packed = gzip.compress(("\n".join(f"{'C' * n}N a{n}" for n in range(1, 400)) + "\n").encode())
    (tmp_path / "cut.smi.gz").write_bytes(packed[: len(packed) * 3 // 4])
    result = screen(tmp_path / "cut.smi.gz", tmp_path / "out", scorers=[LIGHT], workers=0)
    assert "the gzip stream ends early" in result.losses[0].example


def test_a_long_batch_is_not_silent(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 10))
    monkeypatch.setattr(screening.time, "monotonic", lambda: float(next(clock)))
    said: list[Event] = []
    screen(library, tmp_path / "out", scorers=[LIGHT, QED], workers=0, on_event=said.append)
    within = [event.text for event in said if event.text]
    assert any(text.startswith("rows 1 to 25, intake: ") for text in within)
    assert any(text.startswith("rows 1 to 25, scores: ") for text in within)


def test_a_file_where_the_folder_should_be(library: Path) -> None:
    with pytest.raises(CannotWrite, match="a folder cannot be made there; choose another"):
        screen(library, library, scorers=[QED], workers=0)


@pytest.mark.parametrize("name", ["rows.parquet", "top.csv"])
def test_a_byte_flipped_in_what_came_out_is_told(library: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    screen(library, out, scorers=[LIGHT], workers=0)
    assert broken(out) == []
    whole = (out / name).read_bytes()
    (out / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ((found, _),) = broken(out)
    assert found == name
    screen(library, out, scorers=[LIGHT], workers=0)
    assert (out / name).read_bytes() == whole
    assert broken(out) == []


def test_other_versions_are_told_before_the_work_is_done_again(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen(library, tmp_path / "out", scorers=[LIGHT], workers=0)
    versions = screening.provenance.versions()
    monkeypatch.setattr(screening.provenance, "versions", lambda: {**versions, "rdkit": "1999.1"})
    told = f"rdkit {versions['rdkit']} -> 1999.1 since it was begun: its {len(ROWS)} rows are done again"
    for expected in ([told], []):
        said: list[Event] = []
        screen(library, tmp_path / "out", scorers=[LIGHT], workers=0, on_event=said.append)
        assert [event.text for event in said if "since it was begun" in event.text] == expected


class Fragile:
    """The number of nitrogens; NaN, which is the machine's fault, for three carbons or more, while `MOOD` is bad."""

    column = Column("fragile", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> list[Score]:
        ASKED.extend(molecule.smiles for molecule in molecules)
        bad = [MOOD == ["bad"] and molecule.smiles.count("C") > 2 for molecule in molecules]
        return [Score(math.nan if b else m.smiles.count("N")) for b, m in zip(bad, molecules, strict=True)]


ASKED: list[str] = []
MOOD: list[str] = []
FRAGILE = ScorerConfig(
    use=f"{__name__}:Fragile", desirability=Desirability("higher", low=0, high=1), workers=0
)


def test_only_what_the_machine_failed_on_is_tried_again_and_three_times_at_most(tmp_path: Path) -> None:
    library = tmp_path / "few.smi"
    library.write_text("CN good\nCCCN bad\nC1C torn\nCNC fine\nNCCC again\n")
    asked = []
    for mood in ("bad", "bad", "bad", "bad"):
        MOOD[:], ASKED[:] = [mood], []
        result = screen(library, tmp_path / "out", scorers=[LIGHT, FRAGILE, QED], workers=0)
        rows = table(result.all_rows)
        assert [row["missing_reason"] for row in rows] == [
            None,
            "bad_answer",
            "unparsable",
            None,
            "duplicate",
        ]
        assert (rows[1]["missing_stage"], rows[1]["mw"]) == ("fragile", pytest.approx(59.1, abs=0.1))
        assert rows[1]["qed"] is None
        asked.append(set(ASKED))
    assert asked == [{"CN", "CCCN", "CNC"}, {"CCCN"}, {"CCCN"}, set()]
    MOOD[:] = ["good"]
    well = screen(library, tmp_path / "well", scorers=[LIGHT, FRAGILE, QED], workers=0)
    assert well.counts.n_ok == 3


def test_nothing_takes_the_screen_down_not_even_what_may_run_in_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: SIGSEGV; the panel's worker dies of it, and so does who is then asked alone."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "faults" / "plugin_package"))
    (tmp_path / "few.smi").write_text("CCO a\nC[Se]C b\n")
    cheap = [ScorerConfig(use="qed", workers=0, at_least=0), ScorerConfig(use="toy_culprits", workers=0)]
    rows = table(screen(tmp_path / "few.smi", tmp_path / "out", scorers=cheap, workers=1).all_rows)
    assert [row["missing_reason"] for row in rows] == [None, None]  # a number that is only shown ends no row
    assert rows[0]["missing_detail"] is None
    assert rows[1]["missing_detail"] == "b: toy_culprits was killed by SIGSEGV"


def test_a_damaged_batch_is_done_again(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "BATCH", 7)
    before = table(screen(library, tmp_path / "out", scorers=[QED], workers=0).all_rows)
    shard = sorted((tmp_path / "out" / "shards").glob("*.parquet"))[0]
    data = shard.read_bytes()
    shard.write_bytes(data[:90] + bytes([data[90] ^ 1]) + data[91:])
    said: list[Event] = []
    again = screen(library, tmp_path / "out", scorers=[QED], workers=0, on_event=said.append)
    assert table(again.all_rows) == before
    assert any("its rows are done again" in event.text for event in said if event.kind == "warning")


def test_what_is_done_is_not_read_again_and_its_duplicates_are_still_known(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "BATCH", 3)
    whole = screen(library, tmp_path / "out", scorers=[QED], workers=0)
    rows = table(whole.all_rows)
    assert rows[3]["missing_reason"] == "duplicate", "the first of the second batch is in the first"
    second = next(s for s in Ledger(tmp_path / "out").shards("screen") if s.counts.n_duplicate)
    Ledger(tmp_path / "out").discard(second.key)
    read: list[str] = []
    parse = Molecule.parse

    def noted(text: str, name: str = "") -> Molecule:
        read.append(text)
        return parse(text, name)

    monkeypatch.setattr(Molecule, "parse", noted)
    assert table(screen(library, tmp_path / "out", scorers=[QED], workers=0).all_rows) == rows
    assert set(read) == {"OCC", "", "CC(=O)Oc1ccccc1C(=O)O"}


def test_the_same_bad_text_is_told_by_each_rows_own_name(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("id,smiles\na,C1CC\nb,C1CC\nc,CCO\nd,OCC\n")
    told = [
        row["missing_detail"]
        for row in table(screen(tmp_path / "bad.csv", tmp_path / "out", scorers=[QED], workers=0).all_rows)
    ]
    assert [str(text).split()[3] for text in (told[0], told[1], told[3])] == ["a", "b", "d"]


def test_a_disk_that_cannot_order_names_is_written_to_all_the_same(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMB refuses to flush a folder."""
    flush = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no such thing here")
        flush(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    assert screen(library, tmp_path / "out", scorers=[LIGHT], workers=0).counts.n_in == len(ROWS)
