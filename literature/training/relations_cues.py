"""How much does each cue weigh?

Softmax regression over all pairs of the taught documents of a convention (regression.py);
of the cues that at least two pairs show, those of the largest weights are kept. The penalty and how many are kept were chosen on thirds of the taught documents.
"""

from __future__ import annotations

from collections.abc import Mapping

from literature.model.linear import Cues, Keys
from literature.relations.corpus import ANSWERS, Related, RelationCorpus, candidates
from literature.relations.cues import cues, keys
from literature.training.regression import fitted, largest
from literature.training.relations_scoring import things

RIDGE: Mapping[str, float] = {"DrugProt": 0.06, "CDR": 0.1, "BioRED": 0.3}
KEPT: Mapping[str, int] = {"DrugProt": 20_000, "CDR": 20_000, "BioRED": 10_000}
_LEAST = 2  # pairs that must show a cue
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
    count, ridge = len(ANSWERS[corpus.convention]), RIDGE[corpus.convention]
    return largest(fitted(shown, truth, count, ridge, least=_LEAST, rounds=_ROUNDS), KEPT[corpus.convention])
