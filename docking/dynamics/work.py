"""How does an SDF of poses become a folder of results that may be killed at any moment?

Every pose is a unit with a folder of its own (see unit.py); inside it every replica goes
on from its last checkpoint. One pose that kills or hangs the process cannot stop the
others. One pose in gives one row out.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    from openmm import XmlSerializer

from discovery.files import publish, seal
from discovery.outcome import Counts, Missing
from docking.dynamics.checkpoint import Keeper
from docking.dynamics.choice import standing, strain
from docking.dynamics.docked_among import Place, among, place_of
from docking.dynamics.folder import counted, entries, opened, publish_report, publish_table
from docking.dynamics.parameters.charges import recorded
from docking.dynamics.protocol import Rescored, Settings, read_pose, rescore, simulate
from docking.dynamics.receptor_system import ReceptorModel
from docking.dynamics.scorers import HELD, NO_MEMBRANE, energy_details, stability_details
from docking.dynamics.simulate import Progress, Run
from docking.dynamics.system import Choices, system_of
from docking.dynamics.unit import missing_row, unit
from docking.dynamics.viewing import dcd, pdb
from docking.dynamics.watch import PATIENCE_S, Watch, moved_on

Protocol = Literal["mmgbsa", "stability"]
DOCKED = "score_kcal_per_mol"  # the field in which `discovery dock` leaves its score
SCHEMA = pa.schema(
    [
        ("pose", pa.int64()),  # record in the SDF, from 1
        ("id", pa.string()),
        ("smiles", pa.string()),
        ("mmgbsa", pa.float64()),  # kcal/mol; of the settled pose, or the mean over frames
        ("mmgbsa_error", pa.float64()),  # kcal/mol, standard error over replicas
        ("vdw", pa.float64()),  # kcal/mol, of the settled pose, as the next three
        ("coulomb", pa.float64()),
        ("polar", pa.float64()),
        ("nonpolar", pa.float64()),
        ("strain", pa.float64()),  # kcal/mol, over the least bent pose of the same ligand
        ("docked", pa.float64()),  # kcal/mol, the docking score that came with the pose
        ("choice", pa.int64()),  # 1: the likeliest of the ligand's poses; see choice.py
        ("drift", pa.float64()),  # Å
        ("drift_error", pa.float64()),
        ("contacts_kept", pa.float64()),  # share
        ("settled_rmsd", pa.float64()),  # Å
        ("heavy_atoms", pa.int64()),  # the null model
        ("charges", pa.string()),
        ("made_with", pa.string()),
        ("notes", pa.string()),
        ("missing", pa.string()),  # reason: one word
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Job:
    """What is computed of each pose, and how."""

    receptor: ReceptorModel
    receptor_digest: str  # of the receptor as given, whatever side chains a pose has
    protocol: Protocol
    run: Run
    settings: Settings
    charges: str  # the method's name, for the record
    side_chains: Mapping[Place, str] = field(default_factory=dict)  # about docked poses; see docked_among.py

    def described(self) -> dict[str, Any]:
        """All that decides the result, as JSON values."""
        return {
            "receptor": self.receptor_digest,
            "protocol": self.protocol,
            **recorded(self.charges),
            "force_field": self.settings.ligand_field.name if self.settings.ligand_field else "",
            "pocket": self.settings.keep,
            "free": self.settings.free,
            **({} if self.protocol == "mmgbsa" else {k: getattr(self.run, k) for k in Run.__slots__}),
            **({"side_chains": _digest(self.side_chains)} if self.side_chains else {}),
        }

    def of(self, data: Mapping[str, str]) -> tuple[Job, str]:
        """The job of one pose, by the fields of its record: among its own side chains; and what is to be noted."""
        if not self.side_chains:
            return self, ""
        place = place_of(data)
        atoms = self.side_chains.get(place) if place is not None else None
        if atoms is None:
            return self, "its record names no pose of side_chains.pdb: side chains stand as in the receptor"
        return replace(self, receptor=among(self.receptor, atoms)), "among the side chains it was docked with"


def _digest(side_chains: Mapping[Place, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(side_chains.items())).encode()).hexdigest()


def work(
    poses: Path,
    out: Path,
    job: Job,
    *,
    resume: bool = True,
    patience_s: float = PATIENCE_S,
    told: Callable[[int, str], None] = lambda done, what: None,
) -> Counts:
    """Compute every pose; leave `scores.parquet`, `poses.sdf`, `report.txt` and a folder for each pose in `out`.

    Parameters
    ----------
    poses
        An SDF with 3-D coordinates and hydrogens, in the receptor's frame.
    resume
        Go on where a run with the same settings and poses stopped.
    patience_s
        After so long without a new frame or unit this process is ended: see watch.py.
    told
        Called after each pose with how many are done and what came of it.

    Raises
    ------
    DockingError
        No such file, no SDF, or the folder holds another run.
    ReceptorError
        Side chains are not those of the receptor.
    """
    rows: list[dict[str, Any]] = []
    with opened(out, poses, job.described(), resume), Watch(patience_s) as watch:
        for entry in entries(poses):
            number, name, block = entry.number, entry.name, entry.block
            folder = out / "units" / f"{number:06d}"
            one, noted = job.of(entry.data)
            made = (
                missing_row(block) if isinstance(block, Missing) else _posed(folder, block, name, one, watch)
            )
            if noted and not made.get("missing"):
                made["notes"] = "; ".join(note for note in (made["notes"], noted) if note)
            rows.append({"pose": number, "id": name, "docked": _number(entry.data.get(DOCKED)), **made})
            told(number, made.get("detail") or f"{name}: {made['mmgbsa']:.1f} kcal/mol")
    _choose(rows)
    _end(out, rows, job)
    return counted(rows)


def _posed(folder: Path, block: str, name: str, job: Job, watch: Watch) -> dict[str, Any]:
    return unit(folder, name, watch, lambda: _computed(folder, block, name, job, watch))


def _computed(folder: Path, block: str, name: str, job: Job, watch: Watch) -> dict[str, Any]:
    mol = read_pose(block, name)
    if job.protocol == "mmgbsa":
        settled = rescore(job.receptor, mol, job.settings, name=name)
        _leave(folder, settled, job.receptor)
        return _row(settled, energy_details(settled))
    keepers = [Keeper(Progress, folder, f"replica-{i}", last=job.run.frames) for i in range(job.run.replicas)]

    def keep(index: int, progress: Progress) -> None:
        watch.beat()
        if keepers[index].keep(progress):
            moved_on(folder)

    found = simulate(
        job.receptor,
        mol,
        job.run,
        job.settings,
        name=name,
        resumed=lambda i: keepers[i].found(),
        keep=keep,
    )
    _leave(folder, found.start, job.receptor)
    for i, walk in enumerate(found.trajectories):
        publish(folder / f"replica-{i}.dcd", dcd(walk, job.run))
    row = _row(found.start, stability_details(found))
    for keeper in keepers:
        keeper.forget()
    return row


def _leave(folder: Path, settled: Rescored, receptor: ReceptorModel) -> None:
    """The refined pose, the pocket about it, and the System as OpenMM XML for whoever wants to go on elsewhere.

    Atoms of the three are in one order, that of the trajectories.
    """
    publish(folder / "pose.sdf", (Chem.MolToMolBlock(settled.mol) + "\n$$$$\n").encode())
    publish(folder / "pocket.pdb", pdb(receptor, settled.bound, settled.mol, settled.xyz).encode())
    system = system_of(
        settled.bound.terms,
        settled.bound.frozen,
        Choices(constrain_hydrogens=True, heavy_hydrogens=True),
    )
    publish(folder / "system.xml", XmlSerializer.serialize(system).encode())


def _row(settled: Rescored, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "smiles": Chem.MolToSmiles(Chem.RemoveHs(settled.mol)),
        "mmgbsa": details["mmgbsa_kcal_per_mol"],
        "mmgbsa_error": details.get("mmgbsa_error_kcal_per_mol"),
        **details["terms_kcal_per_mol"],
        "internal": settled.internal,
        **{key: details.get(key) for key in ("drift", "drift_error", "contacts_kept")},
        **{key: details[key] for key in ("settled_rmsd", "heavy_atoms", "charges", "made_with")},
        "notes": "; ".join(details["notes"]),
        "residues": settled.energy.residues,
        "trace": details.get("rmsd"),
    }


def _number(text: str | None) -> float | None:
    """What a field of an SDF says, if it says a number."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _choose(rows: list[dict[str, Any]]) -> None:
    """Put the poses of each species of a ligand in order; docking has its say where it scored all of them."""
    together: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("internal") is not None:
            together.setdefault((row["id"], row["smiles"]), []).append(row)
    for poses in together.values():
        bent = strain([row["internal"] for row in poses])
        docked = [row["docked"] for row in poses]
        odds = standing([row["mmgbsa"] for row in poses], bent, None if None in docked else docked)
        for place, i in enumerate(np.argsort(np.round(odds, 9), kind="stable"), start=1):
            poses[i] |= {"strain": float(bent[i]), "choice": place}


def _end(out: Path, rows: list[dict[str, Any]], job: Job) -> None:
    refined = [_record(out, row) for row in rows if not row.get("missing")]
    publish(out / "poses.sdf", "".join(refined).encode())
    notes = (*job.receptor.notes, NO_MEMBRANE if job.run.solvent == "implicit" else HELD)
    publish_report(out / "report.txt", job.described(), notes, _less_said(rows, notes), "mmgbsa", "kcal/mol")
    publish_table(out / "scores.parquet", rows, SCHEMA)
    seal(out, ["scores.parquet", "poses.sdf", "report.txt"])


_TOLD = {  # columns that go along with a refined pose: the field's name
    **{name: name for name in ("pose", "id", "choice", "contacts_kept", "heavy_atoms", "charges")},
    **{
        name: f"{name}_kcal_per_mol"
        for name in ("mmgbsa", "mmgbsa_error", "vdw", "coulomb", "polar", "nonpolar", "strain")
    },
    "docked": DOCKED,
    **{name: f"{name}_angstrom" for name in ("drift", "drift_error", "settled_rmsd")},
}


def _record(out: Path, row: Mapping[str, Any]) -> str:
    """A refined pose as an SDF record, with its numbers."""
    block = (out / "units" / f"{row['pose']:06d}" / "pose.sdf").read_text("utf-8").split("$$$$")[0].rstrip()
    told = {field: row.get(name) for name, field in _TOLD.items()}
    fields = (
        f">  <{field}>\n{f'{value:.3f}' if isinstance(value, float) else value}\n\n"
        for field, value in told.items()
        if value not in (None, "")
    )
    return f"{block}\n{''.join(fields)}$$$$\n"


def _less_said(rows: list[dict[str, Any]], notes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows without what is noted of all, and how far each pose drifted."""
    return [
        {
            **row,
            "said": _drifted(row),
            "notes": "; ".join(x for x in (row.get("notes") or "").split("; ") if x and x not in notes),
        }
        for row in rows
    ]


def _drifted(row: Mapping[str, Any]) -> str:
    if row.get("drift") is None:
        return ""
    sure = f" ± {row['drift_error']:.1f}" if row.get("drift_error") is not None else ""
    return f"drift {row['drift']:.1f}{sure} Å, {row['contacts_kept']:.0%} of contacts kept"
