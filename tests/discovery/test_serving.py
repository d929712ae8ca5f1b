"""The local page: only this machine, only with the token, only reading, and nothing from elsewhere."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from discovery import campaign, config
from discovery.outcome import UserError
from discovery.serving import HOST, Pages, application
from tests.discovery.fake_run import HOSTILE, fake_run

TOKEN = "a-token-nobody-guesses"


class Shown(Pages):
    """A run that no campaign made: hostile texts, poses, evidence."""

    def run(self) -> Any:
        return fake_run(80, posed=5)


@dataclass
class Site:
    port: int

    def ask(
        self, path: str, *, method: str = "GET", host: str = "", **headers: str
    ) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection(HOST, self.port, timeout=60)
        connection.request(method, path, headers={"Host": host or f"{HOST}:{self.port}", **headers})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text


@contextmanager
def served(pages: Pages) -> Iterator[Site]:
    """The pages, served from a thread of this process."""
    sockets = bind_sockets(0, address=HOST)
    port = sockets[0].getsockname()[1]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def listen() -> None:
        server = HTTPServer(application(pages, TOKEN, port))
        server.add_sockets(sockets)
        await ended.wait()
        server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(listen(),))
    thread.start()
    try:
        yield Site(port)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(Shown(tmp_path_factory.mktemp("run"))) as found:
        yield found


def test_the_report_is_the_very_report(site: Site) -> None:
    from discovery.report import render

    answer, text = site.ask(f"/{TOKEN}/report")
    assert answer.status == 200
    assert sha256(text.encode()).digest() == sha256(render(fake_run(80, posed=5)).encode()).digest()


@pytest.mark.parametrize("path", ["", "report", "series?column=qed", "rows.csv", "rows.sdf"])
def test_every_page_has_strict_headers_and_no_hostile_markup(site: Site, path: str) -> None:
    answer, text = site.ask(f"/{TOKEN}/{path}")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Tornado" not in answer.headers["Server"]
    if answer.headers["Content-Type"].startswith("text/html"):
        assert HOSTILE not in text
        found = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert found
        assert policy.startswith(unescape(found[1]))
    else:
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_first_page_counts_and_links(site: Site) -> None:
    _, text = site.ask(f"/{TOKEN}/")
    run = fake_run(80, posed=5)
    assert f"<dd>{len(run.ranked):,}</dd>" in text
    assert all(f"series?column={column.name}" in text for column in run.columns)
    for link in [link for link in re.findall(r'href="([^"#]+)', text) if "?" not in link]:
        assert site.ask(f"/{TOKEN}/{link}")[0].status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/report", "/wrong/report", f"/{TOKEN[:-1]}/", f"/{TOKEN}/../etc/passwd", f"/{TOKEN}/nothing", f"/{TOKEN}/series",
     "/%C3%A9/report", f"/{TOKEN}%00/"],
)  # fmt: skip
def test_any_other_address_is_the_same_nothing(site: Site, path: str) -> None:
    answer, text = site.ask(path)
    assert answer.status == 404
    assert text == "404: Not Found"
    assert TOKEN not in str(answer.headers)


def test_another_sites_name_is_refused(site: Site) -> None:
    """A name elsewhere that was made to point here (DNS rebinding) still sends its own name."""
    assert site.ask(f"/{TOKEN}/", host=f"evil.example:{site.port}")[0].status == 403
    assert site.ask(f"/{TOKEN}/", host="evil.example")[0].status == 403
    assert site.ask(f"/{TOKEN}/", host=f"localhost:{site.port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading(site: Site, method: str) -> None:
    assert site.ask(f"/{TOKEN}/", method=method)[0].status in (403, 405)


def test_head_says_what_get_would(site: Site) -> None:
    answer, text = site.ask(f"/{TOKEN}/", method="HEAD")
    assert (answer.status, text) == (200, "")


def test_an_unknown_column_is_said_in_words(site: Site) -> None:
    answer, text = site.ask(f"/{TOKEN}/series?column=%3Cscript%3E")
    assert answer.status == 409
    assert "has no column" in text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_pages_are_made_again_only_when_the_folder_changed(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    pages = Shown(tmp_path)
    first = pages.home()
    assert pages.home() is first
    (tmp_path / "documents" / "stages.json").write_text("{}")
    assert pages.home() is not first


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        Pages(tmp_path / "absent").run()


LIBRARY = "\n".join(f"O=C(N{tail})c1ccc({x})cc1" for tail in ("C", "CC", "C1CC1") for x in ("F", "Cl", "OC"))
CAMPAIGN = """
name = "a library"
rounds = 1
seed = 1
[target]
name = "anything"
[[proposers]]
use = "library"
n = 9
settings = {{ path = "{path}" }}
[[scorers]]
use = "qed"
workers = 0
desirability = {{ shape = "higher", low = 0.2, high = 0.8 }}
"""


def test_a_real_run_from_the_command_line(tmp_path: Path) -> None:
    """The command itself: it prints its address, answers there and only there, writes nothing, ends on Ctrl-C."""
    library = tmp_path / "library.smi"
    library.write_text(LIBRARY + "\n")
    file = tmp_path / "campaign.toml"
    file.write_text(CAMPAIGN.format(path=library))
    run = tmp_path / "run"
    campaign.run(config.read(file), run)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    code = (  # tests that a script runs in its background inherit a Ctrl-C that is ignored
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from discovery.cli import main; "
        "sys.argv = ['discovery', 'serve', sys.argv[1], '--no-browser']; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        found = re.fullmatch(rf"http://{HOST}:(\d+)/([\w-]{{32}})/", address)
        assert found, address
        answer, text = Site(int(found[1])).ask(f"/{found[2]}/")
        assert answer.status == 200
        assert "<dd>9</dd>" in text
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex(("127.0.0.2", int(found[1]))) != 0
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        assert found[2] not in (process.stderr.read() if process.stderr else "")
    finally:
        process.kill()
        process.wait()
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
