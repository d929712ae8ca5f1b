"""How does the reading network read fast on a processor?

Its matrix products run in 8-bit integers (oneDNN, through torch): weights with a scale
per row, what enters them with a scale and a shift that were fixed on sample texts and
come with the weights, so that what a text gives does not depend on what is read beside it. Sums, norms and
attention stay floating. Channels that are large everywhere are divided by a factor
their weights take over [1]. Half as long as bfloat16 at the same work; what it costs in
F1 is in weights/reader.md.

References
----------
.. [1] Xiao G. et al., SmoothQuant, ICML 2023, equation 4 with alpha = 1/2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from discovery.extras import needs
from literature.model.encoder import Encoder, Layer

with needs("literature"):
    import torch
    from torch import Tensor, nn
    from torch.nn import functional


_TOP, _HALF = 255, 128
_CLIPS = tuple(
    share / 20 for share in range(20, 3, -1)
)  # of the widest value seen, tried for the least error
_VALUES = 200_000  # of one tensor, looked at for that
_ROWS = 1024  # a usual number of pieces at a time, for which the weights are laid out


class Step(NamedTuple):
    """value = (integer - zero) * size."""

    size: float
    zero: int


def possible() -> bool:
    """Whether this processor multiplies 8-bit integers, and this torch offers it."""
    return (
        bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.onednn, "qlinear_pointwise")
        and bool(torch.cpu._is_vnni_supported())
    )


def scales(encoder: Encoder, samples: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """What `eight_bit` needs to know of a network in 32 bits.

    Parameters
    ----------
    samples
        What enters the layers of ordinary texts ([row, piece, width], `Encoder.entered`),
        and real ([row, piece]).

    Returns
    -------
    Of each layer "enter" and "rise" ([width] factors of the channels) and "steps" ([4, 2] sizes and zeros of
    what enters its four products), as "layers.0.enter".
    """
    found: dict[str, Tensor] = {}
    with torch.inference_mode():
        seen = [
            (x, torch.zeros(real.shape).masked_fill(~real, float("-inf"))[:, None, None, :], real)
            for x, real in samples
        ]
        for number, layer in enumerate(encoder.layers):
            assert isinstance(layer, Layer)
            own = _scales(layer, seen)
            found |= {f"layers.{number}.{name}": tensor for name, tensor in own.items()}
            small = EightBitLayer(layer, own)
            seen = [(small(x, wall), wall, real) for x, wall, real in seen]
    return {name: tensor.clone() for name, tensor in found.items()}


def eight_bit(encoder: Encoder, scales: Mapping[str, Tensor]) -> Encoder:
    """`encoder` with its layers in 8 bits, in place; `scales` as the function of that name gives them."""
    with torch.inference_mode():
        layers: list[nn.Module] = []
        for number, layer in enumerate(encoder.layers):
            assert isinstance(layer, Layer)
            own = {name: scales[f"layers.{number}.{name}"] for name in ("enter", "rise", "steps")}
            layers.append(EightBitLayer(layer, own))
    encoder.layers = nn.ModuleList(layers)
    return encoder


def _scales(layer: Layer, seen: Sequence[tuple[Tensor, Tensor, Tensor]]) -> dict[str, Tensor]:
    states, mixed, middle, risen = _within(layer, seen)
    enter, rise = _factor(states, _asking(layer)[0]), _factor(middle, layer.up.weight)
    steps = (
        _wide(states / enter), _clipped(mixed, signed=True), _wide(middle / rise), _clipped(risen, signed=False),
    )  # fmt: skip
    return {"enter": enter, "rise": rise, "steps": torch.tensor(steps, dtype=torch.float64)}


def _asking(layer: Layer) -> tuple[Tensor, Tensor]:
    """Weights and biases of queries, keys and values; queries bring the scale of attention."""
    width = layer.out.in_features
    ask, bias = layer.ask.weight.clone(), layer.ask.bias.clone()
    ask[:width] *= (width // layer.attention) ** -0.5
    bias[:width] *= (width // layer.attention) ** -0.5
    return ask, bias


class EightBitLayer(nn.Module):
    """A `Layer` whose four products are in 8 bits; same arguments, same meaning."""

    def __init__(self, layer: Layer, scales: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.attention = layer.attention
        self.norm, self.final = layer.norm, layer.final
        states, self.mixed, middle, risen = (
            Step(float(size), round(float(zero))) for size, zero in scales["steps"].tolist()
        )
        width = layer.out.in_features
        ask, bias = _asking(layer)
        # Weights of attention sum to 1, so values in steps of what they mix to give the mixture in steps.
        ask[2 * width :] /= self.mixed.size
        bias[2 * width :] /= self.mixed.size
        self.enter, self.rise = _Enter(scales["enter"], states), _Enter(scales["rise"], middle)
        self.ask = _Product(ask * scales["enter"], bias, states, torch.bfloat16)
        self.out = _Product(layer.out.weight, layer.out.bias, self.mixed)
        self.up = _Product(layer.up.weight * scales["rise"], layer.up.bias, middle, torch.uint8, risen)
        self.down = _Product(layer.down.weight, layer.down.bias, risen)

    def forward(self, x: Tensor, wall: Tensor) -> Tensor:
        """[row, piece, width], [row, 1, 1, piece] (0, or -inf: not seen) -> [row, piece, width], 32 bits."""
        rows, pieces, width = x.shape
        x = x.float().reshape(-1, width)
        parts = self.ask(self.enter(x)).view(rows, pieces, 3, self.attention, width // self.attention)
        query, key, value = (
            parts.permute(2, 0, 3, 1, 4).contiguous().view(3, rows * self.attention, pieces, -1).unbind()
        )
        scores = torch.bmm(query, key.transpose(1, 2)).view(rows, self.attention, pieces, pieces)
        weights = scores.add_(wall.to(scores.dtype)).softmax(-1).view(-1, pieces, pieces)
        mixed = torch.bmm(weights, value).view(rows, self.attention, pieces, -1).transpose(1, 2)
        steps = _whole(mixed.reshape(-1, width))
        x = self.norm(self.out(steps, x))
        told: Tensor = self.final(self.down(self.up(self.rise(x)), x))
        return told.view(rows, pieces, width)


class _Enter(nn.Module):
    """Floating states -> 8 bits, channel by channel."""

    def __init__(self, factor: Tensor, step: Step) -> None:
        super().__init__()
        self.register_buffer("gain", 1.0 / (factor * step.size))
        self.shift = torch.full_like(factor, step.zero - _HALF)

    def forward(self, x: Tensor) -> Tensor:
        assert isinstance(self.gain, Tensor)
        return _whole(torch.addcmul(self.shift, x, self.gain))


def _whole(x: Tensor) -> Tensor:
    """Floating -128..127, changed in place -> 0..255 as integers.

    Through signed integers: torch turns floating into unsigned ones four times as slowly.
    """
    return x.clamp_(-_HALF, _HALF - 1).round_().to(torch.int8).view(torch.uint8).bitwise_xor_(_HALF)


class _Product(nn.Module):
    """A linear layer on 8-bit states, with what is added to it after."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        entering: Step,
        dtype: torch.dtype = torch.float32,
        leaving: Step | None = None,
    ) -> None:
        """`leaving`: of the gelu of what comes out, as 8 bits; without it, what comes out is floating."""
        super().__init__()
        scale = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
        rows = torch.round(weight / scale[:, None]).to(torch.int8).contiguous()
        self.weight = torch.ops.onednn.qlinear_prepack(rows, [_ROWS, weight.shape[1]])
        self.scale, self.zeros = scale.contiguous(), torch.zeros(len(weight), dtype=torch.int64)
        self.bias = bias.clone()
        self.entering, self.dtype, self.leaving = entering, dtype, leaving

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        held = (self.entering.size, self.entering.zero, self.weight, self.scale, self.zeros)
        linear = torch.ops.onednn.qlinear_pointwise
        found: Tensor
        if other is not None:
            found = linear.binary(
                x, *held, other, self.bias, 1.0, 0, self.dtype, 1.0, 0, "add", 1.0, "none", [], ""
            )
        elif self.leaving is not None:
            size, zero = self.leaving
            found = linear(x, *held, self.bias, size, zero, self.dtype, "gelu", [], "none")
        else:
            found = linear(x, *held, self.bias, 1.0, 0, self.dtype, "none", [], "")
        return found


def _within(
    layer: Layer, seen: Sequence[tuple[Tensor, Tensor, Tensor]]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """[piece, channel] of what enters the four products of a layer, padding left out."""
    found: list[list[Tensor]] = [[], [], [], []]
    for x, wall, real in seen:
        rows, pieces, width = x.shape
        parts = layer.ask(x).view(rows, pieces, 3, layer.attention, width // layer.attention)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=wall)
        mixed = mixed.transpose(1, 2).reshape(rows, pieces, width)
        middle = layer.norm(x + layer.out(mixed))
        for kept, one in zip(found, (x, mixed, middle, functional.gelu(layer.up(middle))), strict=True):
            kept.append(one[real])
    states, mixed, middle, risen = (torch.cat(kept) for kept in found)
    return states, mixed, middle, risen


def _factor(states: Tensor, weight: Tensor) -> Tensor:
    """[channel]: by which the states of a product are divided and its weights multiplied [1]."""
    large = states.abs().amax(dim=0).clamp_min(1e-3)
    return (large / weight.abs().amax(dim=0).clamp_min(1e-3)).sqrt()


def _wide(values: Tensor) -> Step:
    return _between(*(float(end) for end in values.aminmax()))


def _between(low: float, high: float) -> Step:
    """The step that reaches from `low` to `high`, and 0 exactly."""
    low, high = min(0.0, low), max(0.0, high)
    size = max(high - low, 1e-6) / _TOP
    return Step(size, min(_TOP, max(0, round(-low / size))))


def _clipped(values: Tensor, *, signed: bool) -> Step:
    """The step of least squared error: a few large values may be cut off to tell the many small ones apart."""
    low, high = (float(end) for end in values.aminmax())
    some = values.flatten()[:: max(1, values.numel() // _VALUES)]
    tried: list[tuple[float, Step]] = []
    for clip in _CLIPS:
        step = Step(max(-low, high, 1e-6) * clip / 127, _HALF) if signed else _between(low, high * clip)
        back = ((some / step.size).round().add(step.zero).clamp(int(signed), _TOP) - step.zero) * step.size
        tried.append((float((back - some).square().mean()), step))
    return min(tried)[1]
