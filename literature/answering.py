"""What do the articles answer to a question, in their own words?

`ask` finds sentences, and for a question that yes, no or maybe can answer it says which,
how sure that is, and on which quotes; it abstains where nothing speaks of the question,
the nearest article is about something else, or its passages do not settle it. A local language model may write the answer up: a
sentence of it that cites no quote, or says what its quotes do not, is dropped and
counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq

from discovery.outcome import UserError
from literature.assertion import asked
from literature.evidence import OTHER_SECTION, SECTIONS
from literature.graph import shards
from literature.names.dictionary import shipped as dictionary
from literature.search import Hit, Index, terms
from literature.sentences import split
from literature.topic import LEAST as SPOKEN_OF
from literature.topic import about, rare
from literature.verdict import Model, Verdict, shipped

LEAST = 0.5  # an answer less probable than this is none
SPOKEN = 1 / 3  # so much of a question's words and things must stand in the quotes
SUPPORTED = 0.5  # so much of a written sentence's words must stand in the quotes it cites
_CLOSED = re.compile(
    r"^\W*(?:is|are|was|were|does|do|did|can|could|should|has|have|had|will|would|may|might|must)\b|"
    r"[:,;]\s*(?:is|are|was|were|does|do|did|can|could|should|has|have|will|would)\b",
    re.IGNORECASE,
)
_ASIDE = frozenset({"title", "references", "methods", "heading", "acknowledgements", "vernacular title"})


class AnswerError(UserError, ValueError):
    """The question cannot be asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a language model made of the quotes, as far as it may stand."""

    sentences: tuple[tuple[str, tuple[int, ...]], ...]  # words, and the quotes cited, counted from 1
    uncited: int  # sentences dropped because they cite no quote
    unsupported: int  # dropped because they say what their quotes do not


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or the reason why there is none, and the quotes it stands on."""

    question: str
    word: str  # "yes", "no", "maybe"; "" where the program abstains
    why: str  # it abstains; "" where it answers
    verdict: Verdict | None  # also of an abstention, where passages were judged
    judged: str  # the article whose passages were judged
    quotes: tuple[Hit, ...]  # best first
    written: Written | None = None

    @property
    def abstained(self) -> bool:
        return not self.word


class Writer(Protocol):
    """Writes an answer from numbered quotes."""

    def __call__(self, question: str, quotes: Sequence[str], /) -> str: ...


def ask(
    where: str | Path | Index,
    question: str,
    *,
    n: int = 5,
    least: float = LEAST,
    model: Model | None = None,
    writer: Writer | None = None,
) -> Answer:
    """Answer a question from a mined folder.

    Parameters
    ----------
    where
        A mined folder, or its index, opened.
    n
        So many quotes.
    least
        The least probability of an answer, 0..1; below it the program abstains.
    model
        What judges yes, no or maybe; the shipped one when not given.
    writer
        Writes an answer in words from the numbered quotes; none is written without one.

    Raises
    ------
    AnswerError
        If the question is empty or `least` is no probability.
    """
    if not question.strip():
        raise AnswerError("the question is empty")
    if not 0.0 <= least <= 1.0:
        raise AnswerError(f"least is a probability, not {least}")
    index = where if isinstance(where, Index) else Index(where)
    things = set(index.things(question))
    quotes = _quotes(index, question, things, n)
    written = write_up(question, quotes, writer) if writer and quotes else None
    words = {*terms(question)}
    spoken = len(words & {t for hit in quotes for t in terms(hit.text)}) / len(words) if words else 0.0
    if not quotes or spoken < SPOKEN:
        found = f"only {spoken:.0%} of its words" if quotes else "no sentence"
        return Answer(
            question, "", f"the articles do not speak of it: {found} were found", None, "", quotes, written
        )
    judged = quotes[0].id
    if unnamed := things - _named(index.folder, judged):
        who = ", ".join(_name(id) for id in sorted(unnamed))
        why = f"the articles do not speak of it: the nearest one, {judged}, does not name {who}"
        return Answer(question, "", why, None, judged, quotes, written)
    if unheard := [word for word in index.unheard(question) if rare(word)]:
        why = f"the articles do not speak of it: none holds the word {', '.join(unheard)}"
        return Answer(question, "", why, None, judged, quotes, written)
    passages = _passages(index, question, quotes, judged)
    likely = about(question, passages)
    if likely < SPOKEN_OF:
        why = f"the nearest article, {judged}, seems to be about something else: {likely:.0%} probable that it speaks of it"
        return Answer(question, "", why, None, judged, quotes, written)
    verdict = (model or shipped())(question, passages)
    why = ""
    if not _CLOSED.search(question):
        why = "it asks for more than yes or no: the quotes are the answer"
    elif verdict.probability < least:
        why = f"the passages do not settle it: {verdict.word} with a probability of {verdict.probability:.2f}"
    return Answer(question, "" if why else verdict.word, why, verdict, judged, quotes, written)


def _quotes(index: Index, question: str, things: set[str], n: int) -> tuple[Hit, ...]:
    """The best sentences: those that name all the things asked about first, findings before aims and backgrounds."""

    def fit(hit: Hit) -> bool:
        return not hit.retracted and hit.section != "references"

    def merit(hit: Hit) -> float:
        told = math.sqrt(SECTIONS.get(hit.section, OTHER_SECTION))
        return hit.score * told * (0.6 if asked(hit.text, 0, len(hit.text)) else 1.0)

    found: list[Hit] = []
    for naming in (sorted(things), []) if things else ([],):
        more = [hit for hit in index(question, n=4 * n, naming=naming, keep=fit) if hit not in found]
        found += sorted(more, key=merit, reverse=True)
    return tuple(found[:n])


def _named(folder: Path, id: str) -> set[str]:
    """What an article names."""
    for key in shards(folder):
        rows = pq.read_table(
            folder / "mentions" / f"{key}.parquet", filters=[("id", "=", id)], columns=["concept"]
        )
        if rows.num_rows:
            return set(rows["concept"].to_pylist())
    return set()


def _name(id: str) -> str:
    known = dictionary().concept(id)
    return known.name if known else id


def _passages(index: Index, question: str, quotes: Sequence[Hit], id: str) -> list[str]:
    """What an article finds, about as long as the abstracts that verdicts are learned from: its abstract and
    conclusions where they speak of the question; else all of a short article, what stands about the quotes of a long one."""
    sections = [one for one in _sections(index.folder, id) if one[0] not in _ASIDE]
    summary = [text for section, _, text in sections if section in ("abstract", "conclusion")]
    if summary and about(question, summary) >= SPOKEN_OF:
        return summary
    own = sorted((hit for hit in quotes if hit.id == id), key=lambda hit: hit.start)
    whole = [text for _, _, text in sections]
    if sum(map(len, whole)) <= 6_000:
        return whole or [hit.text for hit in own]
    around = [
        text[max(0, hit.start - start - 300) : hit.end - start + 300]
        for hit in own
        for _, start, text in sections
        if start <= hit.start and hit.end <= start + len(text)
    ]
    return around or [hit.text for hit in own]


def _sections(folder: Path, id: str) -> list[tuple[str, int, str]]:
    """Runs of one section of an article as mined: section, start, text."""
    for key in shards(folder):
        rows = pq.read_table(
            folder / "sentences" / f"{key}.parquet",
            filters=[("id", "=", id)],
            columns=["section", "start", "text"],
        ).to_pylist()
        runs: list[tuple[str, int, str]] = []
        for row in rows:
            if runs and runs[-1][0] == row["section"]:
                section, start, text = runs[-1]
                gap = max(1, row["start"] - start - len(text))
                runs[-1] = (section, start, text + " " * gap + row["text"])
            else:
                runs.append((row["section"], row["start"], row["text"]))
        if runs:
            return runs
    return []


_CITED = re.compile(r"\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")


def write_up(question: str, quotes: Sequence[Hit], writer: Writer) -> Written:
    """Let a writer answer, and keep what cites a quote and says no more than it."""
    text = writer(question, [hit.text for hit in quotes])
    # "It works. [1]": a citation after the stop belongs to the sentence before it.
    text = re.sub(
        r"([.!?])\s*((?:\[\s*\d[\d\s,;]*\]\s*)+)", lambda m: f" {m.group(2).strip()}{m.group(1)} ", text
    )
    kept: list[tuple[str, tuple[int, ...]]] = []
    uncited = unsupported = 0
    for start, end in split(text):
        sentence = " ".join(text[start:end].split())
        cited = tuple(
            dict.fromkeys(int(n) for group in _CITED.findall(sentence) for n in re.split(r"\D+", group))
        )
        words = _CITED.sub("", sentence)
        if not cited or not all(1 <= n <= len(quotes) for n in cited) or not terms(words):
            uncited += 1
            continue
        said = set(terms(words))
        # The quote nearest to the sentence has to hold most of its words, and its denials.
        nearest = max((quotes[n - 1].text for n in cited), key=lambda text: len(said & set(terms(text))))
        there = {term for n in cited for term in terms(quotes[n - 1].text)}
        if len(said & there) < SUPPORTED * len(said) or _denials(words) > _denials(nearest):
            unsupported += 1
            continue
        kept.append((sentence, cited))
    return Written(tuple(kept), uncited, unsupported)


def _denials(text: str) -> int:
    return len(re.findall(r"\b(?:not|no|never|neither|without|cannot)\b|n't\b", text.lower()))


@dataclass(frozen=True, eq=False)
class LocalWriter:
    """A causal language model on this machine; the likeliest words, so the same answer every time."""

    network: Any
    cutter: Any
    longest: int = 200  # pieces

    def __call__(self, question: str, quotes: Sequence[str], /) -> str:
        import torch

        numbered = "\n".join(f"[{n}] {' '.join(quote.split())}" for n, quote in enumerate(quotes, start=1))
        prompt = (
            "Answer the question from the quotes alone. After every sentence name its quote, as in [1].\n\n"
            f"{numbered}\n\nQuestion: {' '.join(question.split())}\nAnswer:"
        )
        room = int(getattr(self.network.config, "max_position_embeddings", 2048)) - self.longest
        pieces = self.cutter(prompt, return_tensors="pt", truncation=True, max_length=max(8, room))[
            "input_ids"
        ]
        with torch.inference_mode():
            made = self.network.generate(
                pieces,
                attention_mask=torch.ones_like(pieces),
                max_new_tokens=self.longest,
                do_sample=False,
                pad_token_id=self.cutter.pad_token_id or self.cutter.eos_token_id or 0,
            )
        return str(self.cutter.decode(made[0, pieces.shape[1] :], skip_special_tokens=True))


@lru_cache(maxsize=1)
def writer(model: str) -> LocalWriter:
    """The language model of a folder, or of a name already on this machine.

    Raises
    ------
    ModelError
        If there is none.
    """
    from literature.model.borrowed import borrowed

    return LocalWriter(*borrowed(model, "AutoModelForCausalLM"))
