"""Do these passages answer a question with yes, no or maybe, and how sure is that?

A linear model over what authors write when something worked or did not: negations,
"similar", significant and other p values, doubt, short runs of words, and the shape of
the question. A second linear model tells it how results read whose authors conclude
that there was no effect; it was taught by open full texts, whose conclusions it never
sees again. Which passages are asked is decided in answering.py.

    python -m literature.verdict --data FOLDER --out FILE

makes the shipped weights.

References
----------
.. [1] Jin Q. et al., PubMedQA: a dataset for biomedical research question answering, EMNLP 2019, section 3:
   questions with abstracts whose conclusions are left out, answered yes, no or maybe.
.. [2] Guo C. et al., On calibration of modern neural networks, ICML 2017, section 4.2: one temperature.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from discovery.files import publish
from discovery.outcome import UserError
from literature.sentences import split

with needs("literature"):
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save


Floats: TypeAlias = NDArray[np.float64]
Word = Literal["yes", "no", "maybe"]

WORDS: tuple[Word, ...] = ("yes", "no", "maybe")
FORMAT = "discovery-verdict-1"
RIDGE_NULL, RIDGE = 1 / 3, 2.5  # penalties of the two models
KEPT = 5_000  # runs of words of the first
_SIGNIFICANT = re.compile(r"p\s*[=<>≤]\s*0?\.0[0-4]\d*|p\s*<\s*0?\.05|p\s*[<=]\s*0?\.00\d+")
_NOT_SIGNIFICANT = re.compile(r"p\s*[=>]\s*0?\.(?:0[5-9]|[1-9])\d*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?%?")
_NULL = re.compile(
    r"\bno (?:\w+ ){0,3}(?:difference|effect|benefit|improvement|evidence|association|advantage|influence|impact|"
    r"relationship|correlation|increase|reduction|change)|\b(?:did|does|do|was|were|is|are|could|has|have|had)"
    r"(?: not|n't)\b|\bfail(?:ed|s)? to\b|\bneither\b|\bsimilar(?:ly)?\b|\bcomparable\b|\bineffective\b|"
    r"\bnot (?:significant|improve|reduce|affect|associated|superior|appear)\b|\bunlikely\b|\black of\b"
)
_COUNTED = (
    r"\bpsig\b", r"\bpnon\b", r"significant", r"\bhowever\b", r"\b(?:may|might|could|suggest\w*)\b",
    r"\b(?:higher|increased|greater)\b", r"\b(?:lower|decreased)\b", r"\bassociated\b", r"\bcorrelat", r"similar|comparable",
    r"\bnot\b", r"\bno\b", r"difference", r"\bno (?:\w+ )?(?:significant )?difference",
)  # fmt: skip
_ASKED = (
    "is", "are", "does", "do", "can", "should", "has", "effect", "useful", "necessary", "or", "difference", "influence",
    "affect", "predict", "associat", "safe", "relat", "role", "versus", "increase", "improv",
)  # fmt: skip
_GRAM = re.compile(r"[a-z0]+")


class VerdictError(UserError, ValueError):
    """The weights cannot be used; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word and how sure it is."""

    word: Word
    probability: float  # of the word, calibrated on questions the model was not taught with
    probabilities: tuple[float, float, float]  # yes, no, maybe


def plain(text: str) -> str:
    """Lower case, p values by what they mean, numbers alike."""
    text = _SIGNIFICANT.sub(" psig ", text.lower())
    return _NUMBER.sub(" 0 ", _NOT_SIGNIFICANT.sub(" pnon ", text))


@dataclass(frozen=True, eq=False)
class Grams:
    """Short runs of words, the rarer the weightier, a text's together of length 1."""

    rows: dict[str, int]
    rarity: Floats
    longest: int

    @classmethod
    def of(cls, texts: Sequence[str], longest: int, least: int) -> Grams:
        """The runs that at least so many texts hold."""
        counts = Counter(gram for text in texts for gram in set(_runs(text, longest)))
        kept = sorted(gram for gram, count in counts.items() if count >= least)
        rarity = np.asarray([np.log((1 + len(texts)) / (1 + counts[gram])) + 1 for gram in kept])
        return cls({gram: row for row, gram in enumerate(kept)}, rarity, longest)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """[text, gram]"""
        made = np.zeros((len(texts), len(self.rows)))
        for at, text in enumerate(texts):
            for gram, count in Counter(g for g in _runs(text, self.longest) if g in self.rows).items():
                made[at, self.rows[gram]] = (1 + np.log(count)) * self.rarity[self.rows[gram]]
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        np.divide(made, lengths, out=made, where=lengths > 0)
        return made


def _runs(text: str, longest: int) -> Iterator[str]:
    words = _GRAM.findall(text)
    for n in range(1, longest + 1):
        for at in range(len(words) - n + 1):
            yield " ".join(words[at : at + n])


@dataclass(frozen=True, eq=False)
class Model:
    """The two linear models, and the scales of what they count."""

    null_grams: Grams
    null_weights: Floats  # [gram + 1]
    grams: Grams  # of the last passage
    asked_grams: Grams  # of the question
    mean: Floats  # of the counts
    spread: Floats
    weights: Floats  # [3, feature + 1]
    temperature: float

    def __call__(self, question: str, passages: Sequence[str]) -> Verdict:
        """What the passages answer. The last one counts most, as results come last.

        Raises
        ------
        VerdictError
            If there is no passage.
        """
        return self.many([(question, passages)])[0]

    def many(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Verdict]:
        """Verdicts of many questions, each on its own passages."""
        scores = _with_one(self._features(asked)) @ self.weights.T / self.temperature
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        best = chances.argmax(axis=1)
        return [Verdict(WORDS[n], row[n], tuple(row)) for n, row in zip(best, chances.tolist(), strict=True)]

    def _features(self, asked: Sequence[tuple[str, Sequence[str]]]) -> Floats:
        if any(not [p for p in passages if p.strip()] for _, passages in asked):
            raise VerdictError("a question needs at least one passage to be answered from")
        last, whole, questions = _texts(asked)
        null = np.stack([_with_one(self.null_grams(t)) @ self.null_weights for t in (last, whole)], axis=1)
        counts = (np.concatenate([_counts(last, questions, asked), null], axis=1) - self.mean) / self.spread
        return np.concatenate([0.3 * counts, self.grams(last), self.asked_grams(questions)], axis=1)

    @classmethod
    def read(cls, path: Path) -> Model:
        """The weights of a file.

        Raises
        ------
        VerdictError
            If the file is absent, torn or of another kind.
        """
        try:
            with safe_open(path, framework="np") as file:
                header: dict[str, str] = json.loads((file.metadata() or {}).get("about", "{}"))
                held: dict[str, Floats] = {k: file.get_tensor(k).astype(np.float64) for k in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise VerdictError(f"{path} holds no weights of this kind: {error}") from error
        if header.get("format") != FORMAT:
            raise VerdictError(
                f"{path} is of the format {header.get('format')!r}, this program reads {FORMAT!r}"
            )

        def grams(name: str, longest: int) -> Grams:
            words = [w for w in header[name].split("\n") if w]
            return Grams({gram: row for row, gram in enumerate(words)}, held[f"{name}.rarity"], longest)

        return cls(
            grams("null", 3), held["null.weights"], grams("last", 2), grams("asked", 2), held["mean"], held["spread"],
            held["weights"], float(held["temperature"][0]),
        )  # fmt: skip

    def bytes(self) -> bytes:
        """As a file."""
        words = {"null": self.null_grams, "last": self.grams, "asked": self.asked_grams}
        held = {f"{name}.rarity": grams.rarity.astype(np.float32) for name, grams in words.items()} | {
            "null.weights": self.null_weights.astype(np.float32),
            "mean": self.mean.astype(np.float32),
            "spread": self.spread.astype(np.float32),
            "weights": self.weights.astype(np.float32),
            "temperature": np.asarray([self.temperature], np.float32),
        }
        about = {"format": FORMAT} | {name: "\n".join(grams.rows) for name, grams in words.items()}
        # One entry: safetensors writes several in any order, and the same model would be other bytes.
        return bytes(save(held, metadata={"about": json.dumps(about)}))


def _with_one(features: Floats) -> Floats:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


def _texts(asked: Sequence[tuple[str, Sequence[str]]]) -> tuple[list[str], list[str], list[str]]:
    kept = [[p for p in passages if p.strip()] for _, passages in asked]
    return [plain(p[-1]) for p in kept], [plain(" ".join(p)) for p in kept], [plain(q) for q, _ in asked]


def _counts(
    last: Sequence[str], questions: Sequence[str], asked: Sequence[tuple[str, Sequence[str]]]
) -> Floats:
    rows: list[list[float]] = []
    for text, question, (_, passages) in zip(last, questions, asked, strict=True):
        null = len(_NULL.findall(text))
        final = re.split(r"(?<=[.])\s", text)[-1]
        rows.append(
            [null, bool(null), len(_NULL.findall(final)), len(text) / 1000, len(passages)]
            + [len(re.findall(pattern, text)) for pattern in _COUNTED]
            + [word in question for word in _ASKED]
        )
    return np.asarray(rows, np.float64)


@lru_cache(maxsize=2)
def shipped() -> Model:
    """The model inside the package."""
    return Model.read(Path(str(files("literature") / "weights" / "verdict.safetensors")))


# --- teaching ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its passages and the right word."""

    id: str
    question: str
    passages: tuple[str, ...]
    word: Word


def null_model(results: Sequence[tuple[str, bool]]) -> tuple[Grams, Floats]:
    """What results look like whose authors conclude that there was no effect: runs of words and their weights.

    Parameters
    ----------
    results
        Results of articles, and whether their authors conclude that there was no effect.
    """
    texts = [text for text, _ in results]
    null = np.asarray([none for _, none in results])
    share = np.where(null, 0.5 / null.mean(), 0.5 / (1 - null.mean()))  # both sides count the same
    many = Grams.of(texts, 3, 8)
    weights = _fit(many(texts), null.astype(np.int64), 2, RIDGE_NULL, share)
    heavy = np.sort(np.argsort(-np.abs(weights[1, :-1] - weights[0, :-1]), kind="stable")[:KEPT])
    kept = [list(many.rows)[row] for row in heavy]
    few = Grams({gram: row for row, gram in enumerate(kept)}, many.rarity[heavy], many.longest)
    again = _fit(few(texts), null.astype(np.int64), 2, RIDGE_NULL, share)
    return few, again[1] - again[0]


def train(examples: Sequence[Example], null: tuple[Grams, Floats]) -> Model:
    """The model of the examples, its temperature from five folds of them."""
    model = _taught(examples, *null)
    scores = np.zeros((len(examples), 3))
    for fold in range(5):
        inside = [e for e in examples if fold_of(e.id) != fold]
        outside = [n for n, e in enumerate(examples) if fold_of(e.id) == fold]
        if not outside or not inside:
            continue
        part = _taught(inside, *null)
        features = part._features([(examples[n].question, examples[n].passages) for n in outside])
        scores[outside] = _with_one(features) @ part.weights.T
    words = np.asarray([WORDS.index(e.word) for e in examples])
    return replace(model, temperature=_temperature(scores, words))


def _taught(examples: Sequence[Example], null_grams: Grams, null_weights: Floats) -> Model:
    asked = [(e.question, e.passages) for e in examples]
    last, whole, questions = _texts(asked)
    null = np.stack([_with_one(null_grams(t)) @ null_weights for t in (last, whole)], axis=1)
    counts = np.concatenate([_counts(last, questions, asked), null], axis=1)
    blank = Model(
        null_grams, null_weights, Grams.of(last, 2, 3), Grams.of(questions, 2, 2), counts.mean(axis=0),
        counts.std(axis=0) + 1e-6, np.zeros((3, 1)), 1.0,
    )  # fmt: skip
    words = np.asarray([WORDS.index(e.word) for e in examples])
    weights = _fit(blank._features(asked), words, 3, RIDGE, np.ones(len(examples)))
    return replace(blank, weights=weights)


def _fit(features: Floats, words: NDArray[np.int64], kinds: int, ridge: float, share: Floats) -> Floats:
    """[kind, feature + 1]: softmax regression; `ridge` / 2 times the squared weights, the constant left free."""
    x = torch.from_numpy(_with_one(features))
    y, w = torch.from_numpy(words), torch.from_numpy(share)
    weights = torch.zeros((kinds, x.shape[1]), dtype=torch.float64, requires_grad=True)
    steps = torch.optim.LBFGS([weights], max_iter=200, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        steps.zero_grad()
        miss = torch.nn.functional.cross_entropy(x @ weights.T, y, reduction="none")
        total = (miss * w).sum() + ridge / 2 * (weights[:, :-1] ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    steps.step(loss)  # type: ignore[no-untyped-call]
    return np.asarray(weights.detach().numpy(), np.float64)


def _temperature(scores: Floats, words: NDArray[np.int64]) -> float:
    """The temperature under which what was scored is likeliest [2]."""

    def surprise(t: float) -> float:
        s = scores / t
        peak = s.max(axis=1)
        return float(
            (np.log(np.exp(s - peak[:, None]).sum(axis=1)) + peak - s[np.arange(len(s)), words]).mean()
        )

    return min((float(t) for t in np.exp(np.linspace(-1.5, 1.5, 121))), key=surprise)


def fold_of(id: str) -> int:
    """Which fifth of the questions one belongs to, 0 to 4."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") % 5


def questions(path: Path) -> list[Example]:
    """PubMedQA's labelled questions."""
    held = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    return [
        Example(pmid, e["QUESTION"], tuple(e["CONTEXTS"]), e["final_decision"]) for pmid, e in held.items()
    ]


_END = re.compile(r"\n\s*(?:trial registration|registration|funding|keywords)", re.IGNORECASE)
_CONCLUSION = re.compile(
    r"\n\s*(?:conclusions?|interpretation|discussion)[^\n]{0,30}\n(.*)", re.IGNORECASE | re.DOTALL
)
_RESULTS = re.compile(
    r"\n\s*(?:results|findings)[^\n]{0,30}\n(.*?)(?=\n\s*(?:conclusions?|interpretation|discussion))", re.IGNORECASE | re.DOTALL
)  # fmt: skip


def concluded(abstracts: Iterable[str]) -> list[tuple[str, bool]]:
    """Results of abstracts, and whether what follows them says that there was no effect."""
    found: list[tuple[str, bool]] = []
    for abstract in abstracts:
        text = _END.split(abstract.strip())[0]
        said, told = _CONCLUSION.search(text), _RESULTS.search(text)
        if said and told:
            conclusion, results = said.group(1), told.group(1)
        else:
            spans = split(text)
            if len(spans) < 5:
                continue
            conclusion = text[spans[-2][0] :]
            results = text[spans[len(spans) // 2][0] : spans[-2][0]]
        if len(conclusion) > 40 and len(results) > 40:
            found.append((plain(results), bool(_NULL.search(conclusion.lower()))))
    return found


def abstracts(path: Path) -> Iterator[str]:
    """Abstracts of open full texts, JSON lines (.xz)."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line).get("abstract") or ""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m literature.verdict", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with pubmedqa/ and fulltext_ccby/")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        examples = questions(asked.data / "pubmedqa" / "dev.json.gz")
        results = concluded(abstracts(asked.data / "fulltext_ccby" / "ccby_fulltext.jsonl.xz"))
    except (OSError, KeyError, ValueError) as error:
        parser.exit(2, f"literature.verdict: {error}\n")
    made = train(examples, null_model(results)).bytes()
    publish(asked.out, made)
    told = f"from {len(examples)} questions and {len(results):,} results"
    print(f"{len(made):,} bytes, sha256 {hashlib.sha256(made).hexdigest()}, {told}")


if __name__ == "__main__":
    main()
