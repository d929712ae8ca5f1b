"""Who trains together with this process, and how do they all take the same step?

Each process of a crew reads its share of every batch. Gradients are added up before the
step, so that the crew takes the step one process would have taken on the whole batch, and
its members' weights stay equal. torchrun starts a crew; where there are several GPUs,
`discovery train` does so by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from discovery.extras import needs
from generative.refusal import SettingError

with needs("generative"):
    import torch
    import torch.distributed as distributed
    from torch import nn


T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Crew:
    """This process's place among those that train together."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def leads(self) -> bool:
        """Exactly one does: it writes files and measures."""
        return self.rank == 0

    def share(self, all_: npt.NDArray[T]) -> npt.NDArray[T]:
        """This process's part of what the crew works on."""
        return all_[self.rank :: self.size]

    def add_up(self, network: nn.Module) -> None:
        """Every gradient becomes the sum over the crew."""
        if self.size == 1:
            return
        for parameter in network.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        grads = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        distributed.all_reduce(flat)
        for grad, summed in zip(grads, torch.split(flat, [grad.numel() for grad in grads]), strict=True):
            grad.copy_(summed.view_as(grad))

    def agree(self, value: float) -> float:
        """The leader's value, for all."""
        if self.size == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(told, src=0)
        return float(told)

    def wait(self) -> None:
        """Until all have come so far."""
        if self.size > 1:
            distributed.barrier()


def join_crew(device: str = "auto") -> Crew:
    """The crew that torchrun told this process of; alone without one.

    Parameters
    ----------
    device : "auto", "cpu" or "cuda"

    Raises
    ------
    SettingError
        A device this machine or torch does not have.
    """
    offered = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    kind = offered[-1] if device == "auto" else device
    if kind not in offered:
        raise SettingError(
            f"--device {device}: this machine offers {', '.join(offered)}; auto takes the best"
        )
    size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if kind == "cuda" else "cpu"
    if size > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if kind == "cuda" else "gloo", rank=rank, world_size=size)
    return Crew(rank, size, name)


def crew_wanted(device: str) -> int:
    """How many processes should train: one a GPU, unless torchrun has decided already."""
    if device == "cpu" or "WORLD_SIZE" in os.environ or not torch.cuda.is_available():
        return 1
    return torch.cuda.device_count()


def launch(processes: int) -> None:
    """Run the command that runs here as a crew of so many processes on this machine.

    Raises
    ------
    SettingError
        One of them failed; what it said stands above.
    """
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *(f"--nproc-per-node={processes}", "-m", "discovery.cli", *sys.argv[1:]),
    ]
    if subprocess.run(command, check=False).returncode != 0:
        raise SettingError(f"training with {processes} processes failed; what one of them said stands above")
