"""Structure files in and out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from docking.receptor import ReceptorError
from docking.structure import parse, pdb_text, read
from tests.docking import pocket

gemmi = pytest.importorskip("gemmi")


def as_mmcif(text: str) -> str:
    structure = gemmi.read_pdb_string(text)
    structure.setup_entities()
    return str(structure.make_mmcif_document().as_string())


def test_pdb_written_is_pdb_read() -> None:
    assert parse(pdb_text(pocket.atoms()), "a").atoms == tuple(pocket.atoms())


def test_mmcif_says_the_same_as_pdb() -> None:
    """Reference: gemmi's own mmCIF writer."""
    from_pdb = parse(pocket.text(), "a.pdb").atoms
    from_cif = parse(as_mmcif(pocket.text()), "a.cif").atoms
    assert [(a.residue, a.name, a.element, a.xyz) for a in from_cif] == [
        (a.residue, a.name, a.element, a.xyz) for a in from_pdb
    ]


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.pdb"
    path.write_bytes(gzip.compress(pocket.text().encode()))
    assert len(read(path).atoms) == len(pocket.heavy())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no atoms"),
        ("hello\n", "no atoms"),
        ("data_x\n_cell.a 1\n", "no atoms"),
        ("data_x\nloop_\n_a.b\n", "neither|no atoms"),
    ],
)
def test_what_is_no_structure_is_refused_by_name(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "thing.pdb"
    path.write_text(content)
    with pytest.raises(ReceptorError, match=says) as caught:
        read(path)
    assert "thing.pdb" in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReceptorError, match=r"nowhere\.pdb"):
        read(tmp_path / "nowhere.pdb")
