"""What has this run learned so far, and is every byte of it still what was written?

The ledger is a folder, and the truth: any process may die at any moment and
whatever was committed is whole, whatever was not does not exist.

    shards/KEY.parquet    the outcomes of one piece of work (zstd, page checksums)
    shards/KEY.json       its sidecar: sha256 and size of the Parquet file, rows, counts, stage, info
    documents/NAME.json   small things: configuration, provenance, proposals

A key is the sha256 of what the work depends on (`shard_key`), so the same work is
the same file and work whose inputs changed is another one. A file appears under its
name only when it is complete (see files.py). The sidecar is written last, and is what
makes a shard exist.

Sidecars rather than one appended manifest: a rename is atomic where an append is not,
so a kill in the middle of a commit can cost no other shard's entry; several processes
may commit into one folder without a lock (locks are what network file systems get
wrong); and one damaged sidecar loses one shard. The price is two files a shard, which
is why a shard holds many molecules.

A flipped byte in a Parquet page can be read back as wrong numbers without any error,
so nothing is read before its sha256 agrees. Nothing here is a pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from discovery.files import publish, refused
from discovery.molecule import Molecule
from discovery.outcome import Counts, Missing, Reason, UserError
from discovery.score import Score

FORMAT = 1  # raise it when a sidecar's meaning changes


class LedgerError(UserError, RuntimeError):
    """The ledger cannot be used; the message names the path and what to do."""


class Damaged(LedgerError):
    """A file of the ledger is not what was written; the message names it."""


class Busy(LedgerError):
    """Another run is working in this folder."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One committed piece of work."""

    key: str
    stage: str
    rows: int
    counts: Counts
    info: Mapping[str, Any]  # plain JSON: versions, seconds, device
    sha256: str  # of the Parquet file
    bytes: int


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing `verify` found."""

    path: str  # inside the ledger's folder
    kind: Literal["damaged", "truncated", "missing", "orphan", "sidecar"]
    detail: str  # what is wrong and what to do


def canonical(value: Any) -> str:
    """One spelling of a plain JSON value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: Any) -> str:
    """sha256 of a plain JSON value, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def shard_key(
    stage: str, settings: Mapping[str, Any], inputs: Sequence[str], versions: Mapping[str, str]
) -> str:
    """The name of a piece of work: everything its answer depends on.

    `versions` holds whatever else the answer depends on: versions of programs, sha256
    of weights and of files that the settings name.
    """
    return digest([FORMAT, stage, dict(settings), list(inputs), dict(versions)])


class Ledger:
    """A folder of shards and documents. Build it with `Ledger.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shards = folder / "shards"
        self._documents = folder / "documents"
        self._seen: dict[str, Shard] = {}  # sidecars already checked; they never change

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Ledger:
        """Open a ledger, making its folder where there is none."""
        ledger = cls(Path(folder))
        for part in (ledger._shards, ledger._documents):
            try:
                part.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise refused(part, 0, error) from error
        return ledger

    # --- shards

    def commit(
        self, key: str, table: pa.Table, *, stage: str, counts: Counts, info: Mapping[str, Any]
    ) -> Shard:
        """Keep a table for ever. A key already kept stays as it is: the same work gives the same answer.

        Raises
        ------
        CannotWrite
            The disk is full, read-only or not ours; the message names the path and the bytes needed.
        ValueError
            The counts are not of this table.
        """
        if counts.n_in != table.num_rows:
            raise ValueError(f"{counts.n_in} molecules are counted but the table has {table.num_rows} rows")
        if self.has(key):
            return self._seen[key]
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        data: bytes = sink.getvalue().to_pybytes()
        shard = Shard(
            key, stage, table.num_rows, counts, dict(info), hashlib.sha256(data).hexdigest(), len(data)
        )
        sidecar = _sealed({"format": FORMAT, **asdict(shard)})  # what is no JSON fails before any write
        publish(self._path(key), data)
        publish(self._sidecar(key), sidecar)
        self._seen[key] = shard
        return shard

    def has(self, key: str) -> bool:
        """Whether the shard exists: its sidecar is whole and its Parquet file has the right size."""
        shard = self._load(key)
        if shard is None:
            return False
        try:
            return self._path(key).stat().st_size == shard.bytes
        except FileNotFoundError:
            return False

    def read(self, key: str) -> pa.Table:
        """The table that was committed.

        Raises
        ------
        Damaged
            If one byte of it changed; the message names the file.
        KeyError
            If there is no such shard.
        """
        if wrong := self._wrong(self.shard(key)):
            raise Damaged(f"{self.folder / wrong.path}: {wrong.detail}")
        return pq.read_table(self._path(key), page_checksum_verification=True)

    def shard(self, key: str) -> Shard:
        """What the sidecar says of a shard.

        Raises
        ------
        KeyError
            If there is no such shard.
        """
        shard = self._load(key)
        if shard is None:
            raise KeyError(f"there is no shard {key} in {self.folder}")
        return shard

    def shards(self, stage: str | None = None) -> list[Shard]:
        """All shards, or one stage's, ordered by key: the same on every machine."""
        found = (self._load(key) for key in self._keys())
        return [shard for shard in found if shard is not None and stage in (None, shard.stage)]

    def discard(self, key: str) -> None:
        """Forget a shard, so that its work is done again. The sidecar goes first: half gone is gone."""
        self._seen.pop(key, None)
        self._sidecar(key).unlink(missing_ok=True)
        self._path(key).unlink(missing_ok=True)

    def verify(self) -> list[Damage]:
        """Read every byte and name every file that is not what was written."""
        found: list[Damage] = []
        for key in self._keys():
            try:
                wrong = self._wrong(self._told(key))
            except (Damaged, OSError) as error:
                remedy = f"discard {key} and run again to redo its rows"
                wrong = Damage(f"shards/{key}.json", "sidecar", f"{error}; {remedy}")
            if wrong:
                found.append(wrong)
        for path in sorted(self._documents.glob("*.json")):
            try:
                _unsealed(path)
            except Damaged as error:
                found.append(Damage(f"documents/{path.name}", "damaged", f"{error}; restore it from a copy"))
        left = "left by a process that died while writing; sweep() removes it"
        found += [Damage(str(path.relative_to(self.folder)), "orphan", left) for path in self._orphans()]
        return found

    def sweep(self, spare_s: float = 0.0) -> list[str]:
        """Remove what dying processes left behind; the paths removed. Call it holding the lock.

        With helpers at work, spare what is younger than `spare_s`: it may be a file being written.
        Younger by the disk's clock, which need not be this host's: the lock's note was written just now.
        """
        gone = []
        now = (self.folder / "driver.json").stat().st_mtime if spare_s else 0.0
        for path in self._orphans():
            with suppress(FileNotFoundError):
                if spare_s and now - path.stat().st_mtime < spare_s:
                    continue
            path.unlink(missing_ok=True)
            gone.append(str(path.relative_to(self.folder)))
        return gone

    def query(self, sql: str) -> pa.Table:
        """Ask in SQL: `outcomes` has every row (with `shard`, its key), `shards` every shard.

        A machine's fault that was tried again has a row for each time; the one with the
        most `attempts` counts. Only files the sidecars vouch for are read, never a glob: one torn file would
        make the whole folder unreadable.

        Examples
        --------
        >>> ledger.query("select reason, count(*) from outcomes group by reason")  # doctest: +SKIP
        """
        import duckdb  # here: it costs a tenth of a second that most commands need not pay

        shards = [shard for shard in self.shards() if self.has(shard.key)]
        listed = pa.table(
            {
                "shard": pa.array([shard.key for shard in shards], pa.string()),
                "stage": pa.array([shard.stage for shard in shards], pa.string()),
                "rows": pa.array([shard.rows for shard in shards], pa.int64()),
                "ok": pa.array([shard.counts.n_ok for shard in shards], pa.int64()),
                "failed": pa.array([shard.counts.n_failed for shard in shards], pa.int64()),
                "bytes": pa.array([shard.bytes for shard in shards], pa.int64()),
            }
        )
        with duckdb.connect(config={"python_enable_replacements": "false"}) as connection:
            connection.register("shards", listed)
            if shards:
                paths = ", ".join("'" + str(self._path(s.key)).replace("'", "''") + "'" for s in shards)
                connection.execute(
                    "create view outcomes as select * exclude (filename), "
                    "regexp_extract(filename, '([0-9a-f]+)[.]parquet$', 1) as shard "
                    f"from read_parquet([{paths}], union_by_name=true, filename=true)"
                )
            else:
                connection.register(
                    "outcomes", outcomes_table([], [], "").append_column("shard", pa.array([], pa.string()))
                )
            answer = connection.sql(sql)
            return pa.table({}) if answer is None else answer.to_arrow_table()

    # --- documents

    def put_document(self, name: str, value: Any) -> None:
        """Keep a plain JSON value under a name, whole or not at all; the newest one stays."""
        publish(self._document(name), _sealed(value))

    def get_document(self, name: str) -> Any:
        """The value kept under a name, or None where there is none.

        Raises
        ------
        Damaged
            If it is not what was written.
        """
        path = self._document(name)
        return _unsealed(path) if path.exists() else None

    # --- one driver at a time

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other drivers out while inside. The system lets go of it when this process dies.

        Raises
        ------
        Busy
            Another process holds it; the message says which.
        """
        path = self.folder / "run.lock"
        held = FileLock(path, timeout=0)
        note = self.folder / "driver.json"
        try:
            held.acquire()
        except Timeout as error:
            told = "another process"
            with suppress(OSError, ValueError, KeyError):
                who = json.loads(note.read_text())
                told = f"process {who['pid']} on {who['host']} since {who['since']}"
            remedy = "wait for it, stop it, or choose another folder"
            if path.stat().st_size:  # a disk without flock, where the system lets go of nothing
                remedy += f"; if it was killed on another host, delete {path}"
            raise Busy(f"{told} is working in {self.folder}; {remedy}") from error
        except OSError as error:
            raise refused(path, 0, error) from error
        try:
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
            publish(note, canonical(who).encode())
            yield
        finally:
            with suppress(OSError):
                note.unlink(missing_ok=True)
            held.release()

    # --- inside

    def _path(self, key: str) -> Path:
        return self._shards / f"{key}.parquet"

    def _sidecar(self, key: str) -> Path:
        return self._shards / f"{key}.json"

    def _document(self, name: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
            raise ValueError(
                f"{name!r} is no name for a document; use letters, digits, dot, dash and underscore"
            )
        return self._documents / f"{name}.json"

    def _keys(self) -> list[str]:
        return sorted(path.stem for path in self._shards.glob("*.json"))

    def _orphans(self) -> list[Path]:
        """Temporary files anywhere, and Parquet files whose sidecar was never written."""
        torn = [path for path in self.folder.rglob(".*.tmp") if path.is_file()]
        bare = [path for path in self._shards.glob("*.parquet") if not path.with_suffix(".json").exists()]
        return sorted(torn + bare)

    def _load(self, key: str) -> Shard | None:
        if key not in self._seen:
            try:
                self._seen[key] = self._told(key)
            except (Damaged, FileNotFoundError):
                return None  # a torn sidecar is no sidecar; verify() tells of it
        return self._seen[key]

    def _told(self, key: str) -> Shard:
        shard = _shard(_unsealed(self._sidecar(key)))
        if shard.key != key:
            raise Damaged(f"it speaks of shard {shard.key}")
        return shard

    def _wrong(self, shard: Shard) -> Damage | None:
        where = f"shards/{shard.key}.parquet"
        try:
            data = self._path(shard.key).read_bytes()
        except FileNotFoundError:
            return Damage(where, "missing", "the file is gone; run again to redo its rows")
        except OSError as error:
            return Damage(where, "damaged", f"it cannot be read: {error.strerror}")
        if len(data) < shard.bytes:
            told = f"{len(data):,} of {shard.bytes:,} bytes are left; run again to redo its rows"
            return Damage(where, "truncated", told)
        if (found := hashlib.sha256(data).hexdigest()) != shard.sha256:
            told = f"its sha256 is {found[:12]}..., but {shard.sha256[:12]}... was written"
            return Damage(where, "damaged", f"{told}; run again to redo its rows")
        return None


# --- outcomes as a table

OUTCOMES = pa.schema(
    [
        ("smiles", pa.string()),
        ("name", pa.string()),
        ("column", pa.string()),
        ("value", pa.float64()),
        ("error", pa.float64()),
        ("details", pa.string()),  # JSON
        ("stage", pa.string()),  # this and the next two are set where the value is not
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


def outcomes_table(
    molecules: Sequence[Molecule], outcomes: Sequence[Score | Missing], column: str
) -> pa.Table:
    """Outcomes -> Arrow, one row a molecule; `table_outcomes` gives them back exactly.

    Raises
    ------
    ValueError
        If the two differ in length, or details are no plain JSON.
    """
    if len(molecules) != len(outcomes):
        raise ValueError(f"{len(molecules)} molecules but {len(outcomes)} outcomes")
    scores = [outcome if isinstance(outcome, Score) else None for outcome in outcomes]
    missing = [outcome if isinstance(outcome, Missing) else None for outcome in outcomes]
    cells = [
        [storable(molecule.smiles) for molecule in molecules],
        [storable(molecule.name) for molecule in molecules],
        [column] * len(molecules),
        [None if score is None else float(score.value) for score in scores],
        [None if score is None or score.error is None else float(score.error) for score in scores],
        [None if score is None else canonical(dict(score.details)) for score in scores],
        [None if m is None else storable(m.stage) for m in missing],
        [None if m is None else m.reason.value for m in missing],
        [None if m is None else storable(m.detail) for m in missing],
    ]
    return pa.table([pa.array(c, f.type) for c, f in zip(cells, OUTCOMES, strict=True)], schema=OUTCOMES)


def table_outcomes(table: pa.Table) -> list[Score | Missing]:
    """Arrow -> outcomes, in the rows' order; columns beyond the nine are not looked at."""
    names = ("value", "error", "details", "stage", "reason", "detail")
    columns = [table.column(name).to_pylist() for name in names]
    return [
        Score(value, error, json.loads(details)) if reason is None else Missing(stage, Reason(reason), detail)
        for value, error, details, stage, reason, detail in zip(*columns, strict=True)
    ]


def storable(text: str) -> str:
    """As it is; a lone surrogate (a file name's undecodable byte) is no Unicode and is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _sealed(body: Any) -> bytes:
    """A JSON value with its own sha256 around it, so that a changed byte is noticed."""
    return (canonical({"sha256": digest(body), "body": body}) + "\n").encode()


def _unsealed(path: Path) -> Any:
    try:
        sealed = json.loads(path.read_bytes())
        body, agrees = sealed["body"], sealed["sha256"] == digest(sealed["body"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Damaged(f"{path} is torn or not ours") from error
    if not agrees:
        raise Damaged(f"{path} is not what was written: its sha256 does not agree")
    return body


def _shard(body: Any) -> Shard:
    try:
        fields = {key: value for key, value in body.items() if key != "format"}
        return Shard(**{**fields, "counts": Counts(**fields["counts"])})
    except (TypeError, KeyError, AttributeError, AssertionError) as error:
        raise Damaged(f"not a shard's sidecar: {error}") from error
