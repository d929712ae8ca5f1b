"""Do actives come first in a screen?

Answer    EF1 %, EF5 %, BEDROC (alpha 20) and ROC area with 95 % intervals (molecules drawn anew), for our engine,
          for `vina`, and where each ligand is scored by the pose that rescoring puts first; with both engines,
          by how much ours lies above theirs on the same molecules
Data      screening_dev, parts of DUD-E: def, 102 actives and 5,696 decoys as PDBQT (Uni-Dock @ 66546c3, Apache-2.0);
          fabp4, mol2 (oddt @ bfbf9ea, BSD-3); akt2, casp3, hs90a, SMILES (Query-models-to-3DLBVS @ eecefdf, no
          licence: measured with, nothing else). Drawn with a fixed seed: --actives and --decoys say how many. Few
          decoys make EF1 % coarse: it is the share of actives in the first hundredth, over their share in all
Input     PDBQT as it is; the others are protonated and given a shape by us, actives and decoys alike
Box       def: that of the set's own configuration; the others: the crystal ligand + 4 Å, at least 15 Å
Baseline  `vina` at --exhaustiveness on the same molecules: --engines native,vina
Failures  a ligand that cannot be docked takes the last rank
Budget    about 1 CPU-second a ligand by native fast; by vina at exhaustiveness 2 it is 4 with 3 torsions, 80 with 12:
          --torsions N draws from ligands with no more. --keep FILE makes a run go on where it stopped; with --so-far
          what FILE holds of all engines is recorded, nothing docked

    python -m tests.benchmarks.enrichment --engines native [--target def] [--effort fast] [--actives 40] [--decoys 400]

--quick takes 8 actives and 40 decoys and our own engine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rdkit.ML.Scoring.Scoring import CalcAUC, CalcBEDROC, CalcEnrichment
from scipy.stats import rankdata

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError
from docking import pdbqt, preparation
from docking.atom_types import Floats
from docking.energy import FUNCTIONS
from docking.engines.native import Place, Subject, find, keep_programs
from docking.library import files as ligand_files
from docking.ligand import prepare
from docking.pose import equivalent
from docking.receptor import Receptor
from docking.rescoring import features
from docking.rescoring.fitting import skeleton
from docking.rescoring.order import CANDIDATES, chances, gaps, shipped
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.record import Kept, options, record
from tests.docking.complexes import bare, vina_at

SEED = 2026
LAST = 1e3  # kcal/mol of a ligand that could not be docked
RANGE = 3.0  # kcal/mol above the best within which a pose may be chosen
KEYS = ("score", "chosen_pose", "log_odds", "both")  # both: the mean of the ranks by score and by log-odds
NAMES = ("EF1", "EF5", "BEDROC20", "AUC")


@dataclass(frozen=True, slots=True)
class Screen:
    """A target and the molecules that are drawn from."""

    name: str
    receptor: str  # PDBQT
    site: Site
    places: tuple[Path, Path]  # actives, decoys

    @classmethod
    def of(cls, name: str) -> Screen:
        """The target `name` of the set."""
        here = next(folder("docking/screening_dev").rglob(name))
        if name == "def":
            config = json.loads((here / "config_def.json").read_text())
            site = Site(*(tuple(config[f"{what}_{axis}"] for axis in "xyz") for what in ("center", "size")))
            ligands = here / "def_unique_charged"
            return cls(name, (here / "def_receptor.pdbqt").read_text(), site, (ligands, ligands))
        if name == "fabp4":
            site = Site.around_file(here / "crystal_ligand.mol2", 4.0)
            text = preparation.prepare(here / "receptor.pdb").pdbqt
            return cls(name, text, site, (here / "actives_final.mol2.gz", here / "decoys_final.mol2.gz"))
        known, molecules = here / "receptor_and_crystal_ligand", here / "molecules"
        site = Site.around_file(known / f"{name}_ligand.pdbqt", 4.0)
        files = (molecules / "actives_diverse_ECPF4_thres10.smi", molecules / "protonated_decoys.smi")
        return cls(name, (known / f"{name}_protein.pdbqt").read_text(), site, files)

    def drawn(self, actives: int, decoys: int, torsions: int) -> list[tuple[str, str]]:
        """Names and PDBQT, or "" where none can be made: the same on every machine, and mixed, so that a run that
        is stopped has docked some of both."""
        draw, chosen = np.random.default_rng(SEED), []
        for kind, path, count in zip(("actives", "decoys"), self.places, (actives, decoys), strict=True):
            chosen += self._first(kind, path, draw, count, torsions)
        return [chosen[i] for i in draw.permutation(len(chosen))]

    def _first(
        self, kind: str, path: Path, draw: np.random.Generator, count: int, torsions: int
    ) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        for name, text in self._molecules(kind, path, draw):
            if len(rows) == count:
                break
            if text.count("\nBRANCH") <= torsions:
                rows.append((name, text))
        return rows

    def _molecules(self, kind: str, path: Path, draw: np.random.Generator) -> Iterator[tuple[str, str]]:
        if path.is_dir():
            files = sorted(path.glob(f"{kind}*.pdbqt"))
            for i in draw.permutation(len(files)).tolist():
                yield files[i].stem, files[i].read_text()
            return
        if path.suffix == ".gz":
            found = [row.outcome for row, _ in ligand_files.entries(path)]
            smiles = [one.smiles for one in found if isinstance(one, Molecule)]
        else:
            smiles = [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
        for i in draw.permutation(len(smiles)).tolist():
            name = f"{kind}{i}"
            try:
                with quiet_rdkit():
                    yield name, prepare(Molecule.parse(smiles[i], name), most_shapes=1)[0].pdbqt
            except MoleculeError:
                yield name, ""


def by_native(screen: Screen, effort: str) -> Callable[[str, str], dict[str, Any]]:
    place = Place(Receptor(screen.name, "", screen.receptor), screen.site, FUNCTIONS["vina"])

    def work(name: str, ligand: str) -> dict[str, Any]:
        one = Subject.alone(bare(name, ligand), SEED)
        found = find(place, one, effort, CANDIDATES)
        rotor = 1.0 + FUNCTIONS["vina"].weights["rotor"] * one.tree.rotors
        scores = np.array([e.inter + e.intra - found[0][1].intra for _, e in found]) / rotor
        return judged(ligand, np.stack([coords for coords, _ in found]), scores, screen.receptor)

    return work


def by_vina(screen: Screen, exhaustiveness: int) -> Callable[[str, str], dict[str, Any]]:
    program = vina_at(screen.receptor, screen.site, SEED)

    def work(name: str, ligand: str) -> dict[str, Any]:
        program.set_ligand_from_string(ligand)
        program.dock(exhaustiveness=exhaustiveness, n_poses=9)
        scores = np.atleast_2d(program.energies(n_poses=9))[:, 0]
        poses = np.stack([model.coords for model in pdbqt.read_models(program.poses(n_poses=9))])
        return judged(ligand, poses, scores, screen.receptor)

    return work


def judged(ligand: str, poses: Floats, scores: Floats, receptor: str) -> dict[str, Any]:
    """The lowest score, the score of the pose that rescoring chooses, and that pose's own log-odds."""
    near = scores <= scores.min() + RANGE
    table, contacts = features.measure(ligand, poses[near], receptor)
    odds = shipped()(table, contacts)
    structure = pdbqt.read(ligand)
    heavy = np.isin(structure.types, ("H", "HD"), invert=True)
    apart = gaps(poses[near][:, heavy], equivalent(skeleton(structure)))
    chosen = int(chances([odds], [apart])[0].argmax())  # as `dock` puts one first
    return {
        "score": float(scores.min()),
        "chosen_pose": float(scores[near][chosen]),
        "log_odds": -float(odds[chosen]),
        "torsions": len(structure.branches),
        "measured": {
            name: [round(float(values[k]), 4) for k in (int(scores[near].argmin()), chosen)]
            for name, values in table.items()
        },  # of the pose of lowest score and of the chosen one: what a better score could be made of
    }


def order_of(rows: Sequence[Mapping[str, Any]], key: str) -> Floats:
    """[molecule] `key`, lower is better; ligands that could not be docked come last."""
    if key == "both":
        return np.asarray(rankdata(order_of(rows, "score")) + rankdata(order_of(rows, "log_odds")))
    return np.array([float(row.get(key, LAST)) for row in rows])


def is_active(rows: Sequence[Mapping[str, Any]]) -> Any:
    return np.array([str(row["name"]).startswith("actives") for row in rows])


def measures(values: Floats, active: Any) -> list[float]:
    """EF1 %, EF5 %, BEDROC and ROC area of molecules put in order by `values`, lowest first."""
    table = [[bool(active[i])] for i in np.argsort(values, kind="stable")]
    early = CalcEnrichment(table, 0, [0.01, 0.05])  # type: ignore[no-untyped-call]
    late = CalcBEDROC(table, 0, 20.0), CalcAUC(table, 0)  # type: ignore[no-untyped-call]
    return [*early, *late]


def draws(active: Any) -> Iterator[Any]:
    """Molecules drawn anew, 500 times."""
    for pick in np.random.default_rng(0).integers(0, len(active), (500, len(active))):
        if active[pick].any() and not active[pick].all():
            yield pick


def numbers(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """How early actives come, lowest `key` first, with 95 % intervals."""
    values, active = order_of(rows, key), is_active(rows)
    spread = np.array([measures(values[pick], active[pick]) for pick in draws(active)])
    return _told(key, measures(values, active), spread)


def above(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """By how much our numbers by `key` lie above theirs by score, on the same molecules."""
    mine, other, active = order_of(ours, key), order_of(theirs, "score"), is_active(ours)

    def gap(pick: Any) -> Floats:
        return np.subtract(measures(mine[pick], active[pick]), measures(other[pick], active[pick]))

    spread = np.array([gap(pick) for pick in draws(active)])
    return _told(f"{key}_minus_vina", gap(np.arange(len(active))).tolist(), spread)


def _told(key: str, found: Sequence[float], spread: Floats) -> dict[str, Any]:
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    return {
        f"{key}_{name}": [round(float(v), 3) for v in three]
        for name, *three in zip(NAMES, found, low, high, strict=True)
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--target", default="def", choices=["def", "fabp4", "akt2", "casp3", "hs90a"])
    parser.add_argument("--engines", default="native")
    parser.add_argument("--effort", default="fast", help="of native")
    parser.add_argument("--exhaustiveness", type=int, default=8, help="of vina")
    parser.add_argument("--actives", type=int, default=102)
    parser.add_argument("--decoys", type=int, default=1000)
    parser.add_argument("--torsions", type=int, default=99, help="leave out ligands with more")
    parser.add_argument("--keep", type=Path, help="JSON lines of what was docked; read first, added to")
    parser.add_argument(
        "--so-far", action="store_true", help="record what --keep holds of all engines, dock nothing"
    )
    args = parser.parse_args()
    if args.quick:
        args.actives, args.decoys, args.engines = 8, 40, "native"
    screen = Screen.of(args.target)
    keep_programs()
    known = Kept(args.keep, "by", "name")
    setting = {"native": args.effort, "vina": args.exhaustiveness}
    by = {engine: f"{engine} {setting[engine]} {args.target}" for engine in args.engines.split(",")}
    if args.so_far:
        there = ({name for setting, name in known.rows if setting == one} for one in by.values())
        chosen = [(name, "") for name in sorted(set.intersection(*there))]
    else:
        chosen = screen.drawn(args.actives, args.decoys, args.torsions)
    every: dict[str, list[dict[str, Any]]] = {}
    for engine, name in by.items():
        work = by_native(screen, args.effort) if engine == "native" else by_vina(screen, args.exhaustiveness)
        every[engine] = [known.row((name, one), partial(docked, work, one, ligand)) for one, ligand in chosen]
    for engine, rows in every.items():
        found: dict[str, Any] = {
            "actives": int(is_active(rows).sum()),
            "decoys": int((~is_active(rows)).sum()),
            "missing": sum("missing" in row for row in rows),
            "cpu_s_median": round(float(np.median([row["cpu_s"] for row in rows])), 2),
        }
        for key in KEYS:
            found |= numbers(rows, key)
        about = {"engine": by[engine], "target": args.target, "torsions": args.torsions}
        name = "enrichment" if engine == "native" else f"enrichment_{engine}"
        record(name, found, seed=SEED, **about)
    if {"native", "vina"} <= every.keys():
        found = {"molecules": len(chosen), "actives": int(is_active(every["native"]).sum())}
        for key in KEYS:
            found |= above(every["native"], every["vina"], key)
        about = {"engine": "native beside vina", "target": args.target, "torsions": args.torsions}
        record("enrichment_pairs", found, seed=SEED, **about)


def docked(work: Callable[[str, str], dict[str, Any]], name: str, ligand: str) -> dict[str, Any]:
    """A molecule's row."""
    start = time.process_time()
    try:
        row = work(name, ligand) if ligand else {"missing": "not prepared"}
    except (MoleculeError, pdbqt.PdbqtError, RuntimeError) as error:
        row = {"missing": str(error)}
    return {**row, "cpu_s": round(time.process_time() - start, 2)}


if __name__ == "__main__":
    main()
