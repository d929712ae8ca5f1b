"""Annotated files hold every document once, in order, each mark at its words; what cannot be is listed."""

from __future__ import annotations

import gzip
import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.outcome import UserError
from literature.annotation import AnnotationError, annotate
from literature.article import Article
from literature.corpus import Corpus
from literature.readers import bioc, pubtator
from literature.reading import Reading, ReadingError
from tests.literature import samples
from tests.literature.test_readers import FORMATS

marked = partial(annotate, reader="dictionary")  # the network is tried in one test


def articles(path: str | Path) -> list[Article]:
    return [r for r in Corpus.open(path).records() if isinstance(r, Article)]


def blocks(path: Path) -> list[pubtator.Annotated]:
    return [a for a in pubtator.read_annotated(path) if isinstance(a, pubtator.Annotated)]


def test_pubtator_holds_every_document_and_every_mark_fits(tmp_path: Path) -> None:
    out = tmp_path / "o.pubtator"
    done = marked("example", out)
    back = blocks(out)
    assert [b.article.id for b in back] == [a.id for a in articles("example")]
    assert sum(len(b.annotations) for b in back) == done.entities == done.linked > 500
    assert all(b.misfits == 0 for b in back)
    assert done.relations > 100
    assert not out.with_name("o.pubtator.skipped.jsonl").exists()
    text = out.read_text(encoding="utf-8")
    assert "EXAMPLE:1\t0\t11\tSumatriptan\tChemical\tMESH:D018170\n" in text
    assert "\t5-HT1B receptors\tGene\t3351\n" in text  # a gene by its bare number, as PubTator writes it
    assert "EXAMPLE:1\tTreat\tMESH:D018170\tMESH:D008881\n" in text


def test_bioc_marks_and_relations(tmp_path: Path) -> None:
    """Laws of the format: code-point offsets that fit, identifiers used once, nodes that exist."""
    marked("example", tmp_path / "o.json")
    marked("example", tmp_path / "o.jsonl.gz")
    whole = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    lines = [
        json.loads(line) for line in gzip.decompress((tmp_path / "o.jsonl.gz").read_bytes()).splitlines()
    ]
    assert whole["documents"] == lines
    signs = set()
    for document in lines:
        marks: dict[str, dict[str, Any]] = {}
        for passage in document["passages"]:
            for mark in passage["annotations"]:
                (place,) = mark["locations"]
                start = place["offset"] - passage["offset"]
                assert passage["text"][start : start + place["length"]] == mark["text"]
                assert mark["id"] not in marks
                marks[mark["id"]] = mark
        for relation in document["relations"]:
            signs.add(relation["infons"]["sign"])
            assert {node["refid"] for node in relation["nodes"]} <= marks.keys()
            assert [node["role"] for node in relation["nodes"]] == ["subject", "object"]
    assert {"affirmed", "denied"} <= signs
    read = [r for r in bioc.read(tmp_path / "o.jsonl.gz") if isinstance(r, Article)]
    assert [(a.id, a.text, a.year) for a in read] == [(a.id, a.text, a.year) for a in articles("example")]


@pytest.mark.parametrize(("name", "file", "content", "n"), FORMATS, ids=[f"{f[0]}-{f[1]}" for f in FORMATS])
@pytest.mark.parametrize("ending", ["pubtator", "json"])
def test_whatever_can_be_read(
    tmp_path: Path, name: str, file: str, content: str, n: int, ending: str
) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    out = tmp_path / f"out.{ending}"
    done = marked(tmp_path / file, out)
    assert done.documents == n
    back = articles(out)
    assert [a.id for a in back] == [a.id for a in articles(tmp_path / file)]
    if ending == "pubtator":
        assert sum(b.misfits for b in blocks(out)) == 0


def test_one_bad_document_is_one_listed_skip(tmp_path: Path) -> None:
    source = tmp_path / "s.jsonl"
    rows = [
        {"id": "A:1", "title": "Sumatriptan relieves migraine."},
        {"id": "a|b", "title": "no bar can be written"},
        {"id": "A:2", "title": "Sumatriptan, a lone surrogate \ud800"},
        {"id": "A:3", "title": "Sumatriptan\u2028and\nmigraine", "abstract": "Sumatriptan\ttreats migraine."},
    ]
    source.write_text("\n".join([*(json.dumps(r) for r in rows), "broken"]), encoding="utf-8")
    out = tmp_path / "o.pubtator"
    done = marked(source, out)
    assert (done.documents, len(done.skipped)) == (3, 2)
    assert [b.article.id for b in blocks(out)] == ["A:1", "A:2", "A:3"]
    assert all(b.misfits == 0 and b.annotations for b in blocks(out))
    listed = out.with_name("o.pubtator.skipped.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["where"] for line in listed] == [s.where for s in done.skipped]
    assert "s.jsonl, line 5" in {s.where for s in done.skipped}
    (tmp_path / "whole.jsonl").write_text('{"id": "A:1", "title": "x"}', encoding="utf-8")
    marked(tmp_path / "whole.jsonl", out)
    assert not out.with_name("o.pubtator.skipped.jsonl").exists()  # the list of an earlier run is gone


def test_the_same_articles_give_the_same_bytes_whatever_their_neighbours(tmp_path: Path) -> None:
    marked("example", tmp_path / "1.pubtator.gz")
    marked("example", tmp_path / "2.pubtator.gz")
    assert (tmp_path / "1.pubtator.gz").read_bytes() == (tmp_path / "2.pubtator.gz").read_bytes()
    read = Reading()
    these = articles("example")
    assert [r.mentions for r in read(these)] == [read([a])[0].mentions for a in these]


def test_mistakes_say_what_to_do(tmp_path: Path) -> None:
    source = tmp_path / "s.jsonl"
    source.write_text(samples.JSONL, encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"must end in \.pubtator"):
        marked(source, tmp_path / "o.tsv")
    with pytest.raises(AnnotationError, match="one of the files to read"):
        marked(source, source)
    with pytest.raises(ReadingError, match="no convention"):
        marked(source, tmp_path / "o.json", convention="BC5CDR")
    with pytest.raises(UserError, match="nowhere"):
        marked(source, tmp_path / "o.json", reader="nowhere.safetensors")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.jsonl"]  # nothing half-written stays


def test_the_model_reads_with_identifiers(tmp_path: Path) -> None:
    """Strict spans: sorted, apart, at their words; a type of the model is never contradicted by its link."""
    out = tmp_path / "o.pubtator"
    source = tmp_path / "s.jsonl"
    source.write_text(
        '{"id": "1", "title": "Famotidine-associated delirium.", "abstract": "Famotidine is an H2 blocker. '
        'Six patients with renal failure had delirium. Lamivudine inhibits HBV replication in HepG2 cells."}',
        encoding="utf-8",
    )
    done = annotate(source, out, convention="BC5CDR")
    (found,) = blocks(out)
    marks = [(a.text.casefold(), a.type) for a in found.annotations]
    assert ("famotidine", "Chemical") in marks
    assert ("delirium", "Disease") in marks
    assert all(a.end <= b.start for a, b in pairwise(found.annotations))
    assert done.linked < done.entities or all(a.ids != ("-",) for a in found.annotations)
    ids = {a.text.casefold(): a.ids for a in found.annotations}
    assert ids["delirium"] == ("MESH:D003693",)  # the descriptor of MeSH


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(title=words, bodies=st.lists(words, max_size=3))
def test_any_text_comes_back_from_pubtator_at_its_offsets(title: str, bodies: list[str]) -> None:
    article = Article.of("A:1", [("title", title), *[("results", b) for b in bodies]])
    marks = [pubtator.Annotation(p.offset, p.end, p.text, "Gene", ("1",)) for p in article.passages]
    written = pubtator.write(article, marks).split("\n")
    read = pubtator._annotated([line for line in written if line.strip()], "x")
    assert isinstance(read, pubtator.Annotated)
    assert read.misfits == 0
    assert [(a.start, a.end) for a in read.annotations] == [(p.offset, p.end) for p in article.passages]
