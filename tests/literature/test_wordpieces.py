"""Pieces must be BERT's, words must point at the text, windows must hold every word once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tokenizers")

from literature.model.wordpieces import SPECIAL, Wordpieces

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,()-α"
PIECES = [*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), "aspirin", "lung", "##mycin", "can", "##cer"]
CUTTER = Wordpieces.of_vocabulary(PIECES)
TEXTS = st.text(alphabet="ab CAncer.α-1(\n)éЖ", max_size=120)


def test_agrees_with_transformers(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Reference: transformers' BertTokenizer on the same vocabulary."""
    transformers = pytest.importorskip("transformers")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    theirs = transformers.BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=True)
    for text in ("Aspirin for lung Cancer (IL-2), vancomycin 5 mg.", "TNF-α naïve ÉÀ", "xxЖ"):
        (windows,) = CUTTER.windows([text], 64)
        assert list(windows[0].pieces) == theirs(text)["input_ids"]


@given(TEXTS, st.integers(8, 30))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_windows_hold_every_word_once_in_order(text: str, width: int) -> None:
    (windows,) = CUTTER.windows([text], width)
    words = [word for window in windows for word in window.words]
    assert words == sorted(set(words))
    (whole,) = CUTTER.windows([text], 1000)
    assert words == [word for window in whole for word in window.words]
    for window in windows:
        assert len(window.pieces) == len(window.shapes) <= width
        assert len(window.firsts) == len(window.words)
        for start, end in window.words:
            assert text[start:end].strip() == text[start:end] != ""
    covered = {place for start, end in words for place in range(start, end)}
    lost = [c for place, c in enumerate(text) if place not in covered and not c.isspace()]
    assert not [c for c in lost if c.isalnum()]


@given(TEXTS)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_spaces_change_nothing(text: str) -> None:
    """A corpus of separated tokens must read as the text it was made from."""
    plain = " ".join(text.split())
    if plain.count(". "):
        return  # the spaces between sentences decide where a window ends
    (one,) = CUTTER.windows([plain], 1000)
    (two,) = CUTTER.windows([plain.replace(" ", "  ")], 1000)
    assert [(w.pieces, w.shapes) for w in one] == [(w.pieces, w.shapes) for w in two]


@given(st.one_of(TEXTS, st.text(max_size=40)))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_text_cut_by_its_parts_is_cut_as_a_whole(text: str) -> None:
    """Reference: the tokenizers package on the whole text."""
    whole = Wordpieces(CUTTER._cutter, start=CUTTER.start, stop=CUTTER.stop, pad=CUTTER.pad)
    assert CUTTER.windows([text, text], 30) == whole.windows([text, text], 30)


def test_sentences_stay_whole() -> None:
    text = "Aspirin can. Lung cancer can. Aspirin lung can."
    (windows,) = CUTTER.windows([text], 12)
    assert [text[w.words[0][0] : w.words[-1][1]] for w in windows] == [
        "Aspirin can. Lung cancer can.",
        "Aspirin lung can.",
    ]


def test_case_is_seen() -> None:
    (a,), (b,), (c,) = CUTTER.windows(["can", "CAN", "cAn"], 16)
    assert a.pieces == b.pieces == c.pieces
    assert len({a.shapes, b.shapes, c.shapes}) == 3


def test_a_word_wider_than_a_window_is_cut() -> None:
    (windows,) = CUTTER.windows(["x" * 60 + " aspirin"], 16)
    assert [len(w.pieces) for w in windows] == [16, 3]


def test_empty_texts_have_no_windows() -> None:
    assert CUTTER.windows(["", "  \n "], 16) == [[], []]


def test_a_wrong_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lacks \[CLS\], \[SEP\]"):
        Wordpieces.of_vocabulary(["[PAD]", "[UNK]", "a"])
    with pytest.raises(ValueError, match="6 lines but 5 different"):
        Wordpieces.of_vocabulary([*SPECIAL, "a", "a"])
