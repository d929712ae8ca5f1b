"""Laws of the carved pocket: it knows the receptor's residues, and costs little accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from docking.dynamics.binding_energy import interaction
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.pocket import carve
from docking.dynamics.receptor_system import receptor_model
from tests.docking.dynamics.cases import demo_model, embedded, helix, text, toluene, toluene_pocket
from tests.docking.dynamics.test_receptor_system import HELD


def test_what_is_near_is_kept_and_what_is_nearest_moves() -> None:
    bound = toluene_pocket()
    model = demo_model()
    pose = toluene().GetConformer().GetPositions() / 10
    gaps = np.linalg.norm(model.xyz[:, None] - pose[None], axis=-1).min(axis=1)
    for residue in range(len(model.labels)):
        near = gaps[model.residue == residue].min() * 10
        if near <= 6.0:
            assert model.labels[residue] in bound.labels
    kept = bound.frozen[: bound.n_receptor]
    for index in range(len(bound.labels)):
        atoms = bound.residue == index
        near = gaps[bound.receptor_atoms[atoms]].min() * 10
        assert kept[atoms].all() == (near > 4.0)
    assert not bound.frozen[bound.ligand].any()


def test_a_free_residue_hangs_on_no_cut_bond() -> None:
    bound, model = toluene_pocket(), demo_model()
    kept = set(bound.receptor_atoms.tolist())
    free = {int(a) for a, still in zip(bound.receptor_atoms, bound.frozen, strict=False) if not still}
    for a, b in model.terms.bonds.tolist():
        assert not (a in free and b not in kept)
        assert not (b in free and a not in kept)


def test_the_pocket_stands_for_the_whole_receptor() -> None:
    """The difference to the whole receptor, 4,988 atoms, for a neutral ligand: below half a kcal/mol."""
    mol, model = toluene(), demo_model()
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    xyz = mol.GetConformer().GetPositions()
    small, whole = (carve(model, terms, xyz, keep=keep) for keep in (9.0, 1000.0))
    assert whole.n_receptor == model.terms.n_atoms
    assert interaction(small, small.xyz).total == pytest.approx(interaction(whole, whole.xyz).total, abs=0.5)


def test_a_water_that_the_pose_lies_on_made_room_for_it() -> None:
    """Of two crystal waters the one beside the ligand stays, the one it lies on does not."""
    ligand = embedded("CO")
    terms = ligand_terms(ligand, gasteiger(ligand).values, force_field())
    model = receptor_model(text([*helix(last=132), "TER", *HELD]), "helix 3", waters=True)
    (oxygen,) = np.flatnonzero((model.numbers == 8) & (model.residue == min(model.waters)))
    spot = model.xyz[oxygen] * 10.0
    xyz = ligand.GetConformer().GetPositions()
    for apart, there in ((1.0, False), (2.8, True)):
        pose = xyz - xyz[1] + spot + np.array([0.0, -apart, 0.0])
        gap = np.linalg.norm(pose - spot, axis=1).min()
        assert (gap > 1.5) == there
        bound = carve(model, terms, pose)
        assert ("A:HOH901" in bound.labels) == there
        assert bound.terms.n_atoms == bound.n_receptor + len(xyz)


def test_a_metal_and_what_holds_it_stand_still() -> None:
    ligand = embedded("CO")
    terms = ligand_terms(ligand, gasteiger(ligand).values, force_field())
    bare = receptor_model(text(helix()), "helix 3")
    of_asp = bare.residue == bare.labels.index("A:ASP129")
    root, oxygen = (
        bare.xyz[(np.array(bare.atom_names) == name) & of_asp][0] * 10.0 for name in ("CG", "OD1")
    )
    x, y, z = zinc = oxygen + 2.1 * (oxygen - root) / np.linalg.norm(oxygen - root)
    line = f"HETATM 9001 ZN    ZN A 900    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          ZN"
    model = receptor_model(text([*helix(), "TER", line]), "helix 3")
    bound = carve(model, terms, ligand.GetConformer().GetPositions() + zinc + (3.0, 0.0, 0.0))
    moving = {bound.labels[i] for i in bound.residue[~bound.frozen[: bound.n_receptor]]}
    assert moving
    assert not moving & {"A:ASP129", "A:ZN900"}
    assert {"A:ASP129", "A:ZN900"} <= {bound.labels[i] for i in bound.residue}
