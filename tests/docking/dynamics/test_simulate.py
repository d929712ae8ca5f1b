"""Laws: the same seed is the same walk; explosions go back, and end in a reason; a walk resumes."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import openmm
import pytest

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.minimise import settle
from docking.dynamics.platform import Device, context
from docking.dynamics.simulate import Progress, Run, Trajectory, replica, seed_of
from docking.dynamics.system import system_of
from tests.docking.dynamics.cases import toluene_pocket

SHORT = Run(length_ps=0.2, equilibration_ps=0.1, frame_ps=0.1, replicas=1, step_fs=2.0, seed=5)


@functools.lru_cache(maxsize=1)
def settled() -> np.ndarray:
    return settle(toluene_pocket(), dry=40, wet=5).xyz


def walk(run: Run = SHORT, index: int = 0, **more: object) -> Trajectory:
    return replica(toluene_pocket(), settled(), run, index, name="toluene", **more)  # type: ignore[arg-type]


def test_one_seed_one_walk() -> None:
    first, again, other = walk(), walk(), walk(index=1)
    assert np.array_equal(first.frames, again.frames)
    assert not np.allclose(first.frames, other.frames)
    assert first.steps == 150
    assert first.times == pytest.approx([0.1, 0.2])


def test_seeds_do_not_depend_on_the_process() -> None:
    """printf '1\\0000\\000toluene' | sha256sum | head -c 8, coreutils 9.1, less the sign bit."""
    assert seed_of(1, 0, "toluene") == 0x2F75A978 & 0x7FFFFFFF
    assert seed_of(1, 0, "toluene") != seed_of(1, 1, "toluene")


def test_the_shell_stays_and_bonds_to_hydrogen_keep_their_length() -> None:
    bound, frames = toluene_pocket(), walk().frames / 10.0
    assert np.abs(frames - settled())[:, bound.frozen].max() < 1e-6
    light = bound.terms.mass < 1.5
    for (a, b), (length, _) in zip(bound.terms.bonds, bound.terms.bond_values, strict=True):
        if (light[a] or light[b]) and not (bound.frozen[a] or bound.frozen[b]):
            gaps = np.linalg.norm(frames[:, a] - frames[:, b], axis=-1)
            assert gaps == pytest.approx(length, abs=1e-4)


def test_an_explosion_goes_back_and_takes_smaller_steps() -> None:
    """Bonds a thousand times too stiff for 2 fs."""
    bound = toluene_pocket()
    terms = bound.terms
    stiff = terms.bond_values.copy()
    stiff[:, 1] *= 30.0
    run = replace(SHORT, length_ps=0.1, equilibration_ps=0.0)
    wild = replace(bound, terms=replace(terms, bond_values=stiff))
    calm = replica(wild, settled(), run, 0, name="toluene")
    assert calm.restarts >= 1
    assert calm.step_fs < run.step_fs
    assert np.isfinite(calm.frames).all()


def test_a_hopeless_replica_ends_in_a_reason_not_in_a_number() -> None:
    bound = toluene_pocket()
    stiff = bound.terms.bond_values.copy()
    stiff[:, 1] *= 1e5
    wild = replace(bound, terms=replace(bound.terms, bond_values=stiff))
    with pytest.raises(MoleculeError, match=r"toluene: the simulation exploded.*dock it again") as caught:
        replica(wild, settled(), SHORT, 0, name="toluene")
    assert caught.value.reason is Reason.DIVERGED


def test_a_walk_goes_on_where_it_was_stopped() -> None:
    """On the Reference platform: positions and velocities are taken up, the thermostat's noise is drawn anew."""
    seen: list[Progress] = []
    device = Device("Reference")
    whole = replica(toluene_pocket(), settled(), SHORT, 0, device, name="toluene", keep=seen.append)
    assert [p.chunk for p in seen] == [0, 1, 2]
    assert np.array_equal(seen[-1].frames, whole.frames)
    rest = replica(toluene_pocket(), settled(), SHORT, 0, device, name="toluene", resumed=seen[1])
    assert rest.steps == whole.steps
    assert rest.frames.shape == whole.frames.shape
    assert np.array_equal(rest.frames[0], whole.frames[0])
    assert np.abs(rest.frames[1] - whole.frames[1]).max() < 2.0


def test_a_walk_goes_on_on_another_platform() -> None:
    """Begun on the CPU platform, ended on Reference: the state travels as XML, the energy with it."""
    run = replace(SHORT, length_ps=0.04, frame_ps=0.02, equilibration_ps=0.0)
    kept: list[Progress] = []
    walk(run, device=Device("CPU"), keep=kept.append)
    half = kept[0]
    ended = walk(run, device=Device("Reference"), resumed=half)
    assert np.array_equal(ended.frames[0], half.frames[0])
    assert ended.steps == 20
    moved = np.linalg.norm(ended.frames[1] - ended.frames[0], axis=-1)
    assert 0.01 < moved.max() < 1.0  # Å in 20 fs: it went on, and from there
    bound = toluene_pocket()
    energies = []
    for name in ("CPU", "Reference"):
        system = system_of(bound.terms, bound.frozen)
        ctx = context(system, openmm.VerletIntegrator(0.001), Device(name))
        ctx.setState(openmm.XmlSerializer.deserialize(half.state))
        energies.append(ctx.getState(getEnergy=True).getPotentialEnergy()._value)
    assert energies[0] == pytest.approx(energies[1], abs=0.05)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"length_ps": 0.0}, "length_ps"),
        ({"step_fs": 9.0}, "step_fs must lie between"),
        ({"replicas": 0}, "replicas"),
        ({"temperature": float("nan")}, "temperature"),
        ({"frame_ps": 50.0}, "longer than length_ps"),
        ({"equilibration_ps": -1.0}, "equilibration_ps"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Run(**wrong)  # type: ignore[arg-type]
