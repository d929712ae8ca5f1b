"""Ranks follow the edges' scores, and what speaks against stands beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from literature.graph import query
from literature.standing import StandingError, compounds, targets


def test_compounds_of_a_target(mined: Path) -> None:
    """Reference: textbook pharmacology of 5-HT1B, which the texts were written from."""
    found = compounds(mined, "HTR1B")
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    assert len({f.concept for f in found}) == len(found)
    told = {f.name: f.predicate for f in found}
    assert told["SB-224289"] == "antagonist of"
    assert told["CP-94253"] == "agonist of"
    assert found == compounds(mined, "P28222")
    assert compounds(mined, "5-HT1B receptor", n=3) == found[:3]
    edges = query(
        mined,
        "SELECT max(score) AS s FROM edges WHERE object = 'NCBIGene:3351' AND subject NOT LIKE 'NCBIGene%'",
    )
    assert found[0].score == edges.to_pylist()[0]["s"]
    assert all(f.smiles for f in found[:3])


def test_what_speaks_against_is_quoted(mined: Path) -> None:
    texts = {r["id"]: r["text"] for r in query(mined, "SELECT id, text FROM documents").to_pylist()}
    found = compounds(mined, "HTR1B", n=100)
    denied = {f.name: f for f in found if f.against is not None}
    assert "gepants" in denied
    assert denied["gepants"].score == 0
    for f in found:
        for q in (f.said, f.against):
            assert q is None or texts[q.id][q.start : q.end] == q.text
        assert (f.contradiction > 0) == (f.against is not None)


def test_targets_of_a_disease(mined: Path) -> None:
    found = targets(mined, "migraine")
    assert found[0].name == "HTR1B"
    assert targets(mined, "MESH:D008881") == found
    assert targets(mined, "psoriasis") == []


def test_mistakes_say_what_to_do(mined: Path) -> None:
    for call, name, said in (
        (targets, "flurble", "known to no dictionary"),
        (targets, "NCBIGene:3351", "is a gene"),
        (compounds, "MESH:D008881", "is a disease"),
    ):
        with pytest.raises(StandingError, match=said):
            call(mined, name)
    with pytest.raises(StandingError, match="at least 1"):
        targets(mined, "migraine", n=0)
