"""AutoDock Vina, the reference engine on a CPU.

The `vina` package does the search and the scoring; here its answers become poses
with bond orders and all hydrogens, and its refusals become words for a chemist.

References
----------
.. [1] J. Eberhardt et al., J. Chem. Inf. Model. 61 (2021) 3891, doi:10.1021/acs.jcim.1c00203
.. [2] O. Trott, A. Olson, J. Comput. Chem. 31 (2010) 455, doi:10.1002/jcc.21334
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from discovery.outcome import MoleculeError, Reason
from docking import pdbqt
from docking import site as sites
from docking.engines.engine import check_fits
from docking.ligand import Ligand
from docking.ligands.conformer import seed_of
from docking.pdbqt import Floats
from docking.pose import Pose
from docking.receptor import DockingError, Receptor, ReceptorError
from docking.site import Site

try:
    import vina
except ImportError as error:
    raise ImportError(
        "docking with Vina needs: pip install 'discovery-workbench[docking]' (its wheels exist for Linux up to Python 3.12)"
    ) from error

WILD = 50.0  # kcal/mol; the strongest known complexes score near -20, so beyond this the search went wrong
SPACING = 0.375  # Å, Vina's own default


@dataclass(frozen=True, slots=True)
class VinaEngine:
    """Docks with the `vina` package, on one core, one ligand after another.

    Parameters
    ----------
    exhaustiveness : independent searches; time grows with it. Ring shapes of a ligand share it
    scoring : the function, "vina" or "vinardo"
    min_rmsd : Å between two poses that both are kept
    energy_range : kcal/mol above the best pose
    """

    exhaustiveness: int = 8
    scoring: Literal["vina", "vinardo"] = "vina"
    min_rmsd: float = 1.0
    energy_range: float = 3.0

    def __post_init__(self) -> None:
        if self.exhaustiveness < 1:
            raise DockingError(
                f"exhaustiveness is a number of searches, at least 1, not {self.exhaustiveness}"
            )
        if not (self.min_rmsd > 0 and self.energy_range > 0):
            raise DockingError(
                f"min_rmsd ({self.min_rmsd} Å) and energy_range ({self.energy_range} kcal/mol) must be positive"
            )

    @property
    def name(self) -> str:
        return "vina"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "exhaustiveness": self.exhaustiveness,
            "scoring": self.scoring,
            "min_rmsd": self.min_rmsd,
            "energy_range": self.energy_range,
            "version": str(vina.__version__),
        }

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        """As the promise in engine.py. Every ligand starts the same random stream anew."""
        if n_poses < 1:
            raise ValueError(f"at least one pose must be asked for, not {n_poses}")
        check_fits(site, ligand)
        program = _program(receptor, site, self.scoring, seed_of(f"vina {seed}"))
        _load(program, ligand, ligand.pdbqt)
        searches = max(1, self.exhaustiveness // ligand.shapes)
        program.dock(exhaustiveness=searches, n_poses=n_poses, min_rmsd=self.min_rmsd, max_evals=0)
        text = program.poses(n_poses=n_poses, energy_range=self.energy_range)
        energies = np.atleast_2d(program.energies(n_poses=n_poses, energy_range=self.energy_range))
        if not text.strip() or energies.size == 0:
            raise MoleculeError(
                Reason.NO_PLAUSIBLE_POSE, f"{ligand.molecule.shown}: Vina found no pose in the box"
            )
        return [
            self._pose(
                ligand,
                model.coords,
                dict(zip(("inter", "intra", "torsional", "unbound"), row[1:5], strict=True)),
                row[0],
            )
            for model, row in zip(pdbqt.read_models(text), energies, strict=True)
        ]

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: Floats, /) -> Pose:
        """As the promise in engine.py. Receptor atoms are explicit, not on a grid."""
        docked = ligand.docked(coords)
        heavy = [atom.type not in ("H", "HD") for atom in pdbqt.read(ligand.pdbqt).atoms]
        if not _spanned(site).contains(docked[heavy]):
            raise MoleculeError(
                Reason.OUTSIDE_BOX, f"{ligand.molecule.shown}: the pose to score leaves the box"
            )
        program = _program(receptor, site, self.scoring, seed_of("score"))
        _load(program, ligand, pdbqt.moved(ligand.pdbqt, docked))
        try:
            row = program.score()
        except RuntimeError as error:  # on the wall itself, rounded outwards as the text was written
            if "outside" not in str(error):
                raise
            raise MoleculeError(
                Reason.OUTSIDE_BOX, f"{ligand.molecule.shown}: the pose to score touches the box's wall"
            ) from error
        terms = {"inter": row[1], "intra": row[5], "torsional": row[6], "unbound": row[7]}
        if not np.isfinite(row[0]):
            raise MoleculeError(Reason.BAD_ANSWER, f"{ligand.molecule.shown}: Vina scored the pose {row[0]}")
        return Pose(ligand, np.asarray(coords), float(row[0]), _plain(terms), self.name)

    def _pose(self, ligand: Ligand, docked: Floats, terms: Mapping[str, float], score: float) -> Pose:
        if not np.isfinite(score) or abs(score) > WILD:
            raise MoleculeError(
                Reason.BAD_ANSWER,
                f"{ligand.molecule.shown}: Vina scored a pose {score:.1f} kcal/mol; beyond ±{WILD:g} no score is real",
            )
        return Pose(ligand, ligand.whole(docked), float(score), _plain(terms), self.name)


def _spanned(site: Site) -> Site:
    """The box as Vina has it: whole steps of its grid about the same middle, so up to 0.19 Å wider a side."""
    x, y, z = (math.ceil(round(edge / SPACING, 6)) * SPACING for edge in site.size)
    return Site(site.center, (x, y, z))


def _plain(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in terms.items()}


def _load(program: vina.Vina, ligand: Ligand, text: str) -> None:
    try:
        program.set_ligand_from_string(text)
    except (RuntimeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise MoleculeError(
            Reason.UNPREPARED, f"{ligand.molecule.shown}: Vina cannot read it: {said}"
        ) from error


@lru_cache(maxsize=2)  # each holds 0.3 GB of maps
def _program(receptor: Receptor, site: Site, scoring: str, seed: int) -> vina.Vina:
    """A Vina with its maps computed (0.5 s), shared by all ligands of a run.

    `dock` restarts the random stream from the seed each time, so what was docked
    before changes nothing.
    """
    sites.check(receptor, site)
    program = vina.Vina(sf_name=scoring, cpu=1, seed=seed, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "receptor.pdbqt"
        path.write_text(receptor.pdbqt, encoding="ascii", errors="replace")
        try:
            program.set_receptor(str(path))
        except (RuntimeError, TypeError) as error:
            said = " ".join(str(error).split())
            raise ReceptorError(f"{receptor.name}: Vina cannot read the prepared receptor: {said}") from error
    program.compute_vina_maps(center=list(site.center), box_size=list(site.size), spacing=SPACING)
    return program
