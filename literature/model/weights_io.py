"""How are an encoder's weights kept in a small file?

Every matrix is kept as whole multiples of one step per row, the steps a sixth of a
row's usual number, and the multiples as Huffman codes (deflate without matching): 4.7
bits a number, off by 4.6 % at random. Everything else is kept as 32-bit numbers. It is one
safetensors file whose header holds the sizes; reading gives 32-bit numbers back. Two networks may stand in it. Both began with the same word pieces, so those
of the second, which answers for pairs, are kept by what they differ from the first's. A
file made for training goes on as it is (`exact=True`).

References
----------
.. [1] Gish H., Pierce J., Asymptotically efficient quantizing, IEEE Trans. Inf. Theory 14,
   676 (1968): equal steps and entropy coding are within a quarter of a bit of the best.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from discovery.extras import needs
from discovery.files import publish
from discovery.outcome import UserError
from literature.model.encoder import Encoder, Shape
from literature.model.linear import Cues

with needs("literature"):
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save
    from torch import Tensor
    from torch.overrides import TorchFunctionMode


FORMAT = "discovery-reader-4"
STEP = 0.16  # of the root mean square of a row
_SCALE = "|scale"
_PAIRS = "pairs|"
_EIGHT = "eight|"
_CUES = "cues|"
_VOCABULARY = "vocabulary"
UNFITTED = (1.0, 0.5, 0.0)  # calibration of a convention that has none
_OVER = "pieces.weight"  # of the second network, kept as a difference to the first's


class WeightsError(UserError, ValueError):
    """A weights file cannot be used; the message names the file, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A second network, which answers for pairs."""

    shape: Shape
    tensors: dict[str, Tensor]  # 32-bit, as the encoder names them
    # Of each convention: a temperature, the probability from which a pair counts as related, the weight of cues.
    calibration: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    made: tuple[str, ...] = ()  # the runs that made it, in order
    eight: Mapping[str, Tensor] = field(default_factory=dict)  # as eightbit.scales gives them; may be absent
    # "DrugProt|keys" and so on: what words say beside the network, as Cues.kept gives it; may be absent.
    cues: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weights:
    """What a weights file holds."""

    shape: Shape
    vocabulary: tuple[str, ...]
    tensors: dict[str, Tensor]  # 32-bit, as the encoder names them
    width: int  # pieces per window it was trained with
    pairs: Pairs | None = None
    made: tuple[str, ...] = ()  # the runs that made the first network, in order
    eight: Mapping[str, Tensor] = field(default_factory=dict)  # as eightbit.scales gives them; may be absent
    # "BC5CDR|keys" and so on: what words say beside the network, as Cues.kept gives it; may be absent.
    cues: Mapping[str, Tensor] = field(default_factory=dict)
    # Of each convention, how much network, cues and hints count (wordcues.Mix); may be absent.
    mixes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def encoder(self) -> Encoder:
        """The network that finds names, ready to read."""
        return _with(self.shape, self.tensors)

    def answering(self) -> Encoder:
        """The network that answers for pairs, ready to read.

        Raises
        ------
        WeightsError
            If there is none.
        """
        if self.pairs is None:
            raise WeightsError("these weights answer for no pairs: they only find names")
        return _with(self.pairs.shape, self.pairs.tensors)


def quantise(matrix: Tensor, step: float = STEP, base: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """[row, column] -> 8-bit [row, column] and [row] steps (16-bit floats); off by at most half a step.

    With a `base`, [row, column], what is beyond it is kept, in steps of the whole row.
    """
    scale = matrix.square().mean(dim=1).sqrt() * step
    matrix = matrix if base is None else matrix - base
    scale = torch.maximum(scale, matrix.abs().amax(dim=1) / 126).clamp_min(1e-6).half()
    return torch.round(matrix / scale.float()[:, None]).to(torch.int8), scale


def _pack(whole: Tensor) -> Tensor:
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    code = coder.compress(whole.numpy().tobytes()) + coder.flush()
    return torch.frombuffer(bytearray(code), dtype=torch.uint8)


def _unpack(code: Tensor, scale: Tensor) -> Tensor:
    whole = torch.frombuffer(bytearray(zlib.decompress(code.numpy().tobytes())), dtype=torch.int8)
    return whole.view(len(scale), -1).float() * scale.float()[:, None]


def _kept(
    tensors: Mapping[str, Tensor], exact: bool, step: float, bases: Mapping[str, Tensor] = {}
) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().float().cpu().contiguous()
        if exact or tensor.ndim != 2:
            kept[name] = tensor
        else:
            whole, kept[name + _SCALE] = quantise(tensor, step, bases.get(name))
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
    kept = _kept(weights.tensors, exact, STEP) | _named(_EIGHT, weights.eight) | _named(_CUES, weights.cues)
    words = zlib.compress("\n".join(weights.vocabulary).encode(), 9)
    kept[_VOCABULARY] = torch.frombuffer(bytearray(words), dtype=torch.uint8)
    header = {
        "format": FORMAT,
        "shape": json.dumps(weights.shape.json()),
        "width": str(weights.width),
        "made": "\n".join(weights.made),
        "mixes": json.dumps(weights.mixes),
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
    bases = {} if exact else {_OVER: _number(path, _OVER, kept)}
    told = _kept(pairs.tensors, exact, step, bases) | _named(_EIGHT, pairs.eight) | _named(_CUES, pairs.cues)
    publish(out, save(kept | _named(_PAIRS, told), metadata=header | _header(pairs)))


def recalibrate(path: Path, calibration: Mapping[str, tuple[float, float, float]]) -> None:
    """Give the network for pairs other temperatures, thresholds and weights of cues, and change nothing else."""
    header, raw = _opened(path)
    publish(path, save(raw, metadata=header | {"calibration": json.dumps(calibration)}))


def rescale(path: Path, eight: Mapping[str, Tensor], pairs: Mapping[str, Tensor]) -> None:
    """Give the two networks other scales for reading in 8 bits, and change nothing else."""
    header, raw = _opened(path)
    kept = {name: tensor for name, tensor in raw.items() if not name.startswith((_EIGHT, _PAIRS + _EIGHT))}
    publish(path, save(kept | _named(_EIGHT, eight) | _named(_PAIRS + _EIGHT, pairs), metadata=header))


def beside(path: Path, out: Path, cues: Mapping[str, Tensor], mixes: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a weights file again with other cues and mixes for names, and change nothing else."""
    header, raw = _opened(path)
    kept = {name: tensor for name, tensor in raw.items() if not name.startswith(_CUES)}
    publish(out, save(kept | _named(_CUES, cues), metadata=header | {"mixes": json.dumps(mixes)}))


def kept_cues(models: Mapping[str, Cues]) -> dict[str, Tensor]:
    """The cues of conventions as `Weights` and `Pairs` hold them."""
    return {
        f"{convention}|{part}": torch.from_numpy(numbers.copy())
        for convention, model in models.items()
        for part, numbers in model.kept().items()
    }


def cues_of(path: Path, kept: Mapping[str, Tensor]) -> dict[str, Cues]:
    """The cues of each convention that has some, of a file's two networks those of one.

    Raises
    ------
    WeightsError
        If they are torn; the message names the file.
    """
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for name, tensor in kept.items():
        convention, part = name.split("|")
        parts.setdefault(convention, {})[part] = tensor.numpy()
    try:
        return {convention: Cues.of(some) for convention, some in parts.items()}
    except ValueError as error:
        raise WeightsError(f"{path} is torn: {error}") from error


def _named(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {start + name: tensor for name, tensor in tensors.items()}


def _part(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}


def _number(path: Path, name: str, raw: Mapping[str, Tensor]) -> Tensor:
    """A tensor in 32 bits (scales for 8 bits: as they are)."""
    if name + _SCALE not in raw:
        return raw[name]
    try:
        return _unpack(raw[name], raw[name + _SCALE])
    except (zlib.error, RuntimeError) as error:
        raise WeightsError(f"{path}: {name} cannot be unpacked: {error}") from error


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


def read(path: Path, *, pairs: bool = True) -> Weights:
    """Read a weights file; without its second network if `pairs` is false.

    Raises
    ------
    WeightsError
        If the file is absent, torn, of another kind, or its tensors do not fit its own sizes.
    """
    header, raw = _opened(path)
    shape = _shape(header["shape"])
    if not pairs:
        raw = {name: tensor for name, tensor in raw.items() if not name.startswith(_PAIRS)}
    every = {name: _number(path, name, raw) for name in raw if not name.endswith(_SCALE)}
    told = _part(_PAIRS, every)
    every = {name: tensor for name, tensor in every.items() if not name.startswith(_PAIRS)}
    vocabulary = _words(path, every.pop(_VOCABULARY, None))
    tensors = {name: tensor for name, tensor in every.items() if not name.startswith((_EIGHT, _CUES))}
    _fits(path, shape, tensors)
    if len(vocabulary) != shape.vocabulary:
        raise WeightsError(
            f"{path} names {len(vocabulary)} pieces of vocabulary but its network has {shape.vocabulary}"
        )
    second = None
    if pairs and "pairs" in header:
        if _PAIRS + _OVER + _SCALE in raw and told[_OVER].shape == tensors[_OVER].shape:
            told[_OVER] = told[_OVER] + tensors[_OVER]
        second = Pairs(
            _shape(header["pairs"]),
            {name: tensor for name, tensor in told.items() if not name.startswith((_EIGHT, _CUES))},
            {
                name: (float(temperature), float(least), float(weight[0]) if weight else UNFITTED[2])
                for name, (temperature, least, *weight) in json.loads(header["calibration"]).items()
            },
            _lines(header["pairs made"]),
            _part(_EIGHT, told),
            _part(_CUES, told),
        )
        _fits(path, second.shape, second.tensors)
    return Weights(
        shape,
        vocabulary,
        tensors,
        int(header["width"]),
        second,
        _lines(header["made"]),
        _part(_EIGHT, every),
        _part(_CUES, every),
        json.loads(header["mixes"]),
    )


def _words(path: Path, packed: Tensor | None) -> tuple[str, ...]:
    try:
        return tuple(
            zlib.decompress(b"" if packed is None else packed.numpy().tobytes()).decode().split("\n")
        )
    except (zlib.error, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: its vocabulary cannot be unpacked: {error}") from error


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


class _Unset(TorchFunctionMode):
    """No number is drawn for a weight that is read from a file: on no device ("meta"), that alone takes seconds."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs.get("tensor", args[0] if args else None)
        return func(*args, **kwargs)


def _blank(shape: Shape) -> Encoder:
    with torch.device("meta"), _Unset():
        return Encoder(shape)


def _with(shape: Shape, tensors: Mapping[str, Tensor]) -> Encoder:
    network = _blank(shape)
    # Copies: what is done to a network is not done to the weights it was made of.
    network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return network.eval()
