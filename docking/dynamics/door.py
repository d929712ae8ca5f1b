"""Poses and their receptor in; energies, drift and refined poses in a folder: `discovery simulate` from Python."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from discovery.devices import SEED
from discovery.outcome import Counts
from docking import preparation
from docking.dynamics.docked_among import SIDE_CHAINS, models
from docking.dynamics.folder import places
from docking.dynamics.free_energy.exchange import Plan
from docking.dynamics.free_energy.network import Shape
from docking.dynamics.free_energy.relative import Relative
from docking.dynamics.free_energy.relative_work import RelativeJob
from docking.dynamics.free_energy.relative_work import work as compare
from docking.dynamics.parameters.charges import method
from docking.dynamics.parameters.sage import DEFAULT
from docking.dynamics.parameters.sage import force_field as figures
from docking.dynamics.platform import Device
from docking.dynamics.protocol import Settings
from docking.dynamics.scorers import AWAY, HELD, NO_MEMBRANE, load_receptor
from docking.dynamics.simulate import Run
from docking.dynamics.work import Job, Protocol, work
from docking.receptor import DockingError
from docking.run_folder import SIMULATION, check_free

PROTOCOLS = (*get_args(Protocol), "rbfe")


def simulate(
    receptor: str | Path,
    poses: str | Path,
    out: str | Path,
    *,
    protocol: Literal["mmgbsa", "stability", "rbfe"] = "mmgbsa",
    length_ps: float = 20.0,
    replicas: int = 2,
    solvent: Literal["implicit", "explicit"] = "implicit",
    network: Shape = "cycles",
    pocket: float = 9.0,
    free: float = 5.0,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    waters: bool = False,
    protonation: Mapping[str, str] | None = None,
    ph: float = preparation.PH,
    charges: str = "am1-bcc",
    force_field: str | Path = DEFAULT,
    platform: str = "auto",
    threads: int = 1,
    seed: int = SEED,
    patience_s: float = math.inf,
    resume: bool = True,
    note: Callable[[str], None] = lambda text: None,
    told: Callable[[int, str], None] = lambda done, what: None,
) -> Counts:
    """Let docked poses settle, or move, in their pocket; leave `scores.parquet`, `poses.sdf` and `report.txt` in `out`.

    Parameters
    ----------
    receptor : PDB, mmCIF or PDBQT file, pdb:4IAR to fetch an entry, or demo:5HT1B
    poses : SDF with hydrogens, in the receptor's frame
        Flexible side chains that docking left in side_chains.pdb beside it are taken along, but by
        rbfe, which turns side chains itself.
    out : made if absent; a run with the same settings and poses goes on there
    protocol : "mmgbsa" settles and scores; "stability" runs replicas of dynamics; "rbfe" compares
        ligands of one pocket with each other, relative binding free energies
    length_ps : of recorded dynamics per replica; of rbfe, per state of an edge
    replicas : each with its own start
    solvent : "implicit", OBC2 in a pocket; "explicit", TIP3P and ions and the whole receptor (a GPU)
    network : of rbfe: every edge in a cycle ("cycles"), a "tree", or all against one ("star")
    pocket, free : Å; residues this near the ligand are there, and may move
    keep : what preparation would drop: ["ATP"] or ["A:ATP401"]; say what docking was told
    drop, protonation : residues left out, ["A:HEM301"]; states overruled, {"A:HIS57": "HIP"}
    waters : keep crystal waters that three polar atoms of the receptor hold
    ph : at which the receptor is protonated
    charges : am1-bcc, am1-bcc-elf, am1-bcc-unrelaxed, graph or gasteiger
    force_field : of the ligand: sage-2.2.1, or an .offxml file
    platform, threads : of OpenMM: auto, CUDA, OpenCL, CPU or Reference; threads are of CPU
    seed : of velocities and exchanges
    patience_s : end the PROCESS (exit status 75) after so many seconds without progress, for batch jobs
    resume : False refuses a folder that holds a run
    note, told : called with what is worth knowing before the start; with each pose done and what came of it

    Returns
    -------
    How many poses went in, and how they ended

    Raises
    ------
    DockingError
        Settings that do not go together, a file that cannot be used, or the folder holds another run.
    """
    poses, out = Path(poses), Path(out)
    if protocol not in PROTOCOLS:
        raise DockingError(f"protocol is {', '.join(PROTOCOLS)}, not {protocol!r}")
    if solvent == "explicit" and protocol == "mmgbsa":
        raise DockingError(
            "mmgbsa settles a pose in implicit water; explicit solvent is for stability and rbfe"
        )
    check_free(out, SIMULATION, resume)
    settings = Settings(
        ligand_field=figures(force_field),
        charges=method(charges),
        keep=pocket,
        free=free,
        device=Device(platform, threads),
    )
    settings.device.platform()  # a wrong name is refused before any work
    model = load_receptor(
        str(receptor), ph=ph, keep=keep, drop=drop, protonation=protonation or {}, waters=waters,
        away_from=places(poses) if solvent == "implicit" and pocket < AWAY else None,
    )  # fmt: skip
    digest = hashlib.sha256(model.terms.charge.tobytes() + model.xyz.tobytes()).hexdigest()
    beside = poses.parent / SIDE_CHAINS
    side_chains = models(beside) if beside.exists() and protocol != "rbfe" else {}
    if side_chains:
        note(f"each pose lies among the side chains it was docked with: {beside}")
    for text in (*model.notes, HELD if solvent == "explicit" else NO_MEMBRANE):
        note(text)
    if protocol == "rbfe":
        plan = Plan(iterations=max(8, round(length_ps / 0.2)), steps=50, warm=250, seed=seed)
        how = Relative(plan, settings, solvent, shape=network)
        return compare(
            poses,
            out,
            RelativeJob(model, digest, how, charges),
            resume=resume,
            patience_s=patience_s,
            told=told,
        )
    run = Run(
        length_ps=length_ps, replicas=replicas, frame_ps=min(0.25, length_ps), seed=seed, solvent=solvent
    )
    job = Job(model, digest, protocol, run, settings, charges, side_chains)
    return work(poses, out, job, resume=resume, patience_s=patience_s, told=told)
