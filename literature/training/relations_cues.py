"""How much does each cue weigh?

Softmax regression over all pairs of the taught documents of a convention, with a penalty
on squared weights; of the cues that at least two pairs show, those of the largest weights
are kept. The penalty and how many are kept were chosen on thirds of the taught documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discovery.extras import needs
from literature.model.linear import Cues, Floats, Keys
from literature.relations.corpus import ANSWERS, Related, RelationCorpus, candidates
from literature.relations.cues import cues, keys
from literature.training.relations_scoring import things

with needs("literature"):
    import torch
    from torch.nn import functional


RIDGE: Mapping[str, float] = {"DrugProt": 0.06, "CDR": 0.1, "BioRED": 0.3}
KEPT: Mapping[str, int] = {"DrugProt": 20_000, "CDR": 20_000, "BioRED": 10_000}
_ROUNDS = 130  # of descent; fewer stop short by several points of F1 where answers are many


def seen(convention: str, document: Related) -> tuple[list[Keys], list[int]]:
    """The cues and the answer (row of `ANSWERS`) of every pair of a document."""
    own = things(document)
    truth = {(pair.subject, pair.object): pair.answer for pair in document.pairs}
    pairs = list(candidates(convention, document.text, own))
    answers = [ANSWERS[convention].index(truth[own[a], own[b]]) for a, b in pairs]
    return [keys(found) for found in cues(convention, document.text, own, pairs)], answers


def taught(corpus: RelationCorpus) -> Cues | None:
    """What the cues of a corpus' taught documents say; None if they hold no pair."""
    shown, truth = list[Keys](), list[int]()
    for document in corpus.train:
        found, answers = seen(corpus.convention, document)
        shown += found
        truth += answers
    if not shown:
        return None
    count = len(ANSWERS[corpus.convention])
    return fitted(shown, truth, count, RIDGE[corpus.convention], KEPT[corpus.convention])


def fitted(shown: Sequence[Keys], truth: Sequence[int], answers: int, ridge: float, most: int) -> Cues:
    """Softmax regression.

    Parameters
    ----------
    shown : [pair]
    truth : [pair]
    answers
        How many there are.
    most
        Cues kept.
    """
    every, counts = np.unique(np.concatenate(shown), return_counts=True)
    known = every[counts > 1] if (counts > 1).any() else every
    rows, whose = list[Keys](), list[Keys]()
    for pair, found in enumerate(shown):
        at = np.searchsorted(known, found).clip(max=len(known) - 1)
        at = at[known[at] == found]
        rows.append(at)
        whose.append(np.full(len(at), pair))
    ids, length = torch.from_numpy(np.concatenate(rows)), np.array([len(at) for at in rows])
    starts = torch.from_numpy(np.concatenate([[0], length.cumsum()[:-1]]))
    shares = torch.from_numpy(np.repeat(1 / np.sqrt(length.clip(min=1)), length).astype(np.float32))
    target = torch.tensor(truth)
    weights = torch.zeros(len(known), answers, requires_grad=True)
    bias = torch.zeros(answers, requires_grad=True)
    descent = torch.optim.LBFGS(
        [weights, bias], max_iter=_ROUNDS, max_eval=2 * _ROUNDS, history_size=6, line_search_fn="strong_wolfe"
    )

    def cost() -> torch.Tensor:
        descent.zero_grad()
        scores = functional.embedding_bag(ids, weights, starts, mode="sum", per_sample_weights=shares) + bias
        value = functional.cross_entropy(scores, target, reduction="sum") + ridge / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    descent.step(cost)  # type: ignore[no-untyped-call]
    found_weights: Floats = weights.detach().double().numpy()
    best = np.sort(np.square(found_weights).sum(axis=1).argsort()[::-1][:most])
    return Cues(known[best], found_weights[best], bias.detach().double().numpy())
