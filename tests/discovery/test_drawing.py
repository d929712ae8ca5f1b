"""Pictures say what RDKit drew, mark the atoms meant, and carry no code."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from discovery.views.drawing import (
    Mark,
    UndrawableError,
    data_uri,
    depict,
    grid_svg,
    molecule_png,
    molecule_svg,
)

SUMATRIPTAN = "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1"
NITRO = "O=[N+]([O-])c1ccc(Cl)cc1"


def numbers(d: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", d)]


@pytest.mark.parametrize(
    "smiles", [SUMATRIPTAN, NITRO, "C[C@H](N)C(=O)O", "[Na+].[Cl-]", "C", "c1ccccc1", "CC=[N+]=[N-]"]
)
def test_draws_the_strokes_rdkit_draws(smiles: str) -> None:
    """Reference: RDKit's own SVG of the same drawing; joining strokes must lose and add none."""
    mol = Chem.MolFromSmiles(smiles)
    body, _ = depict(mol, width=300, height=200)
    ours = sorted(
        value
        for element in ElementTree.fromstring(f"<g>{body}</g>")
        for value in numbers(element.get("d", ""))
    )
    drawer = rdMolDraw2D.MolDraw2DSVG(300, 200)
    options = drawer.drawOptions()
    options.padding, options.fixedBondLength, options.bondLineWidth = 0.04, 26, 1.6
    options.prepareMolsBeforeDrawing = False
    rdDepictor.Compute2DCoords(mol)
    drawer.DrawMolecule(rdMolDraw2D.PrepareMolForDrawing(mol, forceCoords=True))
    drawer.FinishDrawing()
    theirs = sorted(
        value for d in re.findall(r"<path[^>]* d='([^']*)'", drawer.GetDrawingText()) for value in numbers(d)
    )
    assert ours == pytest.approx(theirs, abs=0.06)


def test_is_plain_svg() -> None:
    svg = molecule_svg(SUMATRIPTAN, marks=[Mark((1, 2), "1")], title='</title><script>alert(1)</script>"x')
    root = ElementTree.fromstring(svg)
    assert {element.tag.split("}")[1] for element in root.iter()} <= {
        "svg",
        "title",
        "path",
        "ellipse",
        "rect",
    }
    assert not [element for element in root.iter() if "style" in element.attrib or "class" in element.attrib]
    assert root.findtext("{http://www.w3.org/2000/svg}title") == '</title><script>alert(1)</script>"x'
    assert len(svg) < 6_000


def test_marked_atoms_are_coloured() -> None:
    """The pixels around the nitro group turn orange, those around the chlorine do not."""
    plain, marked = (
        np.asarray(
            Image.open(io.BytesIO(molecule_png(NITRO, marks=marks, width=300, height=200))).convert("RGB"),
            dtype=int,
        )
        for marks in ([], [Mark((0, 1, 2), "1")])
    )
    _, places = depict(Chem.MolFromSmiles(NITRO), width=300, height=200)

    def orange(picture: np.ndarray, atom: int) -> int:
        x, y = (round(part) for part in places[atom])
        spot = picture[max(y - 9, 0) : y + 10, max(x - 9, 0) : x + 10]
        return int(((spot[..., 0] > 200) & (spot[..., 2] < 140) & (spot[..., 1] > 150)).sum())

    chlorine = Chem.MolFromSmiles(NITRO).GetSubstructMatch(Chem.MolFromSmarts("Cl"))[0]
    assert all(orange(marked, atom) > 20 for atom in (0, 1, 2))
    assert orange(marked, chlorine) == orange(plain, 1) == 0


def test_marks_of_another_molecule_are_left_out() -> None:
    assert molecule_svg("CCO", marks=[Mark((0, 99), "1")]) == molecule_svg("CCO")
    assert molecule_svg("CCO", marks=[Mark((-1,), "1")]) == molecule_svg("CCO")


@pytest.mark.parametrize("text", ["", "   ", "not a smiles", "C1CC"])
def test_refuses_what_cannot_be_drawn(text: str) -> None:
    with pytest.raises(UndrawableError):
        molecule_svg(text)


def test_a_group_torn_out_of_an_aromatic_ring_is_drawn() -> None:
    torn, single = molecule_svg("Nc(ncn:[*]):[*]"), molecule_svg("NC(NCN[*])[*]")
    assert torn.count("M") > single.count("M")  # each aromatic bond has a stroke of dashes beside it
    with pytest.raises(UndrawableError):
        molecule_svg("c1ccc1:[*")


def test_a_grid_keeps_every_place() -> None:
    svg = grid_svg([(SUMATRIPTAN, "one"), ("bad", "<b>two</b>"), ("CCO", "three")], columns=2)
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text in ("one", "<b>two</b>", "three")] == [
        "one",
        "<b>two</b>",
        "three",
    ]
    assert "no picture" in texts
    with pytest.raises(ValueError, match="at least one"):
        grid_svg([])


def test_png_is_no_blank() -> None:
    picture = np.asarray(Image.open(io.BytesIO(molecule_png(SUMATRIPTAN))).convert("L"))
    assert picture.shape == (200, 300)
    assert 0.01 < (picture < 128).mean() < 0.2


def test_data_uri_is_an_image() -> None:
    assert data_uri(molecule_svg("CCO")).startswith("data:image/svg+xml;base64,PHN2Zy")
