"""One reading for every door: the same of the same sentence, in any company and any process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from literature.article import Article
from literature.reading import MODEL, Reading, ReadingError

ARTICLES = [
    Article.of(
        "A:1", [("title", "Sumatriptan is a 5-HT1B agonist."), ("results", "Ketanserin did not block it.")]
    ),
    Article.of("A:2", []),
    Article.of("A:3", [("title", "Patients with migraine took aspirin.")]),
]


def test_neighbours_change_nothing() -> None:
    read = Reading()
    assert [r.mentions for r in read(ARTICLES)] == [read([a])[0].mentions for a in ARTICLES]
    assert read([]) == []
    (first, empty, _) = read(ARTICLES)
    assert {m.concept.name for m in first.mentions} == {"sumatriptan", "HTR1B", "ketanserin"}
    assert (empty.mentions, empty.unlinked, empty.claims) == ((), (), ())


def test_the_fingerprint_changes_with_what_reads(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"id": "X:1", "type": "chemical", "name": "zappamine"}\n', encoding="utf-8")
    prints = {Reading().fingerprint, Reading(lexicon=str(own)).fingerprint}
    prints |= {Reading(MODEL).fingerprint, Reading(MODEL, "BC5CDR").fingerprint}
    assert len(prints) == 4
    assert Reading().fingerprint == replace(Reading()).fingerprint
    with pytest.raises(ReadingError, match="no convention"):
        Reading(convention="BC5CDR")


def test_a_network_that_answers_for_pairs_is_asked(tmp_path: Path) -> None:
    """Random weights with a pair head: claims keep their pairs and quotes, whatever the network says of them."""
    torch = pytest.importorskip("torch")
    from literature.encoder import GENERAL, Encoder, Shape
    from literature.relations_corpus import OUTPUTS
    from literature.weights_io import Weights, write
    from literature.wordpieces import SPECIAL

    letters = "abcdefghijklmnopqrstuvwxyz.,-0123456789"
    vocabulary = (*SPECIAL, *letters, *(f"##{c}" for c in letters))
    shape = Shape(
        len(vocabulary), (GENERAL,), width=32, layers=1, attention=4, inner=64, places=64, relations=OUTPUTS
    )
    torch.manual_seed(4)
    path = tmp_path / "w.safetensors"
    write(path, Weights(shape, vocabulary, dict(Encoder(shape).state_dict()), 64, {"DrugProt": (1.0, 0.0)}))
    read = Reading(str(path))
    assert read.answers is not None
    plain = Reading()
    (known,) = plain(ARTICLES[:1])
    told = read._claims(ARTICLES[0], known.mentions)
    assert [(c.subject, c.object, c.start) for c in told] == [
        (c.subject, c.object, c.start) for c in known.claims
    ]
    assert Reading().answers is None
