"""`discovery dock` at the command line."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from docking.cli import dock
from docking.receptor import DockingError

APP = typer.Typer()
APP.command()(dock)


def asked(*words: str) -> str:
    result = CliRunner().invoke(APP, list(words), catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("c1ccccc1 benzene\nnonsense bad\n")
    return path


def test_docks_a_library(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--receptor", "demo:5HT1B", "--engine", "vina", "--effort", "fast", "--poses", "1"]
    said = asked(*words, "--ligands", str(library), "--out", str(out))
    rows = pq.read_table(out / "scores.parquet").to_pylist()
    assert [row["missing"] for row in rows] == [None, "unparsable"]
    assert rows[0]["score"] < -2
    assert (out / "poses.sdf").read_text().count("$$$$") == 1
    assert "4IAR" in (out / "report.txt").read_text()
    assert f"1. {rows[0]['score']:7.2f} kcal/mol  benzene" in said
    assert "1 unparsable, such as: library.smi, line 2" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--center 1,2,3", "center and size go together"),
        ("--rank-by luck", "rescoring or score, not 'luck'"),
        ("--center 1,2 --size 20,20,20", "three numbers"),
        ("--around a.sdf --residues A:ASP129", "one of: around"),
        ("--effort heroic", "fast, balanced, thorough"),
        ("--residues A:ASP999", "no residue A:ASP999"),
        ("--protonation A:HIS57", "A:HIS57=HIP"),
        ("--keep HOH", "prepared already"),
        ("--chains A", "prepared already"),
        ("--residues ,", "names no residue"),
        ("--engine vina --flexible A:ASP129", "need --engine native, not vina"),
        ("--flexible A:ALA1", "no residue A:ALA1"),
        ("--restrain no.toml", "no readable restraint file"),
        ("--like no.sdf", "no reference ligand file"),
        ("--pocket 900", "no pocket 900"),
        ("--center 300,0,0 --size 20,20,20", "holds no atom of"),
        ("--receptor nowhere.pdb --around a.sdf", "no structure file nowhere.pdb"),
    ],
)
def test_what_cannot_be_is_said(library: Path, tmp_path: Path, words: str, says: str) -> None:
    with pytest.raises(DockingError, match=says):
        asked(
            "--receptor",
            "demo:5HT1B",
            *words.split(),
            "--ligands",
            str(library),
            "--out",
            str(tmp_path / "out"),
        )


NATIVE = ["--receptor", "demo:5HT1B", "--engine", "native", "--effort", "fast", "--poses", "2"]
HEALTHY = ["Oc1ccccc1 phenol", "CC(C)C(=O)NCCO amide", "NCCc1c[nH]c2ccc(O)cc12 serotonin"]
POISON = [
    f"{'C' * 70} wax",
    "C[Te]C tellurium",
    "C1CC2CC1C=C2C(( broken",
    f"{'c1ccc(cc1)' * 14}c1ccccc1 rod",
    f"{'NCC(=O)' * 60}O chain",
]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_poison_changes_no_bit_of_the_healthy(tmp_path: Path) -> None:
    """Through the whole program and our own engine: unreadable, unsupported and far too large ones in between."""
    found = []
    for name, lines in (
        ("clean", HEALTHY),
        ("mixed", [POISON[0], *HEALTHY[:1], *POISON[1:], *HEALTHY[:0:-1]]),
    ):
        (tmp_path / f"{name}.smi").write_text("\n".join(lines) + "\n")
        asked(*NATIVE, "--ligands", str(tmp_path / f"{name}.smi"), "--out", str(tmp_path / name))
        rows = pq.read_table(tmp_path / name / "scores.parquet").to_pylist()
        found.append({(r["id"], r["pose"]): r["score"] for r in rows if r["missing"] is None})
        records = (tmp_path / name / "poses.sdf").read_text().split("$$$$\n")[:-1]
        found[-1] |= {
            (block.splitlines()[0], k): block.split("M  END")[0].splitlines()[3:]
            for k, block in enumerate(sorted(records))
        }
    assert found[0] == found[1]
    assert {row["id"] for row in rows if row["missing"]} == {"wax", "tellurium", "broken", "rod", "chain"}
    assert {row["missing"] for row in rows if row["id"] in ("wax", "chain")} == {"too_large"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_side_chains_and_companions_are_written_beside_the_poses(tmp_path: Path) -> None:
    (tmp_path / "l.smi").write_text(HEALTHY[0] + "\n")
    (tmp_path / "c.smi").write_text("CC(=O)O acetate\n")
    asked(
        *NATIVE, "--ligands", str(tmp_path / "l.smi"), "--out", str(tmp_path / "o"),
        "--flexible", "A:ASP129,B:PHE330", "--beside", str(tmp_path / "c.smi"),
    )  # fmt: skip
    poses = (tmp_path / "o" / "poses.sdf").read_text().count("$$$$")
    models = (tmp_path / "o" / "side_chains.pdb").read_text()
    assert models.count("ENDMDL") == poses >= 1
    assert " CG  PHE B 330" in models
    beside = (tmp_path / "o" / "beside.sdf").read_text()
    assert beside.count("$$$$") == poses
    assert "acetate" in beside
