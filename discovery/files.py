"""How does a file appear whole or not at all?

Temporary file in the same folder, fsync, rename, fsync of the folder: a process or a
machine that dies at any moment leaves the old file, the new one, or a temporary file
that nobody reads.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from discovery.outcome import UserError

SUMS = "SHA256SUMS"
_DIGEST = 32  # bytes of sha256
_PASSING = frozenset({errno.EIO, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT})  # network disks get over these

# what a disk cannot do
_UNKNOWN = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM})


class CannotWrite(UserError, OSError):
    """The disk refused; the message names the path, the bytes needed and what to do."""

    def __str__(self) -> str:
        return str(self.strerror)


def cache_folder(name: str) -> Path:
    """Where what can be fetched or computed again is kept between runs, of one kind; it need not be there yet.

    Below `discovery` in `$XDG_CACHE_HOME`, or where this system keeps caches (Linux: `~/.cache`).
    """
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        home = Path(chosen)
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        home = Path.home() / ".cache"
    return home / "discovery" / name


def publish(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it, replacing the one that was there.

    Raises
    ------
    CannotWrite
        The disk is full, read-only or not ours, or a network disk stayed away for three tries.
    """
    for wait_s in (0.1, 0.5, None):
        try:
            _publish_once(path, data)
            return
        except OSError as error:
            if wait_s is None or error.errno not in _PASSING:
                raise refused(path, len(data), error) from error
            time.sleep(wait_s)


def _publish_once(path: Path, data: bytes) -> None:
    torn = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        handle = os.open(torn, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(torn, path)
    except BaseException:
        with suppress(OSError):
            torn.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)  # a rename lives in the folder, which has its own cache
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _UNKNOWN:  # such disks (SMB, many in user space) keep names in order themselves
            raise
    finally:
        os.close(folder)


@contextmanager
def streamed(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which takes `path`'s place once the block has ended well.

    Raises
    ------
    CannotWrite
        The disk refused.
    """
    torn = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        with torn.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(torn, path)
    except OSError as error:
        raise refused(path, 0, error) from error
    finally:
        with suppress(OSError):
            torn.unlink(missing_ok=True)


def claim(path: Path, data: bytes) -> bool:
    """Write a file unless there is one by that name: of several who try, one gets it; whether it was us.

    Whole at once where the disk has hard links, as network file systems do; where it has
    none (SMB, object stores in a folder), a reader may for a moment see it empty.
    """
    torn = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        torn.write_bytes(data)
        return linked(torn, path)
    finally:
        torn.unlink(missing_ok=True)


def linked(torn: Path, path: Path) -> bool:
    """Give a file a second name, or its content where there are no hard links; False if the name is taken."""
    try:
        os.link(torn, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            os.write(handle, torn.read_bytes())
        finally:
            os.close(handle)
    return True


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summed(data: bytes) -> bytes:
    """Bytes behind their sha256, as `unsummed` reads them back."""
    return hashlib.sha256(data).digest() + data


def unsummed(data: bytes) -> bytes | None:
    """What `summed` was given; None if anything of it was damaged."""
    digest, rest = data[:_DIGEST], data[_DIGEST:]
    return rest if hashlib.sha256(rest).digest() == digest else None


def seal(folder: Path, names: Sequence[str], known: Mapping[str, str] | None = None) -> None:
    """Write down the sha256 of finished files, as `sha256sum -c SHA256SUMS` reads it; some may be `known` already."""
    sums = {name: sha256_of(folder / name) for name in names} | dict(known or {})
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    publish(folder / SUMS, "".join(lines).encode())


def broken(folder: Path) -> list[tuple[str, str]]:
    """Name of each file that is not as `seal` left it, and what is wrong; none where nothing was sealed.

    Each with the words for a person: what was found.
    """
    if not (folder / SUMS).is_file():
        return []
    found = []
    for line in (folder / SUMS).read_text("utf-8", "replace").splitlines():
        written, _, name = line.partition("  ")
        path = folder / name
        if not name or len(written) != 64:
            found.append((SUMS, f"it has a line that is no checksum: {line[:80]!r}"))
        elif not path.is_file():
            found.append((name, "it is gone"))
        elif (now := sha256_of(path)) != written:
            found.append((name, f"its sha256 is {now[:12]}..., but {written[:12]}... was written"))
    return found


def refused(path: Path, size: int, error: OSError) -> CannotWrite:
    """The same error in words: which path, how many bytes, what to do."""
    what = error.strerror or str(error)
    room = f" ({size:,} bytes needed)" if size else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        with suppress(OSError):
            room = f" ({size:,} bytes needed, {shutil.disk_usage(path.parent).free:,} are free)"
        advice = "free some space or raise the limit, then run again"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "make the folder writable or choose another, then run again"
    elif error.errno == errno.EISDIR:
        advice = "name a file in that folder"
    elif error.errno == errno.ENOENT and not path.parent.exists():
        advice = f"make the folder {path.parent} first, or choose another"
    elif error.errno in (errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG):
        advice = "a folder cannot be made there; choose another"
    else:
        advice = "run again once the disk answers"
    return CannotWrite(
        error.errno or errno.EIO,
        f"cannot write {path}{room}: {what}; {advice}. What was committed is safe",
    )
