"""How fast can a table of 100,000 rows be leafed through?

Question  seconds until the first page is on screen, until the next page is, and until a
          substructure search has answered, as a reader in a browser waits for them
Data      ZINC molecules where they are at hand; otherwise analogues written here
How       a notebook in JupyterLab, opened in headless Chromium as it draws where there is no GPU; from the key
          press (a search waits 0.3 s for the next one) to the painted pictures; pages are leafed after a look of
          0.7 s, and in a row
Limit     1 s, 0.2 s, 2 s
Load      on a busy machine the waits say nothing; the processor seconds beside them still do
Also      how many WebGL contexts 500 poses take

    python -m tests.benchmarks.grid [--quick] [--data FILE]
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import psutil

from discovery.molecule import Molecule
from discovery.properties.physchem import Descriptor
from discovery.results import Run
from discovery.score import Column, Score
from discovery.views.pose_viewer import PoseView
from discovery.views.reading import pose_of
from discovery.views.sifting import PAGE
from discovery.views.table import Table
from tests.benchmarks.record import options, record

SEED = 6
LOOK_MS = 700  # a reader looks at a page of structures before leafing on; `in_a_row` is one who does not
NEXT = "document.querySelector('[data-act=after]').click()"
SEARCHES = ("c1ccc2[nH]ccc2c1", "S(=O)(=O)N", "[F,Cl]c1ccccc1", "C(=O)N")
CELLS = (
    """import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.benchmarks.grid import table
shown, what = table({rows}, {data})
print(len(shown))""",
    "shown.grid()",
)
RUN = """async (place) => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = place;
 await window.jupyterapp.commands.execute('notebook:run-cell'); }"""
FIRST = """async () => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = 1;
 const began = performance.now(); window.jupyterapp.commands.execute('notebook:run-cell');
 const drawn = () => [...document.querySelectorAll('.dg-card img')];
 while (drawn().length < PAGE) await new Promise((go) => setTimeout(go, 20));
 await Promise.all(drawn().map((picture) => picture.decode()));
 await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
 return (performance.now() - began) / 1000; }""".replace("PAGE", str(PAGE))
ASKED = """async (act) => { const here = document.querySelector('.dg').parentElement, old = here.dataset.serial, began = performance.now();
 const answered = new Promise((go) => new MutationObserver(() => { if (here.dataset.serial !== old) go(); })
  .observe(here, { attributes: true, attributeFilter: ["data-serial"] }));
 (0, eval)(act); await answered;
 await Promise.all([...document.querySelectorAll('.dg-card img')].map((picture) => picture.decode()));
 await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
 return (performance.now() - began) / 1000; }"""


def table(rows: int, data: Path | None) -> tuple[Table, str]:
    """So many rows with two numbers each, and what they are."""
    column, other = Column("logp", "1", "low", "logP"), Column("length", "1", "low", "length of the SMILES")
    if data is not None:
        with gzip.open(data, "rt", encoding="utf-8") as file:
            texts = [line.split()[0] for line, _ in zip(file, range(rows), strict=False)]
        what = data.name
    else:
        tails = [f"{'C' * n}{end}" for n in range(1, 11) for end in ("", "O", "N", "F", "Cl", "OC", "C#N")]
        texts = [
            f"O=C(N{one})c1cc({two})ccc1{three}"
            for one, two, three in itertools.islice(
                itertools.product(tails, repeat=3), 0, None, 343_000 // rows
            )
        ][:rows]
        what = "analogues written by the benchmark"
    molecules = [Molecule(text, f"m{place}") for place, text in enumerate(texts)]
    few = Descriptor("logp")(molecules[:200])
    numbers = [few[place % 200] for place in range(len(molecules))]
    return Table.of(molecules, {column: numbers, other: [Score(float(len(t))) for t in texts]}), what


def in_the_lab(rows: int, data: Path | None) -> dict[str, Any]:
    """What a reader waits for, in a notebook in JupyterLab."""
    from tests.browser.browser import opened, started
    from tests.browser.lab import lab, ready, silent

    root = Path(__file__).resolve().parents[2]
    where = f"Path({str(data)!r})" if data else "None"
    with tempfile.TemporaryDirectory() as folder, started() as running:
        book = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(cell.format(root=str(root), rows=rows, data=where))
                for cell in CELLS
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        home, state = Path(folder, "home"), Path(folder, "state")
        home.mkdir()
        nbformat.write(book, home / "grid.ipynb")
        with lab(home, state) as site, opened(running(), site.address("grid.ipynb"), seconds=7200) as watched:
            page = watched.page
            page.set_default_timeout(300_000)
            ready(watched)
            page.evaluate(RUN, 0)
            before = _cpu_s()
            first = float(page.evaluate(FIRST))
            work = {"first_paint": _cpu_s() - before}
            before = _cpu_s()
            hurried = [_asked(page, NEXT) for _ in range(10)]
            work["page_flip"] = (_cpu_s() - before) / 10
            flips = []
            for _ in range(10):
                page.wait_for_timeout(LOOK_MS)
                flips.append(_asked(page, NEXT))
            sorting = _asked(
                page,
                "(() => { const s = document.querySelector('.dg select'); s.value = 'logp'; s.dispatchEvent(new Event('change')); })()",
            )
            searches, counts, before = {}, {}, _cpu_s()
            for smarts in SEARCHES:
                act = (
                    "((t) => { const b = document.querySelector('[data-ask=smarts]'); b.value = t; b.dispatchEvent(new Event('input')); })"
                    f"({json.dumps(smarts)})"
                )
                searches[smarts] = round(_asked(page, act), 3)
                counts[smarts] = page.locator(".dg-count").inner_text()
            work["search"] = (_cpu_s() - before) / len(SEARCHES)
            silent(watched, site)
    return {
        "seconds_first_paint": round(first, 3),
        "seconds_page_flip_median": round(statistics.median(flips), 3),
        "seconds_page_flip_worst": round(max(flips), 3),
        "seconds_page_flip_in_a_row_median": round(statistics.median(hurried), 3),
        "seconds_sort": round(sorting, 3),
        "seconds_search_worst": max(searches.values()),
        "seconds_search": searches,
        "found": counts,
        "cpu_seconds": {name: round(spent, 3) for name, spent in work.items()},
    }


def _cpu_s() -> float:
    """Processor seconds of the browser, the notebook's server and its kernel so far: what load does not change."""
    spent = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


def _asked(page: Any, act: str) -> float:
    """Seconds from the act until the answer is painted; measured in the browser."""
    return float(page.evaluate(ASKED, act))


def contexts_of(run: Run, count: int) -> dict[str, Any]:
    """How many WebGL contexts a page of poses opens, how large it is, and how long until it stands."""
    from tests.browser.browser import started

    posed = [row for row in run.rows if pose_of(row)]
    rows = [replace(posed[n % len(posed)], id=f"pose-{n}") for n in range(count)]

    began = time.perf_counter()
    view = PoseView.of(run, rows)
    text = view.page()
    made = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder, started() as running:
        file = Path(folder, "poses.html")
        file.write_text(text, encoding="utf-8")
        page = running().new_page()
        page.add_init_script(
            "window.contexts = new Set(); for (const kind of [HTMLCanvasElement, OffscreenCanvas]) {"
            " const old = kind.prototype.getContext; kind.prototype.getContext = function (name, ...rest) {"
            " const made = old.call(this, name, ...rest);"
            " if (made && String(name).includes('webgl')) window.contexts.add(made); return made; }; }"
        )
        page.goto(file.as_uri(), timeout=120_000)
        page.wait_for_selector(".pv-ready", timeout=120_000)
        for _ in range(20):
            page.evaluate("document.querySelector('.pv-after').click()")
        contexts = page.evaluate("window.contexts.size")
        page.close()
    return {
        "poses": len(view.content["poses"]),
        "webgl_contexts": int(contexts),
        "page_bytes": len(text),
        "seconds_to_make_poses": round(made, 1),
    }


def main() -> None:
    parser = options(__doc__, "10,000 rows and 50 poses")
    parser.add_argument("--data", type=Path, help="a gzipped SMILES file")
    asked = parser.parse_args()
    from tests.discovery.fake_run import fake_run

    rows, data = 10_000 if asked.quick else 100_000, asked.data.resolve() if asked.data else None
    what = data.name if data else "analogues written by the benchmark"
    numbers = {"rows": rows, **in_the_lab(rows, data)}
    numbers |= contexts_of(fake_run(150, posed=30, hostile=False), 50 if asked.quick else 500)
    numbers["load_of_the_machine"] = round(os.getloadavg()[0], 1)
    record("grid", numbers, seed=SEED, data=what)


if __name__ == "__main__":
    main()
