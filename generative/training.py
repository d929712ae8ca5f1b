"""From SMILES to weights, in one command and one budget.

    discovery train --molecules FILE --out DIR --budget 1h

Training may be killed at any moment: run the same command again and it goes on from the
last checkpoint, to the same weights bit for bit when the end is given in steps. The
learning rate stays level until the last quarter and then falls to zero; a running
average of the weights is what ships.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from discovery.devices import SEED
from discovery.files import publish, sha256_of
from generative.dataset import Dataset, prepare
from generative.encoding import Places, rows, unit_graphs
from generative.limits import habits
from generative.model import Weights, save_weights
from generative.parallel import Crew, join_crew
from generative.policy import Policy, Shape
from generative.refusal import SettingError
from generative.vocabulary import Vocabulary
from generative.wishes import PROPERTIES

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file
    from torch import Tensor
    from torch.func import functional_call
except ImportError as error:
    raise ImportError("training needs: pip install 'discovery-workbench[generative]'") from error

MADE_OF = "made_of.json"  # beside the data
POOL = 16  # batches drawn together and sorted by length, so that little is padded
VALIDATION = 1_024  # molecules kept out of training to measure the likelihood on
AVERAGE = 0.999  # of the running average of the weights
LOOKS = 20  # times in a training that held-out molecules are looked at


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, besides the molecules."""

    batch: int = 256
    rate: float = 2e-3
    warmup: int = 100  # steps
    decay: float = 0.25  # share of the whole over which the rate falls to zero
    shuffled: float = 0.35  # share of rollouts in random order
    asked: float = 0.5  # share of molecules of which something is asked: each property at even odds
    weight_decay: float = 0.01
    seed: int = 0
    bf16: bool = True
    shape: Shape = field(default_factory=Shape)


@dataclass
class State:
    """Everything a resumed run needs; grows by one step at a time."""

    policy: Policy
    average: dict[str, Tensor]
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0  # spent training, over all runs
    progress: float = 0.0  # share of all steps, or of the budget, that is spent


def train(
    dataset: Dataset,
    out: Path,
    *,
    recipe: Recipe | None = None,
    steps: int | None = None,
    budget: float | None = None,
    start: Weights | None = None,
    save_every: float = 120.0,
    crew: Crew | None = None,
    tell: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train until `steps`, or for `budget` seconds in all, whichever is given; returns the weights' path.

    Parameters
    ----------
    start : Weights, optional
        Go on from a trained model, as when it is taught a further series. The dataset must
        have been prepared with its vocabulary, or one that begins with it.
    crew : Crew, optional
        Others that train with this process; alone by default.
    tell : callable, optional
        Hears of every measurement: step, seconds, loss, and now and then the validation,
        nats a held-out molecule. All of them go to metrics.jsonl too.

    Raises
    ------
    SettingError
        Neither or both ends are given, or a checkpoint in `out` was made with another recipe.
    """
    if (steps is None) == (budget is None):
        raise SettingError("give either steps or budget")
    recipe, crew = recipe or Recipe(), crew or Crew()
    if min(recipe.batch, len(dataset)) < 2 * crew.size:
        raise SettingError(f"{len(dataset)} molecules are too few for {crew.size} processes")
    out.mkdir(parents=True, exist_ok=True)
    taught, checked = _divide(len(dataset), recipe.seed)
    state = _begin(dataset.vocabulary, recipe, start, crew.device)
    checkpoint = out / "checkpoint.safetensors"
    if checkpoint.exists():
        _restore(state, checkpoint, recipe)
    places, graphs = Places.of(dataset.vocabulary), unit_graphs(dataset.vocabulary).to(crew.device)
    began = time.monotonic() - state.seconds
    saved, looked = time.monotonic(), 0.0
    for numbers in _schedule(taught, dataset, recipe, state.step):
        state.seconds = crew.agree(time.monotonic() - began)
        state.progress = state.step / steps if steps is not None else state.seconds / (budget or 1.0)
        if state.progress >= 1.0:
            break
        loss = _update(state, dataset, places, graphs, numbers, recipe, crew)
        look = state.progress - looked >= 1 / LOOKS
        if crew.leads and (look or state.step % 50 == 0):
            line = {"step": state.step, "seconds": round(state.seconds), "loss": round(loss, 4)}
            if look:
                looked = state.progress
                line["validation"] = round(validate(state, dataset, places, graphs, checked, recipe), 4)
            with (out / "metrics.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            if tell is not None:
                tell(line)
        if crew.leads and time.monotonic() - saved > save_every:
            _save(state, checkpoint, recipe)
            saved = time.monotonic()
    path = out / "model.safetensors"
    if not crew.leads:
        return path
    _save(state, checkpoint, recipe)
    nll = validate(state, dataset, places, graphs, checked, recipe)
    about = {
        "styles": list(dataset.styles),
        "conditions": list(PROPERTIES),
        "habits": habits(dataset),
        "data": dataset.report,
        "steps": state.step,
        "molecules_seen": state.step * recipe.batch,
        "training_seconds": round(state.seconds),
        "validation_nats_per_molecule": round(nll, 4),
        "recipe": asdict(recipe),
    }
    return save_weights(path, state.policy, state.average, dataset.vocabulary, about)


def _divide(n: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    order = np.random.default_rng([seed, 0xD1]).permutation(n)
    held = min(VALIDATION, n // 10)
    return order[held:], order[:held]


def _begin(vocabulary: Vocabulary, recipe: Recipe, start: Weights | None, device: str = "cpu") -> State:
    torch.manual_seed(recipe.seed)
    policy = start.policy(vocabulary) if start else Policy(recipe.shape, len(vocabulary.entries))
    policy.to(device)
    return State(
        policy,
        {name: value.detach().clone() for name, value in policy.named_parameters()},
        torch.optim.AdamW(
            policy.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
        ),
    )


def _schedule(
    taught: npt.NDArray[np.int64], dataset: Dataset, recipe: Recipe, step: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Molecules of each step from `step` on, the same whenever it is asked."""
    size = min(recipe.batch, len(taught))
    in_epoch = len(taught) // size
    length = np.diff(dataset.start)
    while True:
        epoch, first = divmod(step, in_epoch)
        order = np.random.default_rng([recipe.seed, 0xE0, epoch]).permutation(taught)[: in_epoch * size]
        for pool in range(0, in_epoch, POOL):
            if pool + POOL <= first:
                continue
            part = order[pool * size : (pool + POOL) * size]
            part = part[np.argsort(length[part], kind="stable")]
            count = len(part) // size
            for number in np.random.default_rng([recipe.seed, 0xE1, epoch, pool]).permutation(count)[
                max(first - pool, 0) :
            ]:
                yield part[number * size : (number + 1) * size]
                step += 1


def _rate(state: State, recipe: Recipe) -> float:
    """Rises, stays level, and falls to nothing over the last part of the steps or of the time."""
    warm = min(1.0, (state.step + 1) / recipe.warmup)
    return recipe.rate * warm * min(1.0, (1.0 - state.progress) / recipe.decay)


def _update(
    state: State,
    dataset: Dataset,
    places: Places,
    graphs: Any,
    numbers: npt.NDArray[np.int64],
    recipe: Recipe,
    crew: Crew,
) -> float:
    """One step on a batch, of which this process reads its share."""
    rng = np.random.default_rng([recipe.seed, 0xB0, state.step])
    order = (rng.random(len(numbers)) < recipe.shuffled).astype(np.int64)
    asked = (rng.random((len(numbers), 1)) < recipe.asked) & (
        rng.random((len(numbers), len(PROPERTIES))) < 0.5
    )
    wanted = np.where(asked, dataset.properties[numbers], np.float32(np.nan))
    batch = _rows(dataset, places, crew.share(numbers), crew.share(order), crew.share(wanted))
    site, entry = likelihood(
        state.policy, dataset.vocabulary, graphs, batch.to(crew.device), bf16=recipe.bf16
    )
    loss = -(site + entry).sum() / len(numbers)
    for group in state.optimiser.param_groups:
        group["lr"] = _rate(state, recipe)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    crew.add_up(state.policy)
    torch.nn.utils.clip_grad_norm_(state.policy.parameters(), 1.0)
    state.optimiser.step()
    state.step += 1
    keep = min(AVERAGE, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for name, value in state.policy.named_parameters():
            state.average[name].lerp_(value, 1.0 - keep)
    return float(loss.detach()) * crew.size  # the leader's share stands for the whole


def _rows(
    dataset: Dataset,
    places: Places,
    numbers: Sequence[int] | npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.float32] | None = None,
) -> Any:
    steps = [
        dataset.steps[o, dataset.start[i] : dataset.start[i + 1]] for i, o in zip(numbers, order, strict=True)
    ]
    style = [int(dataset.style[i]) for i in numbers]
    return rows(dataset.vocabulary, places, steps, order.tolist(), style, wanted)


def likelihood(
    policy: Policy,
    vocabulary: Vocabulary,
    graphs: Any,
    batch: Any,
    *,
    bf16: bool,
    weights: dict[str, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Site and entry log-likelihoods [row]; in bfloat16 the weights stay float32 and are cast on the way in."""
    values: dict[str, Tensor] = dict(weights or policy.named_parameters())
    if bf16:
        values = {name: value.to(torch.bfloat16) for name, value in values.items()}
        values |= {name: value.to(torch.bfloat16) for name, value in policy.named_buffers()}
    result: tuple[Tensor, Tensor] = functional_call(policy, values, (vocabulary, graphs, batch))
    return result


def validate(
    state: State,
    dataset: Dataset,
    places: Places,
    graphs: Any,
    checked: npt.NDArray[np.int64],
    recipe: Recipe,
) -> float:
    """Mean negative log-likelihood of held-out molecules in their ordered rollout, nats."""
    total = 0.0
    by_length = checked[np.argsort(np.diff(dataset.start)[checked], kind="stable")]
    with torch.no_grad():
        for first in range(0, len(by_length), recipe.batch):
            numbers = by_length[first : first + recipe.batch]
            batch = _rows(dataset, places, numbers, np.zeros(len(numbers), dtype=np.int64)).to(
                state.policy.opening.device
            )
            site, entry = likelihood(
                state.policy, dataset.vocabulary, graphs, batch, bf16=recipe.bf16, weights=state.average
            )
            total -= float((site + entry).double().sum())
    return total / max(len(checked), 1)


def _save(state: State, path: Path, recipe: Recipe) -> None:
    tensors: dict[str, Tensor] = {}
    for name, value in state.policy.named_parameters():
        moments = state.optimiser.state.get(value, {})
        tensors[f"policy.{name}"] = value.detach()
        tensors[f"average.{name}"] = state.average[name]
        for key in ("step", "exp_avg", "exp_avg_sq"):
            if key in moments:
                tensors[f"{key}.{name}"] = moments[key]
    about = {
        "step": state.step,
        "seconds": state.seconds,
        "recipe": asdict(recipe),
    }
    beside = path.with_suffix(".new")
    save_file({k: v.contiguous() for k, v in tensors.items()}, beside, {"about": json.dumps(about)})
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def _restore(state: State, path: Path, recipe: Recipe) -> None:
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
        theirs = about["recipe"]
        ours = asdict(recipe)
        if theirs != ours:
            differ = [key for key in ours if ours[key] != theirs.get(key)]
            raise SettingError(
                f"{path} was made with another recipe ({', '.join(differ)} differ); "
                "give the same settings, or another --out"
            )
        with torch.no_grad():
            for name, value in state.policy.named_parameters():
                value.copy_(file.get_tensor(f"policy.{name}"))
                state.average[name].copy_(file.get_tensor(f"average.{name}"))
                if f"exp_avg.{name}" in file.keys():  # noqa: SIM118 (no mapping)
                    state.optimiser.state[value] = {
                        "step": file.get_tensor(f"step.{name}"),
                        "exp_avg": file.get_tensor(f"exp_avg.{name}").to(value.device),
                        "exp_avg_sq": file.get_tensor(f"exp_avg_sq.{name}").to(value.device),
                    }
    state.step, state.seconds = about["step"], about["seconds"]


def seconds(text: str) -> float:
    """ "90s", "20m", "2h" or plain seconds.

    Raises
    ------
    SettingError
        Anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if not found:
        raise SettingError(f"{text!r} is no length of time; write 90s, 20m or 2h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def learn(
    molecules: Sequence[Path],
    out: Path,
    *,
    steps: int | None = None,
    budget: float | None = None,
    start: Weights | None = None,
    limit: int | None = None,
    workers: int = 1,
    seed: int = SEED,
    device: str = "auto",
    tell: Callable[[dict[str, float]], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """From SMILES files to weights: reads the molecules unless `out` holds them already, then trains.

    A model that is taught a further series (`start`) takes up the series' own units and bonds,
    learns in smaller steps, and none of the series is held out for benchmarks. `settings` are
    fields of `Recipe` to be other than usual.

    Raises
    ------
    SettingError
        As `prepare` and `train`; or `out` was begun with other molecules.
    """
    crew = join_crew(device)
    data = out / "data"
    begun = (data / "vocabulary.json").exists()
    made_of = _made_of(molecules, limit, start)
    if begun:
        _check_same(data / MADE_OF, made_of)
    elif crew.leads:
        prepared = prepare(
            molecules,
            seed=seed,
            limit=limit,
            workers=workers,
            vocabulary=start.vocabulary if start else None,
            widen=start is not None,
            hold_out=start is None,
        )
        data.mkdir(parents=True, exist_ok=True)
        publish(data / MADE_OF, json.dumps(made_of).encode())
        prepared.save(data)
    crew.wait()
    bf16 = crew.device != "cpu" or has_bf16()
    usual: dict[str, Any] = {"seed": seed, "bf16": bf16}
    if start:
        usual |= {"batch": 64, "rate": 5e-4, "warmup": 20, "decay": 0.5, "shape": start.shape}
    recipe = Recipe(**{**usual, **(settings or {})})
    return train(
        Dataset.load(data), out, recipe=recipe, steps=steps, budget=budget, start=start, crew=crew, tell=tell
    )


def _made_of(molecules: Sequence[Path], limit: int | None, start: Weights | None) -> dict[str, Any]:
    """What decides the data, besides the seed, which the recipe holds."""
    return {
        "molecules": [sha256_of(file) for file in molecules if file.is_file()],
        "limit": limit,
        "start": start.sha256 if start else None,
    }


def _check_same(note: Path, now: Mapping[str, Any]) -> None:
    """See that a folder's data is made of what is given; a folder of older code has no note and passes."""
    then = json.loads(note.read_text("utf-8")) if note.exists() else now
    if what := ", ".join(key for key in now if then.get(key) != now[key]):
        raise SettingError(
            f"{note.parents[1]} was begun otherwise (different: {what}); choose another --out, or give what it was "
            "begun with"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m generative.training", description="Train the graph model."
    )
    parser.add_argument(
        "--molecules", type=Path, nargs="+", required=True, help="SMILES files, plain or gzipped"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", type=seconds, default=3600.0, help="90s, 20m, 2h")
    parser.add_argument("--steps", type=int, help="instead of a budget")
    parser.add_argument("--limit", type=int, help="molecules taken from each file")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int, default=1, help="processes that read molecules")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    path = learn(
        given.molecules,
        given.out,
        steps=given.steps,
        budget=None if given.steps else given.budget,
        limit=given.limit,
        workers=given.workers,
        seed=given.seed,
        device=given.device,
        start=Weights.load(given.start) if given.start else None,
    )
    if os.environ.get("RANK", "0") == "0":
        print(f"weights written to {path}")


def has_bf16() -> bool:
    """Does this CPU multiply bfloat16 matrices in hardware?"""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


if __name__ == "__main__":
    main()
