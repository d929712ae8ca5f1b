"""The doctor: real calculations, each on its own, and a fix beside each failure."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import literature.checks
from discovery import checkup, plugins
from discovery.checkup import Check
from literature import dossier


def test_the_ground_is_well() -> None:
    checks = checkup.run_checks(["ground"])
    assert {check.name for check in checks} == {"python", "rdkit", "ledger", "devices", "disk"}
    assert all(check.ok for check in checks)


def test_a_check_that_raises_is_a_line_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Check]:
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(plugins, "load", lambda group, name: broken)
    (check,) = checkup._ask("gpu")
    assert not check.ok
    assert "libcuda.so.1" in check.detail
    assert check.fix


def test_an_absent_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(group: str, name: str) -> None:
        raise plugins.PluginError(
            "check 'docking' does not load: docking needs: pip install 'discovery-workbench[docking]'"
        )

    monkeypatch.setattr(plugins, "load", absent)
    (check,) = checkup._ask("docking")
    assert check.fix == "pip install 'discovery-workbench[docking]'"


def test_a_check_that_takes_the_process_down_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = checkup.run_checks(["no-such-check"])
    assert not check.ok
    assert "no-such-check" in check.detail


def test_the_doctor_prints_each_line_and_says_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [Check("a", True, "fine"), Check("b", False, "gone", "pip install b")]
    monkeypatch.setattr(checkup, "run_checks", lambda: lines)
    out = io.StringIO()
    assert checkup.doctor(Console(file=out, width=120)) is False
    assert "pip install b" in out.getvalue()
    assert "1 of 2 checks pass" in capsys.readouterr().out


def test_a_model_that_cannot_run_here_is_not_called_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights may be whole while the library that runs them is absent."""
    monkeypatch.setattr(dossier, "CooccurrenceEvidence", lambda: lambda target: [])
    monkeypatch.setattr(literature.checks, "find_spec", lambda name: None if name == "torch" else name)
    model = literature.checks.literature()[-1]
    assert not model.ok
    assert "to run them needs torch" in model.detail
    assert model.fix == "pip install 'discovery-workbench[literature]'"
