"""A side chain that was turned away from how it stood finds back; only what may turn is tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from docking.dynamics.free_energy.beginning import Beginning, Seat, beginning, searched, seat, turning
from docking.dynamics.free_energy.relative import parameters
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.platform import Device
from docking.dynamics.pocket import carve
from docking.dynamics.protocol import Settings
from docking.dynamics.receptor_system import ReceptorModel
from tests.docking.dynamics.cases import demo_model, toluene

SETTINGS = Settings(charges=gasteiger, keep=4.0, free=3.0, device=Device("CPU", 1))


def test_only_single_bonds_of_side_chains_are_tried() -> None:
    """Reference: which residues have a carbon beyond CB that four bonds hold, by their names."""
    terms, _ = parameters(toluene(), SETTINGS, "toluene")
    model = demo_model()
    bound = carve(model, terms, toluene().GetConformer().GetPositions(), keep=7.0, free=6.0)
    found = turning(model, bound, bound.xyz)
    named = {
        (
            bound.labels[residue].split(":")[1][:3],
            *(model.atom_names[bound.receptor_atoms[i]] for i in bond),
        )
        for residue, bond, _ in found
    }
    assert ("VAL", "CA", "CB") in named
    assert ("MET", "CB", "CG") in named
    assert not {one for one in named if one[0] in ("GLY", "ALA", "PRO")}
    assert not {one for one in named if one[0] in ("PHE", "TYR", "TRP", "ASP", "ASN") and one[1] == "CB"}
    for residue, (a, b), atoms in found:
        assert {a, b}.isdisjoint(atoms.tolist())
        assert (bound.residue[atoms] == residue).all()


def test_a_turned_side_chain_finds_back() -> None:
    terms, _ = parameters(toluene(), SETTINGS, "toluene")
    model, pose = demo_model(), toluene().GetConformer().GetPositions()
    bound = carve(model, terms, pose, keep=4.0, free=3.0)
    residue, (a, b), atoms = next(
        one
        for one in turning(model, bound, bound.xyz)
        if bound.labels[one[0]].split(":")[1][:3] in ("VAL", "ILE", "LEU")
    )
    whole = bound.receptor_atoms
    axis = model.xyz[whole[b]] - model.xyz[whole[a]]
    turn = Rotation.from_rotvec(np.deg2rad(120.0) * axis / np.linalg.norm(axis))
    xyz = model.xyz.copy()
    xyz[whole[atoms]] = turn.apply(xyz[whole[atoms]] - xyz[whole[b]]) + xyz[whole[b]]

    def seated(receptor: ReceptorModel) -> Seat:
        return seat(
            receptor,
            terms,
            toluene(),
            "toluene",
            near=pose,
            keep=4.0,
            free=3.0,
            relax=15,
            device=SETTINGS.device,
        )

    found = searched(seated(replace(model, xyz=xyz)))
    assert bound.labels[residue] in found.turned
    gap = np.linalg.norm(found.pocket[atoms] - model.xyz[whole[atoms]], axis=1)
    assert np.median(gap) < 0.08  # nm; a third of a turn is 0.25
    again = beginning(
        seated(model), [found], warm_ps=0.0
    )  # where it stood is as good: no pocket is taken up for nothing
    assert again.turned in ((), found.turned)
    assert again.wavering == tuple(sorted(found.turned))
    assert again.pocket.shape == found.pocket.shape
    warm = beginning(seated(model), [found], warm_ps=0.02)
    moved = np.linalg.norm(warm.ligand - again.ligand, axis=1)
    assert 0.0 < moved.max() < 0.1  # nm
    kept = Beginning.of(again.arrays())
    assert (kept.turned, kept.wavering) == (again.turned, again.wavering)
    assert np.array_equal(kept.pocket, again.pocket)
