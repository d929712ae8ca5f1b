"""A pair must be asked by its own mentions, and pooled so that one telling mention is enough."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from literature.relations_corpus import NONE, OUTPUTS, Pair, Related, Thing  # noqa: E402
from literature.relations_lessons import (  # noqa: E402
    MARKED,
    NEAREST,
    Ask,
    asked,
    asks,
    counted,
    in_rows,
    part,
    place,
    pooled,
    relation_loss,
)
from literature.wordpieces import SPECIAL, Wordpieces  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz."
CUTTER = Wordpieces.of_vocabulary([*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), "the", "drug", "fever"])
TEXT = "the drug abc lowers fever. xyz and the drug abc were seen."


def spans(word: str) -> tuple[tuple[int, int], ...]:
    found, at = [], TEXT.find(word)
    while at >= 0:
        found.append((at, at + len(word)))
        at = TEXT.find(word, at + 1)
    return tuple(found)


DRUG, FEVER, OTHER = Thing("chemical", spans("abc"), "1"), Thing("disease", spans("fever"), "2"), Thing(
    "disease", spans("xyz"), "3"
)  # fmt: skip
PAIRS = (Pair(DRUG, FEVER, "CID", True), Pair(DRUG, OTHER, NONE))


def test_places_are_the_pieces_of_the_words() -> None:
    (window,) = CUTTER.windows([TEXT], 64)[0]
    cut = [SPECIAL, *LETTERS]
    assert len(cut) == 28
    first, last = place(window, *DRUG.spans[0])  # type: ignore[misc]
    assert (first, last) == (3, 5)
    assert place(window, *spans("fever")[0]) == (12, 12)
    assert place(window, len(TEXT) - 1, len(TEXT)) == (len(window.pieces) - 2, len(window.pieces) - 2)
    assert place(window, len(TEXT) + 5, len(TEXT) + 9) is None


def test_the_nearest_mentions_are_asked_first() -> None:
    windows = CUTTER.windows([TEXT], 64)[0]
    ((one, other),) = asks("CDR", Related("1", TEXT, (), PAIRS), windows)
    assert [OUTPUTS[one.truth], OUTPUTS[other.truth]] == ["CDR:CID", "CDR:none"]
    assert [OUTPUTS[one.novel], other.novel] == ["novelty:novel", -1]
    assert (one.parts, one.counts) == ((part("chemical", 0), part("disease", 1)), (2, 1))
    assert one.places[0] == ((3, 5), (12, 12))
    assert len(one.places) == len(other.places) == 2 <= NEAREST
    (again,) = asks("CDR", Related("1", TEXT, (), PAIRS), windows)
    assert [ask.pair for ask in again] == [0, 1]


def test_a_pair_that_no_window_holds_is_not_asked() -> None:
    windows = CUTTER.windows([TEXT], 16)[0]
    assert len(windows) > 2
    found = asks(
        "CDR", Related("1", TEXT, (), (Pair(FEVER, Thing("disease", spans("seen"), "4"), NONE),)), windows
    )
    assert not any(found)


def test_rows_hold_all_asks_once() -> None:
    ask = Ask("CDR", (((1, 1), (2, 2)),) * 3, (1, 2), (1, 1))
    rows = list(in_rows([ask] * 100))
    assert sum(map(len, rows)) == 100
    assert max(sum(len(a.places) for a in row) for row in rows) <= MARKED
    assert [counted(n) for n in (1, 2, 3, 4, 6, 7, 99)] == [1, 2, 3, 4, 4, 5, 5]


def test_pooling_is_the_mean_of_odds() -> None:
    """Reference: numbers worked out by hand; a missing mention pair weighs nothing."""
    scores = torch.tensor([[[0.0, 2.0], [1.0, 1.0]], [[3.0, 0.0], [9.0, 9.0]]])
    slots = torch.tensor([[0, 2, -1], [1, -1, -1]])
    found = pooled(scores, slots)
    want = torch.tensor([[0.0, 3.0], [2.0, 0.0]]).exp().mean(1).log()
    torch.testing.assert_close(found[0], want)
    torch.testing.assert_close(found[1], scores[0, 1])


def test_a_convention_is_asked_only_its_own_answers() -> None:
    rows = [[Ask("CDR", (((1, 1), (2, 2)),), (1, 2), (1, 1), OUTPUTS.index("CDR:CID"))]]
    batch = asked(rows)
    assert batch.marks.part.shape == (1, 32)
    scores = torch.zeros(1, 16, len(OUTPUTS), requires_grad=True)
    value = relation_loss(scores, batch)
    value.backward()
    assert float(value.detach()) == pytest.approx(0.6931, abs=1e-4)
    assert scores.grad is not None
    pushed = {OUTPUTS[n] for n in scores.grad[0, 0].nonzero().flatten()}
    assert pushed == {"CDR:none", "CDR:CID"}
    assert not scores.grad[0, 1:].any(), "markers that fill a row are asked nothing"
