"""Starts JupyterLab on a folder as `discovery lab` does, and runs a notebook in it as a reader would."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

from discovery.lab import SETTINGS, command
from tests.browser.browser import Watched

ALL_CELLS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}  # cells out of sight too


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that listens on this machine."""

    port: int
    token: str

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def end_kernels(self) -> None:
        """A notebook's kernel outlives its page, and takes up to a gigabyte of memory."""
        asked = partial(urllib.request.Request, headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(asked(f"{self.home}api/kernels"), timeout=60) as answer:
            kernels = json.load(answer)
        for kernel in kernels:
            gone = asked(f"{self.home}api/kernels/{kernel['id']}", method="DELETE")
            urllib.request.urlopen(gone, timeout=60).close()

    def address(self, notebook: str) -> Any:
        where = f"{self.home}lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}?token={self.token}"
        return type("Address", (), {"as_uri": lambda self: where})()


@contextmanager
def lab(folder: Path, state: Path) -> Iterator[Lab]:
    """JupyterLab on `folder`; what it keeps of itself lies in `state`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    settings = state / "app-settings"
    settings.mkdir(parents=True)
    overrides = json.loads((SETTINGS / "overrides.json").read_text(encoding="utf-8")) | ALL_CELLS
    (settings / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    line = [
        *(part for part in command(folder, browser=False, port=port) if "app_settings_dir" not in part),
        f"--LabApp.app_settings_dir={settings}", "--LabApp.expose_app_in_browser=True",
        f"--LabApp.user_settings_dir={state / 'user'}", f"--LabApp.workspaces_dir={state / 'workspaces'}",
        f"--IdentityProvider.token={token}", "--ServerApp.allow_root=True", "--ServerApp.log_level=ERROR",
    ]  # fmt: skip
    own = {"JUPYTER_CONFIG_DIR": state / "config", "JUPYTER_RUNTIME_DIR": state / "runtime",
           "JUPYTER_DATA_DIR": state / "data", "IPYTHONDIR": state / "ipython", "TMPDIR": state / "tmp"}  # fmt: skip
    own["TMPDIR"].mkdir()  # what notebooks make goes with the test's own
    environment = {
        **os.environ,
        **{key: str(path) for key, path in own.items()},
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    with (state / "log.txt").open("w") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
        try:
            site = Lab(port, token)
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{site.home}api?token={token}", timeout=5).close()
                    break
                except (URLError, ConnectionError, TimeoutError):
                    if process.poll() is not None:
                        raise AssertionError((state / "log.txt").read_text()) from None
                    time.sleep(0.25)
            yield site
        finally:
            process.terminate()
            process.wait(30)


def ready(watched: Watched) -> None:
    """Wait until the notebook that is open has a kernel that listens."""
    page = watched.page
    page.wait_for_function("window.jupyterapp && window.jupyterapp.shell.currentWidget?.context?.isReady")
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
    )


def run_all(watched: Watched, *, seconds: float = 600) -> None:
    """Run every cell of the notebook that is open, and wait for the last."""
    page = watched.page
    ready(watched)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        "() => { const notebook = window.jupyterapp.shell.currentWidget;"
        " const cells = [...notebook.content.widgets].filter((c) => c.model.type === 'code');"
        " return cells.some((c) => c.model.outputs.toJSON().some((o) => o.output_type === 'error'))"
        " || ['autorestarting', 'restarting', 'dead'].includes(notebook.sessionContext.session?.kernel?.status)"
        " || cells.every((c) => c.model.executionCount !== null && c.model.executionState !== 'running'); }",
        timeout=seconds * 1000,
    )
    kernel = page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status")
    assert kernel in ("idle", "busy"), f"the kernel is {kernel}; memory?"
    errors = page.evaluate(
        "[...window.jupyterapp.shell.currentWidget.content.widgets].filter((c) => c.model.type === 'code')"
        ".flatMap((c) => c.model.outputs.toJSON().filter((o) => o.output_type === 'error').map((o) => o.ename + ': ' + o.evalue))"
    )
    assert errors == [], errors


def silent(watched: Watched, site: Lab) -> None:
    """Nothing complained, and nothing was asked of anybody but the notebook's own server."""
    own = (site.home, "data:", "blob:", "about:", f"ws://127.0.0.1:{site.port}/")
    elsewhere = [url for url in watched.requests if not url.startswith(own)]
    assert elsewhere == [], elsewhere
    assert watched.dialogs == []
    left = [said for said in watched.complaints if not _of_the_lab(said)]
    assert left == [], left  # written out: helpers get no rewritten asserts


def _of_the_lab(said: str) -> bool:
    """What JupyterLab and Chromium say of themselves on any notebook, an empty one too."""
    return any(text in said for text in ("allow-scripts", " to activate.", "service worker"))
