"""How deep does PROPKA find a titratable group buried, and which backbone does it meet?

PROPKA 3.5 goes through all atoms in a Python loop for every group, which takes minutes for
large receptors. Here is the same sum over arrays; PROPKA calls it as its desolvation model.
Backbone groups that are out of reach of a titratable one are not asked; the numbers stay.

References
----------
.. [1] M. Olsson et al., J. Chem. Theory Comput. 7 (2011) 525, doi:10.1021/ct100578z, equations 3 to 6
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from discovery.extras import needs
from docking.atom_types import Floats

with needs("docking"):
    from propka import conformation_container, determinants, energy
    from scipy.spatial import cKDTree


@contextmanager
def quickened(version: Any) -> Iterator[None]:
    """PROPKA with its slow loops exchanged for those here; `version` is a molecule container's."""
    version.desolvation_model = Desolvation()
    version.backbone_reorganisation_method = backbone_reorganization
    module: Any = conformation_container  # there is no hook: it calls this by name
    slow = module.set_backbone_determinants
    module.set_backbone_determinants = backbone_determinants
    try:
        yield
    finally:
        module.set_backbone_determinants = slow


REACH = 8.0  # Å; PROPKA's cut-offs about the backbone end at 6


def backbone_determinants(titratable: Sequence[Any], backbone: Sequence[Any], version: Any) -> None:
    """PROPKA's `set_backbone_determinants`, asked only of what lies within reach, in the same order."""
    parts = [[*one.interaction_atoms_for_acids, *one.interaction_atoms_for_bases] for one in backbone]
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    tree = cKDTree(_points([atom for part in parts for atom in part]))
    for one in titratable:
        hits = tree.query_ball_point(_points(one.interaction_atoms_for_acids), REACH)
        near = np.unique(owner[np.array([k for some in hits for k in some], dtype=np.int64)])
        asked: Any = determinants.set_backbone_determinants
        asked([one], [backbone[k] for k in near.tolist()], version)


def backbone_reorganization(parameters: Any, conformation: Any) -> None:
    """PROPKA's function of this name, group by group with the carbonyls that lie within reach."""
    groups = conformation.get_backbone_reorganisation_groups()
    carbonyls = conformation.get_backbone_co_groups()
    firsts = [one.get_interaction_atoms(groups[0])[0] for one in carbonyls] if groups else []
    tree = cKDTree(_points(firsts))
    for group in groups:
        near = sorted(tree.query_ball_point(_points([group])[0], REACH))
        part: Any = _Part([group], [carbonyls[k] for k in near])
        energy.backbone_reorganization(parameters, part)


class _Part(NamedTuple):
    """What PROPKA's reorganization asks a conformation for."""

    groups: list[Any]
    carbonyls: list[Any]

    def get_backbone_reorganisation_groups(self) -> list[Any]:
        return self.groups

    def get_backbone_co_groups(self) -> list[Any]:
        return self.carbonyls


def _points(atoms: Sequence[Any]) -> Floats:
    return np.array([(atom.x, atom.y, atom.z) for atom in atoms], dtype=float).reshape(-1, 3)


class _Crowd(NamedTuple):
    """All heavy atoms of a conformation."""

    coords: Floats  # [atom, 3] Å
    volume: Floats  # [atom], relative
    places: dict[tuple[str, int], list[int]]  # chain and number of a residue -> its atoms


class Desolvation:
    """PROPKA's `radial_volume_desolvation`, with the same numbers in the same attributes of the group."""

    def __init__(self) -> None:
        self._held: tuple[Any, _Crowd] | None = None

    def __call__(self, parameters: Any, group: Any) -> None:
        crowd = self._crowd(parameters, group.atom.conformation_container)
        apart = crowd.coords - np.array([group.x, group.y, group.z])
        square = np.square(apart).sum(axis=1)
        square[crowd.places.get((group.atom.chain_id, group.atom.res_num), [])] = np.inf
        near = square < parameters.desolv_cutoff_squared
        shares = crowd.volume[near] / np.maximum(energy.MIN_DISTANCE_4TH, np.square(square[near]))
        group.num_volume = int((square < parameters.buried_cutoff_squared).sum())
        group.buried = energy.calculate_weight(parameters, group.num_volume)
        scale = energy.calculate_scale_factor(parameters, group.buried)
        beyond = max(0.0, float(shares.sum()) - parameters.desolvationAllowance)
        group.energy_volume = group.charge * parameters.desolvationPrefactor * beyond * scale

    def _crowd(self, parameters: Any, container: Any) -> _Crowd:
        """Of the conformation at hand; PROPKA goes through one after the other."""
        if self._held is None or self._held[0] is not container:
            self._held = (container, _gathered(parameters, container.get_non_hydrogen_atoms()))
        return self._held[1]


def _gathered(parameters: Any, atoms: Sequence[Any]) -> _Crowd:
    known = parameters.VanDerWaalsVolume
    volume = [
        known["C4"]  # a carbon of a side chain
        if atom.element == "C" and atom.name not in ("CA", "C")
        else known.get(atom.element, 1.0)
        for atom in atoms
    ]
    places: dict[tuple[str, int], list[int]] = {}
    for row, atom in enumerate(atoms):
        places.setdefault((atom.chain_id, atom.res_num), []).append(row)
    return _Crowd(_points(atoms), np.array(volume, dtype=float), places)
