"""The encoder must compute what BERT computes, whatever stands beside a window in the batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from literature.encoder import COUNTS, GENERAL, LABELS, PARTS, Encoder, Marks, Shape, from_bert  # noqa: E402
from literature.wordpieces import SHAPES  # noqa: E402

SHAPE = Shape(50, (GENERAL, "A"), width=32, layers=3, attention=4, inner=64, places=24)


def bert() -> torch.nn.Module:
    torch.manual_seed(5)
    config = transformers.BertConfig(
        vocab_size=80,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    for parameter in model.parameters():  # so that biases and norms matter too
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def batch(seed: int, rows: int = 3, pieces: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    choose = torch.Generator().manual_seed(seed)
    real = torch.arange(pieces)[None] < torch.tensor([pieces, 7, 1])[:rows, None]
    return torch.randint(0, 50, (rows, pieces), generator=choose), real


def test_agrees_with_transformers() -> None:
    """Reference: transformers' BertModel, an implementation that is not ours."""
    model = bert()
    keep = list(range(79, 29, -1))
    ours = from_bert(model.state_dict(), keep, SHAPE).eval()
    pieces, real = batch(3)
    theirs = model(torch.tensor(keep)[pieces], attention_mask=real.long()).last_hidden_state
    got = ours.states(pieces, torch.zeros_like(pieces), real)
    np.testing.assert_allclose(got[real].detach(), theirs[real].detach(), atol=2e-5)


def test_training_computes_what_reading_computes() -> None:
    """Attention is written out for one and fused for the other."""
    ours = from_bert(bert().state_dict(), range(50), SHAPE)
    pieces, real = batch(8)
    shapes = torch.zeros_like(pieces)
    torch.testing.assert_close(
        ours.train().states(pieces, shapes, real)[real], ours.eval().states(pieces, shapes, real)[real]
    )


def test_neighbours_and_padding_change_nothing() -> None:
    ours = from_bert(bert().state_dict(), range(50), SHAPE).eval()
    pieces, real = batch(4)
    shapes = torch.randint(0, SHAPES, pieces.shape, generator=torch.Generator().manual_seed(1))
    together = ours.states(pieces, shapes, real)
    alone = ours.states(pieces[1:2, :7], shapes[1:2, :7], real[1:2, :7])
    np.testing.assert_allclose(together[1, :7].detach(), alone[0].detach(), atol=1e-5)


def test_scores_are_asked_where_words_begin() -> None:
    ours = Encoder(SHAPE).eval()
    pieces, real = batch(5)
    firsts = torch.tensor([1, 4, 20 + 2, 40])
    scores = ours(pieces, torch.zeros_like(pieces), real, firsts)
    assert scores.shape == (4, 2, len(LABELS))
    only = ours(pieces, torch.zeros_like(pieces), real, firsts[2:3])
    torch.testing.assert_close(scores[2:3], only)


def test_a_new_encoder_does_not_yet_see_case() -> None:
    """The encoder it starts from has no case; the first step must not be thrown off by random noise."""
    ours = Encoder(SHAPE).eval()
    pieces, real = batch(6)
    plain = ours.states(pieces, torch.zeros_like(pieces), real)
    cased = ours.states(pieces, torch.full_like(pieces, SHAPES - 1), real)
    torch.testing.assert_close(plain, cased)


def related(seed: int) -> tuple[Encoder, tuple[torch.Tensor, ...], Marks]:
    """A network of random numbers; in each row a subject at two mentions and three objects at one."""
    torch.manual_seed(seed)
    shape = Shape(50, (), width=32, layers=3, attention=4, inner=64, places=24, relations=("x", "y"))
    ours = Encoder(shape).eval()
    for parameter in ours.parameters():  # so that every part of a marker matters
        torch.nn.init.normal_(parameter, std=0.5)
    pieces, real = batch(seed)
    places = torch.randint(0, 7, (3, 5))
    parts = torch.tensor([[1, 1, 2, 5, 8]]).repeat(3, 1)
    named = torch.randint(0, PARTS, pieces.shape) * real
    marks = Marks(places, places, parts, torch.randint(0, COUNTS, places.shape), named)
    return ours, (pieces, torch.zeros_like(pieces), real), marks


def test_padding_changes_nothing_of_what_is_told_at_markers() -> None:
    """Neither that of the text nor markers that stand for nothing nor other rows."""
    ours, (pieces, shapes, real), marks = related(11)
    together = ours.related(pieces, shapes, real, marks)
    assert together.shape == (3, 5, 2)
    cut = Marks(*(getattr(marks, name)[1:2] for name in Marks.__slots__))
    longer = [torch.cat([getattr(cut, name), torch.zeros(1, 3, dtype=torch.long)], 1) for name in
              ("first", "last", "part", "count")]  # fmt: skip
    alone = ours.related(pieces[1:2, :7], shapes[1:2, :7], real[1:2, :7], Marks(*longer, cut.named[:, :7]))
    torch.testing.assert_close(alone[0, :5], together[1], rtol=1e-4, atol=1e-5)


def test_who_is_subject_matters() -> None:
    ours, given, marks = related(13)
    parts = marks.part.clone()
    parts[:, 0], parts[:, 2] = 2, 1  # one mention of the subject and an object change places
    swapped = Marks(marks.first, marks.last, parts, marks.count, marks.named)
    assert (ours.related(*given, marks) - ours.related(*given, swapped))[:, 3:].abs().max() > 0.01


def test_the_text_is_read_for_its_subject() -> None:
    """Another subject's mentions change what is told of the same objects, by the text alone if need be."""
    ours, given, marks = related(14)
    before = ours.related(*given, marks)
    named = marks.named.clone()
    named[:, 3] = PARTS - 1 - named[:, 3]
    after = ours.related(*given, Marks(marks.first, marks.last, marks.part, marks.count, named))
    assert (before - after)[:, 2:].abs().max() > 0.01


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("encoder.layer.2.output.dense.bias"), "lacks 'encoder.layer.2.output.dense.bias'"),
        (lambda s: s.update({"embeddings.LayerNorm.bias": torch.zeros(7)}), r"measures \(7,\), .* \(32,\)"),
    ],
)
def test_another_model_is_refused(change: object, says: str) -> None:
    state = dict(bert().state_dict())
    change(state)  # type: ignore[operator]
    with pytest.raises(ValueError, match=says):
        from_bert(state, range(50), SHAPE)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="5 attention heads do not divide a width of 32"):
        Shape(10, (GENERAL,), width=32, attention=5)
    with pytest.raises(ValueError, match="general"):
        Shape(10, ("BC5CDR",))
    assert Shape(10, (), relations=("x",)).relations == ("x",)
