"""Articles -> Parquet tables: documents, sentences, mentions, concepts, evidence.

    OUT/documents/KEY.parquet    one row an article (also sentences/, mentions/, concepts/, evidence/, skipped/)
    OUT/shards/KEY.json          written last: what makes a shard exist; sizes and sha256 of its tables
    OUT/withdrawn.parquet        rows of documents/ that no longer count: superseded, deleted, retracted
    OUT/SHA256SUMS               of the tables that count, for `discovery verify` and `sha256sum -c`
    OUT/current.json             the shards of the files that were named last, in their order: they count

One input file is one shard, named by the sha256 of its bytes and of what read it, so
that nothing is read twice and nothing is lost: a process may be killed at any moment
and the same command goes on. How the tables are asked is told in
graph.py. The ledger is not used: its shards are outcomes of molecules.
"""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from discovery.doors import check_unclaimed, refusal
from discovery.files import publish, seal, sha256_of
from discovery.outcome import UserError
from discovery.workers.worker import hired
from literature.article import Article, Deleted, Record, Skipped
from literature.calibration import probability
from literature.claims import MENTIONED, Claim
from literature.corpus import Corpus, Standing
from literature.crew import Steps, read_files
from literature.evidence import Evidence
from literature.lexicon import Concept
from literature.readers.formats import UnknownFormat, reader_for
from literature.reading import DICTIONARY, GENERAL, Read, Reading
from literature.sentences import split

FORMAT = 7  # raise it when a table's meaning changes, or the rules of what is found
BATCH = 256  # articles held in memory at a time

_TEXT, _INT = pa.string(), pa.int32()
TABLES: dict[str, pa.Schema] = {
    "documents": pa.schema(
        [
            ("row", _INT), ("id", _TEXT), ("version", _INT), ("year", _INT), ("kind", _TEXT),
            ("retracted", pa.bool_()), ("retracts", pa.list_(_TEXT)), ("genres", pa.list_(_TEXT)), ("aliases", pa.list_(_TEXT)),
            ("licence", _TEXT), ("title", _TEXT), ("text", _TEXT),
        ]
    ),
    "sentences": pa.schema(
        [("row", _INT), ("id", _TEXT), ("section", _TEXT), ("start", _INT), ("end", _INT), ("text", _TEXT)]
    ),
    "mentions": pa.schema(
        [
            ("row", _INT), ("id", _TEXT), ("start", _INT), ("end", _INT), ("text", _TEXT), ("type", _TEXT),
            ("concept", _TEXT), ("name", _TEXT), ("score", pa.float64()), ("method", _TEXT),
        ]
    ),
    "concepts": pa.schema(  # those the shard names
        [
            ("id", _TEXT), ("type", _TEXT), ("name", _TEXT), ("xrefs", pa.list_(_TEXT)), ("smiles", _TEXT),
            ("inchikey", _TEXT), ("tags", pa.list_(_TEXT)),
        ]
    ),
    "evidence": pa.schema(
        [
            ("row", _INT), ("id", _TEXT), ("subject", _TEXT), ("subject_name", _TEXT), ("predicate", _TEXT),
            ("object", _TEXT), ("object_name", _TEXT), ("sign", pa.int8()), ("hedged", pa.bool_()),
            ("weight", pa.float64()), ("probability", pa.float64()), ("section", _TEXT), ("start", _INT), ("end", _INT), ("quote", _TEXT),
            ("year", _INT), ("kind", _TEXT), ("retracted", pa.bool_()), ("smiles", _TEXT),
        ]
    ),
    "skipped": pa.schema([("where", _TEXT), ("detail", _TEXT)]),
}  # fmt: skip
TRIES = 3  # of a file in which memory ran out, over all runs
_WITHDRAWN = pa.schema([("shard", _TEXT), ("row", _INT), ("id", _TEXT), ("reason", _TEXT)])


class MiningError(UserError, ValueError):
    """The tables cannot be written; the message names the folder and what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file, read."""

    key: str
    file: str
    rows: dict[str, int]  # of each table
    sha256: dict[str, str]  # of each table's file
    deleted: tuple[tuple[int, str], ...]  # (documents before it, identifier)
    tries: int = 0  # so far, of a file in which memory ran out; 0 of any other


@dataclass(frozen=True, slots=True)
class Mined:
    """What is now in the folder."""

    files: int
    reused: int
    documents: int
    sentences: int
    mentions: int
    concepts: int  # counted once a shard
    evidence: int
    skipped: int
    withdrawn: int


def mine(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    workers: int = 0,
    resume: bool = True,
    reader: str = DICTIONARY,
    convention: str = GENERAL,
    lexicon: str = "",
    relations: str = "",
    format: str = "",
    tell: Callable[[str], None] | None = None,
) -> Mined:
    """Read files and folders of articles into the tables of `out`.

    The tables hold what the last command named; what other files of an earlier command
    gave is kept beside them, and counts again when they are named again.

    Parameters
    ----------
    paths
        A file of articles, or several, or folders of them.
    workers
        Processes that read, each a file at a time; they change no result. An article that
        crashes one of them costs its own row (crew.py); with 0, which reads in this process, it
        ends that.
    tell
        Called with a line on each file that was read, and on each reader that died.
    reader, convention, lexicon, relations
        Who reads, see `literature.reading.Reading`.
    format
        The reader of all files ("pubmed", "jats", ...); told by each file when empty.

    Raises
    ------
    MiningError
        The folder holds tables and `resume` is false, or another run writes to it.
    FolderTaken
        It holds what another command left.
    CorpusError
        A path does not exist or holds nothing to read.
    ReaderFailed
        A worker cannot read at all; the message says why.
    """
    out = Path(out)
    tell = tell or (lambda line: None)
    corpus = Corpus.open(paths, reader=format)
    if corpus.left:
        names = ", ".join(path.name for path in corpus.left[:5]) + (", ..." if len(corpus.left) > 5 else "")
        tell(f"not read, since their endings are not those of articles: {len(corpus.left)} files, {names}")
    check_unclaimed(out, own="current.json")
    out.mkdir(parents=True, exist_ok=True)
    for name in (*TABLES, "shards"):
        (out / name).mkdir(exist_ok=True)
    try:
        with FileLock(out / ".lock", timeout=0):
            read = Reading(reader, convention, lexicon, relations)
            return _mine(corpus.paths, out, workers, resume, read, format, tell)
    except Timeout as error:
        raise MiningError(f"another run is writing to {out}; wait for it or choose another folder") from error


def _mine(
    files: Sequence[Path],
    out: Path,
    workers: int,
    resume: bool,
    read: Reading,
    format: str,
    tell: Callable[[str], None],
) -> Mined:
    if not resume and any((out / "shards").glob("*.json")):
        raise MiningError(f"{out} holds tables already; it goes on without --fresh, or choose another folder")
    _sweep(out)
    known = read.fingerprint
    keys = [_key(file, known, format) for file in files]
    todo = [(file, key) for file, key in dict(zip(files, keys, strict=True)).items() if not _stands(out, key)]
    todo = list({key: (file, key) for file, key in todo}.values())  # the same bytes under two names: once
    if workers:
        read_files(todo, out, read, format, workers, tell)
    else:
        for file, key in todo:
            read_file(file, key, out, read, format, Steps())
            tell(f"read {file.name}")
    shards = [_shard(out, key) for key in dict.fromkeys(keys)]
    withdrawn = _withdraw(out, shards)
    publish(out / "current.json", json.dumps([shard.key for shard in shards]).encode())
    seal(
        out,
        ["current.json"],
        {f"{t}/{shard.key}.parquet": shard.sha256[t] for shard in shards for t in TABLES},
    )
    total = {name: sum(shard.rows[name] for shard in shards) for name in TABLES}
    return Mined(files=len(files), reused=len(files) - len(todo), withdrawn=withdrawn, **total)


def _key(file: Path, known: str, format: str) -> str:
    digest = hashlib.sha256(f"{FORMAT}\0{known}\0{format}\0".encode())
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    # A plain text file's name is its identifier, so the same words under two names are two articles.
    digest.update(file.name.encode())
    return digest.hexdigest()[:24]


def _sweep(out: Path) -> None:
    """Remove the half-written files of a run that died; the lock says that nobody is writing."""
    for name in (*TABLES, "shards"):
        for torn in (out / name).glob(".*.tmp"):
            with suppress(OSError):
                torn.unlink()


def _stands(out: Path, key: str) -> bool:
    """The shard is there and every byte of it is what was written."""
    try:
        shard = _shard(out, key)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return not 0 < shard.tries < TRIES and all(
        (path := out / name / f"{key}.parquet").exists() and sha256_of(path) == shard.sha256[name]
        for name in TABLES
    )


def _shard(out: Path, key: str) -> Shard:
    found = json.loads((out / "shards" / f"{key}.json").read_text(encoding="utf-8"))
    deleted = tuple((int(row), str(id)) for row, id in found["deleted"])
    return Shard(found["key"], found["file"], found["rows"], found["sha256"], deleted, found.get("tries", 0))


def read_file(file: Path, key: str, out: Path, read: Reading, format: str, steps: Steps) -> None:
    """One file -> one committed shard."""
    known: dict[str, Concept] = {}
    rows = dict.fromkeys(TABLES, 0)
    deleted: list[tuple[int, str]] = []
    torn = {table: out / table / f".{key}.{os.getpid()}.tmp" for table in TABLES}
    with ExitStack() as stack:
        writers = {
            table: stack.enter_context(pq.ParquetWriter(torn[table], schema, compression="zstd"))
            for table, schema in TABLES.items()
        }
        for articles, others in _batches(_records(file, format, steps)):
            deleted += [
                (rows["documents"], id) for one in others if isinstance(one, Deleted) for id in one.ids
            ]
            done, lost = _read(articles, rows["documents"], read, steps)
            skipped = [asdict(one) for one in (*others, *lost) if isinstance(one, Skipped)]
            found = _tables(done, rows["documents"], read, known) | {"skipped": skipped}
            for table, lines in found.items():
                if lines:
                    writers[table].write_table(pa.Table.from_pylist(lines, schema=TABLES[table]))
                    rows[table] += len(lines)
        concepts = [
            _fields(concept, "concepts") | {"tags": sorted(concept.tags)}
            for _, concept in sorted(known.items())
        ]
        writers["concepts"].write_table(pa.Table.from_pylist(concepts, schema=TABLES["concepts"]))
        rows["concepts"] = len(concepts)
    sums: dict[str, str] = {}
    for table, path in torn.items():
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
        sums[table] = sha256_of(path)
        os.replace(path, out / table / f"{key}.parquet")
    tries = 0
    if steps.short_of_memory:
        with suppress(OSError, ValueError, KeyError, TypeError):
            tries = _shard(out, key).tries
        tries += 1
    shard = Shard(key, file.name, rows, sums, tuple(deleted), tries)
    publish(out / "shards" / f"{key}.json", json.dumps(asdict(shard)).encode("utf-8"))


def main() -> None:
    """The life of a reader in a process of its own: file after file, until the parent is gone."""
    order, hear, say = hired()
    read = Reading(**order["reading"])
    while True:
        say({"ready": True})
        task = hear()
        steps = Steps(lambda step: say({"at": step}), task["deaths"])
        try:
            read_file(Path(task["file"]), task["key"], Path(order["out"]), read, order["format"], steps)
        except Exception as error:  # what a user can mend, or a bug: it stops the run
            text = "".join(traceback.format_exception(error))
            say({"refused": refusal(error) or f"reading {task['file']} failed: {error}\n\n{text}"})


def _batches(records: Iterable[Record]) -> Iterator[tuple[list[Article], list[Record]]]:
    """Articles in groups; a deletion closes its group, so that its place among them is kept."""
    articles: list[Article] = []
    others: list[Record] = []
    for record in records:
        if isinstance(record, Article):
            articles.append(record)
        elif isinstance(record, Deleted):
            if articles:
                yield articles, others
                articles, others = [], []
            yield [], [record]
        else:
            others.append(record)
        if len(articles) >= BATCH or len(others) >= BATCH:
            yield articles, others
            articles, others = [], []
    yield articles, others


def _records(file: Path, format: str, steps: Steps) -> Iterator[Record]:
    try:
        read = reader_for(file, format)
    except UnknownFormat as error:
        yield Skipped(file.name, str(error).removeprefix(f"{file.name}: "))
        return
    records = iter(read(file))
    for number in count():
        if ended := steps.begin(f"record {number + 1}"):
            yield Skipped(
                f"{file.name}, after record {number}", f"its reader {ended}; what follows was not read"
            )
            return
        record = next(records, None)
        if record is None:
            return
        yield record


def _read(
    articles: Sequence[Article], first: int, read: Reading, steps: Steps
) -> tuple[list[Read], list[Skipped]]:
    """What is found in articles: in all together, unless that has ended a reader; then in each alone."""
    together = f"articles from row {first}"
    if together not in steps.deaths:
        steps.begin(together)
        return read(articles), []
    done: list[Read] = []
    lost: list[Skipped] = []
    for article in articles:
        if ended := steps.begin(article.id):
            lost.append(Skipped(article.id, f"its reader {ended}, each time it was read alone"))
        else:
            done += read([article])
    return done, lost


def _tables(
    articles: Sequence[Read], first: int, read: Reading, known: dict[str, Concept]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of each table but that of the concepts, which are gathered in `known`."""
    documents, sentences, mentions, evidence = (list[dict[str, Any]]() for _ in range(4))
    asked = read.answers is not None  # a network said what is related
    for row, one in enumerate(articles, start=first):
        article = one.article
        at = {"row": row, "id": article.id}
        documents.append(at | _fields(article, "documents"))
        for passage in article.passages:
            for start, end in split(passage.text):
                place = {"start": passage.offset + start, "end": passage.offset + end}
                sentences.append(at | place | {"section": passage.section, "text": passage.text[start:end]})
        for mention in one.mentions:
            named = {"concept": mention.concept.id, "name": mention.concept.name}
            mentions.append(at | _fields(mention, "mentions") | named)
            known[mention.concept.id] = mention.concept
        evidence += [at | _evidence(article, claim, asked) for claim in one.claims]
    return {"documents": documents, "sentences": sentences, "mentions": mentions, "evidence": evidence}


def _fields(record: Any, table: str) -> dict[str, Any]:
    """Those of a record that the table has columns for."""
    return {name: getattr(record, name) for name in TABLES[table].names if hasattr(record, name)}


def _evidence(article: Article, claim: Claim, asked: bool) -> dict[str, Any]:
    statement = Evidence.of(article, claim).statement()
    return _fields(statement, "evidence") | {
        "subject": claim.subject.concept.id,
        "subject_name": statement.subject,
        "object": claim.object.concept.id,
        "object_name": statement.object,
        "sign": statement.sign if statement.predicate != MENTIONED else 0,
        "hedged": claim.hedged,
        "weight": statement.confidence,
        "probability": probability(claim, asked),
    }


def _withdraw(out: Path, shards: Sequence[Shard]) -> int:
    """List the rows that no longer count, over all shards, in the order the files were named."""
    standing = Standing[tuple[str, int]]()
    columns = ["id", "version", "retracted", "retracts", "aliases"]
    for shard in shards:
        table = pq.read_table(out / "documents" / f"{shard.key}.parquet", columns=columns).to_pylist()
        deletions = list(shard.deleted)
        for row in range(len(table) + 1):
            while deletions and deletions[0][0] <= row:
                standing.withdraw([deletions.pop(0)[1]])
            if row < len(table):
                standing.add(place=(shard.key, row), **table[row])
    retracted, twins = standing.settled()
    for ids, reason in ((twins, "superseded"), (retracted, "retracted")):
        standing.gone += [(standing.places[id][1], id, reason) for id in sorted(ids)]
    lines = [
        {"shard": key, "row": row, "id": id, "reason": reason} for (key, row), id, reason in standing.gone
    ]
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(lines, schema=_WITHDRAWN), buffer)
    publish(out / "withdrawn.parquet", buffer.getvalue().to_pybytes())
    return len(lines)
