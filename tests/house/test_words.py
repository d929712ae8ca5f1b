"""What the README, the docs and the notebooks name exists: commands, options, files, Python addresses."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from discovery.cli import app

HOUSE = Path(__file__).resolve().parents[2]
PROSE = ("README.md", "CONTRIBUTING.md", "docs/python.md")


def words_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


PAGES = [*(HOUSE / name for name in PROSE), *sorted((HOUSE / "notebooks").glob("*.ipynb"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_and_option_named_is_there(path: Path) -> None:
    panel: Any = typer.main.get_command(app)
    spoken = re.findall(r"`discovery ((?:[^`\n]|\n(?!\n))+)`", words_of(path))
    for line in spoken:
        name, *rest = line.split()
        if name.startswith("--"):
            continue
        command = panel.get_command(None, name)
        assert command is not None, f"discovery {line}"
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        known |= {"--help"}
        if "--" in rest:
            rest = rest[: rest.index("--")]
        for option in (word for word in rest if word.startswith("--")):
            assert option.rstrip(",;:") in known, f"discovery {line}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_notebook_named_is_there(path: Path) -> None:
    there = {found.stem for found in (HOUSE / "notebooks").glob("*.ipynb")}
    assert set(re.findall(r"\b(0\d_[a-z_]+)\b", words_of(path))) <= there


def defined(module: str) -> set[str]:
    """Names at the top of a module of ours, read from its source: importing all of them would take half a minute."""
    folder = HOUSE / module.replace(".", "/")
    if folder.is_dir():
        return {path.stem for path in folder.iterdir()}
    names: set[str] = set()
    for node in ast.parse((HOUSE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {
                one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)
            }
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def imports_what_exists(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (HOUSE / str(node.module).split(".")[0]).is_dir():
            assert {alias.name for alias in node.names} <= defined(str(node.module)), ast.unparse(node)


@pytest.mark.parametrize("path", sorted((HOUSE / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_import_what_exists(path: Path) -> None:
    """Every test run knows it, though most notebooks are run by `make notebooks` alone."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        code = "".join(cell["source"])
        if cell["cell_type"] == "code":
            imports_what_exists(code.partition("\n")[2] if code.startswith("%%") else code)


@pytest.mark.parametrize(
    "path", sorted((HOUSE / "tests/benchmarks").glob("*.py")), ids=lambda path: path.name
)
def test_benchmarks_import_what_exists(path: Path) -> None:
    """No test runs them."""
    imports_what_exists(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PROSE)
def test_python_named_exists(name: str) -> None:
    text = (HOUSE / name).read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        imports_what_exists(block)
    for address in re.findall(r"`((?:discovery|docking|generative|literature)(?:\.\w+)+)", text):
        parts = address.split(".")
        file = max(
            n
            for n in range(1, len(parts) + 1)
            if n == 1 or (HOUSE / "/".join(parts[:n])).with_suffix(".py").is_file()
        )
        assert file > 1, address
        assert file == len(parts) or parts[file] in defined(".".join(parts[:file])), address


@pytest.mark.slow
def test_the_campaign_by_hand_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of docs/python.md as it stands, on a library of six molecules."""
    block = re.search(r"```python\n(.*?)```", (HOUSE / "docs/python.md").read_text(encoding="utf-8"), re.S)
    assert block
    chains = ["NCCc1c[nH]c2ccc(O)cc12", "CN(C)CCc1c[nH]c2ccccc12", "CN1CCC(c2c[nH]c3ccccc23)CC1"]
    (tmp_path / "library.smi").write_text("\n".join(chains) + "\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block[1], names)
    assert (tmp_path / "runs/python/report.html").stat().st_size > 10_000
    assert names["table"].run.ranked
