"""What a run was computed with is written down, and changes when it changes."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

import generative
from discovery import plugins, provenance
from discovery.files import sha256_of


def test_versions_are_the_installed_ones() -> None:
    found = provenance.versions()
    assert found["rdkit"] == version("rdkit")
    assert "python" in found


def test_a_changed_line_changes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "somebodys"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Somebody\'s."""\n')
    (package / "deep" / "__init__.py").write_text('"""Deep."""\n')
    code = package / "deep" / "part.py"
    code.write_text("def part():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    from somebodys.deep import part  # type: ignore[import-not-found]

    monkeypatch.setattr(plugins, "load", lambda group, name: part.part)
    before = provenance.code_digest("scorers", "part")
    assert before == provenance.code_digest("scorers", "part")
    (package / "other.py").write_text("x = 1\n")
    provenance._digest_of_tree.cache_clear()
    assert provenance.code_digest("scorers", "part") != before


def test_licences_are_read_from_the_packages_themselves() -> None:
    found = provenance.licences(["rdkit", "numpy", "no-such-package"])
    assert "BSD" in found["rdkit"]
    assert "no-such-package" not in found


def test_collect_names_seed_command_and_parts() -> None:
    record = provenance.collect(seed=5, parts=[("scorers", "qed")])
    assert record["seed"] == 5
    assert record["parts"]["scorers/qed"].startswith("discovery.properties.physchem:Qed (discovery-workbench")
    assert record["started"].endswith("UTC")


def test_a_file_that_a_named_file_names_counts(tmp_path: Path) -> None:
    """Restraints point to a known ligand beside them: another ligand is another campaign."""
    (tmp_path / "wishes").mkdir()
    known, wishes = tmp_path / "wishes" / "known.sdf", tmp_path / "wishes" / "wish.toml"
    known.write_text("one\n")
    wishes.write_text('[[like]]\nreference = "known.sdf"\n[[core]]\nreference = "wish.toml"\n')
    settings = {"docking": {"restrain": str(wishes)}}
    before = provenance.files_named(settings)
    assert set(before) == {str(wishes), str(known)}
    known.write_text("another\n")
    after = provenance.files_named(settings)
    assert {name for name in before if before[name] != after[name]} == {str(known)}
    wishes.write_text("no TOML =\n")
    assert set(provenance.files_named(settings)) == {str(wishes)}


def test_the_weights_of_a_part_are_named_by_their_bytes() -> None:
    folder = Path(generative.__file__).parent / "weights"
    shipped = {f"generative/weights/{path.name}": sha256_of(path) for path in folder.glob("*.safetensors")}
    assert shipped
    record = provenance.collect(seed=7, parts=[("proposers", "graph"), ("scorers", "qed")])
    assert record["weights"] == shipped


@pytest.mark.parametrize("name", ["weights/net.safetensors", "data/table.csv"])
def test_other_weights_or_data_are_another_code(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"one")
    before = provenance._digest_of_tree(tmp_path)
    (tmp_path / name).with_suffix(".md").write_text("for people")
    provenance._digest_of_tree.cache_clear()
    assert provenance._digest_of_tree(tmp_path) == before
    (tmp_path / name).write_bytes(b"two")
    provenance._digest_of_tree.cache_clear()
    assert provenance._digest_of_tree(tmp_path) != before
