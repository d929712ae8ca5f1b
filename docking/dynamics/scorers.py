"""Does the docked pose hold, and how strongly does it bind? The doors to campaigns.

Both start from the pose an earlier scorer left under "pose" in its details; what is
computed from it is the business of protocol.py. One molecule's answer depends on its
pose, the settings and the seed alone, never on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    from scipy.spatial import cKDTree

from discovery.devices import SEED
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason, each
from discovery.plugins import settle
from discovery.score import Column, Score
from docking import demo_target, preparation
from docking.dynamics.parameters.charges import METHODS, method
from docking.dynamics.parameters.sage import DEFAULT, force_field
from docking.dynamics.platform import Device
from docking.dynamics.protocol import (
    EXPLICIT,
    STAGE,
    Rescored,
    Settings,
    Simulated,
    read_pose,
    rescore,
    simulate,
)
from docking.dynamics.receptor_system import ReceptorModel, has_parameters, receptor_model, waters_of
from docking.dynamics.simulate import Run
from docking.dynamics.terms import Floats
from docking.protein import residues, structure
from docking.protein.fetch import located
from docking.receptor import DockingError, Receptor, ReceptorError

DEMO = f"demo:{demo_target.NAME}"
ION = 3.0  # Å; a ligand's atom this near holds it
BONDED = 2.0  # Å, heavy atoms of pose and receptor: no contact is so short
AWAY = 15.0  # Å; pockets are cut at 9 Å unless told otherwise
SHOWN_RESIDUES = 10  # of the decomposition, strongest first
NO_MEMBRANE = (
    "no membrane and no protein outside the pocket moves: residues beyond the moving shell (5 Å of the ligand "
    "unless told otherwise) are frozen where the receptor's structure has them"
)
HELD = (
    "no membrane: beyond the moving shell (5 Å of the ligand unless told otherwise) the receptor's backbone is held "
    "by springs where its structure has it"
)


@dataclass(frozen=True)
class PoseStability:
    """Runs short dynamics of the docked pose and tells how far it drifts.

    Parameters
    ----------
    receptor : a prepared or raw PDB, mmCIF or PDBQT file, pdb:4IAR to fetch an entry, or the demo target
    after : the column whose pose is simulated
    ph, keep, drop, protonation : of a receptor's file; say what docking was told
        `drop` leaves residues out, such as a cofactor without parameters: ["A:HEM301"];
        `protonation` overrules single ones: {"A:HIS57": "HIP"}.
    length_ps, equilibration_ps : of each replica, and before it counts
    replicas : how often, each with its own start; the error is over them
    charges : how the ligand's partial charges are made; see parameters/charges.py
        The unrelaxed AM1-BCC takes seconds less than the relaxed, and drift hardly notices.
    force_field : of the ligand: the shipped one by name, or an .offxml file
    platform : of OpenMM: auto, CPU, CUDA, OpenCL or Reference
    threads : on CPU, of one simulation
    seed : of starting velocities; the same seed gives the same numbers on one platform
    name : of the column
    """

    receptor: str = DEMO
    after: str = "docking"
    ph: float = preparation.PH
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protonation: Mapping[str, str] = field(default_factory=dict)
    length_ps: float = 2.0
    equilibration_ps: float = 0.5
    replicas: int = 2
    charges: str = "am1-bcc-unrelaxed"
    force_field: str = DEFAULT
    platform: str = "auto"
    threads: int = 1
    seed: int = SEED
    name: str = "pose_stability"

    def __post_init__(self) -> None:
        _checked(self)
        _run(self)

    @property
    def column(self) -> Column:
        return Column(
            self.name,
            unit="Å",
            better="low",
            title="Pose drift in MD",
            about=f"mean distance of the ligand from its docked pose over the later half of {self.replicas} x "
            f"{self.length_ps:g} ps of dynamics in implicit water; error: standard error over replicas",
        )

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given."""
        return _refined(self, molecules, found, self._one)

    def _one(self, model: ReceptorModel, mol: Chem.Mol, shown: str) -> Score:
        done = simulate(model, mol, _run(self), _settings(self), name=shown)
        drift, error = done.drift
        return Score(drift, error, stability_details(done))


@dataclass(frozen=True)
class BindingEnergy:
    """MM-GBSA of the docked pose: settled once, or averaged over dynamics when `length_ps` is above 0.

    kcal/mol, lower is better. It orders molecules; it is no measured affinity.

    Parameters
    ----------
    length_ps : of dynamics; 0 settles the pose and takes it as it lies
    equilibration_ps, replicas, seed : of dynamics, where there are any
    receptor, after, ph, keep, drop, protonation, charges, force_field, platform, threads, name : as `PoseStability`
    """

    receptor: str = DEMO
    after: str = "docking"
    ph: float = preparation.PH
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protonation: Mapping[str, str] = field(default_factory=dict)
    length_ps: float = 0.0
    equilibration_ps: float = 0.5
    replicas: int = 2
    charges: str = "am1-bcc"
    force_field: str = DEFAULT
    platform: str = "auto"
    threads: int = 1
    seed: int = SEED
    name: str = "binding_energy"

    def __post_init__(self) -> None:
        _checked(self)
        if self.length_ps < 0:
            raise DockingError(f"length_ps must be 0 (no dynamics) or more, not {self.length_ps}")
        if self.length_ps:
            _run(self)

    @property
    def column(self) -> Column:
        how = (
            f"{self.replicas} x {self.length_ps:g} ps of dynamics"
            if self.length_ps
            else "one settled structure"
        )
        return Column(
            self.name,
            unit="kcal/mol",
            better="low",
            title="MM-GBSA",
            about=f"MM-GBSA interaction energy over {how}, no entropy: for ranking in one pocket, no binding free energy",
        )

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given."""
        return _refined(self, molecules, found, self._one)

    def _one(self, model: ReceptorModel, mol: Chem.Mol, shown: str) -> Score:
        if not self.length_ps:
            settled = rescore(model, mol, _settings(self), name=shown)
            return Score(settled.energy.total, None, energy_details(settled))
        done = simulate(model, mol, _run(self), _settings(self), name=shown)
        energy, error = done.energy
        return Score(energy, error, stability_details(done))


def energy_details(settled: Rescored) -> dict[str, Any]:
    """What a table or report shows of a settled pose: plain JSON values."""
    energy = settled.energy
    strongest = sorted(energy.residues.items(), key=lambda item: (-abs(item[1]), item[0]))[:SHOWN_RESIDUES]
    return {
        "pose": Chem.MolToMolBlock(settled.mol) + "\n$$$$\n",
        "mmgbsa_kcal_per_mol": round(energy.total, 3),
        "terms_kcal_per_mol": {
            part: round(getattr(energy, part), 3) for part in ("vdw", "coulomb", "polar", "nonpolar")
        },
        "residues_kcal_per_mol": {label: round(value, 3) for label, value in strongest},
        "heavy_atoms": settled.heavy_atoms,  # the null model, to be shown beside the energy
        "settled_rmsd": round(settled.moved, 3),  # Å from the docked pose
        "charges": settled.charges.method,
        "notes": [
            note
            for note in (
                settled.charges.note,
                *_touched(settled),
                HELD if EXPLICIT in settled.made_with else NO_MEMBRANE,
            )
            if note
        ],
        "atoms": settled.bound.terms.n_atoms,
        "moving_atoms": int((~settled.bound.frozen).sum()),
        "evaluations": settled.evaluations,
        "made_with": settled.made_with,
    }


def _touched(settled: Rescored) -> list[str]:
    """What is to be known of metals that the ligand holds, and of an atom it may be bonded to."""
    bound, n = settled.bound, settled.bound.n_receptor
    ion, heavy = np.bincount(bound.residue)[bound.residue] == 1, bound.terms.mass > 3.5
    said = []
    for xyz, ours, near, what in (
        (settled.xyz, ion, ION, ": the mechanics knows an ion as a charge and a size, not by its bonds; compare only "
         "ligands that hold it alike"),
        (bound.xyz, heavy[:n] & ~ion, BONDED, " in the pose given: if they are bonded, this energy is none of it, as no "
         "covalent ligand is known here; if not, the pose clashed"),
    ):  # fmt: skip
        away = xyz[:n][ours][:, None] - xyz[n:][heavy[n:]]
        gaps = 10.0 * np.linalg.norm(away, axis=-1).min(axis=1, initial=0.9)
        nearest = dict(sorted(zip(bound.residue[ours], gaps, strict=True), key=lambda one: -one[1]))
        said += [
            f"{bound.labels[i]} is {gap:.1f} Å from the ligand{what}"
            for i, gap in nearest.items()
            if gap < near
        ]
    return said


def stability_details(done: Simulated) -> dict[str, Any]:
    """What a table or report shows of simulated replicas: plain JSON values."""
    energy, energy_error = done.energy
    drift, drift_error = done.drift
    first = done.trajectories[0]
    return {
        **energy_details(done.start),
        "drift": round(drift, 3),  # Å
        "drift_error": None if drift_error is None else round(drift_error, 3),
        "rmsd": [[round(float(x), 2) for x in one] for one in done.rmsd],  # [replica][frame] Å
        "times_ps": [round(float(x), 3) for x in done.times],
        "contacts_kept": round(float(done.kept[:, done.settled].mean()), 3),
        "within_2A": round(float((done.rmsd[:, done.settled] <= 2.0).mean()), 3),
        "mmgbsa_settled_kcal_per_mol": round(done.start.energy.total, 3),
        "mmgbsa_kcal_per_mol": round(energy, 3),  # mean over the later half of the frames
        "mmgbsa_error_kcal_per_mol": None if energy_error is None else round(energy_error, 3),
        "steps": int(sum(one.steps for one in done.trajectories)),
        "step_fs": float(first.step_fs),
        "restarts": int(sum(one.restarts for one in done.trajectories)),
    }


def load_receptor(
    given: str,
    *,
    ph: float = preparation.PH,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    protonation: Mapping[str, str] | None = None,
    waters: bool = False,
    away_from: Floats | None = None,
) -> ReceptorModel:
    """The receptor's mechanics: the demo target's, or a file's; prepared as docking prepares it.

    Parameters
    ----------
    ph, keep, drop, protonation
        Of a file, as `preparation.prepare`.
    waters
        Of a file: keep the crystal waters that the receptor holds, see receptor_system.py.
    away_from : [point, 3], Å
        Residues that ff14SB does not know and that are farther than `AWAY` from all of these are left out with a
        note, as pockets are cut nearer; nearer ones are refused, as all are where this is not given.

    Raises
    ------
    ReceptorError
        It is no demo target and no usable file, or a residue has no parameters.
    """
    told: tuple[str, ...] = ()
    if given.startswith("demo:"):
        if given != DEMO:
            raise ReceptorError(f"there is no demo target {given!r}; there is {DEMO!r}")
        if keep or drop or protonation:
            raise ReceptorError(
                "the demo target is prepared already; keep, drop and protonation are for files"
            )
        target = demo_target.receptor()
    else:
        target = _prepared(located(given), ph, keep, drop, protonation, waters)
        told = tuple(
            str(choice).split(";")[0]
            for choice in target.report
            if choice.kind in ("metal", "hetero", "missing") and ".." not in choice.where  # a gap: told below
        )
    pdb, notes = (target.pdb, ()) if away_from is None else _without_strangers(target.pdb, away_from)
    gone = tuple(f"{note.split()[0]}: " for note in notes)
    told = tuple(one for one in told if not one.startswith(gone))
    model = receptor_model(pdb, target.name, waters=waters)
    return replace(model, notes=(*notes, *told, *model.notes))


def _prepared(
    path: Path,
    ph: float,
    keep: Sequence[str],
    drop: Sequence[str],
    protonation: Mapping[str, str] | None,
    waters: bool,
) -> Receptor:
    """As docking prepares a file; a PDBQT, which lacks hydrogens on carbon, anew from all atoms that it holds."""
    if not path.name.lower().removesuffix(".gz").endswith(".pdbqt"):
        keep = [*keep, *(waters_of(structure.read(path)) if waters else ())]
        return preparation.prepare(path, ph=ph, keep=keep, drop=drop, protonation=protonation)
    held = structure.parse(preparation.from_pdbqt(path).pdb, path.name).atoms
    atoms = [
        replace(group[0], resname=group[0].element.upper())
        if len(group) == 1
        else atom  # an ion by its element
        for group in structure.by_residue(held).values()
        for atom in group
    ]
    keep = [*keep, *sorted({a.resname for a in atoms if residues.standard(a.resname) not in residues.NAMES})]
    return preparation.assemble(atoms, path.name, ph=ph, keep=keep, drop=drop, protonation=protonation)


def _without_strangers(pdb: str, points: Floats) -> tuple[str, tuple[str, ...]]:
    """The text without residues that have no parameters and lie away from all points, and what is said of each."""
    tree = cKDTree(points)
    gone: dict[tuple[str, str], str] = {}
    for place, group in structure.by_residue(structure.parse(pdb, "the receptor").atoms).items():
        if has_parameters(group[0].resname):
            continue
        nearest = float(tree.query(structure.coords(group))[0].min())
        if nearest > AWAY:
            gone[place] = (
                f"{group[0].residue} left out: ff14SB does not know it, and it is {nearest:.0f} Å from the ligands"
            )
    lines = (
        line
        for line in pdb.splitlines(keepends=True)
        if not line.startswith(("ATOM", "HETATM")) or (line[21].strip(), line[22:27].strip()) not in gone
    )
    return "".join(lines), tuple(gone.values())


def _settings(scorer: PoseStability | BindingEnergy) -> Settings:
    return Settings(
        ligand_field=force_field(scorer.force_field),
        charges=method(scorer.charges),
        device=Device(scorer.platform, scorer.threads),
    )


def _run(scorer: PoseStability | BindingEnergy) -> Run:
    return Run(
        length_ps=scorer.length_ps,
        equilibration_ps=scorer.equilibration_ps,
        replicas=scorer.replicas,
        frame_ps=min(0.25, scorer.length_ps),
        seed=scorer.seed,
    )


def _checked(scorer: PoseStability | BindingEnergy) -> None:
    settle(scorer)
    if not scorer.after:
        raise DockingError("after must name the scorer whose pose is used, such as 'docking'")
    if scorer.charges not in METHODS:
        raise DockingError(f"charges must be one of {', '.join(METHODS)}, not {scorer.charges!r}")
    if scorer.threads < 1:
        raise DockingError(f"threads must be at least 1, not {scorer.threads}")


def _refined(
    scorer: PoseStability | BindingEnergy,
    molecules: Sequence[Molecule],
    found: Sequence[Score],
    one: Callable[[ReceptorModel, Chem.Mol, str], Score],
) -> Sequence[Score | Missing]:
    if len(molecules) != len(found):
        raise ValueError(f"{len(molecules)} molecules but {len(found)} earlier scores")
    if not molecules:
        return []
    model = load_receptor(
        scorer.receptor, ph=scorer.ph, keep=scorer.keep, drop=scorer.drop, protonation=scorer.protonation
    )

    def work(pair: tuple[Molecule, Score]) -> Score:
        molecule, earlier = pair
        block = earlier.details.get("pose")
        if not isinstance(block, str) or not block.strip():
            raise MoleculeError(
                Reason.UNPREPARED, f"{molecule.shown}: the scorer {scorer.after!r} left no pose to start from"
            )
        mol = read_pose(block, molecule.shown)
        try:
            return one(model, mol, molecule.shown)
        except ReceptorError as error:  # this pose is nowhere near; the receptor itself loaded
            raise MoleculeError(Reason.OUTSIDE_BOX, f"{molecule.shown}: {error}") from error

    return each(STAGE, work, list(zip(molecules, found, strict=True)))
