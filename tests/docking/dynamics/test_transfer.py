"""Laws of the transfer: its energy is OpenMM's, its frame feels no bend, trading a ligand for itself is free."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.outcome import MoleculeError
from docking.dynamics.charges import gasteiger
from docking.dynamics.exchange import SLOW, Plan, sample
from docking.dynamics.likeness import common, frames, turned, turns
from docking.dynamics.platform import Device, context
from docking.dynamics.protocol import Settings
from docking.dynamics.relative import Relative, edge, likenesses, parameters
from docking.dynamics.transfer import Transfer, displacement, softened, transfer
from docking.dynamics.water_box import relaxed
from docking.receptor import DockingError
from tests.docking.dynamics.cases import demo_model, toluene
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
def ready(second: str = "CCc1ccccc1") -> Transfer:
    mols = (toluene(), grown(second))
    terms = tuple(parameters(mol, SETTINGS, "x")[0] for mol in mols)
    return transfer(demo_model(), terms, mols, ("toluene", "other"), keep=4.0, free=3.0, relax=3)  # type: ignore[arg-type]


def trading(made: Transfer) -> list[openmm.ATMForce]:
    """The softened force and the water's."""
    return sorted(
        (f for f in made.ladder.system.getForces() if isinstance(f, openmm.ATMForce)),
        key=lambda f: int(f.getForceGroup()),
    )


def test_every_state_is_weighed_as_openmm_weighs_it() -> None:
    """Reference: the ATMForces themselves, state by state."""
    made = ready()
    assert [f.getForceGroup() for f in trading(made)] == [0, SLOW]
    ctx = context(made.ladder.system, openmm.VerletIntegrator(0.001), Device("Reference"))
    ctx.setPositions(made.start)
    ours = made.ladder.weighed(ctx)[::4]
    theirs = []
    for state in made.ladder.states[::4]:
        for key, value in state.items():
            ctx.setParameter(key, value)
        theirs.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    assert ours - ours[0] == pytest.approx(np.array(theirs) - theirs[0], abs=1e-6)
    assert np.ptp(theirs) > 1.0


def test_a_ligand_traded_for_itself_costs_nothing_wherever_it_lies() -> None:
    made = ready("Cc1ccccc1")
    ctx = context(made.ladder.system, openmm.VerletIntegrator(0.001), Device("Reference"))
    n = made.bound.n_receptor
    shaken = made.start.copy()
    shaken[n:] += np.random.default_rng(3).normal(0.0, 0.01, shaken[n:].shape)
    ctx.setPositions(shaken)
    weights = made.ladder.weighed(ctx)
    assert weights == pytest.approx(np.full(len(weights), weights[0]), abs=1e-6)


def test_the_last_state_is_the_second_ligand_in_the_pocket() -> None:
    """Reference: the same forces with the atoms put where the trade puts them; forces against finite differences."""
    made = ready()
    ctx = context(made.ladder.system, openmm.VerletIntegrator(0.001), Device("Reference"))
    n, first = made.bound.n_receptor, made.n_first
    moved = made.traded(made.start)
    out = np.linalg.norm(moved[n : n + first].mean(axis=0) - made.start[n + first :].mean(axis=0))
    into = np.linalg.norm(moved[n + first :].mean(axis=0) - made.start[n : n + first].mean(axis=0))
    assert max(out, into) < 0.15
    ctx.setPositions(made.start)

    def traded_and_not() -> tuple[float, float]:
        both = [[x._value for x in force.getPerturbationEnergy(ctx)[:2]] for force in trading(made)]
        after, before = np.sum(both, axis=0)
        return float(after), float(before)

    after, before = traded_and_not()
    assert abs(after - before) > 0.1
    for key, value in made.ladder.states[-1].items():
        ctx.setParameter(key, value)
    way = np.zeros_like(made.start)
    way[n:] = np.random.default_rng(0).normal(size=way[n:].shape)
    forces = ctx.getState(getForces=True).getForces(asNumpy=True)._value
    energies = []
    for step in (1e-6, -1e-6):
        ctx.setPositions(made.start + step * way)
        energies.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    assert (energies[0] - energies[1]) / 2e-6 == pytest.approx(-float((forces * way).sum()), abs=1e-2)
    ctx.setPositions(moved)
    assert traded_and_not()[1] == pytest.approx(after, abs=1e-6)


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


@pytest.mark.parametrize("gap", [-1e5, 0.0, 200.0, 400.0, 1e6, 1e12])
def test_the_softened_energy_is_exact_at_both_ends_and_bounded_between(gap: float) -> None:
    assert softened(7.0, 7.0 + gap, 0.0, 1.0) == pytest.approx(7.0)
    assert softened(7.0, 7.0 + gap, 0.0, -1.0) == pytest.approx(7.0 + gap)
    assert softened(7.0, 7.0 + gap, 0.5, 1.0) < 7.0 + 0.5 * 420.0
    if gap < 209.0:
        assert softened(7.0, 7.0 + gap, 0.5, 1.0) == pytest.approx(7.0 + gap / 2, rel=1e-9)


def test_the_frame_is_silent_when_both_lie_alike_and_when_either_bends() -> None:
    made = ready()
    (force,) = (f for f in made.ladder.system.getForces() if f.getName() == "frame")
    atoms = list(force.getBondParameters(0)[0])
    system = openmm.System()
    for _ in range(made.atoms):
        system.addParticle(1.0)
    system.addForce(openmm.XmlSerializer.clone(force))
    ctx = context(system, openmm.VerletIntegrator(0.001), Device("Reference"))

    def energy(xyz: np.ndarray) -> float:
        ctx.setPositions(xyz)
        return float(ctx.getState(getEnergy=True).getPotentialEnergy()._value)

    xyz = made.start.copy()
    xyz[atoms[3:]] = xyz[atoms[:3]] + made.displacement
    assert energy(xyz) == pytest.approx(0.0, abs=1e-6)
    bent = xyz.copy()
    bent[atoms[4]] = bent[atoms[3]] + 1.3 * (bent[atoms[4]] - bent[atoms[3]])  # a bond stretched
    assert energy(bent) == pytest.approx(0.0, abs=1e-6)
    moved = xyz.copy()
    moved[atoms[3:]] += [0.1, 0.0, 0.0]
    assert energy(moved) == pytest.approx(0.5 * 2.5 * 4.184 * 100 * 0.01, rel=1e-6)
    turn = np.diag([-1.0, -1.0, 1.0])
    turned = xyz.copy()
    turned[atoms[3:]] = (xyz[atoms[3:]] - xyz[atoms[3]]) @ turn + xyz[atoms[3]]
    assert energy(turned) > 1.0


def test_the_way_out_is_clear_and_no_longer_than_it_must_be() -> None:
    random = np.random.default_rng(5)
    wall, ligand = random.normal(0, 1.0, (400, 3)), random.normal(0, 0.2, (20, 3))
    out = displacement(wall, ligand, 1.0)
    gaps = np.linalg.norm((ligand + out)[:, None] - wall[None], axis=-1)
    assert gaps.min() >= 1.0
    assert np.linalg.norm(out) < 2.0 * np.linalg.norm(wall, axis=1).max() + 3.0


def test_common_parts_follow_the_poses() -> None:
    one, two = toluene(), grown("Cc1ccccc1F")
    shared = common(one, two)
    assert len(shared.pairs) == 7
    assert shared.likeness == pytest.approx(np.exp(-0.1))
    assert shared.gap < 0.3
    a, b = frames(one, two, ("one", "two"))
    places = [mol.GetConformer().GetPositions()[list(atoms)] for mol, atoms in ((one, a), (two, b))]
    assert np.abs(places[0] - places[1]).max() < 0.5
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
def test_two_ligands_are_traded_in_explicit_water(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference: the ATMForce itself; and the walk goes on from there."""
    monkeypatch.setattr("docking.dynamics.transfer.relaxed", partial(relaxed, ps=0.2, evaluations=15))
    model, mol = beside_the_helix()
    other = laid_on(mol, "Cc1ccccc1F")
    terms = tuple(parameters(one, SETTINGS, "x")[0] for one in (mol, other))
    made = transfer(
        model,
        terms,
        (mol, other),
        ("a", "b"),
        solvent="explicit",
        keep=5.0,
        free=4.0,
        relax=8,
        device=SETTINGS.device,  # type: ignore[arg-type]
    )
    ctx = context(made.ladder.system, openmm.VerletIntegrator(0.001), SETTINGS.device)
    ctx.setPositions(made.start)
    ours, theirs = made.ladder.weighed(ctx), []
    for state in made.ladder.states:
        for key, value in state.items():
            ctx.setParameter(key, value)
        theirs.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    assert ours - ours[0] == pytest.approx(np.array(theirs) - theirs[0], abs=0.2)  # single precision of 1e5
    short = replace(made.ladder, states=made.ladder.states[:2])
    plan = Plan(iterations=1, steps=3, warm=3, step_fs=2.0)
    walked = sample(
        replace(short, weighed=lambda c: made.ladder.weighed(c)[:2]), made.start, plan, SETTINGS.device
    )
    assert np.isfinite(walked.energies).all()
    gap = walked.xyz[0] - made.start
    assert np.linalg.norm(gap[made.bound.ligand], axis=-1).max() < 0.1


def test_pairs_that_cannot_be_compared_are_named() -> None:
    far = Chem.Mol(toluene())
    for i in range(far.GetNumAtoms()):
        x, y, z = far.GetConformer().GetAtomPosition(i)
        far.GetConformer().SetAtomPosition(i, (x + 9.0, y, z))
    with pytest.raises(MoleculeError, match=r"common atoms of a and b lie 9\.0 Å apart"):
        frames(toluene(), far, ("a", "b"))
    ion = grown("Cc1ccccc1[NH3+]")
    with pytest.raises(MoleculeError, match=r"a carries a charge of \+0 and b of \+1"):
        frames(toluene(), ion, ("a", "b"))
    chain = Chem.AddHs(Chem.MolFromSmiles("OCCO"))
    AllChem.EmbedMolecule(chain, randomSeed=1)
    with pytest.raises(MoleculeError, match="share no part with whole rings"):
        frames(toluene(), chain, ("a", "b"))


def test_plans_out_of_range_are_refused() -> None:
    with pytest.raises(DockingError, match="iterations must be above 0"):
        Plan(iterations=-1)
