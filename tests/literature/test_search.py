"""Found sentences are verbatim, ranked as BM25 ranks, under any name, and survive a kill."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from literature.graph import GraphError, query
from literature.mining import mine
from literature.model.borrowed import ModelError
from literature.model.embedding import EmbeddingError, build, embedder
from literature.search import K1, B, Index, SearchError, index, search, terms


def folder(tmp_path: Path, *titles: str) -> Path:
    rows = [json.dumps({"id": f"A:{n}", "title": t}) for n, t in enumerate(titles)]
    (tmp_path / "a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    mine([tmp_path / "a.jsonl"], tmp_path / "mined", resume=True)
    return tmp_path / "mined"


def test_every_hit_is_the_articles_own_words(mined: Path) -> None:
    texts = {r["id"]: r["text"] for r in query(mined, "SELECT id, text FROM documents").to_pylist()}
    hits = search(mined, "Which agonists contract coronary arteries?", n=50)
    assert len(hits) == 50
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    for hit in hits:
        assert texts[hit.id][hit.start : hit.end] == hit.text
    assert len({(h.id, h.start) for h in hits}) == 50


@pytest.mark.parametrize(
    "name", ["5-HT1B", "serotonin 1B receptor", "HTR1B", "5-hydroxytryptamine receptor 1B", "P28222"]
)
def test_a_thing_is_found_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    out = folder(
        tmp_path,
        "The serotonin 1B receptor in arteries.",
        "HTR1B is expressed in arteries.",
        "Arteries, arteries everywhere.",
        "5-HT2A receptors in arteries.",
    )
    hits = search(out, "arteries", entity=name)
    assert {h.id for h in hits} == {"A:0", "A:1"}
    assert all(h.named == ("NCBIGene:3351",) for h in hits)
    if name != "P28222":  # what is named counts beside the words: all four sentences share one word alone
        found = [h.id for h in search(out, f"{name} arteries", vectors="none")]
        assert max(found.index("A:0"), found.index("A:1")) < found.index("A:2")


def test_bm25_as_published(tmp_path: Path) -> None:
    """Reference: equation 3.15 of Robertson and Zaragoza 2009, written out here sentence by sentence."""
    chance = random.Random(3)
    words = ["zqlanter", "zqmeadow", "zqviolin", "zqharbor", "zqpebble", "zqwindow"]
    titles = [" ".join(chance.choices(words, k=chance.randint(2, 9))) + " zqfloor" for _ in range(40)]
    out = folder(tmp_path, *titles)
    docs = [terms(t) for t in titles]
    mean = sum(map(len, docs)) / len(docs)
    asked = ["zqlanter", "zqviolin"]
    wanted = []
    for n, doc in enumerate(docs):
        score = 0.0
        for term in terms(" ".join(asked)):
            holding = sum(term in d for d in docs)
            tf = Counter(doc)[term]
            idf = math.log(1 + (len(docs) - holding + 0.5) / (holding + 0.5))
            score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(doc) / mean))
        wanted.append((f"A:{n}", score))
    best = max(score for _, score in wanted)
    found = {h.id: h.score for h in search(out, " ".join(asked), n=40, vectors="none")}
    assert found == pytest.approx({id: s / best for id, s in wanted if s > 0}, abs=1e-5)


def test_meaning_finds_what_words_do_not(tmp_path: Path) -> None:
    out = folder(
        tmp_path,
        "Children slept longer after the change.",
        "The committee approved the budget.",
        "Nurses weighed the infants every morning.",
    )
    for asked, id in (
        ("paediatric sleep duration", "A:0"),
        ("neonatal body mass", "A:2"),
        ("financial plan", "A:1"),
    ):
        assert search(out, asked, vectors="none") == []
        assert search(out, asked)[0].id == id


def test_vectors_have_length_one_and_neighbours_change_nothing() -> None:
    maker = embedder("static")
    texts = ["Sumatriptan relieves migraine.", "", "日本語", "Arteries contract.", "x" * 5000]
    made = maker(texts)
    assert np.allclose(np.linalg.norm(made, axis=1)[[0, 3]], 1, atol=1e-5)
    assert np.array_equal(made[0], maker([texts[0]])[0])
    assert not made[1].any()
    assert np.isfinite(made).all()


def test_building_vectors_whitens_them(tmp_path: Path) -> None:
    """Law of whitening: on the sentences it was fitted to, every direction varies by one, none with another."""
    chance = np.random.default_rng(5)
    letters = [chr(c) for c in range(97, 123)]
    vocabulary = [
        "[UNK]",
        *letters,
        *(f"##{c}" for c in letters),
        *(f"w{a}{b}" for a in letters for b in "xyz"),
    ]
    pieces = chance.normal(size=(len(vocabulary), 24)).astype(np.float32) @ chance.normal(
        size=(24, 24)
    ).astype(np.float32)
    texts = [" ".join(chance.choice(vocabulary[53:], size=8)) for _ in range(3000)]
    path = tmp_path / "s.safetensors"
    path.write_bytes(build(pieces, vocabulary, texts, keep=200, width=8))
    from literature.model.embedding import Static, _means

    static = Static.read(path)
    rows = [e.ids for e in static.cutter.encode_batch(texts, add_special_tokens=False)]
    spread = np.cov(_means(rows, static.table, static.weights, static.centre), rowvar=False)
    assert np.allclose(spread, np.eye(8), atol=0.05)
    (tmp_path / "torn.safetensors").write_bytes(path.read_bytes()[:-50])
    with pytest.raises(EmbeddingError, match="no vectors"):
        embedder(str(tmp_path / "torn.safetensors"))
    with pytest.raises(ModelError, match="no folder of a model"):
        embedder(str(tmp_path / "nowhere"))


def test_withdrawn_is_not_found_and_retracted_says_so(tmp_path: Path) -> None:
    rows = [
        {"id": "A:1", "title": "Quartz lantern old."},
        {"id": "A:2", "title": "Quartz lantern withdrawn."},
        {"id": "A:3", "title": "Quartz lantern retracted.", "retracted": True},
    ]
    (tmp_path / "1.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "2.jsonl").write_text(
        '{"deleted": ["A:2"]}\n{"id": "A:1", "title": "Quartz lantern new."}', encoding="utf-8"
    )
    mine([tmp_path / "1.jsonl", tmp_path / "2.jsonl"], tmp_path / "m")
    found = {(h.text, h.retracted) for h in search(tmp_path / "m", "quartz lantern")}
    assert found == {("Quartz lantern new.", False), ("Quartz lantern retracted.", True)}


def test_only_what_is_new_is_indexed_and_damage_is_mended(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.jsonl").write_text(
            json.dumps({"id": f"A:{n}", "title": f"Quartz {n}."}), encoding="utf-8"
        )
    files = [tmp_path / f"{n}.jsonl" for n in range(3)]
    out = tmp_path / "m"
    mine(files[:2], out)
    assert (index(out).made, index(out).made) == (2, 0)
    mine(files, out, resume=True)
    again = index(out)
    assert (again.shards, again.made, again.sentences) == (3, 1, 3)
    victim = sorted((out / "search").glob("*.safetensors"))[0]
    victim.write_bytes(victim.read_bytes()[:-10])
    assert index(out).made == 1
    assert len(search(out, "quartz")) == 3


def test_killed_while_indexing_nothing_is_lost(tmp_path: Path) -> None:
    for n in range(8):
        rows = [
            json.dumps({"id": f"A:{n}-{i}", "title": f"Sumatriptan {i} in file {n} relieves migraine."})
            for i in range(60)
        ]
        (tmp_path / f"{n}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    out = tmp_path / "m"
    mine(sorted(tmp_path.glob("*.jsonl")), out)
    code = f"from literature.search import index; index({str(out)!r})"
    child = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"})
    while child.poll() is None and len(list((out / "search").glob("*.safetensors"))) < 3:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = index(out)
    assert done.sentences == 480
    assert 0 < done.made <= 8
    assert not list((out / "search").glob("*.tmp"))
    assert len(search(out, "sumatriptan migraine", n=900)) == 480


def test_an_index_opened_once_answers_as_one_opened_for_each(mined: Path) -> None:
    opened = Index(mined)
    for asked in ("migraine", "triptans and the heart"):
        assert opened(asked) == search(mined, asked)
    few = opened("migraine", n=3, keep=lambda hit: hit.section == "conclusion")
    assert {h.section for h in few} == {"conclusion"}


def test_mistakes_say_what_to_do(mined: Path, tmp_path: Path) -> None:
    for words, more, said in (
        (" ", {}, "query is empty"),
        ("x", {"n": 0}, "at least 1"),
        ("x", {"entity": "flurble"}, "known to no dictionary"),
    ):
        with pytest.raises(SearchError, match=said):
            search(mined, words, **more)
    with pytest.raises(GraphError, match="discovery mine"):
        search(tmp_path, "x")
