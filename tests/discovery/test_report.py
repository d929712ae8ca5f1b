"""The report: complete, honest, inert, offline, small, valid, readable without a mouse."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from discovery.outcome import Missing
from discovery.report import render, write_report
from discovery.results import Run
from discovery.score import Score
from discovery.target import Target
from discovery.views.drawing import MARK_COLOURS
from discovery.views.reading import alerts_of, stages_of, title_of
from discovery.views.text import MINUS, inert, number
from tests.discovery.fake_run import HOSTILE, HOSTILE_TEXTS, fake_run, prolif_data

html5lib = pytest.importorskip("html5lib", reason="html5lib, of the dev extra, is absent")

SVG = "{http://www.w3.org/2000/svg}"


@lru_cache(maxsize=8)
def page_of(text: str) -> Element:
    """Parsed strictly: html5lib raises on the first thing that is no valid HTML."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


@lru_cache(maxsize=1)
def text() -> str:
    return render(fake_run())


@pytest.fixture
def page() -> Element:
    return page_of(text())


def words(element: Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def by_class(root: Element, name: str) -> Iterator[Element]:
    return (e for e in root.iter() if name in (e.get("class") or "").split())


def section(page: Element, name: str) -> Element:
    (found,) = [e for e in page.iter("section") if e.get("id") == name]
    return found


# What it says


def test_opens_with_the_shortlist_best_first(page: Element) -> None:
    assert next(s.get("id") for s in page.iter("section")) == "shortlist"
    cards = list(by_class(page, "card"))
    assert [words(card.find(".//h3")) for card in cards] == [row.id for row in fake_run().ranked]
    for card, row in zip(cards, fake_run().ranked, strict=True):
        said = words(card)
        docking = row.outcomes["docking"]
        assert isinstance(docking, Score)
        assert f"{number(docking.value)} ± 0.40 kcal/mol" in said
        assert f"{number(row.utility or 0)} overall" in said
        assert "Joined two fragments" in said
        assert len(list(next(by_class(card, "parents")).iter(f"{SVG}svg"))) == 2
        assert row.smiles in said


def test_alerts_are_named_and_drawn_on_the_atoms(page: Element) -> None:
    marked = 0
    for card, row in zip(by_class(page, "card"), fake_run().ranked, strict=True):
        (picture, *_) = [
            e for e in card.iter(f"{SVG}svg") if (e.get("aria-label") or "").startswith("Structure")
        ]
        halos = list(picture.iter(f"{SVG}ellipse"))
        alerts = alerts_of(row)
        assert bool(halos) == bool(alerts)
        marked += len(alerts)
        for alert in alerts:
            assert alert.name in words(card)
        if alerts:
            assert len(halos) == len({atom for alert in alerts for atom in alert.atoms})
            assert any(
                e.get("fill") == MARK_COLOURS[0] for e in card.iter(f"{SVG}circle")
            )  # the key beside the name
    assert marked > 3


def test_an_empty_cell_says_why_and_is_no_zero(page: Element) -> None:
    run = fake_run()
    cards = list(by_class(page, "card"))
    empty = [
        (card, row.outcomes["pose_stability"]) for card, row in zip(cards, run.ranked, strict=True)
        if isinstance(row.outcomes["pose_stability"], Missing)
    ]  # fmt: skip
    assert empty
    for card, outcome in empty:
        assert str(outcome) in [e.get("title") for e in by_class(card, "none")]


def test_every_unranked_molecule_has_its_reason(page: Element) -> None:
    run = fake_run()
    lines = {
        words(tr.find("th")): tr for tr in section(page, "unranked").iter("tr") if tr.find("td") is not None
    }
    assert set(lines) == {row.id for row in run.unranked}
    titles = {column.name: title_of(column) for column in run.columns}
    for row in run.unranked:
        assert row.missing is not None
        said = words(lines[row.id])
        assert inert(row.missing.detail, limit=400).strip()[:60] in said
        assert titles.get(row.missing.stage, inert(row.missing.stage)) in said
    counts = [int(words(e).replace(",", "")) for e in by_class(section(page, "unranked"), "n")]
    assert sum(counts) == len(run.unranked)


def test_the_funnel_adds_up(page: Element) -> None:
    table = section(page, "funnel").find(".//table")
    assert table is not None
    rows = [[words(cell) for cell in tr] for tr in table.iter("tr")][1:]
    assert [row[0] for row in rows] == [stage.stage for stage in stages_of(fake_run())]
    for _, *numbers, _ in rows:
        n_in, ok, failed, filtered, duplicate = (int(n.replace(",", "")) for n in numbers)
        assert n_in == ok + failed + filtered + duplicate
    assert int(rows[0][1]) == len(fake_run().rows)


def test_evidence_is_labelled_for_what_it_is(page: Element) -> None:
    quotes = list(by_class(page, "quote"))
    assert len(quotes) == len(fake_run().statements)
    for statement in fake_run().statements:
        (quote,) = [e for e in quotes if inert(statement.quote) in words(e)]
        said = words(quote)
        assert inert(statement.source) in said
        assert inert(statement.section) in said
        assert ("illustrative example text, not literature" in said) == (statement.kind == "illustrative")
        struck = [words(e) for e in quote.iter("del")]
        assert struck == ([f"“{statement.quote}”"] if statement.retracted else [])
        assert ("retracted, not counted" in said) == statement.retracted
        links = [e.get("href") for e in quote.iter("a")]
        assert links == (
            ["https://pubmed.ncbi.nlm.nih.gov/12345678/"] if statement.source.startswith("PMID") else []
        )
    assert "retracted" in (quotes[-1].get("class") or "")


def test_provenance_is_whole_and_keeps_secrets(page: Element) -> None:
    said = words(section(page, "provenance"))
    for value in (
        "discovery run campaign.toml",
        "2026.3.6",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "BSD-3-Clause",
        "Apache-2.0",
    ):
        assert value in said
    assert "tok-not-to-be-seen" not in text()
    assert said.count("withheld") == 1
    assert "tokenizers 0.22" in said
    assert "University of Pittsburgh" in said  # 3Dmol's licence travels with it


def test_ranked_table_holds_every_ranked_row(page: Element) -> None:
    body = section(page, "table").find(".//tbody")
    assert body is not None
    assert [words(tr.find("th")) for tr in body] == [row.id for row in fake_run().ranked]
    minus = [td.get("data-v") for td in body.iter("td") if words(td).startswith(MINUS)]
    assert minus
    assert all(
        float(value or "nan") < 0 for value in minus
    )  # what is sorted by is the number, not its picture


# What it must not do


def test_nothing_in_it_can_act(page: Element) -> None:
    """Hostile names, titles and quotes are text: no element, attribute or address was made of them."""
    scripts = list(page.iter("script"))
    assert [s.get("type") for s in scripts].count("application/json") == 1
    policy = page.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")  # type: ignore[union-attr]
    assert policy is not None
    for element in [*(s for s in scripts if not s.get("type")), *page.iter("style")]:
        digest = base64.b64encode(hashlib.sha256((element.text or "").encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    known = {"html", "head", "body", "meta", "title", "style", "script", "a", "header", "footer", "nav", "main", "section",
             "aside", "article", "div", "p", "span", "b", "i", "small", "h1", "h2", "h3", "dl", "dt", "dd", "ul", "li", "figure",
             "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "label", "input", "select",
             "button", "blockquote", "del", "code", "pre"}  # fmt: skip
    for element in page.iter():
        tag = str(element.tag).rpartition("}")[2]
        if "svg" in str(element.tag):
            known |= {tag}
        assert tag in known
        for key, value in element.attrib.items():
            assert not str(key).startswith("on")
            assert key not in ("src", "srcset", "action", "formaction", "ping", "style")
            if key == "href":
                assert value.startswith(("#", "https://pubmed.ncbi.nlm.nih.gov/", "https://doi.org/"))
    svg = {str(e.tag).rpartition("}")[2] for e in page.iter() if "svg" in str(e.tag)}
    assert svg <= {"svg", "title", "path", "ellipse", "rect", "circle", "line", "polyline", "text", "g"}
    for hostile in HOSTILE_TEXTS:
        if "<" in hostile:
            assert hostile not in text()
    assert HOSTILE in words(section(page, "unranked"))  # shown as it was written


def test_no_control_characters_travel() -> None:
    body = text().partition("<body>")[2].partition("<script")[0]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", body)


def test_hostile_provenance_and_details() -> None:
    run = fake_run(40, posed=3)
    best = run.rows[0]
    score = best.outcomes["docking"]
    assert isinstance(score, Score)
    strange: dict[str, Any] = {**score.details, "plausibility": {HOSTILE: True}, "terms": [HOSTILE, {HOSTILE: HOSTILE}], "more": HOSTILE,
                               "interactions": [{"residue": f"A:ASP129{HOSTILE}", "kind": HOSTILE, "distance": 3.0}, HOSTILE]}  # fmt: skip
    row = replace(best, outcomes={**best.outcomes, "docking": replace(score, details=strange)}, id=HOSTILE)
    shown = render(
        replace(
            run,
            rows=(row, *run.rows[1:]),
            provenance={HOSTILE: [HOSTILE], "x": {HOSTILE: {HOSTILE: HOSTILE}}},
        )
    )
    assert HOSTILE not in shown
    assert HOSTILE in words(page_of(shown))


# What it is like


@pytest.mark.parametrize("name", ["ids", "labels", "images", "headings", "buttons"])
def test_is_readable_without_a_mouse_or_eyes(page: Element, name: str) -> None:
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    if name == "ids":
        assert len(ids) == len(set(ids))
        for element in page.iter():
            for key in ("aria-labelledby", "for"):
                assert element.get(key) is None or element.get(key) in ids
            href = element.get("href") or ""
            assert not href.startswith("#") or href[1:] in ids
        assert page.get("lang") == "en"
    elif name == "labels":
        wrapped = {
            control
            for label in page.iter("label")
            for control in label.iter()
            if control.tag in ("input", "select")
        }
        assert all(e in wrapped for e in page.iter() if e.tag in ("input", "select"))
    elif name == "images":
        pictures = [e for e in page.iter() if str(e.tag).endswith("}svg")]
        structures = list(by_class(page, "card"))
        assert len(pictures) > 100
        assert all(
            any(s.get("aria-label") for s in card.iter() if str(s.tag).endswith("}svg"))
            for card in structures
        )
    elif name == "headings":
        levels = [int(str(e.tag)[1]) for e in page.iter() if e.tag in ("h1", "h2", "h3")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
    else:
        assert all(words(e) or e.get("aria-label") for e in page.iter("button"))
        for wide in by_class(page, "wide"):
            assert wide.get("tabindex") == "0"


def test_a_thousand_rows_can_be_mailed() -> None:
    small = fake_run(60, posed=40)
    rows = [
        replace(row, id=f"{row.id}-{n}") for row in small.rows for n in range(1000 // len(small.rows) + 1)
    ]
    run = replace(small, rows=tuple(rows))
    shown = render(run)
    assert len(run.rows) >= 1000
    assert len(run.ranked) > 400
    assert len(shown.encode()) < 10_000_000
    assert shown.count('<article class="card"') == 24
    ids = set(re.findall(r'<th scope="row">([^<]*)</th>', shown))
    assert {row.id for row in run.rows} <= ids


def test_a_large_run_can_be_mailed_and_says_what_it_leaves_out() -> None:
    """20,000 rows, a half of them with reasons as long as they get: cut in the open, counted in full."""
    small = fake_run(60, posed=40)
    ranked = [
        replace(row, id=f"{row.id}-{n}", rank=0)
        for n in range(10_000 // len(small.ranked))
        for row in small.ranked
    ]
    why = replace(small.unranked[0].missing, detail="because " * 80)  # type: ignore[type-var]
    unranked = [replace(small.unranked[0], id=f"u{n}", text="CCO<" * 100, missing=why) for n in range(10_000)]
    rows = (*(replace(row, rank=n) for n, row in enumerate(ranked, start=1)), *unranked)
    shown = render(replace(small, rows=rows))
    assert len(shown.encode()) < 10_000_000
    assert f"{len(ranked) - 1_500:,} more ranked molecules" in shown
    listed = len(re.findall(r">u\d+</th>", shown))
    assert 1_000 < listed < 10_000
    assert f"{10_000 - listed:,} more are counted above" in shown
    assert "structures are given as text only" in shown


@pytest.mark.parametrize(
    "change",
    [
        {"rows": (), "funnel": (), "statements": (), "provenance": {}},
        {"rows": fake_run(60, posed=4).unranked},
        {"receptor_pdb": "", "reference_sdf": ""},
        {"finished": False, "notes": (HOSTILE,)},
        {"target": Target("")},
        {"columns": ()},
    ],
    ids=["nothing", "none ranked", "no receptor", "half finished", "no target", "no columns"],
)
def test_runs_of_every_kind_render(change: dict[str, Any]) -> None:
    run: Run = replace(fake_run(60, posed=4), **change)
    page = page_of(render(run))
    said = words(page)
    assert ("This run has not finished" in said) == (not run.finished)
    if not run.ranked:
        assert "No molecule could be ranked" in said
        assert "3Dmol" not in said  # no viewer without poses


def test_same_run_same_bytes(tmp_path: Path) -> None:
    run = fake_run(60, posed=4)
    first = write_report(run, tmp_path)
    second = write_report(run, tmp_path / "again" / "other.html")
    assert first == tmp_path / "report.html"
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "report.html"]


def test_needs_the_core_alone() -> None:
    """A fresh process that writes a report has loaded none of the extras."""
    heavy = "{'pandas', 'altair', 'mols2grid', 'openpyxl', 'prolif', 'torch', 'jax', 'openmm', 'transformers', 'IPython', 'py3Dmol'}"
    code = f"import sys, discovery.report, discovery.views.table; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(prolif_data() is None, reason="the prolif package, which ships the receptor, is absent")
def test_poses_travel_inside(page: Element) -> None:
    run = fake_run()
    assert [e.get("data-pose") for e in page.iter("button") if e.get("data-pose")] == [
        row.id for row in run.ranked
    ]
    assert all(next(by_class(card, "map"), None) is not None for card in by_class(page, "card"))
