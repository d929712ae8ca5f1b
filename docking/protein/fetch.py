"""Which structure does a PDB id name? Fetched from the Protein Data Bank, once.

The only room of docking that touches a network, and only when asked. What was
fetched is kept, so the second time needs none.
"""

from __future__ import annotations

import gzip
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from discovery.files import cache_folder
from docking.receptor import ReceptorError

RCSB = "https://files.rcsb.org/download"
TIMEOUT = 30.0  # s
LARGEST = 200_000_000  # bytes; the largest entry is about 100 MB gzipped


def located(given: str) -> Path:
    """A receptor as people name it -> its file: a path, or `pdb:4IAR` for an entry, fetched once.

    Raises
    ------
    ReceptorError
        The entry cannot be fetched; the message says what to do.
    """
    return fetch(given.removeprefix("pdb:")) if given.startswith("pdb:") else Path(given)


def fetch(
    pdb_id: str, *, folder: str | Path | None = None, base_url: str = RCSB, timeout: float = TIMEOUT
) -> Path:
    """The mmCIF file of a PDB entry.

    Parameters
    ----------
    folder : where files are kept
        When left out, `structures` in the cache: see `discovery.files.cache_folder`.
    base_url : where `ID.cif.gz` is asked for
        A mirror, or a server of your own.

    Raises
    ------
    ReceptorError
        The id is none, the entry does not exist, or the server cannot be reached; the
        message says what to do.
    """
    code = pdb_id.strip().lower()
    if not re.fullmatch(r"[0-9][a-z0-9]{3}|pdb_[0-9a-z]{8}", code):
        raise ReceptorError(f"{pdb_id!r} is no PDB id: four characters beginning with a digit, such as 4IAR")
    kept = Path(folder) if folder is not None else cache_folder("structures")
    path = kept / f"{code}.cif"
    if path.is_file():
        return path
    address = f"{base_url.rstrip('/')}/{code.upper() if len(code) == 4 else code}.cif.gz"
    if not address.startswith(("https://", "http://")):
        raise ReceptorError(f"{base_url} is no web address to fetch structures from")
    raw = _download(address, pdb_id, timeout)
    try:
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise ReceptorError(f"{address} gave a broken file: {error}; try again") from error
    if not text.lstrip().startswith(b"data_"):
        raise ReceptorError(f"{address} gave no mmCIF file but {text[:40]!r}; is a login page in the way?")
    kept.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(text)
    os.replace(part, path)  # another process never sees half a file
    return path


def _download(address: str, pdb_id: str, timeout: float) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:
            raw = bytes(answer.read(LARGEST + 1))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise ReceptorError(f"there is no PDB entry {pdb_id} at {address}; check the id") from error
        raise ReceptorError(f"{address} answered {error.code} {error.reason}; try again later") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise ReceptorError(
            f"PDB entry {pdb_id} cannot be fetched: {address} is out of reach ({error}); "
            "go online, or download the file elsewhere and give its path"
        ) from error
    if len(raw) > LARGEST:
        raise ReceptorError(f"{address} is larger than {LARGEST:,} bytes, so it is no structure")
    return raw
