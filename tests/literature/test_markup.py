"""Laws of reading XML nobody vouches for: every text node once, in order; nothing hostile gets far."""

from __future__ import annotations

import gzip
import io
import time
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from literature.article import Article, Skipped
from literature.readers import jats, pubmed, uspto
from literature.readers.markup import BadMarkup, parse, records, words
from literature.readers.opening import BrokenFile

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "literature"
WORDS = st.text("aβ<&é 1\n", max_size=6)
INLINE = ("italic", "sup", "bold", "xref", "named-content")
BLOCK = ("p", "sec", "title", "fig", "caption", "list-item", "table-wrap", "tr", "td", "disp-formula", "fn")


@st.composite
def element(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(st.sampled_from(INLINE + BLOCK))
    inside = escape(draw(WORDS))
    for _ in range(draw(st.integers(0, 3)) if depth < 4 else 0):
        inside += draw(element(depth + 1)) + escape(draw(WORDS))
        if draw(st.booleans()):
            inside += "<!-- not text --><?pi not text?>"
    return f"<{tag}>{inside}</{tag}>"


def bare(text: str) -> str:
    return "".join(text.split())


def all_text(root: object) -> str:
    """Reference: lxml's own walk over text nodes."""
    return bare("".join(root.xpath(".//text()")))  # type: ignore[attr-defined]


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.lists(element(), max_size=4))
def test_every_text_node_is_kept_once_and_in_order(parts: list[str]) -> None:
    body = f"<body>{''.join(parts)}</body>"
    raw = f"<article><front><article-meta><title-group><article-title>T</article-title></title-group></article-meta></front>{body}</article>"
    article = jats.article(parse(raw.encode()), "x")
    assert bare("".join(p.text for p in article.passages)) == "T" + all_text(etree.fromstring(body))


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_every_text_node_of_real_articles() -> None:
    """Reference: lxml's own walk over title, abstracts, body, back and floats, without the reference list."""
    files = sorted((SHARED / "jats_plos").glob("*.xml.gz"))[::4]
    assert files
    for file in files:
        article = next(iter(jats.read(file)))
        assert isinstance(article, Article)
        root = etree.fromstring(gzip.decompress(file.read_bytes()))
        for skipped in root.xpath(
            "//ref-list | //tex-math | //object-id | //comment() | //processing-instruction()"
        ):
            skipped.getparent().remove(skipped) if not skipped.tail else _cut_out(skipped)
        meta = root.find("front/article-meta")
        regions = [
            meta.find("title-group/article-title"),
            *meta.findall("abstract"),
            *meta.findall("trans-abstract"),
        ]
        regions += root.findall("body") + root.findall("back") + root.findall("floats-group")
        wanted = "".join(all_text(r) for r in regions)
        got = bare("".join(p.text for p in article.passages if p.section not in ("subtitle", "sub-article")))
        assert got == wanted, file.name


def _cut_out(node: object) -> None:
    before = node.getprevious()  # type: ignore[attr-defined]
    parent = node.getparent()  # type: ignore[attr-defined]
    if before is None:
        parent.text = (parent.text or "") + node.tail  # type: ignore[attr-defined]
    else:
        before.tail = (before.tail or "") + node.tail  # type: ignore[attr-defined]
    parent.remove(node)


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_every_paragraph_of_real_patents() -> None:
    """Reference: lxml's own walk over the abstract, the description and the claims."""
    tags = {
        "abstract",
        "description",
        "claims",
        "us-claim-statement",
        "subdoc-abstract",
        "subdoc-description",
        "subdoc-claims",
        "SDOAB",
        "SDODE",
        "SDOCL",
    }
    files = [f for f in sorted((SHARED / "patents_uspto").glob("*.gz")) if "greenbook" not in f.name]
    assert len(files) == 11
    for file in files:
        article = next(iter(uspto.read(file)))
        assert isinstance(article, Article)
        raw = gzip.decompress(file.read_bytes())
        root = parse(raw)
        order = {"abstract": 0, "description": 1, "claims": 2}
        regions = [e for e in root if e.tag in tags]
        regions.sort(key=lambda e: order[uspto.REGIONS[e.tag]])
        wanted = "".join(all_text(e) for e in regions)
        assert bare("".join(p.text for p in article.passages[1:])) == wanted, file.name


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.text("ab<>&/ \n", max_size=12), max_size=5), st.integers(1, 40))
def test_records_are_found_whatever_lies_between(noise: list[str], step: int) -> None:
    wanted = [f"<rec n='{n}'><recipe>{escape(text)}</recipe></rec>".encode() for n, text in enumerate(noise)]
    whole = b"<set><!-- head -->" + b"\n<other/>".join(wanted) + b"</set>"

    class Slow(io.RawIOBase):
        at = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            block = whole[self.at : self.at + min(step, len(buffer))]
            buffer[: len(block)] = block
            self.at += len(block)
            return len(block)

    assert list(records(io.BufferedReader(Slow(), 1), ("rec",))) == wanted  # type: ignore[type-var]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)).replace("&lol0;", "&lol;")
    + "]><article><front><article-meta/></front><body><p>&lol9;</p></body></article>"
)
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><article><front><article-meta/></front><body><p>&x;</p></body></article>'


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        EXTERNAL,
        BOMB.replace(
            "<article>",
            "<PubmedArticle><MedlineCitation><PMID>1</PMID>&lol9;</MedlineCitation></PubmedArticle><article>",
        ),
    ],
)
def test_entities_of_a_files_own_are_never_expanded(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.nxml").write_text(content, encoding="utf-8")
    start = time.process_time()
    for read in (jats.read, pubmed.read, uspto.read):
        for record in read(tmp_path / "x.nxml"):
            assert isinstance(record, Article | Skipped)
            if isinstance(record, Article):
                assert "lol" not in record.text
                assert "root:" not in record.text
    assert time.process_time() - start < 1
    with pytest.raises(BadMarkup, match="entities"):
        parse(content[content.index("<!DOCTYPE") :].encode())


def gzip_of(head: bytes, filler: bytes, megabytes: int) -> bytes:
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    out = [squeeze.compress(head)]
    out += [squeeze.compress(filler * (2**20 // len(filler))) for _ in range(megabytes)]
    return b"".join(out) + squeeze.flush()


@pytest.mark.parametrize(
    ("read", "head"),
    [
        (
            pubmed.read,
            b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>",
        ),
        (jats.read, b"<article><front>"),
        (uspto.read, b"<us-patent-grant>"),
    ],
)
def test_a_gigabyte_of_text_is_refused_quickly(tmp_path: Path, read: object, head: bytes) -> None:
    """A 200 MB text node stands for it here: reading stops after the first 32."""
    (tmp_path / "x.xml.gz").write_bytes(gzip_of(head, b"x", 200))
    start = time.process_time()
    found = list(read(tmp_path / "x.xml.gz"))  # type: ignore[operator]
    assert time.process_time() - start < 2
    assert [type(r) for r in found] == [Skipped]
    assert "longer than" in found[0].detail


def read_nodes(folder: Path, nodes: int) -> float:
    body = "<p><b>x</b></p>" * (nodes // 2)
    content = f"<article><front><article-meta/></front><body>{body}</body></article>"
    (folder / "x.nxml").write_text(content, encoding="utf-8")
    start = time.process_time()
    found = next(iter(jats.read(folder / "x.nxml")))
    assert isinstance(found, Article)
    assert len(found.passages) == nodes // 2
    return time.process_time() - start


@pytest.mark.slow
def test_a_million_nodes(tmp_path: Path) -> None:
    assert read_nodes(tmp_path, 1_000_000) < 60


def test_many_nodes_and_deep_ones(tmp_path: Path) -> None:
    assert read_nodes(tmp_path, 50_000) < 10
    deep = "<sec>" * 100_000 + "x" + "</sec>" * 100_000
    (tmp_path / "x.nxml").write_text(f"<article><body>{deep}</body></article>", encoding="utf-8")
    assert isinstance(next(iter(jats.read(tmp_path / "x.nxml"))), Skipped)


def test_words_and_errors() -> None:
    assert words(parse(b"<a>x <b>y</b><!-- no -->z &alpha; &nonsuch;</a>")) == "x yz α \ufffd"
    with pytest.raises(BadMarkup, match="well-formed"):
        parse(b"<a><b></a>")
    with pytest.raises(BrokenFile, match="cut short"):
        list(records(io.BufferedReader(io.BytesIO(b"<a><rec>...")), ("rec",)))
