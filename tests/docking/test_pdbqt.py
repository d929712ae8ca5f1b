"""PDBQT in and out."""

from __future__ import annotations

import pytest

from docking import pdbqt

LIGAND = """REMARK  two groups
ROOT
ATOM      1  C1  LIG A   1       0.000   0.000   0.000  1.00  0.00     0.100 C
ATOM      2  O1  LIG A   1       1.400   0.000   0.000  1.00  0.00    -0.300 OA
ENDROOT
BRANCH   1   3
ATOM      3  C2  LIG A   1      -0.700   1.300   0.000  1.00  0.00     0.000 A
ATOM      4  C3  LIG A   1      -2.100   1.300   0.000  1.00  0.00     0.000 A
ENDBRANCH   1   3
TORSDOF 1
"""


def test_reads_the_tree() -> None:
    ligand = pdbqt.read(LIGAND)
    assert ligand.types == ("C", "OA", "A", "A")
    assert [atom.node for atom in ligand.atoms] == [0, 0, 1, 1]
    (branch,) = ligand.branches
    assert (branch.parent, branch.anchor, branch.moving) == (0, 0, 2)


def test_line_written_is_line_read() -> None:
    ligand = pdbqt.read(LIGAND)
    again = pdbqt.read("\n".join(a.line(p) for a, p in zip(ligand.atoms, ligand.coords, strict=True)))
    assert (again.coords == ligand.coords).all()
    assert [a.name for a in again.atoms] == [a.name for a in ligand.atoms]
    assert again.types == ligand.types


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("REMARK nothing\n", "no ATOM"),
        (LIGAND.replace("OA\n", "QQ\n"), "line 4: 'QQ'"),
        (LIGAND.replace("1.400", "1.4x0"), "line 4"),
        (LIGAND.replace("1.400", "  nan"), "line 4"),
        (LIGAND.replace("ENDBRANCH   1   3\n", ""), "never closed"),
        (LIGAND.replace("BRANCH   1   3\n", "BRANCH   1   9\n"), "BRANCH 1 9"),
        ("ENDBRANCH 1 2\n" + LIGAND, "never opened"),
    ],
)
def test_a_broken_file_is_named_by_its_line(text: str, says: str) -> None:
    with pytest.raises(pdbqt.PdbqtError, match=says):
        pdbqt.read(text)
