"""Boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from docking import demo_target, ligand
from docking import site as sites
from docking.receptor import ReceptorError
from docking.site import Site
from tests.docking import pocket

POINTS = st.lists(st.tuples(*[st.floats(-30, 30)] * 3), min_size=1, max_size=20)


@given(points=POINTS, margin=st.floats(0, 10))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_the_ligand_is_inside_with_its_margin(
    points: list[tuple[float, float, float]], margin: float
) -> None:
    box = Site.around(points, margin)
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    assert (box.low <= low - margin + 2e-3).all()
    assert (box.high >= high + margin - 2e-3).all()
    assert box.contains(points, slack=2e-3)


@pytest.mark.parametrize("suffix", [".sdf", ".mol", ".pdb", ".pdbqt"])
def test_every_ligand_file_gives_the_same_box(tmp_path: Path, suffix: str) -> None:
    bound = demo_target.reference()
    text = {
        ".sdf": Chem.MolToMolBlock(bound) + "\n$$$$\n",
        ".mol": Chem.MolToMolBlock(bound),
        ".pdb": Chem.MolToPDBBlock(bound),
        ".pdbqt": ligand.of_mol(bound).pdbqt,
    }[suffix]
    path = tmp_path / f"bound{suffix}"
    path.write_text(text)
    assert Site.around_file(path, demo_target.MARGIN).size == pytest.approx(demo_target.site().size, abs=2e-3)


def test_the_ligand_of_the_receptor_s_own_file_gives_the_same_box(tmp_path: Path) -> None:
    bound = demo_target.reference()
    ligand_lines = [row[:17] + "ERM A 900" + row[26:] for row in Chem.MolToPDBBlock(bound).splitlines()[:-1]]
    path = tmp_path / "complex.pdb"
    path.write_text(pocket.text().replace("END\n", "\n".join(ligand_lines)))
    want = demo_target.site()
    for name in ("ERM", "A:ERM900"):
        assert Site.around_bound(path, name, demo_target.MARGIN).size == pytest.approx(want.size, abs=2e-3)
    with pytest.raises(ReceptorError, match=r"no ligand file XK2, .* it holds A:ERM900"):
        Site.around_bound(path, "XK2")
    other = [row.replace("ERM A", "ERM B") for row in ligand_lines]
    path.write_text(pocket.text().replace("END\n", "\n".join(ligand_lines + other)))
    with pytest.raises(ReceptorError, match="holds 2 ligands ERM, A:ERM900, B:ERM900: name one"):
        Site.around_bound(path, "ERM")


def test_residues_are_named_as_in_the_file() -> None:
    box = Site.of_residues(demo_target.receptor(), ["A:ASP129", "B:PHE330"])
    assert np.linalg.norm(np.subtract(box.center, demo_target.site().center)) < 8
    with pytest.raises(ReceptorError, match="no residue A:ASP130; chain A holds"):
        Site.of_residues(demo_target.receptor(), ["A:ASP130"])


def test_a_box_in_the_wrong_place_is_told_how_far_off() -> None:
    with pytest.raises(
        ReceptorError, match=r"holds no atom of 5-HT1B: the nearest, .:.*, is \d+\.\d Å outside"
    ):
        sites.check(demo_target.receptor(), Site((200.0, 0.0, 0.0), (20.0, 20.0, 20.0)))
    sites.check(demo_target.receptor(), demo_target.site())


@pytest.mark.parametrize(
    ("center", "size"),
    [
        ((0, 0, 0), (20, 20, 0)),
        ((0, 0, 0), (20, -1, 20)),
        ((float("nan"), 0, 0), (20, 20, 20)),
        ((0, 0, 0), (20, 20, 2000)),
    ],
)
def test_boxes_that_cannot_be(center: tuple[float, float, float], size: tuple[float, float, float]) -> None:
    with pytest.raises(ReceptorError):
        Site(center, size)


def test_files_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ReceptorError, match=r"nowhere\.sdf"):
        Site.around_file(tmp_path / "nowhere.sdf")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ReceptorError, match="SDF, MOL"):
        Site.around_file(tmp_path / "a.txt")
    (tmp_path / "a.sdf").write_text("hello")
    with pytest.raises(ReceptorError, match="no molecule"):
        Site.around_file(tmp_path / "a.sdf")


def test_a_box_of_a_list_or_an_array_is_the_same_box() -> None:
    box = Site((1.0, 2.0, 3.0), (20.0, 20.0, 20.0))
    made = {Site([1, 2, 3], [20, 20, 20]), Site(np.array([1, 2, 3]), np.full(3, 20.0))}  # type: ignore[arg-type]
    assert made == {box}
