"""Every format: what is kept, in which order, under which section; and the readers' promise."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery import plugins
from literature.article import Article, Deleted, Record, Skipped
from literature.readers import bioc, jats, jsonl, medline, pubmed, pubtator, text, uspto
from literature.readers.conformance import check_reader
from literature.readers.formats import UnknownFormat, reader_for
from literature.readers.opening import read_text
from tests.literature import samples

FORMATS = [
    ("pubmed", "x.xml", samples.PUBMED, 4),
    ("jats", "x.nxml", samples.JATS, 1),
    ("uspto", "a.xml", samples.PATENT_XML, 1),
    ("uspto", "b.xml", samples.PATENT_SGML, 1),
    ("uspto", "c.txt", samples.GREEN_BOOK, 1),
    ("medline", "d.txt", samples.MEDLINE, 3),
    ("pubtator", "e.pubtator", samples.PUBTATOR, 2),
    ("bioc", "f.xml", samples.BIOC_XML, 1),
    ("bioc", "g.json", samples.BIOC_JSON, 1),
    ("jsonl", "h.jsonl", samples.JSONL, 2),
    ("text", "i.txt", samples.TEXT, 1),
]


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def parts(record: Record) -> list[tuple[str, str]]:
    assert isinstance(record, Article)
    return [(p.section, p.text) for p in record.passages]


@pytest.mark.parametrize(("name", "file", "content", "n"), FORMATS, ids=[f"{f[0]}-{f[1]}" for f in FORMATS])
def test_every_reader_keeps_its_promise(tmp_path: Path, name: str, file: str, content: str, n: int) -> None:
    path = write(tmp_path, file, content)
    assert check_reader(name, sample=path, articles=n) == []
    assert reader_for(path) is plugins.load("readers", name)


def test_the_check_finds_a_broken_promise(tmp_path: Path) -> None:
    path = write(tmp_path, "h.jsonl", samples.JSONL)

    def fragile(path: Path) -> Iterator[Record]:
        for line in read_text(path).splitlines():
            yield jsonl.article(json.loads(line))

    def plain(path: Path) -> Iterator[Record]:
        yield jsonl.article(json.loads(path.read_text().splitlines()[0]))

    def forgetful(path: Path) -> Iterator[Record]:
        return iter(list(jsonl.read(path)) if path.suffix != ".gz" else [])

    for reader, said in (
        (fragile, "a file that is truncated ends the run: JSONDecodeError"),
        (plain, "a gzipped copy (literature.readers.opening reads both) ends the run: UnicodeDecodeError"),
        (forgetful, "a gzipped copy does not read like the plain file"),
        (lambda path: next(plain(path)), "h.jsonl ends the run: TypeError"),
        ("jsonn", "did you mean 'jsonl'?"),
    ):
        (complaint,) = check_reader(reader, sample=path)
        assert said in complaint
    assert check_reader(jsonl.read, sample=path, articles=3) == ["h.jsonl gives 2 articles"]
    assert check_reader(jsonl.read, {"sample": path}) == []
    assert check_reader("jsonl")[0].startswith("give the check a good file to read")
    assert check_reader("jsonl", sample="absent") == ["the sample absent is no file"]


def test_pubmed(tmp_path: Path) -> None:
    found = list(pubmed.read(write(tmp_path, "x.xml", samples.PUBMED)))
    first = found[0]
    assert parts(first) == [
        ("title", "Effects of in vivo 5-HT1B receptors & <more> at 106 cells"),
        ("introduction", "Sumatriptan is an agonist of 5-HT1B."),
        ("results", "It worked (p<0.05)."),
        ("conclusion", "Good."),
        ("other abstract", "Résumé."),
    ]
    assert isinstance(first, Article)
    assert (first.id, first.version, first.year, first.genres) == ("PMID:101", 2, 1998, ("Review",))
    assert [p.heading for p in first.passages] == ["", "BACKGROUND", "FINDINGS", "Interpretation", ""]
    assert parts(found[1]) == [("title", "No abstract here")]
    assert [getattr(r, "retracted", None) for r in found[:4]] == [False, False, True, False]
    assert getattr(found[3], "retracts", None) == ("PMID:105",)
    assert found[4] == Deleted(("PMID:7", "PMID:8"))


def test_an_article_without_an_abstract_is_its_title(tmp_path: Path) -> None:
    body = (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version='1'>11</PMID><Article>"
        "<ArticleTitle>Sumatriptan.</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        "<PubmedArticle><MedlineCitation><PMID Version='1'>12</PMID><Article><ArticleTitle/><Abstract>"
        "<AbstractText/></Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
    (tmp_path / "bare.xml").write_text(body, encoding="utf-8")
    first, second = pubmed.read(tmp_path / "bare.xml")
    assert isinstance(first, Article)
    assert [(p.section, p.text) for p in first.passages] == [("title", "Sumatriptan.")]
    assert isinstance(second, Article | Skipped)


def test_jats(tmp_path: Path) -> None:
    found = list(jats.read(write(tmp_path, "x.nxml", samples.JATS)))
    assert parts(found[0]) == [
        ("title", "A full text"),
        ("heading", "Background"),
        ("introduction", "First."),
        ("heading", "Results"),
        ("results", "Second."),
        ("body", "Loose words."),
        ("heading", "Introduction"),
        ("introduction", "Known 1 things"),
        ("introduction", "Figure 1"),
        ("caption", "Shape."),
        ("caption", "A picture."),
        ("introduction", "go on after the figure."),
        ("heading", "Materials and methods"),
        ("methods", "Done"),
        ("methods", "one"),
        ("methods", "two"),
        ("methods", "so."),
        ("heading", "Cells"),
        ("methods", "Grown."),
        ("heading", "3. Results"),
        ("results", "Table 1"),
        ("caption", "Numbers"),
        ("table", "a b"),
        ("table", "1 2"),
        ("acknowledgements", "Thanks."),
    ]
    article = found[0]
    assert isinstance(article, Article)
    assert (article.id, article.aliases, article.year) == ("PMC:99", ("DOI:10.1/abc", "PMID:55"), 2010)
    assert article.licence == "https://creativecommons.org/licenses/by/4.0/"


def test_patents(tmp_path: Path) -> None:
    grant = next(iter(uspto.read(write(tmp_path, "a.xml", samples.PATENT_XML))))
    assert isinstance(grant, Article)
    assert (grant.id, grant.year, grant.kind) == ("US8926509B2", 2015, "patent")
    assert parts(grant) == [
        ("title", "Agonists of 5-HT1B"),
        ("abstract", "Compounds are described."),
        ("heading", "FIELD"),
        ("description", "The invention relates to triptans."),
        ("claims", "What is claimed is:"),
        ("claims", "1. A compound, comprising: an indole; and an amine."),
        ("claims", "2. The compound of claim 1 ."[:26] + "."),
    ]
    sgml = next(iter(uspto.read(write(tmp_path, "b.xml", samples.PATENT_SGML))))
    assert isinstance(sgml, Article)
    assert sgml.id == "USD435854S1"
    assert parts(sgml) == [
        ("title", "A α-blocker — salt"),
        ("abstract", "Short words."),
        ("heading", "DETAIL"),
        ("description", "See"),
        ("heading", "What is claimed is:"),
        ("claims", "1. A salt."),
    ]
    green = next(iter(uspto.read(write(tmp_path, "c.txt", samples.GREEN_BOOK))))
    assert isinstance(green, Article)
    assert (green.id, green.year) == ("US3937375", 1976)
    assert parts(green) == [
        ("title", "Bumper support for a boat loader"),
        ("abstract", "A unit mountable on a rear bumper."),
        ("heading", "FIELD"),
        ("description", "This invention relates to bumpers."),
        ("claims", "What I claim is:"),
        ("claims", "1. A combination of: a strap and a bar."),
        ("claims", "2. The combination of claim 1."),
    ]


def test_medline(tmp_path: Path) -> None:
    found = list(medline.read(write(tmp_path, "d.txt", samples.MEDLINE)))
    assert parts(found[0]) == [
        ("title", "Effects of different parameters in the fast scanning method."),
        ("introduction", "PURPOSE: To find out."),
        ("methods", "METHODS: Two transducers (n = 2: one each) were used."),
        ("results", "RESULTS: It worked."),
    ]
    assert [(getattr(r, "retracted", None), getattr(r, "retracts", None)) for r in found[1:]] == [
        (True, ()),
        (False, ("PMID:5",)),
    ]


def test_pubtator_there_and_back(tmp_path: Path) -> None:
    found = list(pubtator.read_annotated(write(tmp_path, "e.pubtator", samples.PUBTATOR)))
    first = found[0]
    assert isinstance(first, pubtator.Annotated)
    assert first.misfits == 1
    assert [(a.text, a.ids) for a in first.annotations] == [
        ("DSCR1", ("1827",)),
        ("migraine", ("D008881", "D008882")),
    ]
    assert all(first.article.text[a.start : a.end] == a.text for a in first.annotations)
    back = write(
        tmp_path,
        "back.pubtator",
        "".join(pubtator.write(f.article) for f in found if isinstance(f, pubtator.Annotated)),
    )
    assert list(pubtator.read(back)) == [f.article for f in found if isinstance(f, pubtator.Annotated)]


def test_bioc(tmp_path: Path) -> None:
    xml = next(iter(bioc.read(write(tmp_path, "f.xml", samples.BIOC_XML))))
    assert isinstance(xml, Article)
    assert (xml.id, xml.year, parts(xml)) == (
        "PMID:12",
        2019,
        [("title", "A title"), ("abstract", "Sumatriptan helps.")],
    )
    found = next(iter(bioc.read(write(tmp_path, "g.json", samples.BIOC_JSON))))
    assert isinstance(found, Article)
    assert (found.id, found.aliases, found.licence) == ("PMC:12", ("PMID:77",), "CC BY")
    assert [(p.section, p.offset) for p in found.passages] == [("title", 0), ("results", 8), ("caption", 15)]
    overlapping = samples.BIOC_JSON.replace('"offset": 15', '"offset": 9')
    again = next(iter(bioc.read(write(tmp_path, "g.json", overlapping))))
    assert isinstance(again, Article)
    assert [p.offset for p in again.passages] == [0, 8, 15]


def test_one_broken_record_costs_one_record(tmp_path: Path) -> None:
    broken = samples.PUBMED.replace(
        "<ArticleTitle>No abstract here</ArticleTitle>", "<ArticleTitle>No <i>end</ArticleTitle>"
    )
    found = list(pubmed.read(write(tmp_path, "x.xml", broken)))
    assert [type(r).__name__ for r in found] == ["Article", "Skipped", "Article", "Article", "Deleted"]
    assert isinstance(found[1], Skipped)
    assert found[1].where == "x.xml, record 2 (PMID:102)"


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    named = "UTF-8" if encoding.startswith("utf") else encoding
    content = samples.PUBMED.replace('encoding="UTF-8"', f'encoding="{named}"')
    (tmp_path / "x.xml").write_bytes(content.encode(encoding))
    found = list(pubmed.read(tmp_path / "x.xml"))
    assert parts(found[0])[-1] == ("other abstract", "Résumé.")


def test_windows_bytes_in_a_file_that_says_utf8(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(samples.PUBMED.encode("cp1252"))
    assert parts(next(iter(pubmed.read(tmp_path / "x.xml"))))[-1] == ("other abstract", "Résumé.")


def test_plain_text_names_the_article_after_the_file(tmp_path: Path) -> None:
    found = next(iter(text.read(write(tmp_path, "my note.txt", samples.TEXT))))
    assert isinstance(found, Article)
    assert found.id == "my note"


@given(
    lines=st.lists(
        st.sampled_from(["", " ", "Results", "\t words β 😀 ", "Aspirin inhibits COX-1."]), max_size=9
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_plain_text_keeps_the_files_own_places(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, mark: str
) -> None:
    """Law: every word once, where the file has it."""
    words = end.join(lines)
    path = tmp_path_factory.mktemp("t") / "x.txt"
    path.write_bytes((mark + words).encode("utf-8"))
    record = next(iter(text.read(path)))
    if not words.strip():
        assert isinstance(record, Skipped)
        return
    assert isinstance(record, Article)
    assert record.text.split() == words.split()
    for passage in record.passages:
        assert words[passage.offset : passage.end].split() == passage.text.split()


def test_a_long_record_of_short_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte of short lines is as bad as a gigabyte of one."""
    monkeypatch.setattr(medline, "MAX_LINES", 1000)
    monkeypatch.setattr(pubtator, "MAX_LINES", 1000)
    monkeypatch.setattr(uspto, "MAX_LINES", 1000)
    for read, head, line in (
        (medline.read, "PMID- 1\nTI  - A\n", "      more\n"),
        (pubtator.read, "1|t|A\n", "1\t0\t1\tA\tGene\t1\n"),
        (uspto.read, "PATN\nWKU  038574341\nABST\nPAL  x\n", "     more\n"),
    ):
        (found,) = read(write(tmp_path, "x.txt", head + line * 200))
        assert isinstance(found, Skipped)
        assert "longer than 1,000 characters" in found.detail


def test_a_damaged_gzip_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    whole = "".join(f"<a>{n}</a>" * 30 for n in range(999))  # random enough to be several blocks
    packed = gzip.compress(samples.PUBMED.replace("</PubmedArticleSet>", whole).encode())
    (tmp_path / "x.xml.gz").write_bytes(packed[: len(packed) // 2])
    *articles, last = pubmed.read(tmp_path / "x.xml.gz")
    assert len(articles) == 5
    assert isinstance(last, Skipped)
    assert "cut short" in last.detail
    (tmp_path / "y.xml.gz").write_bytes(packed[:8])
    with pytest.raises(UnknownFormat, match="cut short"):
        reader_for(tmp_path / "y.xml.gz")
    (tmp_path / "z.xml").write_bytes(b"")
    with pytest.raises(UnknownFormat, match="is empty"):
        reader_for(tmp_path / "z.xml")


def test_a_bomb_in_the_document_type_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    (found,) = pubmed.read(write(tmp_path, "x.xml", bomb + samples.PUBMED[samples.PUBMED.find("<Pub") :]))
    assert isinstance(found, Skipped)
    assert "entities" in found.detail


def test_answers_inside_an_article_are_read(tmp_path: Path) -> None:
    front = "<front-stub><title-group><article-title>{0}</article-title></title-group></front-stub>"
    inner = f"<response>{front.format('Answer')}<body><p>No.</p></body></response>"
    reply = f"<sub-article>{front.format('Reply')}<body><p>Yes.</p></body>{inner}</sub-article>"
    content = samples.JATS.replace("</back></article>", f"</back>{reply}</article>")
    assert parts(next(iter(jats.read(write(tmp_path, "x.nxml", content)))))[-4:] == [
        ("heading", "Reply"), ("sub-article", "Yes."), ("heading", "Answer"), ("sub-article", "No.")
    ]  # fmt: skip


def test_a_pmid_is_a_pmid_in_every_format(tmp_path: Path) -> None:
    lines = '{"pmid": 12, "title": "a"}\n{"id": "12", "title": "a"}\n{"id": "X:1", "title": "a"}\n'
    found = [r.id for r in jsonl.read(write(tmp_path, "x.jsonl", lines)) if isinstance(r, Article)]
    assert found == ["PMID:12", "PMID:12", "X:1"]


def test_marks_of_retraction(tmp_path: Path) -> None:
    again = samples.PUBMED.replace("RetractionIn", "RetractedandRepublishedIn")
    assert [r.retracted for r in pubmed.read(write(tmp_path, "x.xml", again)) if isinstance(r, Article)] == [
        False, False, True, False
    ]  # fmt: skip
    notice = '<related-article related-article-type="retraction-forward"/></article-meta>'
    content = samples.JATS.replace("</article-meta>", notice)
    record = next(iter(jats.read(write(tmp_path, "x.nxml", content))))
    assert isinstance(record, Article)
    assert record.retracted


def test_a_label_of_several_words_names_its_section(tmp_path: Path) -> None:
    content = samples.PUBMED.replace('Label="FINDINGS" NlmCategory="RESULTS"', 'Label="MAIN RESULTS/OUTCOME"')
    record = next(iter(pubmed.read(write(tmp_path, "x.xml", content))))
    assert parts(record)[2][0] == "results"


def test_half_a_character_costs_that_character(tmp_path: Path) -> None:
    """JSON can spell a lone surrogate; no file or table can hold one."""
    line = '{"id": "X:1", "title": "a\\ud83d\\ude00 \\ud800b", "licence": "\\udfff"}\n'
    (found,) = jsonl.read(write(tmp_path, "x.jsonl", line))
    assert parts(found) == [("title", "a😀 \ufffdb")]
    content = (
        '{"documents": [{"id": "1", "infons": {"license": "\\udfff"}, "passages": [{"text": "\\ud800"}]}]}'
    )
    assert parts(next(iter(bioc.read(write(tmp_path, "x.json", content))))) == [("body", "\ufffd")]
    with pytest.raises(ValueError, match="half a character"):
        Article.of("X:1", [("title", "\ud800")])


def test_a_year_that_is_none_is_left_out_or_said(tmp_path: Path) -> None:
    """A table's column holds no 10^30; a typing error in a date costs the date alone."""
    odd = samples.JATS.replace("<year>2010</year>", "<year>20100000000</year>").replace(
        "<year>2011</year>", ""
    )
    assert [r.year for r in jats.read(write(tmp_path, "x.nxml", odd)) if isinstance(r, Article)] == [None]
    (found,) = jsonl.read(write(tmp_path, "x.jsonl", '{"id": "X:1", "title": "a", "year": 99999999999}\n'))
    assert isinstance(found, Skipped)
    assert "four digits" in found.detail
    large = samples.PUBMED.replace('Version="2"', 'Version="99999999999"')
    record = next(iter(pubmed.read(write(tmp_path, "x.xml", large))))
    assert isinstance(record, Article)
    assert record.version == 1


def test_pubtator_counts_from_its_title(tmp_path: Path) -> None:
    """A text file's words stand where the file has them, which may be behind empty lines."""
    article = next(iter(text.read(write(tmp_path, "x.txt", "\n\n  A title\n\nResults\n\nAspirin works.\n"))))
    assert isinstance(article, Article)
    at = article.text.index("Aspirin")
    written = pubtator.write(article, [pubtator.Annotation(at, at + 7, "Aspirin", "Chemical", ("X",))])
    (back,) = pubtator.read_annotated(write(tmp_path, "x.pubtator", written))
    assert isinstance(back, pubtator.Annotated)
    assert (back.misfits, [a.text for a in back.annotations]) == (0, ["Aspirin"])
