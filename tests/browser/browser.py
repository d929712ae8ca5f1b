"""Finds a Chromium, starts it without a window, and writes down whatever a page asks for or complains of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Chromium's own traffic is switched off, so that a request seen is the page's.
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--force-color-profile=srgb",
    # No machine that runs tests need have a GPU: pages are drawn by the processor, WebGL by SwiftShader. With all drawing
    # left to SwiftShader (--use-angle=swiftshader) the same pages take several times the processor.
    "--disable-gpu", "--enable-unsafe-swiftshader",
]  # fmt: skip


def chromium() -> str | None:
    """Where a Chromium lies, if there is one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


def why_not() -> str:
    """Why browser tests cannot run here; empty when they can."""
    if chromium() is None:
        return "no Chromium here (Debian: apt-get install chromium), so nothing was tried in a browser"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright, of the dev extra, is absent, so nothing was tried in a browser"
    return ""


@dataclass
class Watched:
    """A page, and everything it said and asked for."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def quiet(self) -> None:
        """Fail if the page complained, opened a dialog, or asked for anything from elsewhere."""
        assert self.complaints == []
        assert self.dialogs == []
        assert [
            url for url in self.requests if not url.startswith(("file:", "data:", "blob:", "about:"))
        ] == []


@contextmanager
def started() -> Iterator[Any]:
    """A browser, closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any,
    path: Path,
    *,
    width: int = 1440,
    height: int = 1000,
    scripts: bool = True,
    dark: bool = False,
) -> Iterator[Watched]:
    """The page as a reader has it: a file from disk, with nothing remembered."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    watched = Watched(context.new_page())
    watched.page.set_default_timeout(300_000)  # a busy machine takes ten times as long as a quiet one
    watched.page.on("request", lambda request: watched.requests.append(request.url))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on(
        "console",
        lambda said: (
            watched.complaints.append(said.text)
            if said.type in ("error", "warning") and "GL Driver Message" not in said.text  # Chromium's own
            else None
        ),
    )
    watched.page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
    try:
        watched.page.goto(path.as_uri())
        yield watched
    finally:
        context.close()
