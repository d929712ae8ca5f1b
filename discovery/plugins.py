"""Names in pyproject -> objects.

One line in anybody's pyproject makes a scorer, a proposer, a docking engine, a
reader or an evidence source known to every door of the workbench:

    [project.entry-points."discovery.scorers"]
    saturation = "my_package.scorers:Saturation"

A part of a script of one's own needs no such line: it is called by its address, `my_module:Saturation`,
where a registered one is called by its name. Worker processes look for the module where the script does.

What is registered is a callable (usually a frozen dataclass) whose parameters are
its settings. Settings that do not fit are refused with the nearest right key.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import os
import re
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from discovery.outcome import UserError

_SHAPES = {"scorers": "column", "proposers": "propose", "engines": "dock"}  # what a part of each group has
GROUPS = ("scorers", "proposers", "engines", "readers", "evidence", "commands", "checks", "promises", "pages")


class PluginError(UserError, ValueError):
    """A plug-in is unknown, does not load, or refuses its settings. The message says what to do."""


def names(group: str) -> list[str]:
    """All names registered for a group, sorted; nothing is imported."""
    return sorted({point.name for point in _points(group)})


def load(group: str, name: str) -> Callable[..., Any]:
    """The registered callable; a name like "my_module:Saturation" needs no registration.

    Raises
    ------
    PluginError
        Unknown name (the nearest known one is named) or a failing import (the
        missing package, and the extra that brings it, are named).
    """
    found = [point for point in _points(group) if point.name == name]
    if not found and ":" in name:
        return _addressed(group, name)
    if not found:
        raise PluginError(f"there is no {singular(group)} called {name!r}{nearest(name, names(group))}")
    if len({point.value for point in found}) > 1:
        who = ", ".join(sorted(point.value for point in found))
        raise PluginError(f"two packages both call a {singular(group)} {name!r}: {who}; uninstall one")
    point, what = found[0], f"{singular(group)} {name!r}"
    try:
        plugin = point.load()
    except ImportError as error:
        raise PluginError(f"{what} does not load: {error}{_extra(point, error)}") from error
    except Exception as error:  # a plug-in may fail in any way at import; the rest must go on
        told = f"{type(error).__name__}: {error}"
        raise PluginError(f"{what} ({point.value}) failed while loading: {told}") from error
    if not callable(plugin):
        raise PluginError(f"{what} ({point.value}) is no callable")
    return typing.cast(Callable[..., Any], plugin)


def _addressed(group: str, address: str) -> Callable[..., Any]:
    """A class of a script's own by its address; nothing but a part, since campaign files pass from hand to hand."""
    kind, (module, _, name) = singular(group), address.partition(":")
    if group not in _SHAPES:
        raise PluginError(f"{kind} {address!r}: only {', '.join(_SHAPES)} are called by an address")
    try:
        part = getattr(import_module(module), name)
    except ImportError as error:
        raise PluginError(
            f"{kind} {address!r} does not load: {error}; its folder must be on Python's path (PYTHONPATH)"
        ) from error
    except AttributeError as error:
        alone = "; worker processes need it in a module of its own" if module == "__main__" else ""
        raise PluginError(f"{kind} {address!r} does not load: {error}{alone}") from error
    has = _SHAPES[group]
    if not inspect.isclass(part) or not (hasattr(part, has) or has in inspect.get_annotations(part)):
        raise PluginError(f"{kind} {address!r} is no class with a {has!r}, as a {kind} is")
    return typing.cast(Callable[..., Any], part)


def build(group: str, name: str, settings: Mapping[str, Any] | None = None, *, where: str = "") -> Any:
    """Load a plug-in and build it with its settings, each checked against its annotation.

    Raises
    ------
    PluginError
        As `load`; or a setting is unknown (the nearest right key is named) or has
        the wrong type. `where` opens the message: "campaign.toml, [[scorers]] 3".
    """
    where = f"{where}: " if where else ""
    try:
        factory = load(group, name)
    except PluginError as error:
        raise PluginError(f"{where}{error}") from error
    what = f"{where}{singular(group)} {name!r}"
    checked = check_settings(factory, dict(settings or {}), what)
    try:
        return factory(**checked)
    except ValueError as error:  # a setting of the right type that makes no sense: the user's to mend
        raise PluginError(f"{what}: {error}") from error


def check_settings(factory: Callable[..., Any], settings: dict[str, Any], what: str) -> dict[str, Any]:
    """Settings, converted to the annotated types of the factory's parameters; `what` opens the message.

    Raises
    ------
    PluginError
        A setting the factory does not have (the nearest is named), or of the wrong type.
    """
    # here: `discovery --help` needs none of it
    from pydantic import ConfigDict, ValidationError, create_model

    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(factory).parameters.values():
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints.get(parameter.name, Any), default)
    for key in settings:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes: {', '.join(fields) or 'no settings'}"
            raise PluginError(f"{what} has no setting {key!r}; {hint}")
    model = create_model(
        "Settings", __config__=ConfigDict(arbitrary_types_allowed=True, extra="forbid"), **fields
    )
    try:
        valid = model(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise PluginError(f"{what}, setting {key!r}: {complaint(first)}") from error
    return {key: getattr(valid, key) for key in settings}


def settle(part: Any) -> None:
    """Let a part that is built by hand take what people have in their hands; for its `__post_init__`.

    A path where a text is declared, a text for a path, a list for a tuple.

    Raises
    ------
    PluginError
        A text stands where a list is meant.
    """
    for field in dataclasses.fields(part):
        kind, value = str(field.type), getattr(part, field.name)
        if kind.startswith("tuple[") and isinstance(value, str):
            raise PluginError(f"{field.name} is a list; write [{json.dumps(value)}]")
        if kind.startswith("tuple[") and isinstance(value, list):
            value = tuple(value)
        elif kind.startswith("Path") and isinstance(value, str):
            value = Path(value)
        elif kind == "str" and isinstance(value, Path):
            value = str(value)
        object.__setattr__(part, field.name, value)


def complaint(problem: Mapping[str, Any]) -> str:
    """What pydantic found wrong with a value, in the words of whoever wrote it in TOML."""
    given = problem.get("input")
    plain = isinstance(given, str | int | float)
    if problem["type"] in ("tuple_type", "list_type"):
        return f"is a list; write [{json.dumps(given)}]" if plain else "is a list"
    if problem["type"] in ("model_type", "dict_type"):
        return f"is a table of keys and values, not {repr(given) if plain else f'a {type(given).__name__}'}"
    said = problem["msg"].removeprefix("Value error, ")
    shown = f", not {given!r}" if plain and problem["type"] != "value_error" else ""
    return f"{said[:1].lower()}{said[1:]}{shown}"


def nearest(name: str, known: Sequence[str]) -> str:
    """How a message about an unknown name ends: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known) or 'none'}"


def _extra(point: EntryPoint, error: ImportError) -> str:
    """The install command that brings a missing module, where the plug-in's package has an extra for it."""
    if "pip install" in str(error) or not error.name or point.dist is None:
        return ""
    missing = error.name.partition(".")[0].replace("_", "-").lower()
    for requirement in point.dist.requires or []:
        wanted, _, marker = requirement.partition(";")
        if re.split(r"[^A-Za-z0-9._-]", wanted, maxsplit=1)[0].replace("_", "-").lower() != missing:
            continue
        if extra := re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker):
            return f"; it needs: pip install '{point.dist.metadata['Name']}[{extra[1]}]'"
    return ""


def _points(group: str) -> tuple[EntryPoint, ...]:
    if group not in GROUPS:
        raise KeyError(f"{group} is no plug-in group; they are {', '.join(GROUPS)}")
    return _found(group, tuple((entry, _touched(entry)) for entry in sys.path))


@lru_cache(maxsize=64)
def _found(group: str, where: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Asked for again once something is installed: reading all installed packages takes 10 ms a time."""
    return tuple(entry_points(group=f"discovery.{group}"))


def _touched(entry: str) -> int:
    try:
        return os.stat(entry or ".").st_mtime_ns
    except OSError:
        return 0


def singular(group: str) -> str:
    """What one part of a group is called."""
    return {"evidence": "evidence source"}.get(group, group.removesuffix("s"))
