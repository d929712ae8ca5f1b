"""Do actives come first in a screen?

Answer    EF1 %, EF5 %, BEDROC (alpha 20) and ROC area with 95 % intervals (molecules drawn anew), for our engine,
          for `vina`, and where each ligand is scored by the pose that rescoring puts first
Data      screening_dev, DEF of DUD-E: 102 actives and 5,696 decoys as PDBQT (Uni-Dock @ 66546c3, Apache-2.0);
          drawn with a fixed seed: --actives and --decoys say how many. Few decoys make EF1 % coarse: it is the
          share of actives in the first hundredth, over their share in all
Box       that of the set's own configuration
Baseline  `vina` at --exhaustiveness on the same molecules: --engines native,vina
Failures  a ligand that cannot be docked takes the last rank
Budget    about 1 CPU-second a ligand by native fast, 5 to 20 by vina; --keep FILE makes a run go on where it stopped

    python -m tests.benchmarks.enrichment --engines native [--effort fast] [--actives 40] [--decoys 400]

--quick takes 8 actives and 40 decoys and our own engine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rdkit.ML.Scoring.Scoring import CalcAUC, CalcBEDROC, CalcEnrichment

from discovery.outcome import MoleculeError
from docking import features, pdbqt
from docking.atom_types import Floats
from docking.energy import FUNCTIONS
from docking.engines.native import Place, find, keep_programs
from docking.fitting import skeleton
from docking.pose import equivalent
from docking.receptor import Receptor
from docking.rescoring import CANDIDATES, chances, gaps, shipped
from docking.site import Site
from docking.tree import read_tree
from tests.benchmarks.data import folder
from tests.benchmarks.record import processor, record
from tests.docking.complexes import vina_at

SEED = 2026
LAST = 1e3  # kcal/mol of a ligand that could not be docked
RANGE = 3.0  # kcal/mol above the best within which a pose may be chosen


def drawn(place: Path, actives: int, decoys: int) -> list[tuple[str, str]]:
    """Names and PDBQT, the same on every machine, mixed: a run that is stopped has docked some of both."""
    draw, chosen = np.random.default_rng(SEED), []
    for kind, count in (("actives", actives), ("decoys", decoys)):
        files = sorted((place / "def_unique_charged").glob(f"{kind}*.pdbqt"))
        chosen += [files[i] for i in sorted(draw.permutation(len(files))[:count].tolist())]
    return [(chosen[i].stem, chosen[i].read_text()) for i in draw.permutation(len(chosen))]


def by_native(receptor: str, site: Site, effort: str) -> Callable[[str, str], dict[str, float]]:
    place = Place(Receptor("def", "", receptor), site, FUNCTIONS["vina"])

    def work(name: str, ligand: str) -> dict[str, float]:
        tree = read_tree(pdbqt.read(ligand))
        found = find(place, tree, name, SEED, effort, CANDIDATES)
        rotor = 1.0 + FUNCTIONS["vina"].weights["rotor"] * tree.rotors
        scores = np.array([e.inter + e.intra - found[0][1].intra for _, e in found]) / rotor
        return judged(ligand, np.stack([coords for coords, _ in found]), scores, receptor)

    return work


def by_vina(receptor: str, site: Site, exhaustiveness: int) -> Callable[[str, str], dict[str, float]]:
    program = vina_at(receptor, site, SEED)

    def work(name: str, ligand: str) -> dict[str, float]:
        program.set_ligand_from_string(ligand)
        program.dock(exhaustiveness=exhaustiveness, n_poses=9)
        scores = np.atleast_2d(program.energies(n_poses=9))[:, 0]
        poses = np.stack([model.coords for model in pdbqt.read_models(program.poses(n_poses=9))])
        return judged(ligand, poses, scores, receptor)

    return work


def judged(ligand: str, poses: Floats, scores: Floats, receptor: str) -> dict[str, float]:
    """The lowest score, the score of the pose that rescoring chooses, and that pose's own log-odds."""
    near = scores <= scores.min() + RANGE
    odds = shipped()(*features.measure(ligand, poses[near], receptor))
    structure = pdbqt.read(ligand)
    heavy = np.isin(structure.types, ("H", "HD"), invert=True)
    apart = gaps(poses[near][:, heavy], equivalent(skeleton(structure)))
    chosen = int(chances([odds], [apart])[0].argmax())  # as `dock` puts one first
    return {
        "score": float(scores.min()),
        "chosen_pose": float(scores[near][chosen]),
        "log_odds": -float(odds[chosen]),
    }


def numbers(rows: list[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """How early actives come, lowest `key` first."""
    values = np.array([row.get(key, LAST) for row in rows])
    active = np.array([str(row["name"]).startswith("actives") for row in rows])

    def measures(pick: Any) -> list[float]:
        order = pick[np.argsort(values[pick], kind="stable")]
        table = [[bool(active[i])] for i in order]
        early = CalcEnrichment(table, 0, [0.01, 0.05])  # type: ignore[no-untyped-call]
        late = CalcBEDROC(table, 0, 20.0), CalcAUC(table, 0)  # type: ignore[no-untyped-call]
        return [*early, *late]

    draws = np.random.default_rng(0).integers(0, len(rows), (500, len(rows)))
    spread = np.array([measures(pick) for pick in draws if active[pick].any() and not active[pick].all()])
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    return {
        f"{key}_{name}": [round(float(v), 3) for v in three]
        for name, *three in zip(
            ("EF1", "EF5", "BEDROC20", "AUC"), measures(np.arange(len(rows))), low, high, strict=True
        )
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", default="native")
    parser.add_argument("--effort", default="fast", help="of native")
    parser.add_argument("--exhaustiveness", type=int, default=8, help="of vina")
    parser.add_argument("--actives", type=int, default=102)
    parser.add_argument("--decoys", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="JSON lines of what was docked; read first, added to")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.actives, args.decoys, args.engines = 8, 40, "native"
    place = next(folder("docking/screening_dev").rglob("config_def.json")).parent
    config = json.loads((place / "config_def.json").read_text())
    site = Site(*(tuple(config[f"{what}_{axis}"] for axis in "xyz") for what in ("center", "size")))
    receptor = (place / "def_receptor.pdbqt").read_text()
    chosen = drawn(place, args.actives, args.decoys)
    keep_programs()
    known: dict[tuple[str, str], dict[str, Any]] = {}
    if args.keep and args.keep.exists():
        for line in args.keep.read_text().splitlines():
            row = json.loads(line)
            known[row["by"], row["name"]] = row
    for engine in args.engines.split(","):
        setting: str | int = args.effort if engine == "native" else args.exhaustiveness
        by = f"{engine} {setting}"
        work = (
            by_native(receptor, site, args.effort)
            if engine == "native"
            else by_vina(receptor, site, args.exhaustiveness)
        )
        rows: list[Mapping[str, Any]] = []
        for name, ligand in chosen:
            if (by, name) not in known:
                start = time.process_time()
                try:
                    known[by, name] = {"by": by, "name": name, **work(name, ligand)}
                except (MoleculeError, pdbqt.PdbqtError, RuntimeError) as error:
                    known[by, name] = {"by": by, "name": name, "missing": str(error)}
                known[by, name]["cpu_s"] = round(time.process_time() - start, 2)
                print(json.dumps(known[by, name]), flush=True)
                if args.keep:
                    with args.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(known[by, name]) + "\n")
            rows.append(known[by, name])
        found: dict[str, Any] = {"actives": args.actives, "decoys": args.decoys}
        found["missing"] = sum("missing" in row for row in rows)
        for key in ("score", "chosen_pose", "log_odds"):
            found |= numbers(rows, key)
        record("enrichment", found, seed=SEED, device=processor(), engine=by, quick=args.quick)
        print(by, json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
