"""Reference: OpenMM's own ff14SB energy; broken receptors are in test_broken_inputs.py."""

from __future__ import annotations

import io

import numpy as np
import pytest
from openmm import app

from docking.dynamics import receptor_system as room
from docking.dynamics.receptor_system import receptor_model
from docking.dynamics.system import Choices, system_of
from docking.receptor import ReceptorError
from tests.docking.dynamics.cases import LINES, demo_model, energy_of, helix, needs_shared, shared_text, text


def test_the_whole_target_keeps_its_charge_and_its_names() -> None:
    model = demo_model()
    assert model.terms.n_atoms == 4988
    assert model.terms.charge.sum() == pytest.approx(12.0, abs=1e-6)
    assert "A:ASP129" in model.labels
    assert "B:CYS340" in model.labels


@needs_shared
def test_energy_is_openmms_own() -> None:
    """T4 lysozyme, capped and complete: OpenMM's loader without any of ours."""
    pdb = shared_text("t4_lysozyme/protein.pdb")
    file = app.PDBFile(io.StringIO(pdb))
    theirs = app.ForceField("amber14/protein.ff14SB.xml").createSystem(file.topology, removeCMMotion=False)
    model = receptor_model(pdb, "T4 lysozyme")
    energies = []
    for system in (theirs, system_of(model.terms, choices=Choices(implicit_water=False))):
        energies.append(energy_of(system, file.positions))
    assert energies[1] == pytest.approx(energies[0], rel=1e-9)


def test_a_residue_without_its_alpha_carbon_is_left_out_and_said() -> None:
    """Where a chain fades out, files hold a lone N."""
    whole = helix()
    last = [x for x in whole if int(x[22:26]) == 133]
    stump = [x for x in last if x[12:16].strip() in ("N", "H")]
    model = receptor_model(text([x for x in whole if x not in last] + stump), "helix 3")
    assert model.labels[-1].endswith("132")
    assert any("133 left out: it has no alpha carbon" in note for note in model.notes)


@needs_shared
@pytest.mark.parametrize("system", ["tyk2", "cdk2", "mcl1", "thrombin", "hif2a", "t4_lysozyme"])
def test_every_shared_protein_loads_with_a_whole_charge(system: str) -> None:
    charge = receptor_model(shared_text(f"{system}/protein.pdb"), system).terms.charge.sum()
    assert charge == pytest.approx(round(charge), abs=1e-3)


def test_open_ends_keep_the_parameters_of_the_inside() -> None:
    """A stretch cut out of a chain has no charged ends."""
    model = receptor_model(text(helix()), "helix 3")
    assert model.labels[0] == "A:ILE125" or model.labels[0].startswith("A:")
    assert model.terms.charge.sum() == pytest.approx(-1.0, abs=1e-6)  # Asp129 alone


def test_no_bond_is_drawn_across_a_gap() -> None:
    lines = [x for x in helix() if int(x[22:26]) != 130]
    model = receptor_model(text(lines), "helix 3")
    lengths = np.linalg.norm(model.xyz[model.terms.bonds[:, 0]] - model.xyz[model.terms.bonds[:, 1]], axis=1)
    assert lengths.max() < 0.22
    assert any("open between" in note for note in model.notes)


def test_residues_in_the_wrong_order_are_bonded_by_distance() -> None:
    lines = helix()
    swapped = sorted(lines, key=lambda x: (-int(x[22:26]), lines.index(x)))
    model, straight = receptor_model(text(swapped), "helix 3"), receptor_model(text(lines), "helix 3")
    assert len(model.terms.bonds) == len(straight.terms.bonds)


def water(number: int, x: float, y: float, z: float) -> list[str]:
    """A water with its oxygen there."""
    places = {"O": (x, y, z), "H1": (x + 0.957, y, z), "H2": (x - 0.240, y + 0.927, z)}
    return [
        f"HETATM{number}{i:02}  {name:<3} HOH A {number}    {px:8.3f}{py:8.3f}{pz:8.3f}  1.00  0.00           {name[0]}"
        for i, (name, (px, py, pz)) in enumerate(places.items())
    ]


HELD = water(901, -9.26, -5.96, 5.15)  # beside OG and O of Ser127, N of Ser128, OG1 of Thr131
SINGLE = water(902, 30.0, 30.0, 30.0)


def test_a_water_that_three_polar_atoms_hold_is_the_receptors_and_others_are_the_continuums() -> None:
    model = receptor_model(text([*helix(last=132), "TER", *HELD, *SINGLE]), "helix 3", waters=True)
    assert [label for label in model.labels if "HOH" in label] == ["A:HOH901"]
    assert model.waters == {model.labels.index("A:HOH901")}
    assert "A:HOH901" in model.notes[0]
    assert model.notes[1].startswith("1 crystal water")
    (oxygen,) = np.flatnonzero((model.residue == model.labels.index("A:HOH901")) & (model.numbers == 8))
    own = model.terms.charge[model.residue == model.labels.index("A:HOH901")]
    assert own.sum() == pytest.approx(0.0, abs=1e-9)
    assert (model.terms.bonds == oxygen).sum() == 2
    # what held it is gone: a stretch of the same helix without Ser127 and Thr131
    less = [x for x in helix(last=132) if int(x[22:26]) not in (127, 131)]
    assert not receptor_model(text([*less, "TER", *HELD]), "helix 3", waters=True).waters


def test_waters_are_left_out_and_said_unless_asked_for() -> None:
    model = receptor_model(text([*helix(last=132), "TER", *HELD, *SINGLE]), "helix 3")
    assert model.notes[0].startswith("2 crystal water")
    assert not any("HOH" in label for label in model.labels)


def test_a_water_without_hydrogens_is_left_to_the_continuum_unless_all_are_to_be_placed() -> None:
    model = receptor_model(text([*helix(last=132), "TER", HELD[0]]), "helix 3", waters=True)
    assert not model.waters
    bare = [x for x in [*helix(last=132), "TER", HELD[0]] if x == "TER" or x[76:78].strip() != "H"]
    model = receptor_model(text(bare), "bare", waters=True)
    assert [model.labels[i] for i in model.waters] == ["A:HOH901"]
    assert (model.residue == min(model.waters)).sum() == 3


@pytest.mark.parametrize(("name", "charge"), [("ZN", 2.0), ("MG", 2.0), ("CL", -1.0)])
def test_an_ion_is_kept_with_its_charge(name: str, charge: float) -> None:
    ion = (
        f"HETATM 9001 {name:>2}    {name:>2} A 900      30.000  30.000  30.000  1.00  0.00          {name:>2}"
    )
    model = receptor_model(text([*helix(), "TER", ion]), "helix 3")
    assert model.terms.charge.sum() == pytest.approx(charge - 1.0, abs=1e-6)
    assert f"A:{name}900" in model.labels


def test_a_disulfide_and_a_thiolate_are_told_apart() -> None:
    """Cys122-Cys199 of 5-HT1B are bridged; a lone cysteine without its hydrogen is a thiolate."""
    near = [x for x in LINES if x.startswith("ATOM") and x[21] == "A" and int(x[22:26]) in (122, 199)]
    assert receptor_model(text(near), "bridge").terms.charge.sum() == pytest.approx(0.0, abs=1e-6)
    alone = [x for x in near if int(x[22:26]) == 122]
    assert receptor_model(text(alone), "thiolate").terms.charge.sum() == pytest.approx(-1.0, abs=1e-6)


def test_a_receptor_without_hydrogens_is_given_them() -> None:
    bare = [
        x for x in LINES if x.startswith("ATOM") and x[76:78].strip() != "H" and 100 <= int(x[22:26]) <= 140
    ]
    model = receptor_model(text(bare), "bare")
    assert (model.numbers == 1).sum() > 250
    assert "had no hydrogens" in model.notes[0]


def renamed(old: str, new: str, residue: int = 129) -> list[str]:
    return [x.replace(old, new) if int(x[22:26]) == residue else x for x in helix()]


def phosphorylated(lines: list[str], residue: int) -> list[str]:
    """A serine's hydroxyl hydrogen exchanged for a phosphate, 1.6 Å along its bond."""
    own = {x[12:16].strip(): x for x in lines if int(x[22:26]) == residue}
    og, hg = (np.array([float(own[a][i : i + 8]) for i in (30, 38, 46)]) for a in ("OG", "HG"))
    along = (hg - og) / np.linalg.norm(hg - og)
    across = np.linalg.svd(along[None])[2][1:]
    phosphorus = og + 1.6 * along
    turns = np.radians([0.0, 120.0, 240.0])
    sides = [np.cos(t) * across[0] + np.sin(t) * across[1] for t in turns]
    places = {"P": phosphorus} | {
        f"O{i + 1}P": phosphorus + 1.5 * (0.33 * along + 0.94 * side) for i, side in enumerate(sides)
    }
    made = []
    for x in lines:
        if int(x[22:26]) != residue:
            made.append(x)
        elif x[12:16].strip() != "HG":
            made.append(x[:17] + "SEP" + x[20:])
            if x[12:16].strip() == "OG":
                for name, (a, b, c) in places.items():
                    made.append(
                        f"{x[:12]} {name:<3} SEP{x[20:30]}{a:8.3f}{b:8.3f}{c:8.3f}{x[54:76]} {name[0]}"
                    )
    return made


SERINES = sorted(
    {int(x[22:26]) for x in LINES if x.startswith("ATOM") and x[21] == "A" and x[17:20] == "SER"}
)


def test_a_phosphoserine_has_its_two_charges() -> None:
    middle = next(r for r in SERINES if r > 60)
    lines = helix(middle - 3, middle + 3)
    plain = receptor_model(text(lines), "stretch")
    model = receptor_model(text(phosphorylated(lines, middle)), "stretch")
    assert f"A:SEP{middle}" in model.labels
    assert model.terms.charge.sum() == pytest.approx(plain.terms.charge.sum() - 2.0, abs=1e-4)
    assert len(model.terms.bonds) == len(plain.terms.bonds) + 3
    assert "phosaa14SB" in model.notes[0]


def bare(lines: list[str]) -> str:
    """As a crystal shows it."""
    return text([x for x in lines if not x[12:16].strip().lstrip("0123456789").startswith("H")])


def test_a_modified_residue_without_hydrogens_gets_its_own() -> None:
    """The phosphate is given no proton; hydroxyproline is proline's twin with a hydroxyl on its ring."""
    middle = next(r for r in SERINES if r > 60)
    lines = helix(middle - 3, middle + 3)
    model = receptor_model(bare(phosphorylated(lines, middle)), "stretch")
    own = [name for name, r in zip(model.atom_names, model.residue, strict=True) if "SEP" in model.labels[r]]
    assert sorted(name for name in own if name[0] == "H") == ["H", "HA", "HB2", "HB3"]
    prolines = {int(x[22:26]) for x in LINES if x.startswith("ATOM") and x[21] == "A" and x[17:20] == "PRO"}
    proline = min(r for r in prolines if r > 60)
    lines = helix(proline - 2, proline + 2)
    made = []
    for x in lines:
        mine = int(x[22:26]) == proline
        x = x[:17] + "HYP" + x[20:] if mine else x
        if mine and x[12:16].strip() == "HG2":  # a carbon's hydrogen 1.09 Å away becomes an oxygen
            x = x[:12] + " OD1" + x[16:76] + " O" + x[78:]
        made.append(x)
    model = receptor_model(bare(made), "stretch")
    plain = receptor_model(bare(lines), "stretch")
    assert model.terms.charge.sum() == pytest.approx(plain.terms.charge.sum(), abs=1e-4)
    assert len(model.terms.bonds) == len(plain.terms.bonds) + 1


def test_without_openmmforcefields_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docking.dynamics.receptor_system.find_spec", lambda name: None)
    room._force_field.cache_clear()
    with pytest.raises(ReceptorError, match="pip install openmmforcefields"):
        receptor_model(text(renamed("ASP", "TPO")), "helix 4")
    room._force_field.cache_clear()
