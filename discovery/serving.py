"""How does somebody who opens no notebook look at a run? A local page, read-only.

`discovery serve RUN` shows the run's own report, its structure-activity page and its
tables. It listens on this machine alone, at an address with a random part that nobody
can guess, answers nothing but reading, and takes what it shows from the run's folder:
while the run goes on, a reload shows how far it has come. Nothing leaves.
"""

from __future__ import annotations

import hmac
import io
import logging
import re
import secrets
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Annotated, Any

import typer

from discovery.doors import RunFolder
from discovery.extras import needs
from discovery.outcome import UserError

HOST = "127.0.0.1"
TOKEN_BYTES = 24  # 192 random bits
NO_SCRIPTS = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
HEADERS = {
    "Server": "discovery",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


class ServingError(UserError, RuntimeError):
    """The page cannot be served; the message says why and what to do."""


@dataclass
class Pages:
    """What a run's folder holds, as pages; made again only when the folder has changed."""

    folder: Path
    _made: dict[str, tuple[object, str]] = field(default_factory=dict)
    _run: tuple[object, Any] | None = None

    def run(self) -> Any:
        """The run as far as it has come.

        Raises
        ------
        UserError
            The folder holds no campaign, or is damaged.
        """
        from discovery import campaign

        state = self._state()
        if self._run is None or self._run[0] != state:
            self._run = (state, campaign.load(self.folder))
        return self._run[1]

    def home(self) -> str:
        """Where everything is, and how far the run has come."""
        return self._page("home", self._home)

    def report(self) -> str:
        """The run's report, the same that `discovery report` writes."""
        from discovery.report import render

        return self._page("report", lambda: render(self.run()))

    def series(self, column: str) -> str:
        """Structure and activity of one column; see `discovery.series`.

        Raises
        ------
        SeriesError
            The run has no such column, or no number in it.
        """
        from discovery.series.door import Series

        note = (
            "These numbers are computed, not measured: they say what the model makes of a change, "
            "not what a molecule does."
        )
        return self._page(f"series {column}", lambda: Series.of_run(self.run(), column).page(notes=(note,)))

    def csv(self) -> str:
        """Every row, as `discovery rank --csv` writes it."""
        from discovery.views.export import write_csv

        def made() -> str:
            to = io.StringIO(newline="")
            write_csv(self.run(), to)
            return to.getvalue()

        return self._page("csv", made)

    def sdf(self) -> str:
        """Every row as an SD file, with its pose where there is one."""
        from discovery.views.export import write_sdf

        def made() -> str:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "run.sdf"
                write_sdf(self.run(), path)
                return path.read_text(encoding="utf-8")

        return self._page("sdf", made)

    def _home(self) -> str:
        from markupsafe import Markup

        from discovery.views.pose_viewer import asset, policy, templates
        from discovery.views.reading import scores_of, stages_of

        run, style = self.run(), asset("report.css")
        counts = [(column, sum(column.name in scores_of(row) for row in run.rows)) for column in run.columns]
        page = templates().get_template("serve.html.j2")
        return page.render(
            policy=policy([], [style]),
            style=Markup(style),
            run=run,
            columns=[(column, count) for column, count in counts if count],
            stages=stages_of(run),
        )

    def _page(self, name: str, make: Callable[[], str]) -> str:
        state = self._state()
        if name not in self._made or self._made[name][0] != state:
            self._made[name] = (state, make())
        return self._made[name][1]

    def _state(self) -> tuple[int, int, int]:
        """Changes whenever the ledger does: files are only ever added or replaced."""
        count = size = newest = 0
        for part in ("shards", "documents"):
            for path in (self.folder / part).glob("*"):
                about = path.stat()
                count, size, newest = count + 1, size + about.st_size, max(newest, about.st_mtime_ns)
        return count, size, newest


def application(pages: Pages, token: str, port: int) -> Any:
    """The web application, bound to nothing yet.

    Raises
    ------
    ImportError
        The lab's packages are not installed.
    """
    with needs("lab"):
        from tornado import web
        from tornado.ioloop import IOLoop
    own = {f"{name}:{port}" for name in (HOST, "localhost")}
    one_at_a_time = ThreadPoolExecutor(max_workers=1)  # pages share what was made; no lock is needed

    class Guarded(web.RequestHandler):
        """Strict headers, and only requests that mean this machine; reading only."""

        def set_default_headers(self) -> None:
            for name, value in HEADERS.items():
                self.set_header(name, value)
            self.set_header("Content-Security-Policy", f"{NO_SCRIPTS}; frame-ancestors 'none'")

        def prepare(self) -> None:
            if self.request.host not in own:  # another site's name that was pointed at this machine
                raise web.HTTPError(403)

        def write_error(self, status_code: int, **how: Any) -> None:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{status_code}: {self._reason}")

    class Page(Guarded):
        """One address under the token."""

        async def get(self, given: str, what: str) -> None:
            if not hmac.compare_digest(given.encode(), token.encode()):
                raise web.HTTPError(404)
            make, kind, name = self._wanted(what)
            try:
                text = await IOLoop.current().run_in_executor(one_at_a_time, make)
            except UserError as error:
                self.set_status(409)
                self.set_header("Content-Type", "text/plain; charset=utf-8")
                self.finish(str(error))
                return
            self.set_header("Content-Type", f"{kind}; charset=utf-8")
            if name:
                self.set_header("Content-Disposition", f'attachment; filename="{name}"')
            found = _POLICY.search(text[:4000])
            if kind == "text/html" and found:
                self.set_header("Content-Security-Policy", f"{unescape(found[1])}; frame-ancestors 'none'")
            self.finish(text)

        head = get

        def _wanted(self, what: str) -> tuple[Callable[[], str], str, str]:
            column = self.get_query_argument("column", "")
            if what == "series" and not column:
                raise web.HTTPError(404)
            return {
                "": (pages.home, "text/html", ""),
                "report": (pages.report, "text/html", ""),
                "rows.csv": (pages.csv, "text/csv", what),
                "rows.sdf": (pages.sdf, "chemical/x-mdl-sdfile", what),
                "series": (lambda: pages.series(column), "text/html", ""),
            }[what]

    class Nothing(Guarded):
        """Every other address: the same answer as a wrong token."""

        async def get(self) -> None:
            raise web.HTTPError(404)

        head = get

    return web.Application(
        [(r"/([\w-]+)/(|report|series|rows\.csv|rows\.sdf)", Page), (r".*", Nothing)],
        log_function=_log,
        compress_response=True,
    )


def serve(
    run: RunFolder,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    open_browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """A local, read-only web page of a run: shortlist, funnel, poses, evidence, series."""
    import asyncio
    import webbrowser

    with needs("lab"):
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets
    pages = Pages(run)
    pages.run()  # a folder without a run is refused before anything listens
    token = secrets.token_urlsafe(TOKEN_BYTES)

    async def listen() -> None:
        try:
            sockets = bind_sockets(port, address=HOST)
        except OSError as error:
            raise ServingError(
                f"port {port} cannot be used ({error.strerror}); leave --port out to take a free one"
            ) from error
        taken = sockets[0].getsockname()[1]
        server = HTTPServer(application(pages, token, taken), max_body_size=0, max_header_size=16_384)
        server.add_sockets(sockets)
        address = f"http://{HOST}:{taken}/{token}/"
        print(f"{address}\nonly this machine can open it; Ctrl-C ends it", flush=True)
        if open_browser:
            webbrowser.open(address)
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            # by the loop's own: RDKit's C++ may have taken the handler of Ctrl-C from Python while the run was read
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        try:
            await ended.wait()
        finally:
            server.stop()

    asyncio.run(listen())
    print("ended")


def _log(handler: Any) -> None:
    """Only what failed in our own code, and never the address: it holds the token."""
    if handler.get_status() >= 500:
        logging.getLogger(__name__).error("a request ended with %d", handler.get_status())
