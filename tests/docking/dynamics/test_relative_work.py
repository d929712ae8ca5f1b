"""The folder of relative free energies: killed and resumed, every ligand a row, every fault named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from discovery.record import IntakeError
from docking.dynamics.free_energy import relative_work as room
from docking.dynamics.free_energy.beginning import Beginning
from docking.dynamics.free_energy.exchange import Plan, Samples
from docking.dynamics.free_energy.ladder import Difference
from docking.dynamics.free_energy.network import Pair
from docking.dynamics.free_energy.relative import Edge, Relative, Told, settled
from docking.dynamics.free_energy.relative_work import RelativeJob, work
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.platform import Device
from docking.dynamics.protocol import Settings
from docking.receptor import DockingError
from tests.docking.dynamics.cases import demo_model, shifted, toluene
from tests.docking.dynamics.test_morph import grown

SETTINGS = Settings(charges=gasteiger, keep=3.5, free=2.5, device=Device("CPU", 1))
HOW = Relative(Plan(iterations=5, steps=2, warm=2, seed=4), SETTINGS, relax=3, warm_ps=0.0)
JOB = RelativeJob(demo_model(), "digest", HOW, "gasteiger")
TRUTH = {"toluene": 0.0, "fluoro": -1.0, "ethyl": 0.5, "chloro": 0.25}


def sdf(folder: Path, **mols: Chem.Mol) -> Path:
    path = folder / "poses.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for name, mol in mols.items():
            mol.SetProp("_Name", name)
            writer.write(mol)
    return path


def three() -> dict[str, Chem.Mol]:
    return {
        "toluene": Chem.Mol(toluene()),
        "fluoro": grown("Cc1ccccc1F"),
        "ethyl": grown("CCc1ccccc1"),
    }


def pretended(*args: object, **more: object) -> Edge:
    """An edge with a known answer: the tables are tested, not the dynamics."""
    (one, two), (a, b) = args[1], args[2]  # type: ignore[misc]
    n = 3
    ladder = Difference(
        TRUTH[two] - TRUTH[one], 0.2, np.zeros(n), np.full((n, n), 0.3), np.full(n, 9), (0.0, 0.1)
    )
    none = np.zeros((n, 1, 3))
    samples = Samples(
        none, none, none, np.zeros((2, n, n)), np.zeros((2, n), dtype=np.int64), np.arange(n), 4.0, 0
    )
    return Edge(ladder.value, 0.2, 0.0, 0.0, ladder, samples, (a, b), 100, "pretended")


def elsewhere(name: str) -> Beginning:
    """A pocket that takes toluene, and no other, with a side chain turned."""
    return Beginning(np.zeros((1, 3)), np.zeros((1, 3)), ("A:VAL201",) if name == "toluene" else ())


def test_every_ligand_has_its_row_and_the_cycles_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "edge", pretended)
    far = shifted(toluene(), 40.0)
    ion = grown("Cc1ccccc1[NH3+]")
    bare = Chem.RemoveHs(grown("Cc1ccccc1Cl"))
    poses = sdf(tmp_path, **three(), ion=ion, far=far, bare=bare)
    monkeypatch.setattr(room, "begun", lambda at, known, how: elsewhere(at.name))
    counts = work(poses, tmp_path / "out", JOB)
    rows = {row["id"]: row for row in pq.read_table(tmp_path / "out" / "scores.parquet").to_pylist()}
    assert (counts.n_in, counts.n_ok, counts.n_failed) == (6, 3, 3)
    mean = np.mean([TRUTH[name] for name in three()])
    for name in three():
        assert rows[name]["rbfe"] == pytest.approx(TRUTH[name] - mean)
        assert rows[name]["edges"] == 2
    assert rows["toluene"]["heavy_atoms"] == 7
    for line in pq.read_table(tmp_path / "out" / "edges.parquet").to_pylist():
        if line["missing"] is None:
            assert line["fitted"] == pytest.approx(TRUTH[line["second"]] - TRUTH[line["first"]])
    assert rows["toluene"]["notes"].endswith("begun with other side-chain torsions than given: A:VAL201")
    assert "A:VAL201" not in (rows["fluoro"]["notes"] or "")
    assert "toluene carries a charge of +0 and ion of +1" in rows["ion"]["detail"]
    assert "Å apart in their poses" in rows["far"]["detail"]
    assert rows["bare"]["missing"] == "unprepared"
    report = (tmp_path / "out" / "report.txt").read_text()
    assert "6 in: 3 with a number, 3 without" in report
    assert report.index("fluoro") < report.index("toluene") < report.index("ethyl")  # the best first
    assert f"unprepared: {rows['bare']['detail']}" in report
    assert "toluene to fluoro: -1.00 ± 0.20 kcal/mol, -1.00 by all edges together" in report
    assert json.loads((tmp_path / "out" / "cycles.json").read_text())["rms"] == pytest.approx(0.0, abs=1e-9)


def test_killed_between_iterations_it_goes_on_and_says_what_was_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dynamics are real here: two ligands, five iterations of two steps."""
    monkeypatch.setattr("docking.dynamics.free_energy.exchange._TRIES", 2)
    poses = sdf(tmp_path, toluene=Chem.Mol(toluene()), fluoro=grown("Cc1ccccc1F"))
    out = tmp_path / "out"
    real, told = room.Keeper.keep, []

    class Killed(BaseException):
        pass

    def dying(self: object, progress: Samples) -> bool:
        self.every_s = 0.0  # type: ignore[attr-defined]
        kept = real(self, progress)  # type: ignore[arg-type]
        if self.name != "pocket":  # type: ignore[attr-defined]
            return kept
        told.append(progress.chunk)
        if len(told) == 2:
            raise Killed
        return kept

    monkeypatch.setattr(room.Keeper, "keep", dying)
    with pytest.raises(Killed):
        work(poses, out, JOB)
    (newest,) = out.glob("edges/*/pocket.checkpoint-b")
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    work(poses, out, JOB, resume=True)
    assert told == [1, 2, 2, 3, 4, 5]  # the damaged second iteration is walked again
    (edge,) = pq.read_table(out / "edges.parquet").to_pylist()
    assert "pocket.checkpoint-b.damaged-1" in edge["notes"]
    assert (edge["missing"] is None) == (edge["difference"] is not None)
    again = (out / "edges.parquet").read_bytes()
    work(poses, out, JOB, resume=True)
    assert len(told) == 6
    assert (out / "edges.parquet").read_bytes() == again
    more = replace(JOB, how=replace(HOW, plan=replace(HOW.plan, iterations=6)))
    with pytest.raises(DockingError, match="iterations was 5 and is 6"):
        work(poses, out, more, resume=True)


def test_killed_in_every_step_towards_a_pocket_no_edge_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    done: list[str] = []

    def step(at: Any, *more: object) -> Beginning:
        """Every process ends the first of its steps, and dies in the second."""
        done.append(at.name)
        if len(done) == 2:
            raise Killed
        return elsewhere(at.name)

    monkeypatch.setattr(room, "edge", pretended)
    monkeypatch.setattr(
        room, "seated", lambda receptor, terms, mol, name, how, near: SimpleNamespace(name=name)
    )
    monkeypatch.setattr(room, "searched", step)
    monkeypatch.setattr(room, "begun", step)
    poses = sdf(tmp_path, **three())
    job = replace(JOB, how=replace(HOW, warm_ps=1.0))
    kills, counts = 0, None
    while counts is None:
        done.clear()
        try:
            counts = work(poses, tmp_path / "out", job)
        except Killed:
            kills += 1
    assert kills == 5  # three searches and three beginnings, each made once
    assert (counts.n_ok, counts.n_failed) == (3, 0)
    lines = pq.read_table(tmp_path / "out" / "edges.parquet").to_pylist()
    assert [line["detail"] for line in lines] == [None] * 3


def test_a_doubted_edge_is_used_only_where_no_other_reaches() -> None:
    def told(pair: Pair, value: float | None, *, doubted: bool = False) -> Told:
        return Told(pair, value, None if value is None else 0.2, doubted)

    found, used = settled(
        4,
        [
            told((0, 1), 1.0),
            told((1, 2), 1.0),
            told((0, 2), 9.0, doubted=True),
            told((2, 3), 0.5, doubted=True),
        ],
    )
    assert used == (True, True, False, True)
    assert np.diff(found.values) == pytest.approx([1.0, 1.0, 0.5])
    found, used = settled(3, [told((0, 1), 1.0), told((1, 2), None)])
    assert used == (True, False)
    assert found.connected.tolist() == [True, True, False]


def test_one_ligand_is_none_too_few(tmp_path: Path) -> None:
    with pytest.raises(DockingError, match=r"holds 1 usable ligand\(s\); relative free energies take two"):
        work(sdf(tmp_path, toluene=Chem.Mol(toluene())), tmp_path / "out", JOB)
    with pytest.raises(IntakeError, match="does not exist"):
        work(tmp_path / "no.sdf", tmp_path / "out2", JOB)


def test_two_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "edge", pretended)
    poses = sdf(tmp_path, **three())
    poses.write_text(poses.read_text() + poses.read_text())
    counts = work(poses, tmp_path / "out", JOB)
    assert (counts.n_in, counts.n_ok, counts.n_duplicate) == (6, 3, 3)
