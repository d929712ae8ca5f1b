"""A pair must be asked by its own mentions, and pooled so that one telling mention is enough."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from literature.relations_corpus import NONE, OUTPUTS, Pair, Related, Thing  # noqa: E402
from literature.relations_lessons import (  # noqa: E402
    MARKED,
    NEAREST,
    OBJECT,
    OTHER,
    OWN,
    SUBJECT,
    Ask,
    Row,
    Spot,
    beside,
    blinded,
    counted,
    cut,
    part,
    place,
    pooled,
    relation_loss,
    rows,
    size,
    thinned,
    type_words,
)
from literature.wordpieces import SPECIAL, Wordpieces  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz."
CUTTER = Wordpieces.of_vocabulary([*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), "the", "drug", "fever"])
WORDS = list(range(40, 46))
TEXT = "the drug abc lowers fever. xyz and the drug abc were seen."


def spans(word: str) -> tuple[tuple[int, int], ...]:
    found, at = [], TEXT.find(word)
    while at >= 0:
        found.append((at, at + len(word)))
        at = TEXT.find(word, at + 1)
    return tuple(found)


DRUG, FEVER, SIGN = Thing("chemical", spans("abc"), "1"), Thing("disease", spans("fever"), "2"), Thing(
    "disease", spans("xyz"), "3"
)  # fmt: skip
PAIRS = (Pair(DRUG, FEVER, "CID", True), Pair(DRUG, SIGN, NONE))


def test_places_are_the_pieces_of_the_words() -> None:
    (window,) = CUTTER.windows([TEXT], 64)[0]
    cut = [SPECIAL, *LETTERS]
    assert len(cut) == 28
    first, last = place(window, *DRUG.spans[0])  # type: ignore[misc]
    assert (first, last) == (3, 5)
    assert place(window, *spans("fever")[0]) == (12, 12)
    assert place(window, len(TEXT) - 1, len(TEXT)) == (len(window.pieces) - 2, len(window.pieces) - 2)
    assert place(window, len(TEXT) + 5, len(TEXT) + 9) is None


def test_one_row_asks_for_all_objects_of_a_subject() -> None:
    (row,) = rows("CDR", Related("1", TEXT, (), PAIRS), CUTTER.windows([TEXT], 64)[0], WORDS)
    one, other = row.asks
    assert [OUTPUTS[one.truth], OUTPUTS[other.truth]] == ["CDR:CID", "CDR:none"]
    assert [OUTPUTS[one.novel], other.novel] == ["novelty:novel", -1]
    assert (row.subject.part, row.subject.count) == (part("chemical", SUBJECT), 2)
    assert row.subject.places == ((3, 5), (22, 24))
    assert (one.spot.part, one.spot.count, one.spot.places) == (part("disease", OBJECT), 1, ((12, 12),))
    assert [ask.pair for ask in row.asks] == [0, 1]
    assert row.others == ()


def test_what_is_not_asked_about_is_named() -> None:
    pairs = (*PAIRS, Pair(FEVER, SIGN, NONE))
    first, second = rows("CDR", Related("1", TEXT, (), pairs), CUTTER.windows([TEXT], 64)[0], WORDS)
    assert [s.part for s in first.others] == []
    assert [s.part for s in second.others] == [part("chemical", OTHER)]
    named = beside([second], CUTTER.pad).asked.marks.named[0]
    assert named[12] == part("disease", SUBJECT)
    assert named[3] == named[23] == part("chemical", OTHER)
    assert int((named > 0).sum()) == 3 + 1 + 3 + 3, "and nothing else is"


def test_the_nearest_mention_is_marked_first() -> None:
    far = "fever and " + "the " * 30 + "drug abc lowers fever."
    things = [Thing("chemical", ((far.index("abc"), far.index("abc") + 3),), "1"),
              Thing("disease", ((0, 5), (len(far) - 6, len(far) - 1)), "2")]  # fmt: skip
    (row,) = rows("CDR", Related("1", far, (), (Pair(*things, NONE),)), CUTTER.windows([far], 256)[0], WORDS)
    assert row.asks[0].spot.places[0] > row.asks[0].spot.places[1]


def test_a_pair_that_no_window_holds_is_not_asked() -> None:
    windows = CUTTER.windows([TEXT], 16)[0]
    assert len(windows) > 2
    apart = (Pair(FEVER, Thing("disease", spans("seen"), "4"), NONE),)
    assert rows("CDR", Related("1", TEXT, (), apart), windows, WORDS) == []


def test_sentences_are_windows_where_pairs_stand_in_one() -> None:
    """Words keep their place in the whole text."""
    text = "The drug abc lowers fever. Seen were the drug abc and fever."
    whole, parts = (cut(convention, text, CUTTER, 64) for convention in ("CDR", "DrugProt"))
    assert len(whole) == 1 < len(parts) == 2
    assert [w for window in parts for w in window.words] == list(whole[0].words)


def test_rows_hold_all_asks_once_and_no_more_markers_than_fit() -> None:
    ills = [Thing("disease", (spans("fever")[0],) * 5, str(n)) for n in range(60)]
    document = Related("1", TEXT, (), tuple(Pair(DRUG, ill, NONE) for ill in ills))
    made = rows("CDR", document, CUTTER.windows([TEXT], 64)[0], WORDS)
    assert sorted(ask.pair for row in made for ask in row.asks) == list(range(60))
    assert all(size(row)[1] <= MARKED + OWN + 8 for row in made)
    assert [counted(n) for n in (1, 2, 3, 4, 6, 7, 99)] == [1, 2, 3, 4, 4, 5, 5]


def test_markers_stand_where_slots_say() -> None:
    (row,) = rows("CDR", Related("1", TEXT, (), PAIRS), CUTTER.windows([TEXT], 64)[0], WORDS)
    told = beside([row, row], CUTTER.pad, 4)
    assert told.pieces.shape == (4, 48)
    assert told.asked.slots.shape == (4, NEAREST)
    parts = told.asked.marks.part.flatten()
    for slots in told.asked.slots.tolist():
        there = [n for n in slots if n >= 0]
        assert there
        assert (parts[there] == part("disease", OBJECT)).all()
    assert not told.asked.marks.part[2:].any(), "rows that fill a batch hold nothing"
    assert told.real[2:].sum() == 2, "but one piece to look at"


def test_hidden_things_lose_their_pieces_and_nothing_else_does() -> None:
    (row,) = rows("CDR", Related("1", TEXT, (), PAIRS), CUTTER.windows([TEXT], 64)[0], WORDS)
    chance = np.random.default_rng(1)
    assert blinded(row, 0.0, 1, chance) == row
    hidden = blinded(row, 1.0, 1, chance).window
    named = beside([row], CUTTER.pad).asked.marks.named[0, : len(hidden.pieces)] > 0
    for is_named, piece, before in zip(named.tolist(), hidden.pieces, row.window.pieces, strict=True):
        assert piece == (1 if is_named else before)
    assert hidden.words == row.window.words


def test_pooling_is_the_mean_of_odds() -> None:
    """Reference: numbers worked out by hand; a missing mention pair weighs nothing."""
    scores = torch.tensor([[[0.0, 2.0], [1.0, 1.0]], [[3.0, 0.0], [9.0, 9.0]]])
    slots = torch.tensor([[0, 2, -1], [1, -1, -1]])
    found = pooled(scores, slots)
    want = torch.tensor([[0.0, 3.0], [2.0, 0.0]]).exp().mean(1).log()
    torch.testing.assert_close(found[0], want)
    torch.testing.assert_close(found[1], scores[0, 1])


def test_a_pair_of_a_sentence_is_read_alone_and_unnamed() -> None:
    """Whoever is meant, the network sees the same."""
    seen: list[tuple[int, ...]] = []
    for drug, gene in (("abc", "xyzxyz"), ("a", "b")):
        text = f"Nothing. The {drug} and {drug}s lower {gene} here."
        at = text.index(f"{drug} and")
        things = [Thing("chemical", ((at, at + len(drug)),), "1"),
                  Thing("gene", ((text.index(gene + " here"), text.index(" here")),), "2")]  # fmt: skip
        document = Related("1", text, (), (Pair(*things, "INHIBITOR"),))
        (row,) = rows("DrugProt", document, cut("DrugProt", text, CUTTER, 64), WORDS)
        (ask,) = row.asks
        assert [row.window.pieces[a] for a, _ in (row.subject.places[0], ask.spot.places[0])] == [41, 40]
        assert OUTPUTS[ask.truth] == "DrugProt:INHIBITOR"
        seen.append(row.window.pieces[: row.subject.places[0][0] + 2])
        assert len(row.window.shapes) == len(row.window.pieces)
    assert seen[0] == seen[1]


def test_a_name_within_the_other_stays() -> None:
    text = "the abcxyz here."
    things = [Thing("chemical", ((4, 10),), "1"), Thing("gene", ((4, 10),), "2")]
    document = Related("1", text, (), (Pair(*things, NONE),))
    windows = cut("DrugProt", text, CUTTER, 64)
    (row,) = rows("DrugProt", document, windows, WORDS)
    assert row.window == windows[0]


def test_only_unrelated_pairs_of_sentences_are_thinned_out() -> None:
    text = "the abc lowers xyz."
    things = [Thing("chemical", ((4, 7),), "1"), Thing("gene", ((15, 18),), "2")]
    made = {
        said: rows("DrugProt", Related("1", text, (), (Pair(*things, said),)), cut("DrugProt", text, CUTTER, 64), WORDS)
        for said in (NONE, "AGONIST")
    }  # fmt: skip
    whole = rows("CDR", Related("1", TEXT, (), PAIRS[1:]), CUTTER.windows([TEXT], 64)[0], WORDS)
    kept = thinned([*made[NONE] * 400, *made["AGONIST"] * 5, *whole * 5], 0.5, np.random.default_rng(2))
    assert 160 < sum(OUTPUTS[row.asks[0].truth] == "DrugProt:none" for row in kept) < 240
    assert sum(OUTPUTS[row.asks[0].truth] == "DrugProt:AGONIST" for row in kept) == 5
    assert sum(row.asks[0].convention == "CDR" for row in kept) == 5


def test_types_have_words() -> None:
    assert type_words([*SPECIAL, "gene", "line"]) == [4, 1, 1, 1, 1, 5]


def test_a_convention_is_asked_only_its_own_answers() -> None:
    (window,) = CUTTER.windows([TEXT], 64)[0]
    ask = Ask(Spot(part("disease", OBJECT), 1, ((12, 12),)), "CDR", OUTPUTS.index("CDR:CID"))
    batch = beside([Row(window, Spot(part("chemical", SUBJECT), 1, ((3, 5),)), (ask,))], CUTTER.pad).asked
    assert batch.marks.part.shape == (1, 8)
    scores = torch.zeros(1, 8, len(OUTPUTS), requires_grad=True)
    value = relation_loss(scores, batch)
    value.backward()
    assert float(value.detach()) == pytest.approx(0.6931, abs=1e-4)
    assert scores.grad is not None
    pushed = {OUTPUTS[n] for n in scores.grad[0, 1].nonzero().flatten()}
    assert pushed == {"CDR:none", "CDR:CID"}
    assert not scores.grad[0, [0, *range(2, 8)]].any(), "the subject's marker and padding are asked nothing"
