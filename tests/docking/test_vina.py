"""Vina behind the engine promise."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason
from docking import demo_target, ligand, pdbqt
from docking.engines.engine import dock_all, ligand_seed
from docking.pose import rmsd
from docking.receptor import DockingError, ReceptorError
from docking.site import Site

vina = pytest.importorskip("vina")
meeko = pytest.importorskip("meeko")

from docking.engines.vina import VinaEngine  # noqa: E402 - needs vina

ENGINE = VinaEngine(exhaustiveness=1)
RECEPTOR, SITE = demo_target.receptor(), demo_target.site()
BOUND = ligand.of_mol(demo_target.reference())
SMALL = [ligand.prepare(Molecule.parse(s))[0] for s in ("Oc1ccccc1", "C[Si](C)(C)CO", "OB(O)c1ccccc1")]


def test_scores_our_text_as_it_scores_meekos() -> None:
    """Reference: the same pose written by Meeko, scored by `vina` called directly."""
    setup = meeko.MoleculePreparation(rigid_macrocycles=True).prepare(BOUND.mol())[0]
    text, fine, why = meeko.PDBQTWriterLegacy.write_string(setup)
    assert fine, why
    from docking.engines.vina import _program

    program = _program(RECEPTOR, SITE, "vina", 1)
    program.set_ligand_from_string(text)
    theirs = program.score()
    ours = ENGINE.score(RECEPTOR, SITE, BOUND, BOUND.coords())
    assert ours.score == pytest.approx(theirs[0], abs=2e-3)
    assert ours.terms["inter"] == pytest.approx(theirs[1], abs=2e-3)
    assert ours.terms["intra"] == pytest.approx(theirs[5], abs=2e-3)
    assert ours.score < -10  # ergotamine binds 5-HT1B at nanomolar concentration


def test_poses_are_whole_molecules_and_score_as_they_were_docked() -> None:
    """What any engine must do is in test_engine_conformance.py."""
    for one, poses in zip(SMALL, dock_all(ENGINE, RECEPTOR, SITE, SMALL, seed=1, n_poses=3), strict=True):
        assert not isinstance(poses, Missing)
        for pose in poses:
            assert Chem.MolToSmiles(Chem.RemoveHs(pose.mol())) == Chem.MolToSmiles(Chem.RemoveHs(one.mol()))
            again = ENGINE.score(RECEPTOR, SITE, one, pose.coords)
            assert again.terms["inter"] == pytest.approx(pose.terms["inter"], abs=5e-3)


def test_a_pose_that_rounding_puts_over_the_wall_is_refused_by_name() -> None:
    """PDBQT holds three decimals; `vina` itself stops the run."""
    site = Site((3.1006, 0.5, 10.4), (15.0, 15.0, 15.0))
    xyz = SMALL[0].coords() - SMALL[0].coords().mean(axis=0) + np.array(site.center)
    heavy = [a.GetIdx() for a in SMALL[0].mol().GetAtoms() if a.GetAtomicNum() > 1]
    xyz[:, 0] += 3.1006 + 7.5 - xyz[heavy, 0].max() - 1e-9
    with pytest.raises(MoleculeError, match="wall") as caught:
        ENGINE.score(RECEPTOR, site, SMALL[0], xyz)
    assert caught.value.reason is Reason.OUTSIDE_BOX


def test_a_pose_outside_is_refused() -> None:
    with pytest.raises(MoleculeError) as caught:
        ENGINE.score(RECEPTOR, SITE, BOUND, BOUND.coords() + 30.0)
    assert caught.value.reason is Reason.OUTSIDE_BOX


def test_a_ligand_longer_than_the_box_is_refused() -> None:
    stick = ligand.prepare(Molecule.parse("c1ccc2cc3cc4cc5ccccc5cc4cc3cc2c1", "pentacene"))[0]
    with pytest.raises(MoleculeError, match="pentacene has a rigid part") as caught:
        ENGINE.dock(RECEPTOR, Site(SITE.center, (6.0, 6.0, 6.0)), stick, seed=1, n_poses=1)
    assert caught.value.reason is Reason.OUTSIDE_BOX


def test_a_box_in_the_wrong_place_stops_the_run() -> None:
    with pytest.raises(ReceptorError, match="holds no atom"):
        ENGINE.dock(RECEPTOR, Site((300.0, 0.0, 0.0), (20.0, 20.0, 20.0)), SMALL[0], seed=1, n_poses=1)


def test_wild_scores_never_leave() -> None:
    with pytest.raises(MoleculeError) as caught:
        ENGINE._pose(SMALL[0], pdbqt.read(SMALL[0].pdbqt).coords, {}, -108.0)
    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize("settings", [{"exhaustiveness": 0}, {"min_rmsd": 0.0}, {"energy_range": -1.0}])
def test_settings_that_cannot_be(settings: dict[str, float]) -> None:
    with pytest.raises(DockingError):
        VinaEngine(**settings)  # type: ignore[arg-type]


def test_seeds_come_from_the_ligand() -> None:
    assert ligand_seed(1, SMALL[0]) == ligand_seed(1, SMALL[0]) != ligand_seed(1, SMALL[1])
    assert ligand_seed(1, SMALL[0]) != ligand_seed(2, SMALL[0])


def test_without_vina_the_extra_is_named() -> None:
    code = "import sys; sys.modules['vina'] = None\nimport docking.engines.vina"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "discovery-workbench[docking]" in answer.stderr


@pytest.mark.slow
def test_ergotamine_goes_back_to_its_place() -> None:
    """Reference: the crystal pose. Rings as bound, torsions searched."""
    poses = VinaEngine(exhaustiveness=8).dock(RECEPTOR, SITE, BOUND, seed=1, n_poses=3)
    assert rmsd(poses[0].mol(), BOUND.mol()) < 2.0
