"""Our own docking engine: Vina's energy, searched by many walkers at once in JAX.

The receptor becomes grids once for each site, a ligand becomes arrays of one of eight
shapes, and compiled programs are kept on disk, so that only the first ligand of a
shape ever waits for the compiler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np

from discovery.outcome import Missing, MoleculeError, Reason, each
from docking import effort as efforts
from docking import maps, motion, pdbqt, refine, search
from docking import site as sites
from docking.atom_types import Floats, type_atoms
from docking.energy import FUNCTIONS, Atoms, Energies, Function, bucket, score
from docking.engines.engine import check_fits, ligand_seed
from docking.ligand import Ligand
from docking.pose import Pose
from docking.receptor import DockingError, Receptor
from docking.site import Site
from docking.tree import Tree, read_tree

SHAPES = (
    (16, 8),
    (24, 8),
    (24, 16),
    (32, 8),
    (32, 16),
    (48, 12),
    (64, 32),
    (128, 48),
)  # heavy atoms, torsions
FEWEST_ROWS = (
    1 << 20
)  # of packed grids, 32 MiB: most boxes fit, and their number doubles, so few shapes are compiled


@dataclass(frozen=True, slots=True)
class NativeEngine:
    """Docks in JAX, on whatever device it finds. The same seed gives the same poses, whatever is docked beside them."""

    effort: Literal["fast", "balanced", "thorough"] = "balanced"
    scoring: Literal["vina", "vinardo"] = "vina"
    energy_range: float = 3.0  # kcal/mol above the best pose

    def __post_init__(self) -> None:
        if self.effort not in efforts.EFFORTS:
            raise DockingError(f"effort is fast, balanced or thorough, not {self.effort!r}")
        if self.scoring not in FUNCTIONS:
            raise DockingError(f"scoring is vina or vinardo, not {self.scoring!r}")
        if not self.energy_range > 0:
            raise DockingError(f"energy_range must be positive, not {self.energy_range} kcal/mol")

    @property
    def name(self) -> str:
        return "native"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"effort": self.effort, "scoring": self.scoring, "energy_range": self.energy_range}

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        """As the promise in engine.py."""
        if n_poses < 1:
            raise ValueError(f"at least one pose must be asked for, not {n_poses}")
        check_fits(site, ligand)
        tree, shown = tree_of(ligand), ligand.molecule.shown
        place = _place(receptor, site, self.scoring)
        found = find(place, tree, shown, ligand_seed(seed, ligand), self.effort, n_poses)
        return self._reported(ligand, tree, found)

    def dock_many(
        self, receptor: Receptor, site: Site, ligands: Sequence[Ligand], /, *, seed: int, n_poses: int
    ) -> Sequence[Sequence[Pose] | Missing]:
        """As `dock`: one by one on a processor, those of one shape side by side on a GPU."""
        place = _place(receptor, site, self.scoring)
        trees = [tree for tree in each("docking", tree_of, ligands) if not isinstance(tree, Missing)]
        place.prepare({kind for tree in trees for kind in maps.types_of(tree.xs)})
        if efforts.lanes() == 1:
            return each(
                "docking", lambda one: self.dock(receptor, site, one, seed=seed, n_poses=n_poses), ligands
            )
        keep_programs()
        ready = each("docking", lambda one: self._ready(place, one, seed), ligands)
        minima = side_by_side(place, [one for one in ready if not isinstance(one, Missing)], self.effort)
        return each("docking", lambda one: self._finished(place, one, minima[one.key], n_poses), ready)

    def _ready(self, place: Place, ligand: Ligand, seed: int) -> Ready:
        check_fits(place.site, ligand)
        tree = tree_of(ligand)
        return Ready(ligand, tree, shape_of(tree, ligand.molecule.shown), ligand_seed(seed, ligand))

    def _finished(self, place: Place, one: Ready, minima: efforts.Found, n_poses: int) -> list[Pose]:
        problem, field = place.problem(one.tree, one.shape)
        found = finish(place, one.tree, one.ligand.molecule.shown, problem, field, minima, n_poses)
        return self._reported(one.ligand, one.tree, found)

    def _reported(self, ligand: Ligand, tree: Tree, found: list[tuple[Floats, Energies]]) -> list[Pose]:
        lowest = found[0][1].intra
        poses = [
            self._pose(ligand, ligand.whole(coords), energies, lowest, tree) for coords, energies in found
        ]
        return [pose for pose in poses if pose.score <= poses[0].score + self.energy_range]

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: Floats, /) -> Pose:
        """As the promise in engine.py; the number is `vina`'s to its third decimal."""
        tree, docked = tree_of(ligand), ligand.docked(coords)
        place = _place(receptor, site, self.scoring)
        if not place.holds(docked[tree.heavy]):
            raise MoleculeError(
                Reason.OUTSIDE_BOX, f"{ligand.molecule.shown}: the pose to score leaves the box"
            )
        energies = score(FUNCTIONS[self.scoring], tree, place.atoms, docked)
        return self._pose(ligand, np.asarray(coords, dtype=float), energies, energies.intra, tree)

    def _pose(self, ligand: Ligand, coords: Floats, energies: Energies, unbound: float, tree: Tree) -> Pose:
        """As Vina reports it: intramolecular strain counts relative to the best pose's."""
        weight = FUNCTIONS[self.scoring].weights["rotor"]
        total = (energies.inter + energies.intra - unbound) / (1.0 + weight * tree.rotors)
        terms = {
            "inter": energies.inter,
            "intra": energies.intra,
            "torsional": total - (energies.inter + energies.intra - unbound),
            "unbound": unbound,
        }
        return Pose(ligand, coords, total, terms, self.name)


def find(
    place: Place, tree: Tree, shown: str, seed: int, effort: str, n_poses: int
) -> list[tuple[Floats, Energies]]:
    """Search, refine, and keep what is distinct: [atom, 3] Å in the tree's order with its energies, best first.

    Raises
    ------
    MoleculeError
        TOO_LARGE, or NO_PLAUSIBLE_POSE if every pose found leaves the box.
    """
    keep_programs()
    problem, field = place.problem(tree, shape_of(tree, shown))
    minima = efforts.seek(place.function, problem, field, jax.random.key(seed), efforts.EFFORTS[effort])
    return finish(place, tree, shown, problem, field, minima, n_poses)


def finish(
    place: Place,
    tree: Tree,
    shown: str,
    problem: search.Problem,
    field: search.Field,
    minima: efforts.Found,
    n_poses: int,
) -> list[tuple[Floats, Energies]]:
    """Refine what a search found, and keep what is distinct; as `find`."""
    function = place.function
    conf, _ = refine.poses(function, tree, place.atoms, problem, field, minima)
    settled = [
        motion.settled(tree, *(np.asarray(part, dtype=float)[:, k] for part in conf))
        for k in range(conf.position.shape[-1])
    ]
    inside = [coords for coords in settled if place.holds(coords[tree.heavy])]
    if not inside:
        edges = " x ".join(f"{edge:.1f}" for edge in place.site.size)
        raise MoleculeError(
            Reason.NO_PLAUSIBLE_POSE, f"{shown} found no pose inside the box of {edges} Å; enlarge the box"
        )
    energies = [score(function, tree, place.atoms, coords) for coords in inside]
    sums = np.array([one.inter + one.intra for one in energies])
    chosen = refine.distinct(np.stack(inside)[:, tree.heavy], sums, n_poses)
    return [(inside[k], energies[k]) for k in chosen.tolist()]


@lru_cache(maxsize=1024)
def tree_of(ligand: Ligand) -> Tree:
    """A ligand's tree.

    Raises
    ------
    MoleculeError
        If its PDBQT holds nothing to dock.
    """
    try:
        return read_tree(pdbqt.read(ligand.pdbqt))
    except pdbqt.PdbqtError as error:
        raise MoleculeError(Reason.UNPREPARED, f"{ligand.molecule.shown}: {error}") from error


def shape_of(tree: Tree, shown: str) -> tuple[int, int]:
    """The smallest of `SHAPES` that holds a ligand.

    Raises
    ------
    MoleculeError
        TOO_LARGE, if none does.
    """
    heavy, torsions = int(tree.heavy.sum()), len(motion.turning(tree)) - 1
    for atoms, most in SHAPES:
        if heavy <= atoms and torsions <= most:
            return atoms, most
    raise MoleculeError(
        Reason.TOO_LARGE,
        f"{shown} has {heavy} heavy atoms and {torsions} torsions; "
        f"docking takes {SHAPES[-1][0]} and {SHAPES[-1][1]} at most",
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A ligand that can be docked."""

    ligand: Ligand
    tree: Tree
    shape: tuple[int, int]
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        return self.ligand.digest, self.seed


def side_by_side(place: Place, ligands: Sequence[Ready], effort: str) -> dict[tuple[str, int], efforts.Found]:
    """Searches of many ligands, those of one shape together, always as many as the device takes at once."""
    width = efforts.lanes()
    found = {}
    for shape in SHAPES:
        group = list({one.key: one for one in ligands if one.shape == shape}.values())
        for first in range(0, len(group), width):
            some = group[first : first + width]
            full = some + [some[0]] * (width - len(some))
            problems = [place.problem(one.tree, shape) for one in full]
            keys = [jax.random.key(one.seed) for one in full]
            answers = efforts.seek_many(
                place.function, [p for p, _ in problems], problems[0][1], keys, efforts.EFFORTS[effort]
            )
            found.update({one.key: answer for one, answer in zip(some, answers, strict=False)})
    return found


class Place:
    """A receptor's atoms about one site, and its grids, which grow as new atom types come along.

    A type's grid does not depend on which others were built with it.
    """

    def __init__(self, receptor: Receptor, site: Site, function: Function) -> None:
        structure = pdbqt.read(receptor.pdbqt)
        self.site, self.function = site, function
        self.atoms = Atoms(structure.coords, type_atoms(structure).xs)
        self._grid: maps.Grid | None = None
        self._field: search.Field | None = None

    def prepare(self, types: set[int]) -> None:
        """Build the grids of all types that are not there yet."""
        old = self._grid
        missing = sorted(types - set(old.types if old else ()))
        if not missing:
            return
        new = maps.build(self.function, self.atoms, self.site.center, self.site.size, missing)
        if old is not None:
            new = maps.Grid(
                np.concatenate([old.values, new.values]), old.types + new.types, old.low, old.spacing
            )
        self._grid = new
        self._field = search.field(new, bucket(int(np.prod(new.values.shape)), FEWEST_ROWS))

    def field(self, tree: Tree) -> tuple[search.Field, tuple[int, ...]]:
        """Grids for a ligand, and their types in order."""
        self.prepare(set(maps.types_of(tree.xs)))
        if self._field is None or self._grid is None:
            raise AssertionError("a ligand without types has no tree")
        return self._field, self._grid.types

    def problem(self, tree: Tree, shape: tuple[int, int]) -> tuple[search.Problem, search.Field]:
        """A ligand and the grids as the search takes them."""
        field, types = self.field(tree)
        return search.problem(self.function, tree, types, *shape), field

    def holds(self, coords: Floats) -> bool:
        """Do all points lie in the box? As Vina's, it is whole cells of the grid, up to 0.19 Å wider a side."""
        low, high = maps.span(self.site.center, self.site.size)
        return bool(((coords >= low) & (coords <= high)).all())


@lru_cache(maxsize=4)
def _place(receptor: Receptor, site: Site, scoring: str) -> Place:
    sites.check(receptor, site)
    return Place(receptor, site, FUNCTIONS[scoring])


@lru_cache(maxsize=1)
def keep_programs() -> Path | None:
    """Let JAX keep compiled programs between processes, unless the user chose a place already."""
    if jax.config.values["jax_compilation_cache_dir"]:
        return None
    folder = _cache_home() / "discovery-workbench" / "jax"
    update: Callable[[str, Any], None] = jax.config.update
    update("jax_compilation_cache_dir", str(folder))
    update("jax_persistent_cache_min_compile_time_secs", 0.2)
    return folder


def _cache_home() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local")))
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")))
