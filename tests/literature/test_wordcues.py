"""Cues of words: what they see, what they learn, and how they are weighed beside a network."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from literature.annotated import Annotated, Corpus, Marked
from literature.mentions import Span
from literature.model.encoder import LABELS
from literature.model.linear import Cues
from literature.model.prediction import shipped
from literature.model.weights_io import WeightsError, beside, cues_of, read
from literature.model.wordcues import Mix, WordCues, around, blended, own, runs_of, shape
from literature.model.wordpieces import Window, Wordpieces
from literature.training.cue_weights import RIDGE, _Heard, mix_of, taught

WORDS = ["the", "BRCA1", "gene", "is", "lost", "in", "many", "tumours", "of", "the", "breast"]
NOTHING = tuple(0.0 for _ in LABELS)


def window(text: str) -> Window:
    at, places = 0, []
    for word in text.split():
        at = text.index(word, at)
        places.append((at, at + len(word)))
        at += len(word)
    return Window((), (), (), tuple(places))


def flat(text: str, sure: float = 0.0) -> np.ndarray:
    """Scores of a network that calls every word "O", more or less surely."""
    scores = np.zeros((len(text.split()), len(LABELS)), np.float32)
    scores[:, 0] = sure
    return (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)


def capitals(count: int) -> list[Annotated]:
    """Sentences whose only word in capitals is a gene."""
    found = []
    for n in range(count):
        name = "".join(chr(65 + (n * step) % 26) for step in (1, 3, 7, 11)) + str(n % 10)
        text = f"we saw that {name} was bound in cells of kind {n}"
        start = text.index(name)
        found.append(Annotated(f"d{n}", text, (Marked(start, start + len(name), "gene"),)))
    return found


def test_shapes_tell_capitals_and_digits() -> None:
    assert shape("BRCA1") == "AA0"
    assert shape("mRNA") == "aAA"
    assert shape("p53") == "a00"
    assert shape("-") == "-"


def test_a_word_is_told_by_itself_and_by_what_stands_near() -> None:
    assert set(own("Kinase")) != set(own("kinase"))
    assert len(set(own("kinases")) & set(own("kinase"))) > len(set(own("kinases")) & set(own("tumour")))
    here = around(WORDS, WORDS)
    far = around([*WORDS[:-1], "lung"], [*WORDS[:-1], "lung"])
    assert here.shape == far.shape
    changed = (here != far).any(axis=1)
    assert not changed[:5].any()  # no further than five words
    assert changed[-6:].all()


def test_runs_are_what_stands_between_spaces() -> None:
    assert runs_of("IL-2 is", [(0, 2), (2, 3), (3, 4), (5, 7)]) == ["IL-2", "IL-2", "IL-2", "is"]


def test_capitals_are_learned_and_found_in_words_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus("BC2GM", ("gene",), "none", 1.0, tuple(capitals(40)), ())
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    cues = WordCues(taught(corpus, Wordpieces.of_vocabulary(pieces), 64))
    text = "we saw that QXZV7 was bound in cells"
    said = cues(text, window(text).words)
    assert np.exp(said).sum(axis=1) == pytest.approx(1.0)
    best = [LABELS[row] for row in said.argmax(axis=1)]
    assert best == ["O", "O", "O", "B-gene", "O", "O", "O", "O"]
    assert cues("", ()).shape == (0, len(LABELS))


def test_a_mix_of_the_network_alone_changes_nothing() -> None:
    text = "we saw QXZV7"
    read = [(window(text), flat(text, 2.0))]
    (_, scores), *rest = blended(text, read, None, Mix(1.0, 0.0, {}, NOTHING))
    assert not rest
    assert scores == pytest.approx(read[0][1], abs=1e-6)
    (_, softer), *_ = blended(text, read, None, Mix(0.5, 0.0, {}, NOTHING))
    assert softer[:, 0].max() < scores[:, 0].min()


def test_the_voice_that_is_right_counts_most() -> None:
    """A network sure of nothing, cues that know, hints that are wrong half of the time."""
    documents = capitals(30)
    corpus = Corpus("BC2GM", ("gene",), "none", 1.0, (), tuple(documents))
    heard = []
    for n, one in enumerate(documents):
        truth = [1 if word[0].isupper() else 0 for word in one.text.split()]
        words = np.full((len(truth), len(LABELS)), -3.0)
        words[np.arange(len(truth)), truth] = 0.0
        mark = one.marks[0]
        hint = Span(mark.start, mark.end, "gene", 1.0) if n % 2 else Span(0, 2, "gene", 1.0)
        heard.append(_Heard(one, [(window(one.text), flat(one.text))], [hint], words, truth))
    alone, helped = (mix_of(heard, corpus, helped=helped) for helped in (False, True))
    assert alone.cues > 1.0
    assert alone.hints == {}
    assert helped.hints["gene"] < helped.cues


def test_cues_and_mixes_come_back_from_the_file_and_nothing_else_changes(tmp_path: Path) -> None:
    cues = Cues(np.array([3, 70_000]), np.outer([1.0, -2.0], np.ones(len(LABELS))), np.zeros(len(LABELS)))
    kept = {f"BC2GM|{part}": torch.from_numpy(numbers.copy()) for part, numbers in cues.kept().items()}
    mixes = {"BC2GM": {"alone": asdict(Mix(0.5, 0.25, {"gene": 1.0}, NOTHING))}}
    out = tmp_path / "w.safetensors"
    beside(shipped(), out, kept, mixes)
    after = read(out, pairs=False)
    assert Mix.of(after.mixes["BC2GM"]["alone"]) == Mix(0.5, 0.25, {"gene": 1.0}, NOTHING)
    assert cues_of(out, after.cues)["BC2GM"].weights == pytest.approx(cues.weights, abs=0.01)
    old, new = load_file(shipped()), load_file(out)
    same = {name for name in old if not name.startswith("cues|")}
    assert same == {name for name in new if not name.startswith("cues|")}
    assert all(torch.equal(old[name], new[name]) for name in same)
    with pytest.raises(WeightsError, match="torn"):
        cues_of(out, {"BC2GM|keys": kept["BC2GM|keys"][:5]})


def test_the_shipped_file_has_them_for_three_conventions() -> None:
    weights = read(shipped(), pairs=False)
    assert set(cues_of(shipped(), weights.cues)) == set(weights.mixes) == set(RIDGE)
    for told in weights.mixes.values():
        alone, helped = Mix.of(told["alone"]), Mix.of(told["helped"])
        assert not alone.hints
        assert helped.hints
        assert min(alone.network, alone.cues, helped.network, helped.cues) > 0
