"""Mined tables say of a target what its articles say when they are read anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from discovery.target import Target
from literature.claims import MENTIONED
from literature.corpus import CorpusError
from literature.dossier import CooccurrenceEvidence
from literature.graph import GraphError
from literature.mined import MinedEvidence
from literature.mining import mine

TARGET = Target("5-HT1B receptor", gene="HTR1B")


def test_it_says_what_reading_the_articles_anew_says(mined: Path) -> None:
    found = MinedEvidence(str(mined)).dossier(TARGET)
    anew = CooccurrenceEvidence().dossier(TARGET)
    assert replace(found, method=anew.method) == anew
    assert len(found.statements) > 150
    told = [f for f in found.compounds if f.predicate != MENTIONED]
    spoken = {s.source for s in told[0].statements if s.predicate != MENTIONED}
    assert told[0].link.papers == len(spoken) < len({s.source for s in told[0].statements})
    assert MinedEvidence(str(mined), max_statements=3)(TARGET) == list(found.statements[:3])


def test_a_retraction_counts_here_too(tmp_path: Path) -> None:
    said = "Sumatriptan is an agonist of the 5-HT1B receptor."
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "X:1", "title": said, "retracted": True}))
    mine(tmp_path / "a.jsonl", tmp_path / "mined")
    (found,) = MinedEvidence(str(tmp_path / "mined"))(TARGET)
    assert (found.retracted, found.confidence, found.quote) == (True, 0.0, said)


def test_each_kind_of_folder_is_told_where_it_belongs(mined: Path, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="holds no mined tables"):
        MinedEvidence(str(tmp_path))(TARGET)
    with pytest.raises(
        CorpusError, match=r"mined tables: literature.mined.MinedEvidence\(folder\) reads them"
    ):
        CooccurrenceEvidence(str(mined))(TARGET)
    with pytest.raises(ValueError, match="at least 1"):
        MinedEvidence(str(mined), max_statements=0)
