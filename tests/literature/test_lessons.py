"""What is shown must be shown once, in the seed's order; what a corpus does not say must not be asked."""

from __future__ import annotations

from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from literature.annotated import Annotated, Corpus, Marked  # noqa: E402
from literature.model.encoder import LABELS  # noqa: E402
from literature.model.wordpieces import SPECIAL, Window, Wordpieces  # noqa: E402
from literature.training.lessons import (  # noqa: E402
    IGNORED,
    Batch,
    Example,
    allowed,
    batches,
    examples,
    labels,
    loss,
    pool,
    without,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz."
CUTTER = Wordpieces.of_vocabulary([*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), "the", "drug"])


def corpora() -> list[Corpus]:
    """One corpus that marks chemicals and diseases, one that marks chemicals only."""
    texts = [f"the drug {a}{b} was seen." for a in "abcdef" for b in "klmno"]
    told = tuple(Annotated(str(n), text, (Marked(9, 11, "chemical"),)) for n, text in enumerate(texts))
    return [
        Corpus("Both", ("chemical", "disease"), "none", 1.0, told, ()),
        Corpus("Drugs", ("chemical",), "none", 0.5, told, ()),
    ]


def test_an_unmarked_word_may_be_of_a_type_the_corpus_does_not_mark() -> None:
    general, own = allowed(corpora())
    gene, disease = LABELS.index("B-gene"), LABELS.index("I-disease")
    assert general[0, 0, gene]
    assert not general[0, 0, disease]
    assert general[1, 0, disease]
    assert not own[1, disease]
    assert own[0].sum() == 5
    assert (general[:, 1:].sum(-1) == 1).all(), "a marked word has one label"


def test_a_corpus_teaches_nothing_of_types_it_does_not_mark() -> None:
    """The gradient between "no name" and an unmarked type must be zero for an unmarked word."""
    general, own = allowed(corpora())
    scores = torch.randn(4, 3, len(LABELS), generator=torch.Generator().manual_seed(0), requires_grad=True)
    batch = Batch(
        *[torch.zeros(0)] * 4, labels=torch.tensor([0, 0, 3, IGNORED]), corpus=torch.tensor([1, 1, 1, 0])
    )
    value = loss(scores, batch, torch.tensor([1, 2]), general, own)
    value.backward()
    chemical = LABELS.index("B-chemical")
    push = scores.grad
    # Moving probability among the permitted labels leaves the loss as it was.
    permitted = general[1, 0]
    share = scores[0, 0][permitted].softmax(-1)
    inside = push[0, 0][permitted]
    torch.testing.assert_close(inside, share * inside.sum())
    assert push[0, 0, chemical] > 0
    assert push[0, 2, LABELS.index("B-gene")] == 0
    assert push[0, 1].abs().sum() == push[3].abs().sum() == 0, "other corpora's heads, words of unknown label"


def test_the_loss_of_a_fully_annotated_corpus_is_cross_entropy() -> None:
    """Reference: torch's cross_entropy."""
    every = Corpus(
        "All", ("gene", "chemical", "disease", "variant", "species", "cell line"), "none", 1.0, (), ()
    )
    general, own = allowed([every])
    scores = torch.randn(7, 2, len(LABELS), generator=torch.Generator().manual_seed(3))
    truth = torch.tensor([0, 3, 1, 2, 0, 12, 5])
    batch = Batch(*[torch.zeros(0)] * 4, labels=truth, corpus=torch.zeros(7, dtype=torch.long))
    both = torch.nn.functional.cross_entropy(scores[:, 0], truth) + torch.nn.functional.cross_entropy(
        scores[:, 1], truth
    )
    torch.testing.assert_close(loss(scores, batch, torch.tensor([1]), general, own), both)


def test_labels_of_words() -> None:
    window = Window(
        (0,) * 8, (0,) * 8, (1, 2, 3, 4, 5, 6), ((0, 4), (5, 7), (8, 9), (10, 14), (15, 20), (21, 25))
    )
    marks = (Marked(0, 7, "gene"), Marked(10, 12, "disease"), Marked(15, 20, "disease"), Marked(21, 25, None))
    found = labels(Annotated("1", "x" * 25, marks), window)
    assert [LABELS[at] if at >= 0 else "?" for at in found] == [
        "B-gene", "I-gene", "O", "B-disease", "B-disease", "?",
    ]  # fmt: skip


def test_a_pool_passes_through_all_windows_before_any_comes_twice() -> None:
    windows = examples(corpora(), CUTTER, 32)
    shares = [1.0, 0.5]
    first = pool(windows, shares, 7, 0)
    assert [id(e) for e in first] == [id(e) for e in pool(windows, shares, 7, 0)]
    counts = Counter((e.corpus, e.window) for e in first)
    for corpus in (0, 1):
        seen = [n for (which, _), n in counts.items() if which == corpus]
        assert len(seen) == 30
        assert max(seen) - min(seen) <= 1
    assert sum(e.corpus == 0 for e in first) == 2 * sum(e.corpus == 1 for e in first)


def test_batches_hold_a_pool_once() -> None:
    chosen: list[Example] = pool(examples(corpora(), CUTTER, 32), [1, 1], 7, 2)
    made = batches(chosen, 128, 7, 2, CUTTER.pad)
    assert sum(len(b.pieces) for b in made) == len(chosen)
    assert sum(len(b.labels) for b in made) == sum(len(e.labels) for e in chosen)
    for batch in made:
        assert batch.pieces.shape[1] % 32 == 0
        assert len(batch.firsts) == len(batch.labels) == len(batch.corpus)
        assert batch.real.flatten()[batch.firsts].all()


def test_so_many_pieces_stay_unknown_and_nothing_else_changes() -> None:
    """By chance: 0.3 of n pieces, off by less than five standard deviations."""
    one = batches(examples(corpora(), CUTTER, 32)[0], 10_000, 7, 0, CUTTER.pad)[0]
    torch.manual_seed(1)
    other = without(one, 0.3, SPECIAL.index("[UNK]"), (CUTTER.start, CUTTER.stop))
    changed = other.pieces != one.pieces
    inside = one.real & (one.pieces != CUTTER.start) & (one.pieces != CUTTER.stop)
    assert not (changed & ~inside).any()
    assert (other.pieces[changed] == SPECIAL.index("[UNK]")).all()
    count = int(inside.sum())
    assert abs(int(changed.sum()) - 0.3 * count) < 5 * (0.21 * count) ** 0.5
    assert all(
        getattr(other, name) is getattr(one, name)
        for name in ("shapes", "real", "firsts", "labels", "corpus")
    )
