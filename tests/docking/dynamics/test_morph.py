"""Laws of one molecule with two ends: each end is its ligand, what is not there is not felt, a ligand to itself is free."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.outcome import MoleculeError
from docking.dynamics.free_energy.beginning import turning
from docking.dynamics.free_energy.exchange import Plan, Turn, sample
from docking.dynamics.free_energy.likeness import common, comparable, shared, turned, turns
from docking.dynamics.free_energy.morph import STATES, Leg, Legs, Scene, legs, morph, softened
from docking.dynamics.free_energy.relative import Relative, edge, likenesses, parameters
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import carve
from docking.dynamics.protocol import Settings
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import subset
from docking.dynamics.water.water_box import relaxed
from tests.docking.dynamics.cases import demo_model, energy_of, placed, shifted, toluene
from tests.docking.dynamics.test_water_box import beside_the_helix

SETTINGS = Settings(charges=gasteiger, keep=4.0, free=3.0, device=Device("CPU", 1))


def grown(smiles: str) -> Chem.Mol:
    """A ligand laid on the toluene of 5-HT1B."""
    return laid_on(toluene(), smiles)


def laid_on(core: Chem.Mol, smiles: str) -> Chem.Mol:
    """A ligand with its toluene where `core` lies."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    held = Chem.RemoveHs(core)
    hit = mol.GetSubstructMatch(held)
    places = {i: held.GetConformer().GetAtomPosition(j) for j, i in enumerate(hit)}
    assert AllChem.EmbedMolecule(mol, coordMap=places, randomSeed=3) == 0
    AllChem.AlignMol(mol, held, atomMap=list(zip(hit, range(held.GetNumAtoms()), strict=True)))
    return mol


@lru_cache(maxsize=4)
def ready(second: str = "CCc1ccccc1") -> Legs:
    mols = (toluene(), grown(second))
    terms = tuple(parameters(mol, SETTINGS, "x")[0] for mol in mols)
    return legs(demo_model(), terms, mols, ("toluene", "other"), keep=4.0, free=3.0, relax=3)  # type: ignore[arg-type]


def energies(leg: Leg, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[state] kJ/mol: as the ladder weighs it, and OpenMM state by state."""
    ctx = placed(leg.ladder.system, xyz)
    ours, theirs = leg.ladder.weighed(ctx), []
    for state in leg.ladder.states:
        for key, value in state.items():
            ctx.setParameter(key, value)
        theirs.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    return ours, np.array(theirs)


def test_every_state_is_weighed_as_openmm_weighs_it() -> None:
    """Reference: the System itself, state by state."""
    made = ready()
    for leg in (made.pocket, made.water):
        ours, theirs = energies(leg, leg.start)
        assert ours == pytest.approx(theirs, abs=1e-6)
        assert np.ptp(theirs) > 1.0


def test_a_ligand_becomes_itself_for_nothing_wherever_it_lies() -> None:
    leg = ready("Cc1ccccc1").pocket
    shaken = leg.start.copy()
    shaken[leg.ligand] += np.random.default_rng(3).normal(0.0, 0.01, shaken[leg.ligand].shape)
    weights, _ = energies(leg, shaken)
    assert weights == pytest.approx(np.full(len(weights), weights[0]), abs=1e-6)


def rows(links: np.ndarray, values: np.ndarray, strength: int) -> list[tuple[float, ...]]:
    """Terms that do something, in an order of their own."""
    felt = values[:, strength] != 0.0
    turned = np.where((links[:, 0] < links[:, -1])[:, None], links, links[:, ::-1])
    return sorted(tuple(row) for row in np.hstack([turned, values])[felt].tolist())


@pytest.mark.parametrize("second", ["CCc1ccccc1", "Cc1ccccc1F", "Cc1ccccc1OC"])
def test_each_end_is_its_ligand(second: str) -> None:
    """Reference: the ligands' own terms; bonds are the mean of both."""
    mols = (toluene(), grown(second))
    terms = [parameters(mol, SETTINGS, "x")[0] for mol in mols]
    made = morph(terms[0], terms[1], shared(*mols))
    for k, own in enumerate(terms):
        kept = subset(made.ends[k], made.of(k))
        for name in ("charge", "sigma", "epsilon", "gb_radius", "gb_scale"):
            assert np.array_equal(getattr(kept, name), getattr(own, name)), name
        for name, strength in (("angle", 1), ("torsion", 2), ("exception", 1)):
            found, wanted = (
                rows(getattr(t, f"{name}s"), getattr(t, f"{name}_values"), strength) for t in (kept, own)
            )
            assert np.array(found) == pytest.approx(np.array(wanted)), name
        assert {frozenset(b) for b in kept.bonds.tolist()} == {frozenset(b) for b in own.bonds.tolist()}
        assert np.abs(kept.bond_values[:, 0].sum() - own.bond_values[:, 0].sum()) < 0.02


def test_what_is_not_there_is_not_felt() -> None:
    """At an end the other ligand's atoms cost their bonds alone: as much in a pocket they run into as in the water."""
    made = ready()
    pocket, water = made.pocket, made.water
    n = made.bound.n_receptor
    for k, name in enumerate(("first", "second")):
        absent = np.setdiff1d(np.arange(len(water.start)), made.molecule.of(k))
        assert len(absent)
        there = pocket.start.copy()
        here = there[n:]
        moved = there.copy()
        gaps = np.linalg.norm(there[n + absent][:, None] - there[None, :n], axis=-1)
        one, nearest = np.unravel_index(gaps.argmin(), gaps.shape)
        moved[n + absent] += 0.9 * (there[nearest] - there[n + absent[one]])  # onto an atom of the receptor
        costs = [
            energies(leg, after)[0][-k] - energies(leg, before)[0][-k]
            for leg, before, after in ((pocket, there, moved), (water, here, moved[n:]))
        ]
        assert costs[0] == pytest.approx(costs[1], rel=1e-5, abs=1e-3), name
        assert abs(costs[0]) > 1.0


def test_a_side_chain_is_soft_half_way_and_itself_at_both_ends() -> None:
    """Reference: the plain terms; half way nothing hinders a turn but what it runs into."""
    mol = toluene()
    terms = parameters(mol, SETTINGS, "x")[0]
    bound = carve(demo_model(), terms, mol.GetConformer().GetPositions(), keep=4.0, free=3.0)
    _, axis, atoms = turning(demo_model(), bound, bound.xyz)[0]
    turn = Turn(axis, atoms, thirds=True)
    still = bound.frozen
    scene = Scene((bound.terms, bound.terms), bound.xyz, still, Choices(), (), (turn,), (turn,))
    leg = scene.leg(bound.ligand, bound.xyz, bound.xyz, 0, Device("Reference"))
    ours, theirs = energies(leg, bound.xyz)
    assert ours == pytest.approx(theirs, abs=1e-6)
    plain = energy_of(system_of(bound.terms, still), bound.xyz)
    assert ours[[0, -1]] == pytest.approx([plain, plain], abs=1e-6)
    alone = bound.terms
    soft = softened(alone, (turn,))
    across = np.isin(alone.exceptions, atoms).sum(axis=1) == 1
    assert across.any()
    assert not soft.exception_values[across][:, [0, 2]].any()
    assert np.array_equal(soft.exception_values[~across], alone.exception_values[~across])
    about = [sorted(row[1:3]) == sorted(axis) for row in alone.torsions.tolist()]
    assert np.array_equal(
        soft.torsion_values[:, 2] != alone.torsion_values[:, 2], about & (alone.torsion_values[:, 2] != 0)
    )


def test_the_states_pull_as_they_weigh() -> None:
    """Forces half way against finite differences of the energy."""
    leg = ready().pocket
    ctx = context(leg.ladder.system, openmm.VerletIntegrator(0.001), Device("Reference"))
    for key, value in leg.ladder.states[len(STATES) // 2].items():
        ctx.setParameter(key, value)
    way = np.zeros_like(leg.start)
    way[leg.ligand] = np.random.default_rng(0).normal(size=way[leg.ligand].shape)
    ctx.setPositions(leg.start)
    forces = ctx.getState(getForces=True).getForces(asNumpy=True)._value
    heights = []
    for step in (1e-6, -1e-6):
        ctx.setPositions(leg.start + step * way)
        heights.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    assert (heights[0] - heights[1]) / 2e-6 == pytest.approx(-float((forces * way).sum()), rel=1e-4)


@pytest.mark.parametrize(
    ("smiles", "order"),
    [("c1ccccc1", 12), ("Cc1ccccc1", 2), ("Cc1ccc(C)cc1", 4), ("Cc1ccccc1F", 1), ("CC", 2)],
)
def test_turns_of_a_ligand_upon_itself(smiles: str, order: int) -> None:
    """Reference: the rotations of the point groups of the heavy atoms, D6h, C2v, D2h, Cs; of ethane's two alone, 2."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=1) == 0
    images = turns(mol)
    assert len(images) == order
    xyz = mol.GetConformer().GetPositions()
    assert not turned(mol, xyz + 0.1, images)
    if order > 1:
        heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
        xyz[heavy] = xyz[[heavy[i] for i in images[1]]]
        assert turned(mol, xyz, images)


def test_common_parts_follow_the_poses() -> None:
    one, two = toluene(), grown("Cc1ccccc1F")
    found = common(one, two)
    assert len(found.pairs) == 7
    assert found.likeness == pytest.approx(np.exp(-0.1))
    assert found.gap < 0.3
    pairs = shared(one, two)
    assert len(pairs) == one.GetNumAtoms() - 1  # all but the hydrogen where the fluorine is
    places = [mol.GetConformer().GetPositions() for mol in (one, two)]
    assert max(np.linalg.norm(places[0][i] - places[1][j]) for i, j in pairs.items()) < 2.0
    alike = likenesses([one, two, grown("CCc1ccccc1")])
    assert np.array_equal(alike, alike.T)
    assert alike[0, 1] > 0.8


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_there_and_back_cancel() -> None:
    how = Relative(plan=Plan(iterations=40, steps=40, warm=60, seed=4), settings=SETTINGS)
    fluoro = grown("Cc1ccccc1F")
    there = edge(demo_model(), ("a", "b"), (toluene(), fluoro), how)
    back = edge(demo_model(), ("b", "a"), (fluoro, toluene()), how)
    assert there.symmetry == pytest.approx(-back.symmetry)
    assert abs(there.value + back.value) < max(3.0 * np.hypot(there.error, back.error), 0.5)
    assert min(there.ladder.weakest, back.ladder.weakest) > 0.03


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_becomes_the_other_in_explicit_water(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference: the System itself; and both legs are walked from there."""
    monkeypatch.setattr(
        "docking.dynamics.free_energy.morph.relaxed", partial(relaxed, ps=0.2, evaluations=15)
    )
    model, mol = beside_the_helix()
    other = laid_on(mol, "Cc1ccccc1F")
    terms = tuple(parameters(one, SETTINGS, "x")[0] for one in (mol, other))
    made = legs(
        model,
        terms,  # type: ignore[arg-type]
        (mol, other),
        ("a", "b"),
        solvent="explicit",
        keep=5.0,
        free=4.0,
        relax=8,
        device=SETTINGS.device,
    )
    for leg in (made.pocket, made.water):
        ours, theirs = energies(leg, leg.start)
        assert ours - ours[0] == pytest.approx(theirs - theirs[0], abs=1e-3)
        short = replace(
            leg.ladder, states=leg.ladder.states[:2], weighed=lambda c, leg=leg: leg.ladder.weighed(c)[:2]
        )
        walked = sample(short, leg.start, Plan(iterations=1, steps=3, warm=3, step_fs=2.0), SETTINGS.device)
        assert np.isfinite(walked.energies).all()
        gap = walked.xyz[0][leg.ligand] - leg.start[leg.ligand]
        assert np.linalg.norm(gap, axis=-1).max() < 0.1


def test_pairs_that_cannot_be_compared_are_named() -> None:
    far = shifted(toluene(), 9.0)
    with pytest.raises(MoleculeError, match=r"common atoms of a and b lie 9\.0 Å apart"):
        comparable(toluene(), far, ("a", "b"))
    ion = grown("Cc1ccccc1[NH3+]")
    with pytest.raises(MoleculeError, match=r"a carries a charge of \+0 and b of \+1"):
        comparable(toluene(), ion, ("a", "b"))
    right, left = grown("C[C@@H](F)c1ccccc1"), grown("C[C@H](F)c1ccccc1")
    with pytest.raises(MoleculeError, match="a and b are mirror images at C2 of a"):
        comparable(right, left, ("a", "b"))
    assert likenesses([right, left, right]).tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    comparable(right, grown("CCc1ccccc1"), ("a", "b"))
    chain = Chem.AddHs(Chem.MolFromSmiles("OCCO"))
    AllChem.EmbedMolecule(chain, randomSeed=1)
    with pytest.raises(MoleculeError, match="share no part with whole rings"):
        comparable(toluene(), chain, ("a", "b"))
