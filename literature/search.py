"""Which sentences of a mined folder answer these words?

Three things count together: the words (BM25), the things they name, whatever they are
called ("5-HT1B" finds "serotonin 1B receptor"), and nearness in meaning. A result is a
verbatim sentence with its place. The index lies beside the tables,

    MINED/search/KEY.NAME.safetensors   one for each shard and set of vectors

is brought up to date by every search, and each file appears whole or not at all.

References
----------
.. [1] Robertson S., Zaragoza H., The probabilistic relevance framework: BM25 and beyond, Found. Trends
   Inf. Retr. 2009, 3, 333-389, equation 3.15; inverse document frequency as in Lucene, never negative.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from discovery.files import publish
from discovery.outcome import UserError
from literature.article import Article
from literature.graph import shards
from literature.model.embedding import STATIC, Embedder, embedder
from literature.reading import Reading

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

FORMAT = 1  # raise it when a segment's meaning changes
NONE = "none"  # words and things alone
K1, B = 1.2, 0.5  # saturation and length of BM25; sentences are short, so length says little
WHOLE = 8  # words from which a sentence counts in full: cells of tables and headings seldom answer
NAMED = 0.6  # what a named thing weighs beside a word of the same rarity
MEANING = 1.5  # what nearness (a cosine) weighs beside BM25 as a share of the best sentence's
_STOP_WORDS = """
a an and are as at be been being both but by can did do does during each for from had has have
if in into is it its may more most no nor not of on or our so such than that the their them then
there these they this those through to under us was we were what when where whether which while
who will with would
"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:[-–/][^\W_]+)*")
_ENDINGS = (
    ("ational", 5), ("ization", 5), ("ically", 4), ("ations", 4), ("ation", 4), ("ities", 4), ("ement", 4), ("ingly", 4),
    ("ances", 4), ("ies", 3), ("ing", 4), ("ive", 4), ("ity", 4), ("ers", 4), ("ors", 4), ("ed", 4), ("es", 4), ("er", 4),
    ("al", 4), ("ic", 4), ("ly", 4), ("s", 3), ("e", 4),
)  # fmt: skip


class SearchError(UserError, ValueError):
    """The folder cannot be searched; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One sentence, word for word."""

    score: float
    id: str  # of its article
    section: str
    start: int  # code points into the article's text
    end: int
    text: str
    title: str
    year: int | None
    retracted: bool
    named: tuple[str, ...]  # identifiers of the query's things that it names


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index holds now."""

    shards: int
    made: int  # of them, indexed by this call
    sentences: int


def terms(text: str) -> list[str]:
    """The words of a text as the index keeps them: no stop words, no case, endings cut; compounds also whole."""
    found: list[str] = []
    for match in _WORD.finditer(text.casefold()):
        parts = re.split(r"[-–/]", match.group())
        whole = len(parts) == 1
        found += [_stem(part) for part in parts if part not in _STOP and (whole or len(part) > 1)]
        if not whole:
            found.append("".join(parts))
    return found


def _stem(word: str) -> str:
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    return word


def index(folder: str | Path, *, vectors: str = STATIC) -> Indexed:
    """Bring the index of a mined folder up to date; what stands is not made again.

    Parameters
    ----------
    vectors
        "static", "none", or an encoder that `literature.model.embedding.embedder` knows.

    Raises
    ------
    GraphError
        If nothing was mined into the folder.
    """
    out = Path(folder)
    keys = shards(out)
    maker = None if vectors == NONE else embedder(vectors)
    name = maker.name if maker else NONE
    (out / "search").mkdir(exist_ok=True)
    made = total = 0
    with FileLock(out / "search" / ".lock"):
        for torn in (out / "search").glob(".*.tmp"):  # of a run that died: the lock says that nobody writes
            torn.unlink(missing_ok=True)
        for key in keys:
            path = _path(out, key, name)
            rows = pq.read_metadata(out / "sentences" / f"{key}.parquet").num_rows
            total += rows
            if not _stands(path, rows):
                publish(path, _segment(out, key, maker))
                made += 1
    return Indexed(len(keys), made, total)


def _path(out: Path, key: str, name: str) -> Path:
    return out / "search" / f"{key}.{name}-{FORMAT}.safetensors"


def _stands(path: Path, rows: int) -> bool:
    try:
        return len(load_file(path)["lengths"]) == rows
    except (OSError, SafetensorError, KeyError):  # safetensors checks sizes against the header
        return False


def _segment(out: Path, key: str, maker: Embedder | None) -> bytes:
    """One shard's sentences as an inverted index and vectors."""
    sentences = pq.read_table(
        out / "sentences" / f"{key}.parquet", columns=["row", "start", "end", "text"]
    ).to_pydict()
    texts: list[str] = sentences["text"]
    named = _named(out, key, sentences)
    postings: dict[int, list[tuple[int, int]]] = {}
    lengths = np.zeros(len(texts), np.int32)
    for at, text in enumerate(texts):
        words = terms(text)
        lengths[at] = len(words)
        for term, count in Counter([*map(_number, words), *map(_thing, named[at])]).items():
            postings.setdefault(term, []).append((at, count))
    ordered = sorted(postings)
    sizes = [len(postings[term]) for term in ordered]
    flat = [pair for term in ordered for pair in postings[term]]
    pairs = np.asarray(flat, np.int32).reshape(-1, 2)
    held: dict[str, Any] = {
        "terms": np.asarray(ordered, np.int64),
        "starts": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        "sentences": np.ascontiguousarray(pairs[:, 0]),
        "counts": np.minimum(pairs[:, 1], 255).astype(np.uint8),
        "lengths": lengths,
        "articles": np.asarray(sentences["row"], np.int32),
    }
    if maker is not None:
        vectors = maker(texts)
        scale = np.maximum(np.abs(vectors).max(axis=1, initial=0.0), 1e-12) / 127
        held["vectors"] = np.round(vectors / scale[:, None]).astype(np.int8)
        held["scales"] = scale.astype(np.float32)
    return bytes(save(held))


def _named(out: Path, key: str, sentences: dict[str, Any]) -> list[list[str]]:
    """Identifiers of the things each sentence names."""
    found: list[list[str]] = [[] for _ in sentences["row"]]
    mentions = pq.read_table(
        out / "mentions" / f"{key}.parquet", columns=["row", "start", "end", "concept"]
    ).to_pydict()
    at = 0
    spans = list(zip(sentences["row"], sentences["start"], sentences["end"], strict=True))
    for row, start, end, concept in zip(*mentions.values(), strict=True):
        while at < len(spans) and (spans[at][0], spans[at][2]) < (row, end):
            at += 1
        if at < len(spans) and spans[at][0] == row and spans[at][1] <= start:
            found[at].append(concept)
    return found


def _number(term: str) -> int:
    """A term's number, 64 bits: two terms share one with a chance of 1e-7 among a million."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little", signed=True)


def _thing(concept: str) -> int:
    return _number(f"\0{concept}")


@dataclass(frozen=True, eq=False)
class _Segment:
    key: str
    held: dict[str, Any]

    def posting(self, term: int) -> tuple[Ints, Floats]:
        """Sentences with the term, and how often."""
        place = int(np.searchsorted(self.held["terms"], term))
        if place == len(self.held["terms"]) or self.held["terms"][place] != term:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        low, high = self.held["starts"][place : place + 2]
        places, counts = self.held["sentences"][low:high], self.held["counts"][low:high]
        return places.astype(np.int64), counts.astype(np.float32)


class Index:
    """The index of a mined folder, opened: many queries, one reading of the files."""

    def __init__(self, folder: str | Path, *, vectors: str = STATIC, lexicon: str = "") -> None:
        """Bring the index up to date and open it.

        Raises
        ------
        GraphError
            If nothing was mined into the folder.
        """
        self.folder = Path(folder)
        index(self.folder, vectors=vectors)
        self._maker = None if vectors == NONE else embedder(vectors)
        name = self._maker.name if self._maker else NONE
        self._segments = [
            _Segment(key, load_file(_path(self.folder, key, name))) for key in shards(self.folder)
        ]
        self._reading = Reading(lexicon=lexicon)
        self._gone: dict[str, list[int]] = {}  # shard -> rows of its articles
        self._retracted: dict[str, set[int]] = {}
        for line in pq.read_table(self.folder / "withdrawn.parquet").to_pylist():
            if line["reason"] == "retracted":
                self._retracted.setdefault(line["shard"], set()).add(line["row"])
            else:
                self._gone.setdefault(line["shard"], []).append(line["row"])
        self._sentences = sum(len(s.held["lengths"]) for s in self._segments)
        words = sum(int(s.held["lengths"].sum()) for s in self._segments)
        self._mean = max(1e-9, words / max(1, self._sentences))

    def __call__(
        self,
        query: str,
        *,
        n: int = 10,
        entity: str = "",
        naming: Sequence[str] = (),
        keep: Callable[[Hit], bool] | None = None,
    ) -> list[Hit]:
        """The best sentences, best first; equal ones in the order of the corpus.

        Parameters
        ----------
        entity
            A name or identifier: only sentences that name this thing, by whatever name.
        naming
            Identifiers: only sentences that name all of these things.
        keep
            Leaves out what it is false of.

        Raises
        ------
        SearchError
            If the query is empty, `n` is less than 1, or nobody knows the entity.
        """
        if not query.strip() and not entity.strip():
            raise SearchError("the query is empty; write some words, or name an entity")
        if n < 1:
            raise SearchError(f"n is {n}; ask for at least 1 sentence")
        wanted = [*([self._entity(entity)] if entity.strip() else []), *naming]
        things = dict.fromkeys([*wanted, *self.things(query)])
        scores = self._scores(query, things, wanted)
        flat = np.concatenate(scores) if scores else np.zeros(0, np.float32)
        firsts = np.cumsum([0, *(len(s) for s in scores)])
        hits: list[Hit] = []
        order = np.argsort(-flat, kind="stable") if keep or n >= len(flat) else _top(flat, n)
        for place in order:
            if not flat[place] > 0 or len(hits) == n:
                break
            which = int(np.searchsorted(firsts, place, side="right")) - 1
            hit = self._hit(self._segments[which], int(place - firsts[which]), float(flat[place]), things)
            if keep is None or keep(hit):
                hits.append(hit)
        return hits

    def things(self, query: str) -> list[str]:
        """Identifiers of what a query names."""
        if not query.strip():
            return []
        (read,) = self._reading([Article.of("QUERY:1", [("title", query)])])
        return [mention.concept.id for mention in read.mentions]

    def unheard(self, query: str) -> list[str]:
        """Words of a query that no sentence holds."""
        words = dict.fromkeys(terms(query))
        return [w for w in words if not any(len(s.posting(_number(w))[0]) for s in self._segments)]

    def _entity(self, entity: str) -> str:
        known = self._reading.names.named(entity)
        if known is None:
            raise SearchError(
                f"{entity.strip()!r} is known to no dictionary, or means several things; "
                "give an identifier, a symbol or a full name, or leave it out"
            )
        return known.id

    def _scores(self, query: str, things: Iterable[str], wanted: Sequence[str]) -> list[Floats]:
        """[sentence] of each segment: BM25 as a share of the best, and nearness; 0 for what does not count."""
        asked = [(_number(t), float(c)) for t, c in Counter(terms(query)).items()]
        asked += [(_thing(id), NAMED) for id in things]
        words = self._bm25(asked)
        best = max((float(s.max(initial=0.0)) for s in words), default=0.0)
        near = self._maker([query])[0] if self._maker and query.strip() else None
        result: list[Floats] = []
        for segment, score in zip(self._segments, words, strict=True):
            total = score / best if best > 0 else score
            if near is not None and near.any():
                total = total + MEANING * np.maximum(_cosines(segment, near), 0.0)
                total = total * np.minimum(1.0, segment.held["lengths"] / WHOLE)
            for id in wanted:
                named = np.zeros(len(total), bool)
                named[segment.posting(_thing(id))[0]] = True
                total = np.where(named, np.maximum(total, 1e-6), 0.0)
            if gone := self._gone.get(segment.key):
                total = np.where(np.isin(segment.held["articles"], gone), 0.0, total)
            result.append(total.astype(np.float32))
        return result

    def _bm25(self, asked: Sequence[tuple[int, float]]) -> list[Floats]:
        scores = [np.zeros(len(s.held["lengths"]), np.float32) for s in self._segments]
        for term, weight in asked:
            found = [s.posting(term) for s in self._segments]
            holding = sum(len(places) for places, _ in found)
            if not holding:
                continue
            rarity = np.log1p((self._sentences - holding + 0.5) / (holding + 0.5))
            for score, segment, (places, counts) in zip(scores, self._segments, found, strict=True):
                length = segment.held["lengths"][places] / self._mean
                score[places] += weight * rarity * counts * (K1 + 1) / (counts + K1 * (1 - B + B * length))
        return scores

    def _hit(self, segment: _Segment, at: int, score: float, things: Iterable[str]) -> Hit:
        line = _row(self.folder / "sentences" / f"{segment.key}.parquet", at)
        article = _row(
            self.folder / "documents" / f"{segment.key}.parquet", line["row"], ("title", "year", "retracted")
        )
        named = tuple(id for id in things if at in segment.posting(_thing(id))[0])
        retracted = article["retracted"] or line["row"] in self._retracted.get(segment.key, set())
        return Hit(
            round(score, 6), line["id"], line["section"], line["start"], line["end"], line["text"], article["title"],
            article["year"], retracted, named,
        )  # fmt: skip


def search(
    folder: str | Path, query: str, *, n: int = 10, entity: str = "", vectors: str = STATIC, lexicon: str = ""
) -> list[Hit]:
    """The sentences of a mined folder that answer a query best; see `Index`.

    Parameters
    ----------
    n : so many, best first
    entity : a name or an identifier that every sentence must hold
    vectors : what compares meanings: "static" (word pieces), "none", or a model's name
    lexicon : a JSON-lines file of your own names, added to the shipped ones

    Raises
    ------
    GraphError
        Nothing was mined into the folder.
    SearchError
        The query is empty, or `entity` or `vectors` are unknown.
    """
    return Index(folder, vectors=vectors, lexicon=lexicon)(query, n=n, entity=entity)


def _cosines(segment: _Segment, query: Floats) -> Floats:
    """[sentence]; in blocks, since numpy makes 32-bit numbers of what it multiplies."""
    vectors: NDArray[np.int8] = segment.held["vectors"]
    made = np.zeros(len(vectors), np.float32)
    for at in range(0, len(vectors), 1 << 16):
        made[at : at + (1 << 16)] = vectors[at : at + (1 << 16)].astype(np.float32) @ query
    scales: Floats = segment.held["scales"]
    return made * scales


def _top(scores: Floats, n: int) -> Ints:
    """Places of the n highest, highest first; equal ones in their order."""
    least = np.partition(scores, len(scores) - n)[len(scores) - n]
    among = np.nonzero(scores >= least)[0]
    return among[np.argsort(-scores[among], kind="stable")]


def _row(path: Path, at: int, columns: tuple[str, ...] = ()) -> dict[str, Any]:
    """One row of a Parquet file, of which only its group is read."""
    changed = path.stat().st_mtime_ns
    firsts = _firsts(str(path), changed)
    group = int(np.searchsorted(firsts, at, side="right")) - 1
    table = _read_group(str(path), changed, group, columns)
    row: dict[str, Any] = table.slice(at - int(firsts[group]), 1).to_pylist()[0]
    return row


@lru_cache(maxsize=256)
def _firsts(path: str, changed: int) -> Ints:
    meta = pq.read_metadata(path)
    sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
    return np.cumsum([0, *sizes[:-1]]).astype(np.int64)


@lru_cache(maxsize=32)
def _read_group(path: str, changed: int, number: int, columns: tuple[str, ...]) -> pa.Table:
    return pq.ParquetFile(path).read_row_group(number, columns=list(columns) or None)
