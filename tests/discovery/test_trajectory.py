"""Frames become a film that fits in a page; references: MDAnalysis writes what is read, numpy measures the drift."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from discovery.views.trajectory import FRAMES, TrajectoryError, TrajectoryView

POCKET = "\n".join(
    f"ATOM  {n:5d}  {name:<3s} ASP A 129    {x:8.3f}{0.0:8.3f}{0.0:8.3f}  1.00  0.00           {name[0]}"
    for n, (name, x) in enumerate((("N", 3.0), ("CA", 4.4), ("C", 5.9), ("O", 6.6), ("H", 3.1)), start=1)
)
FAR = f"ATOM      6  CA  GLY A   5    {90.0:8.3f}{0.0:8.3f}{0.0:8.3f}  1.00  0.00           C"


def ligand() -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles("NCCc1c[nH]c2ccccc12"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    return mol


MOL = ligand()
BLOCK = Chem.MolToMolBlock(MOL)


def film(n: int, *, pocket: bool = True) -> np.ndarray:
    rng = np.random.default_rng(7)
    at = (
        [[3.0, 0, 0], [4.4, 0, 0], [5.9, 0, 0], [6.6, 0, 0], [3.1, 0, 0], [90.0, 0, 0]]
        if pocket
        else np.zeros((0, 3))
    )
    start = np.vstack([at, MOL.GetConformer().GetPositions()])
    return start[None] + np.concatenate([[np.zeros_like(start)], rng.normal(0, 0.2, (n - 1, *start.shape))])


def test_the_drift_is_the_ligands_and_needs_no_pocket() -> None:
    frames = film(12, pocket=False)
    view = TrajectoryView.of(frames, ligand=BLOCK, times=list(range(12)))
    heavy = [atom.GetIdx() for atom in MOL.GetAtoms() if atom.GetAtomicNum() > 1]
    theirs = [np.sqrt(((frame[heavy] - frames[0][heavy]) ** 2).sum(-1).mean()) for frame in frames]
    assert view.content["drift"] == pytest.approx(theirs, abs=0.006)
    assert view.content["pocket_frames"] == []


def test_only_what_is_beside_the_ligand_travels_and_hydrogens_of_the_pocket_stay() -> None:
    view = TrajectoryView.of(film(5), ligand=BLOCK, times=list(range(5)), pocket=f"{POCKET}\n{FAR}")
    assert view.content["pocket"].count("ATOM") == 4  # neither its hydrogen nor the far residue
    assert len(view.content["pocket_frames"][0]) == 12
    assert len(view.content["ligand_frames"][0]) == 3 * MOL.GetNumAtoms()


def test_a_long_film_is_thinned_and_says_so() -> None:
    view = TrajectoryView.of(film(1000, pocket=False), ligand=BLOCK, times=list(range(1000)))
    assert len(view.content["times"]) == FRAMES
    assert view.content["times"][0] == 0
    assert view.content["times"][-1] == 999
    assert view.left_out == 960
    assert "960 frames" in view._repr_html_()
    assert len(view.page()) < 1_500_000


def test_what_does_not_fit_is_named() -> None:
    for frames, times, said in (
        (film(4, pocket=False)[:, 1:], range(4), "must be"),
        (film(4, pocket=False), range(3), "3 times"),
        (film(4, pocket=False) * np.nan, range(4), "finite"),
        (film(4, pocket=False)[:1], range(1), "two are needed"),
    ):
        with pytest.raises(TrajectoryError, match=said):
            TrajectoryView.of(frames, ligand=BLOCK, times=list(times))
    with pytest.raises(TrajectoryError, match="no mol block"):
        TrajectoryView.of(film(3), ligand="no block", times=[0, 1, 2])


@pytest.mark.filterwarnings("ignore")  # MDAnalysis speaks of its own plans and of the broken file
@pytest.mark.parametrize("kind", ["dcd", "xtc"])
def test_reads_what_other_programs_write(kind: str, tmp_path: Path) -> None:
    """Reference: MDAnalysis writes the file."""
    mda = pytest.importorskip(
        "MDAnalysis", reason="MDAnalysis, which comes with the docking extra, is absent"
    )
    frames = film(6)
    last = [
        f"HETATM{7 + n:5d}  X   LIG B   1    {0.0:8.3f}{0.0:8.3f}{0.0:8.3f}  1.00  0.00           {atom.GetSymbol()}"
        for n, atom in enumerate(MOL.GetAtoms())
    ]
    topology, ligand_file = tmp_path / "all.pdb", tmp_path / "ligand.sdf"
    topology.write_text("\n".join([POCKET, FAR, *last, "END", ""]))
    ligand_file.write_text(BLOCK + "\n$$$$\n")
    universe = mda.Universe(str(topology))
    with mda.Writer(str(tmp_path / f"film.{kind}"), universe.atoms.n_atoms) as writer:
        for frame in frames:
            universe.atoms.positions = frame
            writer.write(universe.atoms)
    view = TrajectoryView.read(topology, tmp_path / f"film.{kind}", ligand_file)
    flat = np.array(view.content["ligand_frames"]).reshape(6, -1, 3)
    assert flat == pytest.approx(frames[:, 6:], abs=0.011)
    (tmp_path / f"film.{kind}").write_bytes(b"nothing of the kind")
    with pytest.raises(TrajectoryError, match=r"film\."):
        TrajectoryView.read(topology, tmp_path / f"film.{kind}", ligand_file)
