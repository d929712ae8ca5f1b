"""How are an encoder's weights kept in a small file?

Every matrix is kept as whole multiples of one step per row, the steps a sixth of a
row's usual number, and the multiples as Huffman codes (deflate without matching): 4.7
bits a number, off by 4.6 % at random. Everything else is kept as 32-bit numbers. It is one
safetensors file whose header holds the sizes and the vocabulary; reading gives 32-bit
numbers back. Two networks may stand in it, the second, which answers for pairs, over the
word pieces of the first. A file made for training goes on as it is (`exact=True`).

References
----------
.. [1] Gish H., Pierce J., Asymptotically efficient quantizing, IEEE Trans. Inf. Theory 14,
   676 (1968): equal steps and entropy coding are within a quarter of a bit of the best.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from discovery.files import publish
from discovery.outcome import UserError
from literature.encoder import EMBEDDED, Encoder, Shape

try:
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save
    from torch import Tensor
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

FORMAT = "discovery-reader-2"
STEP = 0.16  # of the root mean square of a row
_SCALE = "|scale"
_PAIRS = "pairs|"


class WeightsError(UserError, ValueError):
    """A weights file cannot be used; the message names the file, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A second network, which answers for pairs."""

    shape: Shape
    tensors: dict[str, Tensor]  # 32-bit, as the encoder names them, without what it shares with the first
    # Of each convention: a temperature, and the probability from which a pair counts as related.
    calibration: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    made: tuple[str, ...] = ()  # the runs that made it, in order


@dataclass(frozen=True, slots=True)
class Weights:
    """What a weights file holds."""

    shape: Shape
    vocabulary: tuple[str, ...]
    tensors: dict[str, Tensor]  # 32-bit, as the encoder names them
    width: int  # pieces per window it was trained with
    pairs: Pairs | None = None
    made: tuple[str, ...] = ()  # the runs that made the first network, in order

    def encoder(self) -> Encoder:
        """The network that finds names, ready to read."""
        network = Encoder(self.shape)
        network.load_state_dict(self.tensors)
        return network.eval()

    def answering(self) -> Encoder:
        """The network that answers for pairs, ready to read.

        Raises
        ------
        WeightsError
            If there is none.
        """
        if self.pairs is None:
            raise WeightsError("these weights answer for no pairs: they only find names")
        network = Encoder(self.pairs.shape)
        network.load_state_dict(_shared(self.tensors) | self.pairs.tensors)
        return network.eval()


def _shared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name.startswith(EMBEDDED)}


def quantise(matrix: Tensor, step: float = STEP) -> tuple[Tensor, Tensor]:
    """[row, column] -> 8-bit [row, column] and [row] steps (16-bit floats); off by at most half a step."""
    scale = matrix.square().mean(dim=1).sqrt() * step
    scale = torch.maximum(scale, matrix.abs().amax(dim=1) / 126).clamp_min(1e-6).half()
    return torch.round(matrix / scale.float()[:, None]).to(torch.int8), scale


def _pack(whole: Tensor) -> Tensor:
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    code = coder.compress(whole.numpy().tobytes()) + coder.flush()
    return torch.frombuffer(bytearray(code), dtype=torch.uint8)


def _unpack(code: Tensor, scale: Tensor) -> Tensor:
    whole = torch.frombuffer(bytearray(zlib.decompress(code.numpy().tobytes())), dtype=torch.int8)
    return whole.view(len(scale), -1).float() * scale.float()[:, None]


def _kept(tensors: Mapping[str, Tensor], exact: bool, step: float) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().float().cpu().contiguous()
        if exact or tensor.ndim != 2:
            kept[name] = tensor
        else:
            whole, kept[name + _SCALE] = quantise(tensor, step)
            kept[name] = _pack(whole)
    return kept


def _header(pairs: Pairs) -> dict[str, str]:
    return {
        "pairs": json.dumps(pairs.shape.json()),
        "calibration": json.dumps(pairs.calibration),
        "pairs made": "\n".join(pairs.made),
    }


def _lines(told: str) -> tuple[str, ...]:
    return tuple(line for line in told.split("\n") if line)


def write(path: Path, weights: Weights, *, exact: bool = False) -> None:
    """Write a weights file whole or not at all."""
    kept = _kept(weights.tensors, exact, STEP)
    header = {
        "format": FORMAT,
        "shape": json.dumps(weights.shape.json()),
        "width": str(weights.width),
        "vocabulary": "\n".join(weights.vocabulary),
        "made": "\n".join(weights.made),
    }
    publish(path, save(kept, metadata=header))
    if weights.pairs is not None:
        amend(path, path, weights.pairs, exact=exact)


def amend(path: Path, out: Path, pairs: Pairs, *, exact: bool = False, step: float = STEP) -> None:
    """Write a weights file again with another network for pairs, that for names bit for bit as it was.

    Raises
    ------
    WeightsError
        If `path` is no weights file.
    """
    header, raw = _opened(path)
    kept = {name: tensor for name, tensor in raw.items() if not name.startswith(_PAIRS)}
    own = {name: tensor for name, tensor in pairs.tensors.items() if not name.startswith(EMBEDDED)}
    kept |= {_PAIRS + name: tensor for name, tensor in _kept(own, exact, step).items()}
    publish(out, save(kept, metadata=header | _header(pairs)))


def recalibrate(path: Path, calibration: Mapping[str, tuple[float, float]]) -> None:
    """Give the network for pairs other temperatures and thresholds, and change nothing else."""
    header, raw = _opened(path)
    publish(path, save(raw, metadata=header | {"calibration": json.dumps(calibration)}))


def _opened(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The header and the tensors of a weights file, as they are kept."""
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
    return header, raw


def read(path: Path) -> Weights:
    """Read a weights file.

    Raises
    ------
    WeightsError
        If the file is absent, torn, of another kind, or its tensors do not fit its own sizes.
    """
    header, raw = _opened(path)
    shape = _shape(header["shape"])
    tensors: dict[str, Tensor] = {}
    for name, tensor in raw.items():
        if name + _SCALE in raw:
            try:
                tensors[name] = _unpack(tensor, raw[name + _SCALE])
            except (zlib.error, RuntimeError) as error:
                raise WeightsError(f"{path}: {name} cannot be unpacked: {error}") from error
        elif not name.endswith(_SCALE):
            tensors[name] = tensor
    told = {name[len(_PAIRS) :]: tensor for name, tensor in tensors.items() if name.startswith(_PAIRS)}
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(_PAIRS)}
    _fits(path, shape, tensors)
    vocabulary = tuple(header["vocabulary"].split("\n"))
    if len(vocabulary) != shape.vocabulary:
        raise WeightsError(
            f"{path} names {len(vocabulary)} pieces of vocabulary but its network has {shape.vocabulary}"
        )
    pairs = None
    if "pairs" in header:
        pairs = Pairs(
            _shape(header["pairs"]),
            told,
            {
                name: (float(temperature), float(least))
                for name, (temperature, least) in json.loads(header["calibration"]).items()
            },
            _lines(header["pairs made"]),
        )
        _fits(path, pairs.shape, _shared(tensors) | told)
    return Weights(shape, vocabulary, tensors, int(header["width"]), pairs, _lines(header["made"]))


def _shape(header: str) -> Shape:
    sizes: dict[str, Any] = json.loads(header)
    return Shape(**(sizes | {name: tuple(sizes[name]) for name in ("conventions", "relations")}))


def _fits(path: Path, shape: Shape, tensors: Mapping[str, Tensor]) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in _blank(shape).state_dict().items()}
    held = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(wanted.keys() | held.keys()):
        if wanted.get(name) != held.get(name):
            raise WeightsError(
                f"{path}: {name} should measure {wanted.get(name)}, it measures {held.get(name)}"
            )


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
