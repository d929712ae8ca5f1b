"""The flat map shows each residue once, legibly, and anchors lines on the right atoms."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from discovery.views.contact_map import KIND_LOOK, contact_map_svg, look
from discovery.views.drawing import UndrawableError, depict
from discovery.views.pocket import Line3D, atoms_of, pose_atoms
from discovery.views.pose_viewer import posed
from discovery.views.reading import Contact, pose_of
from tests.discovery.fake_run import fake_run, prolif_data

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.skipif(prolif_data() is None, reason="the prolif package, which ships the receptor, is absent")
def test_labels_do_not_cover_each_other() -> None:
    run = fake_run()
    for pose in posed(run.ranked[:8], atoms_of(run.receptor_pdb)):
        root = ElementTree.fromstring(pose.contact_map())
        boxes = [
            tuple(float(box.get(key, "0")) for key in ("x", "y", "width", "height"))
            for box in root.iter(f"{SVG}rect")
        ]
        assert len(boxes) == 5
        for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(boxes, 2):
            assert ax + aw <= bx + 0.5 or bx + bw <= ax + 0.5 or ay + ah <= by + 0.5 or by + bh <= ay + 0.5
        assert all(0 <= x <= 460 - w and 0 <= y <= 340 - h for x, y, w, h in boxes)
        written = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
        assert "A:ASP129" in written
        assert "salt bridge 2.9 Å" in written


def test_a_line_begins_at_its_atom() -> None:
    """The only contact is with the oxygen of ethanol: its line starts where RDKit's drawing ends the C-O bond."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=3)
    block = Chem.MolToMolBlock(mol)
    pose = pose_atoms(block)
    assert pose is not None
    oxygen = pose.GetConformer().GetAtomPosition(2)
    start = (oxygen.x, oxygen.y, oxygen.z)
    svg = contact_map_svg(block, [Line3D(Contact("A:SER<b>9", "hydrogen bond", 2.8), start, (0.0, 0.0, 0.0))])
    root = ElementTree.fromstring(svg)
    (line,) = list(root.iter(f"{SVG}line"))
    assert line.get("stroke") == look("hydrogen bond")[0]
    _, places = depict(Chem.MolFromSmiles("CCO"), width=280, height=206)
    shift = next(element for element in root.iter(f"{SVG}g")).get("transform", "")
    left, top = (float(part) for part in re.findall(r"[\d.]+", shift))
    x, y = places[2]
    assert (float(line.get("x1", "0")), float(line.get("y1", "0"))) == pytest.approx(
        (x + left, y + top), abs=0.2
    )


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(UndrawableError):
        contact_map_svg("no mol block", [])
    run = fake_run()
    with pytest.raises(UndrawableError):
        contact_map_svg(pose_of(run.ranked[0]), [])


def test_every_kind_has_its_own_look() -> None:
    assert (
        len({colour for colour, _ in KIND_LOOK.values()})
        == len({dash for _, dash in KIND_LOOK.values()})
        == len(KIND_LOOK)
    )
