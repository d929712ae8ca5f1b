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
from functools import cache, lru_cache
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

_TOLD = frozenset({".md", ".LICENSE"})  # beside data and weights: for people


def versions() -> dict[str, str]:
    """Distribution name -> version, for those installed that can change a number; and Python's."""
    found = {"python": platform.python_version()}
    for name in COUNTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """In what two sets of versions differ, in words; of digests only that they do."""
    told = []
    for name in sorted({*before, *now}):
        old, new = before.get(name, "absent"), now.get(name, "absent")
        if old != new:
            told.append(f"{name} changed" if 64 in (len(old), len(new)) else f"{name} {old} -> {new}")
    return ", ".join(told)


def code_digest(group: str, name: str) -> str:
    """sha256 over the sources, data and weights of the package a plug-in lives in: change one, and its results are stale."""
    root = _home(group, name)
    if root is None:
        return ""
    return sha256_of(root) if root.is_file() else _digest_of_tree(root)


def _home(group: str, name: str) -> Path | None:
    """The folder of the package a plug-in lives in; its file, where it is in none."""
    module = inspect.getmodule(plugins.load(group, name))
    if module is None or not module.__file__:
        return None
    here = Path(module.__file__).resolve()
    top = module.__name__.partition(".")[0]
    # The ground changes daily without moving a number of its property models, so only they are counted.
    depth = 1 if top == "discovery" else max(1, module.__name__.count("."))
    root = here.parents[depth - 1]
    return root if (root / "__init__.py").is_file() else here


@lru_cache(maxsize=32)
def _digest_of_tree(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix == ".py" or (path.parent.name in ("data", "weights") and path.suffix not in _TOLD):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(bytes.fromhex(sha256_of(path)))
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
        except (OSError, ValueError):  # no file name, such as a long SMILES or a NUL byte; or no TOML
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
    parts : (plug-in group, name); the weights that their packages ship are listed, and files that
        settings name, weights among them, by whoever keeps the run (`files_named`)
    """
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "started": today(),
        "seed": seed,
        "versions": versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "weights": {name: digest for part in parts for name, digest in _weights(*part).items()},
        "parts": {f"{group}/{name}": _where(group, name) for group, name in parts},
        "licences": licences(versions()),
    }


def licences(packages: Iterable[str]) -> Mapping[str, str]:
    """Distribution -> its licence, as its own metadata states it."""
    stated = {name: _licence(name) for name in packages}
    return {name: licence for name, licence in stated.items() if licence}


@cache
def _licence(package: str) -> str:
    """Empty where the package is not there. Metadata is long, and its parser slow."""
    try:
        said = metadata(package)
    except PackageNotFoundError:
        return ""
    fields = said.json
    classes = [c.rpartition(" :: ")[2] for c in fields.get("classifier") or () if c.startswith("License ::")]
    classified = ", ".join(classes)
    stated = fields.get("license_expression") or classified or fields.get("license") or "not stated"
    return str(stated).splitlines()[0][:60]


def today() -> str:
    """The date and time now, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _weights(group: str, name: str) -> dict[str, str]:
    """The trained weights that a plug-in's package ships, such as docking/weights/poses.safetensors -> sha256."""
    root = _home(group, name)
    found = () if root is None or root.is_file() else sorted(root.rglob("*.safetensors"))
    return {str(Path(root.name, path.relative_to(root))): sha256_of(path) for path in found if root}


def _where(group: str, name: str) -> str:
    part = plugins.load(group, name)
    package, where = part.__module__.partition(".")[0], f"{part.__module__}:{part.__qualname__}"
    ours = package in ("discovery", "docking", "generative", "literature")
    try:
        home = distribution("discovery-workbench" if ours else package)
    except PackageNotFoundError:
        return where
    return f"{where} ({home.metadata['Name']} {home.version})"
