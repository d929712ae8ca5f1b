"""Laws: nothing lost, nothing twice, whatever the workers and whenever it was killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from discovery.files import broken
from literature.corpus import Corpus
from literature.crew import Steps
from literature.dossier import CooccurrenceEvidence
from literature.graph import query
from literature.mining import TABLES, MiningError, _stands, mine, read_file
from literature.reading import Reading
from tests.literature import samples


def corpus(folder: Path, files: int, each: int) -> Path:
    folder.mkdir()
    for f in range(files):
        lines = [
            json.dumps(
                {
                    "id": f"A:{f}-{n}",
                    "title": f"Paper {n} of file {f}",
                    "abstract": "Sumatriptan is a 5-HT1B agonist. Sumatriptan relieved migraine. " * 3,
                    "year": 2000 + f,
                }
            )
            for n in range(each)
        ]
        (folder / f"{f}.jsonl").write_text("\n".join([*lines, "broken"]) + "\n", encoding="utf-8")
    return folder


def tables(out: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for name in TABLES:
        rows = [
            row for file in sorted((out / name).glob("*.parquet")) for row in pq.read_table(file).to_pylist()
        ]
        found[name] = rows
    found["withdrawn"] = pq.read_table(out / "withdrawn.parquet").to_pylist()
    return found


def test_tables_hold_every_article_and_every_quote(tmp_path: Path) -> None:
    done = mine(["example"], tmp_path / "out")
    found = tables(tmp_path / "out")
    assert (done.documents, done.files, done.skipped) == (60, 1, 0)
    texts = {row["id"]: str(row["text"]) for row in found["documents"]}
    for name, words in (("sentences", "text"), ("mentions", "text"), ("evidence", "quote")):
        assert found[name]
        for row in found[name]:
            assert texts[row["id"]][int(str(row["start"])) : int(str(row["end"]))] == row[words]  # type: ignore[index]
    assert [(r["id"], r["reason"]) for r in found["withdrawn"]] == [("EXAMPLE:47", "retracted")]
    assert len(found["evidence"]) == done.evidence


def test_workers_change_nothing(tmp_path: Path) -> None:
    source = corpus(tmp_path / "c", files=3, each=10)
    one = mine([source], tmp_path / "1")
    two = mine([source], tmp_path / "2", workers=2)
    assert one == two
    assert one.skipped == 3
    assert tables(tmp_path / "1") == tables(tmp_path / "2")


def test_resume_reads_only_what_is_missing_or_damaged(tmp_path: Path) -> None:
    source, out = corpus(tmp_path / "c", files=3, each=5), tmp_path / "out"
    first = mine([source], out)
    wanted = tables(out)
    with pytest.raises(MiningError, match="--fresh"):
        mine([source], out, resume=False)
    assert mine([source], out, resume=True).reused == 3
    victim = sorted((out / "evidence").glob("*.parquet"))[0]
    assert broken(out) == []
    victim.write_bytes(victim.read_bytes()[:-9] + b"x" * 9)
    assert [name for name, _ in broken(out)] == [f"evidence/{victim.name}"]
    again = mine([source], out, resume=True)
    assert again.reused == 2
    assert again.documents == first.documents
    assert tables(out) == wanted
    (source / "0.jsonl").write_text('{"id": "A:0-0", "title": "newer"}\n', encoding="utf-8")
    assert mine([source], out, resume=True).documents == first.documents - 4


def test_superseded_and_deleted_rows_are_listed(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text(
        '{"id":"A:1","title":"old"}\n{"id":"A:2","title":"b"}\n', encoding="utf-8"
    )
    (tmp_path / "2.jsonl").write_text('{"deleted":["A:2"]}\n{"id":"A:1","title":"new"}\n', encoding="utf-8")
    files = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    mine(files, tmp_path / "out")
    found = tables(tmp_path / "out")
    assert [(r["id"], r["reason"]) for r in found["withdrawn"]] == [("A:2", "deleted"), ("A:1", "superseded")]
    gone = {(r["shard"], r["row"]) for r in found["withdrawn"]}
    standing = [
        row["title"]
        for file in sorted((tmp_path / "out" / "documents").glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
        if (file.stem, row["row"]) not in gone
    ]
    assert standing == [a.title for a, _ in Corpus.open(files).keep(lambda a: True).items] == ["new"]


def test_agrees_with_the_dossier(tmp_path: Path) -> None:
    from discovery.target import Target

    mine(["example"], tmp_path / "out")
    rows = tables(tmp_path / "out")["evidence"]
    mined = {
        (r["id"], r["quote"], r["subject_name"], r["predicate"], r["object_name"], r["weight"]) for r in rows
    }
    for s in CooccurrenceEvidence(max_statements=10_000)(Target("HTR1B")):
        assert (s.source, s.quote, s.subject, s.predicate, s.object, s.confidence) in mined


def test_killed_at_any_moment_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    """kill -9 while it works, several times, then once to the end: the tables of an undisturbed run."""
    source = corpus(tmp_path / "c", files=6, each=40)
    mine([source], tmp_path / "calm")
    out, chance = tmp_path / "out", random.Random(7)
    code = f"from literature.mining import _stands, mine; mine([{str(source)!r}], __import__('pathlib').Path({str(out)!r}), resume=True)"
    killed = 0
    for _ in range(3):
        before = len(list(out.rglob("*.parquet")))
        child = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"})
        while child.poll() is None and len(list(out.rglob("*.parquet"))) <= before:
            time.sleep(0.002)  # until it has begun to write, however fast this machine is
        time.sleep(0.05 * chance.random())
        killed += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
    mine([source], out, resume=True)
    assert killed
    assert tables(out) == tables(tmp_path / "calm")
    assert not list(out.rglob("*.tmp"))


def test_a_paper_read_twice_counts_once_and_a_notice_takes_all_of_it_back(tmp_path: Path) -> None:
    """An abstract beside its full text is one paper; a notice makes no claim of its own."""
    said = "Gefitinib inhibits EGFR in cells."
    head = (
        "<PubmedArticle><MedlineCitation><PMID>{0}</PMID><Article><ArticleTitle>{1}</ArticleTitle></Article>"
    )
    tail = "</MedlineCitation></PubmedArticle>"
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.xml").write_text(head.format(55, said) + tail, encoding="utf-8")
    (tmp_path / "c" / "b.nxml").write_text(samples.JATS.replace("Loose words.", said), encoding="utf-8")
    done = mine([tmp_path / "c"], tmp_path / "out")
    count = "SELECT id FROM documents WHERE NOT retracted"
    papers = "SELECT papers FROM edges WHERE predicate = 'inhibits'"
    assert (done.documents, done.withdrawn) == (2, 1)
    assert query(tmp_path / "out", count).to_pylist() == [{"id": "PMC:99"}]
    assert query(tmp_path / "out", papers).to_pylist() == [{"papers": 1}]
    kept = Corpus.open([tmp_path / "c"]).keep(lambda a: a.id)
    assert (kept.articles, kept.superseded, [a.id for a, _ in kept.items]) == (1, 1, ["PMC:99"])

    notice = '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionOf"><PMID>55</PMID></CommentsCorrections></CommentsCorrectionsList>'
    (tmp_path / "c" / "c.xml").write_text(
        head.format(56, f"Retraction: {said}") + notice + tail, encoding="utf-8"
    )
    mine([tmp_path / "c"], tmp_path / "out", resume=True)
    assert query(tmp_path / "out", count).to_pylist() == [{"id": "PMID:56"}]
    assert query(tmp_path / "out", papers).num_rows == 0
    marked = Corpus.open([tmp_path / "c"]).keep(lambda a: a.retracted)
    assert {a.id: seen for a, seen in marked.items} == {"PMC:99": True, "PMID:56": False}


_DEADLY = """
import os, signal
from literature.article import Article
from literature.readers import jsonl

class Deadly(Article):
    __slots__ = ()

    @property
    def text(self):
        os.kill(os.getpid(), signal.SIGSEGV)

def read(path):
    for record in jsonl.read(path):
        yield Deadly(record.id, record.passages) if record.title == "Deadly." else record
"""


def test_an_article_that_crashes_its_reader_costs_its_own_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: SIGSEGV while one article's names are looked for."""
    (tmp_path / "deadly.py").write_text(_DEADLY, encoding="utf-8")
    told = {
        "METADATA": "Name: deadly\nVersion: 1\n",
        "entry_points.txt": "[discovery.readers]\ndeadly = deadly:read\n",
    }
    (tmp_path / "deadly-1.dist-info").mkdir()
    for name, words in told.items():
        (tmp_path / "deadly-1.dist-info" / name).write_text(words, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    lines = [
        json.dumps({"id": f"A:{n}", "title": title})
        for n, title in enumerate(["Gefitinib inhibits EGFR.", "Deadly.", "Aspirin inhibits PTGS2."])
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said: list[str] = []
    done = mine([tmp_path / "a.jsonl"], tmp_path / "out", workers=1, format="deadly", tell=said.append)
    found = tables(tmp_path / "out")
    assert (done.documents, done.skipped) == (2, 1)
    assert [row["id"] for row in found["documents"]] == ["A:0", "A:2"]
    assert {row["id"] for row in found["evidence"]} == {"A:0", "A:2"}
    detail = "its reader was killed by SIGSEGV, each time it was read alone"
    assert found["skipped"] == [{"where": "A:1", "detail": detail}]
    assert sum("begins it anew" in line for line in said) == 3
    assert mine([tmp_path / "a.jsonl"], tmp_path / "out", format="deadly").reused == 1


def test_a_record_that_cannot_be_parsed_alive_ends_its_file(tmp_path: Path) -> None:
    source = corpus(tmp_path / "c", files=1, each=3) / "0.jsonl"
    steps = Steps(deaths={"record 3": ["was killed by SIGSEGV"] * 2, "record 2": ["was killed by SIGKILL"]})
    for name in (*TABLES, "shards"):
        (tmp_path / name).mkdir()
    read_file(source, "key", tmp_path, Reading(), "", steps)
    found = {name: pq.read_table(tmp_path / name / "key.parquet").to_pylist() for name in TABLES}
    assert [row["id"] for row in found["documents"]] == ["A:0-0", "A:0-1"]
    detail = "its reader was killed by SIGSEGV; what follows was not read"
    assert found["skipped"] == [{"where": "0.jsonl, after record 2", "detail": detail}]
    assert _stands(tmp_path, "key")
    short = Steps(
        deaths={"record 3": ["was killed by SIGKILL; the system kills so when memory is short"] * 2}
    )
    for again in (True, True, False):
        read_file(source, "key", tmp_path, Reading(), "", short)
        assert _stands(tmp_path, "key") is not again
