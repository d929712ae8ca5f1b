"""Laws: the newest version counts, the withdrawn are gone, the retracted say so, nothing vanishes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from literature.article import Article, Skipped
from literature.corpus import EXAMPLE, Corpus, CorpusError
from literature.readers.formats import UnknownFormat


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def everything(article: Article) -> bool:
    return True


def test_the_illustrative_texts_are_sixty_and_say_what_they_are() -> None:
    found = Corpus.open().keep(everything)
    assert [a.id for a, _ in found.items] == [f"EXAMPLE:{n}" for n in range(1, 61)]
    assert {a.kind for a, _ in found.items} == {"illustrative"}
    assert [a.id for a, _ in found.items if a.retracted] == ["EXAMPLE:47"]
    assert found.skipped == ()


def test_the_last_record_of_an_article_counts(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", {"id": "PMID:1", "title": "old"}, {"id": "PMID:2", "title": "two"})
    two = write(tmp_path / "2.jsonl", {"id": "PMID:1", "title": "new"}, {"deleted": ["PMID:2", "PMID:77"]})
    found = Corpus.open([one, two]).keep(everything)
    assert [(a.id, a.title) for a, _ in found.items] == [("PMID:1", "new")]
    assert (found.articles, found.superseded, found.deleted) == (1, 1, 1)
    back = Corpus.open([two, one]).keep(everything)
    assert [(a.id, a.title) for a, _ in back.items] == [("PMID:1", "old"), ("PMID:2", "two")]


def test_a_later_retraction_marks_an_earlier_article(tmp_path: Path) -> None:
    file = write(
        tmp_path / "1.jsonl",
        {"id": "PMID:1", "title": "t"},
        {"id": "PMID:1", "title": "t", "retracted": True},
    )
    marked = Corpus.open(file).keep(lambda a: a.retracted)
    assert [(a.retracted, seen) for a, seen in marked.items] == [(True, True)]
    listed = tmp_path / "list.txt"
    listed.write_text("5\nEXAMPLE:1\n", encoding="utf-8")
    found = Corpus.open(retractions=listed).keep(everything)
    assert [a.id for a, _ in found.items if a.retracted] == ["EXAMPLE:1", "EXAMPLE:47"]


def test_bad_lines_are_listed_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    lines = [
        '{"id": "A:1", "title": "fine"}',
        "no json",
        "[1]",
        '{"title": "no id"}',
        '{"id": "A:2", "title": 3}',
        '{"id": "A:3", "year": "soon"}',
        '{"id": "A:4", "kind": "gossip"}',
        '{"id": "A:5", "passages": [{"section": "x"}]}',
        '{"id": "A:6", "retracted": "no"}',
        "[" * 100_000,
        '{"id": "A:9", "title": "caf\\u00e9"}',
    ]
    file.write_bytes("\r\n".join(lines).encode() + b'\n{"id": "A:10", "title": "caf\xe9 in Windows-1252"}\n')
    found = Corpus.open(file).keep(everything)
    assert [a.id for a, _ in found.items] == ["A:1", "A:9", "A:10"]
    assert found.items[-1][0].title == "café in Windows-1252"
    assert [s.where for s in found.skipped] == [f"bad.jsonl, line {n}" for n in range(2, 11)]
    assert "'year'" in found.skipped[4].detail


def test_a_truncated_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"id": f"A:{n}", "title": f"title {n * 7919}"}) + "\n" for n in range(20_000))
    whole = gzip.compress(lines.encode())
    file = tmp_path / "cut.jsonl.gz"
    file.write_bytes(whole[: len(whole) * 2 // 3])
    found = Corpus.open(file).keep(everything)
    assert 1_000 < len(found.items) < 20_000
    assert "cut short" in found.skipped[-1].detail


def test_other_encodings_and_gzip_without_its_name(tmp_path: Path) -> None:
    line = json.dumps({"id": "A:1", "title": "β-blocker"}, ensure_ascii=False) + "\n"
    for encoding in ("utf-16", "utf-8-sig", "utf-32"):
        (tmp_path / "a.jsonl").write_bytes(line.encode(encoding))
        assert Corpus.open(tmp_path / "a.jsonl").keep(everything).items[0][0].title == "β-blocker"
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(line.encode()))
    assert Corpus.open(tmp_path / "a.jsonl").keep(everything).items[0][0].title == "β-blocker"


def test_missing_paths_and_unknown_formats(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus at"):
        Corpus.open(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="no file of articles"):
        Corpus.open(tmp_path)
    (tmp_path / "x.xml").write_text("<what/>", encoding="utf-8")
    found = list(Corpus.open(tmp_path).records())
    assert len(found) == 1
    assert isinstance(found[0], Skipped)
    assert "name one of" in found[0].detail


def test_plain_text(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("A title\n\nFirst part.\n\nResults\n\nSecond part.\n", encoding="utf-8")
    article, _ = Corpus.open(file).keep(everything).items[0]
    assert article.id == "note"
    assert [(p.section, p.text) for p in article.passages] == [
        ("title", "A title"),
        ("abstract", "First part."),
        ("heading", "Results"),
        ("results", "Second part."),
    ]
    file.write_bytes(b"a\0b")
    assert "NUL" in Corpus.open(file).keep(everything).skipped[0].detail


def test_retractions_are_listed_in_any_usual_way(tmp_path: Path) -> None:
    listed = tmp_path / "r.txt"
    listed.write_text("\ufeff12\npmid: 13\nPMC14\nhttps://doi.org/10.1/AbC\nEXAMPLE:7\n\n", encoding="utf-8")
    assert Corpus.open(retractions=listed).retracted == {
        "PMID:12", "PMID:13", "PMC:14", "DOI:10.1/abc", "EXAMPLE:7"
    }  # fmt: skip


def test_a_reader_nobody_knows_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UnknownFormat, match="pubmed"):
        Corpus.open(EXAMPLE, reader="nosuch")


def test_what_a_folder_holds_beside_articles_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"id": "A:1", "title": "one"})
    for name in ("papers.zip", "scan.pdf", ".hidden"):
        (tmp_path / name).write_text("")
    found = Corpus.open(tmp_path)
    assert [path.name for path in found.paths] == ["a.jsonl"]
    assert [path.name for path in found.left] == ["papers.zip", "scan.pdf"]
    assert Corpus.open([tmp_path / "a.jsonl"]).left == ()
