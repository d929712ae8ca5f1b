"""Does the graph model learn more in the same time than a plain SMILES LSTM?

Answer    MOSES' measures of both, each trained for --budget on the same set on the same machine, and
          sampled as they are: nothing filtered
Data      MOSES' training set inside the package molsets; the rest as in tests.benchmarks.moses
Baseline  CharRNN, MOSES' own: an LSTM over characters, their cross-entropy minimised. Two layers of 256 instead of
          three of 768, which would see 15 times fewer molecules in the time; AdamW and an average of its weights
          as ours, at 4e-3, the better of two rates by held-out likelihood after 20 seconds. Its molecules: all of the
          set, at most once each; ours: --limit, drawn at random, several times each (reading them is not in the
          budget: 2 ms a molecule)
Budget    20 minutes of one core's time each; both go on where they stopped. --quick: 30 seconds each, 500 molecules
Failures  what does not parse counts against validity and is left out of the rest
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discovery.intake import written_in
from generative.learning.state import State
from generative.model import Weights
from generative.training import has_bf16, seconds, train
from tests.benchmarks.moses import measured, package, sampled
from tests.benchmarks.record import options, record

END, BEGIN = 0, 1  # of a molecule; END pads it too
LONGEST = 100  # characters, as MOSES samples them
HELD = 2_048  # molecules the likelihood is measured on
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """What decides the baseline's weights, besides the molecules."""

    width: int = 256
    layers: int = 2
    batch: int = 128
    rate: float = 4e-3
    warmup: int = 100
    decay: float = 0.25
    weight_decay: float = 0.01
    seed: int = 7


class CharRNN(nn.Module):
    """Characters so far -> the next one."""

    def __init__(self, characters: str, recipe: Recipe) -> None:
        super().__init__()
        self.characters = characters
        size = len(characters) + 2
        self.embed = nn.Embedding(size, recipe.width)
        self.lstm = nn.LSTM(recipe.width, recipe.width, recipe.layers, batch_first=True)
        self.out = nn.Linear(recipe.width, size)

    def loss(self, codes: Tensor) -> Tensor:
        """Nats a molecule, of [molecule, character]."""
        begun = F.pad(codes, (1, 0), value=BEGIN)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
            hidden, _ = self.lstm(self.embed(begun[:, :-1]))
            scores = self.out(hidden)
        lost = F.cross_entropy(scores.float().transpose(1, 2), codes, reduction="none")
        real = (begun[:, :-1] != END).float()  # up to the first END, which is learned too
        return (lost * real).sum() / len(codes)

    def sample(self, n: int, seed: int) -> Iterator[str]:
        """As learned, at a temperature of 1."""
        draw = torch.Generator().manual_seed(seed)
        names = ["", "", *self.characters]
        for first in range(0, n, 500):
            last = torch.full((min(500, n - first), 1), BEGIN)
            memory, made = None, []
            for _ in range(LONGEST):
                hidden, memory = self.lstm(self.embed(last), memory)
                chance = torch.softmax(self.out(hidden[:, 0]), dim=-1)
                last = torch.multinomial(chance, 1, generator=draw)
                made.append(last[:, 0])
            for row in torch.stack(made, dim=1).tolist():
                whole = row[: row.index(END)] if END in row else row
                yield "".join(names[code] for code in whole)


def encoded(molecules: Sequence[str]) -> tuple[Codes, str]:
    """[molecule, character] as numbers, END at the end; and what the numbers mean."""
    characters = "".join(sorted(set("".join(molecules))))
    number = {character: i + 2 for i, character in enumerate(characters)}
    codes = np.zeros((len(molecules), max(map(len, molecules)) + 1), dtype=np.uint8)
    for row, smiles in enumerate(molecules):
        codes[row, : len(smiles)] = [number[one] for one in smiles]
    return codes, characters


def trained(
    molecules: Sequence[str], out: Path, budget: float, recipe: Recipe
) -> tuple[CharRNN, State[CharRNN]]:
    """The baseline after `budget` processor seconds in all; goes on from `out`."""
    codes, characters = encoded(molecules)
    torch.manual_seed(recipe.seed)
    net = CharRNN(characters, recipe)
    state = State.begin(net, recipe)
    checkpoint = out / "lstm.safetensors"
    if checkpoint.exists():
        state.restore(checkpoint, asdict(recipe))
    order = np.random.default_rng(recipe.seed).permutation(len(codes))[min(HELD, len(codes) // 10) :]
    in_epoch = len(order) // recipe.batch
    began, saved = time.process_time() - state.seconds, time.monotonic()
    while True:
        state.seconds = time.process_time() - began
        state.progress = state.seconds / budget
        if state.progress >= 1.0:
            break
        at = state.step % in_epoch * recipe.batch
        state.descend(net.loss(padded(codes[order[at : at + recipe.batch]])), recipe)
        if time.monotonic() - saved > 60.0:
            state.save(checkpoint, asdict(recipe))
            saved = time.monotonic()
    state.save(checkpoint, asdict(recipe))
    with torch.no_grad():
        for name, value in net.named_parameters():
            value.copy_(state.average[name])
    return net.eval(), state


def padded(codes: Codes) -> Tensor:
    """No longer than the longest needs."""
    return torch.from_numpy(codes[:, : int((codes != END).sum(1).max()) + 1].astype(np.int64))


def held_out(net: CharRNN, molecules: Sequence[str], seed: int) -> float:
    """Nats a molecule of those kept out of training."""
    codes, _ = encoded(molecules)
    held = np.random.default_rng(seed).permutation(len(codes))[: min(HELD, len(codes) // 10)]
    with torch.no_grad():
        return float(
            np.mean([float(net.loss(padded(codes[held[i : i + 64]]))) for i in range(0, len(held), 64)])
        )


def audited(
    sample: Callable[[], list[str]], kept: Path, about: Mapping[str, int | str]
) -> dict[str, float | str]:
    """MOSES' measures of what `sample` draws; those kept from a run that was stopped, where it was about the same."""
    if kept.exists() and (before := json.loads(kept.read_text()))["about"] == about:
        return dict(before["found"])
    began = time.process_time()
    with torch.inference_mode():
        made = sample()
    speed = len(made) / (time.process_time() - began)
    found = {**measured(made), "molecules_per_cpu_second": speed}
    kept.write_text(json.dumps({"about": about, "found": found}))
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--out", type=Path, help="keep both here, and go on with what is there")
    parser.add_argument("--budget", type=seconds, default=1200.0)
    parser.add_argument("--limit", type=int, default=150_000, help="molecules the graph model learns from")
    parser.add_argument("--n", type=int, default=30_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    n, limit, budget = (500, 2_000, 30.0) if given.quick else (given.n, given.limit, given.budget)
    recipe = Recipe()
    with tempfile.TemporaryDirectory() as scratch:
        out = given.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        molecules = list(written_in(package() / "dataset" / "data" / "train.csv.gz"))
        file = out / "moses.smi"
        file.write_text("\n".join(molecules) + "\n")
        net, state = trained(molecules, out, budget, recipe)
        path = train(
            [file],
            out / "graph",
            budget=budget,
            limit=limit,
            seed=recipe.seed,
            device="cpu",
            clock=time.process_time,
        )
        weights = Weights.load(path)
        numbers: dict[str, float | str] = {
            "samples": n,
            "seconds_of_training": budget,
            "lstm_parameters": sum(value.numel() for value in net.parameters()),
            "lstm_molecules_seen": state.step * recipe.batch,
            "lstm_nats_held_out": held_out(net, molecules, recipe.seed),
            "graph_parameters": sum(value.numel() for value in weights.policy().parameters()),
            "graph_molecules_seen": float(weights.about["molecules_seen"]),
        }
        about = {"samples": n, "seed": recipe.seed, "steps": state.step, "weights": weights.sha256}
        for name, sample in (
            ("lstm", lambda: list(net.sample(n, recipe.seed))),
            ("graph", lambda: sampled(weights, n, seed=recipe.seed)),
        ):
            found = audited(sample, out / f"{name}.json", about)
            numbers |= {f"{name}_{key}": value for key, value in found.items()}
    record("moses_lstm", numbers, seed=recipe.seed)


if __name__ == "__main__":
    main()
