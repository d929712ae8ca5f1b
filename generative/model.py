"""What is a trained model on disk?

One safetensors file: the network's weights in half precision, and, as its metadata, the
vocabulary, the network's sizes and how it was trained. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from discovery.extras import needs
from discovery.outcome import UserError
from generative.policy import Policy, Shape
from generative.vocabulary import Vocabulary

with needs("generative"):
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file
    from torch import Tensor


FORMAT = 2
SHIPPED = "graph.safetensors"


class WeightsError(UserError, ValueError):
    """The file is no model of ours, or does not match the code. The message says which."""


@dataclass(frozen=True)
class Weights:
    """A trained model, read."""

    tensors: Mapping[str, Tensor]
    vocabulary: Vocabulary
    shape: Shape
    about: Mapping[str, Any]  # styles, data, steps, metrics
    sha256: str

    @classmethod
    def load(cls, path: Path | None = None) -> Weights:
        """Read a file, or the model that ships with the package.

        Raises
        ------
        WeightsError
            The file is absent, damaged, or of another format.
        """
        return _load(path or Path(str(files("generative") / "weights" / SHIPPED)))

    def policy(self, vocabulary: Vocabulary | None = None) -> Policy:
        """A fresh network with these weights, in float32.

        With a vocabulary that goes on behind the one it was trained on, the new entries
        begin as likely as the rarest tenth of the known ones.
        """
        policy = Policy(self.shape, len(self.vocabulary.entries))
        mine = dict(policy.named_parameters())
        if mine.keys() != self.tensors.keys() or any(
            mine[name].shape != value.shape for name, value in self.tensors.items()
        ):
            differ = sorted(mine.keys() ^ self.tensors.keys())[:3] or ["the sizes"]
            raise WeightsError(f"the weights do not match the code ({', '.join(differ)}); train again")
        with torch.no_grad():
            for name, value in mine.items():
                value.copy_(self.tensors[name])
        if vocabulary is not None and len(vocabulary.entries) > len(self.vocabulary.entries):
            known = policy.entry_bias.detach()
            more = known.quantile(0.1).expand(len(vocabulary.entries) - len(known))
            policy.entry_bias = torch.nn.Parameter(torch.cat([known, more]))
        return policy

    @cached_property
    def styles(self) -> tuple[str, ...]:
        return tuple(self.about["styles"])

    @cached_property
    def habits(self) -> Mapping[str, dict[str, Any]]:
        """The units and bonds that each well-known style keeps to, packed as `generative.limits` does."""
        return dict(self.about.get("habits", {}))

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Properties the model was taught to build for."""
        return tuple(self.about["conditions"])


@lru_cache(maxsize=4)
def _load(path: Path) -> Weights:
    try:
        content = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            if about.get("format") != FORMAT:
                held = f"is of format {about['format']}" if "format" in about else "holds no graph model"
                raise WeightsError(f"{path} {held}; this version reads format {FORMAT}. Train again")
            vocabulary = Vocabulary.from_json(file.metadata()["vocabulary"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise WeightsError(f"{path} is no safetensors file, or damaged: {error}") from error
    return Weights(tensors, vocabulary, Shape(**about["shape"]), about, hashlib.sha256(content).hexdigest())


def save_weights(
    path: Path, policy: Policy, values: Mapping[str, Tensor], vocabulary: Vocabulary, about: Mapping[str, Any]
) -> Path:
    """Write a model; half precision, by a temporary file, so that a reader never meets half of it."""
    told = {**about, "format": FORMAT, "shape": policy.shape.as_dict()}
    beside = path.with_suffix(".new")
    save_file(
        {name: value.detach().to(torch.float16).contiguous() for name, value in values.items()},
        beside,
        {"about": json.dumps(told), "vocabulary": vocabulary.to_json()},
    )
    beside.replace(path)
    return path
