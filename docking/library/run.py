"""How does a library file become a folder of poses and a table of scores?

Rows are docked a few at a time and every few are kept at once, so that a run may be
killed at any moment and go on. One row in gives at least one row out: its poses, or
the reason why it has none. Nothing a row gets depends on the rows about it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rdkit import Chem

from discovery.devices import SEED
from discovery.files import CannotWrite, publish, refused, seal, sha256_of, summed, unsummed
from discovery.intake import Row
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Counts, Missing, MoleculeError, Reason, each
from discovery.records import check_there
from discovery.views.text import inert
from docking.dock import STAGE, Docked, RankBy, dock
from docking.engines.engine import BatchEngine, Engine
from docking.library.files import entries
from docking.library.parts import Parts, Try, one_by_one
from docking.ligand import Ligand, of_mol
from docking.plausibility import check
from docking.pose import Pose
from docking.receptor import DockingError, Receptor
from docking.run_folder import DOCKING, begun
from docking.side_chains import applied
from docking.site import Site

Entry = tuple[Row, str]  # a row, and its mol block where it has one
TERMS = ("inter", "intra", "torsional", "unbound", "restraint")
SHOWN = 20  # best molecules told in report.txt
FEW, MANY = 4, 256  # rows kept at once: by an engine that docks one by one, or many together
SCHEMA = pa.schema(
    [
        ("row", pa.int64()),  # as intake counts: line of a text file, record of an SDF
        ("id", pa.string()),
        ("smiles", pa.string()),
        ("pose", pa.int32()),  # 1 is the best; null when there is none
        ("score", pa.float64()),  # kcal/mol
        ("rescoring", pa.float64()),  # log of the chance that the true pose lies about this one
        ("fit", pa.float64()),  # log-odds of the pose by itself: compares molecules; higher is better
        *((term, pa.float64()) for term in TERMS),  # kcal/mol
        ("plausible", pa.bool_()),
        ("failed", pa.string()),  # checks that the pose fails
        ("species", pa.string()),
        ("notes", pa.string()),
        ("engine", pa.string()),
        ("missing", pa.string()),  # reason: one word
        ("detail", pa.string()),
    ]
)
_POSED = frozenset({".sdf", ".sd", ".mol", ".mdl", ".mol2", ".pdbqt"})
_FILES = {"sdf": "poses.sdf", "side_chains": "side_chains.pdb", "beside": "beside.sdf"}
_KEPT = pa.schema([*SCHEMA, *((column, pa.string()) for column in _FILES)])


@dataclass(frozen=True, slots=True)
class Job:
    """What is docked where, and how."""

    receptor: Receptor
    site: Site
    engine: Engine
    seed: int = SEED
    n_poses: int = 9
    ph: float = 7.4
    isomers: int = 4
    tautomers: int = 1  # docked per row, the drawn one first
    rings: int = 0  # most ring shapes docked per isomer; 0 for three, six of a macrocycle
    rank_by: RankBy = "rescoring"  # what orders a row's poses
    score_only: bool = False  # score the poses of an SDF, MOL2 or PDBQT where they lie

    def settings(self) -> dict[str, Any]:
        """All that decides the result, as JSON values."""
        return {
            "receptor": self.receptor.digest,
            "center": list(self.site.center),
            "size": list(self.site.size),
            "engine": self.engine.name,
            "engine_settings": dict(self.engine.settings),
            "seed": self.seed,
            "n_poses": self.n_poses,
            "ph": self.ph,
            "isomers": self.isomers,
            "tautomers": self.tautomers,
            "rings": self.rings,
            "rank_by": self.rank_by,
            "score_only": self.score_only,
        }


def run(
    library: str | Path,
    out: str | Path,
    job: Job,
    *,
    resume: bool = True,
    told: Callable[[int], None] = lambda done: None,
    until: float | None = None,
    limit_s: float = 0.0,
) -> Counts:
    """Dock every row of `library`; leave `poses.sdf`, `scores.parquet`, `receptor.pdb` and `report.txt` in `out`.

    Parameters
    ----------
    job : the receptor, the box, the engine (`docking.dock.build_engine`) and how they are used
    resume : bool
        Go on where a run with the same settings and the same library stopped.
    told : called with the number of rows done, after each few
    until : `time.monotonic()` after which nothing more is begun
    limit_s : seconds a row may take, after which this process is killed; 0 sets no limit

    Several processes, on several hosts too, may run the same at once: they share the rows (see parts.py).

    Raises
    ------
    DockingError
        The folder holds another run, or a run and `resume` is false; or poses are to
        be scored and the library is no SDF.
    IntakeError
        The library cannot be read.
    """
    library, out = Path(library), Path(out)
    table = out / "scores.parquet"
    check_there(library)
    with begun(out, DOCKING, {"library": sha256_of(library), **job.settings()}, resume):
        folder, gone = out / "parts", out / "parts.done"
        if table.exists() and not folder.exists():  # resumed after the end
            shutil.rmtree(gone, ignore_errors=True)
            return _counts(table)
        folder.mkdir(exist_ok=True)
        rows = _posed(library) if job.score_only else entries(library)
        size = part_size(job.engine)
        done = 0

        def tell(few: Sequence[Entry]) -> None:
            nonlocal done
            done += len(few)
            told(done)

        def do(few: Sequence[Entry], path: Path, tried: Try) -> None:
            _hold(path, pa.Table.from_pylist(_few(few, job, tried), schema=_KEPT))
            tried.forget()

        parts = Parts(out, until, limit_s)
        try:
            number = parts.all(
                iter(lambda: list(islice(rows, size)), []), lambda path: _held(path) is not None, do, tell
            )
            if number is not None:
                parts.end(
                    lambda: table.exists() and not folder.exists(),
                    lambda: _end(out, folder, gone, number, job),
                )
        finally:
            parts.close()
        return _counts(table)


def _hold(part: Path, rows: pa.Table) -> None:
    """Keep a few rows: a Parquet file behind its sha256."""
    sink = BytesIO()
    pq.write_table(rows, sink)
    publish(part, summed(sink.getvalue()))


def _held(part: Path) -> pa.Table | None:
    """A few rows as they were kept; None if they are absent or damaged, so that they are docked again."""
    if not part.exists():
        return None
    rows = unsummed(part.read_bytes())
    return None if rows is None else pq.read_table(BytesIO(rows))


def _few(few: Sequence[Entry], job: Job, tried: Try) -> list[dict[str, Any]]:
    def together(some: Sequence[Entry]) -> Sequence[Docked | Missing]:
        if job.score_only:
            return [_scored(row, block, job) for row, block in some]
        return dock(
            job.receptor, job.site, [row.outcome for row, _ in some], engine=job.engine,
            seed=job.seed, n_poses=job.n_poses, ph=job.ph, isomers=job.isomers, tautomers=job.tautomers, rings=job.rings,
            rank_by=job.rank_by,
        )  # fmt: skip

    def lost(entry: Entry, deaths: int) -> Missing:
        who = entry[0].name or f"row {entry[0].number}"
        return Missing(
            STAGE,
            Reason.CRASHED,
            f"{who}: its docking ended the process {deaths + 1} times: a crash, or memory or time ran out",
        )

    outcomes = one_by_one(few, lambda entry: str(entry[0].number), together, lost, tried)
    return [
        line for (row, _), outcome in zip(few, outcomes, strict=True) for line in _lines(row, outcome, job)
    ]


def _lines(row: Row, outcome: Docked | Missing, job: Job) -> list[dict[str, Any]]:
    smiles = row.outcome.smiles if isinstance(row.outcome, Molecule) else _drawn(row.text)
    head = {"row": row.number, "id": row.name or str(row.number), "smiles": smiles, "engine": job.engine.name}
    if isinstance(outcome, Missing):
        return [{**head, "missing": outcome.reason.value, "detail": outcome.detail}]
    learned = [
        {"rescoring": chance, "fit": fit} for chance, fit in zip(outcome.rescoring, outcome.fit, strict=True)
    ] or [{} for _ in outcome.poses]
    return [
        _line(head, rank, pose, known, job)
        for rank, (pose, known) in enumerate(zip(outcome.poses, learned, strict=True), start=1)
    ]


def _drawn(text: str) -> str | None:
    """What was written where a SMILES stands; of a record of many lines there is none."""
    return None if "\n" in text else text[:1000]


def _line(head: dict[str, Any], rank: int, pose: Pose, learned: dict[str, float], job: Job) -> dict[str, Any]:
    verdict = check(pose, applied(job.receptor, pose.side_chains), job.site)
    extra = {"row": head["row"], "id": head["id"], "pose": rank, "plausible": verdict.plausible}
    extra |= {name: f"{value:.3f}" for name, value in learned.items()}
    return {
        **head,
        "pose": rank,
        "score": pose.score,
        **learned,
        **{term: pose.terms[term] for term in TERMS if term in pose.terms},
        "plausible": verdict.plausible,
        "failed": ", ".join(verdict.failed),
        "species": pose.ligand.smiles,
        "notes": "; ".join(pose.ligand.notes),
        "sdf": pose.sdf(extra),
        "side_chains": _model(head, rank, pose),
        "beside": "".join(other.sdf({**extra, "beside": head["id"]}) for other in pose.beside),
    }


def _model(head: dict[str, Any], rank: int, pose: Pose) -> str:
    """Side chains as they lie about a pose, as one model of a PDB file."""
    if not pose.side_chains:
        return ""
    where = f"REMARK   1 row {head['row']}, pose {rank} of {head['id']}"[:79]
    return f"MODEL\n{where}\n{pose.side_chains}ENDMDL\n"


def _posed(library: Path) -> Iterator[tuple[Row, str]]:
    """Rows beside the mol blocks that hold their poses; a molecule may come again in another pose."""
    for row, block in entries(library, keep_duplicates=True):
        if (
            not block
            and isinstance(row.outcome, Molecule)
            and not _POSED & {suffix.lower() for suffix in library.suffixes}
        ):
            raise DockingError(
                f"{library} holds no poses to score: --score-only takes an SDF, MOL2 or PDBQT with 3-D coordinates"
            )
        yield row, block


def _scored(row: Row, block: str, job: Job) -> Docked | Missing:
    def work(molecule: Molecule) -> Docked:
        if not block:
            raise MoleculeError(
                Reason.NO_CONFORMER,
                f"{molecule.shown} has no coordinates that can be told; a PDBQT needs REMARK SMILES IDX",
            )
        with quiet_rdkit():
            mol = Chem.MolFromMolBlock(block, removeHs=False)
        if mol is None:
            raise MoleculeError(Reason.UNPARSABLE, f"{molecule.shown}: its mol block cannot be read")
        ligand: Ligand = of_mol(mol, molecule)
        return Docked(molecule, (job.engine.score(job.receptor, job.site, ligand, ligand.coords()),))

    return each(STAGE, work, [row.outcome])[0]


def _end(out: Path, parts: Path, gone: Path, number: int, job: Job) -> None:
    """Put the parts together, then let them go: a kill in between only repeats this."""
    table = out / "scores.parquet.part"
    texts = {column: out / f"{name}.part" for column, name in _FILES.items()}
    try:
        _joined([parts / f"{i:06d}.part" for i in range(number)], table, texts)
        publish(out / "receptor.pdb", job.receptor.pdb.encode())
        publish(out / "receptor.pdbqt", job.receptor.pdbqt.encode())
        publish(out / "report.txt", ("\n".join(_report(table, job)) + "\n").encode())
        for column, path in texts.items():
            if column == "sdf" or path.stat().st_size:
                path.replace(out / _FILES[column])
            else:
                path.unlink()
        table.replace(out / "scores.parquet")
        seal(out, [path.name for path in _results(out)])
        parts.rename(gone)  # at once: whoever else is at this library sees all parts or none
    except CannotWrite:
        raise
    except OSError as error:
        raise refused(out, 0, error) from error
    shutil.rmtree(gone)


def _results(out: Path) -> list[Path]:
    names = ("scores.parquet", *_FILES.values(), "receptor.pdb", "receptor.pdbqt", "report.txt")
    return [path for name in names if (path := out / name).is_file()]


def _joined(parts: Sequence[Path], table: Path, texts: dict[str, Path]) -> None:
    """All rows into one table, all poses into their files, and all of it onto the disk."""
    with ExitStack() as stack:
        writer = stack.enter_context(pq.ParquetWriter(table, SCHEMA))
        files = {c: stack.enter_context(path.open("w", encoding="utf-8")) for c, path in texts.items()}
        for part in parts:
            found = _held(part)
            if found is None:
                raise DockingError(
                    f"{part} was damaged while the run went on; run it again, and it is made anew"
                )
            for column, file in files.items():
                file.writelines(text for text in found[column].to_pylist() if text)
            writer.write_table(found.drop_columns(list(_FILES)))
    for path in (table, *texts.values()):
        with path.open("rb") as written:
            os.fsync(written.fileno())


def _report(table: Path, job: Job) -> list[str]:
    """What a person wants to read of a run: who came out best, who has no pose and why, and how it was made."""
    choices = [str(choice) for choice in job.receptor.report]
    settings = [f"{key}: {value}" for key, value in sorted(job.settings().items())]
    return [told_of(_counts(table)), *summary(table, SHOWN), "", *choices, "", *settings]


def kept(out: Path, engine: Engine) -> int:
    """About how many rows a run has kept so far, by whichever process."""
    return len(list((out / "parts").glob("*.part"))) * part_size(engine)


def part_size(engine: Engine) -> int:
    """Rows that are docked and kept together."""
    return MANY if isinstance(engine, BatchEngine) else FEW


def finished(out: Path) -> Counts | None:
    """What became of the rows of a run that has come to its end; None before."""
    done = (out / "scores.parquet").exists() and not (out / "parts").exists()
    return _counts(out / "scores.parquet") if done else None


def told_of(counts: Counts) -> str:
    """Counts in one sentence."""
    return (
        f"{counts.n_in:,} rows in: {counts.n_ok:,} docked, {counts.n_failed:,} failed, "
        f"{counts.n_filtered:,} filtered, {counts.n_duplicate:,} duplicate"
    )


def summary(scores: Path, most: int) -> list[str]:
    """The best molecules by the score of their first pose, and what went missing, each reason with an example."""
    names = ["row", "id", "smiles", "pose", "score", "plausible", "missing", "detail"]
    table = pq.read_table(scores, columns=names)
    first = table.filter(pc.equal(table["pose"], 1)).sort_by([("score", "ascending"), ("row", "ascending")])
    lines = [
        f"{place:3}. {row['score']:7.2f} kcal/mol  {inert(row['id'], 40)}  {inert(row['smiles'], 200)}"
        f"{'' if row['plausible'] else '  (pose not plausible)'}"
        for place, row in enumerate(first.slice(0, most).to_pylist(), start=1)
    ]
    lost = table.filter(pc.is_valid(table["missing"])).select(["missing", "detail"]).to_pylist()
    for reason, count in Counter(row["missing"] for row in lost).most_common():
        example = next(row["detail"] for row in lost if row["missing"] == reason)
        lines.append(f"{count:,} {reason.replace('_', ' ')}, such as: {inert(example or '', 200)}")
    return lines


def _counts(table: Path) -> Counts:
    try:
        found = pq.read_table(table, columns=["pose", "missing", "detail"]).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise DockingError(
            f"{table} is damaged ({error}); remove it and {DOCKING.file}, or choose another --out, and run again"
        ) from error
    ends = (
        Missing(STAGE, Reason(line["missing"]), line["detail"]) if line["missing"] else None
        for line in found
        if line["pose"] in (None, 1)
    )
    return Counts.of(ends)
