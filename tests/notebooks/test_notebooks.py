"""Every notebook runs from top to bottom, shows something in every cell that should, and is saved clean."""

from __future__ import annotations

import base64
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

nbformat = pytest.importorskip("nbformat", reason="the lab extra is absent, so no notebook was run")
nbclient = pytest.importorskip(
    "nbclient", reason="nbclient, of the dev extra, is absent, so no notebook was run"
)

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
QUICK = ("06_series",)  # run by every test run; `make notebooks` runs all


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_saved_clean(path: Path) -> None:
    """No outputs, no counts, no paths of the machine it was written on, no `def`: that would be a missing room."""
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            if not cell.source.startswith(
                "%%writefile"
            ):  # a plug-in of the reader's own, in a file of its own
                assert not re.search(r"^\s*(def|class) ", cell.source, re.M)
            assert (
                max(map(len, cell.source.splitlines())) <= 88
            )  # all to be seen in a window 1280 pixels wide
        assert not re.search(r"/(home|root|tmp|Users|work)/", cell.source)


def test_one_question_a_cell(path: Path) -> None:
    """Each code cell after the settings stands below a heading that asks; the answers are checked by asserts."""
    cells = read(path).cells
    code = [place for place, cell in enumerate(cells) if cell.cell_type == "code"]
    for place in code[1:]:
        assert re.search(r"^## .+\?$", cells[place - 1].source, re.M), cells[place].source
    asserting = sum("assert " in cells[place].source for place in code)
    assert asserting >= len(code) // 2


@pytest.mark.timeout(900)  # a minute on 2 quiet cores
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=() if path.stem in QUICK else pytest.mark.slow) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_runs_and_nothing_is_blank(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("ipykernel", reason="the lab extra is absent, so no notebook was run")
    for module in ("prolif", "vina", "openmm"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is absent, so no notebook was run")
    notebook = read(path)
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    client = nbclient.NotebookClient(
        notebook, timeout=800, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute(env={**os.environ, "TMPDIR": str(tmp_path)})  # what it makes goes with the test's own
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code[1:]:
        assert cell.outputs, f"this cell shows nothing:\n{cell.source}"
        for output in cell.outputs:
            assert output.output_type != "error"
            if output.output_type == "stream":
                assert output.name == "stdout" or "Traceback" not in output.text
            elif "text/html" in output.get("data", {}):
                page = output.data["text/html"]
                assert len(re.sub(r"<[^>]*>", "", page).strip()) + page.count("<img") > 0
                shown = _without_frames(page)
                for picture in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown):
                    svg = ElementTree.fromstring(base64.b64decode(picture))
                    strokes = sum(
                        len(part.get("d", "")) for part in svg.iter()
                    )  # a hydrocarbon is one long path
                    assert len(list(svg.iter())) > 3 or strokes > 100, "a blank picture"
                assert "http://" not in re.sub(r"http://www\.w3\.org/\S*", "", _without_frames(page))
    pictures = sum(page.count("<img") for cell in code for page in _pages(cell))
    assert pictures >= 10


def _pages(cell: Any) -> list[str]:
    return [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]


def _without_frames(page: str) -> str:
    return re.sub(r"<iframe.*?</iframe>", "", page, flags=re.S)
