"""From a pose in a receptor to its numbers: the Python door of this folder.

    model = receptor_model(receptor.pdb, receptor.name)
    found = rescore(model, pose, name="lig7")
    found.energy.total          # kcal/mol, one settled structure
    found = simulate(model, pose, Run(length_ps=100, replicas=3), name="lig7")
    found.rmsd.mean()           # Å

What the numbers mean is told where they are made: binding_energy.py, stability.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking.dynamics.binding_energy import Interaction, interaction, standard_error, worst
from docking.dynamics.minimise import alone, settle
from docking.dynamics.parameters.charges import Charges, Method, method
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import LigandForceField, checked, ligand_terms
from docking.dynamics.platform import Device, described
from docking.dynamics.pocket import FREE, KEEP, Complex, carve
from docking.dynamics.receptor_system import PROTEIN, ReceptorModel
from docking.dynamics.simulate import Progress, Run, Trajectory, replica
from docking.dynamics.stability import stability
from docking.dynamics.surroundings import Surroundings, in_water
from docking.dynamics.terms import Floats
from docking.pose import rmsd, with_coords
from docking.receptor import DockingError

STAGE = "dynamics"
EXPLICIT = "moved in TIP3P water"
HOPELESS = 100.0  # kcal/mol; a settled pose above it was never in the pocket
LARGEST_LIGAND = 200  # heavy atoms; beyond it AM1 takes hours and MM-GBSA says nothing


@dataclass(frozen=True, slots=True)
class Settings:
    """How poses are prepared for physics; the same for every protocol.

    Raises
    ------
    DockingError
        More would move than is there.
    """

    ligand_field: LigandForceField | None = None  # Sage 2.2.1 when not given
    charges: Method | None = None  # `default_charges` when not given
    keep: float = KEEP  # Å
    free: float = FREE  # Å
    device: Device = field(default_factory=Device)

    def __post_init__(self) -> None:
        if not 0.0 < self.free <= self.keep:
            raise DockingError(
                f"residues within {self.free:g} Å of the ligand cannot move where those within {self.keep:g} Å are "
                "there: free must be above 0 and no more than keep"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """A settled pose and its MM-GBSA energy."""

    mol: Chem.Mol  # with hydrogens, lying as settled
    energy: Interaction
    internal: float  # kcal/mol, the ligand's own energy in water as it lies; see choice.py
    moved: float  # Å, symmetry-aware, from the pose given to the settled one
    evaluations: int
    charges: Charges
    bound: Complex
    xyz: Floats  # [atom, 3] nm, settled
    made_with: str  # force fields, water, platform

    @property
    def heavy_atoms(self) -> int:
        """The null model: counting them ranks many series as well as physics does."""
        return int(self.mol.GetNumHeavyAtoms())


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """What replicas of dynamics say of a pose."""

    start: Rescored
    rmsd: Floats  # [replica, frame] Å, from the docked pose
    kept: Floats  # [replica, frame], share of contacts kept
    energies: Floats  # [replica, frame] kcal/mol, MM-GBSA
    times: Floats  # [frame] ps
    trajectories: tuple[Trajectory, ...]

    @property
    def settled(self) -> slice:
        """The later half of the frames: the earlier still remembers the start."""
        return slice(self.rmsd.shape[1] // 2, None)

    @property
    def drift(self) -> tuple[float, float | None]:
        """Mean distance from the docked pose over the later half, Å, and its standard error."""
        return self._mean(self.rmsd)

    @property
    def energy(self) -> tuple[float, float | None]:
        """Mean MM-GBSA over the later half, kcal/mol, and its standard error."""
        return self._mean(self.energies)

    def _mean(self, what: Floats) -> tuple[float, float | None]:
        later = what[:, self.settled]
        return float(later.mean()), standard_error(later, later.shape[1])


def read_pose(block: str, name: str) -> Chem.Mol:
    """A mol block or SDF record -> a molecule with all hydrogens and 3-D coordinates.

    Raises
    ------
    MoleculeError
        UNPARSABLE, EMPTY, TOO_LARGE, UNPREPARED or UNSUPPORTED, naming what is missing.
    """
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(block.split("$$$$")[0], removeHs=False, sanitize=False)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{name}: its pose is no mol block that RDKit can read")
    if mol.GetNumHeavyAtoms() > LARGEST_LIGAND:
        raise MoleculeError(
            Reason.TOO_LARGE,
            f"{name} has {mol.GetNumHeavyAtoms()} heavy atoms; the limit is {LARGEST_LIGAND}",
        )
    whole = checked(mol, name)
    xyz = whole.GetConformer().GetPositions() if whole.GetNumConformers() else np.zeros((0, 3))
    if len(xyz) < 2 or not np.isfinite(xyz).all():
        raise MoleculeError(
            Reason.UNPREPARED, f"{name}: its pose has no usable 3-D coordinates; dock it first"
        )
    gaps = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) + 10.0 * np.eye(len(xyz))
    if gaps.min() < 0.3:
        a, b = (int(i) for i in np.unravel_index(gaps.argmin(), gaps.shape))
        first, second = (f"{whole.GetAtomWithIdx(i).GetSymbol()}{i + 1}" for i in (a, b))
        raise MoleculeError(
            Reason.UNPREPARED,
            f"{name}: its atoms {first} and {second} are {gaps.min():.2f} Å apart; the pose was never built in 3-D",
        )
    return whole


def default_charges(mol: Chem.Mol, name: str = "the ligand") -> Charges:
    """AM1-BCC; the graph model's, then Gasteiger's, with a note where that fails."""
    return method("am1-bcc")(mol, name)


def rescore(
    receptor: ReceptorModel, mol: Chem.Mol, settings: Settings | None = None, *, name: str = "the ligand"
) -> Rescored:
    """Let a pose settle in its pocket, and take its MM-GBSA energy there.

    Parameters
    ----------
    mol
        The pose in the receptor's frame, all hydrogens explicit; see `read_pose`.

    Raises
    ------
    MoleculeError
        The ligand has no parameters or charges, or the pose cannot be relaxed.
    ReceptorError
        The pose is nowhere near the receptor.
    """
    how = settings or Settings()
    figures = how.ligand_field or force_field()
    charges = (how.charges or default_charges)(mol, name)
    terms = ligand_terms(mol, charges.values, figures, name)
    bound = carve(receptor, terms, mol.GetConformer().GetPositions(), keep=how.keep, free=how.free)
    found = settle(bound, how.device, name=name)
    settled = with_coords(mol, found.xyz[bound.ligand] * 10.0)
    energy = interaction(bound, found.xyz)
    if not energy.total < HOPELESS:
        raise MoleculeError(
            Reason.NO_PLAUSIBLE_POSE,
            f"{name}: its pose still overlaps the receptor after {found.evaluations} force evaluations "
            f"({energy.total:.3g} kcal/mol, worst at {worst(energy)}); dock it again",
        )
    return Rescored(
        mol=settled,
        energy=energy,
        internal=alone(bound, found.xyz),
        moved=rmsd(mol, settled),
        evaluations=found.evaluations,
        charges=charges,
        bound=bound,
        xyz=found.xyz,
        made_with=f"{PROTEIN}, {figures.name}, {charges.method}, OBC2 water, {described(how.device)}",
    )


def simulate(
    receptor: ReceptorModel,
    mol: Chem.Mol,
    run: Run | None = None,
    settings: Settings | None = None,
    *,
    name: str = "the ligand",
    resumed: Callable[[int], Progress | None] | None = None,
    keep: Callable[[int, Progress], None] | None = None,
) -> Simulated:
    """Let a pose settle, then watch replicas of it move.

    Parameters
    ----------
    resumed, keep
        Where a replica (by its number) goes on, and what is told of its progress:
        see checkpoint.py.

    Raises
    ------
    MoleculeError
        As `rescore`; DIVERGED if a replica explodes at the smallest step.
    """
    how, length = settings or Settings(), run or Run()
    start = rescore(receptor, mol, how, name=name)
    around = None if length.solvent == "implicit" else _watered(receptor, start, length, how, name)
    if around is not None:
        start = replace(start, made_with=f"{start.made_with}, {EXPLICIT}, {around.atoms:,} atoms")
    bound = start.bound
    walks = tuple(
        replica(
            bound,
            start.xyz,
            length,
            index,
            how.device,
            name=name,
            around=around,
            resumed=None if resumed is None else resumed(index),
            keep=None if keep is None else partial(keep, index),
        )
        for index in range(length.replicas)
    )
    heavy = np.flatnonzero(receptor.numbers[bound.receptor_atoms] > 1)
    seen = [stability(bound, mol, bound.xyz * 10.0, walk.frames, heavy) for walk in walks]
    return Simulated(
        start=start,
        rmsd=np.array([one.rmsd for one in seen]),
        kept=np.array([one.kept for one in seen]),
        energies=_energies(bound, walks, name),
        times=walks[0].times,
        trajectories=walks,
    )


def _watered(receptor: ReceptorModel, start: Rescored, run: Run, how: Settings, name: str) -> Surroundings:
    return in_water(
        receptor,
        start.bound,
        start.xyz,
        free=how.free,
        device=how.device,
        temperature=run.temperature,
        seed=run.seed,
        name=name,
    )


def _energies(bound: Complex, walks: Sequence[Trajectory], name: str) -> Floats:
    """[replica, frame] kcal/mol, MM-GBSA."""
    found = np.array([[interaction(bound, xyz / 10.0).total for xyz in walk.frames] for walk in walks])
    for index in np.flatnonzero(~np.isfinite(found).all(axis=1)):
        raise MoleculeError(
            Reason.DIVERGED, f"{name}: an energy of replica {index + 1} is no finite number; dock it again"
        )
    return found
