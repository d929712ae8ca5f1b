"""The core stays light: what `pip install .` pulls, counted from the installed packages' own metadata."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = {
    "torch",
    "jax",
    "jaxlib",
    "openmm",
    "transformers",
    "pandas",
    "scipy",
    "matplotlib",
    "torch-geometric",
}


def closure(requirements: list[str]) -> set[str]:
    """Names of everything a list of requirements pulls in, extras and markers honoured."""
    seen: set[tuple[str, str]] = set()
    queue = [Requirement(text) for text in requirements]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in distribution(name).requires or []:
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    queue.append(inner)
    return {name for name, _ in seen}


def test_the_core_pulls_at_most_a_hundred_packages_and_nothing_heavy() -> None:
    pulled = closure(PYPROJECT["project"]["dependencies"])
    assert len(pulled) <= 100
    assert not pulled & HEAVY


def test_every_dependency_has_a_lower_bound() -> None:
    groups = [PYPROJECT["project"]["dependencies"], *PYPROJECT["project"]["optional-dependencies"].values()]
    for text in (text for group in groups for text in group):
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != "discovery-workbench":
            assert any(part.operator in (">=", "==") for part in requirement.specifier), text


def test_what_is_installed_is_what_the_constraints_say() -> None:
    """`make setup` installs by constraints.txt; a pin that differs from what runs here pins nothing."""
    wrong = []
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, pinned = line.partition("==")
        try:
            installed = distribution(name).version.partition("+")[0]
        except PackageNotFoundError:
            continue  # pinned for another extra or platform
        if installed != pinned:
            wrong.append(f"{name}: pinned {pinned}, installed {installed}")
    assert not wrong


def test_exactly_four_packages_are_declared() -> None:
    include = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(name.rstrip("*") for name in include) == [
        "discovery",
        "docking",
        "generative",
        "literature",
    ]


ROOMS_OF = {
    "docking": "docking",
    "docking/dynamics": "dynamics",
    "generative": "generative",
    "literature": "literature",
}

IMPORT_ALL = """
import importlib, json, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
pulled, rooms = json.load(sys.stdin)
known = {top: {d.lower().replace("_", "-").replace(".", "-") for d in names} for top, names in packages_distributions().items()}
class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        there = known.get(name.partition(".")[0], set(pulled)) & set(pulled)
        return super().find_spec(name, path, target) if there else None
sys.meta_path = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
for room in rooms:
    try:
        importlib.import_module(room)
    except ImportError as error:
        print(json.dumps([room, str(error)]))
"""


def refusals(folder: str, extras: list[str]) -> dict[str, str]:
    """What each room of a folder says when it is imported where only the core and these extras are installed."""
    rooms = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if folder == "docking/dynamics" or "dynamics" not in path.parts
    ]
    optional = PYPROJECT["project"]["optional-dependencies"]
    wanted = [text for extra in extras for text in optional[extra]]
    pulled = closure([*PYPROJECT["project"]["dependencies"], *wanted]) | {"discovery-workbench"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=json.dumps([sorted(pulled), rooms]), capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize(("folder", "extra"), ROOMS_OF.items())
def test_a_room_imports_with_its_extra_and_names_it_without(folder: str, extra: str) -> None:
    assert refusals(folder, [extra]) == {}
    assert [room for room, said in refusals(folder, []).items() if "discovery-workbench[" not in said] == []
