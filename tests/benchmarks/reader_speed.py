"""How fast are names found by the reading model, how fast does XML become evidence, and what do 8 bits cost?

Answer    abstracts per second on two cores (two processes, one thread each) and per CPU-second on
          one thread, tagging alone and with the dictionary's hints; a whole `discovery mine
          --workers 2` from PubMed XML to evidence, start of the processes and loading included,
          by the dictionary and by the model; strict F1 in 8 and in 32 bits
Data      titles and abstracts of BC5CDR, each once; F1 on the documents kept aside by
          literature.annotated.load, each corpus by its own convention
Baseline  the same network in bfloat16 and in float32
Budget    two cores, six minutes
Failures  a process that fails ends the run

python -m tests.benchmarks.reader_speed [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from literature.article import Article
from literature.readers.pubtator import Annotated, read_annotated
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import cpu_s, options, record

ROOT = Path(__file__).resolve().parents[2]
DATA = SHARED / "literature"
CORPORA = ("BC5CDR", "NCBI-disease", "BC2GM", "BioRED")

# One process that tags: told what to read with, it loads, says so, waits, tags and tells its seconds.
_TAGS = """
import json, sys, time
import torch
torch.set_num_threads(1)
from pathlib import Path
from literature.mentions import DictionaryTagger
from literature.names.dictionary import shipped
from literature.model.prediction import EncoderTagger
file, precision, hinted = sys.argv[1:]
texts = json.loads(Path(file).read_text())
tagger = EncoderTagger(precision=precision, hints=DictionaryTagger(shipped()) if hinted == "hinted" else None)
tagger(texts[:8])
print("ready", flush=True)
sys.stdin.readline()
wall, cpu = time.perf_counter(), time.process_time()
tagger(texts)
print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


def abstracts(n: int) -> list[Article]:
    found = read_annotated(DATA / "ner_with_ids" / "BC5CDR_TrainDev.PubTator.gz")
    return [one.article for one in found if isinstance(one, Annotated)][:n]


def tagging(articles: list[Article], folder: Path, precision: str, hinted: bool, processes: int) -> Any:
    """(abstracts a second of wall time, of CPU time) of processes that start together."""
    running: list[subprocess.Popen[str]] = []
    for number in range(processes):
        texts = [p.text for article in articles[number::processes] for p in article.passages]
        file = folder / f"texts{number}.json"
        file.write_text(json.dumps(texts))
        command = [sys.executable, "-c", _TAGS, str(file), precision, "hinted" if hinted else "alone"]
        running.append(
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline().strip() == "ready"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    took = [tuple(map(float, one.communicate()[0].split())) for one in running]
    wall, cpu = max(t[0] for t in took), sum(t[1] for t in took)
    return round(len(articles) / wall, 1), round(len(articles) / cpu, 1)


def pubmed_xml(articles: list[Article], folder: Path, files: int) -> list[Path]:
    """The articles as PubMed update files."""
    paths: list[Path] = []
    for number in range(files):
        lines = ['<?xml version="1.0" encoding="UTF-8"?>\n<PubmedArticleSet>']
        for article in articles[number::files]:
            id = article.id.removeprefix("PMID:")
            text = " ".join(p.text for p in article.passages if p.section != "title")
            lines.append(
                f"<PubmedArticle><MedlineCitation><PMID Version='1'>{id}</PMID><Article>"
                f"<ArticleTitle>{escape(article.title)}</ArticleTitle><Abstract><AbstractText>{escape(text)}"
                "</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
            )
        paths.append(folder / f"part{number}.xml")
        paths[-1].write_text("\n".join([*lines, "</PubmedArticleSet>"]), encoding="utf-8")
    return paths


def mining(articles: list[Article], folder: Path, reader: str) -> tuple[float, float]:
    """Abstracts a second and a CPU-second of a whole `discovery mine`, from its start to its end."""
    source = folder / f"xml-{reader}"
    source.mkdir()
    pubmed_xml(articles, source, 4)
    command = [str(Path(sys.executable).with_name("discovery")), "mine", str(source), "--workers", "2"]
    began, before = time.perf_counter(), cpu_s()
    subprocess.run(
        [*command, "--out", str(folder / f"out-{reader}"), "--reader", reader],
        check=True,
        capture_output=True,
    )
    wall, cpu = time.perf_counter() - began, cpu_s() - before
    return round(len(articles) / wall, 1), round(len(articles) / cpu, 1)


def agreement(name: str, precision: str, quick: bool) -> float:
    """Strict F1 of a corpus, percent, on its documents kept aside."""
    import torch

    from literature.annotated import load
    from literature.model.prediction import EncoderTagger
    from literature.training.scoring import Agreement
    from literature.training.scoring import agreement as counted

    torch.set_num_threads(1)
    corpus = next(corpus for corpus in load(DATA) if corpus.name == name)
    held = corpus.held[: 8 if quick else None]
    spans = EncoderTagger(convention=name, precision=precision)([document.text for document in held])  # type: ignore[arg-type]
    return round(100 * sum(counted(held, spans, corpus.types).values(), Agreement()).f1, 3)


def agreement_in_bits(quick: bool) -> dict[str, dict[str, float]]:
    """Strict F1 of each corpus and precision, percent; each in a process of its own."""
    found: dict[str, dict[str, float]] = {}
    for name in CORPORA:
        for precision in ("float32", "int8"):
            command = [sys.executable, "-m", "tests.benchmarks.reader_speed", "--f1-of", name, precision]
            command += ["--quick"] if quick else []
            said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
            found.setdefault(name, {})[precision] = float(said)
    return found


def main() -> None:
    parser = options(__doc__, "60 abstracts, 8 documents a corpus")
    parser.add_argument("--no-f1", action="store_true")
    parser.add_argument("--f1-of", nargs=2, metavar=("CORPUS", "PRECISION"), help="that alone, on the screen")
    asked = parser.parse_args()
    if asked.f1_of:
        print(agreement(*asked.f1_of, asked.quick))
        return
    if not DATA.is_dir():
        nothing_measured("the annotated sets of ../shared/data/literature are absent")
    os.environ["OMP_NUM_THREADS"] = "1"
    numbers: dict[str, Any] = {}
    articles = abstracts(60 if asked.quick else 300)
    numbers["characters_mean"] = round(sum(len(a.text) for a in articles) / len(articles))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for label, precision, hinted in (
            ("int8", "int8", False),
            ("int8_hinted", "int8", True),
            ("bfloat16", "bfloat16", False),
        ):
            wall, cpu = tagging(articles, folder, precision, hinted, 2)
            numbers[f"tagging_{label}_per_s_on_2_cores"] = wall
            numbers[f"tagging_{label}_per_cpu_s"] = cpu
            print(label, wall, cpu, flush=True)
        for reader in ("dictionary", "model"):
            wall, cpu = mining(articles, folder, reader)
            numbers[f"xml_to_evidence_{reader}_per_s_on_2_cores"] = wall
            numbers[f"xml_to_evidence_{reader}_per_cpu_s"] = cpu
            print(reader, wall, cpu, flush=True)
    del os.environ["OMP_NUM_THREADS"]
    if not asked.no_f1:
        numbers["f1"] = agreement_in_bits(asked.quick)
    load = [
        round(one, 1) for one in os.getloadavg()
    ]  # on a busy machine only the CPU-seconds are worth reading
    record("reader_speed", numbers, seed=7, abstracts=len(articles), load=load)


if __name__ == "__main__":
    main()
