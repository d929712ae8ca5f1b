"""Side chains as docking left them, in the mechanics; the reference is docking's own way of putting them back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from docking import demo_target, side_chains
from docking.dynamics.docked_among import among, models, place_of
from docking.dynamics.work import work
from docking.protein.structure import parse
from docking.receptor import DockingError, ReceptorError
from docking.search import motion
from tests.docking.dynamics.cases import demo_model
from tests.docking.dynamics.test_work import JOB, named, sdf, table

RECEPTOR = demo_target.receptor()
TURNED = "B:PHE330"


def turned() -> str:
    (chain,) = side_chains.cut(RECEPTOR, [TURNED])
    first = chain.tree.coords[chain.tree.axis[0, 0]]
    moved = motion.settled(chain.tree, first, np.array([1.0, 0, 0, 0]), np.array([1.1, 0.4]))
    return side_chains.pdb(RECEPTOR, [chain], [moved])


def model_file(folder: Path, *about: str) -> Path:
    path = folder / "side_chains.pdb"
    path.write_text("".join(f"MODEL\nREMARK   1 {where}\n{turned()}ENDMDL\n" for where in about))
    return path


def test_the_mechanics_have_them_where_docking_put_them() -> None:
    now = among(demo_model(), turned())
    theirs = side_chains.applied(RECEPTOR, turned())
    known = {(a.residue, a.name): a.xyz for a in parse(theirs.pdb, "r").atoms}
    moved = np.linalg.norm(now.xyz - demo_model().xyz, axis=1) > 1e-4
    assert {now.labels[i] for i in now.residue[moved]} == {TURNED}
    for i in np.flatnonzero(moved):
        assert now.xyz[i] * 10.0 == pytest.approx(known[TURNED, now.atom_names[i]], abs=2e-3)
    assert moved.sum() >= 10  # a ring, its hydrogens too


def test_a_receptor_of_other_residues_is_refused_by_name() -> None:
    with pytest.raises(ReceptorError, match="no residue 999 in chain B"):
        among(demo_model(), turned().replace(" 330 ", " 999 "))
    with pytest.raises(ReceptorError, match=r"B:PHE330 of .* has no atom CQ"):
        among(demo_model(), turned().replace(" CZ ", " CQ "))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "side_chains.pdb"
    path.write_text(RECEPTOR.pdb)
    with pytest.raises(DockingError, match="holds no side chains of poses"):
        models(path)
    assert place_of({"row": "3", "pose": "x"}) is None


def test_each_pose_is_settled_among_its_own(tmp_path: Path) -> None:
    held = models(model_file(tmp_path, "row 1, pose 2 of good"))
    assert list(held) == [(1, 2)]
    fields = [f"{named('good')}\n> <row>\n1\n\n> <pose>\n{pose}\n" for pose in (1, 2)]
    job = replace(JOB, side_chains=held)
    work(sdf(tmp_path, *fields), tmp_path / "out", job)
    rows = table(tmp_path / "out")
    assert "stand as in the receptor" in str(rows[0]["notes"])
    assert "it was docked with" in str(rows[1]["notes"])
    with pytest.raises(DockingError, match="side_chains was"):
        work(tmp_path / "poses.sdf", tmp_path / "out", replace(JOB, side_chains={(1, 1): held[1, 2]}))
