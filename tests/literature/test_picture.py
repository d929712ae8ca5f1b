"""The picture is well-formed, leads to sentences that are on the page, and holds no foreign markup."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from lxml import etree

from discovery.target import Target
from literature import pages
from literature.corpus import Corpus
from literature.dossier import CooccurrenceEvidence, Dossier, build
from literature.picture import anchor, graph


@pytest.fixture(scope="module")
def dossier() -> Dossier:
    return CooccurrenceEvidence().dossier(Target("HTR1B"))


def test_every_line_and_name_is_one_click_from_its_sentences(dossier: Dossier) -> None:
    page = pages.page(dossier)
    drawn = etree.fromstring(graph(dossier).encode())
    links = [a.get("href") for a in drawn.iter("{*}a")]
    assert len(links) > 40
    places = set(re.findall(r'id="([^"]+)"', page))
    assert {link.removeprefix("#") for link in links} <= places
    assert set(re.findall(r'href="#([^"]+)"', page)) <= places
    assert len(re.findall(r'id="f-', page)) == len(set(re.findall(r'id="(f-[^"]+)"', page)))
    first = dossier.compounds[0]
    inside = page.split(f'id="{anchor(first)}"')[1].split("</details>")[0]
    assert all(html.escape(s.quote) in inside for s in first.statements)


def test_it_shows_what_is_said_most(dossier: Dossier) -> None:
    drawn = graph(dossier)
    texts = ["".join(t.itertext()) for t in etree.fromstring(drawn.encode()).iter("{*}text")]
    assert {"HTR1B", "SB-224289", "migraine", "vasoconstriction"} <= set(texts)
    assert "stroke-dasharray" in drawn  # major depressive disorder: more is said against it than for it
    numbers = [float(n) for n in re.findall(r'(?:x1|x2|x)="([-\d.]+)"', drawn)]
    assert all(0 <= n <= 760 for n in numbers)
    assert "style=" not in drawn  # a page that forbids inline styles shows it all the same


def test_nothing_said_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "A:1", "title": "HTR1B."}\n', encoding="utf-8")
    found = build(Target("HTR1B"), Corpus.open(tmp_path / "a.jsonl"))
    assert graph(found) == ""
    assert "<figure" not in pages.page(found)


def test_foreign_names_are_inert(tmp_path: Path) -> None:
    own = {
        "id": 'X:"><script>',
        "type": "chemical",
        "name": "zap<script>alert(1)</script>\u202e",
        "names": ["zappamine"],
    }
    (tmp_path / "own.jsonl").write_text(json.dumps(own) + "\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(
        '{"id": "A:1", "title": "Zappamine is a 5-HT1B agonist."}\n', encoding="utf-8"
    )
    source = CooccurrenceEvidence(corpus=str(tmp_path / "a.jsonl"), lexicon=str(tmp_path / "own.jsonl"))
    drawn = graph(source.dossier(Target("HTR1B")))
    assert "zap" in drawn
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    etree.fromstring(drawn.encode())


def test_a_notebook_gets_the_picture_without_links(dossier: Dossier) -> None:
    """JupyterLab sets `href` of every link it finds; one inside an SVG refuses that, and the links after it are lost."""
    sheet = pages.sheet(dossier)
    drawing = sheet[sheet.index("<svg") : sheet.index("</svg>")]
    assert "<a " not in drawing
    assert drawing.count("<title>") > 40
    assert 'href="#s-compounds"' in sheet
    assert "leads to its sentences" not in sheet
    assert "leads to its sentences" in pages.page(dossier)
