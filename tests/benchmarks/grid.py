"""How fast can a table of 100,000 rows be leafed through?

Question  seconds until the first page is on screen, until the next page is, and until a
          substructure search has answered, as a reader in a browser waits for them
Data      ZINC molecules where they are at hand; otherwise analogues written here
How       the widget's kernel side in this process, its browser side in headless Chromium,
          the two joined by a bridge that carries the same JSON as a notebook's
Limit     1 s, 0.2 s, 2 s
Also      how many WebGL contexts 500 poses take

    python -m tests.benchmarks.grid [--quick] [--data FILE]
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from discovery.molecule import Molecule
from discovery.properties.physchem import Descriptor
from discovery.results import Run
from discovery.score import Column, Score
from discovery.views.pose_viewer import PoseView, asset
from discovery.views.reading import pose_of
from discovery.views.table import Table

SEED = 6
SEARCHES = ("c1ccc2[nH]ccc2c1", "S(=O)(=O)N", "[F,Cl]c1ccccc1", "C(=O)N")
BRIDGE = """<!DOCTYPE html><meta charset="utf-8"><style>%(css)s</style><div id="here"></div><script type="module">
const values = %(values)s, heard = {};
const model = { get: (key) => values[key], set: (key, value) => { values[key] = value; model.changed = key; },
  on: (event, act) => { (heard[event] ??= []).push(act); }, off: () => {},
  save_changes: async () => { const news = JSON.parse(await window.kernel(JSON.stringify([model.changed, values[model.changed]])));
    Object.assign(values, news); for (const key of Object.keys(news)) for (const act of heard["change:" + key] ?? []) act(); } };
%(esm)s
render({ model, el: document.getElementById("here") });
window.ready = true;
</script>"""


def table(rows: int, data: Path | None) -> tuple[Table, str]:
    """So many rows with two numbers each, and what they are."""
    column, other = Column("logp", "1", "low", "logP"), Column("length", "1", "low", "length of the SMILES")
    if data is not None and data.exists():
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


def in_a_browser(shown: Table) -> dict[str, Any]:
    """What a reader waits for."""
    from tests.browser.browser import started

    began = time.perf_counter()
    grid = shown.grid()
    made = time.perf_counter() - began

    def kernel(_: Any, said: str) -> str:
        key, value = json.loads(said)
        setattr(grid, key, value)
        return json.dumps({"shown": grid.shown, "selected": grid.selected, "choose": grid.choose})

    values = {name: getattr(grid, name) for name in ("about", "asked", "shown", "selected", "choose")}
    page_text = BRIDGE % {
        "css": asset("grid.css"),
        "esm": asset("grid.js").replace("export default { render };", ""),
        "values": json.dumps(values).replace("</", "<\\/"),
    }
    with started() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.expose_binding("kernel", kernel)
        began = time.perf_counter()
        page.set_content(page_text)
        page.wait_for_function("window.ready && document.querySelectorAll('.dg-card img').length === 24")
        first = time.perf_counter() - began
        flips = [_asked(page, "document.querySelector('[data-act=after]').click()") for _ in range(10)]
        sorting = _asked(
            page,
            "(() => { const s = document.querySelector('select'); s.value = 'logp'; s.dispatchEvent(new Event('change')); })()",
        )
        searches = []
        for smarts in SEARCHES:
            act = (
                "((t) => { const b = document.querySelector('[data-ask=smarts]'); b.value = t; b.dispatchEvent(new Event('input')); })"
                f"({json.dumps(smarts)})"
            )
            searches.append(_asked(page, act))
        found = page.locator(".dg-count").inner_text()
        page.close()
    return {
        "seconds_to_make": round(made, 3),
        "seconds_first_paint": round(made + first, 3),
        "seconds_page_flip_median": round(statistics.median(flips), 3),
        "seconds_page_flip_worst": round(max(flips), 3),
        "seconds_sort": round(sorting, 3),
        "seconds_search_first": round(searches[0], 3),
        "seconds_search_worst": round(max(searches), 3),
        "last_count": found,
    }


def _asked(page: Any, act: str) -> float:
    """Seconds from the act until the answer is drawn; measured in the browser."""
    return float(
        page.evaluate(
            "async (act) => { const here = document.getElementById('here'), old = here.dataset.serial, began = performance.now();"
            " (0, eval)(act); while (here.dataset.serial === old) await new Promise((go) => setTimeout(go, 2));"
            " await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));"
            " return (performance.now() - began) / 1000; }",
            act,
        )
    )


def contexts_of(run: Run, count: int) -> dict[str, Any]:
    """How many WebGL contexts a page of poses opens, how large it is, and how long until it stands."""
    from tests.browser.browser import started

    posed = [row for row in run.rows if pose_of(row)]
    rows = [replace(posed[n % len(posed)], id=f"pose-{n}") for n in range(count)]

    began = time.perf_counter()
    view = PoseView.of(run, rows)
    text = view.page()
    made = time.perf_counter() - began
    with started() as browser:
        page = browser.new_page()
        page.add_init_script(
            "window.contexts = new Set(); const old = HTMLCanvasElement.prototype.getContext;"
            "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { const made = old.call(this, kind, ...rest);"
            " if (made && String(kind).startsWith('webgl')) window.contexts.add(made); return made; };"
        )
        page.set_content(text, timeout=120_000)
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
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 rows and 50 poses")
    parser.add_argument("--data", type=Path, help="a gzipped SMILES file")
    asked = parser.parse_args()
    from tests.benchmarks.record import record
    from tests.discovery.fake_run import fake_run

    shown, what = table(10_000 if asked.quick else 100_000, asked.data)
    numbers = {"rows": len(shown), **in_a_browser(shown)}
    numbers |= contexts_of(fake_run(150, posed=30, hostile=False), 50 if asked.quick else 500)
    numbers["load_of_the_machine"] = round(os.getloadavg()[0], 1)
    print(numbers)
    record("grid", numbers, seed=SEED, device="cpu", data=what)


if __name__ == "__main__":
    main()
