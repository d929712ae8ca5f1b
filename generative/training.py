"""From SMILES to weights, in one command and one budget.

    discovery train --molecules FILE --out DIR --budget 1h

Training may be killed at any moment: run the same command again and it goes on from the
last checkpoint, to the same weights bit for bit when the end is given in steps. The
learning rate stays level until the last quarter and then falls to zero; a running
average of the weights is what ships.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from discovery.devices import SEED
from discovery.extras import needs
from discovery.files import publish, sha256_of
from generative.encoding import rows, unit_graphs
from generative.learning.dataset import Dataset, prepare
from generative.learning.parallel import Crew, join_crew
from generative.learning.state import State
from generative.limits import habits
from generative.model import Weights, save_weights
from generative.policy import Policy, Shape
from generative.refusal import SettingError
from generative.vocabulary import Vocabulary
from generative.wishes import PROPERTIES

with needs("generative"):
    import torch
    from torch import Tensor
    from torch.func import functional_call


Numbers = npt.NDArray[np.int64]  # of molecules

WEIGHTS = "model.safetensors"
MADE_OF = "made_of.json"  # beside the data
POOL = 16  # batches drawn together and sorted by length, so that little is padded
VALIDATION = 1_024  # molecules kept out of training to measure the likelihood on
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


def train_on(
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
    clock: Callable[[], float] = time.monotonic,
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
    clock : callable
        What the budget is counted by, seconds; `time.process_time` where the processor is shared with others.

    Raises
    ------
    SettingError
        Neither or both ends are given, or a checkpoint in `out` was made with another recipe.
    """
    if (steps is None) == (budget is None):
        raise SettingError("give either steps or budget")
    recipe, crew = recipe or Recipe(), crew or Crew()
    course = Course.of(dataset, recipe, crew)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.safetensors"
    state = _begin(dataset.vocabulary, recipe, start, crew.device)
    if checkpoint.exists():
        state.restore(checkpoint, asdict(recipe))
    diary = Diary(out / "metrics.jsonl", tell)
    began, saved = clock() - state.seconds, time.monotonic()
    for numbers in course.batches(state.step):
        state.seconds = crew.agree(clock() - began)
        state.progress = state.step / steps if steps is not None else state.seconds / (budget or 1.0)
        if state.progress >= 1.0:
            break
        loss = course.learn(state, numbers)
        if crew.leads:
            diary.note(state, loss, course)
            if time.monotonic() - saved > save_every:
                state.save(checkpoint, asdict(recipe))
                saved = time.monotonic()
    if not crew.leads:
        return out / WEIGHTS
    state.save(checkpoint, asdict(recipe))
    return _publish(out / WEIGHTS, state, course)


def _begin(vocabulary: Vocabulary, recipe: Recipe, start: Weights | None, device: str) -> State[Policy]:
    torch.manual_seed(recipe.seed)
    policy = start.policy(vocabulary) if start else Policy(recipe.shape, len(vocabulary.entries))
    return State.begin(policy.to(device), recipe)


def _publish(path: Path, state: State[Policy], course: Course) -> Path:
    """The weights that ship, with what they were made of and by."""
    about = {
        "styles": list(course.dataset.styles),
        "conditions": list(PROPERTIES),
        "habits": habits(course.dataset),
        "data": course.dataset.report,
        "steps": state.step,
        "molecules_seen": state.step * course.recipe.batch,
        "training_seconds": round(state.seconds),
        "validation_nats_per_molecule": round(course.validate(state), 4),
        "recipe": asdict(course.recipe),
    }
    return save_weights(path, state.policy, state.average, course.dataset.vocabulary, about)


@dataclass
class Diary:
    """What was measured on the way, a line each."""

    path: Path
    tell: Callable[[dict[str, float]], None] | None = None
    looked: float = 0.0  # progress at the last look at held-out molecules

    def note(self, state: State[Policy], loss: float, course: Course) -> None:
        look = state.progress - self.looked >= 1 / LOOKS
        if not look and state.step % 50:
            return
        line = {"step": state.step, "seconds": round(state.seconds), "loss": round(loss, 4)}
        if look:
            self.looked = state.progress
            line["validation"] = round(course.validate(state), 4)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        if self.tell is not None:
            self.tell(line)


@dataclass(frozen=True)
class Course:
    """What is taught, to whom, and how: all that stays the same from step to step."""

    dataset: Dataset
    recipe: Recipe
    crew: Crew
    taught: Numbers
    checked: Numbers  # molecules kept out of training
    graphs: Any  # of the vocabulary's units

    @classmethod
    def of(cls, dataset: Dataset, recipe: Recipe, crew: Crew) -> Course:
        if min(recipe.batch, len(dataset)) < 2 * crew.size:
            raise SettingError(f"{len(dataset)} molecules are too few for {crew.size} processes")
        order = np.random.default_rng([recipe.seed, 0xD1]).permutation(len(dataset))
        held = min(VALIDATION, len(dataset) // 10)
        graphs = unit_graphs(dataset.vocabulary).to(crew.device)
        return cls(dataset, recipe, crew, order[held:], order[:held], graphs)

    def batches(self, step: int) -> Iterator[Numbers]:
        """Molecules of each step from `step` on, the same whenever it is asked."""
        size = min(self.recipe.batch, len(self.taught))
        in_epoch = len(self.taught) // size
        length = np.diff(self.dataset.start)
        seed = self.recipe.seed
        while True:
            epoch, first = divmod(step, in_epoch)
            order = np.random.default_rng([seed, 0xE0, epoch]).permutation(self.taught)[: in_epoch * size]
            for pool in range(first // POOL * POOL, in_epoch, POOL):
                part = order[pool * size : (pool + POOL) * size]
                part = part[np.argsort(length[part], kind="stable")]
                mixed = np.random.default_rng([seed, 0xE1, epoch, pool]).permutation(len(part) // size)
                for number in mixed[max(first - pool, 0) :]:
                    yield part[number * size : (number + 1) * size]
                    step += 1

    def learn(self, state: State[Policy], numbers: Numbers) -> float:
        """One step on a batch, of which this process reads its share; returns the leader's part for the whole."""
        rng = np.random.default_rng([self.recipe.seed, 0xB0, state.step])
        order = (rng.random(len(numbers)) < self.recipe.shuffled).astype(np.int64)
        asked = (rng.random((len(numbers), 1)) < self.recipe.asked) & (
            rng.random((len(numbers), len(PROPERTIES))) < 0.5
        )
        wanted = np.where(asked, self.dataset.properties[numbers], np.float32(np.nan))
        share = self.crew.share
        batch = self._rows(share(numbers), share(order), share(wanted))
        loss = -self._likelihood(state.policy, batch).sum() / len(numbers)
        return state.descend(loss, self.recipe, share=self.crew.add_up) * self.crew.size

    def validate(self, state: State[Policy]) -> float:
        """Mean negative log-likelihood of held-out molecules in their ordered rollout, nats."""
        total = 0.0
        by_length = self.checked[np.argsort(np.diff(self.dataset.start)[self.checked], kind="stable")]
        with torch.no_grad():
            for first in range(0, len(by_length), self.recipe.batch):
                numbers = by_length[first : first + self.recipe.batch]
                batch = self._rows(numbers, np.zeros(len(numbers), dtype=np.int64))
                total -= float(self._likelihood(state.policy, batch, state.average).double().sum())
        return total / max(len(self.checked), 1)

    def _likelihood(self, policy: Policy, batch: Any, weights: dict[str, Tensor] | None = None) -> Tensor:
        """Of each row; in bfloat16 the weights stay float32 and are cast on the way in."""
        values: dict[str, Tensor] = dict(weights or policy.named_parameters())
        if self.recipe.bf16:
            values = {name: value.to(torch.bfloat16) for name, value in values.items()}
            values |= {name: value.to(torch.bfloat16) for name, value in policy.named_buffers()}
        site, entry = functional_call(policy, values, (self.dataset.vocabulary, self.graphs, batch))
        return cast(Tensor, site + entry)

    def _rows(self, numbers: Numbers, order: Numbers, wanted: npt.NDArray[np.float32] | None = None) -> Any:
        start = self.dataset.start
        steps = [self.dataset.steps[o, start[i] : start[i + 1]] for i, o in zip(numbers, order, strict=True)]
        style = [int(self.dataset.style[i]) for i in numbers]
        batch = rows(self.dataset.vocabulary, steps, order.tolist(), style, wanted)
        return batch.to(self.crew.device)


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


def train(
    molecules: Sequence[str | Path],
    out: str | Path,
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
    clock: Callable[[], float] = time.monotonic,
) -> Path:
    """From files of molecules to weights: reads the molecules unless `out` holds them already, then trains.

    A model that is taught a further series (`start`) takes up the series' own units and bonds,
    learns in smaller steps, and none of the series is held out for benchmarks.

    Parameters
    ----------
    steps, budget : when to stop: after so many steps, or so many seconds, in all; one of them
    clock : what the seconds are counted by
    limit : at most so many molecules of each file
    workers : processes that read the molecules
    device : auto, cpu or cuda
    tell : called with what each validation measured
    settings : fields of `Recipe` to be other than usual
    seed : the same seed, files and settings give the same weights

    Raises
    ------
    SettingError
        As `prepare` and `train_on`; or `out` was begun with other molecules.
    """
    files, out = [Path(file) for file in molecules], Path(out)
    crew = join_crew(device)
    data = out / "data"
    begun = (data / "vocabulary.json").exists()
    made_of = _made_of(files, limit, start)
    if begun:
        _check_same(data / MADE_OF, made_of)
    elif crew.leads:
        prepared = prepare(
            files,
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
    return train_on(
        Dataset.load(data),
        out,
        recipe=recipe,
        steps=steps,
        budget=budget,
        start=start,
        crew=crew,
        tell=tell,
        clock=clock,
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


def has_bf16() -> bool:
    """Does this CPU multiply bfloat16 matrices in hardware?"""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
