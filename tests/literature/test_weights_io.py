"""Small weights must be nearly the weights; a broken file must say so."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from safetensors.torch import save_file  # noqa: E402

from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.model.weights_io import (  # noqa: E402
    STEP,
    Pairs,
    Weights,
    WeightsError,
    _pack,
    amend,
    quantise,
    read,
    recalibrate,
    rescale,
    write,
)
from literature.model.wordpieces import SPECIAL  # noqa: E402

SHAPE = Shape(6, (GENERAL, "A"), width=16, layers=2, attention=2, inner=32, places=12)


def weights() -> Weights:
    torch.manual_seed(2)
    network = Encoder(SHAPE)
    torch.nn.init.normal_(network.written.weight)
    return Weights(SHAPE, (*SPECIAL, "é", "##b"), dict(network.state_dict()), 12)


def test_exact_weights_come_back_as_they_were(tmp_path: Path) -> None:
    made = weights()
    write(tmp_path / "w.safetensors", made, exact=True)
    back = read(tmp_path / "w.safetensors")
    assert (back.shape, back.vocabulary, back.width) == (SHAPE, made.vocabulary, 12)
    for name, tensor in made.tensors.items():
        torch.testing.assert_close(back.tensors[name], tensor, rtol=0, atol=0)


def test_small_weights_are_off_by_at_most_half_a_step(tmp_path: Path) -> None:
    made = weights()
    write(tmp_path / "w.safetensors", made)
    for name, tensor in read(tmp_path / "w.safetensors").tensors.items():
        off = (tensor - made.tensors[name]).abs()
        _, step = quantise(made.tensors[name]) if tensor.ndim == 2 else (None, torch.zeros(1))
        assert (off <= 0.5001 * step.float()[..., None] + 1e-9).all(), name


def test_normal_numbers_take_five_bits_and_are_off_by_what_theory_says() -> None:
    """Reference: equal steps of s are off by s / sqrt(12), at an entropy of log2(sqrt(2 pi e) / s) [1]."""
    matrix = torch.randn(64, 1536, generator=torch.Generator().manual_seed(3))
    whole, step = quantise(matrix)
    off = (whole * step.float()[:, None] - matrix).square().mean().sqrt()
    assert float(off) == pytest.approx(STEP / 12**0.5, rel=0.02)
    counts = torch.bincount(whole.flatten().long() + 128).double()
    share = counts[counts > 0] / counts.sum()
    assert float(-(share * share.log2()).sum()) == pytest.approx(math.log2(4.1327 / STEP), abs=0.03)
    assert 8 * _pack(whole).numel() / matrix.numel() < math.log2(4.1327 / STEP) + 0.1


def test_one_large_number_does_not_run_over() -> None:
    matrix = torch.full((1, 400), 0.01)
    matrix[0, 7] = 50.0
    whole, step = quantise(matrix)
    assert float(whole[0, 7] * step.float()) == pytest.approx(50.0, rel=0.01)


def test_rows_of_zeros_survive() -> None:
    whole, scale = quantise(torch.zeros(3, 4))
    assert torch.isfinite(scale).all()
    assert not whole.any()


def test_the_network_reads_the_same_after_a_round_trip(tmp_path: Path) -> None:
    made = weights()
    write(tmp_path / "w.safetensors", made)
    pieces = torch.tensor([[2, 4, 5, 3]])
    asked = (pieces, torch.zeros_like(pieces), pieces > 0, torch.tensor([1]))
    before = made.encoder()(*asked)
    after = read(tmp_path / "w.safetensors").encoder()(*asked)
    torch.testing.assert_close(before, after, rtol=0.05, atol=0.02)


def second() -> Pairs:
    shape = replace(SHAPE, conventions=(), relations=("x", "y"))
    torch.manual_seed(5)
    return Pairs(shape, dict(Encoder(shape).state_dict()), {"CDR": (1.5, 0.4, 0.0)}, ("a run",))


def test_a_second_network_changes_nothing_of_the_first(tmp_path: Path) -> None:
    """Bit for bit, though numbers rounded once would be rounded otherwise a second time."""
    path, both = tmp_path / "w.safetensors", tmp_path / "both.safetensors"
    write(path, replace(weights(), made=("names",)))
    amend(path, both, second())
    once, again = read(path), read(both)
    for name, tensor in once.tensors.items():
        assert torch.equal(again.tensors[name], tensor), name
    assert again.made == ("names",)
    assert again.pairs is not None
    assert (again.pairs.shape, again.pairs.calibration, again.pairs.made) == (
        second().shape, {"CDR": (1.5, 0.4, 0.0)}, ("a run",),
    )  # fmt: skip
    for name, tensor in second().tensors.items():
        step = quantise(tensor)[1].float()[:, None] if tensor.ndim == 2 else torch.zeros(1)
        off = (again.pairs.tensors[name] - tensor).abs()
        # Where a row differs from the first network's by more than 126 steps, its steps are wider.
        assert (off <= 0.51 * step + (0.03 if name == "pieces.weight" else 1e-6)).all(), name
    with pytest.raises(WeightsError, match="answer for no pairs"):
        once.answering()
    recalibrate(both, {"CDR": (1.0, 0.7, 0.0)})
    third = read(both)
    assert third.pairs is not None
    assert third.pairs.calibration == {"CDR": (1.0, 0.7, 0.0)}
    assert all(torch.equal(third.pairs.tensors[n], t) for n, t in again.pairs.tensors.items())


def test_word_pieces_that_hardly_differ_take_hardly_any_room(tmp_path: Path) -> None:
    """Reference: an entropy of log2(sqrt(2 pi e) sigma / step) with sigma a quarter of a row's usual number."""
    torch.manual_seed(1)
    first = torch.randn(300, 256)
    second = first + 0.25 * torch.randn(300, 256)
    alone, scale = quantise(second, 0.3)
    over, same = quantise(second, 0.3, first)
    assert torch.equal(scale, same), "as exact as if it were kept alone"
    assert (first + over * same.float()[:, None] - second).abs().max() <= 0.51 * scale.float().max()
    assert 8 * _pack(over).numel() / over.numel() < math.log2(4.1327 * 0.25 / 0.3) + 0.3
    assert _pack(over).numel() < 0.6 * _pack(alone).numel()


def test_scales_are_kept_and_change_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, replace(weights(), pairs=second()))
    before = read(path)
    rescale(
        path,
        {"layers.0.enter": torch.ones(16)},
        {"layers.1.steps": torch.full((4, 2), 1 / 3, dtype=torch.float64)},
    )
    after = read(path)
    assert torch.equal(after.eight["layers.0.enter"], torch.ones(16))
    assert after.pairs is not None
    assert before.pairs is not None
    assert after.pairs.eight["layers.1.steps"].dtype == torch.float64
    for one, other in ((before.tensors, after.tensors), (before.pairs.tensors, after.pairs.tensors)):
        assert all(torch.equal(other[name], tensor) for name, tensor in one.items())
        assert one.keys() == other.keys()
    rescale(path, {}, {})
    assert not read(path).eight


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, weights())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"w\.safetensors is no whole safetensors file"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="format 'unknown', this program reads 'discovery-reader-4'"):
        read(tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="is absent"):
        read(tmp_path / "none.safetensors")


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    made = weights()
    made.tensors["heads.bias"] = torch.zeros(3)
    write(tmp_path / "w.safetensors", made)
    with pytest.raises(WeightsError, match=r"heads\.bias should measure \(26,\), it measures \(3,\)"):
        read(tmp_path / "w.safetensors")


def test_pairs_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path, other = tmp_path / "w.safetensors", second()
    write(path, weights())
    other.tensors["meet.bias"] = torch.zeros(3)
    amend(path, path, other)
    with pytest.raises(WeightsError, match=r"meet\.bias should measure \(16,\), it measures \(3,\)"):
        read(path)
