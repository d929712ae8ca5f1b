"""How well does what was said of pairs agree with what people said of them, and how sure may one be?

A pair is right when its answer is the annotators'. Answers of one group (ChemProt
counts all inhibitors as one) may be counted together. Calibration is one temperature, one
weight of cues and one threshold per convention, fitted on some documents and judged on
others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from literature.lexicon import Type
from literature.model.linear import Floats
from literature.model.weights_io import cues_of, read, recalibrate
from literature.relations.answers import Answered, Answers, meaning, stated
from literature.relations.corpus import ANSWERS, CHEMPROT, NONE, Related, RelationCorpus, Thing, candidates
from literature.relations.cues import cues, joined, keys
from literature.relations.relating import RelationReader
from literature.training.scoring import Agreement

with needs("literature"):
    from scipy.optimize import minimize


@dataclass(frozen=True, slots=True)
class Told:
    """One pair: what people said, and what a model says."""

    kinds: tuple[Type, Type]
    truth: str
    novel: bool | None
    also: tuple[str, ...]
    said: Answered


def told(convention: str, documents: Sequence[Related], reader: Answers) -> list[list[Told]]:
    """Every pair of every document with its answer."""
    given = [(document.text, things(document)) for document in documents]
    result: list[list[Told]] = []
    for document, (text, own), answered in zip(documents, given, reader(convention, given), strict=True):
        truth = {(p.subject, p.object): p for p in document.pairs}
        rows: list[Told] = []
        for (a, b), said in zip(candidates(convention, text, own), answered, strict=True):
            pair = truth[own[a], own[b]]
            rows.append(Told((own[a].type, own[b].type), pair.answer, pair.novel, pair.also, said))
        result.append(rows)
    return result


def things(document: Related) -> list[Thing]:
    """The things of a document that stand in a pair, in order of appearance."""
    return list(dict.fromkeys(thing for pair in document.pairs for thing in (pair.subject, pair.object)))


def agree(
    rows: Sequence[Told], least: float, group: Callable[[str], str | None] = lambda answer: answer
) -> Agreement:
    """Pairs with the annotators' answer. `group` maps an answer to what it counts as; None: not counted."""
    right = wrong = missed = 0
    for row in rows:
        truth = None if row.truth == NONE else group(row.truth)
        said = group(row.said.best) if row.said.related >= least else None
        right += said is not None and said == truth
        wrong += said is not None and said != truth
        missed += truth is not None and said != truth
        missed += sum(group(answer) is not None for answer in row.also)
    return Agreement(right, wrong, missed)


def signs(convention: str, rows: Sequence[Told], least: float) -> tuple[int, int]:
    """Of related pairs with an effect that the model found with an effect: how many right, of how many."""
    right = total = 0
    for row in rows:
        if row.truth == NONE or row.said.related < least:
            continue
        truth = meaning(convention, row.truth, row.kinds).effect
        said = stated(convention, row.said, row.kinds).effect
        if truth and said:
            total += 1
            right += truth == said
    return right, total


def best_threshold(rows: Sequence[Told], group: Callable[[str], str | None] = lambda answer: answer) -> float:
    """The threshold of best F1; of equal ones the nearest to one half."""
    grid = [round(0.02 * n, 2) for n in range(5, 46)]
    return max(grid, key=lambda least: (agree(rows, least, group).f1, -abs(least - 0.5)))


@dataclass(frozen=True, slots=True)
class Judged:
    """Agreement with people on documents kept aside."""

    convention: str
    documents: int
    exact: Agreement  # the annotators' answer
    related: Agreement  # any relation
    grouped: Agreement | None  # ChemProt's five groups
    signs: tuple[int, int]  # right, of
    novelty: tuple[int, int]  # right, of: news or background
    news: int  # of those, how many are news
    error: float  # expected calibration error of "related"
    least: float


def judge(convention: str, documents: Sequence[Related], reader: Answers) -> Judged:
    """Everything that is counted, by the reader's own threshold. Relations between things that no candidate
    pair holds count as missed."""
    rows = [row for rows in told(convention, documents, reader) for row in rows]
    lost = [answer for document in documents for answer in document.lost]
    least = reader.least(convention)
    said = [row for row in rows if row.novel is not None and row.said.novel is not None]
    grouped = CHEMPROT.get if convention == "DrugProt" else None
    return Judged(
        convention,
        len(documents),
        agree(rows, least) + Agreement(missed=len(lost)),
        agree(rows, least, lambda answer: "any") + Agreement(missed=len(lost)),
        agree(rows, least, grouped) + Agreement(missed=sum(a in CHEMPROT for a in lost)) if grouped else None,
        signs(convention, rows, least),
        (sum(row.novel == ((row.said.novel or 0.0) >= 0.5) for row in said), len(said)),
        sum(bool(row.novel) for row in said),
        calibration_error(
            np.array([row.said.related for row in rows]), np.array([row.truth != NONE for row in rows])
        ),
        least,
    )


def halves(documents: Sequence[Related]) -> tuple[list[Related], list[Related]]:
    """Every second document by the lot of its identifier: to fit on, and to judge on."""
    order = sorted(documents, key=lambda d: hashlib.sha256(d.id.encode()).hexdigest())
    return order[::2], order[1::2]


def calibrate(weights: Path, corpora: Sequence[RelationCorpus]) -> None:
    """Fit each convention's temperature, weight of cues and threshold on half of its held documents, and keep them in
    the file."""
    recalibrate(weights, {})
    pairs = read(weights).pairs
    models = cues_of(weights, pairs.cues) if pairs is not None else {}
    found: dict[str, tuple[float, float, float]] = {}
    for corpus in corpora:
        convention = corpus.convention
        fit, _ = halves(corpus.held)
        rows = [row for rows in told(convention, fit, RelationReader(str(weights))) for row in rows]
        if not any(row.truth != NONE for row in rows):
            continue
        network = _logs(convention, rows)
        words = np.zeros_like(network)
        if convention in models:
            shown = [
                keys(seen) for d in fit for seen in cues(convention, d.text, things(d), _asked(convention, d))
            ]
            words = models[convention](shown)
        truth = np.array([ANSWERS[convention].index(row.truth) for row in rows])
        temperature, weight = best_joined(network, words, truth)
        chances = joined(network, words, temperature, weight)
        cooled = [_saying(row, chance) for row, chance in zip(rows, chances, strict=True)]
        grouped = CHEMPROT.get if convention == "DrugProt" else lambda answer: answer
        found[convention] = temperature, best_threshold(cooled, grouped), weight
    recalibrate(weights, found)


def _asked(convention: str, document: Related) -> list[tuple[int, int]]:
    return list(candidates(convention, document.text, things(document)))


def _logs(convention: str, rows: Sequence[Told]) -> Floats:
    """[row, answer]"""
    chances = np.array([[row.said.answers[answer] for answer in ANSWERS[convention]] for row in rows])
    found: Floats = np.log(chances.clip(min=1e-30))
    return found


def _saying(row: Told, chances: Floats) -> Told:
    answers = dict(zip(row.said.answers, map(float, chances), strict=True))
    return replace(row, said=replace(row.said, answers=answers))


def calibration_error(chances: NDArray[np.float64], true: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean distance of stated and observed frequency, bins of equal width.

    References
    ----------
    .. [1] Guo C. et al., On calibration of modern neural networks, ICML 2017, equation 3.
    """
    if len(chances) == 0:
        return 0.0
    bin = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(float(chances[bin == b].mean()) - float(true[bin == b].mean())) * float((bin == b).mean())
        for b in range(bins)
        if (bin == b).any()
    ]
    return float(sum(gaps))


def best_joined(network: Floats, cues: Floats, truth: NDArray[np.int64]) -> tuple[float, float]:
    """The temperature, 0.5 to 8, and the weight of cues of least cross-entropy of the answers; where cues say nothing, 0.

    The cross-entropy is convex in what both weigh, so there is one best pair.

    Parameters
    ----------
    network, cues : [row, answer]
        Natural-log units, up to a constant for each row.
    truth : [row]

    References
    ----------
    .. [1] Guo C. et al., On calibration of modern neural networks, ICML 2017, section 4.2.
    """
    rows = np.arange(len(truth))

    def cost(weights: Floats) -> tuple[float, Floats]:
        scores = weights[0] * network + weights[1] * cues
        told = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        amiss = np.exp(told)
        amiss[rows, truth] -= 1
        return -float(told[rows, truth].mean()), np.array(
            [(amiss * network).mean(), (amiss * cues).mean()]
        ) * told.shape[1]

    found = minimize(
        cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(1 / 8, 2), (0, None)]
    ).x
    return round(float(1 / found[0]), 3), round(float(found[1] / found[0]), 3)
