"""Do the Python doors tell each argument, and take what people have in their hands?

The doors are those that docs/python.md lists, and every registered part. They are read from
their sources: importing all of them would take half a minute.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PARTS = ("scorers", "proposers", "engines", "evidence")
Door = ast.FunctionDef | ast.ClassDef


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((HOUSE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))


def door_at(address: str) -> Door | None:
    """The function or class at an address like "docking.dock.dock" or "discovery.molecule.Molecule.parse"."""
    module, _, name = address.rpartition(".")
    if not module:
        return None
    place = HOUSE / f"{module.replace('.', '/')}.py"
    inside = tree_of(module) if place.is_file() else door_at(module)
    body = inside.body if inside else []
    return next((one for one in body if isinstance(one, Door) and one.name == name), None)


def listed() -> Iterator[str]:
    """Addresses in the table of docs/python.md; a bare name follows the module or the address before it."""
    for row in re.findall(r"^\| .*\| (.*) \|$", (HOUSE / "docs/python.md").read_text(encoding="utf-8"), re.M):
        module = ""
        for said in re.findall(r"`([\w.]+)[^`]*`", row):
            if said.partition(".")[0] not in ("discovery", "docking", "generative", "literature"):
                said = f"{module}.{said}"
            if door_at(said) is not None:
                yield said
                module = said.rpartition(".")[0]
            else:
                module = said


def registered() -> Iterator[str]:
    points = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    for group in PARTS:
        yield from (address.replace(":", ".") for address in points[f"discovery.{group}"].values())


def arguments_of(door: Door) -> dict[str, str]:
    """Name -> annotation."""
    if isinstance(door, ast.ClassDef):
        return {
            one.target.id: ast.unparse(one.annotation)
            for one in door.body
            if isinstance(one, ast.AnnAssign)
            and isinstance(one.target, ast.Name)
            and not one.target.id.startswith("_")
            and "ClassVar" not in ast.unparse(one.annotation)
        }
    every = (*door.args.posonlyargs, *door.args.args, *door.args.kwonlyargs)
    return {
        one.arg: ast.unparse(one.annotation)
        for one in every
        if one.annotation and one.arg not in ("self", "cls")
    }


DOORS = sorted({*listed(), *registered()})
TOLD_BY_ITS_WORD = {"name"}  # of the column or the proposer


def test_there_are_doors() -> None:
    assert len(DOORS) > 40
    assert {"docking.dock.dock", "discovery.molecule.Molecule.parse", "docking.scorers.DockingScore"} <= {
        *DOORS
    }


@pytest.mark.parametrize("address", DOORS)
def test_a_door_tells_each_argument(address: str) -> None:
    door = door_at(address)
    assert door is not None
    told = ast.get_docstring(door) or ""
    silent = [
        name
        for name in arguments_of(door)
        if name not in TOLD_BY_ITS_WORD and not re.search(rf"\b{name}\b", told)
    ]
    assert not silent, f"{address} says nothing of {', '.join(silent)}"


@pytest.mark.parametrize("address", DOORS)
def test_a_door_takes_a_path_as_text(address: str) -> None:
    door = door_at(address)
    if isinstance(door, ast.FunctionDef):
        picky = [
            name
            for name, kind in arguments_of(door).items()
            if re.search(r"\bPath\b", kind) and "str" not in kind
        ]
        assert not picky, f"{address} wants a Path for {', '.join(picky)}"


@pytest.mark.parametrize(
    "house", sorted(HOUSE.glob("[dgl]*/**/__init__.py")), ids=lambda path: str(path.parent.relative_to(HOUSE))
)
def test_a_house_lists_its_rooms(house: Path) -> None:
    told = ast.get_docstring(ast.parse(house.read_text(encoding="utf-8"))) or ""
    rooms = {path.stem for path in house.parent.glob("*.py")} - {"__init__"}
    assert not {room for room in rooms if not re.search(rf"\b{room}\b", told)}
