"""The encoder must compute what BERT computes, whatever stands beside a window in the batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from literature.model.encoder import GENERAL, LABELS, PARTS, Encoder, Shape, from_bert  # noqa: E402
from literature.model.wordpieces import SHAPES  # noqa: E402

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
    got = ours.states(pieces, ours.written(torch.zeros_like(pieces)), real)
    np.testing.assert_allclose(got[real].detach(), theirs[real].detach(), atol=2e-5)


def test_training_computes_what_reading_computes() -> None:
    """Attention is written out for one and fused for the other."""
    ours = from_bert(bert().state_dict(), range(50), SHAPE)
    pieces, real = batch(8)
    more = torch.zeros(1)
    torch.testing.assert_close(
        ours.train().states(pieces, more, real)[real], ours.eval().states(pieces, more, real)[real]
    )


def test_neighbours_and_padding_change_nothing() -> None:
    ours = from_bert(bert().state_dict(), range(50), SHAPE).eval()
    pieces, real = batch(4)
    shapes = torch.randint(0, SHAPES, pieces.shape, generator=torch.Generator().manual_seed(1))
    together = ours.states(pieces, ours.written(shapes), real)
    alone = ours.states(pieces[1:2, :7], ours.written(shapes[1:2, :7]), real[1:2, :7])
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
    plain = ours.states(pieces, torch.zeros(1), real)
    cased = ours.states(pieces, ours.written(torch.full_like(pieces, SHAPES - 1)), real)
    torch.testing.assert_close(plain, cased)


def related(seed: int) -> tuple[Encoder, list[torch.Tensor]]:
    """A network of random numbers; in each row two mentions of the subject and one of the object."""
    torch.manual_seed(seed)
    shape = Shape(50, (), width=32, layers=3, attention=4, inner=64, places=24, relations=("x", "y"))
    ours = Encoder(shape).eval()
    for parameter in ours.parameters():  # so that every part matters
        torch.nn.init.normal_(parameter, std=0.5)
    pieces, real = batch(seed)
    real[:, :7] = True
    holders = torch.zeros_like(pieces)
    holders[:, 2], holders[:, 4], holders[:, 5] = 1, 2, 1
    return ours, [pieces, torch.randint(0, PARTS, pieces.shape), real, holders]


def test_padding_and_neighbours_change_nothing_of_what_is_told_of_a_pair() -> None:
    ours, given = related(11)
    together = ours.related(*given)
    assert together.shape == (3, 2)
    alone = ours.related(*(tensor[1:2, :7] for tensor in given))
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-5)


def test_who_is_subject_matters() -> None:
    ours, given = related(13)
    swapped = [*given[:3], (3 - given[3]) * (given[3] > 0)]
    assert (ours.related(*given) - ours.related(*swapped)).abs().min() > 0.001


def test_the_text_is_read_for_its_pair() -> None:
    """What other pieces name, and a mention more, changes what is told."""
    ours, given = related(14)
    before = ours.related(*given)
    for at, value in ((1, PARTS - 1 - given[1][:, 3]), (3, torch.ones(3, dtype=torch.long))):
        other = [tensor.clone() for tensor in given]
        other[at][:, 3] = value
        assert (before - ours.related(*other)).abs().max() > 0.01


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
