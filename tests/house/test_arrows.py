"""The house's arrows: who may import whom, and where each heavy library lives."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKSHOPS = ("generative", "docking", "literature")
PACKAGES = ("discovery", *WORKSHOPS)
HOMES = {
    "torch": ("generative/", "discovery/properties/", "literature/"),  # literature: transformers runs on it
    "torch_geometric": ("generative/", "discovery/properties/"),
    "jax": ("docking/",),
    "openmm": ("docking/dynamics/",),
    "transformers": ("literature/",),
    "tokenizers": ("literature/",),
}
HEAVY = ("torch", "jax", "openmm", "transformers", "torch_geometric", "pandas", "duckdb", "scipy", "IPython")


def files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Every absolute name a file imports, wherever in the file, with its line."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            inside = ("." * node.level) if node.level else ""
            yield f"{inside}{node.module or ''}", node.lineno
            for alias in node.names:  # `from discovery import doors` imports a room, too
                yield f"{inside}{node.module or ''}.{alias.name}", node.lineno
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            first = node.args[0]
            if called in ("importlib.import_module", "import_module", "__import__") and isinstance(
                first, ast.Constant
            ):
                yield str(first.value), node.lineno


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_run_down_to_the_ground(package: str) -> None:
    """discovery imports no workshop; no workshop imports another: they meet through entry points."""
    others = [name for name in WORKSHOPS if name != package]
    wrong = [
        f"{where(path)}:{line} imports {name}"
        for path in files()
        if where(path).startswith(f"{package}/")
        for name, line in imports(path)
        if name.split(".")[0] in others or name.startswith(".")
    ]
    assert wrong == []


def test_each_heavy_library_has_one_home() -> None:
    wrong = [
        f"{where(path)}:{line} imports {name}"
        for path in files()
        for name, line in imports(path)
        if (homes := HOMES.get(name.split(".")[0])) and not where(path).startswith(homes)
    ]
    assert wrong == []


def test_nobody_imports_in_circles() -> None:
    """Inside functions neither: what looks like a way out of a circle is a function on the wrong floor."""
    rooms = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files()}
    graph: dict[str, set[str]] = {}
    for room, path in rooms.items():
        shown = {line for node in ast.walk(tree(path)) if _for_types(node) for line in _lines(node)}
        graph[room] = {name for name, line in imports(path) if name in rooms and line not in shown}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _lines(node: ast.AST) -> range:
    return range(getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) + 1)


def test_init_files_hold_one_docstring_and_import_nothing() -> None:
    for path in files():
        if path.name == "__init__.py":
            body = tree(path).body
            assert len(body) == 1, f"{where(path)} holds more than a docstring"
            (only,) = body
            assert isinstance(only, ast.Expr)
            assert isinstance(only.value, ast.Constant), where(path)


def test_every_room_opens_with_a_docstring() -> None:
    silent = [where(path) for path in files() if not ast.get_docstring(tree(path))]
    assert silent == []


def test_there_is_no_room_called_utils() -> None:
    assert [
        where(path) for path in files() if path.stem in ("utils", "util", "helpers", "common", "misc")
    ] == []


@pytest.mark.parametrize(
    "module", ["discovery", "discovery.cli", "discovery.execution", "discovery.campaign"]
)
def test_the_ground_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
