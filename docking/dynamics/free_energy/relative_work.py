"""How does an SDF of ligands become a folder of relative free energies that may be killed at any moment?

Every edge of the network is a unit with a folder of its own, and goes on from its last
iteration (see dynamics/unit.py). One ligand in gives one row out, with its reason where it has no
number, and beside it what counting heavy atoms would have said; the edges, with the
overlap that speaks for each, are a table of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rdkit import Chem

from discovery.files import publish, seal
from discovery.outcome import Counts, Missing, MoleculeError, Reason
from docking.dynamics.checkpoint import Keeper, put_aside_in
from docking.dynamics.folder import counted, entries, opened, publish_report, publish_table
from docking.dynamics.free_energy.beginning import Beginning, Seat, searched
from docking.dynamics.free_energy.exchange import Plan, Samples
from docking.dynamics.free_energy.likeness import comparable
from docking.dynamics.free_energy.network import Combined, Pair, edges
from docking.dynamics.free_energy.relative import (
    Edge,
    Relative,
    Told,
    begun,
    edge,
    likenesses,
    parameters,
    seated,
    settled,
)
from docking.dynamics.parameters.charges import Charges, recorded
from docking.dynamics.protocol import STAGE, read_pose
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.terms import Terms
from docking.dynamics.unit import missing_row, unit
from docking.dynamics.watch import PATIENCE_S, Watch, moved_on
from docking.receptor import DockingError

EDGES = pa.schema(
    [
        ("first", pa.string()),
        ("second", pa.string()),
        ("difference", pa.float64()),  # kcal/mol, binding of the second less the first's
        ("error", pa.float64()),  # kcal/mol, of ladder.Difference
        ("fitted", pa.float64()),  # kcal/mol, by all edges together: cycles of it close
        ("first_half", pa.float64()),  # kcal/mol, from the first half of the iterations
        ("second_half", pa.float64()),
        ("weakest_overlap", pa.float64()),  # of neighbouring states
        ("symmetry", pa.float64()),  # kcal/mol, in the difference: see likeness.turns
        ("mixing", pa.float64()),  # share of exchanges that changed a replica's state
        ("likeness", pa.float64()),
        ("used", pa.bool_()),
        ("atoms", pa.int64()),
        ("restarts", pa.int64()),
        ("made_with", pa.string()),
        ("notes", pa.string()),
        ("missing", pa.string()),
        ("detail", pa.string()),
    ]
)
LIGANDS = pa.schema(
    [
        ("pose", pa.int64()),  # record in the SDF, from 1
        ("id", pa.string()),
        ("smiles", pa.string()),
        ("rbfe", pa.float64()),  # kcal/mol; the mean over all ligands of the network is 0
        ("rbfe_error", pa.float64()),
        ("edges", pa.int64()),  # used
        ("heavy_atoms", pa.int64()),  # the null model
        ("charges", pa.string()),
        ("notes", pa.string()),
        ("missing", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class RelativeJob:
    """What is computed, and how."""

    receptor: ReceptorModel
    receptor_digest: str
    how: Relative
    charges: str  # the method's name, for the record

    def described(self) -> dict[str, Any]:
        """All that decides the result, as JSON values."""
        how = self.how
        return {
            "receptor": self.receptor_digest,
            "protocol": "rbfe",
            **recorded(self.charges),
            "force_field": how.settings.ligand_field.name if how.settings.ligand_field else "",
            "solvent": how.solvent,
            "network": how.shape,
            "pocket": how.settings.keep,
            "free": how.settings.free,
            "cutoff": how.cutoff,
            "relax": how.relax,
            "warm_ps": how.warm_ps,
            **{key: getattr(how.plan, key) for key in Plan.__slots__},
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Ligand:
    number: int
    name: str
    mol: Chem.Mol
    terms: Terms
    charges: Charges


def work(
    poses: Path,
    out: Path,
    job: RelativeJob,
    *,
    resume: bool = True,
    patience_s: float = PATIENCE_S,
    told: Callable[[int, str], None] = lambda done, what: None,
) -> Counts:
    """Compare every ligand with its nearest; leave `scores.parquet`, `edges.parquet`, `cycles.json`, `report.txt` in `out`.

    Parameters
    ----------
    poses
        An SDF with hydrogens in the receptor's frame, common parts on each other.
    resume
        Go on where a run with the same settings and poses stopped.
    told
        Called after each edge with how many are done and what came of it.

    Raises
    ------
    DockingError
        No such file, fewer than two usable ligands, two of one name, or the folder holds another run.
    """
    with opened(out, poses, job.described(), resume), Watch(patience_s) as watch:
        rows, ligands = _read(poses, job, watch)
        alike = likenesses([one.mol for one in ligands])
        pairs = edges(alike, job.how.shape)
        compared = [ligands[i] for i in sorted({i for pair in pairs for i in pair})]
        pocket = _Pocket(job, compared, out / "pockets", watch)
        found: list[tuple[Pair, dict[str, Any]]] = []
        for pair in pairs:
            one, two = (ligands[i] for i in pair)
            folder = out / "edges" / f"{one.number:06d}-{two.number:06d}"
            row: dict[str, Any] = {"first": one.name, "second": two.name, "likeness": float(alike[pair])}
            row |= unit(
                folder,
                f"{one.name} to {two.name}",
                watch,
                partial(_edge, folder, (one, two), job, watch, pocket),
            )
            found.append((pair, row))
            told(len(found), row.get("detail") or _said(row))
    for one in compared:
        (row,) = (row for row in rows if row["pose"] == one.number)
        row["notes"] = "; ".join(said for said in (row["notes"], pocket.said(one)) if said)
    damaged = put_aside_in(out / "pockets")
    if damaged:
        told(len(found), f"damaged, put aside and not used: {', '.join(damaged)}")
    result, used = settled(
        len(ligands),
        [Told(pair, row.get("difference"), row.get("error"), bool(row.get("doubts"))) for pair, row in found],
    )
    for (_, row), counts in zip(found, used, strict=True):
        row["used"] = counts
    _end(out, rows, ligands, found, result)
    notes = [*job.receptor.notes, *(_said(line) for _, line in found)]
    publish_report(out / "report.txt", job.described(), notes, rows, "rbfe", "kcal/mol from the mean")
    seal(out, ["scores.parquet", "edges.parquet", "cycles.json", "report.txt"])
    return counted(rows)


def _read(poses: Path, job: RelativeJob, watch: Watch) -> tuple[list[dict[str, Any]], list[_Ligand]]:
    rows: list[dict[str, Any]] = []
    ligands: list[_Ligand] = []
    for entry in entries(poses):
        number, name = entry.number, entry.name
        head = {"pose": number, "id": name}
        if isinstance(entry.block, Missing):
            rows.append({**head, **missing_row(entry.block)})
            continue
        try:
            if any(one.name == name for one in ligands):
                raise MoleculeError(
                    Reason.DUPLICATE,
                    f"{name} stands twice in {poses.name} and its first pose is the one compared; to compare both, give "
                    "each a name of its own",
                )
            mol = read_pose(entry.block, name)
            terms, charges = parameters(mol, job.how.settings, name)
        except MoleculeError as error:
            rows.append({**head, **missing_row(Missing(STAGE, error.reason, str(error)))})
            continue
        watch.beat()
        ligands.append(_Ligand(number, name, mol, terms, charges))
        rows.append(
            {
                **head,
                "smiles": Chem.MolToSmiles(Chem.RemoveHs(mol)),
                "heavy_atoms": mol.GetNumHeavyAtoms(),
                "charges": charges.method,
                "notes": charges.note,
            }
        )
    if len(ligands) < 2:
        why = next((f": {row['detail']}" for row in rows if row.get("missing")), "")
        raise DockingError(
            f"{poses} holds {len(ligands)} usable ligand(s); relative free energies take two{why}"
        )
    return rows, ligands


class _Pocket:
    """The one pocket of a network, and how it takes each ligand: found once, when first asked for, and kept."""

    def __init__(self, job: RelativeJob, ligands: list[_Ligand], folder: Path, watch: Watch) -> None:
        self.job, self.ligands, self.folder, self.watch = job, ligands, folder, watch
        places = [one.mol.GetConformer().GetPositions() for one in ligands]
        self.near = np.concatenate([np.zeros((0, 3)), *places])

    def takes(self, one: _Ligand) -> Beginning:
        return self._kept(one, "beginning", lambda at: begun(at, self._known(), self.job.how))

    def said(self, one: _Ligand) -> str:
        """Which side chains stand otherwise with a ligand than in the receptor's file; nothing if none does."""
        held = Keeper(Beginning, self.folder, f"{one.number:06d}-beginning").found()
        if held is None or not held.turned:
            return ""
        return f"begun with other side-chain torsions than given: {', '.join(held.turned)}"

    def _known(self) -> list[Beginning]:
        found = []
        for one in self.ligands if self.job.how.warm_ps else []:
            try:
                found.append(self._kept(one, "search", searched))
            except MoleculeError:
                continue  # it is told where an edge asks for this ligand itself
        return found

    def _kept(self, one: _Ligand, what: str, made: Callable[[Seat], Beginning]) -> Beginning:
        keeper = Keeper(Beginning, self.folder, f"{one.number:06d}-{what}")
        known = keeper.found()
        if known is None:
            job = self.job
            known = made(seated(job.receptor, one.terms, one.mol, one.name, job.how, self.near))
            self.folder.mkdir(exist_ok=True)
            keeper.keep(known)
            self.watch.moved()
        return known


def _edge(
    folder: Path, pair: tuple[_Ligand, _Ligand], job: RelativeJob, watch: Watch, pocket: _Pocket
) -> dict[str, Any]:
    keepers = {leg: Keeper(Samples, folder, leg, last=job.how.plan.iterations) for leg in ("pocket", "water")}

    def kept(leg: str) -> tuple[Samples | None, Callable[[Samples], None]]:
        def keep(now: Samples) -> None:
            watch.beat()
            if keepers[leg].keep(now):
                moved_on(folder)

        return keepers[leg].found(), keep

    one, two = pair
    beginnings = None
    if job.how.solvent == "implicit":
        beginnings = (pocket.takes(one), pocket.takes(two))
    found = edge(
        job.receptor,
        (one.name, two.name),
        (one.mol, two.mol),
        job.how,
        ligands=((one.terms, one.charges), (two.terms, two.charges)),
        near=pocket.near,
        beginnings=beginnings,
        kept=kept,
    )
    block = "".join(Chem.MolToMolBlock(mol) + "\n$$$$\n" for mol in found.poses)
    publish(folder / "poses.sdf", block.encode())
    row = _row(found)
    for keeper in keepers.values():
        keeper.forget()
    return row


def _row(found: Edge) -> dict[str, Any]:
    ladder = found.ladder
    return {
        "difference": found.value,
        "error": found.error,
        "first_half": ladder.halves[0] + found.symmetry,
        "second_half": ladder.halves[1] + found.symmetry,
        "weakest_overlap": ladder.weakest,
        "symmetry": found.symmetry,
        "mixing": found.samples.mixing,
        "atoms": found.atoms,
        "restarts": found.samples.restarts,
        "made_with": found.made_with,
        "notes": "; ".join((*ladder.doubts, *found.remarks)),
        "doubts": list(ladder.doubts),
        "profile": [float(x) for x in ladder.profile],
        "overlap": [[float(x) for x in line] for line in ladder.overlap],
        "samples": [int(x) for x in ladder.samples],
    }


def _said(line: dict[str, Any]) -> str:
    pair = f"{line['first']} to {line['second']}"
    if line.get("missing"):
        return f"{pair}: {line['detail']}"
    notes = f"  ({line['notes']})" if line["notes"] else ""
    fitted = f", {line['fitted']:+.2f} by all edges together" if line.get("fitted") is not None else ""
    return f"{pair}: {line['difference']:+.2f} ± {line['error']:.2f} kcal/mol{fitted}{notes}"


def _unlike(i: int, ligands: list[_Ligand]) -> str:
    """Why a ligand could be compared with none: what is said of it and the first of the others."""
    other = ligands[1 if i == 0 else 0]
    try:
        comparable(other.mol, ligands[i].mol, (other.name, ligands[i].name))
    except MoleculeError as error:
        return str(error)
    return f"it can be compared with {other.name}, but with none of the largest group"


def _end(
    out: Path,
    rows: list[dict[str, Any]],
    ligands: list[_Ligand],
    found: list[tuple[Pair, dict[str, Any]]],
    result: Combined,
) -> None:
    at = {one.number: i for i, one in enumerate(ligands)}
    for row in rows:
        if row.get("missing"):
            continue
        i = at[row["pose"]]
        if result.connected[i]:
            row |= {"rbfe": float(result.values[i]), "rbfe_error": float(result.errors[i])}
            row["edges"] = sum(bool(line["used"]) and i in pair for pair, line in found)
        else:
            tried = [line["detail"] for pair, line in found if i in pair and line.get("missing")]
            why = tried[0] if tried else _unlike(i, ligands)
            detail = f"{row['id']}: no comparison ties it to the others: {why}"
            row |= missing_row(Missing(STAGE, Reason.UNSUPPORTED if not tried else Reason.DIVERGED, detail))
    for (i, j), line in found:
        if result.connected[i] and result.connected[j]:
            line["fitted"] = float(result.values[j] - result.values[i])
    cycles = [
        {"ligands": [ligands[i].name for i in c.members], "closure": c.closure, "expected": c.expected}
        for c in result.cycles
    ]
    publish(out / "cycles.json", json.dumps({"rms": result.closure, "cycles": cycles}, indent=1).encode())
    publish_table(out / "edges.parquet", [line for _, line in found], EDGES)
    publish_table(out / "scores.parquet", rows, LIGANDS)
