"""Where does interrupted dynamics go on? Two generations of its progress, each with a checksum.

A new generation replaces the older of the two, whole or not at all, so a kill at any
moment, or a damaged file, costs at most the time since the generation before. Frames
travel inside the checkpoint: a trajectory never holds a frame twice and never lacks one.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from discovery.files import publish, summed, unsummed

_MAGIC = b"discovery-md-checkpoint-2\n"
_DAMAGED = ".damaged-"


class Resumable(Protocol):
    """Progress that is nothing but arrays, and can be made of them again."""

    @property
    def chunk(self) -> int:
        """How far it is."""
        ...

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]: ...

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Self: ...


P = TypeVar("P", bound=Resumable)


@dataclass
class Keeper(Generic[P]):
    """Keeps the progress of something in `folder` under `name`.

    `every_s` seconds must pass between two generations; the last one is always kept.
    """

    kind: type[P]
    folder: Path
    name: str
    every_s: float = 30.0
    last: int = 2**62  # the chunk that ends it
    _kept_at: float = field(default=-1e18, repr=False)

    def keep(self, progress: P) -> bool:
        """Write a generation if it is time to; whether it was."""
        now = time.monotonic()
        if progress.chunk < self.last and now - self._kept_at < self.every_s:
            return False
        serial, older = self._next()
        publish(older, packed(progress, serial))
        self._kept_at = now
        return True

    def found(self) -> P | None:
        """The newest generation that is whole, or None; those that are not are put aside."""
        whole = []
        for path in self._paths():
            both = unpacked(path)
            if both is not None:
                whole.append(both)
            elif path.exists():
                put_aside(path)
        return self.kind.of(max(whole, key=lambda both: both[0])[1]) if whole else None

    def forget(self) -> None:
        """The replica is done and kept elsewhere."""
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> tuple[Path, Path]:
        return self.folder / f"{self.name}.checkpoint-a", self.folder / f"{self.name}.checkpoint-b"

    def _next(self) -> tuple[int, Path]:
        serials = [-1 if (both := unpacked(path)) is None else both[0] for path in self._paths()]
        older = 0 if serials[0] <= serials[1] else 1
        return max(serials) + 1, self._paths()[older]


def put_aside(path: Path) -> None:
    """Keep a damaged file under another name: nothing reads it again, and `put_aside_in` tells of it."""
    number = len(list(path.parent.glob(f"{path.name}{_DAMAGED}*"))) + 1
    path.rename(path.with_name(f"{path.name}{_DAMAGED}{number}"))


def put_aside_in(folder: Path) -> list[str]:
    """Names of the damaged files that were found in a unit's folder, in all its runs."""
    return sorted(path.name for path in folder.glob(f"*{_DAMAGED}*"))


def packed(progress: Resumable, serial: int) -> bytes:
    """A checkpoint file's bytes: a mark, the sha256 of the rest, the rest."""
    body = io.BytesIO()
    np.savez(body, serial=np.array(serial), **progress.arrays())  # type: ignore[arg-type]
    return _MAGIC + summed(body.getvalue())


def unpacked(path: Path) -> tuple[int, dict[str, np.ndarray[Any, Any]]] | None:
    """The serial number and the progress in a file; None if it is absent or damaged anywhere."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    rest = unsummed(data.removeprefix(_MAGIC))
    if not data.startswith(_MAGIC) or rest is None:
        return None
    with np.load(io.BytesIO(rest), allow_pickle=False) as held:
        arrays = dict(held)
    return int(arrays.pop("serial")), arrays
