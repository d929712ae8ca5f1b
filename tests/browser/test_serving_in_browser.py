"""The served page and the series page in a real Chromium: shown, sized, silent, and asking nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.browser import Watched, opened, why_not
from tests.discovery.fake_run import fake_run, prolif_data
from tests.discovery.test_serving import HOST, TOKEN, Shown, served

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
    pytest.mark.skipif(
        prolif_data() is None, reason="the prolif package, which ships the receptor, is absent"
    ),
]


class Address:
    """What `opened` opens, when it is no file."""

    def __init__(self, port: int, page: str) -> None:
        self.home = f"http://{HOST}:{port}/{TOKEN}/"
        self.page = page

    def as_uri(self) -> str:
        return self.home + self.page


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(Shown(tmp_path_factory.mktemp("run"))) as site:
        yield site.port


def silent(watched: Watched, address: Address) -> None:
    """Nothing complained, and nothing was asked of anybody but the page's own server."""
    assert watched.complaints == []
    assert watched.dialogs == []
    assert [url for url in watched.requests if not url.startswith((address.home, "data:", "blob:"))] == []


def test_from_the_first_page_to_a_pose(browser: Any, port: int) -> None:
    address = Address(port, "")
    with opened(browser, address, height=900) as watched:  # type: ignore[arg-type]
        page = watched.page
        assert page.locator("h1").is_visible()
        page.get_by_role("link", name="Report", exact=True).click()
        page.wait_for_selector(".pv-ready")
        assert page.url == f"{address.home}report"
        assert page.locator(".card").count() == len(fake_run(80, posed=5).ranked)
        silent(watched, address)


def test_the_series_page_is_drawn_and_narrow_enough(browser: Any, port: int) -> None:
    address = Address(port, "series?column=qed")
    with opened(browser, address) as watched:  # type: ignore[arg-type]
        page = watched.page
        sizes = page.evaluate(
            "[...document.querySelectorAll('td.paper svg, figure svg')]"
            ".filter(one => !one.closest('details:not([open])'))"
            ".map(one => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height))"
        )
        assert len(sizes) > 20
        assert min(sizes) > 20
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("document.scripts.length") == 0
        silent(watched, address)


def test_a_wrong_token_shows_nothing(browser: Any, port: int) -> None:
    address = Address(port, "")
    address.home = address.home.replace(TOKEN, "wrong")
    with opened(browser, address) as watched:  # type: ignore[arg-type]
        assert watched.page.inner_text("body") == "404: Not Found"
