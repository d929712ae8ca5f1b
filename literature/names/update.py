"""What do genes and diseases go by today? The official files of now, as names above the shipped ones.

    discovery update-names --out FOLDER        fetches NCBI Gene (human, mouse, rat) and the Disease Ontology
    discovery mine ... --lexicon FOLDER        reads with them

This uses the network, and only when it is called. FOLDER holds the files as they came,
the dictionaries made of them, and versions.json: where each file came from, when it was
changed there, its sha256. A file that has not changed is not fetched again.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from discovery.files import publish, sha256_of
from discovery.outcome import UserError
from literature.names.build import Draft, Drafts, build_genes, update
from literature.names.dictionary import OFFICIAL, SPECIES, official

GENES = "https://ftp.ncbi.nlm.nih.gov/gene/DATA/GENE_INFO/Mammalia"
FILES = {
    "Homo_sapiens.gene_info.gz": GENES,
    "Mus_musculus.gene_info.gz": GENES,
    "Rattus_norvegicus.gene_info.gz": GENES,
    "doid.obo": "https://purl.obolibrary.org/obo",
}
LARGEST = 512 * 2**20  # bytes of one file
TRIES = 4
_LEVEL = 3  # of compression: these files stay where they are made
WAIT_S = 60.0


class UpdateError(UserError, RuntimeError):
    """The official files cannot be had or read; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """Where a file came from, and which one it is."""

    address: str
    changed: str  # as the server says, "" where it does not
    sha256: str


@dataclass(frozen=True, slots=True)
class Updated:
    """What the folder now holds."""

    fetched: tuple[str, ...]  # files that were new
    concepts: int
    names: int
    versions: dict[str, Version]


def update_names(
    out: Path,
    *,
    species: Sequence[str] = ("mouse", "rat"),
    address: str = "",
    pause_s: float = 2.0,
    tell: Callable[[str], None] | None = None,
) -> Updated:
    """Fetch the official files into `out` and make dictionaries of them.

    Parameters
    ----------
    species
        Whose genes to fetch beside the human ones.
    address
        Of a mirror that holds all files side by side; their publishers' own when empty.
    pause_s
        Before a refused request is asked again; twice as long each time.

    Raises
    ------
    UpdateError
        If a file cannot be had, is torn or is none of the kind, or another run writes to `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    wanted = [
        "Homo_sapiens.gene_info.gz",
        *(f"{SPECIES[one].file}.gene_info.gz" for one in species),
        "doid.obo",
    ]
    try:
        with FileLock(out / ".lock", timeout=0):
            known = _versions(out)
            fetched: list[str] = []
            for name in wanted:
                place = f"{(address or FILES[name]).rstrip('/')}/{name}"
                version = _fetch(place, out / name, known.get(name), pause_s)
                if version != known.get(name):
                    fetched.append(name)
                    (tell or (lambda line: None))(
                        f"fetched {name}, changed {version.changed or 'at an unknown time'}"
                    )
                known[name] = version
            concepts, names = _made(out, species)
            publish(
                out / "versions.json",
                json.dumps(
                    {name: asdict(version) for name, version in sorted(known.items())}, indent=1
                ).encode(),
            )
    except Timeout as error:
        raise UpdateError(f"another run is writing to {out}; wait for it or choose another folder") from error
    return Updated(tuple(fetched), concepts, names, known)


def _made(out: Path, species: Sequence[str]) -> tuple[int, int]:
    try:
        tables = update(out, _shipped())
        others = {one: build_genes(out, one) for one in species}
    except (OSError, EOFError, ValueError) as error:
        raise UpdateError(
            f"a file in {out} cannot be read: {error}; remove it and run the command again"
        ) from error
    if tables.concepts.num_rows < 1 or any(made.concepts.num_rows < 1 for made in others.values()):
        raise UpdateError(f"the files in {out} name nothing; look whether the server gave what was asked for")
    tables.write(out, level=_LEVEL)
    for name, made in others.items():
        made.write(out, name, _LEVEL)
    return tables.concepts.num_rows, tables.names.num_rows


def _shipped() -> Drafts:
    """The shipped genes and diseases by their own names and cross references: what new names are added to."""
    concepts = official().concepts("gene", "disease")
    return {c.id: Draft(c.id, c.type, c.name, {c.name: OFFICIAL}, set(c.xrefs), c.inchikey) for c in concepts}


def _versions(out: Path) -> dict[str, Version]:
    with suppress(OSError, ValueError, TypeError):
        told = json.loads((out / "versions.json").read_text(encoding="utf-8"))
        return {name: Version(**one) for name, one in told.items()}
    return {}


def _fetch(place: str, path: Path, known: Version | None, pause_s: float) -> Version:
    """The file at an address, unless the one at hand is still it."""
    whole = known is not None and path.is_file() and sha256_of(path) == known.sha256
    headers = {"User-Agent": "discovery-workbench"}
    if known is not None and whole and known.changed and known.address == place:
        headers["If-Modified-Since"] = known.changed
    for attempt in range(TRIES):
        try:
            request = urllib.request.Request(place, headers=headers)
            with urllib.request.urlopen(request, timeout=WAIT_S) as response:
                return _kept(response, place, path)
        except urllib.error.HTTPError as error:
            if error.code == 304 and known is not None:
                return known
            if error.code < 500 and error.code not in (408, 429):
                raise UpdateError(f"{place} was refused: {error.code} {error.reason}") from error
            fault = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            fault = str(error) or type(error).__name__
        if attempt + 1 < TRIES:
            time.sleep(pause_s * 2**attempt)
    raise UpdateError(
        f"{path.name} cannot be had from {place}: {fault} ({TRIES} times). Look at the connection, or name a mirror "
        "with --address"
    )


def _kept(response: http.client.HTTPResponse, place: str, path: Path) -> Version:
    torn = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    size, digest = 0, hashlib.sha256()
    try:
        with torn.open("wb") as file:
            while block := response.read(1 << 20):
                size += len(block)
                if size > LARGEST:
                    raise UpdateError(
                        f"{place} is larger than {LARGEST:,} bytes; it is not what was asked for"
                    )
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        promised = response.headers.get("Content-Length", "")
        if promised.isdecimal() and int(promised) != size:
            raise OSError(f"{size:,} of {int(promised):,} bytes came")
        os.replace(torn, path)
    finally:
        with suppress(OSError):
            torn.unlink(missing_ok=True)
    return Version(place, response.headers.get("Last-Modified", ""), digest.hexdigest())
