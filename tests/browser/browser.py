"""Finds a Chromium, starts it without a window, and writes down whatever a page asks for or complains of."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

# Chromium's own traffic is switched off, so that a request seen is the page's.
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--force-color-profile=srgb",
    # No machine that runs tests need have a GPU: pages are drawn by the processor, WebGL by SwiftShader. With all drawing
    # left to SwiftShader (--use-angle=swiftshader) the same pages take several times the processor.
    "--disable-gpu", "--enable-unsafe-swiftshader",
    f"--started-by-tests={os.getpid()}",  # means nothing to Chromium: `_end` knows it by this
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
def started() -> Iterator[Callable[[], Any]]:
    """Gives the one browser, a new one where the last was ended; closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browsers: list[Any] = []

        def running() -> Any:
            if not (browsers and browsers[-1].is_connected()):
                browsers.append(play.chromium.launch(executable_path=chromium(), args=ARGUMENTS))
            return browsers[-1]

        try:
            yield running
        finally:
            for browser in browsers:
                browser.close()


def _end() -> None:
    """End a browser that no longer answers: Playwright would wait for it for ever, past any alarm of pytest's."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if ARGUMENTS[-1].encode() in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


@contextmanager
def opened(
    browser: Any,
    path: Path,
    *,
    width: int = 1440,
    height: int = 1000,
    scripts: bool = True,
    dark: bool = False,
    seconds: float = 500,
) -> Iterator[Watched]:
    """The page as a reader has it: a file from disk, with nothing remembered; a test that fails tells what the page said."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    ending = Timer(seconds, _end)
    ending.daemon = True
    ending.start()
    watched = Watched(context.new_page())
    watched.page.set_default_timeout(180_000)  # a busy machine takes ten times as long as a quiet one
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
        context.close()
    except Exception as error:
        late = f"the browser was ended after {seconds:g} s; " if ending.finished.is_set() else ""
        error.add_note(f"{late}the page complained of: {watched.complaints[-5:]}")
        with suppress(Exception):
            context.close()
        raise
    finally:
        ending.cancel()
