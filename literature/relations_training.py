"""How does a network learn how things are related?

From the network that finds names: over its word pieces, which stay as they are, and from
its layers, which go their own way on three corpora at once. The file that comes out holds
both, that for names bit for bit as it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from literature.descent import Plan, TrainingError, descend
from literature.encoder import EMBEDDED, Encoder
from literature.lessons import in_batches, pool
from literature.relations_corpus import NONE, OUTPUTS, SENTENCES, RelationCorpus
from literature.relations_lessons import (
    Rows,
    beside,
    blinded,
    lessons,
    relation_loss,
    size,
    thinned,
    type_words,
    unknown,
)
from literature.weights_io import Pairs, amend, read
from literature.wordpieces import Wordpieces

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise ImportError("training the reader needs: pip install 'discovery-workbench[literature]'") from error

STEP = 0.2  # of the numbers kept, as weights_io.STEP: coarser than those of names, so that both fit
POOL = 4096  # rows that are put in order of length together
PLAN = Plan(rate=3e-4, head_rate=1e-3, blinded=0.2, thinned=0.5, cooling=0.85, warmup=0.05)


def train(
    corpora: Sequence[RelationCorpus],
    names: Path,
    out: Path,
    plan: Plan = PLAN,
    *,
    exact: bool = False,
    tell: Callable[[str], object] = print,
) -> Path:
    """Train, or go on training, and write `out`/reader.safetensors.

    Parameters
    ----------
    names
        Weights of a network that finds names; if they hold one for pairs too, that is gone on with.
    exact
        Keep 32-bit numbers.

    Raises
    ------
    TrainingError
        If no corpus holds a pair, or `out` holds the checkpoint of another plan.
    WeightsError
        If `names` are no weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    begun = read(names)
    cutter = Wordpieces.of_vocabulary(begun.vocabulary)
    shape = replace(begun.shape, conventions=(), relations=OUTPUTS)
    torch.manual_seed(plan.seed)
    network = Encoder(shape, plan.dropout)
    known = begun.tensors if begun.pairs is None else begun.answering().state_dict()
    network.load_state_dict({name: known.get(name, tensor) for name, tensor in network.state_dict().items()})
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(EMBEDDED))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    rows = lessons(corpora, cutter, min(plan.places, shape.places), type_words(begun.vocabulary))
    chance = np.random.default_rng([plan.seed, 3])
    rows = [thinned(found, plan.thinned, chance) for found in rows]
    if not any(rows):
        raise TrainingError("the corpora hold no pair to learn from")
    shares = [corpus.share for corpus in corpora]
    hidden = unknown(begun.vocabulary)
    tell(
        f"{', '.join(f'{len(r):,} rows of {c.convention}' for r, c in zip(rows, corpora, strict=True))} on {device}"
    )

    def shown(number: int) -> list[Rows]:
        chance = np.random.default_rng([plan.seed, number, 2])
        chosen = [
            blinded(row, plan.blinded, hidden, chance) for row in pool(rows, shares, plan.seed, number, POOL)
        ]
        return in_batches(
            chosen, size, lambda some: beside(some, cutter.pad), plan.batch_pieces, plan.seed, number
        )

    def value(batch: Rows) -> Tensor:
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            scores = network.related(batch.pieces, batch.shapes, batch.real, batch.asked.marks)
        return relation_loss(scores, batch.asked)

    def keep(mean: dict[str, Tensor], made: tuple[str, ...]) -> Path:
        path = out / "reader.safetensors"
        told = mean | {"pairs.bias": _unthinned(mean["pairs.bias"], plan.thinned)}
        amend(names, path, Pairs(shape, told, made=made), exact=exact, step=STEP)
        return path

    new = ("parts", "named", "counts", "meet", "pairs")
    history = begun.pairs.made if begun.pairs is not None else ()
    return descend(network, plan, out, shown, value, keep, new=new, history=history, tell=tell)


def _unthinned(bias: Tensor, thinned: float) -> Tensor:
    """[output]: where unrelated pairs were left out, "none" is that much likelier than it was taught."""
    found = bias.clone()
    for convention in SENTENCES:
        found[OUTPUTS.index(f"{convention}:{NONE}")] -= math.log(1 - thinned)
    return found
