"""With what was this computed?

Versions of every library that can change a number, a digest of the code of each
part, weights' checksums, devices, licences, the command. Two runs that agree on all
of it agree on their tables.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import shlex
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, metadata, version
from pathlib import Path
from typing import Any

from discovery import plugins
from discovery.files import sha256_of

# Distributions whose version can move a number; absent ones are left out.
COUNTED = (
    "discovery-workbench", "rdkit", "numpy", "scipy", "jax", "jaxlib", "openmm", "vina", "gemmi",
    "prolif", "posebusters", "propka", "dimorphite_dl", "torch", "torch-geometric", "transformers",
    "tokenizers", "mopactools", "pymbar",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Distribution name -> version, for those installed that can change a number; and Python's."""
    found = {"python": platform.python_version()}
    for name in COUNTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_digest(group: str, name: str) -> str:
    """sha256 over the sources of the package a plug-in lives in: change a line, and its results are stale."""
    module = inspect.getmodule(plugins.load(group, name))
    if module is None or not module.__file__:
        return ""
    here = Path(module.__file__).resolve()
    top = module.__name__.partition(".")[0]
    # The ground changes daily without moving a number of its property models, so only they are counted.
    root = (
        here.parent
        if top == "discovery" or "." not in module.__name__
        else here.parents[module.__name__.count(".") - 1]
    )
    if not (root / "__init__.py").is_file():
        return hashlib.sha256(here.read_bytes()).hexdigest()
    return _digest_of_tree(root)


@lru_cache(maxsize=32)
def _digest_of_tree(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files_named(settings: Any) -> dict[str, str]:
    """Every file that a configuration names anywhere -> its sha256: a changed receptor is another campaign.

    A TOML file so named may name others, relative to its own folder: they count too, such as
    the known ligand that a file of restraints points to.
    """
    found: dict[str, str] = {}
    todo = [(Path(), text) for text in texts_in(settings)]
    while todo:
        folder, text = todo.pop()
        path = folder / text
        name = text if folder == Path() else str(path)
        try:
            if name in found or not path.is_file():
                continue
            found[name] = sha256_of(path)
            if path.suffix == ".toml":
                inner = tomllib.loads(path.read_text(encoding="utf-8"))
                todo += [(path.parent, other) for other in texts_in(inner)]
        except (
            OSError,
            ValueError,
        ):  # a long SMILES or a NUL byte is no file name; what is no TOML names none
            continue
    return dict(sorted(found.items()))


def texts_in(value: Any) -> list[str]:
    """All strings inside nested lists and dictionaries, keys left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts_in(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in texts_in(inner)]
    return []


def collect(*, seed: int, parts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Everything a reader needs to do the run again.

    Parameters
    ----------
    seed : the campaign's
    parts : (plug-in group, name), each asked for the weights it loads
    """
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "started": today(),
        "seed": seed,
        "versions": versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "weights": {f"{group}/{name}": digest for group, name in parts for digest in _weights(group, name)},
        "parts": {f"{group}/{name}": _where(group, name) for group, name in parts},
        "licences": licences(versions()),
    }


def licences(packages: Iterable[str]) -> Mapping[str, str]:
    """Distribution -> its licence, as its own metadata states it."""
    found: dict[str, str] = {}
    for name in packages:
        try:
            said = metadata(name)
        except PackageNotFoundError:
            continue
        fields = said.json
        classified = _from_classifiers(list(fields.get("classifier") or []))
        stated = fields.get("license_expression") or classified or fields.get("license") or "not stated"
        found[name] = str(stated).splitlines()[0][:60]
    return found


def today() -> str:
    """The date and time now, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _weights(group: str, name: str) -> list[str]:
    """A plug-in that loads trained weights says which through a `weights_sha256` of its class."""
    said = getattr(plugins.load(group, name), "weights_sha256", "")
    return [said] if isinstance(said, str) and said else []


def _where(group: str, name: str) -> str:
    part = plugins.load(group, name)
    package = part.__module__.partition(".")[0]
    try:
        home = distribution(
            "discovery-workbench"
            if package in ("discovery", "docking", "generative", "literature")
            else package
        )
        return f"{part.__module__}:{part.__qualname__} ({home.metadata['Name']} {home.version})"
    except PackageNotFoundError:
        return f"{part.__module__}:{part.__qualname__}"


def _from_classifiers(classifiers: Sequence[str]) -> str:
    found = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License ::")]
    return ", ".join(found)
