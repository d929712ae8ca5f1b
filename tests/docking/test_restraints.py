"""Wishes about poses; references are geometry, central differences and AutoDock Vina."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.outcome import MoleculeError, Reason
from docking import demo_target, ligand, restraints
from docking.engines.native import NativeEngine, tree_of
from docking.ligand import Ligand
from docking.receptor import DockingError
from docking.restraints import Core, Like, Near, points_of

RECEPTOR, SITE = demo_target.receptor(), demo_target.site()
BOUND = ligand.of_mol(demo_target.reference())
SEROTONIN = ligand.prepare(Molecule.parse("NCCc1c[nH]c2ccc(O)cc12", "serotonin"))[0]
ASP = points_of(RECEPTOR, "A:ASP129:OD1,OD2")
ATOMS = 48


def cost(wish: restraints.Restraint, one: Ligand, coords: np.ndarray) -> float:
    """kcal/mol of one pose, [atom, 3] Å of the molecule."""
    return float(wish.bind(one, tree_of(one), ATOMS)(padded(one, coords))[0])


def padded(one: Ligand, coords: np.ndarray) -> jax.Array:
    tree = tree_of(one)
    whole = np.zeros((ATOMS, 3, 1))
    whole[: tree.heavy.sum(), :, 0] = one.docked(coords)[tree.heavy]
    return jnp.asarray(whole, jnp.float32)


def test_a_distance_costs_the_square_of_what_it_is_off() -> None:
    """Reference: numpy on RDKit's coordinates."""
    amine = SEROTONIN.mol().GetSubstructMatch(Chem.MolFromSmarts("[NX4+]"))[0]
    for shift in (0.0, 1.0, 7.0):
        coords = SEROTONIN.coords() + shift
        gap = np.linalg.norm(np.array(ASP) - coords[amine], axis=1).min()
        told = cost(Near("[NX4+]", ASP, 3.5, 2.5, strength=2.0), SEROTONIN, coords)
        off = max(gap - 3.5, 0.0) + max(2.5 - gap, 0.0)
        assert told == pytest.approx(2.0 * off**2, rel=1e-4, abs=1e-6)


def test_the_nearest_of_several_atoms_counts() -> None:
    carbons = [
        i for i, a in enumerate(SEROTONIN.mol().GetAtoms()) if a.GetIsAromatic() and a.GetSymbol() == "C"
    ]
    point = (1.0, 2.0, 3.0)
    gap = np.linalg.norm(SEROTONIN.coords()[carbons] - point, axis=1).min()
    assert cost(Near("c", (point,), 0.5), SEROTONIN, SEROTONIN.coords()) == pytest.approx(
        5 * (gap - 0.5) ** 2, rel=1e-4
    )


def test_a_core_where_it_should_be_costs_nothing_and_follows_symmetry() -> None:
    block = Chem.MolToMolBlock(SEROTONIN.mol())
    wish = Core("c1ccc2[nH]ccc2c1", block, at_most=0.5)
    assert cost(wish, SEROTONIN, SEROTONIN.coords()) == 0.0
    assert cost(wish, SEROTONIN, SEROTONIN.coords() + np.array([2.0, 0, 0])) == pytest.approx(
        5.0 * 1.5**2, rel=1e-4
    )
    phenyl = ligand.prepare(Molecule.parse("Cc1ccccc1"))[0]
    known = Core("c1ccccc1", Chem.MolToMolBlock(phenyl.mol()), at_most=0.1)
    turned = phenyl.coords()
    ring = phenyl.mol().GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1"))
    turned[list(ring)] = turned[list(ring[2:] + ring[:2])]  # the same ring, its atoms renumbered
    assert cost(known, phenyl, turned) == pytest.approx(0.0, abs=1e-6)


def test_a_ligand_is_like_itself_and_unlike_what_is_far() -> None:
    wish = Like(demo_target.reference_block(), strength=4.0)
    assert cost(wish, BOUND, BOUND.coords()) == pytest.approx(0.0, abs=0.02)
    assert cost(wish, BOUND, BOUND.coords() + 60.0) == pytest.approx(4.0, abs=1e-6)
    near, further = (cost(wish, BOUND, BOUND.coords() + shift) for shift in (0.5, 1.5))
    assert 0.0 < near < further < 4.0


@pytest.mark.parametrize(
    "wish", [Near("[NX4+]", ASP, 1.0), Like(demo_target.reference_block()), Core("c1ccccc1", demo_target.reference_block())]
)  # fmt: skip
def test_slopes_are_those_of_the_cost(wish: restraints.Restraint) -> None:
    """Reference: central differences in double precision."""
    with jax.enable_x64(True):
        term = wish.bind(SEROTONIN, tree_of(SEROTONIN), ATOMS)
        start = np.asarray(padded(SEROTONIN, SEROTONIN.coords() + np.array([3.0, -2.0, 5.0])), dtype=float)
        slope = np.asarray(jax.grad(lambda xyz: term(xyz).sum())(jnp.asarray(start)))
        for atom, axis in ((0, 0), (3, 1), (7, 2)):
            step = np.zeros_like(start)
            step[atom, axis] = 1e-4
            told = (
                float(term(jnp.asarray(start + step))[0]) - float(term(jnp.asarray(start - step))[0])
            ) / 2e-4
            assert slope[atom, axis, 0] == pytest.approx(told, rel=1e-3, abs=1e-4)


def test_another_ligand_compiles_nothing_anew() -> None:
    compiled = jax.jit(lambda term, xyz: term(xyz))
    for one in (SEROTONIN, BOUND):
        for wish in (Near("c", ASP, 3.0), Like(demo_target.reference_block())):
            compiled(wish.bind(one, tree_of(one), ATOMS), padded(one, one.coords())).block_until_ready()
    assert compiled._cache_size() == 2  # one for each kind of wish


def test_a_term_of_ones_own_joins_in() -> None:
    """A plain JAX function with arrays: here, a wall that keeps all atoms at x below 4 Å."""
    from jax.tree_util import Partial

    class Wall:
        @property
        def settings(self) -> dict[str, float]:
            return {"x": 4.0}

        def bind(self, ligand: Ligand, tree: object, atoms: int) -> Partial:
            return Partial(
                lambda x, xyz: jnp.square(jnp.maximum(xyz[:, 0] - x, 0.0)).sum(axis=0), jnp.float32(4.0)
            )

    assert cost(Wall(), SEROTONIN, SEROTONIN.coords() * 0 + [6.0, 0, 0]) == pytest.approx(4.0 * 13)


def test_a_ligand_that_lacks_what_is_asked_for_costs_one_row() -> None:
    ethanol = ligand.prepare(Molecule.parse("CCO", "ethanol"))[0]
    with pytest.raises(MoleculeError, match=r"ethanol has no \[NX4\+\]") as caught:
        NativeEngine(effort="fast", restraints=(Near("[NX4+]", ASP, 3.0),)).dock(
            RECEPTOR, SITE, ethanol, seed=1, n_poses=1
        )
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_file_of_wishes(tmp_path: Path) -> None:
    (tmp_path / "known.sdf").write_text(demo_target.reference_block() + "\n$$$$\n")
    path = tmp_path / "wishes.toml"
    path.write_text(
        '[[distance]]\nligand = "[NX4+]"\nreceptor = "A:ASP129:OD1,OD2"\nat_most = 3.5\n'
        '[[position]]\nligand = "c"\ncenter = [1, 2.5, 3]\nat_most = 2\nstrength = 1.5\n'
        '[[core]]\ncore = "c1ccccc1"\nreference = "known.sdf"\n[[like]]\nreference = "known.sdf"\n'
    )
    found = restraints.read(path, RECEPTOR)
    assert [type(one) for one in found] == [Near, Near, Core, Like]
    assert found[0].points == ASP
    assert found[1].strength == 1.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[distance]\n", "is no TOML"),
        ("# nothing yet\n", "holds no restraint"),
        ("[[magnet]]\n", "no restraint .*magnet.*; there are distance, position, core, like"),
        ("[position]\nligand = 'c'\n", "double brackets"),
        ("[[position]]\nligand = 'c'\nat_most = 2\n", "number 1 lacks center"),
        ("[[position]]\nligand = 'c('\nat_most = 2\ncenter = [1,2,3]\n", "is no SMARTS"),
        ("[[position]]\nligand = 'c'\nat_most = -2\ncenter = [1,2,3]\n", "at_most"),
        ("[[position]]\nligand = 'c'\nat_most = 2\ncenter = [1,2,3]\nstrengh = 3\n", "strengh"),
        ("[[distance]]\nligand = 'c'\nreceptor = 'A:ASP9'\nat_most = 2\n", "has no residue A:ASP9"),
        ("[[distance]]\nligand = 'c'\nreceptor = 'A:ASP129:OX'\nat_most = 2\n", "no atom OX; it has"),
        ("[[like]]\nreference = 'absent.sdf'\n", "no reference ligand file"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wishes.toml"
    path.write_text(text)
    with pytest.raises(DockingError, match=said):
        restraints.read(path, RECEPTOR)


def test_poses_that_obey_come_first() -> None:
    """What was asked for counts in the order, and never in the score."""
    from docking.dock import Docked, dock
    from docking.pose import Pose

    class Two:
        name, settings = "two", {}

        def dock(self, receptor, site, one, /, *, seed, n_poses):
            return [
                Pose(one, one.coords(), score, {"restraint": r}) for score, r in ((-9.0, 4.0), (-7.0, 0.0))
            ]

        def score(self, receptor, site, one, coords, /):
            raise AssertionError("nothing is scored here")

    for rank_by in ("score", "rescoring"):
        (found,) = dock(RECEPTOR, SITE, [SEROTONIN.molecule], engine=Two(), rank_by=rank_by)
        assert isinstance(found, Docked)
        assert [pose.score for pose in found.poses] == [-7.0, -9.0]


@pytest.mark.slow
def test_docked_poses_obey_and_their_score_stays_vinas() -> None:
    """Reference: `vina` scores the pose; the restraint is no part of it."""
    from docking.engines.vina import VinaEngine

    wish = Near("[OX2H]", ASP, 3.0)  # against what serotonin likes, its amine there
    engine = NativeEngine(effort="fast", restraints=(wish,))
    poses = engine.dock(RECEPTOR, SITE, SEROTONIN, seed=1, n_poses=3)
    again = engine.dock(RECEPTOR, SITE, SEROTONIN, seed=1, n_poses=3)
    assert [p.score for p in poses] == [p.score for p in again]
    hydroxyl = SEROTONIN.mol().GetSubstructMatch(Chem.MolFromSmarts("[OX2H]"))[0]
    for pose in poses:
        gap = np.linalg.norm(np.array(ASP) - pose.coords[hydroxyl], axis=1).min()
        assert pose.terms["restraint"] == pytest.approx(5 * max(gap - 3.0, 0.0) ** 2, abs=1e-3)
        assert gap < 3.6
    theirs = VinaEngine().score(RECEPTOR, SITE, SEROTONIN, poses[0].coords)
    assert poses[0].score == pytest.approx(theirs.score, abs=2e-3)
