"""How are all states of a ladder sampled together? Replicas that trade places.

Every state has a replica. All walk a little, then replicas exchange states as often as
it takes to forget who had which [1]_, so that what one state finds the others learn.
One Context serves all replicas in turn. OpenMM 8.6 has a sampler of its own; it asks
the force field again for every state where two numbers suffice here, and its files,
appended as it goes, do not survive a kill between two of them.

References
----------
.. [1] Chodera, Shirts, J. Chem. Phys. 135, 194110 (2011), doi 10.1063/1.3660669.
.. [2] Tuckerman, Berne, Martyna, J. Chem. Phys. 97, 1990 (1992), doi 10.1063/1.463137: forces at two paces.
.. [3] Christen, Fox, J. Comput. Graph. Stat. 14, 795 (2005), doi 10.1198/106186005X76983: Metropolis in two stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from scipy.spatial.transform import Rotation

from discovery.outcome import MoleculeError, Reason
from discovery.units import GAS_CONSTANT, KCAL_PER_KJ
from docking.dynamics.platform import Device, context
from docking.dynamics.simulate import SMALLEST_STEP, degrees_of, positions_of, seed_of, stepped
from docking.dynamics.terms import Floats, Ints
from docking.receptor import DockingError

_CALM = 2000.0  # kJ/mol/nm, twice what heat does: above it something lies on another where a state is first entered
SLOW = 1  # the force group that is not felt at every step, where a ladder has one


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A single bond that heat turns too rarely: between walks it is tried whether it may stand otherwise."""

    axis: tuple[int, int]
    atoms: Ints  # that turn about it
    thirds: bool  # by about a third of a turn either way; else by any angle

    def tried(self, xyz: Floats, random: np.random.Generator) -> Rotation:
        """A turn about the bond; as likely as the way back."""
        ahead = xyz[self.axis[1]] - xyz[self.axis[0]]
        angle = (
            random.choice([-1.0, 1.0]) * random.normal(120.0, 15.0)
            if self.thirds
            else random.uniform(0.0, 360.0)
        )
        return Rotation.from_rotvec(np.deg2rad(angle) * ahead / np.linalg.norm(ahead))


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """States that differ in Context parameters, and how a configuration is weighed in all of them."""

    system: Any
    states: tuple[Mapping[str, float], ...]  # Context parameters of each
    weighed: Callable[[Any], Floats]  # a Context -> [state] kJ/mol, up to what all share
    pace: int = 1  # forces of group SLOW are felt at one step in so many
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how hot.

    Raises
    ------
    DockingError
        If a number is out of its range; names it.
    """

    iterations: int = 40
    steps: int = 50  # between exchanges
    warm: int = 100  # steps in each state before the first iteration
    step_fs: float = 4.0
    temperature: float = 298.15  # K
    friction: float = 5.0  # 1/ps
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("iterations", "steps", "temperature", "friction"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise DockingError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.warm < 0:
            raise DockingError(f"warm must be at least 0, not {self.warm}")
        if not SMALLEST_STEP <= self.step_fs <= 5.0:
            raise DockingError(f"step_fs must lie between {SMALLEST_STEP} and 5, not {self.step_fs}")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Iterations done, and all that is needed to go on."""

    xyz: Floats  # [replica, atom, 3] nm
    velocities: Floats  # [replica, atom, 3] nm/ps
    boxes: Floats  # [replica, 3, 3] nm
    energies: Floats  # [iteration, replica, state] kJ/mol
    state_of: Ints  # [iteration, replica]
    state_now: Ints  # [replica], after the last exchange
    step_fs: float
    restarts: int  # after an explosion

    @property
    def chunk(self) -> int:
        """Iterations done."""
        return len(self.energies)

    @property
    def mixing(self) -> float:
        """Share of iterations after which a replica was in another state; 0 is no exchange at all."""
        if len(self.state_of) < 2:
            return 0.0
        return float((np.diff(self.state_of, axis=0) != 0).mean())

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What a checkpoint holds: numbers only, so that any platform and version can go on."""
        return {name: np.asarray(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Samples:
        """And back."""
        return cls(
            xyz=arrays["xyz"],
            velocities=arrays["velocities"],
            boxes=arrays["boxes"],
            energies=arrays["energies"],
            state_of=arrays["state_of"],
            state_now=arrays["state_now"],
            step_fs=float(arrays["step_fs"]),
            restarts=int(arrays["restarts"]),
        )


def sample(
    ladder: Ladder,
    start: Floats,
    plan: Plan,
    device: Device | None = None,
    *,
    name: str = "the ladder",
    end: Floats | None = None,
    resumed: Samples | None = None,
    keep: Callable[[Samples], None] | None = None,
) -> Samples:
    """Sample every state of a ladder.

    The states are entered one after the other from the first, each from where the one
    before it stood; with an `end`, those of the second half from the last: neither end
    is favoured by having been relaxed more.

    Parameters
    ----------
    start, end : [atom, 3] nm
        Relaxed in the first and in the last state.
    resumed
        Go on from here.
    keep
        Told after every iteration; see dynamics/checkpoint.py.

    Raises
    ------
    MoleculeError
        DIVERGED, if a replica explodes at the smallest step.
    """
    walker = _Walker(ladder, plan, device or Device(), name, 0 if resumed is None else resumed.chunk)
    now = resumed if resumed is not None else walker.begun(start, end)
    while now.chunk < plan.iterations:
        now = walker.iterated(now)
        if keep is not None:
            keep(now)
    return now


def exchanged(energies: Floats, state_of: Ints, temperature: float, seed: int) -> Ints:
    """Who is in which state after n² attempts between pairs drawn at random.

    Parameters
    ----------
    energies : [replica, state] kJ/mol
    state_of : [replica]
    """
    random = np.random.default_rng(seed)
    n = len(state_of)
    state = state_of.copy()
    if n < 2:
        return state
    reduced = energies * KCAL_PER_KJ / (GAS_CONSTANT * temperature)
    first = random.integers(0, n, n * n)
    second = (first + random.integers(1, n, n * n)) % n
    for i, j, luck in zip(first, second, np.log(random.random(n * n)), strict=True):
        a, b = state[i], state[j]
        if luck < reduced[i, a] + reduced[j, b] - reduced[i, b] - reduced[j, a]:
            state[i], state[j] = b, a
    return state


def two_paced(temperature: float, friction: float, step_ps: float, pace: int) -> Any:
    """An integrator that feels forces of group 0 `pace` times a step and those of group SLOW once.

    LangevinMiddle, its kicks from both groups: between two half steps the slow forces are
    those of the first [2]_. Temperature in K, friction in 1/ps.
    """
    made = openmm.CustomIntegrator(step_ps)
    made.addGlobalVariable("kT", GAS_CONSTANT / KCAL_PER_KJ * temperature)
    made.addGlobalVariable("friction", friction)
    made.addGlobalVariable("kept", 0.0)
    made.addPerDofVariable("before", 0.0)
    made.addUpdateContextState()
    made.addComputeGlobal("kept", f"exp(-friction*dt/{pace})")
    made.addComputePerDof("v", f"v + dt*f{SLOW}/m")
    for _ in range(pace):
        made.addComputePerDof("v", f"v + dt/{pace}*f0/m")
        made.addConstrainVelocities()
        made.addComputePerDof("x", f"x + 0.5*dt/{pace}*v")
        made.addComputePerDof("v", "kept*v + sqrt((1 - kept^2)*kT/m)*gaussian")
        made.addComputePerDof("x", f"x + 0.5*dt/{pace}*v")
        made.addComputePerDof("before", "x")
        made.addConstrainPositions()
        made.addComputePerDof("v", f"v + {pace}*(x - before)/dt")
    return made


_TRIES = 16  # to turn a bond, between walks


class _Walker:
    """The one Context, lent to each replica in turn."""

    def __init__(self, ladder: Ladder, plan: Plan, device: Device, name: str, done: int) -> None:
        self.ladder, self.plan, self.name = ladder, plan, name
        how = plan.temperature, plan.friction, ladder.pace * plan.step_fs / 1000.0
        self.integrator = (
            two_paced(*how, ladder.pace) if ladder.pace > 1 else openmm.LangevinMiddleIntegrator(*how)
        )
        self.integrator.setRandomNumberSeed(seed_of(plan.seed, name, done))
        self.integrator.setConstraintTolerance(1e-6)
        system = ladder.system
        for force in system.getForces():
            if isinstance(force, openmm.MonteCarloBarostat):
                force.setRandomNumberSeed(seed_of(plan.seed, name, done, "volume"))
        self.context = context(system, self.integrator, device)
        self.degrees = degrees_of(system)
        self.step_fs, self.restarts = plan.step_fs, 0

    def begun(self, start: Floats, end: Floats | None) -> Samples:
        """Every state entered once."""
        states = len(self.ladder.states)
        half = states if end is None else (states + 1) // 2
        held = self._entered(start, range(half), "start")
        if end is not None:
            held += self._entered(end, range(states - 1, half - 1, -1), "end")[::-1]
        n = len(held)
        places, speeds, sides = (np.array(part) for part in zip(*held, strict=True))
        return Samples(
            xyz=places,
            velocities=speeds,
            boxes=sides,
            energies=np.zeros((0, n, n)),
            state_of=np.zeros((0, n), dtype=np.int64),
            state_now=np.arange(n, dtype=np.int64),
            step_fs=self.step_fs,
            restarts=self.restarts,
        )

    def _entered(self, start: Floats, states: range, where: str) -> list[tuple[Floats, Floats, Floats]]:
        ctx, plan = self.context, self.plan
        ctx.setPositions(start)
        ctx.applyConstraints(1e-6)
        self._enter(states[0])
        ctx.setVelocitiesToTemperature(plan.temperature, seed_of(plan.seed, self.name, where))
        xyz, velocities, boxes = _parts(ctx.getState(getPositions=True, getVelocities=True))
        held = []
        for k in states:
            self._enter(k)
            ctx.setPositions(xyz)
            openmm.LocalEnergyMinimizer.minimize(ctx, _CALM)
            xyz = positions_of(ctx.getState(getPositions=True))
            xyz, velocities, boxes = self._walked(k, xyz, velocities, boxes, plan.warm)
            held.append((xyz, velocities, boxes))
        return held

    def iterated(self, now: Samples) -> Samples:
        """All walk, all are weighed, all may trade places."""
        self.restarts = now.restarts
        self._step(now.step_fs)
        held, energies = [], []
        for i, k in enumerate(now.state_now):
            part = self._walked(int(k), now.xyz[i], now.velocities[i], now.boxes[i], self.plan.steps)
            held.append(self._turned(part, seed_of(self.plan.seed, self.name, "turns", now.chunk, i)))
            energies.append(self.ladder.weighed(self.context))
        weights = np.array(energies)
        xyz, velocities, boxes = (np.array(part) for part in zip(*held, strict=True))
        seed = seed_of(self.plan.seed, self.name, "exchange", now.chunk)
        return Samples(
            xyz=xyz,
            velocities=velocities,
            boxes=boxes,
            energies=np.concatenate([now.energies, weights[None]]),
            state_of=np.concatenate([now.state_of, now.state_now[None]]),
            state_now=exchanged(weights, now.state_now, self.plan.temperature, seed),
            step_fs=self.step_fs,
            restarts=self.restarts,
        )

    def _turned(self, part: tuple[Floats, Floats, Floats], seed: int) -> tuple[Floats, Floats, Floats]:
        """The same after some tries to turn a bond, by Metropolis: the cheap forces first, the slow ones if these agree [3]_."""
        turns, ctx = self.ladder.turns, self.context
        if not turns:
            return part
        random = np.random.default_rng(seed)
        xyz, velocities, box = part

        def energy(group: int) -> float:
            state = ctx.getState(getEnergy=True, groups={group})
            return (
                float(state.getPotentialEnergy()._value)
                * KCAL_PER_KJ
                / (GAS_CONSTANT * self.plan.temperature)
            )

        fast, slow = energy(0), None
        for which in random.integers(len(turns), size=_TRIES):
            turn = turns[which]
            rotation, root, atoms = turn.tried(xyz, random), xyz[turn.axis[1]], turn.atoms
            trial = xyz.copy()
            trial[atoms] = rotation.apply(xyz[atoms] - root) + root
            ctx.setPositions(trial)
            luck, after = np.log(random.random(2)), energy(0)
            if luck[0] >= fast - after:
                continue
            then = energy(SLOW)
            if slow is None:  # what it was: asked for only now, as few tries come so far
                ctx.setPositions(xyz)
                slow = energy(SLOW)
            if luck[1] < slow - then:
                xyz, fast, slow = trial, after, then
                velocities = velocities.copy()
                velocities[atoms] = rotation.apply(velocities[atoms])
        ctx.setPositions(xyz)
        return xyz, velocities, box

    def _enter(self, state: int) -> None:
        for key, value in self.ladder.states[state].items():
            self.context.setParameter(key, value)

    def _step(self, fs: float) -> None:
        self.step_fs = fs
        self.integrator.setStepSize(self.ladder.pace * fs / 1000.0)

    def _walked(
        self, k: int, xyz: Floats, velocities: Floats, box: Floats, steps: int
    ) -> tuple[Floats, Floats, Floats]:
        """A replica in state `k` after `steps` of the planned length, by smaller ones where it explodes."""
        while True:
            self.context.setPeriodicBoxVectors(*box)
            self.context.setPositions(xyz)
            self.context.setVelocities(velocities)
            self._enter(k)
            count = -(-round(steps * self.plan.step_fs / self.step_fs) // self.ladder.pace)
            state = stepped(self.context, count, self.degrees, self.plan.temperature)
            if state is not None:
                return _parts(state)
            if self.step_fs / 2.0 < SMALLEST_STEP:
                raise MoleculeError(
                    Reason.DIVERGED,
                    f"{self.name}: state {k + 1} of {len(self.ladder.states)} exploded even at steps of "
                    f"{self.step_fs:g} fs; look at its poses: do they lie on each other and in the pocket?",
                )
            self.restarts += 1
            self._step(self.step_fs / 2.0)
            self.context.setPositions(xyz)  # velocities are drawn against the constraints of these
            self.context.setVelocitiesToTemperature(
                self.plan.temperature, seed_of(self.plan.seed, self.name, k, self.restarts)
            )
            velocities = _parts(self.context.getState(getPositions=True, getVelocities=True))[1]


def _parts(state: Any) -> tuple[Floats, Floats, Floats]:
    """Positions, velocities, [atom, 3] nm and nm/ps, and the box, [3, 3] nm."""
    return (
        positions_of(state),
        np.asarray(state.getVelocities(asNumpy=True)._value, dtype=np.float64),
        np.array([list(v._value) for v in state.getPeriodicBoxVectors()], dtype=np.float64),
    )
