"""How does a file of a million proposals survive a kill?

It grows as FILE.part, block by block, with a note beside it that says what it is made by and
how far it is whole. The same command goes on from there, to the same bytes; what is finished
gets its name.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from discovery.files import publish
from discovery.proposal import Proposal
from generative.refusal import SettingError


@dataclass
class Built:
    """How far building without lessons has come."""

    blocks: int = 0
    found: int = 0  # molecules proposed
    idle: int = 0  # blocks in a row that brought none
    left_out: Counter[str] = field(default_factory=Counter)  # built besides, by what speaks against them


def write(
    out: Path, stream: Callable[..., Iterable[Iterable[Proposal]]], settings: Mapping[str, Any]
) -> Built:
    """What `stream` proposes, a molecule a line; how building went.

    Parameters
    ----------
    stream : takes what is `known` and how far it was `built`, as `GraphProposer.stream`
    settings : what else decides the molecules

    Raises
    ------
    SettingError
        Another process is writing it, or it was begun with other settings; says which.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)
    try:
        with lock:
            built = _write(out, stream, settings)
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout:
        raise SettingError(
            f"another process is writing {out}; wait for it, or choose another --out"
        ) from None
    return built


def _write(
    out: Path, stream: Callable[..., Iterable[Iterable[Proposal]]], settings: Mapping[str, Any]
) -> Built:
    part, note = (out.with_name(out.name + end) for end in (".part", ".part.json"))
    made_by = json.loads(json.dumps(settings))
    built, known = Built(), []
    if part.exists() and note.exists():
        told = json.loads(note.read_text())
        if differ := ", ".join(key for key in made_by if told["made_by"].get(key) != made_by[key]):
            raise SettingError(
                f"{part} was begun otherwise (different: {differ}); give the same again, choose another --out, "
                "or delete it"
            )
        os.truncate(part, told["bytes"])  # a block cut short is built again
        built = Built(**told["built"] | {"left_out": Counter(told["built"]["left_out"])})
        known = [line.split(maxsplit=1)[0] for line in part.read_text().splitlines()]
    else:
        note.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    for line in lines(stream(known=known, built=built), len(known)):
        with part.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        told = {"made_by": made_by, "bytes": part.stat().st_size, "built": vars(built)}
        publish(note, json.dumps(told).encode())
    part.replace(out)
    note.unlink()
    return built


def lines(blocks: Iterable[Iterable[Proposal]], before: int = 0) -> Iterator[str]:
    """SMILES and name of each molecule, numbered on from those `before`; a text for each block."""
    for block in blocks:
        told = [f"{one.smiles} {one.proposer}-{number:05d}\n" for number, one in enumerate(block, before + 1)]
        before += len(told)
        yield "".join(told)
