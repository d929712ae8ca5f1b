"""Structure files in and out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from docking.protein.structure import parse, pdb_text, read
from docking.receptor import ReceptorError
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
        ("data_x\nloop_\n_a.b\n", "cut off|no atoms"),
        (pocket.text()[:1000] + "\nATOM      1  N   AL\n", "cut off|columns"),
        (pocket.text().replace("  ", "\t"), "line 1 holds a tab"),
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


def columns(text: str, line: int, first: int, put: str) -> str:
    rows = text.splitlines()
    rows[line] = rows[line][:first] + put + rows[line][first + len(put) :]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("put", ["********", "     abc", "        "])
def test_a_coordinate_that_is_no_number_is_never_taken_for_one(put: str) -> None:
    with pytest.raises(ReceptorError, match=r"a\.pdb, line 4: columns 31 to 54"):
        parse(columns(pocket.text(), 3, 30, put), "a.pdb")


def test_atoms_in_one_place_are_no_structure() -> None:
    rows = [row[:30] + "   0.000   0.000   0.000" + row[54:] for row in pocket.text().splitlines()]
    with pytest.raises(ReceptorError, match="atoms lie at 1 places"):
        parse("\n".join(rows), "a.pdb")


def test_what_pdb_columns_cannot_hold_is_refused() -> None:
    text = as_mmcif(pocket.text())
    x = f"{pocket.heavy()[0].xyz[0]:.3f}".rstrip("0")
    with pytest.raises(ReceptorError, match=r"a\.cif: atom .* lies at \(-1200\.0, .* move the structure"):
        parse(text.replace(f" {x} ", " -1200.0 ", 1), "a.cif")


def test_lower_case_and_names_a_column_off_are_read_as_meant() -> None:
    """Some programs write " CE" of lysine as "CE ", which a reader by columns takes for cerium."""
    plain = parse(pocket.text(), "a.pdb").atoms
    lower = [row[:21].lower() + row[21:66] for row in pocket.text().splitlines()]
    assert parse("\n".join(lower), "a.pdb").atoms == plain
    left = [row[:12] + row[12:16].strip().ljust(4) + row[16:66] for row in pocket.text().splitlines()]
    assert parse("\n".join(left), "a.pdb").atoms == plain
