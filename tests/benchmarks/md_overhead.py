"""What do frames, checkpoints and the watch for explosions cost a simulation?

Answer    speed of our replica, a frame and a checkpoint offered after each piece, over a bare integrator.step
          of the same System on the same device; the median of alternating rounds
Data      the demo target with toluene where ergotamine's benzyl group lies: shipped
Baseline  1
Budget    a frame every 2 ps, a checkpoint file at most every 30 s, as in a real run

    python -m tests.benchmarks.md_overhead [--quick] [--platform auto]

--quick: frames every 0.4 ps, two rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import openmm

from docking.dynamics.checkpoint import Keeper
from docking.dynamics.minimise import settle
from docking.dynamics.platform import Device, context, described
from docking.dynamics.simulate import Progress, Run, replica
from docking.dynamics.system import Choices, system_of
from docking.dynamics.terms import without_terms_among
from tests.benchmarks.record import options, record
from tests.docking.dynamics.cases import toluene_pocket


def main() -> None:
    """Measure, print, record."""
    parser = options(__doc__)
    parser.add_argument("--platform", default="auto")
    given = parser.parse_args()
    device = Device(given.platform)
    bound = toluene_pocket(keep=9.0, free=5.0)
    start = settle(bound, device).xyz
    frame, frames, rounds = (0.4, 2, 2) if given.quick else (2.0, 3, 4)
    run = Run(length_ps=frame * frames, equilibration_ps=0.0, frame_ps=frame, replicas=1)
    steps = round(run.length_ps * 1000 / run.step_fs)
    choices = Choices(cutoff_nm=1.2, constrain_hydrogens=True, heavy_hydrogens=True)
    system = system_of(without_terms_among(bound.terms, bound.frozen), bound.frozen, choices)
    integrator = openmm.LangevinMiddleIntegrator(run.temperature, run.friction, run.step_fs / 1000.0)
    integrator.setConstraintTolerance(1e-6)
    bare = context(system, integrator, device)
    bare.setPositions(start)
    bare.applyConstraints(1e-6)
    bare.setVelocitiesToTemperature(run.temperature, 1)
    integrator.step(20)
    ratios, built = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for index in range(rounds):
            began = time.process_time()
            integrator.step(steps)
            bare.getState(getPositions=True)
            plain = time.process_time() - began
            keeper = Keeper(Progress, Path(scratch), f"replica-{index}", last=run.frames)
            marks: list[float] = [time.process_time()]

            def keep(progress: object, keeper: Keeper = keeper, marks: list[float] = marks) -> None:
                keeper.keep(progress)  # type: ignore[arg-type]
                marks.append(time.process_time())

            began = time.process_time()
            replica(bound, start, run, index, device, name="toluene", keep=keep)
            whole = time.process_time() - began
            later = (marks[-1] - marks[1]) / (run.frames - 1) * run.frames  # less building, paid once a run
            ratios.append(plain / later)
            built.append(whole - later)
            print(f"round {index + 1}: {ratios[-1]:.4f}", flush=True)
    numbers = {
        "speed_over_bare": round(statistics.median(ratios), 4),
        "lowest": round(min(ratios), 4),
        "highest": round(max(ratios), 4),
        "built_in_cpu_s": round(statistics.median(built), 2),
        "atoms": bound.terms.n_atoms,
        "steps_a_frame": round(frame * 1000 / run.step_fs),
    }
    record("md_overhead", numbers, seed=1, device=described(device))


if __name__ == "__main__":
    main()
