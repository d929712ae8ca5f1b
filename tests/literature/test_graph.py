"""The graph says what the mined tables say, as evidence.py weighs them, and what was withdrawn is gone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from discovery.target import Statement
from literature.claims import MENTIONED
from literature.evidence import bearing, summed
from literature.graph import GraphError, query, tables
from literature.mining import mine


def statements(mined: Path) -> dict[tuple[str, str], list[Statement]]:
    groups: dict[tuple[str, str], list[Statement]] = {}
    for row in query(mined, "FROM evidence").to_pylist():
        groups.setdefault((row["subject"], row["object"]), []).append(
            Statement(
                row["subject"], row["predicate"], row["object"], row["sign"], row["weight"], row["quote"],
                row["id"], year=row["year"], retracted=row["retracted"],
            )
        )  # fmt: skip
    return groups


def test_edges_are_weighed_as_evidence_is(mined: Path) -> None:
    """Reference: evidence.summed, one pair and predicate at a time; its harmonic sum is Open Targets'."""
    groups = statements(mined)
    edges = query(mined, "FROM edges").to_pylist()
    wanted = {
        (pair, s.predicate)
        for pair, these in groups.items()
        for s in these
        if s.predicate != MENTIONED and not s.retracted
    }
    assert {((e["subject"], e["object"]), e["predicate"]) for e in edges} == wanted
    for edge in edges:
        link = summed(groups[edge["subject"], edge["object"]], edge["predicate"])
        assert edge["support"] == pytest.approx(link.support, abs=1e-9)
        assert edge["contradiction"] == pytest.approx(link.contradiction, abs=1e-9)
        assert edge["score"] == pytest.approx(link.score, abs=1e-9)
    assert any(e["contradiction"] > 0 for e in edges)


def test_an_edge_is_as_probable_as_its_articles_make_it(mined: Path) -> None:
    """At least one of the articles says so, each as surely as its surest claim that speaks for it."""
    rows = query(
        mined, "SELECT * FROM evidence WHERE NOT retracted AND predicate <> 'mentioned with'"
    ).to_pylist()
    edges = query(mined, "FROM edges").to_pylist()
    for edge in edges:
        papers: dict[str, float] = {}
        for row in rows:
            said = Statement("", row["predicate"], "", row["sign"], 1.0, "-", "-")
            same = (row["subject"], row["object"]) == (edge["subject"], edge["object"])
            if same and row["probability"] is not None and bearing(said, edge["predicate"]) == 1:
                papers[row["id"]] = max(papers.get(row["id"], 0.0), row["probability"])
        if papers:
            assert edge["probability"] == pytest.approx(
                1 - math.prod(1 - p for p in papers.values()), abs=1e-9
            )
        else:
            assert edge["probability"] is None
    told = [edge["probability"] for edge in edges if edge["probability"] is not None]
    assert told
    assert all(0 < chance < 1 for chance in told)
    assert len(told) < len(edges)  # what no corpus marks has none


def test_every_edge_quotes_a_sentence_that_stands_there(mined: Path) -> None:
    texts = {r["id"]: r["text"] for r in query(mined, "SELECT id, text FROM documents").to_pylist()}
    rows = query(mined, "SELECT best, publications FROM edges").to_pylist()
    rows += query(mined, "SELECT best, publications FROM cooccurrences").to_pylist()
    assert len(rows) > 300
    for row in rows:
        best: dict[str, Any] = row["best"]
        assert texts[best["id"]][best["start"] : best["end"]] == best["quote"]
        assert best["id"] in row["publications"]


def test_nodes_count_what_mentions_hold(mined: Path) -> None:
    found = query(mined, "SELECT sum(mentions) AS m, count(*) AS n FROM nodes").to_pylist()[0]
    assert found["m"] == query(mined, "SELECT count(*) AS m FROM mentions").to_pylist()[0]["m"]
    (receptor,) = query(mined, "SELECT * FROM nodes WHERE id = 'NCBIGene:3351'").to_pylist()
    assert receptor["name"] == "HTR1B"
    assert "UNIPROT:P28222" in receptor["xrefs"]


def test_withdrawn_articles_are_gone_and_retracted_ones_weigh_nothing(tmp_path: Path) -> None:
    rows = [
        {"id": "A:1", "title": "Sumatriptan is a 5-HT1B agonist.", "year": 2001},
        {"id": "A:2", "title": "Ketanserin is a 5-HT1B agonist.", "year": 2002},
        {"id": "A:3", "title": "Metoprolol is a 5-HT1B agonist.", "year": 2003, "retracted": True},
    ]
    (tmp_path / "1.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    newer = {"id": "A:1", "title": "Sumatriptan was a 5-HT1B agonist.", "year": 2004}
    (tmp_path / "2.jsonl").write_text('{"deleted": ["A:2"]}\n' + json.dumps(newer), encoding="utf-8")
    mine([tmp_path / "1.jsonl", tmp_path / "2.jsonl"], tmp_path / "out")
    documents = query(tmp_path / "out", "SELECT id, title, retracted FROM documents ORDER BY id").to_pylist()
    assert [(d["id"], d["retracted"]) for d in documents] == [("A:1", False), ("A:3", True)]
    assert documents[0]["title"] == newer["title"]
    edges = query(tmp_path / "out", "SELECT subject, papers, publications FROM edges").to_pylist()
    assert [(e["subject"], e["publications"]) for e in edges] == [("MESH:D018170", ["A:1"])]
    # only what is named counts: the first file alone again, although both were read
    mine([tmp_path / "1.jsonl"], tmp_path / "out", resume=True)
    found = query(tmp_path / "out", "SELECT id FROM documents ORDER BY id").to_pylist()
    assert [d["id"] for d in found] == ["A:1", "A:2", "A:3"]


def test_a_folder_without_claims_is_an_empty_graph(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"id": "A:1", "title": "Nothing is named."}\n', encoding="utf-8")
    mine([tmp_path / "1.jsonl"], tmp_path / "out")
    assert query(tmp_path / "out", "FROM edges").num_rows == 0
    assert query(tmp_path / "out", "FROM nodes").num_rows == 0


def test_mistakes_say_what_to_do(mined: Path, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="discovery mine"):
        tables(tmp_path)
    with pytest.raises(GraphError, match="cannot be answered"):
        query(mined, "SELECT nonsense FROM edges")
