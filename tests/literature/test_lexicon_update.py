"""New official files through a local server: fetched, made into names above the shipped ones, fetched no more."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from discovery.outcome import UserError
from literature.lexicon import Lexicon
from literature.names import cli as names_cli
from literature.names.dictionary import Dictionary, Tables, own_names, shipped
from literature.names.normalisation import normalise
from literature.names.update import UpdateError, update_names

HEAD = "#tax_id\tGeneID\tSymbol\n"
DAY = "Mon, 01 Jan 2024 00:00:00 GMT"


def gene(taxon: str, number: str, symbol: str, synonyms: str, name: str) -> str:
    return "\t".join([taxon, number, symbol, "-", synonyms, "-", "1", "1", name, "protein-coding", symbol, name, "O", "-", "20240101", "-"]) + "\n"  # fmt: skip


DOID = """format-version: 1.2

[Term]
id: DOID:6364
name: migraine
synonym: "twenty-first century headache" EXACT []
xref: MESH:D008881

[Term]
id: DOID:9999999
name: zorblat fever
"""


class Mirror:
    """Files by name, and what to answer instead, one a request."""

    def __init__(self) -> None:
        self.files = {
            "Homo_sapiens.gene_info.gz": gzip.compress(
                (HEAD + gene("9606", "3351", "HTR1B", "5-HT1B|NEWALIAS7", "5-hydroxytryptamine receptor 1B")).encode()
            ),
            "Mus_musculus.gene_info.gz": gzip.compress((HEAD + gene("10090", "15551", "Htr1b", "5-HT1B", "5-hydroxytryptamine receptor 1B")).encode()),
            "Rattus_norvegicus.gene_info.gz": gzip.compress((HEAD + gene("10116", "25075", "Htr1b", "-", "5-hydroxytryptamine receptor 1B")).encode()),
            "doid.obo": DOID.encode(),
        }  # fmt: skip
        self.faults: list[tuple[int, bytes, int]] = []  # status, body, promised length
        self.asked: list[tuple[str, int]] = []


@pytest.fixture
def mirror() -> Iterator[tuple[Mirror, str]]:
    held = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            body = held.files.get(name)
            status, length = (200, len(body)) if body is not None else (404, 0)
            if held.faults:
                status, body, length = held.faults.pop(0)
            elif self.headers.get("If-Modified-Since") == DAY:
                status, body, length = 304, b"", 0
            held.asked.append((name, status))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("Last-Modified", DAY)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield held, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_new_names_stand_above_the_shipped_ones(mirror: tuple[Mirror, str], tmp_path: Path) -> None:
    held, address = mirror
    done = update_names(tmp_path, address=address, pause_s=0)
    assert len(done.fetched) == 4
    names = shipped() + own_names(tmp_path)
    (link,) = normalise("NEWALIAS7", "gene", lexicon=names)
    assert link.concept.id == "NCBIGene:3351"
    assert "UNIPROT:P28222" in link.concept.xrefs  # what the shipped dictionary knows of it is kept
    assert normalise("NEWALIAS7", "gene") == ()
    # The Disease Ontology's new name goes to the heading the shipped dictionary has for it.
    assert (
        normalise("twenty-first century headache", "disease", lexicon=names)[0].concept.id == "MESH:D008881"
    )
    assert normalise("zorblat fever", "disease", lexicon=names)[0].concept.id == "DOID:9999999"
    assert normalise("breast cancer", "disease", lexicon=names)[0].concept.id == "MESH:D001943"
    rat = Lexicon([Dictionary(Tables.read(tmp_path, "rat"))])
    assert normalise("Htr1b", "gene", lexicon=rat)[0].concept.id == "NCBIGene:25075"
    # Again: nothing has changed, so nothing is fetched.
    again = update_names(tmp_path, address=address, pause_s=0)
    assert (again.fetched, again.versions) == ((), done.versions)
    assert [status for _, status in held.asked[4:]] == [304] * 4


def test_a_server_in_trouble_is_asked_again(mirror: tuple[Mirror, str], tmp_path: Path) -> None:
    held, address = mirror
    held.faults = [(503, b"", 0), (200, b"half", 400)]
    assert len(update_names(tmp_path, address=address, species=(), pause_s=0).fetched) == 2


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("Homo_sapiens.gene_info.gz", None, "404"),
        ("Homo_sapiens.gene_info.gz", b"<html>Sign in</html>", "cannot be read"),
        ("Homo_sapiens.gene_info.gz", gzip.compress(b"x\ty\n" * 900)[:-20], "cannot be read"),
        ("Mus_musculus.gene_info.gz", gzip.compress(HEAD.encode()), "name nothing"),
    ],
)
def test_what_is_no_such_file_is_told(
    mirror: tuple[Mirror, str], tmp_path: Path, name: str, body: bytes | None, said: str
) -> None:
    held, address = mirror
    held.files.pop(name)
    if body is not None:
        held.files[name] = body
    with pytest.raises(UpdateError, match=said):
        update_names(tmp_path, address=address, pause_s=0)
    assert not (tmp_path / "dictionary_names.parquet").exists()


def test_no_server_and_no_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="cannot be had"):
        update_names(tmp_path, address="http://127.0.0.1:9", pause_s=0)
    with pytest.raises(ValueError, match="holds no names"):
        own_names(tmp_path)


def test_the_command(mirror: tuple[Mirror, str], tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(names_cli.update_names)
    asked = ["--out", str(tmp_path / "names"), "--species", "rat", "--address", mirror[1]]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "3 of 3 files were new" in done.output
    assert not (tmp_path / "names" / "mouse_names.parquet").exists()
    wrong = CliRunner().invoke(app, ["--out", str(tmp_path / "names"), "--species", "axolotl"])
    assert isinstance(wrong.exception, UserError)  # which `discovery` prints as one line
    assert "mouse, rat" in str(wrong.exception)
