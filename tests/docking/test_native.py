"""Our engine behind the engine promise; AutoDock Vina judges its energies."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason
from docking import demo_target, ligand, pdbqt
from docking.energy import FUNCTIONS, VINA
from docking.engines import native
from docking.engines.engine import dock_all
from docking.engines.native import NativeEngine, Place, Subject, find, shape_of
from docking.ligands.tree import read_tree
from docking.pose import rmsd
from docking.receptor import DockingError, Receptor, ReceptorError
from docking.site import Site
from tests.docking.complexes import bare, ligand_pdbqt, needs_shared, redocking, vina_at

vina = pytest.importorskip("vina")

ENGINE = NativeEngine(effort="fast")
RECEPTOR, SITE = demo_target.receptor(), demo_target.site()
BOUND = ligand.of_mol(demo_target.reference())
SMALL = [
    ligand.prepare(Molecule.parse(s))[0] for s in ("Oc1ccccc1", "NCCc1c[nH]c2ccc(O)cc12", "CC(C)C(=O)NCCO")
]


def test_is_built_by_name_with_all_that_it_can_do() -> None:
    from docking.dock import build_engine
    from docking.restraints import Near

    wish = Near("c", ((0.0, 0.0, 0.0),), 2.0)
    built = build_engine("native", {"flexible": ("A:ASP129",), "beside": (SMALL[0],), "restraints": (wish,)})
    assert isinstance(built, NativeEngine)
    assert built.restraints == (wish,)
    assert built.beside[0].digest == SMALL[0].digest
    assert json.loads(json.dumps(dict(built.settings)))["flexible"] == ["A:ASP129"]
    assert "restraints" not in build_engine("native", {"effort": "fast"}).settings


def test_weights_of_ones_own_are_used_and_told() -> None:
    """Law: the sum is linear in the weights, but for what is flattened of a clash."""
    twice = {name: (1.0 if name == "rotor" else 2.0) * value for name, value in VINA.weights.items()}
    mine = NativeEngine(scoring=replace(VINA, name="twice", weights=twice))
    told, usual = (one.score(RECEPTOR, SITE, BOUND, BOUND.coords()).score for one in (mine, ENGINE))
    assert told == pytest.approx(2.0 * usual, rel=0.02)
    assert mine.settings["scoring"] == "twice"
    assert mine.settings["weights"]["hbond"] == 2.0 * VINA.weights["hbond"]


def test_scores_as_vina_does() -> None:
    from docking.engines.vina import VinaEngine

    mine, theirs = (e.score(RECEPTOR, SITE, BOUND, BOUND.coords()) for e in (ENGINE, VinaEngine()))
    assert mine.score == pytest.approx(theirs.score, abs=1e-3)
    assert {k: mine.terms[k] for k in ("inter", "intra")} == pytest.approx(
        {k: theirs.terms[k] for k in ("inter", "intra")}, abs=1e-3
    )


def test_poses_lie_inside_apart_and_best_first() -> None:
    poses = ENGINE.dock(RECEPTOR, SITE, SMALL[1], seed=1, n_poses=5)
    assert 1 <= len(poses) <= 5
    assert [p.score for p in poses] == sorted(p.score for p in poses)
    heavy = [a.type not in ("H", "HD") for a in pdbqt.read(SMALL[1].pdbqt).atoms]
    assert all(SITE.contains(SMALL[1].docked(p.coords)[heavy], slack=0.19) for p in poses)
    assert all(rmsd(one.mol(), poses[0].mol()) > 0.3 for one in poses[1:])
    assert poses[0].score < -5


def test_vina_agrees_on_the_energy_of_what_was_found() -> None:
    """Reference: `vina` scores the first pose."""
    from docking.engines.vina import VinaEngine

    pose = ENGINE.dock(RECEPTOR, SITE, SMALL[1], seed=1, n_poses=1)[0]
    assert ENGINE.score(RECEPTOR, SITE, SMALL[1], pose.coords).terms["inter"] == pytest.approx(
        pose.terms["inter"], abs=1e-4
    )
    rounded = pose.coords.round(3)  # as PDBQT, in which `vina` reads it, has it: worth up to 3e-3 kcal/mol
    assert VinaEngine().score(RECEPTOR, SITE, SMALL[1], rounded).score == pytest.approx(
        ENGINE.score(RECEPTOR, SITE, SMALL[1], rounded).score, abs=1e-3
    )


def test_a_result_depends_on_nothing_but_its_ligand_and_seed() -> None:
    together = dock_all(ENGINE, RECEPTOR, SITE, SMALL, seed=1, n_poses=3)
    for one, poses in zip(reversed(SMALL), reversed(together), strict=True):
        assert not isinstance(poses, Missing)
        alone = NativeEngine(effort="fast").dock(RECEPTOR, SITE, one, seed=1, n_poses=3)
        assert [p.score for p in alone] == [p.score for p in poses]
        assert all((a.coords == b.coords).all() for a, b in zip(alone, poses, strict=True))
    other = ENGINE.dock(RECEPTOR, SITE, SMALL[2], seed=2, n_poses=1)[0]
    assert (other.coords != together[2][0].coords).any()


@pytest.mark.slow
def test_another_process_finds_the_same_bits() -> None:
    code = (
        "from discovery.molecule import Molecule\nfrom docking import demo_target, ligand\n"
        "from docking.engines.native import NativeEngine\n"
        "one = ligand.prepare(Molecule.parse('Oc1ccccc1'))[0]\n"
        "pose = NativeEngine(effort='fast').dock(demo_target.receptor(), demo_target.site(), one, seed=1, n_poses=1)[0]\n"
        "print(pose.coords.tobytes().hex())"
    )
    here = ENGINE.dock(RECEPTOR, SITE, SMALL[0], seed=1, n_poses=1)[0].coords.tobytes().hex()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_one_that_does_not_fit_costs_one_row() -> None:
    tiny = Site(SITE.center, (3.0, 3.0, 3.0))
    long = ligand.prepare(Molecule.parse("c1ccc2cc3cc4ccccc4cc3cc2c1", "tetracene"))[0]
    with pytest.raises(MoleculeError, match="tetracene") as caught:
        ENGINE.dock(RECEPTOR, tiny, long, seed=1, n_poses=1)
    assert caught.value.reason is Reason.OUTSIDE_BOX
    with pytest.raises(MoleculeError, match="leaves the box"):
        ENGINE.score(RECEPTOR, SITE, BOUND, BOUND.coords() + 100.0)


def test_one_too_large_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a smaller limit, since a chain of 60 carbons takes seconds to be put into a shape."""
    monkeypatch.setattr(native, "SHAPES", native.SHAPES[:1])
    tree = read_tree(pdbqt.read(ligand_pdbqt("C" * 20)))
    with pytest.raises(MoleculeError, match="wax has 20 heavy atoms and 17 torsions") as caught:
        shape_of(tree, "wax")
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("settings", [{"effort": "heroic"}, {"scoring": "ad4"}, {"energy_range": 0.0}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(DockingError):
        NativeEngine(**settings)


def test_grids_grow_without_changing() -> None:
    """A type's energies are the same bits whatever was built before it."""
    place, other = (Place(RECEPTOR, SITE, FUNCTIONS["vina"]) for _ in range(2))
    place.prepare({0})
    place.prepare({0, 8})
    other.prepare({0, 8})
    assert place._grid is not None
    assert other._grid is not None
    assert place._grid.types == other._grid.types
    assert (place._grid.values == other._grid.values).all()


@needs_shared
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_finds_what_vina_finds() -> None:
    """Reference: `vina` at exhaustiveness 8 on four small complexes, its score() judging both."""
    for name in ("2r9k", "4luh", "2j5s", "4fnc"):
        case = next(one for one in redocking() if one.name == name)
        start = pdbqt.read(case.ligand)
        site = Site.around(start.coords, margin=4.0, smallest=15.0)
        place = Place(Receptor(name, "", case.receptor), site, FUNCTIONS["vina"])
        found = find(place, Subject.alone(bare(name, case.ligand), 1), "balanced", 9)
        program = vina_at(case.receptor, site, seed=1)
        program.set_ligand_from_string(case.ligand)
        program.dock(exhaustiveness=8, n_poses=9)
        theirs = [model.coords for model in pdbqt.read_models(program.poses(n_poses=9))]
        lowest = []
        for poses in ([coords for coords, _ in found], theirs):
            sums = []
            for coords in poses:
                program.set_ligand_from_string(pdbqt.moved(case.ligand, coords))
                answer = program.score()
                sums.append(answer[1] + answer[5])
            lowest.append(min(sums))
        assert lowest[0] <= lowest[1] + 0.1, name


@pytest.mark.slow
def test_flexible_side_chains_move_and_keep_their_shape() -> None:
    """Laws: bonds of the side chain stay, the pose is plausible among side chains as they lie, the same seed gives the same."""
    from docking import side_chains
    from docking.plausibility import check
    from docking.protein.structure import parse

    engine = NativeEngine(effort="fast", flexible=("A:ASP129", "B:PHE330"))
    poses = engine.dock(RECEPTOR, SITE, SMALL[1], seed=1, n_poses=3)
    again = engine.dock(RECEPTOR, SITE, SMALL[1], seed=1, n_poses=3)
    assert [p.side_chains for p in poses] == [p.side_chains for p in again]
    rigid = NativeEngine(effort="fast").dock(RECEPTOR, SITE, SMALL[1], seed=1, n_poses=1)[0]
    assert rigid.side_chains == ""
    for pose in poses:
        moved = side_chains.applied(RECEPTOR, pose.side_chains)
        assert moved.pdbqt != RECEPTOR.pdbqt
        one, other = (
            np.array([a.xyz for a in parse(r.pdb, "r").atoms if a.residue in engine.flexible])
            for r in (RECEPTOR, moved)
        )
        before, after = (np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (one, other))
        close = (before > 0) & (before < 1.7)
        assert after[close] == pytest.approx(before[close], abs=0.02)
        assert "closest_receptor_atom" not in check(pose, moved).failed


@pytest.mark.slow
def test_two_ligands_share_the_site() -> None:
    """Reference: `vina` scores both where they lie."""
    from tests.docking.test_assembly import by_vina

    engine = NativeEngine(effort="fast", beside=(SMALL[0],))
    pose = engine.dock(RECEPTOR, SITE, SMALL[2], seed=1, n_poses=1)[0]
    (other,) = pose.beside
    texts = [pdbqt.moved(one.ligand.pdbqt, one.ligand.docked(one.coords)) for one in (pose, other)]
    theirs = by_vina(RECEPTOR.pdbqt, "", texts, list(SITE.center), list(SITE.size))
    assert pose.score == pytest.approx(theirs[0], abs=3e-3)
    gaps = np.linalg.norm(pose.coords[:, None] - other.coords[None], axis=-1)
    assert gaps.min() > 1.8
    alone = NativeEngine(effort="fast").dock(RECEPTOR, SITE, SMALL[2], seed=1, n_poses=1)[0]
    assert pose.score < alone.score


MIXED = [
    *(
        "c1ccccc1",
        "CCO",
        "NCCc1c[nH]c2ccc(O)cc12",
        "OB(O)c1ccccc1",
        "FC(F)(F)c1ccc(Cl)cc1Br",
        "CSc1ccc(I)cc1",
    ),
    *("C[Si](C)(C)c1ccccc1", "CCOP(=O)(OCC)Oc1ccc([N+](=O)[O-])cc1", "CC(C)(C)NCC(O)c1cc(O)cc(O)c1"),
    *("CN1CCN(Cc2ccc(C(=O)Nc3ccc(C)c(Nc4nccc(-c5cccnc5)n4)c3)cc2)CC1", "OCC1OC(O)C(O)C(O)C1O"),
    *("CCCCCCCCCCCCCCCCCC(=O)O", "CCCCCCCCCC", "NCC(=O)NCC(=O)NCC(=O)NCC(=O)NCC(=O)O"),
    *("CC(C)CC(NC(=O)C(Cc1ccccc1)NC(=O)CNC(=O)CNC(=O)C(N)Cc1ccc(O)cc1)C(=O)O", "C1CC1"),
]


def test_a_mixed_library_compiles_eight_programs_at_most() -> None:
    """JAX itself counts: a small function gets the very arguments of the search's programs."""
    place = Place(RECEPTOR, SITE, FUNCTIONS["vina"])
    mixed = [Subject.alone(ligand.prepare(Molecule.parse(s), most_shapes=1)[0], 1) for s in MIXED]
    program = jax.jit(lambda problem, field: problem.slot.sum() + field.points.sum())
    shapes = set()
    for one in mixed:  # grids are added as types come along
        shapes.add(one.shape)
        program(*place.problem(one))
    assert len(shapes) >= 5  # the library is mixed indeed
    assert program._cache_size() == len(shapes) <= 8


def test_a_box_too_large_for_memory_is_refused_and_usual_ones_share_a_size() -> None:
    usual = native.rows_of(60**3, 5)
    assert usual == native.rows_of(60**3, 12)
    native.check_room(SITE, 60**3, 12, gb=4.0)
    vast = Site((0.0, 0.0, 0.0), (150.0, 150.0, 150.0))
    with pytest.raises(
        ReceptorError, match=r"box of 150 x 150 x 150 Å take .* GB for 6 atom types, and this machine"
    ):
        native.check_room(vast, 401**3, 6, gb=24.0)
    assert native.rows_of(161**3, 6) < 1.2 * 6 * 161**3  # 60 Å: no room for types that may never come
