"""How do these molecules lie in this site? The Python door of docking.

Molecules go in as they are drawn; each comes out with its poses, best first, or with
the reason why it has none. What a campaign makes of them is told in scorers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from discovery import plugins
from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from docking.engines.engine import Engine, dock_all
from docking.ligand import prepare
from docking.plausibility import Verdict, check
from docking.pose import Pose
from docking.receptor import Receptor
from docking.site import Site
from docking.species import BODY_PH

STAGE = "docking"


@dataclass(frozen=True, slots=True)
class Docked:
    """A molecule's poses over all its docked isomers, lowest score first."""

    molecule: Molecule
    poses: tuple[Pose, ...]

    def verdicts(self, receptor: Receptor, site: Site | None = None) -> tuple[Verdict, ...]:
        """Is each pose plausible? In the order of `poses`."""
        return tuple(check(pose, receptor, site) for pose in self.poses)


def dock(
    receptor: Receptor,
    site: Site,
    molecules: Sequence[Molecule | Missing],
    *,
    engine: Engine | str = "vina",
    seed: int = 1,
    n_poses: int = 9,
    ph: float = BODY_PH,
    isomers: int = 1,
    tautomers: int = 1,
    rings: int = 0,
    **settings: Any,
) -> list[Docked | Missing]:
    """Prepare and dock every molecule; one outcome for each, in the order given.

    Parameters
    ----------
    engine : an engine, or the name it is registered by
    n_poses : most poses per isomer
    isomers : most stereoisomers docked where centres are open
    tautomers : most tautomers docked, the drawn one first
    rings : most ring shapes docked per isomer; 0 for one, and a few of a macrocycle
    settings : the engine's own, such as exhaustiveness=8 or effort="fast"
        Only with a name.

    Raises
    ------
    ReceptorError
        The receptor or the box cannot be used.
    PluginError
        The engine is unknown or refuses a setting.
    """
    if not isinstance(engine, str) and settings:
        raise TypeError(
            f"settings ({', '.join(settings)}) go with an engine's name; this engine is built already"
        )
    works = build_engine(engine, settings) if isinstance(engine, str) else engine
    prepared = each(
        STAGE,
        lambda one: prepare(one, ph=ph, most_isomers=isomers, most_tautomers=tautomers, most_shapes=rings),
        molecules,
    )
    ligands = [ligand for group in prepared if not isinstance(group, Missing) for ligand in group]
    found = iter(dock_all(works, receptor, site, ligands, seed=seed, n_poses=n_poses))
    outcomes: list[Docked | Missing] = []
    for group in prepared:
        if isinstance(group, Missing):
            outcomes.append(group)
            continue
        answers = [next(found) for _ in group]
        poses = [pose for answer in answers if not isinstance(answer, Missing) for pose in answer]
        refusals = [answer for answer in answers if isinstance(answer, Missing)]
        best_first = tuple(sorted(poses, key=lambda pose: pose.score))
        outcomes.append(Docked(group[0].molecule, best_first) if poses else refusals[0])
    return outcomes


def build_engine(name: str, settings: dict[str, Any]) -> Engine:
    """An engine by its registered name.

    Raises
    ------
    PluginError
        As `dock`.
    """
    return cast(Engine, plugins.build("engines", name, settings))
