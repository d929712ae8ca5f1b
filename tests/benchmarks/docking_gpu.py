"""How many energies and how many ligands a second does a GPU dock?

Answer    energy + gradient evaluations a second; ligands a second, `fast`, from PDBQT text to refined poses
Data      screening_dev, target DEF (DUD-E by way of Uni-Dock @ 66546c3, Apache-2.0), 5,798 ligands
Baseline  Uni-Dock 1.1, same preset name: 33 ligands a second on an RTX 4090 (its authors' figure, not ours)
Budget    --quick: 256 ligands; full: all. Compiling is timed apart
Failures  counted, and listed by reason
Without   a GPU nothing is measured; --rehearse goes through every step with a few ligands on the CPU and
          records nothing, so that the script is known to work before a GPU is at hand
"""

from __future__ import annotations

import time
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np

from discovery.outcome import Missing, each
from docking.energy import FUNCTIONS
from docking.engines.native import Place, Subject, finish, keep_programs, side_by_side, tree_of
from docking.ligand import Ligand
from docking.maps import types_of
from docking.receptor import Receptor
from docking.search import effort, programs, walk
from docking.search.motion import Conf
from tests.benchmarks.enrichment import Screen
from tests.benchmarks.record import options, record
from tests.docking.complexes import bare

SEED = 2026
POSES = 1 << 16  # evaluated side by side
ROUNDS = 50
REHEARSED = 6  # ligands


def evaluations_per_second(place: Place, one: Subject, poses: int = POSES, rounds: int = ROUNDS) -> float:
    """Energy and gradient of one ligand in many poses, the device kept busy."""
    problem, field = place.problem(one)
    start = walk.begin(jax.random.key(SEED), problem, field, poses).kept

    def many(conf: Conf) -> jax.Array:
        def again(_: int, sums: jax.Array) -> jax.Array:
            moved = conf._replace(position=conf.position + 1e-6 * sums[None])
            energy, slope = walk.evaluate(place.function, problem, field, moved, 1000.0, 100.0)
            return jnp.clip(energy, -1.0, 1.0) + 1e-9 * slope.sum(axis=0)

        return jax.lax.fori_loop(0, rounds, again, jnp.zeros(poses))

    run = jax.jit(many, compiler_options=programs.options())
    run(start).block_until_ready()
    clock = time.perf_counter()
    run(start).block_until_ready()
    return poses * rounds / (time.perf_counter() - clock)


def ready(one: Ligand) -> Subject:
    return Subject.alone(one, SEED)


def docked(place: Place, ligands: list[Ligand]) -> list[object]:
    """Text -> tree -> search -> refined poses, one outcome for each."""
    prepared = each("docking", ready, ligands)
    minima = side_by_side(place, [one for one in prepared if not isinstance(one, Missing)], "fast")

    def done(one: Subject) -> object:
        problem, field = place.problem(one)
        return finish(place, one, problem, field, minima[one.key], "fast", 1)

    return list(each("docking", done, prepared))


def main() -> None:
    parser = options(__doc__, "256 ligands")
    parser.add_argument(
        "--rehearse", action="store_true", help="a few ligands, on the CPU too; nothing is recorded"
    )
    args = parser.parse_args()
    if jax.default_backend() == "cpu" and not args.rehearse:
        print(f"JAX {jax.__version__} sees no GPU here, so nothing was measured and nothing was recorded.")
        return
    keep_programs()
    screen = Screen.of("def")
    ligands = [bare(path.name, path.read_text()) for path in sorted(screen.places[0].glob("*.pdbqt"))]
    ligands = [ligands[i] for i in np.random.default_rng(SEED).permutation(len(ligands))]
    ligands = ligands[: REHEARSED if args.rehearse else 256 if args.quick else len(ligands)]
    clock = time.perf_counter()
    place = Place(Receptor("DEF", "", screen.receptor), screen.site, FUNCTIONS["vina"])
    place.prepare({kind for one in ligands for kind in types_of(tree_of(one).xs)})
    built = time.perf_counter() - clock
    clock = time.perf_counter()
    docked(place, ligands[: 2 * effort.lanes()])  # compiles
    compiled = time.perf_counter() - clock
    tree_of.cache_clear()
    clock = time.perf_counter()
    outcomes = docked(place, ligands)
    spent = time.perf_counter() - clock
    failed = Counter(one.reason.value for one in outcomes if isinstance(one, Missing))
    amount = (256, 2) if args.rehearse else (POSES, ROUNDS)
    numbers = {
        "ligands": len(ligands),
        "ligands_per_s": round(len(ligands) / spent, 2),
        "evaluations_per_s": round(evaluations_per_second(place, ready(ligands[0]), *amount)),
        "lanes": effort.lanes(),
        "grids_s": round(built, 2),
        "compile_s": round(compiled, 1),
        "failed": dict(failed),
    }
    if args.rehearse:
        print(numbers)
    else:
        record("docking_gpu", numbers, seed=SEED, device=jax.devices()[0].device_kind)


if __name__ == "__main__":
    main()
