"""How do these molecules lie in this site? The Python door of docking.

Molecules go in as they are drawn; each comes out with its poses, best first, or with
the reason why it has none. What a campaign makes of them is told in scorers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, cast, get_args

import numpy as np

from discovery import plugins
from discovery.devices import SEED
from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.score import healthy_of
from docking.engines.engine import Engine, dock_all
from docking.ligand import Ligand, prepare
from docking.ligands.species import BODY_PH
from docking.plausibility import check
from docking.pose import Pose
from docking.receptor import DockingError, Receptor
from docking.relief import relieved
from docking.rescoring.order import CANDIDATES, Weights, distances, spread, standing
from docking.site import Site

STAGE = "docking"
RankBy = Literal["rescoring", "score"]
RANGE = 3.0  # kcal/mol above the best pose, of engines that do not say


@dataclass(frozen=True, slots=True)
class Docked:
    """A molecule's poses over all its docked isomers, best first."""

    molecule: Molecule
    poses: tuple[Pose, ...]
    # Log of the chance that the true pose lies about each; empty if by score.
    rescoring: tuple[float, ...] = ()
    # Log-odds of each pose by itself, up to a constant of the receptor; higher is better.
    fit: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"Docked {self.molecule.shown}: {len(self.poses)} poses, the first of {self.poses[0].score:.2f} kcal/mol"


def dock(
    receptor: Receptor,
    site: Site,
    molecules: Sequence[Molecule | Missing],
    *,
    engine: Engine | str = "native",
    seed: int = SEED,
    n_poses: int = 9,
    ph: float = BODY_PH,
    isomers: int = 1,
    tautomers: int = 1,
    rings: int = 0,
    rank_by: RankBy = "rescoring",
    **settings: Any,
) -> list[Docked | Missing]:
    """Prepare and dock every molecule; one outcome for each, in the order given.

    Parameters
    ----------
    receptor, site : a prepared receptor and the box, Å, in which a pose must lie
    molecules : a `Missing` among them keeps its reason
    engine : an engine, or the name it is registered by
    seed : the same seed gives the same poses, whatever is docked beside them
    ph : at which molecules are protonated
    n_poses : most poses per isomer
    isomers : most stereoisomers docked where centres are open
    tautomers : most tautomers docked, the drawn one first
    rings : most ring shapes docked per isomer, which share one effort; 0 for three, six of a macrocycle
    rank_by : what puts poses in order
        "rescoring", which knows the true pose more often (see rescoring/order.py) and puts
        plausible poses before others; or "score", the engine's kcal/mol alone. The
        score of a pose is the same with both. Of more than `n_poses` those are kept that
        differ by 2 Å. Poses with restraints, flexible side
        chains or ligands beside them are always put in order by score and restraint:
        rescoring was learned from ligands alone in rigid receptors.
    settings : the engine's own, such as effort="fast" of native or exhaustiveness=8 of vina
        Only with a name.

    Returns
    -------
    [molecule], its poses, each with coordinates in Å and a score in kcal/mol, or the reason why there are none

    Raises
    ------
    DockingError
        `rank_by` is neither of the two.
    ReceptorError
        The receptor or the box cannot be used.
    PluginError
        The engine is unknown or refuses a setting.
    TypeError
        The receptor, the box or a molecule is something else, such as a path.
    """
    ranking(rank_by)
    if not (isinstance(receptor, Receptor) and isinstance(site, Site)):
        raise TypeError(
            f"dock takes a Receptor and a Site, not {type(receptor).__name__} and {type(site).__name__}; "
            "docking.preparation.prepare reads a file, Site.around_file puts the box about a ligand"
        )
    if isinstance(molecules, Molecule):
        raise TypeError(f"dock takes a list of molecules, not one; write [{molecules.shown}]")
    healthy_of(molecules)
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
    within = float(works.settings.get("energy_range", RANGE))
    asked = max(n_poses, CANDIDATES)  # so that there is something to choose from
    found = iter(dock_all(works, receptor, site, ligands, seed=seed, n_poses=asked))

    def outcome(ligands: list[Ligand]) -> Docked | Missing:
        answers = [next(found) for _ in ligands]
        poses = by_species([answer for answer in answers if not isinstance(answer, Missing)], within)
        molecule = ligands[0].molecule
        if not poses:
            return next(answer for answer in answers if isinstance(answer, Missing))
        if rank_by == "score" or any(pose.steered for some in poses for pose in some):
            return by_score(molecule, poses, n_poses)
        return ranked(molecule, poses, receptor, site, n_poses)

    return each(STAGE, outcome, prepared)


def by_species(answers: Sequence[Sequence[Pose]], within: float = RANGE) -> list[list[Pose]]:
    """An engine's answers -> poses of each tautomer and isomer, those of all its ring shapes together.

    Of several ring shapes the poses `within` so many kcal/mol of the best are kept, as an engine keeps them of one,
    and strain counts from one pose, as if an engine had found them all.
    """
    groups: dict[str, list[Sequence[Pose]]] = {}
    for answer in answers:
        groups.setdefault(answer[0].ligand.smiles, []).append(answer)
    kept = []
    for shapes in groups.values():
        poses = [pose for some in shapes for pose in some]
        if len(shapes) > 1:
            poses = _comparable(poses)
            best = min(pose.standing for pose in poses)
            poses = [pose for pose in poses if pose.standing <= best + within]
        kept.append(poses)
    return kept


def _comparable(poses: Sequence[Pose]) -> list[Pose]:
    """Poses of several ring shapes, their own energy relative to that of the best of all.

    An engine counts it relative to the best pose of the one shape it was given, which hides how strained that pose is.
    """
    if any(not {"inter", "intra", "torsional", "unbound"} <= pose.terms.keys() for pose in poses):
        return list(poses)  # of an engine that does not tell
    lowest = min(
        poses, key=lambda pose: pose.terms["inter"] + pose.terms["intra"] + pose.terms.get("restraint", 0.0)
    )
    # all are divided by the same, told best by the largest
    clear = max(poses, key=lambda pose: abs(pose.score))
    share = clear.score / (clear.score - clear.terms["torsional"]) if clear.score else 1.0
    unbound, again = lowest.terms["intra"], []
    for pose in poses:
        whole = pose.terms["inter"] + pose.terms["intra"] - unbound
        terms = {**pose.terms, "torsional": (share - 1.0) * whole, "unbound": unbound}
        again.append(replace(pose, score=share * whole, terms=terms))
    return again


def by_score(molecule: Molecule, poses: Sequence[Sequence[Pose]], n_poses: int) -> Docked:
    """A molecule's poses by score and restraint, best first; kept as `ranked` keeps them.

    Where something turns or lies beside the ligand, poses may be alike in the ligand alone: the best are kept.
    """
    rows: list[Pose] = []
    for some in poses:
        best = sorted(some, key=lambda pose: pose.standing)
        if any(pose.steered for pose in best):
            rows += best[:n_poses]
        else:
            rows += [best[k] for k in spread(range(len(best)), distances(best), n_poses)]
    rows.sort(key=lambda pose: pose.standing)
    return Docked(molecule, tuple(map(relieved, rows)))


def ranked(
    molecule: Molecule,
    poses: Sequence[Sequence[Pose]],
    receptor: Receptor,
    site: Site,
    n_poses: int,
    weights: Weights | None = None,
) -> Docked:
    """Put a molecule's poses in order: plausible before others, then by rescoring.

    Where not all are kept, poses that differ come before those that are much like a better one.

    Parameters
    ----------
    poses : those of each isomer, of all its ring shapes
    n_poses : most poses kept of each isomer
    weights : the shipped ones when not given
    """
    rows: list[tuple[bool, float, float, Pose]] = []
    for some, (chance, apart, odds) in zip(poses, standing(receptor, poses, weights), strict=True):
        plausible = cache(lambda k, some=some: check(some[k], receptor, site).plausible)
        order = np.argsort(-chance, kind="stable").tolist()
        kept = spread(order, apart, n_poses, plausible)
        if len(kept) < n_poses:
            kept += spread([k for k in order if not plausible(k)], apart, n_poses - len(kept))
        rows += [(not plausible(k), float(chance[k]), float(odds[k]), some[k]) for k in kept]
    rows.sort(key=lambda row: (row[0], -row[1]))
    _, rescoring, fit, found = zip(*rows, strict=True)
    return Docked(molecule, tuple(map(relieved, found)), rescoring, fit)


def ranking(name: str) -> RankBy:
    """A way to order poses, by its name.

    Raises
    ------
    DockingError
        There is no such way.
    """
    for known in get_args(RankBy):
        if name == known:
            return cast(RankBy, known)
    raise DockingError(f"rank_by is {' or '.join(get_args(RankBy))}, not {name!r}")


def build_engine(name: str, settings: dict[str, Any]) -> Engine:
    """An engine by its registered name.

    Raises
    ------
    PluginError
        As `dock`.
    """
    return cast(Engine, plugins.build("engines", name, settings))
