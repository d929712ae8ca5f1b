"""Which parts can a campaign be made of, and what can be set on each?

The list is read from the source files, so that it is there at once and also where a
part's own libraries are not installed. One part, looked at closely, is loaded.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from discovery import plugins

CHOSEN = ("scorers", "proposers", "evidence", "engines", "readers")  # groups a person names in a file


@dataclass(frozen=True, slots=True)
class Part:
    """A plug-in by its group and name, and its docstring's first line; empty where it has none."""

    group: str
    name: str
    line: str


def listed() -> list[Part]:
    """Every registered part, by group and name; nothing of them is imported."""
    return [
        Part(group, point.name, _words(point).partition("\n")[0])
        for group in CHOSEN
        for point in sorted(entry_points(group=f"discovery.{group}"), key=lambda found: found.name)
    ]


def described(name: str) -> str:
    """All parts of this name: what each does, and its settings with types and defaults.

    Raises
    ------
    PluginError
        There is none (the nearest is named), or it does not load.
    """
    groups = [group for group in CHOSEN if name in plugins.names(group)]
    if not groups:
        known = sorted({part for group in CHOSEN for part in plugins.names(group)})
        raise plugins.PluginError(f"there is no part called {name!r}{plugins.nearest(name, known)}")
    return "\n\n".join(_described(group, name) for group in groups)


def _described(group: str, name: str) -> str:
    part = plugins.load(group, name)
    words = inspect.getdoc(part) or "It says nothing of itself."
    lines = [f"{plugins.singular(group)} {name}", "", *(f"  {line}".rstrip() for line in words.splitlines())]
    settings = [] if group == "readers" else list(inspect.signature(part).parameters.values())
    if settings:
        lines += ["", "  settings:"]
    for setting in settings:
        kind = setting.annotation
        if not isinstance(kind, str):
            kind = inspect.formatannotation(kind)
        if setting.default is inspect.Parameter.empty:
            default = "must be given"
        elif "factory" in repr(setting.default):
            default = "empty"
        else:
            default = repr(setting.default)
        lines.append(f"    {setting.name}: {kind} = {default}")
    return "\n".join(lines)


def _words(point: EntryPoint) -> str:
    """The docstring of what an entry point names, from its source."""
    try:
        found = find_spec(point.module)
    except ImportError:
        return ""
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        return ""
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == point.attr:
            return ast.get_docstring(node) or ""
    return ""
