"""Energies; the reference is AutoDock Vina 1.2.7 itself, and physics where a law must hold."""

from __future__ import annotations

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docking import pdbqt
from docking.atom_types import type_atoms
from docking.energy import (
    FUNCTIONS,
    VINA,
    VINARDO,
    Atoms,
    Energies,
    affinity,
    curl,
    explicit,
    intramolecular,
    score,
    smooth,
)
from docking.ligands.tree import Tree, read_tree
from tests.docking.complexes import Complex, examples, needs_shared, redocking, small

vina = pytest.importorskip("vina")
AGREE = 1e-3  # kcal/mol; Vina rounds to three decimals


def by_vina(case: Complex, function: str = "vina", grid: bool = False) -> Energies:
    """What AutoDock Vina says of the pose as it stands."""
    low, high = (pdbqt.read(case.ligand).coords.min(axis=0), pdbqt.read(case.ligand).coords.max(axis=0))
    program = vina.Vina(sf_name=function, cpu=1, verbosity=0, no_refine=grid)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "receptor.pdbqt")
        path.write_text(case.receptor)
        program.set_receptor(str(path))
    program.set_ligand_from_string(case.ligand)
    size = np.ceil(high - low + 0.5)
    program.compute_vina_maps(list((low + high) / 2), list(size), spacing=0.375 if grid else 2.0)
    answer = program.score()
    return Energies(answer[0], answer[1], answer[5])


def atoms(text: str) -> Atoms:
    structure = pdbqt.read(text)
    return Atoms(structure.coords, type_atoms(structure).xs)


def tree(text: str) -> Tree:
    return read_tree(pdbqt.read(text))


def ours(case: Complex, function: str = "vina") -> Energies:
    return score(FUNCTIONS[function], tree(case.ligand), atoms(case.receptor))


@pytest.mark.parametrize("function", ["vina", "vinardo"])
@pytest.mark.parametrize("smiles", ["OCCc1ccc(cc1)C(=O)NCC", "FC(Cl)(Br)CCS(=O)(=O)NCCP(=O)(O)OCCI"])
def test_agrees_with_vina_on_a_small_pocket(function: str, smiles: str) -> None:
    case = small(smiles)
    assert ours(case, function) == pytest.approx(by_vina(case, function), abs=AGREE)


@needs_shared
@pytest.mark.parametrize("function", ["vina", pytest.param("vinardo", marks=pytest.mark.slow)])
def test_agrees_with_vina_on_its_own_examples(function: str) -> None:
    """A macrocycle (BACE_1), a zinc protein (1s63) and ordinary complexes."""
    for case in examples():
        assert ours(case, function) == pytest.approx(by_vina(case, function), abs=AGREE), case.name


@needs_shared
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("function", ["vina", "vinardo"])
def test_agrees_with_vina_on_every_redocking_complex(function: str) -> None:
    wrong = {}
    for case in redocking():
        mine, theirs = ours(case, function), by_vina(case, function)
        if mine != pytest.approx(theirs, abs=AGREE):
            wrong[case.name] = (mine, theirs)
    assert not wrong


def smooth_total(case: Complex) -> tuple[object, jax.Array]:
    ligand, receptor = tree(case.ligand), atoms(case.receptor)
    form = smooth(VINA)

    def total(coords: jax.Array) -> jax.Array:
        here = Atoms(coords, ligand.xs)
        return explicit(form, here, receptor) + intramolecular(form, here, ligand.pairs)

    return total, jnp.asarray(ligand.coords)


def test_the_smooth_form_is_close_to_the_table() -> None:
    """The table's bins are 1/32 Å² wide, so both forms differ in the second decimal at most."""
    case = small()
    with jax.enable_x64(True):
        total, coords = smooth_total(case)
        told = score(VINA, tree(case.ligand), atoms(case.receptor))
        assert float(jax.jit(total)(coords)) == pytest.approx(told.inter + told.intra, abs=0.05)


def test_forces_are_the_slope_of_the_energy() -> None:
    """Reference: central differences in double precision."""
    with jax.enable_x64(True):
        total, coords = smooth_total(small())
        value = jax.jit(total)
        slope = np.asarray(jax.jit(jax.grad(total))(coords))
        rng = np.random.default_rng(2)
        for _ in range(5):
            way = rng.normal(size=coords.shape)
            step = 1e-5 * way
            measured = float(value(coords + step) - value(coords - step)) / 2e-5
            assert float((slope * way).sum()) == pytest.approx(measured, rel=1e-4, abs=1e-4)


def test_the_gradient_with_respect_to_weights() -> None:
    """Reference: the energy is linear in each weight while nothing is curled."""
    case = small()
    ligand, receptor = tree(case.ligand), atoms(case.receptor)
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(value) for name, value in VINA.weights.items()}
        slope = jax.jit(jax.grad(lambda w: _linear(w, ligand, receptor)))(weights)
        for name in ("gauss1", "gauss2", "repulsion", "hydrophobic", "hbond"):
            more = {**weights, name: weights[name] + 0.01}
            change = (_linear(more, ligand, receptor) - _linear(weights, ligand, receptor)) / 0.01
            assert float(slope[name]) == pytest.approx(float(change), rel=1e-6, abs=1e-9)


def _linear(weights: dict[str, jax.Array], ligand: Tree, receptor: Atoms) -> jax.Array:
    form = smooth(VINA, weights)
    square = jnp.square(jnp.asarray(ligand.coords)[:, None] - jnp.asarray(receptor.coords)[None]).sum(axis=-1)
    return form(square, jnp.asarray(ligand.xs)[:, None], jnp.asarray(receptor.xs)[None]).sum()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    shift=st.tuples(*[st.floats(-40, 40)] * 3),
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1),
    angle=st.floats(-3.1, 3.1),
)
def test_moving_the_whole_complex_changes_nothing(
    shift: tuple[float, float, float], axis: tuple[float, float, float], angle: float
) -> None:
    from scipy.spatial.transform import Rotation

    case = small()
    turn = Rotation.from_rotvec(angle * np.asarray(axis) / np.linalg.norm(axis)).as_matrix()
    ligand, receptor = tree(case.ligand), atoms(case.receptor)
    with jax.enable_x64(True):
        before = _both(ligand.coords, ligand.xs, receptor.coords, receptor.xs, ligand.pairs)
        after = _both(
            ligand.coords @ turn.T + shift,
            ligand.xs,
            receptor.coords @ turn.T + shift,
            receptor.xs,
            ligand.pairs,
        )
    assert float(after) == pytest.approx(float(before), abs=1e-6)


@jax.jit
def _both(
    coords: jax.Array, xs: jax.Array, there: jax.Array, types: jax.Array, pairs: jax.Array
) -> jax.Array:
    here = Atoms(coords, xs)
    return explicit(smooth(VINA), here, Atoms(there, types)) + intramolecular(smooth(VINA), here, pairs)


@given(energy=st.floats(-1e3, 1e6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_curl_keeps_order_and_its_bound(energy: float) -> None:
    value = float(curl(jnp.asarray(energy), 1000.0))
    assert value <= max(energy, 0.0) + 1e-6 if energy <= 0 else value < 1000.0
    assert float(curl(jnp.asarray(energy + 1.0), 1000.0)) >= value - 1e-3  # single precision


def test_every_rotor_weakens_the_affinity() -> None:
    assert float(affinity(jnp.asarray(-10.0), 0.0, 0.05846)) == -10.0
    assert float(affinity(jnp.asarray(-10.0), 10.0, 0.05846)) == pytest.approx(-10.0 / 1.5846)


def test_a_term_of_your_own_is_a_plain_function() -> None:
    import dataclasses

    def lonely(
        gap: jax.Array, hydrophobic: jax.Array, hbond: jax.Array, weights: dict[str, float]
    ) -> jax.Array:
        return VINA.pair(gap, hydrophobic, hbond, weights) - 1.0

    case = small()
    mine = dataclasses.replace(VINA, pair=lonely)
    near = (
        np.linalg.norm(tree(case.ligand).coords[:, None] - atoms(case.receptor).coords[None], axis=-1) < 8.0
    )
    near &= tree(case.ligand).heavy[:, None] & (np.asarray(atoms(case.receptor).xs) >= 0)[None]
    there = score(mine, tree(case.ligand), atoms(case.receptor)).inter
    # The last bin before 8 Å holds the mean of -1 and 0, hence a little slack.
    assert there - ours(case).inter == pytest.approx(-near.sum(), abs=2.0)


def test_vinardo_is_another_function() -> None:
    case = small()
    assert abs(ours(case, "vinardo").total - ours(case, "vina").total) > 0.05
    assert VINARDO.weights["gauss"] == -0.045
