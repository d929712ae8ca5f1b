"""One reading for every door: the same of the same sentence, in any company and any process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from literature.article import Article
from literature.claims import claims
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
    prints |= {Reading(relations=MODEL).fingerprint, Reading(MODEL, relations="rules").fingerprint}
    assert len(prints) == 6
    assert Reading().fingerprint == replace(Reading()).fingerprint
    with pytest.raises(ReadingError, match="no convention"):
        Reading(convention="BC5CDR")


def test_a_network_that_answers_for_pairs_is_asked(tmp_path: Path) -> None:
    """Random weights with a pair head: claims keep their pairs and quotes, whatever the network says of them."""
    torch = pytest.importorskip("torch")
    from literature.model.borrowed import ModelError
    from literature.model.encoder import GENERAL, Encoder, Shape
    from literature.model.weights_io import Pairs, Weights, write
    from literature.model.wordpieces import SPECIAL
    from literature.relations.corpus import OUTPUTS

    letters = "abcdefghijklmnopqrstuvwxyz.,-0123456789"
    vocabulary = (*SPECIAL, *letters, *(f"##{c}" for c in letters))
    sizes = {"width": 32, "layers": 1, "attention": 4, "inner": 64, "places": 64}
    names = Shape(len(vocabulary), (GENERAL,), **sizes)
    shape = Shape(len(vocabulary), (), relations=OUTPUTS, **sizes)
    torch.manual_seed(4)
    path = tmp_path / "w.safetensors"
    pairs = Pairs(shape, dict(Encoder(shape).state_dict()), {"DrugProt": (1.0, 0.0)})
    write(path, Weights(names, vocabulary, dict(Encoder(names).state_dict()), 64, pairs))
    read = Reading(str(path))
    assert read.answers is not None
    plain = Reading()
    (known,) = plain(ARTICLES[:1])
    (said,) = read._relations([(ARTICLES[0], known.mentions)])
    told = claims(ARTICLES[0], known.mentions, relations=said)
    assert [(c.subject, c.object, c.start) for c in told] == [
        (c.subject, c.object, c.start) for c in known.claims
    ]
    assert Reading().answers is None
    assert Reading(relations=str(path)).answers is not None, "rules for names, a network for relations"
    assert Reading(str(path), relations="rules").answers is None
    write(path, Weights(names, vocabulary, dict(Encoder(names).state_dict()), 64))
    assert Reading(str(path)).answers is None, "weights that only find names leave relations to the rules"
    with pytest.raises(ModelError, match="answers for no pairs"):
        _ = Reading(relations=str(path)).answers
