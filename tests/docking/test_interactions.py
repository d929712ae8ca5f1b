"""Contacts between a pose and the receptor."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from docking import demo_target, ligand
from docking.interactions import contacts
from docking.pose import Pose
from docking.receptor import Receptor

BOUND = ligand.of_mol(demo_target.reference())
POSE = Pose(BOUND, BOUND.coords(), -10.0)


def test_ergotamines_known_contacts_are_there() -> None:
    """Reference: Wang et al. 2013: the amine binds Asp129, the ergoline packs on Phe330 and Phe331."""
    found = {(c.residue, c.kind) for c in contacts(POSE, demo_target.receptor())}
    assert ("A:ASP129", "salt bridge, ligand positive") in found
    assert ("A:ASP129", "hydrogen bond, ligand donates") in found
    assert any(residue in ("B:PHE330", "B:PHE331") for residue, _ in found)


def test_a_zinc_that_the_ligand_holds_is_a_contact() -> None:
    oxygen = next(a.GetIdx() for a in POSE.mol().GetAtoms() if a.GetSymbol() == "O")
    x, y, z = POSE.coords[oxygen] + (0.0, 0.0, 2.1)
    zinc = f"HETATM 9001 ZN    ZN A 900    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          ZN\n"
    found = contacts(POSE, Receptor("with zinc", demo_target.receptor().pdb.replace("END", zinc + "END"), ""))
    assert ("A:ZN900", "holds a metal") in {(c.residue, c.kind) for c in found}


def test_distances_are_those_of_the_coordinates() -> None:
    (bridge,) = [c for c in contacts(POSE, demo_target.receptor()) if "salt bridge" in c.kind]
    amine = POSE.coords[bridge.ligand_atoms[0]]
    lines = [
        line
        for line in demo_target.receptor().pdb.splitlines()
        if line[17:26] == "ASP A 129" and line[12:14] == " O"
    ]
    points = np.array([[float(line[30:38]), float(line[38:46]), float(line[46:54])] for line in lines])
    assert bridge.distance == pytest.approx(np.linalg.norm(points - amine, axis=1).min(), abs=0.01)


def test_the_same_every_time_and_quick() -> None:
    first = contacts(POSE, demo_target.receptor())
    start = time.process_time()
    assert contacts(POSE, demo_target.receptor()) == first
    assert time.process_time() - start < 1.0
    assert json.loads(json.dumps([c.plain() for c in first]))[0]["residue"] == first[0].residue


def test_far_away_there_are_none() -> None:
    assert contacts(Pose(BOUND, BOUND.coords() + 200.0, 0.0), demo_target.receptor()) == []
