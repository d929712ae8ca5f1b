"""Where does an interrupted replica go on? Two generations of its progress, each with a checksum.

A new generation replaces the older of the two, whole or not at all, so a kill at any
moment, or a damaged file, costs at most the time since the generation before. Frames
travel inside the checkpoint: a trajectory never holds a frame twice and never lacks one.
"""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from discovery.files import publish
from docking.dynamics.simulate import Progress

_MAGIC = b"discovery-md-checkpoint-1\n"
_DAMAGED = ".damaged-"
_DIGEST = 32  # bytes of sha256


@dataclass
class Keeper:
    """Keeps one replica's progress in `folder` under `name`.

    `every_s` seconds must pass between two generations; the last one is always kept.
    """

    folder: Path
    name: str
    every_s: float = 30.0
    last: int = 2**62  # the chunk that ends the replica
    _kept_at: float = field(default=-1e18, repr=False)

    def keep(self, progress: Progress) -> bool:
        """Write a generation if it is time to; whether it was."""
        now = time.monotonic()
        if progress.chunk < self.last and now - self._kept_at < self.every_s:
            return False
        serial, older = self._next()
        publish(older, packed(progress, serial))
        self._kept_at = now
        return True

    def found(self) -> Progress | None:
        """The newest generation that is whole, or None; those that are not are put aside."""
        whole = []
        for path in self._paths():
            both = unpacked(path)
            if both is not None:
                whole.append(both)
            elif path.exists():
                put_aside(path)
        return max(whole, key=lambda both: both[0])[1] if whole else None

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


def packed(progress: Progress, serial: int) -> bytes:
    """A checkpoint file's bytes: a mark, the sha256 of the rest, the rest."""
    body = io.BytesIO()
    np.savez(
        body,
        serial=np.array(serial),
        chunk=np.array(progress.chunk),
        state=np.frombuffer(progress.state.encode(), dtype=np.uint8),
        frames=progress.frames,
        steps=np.array(progress.steps),
        step_fs=np.array(progress.step_fs),
        restarts=np.array(progress.restarts),
    )
    rest = body.getvalue()
    return _MAGIC + hashlib.sha256(rest).digest() + rest


def unpacked(path: Path) -> tuple[int, Progress] | None:
    """The serial number and the progress in a file; None if it is absent or damaged anywhere."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    head = len(_MAGIC) + _DIGEST
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(data[head:]).digest() != data[len(_MAGIC) : head]:
        return None
    with np.load(io.BytesIO(data[head:]), allow_pickle=False) as held:
        progress = Progress(
            chunk=int(held["chunk"]),
            state=held["state"].tobytes().decode(),
            frames=held["frames"],
            steps=int(held["steps"]),
            step_fs=float(held["step_fs"]),
            restarts=int(held["restarts"]),
        )
        return int(held["serial"]), progress
