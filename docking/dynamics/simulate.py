"""What does the complex do when it is let go? Replicas of Langevin dynamics.

In implicit water the outer shell of the pocket is frozen, so that the complex neither
tumbles nor drifts; in explicit water (surroundings.py) the outer backbone is held.
Hydrogens weigh 3 amu and their bonds are held, which allows steps of 4 fs. A replica
that explodes goes back to its last good state with half the step; one that explodes at
half a femtosecond is given up with a reason.

References
----------
.. [1] Zhang, Liu, Yan, Tuckerman, Liu, J. Phys. Chem. A 123, 6056 (2019),
   doi 10.1021/acs.jpca.9b02771: the integrator (LangevinMiddle).
.. [2] Hopkins, Le Grand, Walker, Roitberg, J. Chem. Theory Comput. 11, 1864 (2015),
   doi 10.1021/ct5010406: heavy hydrogens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    import openmm

from discovery.devices import SEED
from discovery.outcome import MoleculeError, Reason
from discovery.units import GAS_CONSTANT, KCAL_PER_KJ
from docking.dynamics.platform import Device, context
from docking.dynamics.pocket import Complex
from docking.dynamics.surroundings import Surroundings
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import Floats, Ints, without_terms_among
from docking.receptor import DockingError

SMALLEST_STEP = 0.5  # fs
_TOO_HOT = 10.0  # times the temperature asked for: an explosion under way
_TOO_FAR = 5.0  # nm from the start; nothing in a pocket moves that far


@dataclass(frozen=True, slots=True)
class Run:
    """How long, how hot, how often.

    Raises
    ------
    DockingError
        If a number is out of its range; names it.
    """

    length_ps: float = 2.0  # recorded, per replica
    equilibration_ps: float = 0.5  # before the first frame
    replicas: int = 2
    frame_ps: float = 0.25
    step_fs: float = 4.0
    temperature: float = 300.0  # K
    friction: float = 1.0  # 1/ps
    cutoff: float | None = 12.0  # Å, of forces while moving in implicit water; energies of frames have none
    solvent: Literal["implicit", "explicit"] = "implicit"
    seed: int = SEED

    def __post_init__(self) -> None:
        positive = ("length_ps", "frame_ps", "step_fs", "temperature", "friction")
        for name in positive:
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise DockingError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.equilibration_ps < 0 or self.replicas < 1:
            raise DockingError(
                f"equilibration_ps ({self.equilibration_ps}) must be at least 0 and replicas ({self.replicas}) at least 1"
            )
        if self.frame_ps > self.length_ps:
            raise DockingError(
                f"frame_ps ({self.frame_ps}) is longer than length_ps ({self.length_ps}); take more frames"
            )
        if not SMALLEST_STEP <= self.step_fs <= 5.0:
            raise DockingError(f"step_fs must lie between {SMALLEST_STEP} and 5, not {self.step_fs}")

    @property
    def frames(self) -> int:
        return max(1, round(self.length_ps / self.frame_ps))


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """One replica."""

    frames: Floats  # [frame, atom, 3] Å
    times: Floats  # [frame] ps, from the first recorded step
    steps: int  # integration steps done, equilibration included
    step_fs: float  # at the end
    restarts: int  # after an explosion


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A replica part of the way: all that is needed to go on, and to report what is done."""

    chunk: int  # finished; negative while equilibrating
    state: str  # OpenMM State as XML
    frames: Floats  # [frame so far, atom, 3] Å
    steps: int
    step_fs: float
    restarts: int

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What a checkpoint holds."""
        return {
            "chunk": np.array(self.chunk),
            "state": np.frombuffer(self.state.encode(), dtype=np.uint8),
            "frames": self.frames,
            "steps": np.array(self.steps),
            "step_fs": np.array(self.step_fs),
            "restarts": np.array(self.restarts),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Progress:
        """And back."""
        return cls(
            chunk=int(arrays["chunk"]),
            state=arrays["state"].tobytes().decode(),
            frames=arrays["frames"],
            steps=int(arrays["steps"]),
            step_fs=float(arrays["step_fs"]),
            restarts=int(arrays["restarts"]),
        )


def seed_of(*what: object) -> int:
    """A seed of 31 bits from names and numbers: the same in any process and batch."""
    digest = hashlib.sha256("\0".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF or 1


def replica(
    bound: Complex,
    start: Floats,
    run: Run,
    index: int,
    device: Device | None = None,
    *,
    name: str = "the ligand",
    around: Surroundings | None = None,
    resumed: Progress | None = None,
    keep: Callable[[Progress], None] | None = None,
) -> Trajectory:
    """One replica from a settled structure.

    Parameters
    ----------
    start : [atom, 3] nm
        See minimise.py.
    index
        Which replica; with the seed and the name it fixes the random numbers.
    around
        Of explicit water; frames hold the complex alone.
    resumed
        Go on from here instead of from the start.
    keep
        Told after every frame; see checkpoint.py.

    Raises
    ------
    MoleculeError
        DIVERGED, with the step at which it gave up.
    """
    if around is None:
        kept_atoms, begin = np.arange(len(start)), start
        system = system_of(
            without_terms_among(bound.terms, bound.frozen),
            bound.frozen,
            Choices(
                cutoff_nm=None if run.cutoff is None else run.cutoff / 10.0,
                constrain_hydrogens=True,
                heavy_hydrogens=True,
            ),
        )
    else:
        kept_atoms, begin, system = around.kept, around.xyz, around.system
    noise = seed_of(run.seed, index, name, *([] if resumed is None else [resumed.chunk]))
    walker = _Walker(system, run, noise, device or Device(), begin, kept_atoms)
    equilibration = int(np.ceil(run.equilibration_ps / run.frame_ps))
    frames: list[Floats] = []
    first = -equilibration
    if resumed is None:
        walker.begin()
    else:
        walker.resume(resumed)
        frames = list(resumed.frames)
        first = resumed.chunk
    for chunk in range(first, run.frames):
        xyz = walker.walked(run.frame_ps, name)
        if chunk >= 0:
            frames.append(xyz * 10.0)
        if keep is not None:
            kept = np.array(frames, dtype=np.float64).reshape(-1, len(start), 3)
            keep(Progress(chunk + 1, walker.state(), kept, walker.steps, walker.step_fs, walker.restarts))
    return Trajectory(
        frames=np.array(frames),
        times=np.arange(1, run.frames + 1, dtype=np.float64) * run.frame_ps,
        steps=walker.steps,
        step_fs=walker.step_fs,
        restarts=walker.restarts,
    )


class _Walker:
    """A Context that steps, notices explosions, and goes back."""

    def __init__(self, system: Any, run: Run, seed: int, device: Device, start: Floats, kept: Ints) -> None:
        self.run, self.seed, self.start, self.kept = run, seed, start, kept
        self.step_fs, self.restarts, self.steps = run.step_fs, 0, 0
        self.integrator = openmm.LangevinMiddleIntegrator(run.temperature, run.friction, run.step_fs / 1000.0)
        self.integrator.setRandomNumberSeed(seed)
        self.integrator.setConstraintTolerance(1e-6)
        self.context = context(system, self.integrator, device)
        self.degrees = degrees_of(system)
        self.good = ""

    def begin(self) -> None:
        self.context.setPositions(self.start)
        self.context.applyConstraints(1e-6)
        self.context.setVelocitiesToTemperature(self.run.temperature, self.seed)
        self.good = self.state()

    def resume(self, progress: Progress) -> None:
        self.context.setState(openmm.XmlSerializer.deserialize(progress.state))
        self.steps, self.step_fs, self.restarts = progress.steps, progress.step_fs, progress.restarts
        self.integrator.setStepSize(self.step_fs / 1000.0)
        self.good = progress.state

    def state(self) -> str:
        state = self.context.getState(getPositions=True, getVelocities=True)
        return str(openmm.XmlSerializer.serialize(state))

    def walked(self, ps: float, name: str) -> Floats:
        """Walk on by `ps` and give the coordinates of the atoms kept, [atom, 3] nm."""
        while True:
            steps = max(1, round(ps * 1000.0 / self.step_fs))
            xyz = self._stepped(steps)
            if xyz is not None:
                self.steps += steps
                self.good = self.state()
                return xyz
            if self.step_fs / 2.0 < SMALLEST_STEP:
                raise MoleculeError(
                    Reason.DIVERGED,
                    f"{name}: the simulation exploded after step {self.steps} and again at steps of "
                    f"{self.step_fs:g} fs, {self.restarts} restart(s) in all; the pose strains the pocket: "
                    "look at it, or dock it again",
                )
            self.restarts += 1
            self.step_fs /= 2.0
            self.context.setState(openmm.XmlSerializer.deserialize(self.good))
            self.integrator.setStepSize(self.step_fs / 1000.0)
            self.context.setVelocitiesToTemperature(self.run.temperature, self.seed + self.restarts)

    def _stepped(self, steps: int) -> Floats | None:
        """The coordinates after `steps`, or None if they make no sense."""
        state = stepped(self.context, steps, self.degrees, self.run.temperature)
        if state is None:
            return None
        ours = positions_of(state)[self.kept]  # water may go anywhere
        return ours if np.abs(ours - self.start[self.kept]).max() <= _TOO_FAR else None


def degrees_of(system: Any) -> int:
    """In how many ways a System moves: three of every atom that is not frozen, less the constraints."""
    moving = sum(system.getParticleMass(i)._value > 0 for i in range(system.getNumParticles()))
    return int(max(1, 3 * moving - system.getNumConstraints()))


def stepped(ctx: Any, steps: int, degrees: int, temperature: float) -> Any | None:
    """The State after `steps`; None if it explodes: numbers that are none, or far hotter than asked for.

    Parameters
    ----------
    degrees, temperature
        See `degrees_of`; K.
    """
    try:
        ctx.getIntegrator().step(steps)
        state = ctx.getState(getPositions=True, getVelocities=True, getEnergy=True)
    except openmm.OpenMMException as error:
        if "nan" not in str(error).lower():
            raise
        return None
    kinetic = float(state.getKineticEnergy()._value)
    hot = 2.0 * kinetic * KCAL_PER_KJ / (degrees * GAS_CONSTANT)
    sound = hot <= _TOO_HOT * temperature and np.isfinite(positions_of(state)).all()
    return state if sound else None


def positions_of(state: Any) -> Floats:
    """[atom, 3] nm."""
    return np.asarray(state.getPositions(asNumpy=True)._value, dtype=np.float64)
