"""Mined tables say of a target what its articles say when they are read anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discovery.target import Statement, Target
from literature.claims import MENTIONED
from literature.corpus import CorpusError
from literature.dossier import CooccurrenceEvidence
from literature.graph import GraphError
from literature.mined import MinedEvidence
from literature.mining import mine

TARGET = Target("5-HT1B receptor", gene="HTR1B")


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mined")
    mine("example", out)
    return out


def test_it_says_what_reading_the_articles_anew_says(mined: Path) -> None:
    def claimed(statements: list[Statement]) -> list[Statement]:
        """Of the target itself; what is only mentioned together a dossier also weighs by its sections."""
        return [s for s in statements if "HTR1B" in (s.subject, s.object) and s.predicate != MENTIONED]

    found = MinedEvidence(str(mined), max_statements=9999)(TARGET)
    assert claimed(found) == claimed(CooccurrenceEvidence(max_statements=9999)(TARGET))
    assert len(claimed(found)) > 50
    assert MinedEvidence(str(mined), max_statements=3)(TARGET) == found[:3]


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
        CorpusError, match=r"mined tables: name the articles they were made of, or use .* 'mined'"
    ):
        CooccurrenceEvidence(str(mined))(TARGET)
    with pytest.raises(ValueError, match="at least 1"):
        MinedEvidence(str(mined), max_statements=0)
