"""How does a network learn how things are related?

From the general sentence encoder the network of names began with, on three corpora at
once. It keeps that network's vocabulary, and otherwise goes its own way. The file that
comes out holds both, that for names bit for bit as it was, and what words around names say
by themselves (relations_cues.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from discovery.extras import needs
from literature.model.encoder import Encoder, from_bert
from literature.model.weights_io import Pairs, amend, kept_cues, read
from literature.model.wordpieces import Wordpieces
from literature.relations.corpus import NONE, OUTPUTS, RelationCorpus
from literature.relations.lessons import (
    WIDEST,
    Rows,
    beside,
    blinded,
    lessons,
    relation_loss,
    size,
    thinned,
    type_words,
)
from literature.training.descent import Plan, TrainingError, descend, fill, take
from literature.training.lessons import in_batches, pool
from literature.training.relations_cues import taught

with needs("literature"):
    import torch
    from safetensors.torch import load_file
    from torch import Tensor


STEP = 0.32  # of the numbers kept, as weights_io.STEP: coarser than those of names, so that both fit
POOL = 4096  # rows that are put in order of length together
PLAN = Plan(rate=2e-4, head_rate=1e-3, blinded=0.5, cooling=0.95, warmup=0.05, places=WIDEST)


def train(
    corpora: Sequence[RelationCorpus],
    encoder: Path | None,
    names: Path,
    out: Path,
    plan: Plan = PLAN,
    *,
    start: Path | None = None,
    exact: bool = False,
    tell: Callable[[str], object] = print,
) -> Path:
    """Train, or go on training, and write `out`/reader.safetensors.

    Parameters
    ----------
    encoder
        Folder of a BERT-like model: model.safetensors, vocab.txt.
    names
        Weights of a network that finds names.
    start
        Folder of an earlier run, or a weights file, whose weights are taken instead of those of `encoder`.
    exact
        Keep 32-bit numbers.

    Raises
    ------
    TrainingError
        If no corpus holds a pair, `start` has no such network, or `out` holds the checkpoint of another plan.
    WeightsError
        If `names` are no weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    begun = read(names)
    cutter = Wordpieces.of_vocabulary(begun.vocabulary)
    torch.manual_seed(plan.seed)
    if start is not None and start.is_file():
        earlier = read(start).pairs
        if earlier is None:
            raise TrainingError(f"{start} answers for no pairs, so relations cannot be learned on from it")
        network = Encoder(replace(earlier.shape, relations=OUTPUTS), plan.dropout)
        fill(network, earlier.tensors, start)
        history = list(earlier.made)
    elif encoder is None:
        raise TrainingError("relations are learned from a BERT model's folder or from weights; name one")
    else:
        places = min(plan.places, begun.shape.places)
        network = from_bert(
            load_file(encoder / "model.safetensors"),
            rows_in(encoder, begun.vocabulary, names),
            replace(begun.shape, conventions=(), relations=OUTPUTS, places=places),
            plan.dropout,
        )
        history = take(start, network) if start is not None else []
    shape = network.shape
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    words = type_words(begun.vocabulary)
    rows = lessons(corpora, cutter, shape.places, words)
    if not any(rows):
        raise TrainingError("the corpora hold no pair to learn from")
    shares = [corpus.share for corpus in corpora]
    thin = {corpus.convention: corpus.thinned for corpus in corpora}
    tell(
        f"{', '.join(f'{len(r):,} rows of {c.convention}' for r, c in zip(rows, corpora, strict=True))} on {device}"
    )

    def shown(number: int) -> list[Rows]:
        chance = np.random.default_rng([plan.seed, number, 2])
        chosen = thinned(pool(rows, shares, plan.seed, number, POOL), thin, chance)
        chosen = [blinded(row, plan.blinded, words, chance) for row in chosen]
        return in_batches(
            chosen, size, lambda some: beside(some, cutter.pad), plan.batch_pieces, plan.seed, number
        )

    def value(batch: Rows) -> Tensor:
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            scores = network.related(batch.pieces, batch.named, batch.real, batch.holders)
        return relation_loss(scores, batch)

    def keep(mean: dict[str, Tensor], made: tuple[str, ...]) -> Path:
        path = out / "reader.safetensors"
        told = mean | {"pairs.bias": unthinned(mean["pairs.bias"], thin)}
        cues = {corpus.convention: model for corpus in corpora if (model := taught(corpus)) is not None}
        amend(names, path, Pairs(shape, told, made=made, cues=kept_cues(cues)), exact=exact, step=STEP)
        return path

    new = ("named", "meet", "pairs")
    return descend(network, plan, out, shown, value, keep, new=new, history=history, tell=tell)


def rows_in(encoder: Path, words: Sequence[str], whose: Path) -> list[int]:
    """The rows of a vocabulary in that of the starting model.

    Raises
    ------
    TrainingError
        If it lacks a word of them.
    """
    there = {
        piece: row
        for row, piece in enumerate((encoder / "vocab.txt").read_text(encoding="utf-8").split("\n"))
    }
    strange = [word for word in words if word not in there]
    if strange:
        raise TrainingError(
            f"{whose} was not made from {encoder}, which lacks its pieces {', '.join(strange[:3])}"
        )
    return [there[word] for word in words]


def unthinned(bias: Tensor, thinned: Mapping[str, float]) -> Tensor:
    """[output]: where unrelated pairs were left out, "none" is that much likelier than it was taught."""
    found = bias.clone()
    for convention, share in thinned.items():
        found[OUTPUTS.index(f"{convention}:{NONE}")] -= math.log(1 - share)
    return found
