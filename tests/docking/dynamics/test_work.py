"""Faults and references: kills at random moments change nothing; trajectories read back in MDAnalysis."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import MDAnalysis
import numpy as np
import openmm
import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from typer.testing import CliRunner

from discovery.record import IntakeError
from discovery.views.reading import contacts_of
from docking.dynamics import work as room
from docking.dynamics.checkpoint import Keeper
from docking.dynamics.choice import standing
from docking.dynamics.looking import report as look
from docking.dynamics.looking import simulated
from docking.dynamics.parameters import charges
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.protocol import Settings
from docking.dynamics.simulate import Run, Trajectory
from docking.dynamics.viewing import dcd
from docking.dynamics.work import Job, work
from docking.receptor import DockingError
from tests.docking.dynamics.cases import demo_model, shifted, toluene

RUN = Run(length_ps=0.1, equilibration_ps=0.05, frame_ps=0.025, replicas=1, step_fs=2.0, seed=3)
JOB = Job(demo_model(), "digest", "mmgbsa", RUN, Settings(charges=gasteiger, keep=6.0, free=4.0), "gasteiger")


def sdf(folder: Path, *blocks: str) -> Path:
    path = folder / "poses.sdf"
    path.write_text("".join(f"{block}\n$$$$\n" for block in blocks))
    return path


def named(name: str, *, shift: float = 0.0) -> str:
    mol = shifted(toluene(), shift)
    mol.SetProp("_Name", name)
    return Chem.MolToMolBlock(mol)


def table(out: Path) -> list[dict[str, object]]:
    return pq.read_table(out / "scores.parquet").to_pylist()


def test_every_pose_is_a_row_and_every_failure_has_its_reason(tmp_path: Path) -> None:
    bare = Chem.MolToMolBlock(Chem.RemoveHs(toluene()))
    poses = sdf(tmp_path, named("good"), named("far", shift=400.0), bare, "rubbish\n\n\n  no  counts")
    counts = work(poses, tmp_path / "out", JOB)
    rows = table(tmp_path / "out")
    assert (counts.n_in, counts.n_ok, counts.n_failed) == (4, 1, 3)
    assert [row["missing"] for row in rows] == [None, "outside_box", "unprepared", "unparsable"]
    assert rows[0]["mmgbsa"] == pytest.approx(
        sum(rows[0][k] for k in ("vdw", "coulomb", "polar", "nonpolar")), abs=0.01
    )  # type: ignore[misc]
    assert rows[0]["heavy_atoms"] == 7
    assert "far" in str(rows[1]["detail"])
    shown = simulated(tmp_path / "out")
    assert shown.values("mmgbsa") == {"good": rows[0]["mmgbsa"]}
    assert [row.missing and row.missing.reason.value for row in shown.run.rows] == [
        row["missing"] for row in rows
    ]
    touched = {contact.residue for contact in contacts_of(shown.run.rows[0])}
    assert touched
    assert all("LIG" not in residue for residue in touched)
    page = look(tmp_path / "out", tmp_path / "page.html").read_text()
    assert "Ranked by MM-GBSA alone" in page
    assert "3Dmol" in page
    unit = tmp_path / "out" / "units" / "000001"
    assert openmm.XmlSerializer.deserialize((unit / "system.xml").read_text()).getNumParticles() > 100
    pocket = MDAnalysis.Universe(str(unit / "pocket.pdb"))
    assert (
        len(pocket.atoms)
        == openmm.XmlSerializer.deserialize((unit / "system.xml").read_text()).getNumParticles()
    )
    (settled,) = Chem.SDMolSupplier(str(tmp_path / "out" / "poses.sdf"), removeHs=False)
    assert settled.GetProp("id") == rows[0]["id"] == settled.GetProp("_Name")
    ligand = pocket.select_atoms("resname LIG")
    assert list(ligand.elements) == [atom.GetSymbol() for atom in settled.GetAtoms()]
    assert ligand.positions == pytest.approx(settled.GetConformer().GetPositions(), abs=2e-3)
    assert {f"{r.segid}:{r.resname}{r.resid}" for r in pocket.select_atoms("protein").residues} <= set(
        JOB.receptor.labels
    )
    assert settled.GetDoubleProp("mmgbsa_kcal_per_mol") == pytest.approx(rows[0]["mmgbsa"], abs=6e-4)


def test_the_poses_of_a_ligand_are_put_in_order(tmp_path: Path) -> None:
    """Another ligand's poses are no concern of theirs."""
    blocks = [named("one"), named("one", shift=0.3), named("one", shift=-0.6), named("other")]
    scores = ["-6.1", "-1.0", "-5.0", "not a number"]
    fields = [f"{b}> <score_kcal_per_mol>\n{s}\n" for b, s in zip(blocks, scores, strict=True)]
    work(sdf(tmp_path, *fields), tmp_path / "out", JOB)
    *ones, other = table(tmp_path / "out")
    assert [row["docked"] for row in (*ones, other)] == [-6.1, -1.0, -5.0, None]
    mmgbsa, bent, docked = (np.array([row[key] for row in ones]) for key in ("mmgbsa", "strain", "docked"))
    assert [row["choice"] for row in ones] == (
        np.argsort(np.argsort(standing(mmgbsa, bent, docked))) + 1
    ).tolist()
    assert bent.min() == 0.0 < bent.max()
    assert (other["choice"], other["strain"]) == (1, 0.0)


class Killed(BaseException):
    """Stands for kill -9: nothing in the code may catch it."""


def test_killed_at_random_moments_it_ends_with_every_frame_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(JOB, protocol="stability")
    poses = sdf(tmp_path, named("one"))
    out = tmp_path / "out"
    real = room.publish
    random = np.random.default_rng(4)

    def dying(path: Path, data: bytes) -> None:
        if random.random() < 0.2:
            raise Killed
        real(path, data)

    for where in ("work", "folder", "unit", "checkpoint", "watch"):
        monkeypatch.setattr(f"docking.dynamics.{where}.publish", dying)
    kills, begun = 0, False
    while kills < 40:
        try:
            counts = work(poses, out, job, resume=begun)
            break
        except Killed:
            kills, begun = kills + 1, (out / "simulation.json").exists()
    assert 3 <= kills < 40
    assert counts.n_ok == 1
    unit = out / "units" / "000001"
    universe = MDAnalysis.Universe(str(unit / "pocket.pdb"), str(unit / "replica-0.dcd"))
    assert len(universe.trajectory) == RUN.frames
    (row,) = table(out)
    assert row["missing"] is None
    assert row["drift"] is not None
    assert "of contacts kept" in (out / "report.txt").read_text()


def test_a_unit_that_never_ends_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poses = sdf(tmp_path, named("killer"))

    def deadly(*args: object, **more: object) -> None:
        raise Killed

    monkeypatch.setattr(room, "rescore", deadly)
    for attempt in range(3):
        with pytest.raises(Killed):
            work(poses, tmp_path / "out", JOB, resume=attempt > 0)
    work(poses, tmp_path / "out", JOB, resume=True)
    (row,) = table(tmp_path / "out")
    assert row["missing"] == "crashed"
    assert "killer was begun 3 times (on " in str(row["detail"])


def test_three_hosts_that_a_unit_took_down_are_named_and_a_fourth_is_spared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poses, out = sdf(tmp_path, named("killer"), named("good")), tmp_path / "out"
    real = room.rescore

    def deadly(receptor: object, mol: object, settings: object, name: str) -> object:
        if name == "killer":
            raise Killed
        return real(receptor, mol, settings, name=name)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "rescore", deadly)
    for attempt, host in enumerate(("node-a", "node-b", "node-c")):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        with pytest.raises(Killed):
            work(poses, out, JOB, resume=attempt > 0)
    monkeypatch.setattr("socket.gethostname", lambda: "node-d")
    work(poses, out, JOB, resume=True)
    killer, good = table(out)
    assert "begun 3 times (on node-a, node-b, node-c)" in str(killer["detail"])
    assert good["missing"] is None


def test_a_damaged_result_is_computed_once_more_and_says_so(tmp_path: Path) -> None:
    poses = sdf(tmp_path, named("one"), named("two", shift=0.05))
    out = tmp_path / "out"
    work(poses, out, JOB)
    before = table(out)
    for unit, file in (("000001", "result.json"), ("000002", "pose.sdf")):
        path = out / "units" / unit / file
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    work(poses, out, JOB, resume=True)
    after = table(out)
    assert [row["mmgbsa"] for row in after] == [row["mmgbsa"] for row in before]
    assert "result.json.damaged-1" in str(after[0]["notes"])
    assert "pose.sdf.damaged-1" in str(after[1]["notes"])
    assert after[0]["notes"] != before[0]["notes"]


@pytest.mark.slow
def test_a_unit_that_hangs_ends_the_process_and_then_is_set_aside(tmp_path: Path) -> None:
    """A real process stands still; the watch ends it with its own status, thrice; the fourth run goes on without it."""
    poses, out = sdf(tmp_path, named("sleeper"), named("good")), tmp_path / "out"
    program = f"""
import time
from pathlib import Path
from docking.dynamics import work as room
from tests.docking.dynamics.test_work import JOB
real = room.rescore
def slow(receptor, mol, settings, name):
    if name == "sleeper":
        time.sleep(60)
    return real(receptor, mol, settings, name=name)
room.rescore = slow
room.work(Path({str(poses)!r}), Path({str(out)!r}), JOB, resume=True, patience_s=6.0)
"""
    statuses = []
    for _ in range(4):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        statuses.append(done.returncode)
    assert statuses == [75, 75, 75, 0]
    first, second = table(out)
    assert first["missing"] == "timed_out"
    assert "sleeper was begun 3 times" in str(first["detail"])
    assert "no progress" in str(first["detail"])
    assert second["missing"] is None


def test_a_trajectory_reads_back_in_mdanalysis(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(0, 10, (3, 7, 3))
    path = tmp_path / "t.dcd"
    path.write_bytes(dcd(Trajectory(frames, np.arange(3.0), 1, 2.0, 0), RUN))
    universe = MDAnalysis.Universe.empty(7, trajectory=True)
    universe.load_new(str(path))
    theirs = np.array([universe.atoms.positions.copy() for _ in universe.trajectory])
    assert theirs == pytest.approx(frames, abs=1e-5)
    assert universe.trajectory.dt == pytest.approx(RUN.frame_ps, rel=1e-5)


def test_other_settings_do_not_go_on_in_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poses = sdf(tmp_path, "rubbish\n\n\n  no  counts")
    out = tmp_path / "out"
    work(poses, out, replace(JOB, charges="graph"))
    with pytest.raises(DockingError, match="without --fresh"):
        work(poses, out, JOB, resume=False)
    with pytest.raises(DockingError, match='charges was "graph" and is "am1-bcc"'):
        work(poses, out, replace(JOB, charges="am1-bcc"), resume=True)
    work(poses, out, replace(JOB, charges="graph"), resume=True)
    monkeypatch.setattr(charges, "digest", lambda: "f" * 64)  # as when other weights are installed
    with pytest.raises(DockingError, match=r'charge_weights was "[0-9a-f]{12}" and is "ffffffffffff"'):
        work(poses, out, replace(JOB, charges="graph"), resume=True)
    with pytest.raises(IntakeError, match="does not exist"):
        work(tmp_path / "nowhere.sdf", out, JOB)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(DockingError, match="not empty"):
        work(poses, tmp_path / "full", JOB)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_kills_and_twenty_damaged_files_in_fifty_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 lost, 0 twice, 0 silent: every row there once, every trajectory whole, every damaged file named in its row."""
    monkeypatch.setattr(
        "docking.dynamics.unit.MOST_STARTS", 1000
    )  # the kills come from outside and blame no unit
    settings = Settings(charges=gasteiger, keep=3.5, free=2.5)
    job = replace(JOB, protocol="stability", settings=settings, run=replace(RUN, equilibration_ps=0.0))
    names = [f"lig{i:02d}" for i in range(50)]
    poses = sdf(tmp_path, *(named(name, shift=0.01 * i) for i, name in enumerate(names)))
    out = tmp_path / "out"
    real, random = room.publish, np.random.default_rng(11)
    kills = damaged = 0

    def dying(path: Path, data: bytes) -> None:
        nonlocal kills
        if kills < 100 and random.random() < 0.3:
            kills += 1
            raise Killed
        real(path, data)

    for where in ("work", "folder", "unit", "checkpoint", "watch"):
        monkeypatch.setattr(f"docking.dynamics.{where}.publish", dying)
    monkeypatch.setattr(
        room, "Keeper", lambda kind, folder, name, last: Keeper(kind, folder, name, 0.0, last)
    )
    hurt: dict[str, int] = {}
    unread: dict[Path, bytes] = {}  # hurt, and not looked at since
    while True:
        try:
            work(poses, out, job, resume=(out / "simulation.json").exists())
            break
        except Killed:
            files = sorted(
                path
                for pattern in ("*.checkpoint-?", "result.json")
                for path in out.glob(f"units/*/{pattern}")
                if unread.get(path) != path.read_bytes()
            )
            if damaged < 20 and kills > 4 * damaged and files:
                victim = files[int(random.integers(len(files)))]
                data = bytearray(victim.read_bytes())
                data[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
                victim.write_bytes(data)
                unread[victim] = bytes(data)
                damaged += 1
                hurt[victim.parent.name] = hurt.get(victim.parent.name, 0) + 1
    assert (kills, damaged) == (100, 20)
    rows = table(out)
    assert [row["id"] for row in rows] == names
    assert [row["missing"] for row in rows] == [None] * 50
    for row in rows:
        unit = f"{row['pose']:06d}"
        assert str(row["notes"]).count(".damaged-") == hurt.get(unit, 0), unit
        data = (out / "units" / unit / "replica-0.dcd").read_bytes()
        assert int(np.frombuffer(data[8:12], dtype="<i4")[0]) == RUN.frames


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_for_real_the_table_is_the_undisturbed_one(tmp_path: Path) -> None:
    """SIGKILL five times, each a random moment after another pose ended; no row lost, none twice, none changed."""
    poses = sdf(tmp_path, *(named(f"lig{i}", shift=0.05 * i) for i in range(7)))
    random = np.random.default_rng(6)

    def command(out: Path, *more: str) -> list[str]:
        given = ["simulate", "--receptor", "demo:5HT1B", "--poses", str(poses), "--out", str(out)]
        return [
            sys.executable,
            "-c",
            "from discovery.cli import main; main()",
            *given,
            "--charges",
            "gasteiger",
            *more,
        ]

    subprocess.run(command(tmp_path / "calm"), check=True, capture_output=True)
    out = tmp_path / "killed"
    for done in range(1, 6):
        child = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and len(list(out.glob("units/*/result.json"))) < done:
            time.sleep(0.05)
        time.sleep(random.uniform(0.0, 0.5))
        child.kill()
        child.wait()
    subprocess.run(command(out), check=True, capture_output=True)
    assert table(out) == table(tmp_path / "calm")


def test_the_command_line(tmp_path: Path) -> None:
    import typer

    from docking.dynamics.cli import simulate

    app = typer.Typer()
    app.command()(simulate)
    poses = sdf(tmp_path, named("good"))
    given = [
        "--receptor",
        "demo:5HT1B",
        "--poses",
        str(poses),
        "--out",
        str(tmp_path / "out"),
        "--charges",
        "gasteiger",
    ]
    done = CliRunner().invoke(app, given, catch_exceptions=False)
    assert done.exit_code == 0
    assert "1 poses in: 1 computed, 0 failed" in done.output
    assert "heavy_atoms" in done.output
    assert "membrane" in done.output
    refused = CliRunner().invoke(app, [*given, "--solvent", "explicit", "--resume"])
    assert isinstance(refused.exception, DockingError)
