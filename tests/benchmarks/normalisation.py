"""How many annotated names get the right identifier, and how many of the given ones are right?

Answer    accuracy (right / all) and precision (right / answered) on gold mentions, per set and type
Data      the training parts of BC5CDR, NCBI Disease, BioRED, NLM-Gene, GNormPlus with identifiers, in
          the shared folder; every fifth article (by the hash of its identifier) is held out, in all
          sets alike, and its names are not learned. The rules were written with another fifth in
          sight (--looked-at measures that one, its names in turn not learned), and since weights were
          fitted (--fit) with all four others; of the fifth that is reported only sums were seen
Baseline  the official dictionaries without learned names; exact keys only
Budget    one core, two minutes for the dictionaries
Given     the name, the document's abbreviations, and the document itself
Failures  a name without an answer is not right; an answer counts if it, or a cross reference of it,
          is among the annotated identifiers (a composite name has several). Genes of the mouse are asked
          for as such (species="mouse")

python -m tests.benchmarks.normalisation [--quick] [--looked-at]
python -m tests.benchmarks.normalisation --fit     weights of literature/names/wording.py, from all fifths but the reported
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from literature.article import Article
from literature.lexicon import Lexicon, Type, key
from literature.mentions import abbreviations
from literature.names.build import LEARNED_TYPES, build, build_genes, identifier
from literature.names.dictionary import Dictionary
from literature.names.families import surroundings
from literature.names.normalisation import WEIGHED, normalise
from literature.names.wording import WEIGHTS, Seen
from literature.readers.pubtator import Annotated, read_annotated
from tests.benchmarks.data import SHARED, nothing_measured
from tests.benchmarks.record import options, record

DATA = SHARED / "literature"
SETS = (
    "BC5CDR_TrainDev",
    "NCBIdisease_TrainDev",
    "BioRED_TrainDev",
    "NLMgene_Train",
    "GNormPlus_Train",
    "tmVar3_Train",
)
TASKS: tuple[tuple[str, Type], ...] = (
    ("BC5CDR_TrainDev", "chemical"),
    ("BC5CDR_TrainDev", "disease"),
    ("NCBIdisease_TrainDev", "disease"),
    ("BioRED_TrainDev", "gene"),
    ("NLMgene_Train", "gene"),
    ("GNormPlus_Train", "gene"),
)


REPORTED, LOOKED_AT = 1, 0  # fifths
SURELY = 0.61  # score from which on no name is read by its words
RIDGE = 2.0  # penalty on squared weights


def fifth(id: str) -> int:
    return int(hashlib.sha256(id.encode()).hexdigest(), 16) % 5


def file(name: str) -> Path:
    return DATA / "ner_with_ids" / f"{name}.PubTator.gz"


def genes_of(species: str) -> frozenset[str]:
    path = next((DATA / "dictionaries").glob(f"{species}.gene_info*"))
    with gzip.open(path, "rt") as lines:
        return frozenset(f"NCBIGene:{line.split(chr(9))[1]}" for line in lines)


Answer = Callable[[str, Type, Article, dict[str, str]], tuple[str, ...]]


def measure(name: str, kind: Type, answer: Answer, genes: frozenset[str], part: int) -> tuple[int, int, int]:
    """(mentions, answered, right) on the held-out articles of a set."""
    n = said = right = 0
    for found in read_annotated(file(name)):
        if not isinstance(found, Annotated) or fifth(found.article.id) != part:
            continue
        short_forms = abbreviations(found.article)
        for one in found.annotations:
            if LEARNED_TYPES.get(one.type) != kind:
                continue
            gold = {identifier(kind, id) for ids in one.ids for id in ids.split("+") if id not in ("-", "-1")}
            if not gold or (kind == "gene" and not gold & genes):
                continue
            n += 1
            ids = answer(one.text, kind, found.article, short_forms)
            said += bool(ids)
            right += bool(gold & set(ids))
    return n, said, right


def by_rules(lexicon: Lexicon) -> Answer:
    def answer(text: str, kind: Type, article: Article, short_forms: dict[str, str]) -> tuple[str, ...]:
        found = normalise(text, kind, short_forms=short_forms, text=article.text, lexicon=lexicon)
        return (found[0].concept.id, *found[0].concept.xrefs) if found else ()

    return answer


def by_key(lexicon: Lexicon) -> Answer:
    def answer(text: str, kind: Type, article: Article, short_forms: dict[str, str]) -> tuple[str, ...]:
        found = normalise(text, kind, lexicon=lexicon, least=1.0)
        return (found[0].concept.id, *found[0].concept.xrefs) if found else ()

    return answer


def described(part: int, genes: frozenset[str]) -> Iterator[tuple[Type, list[Seen], list[bool]]]:
    """Of each name of a fifth that is read by its words: its type, what speaks for each thing, and whether it is right."""
    dictionary = Dictionary(
        build(DATA / "dictionaries", [file(n) for n in SETS], keep=lambda id: fifth(id) != part)
    )
    lexicon = Lexicon([dictionary])
    for name, kind in TASKS:
        if kind not in WEIGHTS:
            continue
        for found in read_annotated(file(name)):
            if not isinstance(found, Annotated) or fifth(found.article.id) != part:
                continue
            short_forms, around = abbreviations(found.article), surroundings(found.article.text, lexicon)
            for one in found.annotations:
                gold = {
                    identifier(kind, id) for ids in one.ids for id in ids.split("+") if id not in ("-", "-1")
                }
                if LEARNED_TYPES.get(one.type) != kind or not gold or (kind == "gene" and not gold & genes):
                    continue
                ask = partial(
                    normalise, one.text, kind, short_forms=short_forms, text=around, lexicon=lexicon
                )
                links, surely = ask(), ask(least=SURELY)
                if links and links[0].method not in ("described", WEIGHED[kind]):
                    continue
                forms = [key(said) for said in (one.text, short_forms.get(one.text, "")) if said]
                bent = [link.concept.id for link in surely if link.method == WEIGHED[kind]]
                seen = dictionary.wording(kind).seen(forms, around, bent)
                concepts = [lexicon.concept(thing.id) for thing in seen]
                yield kind, seen, [bool(c and gold & {c.id, *c.xrefs}) for c in concepts]


def fitted(kind: Type, shown: Iterable[tuple[list[Seen], list[bool]]]) -> dict[str, float]:
    """Weights of a conditional logit, by likelihood and a penalty on squared weights; none is right where nothing else is."""
    names = list(WEIGHTS[kind])
    cases = []
    for seen, right in shown:
        cues = [[thing.cues.get(name, 0.0) for name in names] for thing in seen]
        none = [float(name == "none") for name in names]
        cases.append((np.array([*cues, none]), np.array([*right, not any(right)])))

    def cost(weights: Any) -> tuple[float, Any]:
        value, slope = RIDGE / 2 * weights @ weights, RIDGE * weights
        for cues, right in cases:
            speaks = cues @ weights
            whole, ours = np.logaddexp.reduce(speaks), np.logaddexp.reduce(speaks[right])
            value += whole - ours
            slope += np.exp(speaks - whole) @ cues - np.exp(speaks[right] - ours) @ cues[right]
        return value, slope

    found = minimize(cost, np.zeros(len(names)), jac=True, method="L-BFGS-B").x
    return {name: round(float(weight), 2) for name, weight in zip(names, found, strict=True)}


def main() -> None:
    parser = options(__doc__, "without the baselines")
    parser.add_argument("--looked-at", action="store_true", help="the fifth the rules were written with")
    parser.add_argument("--fit", action="store_true", help="print weights for genes told by their words")
    asked = parser.parse_args()
    quick, part = asked.quick, LOOKED_AT if asked.looked_at else REPORTED
    if not DATA.exists():
        nothing_measured("the annotated sets of ../shared/data/literature are absent")
    human, mouse = genes_of("Homo_sapiens"), genes_of("Mus_musculus")
    if asked.fit:
        shown = [one for part in range(5) if part != REPORTED for one in described(part, human)]
        for kind in ("gene", "disease"):
            print(kind, fitted(kind, [(seen, right) for type, seen, right in shown if type == kind]))
        return
    files = [file(n) for n in SETS]

    def keep(id: str) -> bool:
        return fifth(id) != part

    learned = Lexicon([Dictionary(build(DATA / "dictionaries", files, keep=keep))])
    ways: dict[str, Answer] = {"": by_rules(learned)}
    if not quick:
        plain = Lexicon([Dictionary(build(DATA / "dictionaries"))])
        ways |= {"_without_learned_names": by_rules(plain), "_exact_keys_only": by_key(plain)}
    numbers: dict[str, Any] = {}
    for label, answer in ways.items():
        start = time.process_time()
        total = 0
        for name, kind in TASKS:
            n, said, right = measure(name, kind, answer, human, part)
            total += n
            place = f"{name.split('_')[0].lower()}_{kind}{label}"
            numbers[f"{place}_accuracy"] = round(right / n, 4)
            numbers[f"{place}_precision"] = round(right / max(1, said), 4)
            if not label:
                numbers[f"{place}_mentions"] = n
        numbers[f"mentions_per_cpu_s{label}"] = round(total / (time.process_time() - start))
    murine = by_rules(Lexicon([Dictionary(build_genes(DATA / "dictionaries", "mouse", files, keep=keep))]))
    for name in ("NLMgene_Train", "BioRED_TrainDev"):
        n, said, right = measure(name, "gene", murine, mouse, part)
        place = f"{name.split('_')[0].lower()}_mouse_gene"
        numbers[f"{place}_mentions"] = n
        numbers[f"{place}_accuracy"] = round(right / n, 4)
        numbers[f"{place}_precision"] = round(right / max(1, said), 4)
    record("normalisation", numbers, fifth=part)


if __name__ == "__main__":
    main()
