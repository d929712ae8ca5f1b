"""Opening JupyterLab: the right folder, this machine only, and no question to any other host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import Config
from typer.testing import CliRunner

from discovery import cli, lab


def test_the_notebooks_stand_beside_the_package() -> None:
    assert list(lab.notebooks().glob("*.ipynb"))


def test_without_notebooks_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "discovery" / "lab.py"))
    with pytest.raises(lab.LabError, match="discovery lab FOLDER"):
        lab.notebooks()


def test_jupyterlab_understands_every_setting(tmp_path: Path) -> None:
    """Reference: JupyterLab's own reading of the command line."""
    from jupyterlab.handlers.announcements import NeverCheckForUpdate
    from jupyterlab.labapp import LabApp

    line = lab.command(tmp_path, browser=False, port=8999)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    app = LabApp()
    app.parse_command_line(line[3:])
    settings: Config = app.config
    assert settings.ServerApp.ip == "127.0.0.1"
    assert settings.ServerApp.root_dir == str(tmp_path)
    app.update_config(settings)
    assert app.check_for_updates_class is NeverCheckForUpdate
    assert app.news_url is None
    assert app.extension_manager == "readonly"


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(lab.LabError, match="no such folder"):
        lab.command(tmp_path / "absent")
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    with pytest.raises(lab.LabError, match=r"discovery-workbench\[lab\]"):
        lab.command(tmp_path)


def test_the_command_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(line: list[str], **how: object) -> subprocess.CompletedProcess[str]:
        ran.append(line)
        return subprocess.CompletedProcess(line, 3)

    monkeypatch.setattr(lab.subprocess, "run", run)
    done = CliRunner().invoke(cli.app, ["lab", str(tmp_path), "--no-browser"])
    assert done.exit_code == 3
    assert ran[0][-1] == "--no-browser"
    assert f"--ServerApp.root_dir={tmp_path}" in ran[0]
