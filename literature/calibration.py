"""How often is a claim of this kind, found this surely, what its article says?

The rules of claims.py give weights, not chances. Here a weight becomes a probability:
a logistic curve whose height depends on the predicate and the types of the two things,
fitted on articles in which people marked what is related, and how. Where no corpus
marks a kind of pair (processes, a denial) there is no probability, and none is given.

    python -m literature.calibration --data FOLDER --out literature/data

fits the curve anew from DrugProt (drugs and proteins), CDR (drugs that cause diseases)
and BioRED (drugs, genes, diseases), without the documents kept aside for measuring;
tests/benchmarks/evidence_calibration.py tells how well it holds on those.

References
----------
.. [1] Platt J., Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers
   1999, section 2: a logistic curve over an uncalibrated score.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from discovery.files import publish
from literature.article import Article
from literature.claims import MENTIONED, Claim, claims
from literature.evidence import family
from literature.lexicon import Concept
from literature.mentions import Mention

if TYPE_CHECKING:
    from literature.relations.corpus import Pair, Related, RelationCorpus

Floats: TypeAlias = NDArray[np.float64]

FILE = "claim_probabilities.json"
_RIDGE = 2.0  # so many claims' worth of pull of a predicate's height towards its types', and of theirs to 0
_LOOSE = frozenset(
    {"associated with", "acts through", "regulates", "target for", MENTIONED}
)  # any relation bears them out


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim of an annotated article, and whether the annotators say so too."""

    claim: Claim
    right: bool


@dataclass(frozen=True)
class Curve:
    """probability = logistic(height of the kind + slope * log-odds of the rule's weight)."""

    slope: float
    heights: dict[str, float]

    def __call__(self, claim: Claim) -> float | None:
        """0..1, times how surely both names are linked; None for kinds of claims no corpus marks."""
        height = self.heights.get(kind(claim)) if claim.sign >= 0 else None
        if height is None:
            return None
        chance = 1.0 / (1.0 + math.exp(-height - self.slope * _odds(claim)))
        return chance * claim.subject.score * claim.object.score


@cache
def shipped() -> Curve:
    """The curve inside the package."""
    told = json.loads((files("literature") / "data" / FILE).read_text(encoding="utf-8"))
    return Curve(float(told["slope"]), {name: float(height) for name, height in told["heights"].items()})


def probability(claim: Claim, asked: bool = False) -> float | None:
    """That the claim is what the article says of the two, 0..1; None where no corpus tells.

    `asked`: a network said what is related. What it affirms bears its own probability, which
    was calibrated when it was trained (weights/reader.md).
    """
    if asked and claim.sign > 0 and claim.predicate != MENTIONED and kind(claim) in shipped().heights:
        return claim.confidence
    return shipped()(claim)


def kind(claim: Claim) -> str:
    """What a claim's chance depends on beside its weight: the two types and the predicate."""
    return f"{claim.subject.type}|{claim.object.type}|{claim.predicate}"


def _odds(claim: Claim) -> float:
    weight = claim.confidence / max(1e-6, claim.subject.score * claim.object.score)
    weight = min(0.99, max(0.01, weight))
    return math.log(weight / (1 - weight))


def judged(corpora: Iterable[tuple[RelationCorpus, Sequence[Related]]]) -> Iterator[Judged]:
    """The rules' claims about the names that annotators marked, each beside the annotators' word."""
    for corpus, documents in corpora:
        for document in documents:
            yield from _document(corpus.convention, document)


def _document(convention: str, document: Related) -> Iterator[Judged]:
    from literature.relations.corpus import NONE

    things = list(dict.fromkeys(thing for pair in document.pairs for thing in (pair.subject, pair.object)))
    concepts = {thing: Concept(f"T{n}", thing.type, f"T{n}") for n, thing in enumerate(things)}
    mentions = [
        Mention(start, end, document.text[start:end], concepts[thing], 1.0, "name")
        for thing in things
        for start, end in thing.spans
    ]
    mentions.sort(key=lambda mention: (mention.start, mention.end))
    said = {frozenset((concepts[p.subject].id, concepts[p.object].id)): p for p in document.pairs}
    for claim in claims(Article.of(document.id, [("abstract", document.text)]), mentions):
        pair = said.get(frozenset((claim.subject.concept.id, claim.object.concept.id)))
        if pair is None or claim.sign < 0:
            continue
        if convention == "CDR" and claim.predicate != "causes":
            continue  # that corpus marks harm alone
        yield Judged(claim, pair.answer != NONE and _borne_out(convention, claim, pair))


def _borne_out(convention: str, claim: Claim, pair: Pair) -> bool:
    from literature.relations.answers import meaning

    if claim.predicate in _LOOSE:
        return True
    told = {
        meaning(convention, one, (pair.subject.type, pair.object.type)).predicate
        for one in (pair.answer, *pair.also)
    }
    return any(family(one) == family(claim.predicate) for one in told)


def logistic(x: Floats, y: Floats, pull: Floats) -> Floats:
    """[case, column], [case], [column] -> [column]: the weights of logistic regression, each pulled to 0.

    Newton's steps on the log-likelihood less half the pull times the squared weights; it has one maximum.
    """
    weights: Floats = np.zeros(x.shape[1])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-x @ weights))
        slope = x.T @ (y - chance) - pull * weights
        curvature = (x * (chance * (1 - chance))[:, None]).T @ x + np.diag(pull)
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights


def fitted(found: Sequence[Judged]) -> Curve:
    """The most probable curve, with a pull of few claims towards what the types have in common."""
    kinds = sorted({kind(one.claim) for one in found})
    types = sorted({name.rsplit("|", 1)[0] for name in kinds})
    columns = {name: 1 + at for at, name in enumerate([*types, *kinds])}
    x = np.zeros((len(found), 1 + len(columns)))
    for row, one in enumerate(found):
        name = kind(one.claim)
        x[row, [0, columns[name.rsplit("|", 1)[0]], columns[name]]] = _odds(one.claim), 1.0, 1.0
    y = np.array([one.right for one in found], dtype=float)
    pull = np.full(x.shape[1], _RIDGE)
    pull[: 1 + len(types)] = 0.1
    weights = logistic(x, y, pull)
    heights = {
        name: float(weights[columns[name.rsplit("|", 1)[0]]] + weights[columns[name]]) for name in kinds
    }
    return Curve(float(weights[0]), heights)


def main(arguments: Sequence[str] | None = None) -> None:
    from literature.relations.corpus import load_relations

    parser = argparse.ArgumentParser(prog="python -m literature.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of drugprot/, cdr/, biored/")
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    chosen = parser.parse_args(arguments)
    found = list(judged((corpus, corpus.train) for corpus in load_relations(chosen.data)))
    curve = fitted(found)
    told = {
        "claims": len(found),
        "slope": round(curve.slope, 4),
        "heights": {name: round(height, 4) for name, height in curve.heights.items()},
    }
    publish(chosen.out / FILE, (json.dumps(told, indent=1) + "\n").encode())
    print(
        f"{chosen.out / FILE}: {len(found):,} claims of {len(curve.heights)} kinds, slope {curve.slope:.3f}"
    )


if __name__ == "__main__":
    main()
