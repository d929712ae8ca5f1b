"""Eight bits must say nearly what thirty-two say, and the same whatever is read beside a text."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from literature.model.eightbit import Step, _clipped, _wide, eight_bit, possible, scales  # noqa: E402
from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402

SHAPE = Shape(50, (GENERAL,), width=64, layers=2, attention=4, inner=128, places=32)
needed = pytest.mark.skipif(not possible(), reason="this processor does not multiply 8-bit integers")


def batch(rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    pieces = torch.randint(0, 50, (rows, 32), generator=drawn)
    shapes = torch.randint(0, 41, (rows, 32), generator=drawn)
    real = torch.arange(32)[None] < torch.randint(8, 33, (rows, 1), generator=drawn)
    return pieces, shapes, real


def network() -> Encoder:
    torch.manual_seed(7)
    made = Encoder(SHAPE).eval()
    torch.nn.init.normal_(made.written.weight, std=0.5)
    return made


def small_one() -> Encoder:
    exact = network()
    pieces, shapes, real = batch(8, seed=1)
    with torch.inference_mode():
        found = scales(exact, [(exact.entered(pieces, exact.written(shapes)), real)])
    return eight_bit(network(), found)


def states(of: Encoder, pieces: torch.Tensor, shapes: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return of.states(pieces, of.written(shapes), real)


@needed
def test_states_agree_with_the_network_in_32_bits() -> None:
    """Reference: the same network, float32; texts other than those that fixed the scales."""
    asked = batch(6, seed=2)
    small = small_one()
    exact, found = states(network(), *asked), states(small, *asked)
    real = asked[2]
    error = (found - exact)[real].square().mean().sqrt() / exact[real].square().mean().sqrt()
    assert 1e-4 < float(error) < 0.03
    # Padding of any kind must not be seen.
    asked[0][~real] = 3
    assert torch.equal(states(small, *asked)[real], found[real])


@needed
def test_a_row_is_the_same_in_batches_of_every_size() -> None:
    small = small_one()
    given = batch(8, seed=3)
    whole = states(small, *given)
    for rows in (1, 2, 4, 5):
        assert torch.equal(states(small, *(tensor[:rows] for tensor in given)), whole[:rows])


def test_steps_reach_what_was_seen() -> None:
    values = torch.linspace(-2.0, 6.0, 500)
    step = _wide(values)
    assert isinstance(step, Step)
    back = ((values / step.size).round() + step.zero).clamp(0, 255).sub(step.zero) * step.size
    assert float((back - values).abs().max()) <= step.size / 2 + 1e-6
    # One value far out is cut off when that tells the others apart.
    far = torch.cat([torch.randn(10_000, generator=torch.Generator().manual_seed(1)), torch.tensor([60.0])])
    assert _clipped(far, signed=True).size < 60 / 127
