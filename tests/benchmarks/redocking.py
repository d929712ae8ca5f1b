"""Do we put a known ligand back where the crystal shows it?

Answer    share of complexes whose first pose, and any of nine, lies within 2 Å of the crystal's
          (symmetry-aware, heavy atoms); the same where rescoring puts the poses in order; share of first poses
          that pass PoseBusters; CPU-seconds per complex
Data      folders with NAME_protein.pdb and NAME_ligand.sdf each, such as the PoseBusters set; not shipped
Nine      of our engine's poses those that `dock` keeps, which differ by 2 Å; of `vina` its own nine, 1 Å apart
Input     the ligand's SMILES: its conformer, protonation and torsions are made here, never the crystal's
Rings     our engine's several shapes as `dock` has them, sharing one effort; of `vina` one
Box       the crystal ligand + 4 Å on every side, at least 15 Å
Engines   by name, the same boxes and ligands: --engines native,vina; both are compared pair by pair, energies and
          CPU-seconds too: set-up, maps and the ligand's preparation counted, the receptor's left out for both
Judges    energies by `vina` on explicit atoms, whichever engine found the poses: `judged` is inter of the first,
          `objective` the lowest inter + intra of nine, which is what both programs minimise; plausibility by
          the `posebusters` package, every check of its redocking configuration but the distance
Rescoring numbers count only complexes from which the weights were not learned (docking/weights/poses.md); with --folds
          DIR/folds, as docking.rescoring.fitting leaves it, each complex is ordered by weights that saw none of its family
Failures  count as misses and are listed by reason; nothing leaves the denominator

    python -m tests.benchmarks.redocking --engines native,vina --keep FOLDER

--keep holds the poses: a run that was stopped goes on. With --so-far what FOLDER holds of all engines is
recorded and nothing docked; --judged FILE makes the judging, 4 CPU-seconds a complex, go on too. --torsions N leaves
out ligands with more, which take `vina` minutes each. --quick takes the 6 complexes with the fewest atoms at low effort:
2 minutes on 2 cores.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.files import publish
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking import preparation
from docking.dock import build_engine, by_score, by_species, ranked
from docking.engines.vina import VinaEngine
from docking.ligand import Ligand, prepare
from docking.plausibility import check
from docking.pose import Pose, rmsd
from docking.receptor import Receptor
from docking.rescoring.order import CANDIDATES, Weights, read
from docking.site import Site
from tests.benchmarks.data import folder
from tests.benchmarks.posebusted import busted
from tests.benchmarks.record import Kept, options, record

NEAR = 2.0  # Å
QUICK = 6
POSES = 9
SHAPES = {"native": 0}  # ring shapes of engines that are given more than one, as `dock` has them
ASKED = {"native": CANDIDATES}  # of engines that are asked for more than POSES
CARD = Path(__file__).resolve().parents[2] / "docking" / "weights" / "poses.md"


@dataclass(frozen=True, slots=True)
class Crystal:
    """One complex."""

    name: str
    protein: Path
    ligand: Chem.Mol


def crystals(folder: Path) -> list[Crystal]:
    """Every complex in the folder, by name."""
    found = []
    for protein in sorted(folder.glob("*/*_protein.pdb")):
        ligand = protein.with_name(protein.name.replace("_protein.pdb", "_ligand.sdf"))
        with quiet_rdkit():
            mol = next(iter(Chem.SDMolSupplier(str(ligand))), None) if ligand.exists() else None
        if mol is not None:
            found.append(Crystal(protein.parent.name, protein, mol))
    if not found:
        raise SystemExit(f"{folder} holds no NAME/NAME_protein.pdb with NAME_ligand.sdf beside it")
    return found


def _torsions(one: Crystal) -> int:
    """Of the ligand as it is docked; 0 where it cannot be prepared, so that it stays and counts as a miss."""
    try:
        return prepare(Molecule.of(one.ligand, one.name), most_shapes=1)[0].torsions
    except MoleculeError:
        return 0


def redock(one: Crystal, engine: str, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Poses, and all that is needed to judge them later; or why there are none."""
    kept: dict[str, Any] = {"name": one.name}
    try:
        receptor = preparation.prepare(one.protein)
        start = time.process_time()
        ligands = prepare(Molecule.of(one.ligand, one.name), most_shapes=SHAPES.get(engine, 1))
        works, site = build_engine(engine, dict(settings)), Site.around(one.ligand)
        asked = ASKED.get(engine, POSES)
        poses = [works.dock(receptor, site, ligand, seed=seed, n_poses=asked) for ligand in ligands]
    except MoleculeError as error:
        return {**kept, "missing": error.reason.value}
    return {
        **kept,
        "cpu_s": time.process_time() - start,
        "receptor": {"pdb": receptor.pdb, "pdbqt": receptor.pdbqt},
        "shapes": [
            {
                "ligand": {
                    "smiles": ligand.smiles,
                    "block": ligand.block,
                    "pdbqt": ligand.pdbqt,
                    "atoms": ligand.atoms,
                    "torsions": ligand.torsions,
                },
                "poses": [
                    {"coords": pose.coords.round(4).tolist(), "score": pose.score, "terms": dict(pose.terms)}
                    for pose in some
                ],
            }
            for ligand, some in zip(ligands, poses, strict=True)
        ],
    }


def posed(kept: Mapping[str, Any], molecule: Molecule, engine: str) -> list[Pose]:
    """The poses that `redock` kept, of all ring shapes; before there were several, of the one."""
    answers = []
    for one in kept.get("shapes", [kept]):
        ligand = Ligand(molecule, **dict(one["ligand"], atoms=tuple(one["ligand"]["atoms"])))
        answers.append(
            [Pose(ligand, np.array(p["coords"]), p["score"], p["terms"], engine) for p in one["poses"]]
        )
    (poses,) = by_species(answers)
    return poses


def judged(
    kept: Mapping[str, Any],
    one: Crystal,
    engine: str,
    learned: frozenset[str],
    weights: Weights | None = None,
) -> dict[str, Any]:
    """One row; by `weights` if there are any that saw none of the complex's family."""
    if "missing" in kept:
        return {"missing": kept["missing"]}
    molecule = Molecule.of(one.ligand, one.name)
    receptor, poses = Receptor(one.name, **kept["receptor"]), posed(kept, molecule, engine)
    shown = by_score(molecule, [poses], POSES).poses  # as `dock` keeps them
    try:
        away = [rmsd(pose.mol(), one.ligand) for pose in shown]
        ordered = ranked(molecule, [poses], receptor, Site.around(one.ligand), POSES, weights)
        by_rescoring = [rmsd(pose.mol(), one.ligand) for pose in ordered.poses]
    except ValueError:  # standardising took a fragment or a charge away: no crystal to compare with
        return {"missing": "other_skeleton"}
    program = VinaEngine()
    terms = []
    for pose in shown:
        try:
            terms.append(program.score(receptor, Site.around(one.ligand), pose.ligand, pose.coords).terms)
        except MoleculeError as error:
            if (
                error.reason is not Reason.OUTSIDE_BOX
            ):  # `vina` refuses a pose that rounding put over the wall
                raise
    first = _plausible(shown[0], receptor, one)
    row: dict[str, Any] = {
        "rmsd": round(away[0], 3),
        "best_rmsd": round(min(away), 3),
        "score": round(shown[0].score, 3),
        "judged": round(terms[0]["inter"], 3),
        "objective": round(min(term["inter"] + term["intra"] for term in terms), 3),
        "torsions": poses[0].ligand.torsions,
        "cpu_s": kept["cpu_s"],
        **first,
    }
    if weights is not None or one.name not in learned:
        same = np.array_equal(ordered.poses[0].coords, shown[0].coords)
        again = first if same else _plausible(ordered.poses[0], receptor, one)
        row |= {
            "rescored_rmsd": round(by_rescoring[0], 3),
            "rescored_best_rmsd": round(min(by_rescoring), 3),
            **{f"rescored_{name}": value for name, value in again.items()},
        }
    return row


def _plausible(pose: Pose, receptor: Receptor, one: Crystal) -> dict[str, Any]:
    """Our verdict and that of PoseBusters, with what fails."""
    with tempfile.TemporaryDirectory() as scratch:
        theirs = busted(pose, one.ligand, one.protein, Path(scratch))
    return {"plausible": check(pose, receptor).plausible, "passes": not theirs, "fails": theirs}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares over all complexes; the missing ones count as misses."""
    found = [row for row in rows if "rmsd" in row]
    numbers: dict[str, Any] = {
        "complexes": len(rows),
        "first_within_2A": _share(rows, "rmsd"),
        "any_within_2A": _share(rows, "best_rmsd"),
        "first_within_2A_and_passes": sum(row["rmsd"] <= NEAR and row["passes"] for row in found) / len(rows),
        "first_passes_posebusters": sum(row["passes"] for row in found) / len(rows),
        "our_checks_agree": sum(row["passes"] == row["plausible"] for row in found) / max(1, len(found)),
        "fails": dict(Counter(name for row in found for name in row["fails"])),
        "median_rmsd_A": statistics.median(row["rmsd"] for row in found) if found else None,
        "median_cpu_s": statistics.median(row["cpu_s"] for row in found) if found else None,
        "mean_inter_kcal_per_mol_by_vina": statistics.fmean(row["judged"] for row in found)
        if found
        else None,
        "missing": dict(Counter(row["missing"] for row in rows if "missing" in row)),
    }
    unseen = [row for row in rows if "rescored_rmsd" in row]
    if unseen:
        numbers |= {
            "unseen_by_rescoring": len(unseen),
            "unseen_first_within_2A": _share(unseen, "rmsd"),
            "rescored_first_within_2A": _share(unseen, "rescored_rmsd"),
            "rescored_any_within_2A": _share(unseen, "rescored_best_rmsd"),
            "rescored_first_passes_posebusters": sum(row["rescored_passes"] for row in unseen) / len(unseen),
            "rescored_fails": dict(Counter(name for row in unseen for name in row["rescored_fails"])),
            **_paired("rescored_minus_score", unseen, "rescored_rmsd", unseen, "rmsd"),
        }
    return numbers


def _share(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    return sum(float(row.get(key, np.inf)) <= NEAR for row in rows) / len(rows)


def _paired(
    name: str,
    ours: Sequence[Mapping[str, Any]],
    mine: str,
    others: Sequence[Mapping[str, Any]],
    theirs: str,
) -> dict[str, Any]:
    """Difference in the share found, and its 95 % interval with complexes drawn anew."""
    by_name = {row["name"]: row for row in others}
    pairs = [(row, by_name[row["name"]]) for row in ours if row["name"] in by_name]
    if not pairs:
        return {}
    gained = np.array(
        [float(a.get(mine, np.inf) <= NEAR) - float(b.get(theirs, np.inf) <= NEAR) for a, b in pairs]
    )
    draws = np.random.default_rng(0).integers(0, len(gained), (2000, len(gained)))
    low, high = np.quantile(gained[draws].mean(axis=1), [0.025, 0.975])
    return {name: round(float(gained.mean()), 4), f"{name}_95": [round(float(low), 4), round(float(high), 4)],
            f"{name}_pairs": len(pairs)}  # fmt: skip


def _raced(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """CPU-seconds and lowest energies of both programs, over complexes that both docked."""
    by_name = {row["name"]: row for row in theirs if "objective" in row}
    pairs = [(row, by_name[row["name"]]) for row in ours if "objective" in row and row["name"] in by_name]
    if not pairs:
        return {}
    spent = np.array([[row["cpu_s"] for row in pair] for pair in pairs])
    above = np.array([mine["objective"] - other["objective"] for mine, other in pairs])
    numbers = {
        "native_cpu_s_median": np.median(spent[:, 0]),
        "vina_cpu_s_median": np.median(spent[:, 1]),
        "times_fewer_median": np.median(spent[:, 1] / spent[:, 0]),
        "times_fewer_total": spent[:, 1].sum() / spent[:, 0].sum(),
        "objective_within_0.1_share": (above <= 0.1).mean(),
        "objective_above_vina_mean": above.mean(),
        "objective_above_vina_worst": above.max(),
    }
    return {"raced": len(pairs), **{name: round(float(value), 3) for name, value in numbers.items()}}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, help="the unpacked set; the shared one when left out")
    parser.add_argument("--engines", default="vina")
    parser.add_argument("--exhaustiveness", type=int, default=8, help="of vina")
    parser.add_argument("--effort", default="balanced", help="of native")
    parser.add_argument("--torsions", type=int, help="leave out ligands with more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for poses; what it holds is not docked again")
    parser.add_argument("--so-far", action="store_true", help="record what --keep holds, dock nothing")
    parser.add_argument(
        "--judged", type=Path, help="JSON lines of judged poses; read first, added to: for one set of weights"
    )
    parser.add_argument(
        "--folds", type=Path, help="weights by family, as docking.rescoring.fitting leaves them"
    )
    given = parser.parse_args()
    given.data = folder("docking/redock_sdf_dev60", given.data)
    chosen = crystals(given.data)
    if given.quick:
        chosen = sorted(chosen, key=lambda one: (one.ligand.GetNumHeavyAtoms(), one.name))[:QUICK]
    if given.torsions is not None:
        chosen = [one for one in chosen if _torsions(one) <= given.torsions]
    learned = frozenset(CARD.read_text(encoding="utf-8").split()) if CARD.exists() else frozenset()
    known = Kept(given.judged, "engine", "name")
    by_family: dict[str, Weights] = {}
    if given.folds:
        part = json.loads((given.folds / "folds.json").read_text())
        by_family = {name: read(given.folds / f"{k}.safetensors") for name, k in part.items()}
    every: dict[str, list[dict[str, Any]]] = {}
    for engine in given.engines.split(","):
        effort = {"exhaustiveness": 2 if given.quick else given.exhaustiveness}
        settings = effort if engine == "vina" else {"effort": "fast" if given.quick else given.effort}
        rows = []
        for one in chosen:
            path = given.keep / engine / f"{one.name}.json" if given.keep else None
            if path is not None and path.exists():
                kept = json.loads(path.read_text())
            elif given.so_far:
                continue
            else:
                kept = redock(one, engine, settings, given.seed)
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    publish(path, json.dumps(kept).encode())
            judge = partial(judged, kept, one, engine, learned, by_family.get(one.name))
            rows.append(known.row((engine, one.name), judge))
        every[engine] = rows
        numbers = summary(rows)
        about = {"data": given.data.name, "torsions": given.torsions}
        about["weights"] = "unseen families" if by_family else "shipped"
        name = "redocking" if engine == "native" else f"redocking_{engine}"
        record(name, numbers, seed=given.seed, engine=engine, settings=settings, **about)
    if {"native", "vina"} <= every.keys():
        ours, theirs = every["native"], every["vina"]
        unseen = [row for row in ours if "rescored_rmsd" in row]
        numbers = {
            **_raced(ours, theirs),
            **_paired("native_minus_vina", ours, "rmsd", theirs, "rmsd"),
            **_paired("native_minus_vina_any", ours, "best_rmsd", theirs, "best_rmsd"),
            **_paired("native_rescored_minus_vina", unseen, "rescored_rmsd", theirs, "rmsd"),
        }
        record("redocking_pairs", numbers, seed=given.seed, **about)


if __name__ == "__main__":
    main()
