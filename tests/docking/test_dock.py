"""How a molecule's poses are put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from discovery.devices import SEED
from discovery.molecule import Molecule
from discovery.outcome import Missing
from docking import demo_target, plausibility
from docking.dock import Docked, by_score, by_species, dock
from docking.ligand import Ligand, prepare
from docking.pose import Pose
from docking.receptor import DockingError, Receptor
from docking.rescoring.order import CANDIDATES, distances, spread, standing
from docking.site import Site

RECEPTOR, SITE = demo_target.receptor(), demo_target.site()
MIDDLE = demo_target.reference().GetConformer().GetPositions().mean(axis=0)


@dataclass(frozen=True)
class Scattered:
    """Puts the conformer on a few places about the middle of the known ligand, the worst scored first."""

    name: str = "scattered"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {}

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        draw = np.random.default_rng(seed)
        middle = ligand.coords() - ligand.coords().mean(axis=0) + MIDDLE
        places = draw.normal(scale=1.5, size=(min(n_poses, 8), 3))
        return [Pose(ligand, middle + place, -float(k), {}, self.name) for k, place in enumerate(places)]

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: np.ndarray, /) -> Pose:
        return Pose(ligand, coords, -1.0, {}, self.name)


def docked(**more: Any) -> Docked:
    (found,) = dock(RECEPTOR, SITE, [Molecule.parse("NCCc1c[nH]c2ccc(O)cc12")], engine=Scattered(), **more)
    assert not isinstance(found, Missing)
    return found


def test_by_score_the_lowest_comes_first() -> None:
    found = docked(rank_by="score", n_poses=4)
    every = Scattered().dock(RECEPTOR, SITE, found.poses[0].ligand, seed=SEED, n_poses=CANDIDATES)[::-1]
    best = sorted(spread(range(len(every)), distances(every), 4))
    assert [pose.score for pose in found.poses] == [every[k].score for k in best]
    assert found.poses[0].score == -7
    assert [pose.score for pose in docked(rank_by="score", n_poses=8).poses] == list(range(-7, 1))
    assert found.rescoring == ()


def test_by_rescoring_plausible_poses_come_first_then_the_likelier() -> None:
    found = docked(n_poses=3)
    every = Scattered().dock(RECEPTOR, SITE, found.poses[0].ligand, seed=SEED, n_poses=CANDIDATES)
    ((odds, gaps, alone),) = standing(RECEPTOR, [every])
    fails = [not plausibility.check(pose, RECEPTOR, SITE).plausible for pose in every]
    order = sorted(range(len(every)), key=lambda k: -odds[k])
    best = spread([k for k in order if not fails[k]], gaps, 3)
    best = sorted(best + spread([k for k in order if fails[k]], gaps, 3 - len(best)),
                  key=lambda k: (fails[k], -odds[k]))  # fmt: skip
    assert [pose.score for pose in found.poses] == [every[k].score for k in best]
    assert found.rescoring == pytest.approx([odds[k] for k in best])
    assert found.fit == pytest.approx([alone[k] for k in best])


def test_ring_shapes_stand_together() -> None:
    """What an engine finds of both chairs is kept as if it were of one, and apart from another isomer's."""
    chair, other = prepare(Molecule.parse("CC1CCC(N)CC1"), most_shapes=2)
    assert chair.shapes == other.shapes == 2
    isomer = Ligand(chair.molecule, "another", chair.block, chair.pdbqt, chair.atoms, chair.torsions)
    answers = [
        [Pose(ligand, chair.coords() + 3.0 * k, score) for k, score in enumerate(scores)]
        for ligand, scores in ((chair, (-7.0, -5.0)), (other, (-6.5, -3.9)), (isomer, (-3.0, 1.0)))
    ]
    both, alone = by_species(answers, within=3.0)
    assert [pose.score for pose in both] == [-7.0, -5.0, -6.5]
    assert [pose.score for pose in alone] == [-3.0, 1.0]
    kept = by_score(chair.molecule, [both], 2).poses
    assert [pose.score for pose in kept] == [-7.0, -5.0]  # the other chair lies within 2 Å of the first
    assert distances(kept)[0, 1] == pytest.approx(np.sqrt(27.0))


def test_strain_counts_from_one_pose_of_all_ring_shapes() -> None:
    """Of two shapes the lower sum of energies comes first, however each stands beside its own kin."""
    chair, other = prepare(Molecule.parse("CC1CCC(N)CC1"), most_shapes=2)

    def answer(ligand: Ligand, *energies: tuple[float, float]) -> list[Pose]:
        unbound = energies[0][1]  # as engines have it
        found = []
        for inter, intra in energies:
            whole = inter + intra - unbound
            terms = {"inter": inter, "intra": intra, "torsional": whole / 1.25 - whole, "unbound": unbound}
            found.append(Pose(ligand, ligand.coords() + inter, whole / 1.25, terms))
        return found

    strained, easy = answer(chair, (-8.0, 1.0), (-6.5, 1.5)), answer(other, (-7.5, -1.0))
    (poses,) = by_species([strained, easy], within=9.0)
    assert strained[0].score < easy[0].score
    best = by_score(chair.molecule, [poses], 3).poses
    assert [pose.terms["inter"] for pose in best] == [-7.5, -8.0, -6.5]
    assert [pose.score for pose in best] == pytest.approx([-7.5 / 1.25, -6.0 / 1.25, -4.0 / 1.25])
    for pose in best:
        terms = pose.terms
        assert terms["unbound"] == -1.0
        raw = terms["inter"] + terms["intra"] - terms["unbound"]
        assert raw + terms["torsional"] == pytest.approx(pose.score)


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(DockingError, match="rescoring or score, not 'luck'"):
        docked(rank_by="luck")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ("r.pdb", demo_target.site(), [Molecule("CCO")]),
            r"not str and Site; docking\.preparation\.prepare",
        ),
        (
            (demo_target.site(), demo_target.receptor(), []),
            "takes a Receptor and a Site, not Site and Receptor",
        ),
        (
            (demo_target.receptor(), demo_target.site(), Molecule("CCO")),
            r"a list of molecules, not one; write \[CCO\]",
        ),
        ((demo_target.receptor(), demo_target.site(), ["CCO"]), "row 1 is a str and no Molecule"),
    ],
)
def test_what_cannot_be_docked_is_told_how_it_could(given: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        dock(*given)
