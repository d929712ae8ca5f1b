"""Receptor grids; the reference is AutoDock Vina's own grids, and plain sums over atoms."""

from __future__ import annotations

import numpy as np
import pytest

from docking import maps
from docking.atom_types import XS
from docking.energy import VINA, VINARDO, Atoms, table
from tests.docking.complexes import Complex, examples, needs_shared, small
from tests.docking.test_energy import AGREE, atoms, by_vina, tree


def exact(case: Complex, function=VINA) -> tuple[maps.Grid, Atoms]:
    ligand = tree(case.ligand)
    low, high = ligand.coords.min(axis=0), ligand.coords.max(axis=0)
    types = sorted({maps.as_on_grid(k) for k in ligand.xs.tolist()} - {-1})
    size = np.ceil(high - low + 0.5)
    grid = maps.build(function, atoms(case.receptor), (low + high) / 2, size, types, exact=True)
    return grid, Atoms(ligand.coords, ligand.xs)


@pytest.mark.parametrize("function", [VINA, VINARDO], ids=lambda f: f.name)
def test_a_grid_scores_as_vinas(function) -> None:
    case = small()
    grid, ligand = exact(case, function)
    assert maps.grid_energy(grid, ligand) == pytest.approx(
        by_vina(case, function.name, grid=True).inter, abs=AGREE
    )


@needs_shared
def test_a_macrocycle_on_the_grid_scores_as_vinas() -> None:
    """A closure carbon is looked up as a plain carbon on a grid, and only there."""
    case = next(one for one in examples() if one.name == "BACE_1")
    grid, ligand = exact(case)
    assert maps.grid_energy(grid, ligand) == pytest.approx(by_vina(case, grid=True).inter, abs=AGREE)


def test_points_hold_plain_sums_over_the_receptor() -> None:
    """Reference: the table summed with numpy, atom by atom, at a few points."""
    receptor = atoms(small().receptor)
    kinds = (XS.index("C_H"), XS.index("O_DA"))
    grid = maps.build(VINA, receptor, (0.4, -0.3, 0.2), (9.0, 7.0, 8.0), kinds, exact=True)
    assert grid.values.shape == (2, 25, 20, 23)
    look = table(VINA)
    for place in ((0, 0, 0), (24, 19, 22), (7, 13, 5)):
        point = grid.low + grid.spacing * np.array(place)
        square = np.square(np.asarray(receptor.coords) - point).sum(axis=1)
        for k, kind in enumerate(kinds):
            near = square < 64.0
            bins = np.floor(square[near] * 32).astype(int)
            plain = look.values[look.kind[kind, np.asarray(receptor.xs)[near]], bins].sum()
            assert grid.values[k][place] == pytest.approx(plain, abs=1e-9)


def test_types_built_together_or_apart_are_the_same() -> None:
    receptor, box = atoms(small().receptor), ((0.0, 0.0, 0.0), (6.0, 6.0, 6.0))
    both = maps.build(VINA, receptor, *box, (0, 4))
    apart = maps.build(VINA, receptor, *box, (4,))
    assert (both.values[1] == apart.values[0]).all()


def test_packed_corners_are_the_cells() -> None:
    rng = np.random.default_rng(1)
    grid = maps.Grid(rng.normal(size=(2, 4, 5, 6)), (0, 1), np.zeros(3), 0.375)
    packed = grid.packed().reshape(2, 4, 5, 6, 8)
    assert packed[1, 2, 3, 4] == pytest.approx(grid.values[1, 2:4, 3:5, 4:6].reshape(8).astype(np.float32))


def test_interpolation_is_exact_for_a_plane() -> None:
    corners = [1.0 + 2.0 * i + 3.0 * j - 5.0 * k for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    value, slope = maps.interpolate(corners, (0.3, 0.9, 0.2))
    assert value == pytest.approx(1.0 + 0.6 + 2.7 - 1.0)
    assert slope == pytest.approx([2.0, 3.0, -5.0])


def test_walls_outside_the_box() -> None:
    receptor = atoms(small().receptor)
    grid = maps.build(VINA, receptor, (0, 0, 0), (6.0, 6.0, 6.0), (0,))
    inside = Atoms(np.array([[0.0, 0.0, 3.0]]), np.array([0]))
    outside = Atoms(np.array([[0.0, 0.0, 3.5]]), np.array([0]))
    assert maps.grid_energy(grid, outside) - maps.grid_energy(grid, inside) == pytest.approx(5e5, rel=1e-4)


@needs_shared
@pytest.mark.slow
def test_grids_score_as_vinas_on_crystal_complexes() -> None:
    """Reference: `vina` on its own grid; tests/benchmarks/docking_parity.py measures all 250."""
    from tests.docking.complexes import redocking

    for case in redocking()[::25]:
        grid, ligand = exact(case)
        assert maps.grid_energy(grid, ligand) == pytest.approx(by_vina(case, grid=True).inter, abs=AGREE), (
            case.name
        )
