"""The campaign's promise: one outcome per molecule, in order, the same alone and together."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from discovery import plugins
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.score import Refiner, Score
from docking import demo_target
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.protocol import Settings, rescore
from docking.dynamics.receptor_system import receptor_model
from docking.dynamics.scorers import BindingEnergy, PoseStability, energy_details, load_receptor
from docking.pose import with_coords
from docking.receptor import ReceptorError
from tests.docking.dynamics.cases import embedded, helix, shifted, text, toluene

MOLECULE = Molecule.parse("Cc1ccccc1", "toluene")
POSE = Chem.MolToMolBlock(toluene()) + "\n$$$$\n"
DOCKED = Score(-4.0, details={"pose": POSE})
ENERGY = BindingEnergy(charges="gasteiger")
HEME = "HETATM 9001 FE   HEM A 900      30.000  30.000  30.000  1.00  0.00          FE"
DRIFT = PoseStability(charges="gasteiger", length_ps=0.1, equilibration_ps=0.0, replicas=2)


def test_both_are_refiners() -> None:
    assert isinstance(ENERGY, Refiner)
    assert isinstance(DRIFT, Refiner)
    assert (ENERGY.column.unit, ENERGY.column.better) == ("kcal/mol", "low")
    assert (DRIFT.column.unit, DRIFT.column.better) == ("Å", "low")
    assert ENERGY.after == "docking"


def test_they_are_registered_and_take_plain_settings() -> None:
    made = plugins.build("scorers", "pose_stability", {"length_ps": 1, "seed": 3, "after": "redocked"})
    assert (made.length_ps, made.seed, made.after) == (1.0, 3, "redocked")
    with pytest.raises(plugins.PluginError, match="length_ps"):
        plugins.build("scorers", "binding_energy", {"lenght_ps": 1})


def test_an_outcome_does_not_depend_on_its_neighbours() -> None:
    broken = Score(-4.0, details={"pose": "garbage"})
    bare = Score(-4.0)
    alone = ENERGY.refine([MOLECULE], [DOCKED])
    among = ENERGY.refine([MOLECULE] * 3, [broken, DOCKED, bare])
    assert isinstance(among[0], Missing)
    assert among[0].reason is Reason.UNPARSABLE
    assert isinstance(among[2], Missing)
    assert "left no pose" in among[2].detail
    assert isinstance(alone[0], Score)
    assert among[1] == alone[0]


def test_energy_details_are_plain_and_complete() -> None:
    (found,) = ENERGY.refine([MOLECULE], [DOCKED])
    assert isinstance(found, Score)
    details = json.loads(json.dumps(found.details))
    assert details["heavy_atoms"] == 7
    assert details["charges"] == "gasteiger"
    assert sum(details["terms_kcal_per_mol"].values()) == pytest.approx(found.value, abs=0.01)
    assert Chem.MolFromMolBlock(details["pose"].split("$$$$")[0], removeHs=False).GetNumAtoms() == 15
    assert any("membrane" in note for note in details["notes"])


def test_drift_with_its_spread_and_trace() -> None:
    (found,) = DRIFT.refine([MOLECULE], [DOCKED])
    assert isinstance(found, Score)
    assert found.error is not None
    details = json.loads(json.dumps(found.details))
    assert len(details["rmsd"]) == 2
    assert 0.0 <= details["contacts_kept"] <= 1.0
    assert details["steps"] == 50
    assert DRIFT.refine([MOLECULE], [DOCKED]) == [found]


def test_a_pose_outside_is_one_row() -> None:
    away = shifted(toluene(), 300.0)
    (found,) = ENERGY.refine([MOLECULE], [Score(-4.0, details={"pose": Chem.MolToMolBlock(away)})])
    assert isinstance(found, Missing)
    assert found.reason is Reason.OUTSIDE_BOX
    assert "toluene" in found.detail


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"charges": "resp"}, "am1-bcc"),
        ({"length_ps": -1.0}, "length_ps"),
        ({"threads": 0}, "threads"),
        ({"after": ""}, "after"),
        ({"replicas": 0, "length_ps": 1.0}, "replicas"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], says: str) -> None:
    for scorer in (PoseStability, BindingEnergy):
        with pytest.raises(ValueError, match=says):
            scorer(**settings)  # type: ignore[arg-type]


def test_an_unknown_receptor_is_named() -> None:
    with pytest.raises(ReceptorError, match="demo:5HT1B"):
        load_receptor("demo:5HT2A")
    with pytest.raises(ReceptorError, match=r"nowhere\.pdb"):
        load_receptor("nowhere.pdb")


def test_a_pdbqt_is_prepared_anew_with_all_that_it_holds(tmp_path: Path) -> None:
    """Its hydrogens are those on N, O and S alone; a zinc that the ligand touches is told."""
    acetate, middle = embedded("CC(=O)[O-]"), toluene().GetConformer().GetPositions().mean(axis=0)
    acetate = with_coords(acetate, acetate.GetConformer().GetPositions() + middle)
    x, y, z = acetate.GetConformer().GetPositions()[2] + (0.0, 0.0, 2.2)
    zinc = f"ATOM   9001 ZN   ZN5 A 900    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00     0.000 Zn"
    lines = [line for line in demo_target.receptor().pdbqt.splitlines() if 124 < int(line[22:26] or 0) < 134]
    path = tmp_path / "helix.pdbqt"
    path.write_text("\n".join([*(x for x in lines if x[21] == "A"), zinc, "TER", ""]))
    model = load_receptor(str(path))
    assert model.labels == (*receptor_model(text(helix())).labels, "A:ZN900")
    found = rescore(model, acetate, Settings(charges=gasteiger))
    told = energy_details(found)["notes"]
    assert any(re.match(r"A:ZN900 is [12]\.\d Å from the ligand", note) for note in told)
    assert not any("bonded" in note for note in told)
    xyz = found.bound.xyz.copy()
    xyz[found.bound.ligand.start] = xyz[0] + (0.0, 0.0, 0.18)
    drawn = replace(found, bound=replace(found.bound, xyz=xyz))
    label = found.bound.labels[found.bound.residue[0]]
    assert any(
        f"{label} is 1.8 Å from the ligand in the pose given: if they are bonded" in note
        for note in energy_details(drawn)["notes"]
    )


def test_what_has_no_parameters_can_be_left_out_as_the_message_says(tmp_path: Path) -> None:
    path = tmp_path / "with_heme.pdb"
    path.write_text(text([*helix(), "TER", HEME]))
    with pytest.raises(ReceptorError, match=r"--drop A:HEM900"):
        load_receptor(str(path))
    assert "A:HEM900" not in load_receptor(str(path), drop=["A:HEM900"]).labels
    with pytest.raises(ReceptorError, match="prepared already"):
        load_receptor("demo:5HT1B", drop=["A:HEM900"])
    haem = np.array([[30.0, 30.0, 30.0]])
    far = load_receptor(str(path), away_from=haem + 40.0)
    assert "A:HEM900" not in far.labels
    assert far.notes[0].startswith("A:HEM900 left out: ff14SB does not know it, and it is 69 Å")
    assert not any("A:HEM900: cofactor, kept" in note for note in far.notes)
    assert far.labels == load_receptor(str(path), drop=["A:HEM900"]).labels
    with pytest.raises(ReceptorError, match=r"--drop A:HEM900"):
        load_receptor(str(path), away_from=haem + 5.0)
    with pytest.raises(ReceptorError, match="which the structure does not hold"):
        BindingEnergy(receptor=str(path), drop=("A:NAD900",)).refine([MOLECULE], [DOCKED])
