"""JupyterLab in a real Chromium: notebooks run, the grid sorts, filters and hands a choice back, 3-D views paint."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.browser import Watched, opened, why_not
from tests.browser.lab import Lab, lab, run_all, silent
from tests.discovery.fake_run import fake_run, prolif_data

nbformat = pytest.importorskip("nbformat", reason="the lab extra is absent, so no notebook was opened")
pytest.importorskip("jupyterlab", reason="the lab extra is absent, so no notebook was opened")

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
    pytest.mark.skipif(
        prolif_data() is None, reason="the prolif package, which ships the receptor, is absent"
    ),
    pytest.mark.timeout(1500),
]

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
import sys, time
sys.path.insert(0, {root!r})
from discovery.views.table import Table
from tests.discovery.fake_run import fake_run
table = Table(fake_run(150, posed=8))
grid = table.grid(page=12)
grid.observe(lambda change: time.sleep(0.5), names="selected")  # as on a busy machine
grid
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("notebooks")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, folder)
    small = nbformat.v4.new_notebook()
    small.cells = [
        nbformat.v4.new_code_cell(SMALL.format(root=str(ROOT)).strip()),
        nbformat.v4.new_code_cell("table.poses(5)"),
        nbformat.v4.new_code_cell(
            "chosen = grid.table()\nprint(len(chosen), [row.id for row in chosen.run.rows])"
        ),
    ]
    small.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(small, folder / "small.ipynb")
    with lab(folder, tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.fixture(autouse=True)
def _kernels_end_with_their_test(site: Lab) -> Iterator[None]:
    yield
    site.end_kernels()


def painted(watched: Watched, place: int = 0) -> None:
    """The canvas in the nth frame shows something in many colours, as soon as it does or after a minute."""
    views = ".jp-OutputArea-output iframe:is([title='Poses in the receptor'], [title=Trajectory])"
    watched.page.locator(views).nth(place).scroll_into_view_if_needed()
    frame = watched.page.frame_locator(views).nth(place)
    frame.locator(".pv-ready").wait_for()
    canvas = frame.locator(".pv-canvas")
    for _ in range(120):
        picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), dtype=int)
        r, g, b = (picture[..., i] for i in range(3))
        if ((r > 150) & (g > 80) & (g < 190) & (b < 70)).sum() > 200 and (
            picture.min(axis=-1) < 235
        ).mean() > 0.02:
            return
        watched.page.wait_for_timeout(500)
    raise AssertionError("the 3-D view stayed blank, or shows no ligand")


def pictures_have_sizes(watched: Watched, least: int) -> None:
    sizes = watched.page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea-output img')].map(p => [p.naturalWidth, p.getBoundingClientRect().width])"
    )
    assert len(sizes) >= least
    assert all(natural > 10 and shown > 10 for natural, shown in sizes)


class Grid:
    """The grid of the notebook that is open, used with mouse and keyboard."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.root = watched.page.locator(".dg").first
        self.root.scroll_into_view_if_needed()
        self.root.locator(".dg-card").first.wait_for()

    @property
    def ids(self) -> list[str]:
        return [str(card.get_attribute("data-id")) for card in self.root.locator(".dg-card").all()]

    @property
    def count(self) -> str:
        return str(self.root.locator(".dg-count").inner_text())

    def asks(self, act: Any) -> None:
        """Do something that asks the kernel, and wait for the answer to just that."""
        serial = "document.querySelector('[data-serial]').dataset"
        before = str(self.watched.page.evaluate(f"{serial}.serial"))
        act()
        self.watched.page.wait_for_function(
            f"before => {serial}.serial !== before && {serial}.serial === {serial}.asked", arg=before
        )

    def column(self, label: str) -> list[str]:
        found = []
        for card in self.root.locator(".dg-card").all():
            words = card.locator("dt").all_inner_texts()
            place = next(i for i, word in enumerate(words) if label in word)  # "Drug-likeness (QED)"
            found.append(card.locator("dd").all_inner_texts()[place])
        return [text.replace("\u2212", "-") for text in found]


def test_the_grid_sorts_filters_and_hands_a_choice_back(browser: Any, site: Lab) -> None:
    run = fake_run(150, posed=8)
    with opened(browser, site.address("small.ipynb")) as watched:
        run_all(watched, seconds=400)
        page, grid = watched.page, Grid(watched)
        assert grid.ids == [row.id for row in run.rows[:12]]
        grid.asks(lambda: grid.root.locator("select").select_option("qed"))
        shown = [float(text) for text in grid.column("QED")]
        assert shown == sorted(shown, reverse=True)  # best first
        grid.asks(lambda: grid.root.locator("[data-act=turn]").click())
        assert float(grid.column("QED")[0]) <= shown[-1]
        grid.asks(lambda: grid.root.locator("[data-act=after]").click())
        assert "page 2 of" in grid.root.locator(".dg-where").inner_text()
        grid.asks(lambda: grid.root.locator("input[data-ask=smarts]").press_sequentially("S(=O)(=O)"))
        first = [card.locator("img").get_attribute("alt") for card in grid.root.locator(".dg-card").all()]
        assert first
        grid.asks(lambda: grid.root.locator("input[data-ask=smarts]").fill(""))
        grid.root.locator("summary").click()
        slider = grid.root.locator("input[data-limit='logp.max']")
        grid.asks(lambda: slider.evaluate("e => { e.value = 2.0; e.dispatchEvent(new Event('input')); }"))
        assert all(float(text) <= 2.0 for text in grid.column("logP"))
        wanted = grid.ids[:2]
        for card in grid.root.locator(".dg-card").all()[:2]:
            card.locator("img").click()
        page.wait_for_function("document.querySelector('.dg-count').textContent.includes('2 chosen')")
        page.evaluate(
            "async () => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = 2;"
            " await window.jupyterapp.commands.execute('notebook:run-cell'); }"
        )
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.content.widgets[2].model.executionState === 'idle'"
        )
        said = page.locator(".jp-OutputArea-output pre").last.inner_text()
        assert said.startswith("2 [")
        assert all(id in said for id in wanted)
        painted(watched)
        assert (
            page.frame_locator("iframe").first.locator("canvas").count() <= 2
        )  # a browser gives about 16 in all
        silent(watched, site)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "grids", "views", "pictures"),
    [
        ("01_target", 0, 0, 5),
        ("02_propose", 1, 0, 12),
        ("03_dock_simulate", 0, 2, 12),
        ("05_read_table", 1, 1, 20),
        ("06_series", 0, 0, 40),
    ],
)
def test_the_notebook_runs_and_everything_is_there(
    browser: Any, site: Lab, name: str, grids: int, views: int, pictures: int
) -> None:
    with opened(browser, site.address(f"{name}.ipynb"), seconds=1400) as watched:
        run_all(watched, seconds=1200)
        pictures_have_sizes(watched, pictures)
        for place in range(views):
            painted(watched, place)
        if grids:
            grid = Grid(watched)
            grid.asks(lambda: grid.root.locator("select").select_option("qed"))
            shown = [float(text) for text in grid.column("QED") if text != "–"]
            assert shown == sorted(shown, reverse=True)
            grid.root.locator(".dg-card img").first.click()
            watched.page.wait_for_function(
                "document.querySelector('.dg-count').textContent.includes('1 chosen')"
            )
        silent(watched, site)
