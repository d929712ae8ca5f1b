"""Found pockets; references are crystal ligands and the laws of geometry."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from docking import demo_target, pdbqt, pockets
from docking.receptor import Receptor, ReceptorError
from tests.docking.complexes import needs_shared

rng = np.random.default_rng(3)


def as_receptor(coords: np.ndarray, name: str = "made") -> Receptor:
    kinds = np.random.default_rng(2).choice(
        ["C", "C", "C", "A", "N", "OA"], size=len(coords)
    )  # as in a protein
    atoms = [
        pdbqt.Atom(i + 1, "X", "A", "ALA", str(i // 5 + 1), str(kind), 0.0) for i, kind in enumerate(kinds)
    ]
    lines = [atom.line(xyz) for atom, xyz in zip(atoms, coords, strict=True)]
    return Receptor(name, "", "\n".join([*lines, "TER"]) + "\n")


def hollow_ball(inner: float = 5.0, outer: float = 12.5) -> np.ndarray:
    """Atoms packed as densely as in a protein between two spheres."""
    grid = np.stack(np.meshgrid(*[np.arange(-12.6, 12.7, 2.1)] * 3), axis=-1).reshape(-1, 3)
    grid += rng.normal(scale=0.4, size=grid.shape)
    far = np.linalg.norm(grid, axis=1)
    return grid[(far > inner) & (far < outer)]


BALL = hollow_ball()


def test_moving_the_receptor_moves_its_pockets() -> None:
    here = demo_target.receptor()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    coords = pdbqt.read(here.pdbqt).coords
    middle = coords.mean(axis=0)
    text = pdbqt.moved(here.pdbqt, (coords - middle) @ turn.T)
    before, after = pockets.find(here)[0], pockets.find(Receptor("turned", "", text))[0]
    assert np.linalg.norm(turn @ (before.center - middle) - after.center) < 0.5
    assert after.score == pytest.approx(before.score, rel=0.1)


def test_every_sphere_touches_four_atoms_and_holds_none() -> None:
    """The definition of an alpha sphere."""
    centers, radii = pockets.spheres(BALL)
    gaps = np.linalg.norm(centers[:, None] - BALL[None], axis=-1) - radii[:, None]
    assert np.linalg.norm(centers, axis=1).min() < 2.5  # one lies in the hollow
    assert gaps.min() > -1e-6
    assert ((np.abs(gaps) < 1e-6).sum(axis=1) >= 4).all()


def test_finds_where_ergotamine_lies() -> None:
    """Reference: the crystal structure of 5-HT1B with ergotamine, 4IAR."""
    found = pockets.find(demo_target.receptor())
    ligand = demo_target.reference().GetConformer().GetPositions()
    assert any(np.linalg.norm(ligand - p.center, axis=1).min() < 4.0 for p in found[:3])
    assert found[0] is not found[1]
    assert [p.rank for p in found] == list(range(1, len(found) + 1))
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    again = pockets.find(demo_target.receptor())
    assert [p.center for p in again] == [p.center for p in found]


@pytest.mark.parametrize("coords", [np.eye(3), np.pad(rng.normal(size=(40, 2)) * 9, ((0, 0), (0, 1)))])
def test_what_encloses_nothing_is_refused(coords: np.ndarray) -> None:
    with pytest.raises(ReceptorError, match="plate has no pocket"):
        pockets.find(as_receptor(coords, "plate"))


def test_a_rank_that_is_not_there_is_refused() -> None:
    with pytest.raises(ReceptorError, match="no pocket 500: pockets count from 1 to"):
        pockets.pocket(demo_target.receptor(), 500)
    with pytest.raises(ReceptorError, match="pockets count from 1"):
        pockets.pocket(demo_target.receptor(), 0)


def test_the_command_takes_one_place_only(tmp_path) -> None:
    from discovery.cli import app

    library = tmp_path / "l.smi"
    library.write_text("CCO ethanol\n")
    given = ["dock", "--receptor", "demo:5HT1B", "--ligands", str(library), "--out", str(tmp_path / "o")]
    answer = CliRunner().invoke(app, [*given, "--pocket", "1", "--residues", "A:ASP129"])
    assert answer.exit_code != 0
    assert "give one of" in (answer.output + str(answer.exception))


@needs_shared
@pytest.mark.slow
def test_finds_crystal_ligands() -> None:
    """Reference: crystal ligands that the weights never saw; a random place on a protein is right once in 50."""
    from tests.benchmarks.pockets import EVERY, held, measured
    from tests.docking.complexes import redocking

    rows = [measured(Receptor(c.name, "", c.receptor), held(c.ligand)) for c in redocking()[:: 4 * EVERY]]
    assert np.mean([row["atom_3"] for row in rows]) >= 0.6
