"""Which weights should cues have, so that they say of every example what people said?

Softmax regression: of all weights those under which the answers given are likeliest, less
a penalty on squared weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.extras import needs
from literature.model.linear import Cues, Floats, Keys

with needs("literature"):
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix, diags


def fitted(
    shown: Sequence[Keys],
    truth: Sequence[int],
    answers: int,
    ridge: float,
    *,
    least: int,
    rounds: int,
    share: float | None = None,
) -> Cues:
    """What each cue says for each answer.

    Parameters
    ----------
    shown : [example]
        The cues of each.
    truth : [example]
    answers
        How many there are.
    least
        Times that a cue must be shown.
    rounds
        Of descent.
    share
        What a cue of weight 1 counts; when None, one over the root of the number of an example's cues, as
        `Cues` reads them.
    """
    every, which, counts = np.unique(np.concatenate(shown), return_inverse=True, return_counts=True)
    often = counts >= least
    kept = often[which]
    rows = np.repeat(np.arange(len(shown)), [len(keys) for keys in shown])[kept]
    columns = (often.cumsum() - 1)[which[kept]]
    size = (len(shown), int(often.sum()))
    table = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=size)
    if share is None:
        number = np.bincount(rows, minlength=len(shown)).clip(min=1)
        table = (diags(1 / np.sqrt(number).astype(np.float32)) @ table).tocsr()
    else:
        table *= np.float32(share)
    turned = table.T.tocsr()
    aim = np.zeros((len(shown), answers), np.float32)
    aim[np.arange(len(shown)), truth] = 1

    def cost(numbers: Floats) -> tuple[float, Floats]:
        weights = numbers.reshape(-1, answers).astype(np.float32)
        scores = table @ weights[:-1] + weights[-1]
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
        value = -float(scores[aim > 0].sum(dtype=np.float64))
        value += ridge / 2 * float(np.square(weights[:-1], dtype=np.float64).sum())
        amiss = np.exp(scores) - aim
        slope = np.vstack([turned @ amiss + ridge * weights[:-1], amiss.sum(axis=0)])
        return value, slope.ravel().astype(np.float64)

    start = np.zeros((size[1] + 1) * answers)
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": rounds, "maxcor": 6}).x
    numbers = found.reshape(-1, answers)
    return Cues(every[often], numbers[:-1], numbers[-1])


def largest(cues: Cues, most: int) -> Cues:
    """The cues of the largest weights, so many of them."""
    kept = np.sort(np.square(cues.weights).sum(axis=1).argsort()[::-1][:most])
    return Cues(cues.known[kept], cues.weights[kept], cues.bias)
