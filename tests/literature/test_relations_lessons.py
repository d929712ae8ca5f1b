"""A pair must be shown by its own mentions and sentences, hidden where who they are must not matter."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from literature.model.wordpieces import SPECIAL, Wordpieces  # noqa: E402
from literature.relations.corpus import NONE, OUTPUTS, Pair, Related, Thing  # noqa: E402
from literature.relations.lessons import (  # noqa: E402
    ASIDE,
    OBJECT,
    OTHER,
    SUBJECT,
    Row,
    beside,
    blinded,
    part,
    relation_loss,
    rows,
    size,
    thinned,
    type_words,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz."
VOCABULARY = [*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), "the", "drug", "lowers", "and", "seen", "chemical",
              "disease", "gene", "inhibitor"]  # fmt: skip
CUTTER = Wordpieces.of_vocabulary(VOCABULARY)
WORDS = type_words(VOCABULARY)
TEXT = "the drug abc lowers fever. The seen. And xyz and the drug abc. The fever and pqrst. The abc and xyz lowers pqrst."


def thing(type: str, word: str, name: str = "") -> Thing:
    found, at = [], TEXT.find(word)
    while at >= 0:
        found.append((at, at + len(word)))
        at = TEXT.find(word, at + 1)
    return Thing(type, tuple(found), name)  # type: ignore[arg-type]


DRUG, OTHER_DRUG, FEVER, LONG = (
    thing("chemical", "abc"), thing("chemical", "xyz"), thing("disease", "fever"), thing("disease", "pqrst"),
)  # fmt: skip


def shown(row: Row) -> str:
    """The pieces in words, holders in brackets."""
    said = [
        f"[{VOCABULARY[piece]} {holder}]" if holder else VOCABULARY[piece]
        for piece, holder in zip(row.pieces, row.holders, strict=True)
    ]
    return " ".join(said).replace(" ##", "")


def asked(convention: str, *pairs: Pair, text: str = TEXT, widest: int = 256) -> list[Row]:
    return rows(convention, Related("1", text, (), pairs), CUTTER, widest, WORDS)


def test_a_document_shows_the_sentences_that_name_either_and_its_first() -> None:
    one, other = asked("CDR", Pair(DRUG, FEVER, "CID", True), Pair(OTHER_DRUG, LONG, NONE))
    assert shown(one) == (
        "[CLS] the drug [chemical 1] abc lowers [disease 2] fever . and xyz and the drug [chemical 1] abc . "
        "the [disease 2] fever and pqr . the [chemical 1] abc and xyz lowers pqr . [SEP]"
    )
    assert shown(other).startswith("[CLS] the drug abc lowers fev . and [chemical 1] xyz and"), (
        "names aside: three pieces"
    )
    assert "[chemical 1] xyz lowers [disease 2] pqrst" in shown(other)
    assert (OUTPUTS[one.truth], OUTPUTS[one.novel], one.pair) == ("CDR:CID", "novelty:novel", 0)
    assert (OUTPUTS[other.truth], other.novel, other.pair) == ("CDR:none", -1, 1)


def test_pieces_know_what_they_name() -> None:
    (row, _) = asked("CDR", Pair(DRUG, FEVER, "CID"), Pair(OTHER_DRUG, LONG, NONE))
    parts = dict.fromkeys(row.named)
    assert list(parts) == [
        0, part("chemical", SUBJECT), part("disease", OBJECT), part("chemical", OTHER), part("disease", OTHER),
    ]  # fmt: skip
    assert row.named.count(part("chemical", OTHER)) // 2 == ASIDE


def test_a_narrow_row_keeps_the_sentences_that_name_both() -> None:
    (row,) = asked("CDR", Pair(DRUG, LONG, NONE), widest=24)
    assert shown(row) == "[CLS] the [chemical 1] abc and xyz lowers [disease 2] pqrst . [SEP]"
    assert asked("CDR", Pair(DRUG, LONG, NONE), widest=12) == [], "no room for both"


class Fixed:
    """A chance that always falls the same way."""

    def __init__(self, value: float, lost: float = 1.0) -> None:
        self.value, self.lost = value, lost

    def random(self, count: int | None = None) -> object:
        return self.value if count is None else np.full(count, self.lost)


def test_names_may_be_left_out_but_not_their_holders() -> None:
    row, _ = asked("CDR", Pair(DRUG, FEVER, "CID"), Pair(OTHER_DRUG, LONG, NONE))
    hidden = blinded(row, 1.0, WORDS, Fixed(0.5))  # type: ignore[arg-type]
    assert shown(hidden) == (
        "[CLS] the drug [chemical 1] lowers [disease 2] . and chemical and the drug [chemical 1] . "
        "the [disease 2] and disease . the [chemical 1] and chemical lowers disease . [SEP]"
    )
    assert len(hidden.pieces) == len(hidden.named) == len(hidden.holders)
    assert hidden.names == ()
    assert blinded(row, 0.0, WORDS, np.random.default_rng(1)) == row
    (row,) = asked("DrugProt", Pair(Thing("chemical", ((9, 12),)), Thing("gene", ((19, 24),)), NONE))
    lost = blinded(row, 0.5, WORDS, Fixed(0.9, 0.0))  # type: ignore[arg-type]
    assert shown(lost) == "[CLS] [UNK] [UNK] [chemical 1] [UNK] [gene 2] [UNK] [SEP]"


def test_a_sentence_hides_both_names() -> None:
    text = "the drug abc and def. The def and abc inhibitor lowers ghi."
    gene = Thing("gene", ((17, 20),), "2")
    (row,) = asked("DrugProt", Pair(Thing("chemical", ((9, 12),)), gene, "INHIBITOR"), text=text)
    assert shown(row) == "[CLS] the drug [chemical 1] and [gene 2] . [SEP]"
    assert row.names == ()
    within = Pair(Thing("chemical", ((34, 47),)), Thing("gene", ((34, 37),)), "INHIBITOR")
    (row,) = asked("DrugProt", within, text=text)
    assert shown(row) == "[CLS] the def and [chemical 1] [gene 2] inhibitor lowers ghi . [SEP]", "it tells"
    apart = Pair(Thing("chemical", ((9, 12),)), Thing("gene", ((26, 29),)), "INHIBITOR")
    assert asked("DrugProt", apart, text=text) == [], "no sentence holds both"


def test_rows_beside_each_other() -> None:
    one, other = asked("CDR", Pair(DRUG, FEVER, "CID"), Pair(OTHER_DRUG, LONG, NONE))
    made = beside([one, other], CUTTER.pad, 4)
    assert made.pieces.shape == made.named.shape == made.holders.shape == (4, size(one))
    assert made.real.sum(1).tolist() == [len(one.pieces), len(other.pieces), 1, 1]
    assert all(set(row.tolist()) == {0, 1, 2} for row in made.holders), (
        "none is empty, or nothing could be pooled"
    )
    assert made.truth.tolist() == [one.truth, other.truth]


def test_unrelated_pairs_are_thinned() -> None:
    related, unrelated = asked("CDR", Pair(DRUG, FEVER, "CID"), Pair(OTHER_DRUG, LONG, NONE))
    kept = thinned([related] * 50 + [unrelated] * 400, {"CDR": 0.5}, np.random.default_rng(2))
    assert kept.count(related) == 50
    assert 160 < kept.count(unrelated) < 240


def test_types_have_words() -> None:
    assert type_words([*SPECIAL, "gene", "line"]) == [4, 1, 1, 1, 1, 5, 1]


def test_a_convention_is_asked_only_its_own_answers() -> None:
    batch = beside(asked("CDR", Pair(DRUG, FEVER, "CID"), Pair(DRUG, LONG, NONE, False)), CUTTER.pad)
    scores = torch.zeros(2, len(OUTPUTS), requires_grad=True)
    value = relation_loss(scores, batch)
    value.backward()
    assert float(value.detach()) == pytest.approx(1.2 * 0.6931, abs=1e-4)
    assert scores.grad is not None
    pushed = [{OUTPUTS[n] for n in row.nonzero().flatten()} for row in scores.grad]
    assert pushed == [
        {"CDR:none", "CDR:CID"},
        {"CDR:none", "CDR:CID", "novelty:known", "novelty:novel"},
    ]
