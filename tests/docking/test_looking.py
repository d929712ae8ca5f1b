"""A docking run's folder becomes a table: every row there, first poses in the receptor, reasons kept."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from typer.testing import CliRunner

from discovery.cli import app
from discovery.outcome import Missing
from discovery.score import Score
from discovery.views.reading import contacts_of, pose_of, verdict_of
from docking import demo_target
from docking.cli import _page
from docking.library.run import run
from docking.looking import docked
from docking.receptor import DockingError
from tests.docking.test_library import Still, job, library


def test_a_run_is_looked_at(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = ["CCO ethanol", "c1ccccc1 benzene", "not_a_smiles bad", "CCO again", "C[Te]C tellurium"]
    run(library(tmp_path, rows), out, job(Still()))
    known = tmp_path / "known.sdf"
    known.write_text(demo_target.reference_block() + "\n$$$$\n")
    table = docked(out, reference=known)
    assert len(table) == len(rows)
    assert table.run.receptor_pdb == (out / "receptor.pdb").read_text()
    assert "$$$$" in table.run.reference_sdf
    lines = {
        line["id"]: line
        for line in pq.read_table(out / "scores.parquet").to_pylist()
        if line["pose"] in (None, 1)
    }
    best = sorted((line["score"], line["row"]) for line in lines.values() if line["score"] is not None)
    assert [table[place].id for place in range(2)] == [
        next(id for id, line in lines.items() if line["row"] == row) for _, row in best
    ]
    for row in table.run.rows:
        line, outcome = lines[row.id], row.outcomes["docking"]
        if line["missing"]:
            assert isinstance(outcome, Missing)
            assert outcome.detail == line["detail"]
            assert bool(row.smiles) == (row.id == "again")  # it is drawn all the same
            continue
        assert isinstance(outcome, Score)
        assert outcome.value == line["score"]
        pose = Chem.MolFromMolBlock(pose_of(row))
        assert Chem.MolToSmiles(pose) == Chem.CanonSmiles(line["species"])
        atoms = pose.GetNumAtoms()
        assert row.outcomes["efficiency"].value == pytest.approx(outcome.value / atoms)
        verdict = verdict_of(row)
        assert verdict is not None
        assert verdict.good == line["plausible"]
    assert "3Dmol" in table.poses(2).page()
    asked = CliRunner().invoke(app, ["report", str(out), "--out", str(tmp_path / "poses.html")])
    assert asked.exit_code == 0, asked.output
    page = (tmp_path / "poses.html").read_text()
    assert "Ranked by docking score alone" in page
    assert all(name in page for name in ("ethanol", "tellurium", "3Dmol"))
    _page(out, tmp_path / "asked.html", ("A:XK2263", str(known)))  # as `discovery dock --report` does
    atom = known.read_text().splitlines()[4].strip()
    assert atom in (tmp_path / "asked.html").read_text()
    assert atom not in page


def test_the_known_ligand_touches_what_it_touches(tmp_path: Path) -> None:
    """Reference: ergotamine's amine on ASP129 in PDB 4IAR, scored where it lies."""
    path = tmp_path / "poses.sdf"
    with Chem.SDWriter(str(path)) as writer:
        writer.write(demo_target.reference())
    run(path, tmp_path / "out", job(Still(), score_only=True))
    (row,) = docked(tmp_path / "out").run.rows
    assert ("A:ASP129", "salt bridge") in {(contact.residue, contact.kind) for contact in contacts_of(row)}


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DockingError, match="holds no docking run"):
        docked(tmp_path)
    run(library(tmp_path, ["CCO"]), tmp_path / "out", job(Still()))
    flat = tmp_path / "flat.sdf"
    flat.write_text(Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")))
    with pytest.raises(DockingError, match=r"flat\.sdf: the reference ligand is no mol block"):
        docked(tmp_path / "out", reference=flat)
    with pytest.raises(DockingError, match=r"no reference ligand file .*absent\.sdf"):
        docked(tmp_path / "out", reference=tmp_path / "absent.sdf")
