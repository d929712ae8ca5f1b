"""Structures by PDB id, from a server of our own."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from docking.protein.fetch import fetch
from docking.protein.structure import read
from docking.receptor import ReceptorError
from tests.docking.pocket import text
from tests.docking.test_structure import as_mmcif


class Bank(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - one per server class, emptied by the fixture

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = {
            "/4IAR.cif.gz": gzip.compress(as_mmcif(text()).encode()),
            "/1BAD.cif.gz": b"<html>please log in</html>",
            "/2BAD.cif.gz": gzip.compress(b"data_x")[:-4],
        }.get(self.path)
        self.send_response(503 if self.path.startswith("/5XX") else 200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def bank() -> Iterator[str]:
    Bank.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_fetched_once(bank: str, tmp_path: Path) -> None:
    path = fetch("4iar", folder=tmp_path, base_url=bank)
    assert read(path).atoms
    assert fetch("4IAR", folder=tmp_path, base_url=bank) == path
    assert Bank.asked == ["/4IAR.cif.gz"]


@pytest.mark.parametrize(
    ("pdb_id", "says"),
    [
        ("9ZZZ", "no PDB entry 9ZZZ"),
        ("1BAD", "login page"),
        ("2BAD", "broken file"),
        ("5XXX", "503"),
        ("../etc", "no PDB id"),
        ("IAR4", "no PDB id"),
    ],
)
def test_what_goes_wrong_is_said(bank: str, tmp_path: Path, pdb_id: str, says: str) -> None:
    with pytest.raises(ReceptorError, match=says):
        fetch(pdb_id, folder=tmp_path, base_url=bank)
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReceptorError, match=r"out of reach.*give its path"):
        fetch("4IAR", folder=tmp_path, base_url="http://127.0.0.1:9", timeout=2.0)
