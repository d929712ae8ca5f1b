"""How is a network led down its loss, stopped at any moment, and gone on with?

A run is a pure function of its plan, its lessons and the number of steps; with a time
budget the learning rate falls by the clock. What is kept is a running mean of the
weights. What is shown, and what is asked of it, is the caller's.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from discovery.extras import needs
from discovery.files import publish
from discovery.outcome import UserError

with needs("literature"):
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save
    from torch import Tensor, nn


CHECKPOINT = "checkpoint.safetensors"
T = TypeVar("T")


class TrainingError(UserError, ValueError):
    """Training cannot start; the message says what is missing and what to do."""


@dataclass
class State:
    """What a checkpoint holds."""

    step: int = 0
    spent_s: float = 0.0
    losses: list[float] = field(default_factory=list)  # mean of each 50 steps
    before: list[str] = field(default_factory=list)  # the runs whose weights it began with


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what comes out."""

    seed: int = 7
    steps: int | None = None  # exactly so many, or as many as fit into `budget_s`
    budget_s: float = 3600.0
    width: int = 128  # pieces per window in which names are read
    places: int = 512  # pieces of the widest window, in which relations are read
    blinded: float = 0.0  # share of things whose names are hidden where relations of documents are read
    batch_pieces: int = 2048
    vocabulary: int = 12_000
    rate: float = 5e-4
    head_rate: float = 2e-3
    warmup: float = 0.04  # of the run
    cooling: float = 0.5  # of the run: the learning rate is level until then, and falls to nothing
    decay: float = 0.01  # of the weights
    dropout: float = 0.1
    between: float = 0.0  # left out of what passes from layer to layer, where names are read
    hidden: float = 0.0  # share of pieces left unknown, where names are read
    average: float = 0.99  # of the running mean of weights, per step
    checkpoint_s: float = 180.0

    def __post_init__(self) -> None:
        if self.steps is None and self.budget_s <= 0:
            raise TrainingError(f"a budget of {self.budget_s:g} s leaves no time to train")

    def progress(self, state: State) -> float:
        """How much of the run is done, from 0 to about 1."""
        return state.step / self.steps if self.steps else state.spent_s / self.budget_s


def descend(
    network: nn.Module,
    plan: Plan,
    out: Path,
    shown: Callable[[int], Sequence[T]],
    value: Callable[[T], Tensor],
    keep: Callable[[dict[str, Tensor], tuple[str, ...]], Path],
    *,
    new: tuple[str, ...],
    history: Sequence[str] = (),
    tell: Callable[[str], object] = print,
) -> Path:
    """Train what of a network may learn (`requires_grad`), or go on with it.

    Parameters
    ----------
    shown
        The batches of the pool of that number, the same whenever they are asked for.
    value
        The loss of a batch.
    keep
        Writes the running mean of the weights, and what the runs were that made it, and gives the file.
    new
        How the names of parameters begin that start from nothing: they learn at `plan.head_rate`.
    history
        The runs whose weights it begins with.

    Raises
    ------
    TrainingError
        If `out` holds the checkpoint of another plan.
    """
    known = list(_learning(network))
    groups = [
        {"params": [p for name, p in known if name.startswith(new) == fresh]} for fresh in (False, True)
    ]
    optimiser = torch.optim.AdamW(
        groups, lr=plan.rate, betas=(0.9, 0.98), weight_decay=plan.decay, fused=True
    )
    mean = {name: p.detach().clone() for name, p in known}
    state = _resume(out, plan, network, optimiser, mean, list(history))
    tell(f"from step {state.step}, {sum(p.numel() for _, p in known):,} numbers learn")
    stopped: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    recent: list[float] = []
    saved = clock = time.monotonic()
    done = False
    try:
        number, skip = _place(state.step, shown)
        while not done and not stopped:
            for batch in shown(number)[skip:]:
                progress = plan.progress(state)
                if progress >= 1 or stopped:
                    done = progress >= 1
                    break
                for group, rate in zip(optimiser.param_groups, (plan.rate, plan.head_rate), strict=True):
                    falling = (1.02 - progress) / plan.cooling
                    group["lr"] = rate * min(1.0, (progress + 1e-4) / plan.warmup, falling)
                recent.append(_step(network, optimiser, batch, plan.seed + state.step, value))
                state.step += 1
                # A young mean must forget the start, so its memory grows with its age.
                _average(mean, network, min(plan.average, (1 + state.step) / (10 + state.step)))
                now = time.monotonic()
                state.spent_s += now - clock
                clock = now
                if len(recent) == 50:
                    state.losses.append(round(float(np.mean(recent)), 4))
                    recent = []
                    tell(f"step {state.step}  {state.spent_s:.0f} s  loss {state.losses[-1]:.4f}")
                if now - saved > plan.checkpoint_s:
                    _save(out, plan, network, optimiser, mean, state)
                    saved = clock = time.monotonic()
            number, skip = number + 1, 0
    finally:
        signal.signal(signal.SIGTERM, before)
    _save(out, plan, network, optimiser, mean, state)
    path = keep(mean, (*state.before, spoken(plan, state)))
    tell(f"{'stopped' if stopped else 'done'} at step {state.step} after {state.spent_s:.0f} s: {path}")
    return path


def spoken(plan: Plan, state: State) -> str:
    """What a run was, for the card."""
    return (
        f"{state.step:,} steps of {plan.batch_pieces:,} pieces, seed {plan.seed}, in {state.spent_s:,.0f} s"
    )


@torch.no_grad()
def take(start: Path, network: nn.Module) -> list[str]:
    """Give a network the weights an earlier run ended with.

    Parameters
    ----------
    start
        The folder of that run's checkpoint.

    Returns
    -------
    What that run and those before it were, for the card.

    Raises
    ------
    TrainingError
        If the folder holds no checkpoint, or that of a network of another size.
    """
    path = start / CHECKPOINT
    if not path.is_file():
        raise TrainingError(f"{start} holds no {CHECKPOINT}; name the --out folder of an earlier run")
    fill(network, {name.removeprefix("now."): tensor for name, tensor in load_file(path).items()}, path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    state = State(**json.loads(header["state"]))
    return [*state.before, spoken(Plan(**json.loads(header["plan"])), state)]


@torch.no_grad()
def fill(network: nn.Module, tensors: Mapping[str, Tensor], whose: Path) -> None:
    """Give a network the numbers of another of its size.

    Raises
    ------
    TrainingError
        If one is missing or of another size.
    """
    for name, parameter in network.named_parameters():
        theirs = tensors.get(name)
        if theirs is None or theirs.shape != parameter.shape:
            raise TrainingError(
                f"{whose}: {name} measures {tuple(theirs.shape) if theirs is not None else None}, here "
                f"{tuple(parameter.shape)}; an earlier run can be continued only on the same corpora"
            )
        parameter.copy_(theirs)


def finished(out: Path) -> bool:
    """Whether the run of a folder came to the end of its plan."""
    with safe_open(out / CHECKPOINT, framework="pt") as file:
        header = file.metadata()
    return Plan(**json.loads(header["plan"])).progress(State(**json.loads(header["state"]))) >= 1


def _learning(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, p) for name, p in network.named_parameters() if p.requires_grad]


def _place(step: int, shown: Callable[[int], Sequence[T]]) -> tuple[int, int]:
    """The pool and the batch within it at which `step` stands."""
    number = 0
    while step >= (count := len(shown(number))):
        step -= count
        number += 1
    return number, step


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: T,
    seed: int,
    value: Callable[[T], Tensor],
) -> float:
    torch.manual_seed(seed)  # dropout is then the same after a resume
    lost = value(batch)
    lost.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for _, p in _learning(network)], 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return float(lost.detach())


@torch.no_grad()
def _average(mean: dict[str, Tensor], network: nn.Module, keep: float) -> None:
    for name, parameter in _learning(network):
        mean[name].lerp_(parameter, 1 - keep)


def _save(
    out: Path,
    plan: Plan,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    mean: dict[str, Tensor],
    state: State,
) -> None:
    tensors: dict[str, Tensor] = {f"mean.{name}": tensor for name, tensor in mean.items()}
    for name, parameter in _learning(network):
        tensors[f"now.{name}"] = parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            if parameter in optimiser.state:
                tensors[f"{moment}.{name}"] = optimiser.state[parameter][moment]
    header = {"plan": json.dumps(asdict(plan)), "state": json.dumps(asdict(state))}
    publish(out / CHECKPOINT, save(tensors, metadata=header))


def _resume(
    out: Path,
    plan: Plan,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    mean: dict[str, Tensor],
    history: list[str],
) -> State:
    path = out / CHECKPOINT
    if not path.exists():
        return State(before=history)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    theirs = json.loads(header["plan"])
    different = [
        f"{name} {theirs.get(name)} (asked: {value})"
        for name, value in asdict(plan).items()
        if name not in ("checkpoint_s", "budget_s", "steps") and theirs.get(name) != value
    ]
    if different:
        raise TrainingError(
            f"{path} belongs to another plan: {'; '.join(different)}. Use another --out, or the same plan"
        )
    tensors = load_file(path)
    state = State(**json.loads(header["state"]))
    for name, parameter in _learning(network):
        with torch.no_grad():
            parameter.copy_(tensors[f"now.{name}"])
        mean[name].copy_(tensors[f"mean.{name}"])
        if f"exp_avg.{name}" in tensors:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(state.step)),
                "exp_avg": tensors[f"exp_avg.{name}"].to(parameter.device),
                "exp_avg_sq": tensors[f"exp_avg_sq.{name}"].to(parameter.device),
            }
    return state
