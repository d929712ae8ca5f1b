"""PubMed asked through a local server that answers as NCBI does, well and badly. No test leaves this machine."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from typer.testing import CliRunner

from literature import eutils
from literature.article import Article
from literature.corpus import Corpus
from literature.eutils import Client, EutilsError, Fetched, fetch_pubmed


class Pubmed:
    """A small PubMed: so many records, one a day backwards; some listed that do not exist; faults on demand."""

    def __init__(self, records: int, absent: tuple[str, ...] = ()) -> None:
        self.records, self.absent = records, absent
        self.faults: list[tuple[int, bytes, dict[str, str]]] = []  # answered first, one a request
        self.seen: list[tuple[str, dict[str, str]]] = []

    def day(self, n: int) -> date:
        return date.fromordinal(date(2020, 1, 1).toordinal() - n % 400)

    def answer(self, program: str, words: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        self.seen.append((program, words))
        if self.faults:
            return self.faults.pop(0)
        if program == "esearch.fcgi":
            ids = [n for n in range(self.records) if self.inside(n, words)]
            shown = [str(1000 + n) for n in ids[: min(int(words["retmax"]), eutils.WINDOW)]]
            found = {"esearchresult": {"count": str(len(ids)), "idlist": shown}}
            return 200, json.dumps(found).encode(), {}
        body = "".join(
            f'<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">{id}</PMID><Article>'
            f"<ArticleTitle>Sumatriptan {id}</ArticleTitle></Article><CommentsCorrectionsList><CommentsCorrections>"
            f"<PMID>7</PMID></CommentsCorrections></CommentsCorrectionsList></MedlineCitation></PubmedArticle>"
            for id in words["id"].split(",")
            if id not in self.absent
        )
        return 200, f"<?xml version='1.0'?><PubmedArticleSet>{body}</PubmedArticleSet>\n".encode(), {}

    def inside(self, n: int, words: dict[str, str]) -> bool:
        if "mindate" not in words:
            return True
        assert words["datetype"] == "pdat"
        return words["mindate"] <= f"{self.day(n):%Y/%m/%d}" <= words["maxdate"]


@pytest.fixture
def serve() -> Iterator[Callable[[Pubmed], Client]]:
    servers: list[ThreadingHTTPServer] = []

    def start(pubmed: Pubmed) -> Client:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                words = {name: values[0] for name, values in parse_qs(raw).items()}
                code, body, headers = pubmed.answer(self.path.strip("/"), words)
                self.send_response(code)
                length = headers.pop("Claimed-Length", str(len(body)))
                for name, value in (headers | {"Content-Length": length}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        clock = Clock()
        return Client(
            "somebody@example.org",
            address=f"http://127.0.0.1:{server.server_address[1]}",
            clock=clock.now,
            sleep=clock.sleep,
        )

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at += seconds


def fetch(client: Client, folder: Path, **more: Any) -> Fetched:
    return fetch_pubmed("migraine", folder, email=client.email, client=client, **more)


def ids_on_disk(folder: Path) -> list[str]:
    return sorted(r.id for r in Corpus.open(folder).records() if isinstance(r, Article))


def test_records_arrive_and_are_read(serve: Callable[[Pubmed], Client], tmp_path: Path) -> None:
    pubmed = Pubmed(450, absent=("1003",))
    client = serve(pubmed)
    done = fetch(client, tmp_path)
    assert (done.found, done.records, done.asked, done.absent) == (450, 449, 449, ("1003",))
    assert [p for p, _ in pubmed.seen] == ["esearch.fcgi"] * 2 + ["efetch.fcgi"] * 3
    assert all(w["tool"] and w["email"] == "somebody@example.org" for _, w in pubmed.seen)
    assert ids_on_disk(tmp_path) == sorted(f"PMID:{1000 + n}" for n in range(450) if n != 3)
    assert all(isinstance(r, Article) for r in Corpus.open(tmp_path).records())  # nothing else lies there


def test_what_is_there_is_not_asked_again(serve: Callable[[Pubmed], Client], tmp_path: Path) -> None:
    pubmed = Pubmed(300)
    client = serve(pubmed)
    fetch(client, tmp_path)
    before = len(pubmed.seen)
    again = fetch(client, tmp_path)
    assert (again.records, again.asked, len(pubmed.seen)) == (300, 0, before)
    pubmed.records = 310  # ten newer ones; a refresh asks for those alone
    fresh = fetch(client, tmp_path, refresh=True)
    assert (fresh.records, fresh.asked) == (310, 10)
    assert len(pubmed.seen[-1][1]["id"].split(",")) == 10
    other = fetch_pubmed("other words", tmp_path, email=client.email, client=client)
    assert other.asked == 0  # another query shares the records


def test_a_run_that_was_cut_off_goes_on(serve: Callable[[Pubmed], Client], tmp_path: Path) -> None:
    pubmed = Pubmed(500)
    client = serve(pubmed)
    real = eutils._records
    calls: list[int] = []

    def dies(ids: list[str], folder: Path, client: Client) -> None:
        calls.append(len(ids))
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(ids, folder, client)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eutils, "_records", dies)
        with pytest.raises(KeyboardInterrupt):
            fetch(client, tmp_path)
    seen = len(pubmed.seen)
    done = fetch(client, tmp_path)
    assert (done.records, done.asked) == (500, 300)
    assert len(pubmed.seen) - seen == 2


BAD: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "too many requests": (429, b'{"error":"API rate limit exceeded"}', {"Retry-After": "7"}),
    "a date to wait for": (503, b"", {"Retry-After": "a date"}),
    "server error": (500, b"<html>oops</html>", {}),
    "bad gateway": (502, b"", {}),
    "rate limit with a 200": (200, b'{"error":"API rate limit exceeded"}', {}),
    "backend failed": (200, b'{"esearchresult":{"count":"0","ERROR":"Search Backend failed"}}', {}),
    "half an answer": (200, b'{"esearchresult":{"count":"3', {}),
    "cut off before its length": (200, b'{"esearch', {"Claimed-Length": "5000"}),
    "half the records": (200, b"<?xml version='1.0'?><PubmedArticleSet><PubmedArticle><Medl", {}),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", [0, 2])
def test_bad_answers_are_asked_again(
    serve: Callable[[Pubmed], Client], tmp_path: Path, name: str, place: int
) -> None:
    """Whatever comes back, in the search or among the records, the folder ends up the same."""
    pubmed = Pubmed(250)
    client = serve(pubmed)
    real = pubmed.answer

    def answer(program: str, words: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        if len(pubmed.seen) == place:
            status, body, headers = BAD[name]
            if (
                headers.get("Retry-After") == "a date"
            ):  # half a minute from now, not from when the tests were read
                headers = {"Retry-After": formatdate(time.time() + 30, usegmt=True)}
            pubmed.faults = [(status, body, dict(headers))]
        return real(program, words)

    pubmed.answer = answer  # type: ignore[method-assign]
    done = fetch(client, tmp_path)
    assert done.records == 250
    assert client.requests == 5  # 2 searches, 2 files, one of them twice
    assert ids_on_disk(tmp_path) == sorted(f"PMID:{1000 + n}" for n in range(250))
    waited = max(client.sleep.__self__.sleeps)  # type: ignore[attr-defined]
    assert waited >= (7 if "Retry-After" in BAD[name][2] else 1)


def test_giving_up_keeps_what_came_and_hides_the_key(
    serve: Callable[[Pubmed], Client], tmp_path: Path
) -> None:
    pubmed = Pubmed(250)
    client = serve(pubmed)
    client.key = "SECRET123"
    assert client.interval_s == 0.1
    pubmed.faults = [(400, b"no such db for api_key SECRET123", {})]
    with pytest.raises(EutilsError, match="HTTP 400") as refused:
        fetch(client, tmp_path)
    assert "SECRET123" not in str(refused.value)
    pubmed.faults = [(503, b"", {})] * eutils.TRIES
    with pytest.raises(EutilsError, match="7 tries"):
        fetch(client, tmp_path)
    assert fetch(client, tmp_path).records == 250
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"SECRET123" not in written


def test_never_faster_than_allowed(serve: Callable[[Pubmed], Client], tmp_path: Path) -> None:
    """NBK25497: at most three requests a second without a key."""
    pubmed = Pubmed(2_000)
    client = serve(pubmed)
    clock = client.sleep.__self__  # type: ignore[attr-defined]
    moments: list[float] = []
    real = pubmed.answer

    def answer(program: str, words: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        moments.append(clock.at)
        return real(program, words)

    pubmed.answer = answer  # type: ignore[method-assign]
    fetch(client, tmp_path)
    assert len(moments) == 12
    assert all(b - a >= 1 for a, b in zip(moments, moments[3:], strict=False))


def test_more_than_pubmed_lists_at_once(
    serve: Callable[[Pubmed], Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search beyond the window is cut by publication dates until each part fits; each record once."""
    monkeypatch.setattr(eutils, "WINDOW", 90)
    pubmed = Pubmed(700)
    client = serve(pubmed)
    done = fetch(client, tmp_path, limit=1_000)
    assert (done.found, done.records) == (700, 700)
    assert sorted(done.ids) == sorted(str(1000 + n) for n in range(700))
    few = fetch(client, tmp_path / "few", limit=150)
    assert (few.found, len(few.ids), few.records) == (700, 150, 150)


def test_mistakes_are_said_before_anything_is_asked(tmp_path: Path) -> None:
    for words, email, limit, said in (
        (" ", "a@b.org", 5, "query is empty"),
        ("x", "nobody", 5, "no email"),
        ("x", "a@b.org", 0, "at least 1"),
    ):
        with pytest.raises(EutilsError, match=said):
            fetch_pubmed(words, tmp_path / "o", email=email, limit=limit)
    assert not (tmp_path / "o").exists()


def test_nothing_else_uses_the_network(
    serve: Callable[[Pubmed], Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sockets blocked, everything works but fetching what is not there yet."""
    client = serve(Pubmed(5))
    fetch(client, tmp_path / "pubmed")

    def refuse(self: socket.socket, address: object) -> None:
        raise AssertionError(f"a call to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: refuse(None, a))  # type: ignore[arg-type]
    from literature.annotation import annotate
    from literature.cli import dossier, graph, mine

    assert fetch(client, tmp_path / "pubmed").records == 5
    assert annotate(tmp_path / "pubmed", tmp_path / "o.json", reader="dictionary").documents == 5
    import typer

    app = typer.Typer()
    for command in (dossier, graph, mine):
        app.command(command.__name__)(command)
    mined = str(tmp_path / "mined")
    for words in (
        ["mine", str(tmp_path / "pubmed"), "--out", mined],
        ["graph", mined, "--out", str(tmp_path / "g")],
        ["dossier", "HTR1B"],
    ):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
    with pytest.raises(AssertionError, match="a call to"):
        fetch(client, tmp_path / "pubmed", refresh=True)
