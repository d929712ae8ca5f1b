"""How well do proposers use an oracle's calls?

Answer    area under the curve of the mean of the ten best molecules against calls (PMO), for the
          20 tasks that need only RDKit; a run shorter than 10,000 calls also says what it would be
          if nothing better were found after it; with several seeds, the mean of each task and of the
          sum over them, and how far seeds lie apart
Data      ZINC250k. strict: 3,000 of its molecules, drawn by the seed, are what the search starts from
          and takes parts from, all of it, unscored, is looked through for neighbours of good molecules;
          whatever is asked about counts. prescreen: all of ZINC250k, uncharged and flat, is scored first
          and not counted, as some papers do: the best 3,000 are what the search starts from, the best
          2,000 and 500 of the others its first lessons; the two protocols must not be compared
Baseline  mol_ga (pip install mol_ga), from the same molecules
Budget    10,000 calls a task in rounds of 50, then 100; a shorter run's ten best are held to 10,000; --quick 300 calls on two tasks
Failures  a molecule that cannot be scored scores 0 and counts as a call
Record    what else must be known of runs kept in a folder stands in its note.txt and goes into the record
"""

from __future__ import annotations

import csv
import json
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from discovery.molecule import Molecule, quiet_rdkit
from discovery.proposal import Lesson, Proposer
from generative.guided import GuidedProposer
from generative.tasks import BUDGET, auc_top, score, tasks
from tests.benchmarks.data import SHARED, zinc
from tests.benchmarks.record import options, record

ROUND = 50
START = 3_000  # molecules of ZINC250k that a search knows of
PEERS = {
    "strict": ("Graph GA", "REINVENT", "Mol GA", "Genetic GFN", "IVG_nopre"),
    "prescreen": ("f-RAG", "GenMol", "IVG_pre"),
}
FREE, OTHERS = 2_000, 500  # of those scored for nothing, the best that become lessons, and some of the rest
CHUNK = 10_000  # molecules scored between two savings
Doubles = npt.NDArray[np.float64]
Runs = dict[tuple[str, str], dict[str, float]]  # of a method at a task
AREA = "auc_held_to_10000"
SIZE = (60.0, 900.0)  # Da: no more than a bound on what is sensible


@dataclass
class Log:
    """One run on disk, a line a round: a run that was stopped, or asked for more calls, goes on from it."""

    path: Path | None
    scores: list[float]
    smiles: list[str]
    rounds: int = 0
    seconds: float = 0.0  # of processor time, without the oracle's
    passed: list[tuple[int, float]] = field(default_factory=list)  # calls and seconds after each round

    @classmethod
    def at(cls, path: Path | None) -> Log:
        log = cls(path, [], [])
        if path and path.exists():
            whole = path.read_text().rpartition("\n")[0]
            path.write_text(whole + "\n" if whole else "")  # a round cut short by a crash is made again
            for line in whole.splitlines():
                read = json.loads(line)
                log._take([tuple(pair) for pair in read["calls"]], read["seconds"])
        return log

    def add(self, calls: Sequence[tuple[str, float]], seconds: float) -> None:
        self._take(calls, seconds)
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps({"calls": calls, "seconds": seconds}) + "\n")

    def _take(self, calls: Sequence[tuple[str, float]], seconds: float) -> None:
        self.smiles += [smiles for smiles, _ in calls]
        self.scores += [value for _, value in calls]
        self.rounds += 1
        self.seconds += seconds
        self.passed.append((len(self.scores), self.seconds))

    def spent(self, calls: int) -> float:
        """Seconds until so many were asked about, to the end of that round."""
        return next((seconds for asked, seconds in self.passed if asked >= calls), self.seconds)


def in_a_round(asked: int) -> int:
    """Small rounds while each teaches much, larger ones when the surrogate's fit is what costs."""
    return ROUND if asked < 10 * ROUND else 2 * ROUND


def run(
    proposer: Proposer, task: str, calls: int, seed: int, log: Log, taught: Sequence[Lesson] = ()
) -> dict[str, float]:
    """One task, one proposer: area, the ten best at the end, CPU ms a call without the oracle's."""
    lessons = [
        *taught,
        *(Lesson(Molecule(one), value) for one, value in zip(log.smiles, log.scores, strict=True)),
    ]
    while len(log.scores) < calls:
        began = time.process_time()
        wanted = min(in_a_round(len(log.scores)), calls - len(log.scores))
        proposals = proposer.propose(wanted, round=log.rounds, seed=seed, lessons=lessons)
        spent = time.process_time() - began
        if not proposals:
            break
        made = [(proposal.smiles, score(task, proposal.smiles)) for proposal in proposals]
        lessons = [*lessons, *(Lesson(Molecule(smiles), value) for smiles, value in made)]
        log.add(made, spent)
    if not log.scores:
        raise SystemExit(f"{task}: nothing was asked")
    asked = min(calls or BUDGET, len(log.scores))  # a run kept may be longer than asked for
    return measured(log.scores[:asked], log.spent(asked))


def by(
    method: str,
    start: Path,
    collection: Path | None,
    task: str,
    calls: int,
    seed: int,
    taught: Sequence[Lesson],
    out: Path | None,
) -> dict[str, float]:
    """A method by its name."""
    if method == "mol_ga":
        return mol_ga(start, task, calls, seed)
    log = Log.at(out / f"guided_{task}_{seed}.jsonl" if out else None)
    return run(guided(start, collection), task, calls, seed, log, taught)


def guided(start: Path, collection: Path | None) -> GuidedProposer:
    """The proposer that is measured, free to build what no chemist would."""
    light, heavy = SIZE
    return GuidedProposer(
        molecules=start, collection=collection, min_weight=light, max_weight=heavy, taste=False
    )


def collected(folder: Path, pool: Sequence[str], *, quick: bool) -> Path:
    """ZINC250k as proposals are written, in the folder."""
    path = folder / "zinc250k.smi"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        neutral(pool[:20_000] if quick else pool, path)
    return path


def mol_ga(start: Path, task: str, calls: int, seed: int) -> dict[str, float]:
    """The genetic algorithm of the package of that name, with its own settings."""
    from mol_ga import default_ga  # type: ignore[import-untyped]

    scores: list[float] = []
    known: dict[str, float] = {}
    spent = 0.0

    class Enough(Exception):
        pass

    def ask(smiles: list[str]) -> list[float]:
        nonlocal spent
        began = time.process_time()
        for one in smiles:
            if one not in known:
                if len(scores) == calls:
                    raise Enough
                known[one] = score(task, one)
                scores.append(known[one])
        spent += time.process_time() - began
        return [known[one] for one in smiles]

    rng = random.Random(seed)
    began = time.process_time()
    with suppress(Enough):
        default_ga(
            rng.sample(start.read_text().split(), 100),
            ask,
            max_generations=10**6,
            offspring_size=ROUND,
            rng=rng,
        )
    return measured(scores, time.process_time() - began - spent)


def measured(scores: Sequence[float], seconds: float) -> dict[str, float]:
    best = sorted(scores, reverse=True)[:10]
    return {
        "calls": len(scores),
        "auc": auc_top(scores, budget=len(scores)),
        AREA: auc_top(scores, budget=BUDGET),
        "top10": sum(best) / len(best),
        "top1": best[0],
        "cpu_ms_per_call": 1e3 * seconds / len(scores),
    }


def neutral(molecules: Sequence[str], path: Path) -> None:
    """Write them uncharged and without stereochemistry, as proposals are, so that each is known again."""
    uncharger = rdMolStandardize.Uncharger()
    with quiet_rdkit():
        found: dict[str, None] = {}
        for one in molecules:
            mol = Chem.MolFromSmiles(one)
            if "+" in one or "-]" in one:
                mol = uncharger.uncharge(mol)
                Chem.SanitizeMol(mol)
            found[str(Chem.MolToSmiles(mol, isomericSmiles=False))] = None
    part = path.with_suffix(".part")
    part.write_text("\n".join(found) + "\n")
    part.replace(path)


def noted(folder: Path) -> dict[str, str]:
    """What else must be known of the runs kept in a folder."""
    note = folder / "note.txt"
    return {"note": note.read_text().strip()} if note.exists() else {}


def peers(names: Sequence[str], protocol: str) -> dict[str, float]:
    """Published sums over these tasks, 10,000 calls each."""
    path = SHARED / "generative/pmo/peer_pmo_auc_top10.csv"
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["Oracle"].replace(" ", "_") in names]
    return {
        f"published_{method.replace(' ', '_')}": sum(float(row[method]) for row in rows)
        for method in PEERS[protocol]
        if len(rows) == len(names)
    }


def prescreened(names: Sequence[str], molecules: Sequence[str], kept: Path) -> dict[str, Doubles]:
    """[molecule] scores at each task. Every molecule is read once for all tasks; what is done is kept."""
    asks = [tasks()[name] for name in names]
    kept.mkdir(parents=True, exist_ok=True)
    parts: list[Doubles] = []
    for start in range(0, len(molecules), CHUNK):
        some = molecules[start : start + CHUNK]
        place = kept / f"{sha256(' '.join([*names, *some]).encode()).hexdigest()}.npy"
        if not place.exists():
            with quiet_rdkit():
                mols = (Chem.MolFromSmiles(one) for one in some)
                table = np.array([[ask(mol) if mol else 0.0 for ask in asks] for mol in mols])
            part = place.with_suffix(".part")
            with part.open("wb") as file:
                np.save(file, table)
            part.replace(place)
        parts.append(np.load(place))
    return dict(zip(names, np.concatenate(parts).T, strict=True))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--protocol", choices=("strict", "prescreen"), default="strict")
    parser.add_argument("--calls", type=int, default=BUDGET)
    parser.add_argument("--tasks", nargs="*", default=None, help="PMO names; all twenty by default")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--methods", nargs="*", default=["guided"], choices=("guided", "mol_ga"))
    parser.add_argument(
        "--out", type=Path, default=None, help="keep each run here, and go on with what is there"
    )
    parser.add_argument("--kept", action="store_true", help="ask nothing more: measure what --out keeps")
    given = parser.parse_args()
    if given.kept and (given.out is None or given.methods != ["guided"]):
        parser.error("--kept measures runs of guided in --out")
    calls = 0 if given.kept else 300 if given.quick else given.calls
    names = given.tasks or (["perindopril_mpo", "osimertinib_mpo"] if given.quick else sorted(tasks()))
    pool = zinc()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.out or Path(scratch)
        collection = collected(folder, pool, quick=given.quick)
        free = collection.read_text().split() if given.protocol == "prescreen" else []
        scored = prescreened(names, free, folder / "prescreened") if free else {}
        runs = []
        for seed in given.seeds:
            starts = {
                name: prescreen(free, scored[name], seed) if free else strict(pool, seed) for name in names
            }
            runs.append(compare(starts, given.methods, given.protocol, calls, seed, folder, given.out))
        if len(runs) > 1:
            said = noted(folder)
            found = over_seeds(runs) | peers(names, given.protocol)
            record(f"pmo_{given.protocol}/seeds", found, seed=given.seeds[0], **said)


@dataclass(frozen=True)
class Start:
    """What a search knows before its first call."""

    molecules: Sequence[str]
    taught: Sequence[Lesson] = ()


def strict(pool: Sequence[str], seed: int) -> Start:
    return Start(random.Random(f"start {seed}").sample(pool, START))


def prescreen(free: Sequence[str], scores: Doubles, seed: int) -> Start:
    """The best of what was scored for nothing, and lessons: the best, and some of the others."""
    order = np.argsort(-scores, kind="stable")
    others = random.Random(f"others {seed}").sample(order[FREE:].tolist(), OTHERS)
    taught = [Lesson(Molecule(free[row]), float(scores[row])) for row in [*order[:FREE].tolist(), *others]]
    return Start([free[row] for row in order[:START]], taught)


def compare(
    starts: Mapping[str, Start],
    methods: Sequence[str],
    protocol: str,
    calls: int,
    seed: int,
    folder: Path,
    out: Path | None,
) -> Runs:
    """Every method on every task, from the same molecules; what `measured` says of each run."""
    said = noted(folder)
    runs: Runs = {}
    # of what was scored already nothing need be looked for
    collection = None if protocol == "prescreen" else folder / "zinc250k.smi"
    for task, known in starts.items():
        start = folder / (f"start_{task}_{seed}.smi" if known.taught else f"start_{seed}.smi")
        start.write_text("\n".join(known.molecules) + "\n")
        numbers: dict[str, float] = {}
        for method in methods:
            found = by(method, start, collection, task, calls, seed, known.taught, out)
            numbers |= {f"{method}_{key}": value for key, value in found.items()}
            runs[method, task] = found
        if known.taught:
            numbers["scored_best"] = max(lesson.reward for lesson in known.taught)
        record(f"pmo_{protocol}/{task}", numbers, seed=seed, **said)
    totals = {method: sum(runs[method, task][AREA] for task in starts) for method in methods}
    asked = {found["calls"] for found in runs.values()}
    if len(asked) == 1:  # and what the calls themselves were worth, where all had as many
        totals |= {f"{method}_auc": sum(runs[method, task]["auc"] for task in starts) for method in methods}
    sums = {"tasks": len(starts), "calls_at_most": max(asked), **totals, **peers(list(starts), protocol)}
    record(f"pmo_{protocol}/sum", sums, seed=seed, **said)
    return runs


def over_seeds(seeds: Sequence[Runs]) -> dict[str, float]:
    """Of each method's sum over the tasks the mean over the seeds, and its spread; of each task the mean.

    The spread is the standard deviation of one seed about the mean of all. Also how many calls the
    shortest and the longest run had, and all of them on average.
    """
    calls = [found["calls"] for runs in seeds for found in runs.values()]
    found: dict[str, float] = {
        "seeds": len(seeds),
        "tasks": len({task for _, task in seeds[0]}),
        "calls_at_least": min(calls),
        "calls_at_most": max(calls),
        "calls_on_average": statistics.mean(calls),
    }
    for method in dict.fromkeys(method for method, _ in seeds[0]):
        names = [task for one, task in seeds[0] if one == method]
        sums = [sum(runs[method, task][AREA] for task in names) for runs in seeds]
        found |= {
            f"{method}_mean": statistics.mean(sums),
            f"{method}_spread": statistics.stdev(sums),
            f"{method}_least": min(sums),
            f"{method}_most": max(sums),
        }
        for task in names:
            each = [runs[method, task][AREA] for runs in seeds]
            found[f"{method}_{task}"] = statistics.mean(each)
            found[f"{method}_{task}_spread"] = statistics.stdev(each)
    return found


if __name__ == "__main__":
    main()
