"""The saved report in a real browser: paints, sorts, filters, turns poses, prints, and asks nobody for anything."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from discovery.report import write_report
from discovery.views.table import Table
from discovery.views.trajectory import TrajectoryView
from tests.browser.browser import Watched, opened, why_not
from tests.discovery.fake_run import fake_run, prolif_data
from tests.discovery.test_trajectory import BLOCK, FAR, POCKET, film

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
    pytest.mark.skipif(
        prolif_data() is None, reason="the prolif package, which ships the receptor, is absent"
    ),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(fake_run(120, posed=8), tmp_path_factory.mktemp("report"))


def canvas_of(watched: Watched, where: str = "") -> np.ndarray:
    page = watched.page.frame_locator(where) if where else watched.page
    picture = page.locator(".pv-canvas").screenshot()
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=int)


def once(watched: Watched, good: Callable[[np.ndarray], bool], where: str = "") -> np.ndarray:
    """The canvas as soon as it is as expected, or as it is after a minute: painting has no event to wait for."""
    for _ in range(120):
        picture = canvas_of(watched, where)
        if good(picture):
            break
        watched.page.wait_for_timeout(500)
    return picture


def orange(picture: np.ndarray) -> int:
    """Pixels in the colour of the ligand's carbons."""
    r, g, b = (picture[..., i] for i in range(3))
    return int(((r > 150) & (g > 80) & (g < 190) & (b < 70)).sum())


def test_paints_poses_and_asks_nobody(browser: Any, report: Path) -> None:
    with opened(browser, report, width=900, height=700) as watched:
        page = watched.page
        page.wait_for_selector(".pv-ready")
        first = once(watched, lambda picture: orange(picture) > 300)
        assert orange(first) > 300  # the molecule
        assert (first.min(axis=-1) < 235).mean() > 0.08  # and the receptor about it: no blank canvas
        assert page.evaluate("document.querySelectorAll('canvas').length") <= 2
        assert page.locator(".card.shown h3").inner_text() == fake_run(120, posed=8).ranked[0].id

        page.locator(".pv-after").click()
        changed = lambda picture: bool((np.abs(first - picture).max(axis=-1) > 40).mean() > 0.01)  # noqa: E731
        second = once(watched, changed)
        assert changed(second)
        third = fake_run(120, posed=8).ranked[2].id
        page.locator(f"button[data-pose='{third}']").click()
        assert page.locator("#poses-3d").get_attribute("data-shown") == third
        assert page.locator(".card.shown h3").inner_text() == third
        assert "A:ASP129" in page.locator(".pv-about").inner_text()

        for label in ("Cartoon", "Pocket", "Names", "Contacts"):
            page.get_by_label(label, exact=True).uncheck()
        sparse = 0.5 * (second.min(axis=-1) < 235).mean()
        bare = once(watched, lambda picture: bool((picture.min(axis=-1) < 235).mean() < sparse))
        assert orange(bare) > 300
        assert (bare.min(axis=-1) < 235).mean() < sparse
        page.get_by_label("Known ligand").check()
        watched.quiet()


def test_sorts_and_filters_with_the_keyboard(browser: Any, report: Path) -> None:
    run = fake_run(120, posed=8)
    with opened(browser, report) as watched:
        page = watched.page
        names = "#table tbody tr:not([hidden]) th"
        head = page.locator("#table th[data-sort] button", has_text="Docking score")
        head.focus()
        page.keyboard.press("Enter")
        docking = {row.id: row.outcomes["docking"].value for row in run.ranked}  # type: ignore[union-attr]
        assert [docking[name] for name in page.locator(names).all_inner_texts()] == sorted(docking.values())
        page.keyboard.press("Enter")
        assert [docking[name] for name in page.locator(names).all_inner_texts()] == sorted(
            docking.values(), reverse=True
        )
        assert head.locator("..").get_attribute("aria-sort") == "descending"
        drift = page.locator("#table th[data-sort] button", has_text="Pose drift")
        drift.click()
        drift.click()  # descending: rows without a number still come last
        texts = page.locator("#table tbody tr td:nth-child(10)").all_inner_texts()
        assert "not reached" not in texts[: sum("±" in text for text in texts)]

        box = page.locator("[data-filter=ranked]")
        box.fill(run.ranked[1].id)
        assert page.locator(names).all_inner_texts() == [run.ranked[1].id]
        assert f"1 of {len(run.ranked)} shown" in page.locator("[data-count=ranked]").inner_text()
        box.fill("")
        page.locator("[data-only=alerts]").check()
        clean = [row.id for row in run.ranked if row.outcomes["alerts"].value == 0]  # type: ignore[union-attr]
        assert sorted(page.locator(names).all_inner_texts()) == sorted(clean)

        page.locator("[data-filter=unranked]").fill("no answer within 60 s")
        visible = page.locator("#unranked [data-group]:not([hidden])")
        assert visible.count() == 1
        assert visible.first.get_attribute("open") is not None
        assert "timed out" in visible.first.inner_text()
        watched.quiet()


def test_hostile_texts_stay_texts(browser: Any, report: Path) -> None:
    with opened(browser, report) as watched:
        page = watched.page
        page.wait_for_selector(".pv-ready")
        assert "<script>alert(1)</script>" in page.locator("h1").inner_text()
        for group in page.locator("[data-group] summary").all():
            group.click()
        assert page.locator("#unranked tbody").first.inner_text().count("onerror=alert(1)") >= 1
        assert page.evaluate("document.images.length") == 0
        # the policy holds even against a script that did get in
        blocked = page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
            " document.body.append(s); return window.broken === undefined; }"
        )
        assert blocked
        assert watched.dialogs == []
        assert all("Content Security Policy" in said for said in watched.complaints)


def test_fits_the_screen_and_pictures_have_sizes(browser: Any, report: Path) -> None:
    with opened(browser, report, width=390) as watched:
        page = watched.page
        page.wait_for_selector(".pv-ready")
        for width, colours in ((390, "light"), (820, "dark"), (1440, "light")):
            page.set_viewport_size({"width": width, "height": 1000})
            page.emulate_media(color_scheme=colours)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            sizes = page.evaluate(
                "Array.from(document.querySelectorAll('main svg:not(.bar):not(.dot)'))"
                ".filter((e) => e.checkVisibility()).map((e) => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
            )
            assert len(sizes) > 20
            assert all(w >= 10 and h >= 10 for w, h in sizes)
        watched.quiet()


def test_reads_without_scripts_and_on_paper(browser: Any, report: Path) -> None:
    with opened(browser, report, scripts=False) as watched:
        page = watched.page
        assert page.locator(".card").count() == 8
        assert page.locator("#table tbody tr").count() == 8
        assert page.locator(".tools").first.is_hidden()  # no box that would do nothing
    with opened(browser, report) as watched:
        watched.page.wait_for_selector(".pv-ready")
        pdf = watched.page.pdf(format="A4", print_background=True)
        assert pdf.startswith(b"%PDF")
        assert (
            3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/") <= 20
        )
        watched.quiet()


def test_notebook_view_paints_in_its_frame(browser: Any, tmp_path: Path) -> None:
    """The frame a notebook shows: sandboxed, from its srcdoc alone."""
    html = Table(fake_run(120, posed=8)).poses(3)._repr_html_()
    path = tmp_path / "cell.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>cell</title>{html}", encoding="utf-8")
    with opened(browser, path) as watched:
        frame = watched.page.frame_locator("iframe")
        frame.locator(".pv-ready").wait_for()
        assert orange(once(watched, lambda picture: orange(picture) > 300, "iframe")) > 300
        watched.quiet()


def test_a_point_of_a_scatter_shows_its_structure(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "chart.html"
    path.write_text(Table(fake_run(60)).pareto("qed", "logp").page(), encoding="utf-8")
    with opened(browser, path) as watched:
        points = watched.page.locator("circle[tabindex]")
        first, second = points.nth(0), points.nth(1)
        first.focus()
        shown = watched.page.locator("aside svg")
        assert shown.bounding_box()["width"] > 100
        assert str(first.get_attribute("data-id")) in watched.page.locator("aside").inner_text()
        second.dispatch_event("pointerenter")  # a neighbour may lie above it
        assert str(second.get_attribute("data-id")) in watched.page.locator("aside").inner_text()
        watched.quiet()


def test_a_film_plays_stops_and_is_put_where_the_reader_wants(browser: Any, tmp_path: Path) -> None:
    view = TrajectoryView.of(
        film(12), ligand=BLOCK, times=[0.5 * n for n in range(12)], pocket=f"{POCKET}\n{FAR}"
    )
    file = tmp_path / "film.html"
    file.write_text(view.page(), encoding="utf-8")
    with opened(browser, file, width=600, height=500) as watched:
        page = watched.page
        page.wait_for_selector(".pv-ready")
        first = once(watched, lambda picture: orange(picture) > 300)
        assert orange(first) > 300
        frame = "document.querySelector('[data-frame]').dataset.frame"
        page.get_by_role("button", name="Play").click()
        page.wait_for_selector("[data-frame='3']")
        page.get_by_role("button", name="Pause").click()
        assert page.evaluate(frame) == page.evaluate(
            f"new Promise((go) => setTimeout(() => go({frame}), 400))"
        )
        page.locator("input[type=range]").evaluate(
            "e => { e.value = 7; e.dispatchEvent(new Event('input')); }"
        )
        assert "3.50 ps" in page.locator("body").inner_text()
        assert (canvas_of(watched) != first).any()
        watched.quiet()
