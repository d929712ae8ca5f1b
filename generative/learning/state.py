"""What does a training that was stopped need, to go on as if it had not been?

The network, a running average of its weights, the optimiser's moments and the step: one
safetensors file, replaced whole. The rate that a step is taken with depends on nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from discovery.extras import needs
from generative.refusal import SettingError

with needs("generative"):
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file
    from torch import Tensor, nn


AVERAGE = 0.999  # of the running average of the weights
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # as AdamW names what it remembers of each weight

Network = TypeVar("Network", bound=nn.Module)


class Pace(Protocol):
    """How fast to learn, and when."""

    @property
    def rate(self) -> float: ...
    @property
    def warmup(self) -> int: ...  # steps over which the rate rises
    @property
    def decay(self) -> float: ...  # share of the whole over which it falls to zero
    @property
    def weight_decay(self) -> float: ...


@dataclass
class State(Generic[Network]):
    """Everything a resumed run needs; grows by one step at a time."""

    policy: Network
    average: dict[str, Tensor]  # of the weights, by name: what ships
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0  # spent training, over all runs
    progress: float = 0.0  # share of all steps, or of the budget, that is spent

    @classmethod
    def begin(cls, network: Network, pace: Pace) -> State[Network]:
        """Before the first step."""
        return cls(
            network,
            {name: value.detach().clone() for name, value in network.named_parameters()},
            torch.optim.AdamW(
                network.parameters(), lr=pace.rate, betas=(0.9, 0.98), weight_decay=pace.weight_decay
            ),
        )

    def descend(self, loss: Tensor, pace: Pace, *, share: Callable[[nn.Module], None] | None = None) -> float:
        """Take one step down the loss, and return it; `share` sees the gradients before they are used."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(pace)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if share is not None:
            share(self.policy)
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.policy.named_parameters():
                self.average[name].lerp_(value, 1.0 - keep)
        return float(loss.detach())

    def rate(self, pace: Pace) -> float:
        """Rises, stays level, and falls to nothing over the last part of the steps or of the time."""
        warm = min(1.0, (self.step + 1) / pace.warmup)
        return pace.rate * warm * min(1.0, (1.0 - self.progress) / pace.decay)

    def save(self, path: Path, recipe: Mapping[str, Any]) -> None:
        """Write it whole or not at all, with what it was made by."""
        tensors: dict[str, Tensor] = {}
        for name, value in self.policy.named_parameters():
            tensors[f"policy.{name}"] = value.detach()
            tensors[f"average.{name}"] = self.average[name]
            moments = self.optimiser.state.get(value, {})
            tensors |= {f"{key}.{name}": moments[key] for key in MOMENTS if key in moments}
        about = {"step": self.step, "seconds": self.seconds, "recipe": dict(recipe)}
        beside = path.with_suffix(".new")
        save_file({k: v.contiguous() for k, v in tensors.items()}, beside, {"about": json.dumps(about)})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)

    def restore(self, path: Path, recipe: Mapping[str, Any]) -> None:
        """Go on from a file that `save` wrote.

        Raises
        ------
        SettingError
            If it was made by another recipe; says in which settings they differ.
        """
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            if differ := [key for key in recipe if recipe[key] != about["recipe"].get(key)]:
                raise SettingError(
                    f"{path} was made with another recipe ({', '.join(differ)} differ); "
                    "give the same settings, or another --out"
                )
            kept = set(file.keys())
            with torch.no_grad():
                for name, value in self.policy.named_parameters():
                    value.copy_(file.get_tensor(f"policy.{name}"))
                    self.average[name].copy_(file.get_tensor(f"average.{name}"))
                    if f"exp_avg.{name}" in kept:
                        moments = {key: file.get_tensor(f"{key}.{name}") for key in MOMENTS}
                        self.optimiser.state[value] = {
                            key: found if key == "step" else found.to(value.device)
                            for key, found in moments.items()
                        }
        self.step, self.seconds = about["step"], about["seconds"]
