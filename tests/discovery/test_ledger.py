"""The ledger keeps what it was given, bit for bit, and notices every byte that changed."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.files import CannotWrite, publish
from discovery.ledger import Busy, Damaged, Ledger, outcomes_table, shard_key, table_outcomes
from discovery.molecule import Molecule
from discovery.outcome import Counts, Missing, Reason
from discovery.score import Score

PAIR = [
    Score(-9.1, 0.25, {"pose": "a\nb", "alerts": []}),
    Missing("docking", Reason.TIMED_OUT, "two took too long"),
]
MOLECULES = [Molecule("CCO", "one"), Molecule("CCN", "two")]


def kept(ledger: Ledger, name: str = "first", stage: str = "docking") -> str:
    key = shard_key(stage, {"box": [1.0, 2.0]}, [name], {"vina": "1.2.7"})
    table = outcomes_table(MOLECULES, PAIR, "docking")
    ledger.commit(key, table, stage=stage, counts=Counts.of(PAIR), info={"seconds": 1.5})
    return key


def test_what_was_committed_is_read_back_by_another_process_too(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    key = kept(ledger)
    assert ledger.has(key)
    for again in (ledger, Ledger.open(tmp_path)):
        assert table_outcomes(again.read(key)) == PAIR
        (shard,) = again.shards("docking")
        assert (shard.rows, shard.counts.n_ok, shard.counts.n_failed, shard.info["seconds"]) == (2, 1, 1, 1.5)
        assert again.verify() == []
    assert pq.read_table(tmp_path / "shards" / f"{key}.parquet").column("smiles").to_pylist() == [
        "CCO",
        "CCN",
    ]


def test_a_key_depends_on_everything_it_names_and_on_no_order_of_settings() -> None:
    base = shard_key("docking", {"a": 1, "b": 2.5}, ["C", "N"], {"rdkit": "1"})
    assert base == shard_key("docking", {"b": 2.5, "a": 1}, ["C", "N"], {"rdkit": "1"})
    others = {
        shard_key("dynamics", {"a": 1, "b": 2.5}, ["C", "N"], {"rdkit": "1"}),
        shard_key("docking", {"a": 2, "b": 2.5}, ["C", "N"], {"rdkit": "1"}),
        shard_key("docking", {"a": 1, "b": 2.5}, ["N", "C"], {"rdkit": "1"}),
        shard_key("docking", {"a": 1, "b": 2.5}, ["CN"], {"rdkit": "1"}),
        shard_key("docking", {"a": 1, "b": 2.5}, ["C", "N"], {"rdkit": "2"}),
    }
    assert len(others | {base}) == 6


# --- round trip

words = st.text(max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | floats | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
scores = st.builds(Score, floats, st.none() | floats, st.dictionaries(words, plain, max_size=3))
missing = st.builds(Missing, words, st.sampled_from(Reason), words)


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.tuples(words, words, scores | missing), max_size=8), words)
def test_outcomes_survive_a_parquet_file_exactly(
    rows: list[tuple[str, str, Score | Missing]], column: str
) -> None:
    molecules = [Molecule(smiles, name) for smiles, name, _ in rows]
    outcomes = [outcome for _, _, outcome in rows]
    sink = pa.BufferOutputStream()
    pq.write_table(outcomes_table(molecules, outcomes, column), sink)
    table = pq.read_table(pa.BufferReader(sink.getvalue()))
    back = table_outcomes(table)
    assert back == outcomes
    for a, b in zip(back, outcomes, strict=True):
        if isinstance(b, Score):
            assert isinstance(a, Score)
            assert (bits(a.value), bits(a.error)) == (bits(b.value), bits(b.error))  # -0.0 is not 0.0
            assert json.dumps(a.details, sort_keys=True) == json.dumps(b.details, sort_keys=True)
    assert table.column("smiles").to_pylist() == [m.smiles for m in molecules]
    assert table.column("name").to_pylist() == [m.name for m in molecules]


def test_a_lone_surrogate_in_a_name_is_spelled_out_rather_than_fatal() -> None:
    table = outcomes_table([Molecule("C", "caf\udce9")], [Score(1.0)], "x")
    assert table.column("name").to_pylist() == ["caf\\udce9"]


def test_as_many_outcomes_as_molecules() -> None:
    with pytest.raises(ValueError, match="2 molecules but 1 outcomes"):
        outcomes_table(MOLECULES, PAIR[:1], "docking")


# --- damage


def flipped(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (lambda p: p.write_bytes(flipped(p.read_bytes())), "damaged"),
        (lambda p: p.write_bytes(p.read_bytes()[:-7]), "truncated"),
        (lambda p: p.write_bytes(b""), "truncated"),
        (lambda p: p.unlink(), "missing"),
    ],
)
def test_a_harmed_shard_is_refused_and_named(tmp_path: Path, harm: Callable[[Path], None], kind: str) -> None:
    ledger = Ledger.open(tmp_path)
    key, other = kept(ledger, "first"), kept(ledger, "second")
    harm(tmp_path / "shards" / f"{key}.parquet")
    for again in (ledger, Ledger.open(tmp_path)):
        with pytest.raises(Damaged, match=f"{key}.parquet"):
            again.read(key)
        assert [(d.path, d.kind) for d in again.verify()] == [(f"shards/{key}.parquet", kind)]
        assert table_outcomes(again.read(other)) == PAIR
    ledger.discard(key)
    assert not ledger.has(key)
    assert kept(ledger, "first") == key
    assert ledger.verify() == []


def test_every_single_flipped_byte_of_a_shard_is_noticed(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    key = kept(ledger)
    path = tmp_path / "shards" / f"{key}.parquet"
    whole = path.read_bytes()
    for i in range(0, len(whole), 37):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :])
        with pytest.raises(Damaged):
            ledger.read(key)


def test_a_torn_or_lying_sidecar_is_no_shard(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    key, other = kept(ledger, "first"), kept(ledger, "second")
    sidecar = tmp_path / "shards" / f"{key}.json"
    whole = sidecar.read_bytes()
    lie = json.loads(whole)
    lie["body"]["counts"]["n_ok"], lie["body"]["counts"]["n_failed"] = 2, 0
    harms = [
        whole[:40],
        b"",
        b"[]",
        b'{"sha256": "", "body": NaN}',
        json.dumps(lie).encode(),
        (tmp_path / "shards" / f"{other}.json").read_bytes(),
    ]
    for harmed in harms:
        sidecar.write_bytes(harmed)
        fresh = Ledger.open(tmp_path)
        assert not fresh.has(key)
        with pytest.raises(KeyError):
            fresh.read(key)
        assert [shard.key for shard in fresh.shards()] == [other]
        assert [(d.path, d.kind) for d in fresh.verify()] == [(f"shards/{key}.json", "sidecar")]


def test_orphans_are_found_and_swept_and_the_rest_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host whose clock is an hour ahead of the disk's does not take a helper's files for old."""
    ledger = Ledger.open(tmp_path)
    key = kept(ledger)
    (tmp_path / "shards" / ".x.parquet.77.abcd.tmp").write_bytes(b"half a sh")
    (tmp_path / "shards" / "beef.parquet").write_bytes(b"no sidecar was written")
    (tmp_path / "documents" / ".config.json.77.abcd.tmp").write_bytes(b"{")
    assert [d.kind for d in ledger.verify()] == ["orphan"] * 3
    ahead = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: ahead)
    with ledger.lock():
        assert ledger.sweep(spare_s=600.0) == []
    assert len(ledger.sweep()) == 3
    assert ledger.verify() == []
    assert table_outcomes(ledger.read(key)) == PAIR


# --- documents, queries


def test_documents(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    assert ledger.get_document("config") is None
    ledger.put_document("config", {"seed": 7, "ü": [1.5, None]})
    ledger.put_document("config", {"seed": 8})
    assert Ledger.open(tmp_path).get_document("config") == {"seed": 8}
    path = tmp_path / "documents" / "config.json"
    path.write_text(path.read_text().replace("8", "9"))
    with pytest.raises(Damaged, match=r"config\.json"):
        ledger.get_document("config")
    assert [d.kind for d in ledger.verify()] == ["damaged"]
    with pytest.raises(ValueError, match="no name for a document"):
        ledger.put_document("../escape", 1)


def test_query_reads_vouched_files_only(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    assert ledger.query("select count(*) n from outcomes").column("n").to_pylist() == [0]
    key = kept(ledger)
    kept(ledger, "second", stage="it's docking")
    (tmp_path / "shards" / "torn.parquet").write_bytes(b"PAR1 torn")
    answer = ledger.query("select reason, count(*) n from outcomes group by all order by reason nulls first")
    assert answer.to_pydict() == {"reason": [None, "timed_out"], "n": [2, 2]}
    answer = ledger.query(
        "select count(*) n from outcomes join shards using (shard) where shards.stage = 'docking'"
    )
    assert answer.column("n").to_pylist() == [2]
    assert ledger.query("select shard from shards where stage='docking'").column("shard").to_pylist() == [key]


def test_a_folder_whose_name_has_a_quote_can_be_queried(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "bob's; run")
    kept(ledger)
    assert ledger.query("select count(*) n from outcomes").column("n").to_pylist() == [2]


# --- disks that refuse


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_said_with_path_and_bytes_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    ledger = Ledger.open(tmp_path)
    first = kept(ledger, "first")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(
            CannotWrite,
            match=r"cannot write .*parquet \([\d,]+ bytes needed, [\d,]+ are free\): No space left",
        ):
            kept(ledger, "second")
    assert ledger.verify() == []
    assert [shard.key for shard in ledger.shards()] == [first]
    kept(ledger, "second")
    assert len(Ledger.open(tmp_path).shards()) == 2


def test_a_full_disk_between_file_and_sidecar_means_no_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(tmp_path)
    really, calls = os.replace, []

    def second_fails(*where: object) -> None:
        calls.append(where)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        really(*where)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", second_fails)
    with pytest.raises(CannotWrite, match="json"):
        kept(ledger)
    assert Ledger.open(tmp_path).shards() == []
    assert [d.kind for d in ledger.verify()] == ["orphan"]
    key = kept(ledger)
    assert table_outcomes(Ledger.open(tmp_path).read(key)) == PAIR


def test_the_system_s_own_limit_on_file_size(tmp_path: Path) -> None:
    """A real refusal by the kernel, not a pretended one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(CannotWrite, match=r"10,000 bytes needed.*File too large"):
            publish(tmp_path / "big", b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(tmp_path)

    def forbidden(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(CannotWrite, match="Read-only file system; make the folder writable"):
        ledger.put_document("config", 1)
    monkeypatch.undo()
    (tmp_path / "a file").write_text("")
    with pytest.raises(CannotWrite, match=r"make the folder .*absent first"):
        publish(tmp_path / "absent" / "file", b"x")
    with pytest.raises(CannotWrite, match="Not a directory"):
        Ledger.open(tmp_path / "a file" / "run")


def test_a_network_disk_that_fails_once_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, calls = os.replace, []

    def first_fails(*where: object) -> None:
        calls.append(where)
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")
        really(*where)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", first_fails)
    publish(tmp_path / "note", b"kept")
    assert (tmp_path / "note").read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


# --- two drivers

HOLD = """
import sys, time
from discovery.ledger import Ledger
with Ledger.open(sys.argv[1]).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_driver_is_refused_politely_and_a_dead_one_does_not_block(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(Busy, match=f"process {other.pid} on .* is working in"), ledger.lock():
                pass
        finally:
            other.kill()
    started = time.monotonic()
    with ledger.lock(), pytest.raises(Busy, match=f"process {os.getpid()} "), Ledger.open(tmp_path).lock():
        pass
    with ledger.lock():
        pass
    assert time.monotonic() - started < 60  # else it would wait for ever
