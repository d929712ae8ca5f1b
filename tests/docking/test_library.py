"""A library file becomes poses and a table; killed, it goes on."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from discovery.files import CannotWrite
from discovery.outcome import MoleculeError, Reason
from docking import demo_target
from docking.engines.engine import Engine
from docking.library.run import Job, run
from docking.ligand import Ligand
from docking.pose import Pose
from docking.receptor import DockingError, Receptor
from docking.site import Site

HEALTHY = [
    "CCO ethanol",
    "c1ccccc1 benzene",
    "CC(=O)Nc1ccc(O)cc1 paracetamol",
    "CCN amine",
    "CC(F)(Cl)CO mixture",
    "C1CCCCC1 ring",
]
POISON = ["not_a_smiles bad", "C[Te]C tellurium", "CCO again", "F[As](F)C arsenic"]


@dataclass
class Still:
    """Puts the conformer into the middle of the box; the score is a hash. Dies after `lives` ligands."""

    lives: int = 10**9
    name: str = "still"
    docked: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {}

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        if self.lives == len(self.docked):
            raise KeyboardInterrupt
        self.docked.append(ligand.smiles)
        if "Cl" in ligand.smiles and "@@" in ligand.smiles:
            raise MoleculeError(Reason.NO_PLAUSIBLE_POSE, f"{ligand.molecule.shown}: one hand has no pose")
        return [self._pose(ligand, site, i, seed) for i in range(2)]

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: np.ndarray, /) -> Pose:
        return Pose(ligand, coords, -1.0, {"inter": -1.0}, self.name)

    def _pose(self, ligand: Ligand, site: Site, i: int, seed: int) -> Pose:
        number = int.from_bytes(hashlib.sha256(f"{seed}{ligand.digest}{i}".encode()).digest()[:2], "big")
        middle = np.asarray(site.center) - ligand.coords().mean(axis=0)
        return Pose(ligand, ligand.coords() + middle, -number / 10_000, {"inter": -1.0}, self.name)


def job(engine: Engine, **more: Any) -> Job:
    return Job(demo_target.receptor(), demo_target.site(), engine, **more)


def table(out: Path) -> list[dict[str, Any]]:
    return pq.read_table(out / "scores.parquet").to_pylist()  # type: ignore[no-any-return]


def library(folder: Path, lines: Sequence[str]) -> Path:
    path = folder / "library.smi"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_keeps_the_promise() -> None:
    assert isinstance(Still(), Engine)


def test_every_row_is_answered_for(tmp_path: Path) -> None:
    lines = [*HEALTHY, *POISON]
    counts = run(library(tmp_path, lines), tmp_path / "out", job(Still()))
    assert (counts.n_in, counts.n_ok, counts.n_failed, counts.n_duplicate) == (10, 6, 3, 1)
    rows = table(tmp_path / "out")
    assert {row["row"] for row in rows} == set(range(1, 11))
    assert all((row["score"] is None) == (row["missing"] is not None) for row in rows)
    assert all(row["detail"] for row in rows if row["missing"])
    for row_number in {row["row"] for row in rows if row["pose"]}:
        poses = [row for row in rows if row["row"] == row_number]
        assert [row["pose"] for row in poses] == list(range(1, len(poses) + 1))
        assert poses == sorted(poses, key=lambda row: (not row["plausible"], -row["rescoring"]))


def test_sdf_and_table_say_the_same(tmp_path: Path) -> None:
    run(library(tmp_path, HEALTHY), tmp_path / "out", job(Still()))
    mols = list(Chem.SDMolSupplier(str(tmp_path / "out" / "poses.sdf"), removeHs=False))
    rows = [row for row in table(tmp_path / "out") if row["pose"]]
    assert [(m.GetProp("id"), int(m.GetProp("pose"))) for m in mols] == [(r["id"], r["pose"]) for r in rows]
    assert [float(m.GetProp("score_kcal_per_mol")) for m in mols] == pytest.approx(
        [r["score"] for r in rows], abs=1e-3
    )


def test_poison_changes_nothing_for_the_healthy(tmp_path: Path) -> None:
    mixed = [
        line for pair in zip(HEALTHY, [*POISON, "C[Te]CC two", "[Xe] noble"], strict=True) for line in pair
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    run(library(tmp_path / "a", HEALTHY), tmp_path / "clean", job(Still()))
    run(library(tmp_path / "b", mixed), tmp_path / "poisoned", job(Still()))

    def healthy(out: Path) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if k != "row"} for row in table(out) if row["pose"]]

    assert healthy(tmp_path / "clean") == healthy(tmp_path / "poisoned")


@pytest.mark.parametrize("lives", [1, 4, 6])
def test_killed_and_resumed_is_as_if_never_killed(tmp_path: Path, lives: int) -> None:
    path = library(tmp_path, [*HEALTHY, *POISON])
    run(path, tmp_path / "whole", job(Still()))
    with pytest.raises(KeyboardInterrupt):
        run(path, tmp_path / "killed", job(Still(lives)))
    again = Still()
    run(path, tmp_path / "killed", job(again))
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
    assert (tmp_path / "killed" / "poses.sdf").read_bytes() == (tmp_path / "whole" / "poses.sdf").read_bytes()
    assert len(again.docked) < 7 or lives < 4  # what was kept was not docked again
    assert run(path, tmp_path / "killed", job(Still(0))).n_in == 10  # finished: nothing left to do


def test_a_run_goes_on_only_as_it_began(tmp_path: Path) -> None:
    path = library(tmp_path, HEALTHY)
    run(path, tmp_path / "out", job(Still()))
    with pytest.raises(DockingError, match="without --fresh"):
        run(path, tmp_path / "out", job(Still()), resume=False)
    with pytest.raises(DockingError, match="seed was 7 and is 2"):
        run(path, tmp_path / "out", job(Still(), seed=2))
    library(tmp_path, HEALTHY[:2])
    with pytest.raises(DockingError, match="library was"):
        run(path, tmp_path / "out", job(Still()))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(DockingError, match="not empty"):
        run(path, tmp_path / "full", job(Still()))


def test_what_was_kept_and_damaged_is_docked_again(tmp_path: Path) -> None:
    path = library(tmp_path, ["CCO a", "CCN b", "CCF c", "CCCl d", "CCBr e"])
    run(path, tmp_path / "whole", job(Still()))
    with pytest.raises(KeyboardInterrupt):
        run(path, tmp_path / "killed", job(Still(4)))
    whole = next((tmp_path / "killed" / "parts").iterdir()).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for harmed in (whole[:-9], bytes(flipped), b""):
        out = tmp_path / f"killed {len(harmed)}"
        shutil.copytree(tmp_path / "killed", out)
        next((out / "parts").iterdir()).write_bytes(harmed)
        run(path, out, job(Still()), resume=True)
        for name in ("poses.sdf", "scores.parquet", "receptor.pdb", "report.txt"):
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    (out / "scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(DockingError, match=r"scores\.parquet is damaged"):
        run(path, out, job(Still()), resume=True)


def test_a_full_disk_at_the_end_is_said_and_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library(tmp_path, ["CCO a"])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("docking.library.run._joined", full)
        with pytest.raises(CannotWrite, match="free some space or raise the limit, then run again"):
            run(path, tmp_path / "out", job(Still()))
    assert run(path, tmp_path / "out", job(Still(0))).n_ok == 1  # nothing is docked again


def test_what_is_refused_leaves_no_folder_behind(tmp_path: Path) -> None:
    """So that the same command may be given again once the box, or the file, is mended."""
    path = library(tmp_path, HEALTHY[:1])
    with pytest.raises(DockingError, match="no poses to score"):
        run(path, tmp_path / "out", job(Still(), score_only=True))
    assert not (tmp_path / "out").exists()
    assert run(path, tmp_path / "out", job(Still())).n_ok == 1


def test_the_table_and_the_report_can_be_read(tmp_path: Path) -> None:
    """A record without a molecule has no SMILES, whatever else it holds; the report tells the best and every reason."""
    path = tmp_path / "poses.sdf"
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    path.write_text(f"{block}$$$$\n{block}$$$$\n{block[:200]}\n$$$$\n")
    run(path, tmp_path / "out", job(Still()))
    rows = table(tmp_path / "out")
    assert [row["missing"] for row in rows if row["pose"] is None] == ["duplicate", "unparsable"]
    assert all((row["smiles"] is None) == (row["pose"] is None) for row in rows)
    report = (tmp_path / "out" / "report.txt").read_text()
    assert "3 rows in: 1 docked, 1 failed, 0 filtered, 1 duplicate" in report
    for words in ("kcal/mol", "1 duplicate, such as", "1 unparsable, such as", "4IAR", "seed: ", "center: "):
        assert words in report


def test_poses_can_be_scored_where_they_lie(tmp_path: Path) -> None:
    bound = demo_target.reference()
    path = tmp_path / "poses.sdf"
    with Chem.SDWriter(str(path)) as writer:
        writer.write(bound)
        writer.write(bound)
        writer.write(Chem.MolFromSmiles("CCO"))
    run(path, tmp_path / "out", job(Still(), score_only=True))
    rows = table(tmp_path / "out")
    assert [row["score"] for row in rows] == [-1.0, -1.0, None]
    assert rows[2]["missing"] == "no_conformer"
    assert rows[0]["plausible"]
    with pytest.raises(DockingError, match="no poses to score"):
        run(library(tmp_path, HEALTHY), tmp_path / "other", job(Still(), score_only=True))
