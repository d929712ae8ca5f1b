"""How well does the shipped model say how things are related, where people said which things there are?

Answer    micro F1 of the annotators' answers (DrugProt's 13, ChemProt's five scored groups, CDR, BioRED's 8),
          of "related at all", share of right signs, calibration error; pairs per CPU-second
Data      documents kept aside by literature.annotated.load; judged on the half that temperature and
          threshold were not fitted on
Baseline  the cue rules of literature/claims.py on the same names; every pair that shares a sentence
Failures  a pair that cannot be asked counts as unrelated; a relation no candidate pair holds as missed

python -m tests.benchmarks.relations [--data FOLDER] [--quick] [--model FILE]
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

from literature.article import Article
from literature.claims import EFFECT, MENTIONED, claims
from literature.lexicon import Concept
from literature.mentions import Mention
from literature.model.prediction import SHIPPED
from literature.relations.answers import meaning
from literature.relations.corpus import NONE, Related, RelationCorpus, Thing, load_relations
from literature.relations.relating import RelationReader
from literature.sentences import split
from literature.training.relations_scoring import Judged, halves, judge, things
from literature.training.scoring import Agreement
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record


def numbers(judged: Judged) -> dict[str, object]:
    right, of = judged.signs
    found: dict[str, object] = {
        "documents": judged.documents,
        "f1": round(100 * judged.exact.f1, 2),
        "precision": round(100 * judged.exact.precision, 2),
        "recall": round(100 * judged.exact.recall, 2),
        "related_f1": round(100 * judged.related.f1, 2),
        "signs_right": round(100 * right / of, 2) if of and judged.convention != "CDR" else None,
        "signs": of,
        "calibration_error": round(judged.error, 4),
        "least": judged.least,
    }
    if judged.grouped:
        found["chemprot_groups_f1"] = round(100 * judged.grouped.f1, 2)
    if judged.novelty[1]:
        told, asked = judged.novelty
        found["novelty_right"] = round(100 * told / asked, 2)
        found["novelty_commoner"] = round(100 * max(judged.news, asked - judged.news) / asked, 2)
    return found


def mentions(text: str, own: list[Thing]) -> list[Mention]:
    """The things as mentions of concepts of their own."""
    made = [
        Mention(a, b, text[a:b], Concept(str(n), thing.type, text[a:b]), 1.0, "name")
        for n, thing in enumerate(own)
        for a, b in thing.spans
    ]
    return sorted(made, key=lambda m: (m.start, m.end))


def by_rules(convention: str, documents: list[Related]) -> tuple[Agreement, tuple[int, int]]:
    """What the rules find: related or not, and the sign of those they find with one."""
    total, right, signed = Agreement(), 0, 0
    for document in documents:
        own = things(document)
        said: dict[frozenset[str], int] = {}
        for claim in claims(Article.of("X", [("abstract", document.text)]), mentions(document.text, own)):
            if claim.predicate != MENTIONED and claim.sign >= 0:
                pair = frozenset({claim.subject.concept.id, claim.object.concept.id})
                said.setdefault(pair, EFFECT.get(claim.predicate, 0))
        names = {thing: str(n) for n, thing in enumerate(own)}
        truth = {
            frozenset({names[p.subject], names[p.object]}): p for p in document.pairs if p.answer != NONE
        }
        asked = {frozenset({names[p.subject], names[p.object]}) for p in document.pairs}
        found = said.keys() & asked
        total += Agreement(len(found & truth.keys()), len(found - truth.keys()), len(truth.keys() - found))
        for pair in found & truth.keys():
            one = truth[pair]
            effect = meaning(convention, one.answer, (one.subject.type, one.object.type)).effect
            if effect and said[pair]:
                signed += 1
                right += effect == said[pair]
    return total, (right, signed)


def together(documents: list[Related]) -> Agreement:
    """Every pair that shares a sentence."""
    total = Agreement()
    for document in documents:
        sentences = split(document.text)

        def places(thing: Thing, sentences: list[tuple[int, int]] = sentences) -> set[int]:
            return {n for n, (a, b) in enumerate(sentences) for start, _ in thing.spans if a <= start < b}

        for pair in document.pairs:
            said = bool(places(pair.subject) & places(pair.object))
            truth = pair.answer != NONE
            total += Agreement(said and truth, said and not truth, truth and not said)
    return total


def measured(corpus: RelationCorpus, reader: RelationReader, quick: bool) -> dict[str, object]:
    _, documents = halves(corpus.held)
    documents = documents[:8] if quick else documents
    reader(corpus.convention, [(documents[0].text, things(documents[0]))])  # kernels are built on first use
    cpu = time.process_time()
    found = numbers(judge(corpus.convention, documents, reader))
    pairs = sum(len(d.pairs) for d in documents)
    found |= {"pairs": pairs, "pairs_per_cpu_s": round(pairs / (time.process_time() - cpu), 1)}
    rules, (right, of) = by_rules(corpus.convention, documents)
    found["rules_related_f1"] = round(100 * rules.f1, 2)
    found["rules_signs_right"] = round(100 * right / of, 2) if of and corpus.convention != "CDR" else None
    found["sentence_related_f1"] = round(100 * together(documents).f1, 2)
    return found


def main() -> None:
    parser = options(__doc__, "eight documents of each corpus")
    parser.add_argument("--data", type=Path, default=SHARED / "literature")
    parser.add_argument("--model", default=SHIPPED, help="another one: nothing is recorded")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        nothing_measured(f"{asked.data.name} is absent: give the folder of the annotated sets with --data")
    torch.set_num_threads(1)
    reader = RelationReader(asked.model)
    reader.load()
    found: dict[str, object] = {}
    for corpus in load_relations(asked.data):
        found[corpus.convention] = row = measured(corpus, reader, asked.quick)
        print(corpus.convention, row, flush=True)
    if asked.model == SHIPPED:
        record("relations", found, seed=7, threads=1)


if __name__ == "__main__":
    main()
