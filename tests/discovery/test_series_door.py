"""The door: everything asked of a series in a few lines, and a report that is whole, inert and complete."""

from __future__ import annotations

import builtins
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from discovery import cli
from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.score import Column, Score
from discovery.series.door import Series
from discovery.series.library import enumerate_library
from discovery.series.measured import SeriesError
from discovery.series.sheet import Drawing, Sheet, left_out
from tests.discovery.fake_run import HOSTILE, fake_run
from tests.discovery.test_series_rgroups import CORE, R1, R2


class Whole(HTMLParser):
    """Counts what must be closed, and remembers what must not be there."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        named = dict(attrs)
        if named.get("id"):
            self.ids.add(str(named["id"]))
        if str(named.get("href", "")).startswith("#"):
            self.targets.add(str(named["href"])[1:])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("series") / "affinities.csv"
    lines = ["name,smiles,pKi"]
    for place, made in enumerate(enumerate_library(CORE, {"R1": R1, "R2": R2})):
        assert isinstance(made.outcome, Molecule)
        if place != 19:
            lines.append(f"{made.name},{made.outcome.smiles},{5 + 0.3 * (place % 4) + 0.07 * place:.2f}")
    path.write_text("\n".join([*lines, f"{HOSTILE},C1CC,5", "far,CCCCCCCC,5.5", "none,CCO,"]) + "\n")
    return path


def test_five_lines_and_a_report(table: Path, tmp_path: Path) -> None:
    series = Series.read(table, "pKi")
    groups, pairs = series.rgroups(CORE), series.pairs()
    cliffs, model = series.cliffs(0.3, 0.5), series.free_wilson(0, CORE)
    page = series.report(tmp_path / "series.html", CORE).read_text()
    assert len(groups.outcomes) == len(pairs.outcomes) == len(cliffs.outcomes) == len(model.outcomes) == 22
    assert "Core 1: 19 molecules" in page
    assert "22</dd>" in page
    assert "20</dd>" in page
    assert "is not a SMILES" in page  # the reason of the row that cannot be read
    assert "does not contain the core" in page
    assert "nobody made" in page


def test_the_report_is_whole_and_runs_nothing(table: Path) -> None:
    page = Series.read(table, "pKi").page(CORE)
    whole = Whole()
    whole.feed(page)
    assert whole.open == []
    assert not whole.seen & {"script", "iframe", "link", "object", "embed", "form"}
    assert not {name for name in whole.attributes if name.startswith("on")} | (whole.attributes & {"style"})
    assert whole.targets <= whole.ids
    assert HOSTILE not in page
    assert "script-src 'none'" in unescape(page)
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_what_was_asked_once_is_kept(table: Path) -> None:
    series = Series.read(table, "pKi")
    assert series.rgroups() is series.rgroups()
    assert series.rgroups() is not series.rgroups(CORE)
    assert series.scaffolds() is series.scaffolds()


def test_without_the_lab_the_report_says_so(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    genuine = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "mmpdblib":
            raise ImportError("No module named 'mmpdblib'")
        return genuine(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "discovery.series.pairs", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    series = Series.read(table, "pKi")
    with pytest.raises(ImportError, match=r"discovery-workbench\[lab\]"):
        series.pairs()
    assert "discovery-workbench[lab]" in series.page(CORE)


def test_scores_of_any_kind_and_of_a_run() -> None:
    molecules: list[Molecule | Missing] = [Molecule.parse("CCO", "a"), Molecule.parse("CCN")]
    series = Series.of(molecules, [Score(1.0), Score(2.0)], Column("x", "1", "low"))
    assert [entry.id for entry in series.measured.entries] == ["a", "row 2"]
    assert len(series.table()) == 2
    with pytest.raises(SeriesError, match="1 numbers are given for 2"):
        Series.of(molecules, [Score(1.0)], Column("x", "1", "low"))
    run = fake_run(80, posed=5)
    docked = Series.of_run(run, "docking")
    assert len(docked) == len(run.rows)
    page = docked.page()
    assert HOSTILE not in page
    refused = next(entry.missing for entry in docked.measured.entries if entry.missing)
    assert page.count(f">{refused.reason.value.replace('_', ' ')}</td>") == 1  # told once
    assert len(docked.left_out().rows) > 1


def test_the_command(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = CliRunner().invoke(
        cli.app, ["series", str(table), "--activity", "pKi", "--core", CORE, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert out.exists()
    assert "20 molecules in 22 rows" in done.output


def test_sheets_show_without_trust_and_escape() -> None:
    sheet = Sheet(HOSTILE, (HOSTILE,), ((HOSTILE,), (Drawing("CCO"),), (Drawing("no molecule"),)), HOSTILE)
    for text in (sheet._repr_html_(), str(sheet.markup())):
        assert HOSTILE not in text
    assert 'src="data:image/svg+xml' in sheet._repr_html_()
    assert "no molecule" in sheet._repr_html_()
    assert left_out([None, 3]).rows == ()
    assert Drawing("[*:1]CC").svg().count("<path") > Drawing("CC").svg().count("<path")  # R1 is written


def test_numbers_of_a_frame_need_no_wrapping() -> None:
    molecules = [Molecule("CCO", "a"), Molecule("CCC", "b"), Molecule("CCN", "c")]
    column = Column("x", "1", "low")
    bare = Series.of(molecules, [1.0, 2, None], column)
    assert [entry.activity for entry in bare.measured.entries[:2]] == [Score(1.0), Score(2.0)]
    assert isinstance(bare.measured.entries[2].activity, Missing)
