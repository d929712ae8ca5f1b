"""Small weights must be nearly the weights; a broken file must say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from safetensors.torch import save_file  # noqa: E402

from literature.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.weights_io import Weights, WeightsError, mixed, quantise, read, write  # noqa: E402
from literature.wordpieces import SPECIAL  # noqa: E402

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


def test_8_bit_weights_are_off_by_at_most_half_a_step(tmp_path: Path) -> None:
    made = weights()
    write(tmp_path / "w.safetensors", made)
    for name, tensor in read(tmp_path / "w.safetensors").tensors.items():
        off = (tensor - made.tensors[name]).abs()
        step = made.tensors[name].abs().amax(-1, keepdim=True) / 127 if tensor.ndim == 2 else 0.0
        assert (off <= 0.5001 * torch.as_tensor(step) + 1e-9).all(), name
    exact = tmp_path / "e.safetensors"
    write(exact, made, exact=True)
    assert (tmp_path / "w.safetensors").stat().st_size < 0.6 * exact.stat().st_size


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


def test_mixing_is_a_mean_of_what_both_have() -> None:
    early, late = weights(), weights()
    late.tensors["places.weight"] = torch.cat([late.tensors["places.weight"] + 1, torch.ones(3, 16)])
    late.tensors["pairs.bias"] = torch.ones(2)
    both = mixed(late, early, 0.7).tensors
    torch.testing.assert_close(both["heads.weight"], early.tensors["heads.weight"])
    torch.testing.assert_close(both["places.weight"][:12], early.tensors["places.weight"] + 0.7)
    assert both["places.weight"][12:].eq(1).all()
    assert both["pairs.bias"].eq(1).all()
    with pytest.raises(WeightsError, match="vocabularies"):
        mixed(late, Weights(SHAPE, (*SPECIAL, "a", "b"), early.tensors, 12), 0.5)
    early.tensors["norm.bias"] = torch.zeros(99)
    with pytest.raises(WeightsError, match=r"norm\.bias measures \(16,\) in one and \(99,\)"):
        mixed(late, early, 0.5)


def test_calibration_survives_and_rewriting_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, weights())
    once = read(path)
    write(path, replace(once, calibration={"CDR": (1.5, 0.4)}))
    again = read(path)
    assert again.calibration == {"CDR": (1.5, 0.4)}
    for name, tensor in once.tensors.items():
        torch.testing.assert_close(again.tensors[name], tensor, rtol=1e-6, atol=1e-9)


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, weights())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"w\.safetensors is no whole safetensors file"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="format 'unknown', this program reads 'discovery-reader-1'"):
        read(tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="is absent"):
        read(tmp_path / "none.safetensors")


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    made = weights()
    made.tensors["heads.bias"] = torch.zeros(3)
    write(tmp_path / "w.safetensors", made)
    with pytest.raises(WeightsError, match=r"heads\.bias should measure \(26,\), it measures \(3,\)"):
        read(tmp_path / "w.safetensors")
