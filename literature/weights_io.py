"""How are an encoder's weights kept in a small file?

Every matrix is kept as 8-bit integers with one scale per row, everything else as
32-bit numbers, in one safetensors file whose header holds the sizes and the
vocabulary; reading gives 32-bit numbers back. A file made for training goes on as it
is (`exact=True`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from discovery.files import publish
from discovery.outcome import UserError
from literature.encoder import Encoder, Shape

try:
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save
    from torch import Tensor
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

FORMAT = "discovery-reader-1"
_SCALE = "|scale"


class WeightsError(UserError, ValueError):
    """A weights file cannot be used; the message names the file, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a weights file holds."""

    shape: Shape
    vocabulary: tuple[str, ...]
    tensors: dict[str, Tensor]  # 32-bit, as the encoder names them
    width: int  # pieces per window it was trained with
    # Of each convention of relations: a temperature, and the probability from which a pair counts as related.
    calibration: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def encoder(self) -> Encoder:
        """The network, ready to read."""
        network = Encoder(self.shape)
        network.load_state_dict(self.tensors)
        return network.eval()


def quantise(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """[row, column] -> 8-bit [row, column] and [row] scales; their product is off by at most half a scale."""
    scale = matrix.abs().amax(dim=1).clamp_min(1e-12) / 127
    return torch.round(matrix / scale[:, None]).to(torch.int8), scale


def write(path: Path, weights: Weights, *, exact: bool = False) -> None:
    """Write a weights file whole or not at all."""
    kept: dict[str, Tensor] = {}
    for name, tensor in weights.tensors.items():
        tensor = tensor.detach().float().cpu().contiguous()
        if exact or tensor.ndim != 2:
            kept[name] = tensor
        else:
            kept[name], kept[name + _SCALE] = quantise(tensor)
    header = {
        "format": FORMAT,
        "shape": json.dumps(weights.shape.json()),
        "width": str(weights.width),
        "calibration": json.dumps(weights.calibration),
        "vocabulary": "\n".join(weights.vocabulary),
    }
    publish(path, save(kept, metadata=header))


def read(path: Path) -> Weights:
    """Read a weights file.

    Raises
    ------
    WeightsError
        If the file is absent, torn, of another kind, or its tensors do not fit its own sizes.
    """
    if not path.is_file():
        raise WeightsError(
            f"{path} is absent; name a weights file, or leave the model out for the shipped one"
        )
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, str] = file.metadata() or {}
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no whole safetensors file: {error}") from error
    if header.get("format") != FORMAT:
        raise WeightsError(
            f"{path} is of the format {header.get('format', 'unknown')!r}, this program reads {FORMAT!r}; "
            "make it anew with discovery train-reader"
        )
    sizes: dict[str, Any] = json.loads(header["shape"])
    sizes |= {name: tuple(sizes[name]) for name in ("conventions", "relations") if name in sizes}
    shape = Shape(**sizes)
    tensors = {
        name: tensor.float() * raw[name + _SCALE][:, None] if name + _SCALE in raw else tensor
        for name, tensor in raw.items()
        if not name.endswith(_SCALE)
    }
    wanted = {name: tuple(tensor.shape) for name, tensor in _blank(shape).state_dict().items()}
    held = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(wanted.keys() | held.keys()):
        if wanted.get(name) != held.get(name):
            raise WeightsError(
                f"{path}: {name} should measure {wanted.get(name)}, it measures {held.get(name)}"
            )
    vocabulary = tuple(header["vocabulary"].split("\n"))
    if len(vocabulary) != shape.vocabulary:
        raise WeightsError(
            f"{path} names {len(vocabulary)} pieces of vocabulary but its network has {shape.vocabulary}"
        )
    calibration = {
        name: (float(temperature), float(least))
        for name, (temperature, least) in json.loads(header.get("calibration", "{}")).items()
    }
    return Weights(shape, vocabulary, tensors, int(header["width"]), calibration)


def mixed(late: Weights, early: Weights, share: float) -> Weights:
    """`share` of the later weights and the rest of the earlier ones, tensor by tensor, of one lineage.

    What the earlier ones lack (a pair head, the places of wider windows) stays the later ones'.
    The mean of two ends of training reads names better than either.

    Raises
    ------
    WeightsError
        If the two differ in vocabulary or in the size of a tensor they share.
    """
    if late.vocabulary != early.vocabulary:
        raise WeightsError("the two weights have other vocabularies; mix only a run with one it began with")
    tensors: dict[str, Tensor] = {}
    for name, new in late.tensors.items():
        old = early.tensors.get(name)
        tensors[name] = new.clone()
        if old is None:
            continue
        if old.shape[1:] != new.shape[1:] or len(old) > len(new):
            raise WeightsError(
                f"{name} measures {tuple(new.shape)} in one and {tuple(old.shape)} in the other"
            )
        tensors[name][: len(old)] = share * new[: len(old)] + (1 - share) * old
    return replace(late, tensors=tensors)


def _blank(shape: Shape) -> Encoder:
    with torch.device("meta"):
        return Encoder(shape)
