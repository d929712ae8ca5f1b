"""When a search stops, and that its result depends on nothing but ligand and seed."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from docking.energy import VINA
from docking.search import effort, refine, walk
from docking.search.motion import Conf
from tests.docking.complexes import small
from tests.docking.test_energy import tree
from tests.docking.test_search import POSES, ROWS, confs, evaluate, setting

SHORT = effort.Effort(least=(20, 0), most=(60, 0), agreeing=2)


def looks(watch: effort.Watch, *levels: tuple[float, ...]) -> list[list[bool]]:
    """Show a watch the lowest energies of its first four islands, look after look, the others getting nowhere; two
    walkers an island."""
    walkers, others = 2 * walk.ISLANDS, walk.ISLANDS - 4
    conf = Conf(np.zeros((3, walkers)), np.zeros((4, walkers)), np.zeros((2, walkers)))
    tired = []
    for number, islands in enumerate(levels):
        energy = np.repeat(np.array([*islands, *[100.0 - number] * others], np.float32), 2)
        tired.append(watch.look(conf, energy, conf, energy).tolist()[:4])
    return tired


def test_islands_that_agree_end_a_search_once_they_are_at_rest() -> None:
    watch = effort.Watch(0, effort.Effort(least=(40, 0), most=(400, 0), agreeing=3))
    same = (-9.0, -9.01, -9.02, -5.0)
    looks(watch, same)
    assert not watch.done
    looks(watch, same, same)
    assert watch.agreed == 3
    assert watch.done
    assert watch.ticks == 60


def test_a_lower_energy_elsewhere_takes_their_word_away() -> None:
    watch = effort.Watch(0, effort.Effort(least=(40, 0), most=(400, 0), agreeing=3))
    looks(watch, (-9.0, -9.0, -9.0, -5.0), (-9.0, -9.0, -9.0, -5.0), (-9.0, -9.0, -9.0, -9.5))
    assert not watch.done
    assert watch.agreed == 0


def test_an_island_without_progress_starts_anew_and_its_word_is_kept() -> None:
    watch = effort.Watch(0, effort.Effort(least=(20, 0), most=(2000, 0), agreeing=2))
    stuck = (-7.0, -6.85, -6.7, -6.6)
    tired = looks(watch, *[stuck] * 6)
    assert not any(any(one) for one in tired[:5])
    assert all(tired[5])
    looks(watch, (-7.02, -1.0, -1.0, -1.0), (-7.02, -1.0, -1.0, -1.0), (-7.02, -1.0, -1.0, -1.0))
    assert watch.agreed == 2  # one told before it started anew, one after
    assert watch.done
    walkers = 2 * walk.ISLANDS
    # nine looks, and the best at the new start and at the end
    assert len(watch.found().energy) == walkers * (9 + 2)


def test_an_easy_ligands_island_far_above_the_lowest_starts_anew_sooner() -> None:
    high = (-7.0, -6.9, -6.0, -5.0)
    for torsions, sooner in ((effort.FEW, [False, False, True, True]), (effort.FEW + 1, [False] * 4)):
        watch = effort.Watch(torsions, effort.Effort(least=(20, 0), most=(2000, 0), agreeing=4))
        assert looks(watch, *[high] * (effort.REST + 1))[-1] == sooner


def test_a_search_ends_when_its_effort_is_spent() -> None:
    watch = effort.Watch(3, effort.Effort(least=(20, 0), most=(30, 10), agreeing=4))
    looks(watch, *[(-1.0 * k, -2.0 * k, -3.0 * k, -4.0 * k) for k in range(1, 4)])
    assert watch.done
    assert watch.ticks == 60


def test_flexible_ligands_are_looked_for_longer_and_more_must_agree() -> None:
    whole = effort.Effort(least=(20, 0), most=(40, 10), agreeing=2, flexible=3)
    easy, hard = (effort.Watch(torsions, whole) for torsions in (walk.EASY, walk.EASY + 1))
    assert (easy.most, easy.agreeing) == (120, 2)
    assert (hard.most, hard.agreeing) == (400, 6)
    assert whole.shared(2).flexible == whole.flexible


def test_the_search_beats_a_thousand_random_descents() -> None:
    """A law of searching: walking on must not be worse than starting anew as often."""
    _, _, problem, field = setting()
    down = effort.programs(VINA)[3]
    found = effort.seek(VINA, problem, field, jax.random.key(1), SHORT)
    best = Conf(*(part[:, np.argsort(found.energy)[:64]] for part in found.conf))
    mine = float(np.min(down(problem, field, best, 1000.0, 1000.0)[1]))
    random = min(
        float(np.min(down(problem, field, confs(64, 50 + k, 2.5), 1000.0, 1000.0)[1])) for k in range(16)
    )
    assert mine <= random + 0.02


def test_a_closer_look_finds_the_same_or_lower() -> None:
    ligand, _, problem, field = setting()
    found = effort.seek(VINA, problem, field, jax.random.key(2), SHORT)
    poor = np.argsort(found.energy)[-8:]  # as if the search had found nothing better
    few = found._replace(conf=Conf(*(part[:, poor] for part in found.conf)), energy=found.energy[poor])
    once, again = (refine.closer(VINA, ligand, problem, field, few, 5, (20, 5)) for _ in range(2))
    assert once.energy.min() < few.energy.min()
    assert (once.energy[: len(poor)] == few.energy).all()
    told, _ = evaluate(problem, field, Conf(*(part[:, -POSES:] for part in once.conf)), 10.0, 100.0)
    assert once.energy[-POSES:] == pytest.approx(np.asarray(told), abs=1e-3)
    assert (once.energy == again.energy).all()
    assert refine.closer(VINA, ligand, problem, field, few, 5, (0, 0)) is few


def test_ring_shapes_share_an_effort() -> None:
    for whole in effort.EFFORTS.values():
        assert whole.shared(1) == whole
        for among in (2, 3, 6):
            part = whole.shared(among)
            assert 2 <= part.agreeing <= whole.agreeing
            for mine, all_of_it in zip((*part.least, *part.most), (*whole.least, *whole.most), strict=True):
                assert all_of_it <= among * mine < all_of_it + among


def test_the_same_key_gives_the_same_bits() -> None:
    _, _, problem, field = setting()
    first, second, other = (
        effort.seek(VINA, problem, field, jax.random.key(seed), SHORT) for seed in (7, 7, 8)
    )
    assert (first.energy == second.energy).all()
    assert all((a == b).all() for a, b in zip(first.conf, second.conf, strict=True))
    assert first.energy.shape != other.energy.shape or (first.energy != other.energy).any()


def test_products_are_made_in_whole_precision_on_every_device() -> None:
    """A GPU would cut them to 10 bits otherwise: 0.03 Å at 50 Å."""
    _, _, problem, field = setting()
    _, advance, _, down = effort.programs(VINA)
    walkers = jax.eval_shape(lambda: walk.begin(jax.random.key(1), problem, field, 8))
    count = np.int32(1)
    for text in (
        advance.plain.lower(problem, field, walk.Knobs(), jax.random.key(1), count, count, walkers).as_text(),
        down.plain.lower(problem, field, walkers.best, 1000.0, 1000.0).as_text(),
    ):
        products = text.count("dot_general")
        assert 0 < products == text.count("precision = [HIGHEST, HIGHEST]")


@pytest.mark.slow
def test_padding_rows_of_a_field_changes_nothing() -> None:
    _, grid, problem, field = setting()
    wider = walk.field(grid, 1 << 21)
    one = effort.seek(VINA, problem, field, jax.random.key(3), SHORT)
    two = effort.seek(VINA, problem, wider, jax.random.key(3), SHORT)
    assert (one.energy == two.energy).all()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_neighbours_on_the_device_change_nothing() -> None:
    """The same bits for a ligand in any lane, beside any others of its shape."""
    _, grid, _, field = setting()
    others = [
        walk.problem(VINA, tree(small(s).ligand), grid.types, 16, 8, tight=False)
        for s in ("OCCc1ccc(cc1)C(=O)NCC", "CCC")
    ]
    problem = walk.problem(VINA, tree(small().ligand), grid.types, 16, 8, tight=False)
    keys = [jax.random.key(k) for k in (3, 4, 5)]
    first = effort.seek_many(VINA, [problem, *others], field, keys, [SHORT] * 3)
    last = effort.seek_many(
        VINA, [others[1], others[1], problem], field, [keys[2], keys[1], keys[0]], [SHORT] * 3
    )
    assert (first[0].energy == last[2].energy).all()
    assert all((a == b).all() for a, b in zip(first[0].conf, last[2].conf, strict=True))
    some = walk.WALKERS
    assert first[2].energy[:some] == pytest.approx(last[0].energy[:some], abs=0.0)
    assert field.corners.shape[0] == ROWS
